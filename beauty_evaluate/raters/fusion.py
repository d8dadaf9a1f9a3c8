"""The family `fusion`: sub-scores, or all of the geometry, beside what a network has made of the whole crop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import measurements
from beauty_evaluate.raters import portable
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.features import ExtractorConfig, prepared
from beauty_evaluate.raters.geometry import RuleConfig, load_arrays, measure_faces
from beauty_evaluate.raters.parts import Parts
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.raters.runtime import PredictFn
from beauty_evaluate.settings import Checked, within


@dataclass(frozen=True)
class FusionConfig(Checked):
    """The config of the family.

    Example:
        >>> FusionConfig().geometry
        'sub_scores'
    """

    preset: str = "fusion"
    geometry: Literal["sub_scores", "geometry"] = "sub_scores"  # one part for each region, or one for all features
    embedding: ExtractorConfig = field(default_factory=ExtractorConfig)
    crop: CropConfig = field(default_factory=CropConfig)
    rule: RuleConfig = field(default_factory=RuleConfig)  # of each part of the geometry
    embedding_rule: RuleConfig = field(default_factory=RuleConfig)
    folds: int = within(5, 2)
    evenness: float = within(0.0, 0)  # of the weights
    family: Literal["fusion"] = "fusion"


class FusionRater(CardRater):
    """The weighted mean of sub-scores of regions and of the network's."""

    def __init__(self, card: Card, threads: int = 0) -> None:
        """Remember the card; its files are read when the first face is rated.

        Args:
            card: of the family `fusion`.
            threads: of ONNX Runtime for one call; 0: all cores.
        """
        assert isinstance(card.config, FusionConfig)
        self.card, self.config = card, card.config
        self._threads, self._lock = threads, Lock()

    @property
    def needs(self) -> frozenset[str]:
        """The photo too where the network sees another crop than the mesh."""
        other = self.config.embedding.crop != self.config.crop
        return frozenset({"crop", "landmarks", "photo"} if other else {"crop", "landmarks"})

    @cached_property
    def parts(self) -> Parts:
        """What the sub-scores are made of, and their weights. Raises WeightsError."""
        return Parts.of(load_arrays(self.card))

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face. ValueError for no faces."""
        values, _ = measure_faces(faces, self.config.crop)
        with self._lock:
            network = self._network
        embedding = embed(network, self.config.embedding, faces)
        mean, parts = self.parts.rate(np.concatenate([values, embedding], axis=1))
        return with_intervals(self.card, mean, measurements(faces, self.config.crop), parts=parts)

    @cached_property
    def _network(self) -> PredictFn:
        return prepared(portable.predictor(self.card, self._threads), self.config.embedding)


def embed(network: PredictFn, config: ExtractorConfig, faces: Sequence[Face]) -> NDArray[np.float64]:
    """Features of faces, the mean over a crop and its mirror image where the config says so: float64 (N, F).

    Args:
        network: from crops to features.
        config: how it sees a face.
        faces: N of them, N > 0.
    """
    crops = [face.crop(config.crop) for face in faces]
    return np.asarray(portable.features_of(network, crops, config.flip_tta).mean(1), np.float64)
