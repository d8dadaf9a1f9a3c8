"""Pictures of a data set: scores, sample photos, and single ratings."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.evaluation.data_summary import RatingsSummary, draw_by_lot, grouped
from beauty_evaluate.images import Picture
from beauty_evaluate.reporting.evaluation_plots import BINS, BLUE, COLOURS, ORANGE

CROP = CropConfig(size=128)
SIDE, GAP, DPI = 96, 28, 130  # pixels of a sample photo, between groups, of an inch
SHEET_PHOTOS = 24  # across a sheet of samples, shared by its groups
FACES_ACROSS = 6
GREY = "#d9d9d9"


def score_histogram(path: Path, data: DataSet) -> None:
    """How many photos have each score, a panel for each group column."""
    columns: Sequence[str | None] = data.group_columns or (None,)
    figure = Figure(figsize=(8, 0.6 + 2.7 * len(columns)), layout="constrained")
    bins = np.linspace(data.scale.low, data.scale.high, BINS + 1).tolist()
    for axes, column in zip(np.atleast_1d(figure.subplots(len(columns), sharex=True)), columns, strict=True):
        groups = grouped(data, column) if column else {"": list(data.samples.values())}
        titles = [data.group_title(value) or (column and "unknown") or "all" for value in sorted(groups)]
        scores = [[sample.score for sample in groups[value]] for value in sorted(groups)]
        colours = [COLOURS[i % len(COLOURS)] for i in range(len(scores))]
        axes.hist(scores, bins, stacked=True, label=titles, color=colours)
        for level in data.scale.levels[:-1]:
            axes.axvline(level + 0.5, color="grey", linestyle=":", linewidth=0.8)
        axes.set_ylabel("photos")
        axes.spines[["top", "right"]].set_visible(False)
        if len(titles) > 1:
            axes.legend(title=column if column != "group" else None, fontsize=8, title_fontsize=8, frameon=False)
    axes.set_xlabel(f"mean score (dotted: borders between the levels of {data.scale})")
    figure.suptitle(f"{data.title}: {len(data.samples)} photos", fontsize=11)
    figure.savefig(path, dpi=120)


def sample_sheets(out: Path, data: DataSet, seed: int) -> list[Path]:
    """A sheet of photos drawn by lot for each group column: levels are rows, groups are columns."""
    columns: Sequence[str | None] = data.group_columns or (None,)
    paths = []
    for column in columns:
        path = out / (f"samples_{column}.png" if len(columns) > 1 else "samples.png")
        _sample_sheet(path, data, column, seed)
        paths.append(path)
    return paths


def _sample_sheet(path: Path, data: DataSet, column: str | None, seed: int) -> None:
    groups = sorted({group for _, group in draw_by_lot(data, column, 1)})
    drawn = draw_by_lot(data, column, min(8, max(2, SHEET_PHOTOS // max(1, len(groups)))), seed)
    sheet, levels, middles = _photo_grid(drawn, groups)
    height, width = sheet.shape[:2]
    inches = (0.9 + width / DPI, 0.7 + height / DPI)
    figure = Figure(figsize=inches)
    axes = figure.add_axes((0.8 / inches[0], 0.1 / inches[1], width / DPI / inches[0], height / DPI / inches[1]))
    axes.imshow(sheet, interpolation="nearest")
    axes.set(xticks=[], yticks=[SIDE / 2 + i * (SIDE + 4) for i in range(len(levels))])
    axes.set_yticklabels([f"level {level}" for level in levels], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for middle, group in zip(middles, groups, strict=True):
        axes.text(middle, -10, data.group_title(group), ha="center", va="bottom", fontsize=9)
    figure.text(0.1 / inches[0], 1 - 0.22 / inches[1], f"{data.title}: photos drawn by lot", fontsize=10, weight="bold")
    figure.savefig(path, dpi=DPI)


def _photo_grid(
    drawn: dict[tuple[int, str], list[Sample]], groups: Sequence[str]
) -> tuple[Picture, list[int], list[float]]:
    """The photos in one picture, its levels from the top, and where the middle of each group lies."""
    levels = sorted({level for level, _ in drawn}, reverse=True)
    wide = max((len(samples) for samples in drawn.values()), default=1) * SIDE
    sheet = np.full((len(levels) * (SIDE + 4), len(groups) * (wide + GAP), 3), 255, np.uint8)
    crops = _crops([sample for samples in drawn.values() for sample in samples])
    for (level, group), samples in drawn.items():
        top, left = levels.index(level) * (SIDE + 4), groups.index(group) * (wide + GAP)
        for i, sample in enumerate(samples):
            x = left + i * SIDE
            small = cv2.resize(crops[sample.name], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            sheet[top : top + SIDE, x : x + SIDE] = small
    return sheet, levels, [i * (wide + GAP) + wide / 2 for i in range(len(groups))]


def _crops(samples: Sequence[Sample]) -> dict[str, Picture]:
    """The face of each sample by name, uint8 (128, 128, 3); a grey square where there is none."""
    loaded = load_crops(list({sample.name: sample for sample in samples}.values()), CROP)
    crops = {sample.name: np.full((CROP.size, CROP.size, 3), 217, np.uint8) for sample in samples}
    return crops | dict(zip(loaded.names, loaded.pixels, strict=True))


def ratings_figure(path: Path, data: DataSet, summary: RatingsSummary) -> None:
    """The SD of each face by group and against its mean, and how far each rater agrees with the others."""
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    boxes, cloud, agreement = figure.subplots(1, 3)
    groups = {title: sd[~np.isnan(sd)] for title, sd in summary.sd_by_group.items()} or {"all": summary.sheet.sd()}
    groups = {title: sd for title, sd in groups.items() if len(sd)}
    places = list(range(len(groups), 0, -1))
    boxes.boxplot(
        list(groups.values()), orientation="horizontal", positions=places, widths=0.6, medianprops={"color": ORANGE}
    )
    boxes.set_yticks(places, [f"{title} ({len(sd)})" for title, sd in groups.items()])
    boxes.set(xlabel="SD of the ratings of one face, points", title="How far raters differ over a face, by group")
    cloud.scatter(summary.sheet.mean(), summary.sheet.sd(), s=12, alpha=0.6, color=BLUE)
    cloud.set(xlabel="mean rating of the face", ylabel="SD, points", xlim=(data.scale.low, data.scale.high))
    cloud.set_title("SD and mean of each face")
    judged = summary.agreement[~np.isnan(summary.agreement)]
    agreement.hist(judged, BINS, color=BLUE)
    agreement.axvline(summary.one_rater_pc, color=ORANGE, linewidth=2)
    place, text = agreement.get_xaxis_transform(), f"mean {summary.one_rater_pc:.3f}"
    agreement.text(
        summary.one_rater_pc, 1.01, text, transform=place, ha="center", va="bottom", fontsize=8, color="#8a5f00"
    )
    agreement.set(xlabel="PC of one rater with the mean of the others", ylabel="raters")
    agreement.set_title(f"{len(judged)} raters", pad=16)
    for axes in (boxes, cloud, agreement):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def faces_figure(path: Path, data: DataSet, summary: RatingsSummary, seed: int) -> None:
    """Faces with the histograms of their ratings: drawn by lot from low to high, most agreed on, least agreed on."""
    sheet = summary.sheet
    rated = {face: i for i, face in enumerate(sheet.faces) if face in data.samples}
    order = [
        face for face in sorted(rated, key=lambda face: sheet.sd()[rated[face]]) if sheet.counts()[rated[face]] > 1
    ]
    parts = np.array_split(sorted(rated, key=lambda face: sheet.mean()[rated[face]]), min(FACES_ACROSS, len(rated)))
    rng = np.random.default_rng(seed)
    lot = [str(part[rng.integers(len(part))]) for part in parts]
    rows = {
        "Drawn by lot, one of each sixth from low to high": lot,
        "The faces that raters agree on most": order[:FACES_ACROSS],
        "The faces that raters agree on least": order[-FACES_ACROSS:][::-1],
    }
    crops = _crops([data.samples[face] for faces in rows.values() for face in faces])
    figure = Figure(figsize=(2.05 * FACES_ACROSS, 3.35 * len(rows)), layout="constrained")
    for part, (title, faces) in zip(
        np.atleast_1d(np.asarray(figure.subfigures(len(rows), 1))), rows.items(), strict=True
    ):
        part.suptitle(title, fontsize=10, weight="bold", x=0.01, ha="left")
        _face_row(part, [(crops[face], rated[face]) for face in faces], summary)
    figure.savefig(path, dpi=110)


def _face_row(part: SubFigure, faces: Sequence[tuple[Picture, int]], summary: RatingsSummary) -> None:
    """A row of faces, each over its histogram."""
    sheet = summary.sheet
    histogram = sheet.histogram() / np.maximum(sheet.counts(), 1)[:, None]
    axes = part.subplots(2, FACES_ACROSS, height_ratios=(3, 1.3), squeeze=False)
    top = max((histogram[i].max() for _, i in faces), default=1)
    for column in range(FACES_ACROSS):
        photo, bars = axes[:, column]
        photo.set_axis_off()
        if column >= len(faces):
            bars.set_axis_off()
            continue
        crop, i = faces[column]
        photo.imshow(crop)
        photo.set_title(f"mean {sheet.mean()[i]:.2f}, mode {sheet.mode()[i]}, SD {sheet.sd()[i]:.2f}", fontsize=7.5)
        _bars(bars, list(sheet.scale.levels), histogram[i].tolist(), top)
        if column == 0:
            bars.set_ylabel("raters", fontsize=7)


def _bars(axes: Axes, levels: Sequence[int], shares: Sequence[float], top: float) -> None:
    mode = int(np.argmax(shares))
    axes.bar(levels, shares, color=[BLUE if i == mode else GREY for i in range(len(levels))], width=0.85)
    axes.set(xticks=list(levels), yticks=[0, top], ylim=(0, top * 1.05))
    axes.set_yticklabels(["0", f"{top:.0%}"], fontsize=7)
    axes.tick_params(axis="x", labelsize=7, length=0)
    axes.spines[["top", "right"]].set_visible(False)
