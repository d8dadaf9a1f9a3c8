"""Who is learnt from and who is tested on."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from beauty_evaluate.datasets import scut
from beauty_evaluate.datasets.dataset import DataSet, Problem
from beauty_evaluate.errors import DataError

FOLDS = tuple(f"fold{k}" for k in range(1, 6))
NAMES = ("60-40", *FOLDS, "all")


@dataclass(frozen=True)
class Split:
    """Names of the photos of each part, sorted. `all` has no test part."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def official(folder: str | os.PathLike[str], data: DataSet, name: str) -> Split:
    """The released split `60-40` or `fold1`..`fold5` of SCUT-FBP5500, or `all` to train on everything.

    A listed photo that `data` lacks is named in `data.problems` and left out. DataError if a list is missing, lists a
    photo in both parts, or leaves a part empty.
    """
    if name not in NAMES:
        raise DataError(f"Expected a split of {', '.join(NAMES)}. Received: {name}.")
    if name == "all":
        return Split(name, tuple(sorted(data.samples)), ())
    train_file, test_file = _files(Path(folder), name)
    train, test = _names(train_file, data), _names(test_file, data)
    for photo in test:
        if photo in train:
            raise DataError(
                f"Expected train and test to share no photo. Received: {photo} in {train_file.name} row {train[photo]} "
                f"and in {test_file.name} row {test[photo]}; mend the lists."
            )
    if not train or not test:
        raise DataError(f"Expected photos in {train_file.name} and {test_file.name}. Received: none that can be used.")
    return Split(name, tuple(sorted(train)), tuple(sorted(test)))


def drawn(data: DataSet) -> Split:
    """The last fifth of the drawn faces is the test part."""
    names = sorted(data.samples)
    cut = len(names) - len(names) // 5
    return Split("drawn", tuple(names[:cut]), tuple(names[cut:]))


def holdout_split(split: Split) -> Split:
    """A tenth of the training part as the test part: for choices, which must not see the real one.

    Membership hangs on the name alone, so it is the same list in every run.
    """
    held = {name for name in split.train if int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10 == 0}
    if not held or len(held) == len(split.train):
        raise DataError(f"Expected enough photos to hold back a tenth. Received: {len(split.train)}; train without.")
    return Split(f"{split.name}-val", tuple(n for n in split.train if n not in held), tuple(sorted(held)))


def selection_set(root: Path, data: DataSet) -> frozenset[str]:
    """The photos on which recipes are chosen, held back of the first fold; none in a data set too small."""
    try:
        return frozenset(holdout_split(official(root, data, FOLDS[0])).test)
    except DataError:
        return frozenset()


def _files(root: Path, name: str) -> tuple[Path, Path]:
    folder = root / "train_test_files"
    if name == "60-40":
        folder /= "split_of_60%training and 40%testing"
        files = folder / "train.txt", folder / "test.txt"
    else:
        number = name[-1]
        folder /= f"5_folders_cross_validations_files/cross_validation_{number}"
        files = folder / f"train_{number}.txt", folder / f"test_{number}.txt"
    for file in files:
        if not file.is_file():
            raise DataError(f"Expected the list {file.relative_to(root)} in {root}. Received: no such file.")
    return files


def _names(file: Path, data: DataSet) -> dict[str, int]:
    """Photos of one list with their rows."""
    rows = scut.read_labels(file, data.problems)
    names = {}
    for name, (score, row) in rows.items():
        if name not in data.samples:
            data.problems.append(Problem(file.name, row, f"{name} is not among the labelled photos; skipped."))
            continue
        if abs(score - data.samples[name].score) > 1e-4:
            data.problems.append(
                Problem(file.name, row, f"{name} has {score:g}, All_labels.txt {data.samples[name].score:g}; used.")
            )
        names[name] = row
    return names
