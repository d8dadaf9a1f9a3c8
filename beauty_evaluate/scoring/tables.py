"""Rows on disk as they come, so that a run that is killed loses nothing and can go on."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.scoring.scorer import Row, Scorer

COLUMNS = [f.name for f in fields(Row)]
EXAMPLES = 5  # photos of an earlier run that may be scored again
SAME = 0.01  # rating points that other threads or another runtime may change a score by, and more


class Table:
    """Rows in one file, CSV or JSON Lines; `-` is standard output.

    All rows of a photo are written by one call of the system: none stands there half. What an earlier run left is not
    written again.
    """

    def __init__(self, place: str, kind: str, resume: bool = False) -> None:
        """kind: `csv` or `json`. resume: go on in a file that is there. UserError if that file is no such table."""
        self._text: Callable[[Sequence[Row]], str] = _csv if kind == "csv" else _json
        self._earlier: dict[str, bool] = {}
        self._examples: list[tuple[str, float]] = []
        self._file = None if place == "-" else place
        there = resume and self._file is not None and Path(self._file).is_file()
        if there:
            self._earlier, self._examples = _kept(Path(place), kind)
        self._descriptor = None
        if self._file is not None:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if there else os.O_TRUNC)
            self._descriptor = os.open(self._file, flags | getattr(os, "O_BINARY", 0), 0o666)
        if kind == "csv" and not (there and Path(place).stat().st_size):
            self._write(_csv_line(COLUMNS))

    def check(self, scorer: Scorer) -> None:
        """UserError if one of some photos of an earlier run that can still be scored gets another score now: one table
        must not mix networks."""
        for file, score in self._examples:
            try:
                now = scorer.score(file)[0].score
            except PhotoError:
                continue  # it has gone, or changed
            if now is not None and abs(now - score) > SAME:
                raise UserError(
                    f"Expected --resume with a table of {scorer.card.name}. Received: {self._file}, where {file} has "
                    f"{score:.4f}, not {now:.4f}: of other weights, or the photo has changed. Name another file."
                )

    def earlier(self, file: str) -> bool | None:
        """Whether an earlier run scored this photo; None if it left no rows of it."""
        return self._earlier.get(_key(file))

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


def _key(file: str) -> str:
    """A file's name as it stands in a CSV."""
    return file.encode("utf-8", "backslashreplace").decode()


def _kept(path: Path, kind: str) -> tuple[dict[str, bool], list[tuple[str, float]]]:
    """The photos whose rows are all there, and whether they were scored; of some photos the first face's score. What a
    killed run left half is cut off."""
    text = path.read_bytes().decode("utf-8", "replace")
    records = _records(text, quoted=kind == "csv")
    head = [_csv_line(COLUMNS)] if kind == "csv" else []
    try:
        if records and records[: len(head)] != head:
            raise ValueError("other columns")
        rows = [_row(record, kind) for record in records[len(head) :]]
    except (ValueError, csv.Error) as error:
        raise UserError(
            f"Expected --resume with a table of this program. Received: {path}, which holds something else ({error})."
        ) from error
    if rows and sum(row[0] == rows[-1][0] for row in rows) < rows[-1][1]:  # the last photo lacks faces
        rows = [row for row in rows if row[0] != rows[-1][0]]
    whole = "".join(records[: len(head) + len(rows)])
    if whole != text:
        os.truncate(path, len(whole.encode()))
    firsts: dict[str, float] = {}
    for file, _, score in rows:
        if score is not None and len(firsts) < EXAMPLES:
            firsts.setdefault(file, score)
    return {file: score is not None for file, _, score in rows}, list(firsts.items())


def _records(text: str, quoted: bool) -> list[str]:
    """Whole records with their line ends; a quoted field may hold line ends of its own."""
    records, pending = [], ""
    for line in text.split("\n")[:-1]:
        pending += line + "\n"
        if not quoted or pending.count('"') % 2 == 0:
            records.append(pending)
            pending = ""
    return records


def _row(record: str, kind: str) -> tuple[str, int, float | None]:
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
    return _key(values["file"]), int(values["faces"]) if scored else 1, float(values["score"]) if scored else None
