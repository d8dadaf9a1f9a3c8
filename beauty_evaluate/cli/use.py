"""Score the faces of photos: 1..5, and the share of the data set that scores lower."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_weights, start
from beauty_evaluate.errors import UserError

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.scoring.compare import Entry
    from beauty_evaluate.scoring.scorer import Row, Scorer
    from beauty_evaluate.scoring.tables import Table


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="photos, folders of them with subfolders, patterns, or - for a list on standard input",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write annotated copies here, over those of an earlier run"
    )
    parser.add_argument("--csv", metavar="FILE", help="write a table; - is standard output")
    parser.add_argument("--json", metavar="FILE", help="write a JSON object a line; - is standard output")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a ranked comparison: a picture (.png) or a page (.html)"
    )
    parser.add_argument("--against", type=Path, metavar="DIR", help="rank the faces among those of this folder")
    parser.add_argument("--resume", action="store_true", help="go on in tables that are there; skip what they hold")
    parser.add_argument("--single", action="store_true", help="each photo must show exactly one face")
    parser.add_argument(
        "--why",
        action="store_true",
        help="also print what each region (eyes, jaw, hair ...) added to a score: 10 s a face",
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    _check(options)
    from beauty_evaluate.scoring.compare import entries
    from beauty_evaluate.scoring.scorer import Scorer
    from beauty_evaluate.scoring.stream import expand, scan

    paths = expand(_listed(options.paths), leave_out=options.out)
    _spare_inputs(paths, options)
    scorer = Scorer(options.weights)
    gathered: list[Entry] | None = [] if options.report or options.against else None
    quiet = "-" in (options.csv, options.json)
    count = Counter("scoring") if not sys.stdout.isatty() else None
    with contextlib.ExitStack() as stack:
        tables = _tables(options, stack)
        left, good, bad = [], 0, 0
        for path in paths:  # what an earlier run has dealt with was told then, and counts
            found = {table.earlier(path) for table in tables} or {None}
            left += [path] if None in found else []
            good, bad = good + (found == {True}), bad + (found == {False})
        for done, scored in enumerate(scan(scorer, left, options.single, options.out), 1):
            for table in tables:
                table.write(scored.rows)
            if gathered is not None and scored.faces:
                gathered += entries(scored, [path for path in options.paths if Path(path).is_dir()])
            for row in scored.rows:
                good, bad = good + (row.status == "ok"), bad + (row.status != "ok")
                _print(row, scorer.rated, quiet)
                if options.why and row.status == "ok":
                    _tell(quiet, *scorer.why(row.file, row.face, Counter("explaining")).lines())
            if count and len(left) > 1:
                count(done, len(left))
    if gathered:
        _compare(options, scorer, gathered, quiet)
    if options.why and good and (known := scorer.card.explanations.get("ways")):
        from beauty_evaluate.explain.region_shapley import Agreement

        _tell(quiet, Agreement(**known).words())
    if not good:
        return 2
    return 1 if bad else 0


def _compare(options: argparse.Namespace, scorer: "Scorer", faces: "list[Entry]", quiet: bool) -> None:
    """Say how the faces compare, with those of another folder too, and write the report."""
    from beauty_evaluate.scoring import compare, sheet
    from beauty_evaluate.scoring.stream import expand, scan

    if options.against:
        own = {Path(entry.row.file).resolve() for entry in faces}
        others = [path for path in expand([str(options.against)]) if Path(path).resolve() not in own]
        for scored in scan(scorer, others):
            if scored.faces:
                faces += compare.entries(scored, [str(options.against)], mine=False)
            else:
                _print(scored.rows[0], scorer.rated, quiet)
    said = compare.verdicts(faces)
    _tell(quiet, *said)
    if options.report:
        sheet.write(options.report, faces, said, scorer.rated)


def _check(options: argparse.Namespace) -> None:
    if options.csv == "-" and options.json == "-":
        raise UserError("Expected one table on standard output. Received: --csv - and --json -; name a file for one.")
    files = [name for name in (options.csv, options.json) if name]
    if options.report:
        from beauty_evaluate.scoring.sheet import check

        check(options.report)
    if options.resume and (options.report or options.against):
        raise UserError("Expected --resume for tables alone. Received: --report or --against, which need all photos.")
    if options.resume and (not files or "-" in files):
        raise UserError("Expected --resume with --csv FILE or --json FILE. Received: no file that holds earlier rows.")


def _listed(paths: Sequence[str]) -> Iterator[str]:
    """The paths; for `-`, those on the lines of standard input."""
    for path in paths:
        if path == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
        else:
            yield path


def _tell(quiet: bool, *lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr if quiet else None, flush=True)


def _spare_inputs(paths: list[str], options: argparse.Namespace) -> None:
    """UserError if an output would be written over a photo."""
    if not (options.csv or options.json or options.out or options.report):
        return
    inputs = {Path(path).resolve() for path in paths}
    for file in (options.csv, options.json, options.report):
        if file and Path(file).resolve() in inputs:
            raise UserError(f"Expected a new file for what is found. Received: {file}, which is one of the photos.")
    if options.out and options.out.resolve() in {path.parent for path in inputs}:
        raise UserError(f"Expected another folder for the copies. Received: {options.out}, where the photos lie.")


def _tables(options: argparse.Namespace, stack: contextlib.ExitStack) -> "list[Table]":
    from beauty_evaluate.scoring.tables import Table

    tables = []
    for kind in ("csv", "json"):
        if place := getattr(options, kind):
            tables.append(Table(place, kind, options.resume))
            stack.callback(tables[-1].close)
    return tables


def _print(row: "Row", rated: int, quiet: bool) -> None:
    if row.status != "ok":
        print(f"{row.file}: {row.error}", file=sys.stderr)
    elif not quiet:
        which = f", face {row.face} of {row.faces}" if row.faces > 1 else ""
        score = f"{row.score:.2f}{_margin(row)} of 5"
        careful = f"; means little: {row.warnings.replace(';', ', ')}" if row.warnings else ""
        share = f"higher than {row.percentile:.0f} % of {rated} rated faces"
        print(f"{row.file}{which}: {score}, {share}{careful}", flush=True)


def _margin(row: "Row") -> str:
    from beauty_evaluate.scoring.compare import half_width

    half = half_width(row)
    return "" if half is None else f" +- {half:.2f}"
