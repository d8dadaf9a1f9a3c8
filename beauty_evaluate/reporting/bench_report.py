"""The report of a bench: Markdown, a page whose tables sort themselves, and scatter plots."""

import re
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.evaluation.bench_records import Bench
from beauty_evaluate.reporting.bench_plots import bench_scatter
from beauty_evaluate.reporting.bench_tables import Grid, bench_markdown, grids, sentences, title
from beauty_evaluate.reporting.html import file_uri, render

LINK = re.compile(r"\[(.+)\]\((https?://.+)\)")


def write_bench_report(bench: Bench, data: Sequence[DataSet], folder: Path) -> tuple[Path, Path]:
    """Write report.md, report.html and a picture for each data set into the folder of a bench.

    Args:
        bench: The records.
        data: The data sets, in the order of `bench.parts`.
        folder: Of the bench, in which the predictions lie.

    Returns:
        The paths of the Markdown and of the page.
    """
    parts = []
    for part, one in zip(bench.parts, data, strict=True):
        path = folder / re.sub(r"[^\w.-]+", "_", f"scatter_{part.data_set}_{part.split}.png")
        bench_scatter(path, part, one, folder)
        parts.append(
            {
                "title": title(part),
                "tables": [_shown(grid) for grid in grids(part)],
                "sentences": [_plain(sentence) for sentence in sentences(part)],
                "picture": file_uri(path),
            }
        )
    markdown, page = folder / "report.md", folder / "report.html"
    markdown.write_text(f"# Bench\n\n{bench_markdown(bench)}", encoding="utf-8")
    page.write_text(render("bench.html", title="Bench", parts=parts, command=bench.command), encoding="utf-8")
    return markdown, page


def _shown(grid: Grid) -> dict[str, object]:
    """A table for the template."""
    rows = [[_cell(text) for text in row] for row in grid.rows]
    return {"title": grid.title, "header": grid.header, "rows": rows, "left": grid.left, "note": grid.note}


def _cell(text: str) -> tuple[str, str]:
    """A cell's text and the address that it links to."""
    match = LINK.fullmatch(text)
    return (match[1], match[2]) if match else (_plain(text), "")


def _plain(markdown: str) -> str:
    return markdown.replace("**", "").replace("`", "")
