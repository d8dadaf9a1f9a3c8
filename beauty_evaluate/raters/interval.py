"""How far a single score may be off: what a card keeps of it, and the width that follows for a face."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.settings import from_json, to_json

Floats = NDArray[np.float64]
Measurements = Mapping[str, Floats]


@dataclass(frozen=True)
class Curve:
    """A line between knots, constant outside them."""

    at: tuple[float, ...]
    value: tuple[float, ...]

    def __call__(self, x: Floats) -> Floats:
        """The value at each x, float64 (N,)."""
        return np.interp(x, self.at, self.value)


@dataclass(frozen=True)
class Interval:
    """A prediction interval around a score: a width by score, times a factor for each thing measured of a face.

    Attributes:
        level: Share of photos whose label it shall hold.
        scores: Knots, in rating points.
        half_width: Half the width of the interval at each, rating points; between knots linear, outside constant.
        other_half_width: The same for photos that look like the further data sets rather than the first; empty: alike.
            Between both, the share of either hangs on `data_set_odds`.
        factors: By what is measured, `at` values and the `value` by which the width is multiplied there.
        max_distance: `distance` from what was learnt from beyond which a photo is unusual; None: nobody asks.
        unusual_half_width: Of unusual photos, at least: how far the score of one photo is from the label of another.
        held_out_by: The networks whose held-out photos it was calibrated on. If its own is among them, it knows these
            photos, and what it covers of them proves nothing.

    Example:
        >>> interval = Interval(0.9, (2.0, 4.0), (0.3, 0.5), factors={"turn": Curve((0.1, 0.3), (1.0, 2.0))})
        >>> interval.at(np.array([3.0, 9.0]), {"turn": np.array([0.0, 0.2])}).tolist()
        [0.4, 0.75]
    """

    level: float
    scores: tuple[float, ...]
    half_width: tuple[float, ...]
    other_half_width: tuple[float, ...] = ()
    factors: Mapping[str, Curve] = field(default_factory=dict)
    max_distance: float | None = None
    unusual_half_width: float = 0.0
    held_out_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Interval":
        """From a card. Raises ConfigError where something is missing or unknown."""
        factors = {name: from_json(curve, Curve) for name, curve in values.get("factors", {}).items()}
        return from_json({**values, "factors": factors}, cls)

    def to_json(self) -> dict[str, Any]:
        """For a card."""
        return to_json(self)

    def at(self, predicted: Floats, measured: Measurements | None = None) -> Floats:
        """Half the width at each score.

        Args:
            predicted: (N,), clipped to the scale.
            measured: By name, (N,) each; NaN, and what is missing, changes nothing.

        Returns:
            float64 (N,), rating points.
        """
        measured = measured or {}
        width = self._by_score(predicted, measured.get("data_set_odds"))
        for name, curve in self.factors.items():
            if name in measured:
                width = width * np.where(np.isnan(measured[name]), 1.0, curve(measured[name]))
        return np.where(self.unusual(len(predicted), measured), np.maximum(width, self.unusual_half_width), width)

    def unusual(self, count: int, measured: Measurements | None = None) -> NDArray[np.bool_]:
        """Which of so many photos are unlike anything learnt from, bool (N,)."""
        if self.max_distance is None or not measured or "distance" not in measured:
            return np.zeros(count, bool)
        return np.asarray(measured["distance"] > self.max_distance)

    def _by_score(self, predicted: Floats, odds: Floats | None) -> Floats:
        first = np.interp(predicted, self.scores, self.half_width)
        if not self.other_half_width or odds is None:
            return first
        other = np.interp(predicted, self.scores, self.other_half_width)
        return np.asarray(first * (other / first) ** share_of_others(odds))


def share_of_others(odds: Floats) -> Floats:
    """How much of a photo's interval is that of the further data sets, 0..1; a half where the odds are not known."""
    return 1 / (1 + np.exp(-np.nan_to_num(odds)))
