"""The tables of results that README, MODEL_CARD and docs show, and how they get into these pages."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.bench_records import read_bench
from beauty_evaluate.evaluation.published import Triple, read_published, read_withheld
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.bench_tables import bench_markdown
from beauty_evaluate.reporting.tables import MEAN_BASELINE, cell, table

FIGURES = ("pearson", "mae", "rmse")
FOLDS = "folds"  # where published figures are means of the official folds
COMMAND = "python3 -m beauty_evaluate evaluate"
EXTERNAL = Path("external") / "figures.json"
BENCH = Path("bench") / "bench.json"

Row = tuple[str, str, Triple, str]  # network, pretraining, figures, source

# What a page shows by the name of its markers, and where it was written to under benchmarks/.
REPORTS = {
    "folds": "cv_scut/report.md",
    "external": "external/external.md",
    "regions": "explanations/regions.md",
    "faithfulness": "explanations/faithfulness.md",
    "pruned": "pruned.md",
    "scoring": "scoring.md",
    "web": "web.md",
}


def published_cards(root: Path) -> list[Card]:
    """The cards that the tables compare on the 60/40 split.

    Args:
        root: Of a checkout.

    Returns:
        Those of the shipped weights, and of networks of which only the card is kept.
    """
    paths = [*sorted(root.glob("weights/*_60-40.json")), *sorted(root.glob("benchmarks/cards/*_60-40.json"))]
    return [registry.load_card(str(path)) for path in paths]


def fold_cards(root: Path) -> list[Card]:
    """The cards of the cross-validation in `benchmarks/cv_scut/`; none unless all five folds are there."""
    paths = sorted((root / "benchmarks" / "cv_scut").glob("*_fold*.json"))
    return [registry.load_card(str(path)) for path in paths] if len(paths) == 5 else []


def results_table(cards: Sequence[Card]) -> str:
    """Networks on one split, worst first: the mean baseline, published ones, ours each with its command.

    Args:
        cards: Of networks of the same split.

    Raises:
        DataError: No cards, or of several splits.
    """
    if not cards:
        raise DataError("There are no cards of trained networks. Train or restore them.")
    if len({card.split for card in cards}) != 1:
        raise DataError("The cards are of several splits, whose figures do not compare. Name cards of one split.")
    ours = [(_name(card), "nothing", _triple([card]), f"`{card.command}`") for card in cards]
    return _ranked([_baseline([cards[0]]), *_published(cards[0].split), *ours])


def folds_table(cards: Sequence[Card]) -> str:
    """As `results_table`, for the means over the official folds."""
    first = cards[0]
    ours = (_name(first), "nothing", _triple(cards), f"`{first.command.replace(first.split, 'cv')}`")
    return _ranked([_baseline(cards), *_published(FOLDS), ours])


def sources(split: str = "") -> str:
    """The papers behind the published figures, a line each: of one split, or all."""
    papers = dict.fromkeys(r.paper for r in read_published() if not split or split in r.figures)
    return "\n".join(["Sources:", "", *(f"- {paper.full}" for paper in papers)])


def external_summary(root: Path) -> str:
    """A short table of how the shipped weights fare on each data set, beside one human rater.

    Args:
        root: Of a checkout, with `benchmarks/external/figures.json`.
    """
    rows: list[Sequence[object]] = []
    for card in published_cards(root):
        if not (root / "weights" / f"{card.name}.json").exists():
            continue
        figures = _triple([card])
        human = next(r.figures[FOLDS][0] for r in read_published() if r.name == "one human rater")
        tested = card.metrics[card.data]["all"]["n"]
        rows.append(
            (f"{card.data}, test photos", f"{tested:.0f}", f"`{card.name}`", cell(figures[0], 3), cell(human, 3))
        )
    measured = json.loads((root / "benchmarks" / EXTERNAL).read_text(encoding="utf-8"))
    for row in [*measured, *read_withheld()]:
        rows.append((row["photos"], row["n"], f"`{row['weights']}`", cell(row["pearson"], 3), cell(row["human"], 3)))
    return table(("Photos", "n", "Weights", "PC", "One human rater"), rows)


def _name(card: Card) -> str:
    return f"**`{card.config.preset}`**, {card.parameters / 1e6:.2f} M parameters"


def _published(split: str) -> list[Row]:
    results = [result for result in read_published() if split in result.figures]
    return [(r.name, r.pretraining, r.figures[split], r.paper.short) for r in results]


def _baseline(cards: Sequence[Card]) -> Row:
    return (MEAN_BASELINE, "-", _triple(cards, "mean_baseline"), f"`{COMMAND}`")


def _triple(cards: Sequence[Card], row: str = "all") -> Triple:
    """PC, MAE and RMSE, means over cards; None for what does not exist."""
    means: list[float | None] = []
    for key in FIGURES:
        values = [value for card in cards if (value := card.metrics[card.data][row][key]) is not None]
        means.append(float(np.mean(values)) if values else None)
    return (means[0], means[1], means[2])


def _ranked(rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda row: row[2][0] or 0)
    cells = [(name, before, source, *map(cell, figures)) for name, before, figures, source in ordered]
    return table(("Network", "Pretrained on", "Source", "PC", "MAE", "RMSE"), cells, left=3)


def update_blocks(page: Path, blocks: dict[str, str]) -> list[str]:
    """Put each text between the markers of its name in a page.

    The markers are `<!-- NAME: written by the program, do not edit -->` and `<!-- NAME end -->`.

    Args:
        page: A Markdown file.
        blocks: Texts by name.

    Returns:
        The names that the page has.

    Raises:
        DataError: The page has none of these markers.
    """
    text, names = page.read_text(encoding="utf-8"), []
    for name, block in blocks.items():
        start, end = f"<!-- {name}: written by the program, do not edit -->", f"<!-- {name} end -->"
        if start in text and end in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}\n{block.strip()}\n{end}{rest.split(end, 1)[1]}"
            names.append(name)
    if not names:
        raise DataError(f"{page} has no markers of a table. Restore them.")
    page.write_text(text, encoding="utf-8")
    return names


def written_blocks(root: Path) -> dict[str, str]:
    """What the pages show: results from the cards, the others as they were last reported.

    Args:
        root: Of a checkout.

    Returns:
        Markdown by the name of its markers.
    """
    cards, folds = published_cards(root), fold_cards(root)
    (learnt,) = {len(card.trained_on[0].photos) for card in cards}
    tables = [
        f"The test part of the official 60/40 split, learnt from its other {learnt} photos (`six_block`: from "
        "MEBeauty's training list as well):",
        results_table(cards),
    ]
    if folds:
        tables += ["The five official folds, learnt from four, tested on the fifth, means of five:", folds_table(folds)]
    blocks = {"results": "\n\n".join(tables), "sources": sources()}
    for name, file in REPORTS.items():
        path = root / "benchmarks" / file
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            blocks[name] = "\n".join(line for line in lines if not line.startswith("# "))
    if (root / "benchmarks" / BENCH).exists():
        blocks["bench"] = bench_markdown(read_bench(root / "benchmarks" / BENCH), level=3)
    if (root / "benchmarks" / EXTERNAL).exists():
        blocks["external in short"] = external_summary(root)
    if "regions" in blocks:
        blocks["regions in short"] = blocks["regions"].split("By group")[0]
    return blocks
