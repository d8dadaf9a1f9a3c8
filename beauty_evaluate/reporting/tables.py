"""Markdown tables of evaluations."""

from collections.abc import Iterable, Sequence

from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.metrics import bootstrap_pearson
from beauty_evaluate.phrases import signed

MEAN_BASELINE = "mean baseline: predict the training mean"
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

    Off the rater's scale there are no errors in points. Instead, the table gives intervals of the PC, the PC within
    the groups of each column, and how far each group is scored above or below what its raters say.
    """
    return _on_scale(evaluation) if evaluation.on_scale else _external(evaluation)


def _on_scale(evaluation: Evaluation) -> str:
    titles = {"all": "all", "mean_baseline": MEAN_BASELINE}
    rows: list[list[str]] = []
    for name, row in evaluation.metrics().items():
        figures = [cell(row[key]) for key in ("pearson", "spearman", "mae", "rmse")]
        rows.append([titles.get(name) or _title(evaluation, name), f"{row['n']:.0f}", *figures])
    if evaluation.data.human_pc is not None:
        rows.append([ONE_RATER, "", cell(evaluation.data.human_pc), "", "", ""])
    return table(("Photos", "n", "PC", "Spearman", "MAE", "RMSE"), rows)


def _external(evaluation: Evaluation) -> str:
    figures, rows = evaluation.metrics(), []
    for name, photos in evaluation.rows().items():
        low, high = bootstrap_pearson(evaluation.predicted[photos], evaluation.true[photos])
        interval = "-" if low != low else f"{low:.3f} .. {high:.3f}"
        shift = "" if photos.all() else signed(evaluation.too_high(photos))
        pc, rank = (cell(figures[name][key]) for key in ("pearson", "spearman"))
        rows.append([_title(evaluation, name), f"{photos.sum()}", pc, interval, rank, shift])
    for column in evaluation.data.group_columns:
        rows.append([f"within {column}", "", cell(evaluation.within(column)), "", "", ""])
    if evaluation.data.human_pc is not None:
        rows.append([ONE_RATER, "", cell(evaluation.data.human_pc), "", "", ""])
    return table(("Photos", "n", "PC", "95 % interval", "Spearman", "Scored too high, SD"), rows)


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
            f"{rater} has not learnt the scale of {data.title} ({data.scale}), so errors in points have no meaning. "
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
