"""A cross-validation told from what its folds left: cards, predictions, and the data set's labels."""

import csv
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.datasets import scut
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.splits import FOLDS, official
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.duplicates import Pair
from beauty_evaluate.evaluation.evaluate import Evaluation, assert_no_leakage
from beauty_evaluate.evaluation.interval import BINS, LEVEL, Interval, calibrate, covered
from beauty_evaluate.evaluation.report import cell, folds_table
from beauty_evaluate.raters.card import Card, load
from beauty_evaluate.reporting.data_report import level

FIGURES = ("pearson", "mae", "rmse")
ROUNDED = 1e-4  # by which the PC of predictions with four decimals may differ from the card's
LEAST = 100  # photos of a fold below which an interval is not worth calibrating


@dataclass(frozen=True)
class Fold:
    """One finished fold: its card, and its predictions beside the labels. single: those of the crop alone, without its
    mirror image, where they were kept."""

    card: Card
    found: Evaluation
    single: Evaluation | None = None


def read_folds(folder: Path, root: Path, data: DataSet) -> list[Fold]:
    """The finished folds in `folder`, in order. root: the data set's folder, for the official lists.

    DataError if there is none, if predictions are not of the fold's test photos or not those of its card, if its
    network has learnt from one of these, or if recipes differ.
    """
    folds = []
    for path in sorted(folder.glob("*_fold[1-5].json"), key=lambda path: path.stem[-5:]):
        name = path.stem[-5:]
        card, test = load(str(path)), official(root, data, name).test
        assert_no_leakage(card, test)
        found = _predictions(path.with_suffix(".csv"), card, data, test)
        told, own = card.metrics["all"]["pearson"], found.figures()["all"]["pearson"]
        if card.split != name or told is None or own is None or abs(told - own) > ROUNDED:
            raise DataError(
                f"Expected {path.stem}.csv to give the PC of its card for {name}. Received: {own}, not {told}."
            )
        single = path.with_name(f"{path.stem}_single.csv")
        folds.append(Fold(card, found, _predictions(single, card, data, test) if single.exists() else None))
    if not folds:
        raise DataError(f"Expected cards of folds in {folder}. Received: none; train with --split cv.")
    if len({fold.card.config for fold in folds}) != 1:
        raise DataError(f"Expected folds of one recipe in {folder}. Received: several.")
    return folds


def _predictions(path: Path, card: Card, data: DataSet, test: tuple[str, ...]) -> Evaluation:
    scores = _read_predictions(path)
    if tuple(sorted(scores)) != test:
        raise DataError(f"Expected the {len(test)} test photos of {card.split} in {path.name}. Received: others.")
    samples = [data.samples[n] for n in test]
    return Evaluation(
        test, tuple(s.group for s in samples), np.array([scores[n] for n in test]),
        np.array([s.score for s in samples], np.float64), card.labels["mean"], (), (),
    )  # fmt: skip


def _read_predictions(path: Path) -> dict[str, float]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {row["file"]: float(row["score"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"Expected file names and scores in {path}. Received: something else ({error}).") from error


def report(
    folds: Sequence[Fold], pairs: Sequence[Pair], seeds: Sequence[Fold] = (), selection_set: Set[str] = frozenset()
) -> str:
    """The whole report in Markdown. pairs: near-duplicates of the data set. seeds: folds trained once more with another
    seed. selection_set: the photos on which the recipe was chosen."""
    cards = [fold.card for fold in folds]
    plan = cards[0].config.training
    lines = [
        f"# Cross-validation of `{cards[0].config.preset}`",
        "",
        f"The official folds of {cards[0].data}: {len(folds)} of {len(FOLDS)} done, one network each, "
        f"{plan.epochs} epochs of {plan.views_per_epoch} view{'s' * (plan.views_per_epoch > 1)} of each photo "
        f"({plan.epochs * plan.views_per_epoch} in all), the running average of the weights at the end. "
        "Figures come from the predictions in `benchmarks/cv/` and the labels; the whole recipe stands in the cards "
        "there. The "
        "precision is the faster one of the machine that trained the fold.",
        "",
        "| Fold | Learnt from | Tested on | PC | MAE | RMSE | Seed | Precision | Commit | Seconds | Images/s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: |",
    ]
    for fold in folds:
        card, row = fold.card, fold.found.figures()["all"]
        lines.append(
            f"| {card.split} | {len(card.trained_on)} | {row['n']:.0f} | {_cells(row)} | {card.config.training.seed} | "
            f"{card.precision} | {card.commit} | {card.seconds:.0f} | {card.images_per_second:.0f} |"
        )
    lines += [*_mean_rows(folds), "", *_interval_of_pc(folds), *_without_mirror(folds), *_chosen(folds, selection_set)]
    lines += [*_other_seeds(folds, seeds), "", *_duplicates(folds, pairs)]
    if len(folds) == len(FOLDS):
        lines += ["", "Beside others, as published:", "", folds_table(cards)]
    if len(folds) == len(FOLDS) and min(len(f.found.true) for f in folds) >= LEAST:
        lines += ["", *_coverage(folds)]
    return "\n".join(lines) + "\n"


def calibration_figure(path: Path, folds: Sequence[Fold]) -> None:
    """Held-out scores in ten equal parts: the mean label of each, and between which labels nine tenths of it lie."""
    predicted = np.concatenate([f.found.predicted for f in folds])
    true = np.concatenate([f.found.true for f in folds])
    parts = np.array_split(np.argsort(predicted), 10)
    given = [predicted[part].mean() for part in parts]
    low, high = np.array([np.quantile(true[part], [0.05, 0.95]) for part in parts]).T
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(given, low, high, color="#0072b2", alpha=0.2, label="nine tenths of the labels")
    axes.plot(given, [true[part].mean() for part in parts], "o-", color="#0072b2", label="mean label")
    axes.plot([1, 5], [1, 5], color="black", linewidth=0.8, label="score = label")
    axes.set(xlim=(1, 5), ylim=(1, 5), xlabel="score of the network", ylabel="mean of the raters", aspect="equal")
    axes.set_title(f"{len(true)} photos, each held out of its network")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=100)


def _cells(row: dict[str, float | None]) -> str:
    return " | ".join(cell(row[k]) for k in FIGURES)


def _mean_rows(folds: Sequence[Fold]) -> list[str]:
    """Mean and SD over folds, for all, the groups and the constant."""
    lines = []
    figures = [fold.found.figures() for fold in folds]
    for name in figures[0]:
        cells = []
        for key in FIGURES:
            values = [v for f in figures if name in f and (v := f[name][key]) is not None]
            spread = f" ± {np.std(values, ddof=1):.4f}" if name == "all" and len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if values else "-")
        title = {"all": "**mean ± SD**", "constant": "the training mean for everyone"}.get(name, f"mean, {name}")
        lines.append(f"| {title} | | | {' | '.join(cells)} | | | | | |")
    return lines


def _interval_of_pc(folds: Sequence[Fold]) -> list[str]:
    parts = np.concatenate([np.full(len(f.found.true), i) for i, f in enumerate(folds)])
    predicted = np.concatenate([f.found.predicted for f in folds])
    true = np.concatenate([f.found.true for f in folds])
    low, high = metrics.bootstrap_pearson(predicted, true, parts=parts)
    return [f"95 % interval of the mean PC (bootstrap over the photos of each fold): {low:.4f} .. {high:.4f}."]


def _without_mirror(folds: Sequence[Fold]) -> list[str]:
    rows = [fold.single.figures()["all"] for fold in folds if fold.single]
    if len(rows) < len(folds):
        return []
    return ["", f"A score is the mean over the crop and its mirror image. Of the crop alone: mean {_triple(rows)}."]


def _chosen(folds: Sequence[Fold], selection_set: Set[str]) -> list[str]:
    """Figures without the photos on which the recipe was chosen."""
    counts = [len(selection_set & set(fold.found.names)) for fold in folds]
    rows = [row for fold in folds if (row := fold.found.without(selection_set))]
    if not any(counts) or not rows:
        return []
    listed = ", ".join(f"{fold.card.split}: {count}" for fold, count in zip(folds, counts, strict=True))
    return [
        "",
        f"The recipe was chosen on {len(selection_set)} photos of the training part of fold 1 "
        "(`benchmarks/validation.txt`), "
        f"which are test photos of other folds ({listed}). Without them: mean {_triple(rows)}.",
    ]


def _other_seeds(folds: Sequence[Fold], seeds: Sequence[Fold]) -> list[str]:
    """How far a fold's figures move with the seed, and what the mean of the networks reaches."""
    lines = []
    for other in seeds:
        first = next((fold for fold in folds if fold.card.split == other.card.split), None)
        if first is None:
            continue
        seed = other.card.config.training.seed
        config = replace(first.card.config, training=replace(first.card.config.training, seed=seed))
        if config != other.card.config:
            raise DataError(f"Expected {other.card.split} of the same recipe but for the seed. Received: another.")
        both = metrics.summary((first.found.predicted + other.found.predicted) / 2, first.found.true)
        rows = [first.found.figures()["all"], other.found.figures()["all"]]
        assert rows[0]["pearson"] is not None
        assert rows[1]["pearson"] is not None
        apart = abs(rows[0]["pearson"] - rows[1]["pearson"])
        lines += [
            "",
            f"{other.card.split} with seed {seed} in place of {first.card.config.training.seed}: {_triple(rows[1:])}; "
            f"the PC differs by {apart:.4f} ({other.card.seconds:.0f} s, commit {other.card.commit}). The mean of the "
            f"two networks: {_triple([both])}.",
        ]
    return lines


def _triple(rows: Sequence[Mapping[str, float | None]]) -> str:
    """The means of PC, MAE and RMSE in words."""
    means = [float(np.mean([v for row in rows if (v := row[key]) is not None])) for key in FIGURES]
    return "PC {:.4f}, MAE {:.4f}, RMSE {:.4f}".format(*means)


def _duplicates(folds: Sequence[Fold], pairs: Sequence[Pair]) -> list[str]:
    """Figures without the test photos of which the training part holds a copy."""
    rows, named, count = [], [], 0
    for fold in folds:
        found = fold.found
        known = set(fold.card.trained_on)
        copies = {}
        for pair in pairs:
            for a, b in ((pair.first, pair.second), (pair.second, pair.first)):
                if a in found.names and b in known:
                    copies[a] = b
        count += len(copies)
        rows += [row] if (row := fold.found.without(set(copies))) else []
        named += [f"{fold.card.split}: " + ", ".join(f"{a} ({b})" for a, b in sorted(copies.items()))]
    mean = _triple(rows) if rows else "no photo is left"
    return [
        f"Near-duplicates: {len(pairs)} pairs of photos in the data set are copies of each other "
        f"(`benchmarks/cv/near_duplicates.csv`); {count} test photos have a copy in their training part. "
        f"Without them: mean {mean}.",
        "",
        *(f"- {line}" for line in named),
    ]


def residual_interval(folds: Sequence[Fold], card: Card) -> Interval:
    """The interval for a single score of `card`'s network, from all held-out scores of a whole cross-validation.

    DataError if folds are missing, or if the network was made by another recipe or from fewer photos.
    """
    if len(folds) != len(FOLDS) or folds[0].card.config != card.config or card.split != "all":
        raise DataError(
            f"Expected a network of all photos, and {len(FOLDS)} folds of its recipe. Received: {card.name}, and "
            f"{len(folds)} folds of {folds[0].card.config.preset}."
        )
    return calibrate(np.concatenate([f.found.predicted for f in folds]), np.concatenate([f.found.true for f in folds]))


def _coverage(folds: Sequence[Fold]) -> list[str]:
    """Coverage of the interval, calibrated on four folds and checked on the fifth, in turn."""
    inside: dict[str, list[NDArray[np.bool_]]] = {"by score": [], "constant": []}
    widths = []
    for held in folds:
        rest = [f.found for f in folds if f is not held]
        predicted, true = (np.concatenate([getattr(r, k) for r in rest]) for k in ("predicted", "true"))
        for name, bins in (("by score", BINS), ("constant", 1)):
            made = calibrate(predicted, true, bins=bins)
            inside[name].append(covered(made, held.found.predicted, held.found.true))
            if bins == BINS:
                widths.append(made.width(held.found.predicted))
    hit = {name: np.concatenate(parts) for name, parts in inside.items()}
    groups = np.concatenate([f.found.groups for f in folds])
    given = np.array([level(p) for f in folds for p in f.found.predicted])
    rows = [("all", np.ones(len(groups), bool)), *((scut.GROUPS[g], groups == g) for g in sorted(set(groups)))]
    rows += [(f"score given: level {k}", given == k) for k in sorted(set(given.tolist()))]
    lines = [
        f"Interval for a single score, {LEVEL:.0%}, calibrated on four folds and checked on the fifth, in turn; mean "
        f"half width {np.concatenate(widths).mean():.3f}. Share of labels inside, with a width that depends on the "
        "score, and with one width for all:",
        "",
        "| Photos | n | By score | One width |",
        "| --- | ---: | ---: | ---: |",
    ]
    return lines + [
        f"| {title} | {own.sum()} | {hit['by score'][own].mean():.1%} | {hit['constant'][own].mean():.1%} |"
        for title, own in rows
    ]
