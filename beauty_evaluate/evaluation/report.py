"""Tables and figures of a training, and the results table of README."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.models.card import Card, load

START, END = "<!-- results: written by the program, do not edit -->", "<!-- results end -->"
TITLES = {
    "all": "all",
    "AF": "Asian females (AF)",
    "AM": "Asian males (AM)",
    "CF": "Caucasian females (CF)",
    "CM": "Caucasian males (CM)",
    "drawn": "drawn faces",
    "constant": "constant: the training mean",
}


def figures_table(figures: dict[str, dict[str, float | None]]) -> str:
    """Metrics by group as a Markdown table."""
    lines = ["| Photos | n | PC | Spearman | MAE | RMSE |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, row in figures.items():
        cells = [_cell(row[k]) for k in ("pearson", "spearman", "mae", "rmse")]
        lines.append(f"| {TITLES.get(name, name)} | {row['n']:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def published_cards(root: Path) -> list[Card]:
    """Cards of the networks that README compares, worst first: shipped weights, and rivals of which only the card is
    kept."""
    paths = [*root.glob("weights/*_60-40.json"), *root.glob("benchmarks/cards/*_60-40.json")]
    return sorted((load(str(path)) for path in paths), key=lambda card: card.metrics["all"]["pearson"] or 0)


def results_table(cards: Sequence[Card]) -> str:
    """One row for each card on the same split, the constant baseline first, each with its command."""
    if not cards:
        raise DataError("Expected cards of trained networks. Received: none; train or restore them.")
    if len({card.split for card in cards}) != 1:
        raise DataError("Expected cards of one split: figures of different splits do not compare. Received: others.")
    lines = [
        "| Network | Parameters | Learnt from | Tested on | PC | MAE | RMSE | Made by |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    rows = [("the training mean for everyone", "constant", cards[0], "-", "the row `constant` of `evaluate`")]
    rows += [(f"`{c.config.preset}`", "all", c, f"{c.parameters / 1e6:.2f} M", f"`{c.command}`") for c in cards]
    for title, key, card, size, command in rows:
        row = card.metrics[key]
        cells = " | ".join(_cell(row[k]) for k in ("pearson", "mae", "rmse"))
        lines.append(f"| {title} | {size} | {len(card.trained_on)} | {row['n']:.0f} | {cells} | {command} |")
    return "\n".join(lines)


def update_readme(readme: Path, cards: Sequence[Card]) -> None:
    """Put the results table of these cards between the markers of README. DataError if they are not there."""
    text = readme.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise DataError(f"Expected the markers of the results table in {readme}. Received: none; restore them.")
    before, rest = text.split(START, 1)
    after = rest.split(END, 1)[1]
    readme.write_text(f"{before}{START}\n{results_table(cards)}\n{END}{after}", encoding="utf-8")


def write_run_report(folder: Path, card: Card, history: Sequence[Any], evaluation: Evaluation | None) -> Path:
    """report.md and its pictures in the folder of a run. history: `Progress` of each epoch. Returns the report."""
    _learning_curves(folder / "learning_curves.png", history, card)
    plan = card.config.training
    lines = [
        f"# {card.name}",
        "",
        f"Network `{card.config.network.kind}`, preset `{card.config.preset}`, {card.data}, split {card.split}, "
        f"{plan.epochs} epochs, seed {plan.seed}, {card.precision}; {card.seconds:.0f} s, "
        f"{card.images_per_second:.0f} images/s.",
        "",
        f"Made by `{card.command}`.",
        "",
        "![learning curves](learning_curves.png)",
    ]
    if evaluation is not None:
        _scatter(folder / "scatter.png", evaluation)
        _histograms(folder / "histograms.png", evaluation)
        lines += ["", figures_table(card.metrics), ""]
        lines += [f"{len(evaluation.missed)} photos that gave no crop got the training mean."]
        lines += [f"- {problem}" for problem in evaluation.problems]
        lines += ["", "![predicted against true](scatter.png)", "", "![histograms](histograms.png)"]
    path = folder / "report.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _learning_curves(path: Path, history: Sequence[Any], card: Card) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    epochs = [p.epoch for p in history]
    axes.plot(epochs, [p.loss for p in history], color="#0072b2", label="training (augmented, mixed pictures)")
    seen = [(p.epoch, p.validation["rmse"] ** 2) for p in history if p.validation]
    if seen:
        axes.plot(*zip(*seen, strict=True), "o-", color="#d55e00", label="held back")
    axes.axhline(card.labels["sd"] ** 2, color="grey", linestyle=":", label="constant: the training mean")
    axes.set(xlabel="epoch", ylabel="mean squared error, rating points²", title=f"{card.name}: learning curves")
    axes.set_ylim(0)
    axes.legend()
    figure.savefig(path, dpi=120)


def _scatter(path: Path, evaluation: Evaluation) -> None:
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    axes = figure.subplots()
    colours = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#666666")
    for colour, group in zip(colours, sorted(set(evaluation.groups)), strict=False):
        own = np.array([g == group for g in evaluation.groups])
        axes.scatter(evaluation.true[own], evaluation.predicted[own], s=6, alpha=0.6, color=colour, label=group)
    axes.plot([1, 5], [1, 5], color="black", linewidth=0.8)
    axes.set(xlim=(1, 5), ylim=(1, 5), xlabel="mean of the raters", ylabel="network", title="Predicted against true")
    axes.set_aspect("equal")
    axes.legend(markerscale=2)
    figure.savefig(path, dpi=120)


def _histograms(path: Path, evaluation: Evaluation) -> None:
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(1, 5, 41).tolist()
    axes.hist(evaluation.true, bins, alpha=0.6, color="#0072b2", label="mean of the raters")
    axes.hist(evaluation.predicted, bins, alpha=0.6, color="#e69f00", label="network")
    axes.set(xlabel="score", ylabel="photos", title="Scores given")
    axes.legend()
    figure.savefig(path, dpi=120)
