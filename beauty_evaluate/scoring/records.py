"""Rows as text, CSV or a JSON object a line, and back."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Literal

from beauty_evaluate.scoring.rows import Row

COLUMNS = [column.name for column in fields(Row)]
FIRST_COLUMNS = COLUMNS.index("weights") + 1  # that tables of release 0.1 have
BYTE_ORDER_MARK = "\ufeff"
# What begins a formula in a spreadsheet (OWASP, "CSV Injection"), the wide forms of Chinese and Japanese keyboards too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Kind = Literal["csv", "json"]


@dataclass(frozen=True)
class Record:
    """A row that was read back.

    Attributes:
        file: of the photo, as it stands in a CSV.
        rows: that the photo has.
        score: rating points; None if it has none.
        weights: as in `Row`.
        text: of the record, with its line end.
    """

    file: str
    rows: int
    score: float | None
    weights: str
    text: str


def text_of(rows: Sequence[Row], kind: Kind) -> str:
    """Rows as lines.

    Example:
        >>> text_of([Row("=me.jpg", 0, 0, "missing")], "csv")[:22]
        './=me.jpg,0,0,missing,'
    """
    if kind == "json":
        return "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    return "".join(csv_line((_as_path(row.file), *astuple(row)[1:])) for row in rows)


def csv_line(cells: Sequence[object]) -> str:
    """Cells as a line of a CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it, as
    people write it there; numbers stay numbers.

    Example:
        >>> csv_line(["=1+1", -2.5])
        "'=1+1,-2.5\\n"
    """
    harmless = [f"'{cell}" if isinstance(cell, str) and _begins_formula(cell) else cell for cell in cells]
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(harmless)  # which is what makes it quote either of the two
    return line.getvalue().removesuffix("\r\n") + "\n"


def as_in_csv(file: str) -> str:
    """A file's name as it stands in a CSV.

    Example:
        >>> as_in_csv("-me.jpg"), as_in_csv("me.jpg")
        ('./-me.jpg', 'me.jpg')
    """
    return _as_path(file).encode("utf-8", "backslashreplace").decode()


def _as_path(file: str) -> str:
    """The same file by a name that begins no formula."""
    return f"./{file}" if _begins_formula(file) else file


def _begins_formula(text: str) -> bool:
    """`-` alone, a photo on a pipe, begins none."""
    return text.startswith(FORMULA_STARTS) and text != "-"


class EarlierVersion(ValueError):
    """A table of an earlier version, as the words of the error say: `without the column parts`."""


def _other_columns(columns: list[str]) -> ValueError:
    """What is wrong with a table of these columns."""
    lacking = COLUMNS[len(columns) :]
    if len(columns) < FIRST_COLUMNS or columns + lacking != COLUMNS:
        return ValueError("other columns")
    return EarlierVersion(f"without the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}")


def read_records(content: bytes, kind: Kind) -> tuple[list[Record], int]:
    """The rows of a table, without those of a photo of which a killed run left a part.

    Args:
        content: of the file.
        kind: `csv` or `json`.

    Returns:
        The records, and how many bytes of the content they and what stands before them take.

    Raises:
        EarlierVersion: it is one of an earlier version, with fewer columns.
        ValueError: it is no table of this program.
    """
    text = content.decode("utf-8", "replace")
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    lines = _lines(text.removeprefix(mark), quoted=kind == "csv")
    head = [csv_line(COLUMNS)] if kind == "csv" else []
    if lines and lines[: len(head)] != head:
        raise _other_columns(next(csv.reader(lines[:1])))
    try:
        records = [_record(line, kind) for line in lines[len(head) :]]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if records and sum(one.file == records[-1].file for one in records) < records[-1].rows:  # the last lacks faces
        records = [one for one in records if one.file != records[-1].file]
    whole = [*(head if lines else []), *(record.text for record in records)]
    return records, len((mark + "".join(whole)).encode()) if whole else 0


def _lines(text: str, quoted: bool) -> list[str]:
    """Whole records with their line ends; a quoted field may hold line ends of its own."""
    lines, pending = [], ""
    for line in text.split("\n")[:-1]:
        pending += line + "\n"
        if not quoted or pending.count('"') % 2 == 0:
            lines.append(pending)
            pending = ""
    return lines


def _record(line: str, kind: Kind) -> Record:
    """ValueError for a record of another table."""
    if kind == "json":
        values = json.loads(line)
        if not isinstance(values, dict) or list(values) != COLUMNS:
            raise _other_columns(list(values) if isinstance(values, dict) else [])
    else:
        cells = next(csv.reader([line]))
        if len(cells) != len(COLUMNS):
            raise ValueError(f"a row of {len(cells)} cells")
        values = dict(zip(COLUMNS, cells, strict=True))
    scored = int(values["face"]) > 0
    score = float(values["score"]) if scored else None
    return Record(as_in_csv(values["file"]), int(values["faces"]) if scored else 1, score, values["weights"], line)
