"""Prove the maps of a network: on photos beside controls, or on drawn faces against the rule that scored them."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from beauty_evaluate.cli.common import Counter, add_into, import_tensorflow, start
from beauty_evaluate.errors import DataError, UserError
from beauty_evaluate.raters import card as cards

LEAST = 10  # faces below which an interval over them says nothing


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released (default: drawn faces, for weights of them)"
    )
    parser.add_argument("--n", type=int, default=100, metavar="N", help="faces, drawn by lot (default: %(default)s)")
    parser.add_argument(
        "--weights", default=cards.DEFAULTS[1], metavar="NAME",
        help="a name in weights/ or the path of a card: with a test part, or of drawn faces (default: %(default)s)",
    )  # fmt: skip
    add_into(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: faithfulness/NAME")


def _run(options: argparse.Namespace) -> int:
    if options.n < LEAST:
        raise UserError(f"Expected --n of at least {LEAST}. Received: {options.n}.")
    if options.into and not options.data:
        raise UserError("Expected --into with --data alone. Received: no --data.")
    begin, card = time.monotonic(), cards.load(options.weights)
    cards.same_recipe(options.into, card)  # now, not after an hour
    out = options.out or Path("faithfulness") / card.name
    out.mkdir(parents=True, exist_ok=True)
    text, facts = _photos(card, options.data, options.n) if options.data else _drawn(card, options.n)
    seconds = round(time.monotonic() - begin)
    facts = {"weights": card.name, "sha256": card.files[cards.KERAS], "seconds": seconds, **facts}
    report = out / "faithfulness.md"
    report.write_text(f"# Are the explanations of {card.name} true?\n\n{text}\n", encoding="utf-8")
    report.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    cards.explain(options.into, card, maps=facts.get("maps"))
    print(f"{text}\n\nreport, {seconds} s: {report}")
    return 0


def _photos(card: cards.Card, folder: Path, n: int) -> tuple[str, dict[str, Any]]:
    """The proof on test photos. Raises DataError, ConfigError."""
    import_tensorflow()
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage
    from beauty_evaluate.explain.faithfulness_evaluation import prove_photos

    names = registry.read(folder).split(card.split).test
    if len(names) < n:
        raise DataError(f"Expected a test part of {n} photos or more. Received: {len(names)}, of {card.name}.")
    assert_no_leakage(card, names)
    return prove_photos(card, folder, names, n, Counter("proving"))


def _drawn(card: cards.Card, n: int) -> tuple[str, dict[str, Any]]:
    """The proof on drawn faces, likewise. Raises UserError."""
    from beauty_evaluate.datasets import synthetic
    from beauty_evaluate.explain.ground_truth import drawn_truth, truth_markdown
    from beauty_evaluate.raters.runtime import onnxruntime_predictor

    if card.data != synthetic.TITLE:
        raise UserError(f"Expected --data DIR, or weights of drawn faces. Received: {card.name}, of {card.data}.")
    forward = onnxruntime_predictor(card.file(cards.ONNX))
    truth = drawn_truth(forward, card.config.crop, card.config.flip_tta, n, Counter("proving"))
    rows = {title: {"n": n, "first": first, "eyes": eyes} for title, (n, first, eyes) in truth.rows().items()}
    return truth_markdown(truth), {"faces": n, "first": rows}
