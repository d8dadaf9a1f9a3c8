"""Evaluate how faithful explanations are: on photos beside controls, or on synthetic faces against their rule."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_into, import_tensorflow, start
from beauty_evaluate.errors import DataError, UserError
from beauty_evaluate.raters import registry

if TYPE_CHECKING:  # imported when a command runs
    from beauty_evaluate.explain.faithfulness_evaluation import FaithfulnessEvaluation
    from beauty_evaluate.explain.ground_truth import GroundTruth
    from beauty_evaluate.raters.rater import Rater

MIN_FACES = 10  # below which an interval over them says nothing


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="a data set (default: synthetic faces, for weights trained on them)"
    )
    parser.add_argument("--n", type=int, default=100, metavar="N", help="faces, drawn at random (default: %(default)s)")
    parser.add_argument(
        "--weights", default=registry.EVALUATED, metavar="NAME",
        help="a name in weights/ or the path of a card, with a test part or of synthetic faces (default: %(default)s)",
    )  # fmt: skip
    add_into(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: faithfulness/NAME")


def _run(options: argparse.Namespace) -> int:
    if options.n < MIN_FACES:
        raise UserError(f"--n takes a number of at least {MIN_FACES}, not {options.n}.")
    if options.into and not options.data:
        raise UserError("--into goes with --data. Give a data set, or leave --into out.")
    begin, card = time.monotonic(), registry.load_card(options.weights)
    registry.same_recipe(options.into, card)  # now, not after an hour
    out = options.out or Path("faithfulness") / card.name
    import_tensorflow()
    from beauty_evaluate.reporting.faithfulness_report import write_faithfulness_report

    rater = registry.of_card(card, "onnxruntime")
    result, photos = _photos(rater, options.data, options.n) if options.data else _synthetic(rater, options.n)
    seconds = time.monotonic() - begin
    text = write_faithfulness_report(out, card, result, photos, seconds)
    if options.data:
        registry.record_explanation_results(options.into, card, maps=getattr(result, "maps", None))
    print(f"{text}\n\nreport, {seconds:.0f} s: {out / 'faithfulness.md'}")
    return 0


def _photos(rater: "Rater", folder: Path, n: int) -> "tuple[FaithfulnessEvaluation, str]":
    """The evaluation on test photos, and which they are. Raises DataError, ConfigError."""
    from beauty_evaluate.datasets import registry as datasets
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage
    from beauty_evaluate.explain.faithfulness_evaluation import evaluate_samples

    data = datasets.read(folder)
    split = data.split(rater.card.split if rater.card.data == data.title else None)
    names = split.test or (() if rater.card.data == data.title else tuple(data.samples))
    if len(names) < n:
        raise DataError(f"The test part of {data.title}, {split.name}, has {len(names)} photos, not {n}. Lower --n.")
    assert_no_leakage(rater.card, data, names)
    samples = [data.samples[name] for name in names]
    return evaluate_samples(rater, samples, n, Counter("evaluating")), f"the test part of {data.title}, {split.name}"


def _synthetic(rater: "Rater", n: int) -> "tuple[GroundTruth, str]":
    """The evaluation on synthetic faces, likewise. Raises UserError."""
    from beauty_evaluate.datasets import synthetic
    from beauty_evaluate.explain.ground_truth import compare_with_rule

    if rater.card.data != synthetic.TITLE:
        raise UserError(
            f"{rater.name} was trained on {rater.card.data}. Give --data DIR, or weights of {synthetic.TITLE}."
        )
    return compare_with_rule(rater, n, Counter("evaluating")), synthetic.TITLE
