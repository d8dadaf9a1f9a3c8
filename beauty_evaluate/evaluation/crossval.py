"""A cross-validation in numbers, from what its folds left: cards, predictions, and the data set's labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.duplicates import Pair
from beauty_evaluate.evaluation.evaluate import Evaluation, assert_no_leakage, trained_on
from beauty_evaluate.evaluation.interval import KNOTS, calibrate
from beauty_evaluate.evaluation.predictions import read_predictions
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card

ROUNDING = 1e-4  # by which the PC of predictions with four decimals may differ from the card's
MIN_PHOTOS = 100  # of a fold, below which an interval is not worth calibrating


@dataclass(frozen=True)
class Fold:
    """A finished fold.

    Attributes:
        card: Of its network.
        evaluation: Its predictions beside the labels.
        single: Those of the crop alone, without its mirror image, where they were kept.
    """

    card: Card
    evaluation: Evaluation
    single: Evaluation | None = None

    @property
    def learnt(self) -> int:
        """How many photos its network has learnt from."""
        return sum(len(part.photos) for part in self.card.trained_on)

    def copies(self, pairs: Sequence[Pair]) -> dict[str, str]:
        """Test photos of which the training part holds a copy, each with the copy."""
        title, tested = self.evaluation.data.title, set(self.evaluation.names)
        others = {name for pair in pairs for name in (pair.first, pair.second)} - tested
        learnt = set(self.card.knows(title, others))
        both = [(a, b) for pair in pairs for a, b in ((pair.first, pair.second), (pair.second, pair.first))]
        return {a: b for a, b in both if a in tested and b in learnt}


def read_folds(folder: Path, data: DataSet) -> list[Fold]:
    """The finished folds in a folder, in the order of the data set's.

    Args:
        folder: With a card `NAME_FOLD.json` and its predictions `NAME_FOLD.csv` for each.
        data: The data set, which has official folds.

    Raises:
        DataError: There is none; predictions are not of the fold's test photos or not those of its card; a network has
            learnt from one of these; recipes differ.
    """
    if not data.folds:
        raise DataError(f"{data.title} has no official folds. Evaluate on one of {', '.join(data.split_names)}.")
    paths = [path for fold in data.folds for path in sorted(folder.glob(f"*_{fold}.json"))]
    folds = [_read_fold(path, data) for path in paths]
    if not folds:
        raise DataError(f"There are no cards of folds in {folder}. Train them with --split cv.")
    if len({fold.card.config for fold in folds}) != 1:
        raise DataError(f"The folds in {folder} are of several recipes. Keep each recipe in a folder of its own.")
    return folds


def _read_fold(path: Path, data: DataSet) -> Fold:
    card, name = registry.load_card(str(path)), path.stem.rsplit("_", 1)[-1]
    test = data.split(name).test
    assert_no_leakage(card, data, test)
    evaluation = _predictions(path.with_suffix(".csv"), card, data, test)
    written, here = (rows["all"]["pearson"] for rows in (card.metrics[data.title], evaluation.metrics()))
    if card.split != name or written is None or here is None or abs(written - here) > ROUNDING:
        raise DataError(
            f"{path.stem}.csv gives a PC of {here}, and its card says {written} for {card.split}. Restore both of "
            f"{name} together."
        )
    single = path.with_name(f"{path.stem}_single.csv")
    return Fold(card, evaluation, _predictions(single, card, data, test) if single.exists() else None)


def _predictions(path: Path, card: Card, data: DataSet, test: tuple[str, ...]) -> Evaluation:
    part = trained_on(card, data)
    if part is None:
        raise DataError(f"{card.name} has not learnt from {data.title}. Name its own data set with --data.")
    scores = read_predictions(path)
    if tuple(sorted(scores)) != test:
        raise DataError(f"{path.name} does not hold the {len(test)} test photos of {card.split}. Restore it.")
    baseline = (part.labels["mean"] - part.map.offset) / part.map.slope
    return Evaluation(data, test, np.array([scores[name] for name in test]), baseline)


def pooled(folds: Sequence[Fold]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The held-out scores of all folds and their labels, float64 (N,) each."""
    evaluations = [fold.evaluation for fold in folds]
    return np.concatenate([e.predicted for e in evaluations]), np.concatenate([e.true for e in evaluations])


def pc_interval(folds: Sequence[Fold]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean of the folds' PCs, over the photos of each fold."""
    parts = np.repeat(np.arange(len(folds)), [len(fold.evaluation.names) for fold in folds])
    return metrics.bootstrap_pearson(*pooled(folds), parts=parts)


@dataclass(frozen=True)
class Coverage:
    """Which labels lie in an interval that was calibrated without their fold.

    Attributes:
        by_score: bool (N,), with a width that depends on the score.
        one_width: bool (N,), with one width for all.
        half_width: Mean half width of the first, rating points.
    """

    by_score: NDArray[np.bool_]
    one_width: NDArray[np.bool_]
    half_width: float


def coverage(folds: Sequence[Fold]) -> Coverage:
    """The intervals calibrated on all folds but one and checked on that one, in turn; photos in the order of folds."""
    inside: dict[int, list[NDArray[np.bool_]]] = {KNOTS: [], 1: []}
    widths = []
    for fold in folds:
        scores, labels = pooled([other for other in folds if other is not fold])
        checked = fold.evaluation
        for knots, parts in inside.items():
            interval = calibrate(scores, labels, knots=knots)
            half_width = interval.at(checked.predicted)
            parts.append(np.abs(checked.true - checked.predicted) <= half_width)
            if knots == KNOTS:
                widths.append(half_width)
    by_score, one_width = (np.concatenate(parts) for parts in inside.values())
    return Coverage(by_score, one_width, float(np.concatenate(widths).mean()))
