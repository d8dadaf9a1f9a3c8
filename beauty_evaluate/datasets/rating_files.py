"""Single ratings from files: long tables in Excel workbooks."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.errors import DataError


def workbook_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    """Rater, file and rating of each row, over all sheets that have the columns.

    Args:
        path: An Excel workbook (.xlsx).
        columns: Titles of the three columns, in lower case; capitals and spaces around them do not matter.

    Raises:
        DataError: If openpyxl is missing, the file is no workbook, or no sheet has the columns.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(f"{path.name} needs the package openpyxl. Install it: pip install openpyxl.") from error
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a damaged workbook raises whatever its parser stumbled upon
        raise DataError(f"{path.name} is no Excel workbook ({error}). Restore it from the release.") from error
    fitting = 0
    for sheet in book.worksheets:
        rows = sheet.iter_rows(values_only=True)
        header = [str(cell or "").strip().lower() for cell in next(rows, ())]
        if not set(columns) <= set(header):
            continue
        fitting += 1
        places = [header.index(column) for column in columns]
        for row in rows:
            rater, file, rating = (row[place] if place < len(row) else None for place in places)
            if rater is not None and file is not None and isinstance(rating, int | float):
                yield _rater(rater), str(file).strip(), float(rating)
    book.close()
    if not fitting:
        raise DataError(f"{path.name} has no sheet with the columns {', '.join(columns)}. Restore it from the release.")


def _rater(cell: object) -> str:
    """A rater's name; a number is written without decimals, however its cell holds it."""
    return f"{cell:g}" if isinstance(cell, int | float) else str(cell).strip()


def sheet_of_rows(rows: Iterable[tuple[str, str, float]], scale: RatingScale, file: str) -> RatingSheet:
    """A sheet from rows (rater, face, rating). Of a repeated rating the last one counts.

    Raises:
        DataError: If there is no row, or a rating lies outside the scale.

    Example:
        >>> sheet = sheet_of_rows([("1", "a.jpg", 3), ("2", "a.jpg", 4)], RatingScale(1, 5), "ratings.xlsx")
        >>> sheet.mean().tolist()
        [3.5]
    """
    ratings = {(rater, face): rating for rater, face, rating in rows}
    if not ratings:
        raise DataError(f"{file} holds no rating. Restore it from the release.")
    raters = {rater: i for i, rater in enumerate(dict.fromkeys(rater for rater, _ in ratings))}
    faces = {face: i for i, face in enumerate(sorted({face for _, face in ratings}))}
    values = np.full((len(raters), len(faces)), np.nan)
    for (rater, face), rating in ratings.items():
        if not scale.contains(rating):
            raise DataError(f"{file}: rater {rater} gave {face} {rating:g}, outside {scale}. Correct the cell.")
        values[raters[rater], faces[face]] = rating
    return RatingSheet(tuple(raters), tuple(faces), values, scale)
