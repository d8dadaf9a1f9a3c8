"""Score the faces of photos: 1..5, and the share of the data set that scores lower."""

import argparse
import contextlib
import csv
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_weights, start
from beauty_evaluate.errors import UserError

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.scoring.scorer import Row

Write = Callable[["Row"], None]


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="photos (JPEG, PNG, WebP, BMP), or folders of them with subfolders"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write annotated copies here, over those of an earlier run"
    )
    parser.add_argument("--csv", metavar="FILE", help="write a table; - is standard output")
    parser.add_argument("--json", metavar="FILE", help="write a JSON object a line; - is standard output")
    parser.add_argument("--single", action="store_true", help="each photo must show exactly one face")
    parser.add_argument(
        "--why",
        action="store_true",
        help="also print what each region (eyes, jaw, hair ...) added to a score: 10 s a face",
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    if options.csv == "-" and options.json == "-":
        raise UserError("Expected one table on standard output. Received: --csv - and --json -; name a file for one.")
    from beauty_evaluate.scoring.scorer import Scorer, expand

    paths = expand(options.paths, leave_out=options.out)
    _spare_inputs(paths, options)
    scorer = Scorer(options.weights)
    good = bad = 0

    def tell(*lines: str) -> None:
        print(*lines, sep="\n", file=sys.stderr if "-" in (options.csv, options.json) else None, flush=True)

    with contextlib.ExitStack() as stack:
        writers = list(_writers(options, stack, scorer.rated))
        for row in scorer.scan(paths, options.single, options.out):
            good, bad = good + (row.status == "ok"), bad + (row.status != "ok")
            for write in writers:
                write(row)
            if options.why and row.status == "ok":
                tell(*scorer.why(row.file, row.face, Counter("explaining")).lines())
    if options.why and good and (known := scorer.card.explanations.get("ways")):
        from beauty_evaluate.explain.region_shapley import Agreement

        tell(Agreement(**known).words())
    if not good:
        return 2
    return 1 if bad else 0


def _spare_inputs(paths: list[str], options: argparse.Namespace) -> None:
    """UserError if an output would be written over a photo."""
    if not (options.csv or options.json or options.out):
        return
    inputs = {Path(path).resolve() for path in paths}
    for file in (options.csv, options.json):
        if file and Path(file).resolve() in inputs:
            raise UserError(f"Expected a new file for the table. Received: {file}, which is one of the photos.")
    if options.out and options.out.resolve() in {path.parent for path in inputs}:
        raise UserError(f"Expected another folder for the copies. Received: {options.out}, where the photos lie.")


def _writers(options: argparse.Namespace, stack: contextlib.ExitStack, rated: int) -> Iterator[Write]:
    """Where each row goes."""
    yield lambda row: _print(row, rated, quiet="-" in (options.csv, options.json))
    if options.csv:
        yield _csv_writer(_open(options.csv, stack))
    if options.json:
        file = _open(options.json, stack)
        yield lambda row: print(json.dumps(dataclasses.asdict(row)), file=file, flush=True)


def _csv_writer(file: IO[str]) -> Write:
    from beauty_evaluate.scoring.scorer import Row

    table = csv.writer(file, lineterminator="\n")
    table.writerow([f.name for f in dataclasses.fields(Row)])

    def write(row: "Row") -> None:
        table.writerow(dataclasses.astuple(row))
        file.flush()

    return write


def _print(row: "Row", rated: int, quiet: bool) -> None:
    if row.status != "ok":
        print(f"{row.file}: {row.error}", file=sys.stderr)
    elif not quiet:
        which = f", face {row.face} of {row.faces}" if row.faces > 1 else ""
        score = f"{row.score:.2f}{_margin(row)} of 5"
        print(f"{row.file}{which}: {score}, higher than {row.percentile:.0f} % of {rated} rated faces", flush=True)


def _margin(row: "Row") -> str:
    """Half the width of the interval, which ends at 1 and 5."""
    if row.score is None or row.low is None or row.high is None:
        return ""
    return f" +- {max(row.score - row.low, row.high - row.score):.2f}"


def _open(name: str, stack: contextlib.ExitStack) -> IO[str]:
    if name == "-":
        return sys.stdout
    # a file name may hold bytes that are not UTF-8
    return stack.enter_context(open(name, "w", newline="", encoding="utf-8", errors="backslashreplace"))
