"""Describe a data set: scores, levels, groups, faults, sample photos, single ratings. Without --data: London's."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import start
from beauty_evaluate.config import RatingScale


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="SCUT-FBP5500, MEBeauty, London or a folder with a table of scores (default: the London faces that ship)",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the raters' scale of a table of scores"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the lot that draws photos (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("data_report"), metavar="DIR", help="default: %(default)s")


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.reporting.data_report import write_data_report

    data = registry.read(options.data, RatingScale(*options.scale) if options.scale else None)
    options.out.mkdir(parents=True, exist_ok=True)
    print(write_data_report(data, options.out, options.seed).read_text(encoding="utf-8"))
    print(f"report: {options.out / 'report.md'}")
    return 0
