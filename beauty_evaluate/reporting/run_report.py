"""The report of one training in Markdown, with its pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.evaluation_plots import histograms, scatter
from beauty_evaluate.reporting.tables import evaluation_table


def write_run_report(folder: Path, card: Card, history: Sequence[Any], evaluation: Evaluation | None) -> Path:
    """report.md and its pictures in the folder of a run.

    Args:
        folder: Of the run.
        card: Of the trained network.
        history: `Progress` of each epoch.
        evaluation: On the test part, if it was looked at.

    Returns:
        The report.
    """
    _learning_curves(folder / "learning_curves.png", history, card)
    plan, network = (getattr(card.config, key) for key in ("training", "network"))
    lines = [
        f"# {card.name}",
        "",
        f"Network `{network.kind}`, preset `{card.config.preset}`, {card.data}, split {card.split}, "
        f"{plan.epochs} epochs, seed {plan.seed}, {card.precision}; {card.seconds:.0f} s, "
        f"{card.images_per_second:.0f} images/s.",
        "",
        f"Made by `{card.command}`.",
        "",
        "![learning curves](learning_curves.png)",
    ]
    if evaluation is not None:
        scatter(folder / "scatter.png", evaluation)
        histograms(folder / "histograms.png", evaluation)
        lines += ["", evaluation_table(evaluation), ""]
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
    validated = [(p.epoch, p.validation["rmse"] ** 2) for p in history if p.validation]
    if validated:
        axes.plot(*zip(*validated, strict=True), "o-", color="#d55e00", label="validation")
    axes.axhline(card.labels["sd"] ** 2, color="grey", linestyle=":", label="mean baseline")
    axes.set(xlabel="epoch", ylabel="mean squared error, rating points²", title=f"{card.name}: learning curves")
    axes.set_ylim(0)
    axes.legend()
    figure.savefig(path, dpi=120)
