"""Describe a data set: scores, levels, groups, faults, and sample photos of each level."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import start


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released (default: drawn faces)")
    parser.add_argument("--out", type=Path, default=Path("data_report"), metavar="DIR", help="default: %(default)s")


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.reporting.data_report import write_data_report

    data = registry.read(options.data) if options.data else registry.synthetic()
    options.out.mkdir(parents=True, exist_ok=True)
    print(write_data_report(data, options.out).read_text(encoding="utf-8"))
    print(f"report: {options.out / 'report.md'}")
    return 0
