"""Rows on disk as they come, so that a run that is killed loses nothing and can go on."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Literal

from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.scoring.rows import Row
from beauty_evaluate.scoring.scorer import Scorer

COLUMNS = [column.name for column in fields(Row)]
PHOTOS_TO_CHECK = 5  # of an earlier run, which are scored again
MAX_SCORE_CHANGE = 0.01  # rating points; more than other threads or another runtime change a score by

Kind = Literal["csv", "json"]


class Table:
    """Rows in one file, CSV or JSON Lines; `-` is standard output.

    All rows of a photo are written by one call of the system: none stands there half. What an earlier run left is not
    written again.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = Table(f"{folder}/scores.csv", "csv")
        ...     table.write([Row("me.jpg", 1, 1, "ok", score=3.2)])
        ...     table.close()
        ...     print(Path(folder, "scores.csv").read_text().splitlines()[1][:17])
        me.jpg,1,1,ok,3.2
    """

    def __init__(self, place: str, kind: Kind, resume: bool = False) -> None:
        """Open the file.

        Args:
            place: of the file, or `-`.
            kind: `csv` or `json`.
            resume: go on in a file that is there; else it is written over.

        Raises:
            UserError: `resume`, and that file is no such table.
        """
        self._text: Callable[[Sequence[Row]], str] = _csv if kind == "csv" else _json
        self._earlier: dict[str, bool] = {}
        self._to_check: list[tuple[str, float]] = []
        self._file = None if place == "-" else place
        exists = resume and self._file is not None and Path(self._file).is_file()
        if exists:
            self._earlier, self._to_check = _read_whole_rows(Path(place), kind)
        self._descriptor = None
        if self._file is not None:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if exists else os.O_TRUNC)
            self._descriptor = os.open(self._file, flags | getattr(os, "O_BINARY", 0), 0o666)
        if kind == "csv" and not (exists and Path(place).stat().st_size):
            self._write(_csv_line(COLUMNS))

    def check(self, scorer: Scorer) -> None:
        """UserError if one of some photos of an earlier run that can still be scored gets another score now: one table
        must not mix networks."""
        for file, score in self._to_check:
            try:
                now = scorer.score(file)[0].score
            except PhotoError:
                continue  # it has gone, or changed
            if now is not None and abs(now - score) > MAX_SCORE_CHANGE:
                raise UserError(
                    f"{self._file} is not a table of {scorer.card.name}, or its photos have changed: {file} has "
                    f"{score:.4f} there and scores {now:.4f} now. Name another file, or the weights it was made with."
                )

    def earlier(self, file: str) -> bool | None:
        """Whether an earlier run scored this photo; None if it left no rows of it."""
        return self._earlier.get(_as_in_csv(file))

    def write(self, rows: Sequence[Row]) -> None:
        """The rows of one photo."""
        if self.earlier(rows[0].file) is None:
            self._write(self._text(rows))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _write(self, text: str) -> None:
        if self._descriptor is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        data = memoryview(text.encode("utf-8", "backslashreplace"))  # a file name may hold bytes that are not UTF-8
        while data:
            data = data[os.write(self._descriptor, data) :]


def _csv(rows: Sequence[Row]) -> str:
    return "".join(_csv_line(astuple(row)) for row in rows)


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # which is what makes it quote either of the two
    return line.getvalue().removesuffix("\r\n") + "\n"


def _json(rows: Sequence[Row]) -> str:
    return "".join(json.dumps(asdict(row)) + "\n" for row in rows)


def _as_in_csv(file: str) -> str:
    """A file's name as it stands in a CSV."""
    return file.encode("utf-8", "backslashreplace").decode()


def _read_whole_rows(path: Path, kind: Kind) -> tuple[dict[str, bool], list[tuple[str, float]]]:
    """The photos whose rows are all there, and whether they were scored; of some photos the first face's score. What a
    killed run left half is cut off."""
    text = path.read_bytes().decode("utf-8", "replace")
    records = _records(text, quoted=kind == "csv")
    head = [_csv_line(COLUMNS)] if kind == "csv" else []
    try:
        if records and records[: len(head)] != head:
            raise ValueError("other columns")
        rows = [_parsed(record, kind) for record in records[len(head) :]]
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} is not a table of this program ({error}). Name another file.") from error
    if rows and sum(row[0] == rows[-1][0] for row in rows) < rows[-1][1]:  # the last photo lacks faces
        rows = [row for row in rows if row[0] != rows[-1][0]]
    whole = "".join(records[: len(head) + len(rows)])
    if whole != text:
        os.truncate(path, len(whole.encode()))
    first_scores: dict[str, float] = {}
    for file, _, score in rows:
        if score is not None and len(first_scores) < PHOTOS_TO_CHECK:
            first_scores.setdefault(file, score)
    return {file: score is not None for file, _, score in rows}, list(first_scores.items())


def _records(text: str, quoted: bool) -> list[str]:
    """Whole records with their line ends; a quoted field may hold line ends of its own."""
    records, pending = [], ""
    for line in text.split("\n")[:-1]:
        pending += line + "\n"
        if not quoted or pending.count('"') % 2 == 0:
            records.append(pending)
            pending = ""
    return records


def _parsed(record: str, kind: Kind) -> tuple[str, int, float | None]:
    """Its photo, how many rows that has, and its score, None if it has none. ValueError for a record of another
    table."""
    if kind == "json":
        values = json.loads(record)
        if not isinstance(values, dict) or list(values) != COLUMNS:
            raise ValueError("other keys")
    else:
        cells = next(csv.reader([record]))
        if len(cells) != len(COLUMNS):
            raise ValueError(f"a row of {len(cells)} cells")
        values = dict(zip(COLUMNS, cells, strict=True))
    scored = int(values["face"]) > 0
    return _as_in_csv(values["file"]), int(values["faces"]) if scored else 1, float(values["score"]) if scored else None
