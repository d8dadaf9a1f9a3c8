"""Learning of the family `geometry`: one rule on all features of a face."""

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.faces import features
from beauty_evaluate.raters.geometry import GeometryConfig, RuleConfig
from beauty_evaluate.raters.regressors import Regressor, Standardiser
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.measuring import figures_line, geometry_of, measure_lesson, write_arrays
from beauty_evaluate.training.rules import fit_rule

PRESETS: dict[str, GeometryConfig] = {
    f"geometry_{rule.kind}": GeometryConfig(f"geometry_{rule.kind}", rule=rule)
    for rule in (RuleConfig("ridge"), RuleConfig("boosting"), RuleConfig("mlp"))
}


def fit(lesson: Lesson) -> Learnt:
    """Learn from nine tenths and say what the tenth held back gets, then learn from all.

    Raises:
        ConfigError: scikit-learn is not there, and the rule needs it.
        DataError: too few photos show a face.
    """
    config = lesson.config
    assert isinstance(config, GeometryConfig)
    measured = measure_lesson(lesson, config.crop, geometry_of(config.crop))
    held = measured.held_back
    standardiser, rule = _learn(config.rule, measured.values[~held], measured.scores[~held])
    lesson.say(figures_line(rule(standardiser(measured.values[held])), measured))
    standardiser, rule = _learn(config.rule, measured.values, measured.scores)
    arrays = {"names": np.array(features.NAMES), "mean": standardiser.mean, "sd": standardiser.sd, **rule.arrays()}
    path = write_arrays(lesson.folder / f"{lesson.name}.rule.npz", arrays)
    return Learnt(config, measured.names, {"rule": path}, measured.problems, numbers_of(rule))


def _learn(
    rule: RuleConfig, values: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[Standardiser, Regressor]:
    standardiser = Standardiser.fit(values)
    return standardiser, fit_rule(rule, standardiser(values), scores)


def numbers_of(rule: Regressor) -> int:
    """How many numbers a rule has.

    Example:
        >>> from beauty_evaluate.raters.regressors import Dense
        >>> numbers_of(Dense((np.zeros((3, 1)),), (np.zeros(1),)))
        4
    """
    return sum(array.size for array in rule.arrays().values())
