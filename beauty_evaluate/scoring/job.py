"""A run over photos: scores into tables, copies and a comparison, and what came of it."""

import contextlib
import heapq
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from beauty_evaluate.encoded import Piped, is_file
from beauty_evaluate.errors import UserError
from beauty_evaluate.scoring.batch import scan
from beauty_evaluate.scoring.outputs import Outputs
from beauty_evaluate.scoring.paths import copy_paths, expand
from beauty_evaluate.scoring.picks import Candidate, Picks, candidate, copy_photos, pick
from beauty_evaluate.scoring.rows import Row, Scored
from beauty_evaluate.scoring.scorer import Scorer

if TYPE_CHECKING:
    from beauty_evaluate.scoring.compare import Comparison
    from beauty_evaluate.scoring.ranking import Entry
    from beauty_evaluate.scoring.tables import Table

BEST = 3  # faces that are named at the end


class Watcher(Protocol):
    """What is told of each photo as it is scored."""

    def __call__(self, scored: Scored, done: int, total: int, is_query: bool) -> None:
        """`done` of `total` photos; is_query: asked about, not one of those to compare with."""


@dataclass(frozen=True)
class Inputs:
    """The photos of a run.

    Attributes:
        photos: that were asked about.
        roots: the folders among what was asked about.
        others: photos to compare with.
    """

    photos: Sequence[str]
    roots: Sequence[str] = ()
    others: Sequence[str] = ()


@dataclass
class Summary:
    """What came of a run.

    Attributes:
        photos: that were asked about.
        earlier: of them, those that the tables of an earlier run hold, by whether they have a score.
        faces: that were scored.
        warned: of them, those whose score means little.
        best: rows with the highest scores, doubtful ones last.
        failed: photos without a score, by status.
        others_failed: photos to compare with that have no score.
        comparison: of the faces, where one was wanted and there are any.
        candidates: for photos to be picked from, where some are wanted.
        picked: of them, each with the copy of its file, None without a folder for copies.
        sidecars: photos by whether their scores were written beside them, or there is a file of another program.
    """

    photos: int
    earlier: Counter[bool] = field(default_factory=Counter)
    faces: int = 0
    warned: int = 0
    best: list[Row] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    others_failed: int = 0
    comparison: "Comparison | None" = None
    candidates: list[Candidate] = field(default_factory=list)
    picked: list[tuple[Candidate, Path | None]] = field(default_factory=list)
    sidecars: Counter[bool] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        """Photos that no earlier run has dealt with."""
        return self.photos - self.earlier.total()

    @property
    def exit_code(self) -> int:
        """0: all were scored, in this run or an earlier one; 1: some were not; 2: none was."""
        if not self.faces and not self.earlier[True]:
            return 2
        return 1 if self.failed or self.earlier[False] or self.others_failed else 0

    def add(self, scored: Scored) -> None:
        """Count a photo."""
        if not scored.faces:
            self.failed[scored.rows[0].status] += 1
            return
        self.faces += len(scored.faces)
        self.warned += sum(bool(row.warnings) for row in scored.rows)
        self.best = heapq.nsmallest(BEST, [*self.best, *scored.rows], key=lambda row: row.place)


def others_in(folder: Path, photos: Sequence[str], outputs: Outputs) -> list[str]:
    """The photos of a folder that were not asked about, to compare with. Raises UserError if there are none."""
    queries, name = {os.path.realpath(path) for path in photos}, str(folder)
    paths = expand([name], outputs.copies, outputs.files) if os.path.isdir(folder) else []
    paths = [path for path in paths if path != name and os.path.realpath(path) not in queries]
    if not paths:
        raise UserError(f"No other photos in {name}. Give --against a folder of photos to compare with.")
    return paths


def run(
    inputs: Inputs, scorer: Scorer, outputs: Outputs, single: bool = False, watch: Watcher | None = None
) -> Summary:
    """Score photos, write the outputs and count.

    Args:
        inputs: the photos. With some to compare with, faces are compared even if no report is written.
        scorer: for all of them.
        outputs: checked before, by `Outputs.check` and `check_inputs`.
        single: each photo must show exactly one face.
        watch: called with each photo as it is scored.

    Raises:
        UserError: a table that `outputs.resume` cannot go on in, or photos of no person to pick from.

    Example:
        >>> summary = run(Inputs(["examples/eileen_collins.png", "missing.jpg"]), Scorer(), Outputs())
        >>> summary.faces, dict(summary.failed), summary.exit_code
        (1, {'missing': 1}, 1)
    """
    watch = watch or _nobody
    summary, compares = Summary(len(inputs.photos)), bool(outputs.report or inputs.others)
    entries: list[Entry] = []
    failed: list[Row] = []
    if outputs.picks.of_persons:
        outputs.picks.check_persons(_person(path, inputs.roots) for path in inputs.photos)
    for scored in _score(inputs, scorer, outputs, single, summary, watch):
        failed += [] if scored.faces else scored.rows
        if compares and scored.faces:
            entries += _entries(scored, scorer, inputs.roots)
        if outputs.picks.is_any and scored.faces:
            summary.candidates.append(candidate(scored.rows, _person(scored.rows[0].file, inputs.roots)))
    summary.picked = _picked(summary.candidates, outputs.picks)
    if entries:
        for done, scored in enumerate(scan(scorer, inputs.others), 1):
            failed += [] if scored.faces else scored.rows
            summary.others_failed += not scored.faces
            entries += _entries(scored, scorer) if scored.faces else []
            watch(scored, done, len(inputs.others), False)
        from beauty_evaluate.scoring.compare import of_entries

        summary.comparison = of_entries(entries, scorer, failed)
        if outputs.report:
            summary.comparison.write(outputs.report)
    return summary


def _score(
    inputs: Inputs, scorer: Scorer, outputs: Outputs, single: bool, summary: Summary, watch: Watcher
) -> Iterator[Scored]:
    """The photos that no earlier run has dealt with, written into the tables and counted."""
    if outputs.copies:
        outputs.copies.mkdir(parents=True, exist_ok=True)  # first: if it cannot be made, no table is emptied
    with _tables(outputs, scorer) as tables:
        earlier = {path: _earlier(path, tables) for path in inputs.photos}
        left = [path for path, scored in earlier.items() if scored is None]
        summary.earlier.update(scored for scored in earlier.values() if scored is not None)
        old_first = sorted(inputs.photos, key=lambda path: earlier[path] is None)
        copies = copy_paths(old_first, outputs.copies) if outputs.copies else None
        for done, scored in enumerate(scan(scorer, left, single, copies), 1):
            for table in tables:
                table.write(scored.rows)
            summary.add(scored)
            if outputs.xmp and scored.faces and is_file(scored.rows[0].file):
                summary.sidecars[_write_sidecar(scored, scorer)] += 1
            watch(scored, done, len(left), True)
            yield scored


@contextlib.contextmanager
def _tables(outputs: Outputs, scorer: Scorer) -> "Iterator[list[Table]]":
    with contextlib.ExitStack() as stack:
        tables = outputs.open_tables(stack)
        for table in tables:
            table.check(scorer)
        for table in tables:
            table.begin()
        yield tables
        for table in tables:
            table.finish()


def _earlier(path: str, tables: "Sequence[Table]") -> bool | None:
    """Whether an earlier run scored this photo; None if a table lacks it."""
    answers = {table.earlier(path) for table in tables} or {None}
    return None if None in answers else all(answers)


def _entries(scored: Scored, scorer: Scorer, roots: Sequence[str] | None = None) -> "list[Entry]":
    """The faces of a photo for a comparison. roots: None for a photo to compare with."""
    from beauty_evaluate.scoring.ranking import entries  # late: a plain call does without

    return entries(scored, scorer.crop_config, roots or (), roots is not None)


def _person(file: str, roots: Sequence[str]) -> str:
    from beauty_evaluate.scoring.ranking import person_of  # late, likewise

    return person_of(Path(file), roots)


def _picked(candidates: Sequence[Candidate], picks: Picks) -> list[tuple[Candidate, Path | None]]:
    """The photos that are wanted, copied where that is wanted too."""
    photos = pick(candidates, picks) if picks.is_any else []
    files = [photo.file for photo in photos if isinstance(photo.file, Piped) or is_file(photo.file)]
    copies = dict(zip(files, copy_photos(files, picks.folder), strict=True)) if files and picks.folder else {}
    return [(photo, copies.get(photo.file)) for photo in photos]


def _write_sidecar(scored: Scored, scorer: Scorer) -> bool:
    from beauty_evaluate.scoring import sidecar  # late, likewise

    return sidecar.write(scored.rows[0].file, scored.rows, scorer.scale)


def _nobody(scored: Scored, done: int, total: int, is_query: bool) -> None:
    """Watches nothing."""
