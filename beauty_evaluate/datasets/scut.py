"""SCUT-FBP5500 in its released layout (Liang et al., ICPR 2018, arXiv 1801.06345)."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.datasets.dataset import N_LANDMARKS, DataSet, Problem, Sample
from beauty_evaluate.errors import DataError

TITLE = "SCUT-FBP5500"
GROUPS = {
    "AF": "Asian females",
    "AM": "Asian males",
    "CF": "Caucasian females",
    "CM": "Caucasian males",
}
LABELS = "train_test_files/All_labels.txt"


def read(folder: str | os.PathLike[str]) -> DataSet:
    """Read labels, photo paths and landmarks; photos are decoded later.

    What a run can do without is skipped and named in `problems`. DataError if the layout is not there or no
    labelled photo is left.
    """
    root = Path(folder)
    for part, there in (("Images", (root / "Images").is_dir()), (LABELS, (root / LABELS).is_file())):
        if not there:
            raise DataError(f"Expected SCUT-FBP5500 with {part} in {root}. Received: something else; check --data.")
    problems: list[Problem] = []
    photos = {entry.name: Path(entry.path) for entry in os.scandir(root / "Images") if entry.is_file()}
    samples = {}
    labels = read_labels(root / LABELS, problems)
    for name, (score, row) in labels.items():
        if name not in photos:
            problems.append(Problem(LABELS, row, f"{name} has a label but no photo in Images; skipped."))
            continue
        landmarks = _landmarks(root, name, problems)
        samples[name] = Sample(name, score, name[:2], path=photos[name], landmarks=landmarks)
    problems += [
        Problem(f"Images/{name}", 0, "a photo without a label; skipped.") for name in sorted(set(photos) - set(labels))
    ]
    if not samples:
        raise DataError(f"Expected labelled photos in {root}. Received: none; the first problem: {problems[0]}")
    return DataSet(TITLE, samples, problems)


def read_labels(path: Path, problems: list[Problem]) -> dict[str, tuple[float, int]]:
    """`name score` rows as {name: (score, row)}; bad rows go to `problems`."""
    labels: dict[str, tuple[float, int]] = {}
    file = path.name
    for row, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            name, score = words[0], float(words[1])
        except (IndexError, ValueError):
            problems.append(Problem(file, row, f"expected a name and a score, received {line[:60]!r}; skipped."))
            continue
        if name[:2] not in GROUPS:
            problems.append(Problem(file, row, f"{name} does not begin with one of {', '.join(GROUPS)}; skipped."))
        elif not 1 <= score <= 5:
            problems.append(Problem(file, row, f"{name} has the score {score:g}, outside 1..5; skipped."))
        elif name in labels:
            problems.append(Problem(file, row, f"{name} stands twice, first in row {labels[name][1]}; skipped."))
        else:
            labels[name] = score, row
    return labels


def _landmarks(root: Path, name: str, problems: list[Problem]) -> NDArray[np.float64] | None:
    """The 86 hand-labelled points (86, 2) in photo pixels; None if the file is missing or damaged.

    A .pts file is a little-endian int32 count and that many float32 x, y pairs.
    """
    file = f"facial landmark/{Path(name).stem}.pts"
    try:
        data = (root / file).read_bytes()
    except OSError:
        problems.append(Problem(file, 0, "no landmark file; the photo is used without landmarks."))
        return None
    if len(data) != 4 + N_LANDMARKS * 8 or int.from_bytes(data[:4], "little") != N_LANDMARKS:
        problems.append(
            Problem(file, 0, f"expected {N_LANDMARKS} points, received {len(data)} bytes; used without landmarks.")
        )
        return None
    points = np.frombuffer(data, "<f4", offset=4).reshape(N_LANDMARKS, 2).astype(np.float64)
    if not np.isfinite(points).all() or points.min() < -350 or points.max() > 700:
        problems.append(Problem(file, 0, "points far outside the photo; the photo is used without landmarks."))
        return None
    return points
