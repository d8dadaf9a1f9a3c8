"""What a data set holds: a report of scores, groups, faults, sample photos, and single ratings where it has them."""

from pathlib import Path

import numpy as np

from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.evaluation.data_summary import (
    GroupSummary,
    RatingsSummary,
    summarize_ratings,
    summarize_scores,
    unreadable,
    write_face_table,
)
from beauty_evaluate.reporting import data_plots
from beauty_evaluate.reporting.tables import cell, table


def write_data_report(data: DataSet, out: Path, seed: int = 0) -> Path:
    """Write report.md, its pictures and, where there are single ratings, ratings.csv with a row for each face.

    The pictures show photos of the data set, drawn by lot: not to be passed on where its terms forbid it.

    Args:
        data: Of any reader.
        out: A folder.
        seed: Of the lot.

    Returns:
        The report.
    """
    groups = summarize_scores(data)
    problems = [*map(str, data.problems), *unreadable(data)]
    data_plots.score_histogram(out / "scores.png", data)
    sheets = data_plots.sample_sheets(out, data, seed)
    lines = [
        f"# {data.title}",
        "",
        f"{len(data.samples)} labelled photos, {len(problems)} problems. Scale {data.scale}",
    ]
    lines[-1] += ", inferred from the scores." if data.scale_inferred else "."
    lines += ["", data.terms] if data.terms else []
    lines += ["", "## Scores", "", _scores_table(data, groups), ""]
    lines += ["Level = score rounded to the nearest whole number, a half upwards.", ""]
    lines += [f"- {problem}" for problem in problems]
    lines += ["", "![Distribution of the scores](scores.png)", "", "## Sample photos, drawn by lot", ""]
    lines += [line for sheet in sheets for line in (f"![Photos of each level and group]({sheet.name})", "")]
    lines += _ratings(data, out, seed) if data.ratings else []
    path = out / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _scores_table(data: DataSet, groups: list[GroupSummary]) -> str:
    rows = [
        (
            group.title,
            len(s := group.scores),
            *(f"{f(s):.3f}" for f in (np.mean, np.std, np.min, np.max)),
            *group.levels,
        )
        for group in groups
    ]
    levels = [f"Level {level}" for level in data.scale.levels]
    return table(("Group", "Photos", "Mean", "SD", "Min", "Max", *levels), rows)


def _ratings(data: DataSet, out: Path, seed: int) -> list[str]:
    """The part of the report on single ratings, after its files were written."""
    summary = summarize_ratings(data)
    sheet = summary.sheet
    write_face_table(out / "ratings.csv", sheet)
    data_plots.ratings_figure(out / "ratings.png", data, summary)
    data_plots.faces_figure(out / "ratings_faces.png", data, summary, seed)
    judged = int((~np.isnan(summary.agreement)).sum())
    return [
        "## Single ratings",
        "",
        f"{len(sheet.raters)} raters, {len(sheet.faces)} faces, {int(sheet.counts().sum())} ratings. `ratings.csv` "
        "holds the mean, SD, mode and histogram of each face.",
        "",
        f"One rater agrees with the mean of the others by a PC of {summary.one_rater_pc:.3f} (mean over {judged} "
        f"raters; half of them lie between {np.nanquantile(summary.agreement, 0.25):.3f} and "
        f"{np.nanquantile(summary.agreement, 0.75):.3f}). The means of two random halves of the raters agree by "
        f"{summary.split_half_pc:.4f}.",
        "",
        _faces_table(summary),
        "",
        *([_sex_table(summary), ""] if summary.by_sex else []),
        "![SD of each face, and how far raters agree](ratings.png)",
        "",
        "![Faces with the histograms of their ratings](ratings_faces.png)",
    ]


def _faces_table(summary: RatingsSummary) -> str:
    """The spread of ratings over one face, by group of faces."""
    rows = []
    for title, sd in [*summary.sd_by_group.items(), ("all", summary.sheet.sd())]:
        quartiles = np.nanquantile(sd, (0, 0.25, 0.5, 0.75, 1)) if (~np.isnan(sd)).any() else np.full(5, np.nan)
        rows.append((title, len(sd), *(cell(float(value), 3) for value in quartiles)))
    return table(("SD of the ratings of one face", "Faces", "Least", "Quartile", "Median", "Quartile", "Most"), rows)


def _sex_table(summary: RatingsSummary) -> str:
    rows = [
        (group.sex, group.raters, *(cell(value, 3) for value in (group.mean, group.one_rater_pc, group.pc_with_others)))
        for group in summary.by_sex
    ]
    header = (
        "Raters",
        "n",
        "Mean rating",
        "One with the others of the sex, PC",
        "Their mean with everybody else's, PC",
    )
    return table(header, rows)
