"""How scores fare on faces unlike those learnt from: correlation with other raters, by gender and by ethnicity."""

import numpy as np

from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.metrics import bootstrap_pearson, pearson, spearman

HUMAN = 0.585  # PC of one human rater with the mean of the others on MEBeauty, as found when this project began


def external_table(found: Evaluation) -> str:
    """PC with its 95 % bootstrap interval over photos, in Markdown; groups are `gender, ethnicity`. Scales differ, so
    no errors in points are given; how far a group as a whole is scored above or below what its raters say is told in
    standard deviations over all photos."""
    parts = np.array([group.split(", ", 1) for group in found.groups])
    rows = [("all", np.ones(len(parts), bool))]
    rows += [(value, parts[:, column] == value) for column in (0, 1) for value in sorted(set(parts[:, column]))]
    z = [(values - values.mean()) / max(values.std(), 1e-9) for values in (found.predicted, found.true)]
    lines = [
        "| Photos | n | PC | 95 % interval | Spearman | Scored too high, SD |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for title, own in rows:
        predicted, true = found.predicted[own], found.true[own]
        low, high = bootstrap_pearson(predicted, true)
        cells = f"{pearson(predicted, true):.3f} | {low:.3f} .. {high:.3f} | {spearman(predicted, true):.3f}"
        shift = "" if own.all() else f"{(z[0] - z[1])[own].mean():+.2f}"
        lines.append(f"| {title} | {own.sum()} | {cells if len(set(predicted)) > 1 else '- | - | -'} | {shift} |")
    return "\n".join([*lines, f"| one human rater, all | | {HUMAN} | | | |"])
