"""The faithfulness evaluation in Markdown and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.datasets import synthetic
from beauty_evaluate.explain.faithfulness import CONTROLS, GRID, Verdict
from beauty_evaluate.explain.faithfulness_evaluation import FaithfulnessEvaluation
from beauty_evaluate.explain.ground_truth import (
    CLEAR_MARGIN_POINTS,
    DONORS,
    MIN_CLEAR_FACES,
    REGIONS,
    REQUIRED_SHARE,
    GroundTruth,
)
from beauty_evaluate.explain.randomization import MAX_CORRELATION, ParameterRandomization
from beauty_evaluate.metrics import mae, pearson
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.tables import table


def write_faithfulness_report(
    out: Path, card: Card, result: FaithfulnessEvaluation | GroundTruth, photos: str, seconds: float
) -> str:
    """Write faithfulness.md and faithfulness.json.

    Args:
        out: a folder, made where it is not there.
        card: of the rater.
        result: of the evaluation.
        photos: which photos they were, for the first sentence.
        seconds: that it took.

    Returns:
        The text.
    """
    if isinstance(result, GroundTruth):
        text, facts = ground_truth_markdown(result), _truth_facts(result)
    else:
        head = f"{len(result.photos)} photos of {photos}, drawn at random; {result.skipped} more gave no crop."
        text, facts = f"{head} {faithfulness_markdown(result)}", _facts(result)
    digest = card.artifacts["keras"].sha256 if "keras" in card.artifacts else ""
    facts = {"weights": card.name, "sha256": digest, "seconds": round(seconds), **facts}
    out.mkdir(parents=True, exist_ok=True)
    title = f"# Are the explanations of {card.name} faithful?"
    (out / "faithfulness.md").write_text(f"{title}\n\n{text}\n", encoding="utf-8")
    (out / "faithfulness.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return text


def _facts(result: FaithfulnessEvaluation) -> dict[str, Any]:
    return {
        "photos": result.photos,
        "maps": result.maps,
        "measured": [asdict(verdict) for verdict in result.verdicts],
        "randomization": {name: asdict(values) for name, values in result.randomization.items()},
    }


def _truth_facts(truth: GroundTruth) -> dict[str, Any]:
    rows = {title: {"n": n, "first": first, "eyes": eyes} for title, (n, first, eyes) in truth.rows().items()}
    return {"faces": truth.drawn, "first": rows}


def faithfulness_markdown(result: FaithfulnessEvaluation) -> str:
    """The tables of an evaluation."""
    maps = result.maps
    cells = [(v.name, v.deletion_score, v.fidelity, maps.get(v.name, "control")) for v in result.verdicts]
    tested = [verdict for verdict in result.verdicts if verdict.name in maps]
    parts = [
        "Deletion score: rating points between deleting first what raises the score and deleting first what lowers it. "
        "Fidelity: correlation of what a map says of random parts of the face with what the score loses without them. "
        f"Cells of a {GRID} x {GRID} grid are replaced by the mean colour around their region. Intervals: 95 %, "
        "bootstrap over photos. A map passes if both lie above those of every control.",
        table(("Map", "Deletion score", "Fidelity", "Verdict"), cells),
        "How far a map is ahead of each control, paired by photo: deletion score; fidelity.",
        _margin_table(tested),
    ]
    if result.randomization:
        parts += _randomization_parts(result.randomization)
    return "\n\n".join(parts)


def _margin_table(verdicts: Sequence[Verdict]) -> str:
    cells = [
        (verdict.name, *(f"{deletion}; {fidelity}" for deletion, fidelity in verdict.margin_over_controls.values()))
        for verdict in verdicts
    ]
    return table(("Map", *CONTROLS), cells)


def _randomization_parts(randomization: Mapping[str, ParameterRandomization]) -> list[str]:
    names = max((list(result.layers) for result in randomization.values()), key=len)
    cells = []
    for name, result in randomization.items():
        steps = [f"{result.layers[layer].value:.2f}" if layer in result.layers else "" for layer in names[:-1]]
        sizes = (result.layers[names[-1]], f"{result.magnitude:.2f}", f"{result.chance:.2f}")
        cells.append((name, *steps, *sizes, "yes" if result.passed else "no"))
    return [
        "Rank correlation of a map with the original after the weights were randomized from the score down to a layer, "
        f"mean over faces. After the last, with all weights random, it must be below {MAX_CORRELATION} either way, and "
        f"its size, sign left out, less than {MAX_CORRELATION} above what values in random order would give.",
        table(("Map", *names, "Size", "By chance", "Fades"), cells),
    ]


def ground_truth_markdown(truth: GroundTruth) -> str:
    """What came first how often, and how well the effects follow the rule's."""
    shares = [(title, n, f"{first:.1%}", f"{eyes:.1%}") for title, (n, first, eyes) in truth.rows().items()]
    return "\n\n".join(
        [
            f"{truth.drawn} synthetic faces that no training has seen; score = 3 + {synthetic.EYES} eye size + "
            f"{synthetic.JAW} jaw width, and nothing else. Each region is replaced by that of {DONORS} other faces; "
            "then the effects by the rule are known. The question: is the region with the largest effect in the rater "
            "that of the rule, and does it move the score the same way? Clear faces are those on which the rule sets "
            f"one region {CLEAR_MARGIN_POINTS} points or more before all others; {REQUIRED_SHARE:.0%} is required "
            "there. The eyes drive most faces, so always saying `eyes` does well: more faces were drawn until the jaw "
            f"clearly drives {MIN_CLEAR_FACES} too.",
            table(("Faces", "n", "The rule's region comes first", "Always saying `eyes`"), shares),
            _truth_table(truth),
        ]
    )


def _truth_table(truth: GroundTruth) -> str:
    cells = []
    for r, name in enumerate(REGIONS):
        rule, effects = truth.rule[: truth.drawn, r], truth.effects[: truth.drawn, r]
        sizes = (f"{np.abs(rule).mean():.3f}", f"{np.abs(effects).mean():.3f}", f"{mae(effects, rule):.3f}")
        cells.append((name, *sizes, f"{pearson(effects, rule):.3f}" if rule.any() else "-"))
    heads = ("Region", "Mean absolute effect by the rule", "In the rater", "Mean difference", "Correlation")
    return table(heads, cells)
