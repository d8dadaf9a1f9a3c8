"""Score the test part of a split with given weights, and compare with the labels."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_weights, start
from beauty_evaluate.config import ROOT
from beauty_evaluate.datasets import registry, scut, splits
from beauty_evaluate.errors import UserError
from beauty_evaluate.raters import card as cards

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.datasets.dataset import DataSet
    from beauty_evaluate.evaluation.evaluate import Evaluation

FOLDS = ROOT / "benchmarks" / "cv"


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released")
    parser.add_argument(
        "--split",
        choices=(scut.DEFAULT_SPLIT, *scut.FOLDS, splits.ALL, "cv"),
        default="60-40",
        help="official split, or cv for the report of finished folds (default: %(default)s)",
    )
    parser.add_argument(
        "--no-mirror", action="store_true", help="score the crop alone, not the mean with its mirror image, to compare"
    )
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="write file names and scores, as CSV")
    parser.add_argument(
        "--folds", type=Path, default=FOLDS, metavar="DIR", help="with cv: where the folds lie (default: benchmarks/cv)"
    )
    parser.add_argument(
        "--calibrate", metavar="NAME", help="with cv: write the interval for a single score into this card"
    )
    parser.add_argument(
        "--wild", type=Path, metavar="DIR", help="instead: correlate with the raters of MEBeauty photos in this folder"
    )
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="instead: rewrite the tables of this page from cards and reports"
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    if options.split != "cv" and (options.calibrate or options.folds != FOLDS):
        raise UserError("Expected --calibrate and --folds with --split cv alone. Received: another split.")
    if options.predictions and (options.split == "cv" or options.wild or options.readme):
        raise UserError("Expected --predictions with the test part of one split. Received: something else to do.")
    if options.no_mirror and (options.split == "cv" or options.wild or options.readme):
        raise UserError("Expected --no-mirror with the test part of one split. Received: something else to do.")
    if options.readme:
        from beauty_evaluate.evaluation.report import update_blocks, written_blocks

        print(f"{options.readme}: {', '.join(update_blocks(options.readme, written_blocks(ROOT)))}")
        return 0
    if options.wild:
        return _wild(options)
    if not options.data:
        raise UserError("Expected --data DIR, the photos to evaluate on. Received: none.")
    if options.split == "cv":
        return _report_folds(options)
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage, evaluate, write_predictions
    from beauty_evaluate.evaluation.report import figures_table
    from beauty_evaluate.metrics import bootstrap_pearson
    from beauty_evaluate.raters.runtime import onnxruntime_predictor

    card = cards.load(options.weights or cards.DEFAULTS[1])  # the best weights may know every photo
    data = registry.read(options.data)
    split = data.split(options.split)
    names = split.test or split.train
    assert_no_leakage(card, names)
    samples = [data.samples[name] for name in names]
    forward = onnxruntime_predictor(card.file(cards.ONNX))
    config = dataclasses.replace(card.config, flip_tta=card.config.flip_tta and not options.no_mirror)
    found = evaluate(forward, config, samples, card.labels["mean"], Counter("scoring"))
    _say_scored(card.name, options.split, data, found)
    print(figures_table(found.figures()))
    selection_set = splits.selection_set(data)
    known = selection_set.intersection(split.test)
    if known and (row := found.without(selection_set)):
        figures = "PC {pearson:.4f}, MAE {mae:.4f}, RMSE {rmse:.4f}".format(**row)
        print(f"Without the {len(known)} photos on which the recipe was chosen: {figures}")
    low, high = bootstrap_pearson(found.predicted, found.true)
    print(f"95 % interval of the PC over photos (bootstrap): {low:.4f} .. {high:.4f}")
    if options.predictions:
        write_predictions(options.predictions, found)
    return 0


def _report_folds(options: argparse.Namespace) -> int:
    from beauty_evaluate.evaluation import crossval, duplicates

    data = registry.read(options.data)
    folds = crossval.read_folds(options.folds, options.data, data)
    seeds = [
        fold for sub in sorted(options.folds.glob("seed*/")) for fold in crossval.read_folds(sub, options.data, data)
    ]
    table = options.folds / "near_duplicates.csv"
    if not table.exists():
        duplicates.write_pairs(table, duplicates.in_data_set(data, Counter("comparing photos")))
    text = crossval.report(folds, duplicates.read_pairs(table), seeds, splits.selection_set(data))
    (options.folds / "report.md").write_text(text, encoding="utf-8")
    crossval.calibration_figure(options.folds / "calibration.png", folds)
    print(text)
    if options.calibrate:
        card = cards.load(options.calibrate)
        print(f"interval: {cards.rewrite(card, interval=dataclasses.asdict(crossval.residual_interval(folds, card)))}")
    return 0


def _wild(options: argparse.Namespace) -> int:
    from beauty_evaluate.evaluation.evaluate import evaluate
    from beauty_evaluate.evaluation.external import external_table
    from beauty_evaluate.raters.runtime import onnxruntime_predictor

    card, data = cards.load(options.weights), registry.read(options.wild)
    samples = list(data.samples.values())
    found = evaluate(
        onnxruntime_predictor(card.file(cards.ONNX)), card.config, samples, card.labels["mean"], Counter("scoring")
    )
    _say_scored(card.name, data.title, data, found)
    print(external_table(found))
    return 0


def _say_scored(network: str, photos: str, data: "DataSet", found: "Evaluation") -> None:
    n, missed = len(found.names), len(found.missed)
    print(f"{network} on the {n} photos of {photos}; {missed} of them got the training mean")
    for problem in [*data.problems, *found.problems]:
        print(f"problem: {problem}")
