"""Figures of merit, NumPy and SciPy only. All take float arrays (N,) in rating points."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def pearson(predicted: ArrayLike, true: ArrayLike) -> float:
    """Linear correlation, the field's PC; NaN if one side is constant."""
    p, t = _pair(predicted, true)
    p, t = p - p.mean(), t - t.mean()
    scale = np.sqrt((p**2).sum() * (t**2).sum())
    return float((p * t).sum() / scale) if scale > 1e-12 else float("nan")


def spearman(predicted: ArrayLike, true: ArrayLike) -> float:
    """Rank correlation; ties share their mean rank."""
    p, t = _pair(predicted, true)
    return pearson(rankdata(p), rankdata(t))


def mae(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean absolute error."""
    p, t = _pair(predicted, true)
    return float(np.abs(p - t).mean())


def rmse(predicted: ArrayLike, true: ArrayLike) -> float:
    """Root of the mean squared error."""
    p, t = _pair(predicted, true)
    return float(np.sqrt(((p - t) ** 2).mean()))


def summary(predicted: ArrayLike, true: ArrayLike) -> dict[str, float]:
    """n, pearson, spearman, mae and rmse."""
    p, t = _pair(predicted, true)
    return {
        "n": len(p),
        "pearson": pearson(p, t),
        "spearman": spearman(p, t),
        "mae": mae(p, t),
        "rmse": rmse(p, t),
    }


def bootstrap_pearson(
    predicted: ArrayLike,
    true: ArrayLike,
    level: float = 0.95,
    rounds: int = 2000,
    seed: int = 0,
    parts: ArrayLike | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of `pearson` over photos (Efron 1979).

    parts: the fold of each photo; then of the mean of the folds' PCs, photos drawn within each fold. NaN if one side is
    constant.
    """
    p, t = _pair(predicted, true)
    rng = np.random.default_rng(seed)
    labels = np.zeros(len(p)) if parts is None else np.asarray(parts)
    folds = [np.flatnonzero(labels == part) for part in np.unique(labels)]
    values = []
    for _ in range(rounds):
        picks = [own[rng.integers(0, len(own), len(own))] for own in folds]
        values.append(np.mean([pearson(p[pick], t[pick]) for pick in picks]))
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _pair(predicted: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p, t = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if p.shape != t.shape or p.ndim != 1 or not len(p):
        raise ValueError(f"Expected two arrays of one length, not empty. Received: shapes {p.shape} and {t.shape}.")
    return p, t
