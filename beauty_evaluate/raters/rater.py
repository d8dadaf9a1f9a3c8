"""The contract of all raters: faces in, ratings out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card


@dataclass(frozen=True)
class Ratings:
    """What a rater says of N faces, in rating points.

    Attributes:
        mean: float64 (N,), the expected mean rating. Not clipped: it may leave the scale by a little, so that
            differences of ratings add up; `RatingScale.clip` is for what people read.
        half_width: float64 (N,), half the width of the prediction interval; None where it was never calibrated.
        parts: by name what the mean was made of, float64 (N,) each, where a rater has parts.
        notes: sentences for a person.
    """

    mean: NDArray[np.float64]
    half_width: NDArray[np.float64] | None = None
    parts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def part(self, start: int, count: int) -> "Ratings":
        """Those of `count` faces from `start` on."""
        faces = slice(start, start + count)
        half_width = None if self.half_width is None else self.half_width[faces]
        return Ratings(self.mean[faces], half_width, {key: part[faces] for key, part in self.parts.items()}, self.notes)


class Rater(Protocol):
    """Anything that rates faces: a network, a geometric rule, a language model.

    Attributes:
        name: of its card.
        card: what it is, what it has learnt from and what it reaches.
        scale: of its ratings.
        needs: what it looks at, of "crop", "landmarks", "photo".
    """

    @property
    def name(self) -> str:
        """Of its card."""

    @property
    def card(self) -> Card:
        """What it is and what it reaches."""

    @property
    def scale(self) -> RatingScale:
        """Of its ratings."""

    @property
    def needs(self) -> frozenset[str]:
        """Of "crop", "landmarks", "photo"."""

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face. ValueError for no faces."""


def crop_config(rater: Rater) -> CropConfig:
    """The crop that a rater sees; of one that sees none, the default, in which regions of a face are told apart."""
    config = getattr(rater.card.config, "crop", None)
    return config if isinstance(config, CropConfig) else CropConfig()


def with_intervals(card: Card, mean: NDArray[np.float64], notes: tuple[str, ...] = ()) -> Ratings:
    """Ratings with the prediction intervals of the card."""
    widths = [card.half_width(float(card.scale.clip(score))) for score in mean]
    calibrated = [width for width in widths if width is not None]
    return Ratings(mean, np.array(calibrated) if len(calibrated) == len(mean) and calibrated else None, notes=notes)
