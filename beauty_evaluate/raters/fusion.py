"""The family `fusion`: sub-scores, or all of the geometry, beside what a network has made of the whole crop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import measurements
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.geometry import RuleConfig, load_arrays, measure_faces
from beauty_evaluate.raters.parts import Parts
from beauty_evaluate.raters.rater import Ratings, with_intervals
from beauty_evaluate.raters.runtime import look, onnxruntime_predictor
from beauty_evaluate.settings import Checked, within

Embed = Callable[[Sequence[Face]], NDArray[np.float64]]
"""Faces -> float64 (N, E), what a frozen network makes of them."""


@dataclass(frozen=True)
class EmbeddingConfig(Checked):
    """Whose features are taken: a network's with a card, by its exported file.

    `crop` and `flip_tta` are those of its card once the fusion was trained.
    """

    weights: str = "six_block_60-40"  # a name in weights/, or the path of a card
    crop: CropConfig = field(default_factory=CropConfig)
    flip_tta: bool = True


@dataclass(frozen=True)
class FusionConfig(Checked):
    """The config of the family.

    Example:
        >>> FusionConfig().geometry
        'sub_scores'
    """

    preset: str = "fusion"
    geometry: Literal["sub_scores", "geometry"] = "sub_scores"  # one part for each region, or one for all features
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    crop: CropConfig = field(default_factory=CropConfig)
    rule: RuleConfig = field(default_factory=RuleConfig)  # of each part of the geometry
    embedding_rule: RuleConfig = field(default_factory=RuleConfig)
    folds: int = within(5, 2)
    evenness: float = within(0.0, 0)  # of the weights
    family: Literal["fusion"] = "fusion"


class FusionRater:
    """The weighted mean of sub-scores of regions and of the network's."""

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, FusionConfig)
        self.card, self.config, self._lock = card, card.config, Lock()

    @property
    def needs(self) -> frozenset[str]:
        """The photo too where the network sees another crop than the mesh."""
        other = self.config.embedding.crop != self.config.crop
        return frozenset({"crop", "landmarks", "photo"} if other else {"crop", "landmarks"})

    @property
    def name(self) -> str:
        """Of its card."""
        return self.card.name

    @property
    def scale(self) -> RatingScale:
        """Of its ratings."""
        return self.card.scale

    @cached_property
    def parts(self) -> Parts:
        """What the sub-scores are made of, and their weights. Raises WeightsError."""
        return Parts.of(load_arrays(self.card))

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face. ValueError for no faces."""
        values, _ = measure_faces(faces, self.config.crop)
        with self._lock:
            embed = self._embed
        mean, parts = self.parts.rate(np.concatenate([values, embed(faces)], axis=1))
        return replace(with_intervals(self.card, mean, measurements(faces, self.config.crop)), parts=parts)

    @cached_property
    def _embed(self) -> Embed:
        return embedding_of(self.card.artifact("embedding"), self.config.embedding)


def embedding_of(path: Path, config: EmbeddingConfig) -> Embed:
    """The features of a network's last block, the mean over a crop and its mirror image where the network does so.

    Args:
        path: of the network's exported file.
        config: how the network sees a face.

    Raises:
        WeightsError: the file cannot be read.
    """
    predictor = onnxruntime_predictor(path)

    def embed(faces: Sequence[Face]) -> NDArray[np.float64]:
        return look(predictor, [face.crop(config.crop) for face in faces], config.flip_tta).features

    return embed
