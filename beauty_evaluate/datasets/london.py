"""The Face Research Lab London Set (DeBruine and Jones, figshare 5047666): 102 faces, each rated by 2513 people."""

import os
from functools import partial
from pathlib import Path

import numpy as np

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet, Problem, Sample
from beauty_evaluate.datasets.labels import mostly_outside, number, read_header, read_table, scale_error
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.datasets.splits import SEEDED, evaluation_split, seeded_split
from beauty_evaluate.errors import DataError

TITLE = "London"
SCALE = RatingScale(1, 7)
TERMS = "CC BY 4.0: may be shown and passed on with attribution to DeBruine and Jones (figshare 5047666)."
SHIPPED = Path(__file__).with_name("london")
FACES, RATINGS = "faces.csv", "ratings.csv"
LAYOUT = f"{FACES} and images/ID_neutral.jpg"
TEST = "test"


def recognises(folder: Path) -> bool:
    """Whether the folder holds the London set, even if a part of it is missing."""
    if not (folder / FACES).is_file():
        return False
    return {"face", "mean"} <= set(read_header(folder / FACES))


def read(folder: str | os.PathLike[str] = SHIPPED, scale: RatingScale | None = None) -> DataSet:
    """Read the faces and find their neutral photos, which are the ones that were rated.

    Nothing is learnt from the set unless a split is named that says so: its own split has a test part alone.

    Args:
        folder: With `faces.csv`, `images/ID_neutral.jpg` and perhaps `ratings.csv`; default: the set that ships.
        scale: Ignored unless it contradicts the set's own, 1..7.

    Raises:
        DataError: If the layout is not there, no rated photo is left, or the scores are on another scale.

    Example:
        >>> data = read()
        >>> len(data.samples), str(data.scale), round(data.human_pc, 3)
        (102, '1..7', 0.59)
    """
    root = Path(folder)
    if not (root / FACES).is_file():
        raise DataError(f"No {TITLE} in {root}: {FACES} is missing. Check --data.")
    if scale not in (None, SCALE):
        raise DataError(f"{TITLE} is rated {SCALE}, not {scale}. Leave out --scale.")
    problems: list[Problem] = []
    samples = _samples(root, problems)
    if not samples:
        raise DataError(f"No rated photo in {root}{f'; the first problem: {problems[0]}' if problems else '.'}")
    sheet = _ratings(root / RATINGS, samples) if (root / RATINGS).is_file() else None
    return DataSet(
        TITLE,
        SCALE,
        samples,
        TERMS,
        group_columns=("gender", "origin"),
        splits={TEST: partial(evaluation_split, tuple(samples), TEST), SEEDED: partial(seeded_split, tuple(samples))},
        default_split=TEST,
        training_split=SEEDED,
        load_ratings=None if sheet is None else partial(_same, sheet),
        human_pc=None if sheet is None else sheet.one_rater_pc(),
        human_source="" if sheet is None else f"{len(sheet.raters)} raters in {RATINGS}",
        problems=problems,
    )


def _same(sheet: RatingSheet) -> RatingSheet:
    return sheet


def _samples(root: Path, problems: list[Problem]) -> dict[str, Sample]:
    """The faces whose photo is there; bad rows go to `problems`."""
    header, rows = read_table(root / FACES)
    if missing := sorted({"face", "mean", "gender", "ethnicity"} - set(header)):
        raise DataError(f"{FACES} has no column {', '.join(missing)}. Restore the file.")
    samples: dict[str, Sample] = {}
    scores = []
    for row, cells in rows:
        values = dict(zip(header, cells, strict=False))
        name = f"{values['face'].removesuffix('_neutral.jpg').zfill(3)}_neutral.jpg"  # spreadsheets strip zeros
        path = root / "images" / name
        try:
            score = number(values["mean"])
        except (KeyError, ValueError):
            problems.append(Problem(FACES, row, f"{name} has no score; skipped."))
            continue
        scores.append(score)
        if not SCALE.contains(score) or not path.is_file() or name in samples:
            why = "stands twice" if name in samples else "no photo" if SCALE.contains(score) else f"outside {SCALE}"
            problems.append(Problem(FACES, row, f"{name}: {why}; skipped."))
            continue
        groups = {"gender": values.get("gender", ""), "origin": values.get("ethnicity", "").replace("_", " ")}
        samples[name] = Sample(name, score, groups, path)
    if mostly_outside(scores, SCALE):
        raise scale_error(FACES, scores, SCALE, f"{TITLE} is rated {SCALE}: restore the file.")
    return samples


def _ratings(path: Path, samples: dict[str, Sample]) -> RatingSheet:
    """The ratings of the faces of `samples`: a row per rater, with their sex, and a column per face."""
    header, rows = read_table(path)
    columns = {f"{title.zfill(3)}_neutral.jpg": place for place, title in enumerate(header) if title.isdigit()}
    faces = tuple(sorted(name for name in samples if name in columns))
    if not {"rater", "rater_sex"} <= set(header) or not faces:
        raise DataError(f"{path.name} has no column rater, rater_sex or of a face. Restore the file.")
    rater, sex = header.index("rater"), header.index("rater_sex")
    places = [columns[face] for face in faces]
    values = np.full((len(rows), len(faces)), np.nan)
    for i, (row, cells) in enumerate(rows):
        try:
            values[i] = [float(cells[place] or "nan") for place in places]
        except (IndexError, ValueError) as error:
            raise DataError(f"{path.name}, row {row}: no rating for each face ({error}). Restore the file.") from error
    if ((values < SCALE.low) | (values > SCALE.high)).any():
        raise DataError(f"{path.name} holds ratings outside {SCALE}. Restore the file.")
    raters = tuple(cells[rater] for _, cells in rows)
    return RatingSheet(raters, faces, values, SCALE, tuple(cells[sex] for _, cells in rows))
