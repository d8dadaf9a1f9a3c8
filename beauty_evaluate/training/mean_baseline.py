"""Learning a mean."""

from dataclasses import replace

import numpy as np

from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.training.lesson import Learnt, Lesson


def fit(lesson: Lesson) -> Learnt:
    """The mean score of all training photos; nothing is looked at."""
    assert isinstance(lesson.config, MeanBaselineConfig)
    config = replace(lesson.config, mean=float(np.mean([sample.score for sample in lesson.samples])))
    return Learnt(config, tuple(sample.name for sample in lesson.samples), {}, parameters=1)
