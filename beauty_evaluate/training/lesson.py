"""What a rater of any family but the network learns from, and what its training leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RaterConfig, RatingScale
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.raters.card import TrainedOn
from beauty_evaluate.training.checkpoint import Progress


@dataclass(frozen=True)
class Lesson:
    """What to learn from.

    Attributes:
        config: the recipe.
        name: of the card, and the first part of the artifacts' names.
        scale: of the scores.
        samples: the N photos of all training parts, with scores on `scale`.
        keys: a hash of each photo's data set and name, for caches of features.
        held_back: bool (N,), a seeded tenth. Whatever is chosen is chosen on it.
        folder: for artifacts.
        resume: go on from what an interrupted run left in the folder.
        say: called with lines for a person.
    """

    config: RaterConfig
    name: str
    scale: RatingScale
    samples: tuple[Sample, ...]
    keys: tuple[str, ...]
    held_back: NDArray[np.bool_]
    folder: Path
    resume: bool
    say: Callable[[str], None]


@dataclass(frozen=True)
class Learnt:
    """What was learnt.

    Attributes:
        config: the recipe, completed by what was learnt where that is a number or two.
        names: of the samples learnt from, those held back included.
        artifacts: files in the lesson's folder by what they are, such as "head".
        problems: why other samples were not learnt from.
        parameters: numbers that were learnt, or loaded.
        history: of each epoch, where there are epochs.
        started_from: what was learnt elsewhere, such as the name of a backbone and its data.
        learnt_before: what a rater of ours that this one is made of has learnt from.
    """

    config: RaterConfig
    names: tuple[str, ...]
    artifacts: dict[str, Path]
    problems: tuple[Problem, ...] = ()
    parameters: int = 0
    history: tuple[Progress, ...] = ()
    started_from: str = ""
    learnt_before: tuple[TrainedOn, ...] = ()


Fit = Callable[[Lesson], Learnt]


@dataclass(frozen=True)
class FamilyTraining:
    """How the raters of a family learn, and their recipes by name."""

    fit: Fit
    presets: dict[str, RaterConfig]
