"""What moves the scores over a data set, in Markdown and CSV."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.evaluation.published import PublishedPermutation, read_published_permutation
from beauty_evaluate.explain.data_set import DataSetExplanation
from beauty_evaluate.explain.region_tables import ALL, EffectRow, PermutedRow
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.metrics import Estimate
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.reporting.tables import table

FILTERS_IN_TEXT = 5
COLUMNS = {"baseline": "way"}  # of a field, where it is another in the files


def write_region_report(rater: Rater, explanation: DataSetExplanation, out: Path) -> str:
    """Write regions.md, regions.csv, permuted.csv, agreement.json and, of a network, what `write_filters` writes.

    Args:
        rater: that was explained.
        explanation: over a data set.
        out: a folder that is there.

    Returns:
        The text of regions.md.
    """
    write_rows(out / "regions.csv", [*explanation.inpaint_rows, *explanation.donor_rows])
    write_rows(out / "permuted.csv", explanation.permuted, read_published_permutation())
    (out / "agreement.json").write_text(json.dumps(asdict(explanation.agreement), indent=1) + "\n", encoding="utf-8")
    if explanation.filters is not None:
        from beauty_evaluate.reporting.filter_gallery import write_filters  # it needs Keras

        config = crop_config(rater)
        write_filters(out, explanation.filters, [face.crop(config) for face in explanation.faces])
    text = region_markdown(explanation)
    (out / "regions.md").write_text(text + "\n", encoding="utf-8")
    return text


def region_markdown(explanation: DataSetExplanation) -> str:
    """The text of the report."""
    parts = [
        f"# What moves the score: {explanation.rater}, {explanation.photos} photos",
        "Effect of each region on the score, its Shapley value against the mean colour around it (with all regions "
        f"replaced, the score is {explanation.reference:.2f} on average):",
        effects_markdown(explanation.inpaint_rows),
        "What is lost when a region comes from another face:",
        permuted_markdown(explanation.permuted, read_published_permutation()),
        _covered_sentence(explanation.covered),
        explanation.agreement.sentence(),
        *_landmark_sentences(explanation.landmark_distances),
        *_filter_parts(explanation),
        "By group, rating points [95 % interval]:",
        groups_markdown(explanation.inpaint_rows),
    ]
    return "\n\n".join(parts)


def effects_markdown(rows: Sequence[EffectRow]) -> str:
    """The effects over all faces as a table, the region that moves them most first."""
    ranked = _ranked(rows)
    cells = [(row.region, row.mean, row.absolute) for row in ranked]
    return f"n = {ranked[0].n}, rating points [95 % interval]:\n\n" + table(
        ("Region", "Mean effect", "Mean absolute effect"), cells
    )


def groups_markdown(rows: Sequence[EffectRow]) -> str:
    """Mean and mean absolute effects, a table each with a column for each group."""
    by_place = {(row.group, row.region): row for row in rows}
    groups = [group for group in dict.fromkeys(row.group for row in rows) if group != ALL]
    order = [row.region for row in _ranked(rows)]
    heads = [f"{group or 'unknown'}, n = {by_place[group, order[0]].n}" for group in groups]
    return "\n\n".join(
        table(
            (title, *heads),
            [(region, *(getattr(by_place[group, region], field) for group in groups)) for region in order],
        )
        for title, field in (("Mean effect", "mean"), ("Mean absolute effect", "absolute"))
    )


def permuted_markdown(rows: Sequence[PermutedRow], published: PublishedPermutation) -> str:
    """The costs as a table, the dearest region first, beside the published ones."""
    cells = []
    for row in sorted(rows, key=lambda row: -row.fall.value):
        fall = _published_fall(row, published)
        other = "-" if fall is None else f"{fall:.3f}"
        cells.append((row.region, f"{row.pearson:.4f}", row.fall, f"{row.mae:.4f}", row.rise, other))
    heads = ("Region permuted", "PC", "Fall of PC [95 % interval]", "MAE", "Rise of MAE [95 % interval]")
    note = (
        f"Over {rows[0].n} faces. Published: {published.source}; its outlines (lips, chin) differ "
        "from ours, so only the order compares."
    )
    return table((*heads, "Fall, published"), cells) + f"\n\n{note}"


def write_rows(
    path: Path,
    rows: Sequence[EffectRow] | Sequence[PermutedRow],
    published: PublishedPermutation | None = None,
) -> None:
    """Write rows as CSV; a figure with an interval takes three columns: `mean`, `mean_low`, `mean_high`.

    Args:
        path: of the file.
        rows: one or more.
        published: figures of another network, for a last column `published_fall`.
    """
    heads = []
    for field in fields(rows[0]):
        heads.append(COLUMNS.get(field.name, field.name))
        if isinstance(getattr(rows[0], field.name), Estimate):
            heads += [f"{field.name}_low", f"{field.name}_high"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*heads, *(["published_fall"] if published else [])])
        for row in rows:
            values = [v for cell in astuple(row) for v in (cell if isinstance(cell, tuple) else (cell,))]
            if published and isinstance(row, PermutedRow):
                values.append(_published_fall(row, published))
            writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in values])


def _published_fall(row: PermutedRow, published: PublishedPermutation) -> float | None:
    pearson = published.pearson.get(row.region)
    return None if pearson is None else published.whole - pearson


def _ranked(rows: Sequence[EffectRow]) -> list[EffectRow]:
    return sorted((row for row in rows if row.group == ALL), key=lambda row: -row.absolute.value)


def _filter_parts(explanation: DataSetExplanation) -> list[str]:
    if explanation.filters is None:
        return []
    from beauty_evaluate.reporting.filter_gallery import filter_sentence  # it needs Keras

    lines = [f"- {filter_sentence(row)}" for row in explanation.filters.rows[:FILTERS_IN_TEXT]]
    return ["The filters that move scores most:", "\n".join(lines)]


def _covered_sentence(covered: NDArray[np.float64]) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in zip(NAMES, covered, strict=True))
    return f"Edges are soft, so regions are not replaced completely, thin ones least: {shares}."


def _landmark_sentences(distances: NDArray[np.float64]) -> list[str]:
    if not len(distances):
        return []
    median, most = (100 * float(np.quantile(distances, share)) for share in (0.5, 0.95))
    return [
        f"The outlines behind the regions lie {median:.1f} % of the eye distance from the points set by hand on "
        "contour, brows, eyes and lips (all but nose, pupils and the top of the forehead; median over "
        f"{len(distances)} faces of the median over points; {most:.1f} % or less on 95 % of the faces)."
    ]
