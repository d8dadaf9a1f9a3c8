"""Markdown tables of evaluations."""

from collections.abc import Iterable, Sequence

from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.metrics import bootstrap_pearson
from beauty_evaluate.phrases import signed

MEAN_BASELINE = "mean baseline: predict the training mean"
TOO_HIGH = "Scored too high, SD"
ONE_RATER = "one human rater"


def table(header: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> str:
    """A Markdown table.

    Args:
        header: Titles of the columns.
        rows: Cells.
        left: How many columns are aligned to the left; the others hold numbers.

    Example:
        >>> print(table(("Photos", "n"), [("all", 3)]))
        | Photos | n |
        | --- | ---: |
        | all | 3 |
    """
    rule = ["---" if column < left else "---:" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (header, rule, *rows))


def cell(value: float | None, digits: int = 4) -> str:
    """A figure in a table, with a dash for none.

    Example:
        >>> cell(0.91351), cell(None)
        ('0.9135', '-')
    """
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def evaluation_table(evaluation: Evaluation) -> str:
    """The figures of an evaluation by group, beside the mean baseline and one human rater where they are known.

    It has the PC within the groups of each column, and how far each group is scored above or below what its raters
    say. Off the rater's scale there are no errors in points, but intervals of the PC.
    """
    return _on_scale(evaluation) if evaluation.on_scale else _external(evaluation)


def _on_scale(evaluation: Evaluation) -> str:
    titles = {"all": "all", "mean_baseline": MEAN_BASELINE}
    rows: list[list[str]] = []
    chosen = evaluation.rows()
    for name, row in evaluation.metrics().items():
        figures = [cell(row[key]) for key in ("pearson", "spearman", "mae", "rmse")]
        shift = signed(evaluation.too_high(chosen[name])) if name in chosen and not chosen[name].all() else ""
        rows.append([titles.get(name) or _title(evaluation, name), f"{row['n']:.0f}", *figures, shift])
    rows += _below(evaluation, 4)
    return table(("Photos", "n", "PC", "Spearman", "MAE", "RMSE", TOO_HIGH), rows)


def _external(evaluation: Evaluation) -> str:
    figures, rows = evaluation.metrics(), []
    for name, photos in evaluation.rows().items():
        low, high = bootstrap_pearson(evaluation.predicted[photos], evaluation.true[photos])
        interval = "-" if low != low else f"{low:.3f} .. {high:.3f}"
        shift = "" if photos.all() else signed(evaluation.too_high(photos))
        pc, rank = (cell(figures[name][key]) for key in ("pearson", "spearman"))
        rows.append([_title(evaluation, name), f"{photos.sum()}", pc, interval, rank, shift])
    rows += _below(evaluation, 3)
    return table(("Photos", "n", "PC", "95 % interval", "Spearman", TOO_HIGH), rows)


def _below(evaluation: Evaluation, empty: int) -> list[list[str]]:
    """The last rows, which have a PC alone and so many empty cells after it."""
    pairs = [(f"within {column}", evaluation.within(column)) for column in evaluation.data.group_columns]
    if evaluation.data.human_pc is not None:
        pairs.append((ONE_RATER, evaluation.data.human_pc))
    return [[title, "", cell(value), *[""] * empty] for title, value in pairs]


def _title(evaluation: Evaluation, name: str) -> str:
    column, colon, value = name.partition(": ")
    titles = evaluation.data.group_titles
    return f"{column}: {titles.get(value, value)}" if colon else titles.get(name, name)


def _distance(sds: float) -> str:
    return f"{abs(sds):.2f} SD {'above' if sds >= 0 else 'below'}"


def notes(evaluation: Evaluation, rater: str) -> list[str]:
    """Sentences that a reader of `evaluation_table` needs.

    Args:
        evaluation: What was measured.
        rater: Its name.
    """
    data, lines = evaluation.data, []
    if not evaluation.on_scale:
        lines.append(
            f"{rater} has not learnt the scale of {data.title} ({data.scale}), so errors in points have no meaning."
        )
    if data.group_columns:
        lines.append(
            "The last column says how far a group is scored above (+) or below what its raters say, beside the others."
        )
    gaps = [(column, gap) for column in data.group_columns if (gap := evaluation.gap(column))]
    lines += [
        f"By {column}: the ratings put {first} {_distance(labels)} {second}, the scores {_distance(scores)}."
        for column, (first, second, labels, scores) in gaps
    ]
    if data.human_pc is not None:
        lines.append(f"{ONE_RATER.capitalize()}: correlation with the mean of the other raters; {data.human_source}.")
    return lines
