"""Label files as people have them: with or without BOM, CRLF, semicolons, decimal commas, UTF-16."""

import codecs
import csv
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import DataError

HEADER_BYTES = 1 << 16  # read to see what a table is about
USUAL_SCALES = tuple(RatingScale(*ends) for ends in ((0, 1), (1, 5), (1, 7), (1, 10), (0, 10), (0, 100)))
_LINE = re.compile(r"(.+?)[\s;,]+(\S+)")


def read_text(path: Path) -> str:
    """The text of a label file, in whatever encoding a spreadsheet wrote it, with plain line ends.

    Raises:
        DataError: If the file cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "labels.txt")
        >>> _ = path.write_bytes("a.jpg;3\\r\\n".encode("utf-16"))
        >>> read_text(path)
        'a.jpg;3\\n'
    """
    return _decoded(_bytes_of(path))


def _bytes_of(path: Path, most: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}). Check the path and its rights.") from error


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", "replace")
    elif content[1:40:2].strip(b"\0") == b"" and content[1:2]:  # UTF-16 of plain letters, without its mark
        text = content.decode("utf-16-le", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def number(text: str) -> float:
    """A finite number, with a decimal point or comma.

    Raises:
        ValueError: For anything else.

    Example:
        >>> number("3,5")
        3.5
    """
    value = float(text.strip().replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"not a number: {text}")
    return value


def name_scores(path: Path) -> Iterator[tuple[int, str, str, float | None]]:
    """Rows `name score` of a list, separated by spaces, commas, semicolons or tabs.

    Yields:
        Row number, the line, the name, and the score; None where the line holds no name and score.
    """
    for row, line in enumerate(read_text(path).split("\n"), 1):
        line = line.strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        try:
            yield (row, line, match[1].strip(), number(match[2])) if match else (row, line, "", None)
        except ValueError:
            yield row, line, "", None


def read_header(path: Path) -> list[str]:
    """The header of a table as `read_table` gives it, without reading the rest.

    Raises:
        DataError: If the file cannot be read.
    """
    return _parsed(_decoded(_bytes_of(path, HEADER_BYTES)).split("\n", 1)[0], path)[0]


def read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """A table with a header, separated by commas, semicolons or tabs: whichever the header holds most of.

    Returns:
        The header in lower case, and (row number, cells) of each row that is not empty.

    Raises:
        DataError: If the file cannot be read, or is no table.
    """
    return _parsed(read_text(path), path)


def _parsed(text: str, path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(text.split("\n"), delimiter=delimiter)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise DataError(f"{path.name}, row {reader.line_num}: no table ({error}). Save it as CSV.") from error
    return header, rows


def usual_scale(scores: Sequence[float]) -> RatingScale | None:
    """The narrowest usual scale that holds all scores; None if none does.

    Example:
        >>> print(usual_scale([1.5, 6.2]))
        1..7
    """
    for scale in USUAL_SCALES:
        if scores and scale.contains(min(scores)) and scale.contains(max(scores)):
            return scale
    return None


def scale_error(file: str, scores: Sequence[float], scale: RatingScale, cure: str = "") -> DataError:
    """The error of labels on another scale than said, with its cure."""
    better = usual_scale(scores)
    cure = cure or (f"Say --scale {better.low:g} {better.high:g}." if better else "Say --scale LOW HIGH.")
    held = f"{file} holds scores from {min(scores):g} to {max(scores):g}"
    return DataError(f"{held}, outside {scale}. {cure}")


def mostly_outside(scores: Sequence[float], scale: RatingScale) -> bool:
    """Whether so many scores lie outside a scale that it is another scale and not a slip."""
    outside = sum(not scale.contains(score) for score in scores)
    return outside > 1 and outside > len(scores) / 10
