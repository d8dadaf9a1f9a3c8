"""How far a single score may be off: an interval whose width is a function of the score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import DataError

LEVEL = 0.9
BINS = 8  # knots of the width over the range of scores


@dataclass(frozen=True)
class Interval:
    """Half the width of the interval around a score: linear between knots, constant outside them.

    level: share of photos whose label it shall hold. scores, half: rating points, one entry a knot.
    """

    level: float
    scores: tuple[float, ...]
    half: tuple[float, ...]

    def width(self, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half the width at each predicted score."""
        return np.interp(predicted, self.scores, self.half)


def calibrate(
    predicted: NDArray[np.float64], true: NDArray[np.float64], level: float = LEVEL, bins: int = BINS
) -> Interval:
    """The interval from held-out scores and their labels, float64 (N,), N >= 10 bins.

    The width at a knot is the `level` quantile of the absolute errors of the photos scored nearest to it, smoothed with
    its neighbours; all widths are then stretched by one factor so that `level` of these photos lie inside, with the
    finite-sample correction of conformal prediction (Lei et al., JASA 2018). What it covers of other photos is measured
    in the report of the folds. bins 1: one width for all. DataError for fewer scores.
    """
    if len(predicted) < 10 * bins:
        raise DataError(f"Expected at least {10 * bins} held-out scores. Received: {len(predicted)}.")
    order = np.argsort(predicted)
    parts = np.array_split(order, bins)
    errors = np.abs(true - predicted)
    knots = np.array([predicted[part].mean() for part in parts])
    half = np.array([np.quantile(errors[part], level) for part in parts])
    padded = np.pad(half, 1, mode="edge")
    half = (padded[:-2] + 2 * half + padded[2:]) / 4
    n = len(errors)
    ratio = errors / np.interp(predicted, knots, half)
    half = half * np.quantile(ratio, min(1, np.ceil((n + 1) * level) / n))
    return Interval(level, tuple(np.round(knots, 4).tolist()), tuple(np.round(half, 4).tolist()))


def covered(interval: Interval, predicted: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each label lies in the interval around its score."""
    return np.asarray(np.abs(true - predicted) <= interval.width(predicted))
