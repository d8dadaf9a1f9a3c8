"""Rows on disk as they come, so that a run that is killed loses nothing and can go on."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path

from beauty_evaluate.errors import UserError
from beauty_evaluate.models.card import write_whole
from beauty_evaluate.scoring.scorer import Row

COLUMNS = [f.name for f in fields(Row)]


class Table:
    """Rows in one file, CSV or JSON Lines; `-` is standard output.

    All rows of a photo are written by one call of the system: none stands there half. What an earlier run left is not
    written again.
    """

    def __init__(self, place: str, kind: str, resume: bool = False) -> None:
        """kind: `csv` or `json`. resume: go on in a file that is there. UserError if that file is no such table."""
        self._text: Callable[[Sequence[Row]], str] = _csv if kind == "csv" else _json
        self._earlier: dict[str, bool] = {}
        self._file = None if place == "-" else place
        there = resume and self._file is not None and Path(self._file).is_file()
        if there:
            self._earlier = _kept(Path(place), kind)
        self._descriptor = None
        if self._file is not None:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if there else os.O_TRUNC)
            self._descriptor = os.open(self._file, flags | getattr(os, "O_BINARY", 0), 0o666)
        if kind == "csv" and not (there and Path(place).stat().st_size):
            self._write(_csv_line(COLUMNS))

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


def _kept(path: Path, kind: str) -> dict[str, bool]:
    """The photos whose rows are all there, and whether they were scored. What a killed run left half is cut off."""
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
        write_whole(path, whole.encode())
    return {file: scored for file, _, scored in rows}


def _records(text: str, quoted: bool) -> list[str]:
    """Whole records with their line ends; a quoted field may hold line ends of its own."""
    records, pending = [], ""
    for line in text.split("\n")[:-1]:
        pending += line + "\n"
        if not quoted or pending.count('"') % 2 == 0:
            records.append(pending)
            pending = ""
    return records


def _row(record: str, kind: str) -> tuple[str, int, bool]:
    """Its photo, how many rows that has, and whether it was scored. ValueError for a record of another table."""
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
    return _key(values["file"]), int(values["faces"]) if scored else 1, scored
