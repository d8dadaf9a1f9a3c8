"""Rated photos as found in the wild: a sample of MEBeauty (Lebedeva et al., 2021) with a table of scores."""

import csv
import os
from pathlib import Path

from beauty_evaluate.datasets.dataset import DataSet, Problem, Sample
from beauty_evaluate.errors import DataError

TITLE = "MEBeauty sample"
COLUMNS = ("file", "score_1_to_10", "gender", "ethnicity")


def read(folder: str | os.PathLike[str]) -> DataSet:
    """Read `scores.csv` and the paths of `images/`. A sample's group is `gender, ethnicity`; its score, 1..10, is
    brought to 1..5 by a line. Rows that cannot be used are named in `problems`. DataError if none is left."""
    root = Path(folder)
    table = root / "scores.csv"
    if not table.is_file():
        raise DataError(f"Expected scores.csv and images/ in {root}. Received: something else; check the path.")
    samples: dict[str, Sample] = {}
    problems: list[Problem] = []
    with open(table, newline="", encoding="utf-8", errors="replace") as file:
        for row, values in enumerate(csv.DictReader(file), 2):
            try:
                name, score, gender, ethnicity = (values[column] for column in COLUMNS)
                rating = float(score)
            except (KeyError, ValueError, TypeError):
                problems.append(Problem(table.name, row, f"expected {', '.join(COLUMNS)}; skipped."))
                continue
            path = root / "images" / name
            if not 1 <= rating <= 10 or not path.is_file() or name in samples:
                problems.append(
                    Problem(table.name, row, f"{name}: no photo, a score outside 1..10, or twice; skipped.")
                )
                continue
            samples[name] = Sample(name, 1 + (rating - 1) * 4 / 9, f"{gender}, {ethnicity}", path=path)
    if not samples:
        raise DataError(f"Expected rated photos in {root}. Received: none.")
    return DataSet(TITLE, samples, problems)
