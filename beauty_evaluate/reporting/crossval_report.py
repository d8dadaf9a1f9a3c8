"""The report of a cross-validation, in Markdown."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from beauty_evaluate import metrics
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.crossval import MIN_PHOTOS, Fold, coverage, pc_interval
from beauty_evaluate.evaluation.duplicates import Pair
from beauty_evaluate.evaluation.interval import LEVEL
from beauty_evaluate.reporting.results import FIGURES, FOLDS, folds_table, sources
from beauty_evaluate.reporting.tables import MEAN_BASELINE, cell, table

Figures = Mapping[str, float | None]


def crossval_report(
    folds: Sequence[Fold], pairs: Sequence[Pair], seeds: Sequence[Fold] = (), selection_set: Set[str] = frozenset()
) -> str:
    """The whole report.

    Args:
        folds: Finished, of one recipe.
        pairs: Near-duplicates of the data set.
        seeds: Folds trained once more with another seed.
        selection_set: Photos on which the recipe was chosen.

    Raises:
        DataError: A fold of `seeds` is of another recipe.
    """
    cards, data = [fold.card for fold in folds], folds[0].evaluation.data
    whole = len(folds) == len(data.folds)
    lines = [f"# Cross-validation of `{cards[0].config.preset}`", "", _introduction(folds), "", _table(folds), ""]
    low, high = pc_interval(folds)
    lines += [f"95 % interval of the mean PC (bootstrap over the photos of each fold): {low:.4f} .. {high:.4f}."]
    lines += [*_without_mirror(folds), *_selection(folds, selection_set)]
    lines += [*_other_seeds(folds, seeds), "", *_duplicates(folds, pairs)]
    if whole:
        lines += ["", "Beside others, as published:", "", folds_table(cards), "", sources(FOLDS)]
    if whole and min(len(fold.evaluation.names) for fold in folds) >= MIN_PHOTOS:
        lines += ["", *_coverage(folds)]
    return "\n".join(lines) + "\n"


def _introduction(folds: Sequence[Fold]) -> str:
    data, config = folds[0].evaluation.data, folds[0].card.config
    text = f"The official folds of {data.title}: {len(folds)} of {len(data.folds)} done, one network each"
    if plan := getattr(config, "training", None):
        views = plan.views_per_epoch
        text += (
            f", {plan.epochs} epochs of {views} view{'s' * (views > 1)} of each photo ({plan.epochs * views} in all)"
        )
    return (
        f"{text}. PC of the cross-validation: the mean of the folds' PCs. Figures come from the predictions beside the "
        "cards and the data set's labels; the whole recipe stands in the cards. The precision is the faster one of the "
        "machine that trained the fold."
    )


def _table(folds: Sequence[Fold]) -> str:
    rows: list[Sequence[object]] = []
    for fold in folds:
        card, figures = fold.card, fold.evaluation.metrics()["all"]
        rows.append((
            card.split, card.precision, card.commit, fold.learnt, f"{figures['n']:.0f}",
            *(cell(figures[key]) for key in FIGURES), _seed(fold), f"{card.seconds:.0f}",
            f"{card.images_per_second:.0f}",
        ))  # fmt: skip
    header = (
        "Fold",
        "Precision",
        "Commit",
        "Learnt from",
        "Tested on",
        "PC",
        "MAE",
        "RMSE",
        "Seed",
        "Seconds",
        "Images/s",
    )
    return table(header, [*rows, *_mean_rows(folds)], left=3)


def _seed(fold: Fold) -> int:
    plan = getattr(fold.card.config, "training", None)
    return plan.seed if plan else 0


def _mean_rows(folds: Sequence[Fold]) -> list[Sequence[object]]:
    """Mean and SD over folds, for all, the groups and the mean baseline."""
    data = folds[0].evaluation.data
    rows: list[Sequence[object]] = []
    figures = [fold.evaluation.metrics() for fold in folds]
    for name in figures[0]:
        cells = []
        for key in FIGURES:
            values = [value for fold in figures if name in fold and (value := fold[name][key]) is not None]
            spread = f" ± {np.std(values, ddof=1):.4f}" if name == "all" and len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if values else "-")
        title = {"all": "**mean ± SD**", "mean_baseline": MEAN_BASELINE}.get(name, f"mean, {data.group_title(name)}")
        rows.append((title, "", "", "", "", *cells, "", "", ""))
    return rows


def _without_mirror(folds: Sequence[Fold]) -> list[str]:
    rows = [fold.single.metrics()["all"] for fold in folds if fold.single]
    if len(rows) < len(folds):
        return []
    return ["", f"A score is the mean over the crop and its mirror image. Of the crop alone: mean {_triple(rows)}."]


def _selection(folds: Sequence[Fold], selection_set: Set[str]) -> list[str]:
    """Figures without the photos on which the recipe was chosen."""
    counts = [len(selection_set & set(fold.evaluation.names)) for fold in folds]
    rows = [row for fold in folds if (row := fold.evaluation.without(selection_set))]
    if not any(counts) or not rows:
        return []
    listed = ", ".join(f"{fold.card.split}: {count}" for fold, count in zip(folds, counts, strict=True))
    return [
        "",
        f"The recipe was chosen on {len(selection_set)} photos of the training part of "
        f"{folds[0].evaluation.data.folds[0]} (`benchmarks/validation.txt`), which are test photos of other folds "
        f"({listed}). Without them: mean {_triple(rows)}.",
    ]


def _other_seeds(folds: Sequence[Fold], seeds: Sequence[Fold]) -> list[str]:
    """How far a fold's figures move with the seed, and what the mean of the networks reaches."""
    lines = []
    for other in seeds:
        first = next((fold for fold in folds if fold.card.split == other.card.split), None)
        if first is None:
            continue
        if _with_seed(first, _seed(other)) != other.card.config:
            raise DataError(f"{other.card.split} with another seed is of another recipe too. Move it away.")
        predicted = (first.evaluation.predicted + other.evaluation.predicted) / 2
        both = metrics.summary(predicted, first.evaluation.true)
        rows = [fold.evaluation.metrics()["all"] for fold in (first, other)]
        apart = abs((rows[0]["pearson"] or 0) - (rows[1]["pearson"] or 0))
        lines += [
            "",
            f"{other.card.split} with seed {_seed(other)} in place of {_seed(first)}: {_triple(rows[1:])}; the PC "
            f"differs by {apart:.4f} ({other.card.seconds:.0f} s, commit {other.card.commit}). The mean of the two "
            f"networks: {_triple([both])}.",
        ]
    return lines


def _with_seed(fold: Fold, seed: int) -> object:
    config = fold.card.config
    plan = getattr(config, "training", None)
    return replace(config, training=replace(plan, seed=seed)) if plan else config  # type: ignore[type-var]


def _triple(rows: Sequence[Figures]) -> str:
    """The means of PC, MAE and RMSE in words."""
    means = [float(np.mean([value for row in rows if (value := row[key]) is not None])) for key in FIGURES]
    return "PC {:.4f}, MAE {:.4f}, RMSE {:.4f}".format(*means)


def _duplicates(folds: Sequence[Fold], pairs: Sequence[Pair]) -> list[str]:
    """Figures without the test photos of which the training part holds a copy."""
    copies = [fold.copies(pairs) for fold in folds]
    rows = [row for fold, copied in zip(folds, copies, strict=True) if (row := fold.evaluation.without(set(copied)))]
    mean = f"mean {_triple(rows)}" if rows else "no photo is left"
    listed = [
        f"- {fold.card.split}: " + ", ".join(f"{name} ({copy})" for name, copy in sorted(copied.items()))
        for fold, copied in zip(folds, copies, strict=True)
    ]
    return [
        f"Near-duplicates: {len(pairs)} pairs of photos in the data set are copies of each other "
        f"(`near_duplicates.csv`); {sum(map(len, copies))} test photos have a copy in their training part. "
        f"Without them: {mean}.",
        "",
        *listed,
    ]


def _coverage(folds: Sequence[Fold]) -> list[str]:
    measured, data = coverage(folds), folds[0].evaluation.data
    photos = [(column, np.concatenate([f.evaluation.groups(column) for f in folds])) for column in data.group_columns]
    levels = np.array([data.scale.level(score) for f in folds for score in f.evaluation.predicted])
    parts = [("all", np.ones(len(levels), bool))]
    parts += [(data.group_title(v), values == v) for _, values in photos for v in sorted(set(values.tolist()) - {""})]
    parts += [(f"score given: level {level}", levels == level) for level in sorted(set(levels.tolist()))]
    rows = [
        (title, part.sum(), f"{measured.by_score[part].mean():.1%}", f"{measured.one_width[part].mean():.1%}")
        for title, part in parts
    ]
    return [
        f"Interval for a single score, {LEVEL:.0%}, calibrated on all folds but one and checked on that one, in turn; "
        f"mean half width {measured.half_width:.3f}. Share of labels inside, with a width that depends on the score, "
        "and with one width for all:",
        "",
        table(("Photos", "n", "By score", "One width"), rows),
    ]
