"""Score the faces of photos, and tell the share of rated faces that score lower."""

import argparse
import collections
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_weights, start
from beauty_evaluate.cli.wishes import add_wishes, doubt, wish_lines, wishes
from beauty_evaluate.errors import UserError

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.faces.detect import Face
    from beauty_evaluate.scoring.job import Summary
    from beauty_evaluate.scoring.outputs import Outputs
    from beauty_evaluate.scoring.rows import Row, Scored
    from beauty_evaluate.scoring.scorer import Scorer

REASONS = {  # by status, for the counts at the end
    "no_face": "without a face",
    "missing": "missing",
    "unreadable": "unreadable",
    "too_large": "too large",
    "too_small": "too small",
    "several_faces": "with several faces",
    "no_photos": "without photos (folders)",
}


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="photos, folders of them with subfolders, patterns, or - for standard input: a photo, or a list of paths",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write annotated copies here, over those of an earlier run"
    )
    parser.add_argument("--csv", metavar="FILE", help="write a table; - is standard output")
    parser.add_argument("--json", metavar="FILE", help="write a JSON object a line; - is standard output")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a ranked comparison: a picture (.png) or a page (.html), over that of an earlier run",
    )
    parser.add_argument("--against", type=Path, metavar="DIR", help="rank the faces among those of this folder")
    parser.add_argument("--resume", action="store_true", help="go on in tables that are there; skip what they hold")
    parser.add_argument("--overwrite", action="store_true", help="write over tables that are there")
    parser.add_argument("--single", action="store_true", help="each photo must show exactly one face")
    parser.add_argument(
        "--why",
        action="store_true",
        help="also print what each region (eyes, jaw, hair ...) added to a score: 10 s a face",
    )
    add_wishes(parser)
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy starts its threads on import, and none is of use here

    from beauty_evaluate.scoring.outputs import Outputs
    from beauty_evaluate.scoring.scorer import Scorer

    files = (options.csv, options.json, options.report, options.out)
    outputs = Outputs(*files, options.resume, options.overwrite, **wishes(options))
    outputs.check()
    photos, roots, left_out = _photos(options, outputs)
    photos = outputs.without_picked(photos, options.paths)
    scorer = Scorer(options.weights, low_memory=len(photos) == 1 and not options.against)
    if options.why:
        scorer.check_regions()
    from beauty_evaluate.scoring import job  # now: the network is read in the meantime

    others = job.others_in(options.against, photos, outputs) if options.against else []
    outputs.check_inputs([*photos, *others])
    replaced = options.report is not None and options.report.exists()
    printer = _Printer(scorer, outputs.use_stdout, options.why, options.sort)
    summary = job.run(job.Inputs(photos, roots, others), scorer, outputs, options.single, printer)
    printer.tell(*printer.sorted_lines(), *printer.reliability)
    if not summary.left:
        printer.tell("Nothing is left to score: the tables hold all of it.")
    if summary.comparison:
        printer.tell(*summary.comparison.sentences)
    if summary.left > 1 and (roots or len(photos) > len(options.paths)):
        printer.tell(*_summary_lines(summary), *_file_lines(outputs, replaced))
    elif replaced and summary.comparison:
        printer.tell(*_file_lines(outputs, replaced))
    printer.tell(*wish_lines(summary))
    if left_out:
        printer.tell(f"Left out of the folders: {', '.join(left_out)}.")
    return summary.exit_code


def _photos(options: argparse.Namespace, outputs: "Outputs") -> tuple[list[str], list[str], list[str]]:
    """The photos of the arguments, which may be patterns, and for `-` the one or those on standard input; the folders
    among the arguments; and how many files of which kinds these hold besides."""
    from beauty_evaluate.kinds import left_out
    from beauty_evaluate.scoring.paths import expand, from_stream

    if options.against and options.resume:
        raise UserError("--resume goes on in tables alone; --against needs all photos. Leave one out.")
    roots: list[str] = []
    photos: dict[str, None] = {}
    endings: collections.Counter[str] = collections.Counter()
    for path in options.paths:
        piped = path == "-"
        given = (from_stream(sys.stdin.buffer) if sys.stdin else ()) if piped else [path]
        photos |= dict.fromkeys(expand(given, outputs.copies, outputs.files, not piped, roots, endings))
    if not photos:
        raise UserError("No photos to score: the list is empty.")
    return list(photos), roots, left_out(endings)


class _Printer:
    """Prints each photo as it is scored, or keeps what it would print to be sorted: scores on standard output unless
    that is a table's, failures on standard error."""

    def __init__(self, scorer: "Scorer", quiet: bool, why: bool, is_sorted: bool) -> None:
        self.scorer, self.quiet, self.why, self.is_sorted = scorer, quiet, why, is_sorted
        self.kept: list[tuple[float, list[str]]] = []  # score and lines of each face
        self.count = {True: Counter("scoring"), False: Counter("scoring the others")}
        self.reliability: list[str] = []

    def __call__(self, scored: "Scored", done: int, total: int, is_query: bool) -> None:
        count = self.count[is_query]
        if is_query or not scored.faces:
            count.clear()
            for row, face in zip_longest(scored.rows, scored.faces):
                lines = self._line(row)
                if self.is_sorted:
                    lines += self._explained(face)
                    self.kept.append((row.score or 0, lines))
                else:
                    self.tell(*lines)
                    self.tell(*self._explained(face))
        if total > 1:
            count(done, total)

    def tell(self, *lines: str) -> None:
        for line in lines:
            print(line, file=sys.stderr if self.quiet else None, flush=True)

    def sorted_lines(self) -> Iterator[str]:
        """What was kept, the highest score first."""
        for _, lines in sorted(self.kept, key=lambda pair: -pair[0]):
            yield from lines

    def _line(self, row: "Row") -> list[str]:
        """Of a scored face; none for a failure, which is printed at once."""
        from beauty_evaluate.scoring.paths import printable

        file = printable(row.file)
        if row.status != "ok":
            print(row.error if file in row.error else f"{file}: {row.error}", file=sys.stderr)
        return [_line(row, file, self.scorer)] if row.status == "ok" and not self.quiet else []

    def _explained(self, face: "Face | None") -> list[str]:
        """What moved a score, where that was asked for."""
        if not (self.why and face):
            return []
        from beauty_evaluate.explain.reliability import reliability

        evidence = reliability(self.scorer.card)
        self.reliability = evidence.sentences
        return [] if evidence.passed is False else self.scorer.explain(face, Counter("explaining")).lines()


def _line(row: "Row", file: str, scorer: "Scorer") -> str:
    """A scored face."""
    from beauty_evaluate.phrases import parts_of, share_below

    which = f", face {row.face} of {row.faces}" if row.faces > 1 else ""
    half_width = "" if row.half_width is None else f" +- {row.half_width:.2f}"
    share = "" if row.percentile is None else f", {share_below(row.percentile, f'{scorer.rated} rated faces')}"
    notes = f". {row.notes}" if row.notes else ""
    parts = f"; made of {', '.join(map(str, parts_of(row.parts)))}" if row.parts else ""
    return f"{file}{which}: {row.score:.2f}{half_width} of {scorer.scale.high:g}{share}{parts}{doubt(row)}{notes}"


def _summary_lines(summary: "Summary") -> Iterator[str]:
    """What came of a folder, a pattern or a list."""
    from beauty_evaluate.scoring.paths import printable

    photos = summary.left - summary.failed.total()
    counts = [f"{photos} photo{'s' * (photos != 1)} scored ({summary.faces} face{'s' * (summary.faces != 1)})"]
    counts += [f"{n} {REASONS.get(status, status)}" for status, n in sorted(summary.failed.items())]
    if summary.earlier:
        counts.append(f"{summary.earlier.total()} already in the table")
    yield f"{', '.join(counts)}."
    if summary.faces:
        share = f"{summary.warned} of {summary.faces} faces ({100 * summary.warned / summary.faces:.0f} %)"
        yield f"{share} have warnings" + (": their scores mean little." if summary.warned else ".")
    if summary.faces > 1:
        yield "Highest: " + ", ".join(f"{printable(row.file)} ({row.score:.2f})" for row in summary.best) + "."


def _file_lines(outputs: "Outputs", replaced: bool) -> Iterator[str]:
    """Where each file went."""
    files = [f"tables in {' and '.join(name for name in (outputs.csv, outputs.json) if name and name != '-')}"]
    files = [] if files[0].endswith("in ") else [files[0]]
    if outputs.copies:
        files.append(f"annotated copies in {outputs.copies}{os.sep}")
    if outputs.report:
        files.append(f"report in {outputs.report}" + " (the earlier one was replaced)" * replaced)
    if files:
        yield f"Written: {', '.join(files)}."
