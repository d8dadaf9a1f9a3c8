"""Anyone's rated photos: a folder with a CSV of the columns `file`, `score` and, if known, groups of faces."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet, Problem, Sample
from beauty_evaluate.datasets.labels import number, read_header, read_table, scale_error, usual_scale
from beauty_evaluate.errors import DataError

LAYOUT = "a CSV with the columns file and score, and the photos beside it or in images/"
TERMS = "Your own data set: what may be done with it is for you to say."
SUFFIXES = (".csv", ".tsv")
MOST_GROUPS = 30  # values of a column beyond which it does not name groups

_SCALE_IN_TITLE = re.compile(r"score\D*(\d+)_to_(\d+)")

Row = tuple[int, dict[str, str], float]
"""Row number, cells by column, score."""


def recognises(folder: Path) -> bool:
    """Whether the folder holds a table with the columns `file` and `score`."""
    return bool(_tables(folder))


def read(folder: str | os.PathLike[str], scale: RatingScale | None = None) -> DataSet:
    """Read a folder with a table of scores.

    The table is separated by commas, semicolons or tabs. `file` is a path relative to the folder or to its `images`.
    The score's column may be called anything that begins with "score"; "score_1_to_10" also tells the scale. Every
    other column of at most 30 different words, not numbers, names a group of faces.

    Args:
        folder: Folder of the table.
        scale: The raters' scale; None: told by the column's title, or else the narrowest usual scale that holds all
            scores (`DataSet.scale_inferred`).

    Raises:
        DataError: If there is no such table, no rated photo is left, or scores lie outside the scale.

    Example:
        >>> import pathlib, shutil, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> photo = shutil.copy("examples/grace_hopper.jpg", folder)
        >>> _ = (folder / "scores.csv").write_text("file,score,gender\\ngrace_hopper.jpg,6.5,female\\n")
        >>> data = read(folder)
        >>> str(data.scale), data.scale_inferred, data.group_columns
        ('1..7', True, ('gender',))
    """
    root = Path(folder)
    path = _table(root)
    header, cells = read_table(path)
    title = _score_column(header)
    problems: list[Problem] = []
    rows = list(_scored(path.name, header, title, cells, problems))
    scores = [score for _, _, score in rows]
    if not rows:
        raise DataError(f"{path.name} holds no score{f'; the first problem: {problems[0]}' if problems else '.'}")
    said = scale or _scale_of(title)
    final = _checked(path.name, scores, said, rows) if said else usual_scale(scores)
    if final is None:
        low, high = min(scores), max(scores)
        raise DataError(f"{path.name} holds scores from {low:g} to {high:g}: no usual scale. Say --scale LOW HIGH.")
    groups = _group_columns([title, "file"], header, [values for _, values, _ in rows])
    samples = _samples(root, path.name, rows, groups, problems)
    if not samples:
        raise DataError(f"{path.name}: no photo of its rows is in {root}; the first problem: {problems[0]}")
    return DataSet(
        root.resolve().name,
        final,
        samples,
        TERMS,
        group_columns=groups,
        scale_inferred=said is None,
        problems=problems,
    )


def _tables(root: Path) -> list[Path]:
    """The tables of a folder that have the columns, by name."""
    if not root.is_dir():
        return []
    files = sorted(path for path in root.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    return [path for path in files if "file" in (header := read_header(path)) and _score_column(header)]


def _table(root: Path) -> Path:
    tables = _tables(root)
    if not tables:
        raise DataError(f"No table in {root}. Put there {LAYOUT}.")
    named = [path for path in tables if path.stem.lower() == "scores"] or tables
    if len(named) > 1:
        names = ", ".join(path.name for path in named)
        raise DataError(f"{root} holds several tables of scores: {names}. Leave one, or call it scores.csv.")
    return named[0]


def _score_column(header: Sequence[str]) -> str:
    """`score`, or else the first column that begins so; empty if there is none."""
    titles = [title for title in header if title.startswith("score")]
    return "score" if "score" in titles else titles[0] if titles else ""


def _scale_of(title: str) -> RatingScale | None:
    match = _SCALE_IN_TITLE.search(title)
    return RatingScale(float(match[1]), float(match[2])) if match and float(match[1]) < float(match[2]) else None


def _scored(
    file: str, header: Sequence[str], title: str, cells: Sequence[tuple[int, list[str]]], problems: list[Problem]
) -> Iterator[Row]:
    """The rows with a file and a score; others go to `problems`."""
    for row, texts in cells:
        values = dict(zip(header, texts, strict=False))
        try:
            score = number(values.get(title, ""))
        except ValueError:
            problems.append(Problem(file, row, f"{values.get('file') or 'a row'} has no score; skipped."))
            continue
        if not values["file"]:
            problems.append(Problem(file, row, "a score without a file; skipped."))
            continue
        yield row, values, score


def _checked(file: str, scores: Sequence[float], scale: RatingScale, rows: Sequence[Row]) -> RatingScale:
    """The scale that was said. DataError if a score lies outside it."""
    outside = [(row, score) for row, _, score in rows if not scale.contains(score)]
    if len(outside) == 1 and len(rows) > 2:  # one slip, not another scale
        row, score = outside[0]
        raise DataError(f"{file}, row {row}: the score {score:g} lies outside {scale}. Correct it or remove the row.")
    if outside:
        raise scale_error(file, scores, scale)
    return scale


def _group_columns(others: Sequence[str], header: Sequence[str], rows: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """Columns that name groups: a few words each, not numbers."""
    columns = []
    for column in dict.fromkeys(header):
        values = {row[column] for row in rows if row.get(column)}
        if column and column not in others and 0 < len(values) <= MOST_GROUPS and not any(map(_is_number, values)):
            columns.append(column)
    return tuple(columns)


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _samples(
    root: Path, file: str, rows: Sequence[Row], groups: Sequence[str], problems: list[Problem]
) -> dict[str, Sample]:
    """The rated photos that are there; others go to `problems`."""
    samples: dict[str, Sample] = {}
    for row, values, score in rows:
        name = PurePosixPath(values["file"].replace("\\", "/")).as_posix()
        path = next((p for p in (root / name, root / "images" / name) if p.is_file()), None)
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            fault = f"{name} lies outside the folder; skipped."
        elif name in samples:
            fault = f"{name} stands twice; skipped."
        elif path is None:
            fault = f"no such photo: {name}; skipped."
        elif not path.stat().st_size:
            fault = f"{name} is an empty file; skipped."
        else:
            samples[name] = Sample(name, score, {c: values[c] for c in groups if values.get(c)}, path)
            continue
        problems.append(Problem(file, row, fault))
    return samples
