"""The contract of all raters: faces in, ratings out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.interval import Interval


@dataclass(frozen=True)
class Ratings:
    """What a rater says of N faces, in rating points.

    Attributes:
        mean: float64 (N,), the expected mean rating. Not clipped: it may leave the scale by a little, so that
            differences of ratings add up; `RatingScale.clip` is for what people read.
        half_width: float64 (N,), half the width of the prediction interval; None where it was never calibrated.
        measured: by name what was measured of each face on the way, float64 (N,) each: the fields of
            `faces.quality.Quality`, `mirror_gap`, and `FeatureSpace.measurements`; empty for a rater that measures
            nothing. NaN where something is not known.
        unusual: bool (N,), which faces are unlike anything learnt from; None where nobody asked.
        parts: by name what the mean was made of, float64 (N,) each, where a rater has parts: rating points, and under
            `phrases.WEIGHT_OF + name` the share of a part in the mean, 0..1, where parts have weights.
        notes: sentences for a person, true of all these faces.
    """

    mean: NDArray[np.float64]
    half_width: NDArray[np.float64] | None = None
    measured: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    unusual: NDArray[np.bool_] | None = None
    parts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def part(self, start: int, count: int) -> "Ratings":
        """Those of `count` faces from `start` on."""
        faces = slice(start, start + count)
        half_width = None if self.half_width is None else self.half_width[faces]
        unusual = None if self.unusual is None else self.unusual[faces]
        measured, parts = (
            {key: values[faces] for key, values in every.items()} for every in (self.measured, self.parts)
        )
        return Ratings(self.mean[faces], half_width, measured, unusual, parts, self.notes)

    def warnings(self, index: int) -> list[str]:
        """The warnings of one face that come from its rating: `unusual`, `unanswered`, or none."""
        is_unusual = self.unusual is not None and self.unusual[index]
        is_unanswered = "answers" in self.measured and self.measured["answers"][index] == 0
        return ["unusual"] * bool(is_unusual) + ["unanswered"] * bool(is_unanswered)


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


class CardRater:
    """What raters of a card have in common: its name and its scale.

    Attributes:
        card: what it is, what it has learnt from and what it reaches.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> isinstance(registry.load(), CardRater)
        True
    """

    card: Card

    @property
    def name(self) -> str:
        """Of its card."""
        return self.card.name

    @property
    def scale(self) -> RatingScale:
        """Of its ratings."""
        return self.card.scale


def crop_config(rater: Rater) -> CropConfig:
    """The crop that a rater sees; of one that sees none, the default, in which regions of a face are told apart."""
    config = getattr(rater.card.config, "crop", None)
    return config if isinstance(config, CropConfig) else CropConfig()


def with_intervals(
    card: Card,
    mean: NDArray[np.float64],
    measured: dict[str, NDArray[np.float64]] | None = None,
    notes: tuple[str, ...] = (),
    parts: dict[str, NDArray[np.float64]] | None = None,
) -> Ratings:
    """Ratings with the prediction intervals of the card.

    Args:
        card: of the rater.
        mean: float64 (N,), its ratings.
        measured: as `Ratings.measured`.
        notes: as `Ratings.notes`.
        parts: as `Ratings.parts`.
    """
    measured, parts = measured or {}, parts or {}
    if not card.interval:
        return Ratings(mean, measured=measured, parts=parts, notes=notes)
    interval = Interval.of(card.interval)
    half_width = interval.at(np.clip(mean, card.scale.low, card.scale.high), measured)
    return Ratings(mean, half_width, measured, interval.unusual(len(mean), measured), parts, notes)


def in_order(batches: Sequence[tuple[Sequence[str], Ratings]], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Ratings of batches as columns.

    Args:
        batches: names of faces, and their ratings.
        names: N of them, in the order wanted.

    Returns:
        `mean`, `half_width` where there are intervals, and what was measured: float64 (N,) each, NaN where no batch has
        the name.

    Example:
        >>> in_order([(["b"], Ratings(np.array([3.0])))], ["a", "b"])["mean"].tolist()
        [nan, 3.0]
    """
    place = {name: i for i, name in enumerate(names)}
    columns = {"mean": np.full(len(names), np.nan)}
    for rated, ratings in batches:
        half_width = {} if ratings.half_width is None else {"half_width": ratings.half_width}
        for key, values in {"mean": ratings.mean, **half_width, **ratings.measured}.items():
            columns.setdefault(key, np.full(len(names), np.nan))[[place[name] for name in rated]] = values
    return columns
