"""Scatter plots of a bench: the predictions of every rater against the labels, a panel each."""

import math
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.evaluation.bench_records import Part, Row
from beauty_evaluate.evaluation.bench_row import Place
from beauty_evaluate.evaluation.predictions import read_predictions
from beauty_evaluate.reporting.evaluation_plots import COLOURS

COLUMNS = 4  # panels side by side


def bench_scatter(path: Path, part: Part, data: DataSet, folder: Path) -> None:
    """Predicted against true scores, a panel for each rater, coloured by the first group column.

    Args:
        path: Of the PNG file.
        part: The bench on one data set.
        data: The data set.
        folder: Of the bench, in which the predictions lie.
    """
    columns = min(COLUMNS, len(part.rows))
    lines = math.ceil(len(part.rows) / columns)
    figure = Figure(figsize=(3.1 * columns, 3.2 * lines + 0.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(lines, columns)).ravel()
    labels: dict[str, Artist] = {}
    for axes, row in zip(panels, part.rows, strict=False):
        scores = read_predictions(Place.of(folder, row.rater, data, part.split).predictions)
        labels |= _panel(axes, row, data, scores)
    for axes in panels[len(part.rows) :]:
        axes.set_axis_off()
    figure.supxlabel("mean of the raters")
    figure.supylabel("predicted")
    if len(labels) > 1:
        figure.legend(labels.values(), labels.keys(), loc="outside upper center", ncols=len(labels), markerscale=2)
    figure.savefig(path, dpi=110)


def _panel(axes: Axes, row: Row, data: DataSet, scores: dict[str, float]) -> dict[str, Artist]:
    """Draw one rater. Returns what stands for each group in the legend."""
    names = np.array(list(scores))
    column = data.group_columns[0] if data.group_columns else ""
    groups = np.array([data.samples[name].groups.get(column, "") for name in names])
    true, predicted = np.array([data.samples[name].score for name in names]), np.array(list(scores.values()))
    drawn: dict[str, Artist] = {}
    for i, group in enumerate(sorted(set(groups.tolist()))):
        of_group = groups == group
        colour = COLOURS[i % len(COLOURS)]
        title = data.group_title(group)
        drawn[title] = axes.scatter(true[of_group], predicted[of_group], s=5, alpha=0.6, color=colour)
    if row.on_scale:
        limits = (data.scale.low, data.scale.high)
        axes.plot(limits, limits, color="grey", linewidth=0.8)
    pc = "" if row.pearson is None else f"\nPC {row.pearson:.3f}"
    axes.set_title(_shortened(row.rater) + pc, fontsize=9)
    return drawn


def _shortened(name: str, length: int = 34) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
