"""The one look at a test part that a training or a pruning takes, and its line in the log."""

import re
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.datasets.mixture import Mixture
from beauty_evaluate.evaluation.evaluate import Evaluation, evaluate
from beauty_evaluate.evaluation.looks import log_look
from beauty_evaluate.evaluation.predictions import held_out_path, write_held_out, write_predictions
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.training.provenance import head_commit


def evaluate_on_test(rater: Rater, mixture: Mixture, out: Path) -> dict[str, Evaluation]:
    """Rate the test part of every data set, write the predictions, and log that they were looked at. Beside the card,
    a table with what was measured of these photos is left, from which intervals can be calibrated.

    Args:
        rater: the finished one.
        mixture: whose test parts.
        out: folder of the run.

    Returns:
        An evaluation by the title of each data set that has a test part.
    """
    evaluations = {part.title: evaluate(rater, part.data, part.split.test) for part in mixture.parts if part.split.test}
    for part in mixture.parts:
        if part.split.test:
            log_look(out, part.title, f"{part.split.name} test", len(part.split.test), head_commit())
    for title, evaluation in evaluations.items():
        write_predictions(predictions_path(out, list(evaluations), title), evaluation)
    if evaluations:
        write_held_out(held_out_path(rater.card.path), rater.card, list(evaluations.values()))
    return evaluations


def predictions_path(out: Path, titles: Sequence[str], title: str | None = None) -> Path:
    """Where the predictions of a data set's test part stand.

    Args:
        out: folder of the run.
        titles: of all data sets with a test part.
        title: of one of them; None: the first.

    Example:
        >>> predictions_path(Path("runs"), ["SCUT-FBP5500", "my set"], "my set").name
        'predictions_my_set.csv'
    """
    suffix = "" if len(titles) == 1 else "_" + re.sub(r"[^\w.-]+", "_", title or titles[0])
    return out / f"predictions{suffix}.csv"
