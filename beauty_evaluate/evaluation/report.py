"""Tables and figures of a training, and the results table of README."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from beauty_evaluate.datasets.scut import FOLDS
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.raters.card import Card, load

TITLES = {
    "all": "all",
    "AF": "Asian females (AF)",
    "AM": "Asian males (AM)",
    "CF": "Caucasian females (CF)",
    "CM": "Caucasian males (CM)",
    "drawn": "drawn faces",
    "constant": "constant: the training mean",
}

Triple = tuple[float | None, float | None, float | None]  # PC, MAE, RMSE
Row = tuple[str, str, Triple, str]  # network, what it learnt from before, figures, where they come from

PAPERS = {
    "scut": "Liang et al., ICPR 2018",
    "combo": "Xu and Xiang, ComboLoss, 2020",
    "aanet": "Lin et al., AaNet, IJCAI 2019",
    "scratch": "as found when this project began",
}
# Name, pretraining, figures of the five folds, of the 60/40 split, paper.
PUBLISHED: tuple[tuple[str, str, Triple | None, Triple | None, str], ...] = (
    ("one human rater beside the others", "-", (0.770, None, None), None, "scut"),
    ("the best network from scratch known before", "nothing", None, (0.8276, None, None), "scratch"),
    ("AlexNet", "ImageNet", (0.8634, 0.2651, 0.3481), (0.8298, 0.2938, 0.3819), "scut"),
    ("ResNet-18", "ImageNet", (0.8900, 0.2419, 0.3166), (0.8513, 0.2818, 0.3703), "scut"),
    ("ResNeXt-50", "ImageNet", (0.8997, 0.2291, 0.3017), (0.8777, 0.2518, 0.3325), "scut"),
    ("AaNet", "pretrained", (0.9055, None, None), None, "aanet"),
    ("ComboLoss", "ImageNet", (0.9199, 0.2050, 0.2704), (0.9117, 0.2126, 0.2813), "combo"),
)


# What a page shows by the name of its markers, and where it was written to under benchmarks/.
REPORTS = {
    "folds": "cv/report.md",
    "wild": "wild.md",
    "regions": "explanations/regions.md",
    "proof": "explanations/faithfulness.md",
    "pruned": "pruned.md",
    "scoring": "scoring.md",
    "web": "web.md",
}


def figures_table(figures: dict[str, dict[str, float | None]]) -> str:
    """Metrics by group as a Markdown table."""
    lines = ["| Photos | n | PC | Spearman | MAE | RMSE |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, row in figures.items():
        cells = [cell(row[k]) for k in ("pearson", "spearman", "mae", "rmse")]
        lines.append(f"| {TITLES.get(name, name)} | {row['n']:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(value: float | None) -> str:
    """A figure in a table."""
    return "-" if value is None else f"{value:.4f}"


def published_cards(root: Path) -> list[Card]:
    """Cards of the networks that README compares on the 60/40 split: shipped weights, and rivals of which only the card
    is kept."""
    paths = [*root.glob("weights/*_60-40.json"), *root.glob("benchmarks/cards/*_60-40.json")]
    return [load(str(path)) for path in paths]


def fold_cards(root: Path) -> list[Card]:
    """Cards of the cross-validation, none unless all five folds are there."""
    paths = sorted((root / "benchmarks" / "cv").glob("six_block_fold*.json"))
    return [load(str(path)) for path in paths] if len(paths) == len(FOLDS) else []


def results_table(cards: Sequence[Card]) -> str:
    """Networks on the 60/40 split, worst first: the constant baseline, published ones, ours each with its command."""
    if not cards:
        raise DataError("Expected cards of trained networks. Received: none; train or restore them.")
    if len({card.split for card in cards}) != 1:
        raise DataError("Expected cards of one split: figures of different splits do not compare. Received: others.")
    rows = [_baseline([cards[0]])]
    rows += [(name, before, split, PAPERS[source]) for name, before, _, split, source in PUBLISHED if split]
    rows += [
        (f"**`{c.config.preset}`**, {c.parameters / 1e6:.2f} M parameters", "nothing", _triple([c]), f"`{c.command}`")
        for c in cards
    ]
    return _ranked(rows)


def folds_table(cards: Sequence[Card]) -> str:
    """As `results_table`, for the means over the five official folds."""
    first = cards[0]
    command = first.command.replace(first.split, "cv")
    rows = [_baseline(cards)]
    rows += [(name, before, folds, PAPERS[source]) for name, before, folds, _, source in PUBLISHED if folds]
    title = f"**`{first.config.preset}`**, {first.parameters / 1e6:.2f} M parameters"
    return _ranked([*rows, (title, "nothing", _triple(cards), f"`{command}`")])


def _baseline(cards: Sequence[Card]) -> Row:
    return ("the training mean for everyone", "-", _triple(cards, "constant"), "the row `constant` of `evaluate`")


def _triple(cards: Sequence[Card], row: str = "all") -> Triple:
    """PC, MAE and RMSE, means over cards; None for what does not exist."""
    found = []
    for key in ("pearson", "mae", "rmse"):
        values = [v for card in cards if (v := card.metrics[row][key]) is not None]
        found.append(float(np.mean(values)) if values else None)
    return (found[0], found[1], found[2])


def _ranked(rows: Sequence[Row]) -> str:
    lines = ["| Network | Learnt before on | PC | MAE | RMSE | From |", "| --- | --- | ---: | ---: | ---: | --- |"]
    for name, before, figures, source in sorted(rows, key=lambda row: row[2][0] or 0):
        lines.append(f"| {name} | {before} | {' | '.join(cell(v) for v in figures)} | {source} |")
    return "\n".join(lines)


def update_blocks(page: Path, blocks: dict[str, str]) -> list[str]:
    """Put each text between the markers of its name in a page, `<!-- NAME: written by the program, do not edit -->` and
    `<!-- NAME end -->`. Returns the names that the page has; DataError for none."""
    text, found = page.read_text(encoding="utf-8"), []
    for name, block in blocks.items():
        start, end = f"<!-- {name}: written by the program, do not edit -->", f"<!-- {name} end -->"
        if start in text and end in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n{block.strip()}\n{end}{rest.split(end, 1)[1]}"
            found.append(name)
    if not found:
        raise DataError(f"Expected the markers of a table in {page}. Received: none; restore them.")
    page.write_text(text, encoding="utf-8")
    return found


def written_blocks(root: Path) -> dict[str, str]:
    """What README and MODEL_CARD show: `results` from the cards, the others as they were last reported."""
    cards, folds = published_cards(root), fold_cards(root)
    tables = [f"The official 60/40 split, learnt from {len(cards[0].trained_on)} photos:", results_table(cards)]
    if folds:
        tables += ["The five official folds, learnt from four, tested on the fifth, means of five:", folds_table(folds)]
    blocks = {"results": "\n\n".join(tables)}
    for name, file in REPORTS.items():
        path = root / "benchmarks" / file
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            blocks[name] = "\n".join(line for line in lines if not line.startswith("# "))
    if "regions" in blocks:
        blocks["regions in short"] = blocks["regions"].split("By group")[0]
    return blocks


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
