"""Pictures of an evaluation: predicted against true scores, their histograms, calibration."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beauty_evaluate.config import RatingScale
from beauty_evaluate.evaluation.crossval import Fold, pooled
from beauty_evaluate.evaluation.evaluate import Evaluation

BLUE, ORANGE = "#0072b2", "#e69f00"
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#f0e442")  # Okabe and Ito
BINS = 40  # of a histogram, over the whole scale
PARTS = 10  # equal parts of the scores in a picture of calibration


def scatter(path: Path, evaluation: Evaluation) -> None:
    """Predicted against true scores, coloured by the first group column."""
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    axes = figure.subplots()
    data = evaluation.data
    rows = {name: photos for name, photos in evaluation.rows().items() if name != "all"} if data.group_columns else {}
    first = set(evaluation.groups(data.group_columns[0])) if data.group_columns else set()
    rows = {name: photos for name, photos in rows.items() if name in first} or {"": evaluation.rows()["all"]}
    for i, (name, photos) in enumerate(rows.items()):
        true, predicted, colour = evaluation.true[photos], evaluation.predicted[photos], COLOURS[i % len(COLOURS)]
        axes.scatter(true, predicted, s=6, alpha=0.6, color=colour, label=data.group_title(name))
    axes.set(xlabel="mean of the raters", ylabel="predicted", title="Predicted against true")
    if evaluation.on_scale:
        _diagonal(axes, data.scale)
    if "" not in rows:
        axes.legend(markerscale=2)
    figure.savefig(path, dpi=120)


def histograms(path: Path, evaluation: Evaluation) -> None:
    """How often each score was given, by the raters and by the rater evaluated."""
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(evaluation.data.scale.low, evaluation.data.scale.high, BINS + 1).tolist()
    axes.hist(evaluation.true, bins, alpha=0.6, color=BLUE, label="mean of the raters")
    axes.hist(evaluation.predicted, bins, alpha=0.6, color=ORANGE, label="predicted")
    axes.set(xlabel="score", ylabel="photos", title="Scores given")
    axes.legend()
    figure.savefig(path, dpi=120)


def calibration(path: Path, folds: Sequence[Fold]) -> None:
    """Held-out scores in ten equal parts: the mean label of each, and between which labels nine tenths of it lie."""
    predicted, true = pooled(folds)
    parts = np.array_split(np.argsort(predicted), min(PARTS, len(predicted)))
    given = [predicted[part].mean() for part in parts]
    low, high = np.array([np.quantile(true[part], [0.05, 0.95]) for part in parts]).T
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(given, low, high, color=BLUE, alpha=0.2, label="nine tenths of the labels")
    axes.plot(given, [true[part].mean() for part in parts], "o-", color=BLUE, label="mean label")
    axes.set(xlabel="predicted score", ylabel="mean of the raters")
    _diagonal(axes, folds[0].evaluation.data.scale, "score = label")
    axes.set_title(f"{len(true)} photos, each held out of its network")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=100)


def _diagonal(axes: Axes, scale: RatingScale, label: str | None = None) -> None:
    """The line of perfect scores, and both axes over the whole scale."""
    ends = (scale.low, scale.high)
    axes.plot(ends, ends, color="black", linewidth=0.8, label=label)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
