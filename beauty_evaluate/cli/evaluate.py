"""Evaluate a rater: its scores of a data set's test photos beside the labels. Without --data: the London faces."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, start
from beauty_evaluate.config import ROOT, RatingScale
from beauty_evaluate.errors import UserError
from beauty_evaluate.settings import with_settings

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.datasets.dataset import DataSet
    from beauty_evaluate.evaluation.evaluate import Evaluation
    from beauty_evaluate.raters.card import Card

FOLDS = ROOT / "benchmarks" / "cv"
CV = "cv"


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, action="append", metavar="DIR",
        help="SCUT-FBP5500, MEBeauty, London or a folder with a table of scores (default: the London faces that ship); "
        "several with --calibrate",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the raters' scale of a table of scores"
    )
    parser.add_argument(
        "--split", metavar="NAME",
        help="a split of the data set, or cv for the report of its finished folds (default: the data set's own)",
    )  # fmt: skip
    parser.add_argument(
        "--no-mirror", action="store_true", help="score the crop alone, not the mean with its mirror image, to compare"
    )
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="write file names and scores, as CSV")
    parser.add_argument(
        "--folds", type=Path, default=FOLDS, metavar="DIR",
        help="with cv or --calibrate: where the folds lie (default: benchmarks/cv)",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate", metavar="NAME",
        help="instead: write the interval for a single score into this card, from the photos of all --data that the "
        "networks in --folds have held back",
    )  # fmt: skip
    parser.add_argument(
        "--coverage", type=Path, metavar="FILE", help="with --calibrate: also write what the intervals cover"
    )
    parser.add_argument(
        "--wild", type=Path, metavar="DIR", help="external evaluation: as --data DIR on every photo of the data set"
    )
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="instead: rewrite the tables of this page from cards and reports"
    )
    parser.add_argument(
        "--weights", metavar="NAME",
        help="a name in weights/ or the path of a card (default: six_block_60-40, which has a test part)",
    )  # fmt: skip


def _run(options: argparse.Namespace) -> int:
    _check(options)
    if options.readme:
        from beauty_evaluate.reporting.results import update_blocks, written_blocks

        print(f"{options.readme}: {', '.join(update_blocks(options.readme, written_blocks(ROOT)))}")
        return 0
    data = [_read(options, folder) for folder in options.data or [options.wild]]
    if options.calibrate:
        return _calibrate(options, data)
    return _report_folds(options, data[0]) if options.split == CV else _evaluate(options, data[0])


def _read(options: argparse.Namespace, folder: Path | None) -> "DataSet":
    from beauty_evaluate.datasets import registry

    data = registry.read(folder, RatingScale(*options.scale) if options.scale else None)
    if data.scale_inferred:
        print(f"scale of {data.title}: {data.scale}, inferred from the scores; --scale LOW HIGH says another")
    return data


def _check(options: argparse.Namespace) -> None:
    if options.split != CV and not options.calibrate and options.folds != FOLDS:
        raise UserError("--folds needs --split cv or --calibrate.")
    if options.calibrate and (options.split or options.wild):
        raise UserError("--calibrate takes all held-back photos of --data: leave out --split and --wild.")
    if not options.calibrate and (options.coverage or len(options.data or []) > 1):
        raise UserError("--coverage and several --data need --calibrate.")
    if options.wild and (options.data or options.split):
        raise UserError("--wild names a data set and takes all of it: leave out --data and --split.")
    for flag in ("predictions", "no_mirror"):
        if getattr(options, flag) and (options.split == CV or options.wild or options.readme or options.calibrate):
            raise UserError(
                f"--{flag.replace('_', '-')} cannot be combined with --split cv, --calibrate, --wild or --readme."
            )


def _evaluate(options: argparse.Namespace, data: "DataSet") -> int:
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage, evaluate
    from beauty_evaluate.evaluation.predictions import write_predictions
    from beauty_evaluate.raters import registry
    from beauty_evaluate.reporting.tables import evaluation_table, notes

    card = registry.load_card(options.weights or registry.EVALUATED)
    split = data.split("all" if options.wild else options.split)
    names = split.test or split.train
    assert_no_leakage(card, data, names)
    rater = registry.of_card(_without_mirror(card) if options.no_mirror else card, "onnxruntime")
    evaluation = evaluate(rater, data, names, Counter("scoring"))
    print(f"{card.name} on the {len(names)} photos of {data.title}, split {split.name}; {_missed(evaluation)}")
    for problem in [*data.problems, *evaluation.problems]:
        print(f"problem: {problem}")
    print(
        "\n".join(["", evaluation_table(evaluation), "", *notes(evaluation, card.name), *_selection(data, evaluation)])
    )
    if evaluation.on_scale:  # the other table has it
        _print_interval(evaluation)
        _print_coverage(evaluation, card)
    if options.predictions:
        write_predictions(options.predictions, evaluation)
    return 0


def _missed(evaluation: "Evaluation") -> str:
    n = len(evaluation.missed)
    return f"{n} could not be scored and count with the training mean" if n else "all of them scored"


def _without_mirror(card: "Card") -> "Card":
    """The card of the same rater that scores the crop alone. Raises UserError where it never did otherwise."""
    if not getattr(card.config, "flip_tta", False):
        raise UserError(f"--no-mirror changes nothing: {card.name} scores the crop alone.")
    config = with_settings(card.config, ["flip_tta=false"])
    return dataclasses.replace(card, config=config)


def _selection(data: "DataSet", evaluation: "Evaluation") -> list[str]:
    """The figures without the photos on which recipes were chosen, if some are among them."""
    from beauty_evaluate.datasets.splits import selection_set
    from beauty_evaluate.reporting.tables import cell

    chosen_on = selection_set(data)
    count = len(chosen_on.intersection(evaluation.names))
    if not evaluation.on_scale or not count or not (row := evaluation.without(chosen_on)):
        return []
    pc, mae, rmse = (cell(row[key]) for key in ("pearson", "mae", "rmse"))
    return [f"Without the {count} photos on which the recipe was chosen: PC {pc}, MAE {mae}, RMSE {rmse}"]


def _print_interval(evaluation: "Evaluation") -> None:
    from beauty_evaluate.metrics import bootstrap_pearson

    low, high = bootstrap_pearson(evaluation.predicted, evaluation.true)
    print(f"95 % interval of the PC over photos (bootstrap): {low:.4f} .. {high:.4f}")


def _print_coverage(evaluation: "Evaluation", card: "Card") -> None:
    """How many of the labels lie in the intervals of their scores."""
    from beauty_evaluate.metrics import wilson
    from beauty_evaluate.raters.interval import Interval

    if evaluation.half_width is None:
        return
    rated = evaluation.half_width == evaluation.half_width
    inside = abs(evaluation.true - evaluation.predicted)[rated] <= evaluation.half_width[rated]
    low, high = wilson(float(inside.mean()), len(inside))
    print(
        f"Intervals of single scores cover {inside.mean():.1%} of {len(inside)} labels (95 % interval {low:.1%} .. "
        f"{high:.1%}); mean half width {evaluation.half_width[rated].mean():.3f}"
    )
    if card.name in Interval.of(card.interval).held_out_by:
        print("They were calibrated on photos that this network held back, perhaps these: see benchmarks/coverage.md")


def _report_folds(options: argparse.Namespace, data: "DataSet") -> int:
    from beauty_evaluate.datasets.splits import selection_set
    from beauty_evaluate.evaluation import crossval, duplicates
    from beauty_evaluate.reporting.crossval_report import crossval_report
    from beauty_evaluate.reporting.evaluation_plots import calibration

    folds = crossval.read_folds(options.folds, data)
    seeds = [fold for folder in sorted(options.folds.glob("seed*/")) for fold in crossval.read_folds(folder, data)]
    table = options.folds / "near_duplicates.csv"
    if not table.exists():
        duplicates.write_pairs(table, duplicates.in_data_set(data, Counter("comparing photos")))
    text = crossval_report(folds, duplicates.read_pairs(table), seeds, selection_set(data))
    (options.folds / "report.md").write_text(text, encoding="utf-8")
    calibration(options.folds / "calibration.png", folds)
    print(text)
    return 0


def _calibrate(options: argparse.Namespace, data: "Sequence[DataSet]") -> int:
    from beauty_evaluate.evaluation import calibration
    from beauty_evaluate.raters import card as cards
    from beauty_evaluate.raters import registry
    from beauty_evaluate.reporting.coverage import coverage_table, write_section

    card = registry.load_card(options.calibrate)
    photos = calibration.held_out(card, options.folds, data)
    text = coverage_table(calibration.coverage(photos, calibration.cross_fitted(photos)))
    print(text)
    print(f"interval: {cards.write(card, interval=photos.interval().to_json())}")
    if options.coverage:
        write_section(options.coverage, card.name, text)
    return 0
