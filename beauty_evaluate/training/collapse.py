"""The fault that a low loss hides: everyone gets the mean."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.metrics import summary
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.job import line_of

LEAST_SHARE = 0.3  # of the labels' SD, below which predictions hardly differ

Array = NDArray[np.floating]


def figures(predicted: Array, true: Array) -> dict[str, float]:
    """As `metrics.summary`, with `sd` of the predictions and `labels_sd`, rating points.

    Example:
        >>> figures(np.array([3.0, 3.1]), np.array([1.0, 5.0]))["labels_sd"]
        2.0
    """
    return {**summary(predicted, true), "sd": float(np.std(predicted)), "labels_sd": float(np.std(true))}


def line(progress: Progress) -> str:
    """A line on an epoch for a person: loss, PC and SD of the predictions side by side."""
    sds = "; SD of predictions {sd:.3f}, of labels {labels_sd:.3f}".format(**progress.validation)
    return line_of(progress) + sds


def warn_of_collapse(held_out: dict[str, float], say: Callable[[str], None]) -> bool:
    """Say so where predictions hardly differ.

    Args:
        held_out: `figures` of photos held back.
        say: called with the warning.

    Returns:
        Whether there was one.

    Example:
        >>> warn_of_collapse(figures(np.array([3.0, 3.1]), np.array([1.0, 5.0])), print)
        warning: the scores hardly differ: their SD is 0.050, that of the labels 2.000, PC 1.000. ...
        True
    """
    sd, labels_sd, pearson = (held_out[key] for key in ("sd", "labels_sd", "pearson"))
    if sd >= LEAST_SHARE * labels_sd:
        return False
    say(
        f"warning: the scores hardly differ: their SD is {sd:.3f}, that of the labels {labels_sd:.3f}, "
        f"PC {pearson:.3f}. The loss alone does not show it. Train longer, with a higher rate or another backbone."
    )
    return True
