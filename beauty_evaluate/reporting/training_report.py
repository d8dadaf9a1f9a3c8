"""The report of a training: report.md and report.html with curves, a scatter plot and histograms. And of a pruning."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from beauty_evaluate.config import Config
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.evaluation_plots import histograms, scatter
from beauty_evaluate.reporting.html import render
from beauty_evaluate.reporting.tables import cell, evaluation_table, table
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.job import TrainingRun
from beauty_evaluate.training.prune_job import ROUNDS, PruneRun

BLUE, ORANGE = "#0072b2", "#d55e00"
MOST_PROBLEMS = 50  # lines on a page; the Markdown has them all
CURVES = "learning_curves.png"

Picture = tuple[Path, str]
"""A file and what it shows."""


def write_training_report(run: TrainingRun, command: str = "") -> tuple[Path, Path]:
    """Write report.md, report.html and their pictures into the folder of a run.

    Args:
        run: the training.
        command: to type next, for both.

    Returns:
        The paths of the Markdown and of the page.
    """
    if run.history:
        draw_learning_curves(run.out / CURVES, run.history, run.card, run.held_out)
    pictures = {title: _pictures(run, title) for title in run.evaluations}
    tables = {title: evaluation_table(evaluation) for title, evaluation in run.evaluations.items()}
    markdown, page = run.out / "report.md", run.out / "report.html"
    markdown.write_text(_markdown(run, tables, pictures, command), encoding="utf-8")
    page.write_text(_page(run, tables, pictures, command), encoding="utf-8")
    return markdown, page


def results_text(run: TrainingRun) -> str:
    """The tables of a training's results, for a terminal and for Markdown; a sentence if nothing was held back."""
    if not run.evaluations:
        return f"The split {run.card.split} has no test part: nothing was measured."
    parts = [f"{title}:\n\n{evaluation_table(evaluation)}" for title, evaluation in run.evaluations.items()]
    return "\n\n".join(parts)


def draw_learning_curves(path: Path, history: Sequence[Progress], card: Card, held_out: int) -> None:
    """Draw the training error, and the held-out one where there is one, beside that of the mean baseline.

    Args:
        path: of the PNG file.
        history: of each epoch.
        card: of the rater.
        held_out: photos behind the held-out curve.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    style = "-" if len(history) > 1 else "o"
    axes.plot([p.epoch for p in history], [p.loss for p in history], style, color=BLUE,
              label="training (augmented, mixed photos)")  # fmt: skip
    looks = [(p.epoch, p.validation["rmse"] ** 2) for p in history if p.validation]
    if looks:
        axes.plot(*zip(*looks, strict=True), "o-", color=ORANGE, markersize=3, label=f"held out ({held_out} photos)")
    axes.axhline(card.labels["sd"] ** 2, color="grey", linestyle=":", label="mean baseline")
    axes.set(xlabel="epoch", ylabel="mean squared error, rating points²", title=f"{card.name}: learning curves")
    axes.set_ylim(0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    figure.savefig(path, dpi=120)


def _pictures(run: TrainingRun, title: str) -> list[Picture]:
    """Draw the pictures of one test part."""
    suffix = "" if len(run.evaluations) == 1 else "_" + re.sub(r"[^\w.-]+", "_", title)
    evaluation = run.evaluations[title]
    paths = [run.out / f"{name}{suffix}.png" for name in ("scatter", "histograms")]
    scatter(paths[0], evaluation)
    histograms(paths[1], evaluation)
    return [(paths[0], "predicted against true"), (paths[1], "scores given by raters and network")]


def _facts(card: Card) -> list[str]:
    """What was trained, in a few lines."""
    if isinstance(card.config, Config):
        plan = card.config.training
        lines = [
            f"Network `{card.config.network.kind}`, preset `{card.config.preset}`, {card.parameters:,} parameters, "
            f"{plan.epochs} epochs, seed {plan.seed}, {card.precision}; {card.seconds:.0f} s, "
            f"{card.images_per_second:.0f} images/s.",
        ]
    else:
        lines = [
            f"Rater of the family `{card.config.family}`, preset `{card.config.preset}`, {card.parameters:,} "
            f"parameters; {card.seconds:.0f} s."
        ]
    for part in card.trained_on:
        line, count = part.map, part.labels.get("n", len(part.photos))
        text = f"Learnt from {part.data_set}, split {part.split}: {count:.0f} photos rated {part.scale}"
        changed = (line.slope, line.offset) != (1, 0)
        lines.append(text + (f", mapped by {line.slope:.3f} score {line.offset:+.3f}." if changed else "."))
    if card.started_from:
        lines.append(f"Begun with the weights of {card.started_from}.")
    if card.command:
        lines.append(f"Made by `{card.command}`.")
    return lines


def _curve_note(run: TrainingRun) -> str:
    if run.held_out:
        return f"{run.held_out} training photos were held back for the second curve; nothing was chosen by them."
    return "No photo was held back for a second curve: `--val` holds back a tenth of the training part."


def _markdown(run: TrainingRun, tables: dict[str, str], pictures: dict[str, list[Picture]], command: str) -> str:
    lines = [f"# {run.card.name}", ""]
    for fact in _facts(run.card):
        lines += [fact, ""]
    lines += [f"![learning curves]({CURVES})", "", _curve_note(run), ""] if run.history else []
    for title, text in tables.items():
        missed = len(run.evaluations[title].missed)
        lines += [
            f"## {title}, test part",
            "",
            text,
            "",
            f"{missed} photos without a crop got the training mean.",
            "",
        ]
        lines += [part for path, caption in pictures[title] for part in (f"![{caption}]({path.name})", "")]
    if command:
        lines += ["Score a photo:", "", f"    {command}", ""]
    problems = _problems(run)
    lines += ["## Problems", "", *(f"- {problem}" for problem in problems)] if problems else []
    return "\n".join(lines).rstrip() + "\n"


def _problems(run: TrainingRun) -> list[str]:
    return [*run.problems, *(problem for evaluation in run.evaluations.values() for problem in evaluation.problems)]


def _page(run: TrainingRun, tables: dict[str, str], pictures: dict[str, list[Picture]], command: str) -> str:
    problems = _problems(run)
    return render(
        "training.html",
        title=run.card.name,
        facts=[fact.replace("`", "") for fact in _facts(run.card)],
        curves=_inside(run.out / CURVES) if run.history else "",
        note=_curve_note(run).replace("`", ""),
        parts=[
            {
                "title": title,
                "table": _cells(tables[title]),
                "missed": len(run.evaluations[title].missed),
                "pictures": [(_inside(path), caption) for path, caption in pictures[title]],
            }
            for title in tables
        ],
        command=command,
        problems=problems[:MOST_PROBLEMS],
        more=max(0, len(problems) - MOST_PROBLEMS),
    )


def _inside(path: Path) -> str:
    """A picture as text, so that the page is one file."""
    return base64.b64encode(path.read_bytes()).decode()


def _cells(markdown: str) -> list[list[str]]:
    """The rows of a Markdown table, the header first."""
    rows = [[text.strip() for text in line.strip("|").split("|")] for line in markdown.splitlines()]
    return [rows[0], *rows[2:]]


def pruning_text(run: PruneRun) -> str:
    """Size, speed and accuracy of a network before and after pruning as a Markdown table, and how well they agree."""
    cards, comparison = (run.before, run.card), run.comparison
    rows: list[tuple[Any, ...]] = [
        ("parameters", *(f"{card.parameters:,}" for card in cards)),
        ("ONNX file, MB", *(f"{size / 1e6:.2f}" for size in comparison.bytes)),
        ("ms a face (median)", *(f"{value:.1f}" for value in comparison.milliseconds)),
    ]
    for title in run.evaluations:
        figures = [card.metrics.get(title, {}).get("all", {}) for card in cards]
        rows += [(key, *(cell(f.get(name)) for f in figures)) for key, name in (("PC", "pearson"), ("MAE", "mae"))]
    return "\n".join(
        [
            table(("", run.before.name, run.card.name), rows),
            "",
            f"{comparison.speed:.2f} times as fast (median over {ROUNDS} pairs of runs). On {comparison.photos} photos "
            f"learnt from but not used here, the two correlate {cell(comparison.pearson)} and differ by "
            f"{cell(comparison.difference)} on average.",
        ]
    )


def write_pruning_report(run: PruneRun) -> Path:
    """Write `pruning_text` into report.md beside the card. Returns its path."""
    path = run.card.folder / "report.md"
    path.write_text(pruning_text(run) + "\n", encoding="utf-8")
    return path
