"""Rows on disk as they come, so that a run that is killed loses nothing and can go on."""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.files import lock, write_atomic
from beauty_evaluate.scoring.records import (
    BYTE_ORDER_MARK,
    COLUMNS,
    EarlierVersion,
    Kind,
    Record,
    as_in_csv,
    csv_line,
    read_records,
    text_of,
)
from beauty_evaluate.scoring.rows import Row
from beauty_evaluate.scoring.scorer import Scorer

PHOTOS_TO_CHECK = 5  # of an earlier run, which are scored again
MAX_SCORE_CHANGE = 0.01  # rating points; more than other threads or another runtime change a score by


class Table:
    """Rows in one file, CSV or JSON Lines; `-` is standard output.

    All rows of a photo are written by one call of the system: none stands there half. What an earlier run left is not
    written again. While a table is open, no other run can open it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = Table(f"{folder}/scores.csv", "csv")
        ...     table.write([Row("me.jpg", 1, 1, "ok", score=3.2)])
        ...     table.close()
        ...     print(Path(folder, "scores.csv").read_text().splitlines()[1][:17])
        me.jpg,1,1,ok,3.2
    """

    def __init__(
        self, place: str, kind: Kind, resume: bool = False, for_excel: bool = False, is_sorted: bool = False
    ) -> None:
        """Open the file.

        Args:
            place: of the file, or `-`.
            kind: `csv` or `json`.
            resume: go on in a file that is there; else it is written over.
            for_excel: begin a CSV with a byte order mark, by which Excel knows UTF-8.
            is_sorted: the highest score comes first, once all are there (`finish`; on standard output `close`).

        Raises:
            UserError: another run writes this file; or `resume`, and it is no such table.
        """
        self._kind, self._is_sorted = kind, is_sorted
        self._file = None if place == "-" else place
        self._descriptor: int | None = None
        self._held: list[Row] = []  # that wait for others to be sorted
        self._earlier: dict[str, bool] = {}
        self._earlier_weights: set[str] = set()
        self._to_check: dict[str, float] = {}
        self._mark = BYTE_ORDER_MARK if for_excel and kind == "csv" else ""
        if self._file is not None:
            self._descriptor = _open_locked(self._file)
        try:
            self._is_begun = resume and self._go_on()
        except UserError:
            self.close()
            raise

    def _go_on(self) -> bool:
        """Read what an earlier run left, and cut off what it left half. False if there is nothing."""
        assert self._file is not None
        content = Path(self._file).read_bytes() if Path(self._file).is_file() else b""
        self._mark = BYTE_ORDER_MARK if content.startswith(BYTE_ORDER_MARK.encode()) else self._mark
        try:
            records, length = read_records(content, self._kind)
        except EarlierVersion as error:
            raise UserError(
                f"{self._file} was written by an earlier version, {error}. Name another file, or start it again with "
                "--overwrite."
            ) from error
        except ValueError as error:
            raise UserError(f"{self._file} is not a table of this program ({error}). Name another file.") from error
        self._earlier = {record.file: record.score is not None for record in records}
        self._earlier_weights = {record.weights for record in records}
        for record in records:
            if record.score is not None and len(self._to_check) < PHOTOS_TO_CHECK:
                self._to_check.setdefault(record.file, record.score)
        if length < len(content) and self._descriptor is not None:
            os.ftruncate(self._descriptor, length)
        return length > 0

    def begin(self) -> None:
        """Empty the file and write the head, unless the table goes on. The first rows do that too; a run with several
        tables opens all before it empties one."""
        if self._is_begun:
            return
        self._is_begun = True
        if self._descriptor is not None and _is_file(self._descriptor):
            os.ftruncate(self._descriptor, 0)
        if self._kind == "csv":
            self._put(self._mark + csv_line(COLUMNS))

    def check(self, scorer: Scorer) -> None:
        """UserError if an earlier run used other weights, or if one of some of its photos that can still be scored gets
        another score now: one table must not mix networks."""
        for weights in self._earlier_weights - {scorer.card.identity}:
            raise UserError(
                f"{self._file} is not a table of {scorer.card.name}: it has rows of {weights or 'other weights'}, and "
                f"this is {scorer.card.identity}. Name another file, or the weights it was made with."
            )
        for file, score in self._to_check.items():
            try:
                now = scorer.score(file)[0].score
            except PhotoError:
                continue  # it has gone, or changed
            if now is not None and abs(now - score) > MAX_SCORE_CHANGE:
                raise UserError(
                    f"{self._file} does not fit its photos any more: {file} has {score:.4f} there and scores {now:.4f} "
                    "now. Name another file, or start it again with --overwrite."
                )

    def earlier(self, file: str) -> bool | None:
        """Whether an earlier run scored this photo; None if it left no rows of it."""
        return self._earlier.get(as_in_csv(file))

    def write(self, rows: Sequence[Row]) -> None:
        """The rows of one photo."""
        if self.earlier(rows[0].file) is not None:
            return
        self.begin()
        if self._is_sorted and self._file is None:
            self._held += rows
        else:
            self._put(text_of(rows, self._kind))

    def finish(self) -> None:
        """Put the highest score first, if that was asked for: of all rows of the file, those of earlier runs too."""
        if self._is_sorted and self._file is not None and self._descriptor is not None and _is_file(self._descriptor):
            records, _ = read_records(Path(self._file).read_bytes(), self._kind)
            head = self._mark + csv_line(COLUMNS) if self._kind == "csv" else ""
            text = head + "".join(record.text for record in sorted(records, key=_place))
            if os.name == "nt":
                self.close()  # Windows replaces no file that is open
            write_atomic(Path(os.path.realpath(self._file)), text.encode())

    def close(self) -> None:
        """Close the file, and let other runs have it; on standard output, write the rows that wait."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        elif self._held:
            self._put(text_of(sorted(self._held, key=_place), self._kind))
            self._held = []

    def _put(self, text: str) -> None:
        if self._descriptor is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        data = memoryview(text.encode("utf-8", "backslashreplace"))  # a file name may hold bytes that are not UTF-8
        while data:
            data = data[os.write(self._descriptor, data) :]


def _place(row: Row | Record) -> tuple[bool, float]:
    """What sorts the highest score first, and rows without one last."""
    return row.score is None, -(row.score or 0)


def _is_file(descriptor: int) -> bool:
    """Whether it is a file on a disk, not a pipe or a device."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _open_locked(file: str) -> int:
    """A descriptor that appends, of a file that is not emptied. UserError where another run writes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    while True:
        descriptor = os.open(file, flags, 0o666)
        if not _is_file(descriptor):
            return descriptor
        if not lock(descriptor):
            os.close(descriptor)
            raise UserError(f"Another run is writing {file}. Wait until it has ended, or name another file.")
        if os.path.samestat(os.fstat(descriptor), os.stat(file)):
            return descriptor
        os.close(descriptor)  # another run has just put a sorted table in its place
