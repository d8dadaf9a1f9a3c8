"""A rating that is the weighted mean of sub-scores, each learnt from features of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.phrases import WEIGHT_OF
from beauty_evaluate.raters.regressors import Arrays, Floats, Regressor, Standardiser, regressor, with_prefix


@dataclass(frozen=True)
class Part:
    """What one sub-score is made of.

    Attributes:
        columns: int64 (n,), the features that it reads, and no others.
        standardiser: of those.
        rule: from them to an expected rating.
        level: mean of that over photos that the rule has not learnt from, rating points.
        spread: its standard deviation there.
    """

    columns: NDArray[np.int64]
    standardiser: Standardiser
    rule: Regressor
    level: float
    spread: float

    def standing(self, features: Floats) -> Floats:
        """How faces stand in this part, in standard deviations of all faces, float64 (N,). features: (N, F)."""
        expected = self.rule(self.standardiser(features[:, self.columns]))
        return (expected - self.level) / self.spread


@dataclass(frozen=True)
class Parts:
    """Sub-scores that average to the rating.

    All have the mean and one common spread over the training photos, so that 3.9 for the eyes and 3.2 for the jaw
    compare: the eyes stand higher among eyes than the jaw among jaws. The spread is the one with which their weighted
    mean is the best prediction of the rating.

    Attributes:
        parts: by name.
        weights: float64 (P,), positive, which add up to 1.
        mean: of the training scores, rating points.
        spread: standard deviation of each sub-score, rating points.

    Example:
        >>> from beauty_evaluate.raters.regressors import Dense
        >>> whole = Standardiser(np.zeros(1), np.ones(1))
        >>> rule = Dense((np.ones((1, 1)),), (np.zeros(1),))
        >>> parts = Parts({"eyes": Part(np.array([1]), whole, rule, 0.0, 1.0)}, np.ones(1), 3.0, 0.5)
        >>> parts.scores(np.array([[9.0, 2.0]])).tolist()
        [[4.0]]
    """

    parts: dict[str, Part]
    weights: Floats
    mean: float
    spread: float

    def scores(self, features: Floats) -> Floats:
        """Sub-scores of faces with features (N, F): float64 (N, P), rating points, unclipped."""
        return self.mean + self.spread * np.stack([part.standing(features) for part in self.parts.values()], axis=1)

    def rate(self, features: Floats) -> tuple[Floats, dict[str, Floats]]:
        """The ratings, float64 (N,), and what they are made of, as `Ratings.parts`: sub-scores and their weights."""
        scores = self.scores(features)
        weights = {WEIGHT_OF + name: np.full(len(scores), w) for name, w in zip(self.parts, self.weights, strict=True)}
        return np.einsum("np,p->n", scores, self.weights), dict(zip(self.parts, scores.T, strict=True)) | weights

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a file; `of` makes them again."""
        arrays: dict[str, NDArray[Any]] = {
            "parts": np.array(list(self.parts)), "weights": self.weights, "scale": np.array([self.mean, self.spread]),
        }  # fmt: skip
        for name, part in self.parts.items():
            own_arrays = {
                "columns": part.columns, "mean": part.standardiser.mean, "sd": part.standardiser.sd,
                "level": np.array([part.level, part.spread]), **part.rule.arrays(),
            }  # fmt: skip
            arrays |= {f"{name}/{key}": array for key, array in own_arrays.items()}
        return arrays

    @classmethod
    def of(cls, arrays: Arrays) -> "Parts":
        """From what `arrays` gave."""
        parts = {}
        for name in arrays["parts"].tolist():
            stored = with_prefix(arrays, f"{name}/")
            standardiser = Standardiser(stored["mean"], stored["sd"])
            parts[name] = Part(stored["columns"], standardiser, regressor(stored), *map(float, stored["level"]))
        return cls(parts, arrays["weights"], *map(float, arrays["scale"]))
