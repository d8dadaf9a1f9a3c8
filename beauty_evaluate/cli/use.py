"""Score the faces of photos: 1..5, and the share of the data set that scores lower."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_weights, start
from beauty_evaluate.errors import UserError

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.explain.reliability import Trust
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
    from beauty_evaluate.scoring.scorer import Scorer

    roots: list[str] = []
    paths = list(dict.fromkeys(_photos(options, roots)))
    if not paths:
        raise UserError("Expected photos to score. Received: an empty list.")
    others = _others(options, paths)
    _spare_inputs([*paths, *others], options)
    scorer = Scorer(options.weights, low_memory=len(paths) == 1 and not others)
    known = _trust(scorer) if options.why else None
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    gathered: list[Entry] | None = [] if options.report or options.against else None
    good, bad = _score(options, scorer, paths, roots, gathered, known)
    if gathered:
        bad += _compare(options, scorer, gathered, others, bad)
    if not good:
        return 2
    return 1 if bad else 0


def _trust(scorer: "Scorer") -> "Trust":
    """How far the effects of regions may be believed. ConfigError for a network that has none."""
    from beauty_evaluate.explain.reliability import trust

    scorer.check_regions()
    return trust(scorer.card)


def _score(
    options: argparse.Namespace,
    scorer: "Scorer",
    paths: Sequence[str],
    roots: Sequence[str],
    gathered: "list[Entry] | None",
    known: "Trust | None",
) -> tuple[int, int]:
    """Score, write and print. roots: the folders among what was asked about. known: how far explanations may be
    believed; None if none is asked. How many faces have a score, and how many faces and photos have none; what an
    earlier run has dealt with was told then, and counts."""
    from beauty_evaluate.scoring.batch import places, scan

    count = Counter("scoring")
    with contextlib.ExitStack() as stack:
        tables = _tables(options, stack)
        for table in tables:
            table.check(scorer)
        before = {path: _earlier(path, tables) for path in paths}
        left = [path for path in paths if before[path] is None]
        if not left:
            _tell(options, "Nothing is left to score: the tables hold all of it.")
        good, bad, explained = list(before.values()).count(True), list(before.values()).count(False), 0
        copies = places(sorted(paths, key=lambda path: before[path] is None), options.out) if options.out else None
        for done, scored in enumerate(scan(scorer, left, options.single, copies), 1):
            for table in tables:
                table.write(scored.rows)
            if gathered is not None and scored.faces:
                from beauty_evaluate.scoring.compare import entries  # here, since a plain call does without

                gathered += entries(scored, scorer.crop_config, roots)
            good, bad = good + len(scored.faces), bad + (not scored.faces)
            count.clear()
            for row, face in zip_longest(scored.rows, scored.faces):
                _print(row, scorer.rated, _quiet(options))
                if known and face:
                    explained += 1
                    if known.proved is not False:
                        _tell(options, *scorer.explain(face, Counter("explaining")).lines())
            if len(left) > 1:
                count(done, len(left))
    if known and explained:
        _tell(options, *known.sentences)
    return good, bad


def _earlier(path: str, tables: "Sequence[Table]") -> bool | None:
    """Whether an earlier run scored this photo; None if a table lacks it."""
    found = {table.earlier(path) for table in tables} or {None}
    return None if None in found else all(found)


def _others(options: argparse.Namespace, paths: Sequence[str]) -> list[str]:
    """The photos to compare with: those of --against that were not asked about. UserError if there are none."""
    from beauty_evaluate.scoring.batch import expand

    if not options.against:
        return []
    folder, own = str(options.against), {os.path.realpath(path) for path in paths}
    found = expand([folder], options.out, _files(options)) if os.path.isdir(folder) else []
    found = [path for path in found if path != folder and os.path.realpath(path) not in own]
    if not found:
        raise UserError(f"Expected --against with a folder of other photos. Received: {folder}; check the path.")
    return found


def _compare(
    options: argparse.Namespace, scorer: "Scorer", faces: "list[Entry]", others: Sequence[str], bad: int
) -> int:
    """Say how the faces compare, with those of other photos too, and write the report. bad: photos that failed before.
    How many of the others failed."""
    from beauty_evaluate.reporting import comparison_report
    from beauty_evaluate.scoring import compare
    from beauty_evaluate.scoring.batch import scan

    failed, count = 0, Counter("scoring the others")
    for done, scored in enumerate(scan(scorer, others), 1):
        if scored.faces:
            faces += compare.entries(scored, scorer.crop_config, mine=False)
        else:
            count.clear()
            _print(scored.rows[0], scorer.rated, _quiet(options))
            failed += 1
        count(done, len(others))
    faces = compare.disambiguate_names(faces)
    said = compare.verdicts(faces)
    if bad + failed:
        said.append(f"{bad + failed} more photo{'s' * (bad + failed > 1)} could not be scored.")
    _tell(options, *said)
    if options.report:
        comparison_report.write(options.report, faces, said, scorer.rated)
    return failed


def _check(options: argparse.Namespace) -> None:
    if options.csv == "-" and options.json == "-":
        raise UserError("Expected one table on standard output. Received: --csv - and --json -; name a file for one.")
    if options.report:
        from beauty_evaluate.reporting.comparison_report import check

        check(options.report)
    tables = [name for name in (options.csv, options.json) if name]
    if options.resume and (options.report or options.against):
        raise UserError("Expected --resume for tables alone. Received: --report or --against, which need all photos.")
    if options.resume and (not tables or "-" in tables):
        raise UserError("Expected --resume with --csv FILE or --json FILE. Received: no file that holds earlier rows.")
    _check_files(_files(options))


def _files(options: argparse.Namespace) -> list[str]:
    """The files that are to be written, but for copies."""
    return [str(name) for name in (options.csv, options.json, options.report) if name and str(name) != "-"]


def _check_files(files: Sequence[str]) -> None:
    """UserError for what cannot be written. Nothing was opened or emptied yet."""
    real = [os.path.realpath(file) for file in files]
    if len(set(real)) < len(real):
        raise UserError(f"Expected another file for each of --csv, --json and --report. Received: {', '.join(files)}.")
    for file, path in zip(files, real, strict=True):
        if os.path.isdir(path):
            raise UserError(f"Expected the name of a file to write. Received: {file}, which is a folder.")
        if not os.path.isdir(os.path.dirname(path)):
            raise UserError(f"Expected a file in a folder that is there. Received: {file}; make its folder first.")


def _photos(options: argparse.Namespace, roots: list[str]) -> Iterator[str]:
    """The photos asked about: those of the arguments, which may be patterns, and for `-` those that are listed. roots:
    gets the folders among them."""
    from beauty_evaluate.scoring.batch import expand

    for path in options.paths:
        listed = path == "-"
        yield from expand(_lines() if listed else [path], options.out, _files(options), not listed, roots)


def _lines() -> Iterator[str]:
    """The paths on the lines of standard input, whose bytes need not be UTF-8."""
    for line in sys.stdin.buffer if sys.stdin else ():
        if b"\0" in line:
            raise UserError("Expected a path on each line. Received: a NUL; find takes -print, not -print0.")
        if line.strip():
            yield os.fsdecode(line.rstrip(b"\r\n"))


def _quiet(options: argparse.Namespace) -> bool:
    """Whether standard output is a table's."""
    return "-" in (options.csv, options.json)


def _tell(options: argparse.Namespace, *lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr if _quiet(options) else None, flush=True)


def _spare_inputs(paths: Sequence[str], options: argparse.Namespace) -> None:
    """UserError if an output would be written over a photo."""
    files = _files(options)
    if not (files or options.out):
        return
    inputs = {os.path.realpath(path) for path in paths}
    for file in files:
        if os.path.realpath(file) in inputs:
            raise UserError(f"Expected a new file for what is found. Received: {file}, which is one of the photos.")
    if options.out and os.path.realpath(options.out) in {os.path.dirname(path) for path in inputs}:
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
    from beauty_evaluate.scoring.batch import printable

    file = printable(row.file)
    if row.status != "ok":
        print(f"{file}: {row.error}", file=sys.stderr)
    elif not quiet:
        which = f", face {row.face} of {row.faces}" if row.faces > 1 else ""
        margin = "" if row.half_width is None else f" +- {row.half_width:.2f}"
        score = f"{row.score:.2f}{margin} of 5"
        careful = f"; means little: {row.warnings.replace(';', ', ')}" if row.warnings else ""
        share = f"higher than {row.percentile:.0f} % of {rated} rated faces"
        print(f"{file}{which}: {score}, {share}{careful}", flush=True)
