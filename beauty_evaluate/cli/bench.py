"""Compare raters on the same test photos: accuracy, cost, groups, crop against whole photo. Without --data: London."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, start
from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import ConfigError

if TYPE_CHECKING:  # imported when the command runs, so that a missing package is one sentence
    from beauty_evaluate.datasets.dataset import DataSet


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--raters", nargs="+", required=True, metavar="NAME",
        help="names in weights/ or paths of cards; the mean baseline and one human rater are always there",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, action="append", metavar="DIR",
        help="a data set's folder, or London for the faces that ship; again for each further one (default: London)",
    )  # fmt: skip
    parser.add_argument(
        "--split", action="append", default=[], metavar="NAME",
        help="split of the first --data, or once for each: its test part is rated (default: own)",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the raters' scale of a table of scores"
    )
    parser.add_argument(
        "--pair", nargs=2, action="append", default=[], metavar=("FIRST", "SECOND"),
        help="set two of the raters against each other, photo by photo; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("runs") / "bench", metavar="DIR",
        help="folder of the bench; rows that are done in it are not run again (default: %(default)s)",
    )  # fmt: skip


def _run(options: argparse.Namespace) -> int:
    data = [_read(options, folder) for folder in options.data or [None]]
    if len(options.split) > len(data):
        raise ConfigError(f"--split was given {len(options.split)} times for {len(data)} data sets. Name one for each.")
    from beauty_evaluate.evaluation.bench import BenchJob, bench
    from beauty_evaluate.reporting.bench_report import write_bench_report
    from beauty_evaluate.reporting.bench_tables import bench_markdown
    from beauty_evaluate.training.provenance import head_commit

    splits = (*options.split, *(None for _ in data[len(options.split) :]))
    pairs = tuple((first, second) for first, second in options.pair)
    command = _command(options, data)
    job = BenchJob(tuple(options.raters), tuple(data), options.out, splits, pairs, command, head_commit())
    result = bench(job, lambda line: print(line, flush=True), Counter("rating"))
    _, page = write_bench_report(result, data, options.out)
    print(f"\n{bench_markdown(result)}\nreport: {page}")
    if result.moved:
        print(f"The bench failed: predictions of {', '.join(result.moved)} moved when test labels were shuffled.")
    return 1 if result.moved else 0


def _read(options: argparse.Namespace, folder: Path | None) -> "DataSet":
    from beauty_evaluate.datasets import london, registry

    if folder is None or (str(folder) == london.TITLE and not folder.exists()):
        return registry.read()
    return registry.read(folder, RatingScale(*options.scale) if options.scale else None)


def _command(options: argparse.Namespace, data: "Sequence[DataSet]") -> str:
    """The line that makes this bench again, for the record: without paths of this machine."""
    raters = " ".join(Path(name).stem if name.endswith(".json") else name for name in options.raters)
    parts = [f"python3 -m beauty_evaluate bench --raters {raters}"]
    for i, one in enumerate(data if options.data else ()):
        parts += [f"--data {one.title}", *(f"--split {name}" for name in options.split[i : i + 1])]
    parts += ["--scale {:g} {:g}".format(*options.scale)] if options.scale else []
    return " ".join([*parts, *(f"--pair {first} {second}" for first, second in options.pair)])
