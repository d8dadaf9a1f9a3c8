"""When, from what and by which code something was made, for cards and logs."""

import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from beauty_evaluate.datasets.mixture import Mixture, Part, run_name, split_label
from beauty_evaluate.datasets.splits import ALL
from beauty_evaluate.errors import DataError
from beauty_evaluate.raters.card import TrainedOn, photo_hash


def utc_now() -> str:
    """Date and time.

    Example:
        >>> utc_now()[-1]
        'Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def head_commit() -> str:
    """The commit the code stands at, `+` if it was changed since; empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        result = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False, env=environment
        )
    except OSError:
        return ""
    return result.stdout.strip()


def card_name(preset: str, mixture: Mixture) -> str:
    """What the card of a training is called: the recipe, and the split unless that is all there is."""
    label = split_label([part.data for part in mixture.parts], [part.split.name for part in mixture.parts])
    return preset if label == ALL else run_name(preset, label)


def learnt_from(mixture: Mixture, part: Part, learnt: Iterable[str]) -> TrainedOn:
    """What was learnt from one data set of a mixture.

    Args:
        mixture: of all sets.
        part: the set.
        learnt: names, in the mixture, of the samples learnt from, of any set.

    Returns:
        The photos as hashes, and figures of their scores.

    Raises:
        DataError: none is of this set.
    """
    names, wanted = part.split.train, set(learnt)
    samples = zip(mixture.samples(part, names), names, strict=True)
    kept = [(sample.score, name) for sample, name in samples if sample.name in wanted]
    if not kept:
        raise DataError(f"There is nothing to learn from in {part.title}: no photo shows a face that was found.")
    scores = np.array([score for score, _ in kept])
    statistics = {"mean": scores.mean(), "sd": scores.std(), "min": scores.min(), "max": scores.max()}
    labels = {"n": float(len(scores)), **{key: float(value) for key, value in statistics.items()}}
    photos = sorted(photo_hash(part.data.title, name) for _, name in kept)
    data = part.data
    return TrainedOn(data.title, part.split.name, data.scale, part.map, labels, tuple(photos), data.people)
