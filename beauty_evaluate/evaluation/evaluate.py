"""Scores of a whole test part against its labels: every photo counts, on any data set, by any rater."""

import math
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import DataError, PhotoError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.rater import Rater, Ratings, crop_config, in_order

Progress = Callable[[int, int], None]
Floats = NDArray[np.float64]
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Evaluation:
    """Predicted scores of photos beside their labels.

    Attributes:
        data: The data set.
        names: The N photos.
        predicted: float64 (N,), not clipped. On the data set's scale if `on_scale`, else on the rater's own.
        baseline: The mean baseline: the mean score that the rater has learnt from, on the scale of `predicted`. It
            also stands in for `missed` photos.
        on_scale: Whether the rater has learnt the data set's scale. If not, errors in points mean nothing.
        missed: Names of photos that could not be read or show no face.
        problems: Why each of them was missed.
        measured: As `Ratings.measured`, with NaN for missed photos.
        half_width: Of the interval around each score, float64 (N,), on the scale of `predicted`, NaN for missed photos;
            None for a rater without intervals.
    """

    data: DataSet
    names: tuple[str, ...]
    predicted: Floats
    baseline: float
    on_scale: bool = True
    missed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    measured: dict[str, Floats] = field(default_factory=dict)
    half_width: Floats | None = None

    @cached_property
    def true(self) -> Floats:
        """The labels on the data set's scale, float64 (N,)."""
        return np.array([self.data.samples[name].score for name in self.names], np.float64)

    def groups(self, column: str) -> NDArray[np.str_]:
        """The value of a group column for each photo, (N,); empty where unknown."""
        return np.array([self.data.samples[name].groups.get(column, "") for name in self.names], np.str_)

    def rows(self) -> dict[str, NDArray[np.bool_]]:
        """Which photos belong to `all` and to each value of the data set's group columns: bool (N,) by name."""
        rows = {"all": np.ones(len(self.names), bool)}
        for column in self.data.group_columns:
            values = self.groups(column)
            for value in sorted({str(value) for value in values} - {""}):
                rows[f"{column}: {value}" if value in rows else value] = values == value
        return rows

    def metrics(self) -> dict[str, Figures]:
        """Figures for `all`, each group, and the `mean_baseline`, as cards keep them.

        Returns:
            `n`, `pearson`, `spearman`, `mae`, `rmse` by row; None where a figure does not exist. Off the scale there
            are no errors, and no baseline.
        """
        rows = {name: self._figures(self.predicted[photos], self.true[photos]) for name, photos in self.rows().items()}
        if self.on_scale:
            rows["mean_baseline"] = self._figures(np.full_like(self.true, self.baseline), self.true)
        return rows

    def without(self, names: Set[str]) -> Figures | None:
        """Figures without the photos of these names; None if no other is left."""
        keep = ~np.isin(self.names, list(names))
        return self._figures(self.predicted[keep], self.true[keep]) if keep.any() else None

    def too_high(self, photos: NDArray[np.bool_]) -> float:
        """How far some photos are scored above what their raters say, beside the others.

        Args:
            photos: Which photos, bool (N,).

        Returns:
            Standard deviations over all photos, after both sides were standardised.
        """
        return float((_standardised(self.predicted) - _standardised(self.true))[photos].mean())

    def gap(self, column: str) -> tuple[str, str, float, float] | None:
        """The distance between the two groups of a column, such as women and men.

        Returns:
            The first group, the second, and by how many standard deviations over all photos the first lies above the
            second in the labels and in the predicted scores; None unless there are two groups.
        """
        values = self.groups(column)
        names = sorted({str(value) for value in values} - {""})
        if len(names) != 2:
            return None
        first, second = (values == name for name in names)
        sides = (_standardised(self.true), _standardised(self.predicted))
        labels, scores = (float(side[first].mean() - side[second].mean()) for side in sides)
        return names[0], names[1], labels, scores

    def within(self, column: str) -> float:
        """The PC within the groups of a column: their mean, weighted by their photos; NaN if none has one."""
        values = self.groups(column)
        groups = [values == value for value in sorted(set(values.tolist()) - {""})]
        inside = np.array([metrics.pearson(self.predicted[photos], self.true[photos]) for photos in groups])
        weights = np.array([photos.sum() for photos in groups]) * ~np.isnan(inside)
        return float(np.nansum(inside * weights) / weights.sum()) if weights.any() else math.nan

    def _figures(self, predicted: Floats, true: Floats) -> Figures:
        summary = metrics.summary(predicted, true)
        row: Figures = {key: None if math.isnan(value) else value for key, value in summary.items()}
        return row if self.on_scale else {**row, "mae": None, "rmse": None}


def evaluate(rater: Rater, data: DataSet, names: Sequence[str], progress: Progress | None = None) -> Evaluation:
    """Rate photos of a data set and set the scores beside the labels.

    A photo is read and searched once. Where the rater has learnt from this data set, its scores are brought back onto
    the data set's scale by the inverse of the map in its card; otherwise they stay on its own.

    Args:
        rater: Any.
        data: The data set.
        names: The photos; see `assert_no_leakage`.
        progress: Called with the photos done and all.

    Raises:
        DataError: No photos.

    Example:
        >>> from beauty_evaluate.datasets import registry
        >>> from beauty_evaluate.raters import registry as raters
        >>> data = registry.read()
        >>> evaluation = evaluate(raters.load("six_block_60-40"), data, sorted(data.samples)[:3])
        >>> len(evaluation.predicted), evaluation.on_scale
        (3, False)
    """
    if not names:
        raise DataError(f"There are no photos of {data.title} to evaluate on. Choose another split.")
    part = trained_on(rater.card, data)
    rated, problems = list[tuple[list[str], Ratings]](), dict[str, str]()
    samples = [data.samples[name] for name in names]
    for batch in faces_of(samples, crop_config(rater), crop_alone=rater.needs <= {"crop"}):
        faces = {name: face for name, face in batch.items() if isinstance(face, Face)}
        problems |= {name: f"{name}: {error}" for name, error in batch.items() if isinstance(error, PhotoError)}
        if faces:
            rated.append((list(faces), rater.rate(list(faces.values()))))
        if progress:
            progress(sum(len(done) for done, _ in rated) + len(problems), len(names))
    columns = in_order(rated, names)
    scores, half_width = to_data_scale(columns.pop("mean"), part), columns.pop("half_width", None)
    if part and half_width is not None:
        half_width = half_width / part.map.slope
    baseline = _baseline(rater, part, scores)
    return Evaluation(
        data, tuple(names), np.where(np.isnan(scores), baseline, scores), baseline, part is not None, tuple(problems),
        tuple(problems.values()), columns, half_width,
    )  # fmt: skip


def trained_on(card: Card, data: DataSet) -> TrainedOn | None:
    """What the rater has learnt from this data set, with the map of its scale; None if nothing."""
    parts = (part for part in card.trained_on if part.data_set == data.title and part.scale == data.scale)
    return next(parts, None)


def assert_no_leakage(card: Card, data: DataSet, names: Iterable[str]) -> None:
    """Refuse photos that a rater has learnt from.

    Args:
        card: Of the rater; it keeps names as hashes.
        data: The data set.
        names: Photos to be evaluated on.

    Raises:
        DataError: The rater has learnt from one of them.

    Example:
        >>> from beauty_evaluate.datasets import registry
        >>> from beauty_evaluate.raters import registry as raters
        >>> data = registry.read(None)
        >>> assert_no_leakage(raters.load_card("six_block_60-40"), data, data.samples)
    """
    learnt = sorted(card.knows(data.title, names))
    if learnt:
        raise DataError(
            f"{card.name} has learnt from {len(learnt)} of these photos of {data.title}, {learnt[0]} the first. Choose "
            "the split it was made for, or other weights."
        )


def to_data_scale(scores: Floats, part: TrainedOn | None) -> Floats:
    """Scores on the data set's scale, by the inverse of the map onto the rater's; as they are without a map."""
    return scores if part is None else (scores - part.map.offset) / part.map.slope


def _baseline(rater: Rater, part: TrainedOn | None, scores: Floats) -> float:
    labels = part.labels if part else rater.card.labels
    if "mean" in labels:
        return float(to_data_scale(np.array([labels["mean"]]), part)[0])
    middle = (rater.scale.low + rater.scale.high) / 2
    return middle if np.isnan(scores).all() else float(np.nanmean(scores))  # the mean of what an unlearned rater says


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))
