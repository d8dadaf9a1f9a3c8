"""MEBeauty in its released layout (Lebedeva et al., 2021): photos as found in the wild, rated 1..10."""

import os
from functools import partial
from pathlib import Path, PurePosixPath

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet, Problem, Sample
from beauty_evaluate.datasets.labels import mostly_outside, name_scores, scale_error
from beauty_evaluate.datasets.mebeauty_folds import FOLDS, fold, without_copies
from beauty_evaluate.datasets.mebeauty_folds import TITLE as TITLE
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.errors import DataError

SCALE = RatingScale(1, 10)
TERMS = "For research only. No part may be passed on, nor serve to rank people."
PHOTOS = "original_images"
# The released test list is not read: the list of 2022 called "val" is what this project tests on.
TRAIN, TEST = "scores/train_2022.txt", "scores/val_2022.txt"
LAYOUT = f"{PHOTOS}/GENDER/ORIGIN and {TRAIN}"
DEFAULT_SPLIT = "2022"
HUMAN_PC = 0.585
HUMAN_SOURCE = "single ratings of the release (Lebedeva et al., 2021)"

Labels = dict[str, tuple[float, str, int]]
"""Score, list and row by name."""


def recognises(folder: Path) -> bool:
    """Whether the folder looks like MEBeauty, even if a part of it is missing."""
    return (folder / PHOTOS).is_dir() or (folder / TRAIN).is_file()


def read(folder: str | os.PathLike[str], scale: RatingScale | None = None) -> DataSet:
    """Read the lists and find the original of each photo. A sample's name is `GENDER/ORIGIN/FILE`.

    Invalid entries are reported in `problems` and skipped; missing required files stop the run.

    Args:
        folder: Folder of the release, with `original_images` and `scores`.
        scale: Ignored unless it contradicts the set's own, 1..10.

    Raises:
        DataError: If the layout is not there, no rated photo is left, or the scores are on another scale.

    Example:
        >>> read("examples")
        Traceback (most recent call last):
        beauty_evaluate.errors.DataError: No MEBeauty in examples: original_images is missing. Check --data.
    """
    root = Path(folder)
    for part in (PHOTOS, TRAIN, TEST):
        if not (root / part).exists():
            raise DataError(f"No {TITLE} in {root}: {part} is missing. Check --data.")
    if scale not in (None, SCALE):
        raise DataError(f"{TITLE} is rated {SCALE}, not {scale}. Leave out --scale.")
    problems: list[Problem] = []
    labels: Labels = {}
    for file in (TEST, TRAIN):  # a photo in both lists is tested on, not learnt from
        _read_list(root, file, labels, problems)
    samples = _samples(root, labels, problems)
    if not samples:
        raise DataError(f"No rated photo in {root}{f'; the first problem: {problems[0]}' if problems else '.'}")
    return DataSet(
        TITLE,
        SCALE,
        samples,
        TERMS,
        group_columns=("gender", "origin"),
        group_titles={"mideastern": "Middle Eastern"},
        splits={
            DEFAULT_SPLIT: partial(_split, samples, labels),
            **{name: partial(_fold, samples, labels, k) for k, name in enumerate(FOLDS, 1)},
        },
        default_split=DEFAULT_SPLIT,
        human_pc=HUMAN_PC,
        human_source=HUMAN_SOURCE,
        problems=problems,
    )


def _read_list(root: Path, file: str, labels: Labels, problems: list[Problem]) -> None:
    """Add the rows of one list; bad rows go to `problems`."""
    rows = list(name_scores(root / file))
    scores = [score for _, _, _, score in rows if score is not None]
    if mostly_outside(scores, SCALE):
        raise scale_error(file, scores, SCALE, f"{TITLE} is rated {SCALE}: restore the released lists.")
    for row, line, path, score in rows:
        parts = PurePosixPath(path.replace("\\", "/")).parts[-3:]
        name = "/".join(parts)
        if score is None or len(parts) != 3 or ".." in parts:
            fault = f"expected a path ending in GENDER/ORIGIN/FILE and a score, received {line[:60]!r}; skipped."
        elif not SCALE.contains(score):
            fault = f"{name} has the score {score:g}, outside {SCALE}; skipped."
        elif name in labels:
            _, first_file, first_row = labels[name]
            fault = f"{name} stands twice, first in {first_file}, row {first_row}; skipped."
        else:
            labels[name] = score, file, row
            continue
        problems.append(Problem(file, row, fault))


def _samples(root: Path, labels: Labels, problems: list[Problem]) -> dict[str, Sample]:
    """The rated photos whose original is there: of the same name, or else of the same name but for its ending."""
    photos = {path.relative_to(root / PHOTOS).as_posix(): path for path in sorted((root / PHOTOS).glob("*/*/*"))}
    stems: dict[str, list[str]] = {}
    for photo in photos:
        stems.setdefault(_stem(photo), []).append(photo)
    samples, used = {}, set()
    for name, (score, file, row) in labels.items():
        matches = [name] if name in photos else stems.get(_stem(name), [])
        if len(matches) != 1:
            why = "no original" if not matches else f"{len(matches)} originals"
            problems.append(Problem(file, row, f"{name} has {why} in {PHOTOS}; skipped."))
            continue
        used.add(matches[0])
        if not photos[matches[0]].stat().st_size:
            problems.append(Problem(file, row, f"{name} is an empty file; skipped."))
            continue
        gender, origin, _ = name.split("/")
        samples[name] = Sample(name, score, {"gender": gender, "origin": origin}, photos[matches[0]])
    if unused := len(photos) - len(used):
        problems.append(Problem(PHOTOS, 0, f"{unused} photos stand in neither list; skipped."))
    return samples


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix().lower()


def _split(samples: dict[str, Sample], labels: Labels) -> Split:
    """The lists of 2022; a photo of the training list that is a copy of a test photo is not learnt from. DataError if
    one of them is empty."""
    train, test = (tuple(sorted(name for name in samples if labels[name][1] == file)) for file in (TRAIN, TEST))
    if not train or not test:
        raise DataError(f"{TRAIN} and {TEST}: none that can be used. Restore the released lists.")
    return Split(DEFAULT_SPLIT, tuple(without_copies(train, test)), test)


def _fold(samples: dict[str, Sample], labels: Labels, number: int) -> Split:
    """A fifth of the training list in place of the test list."""
    return fold(_split(samples, labels).train, number)
