"""Measure the shipped weights on data sets they have not learnt from, into benchmarks/external/.

Figures on test photos go into the card of the weights that have a test part as well: the page shows them.

Run from a checkout: `python tools/measure_external.py --mebeauty DIR`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from beauty_evaluate.config import ROOT
from beauty_evaluate.datasets import registry
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.evaluation.evaluate import Evaluation, evaluate
from beauty_evaluate.evaluation.looks import log_look
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry as raters
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.tables import evaluation_table, notes
from beauty_evaluate.training.provenance import head_commit

OUT = ROOT / "benchmarks" / "external"
WEIGHTS = (raters.EVALUATED, "six_block_scut_60-40", "six_block_scut")


def measure(data: DataSet, split: str, weights: str, flags: str) -> tuple[str, dict[str, Any]] | None:
    """The table of one evaluation with its command, and its figures for the summary; None for photos learnt from."""
    rater = raters.load(weights, "onnxruntime")
    names = data.split(split).test
    if rater.card.knows(data.title, names):
        return None
    log_look(ROOT / "benchmarks", data.title, f"{split} test", len(names), head_commit(), rater=weights)
    evaluation = evaluate(rater, data, names)
    command = f"python3 -m beauty_evaluate evaluate{flags} --weights {weights}"
    title = f"`{weights}` on the {len(names)} photos of {data.title}, split {split} (`{command}`)"
    missed = (
        f"; {len(evaluation.missed)} could not be scored and count with the training mean" if evaluation.missed else ""
    )
    text = "\n".join([f"{title}{missed}:", "", evaluation_table(evaluation), "", *notes(evaluation, weights)])
    if weights.endswith("_60-40"):
        record(rater.card, data, evaluation)
    row = {
        "photos": f"{data.title}, test photos",
        "n": len(names),
        "weights": weights,
        "pearson": round(evaluation.metrics()["all"]["pearson"] or 0, 4),
        "within_gender": round(evaluation.within("gender"), 4),
        "human": round(data.human_pc or 0, 4),
    }
    return text, row


def record(card: Card, data: DataSet, evaluation: Evaluation) -> None:
    """Write the figures into the card, which the page reads: how well the network does on other people's photos."""
    human = {"human": {"pearson": data.human_pc}}
    cards.write(card, metrics={**card.metrics, data.title: {**evaluation.metrics(), **human}})


def main() -> None:
    """Write external.md and figures.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebeauty", type=Path, required=True, metavar="DIR", help="MEBeauty as released")
    mebeauty = registry.read(parser.parse_args().mebeauty)
    jobs = [(registry.read(), "test", ""), (mebeauty, "2022", " --data MEBeauty")]
    texts, rows = [], []
    for data, split, flags in jobs:
        for weights in WEIGHTS:
            if measured := measure(data, split, weights, flags):
                texts.append(measured[0])
                rows.append(measured[1])
                print(measured[1], flush=True)
    OUT.mkdir(exist_ok=True)
    (OUT / "external.md").write_text("\n\n".join(["# External evaluation", *texts]) + "\n", encoding="utf-8")
    (OUT / "figures.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
