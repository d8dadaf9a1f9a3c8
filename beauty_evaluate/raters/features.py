"""The family `features`: features of a network that stays as it is, and a head that makes a score of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import portable
from beauty_evaluate.raters.backbone_config import PREPROCESS, BackboneConfig
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.heads import HeadConfig, predict_views, read_head
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.raters.regressors import Dense
from beauty_evaluate.raters.runtime import PredictFn
from beauty_evaluate.settings import Checked

HEAD = "head"  # the artifact that was learnt


@dataclass(frozen=True)
class ExtractorConfig(Checked):
    """Which network gives features, and how it sees a face.

    Attributes:
        crop: that the network sees; of a network of ours, its own.
        backbone: the network, and how pixels go into it.
        preprocess_outside: whether the network's file takes pixels as `backbone.preprocess` says, not as they are;
            this and the next two are found out in training.
        channels_first: whether it takes crops (N, 3, size, size).
        rating_first: whether it gives a rating before the features, as our networks do.
        flip_tta: whether the mirror image is looked at too.
    """

    crop: CropConfig = field(default_factory=CropConfig)
    backbone: BackboneConfig = field(default_factory=lambda: BackboneConfig("six_block_60-40"))
    preprocess_outside: bool = False
    channels_first: bool = False
    rating_first: bool = False
    flip_tta: bool = True


@dataclass(frozen=True)
class FeaturesConfig(ExtractorConfig):
    """The config of the family `features`.

    Example:
        >>> FeaturesConfig().backbone.source
        'six_block_60-40'
    """

    preset: str = "own_features"
    head: HeadConfig = field(default_factory=lambda: HeadConfig("ridge"))
    family: Literal["features"] = "features"


def prepared(network: PredictFn, config: ExtractorConfig) -> PredictFn:
    """From float32 crops (N, size, size, 3) of 0..255 to features alone, whatever the file takes and gives."""
    scale, offset, bgr = PREPROCESS["none" if config.backbone.preprocess == "auto" else config.backbone.preprocess]

    def features(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        if config.preprocess_outside:
            crops = (crops[..., ::-1] if bgr else crops) * np.array(scale, np.float32) + np.array(offset, np.float32)
        if config.channels_first:
            crops = np.moveaxis(crops, -1, 1)
        return network(crops)[:, int(config.rating_first) :]

    return features


class FeaturesRater(CardRater):
    """A frozen network with a head. Safe to use from any number of threads."""

    needs = frozenset({"crop"})

    def __init__(self, card: Card, threads: int = 0) -> None:
        """Remember the card; its files are read when the first face is rated.

        Args:
            card: of the family `features`.
            threads: of ONNX Runtime for one call; 0: all cores.
        """
        assert isinstance(card.config, FeaturesConfig)
        self.card, self.config = card, card.config
        self._threads, self._lock = threads, threading.Lock()

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face, the mean over its crop and the mirror image where the card says so. ValueError for no
        faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        with self._lock:
            network, head = self._parts
        crops = [face.crop(self.config.crop) for face in faces]
        features = portable.features_of(network, crops, self.config.flip_tta)
        return with_intervals(self.card, predict_views(head, features))

    @cached_property
    def _parts(self) -> tuple[PredictFn, Dense]:
        network = prepared(portable.predictor(self.card, self._threads), self.config)
        return network, read_head(self.card.artifact(HEAD))
