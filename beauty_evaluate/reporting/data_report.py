"""What a data set holds: scores, levels, groups, faults, sample photos."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig, cores
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.pipeline import load_crops
from beauty_evaluate.errors import PhotoError

PER_CELL = 6


def level(score: float) -> int:
    """The level 1..5 of a score: rounded, a half upwards."""
    return int(np.floor(score + 0.5))


def write_data_report(data: DataSet, out: Path) -> Path:
    """report.md, scores.png and samples.png in `out`. The samples show photos of the data set: not to be passed on
    where its terms forbid it. Returns the report."""
    samples = list(data.samples.values())
    groups = sorted({s.group for s in samples})
    _histogram(out / "scores.png", samples, groups)
    problems = [*map(str, data.problems), *_unreadable(samples)]
    _sheet(out / "samples.png", samples, groups)
    counts = {g: np.bincount([level(s.score) for s in samples if s.group == g], minlength=6)[1:] for g in groups}
    lines = [f"# {data.title}", "", f"{len(samples)} labelled photos, {len(problems)} problems.", ""]
    lines += ["| Group | Photos | Mean | SD | Min | Max | " + " | ".join(f"Level {k}" for k in range(1, 6)) + " |"]
    lines += ["| --- " + "| ---: " * 10 + "|"]
    total = sum(counts.values(), np.zeros(5, int))
    for group in [*groups, "all"]:
        scores = _scores(samples, None if group == "all" else group)
        cells = [f"{f(scores):.3f}" for f in (np.mean, np.std, np.min, np.max)]
        cells += [str(n) for n in (total if group == "all" else counts[group])]
        lines.append(f"| {group} | {len(scores)} | " + " | ".join(cells) + " |")
    lines += ["", "Level = score rounded to the nearest whole number, a half upwards.", ""]
    lines += [f"- {problem}" for problem in problems]
    lines += ["", "![scores](scores.png)", "", "![samples of each level and group](samples.png)"]
    path = out / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _scores(samples: list[Sample], group: str | None) -> NDArray[np.float64]:
    return np.array([s.score for s in samples if group is None or s.group == group])


def _histogram(path: Path, samples: list[Sample], groups: list[str]) -> None:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.hist([_scores(samples, g) for g in groups], np.linspace(1, 5, 41).tolist(), stacked=True, label=groups)
    for border in (1.5, 2.5, 3.5, 4.5):
        axes.axvline(border, color="grey", linestyle=":")
    axes.set(xlabel="mean score (dotted: borders of levels 1-5)", ylabel="photos", title="Scores")
    axes.legend()
    figure.savefig(path, dpi=120)


def _unreadable(samples: list[Sample]) -> list[str]:
    """Photos that cannot be decoded, with the reason."""

    def fault(sample: Sample) -> str | None:
        try:
            sample.read()
        except PhotoError as error:
            return f"{sample.name}: {error}"
        return None

    with ThreadPoolExecutor(cores()) as pool:
        return [found for found in pool.map(fault, samples) if found]


def _sheet(path: Path, samples: list[Sample], groups: list[str]) -> None:
    """Samples of each level (rows) and group (columns)."""
    crop = CropConfig(size=96)
    figure = Figure(figsize=(3.3 * len(groups), 3.2), layout="constrained")
    axes = figure.subplots(5, len(groups), squeeze=False)
    for row, rank in enumerate(range(5, 0, -1)):
        for column, group in enumerate(groups):
            cell = sorted((s for s in samples if s.group == group and level(s.score) == rank), key=lambda s: s.name)
            picked = [cell[i] for i in np.unique(np.linspace(0, len(cell) - 1, PER_CELL).astype(int))] if cell else []
            crops = load_crops(picked, crop)
            strip = np.full((96, 96 * PER_CELL, 3), 255, np.uint8)
            for i, pixels in enumerate(crops.pixels):
                strip[:, i * 96 : (i + 1) * 96] = pixels
            axes[row, column].imshow(strip)
            axes[row, column].set(xticks=[], yticks=[])
            axes[row, column].set_ylabel(f"level {rank}" if column == 0 else "", fontsize=7)
            axes[row, column].set_title(group if row == 0 else "", fontsize=8)
    figure.savefig(path, dpi=150)
