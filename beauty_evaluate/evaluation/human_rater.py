"""One human rater as a row beside the others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.bench_records import Human
from beauty_evaluate.metrics import bootstrap

ROUNDS = 200  # of the bootstrap: each goes over every single rating


def one_human_rater(data: DataSet, names: Sequence[str]) -> Human | None:
    """What one human rater reaches on some photos: the mean over all raters of PC and errors against the others' mean.

    Args:
        data: The data set.
        names: The photos.

    Returns:
        From the single ratings of these photos; without any, the PC that the data set knows of; None without that.

    Example:
        >>> from beauty_evaluate.datasets import registry
        >>> data = registry.read()
        >>> human = one_human_rater(data, sorted(data.samples)[:40])
        >>> human.interval[0] < human.pearson < human.interval[1]
        True
    """
    sheet = _sheet(data, names)
    if sheet is None or np.isnan(pearson := sheet.one_rater_pc()):
        return None if data.human_pc is None else Human(data.human_pc, source=data.human_source)
    mae, rmse = sheet.one_rater_errors()

    def of_picks(picks: NDArray[np.int64]) -> float:
        faces = tuple(sheet.faces[pick] for pick in picks)
        return replace(sheet, faces=faces, values=sheet.values[:, picks]).one_rater_pc()

    low, high = bootstrap(of_picks, len(sheet.faces), ROUNDS)
    return Human(pearson, (float(low), float(high)), mae, rmse, f"{len(sheet.raters)} raters")


def _sheet(data: DataSet, names: Sequence[str]) -> RatingSheet | None:
    """The single ratings of the photos; None where there are none, or they cannot be read."""
    try:
        ratings = data.ratings
    except DataError:  # a package that reads them is missing: the row does without
        return None
    sheet = None if ratings is None else ratings.of_faces(names)
    return sheet if sheet is not None and len(sheet.faces) else None
