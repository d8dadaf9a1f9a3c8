"""Figures of merit, NumPy alone. All take float arrays (N,) in rating points."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS, LEVEL = 2000, 0.95  # of the bootstrap


def pearson(predicted: ArrayLike, true: ArrayLike) -> float:
    """Linear correlation, the field's PC; NaN if one side is constant.

    Example:
        >>> round(pearson([1, 2, 3], [1, 2, 4]), 3)
        0.982
    """
    p, t = _pair(predicted, true)
    p, t = p - p.mean(), t - t.mean()
    scale = np.sqrt((p**2).sum() * (t**2).sum())
    return float((p * t).sum() / scale) if scale > 1e-12 else float("nan")


def spearman(predicted: ArrayLike, true: ArrayLike) -> float:
    """Rank correlation; ties share their mean rank.

    Example:
        >>> round(spearman([1, 2, 3], [1, 2, 40]), 3)
        1.0
    """
    p, t = _pair(predicted, true)
    return pearson(_ranks(p), _ranks(t))


def mae(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean absolute error.

    Example:
        >>> mae([1, 2], [1, 3])
        0.5
    """
    p, t = _pair(predicted, true)
    return float(np.abs(p - t).mean())


def rmse(predicted: ArrayLike, true: ArrayLike) -> float:
    """Root of the mean squared error.

    Example:
        >>> rmse([1, 2], [2, 3])
        1.0
    """
    p, t = _pair(predicted, true)
    return float(np.sqrt(((p - t) ** 2).mean()))


def summary(predicted: ArrayLike, true: ArrayLike) -> dict[str, float]:
    """n, pearson, spearman, mae and rmse.

    Example:
        >>> sorted(summary([1, 2], [1, 3]))
        ['mae', 'n', 'pearson', 'rmse', 'spearman']
    """
    p, t = _pair(predicted, true)
    return {
        "n": len(p),
        "pearson": pearson(p, t),
        "spearman": spearman(p, t),
        "mae": mae(p, t),
        "rmse": rmse(p, t),
    }


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % bootstrap interval over photos."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    figure: Callable[[NDArray[np.int64]], Any],
    n: int,
    rounds: int = ROUNDS,
    seed: int = 0,
    parts: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The percentile bootstrap interval (Efron 1979) of `figure`, a function of picks int (n,) out of n photos, drawn
    with replacement in each round: low and high, of the shape that `figure` returns. Rounds that give NaN, where all
    picks are one photo for instance, are left out; NaN if all do.

    parts: (n,), of which part each photo is; then photos are drawn within each, and stand in the order of the parts.
    """
    rng = np.random.default_rng(seed)
    labels = np.zeros(n) if parts is None else np.asarray(parts)
    groups = [np.flatnonzero(labels == part) for part in np.unique(labels)]
    values = np.array(
        [
            figure(np.concatenate([part[rng.integers(0, len(part), len(part))] for part in groups]))
            for _ in range(rounds)
        ]
    )
    if np.isnan(values).all():
        return values[0], values[0]
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def estimates(values: NDArray[np.float64], seed: int = 0) -> list[Estimate]:
    """The means over photos of each column of float64 (N, K)."""
    low, high = bootstrap(lambda pick: values[pick].mean(0), len(values), seed=seed)
    return [Estimate(*map(float, row)) for row in zip(values.mean(0), low, high, strict=True)]


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n photos (Wilson, 1927).

    Example:
        >>> low, high = wilson(0.9, 200)
        >>> round(low, 3), round(high, 3)
        (0.851, 0.934)
    """
    z = 1.96
    middle, reach = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (middle - reach) / (1 + z**2 / n), (middle + reach) / (1 + z**2 / n)


def bootstrap_pearson(
    predicted: ArrayLike, true: ArrayLike, rounds: int = ROUNDS, parts: ArrayLike | None = None
) -> tuple[float, float]:
    """Bootstrap interval of `pearson` over photos. parts: the fold of each photo; then of the mean of the folds' PCs.
    NaN if one side is constant."""
    p, t = _pair(predicted, true)
    labels = np.zeros(len(p)) if parts is None else np.asarray(parts)
    edges = np.cumsum(np.unique(labels, return_counts=True)[1])[:-1]

    def mean_of_folds(pick: NDArray[np.int64]) -> float:
        return float(np.mean([pearson(p[fold], t[fold]) for fold in np.split(pick, edges)]))

    low, high = bootstrap(mean_of_folds, len(p), rounds, parts=labels)
    return float(low), float(high)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each value; ties share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])


def _pair(predicted: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p, t = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if p.shape != t.shape or p.ndim != 1 or not len(p):
        raise ValueError(f"Expected two arrays of one length, not empty. Received: shapes {p.shape} and {t.shape}.")
    return p, t
