"""Scores of a whole test part against its labels."""

import csv
import math
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.config import Config
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.datasets.pipeline import load_crops
from beauty_evaluate.errors import DataError
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.runtime import PredictFn, predict


@dataclass(frozen=True)
class Evaluation:
    """Predicted and true scores, float64 (N,), of every sample asked for.

    constant: the training mean, which also stands in for `missed` photos, which cannot be read or show no face.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    predicted: NDArray[np.float64]
    true: NDArray[np.float64]
    constant: float
    missed: tuple[str, ...]
    problems: tuple[str, ...]  # why each of them was missed

    def figures(self) -> dict[str, dict[str, float | None]]:
        """Metrics for all, for each group, and for the constant baseline; None where a figure does not exist."""
        rows = {"all": metrics.summary(self.predicted, self.true)}
        for group in sorted(set(self.groups)):
            own = np.array([g == group for g in self.groups])
            rows[group] = metrics.summary(self.predicted[own], self.true[own])
        rows["constant"] = metrics.summary(np.full_like(self.true, self.constant), self.true)
        return {name: {k: _number(v) for k, v in row.items()} for name, row in rows.items()}

    def without(self, names: Set[str]) -> dict[str, float] | None:
        """Metrics without the photos of these names; None if no other is left."""
        keep = np.array([name not in names for name in self.names])
        return metrics.summary(self.predicted[keep], self.true[keep]) if keep.any() else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def evaluate(
    forward: PredictFn,
    config: Config,
    samples: Sequence[Sample],
    constant: float,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Score every sample on crops that the detector makes from its photo. DataError if there are none."""
    if not samples:
        raise DataError("Expected photos to evaluate on. Received: none.")
    crops = load_crops(samples, config.crop, progress=progress)
    found = dict(zip(crops.names, predict(forward, crops.centre, config.flip_tta), strict=True)) if crops.names else {}
    return Evaluation(
        tuple(s.name for s in samples),
        tuple(s.group for s in samples),
        np.array([found.get(s.name, constant) for s in samples], np.float64),
        np.array([s.score for s in samples], np.float64),
        constant,
        tuple(s.name for s in samples if s.name not in found),
        tuple(map(str, crops.problems)),
    )


def assert_no_leakage(card: Card, names: Iterable[str]) -> None:
    """DataError if the network has learnt from one of these photos."""
    known = sorted(set(card.trained_on).intersection(names))
    if known:
        raise DataError(
            f"Expected photos that {card.name} has not learnt from. Received: {len(known)} that it has, {known[0]} the "
            "first; choose the split it was made for."
        )


def write_predictions(path: Path, evaluation: Evaluation) -> None:
    """File name and score of each photo; no labels, which are not ours to give."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "score"))
        writer.writerows((n, f"{p:.4f}") for n, p in zip(evaluation.names, evaluation.predicted, strict=True))
