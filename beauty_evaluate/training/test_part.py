"""The one look at a test part that a training or a pruning takes, and its line in the log."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.datasets.mixture import Mixture, Part
from beauty_evaluate.evaluation.evaluate import Evaluation, evaluate, write_predictions
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.training.provenance import head_commit, utc_now


def evaluate_on_test(rater: Rater, mixture: Mixture, out: Path) -> dict[str, Evaluation]:
    """Rate the test part of every data set, write the predictions, and log that they were looked at.

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
            _log_look(out, part)
    for title, evaluation in evaluations.items():
        write_predictions(predictions_path(out, list(evaluations), title), evaluation)
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


def _log_look(out: Path, part: Part) -> None:
    """A line that says that a test part was looked at."""
    look = {
        "time": utc_now(),
        "list": f"{part.split.name} test",
        "data_set": part.title,
        "photos": len(part.split.test),
        "commit": head_commit(),
    }
    with open(out / "looks.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(look) + "\n")
