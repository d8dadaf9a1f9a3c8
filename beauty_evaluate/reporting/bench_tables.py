"""The tables of a bench, in Markdown: accuracy and cost, groups, crop against whole photo, pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

from beauty_evaluate.evaluation.bench_records import Bench, Part, Row, points_of_ten
from beauty_evaluate.evaluation.published import read_published
from beauty_evaluate.phrases import signed
from beauty_evaluate.reporting.tables import MEAN_BASELINE, ONE_RATER, cell, table

CONSTANT = "mean_baseline"
RATER_COLUMNS = ("Rater", "Pretrained on", "Source")
ERROR_COLUMNS = ("MAE", "RMSE", "MAE out of 10", "RMSE out of 10")
COSTS = (
    "PC: Pearson correlation with the mean rating, over all test photos, with its 95 % bootstrap interval over photos. "
    "MAE and RMSE in rating points, and on a scale from 1 to 10; - where a rater has not learnt the scale. ms: of the "
    "rater alone, for a face that was found, on the machine of the bench. MB: the files that scoring reads. Minutes: "
    "training, members included. Every row was run twice, once with shuffled test labels: no prediction moved."
)
WHOLE = (
    "Each photo is rated as the face cut out and as the whole photo squeezed to the same size; the difference is crop "
    "minus whole, in points of the data set, or of the rater's scale where it has not learnt the data set's."
)
GROUPS = "PCs of groups are lower than that of all photos, since scores within a group vary less: compare groups alone."


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: Over it.
        header: Titles of the columns.
        rows: Cells, in Markdown.
        left: How many columns are aligned to the left.
        note: A sentence on it; empty for none.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    note: str = ""


def grids(part: Part) -> list[Grid]:
    """The tables of one data set; those without a row are left out.

    Args:
        part: Of the bench.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> [grid.title for grid in grids(Part("London", "test", 102, RatingScale(1, 7)))]
        []
    """
    every = [_accuracy(part), _groups(part, "pearson", "PC by group"), _groups(part, "mae", "MAE by group")]
    every += [_whole(part), _pairs(part)]
    return [grid for grid in every if grid.rows]


def title(part: Part) -> str:
    """What a section on a data set is called.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> title(Part("London", "test", 102, RatingScale(1, 7)))
        'London, split test: 102 photos rated 1..7'
    """
    return f"{part.data_set}, split {part.split}: {part.n} photos rated {part.scale}"


def bench_markdown(bench: Bench, level: int = 2) -> str:
    """All tables of a bench, with what was not run and why.

    Args:
        bench: The records.
        level: Of the headings of data sets.
    """
    lines: list[str] = [f"Made by `{bench.command}`.", ""] if bench.command else []
    for part in bench.parts:
        lines += ["#" * level + " " + title(part), ""]
        for grid in grids(part):
            lines += [f"{grid.title}:", "", table(grid.header, grid.rows, grid.left), ""]
            lines += [grid.note, ""] if grid.note else []
        lines += [line for sentence in sentences(part) for line in (sentence, "")]
    return "\n".join(lines).rstrip() + "\n"


def sentences(part: Part) -> list[str]:
    """What a reader of the tables needs besides: ensembles against their members, and raters without a row."""
    said = [
        f"`{row.rater}`: {row.missed} photos could not be scored and count with the mean that it has learnt."
        for row in part.rows
        if row.missed
    ]
    for pair in part.pairs:
        if pair.best_member:
            beats = "beats" if pair.difference.low > 0 else "does not beat"
            said.append(f"`{pair.first}` {beats} its best member, `{pair.second}`: PC {_difference(pair.difference)}.")
    return said + [f"Not run: `{one.rater}`. {one.reason}" for one in part.not_run]


def _difference(estimate: object) -> str:
    value, low, high = (signed(getattr(estimate, key), 4) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _accuracy(part: Part) -> Grid:
    """Raters, the constant, one human rater and published figures, worst first."""
    rows = [(row.pearson or 0.0, _accuracy_row(part, row)) for row in part.rows]
    nothing = ("-",) * 3
    if part.human:
        human = part.human
        errors = _errors(human.mae, human.rmse, points_of_ten(part.scale))
        cells = ("-", human.source, cell(human.pearson), _interval(human.interval), *errors)
        rows.append((human.pearson, (ONE_RATER, *cells, *nothing)))
    for result in read_published():
        if result.data_set == part.data_set and part.split in result.figures:
            pc, mae, rmse = result.figures[part.split]
            errors = _errors(mae, rmse, points_of_ten(part.scale))
            cells = (result.pretraining, result.paper.short, cell(pc), "-", *errors, *nothing)
            rows.append((pc or 0.0, (f"{result.name}, published", *cells)))
    rows.sort(key=lambda row: row[0])
    header = (*RATER_COLUMNS, "PC", "95 % interval", *ERROR_COLUMNS, "ms", "MB", "Minutes")
    return Grid("Accuracy and cost", header, tuple(cells for _, cells in rows), 3, COSTS)


def _accuracy_row(part: Part, row: Row) -> tuple[str, ...]:
    figures = row.metrics["all"]
    is_constant = row.rater == CONSTANT
    return (
        MEAN_BASELINE if is_constant else f"**`{row.rater}`**",
        "-" if is_constant else row.pretrained_on,
        f"`{row.command}`" if row.command else "-",
        cell(row.pearson),
        _interval(row.interval),
        *_errors(figures["mae"], figures["rmse"], points_of_ten(part.scale)),
        f"{row.ms_rating:.1f}",
        f"{row.megabytes:.1f}",
        f"{row.minutes:.1f}" if row.minutes else "-",
    )


def _errors(mae: float | None, rmse: float | None, ten: float) -> tuple[str, ...]:
    """MAE and RMSE in points and out of ten."""
    of_ten = (None if value is None else value * ten for value in (mae, rmse))
    return (cell(mae), cell(rmse), *(cell(value, 3) for value in of_ten))


def _interval(interval: Sequence[float]) -> str:
    return "{:.3f} .. {:.3f}".format(*interval) if interval else "-"


def _groups(part: Part, figure: str, heading: str) -> Grid:
    """A figure by group, and the PC within the groups of each column."""
    rows = [row for row in part.rows if any(_of_group(row, name, figure) is not None for name in part.groups)]
    columns = sorted({column for row in rows for column in row.within}) if figure == "pearson" else []
    cells = [
        (
            f"`{row.rater}`",
            *(cell(_of_group(row, name, figure), 3) for name in part.groups),
            *(cell(row.within.get(column), 3) for column in columns),
        )
        for row in rows
    ]
    counts = part.rows[0].metrics if part.rows else {}
    titles = [f"{text}, n = {counts[name]['n']:.0f}" for name, text in part.groups.items() if name in counts]
    header = ("Rater", *titles, *(f"within {column}" for column in columns))
    return Grid(heading, header, tuple(cells), note=GROUPS if figure == "pearson" else "")


def _of_group(row: Row, name: str, figure: str) -> float | None:
    return row.metrics.get(name, {}).get(figure)


def _whole(part: Part) -> Grid:
    """How scores change when the face is cut out."""
    rows = []
    for row in part.rows:
        whole = row.whole
        if whole.n:
            shares = (f"{100 * share:.0f} %" for share in (whole.up, whole.down))
            changes = (signed(whole.mean, 3), signed(whole.largest, 3))
            rows.append((f"`{row.rater}`", str(whole.n), *changes, *shares, str(whole.no_face)))
    header = ("Rater", "Photos", "Mean difference", "Largest", "Up", "Down", "Without a face")
    return Grid("Crop against whole photo", header, tuple(rows), note=WHOLE)


def _pairs(part: Part) -> Grid:
    """Raters that were set against each other."""
    pc = {row.rater: row.pearson for row in part.rows}
    rows = [
        (f"`{pair.first}`", f"`{pair.second}`", cell(pc[pair.first]), cell(pc[pair.second]),
         _difference(pair.difference), pair.verdict)
        for pair in part.pairs
    ]  # fmt: skip
    header = ("First", "Second", "PC of the first", "PC of the second", "Difference [95 % interval]", "Verdict")
    return Grid("Against each other, paired over photos", header, tuple(rows), 2)
