"""Tables of what a network says of photos: scores, and what was measured on the way. No labels, which are not ours."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.evaluate import Evaluation, Floats, trained_on
from beauty_evaluate.raters.card import Card

FIXED = ("data_set", "file", "score")  # columns of a table of held-out photos; the others are measurements


def write_predictions(path: Path, evaluation: Evaluation) -> None:
    """Write file name and score of each photo as CSV, on the data set's scale."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "score"))
        writer.writerows((n, f"{p:.4f}") for n, p in zip(evaluation.names, evaluation.predicted, strict=True))


def read_predictions(path: Path) -> dict[str, float]:
    """The scores of `write_predictions` by file name. Raises DataError."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {row["file"]: float(row["score"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is not a table of file names and scores ({error}). Restore it.") from error


@dataclass(frozen=True)
class HeldOut:
    """Photos that a network has not learnt from, as it rates them; of one data set or several.

    Attributes:
        card: Of the network.
        data_sets: (N,) the title of each photo's data set.
        names: (N,) photos.
        predicted: float64 (N,), on the network's scale.
        measured: As `Ratings.measured`, (N,) each; empty where nothing was kept.
    """

    card: Card
    data_sets: tuple[str, ...]
    names: tuple[str, ...]
    predicted: Floats
    measured: dict[str, Floats]


def held_out_path(card: Path) -> Path:
    """Where the table of a card's held-out photos lies: beside it.

    Example:
        >>> held_out_path(Path("cv/six_block_fold1.json")).name
        'six_block_fold1_held_out.csv'
    """
    return card.with_name(f"{card.stem}_held_out.csv")


def write_held_out(path: Path, card: Card, evaluations: Sequence[Evaluation]) -> None:
    """Write score and measurements of the photos of some evaluations as CSV; photos without a score are left out.

    Args:
        path: Of the table; see `held_out_path`.
        card: Of the network, which has learnt from each of the data sets, but not from these photos.
        evaluations: One for each data set.
    """
    columns = sorted({key for evaluation in evaluations for key in evaluation.measured})
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*FIXED, *columns))
        for evaluation in evaluations:
            part, missed = trained_on(card, evaluation.data), set(evaluation.missed)
            for i, name in enumerate(evaluation.names):
                if part and name not in missed:
                    score = part.map.apply(evaluation.predicted[i])
                    values = (_cell(evaluation.measured, key, i) for key in columns)
                    writer.writerow((evaluation.data.title, name, f"{score:.4f}", *values))


def _cell(measured: Mapping[str, NDArray[np.float64]], key: str, i: int) -> str:
    return f"{measured[key][i]:.5g}" if key in measured and np.isfinite(measured[key][i]) else ""


def read_held_out(card: Card) -> HeldOut:
    """The held-out photos of a network, from the table beside its card; without one, from its predictions on the first
    data set, of which nothing was measured. Raises DataError."""
    path = held_out_path(card.path)
    if not path.is_file():
        scores = read_predictions(card.path.with_suffix(".csv"))
        predicted = card.trained_on[0].map.apply(np.array(list(scores.values())))
        return HeldOut(card, (card.data,) * len(scores), tuple(scores), predicted, {})
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        columns = [column for column in (rows[0] if rows else {}) if column not in FIXED]
        measured = {key: np.array([float(row[key] or "nan") for row in rows]) for key in columns}
        sets, names = (tuple(row[key] for row in rows) for key in ("data_set", "file"))
        return HeldOut(card, sets, names, np.array([float(row["score"]) for row in rows]), measured)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is not a table of held-out photos ({error}). Restore it.") from error
