"""How far a single score may be off: an interval whose width is a function of the score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import DataError

LEVEL = 0.9
KNOTS = 8  # of the width over the range of scores


@dataclass(frozen=True)
class Interval:
    """A prediction interval around a score: linear between knots, constant outside them.

    Attributes:
        level: Share of photos whose label it shall hold.
        scores: The knots, in rating points.
        half_width: Half the width of the interval at each knot, in rating points.

    Example:
        >>> Interval(0.9, (2.0, 4.0), (0.3, 0.5)).at(np.array([3.0, 9.0])).tolist()
        [0.4, 0.5]
    """

    level: float
    scores: tuple[float, ...]
    half_width: tuple[float, ...]

    def at(self, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half the width at each predicted score, float64 (N,)."""
        return np.interp(predicted, self.scores, self.half_width)

    def covers(self, predicted: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each label lies in the interval around its score, bool (N,)."""
        return np.asarray(np.abs(true - predicted) <= self.at(predicted))


def calibrate(
    predicted: NDArray[np.float64], true: NDArray[np.float64], level: float = LEVEL, knots: int = KNOTS
) -> Interval:
    """The interval from held-out scores and their labels.

    The width at a knot is the `level` quantile of the absolute errors of the photos scored nearest to it, smoothed with
    its neighbours; all widths are then stretched by one factor so that `level` of these photos lie inside, with the
    finite-sample correction of conformal prediction (Lei et al., JASA 2018). What it covers of other photos is measured
    in the report of the folds.

    Args:
        predicted: float64 (N,), N at least 10 for each knot.
        true: float64 (N,).
        level: Share of photos whose label shall lie inside.
        knots: 1: one width for all.

    Raises:
        DataError: Fewer scores.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> predicted = rng.uniform(1, 5, 1000)
        >>> interval = calibrate(predicted, predicted + rng.uniform(-0.5, 0.5, 1000), knots=1)
        >>> round(interval.half_width[0], 1)
        0.5
    """
    if len(predicted) < 10 * knots:
        raise DataError(f"An interval needs at least {10 * knots} held-out scores; there are {len(predicted)}.")
    parts = np.array_split(np.argsort(predicted), knots)
    errors = np.abs(true - predicted)
    scores = np.array([predicted[part].mean() for part in parts])
    half_width = np.array([np.quantile(errors[part], level) for part in parts])
    padded = np.pad(half_width, 1, mode="edge")
    half_width = (padded[:-2] + 2 * half_width + padded[2:]) / 4
    n = len(errors)
    ratio = errors / np.interp(predicted, scores, half_width)
    half_width = half_width * np.quantile(ratio, min(1, np.ceil((n + 1) * level) / n))
    return Interval(level, tuple(np.round(scores, 4).tolist()), tuple(np.round(half_width, 4).tolist()))
