"""The family `network`: a network of `builders`, run from its exported file or by Keras."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config, CropConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import measurements
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.feature_space import KEYS, PREFIX, FeatureSpace
from beauty_evaluate.raters.rater import CardRater, Rater, Ratings, with_intervals
from beauty_evaluate.raters.runtime import PredictFn, look, onnxruntime_predictor, opencv_predictor, predict

if TYPE_CHECKING:
    import keras

Runtime = Literal["opencv", "onnxruntime", "keras"]


class NetworkRater(CardRater):
    """A network with its card. Safe to use from any number of threads.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> rater = registry.load("six_block_60-40")
        >>> rater.rate(find_faces(images.read("examples/eileen_collins.png"))).mean.shape
        (1,)
    """

    needs = frozenset({"crop"})

    def __init__(self, card: Card, runtime: Runtime = "opencv", threads: int = 0) -> None:
        """Begin to read the network.

        Args:
            card: of the family `network`.
            runtime: `opencv` starts soonest, a network for each thread; `onnxruntime` takes longer to start and two
                thirds of the time a crop; `keras` needs TensorFlow.
            threads: of ONNX Runtime for one call; 0: all cores.

        A file that cannot be read raises WeightsError when the first face is rated.
        """
        assert isinstance(card.config, Config)
        self.card, self.config, self.runtime, self._threads = card, card.config, runtime, threads
        self._local, self._lock = threading.local(), threading.Lock()
        self._early: Future[PredictFn] | None = None
        if runtime == "opencv":  # while the first photo is decoded and searched
            pool = ThreadPoolExecutor(1)
            self._early = pool.submit(self._read)
            pool.shutdown(wait=False)

    @classmethod
    def of_model(cls, card: Card, model: "keras.Model") -> "NetworkRater":
        """A network with other weights than its card's, run by Keras.

        Args:
            card: of the same recipe.
            model: whose crops and scores are those of the recipe.
        """
        rater = cls(card, "keras")
        rater._model = model
        return rater

    @property
    def crop_config(self) -> CropConfig:
        """The crop that the network sees."""
        return self.config.crop

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face, the mean over its crop and the mirror image where the card says so. ValueError for no
        faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        config = self.config.crop
        views = look(self._predictor(), [face.crop(config) for face in faces], self.config.flip_tta)
        measured = {**measurements(faces, config), "mirror_gap": views.mirror_gap}
        if self._space and views.features.size:
            measured |= self._space.measurements(views.features)
        return with_intervals(self.card, views.ratings, measured)

    def predict(self, crops: Crop | Sequence[Crop]) -> NDArray[np.float64]:
        """Rate crops, uint8 or float32 (N, size, size, C): float64 (N,), rating points. ValueError for no crops."""
        return predict(self._predictor(), crops, self.config.flip_tta)

    def views(self, crop: Crop) -> NDArray[np.float32]:
        """The pictures whose mean score is the rating of a crop: itself and, where the card says so, its mirror image.

        Args:
            crop: uint8 or float32 (size, size, C).

        Returns:
            float32 (1 or 2, size, size, C).
        """
        return np.stack([crop, crop[:, ::-1]] if self.config.flip_tta else [crop]).astype(np.float32)

    @cached_property
    def _model(self) -> "keras.Model":
        from beauty_evaluate.raters import builders  # TensorFlow, which scoring does without

        return builders.load(self.card)

    def keras_model(self) -> "keras.Model":
        """The network in Keras, float32. Raises WeightsError."""
        return self._model

    @cached_property
    def _space(self) -> FeatureSpace | None:
        """Where the photos learnt from lie; None for a card that does not know."""
        if "stats" not in self.card.artifacts:
            return None
        try:
            return FeatureSpace.of(self.card.stats(*(PREFIX + key for key in KEYS)))
        except KeyError:
            return None

    def _read(self) -> PredictFn:
        return opencv_predictor(self.card.artifact("onnx"))

    def _predictor(self) -> PredictFn:
        if self.runtime == "opencv":
            return self._of_this_thread()
        with self._lock:
            return self._shared

    @cached_property
    def _shared(self) -> PredictFn:
        if self.runtime == "keras":
            from beauty_evaluate.raters import builders

            return builders.keras_predictor(self.keras_model())
        return onnxruntime_predictor(self.card.artifact("onnx"), self._threads)

    def _of_this_thread(self) -> PredictFn:
        """The first thread to ask gets the network that was read early."""
        if not hasattr(self._local, "predictor"):
            with self._lock:
                early, self._early = self._early, None
            self._local.predictor = early.result() if early else self._read()
        return self._local.predictor  # type: ignore[no-any-return]


def network_of(rater: Rater, purpose: str) -> NetworkRater:
    """The rater as a network with gradients.

    Args:
        rater: any.
        purpose: what needs the network, for the message.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(rater, NetworkRater):
        raise ConfigError(f"{purpose} need a Keras network, and {rater.name} ({rater.card.config.family}) has none.")
    return rater
