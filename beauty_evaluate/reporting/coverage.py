"""What prediction intervals cover, as a table."""

import re
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.evaluation.calibration import Coverage
from beauty_evaluate.evaluation.interval import LEVEL
from beauty_evaluate.files import write_atomic
from beauty_evaluate.reporting.tables import table

TITLE = "# What the intervals cover"
HEADER = ("Photos", "n", "Inside", "95 % interval", "Mean half width", "Spearman with the error")


def coverage_table(rows: Sequence[Coverage]) -> str:
    """The table, with a sentence before it.

    Args:
        rows: Of held-out photos, each checked with an interval from others.
    """
    cells = []
    for row in rows:
        low, high = row.uncertainty
        title = f"{row.data_set}: {row.group}" if row.group else f"**{row.data_set}**"
        rank = "-" if row.spearman != row.spearman else f"{row.spearman:.2f}"
        cells.append((title, row.n, f"{row.share:.1%}", f"{low:.1%} .. {high:.1%}", f"{row.half_width:.3f}", rank))
    return (
        f"Share of labels in the {LEVEL:.0%} interval of their score, of photos that the network had not learnt from, "
        "calibrated on other photos than these; half widths in points of the rater's scale.\n\n" + table(HEADER, cells)
    )


def write_section(path: Path, name: str, text: str) -> None:
    """Put the table of a network into a page, in place of its last one.

    Args:
        path: Of the page; it is begun if there is none.
        name: Of the network.
        text: From `coverage_table`.
    """
    page = path.read_text(encoding="utf-8") if path.exists() else f"{TITLE}\n"
    heading = f"## `{name}`"
    page = re.sub(rf"\n{re.escape(heading)}\n.*?(?=\n## |\Z)", "", page, flags=re.DOTALL)
    command = f"`python -m beauty_evaluate evaluate --calibrate {name} --data DIR [--data DIR]`"
    write_atomic(path, f"{page.rstrip()}\n\n{heading}\n\nBy {command}.\n\n{text}\n".encode())
