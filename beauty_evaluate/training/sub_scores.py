"""Learning of sub-scores: a rule for each part, and weights from what the rules say of photos that they do not know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale
from beauty_evaluate.faces import features
from beauty_evaluate.files import write_atomic
from beauty_evaluate.metrics import pearson
from beauty_evaluate.raters.geometry import RuleConfig
from beauty_evaluate.raters.parts import Part, Parts
from beauty_evaluate.raters.regressors import Standardiser
from beauty_evaluate.raters.sub_scores import SubScoresConfig
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.measuring import Measured, figures_line, geometry_of, measure_lesson, write_arrays
from beauty_evaluate.training.rules import fit_rule

Floats = NDArray[np.float64]

PRESETS: dict[str, SubScoresConfig] = {
    "sub_scores": SubScoresConfig(rule=RuleConfig("ridge")),
}


@dataclass(frozen=True)
class PartRecipe:
    """What a part reads, int64 (n,) places among the features, and how it learns."""

    columns: NDArray[np.int64]
    rule: RuleConfig


def fit(lesson: Lesson) -> Learnt:
    """Learn from nine tenths and describe the sub-scores of the tenth held back, then learn from all.

    Raises:
        ConfigError: scikit-learn is not there, and the rule needs it.
        DataError: too few photos show a face.
    """
    config = lesson.config
    assert isinstance(config, SubScoresConfig)
    measured = measure_lesson(lesson, config.crop, geometry_of(config.crop))
    recipes = {region: PartRecipe(features.columns(region), config.rule) for region in features.REGIONS}
    return learn(lesson, measured, recipes, config.folds, config.evenness)


def learn(lesson: Lesson, measured: Measured, recipes: Mapping[str, PartRecipe], folds: int, evenness: float) -> Learnt:
    """The two trainings of `fit`, for any parts.

    Args:
        lesson: for the config, the folder and lines for a person.
        measured: features and scores.
        recipes: of each part.
        folds: as `fit_parts`.
        evenness: as `fit_parts`.
    """
    held = measured.held_back
    trial = fit_parts(recipes, measured.values[~held], measured.scores[~held], folds, evenness)
    lesson.say(figures_line(trial.rate(measured.values[held])[0], measured))
    rows = distribution(trial, measured.values[held], measured.scores[held], lesson.scale)
    for name, row in rows.items():
        lesson.say("{}: weight {weight:.2f}, PC {pearson:.2f}, {low:.2f} to {high:.2f}".format(name, **row))
    parts = fit_parts(recipes, measured.values, measured.scores, folds, evenness)
    path = write_arrays(
        lesson.folder / f"{lesson.name}.rule.npz", {"names": np.array(features.NAMES), **parts.arrays()}
    )
    report = lesson.folder / f"{lesson.name}.distribution.json"
    write_atomic(report, (json.dumps(rows, indent=1) + "\n").encode())
    count = sum(array.size for array in parts.arrays().values() if array.dtype.kind == "f")
    artifacts = {"rule": path, "distribution": report}
    return Learnt(lesson.config, measured.names, artifacts, measured.problems, count)


def fit_parts(
    recipes: Mapping[str, PartRecipe], values: Floats, scores: Floats, folds: int, evenness: float = 0.0, seed: int = 1
) -> Parts:
    """Rules and weights.

    How a rule stands on new faces, and what it is worth beside the others, comes from photos of folds that it has not
    learnt from (stacking with positive weights: Wolpert 1992; Breiman 1996).

    Args:
        recipes: of each part.
        values: (N, F) features.
        scores: (N,), rating points.
        folds: in so many parts the photos are divided.
        evenness: as `positive_weights`.
        seed: of the folds.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 2))
        >>> rule = RuleConfig(penalty=1.0)
        >>> recipes = {"a": PartRecipe(np.array([0]), rule), "b": PartRecipe(np.array([1]), rule)}
        >>> parts = fit_parts(recipes, x, 3 + 0.9 * x[:, 0] + 0.6 * x[:, 1], 3)
        >>> parts.weights.round(1).tolist(), round(float(parts.weights.sum()), 6)
        ([0.6, 0.4], 1.0)
    """
    fold = np.random.default_rng(seed).permutation(len(scores)) % folds
    expected = np.empty((len(scores), len(recipes)))
    for k in range(folds):
        for p, recipe in enumerate(recipes.values()):
            expected[fold == k, p] = _expect(recipe, values[fold != k], scores[fold != k])(values[fold == k])
    level, spread = expected.mean(0), np.maximum(expected.std(0), 1e-6)
    pull = positive_weights((expected - level) / spread, scores - scores.mean(), evenness)
    parts = {}
    for (name, recipe), middle, sd in zip(recipes.items(), level, spread, strict=True):
        final = _expect(recipe, values, scores)
        parts[name] = Part(recipe.columns, final.standardiser, final.rule, float(middle), float(sd))
    return Parts(parts, pull / pull.sum(), float(scores.mean()), float(pull.sum()))


def _expect(recipe: PartRecipe, values: Floats, scores: Floats) -> "_Expectation":
    standardiser = Standardiser.fit(values[:, recipe.columns])
    rule = fit_rule(recipe.rule, standardiser(values[:, recipe.columns]), scores)
    return _Expectation(recipe.columns, standardiser, rule)


@dataclass(frozen=True)
class _Expectation:
    """The rating that a part alone lets expect."""

    columns: NDArray[np.int64]
    standardiser: Standardiser
    rule: Any

    def __call__(self, values: Floats) -> Floats:
        return np.asarray(self.rule(self.standardiser(values[:, self.columns])))


def positive_weights(standings: Floats, scores: Floats, evenness: float = 0.0) -> Floats:
    """exp(t) for the t with which `standings @ exp(t)` has the least squared error: positive, and a softmax of t once
    they are divided by their sum.

    Args:
        standings: (N, P), of mean 0 and standard deviation 1.
        scores: (N,), of mean 0.
        evenness: penalty on the squared differences of the weights from their mean: parts that say the same share the
            weight, where without it the better one takes all.

    Returns:
        float64 (P,), rating points.
    """
    from scipy.optimize import minimize  # a part of training, and slow to import

    gram, target = standings.T @ standings / len(scores), standings.T @ scores / len(scores)

    def loss(t: Floats) -> tuple[float, Floats]:
        weights = np.exp(t)
        slope, apart = gram @ weights - target, weights - weights.mean()
        return float(weights @ (slope - target) + evenness * apart @ apart) / 2, (slope + evenness * apart) * weights

    start = np.full(standings.shape[1], np.log(max(float(scores.std()), 1e-6) / standings.shape[1]))
    bounds = [(-12.0, 5.0)] * len(start)
    return np.asarray(np.exp(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x), np.float64)


def distribution(parts: Parts, values: Floats, scores: Floats, scale: RatingScale) -> dict[str, dict[str, float]]:
    """Where sub-scores lie: whether they use the scale, or stick at its ends.

    Args:
        parts: that have not learnt from these faces.
        values: (N, F) features.
        scores: (N,), rating points.
        scale: of the ratings.

    Returns:
        By name `weight`, `pearson` with the score, `mean`, `sd`, `low` and `high` (5 % of faces lie below and above),
        `least`, `most`, and `beyond`, the share of faces outside the scale.
    """
    sub_scores = parts.scores(values)
    rows = {}
    for name, weight, column in zip(parts.parts, parts.weights, sub_scores.T, strict=True):
        low, high = np.quantile(column, [0.05, 0.95])
        row = {
            "weight": weight, "pearson": pearson(column, scores), "mean": column.mean(), "sd": column.std(),
            "low": low, "high": high, "least": column.min(), "most": column.max(),
            "beyond": ((column < scale.low) | (column > scale.high)).mean(),
        }  # fmt: skip
        rows[name] = {key: round(float(value), 4) for key, value in row.items()}
    return rows
