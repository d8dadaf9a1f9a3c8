"""Where the photos that a network has learnt from lie among its features, and how far others lie from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AXES = 64  # directions whose variance is kept by itself; the rest share one
MAX_ODDS = 15.0  # log odds between data sets beyond which nothing changes
KEYS = ("means", "axes", "variances", "rest")
PREFIX = "features/"  # of the keys in a card's statistics


@dataclass(frozen=True)
class FeatureSpace:
    """A normal distribution for each data set, of one covariance: that of probabilistic PCA (Tipping & Bishop, 1999).

    Attributes:
        means: float32 (S, F), of S data sets.
        axes: float32 (F, K), orthonormal.
        variances: float32 (K,), along the axes.
        rest: variance in every other direction.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> space = FeatureSpace.fit([rng.normal(0, 1, (500, 8)), rng.normal(5, 1, (500, 8))])
        >>> measured = space.measurements(np.array([[0.0] * 8, [5.0] * 8, [90.0] * 8]))
        >>> (measured["distance"] > 100).tolist(), measured["data_set_odds"].tolist()
        ([False, False, True], [-15.0, 15.0, 15.0])
    """

    means: NDArray[np.float32]
    axes: NDArray[np.float32]
    variances: NDArray[np.float32]
    rest: float

    @classmethod
    def fit(cls, features: Sequence[NDArray[Any]]) -> "FeatureSpace":
        """From the features of training photos, (N, F) for each data set; every set weighs the same."""
        means = [part.mean(0) for part in features]
        centred = [(part - mean) / np.sqrt(len(part)) for part, mean in zip(features, means, strict=True)]
        every = np.concatenate(centred).astype(np.float64)
        values, vectors = np.linalg.eigh(every.T @ every / len(features))
        values, vectors = np.maximum(values[::-1], 1e-6), vectors[:, ::-1]
        count = min(AXES, len(values) - 1)
        kinds = np.float32
        return cls(
            np.stack(means).astype(kinds), vectors[:, :count].astype(kinds), values[:count].astype(kinds),
            float(values[count:].mean()),
        )  # fmt: skip

    @classmethod
    def of(cls, stats: Mapping[str, NDArray[Any]]) -> "FeatureSpace":
        """From the numbers that `to_stats` gave."""
        means, axes, variances, rest = (stats[PREFIX + key] for key in KEYS)
        return cls(means, axes, variances, float(rest))

    def to_stats(self) -> dict[str, NDArray[Any]]:
        """As numbers for a card's statistics."""
        return {PREFIX + key: np.asarray(getattr(self, key), np.float32) for key in KEYS}

    def measurements(self, features: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """How photos lie to those learnt from.

        Args:
            features: (N, F).

        Returns:
            float64 (N,) each: `distance` from the nearest data set, in standard deviations (Mahalanobis), and
            `data_set_odds`, the log odds that a photo is rather one of the further data sets than of the first, within
            +-MAX_ODDS; 0 of one data set.
        """
        squared = np.stack([self._squared(features - mean) for mean in self.means])
        others = squared[1:].min(0) if len(squared) > 1 else squared[0]
        odds = np.clip((squared[0] - others) / 2, -MAX_ODDS, MAX_ODDS)
        return {"distance": np.sqrt(squared.min(0)), "data_set_odds": odds}

    def _squared(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        along = centred @ self.axes
        beyond = np.maximum((centred**2).sum(1) - (along**2).sum(1), 0)
        return np.asarray((along**2 / self.variances).sum(1) + beyond / self.rest, np.float64)
