"""SCUT-FBP5500 in its released layout (Liang et al., ICPR 2018, arXiv 1801.06345)."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet, LandmarkScheme, Problem, Sample
from beauty_evaluate.datasets.labels import mostly_outside, name_scores, scale_error
from beauty_evaluate.datasets.rating_files import sheet_of_rows, workbook_rows
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.errors import DataError

TITLE = "SCUT-FBP5500"
SCALE = RatingScale(1, 5)
TERMS = "For non-commercial research only. The photos may not be passed on."
GROUPS = {
    "AF": ("female", "asian", "Asian females (AF)"),
    "AM": ("male", "asian", "Asian males (AM)"),
    "CF": ("female", "caucasian", "Caucasian females (CF)"),
    "CM": ("male", "caucasian", "Caucasian males (CM)"),
}
LANDMARKS = LandmarkScheme(TITLE, 86)
LABELS = "train_test_files/All_labels.txt"
RATINGS = "All_Ratings.xlsx"
LAYOUT = f"Images and {LABELS}"
FOLDS = tuple(f"fold{k}" for k in range(1, 6))
DEFAULT_SPLIT = "60-40"
HUMAN_PC = 0.77
HUMAN_SOURCE = "Liang et al., 2018, Table III"


def recognises(folder: Path) -> bool:
    """Whether the folder looks like SCUT-FBP5500, even if a part of it is missing."""
    return (folder / "train_test_files").is_dir() or (folder / RATINGS).is_file()


def read(folder: str | os.PathLike[str], scale: RatingScale | None = None) -> DataSet:
    """Read labels, photo paths and landmarks; photos are decoded later.

    Invalid entries are reported in `problems` and skipped; missing required files stop the run.

    Args:
        folder: Folder of the release, with `Images` and `train_test_files`.
        scale: Ignored unless it contradicts the set's own, 1..5.

    Raises:
        DataError: If the layout is not there, no labelled photo is left, or the labels are on another scale.

    Example:
        >>> read("examples")
        Traceback (most recent call last):
        beauty_evaluate.errors.DataError: No SCUT-FBP5500 in examples: Images is missing. Check --data.
    """
    root = Path(folder)
    for part, there in (("Images", (root / "Images").is_dir()), (LABELS, (root / LABELS).is_file())):
        if not there:
            raise DataError(f"No {TITLE} in {root}: {part} is missing. Check --data.")
    if scale not in (None, SCALE):
        raise DataError(f"{TITLE} is rated {SCALE}, not {scale}. Leave out --scale.")
    problems: list[Problem] = []
    labels = _labels(root / LABELS, problems)
    samples = dict(_samples(root, labels, problems))
    if not samples:
        raise DataError(f"No labelled photo in {root}{f'; the first problem: {problems[0]}' if problems else '.'}")
    splits = {name: partial(_split, root, samples, problems, name) for name in (DEFAULT_SPLIT, *FOLDS)}
    return DataSet(
        TITLE,
        SCALE,
        samples,
        TERMS,
        group_columns=("group",),
        group_titles={key: title for key, (_, _, title) in GROUPS.items()},
        landmark_scheme=LANDMARKS,
        splits=splits,
        default_split=DEFAULT_SPLIT,
        folds=FOLDS,
        load_ratings=partial(_ratings, root / RATINGS) if (root / RATINGS).is_file() else None,
        human_pc=HUMAN_PC,
        human_source=HUMAN_SOURCE,
        problems=problems,
    )


def _samples(root: Path, labels: dict[str, tuple[float, int]], problems: list[Problem]) -> Iterator[tuple[str, Sample]]:
    """The labelled photos, by name."""
    photos = {entry.name: Path(entry.path) for entry in os.scandir(root / "Images") if entry.is_file()}
    for name, (score, row) in labels.items():
        if name not in photos:
            problems.append(Problem(LABELS, row, f"{name} has a label but no photo in Images; skipped."))
            continue
        gender, origin, _ = GROUPS[name[:2]]
        groups = {"group": name[:2], "gender": gender, "origin": origin}
        yield name, Sample(name, score, groups, photos[name], landmarks=_landmarks(root, name, problems))
    problems += [
        Problem(f"Images/{name}", 0, "a photo without a label; skipped.") for name in sorted(set(photos) - set(labels))
    ]


def _labels(path: Path, problems: list[Problem]) -> dict[str, tuple[float, int]]:
    """`name score` rows as {name: (score, row)}; bad rows go to `problems`. DataError for labels on another scale."""
    labels: dict[str, tuple[float, int]] = {}
    rows = list(name_scores(path))
    scores = [score for _, _, _, score in rows if score is not None]
    if mostly_outside(scores, SCALE):
        raise scale_error(path.name, scores, SCALE, f"{TITLE} is rated {SCALE}: restore the released labels.")
    for row, line, name, score in rows:
        if score is None:
            fault = f"expected a name and a score, received {line[:60]!r}; skipped."
        elif name[:2] not in GROUPS:
            fault = f"{name} does not begin with one of {', '.join(GROUPS)}; skipped."
        elif not SCALE.contains(score):
            fault = f"{name} has the score {score:g}, outside {SCALE}; skipped."
        elif name in labels:
            fault = f"{name} stands twice, first in row {labels[name][1]}; skipped."
        else:
            labels[name] = score, row
            continue
        problems.append(Problem(path.name, row, fault))
    return labels


def _landmarks(root: Path, name: str, problems: list[Problem]) -> NDArray[np.float64] | None:
    """The 86 hand-labelled points (86, 2) in photo pixels; None if the file is missing or damaged.

    A .pts file is a little-endian int32 count and that many float32 x, y pairs.
    """
    file, count = f"facial landmark/{Path(name).stem}.pts", LANDMARKS.count
    try:
        data = (root / file).read_bytes()
    except OSError:
        problems.append(Problem(file, 0, "no landmark file; the photo is used without landmarks."))
        return None
    if len(data) != 4 + count * 8 or int.from_bytes(data[:4], "little") != count:
        fault = f"expected {count} points, received {len(data)} bytes; used without landmarks."
        problems.append(Problem(file, 0, fault))
        return None
    points = np.frombuffer(data, "<f4", offset=4).reshape(count, 2).astype(np.float64)
    if not np.isfinite(points).all() or points.min() < -350 or points.max() > 700:
        problems.append(Problem(file, 0, "points far outside the photo; the photo is used without landmarks."))
        return None
    return points


def _split(root: Path, samples: dict[str, Sample], problems: list[Problem], name: str) -> Split:
    """A released split. A listed photo that is not among `samples` is named in `problems` and left out.

    DataError if a list is missing, lists a photo in both parts, or leaves a part empty.
    """
    files = _split_files(root, name)
    faults: list[Problem] = []
    train, test = (_listed(file, samples, faults) for file in files)
    problems += [fault for fault in faults if fault not in problems]  # a split may be read twice
    for photo in test:
        if photo in train:
            raise DataError(
                f"{photo} stands in {files[0].name} row {train[photo]} and in {files[1].name} row {test[photo]}, "
                "but train and test may share no photo. Restore the released lists."
            )
    if not train or not test:
        raise DataError(f"{files[0].name} and {files[1].name}: none that can be used. Restore the released lists.")
    return Split(name, tuple(sorted(train)), tuple(sorted(test)))


def _split_files(root: Path, name: str) -> tuple[Path, Path]:
    folder = root / "train_test_files"
    if name == DEFAULT_SPLIT:
        folder /= "split_of_60%training and 40%testing"
        files = folder / "train.txt", folder / "test.txt"
    else:
        fold = name.removeprefix("fold")
        folder /= f"5_folders_cross_validations_files/cross_validation_{fold}"
        files = folder / f"train_{fold}.txt", folder / f"test_{fold}.txt"
    for file in files:
        if not file.is_file():
            raise DataError(f"No such list: {file.relative_to(root)} in {root}. Restore it from the release.")
    return files


def _listed(file: Path, samples: dict[str, Sample], problems: list[Problem]) -> dict[str, int]:
    """Photos of one list with their rows."""
    names = {}
    for name, (score, row) in _labels(file, problems).items():
        if name not in samples:
            problems.append(Problem(file.name, row, f"{name} is not among the labelled photos; skipped."))
            continue
        if abs(score - samples[name].score) > 1e-4:
            fault = f"{name} has {score:g}, All_labels.txt {samples[name].score:g}; used."
            problems.append(Problem(file.name, row, fault))
        names[name] = row
    return names


def _ratings(path: Path) -> RatingSheet:
    """The sheet of single ratings: long tables with the columns Rater, Filename, Rating, on one or more sheets."""
    return sheet_of_rows(workbook_rows(path, ("rater", "filename", "rating")), SCALE, path.name)
