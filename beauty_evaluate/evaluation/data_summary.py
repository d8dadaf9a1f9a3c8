"""What a data set holds, in numbers: scores by group, photos drawn by lot, and what its single ratings say."""

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.config import cores
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.errors import DataError, PhotoError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupSummary:
    """The scores of a group of photos, in points of the data set's scale.

    Attributes:
        title: Of the group.
        scores: float64 (n,), sorted.
        levels: How many photos each level of the scale has.
    """

    title: str
    scores: Floats
    levels: tuple[int, ...]


def summarize_scores(data: DataSet) -> list[GroupSummary]:
    """The scores of each value of each group column, then of all photos.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> [(group.title, len(group.scores)) for group in summarize_scores(synthetic.draw(8))][-1]
        ('all', 8)
    """
    groups = [(data.group_title(v), column, v) for column in data.group_columns for v in values_of(data, column)]
    summaries = [_summary(data, title, grouped(data, column)[value]) for title, column, value in groups]
    return [*summaries, _summary(data, "all", list(data.samples.values()))]


def values_of(data: DataSet, column: str) -> list[str]:
    """The values of a group column, in alphabetical order."""
    return sorted({sample.groups.get(column, "") for sample in data.samples.values()} - {""})


def grouped(data: DataSet, column: str) -> dict[str, list[Sample]]:
    """The samples of each value of a group column, by name; those without one stand under an empty value."""
    groups: dict[str, list[Sample]] = {}
    for name in sorted(data.samples):
        groups.setdefault(data.samples[name].groups.get(column, ""), []).append(data.samples[name])
    return groups


def _summary(data: DataSet, title: str, samples: Sequence[Sample]) -> GroupSummary:
    levels = [data.scale.level(sample.score) for sample in samples]
    scores = np.sort(np.array([sample.score for sample in samples], np.float64))
    return GroupSummary(title, scores, tuple(levels.count(level) for level in data.scale.levels))


def draw_by_lot(data: DataSet, column: str | None, count: int, seed: int = 0) -> dict[tuple[int, str], list[Sample]]:
    """Photos of each level and group, drawn by lot.

    Args:
        data: The data set.
        column: The group column; None: all photos are one group, with an empty name.
        count: Photos of each level and group, where there are so many.
        seed: Of the lot: the same photos again, whatever their order.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> drawn = draw_by_lot(synthetic.draw(40), None, 2, seed=1)
        >>> max(len(samples) for samples in drawn.values())
        2
    """
    groups = grouped(data, column) if column else {"": [data.samples[name] for name in sorted(data.samples)]}
    drawn = {}
    for group, samples in sorted(groups.items()):
        for level in data.scale.levels:
            there = [sample for sample in samples if data.scale.level(sample.score) == level]
            if there and (group or not column):
                rng = np.random.default_rng((seed, level, *group.encode()))
                picks = rng.permutation(len(there))[:count]
                drawn[level, group] = [there[i] for i in picks]
    return drawn


def unreadable(data: DataSet) -> list[str]:
    """The photos that cannot be decoded, each with the reason."""

    def fault(sample: Sample) -> str | None:
        try:
            sample.read()
        except PhotoError as error:
            return f"{sample.name}: {error}"
        return None

    with ThreadPoolExecutor(cores()) as pool:
        return [line for line in pool.map(fault, data.samples.values()) if line]


@dataclass(frozen=True)
class RatersOfASex:
    """The raters of one sex.

    Attributes:
        sex: As the data set calls it.
        raters: How many.
        mean: Of all their ratings, in points.
        one_rater_pc: PC of one of them with the mean of the others of the same sex.
        pc_with_others: PC of their mean with the mean of everybody else.
    """

    sex: str
    raters: int
    mean: float
    one_rater_pc: float
    pc_with_others: float


@dataclass(frozen=True)
class RatingsSummary:
    """What the single ratings of a data set say.

    Attributes:
        sheet: The ratings.
        agreement: PC of each rater with the mean of the others, float64 (R,); NaN for who rated everyone alike.
        one_rater_pc: Its mean.
        split_half_pc: PC between the means of two random halves of the raters.
        by_sex: Raters by their sex, where it is known.
        sd_by_group: SDs of the faces of each group, in points, by the group's title.
    """

    sheet: RatingSheet
    agreement: Floats
    one_rater_pc: float
    split_half_pc: float
    by_sex: tuple[RatersOfASex, ...]
    sd_by_group: dict[str, Floats]


def summarize_ratings(data: DataSet) -> RatingsSummary:
    """What the single ratings say of the faces and of the raters.

    Args:
        data: A data set with ratings.

    Raises:
        DataError: It has none.

    Example:
        >>> from beauty_evaluate.datasets import registry
        >>> summary = summarize_ratings(registry.read())
        >>> len(summary.agreement), round(summary.split_half_pc, 3)
        (2513, 0.999)
    """
    sheet = data.ratings
    if sheet is None:
        raise DataError(f"{data.title} has no single ratings. Put their file into its folder.")
    sd_by_group: dict[str, Floats] = {}
    for column in data.group_columns:
        values = {name: sample.groups.get(column, "") for name, sample in data.samples.items()}
        sd_by_group |= {data.group_title(value): sd for value, sd in sheet.sd_by_group(values).items()}
    sexes = np.array(sheet.sex)
    by_sex = tuple(_raters(sheet, group, sexes == sex, sex) for sex, group in sheet.by_sex().items())
    return RatingsSummary(
        sheet, sheet.rater_agreement(), sheet.one_rater_pc(), sheet.split_half_pc(), by_sex, sd_by_group
    )


def _raters(sheet: RatingSheet, group: RatingSheet, rows: NDArray[np.bool_], sex: str) -> RatersOfASex:
    mean, others = group.mean(), sheet.only(~rows).mean()
    both = ~np.isnan(mean + others)
    pc = metrics.pearson(mean[both], others[both]) if both.any() else float("nan")
    return RatersOfASex(sex, len(group.raters), float(np.nanmean(group.values)), group.one_rater_pc(), pc)


def write_face_table(path: Path, sheet: RatingSheet) -> None:
    """A row for each rated face as CSV: number of ratings, mean, SD, mode, and how many raters chose each level.

    Args:
        path: Of the file.
        sheet: The ratings.
    """
    header = ("file", "ratings", "mean", "sd", "mode", *(f"n{level}" for level in sheet.scale.levels))
    columns = (sheet.faces, sheet.counts(), sheet.mean(), sheet.sd(), sheet.mode(), sheet.histogram())
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for face, count, mean, sd, mode, histogram in zip(*columns, strict=True):
            writer.writerow((face, count, f"{mean:.4f}", f"{sd:.4f}", mode, *histogram))
