"""The records that every reader gives: a photo with its score, and the set it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import images
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.datasets.splits import ALL, SEEDED, VAL, Split, holdout_split, seeded_split
from beauty_evaluate.errors import DataError
from beauty_evaluate.images import Picture


@dataclass(frozen=True)
class Sample:
    """One labelled photo.

    Attributes:
        name: Unique in its set: a file name or a relative path with forward slashes.
        score: Mean rating, on the data set's own scale.
        groups: What is known of the face, such as `{"gender": "female", "origin": "asian"}`.
        path: Where the photo lies; None if `picture` holds it.
        picture: The pixels, uint8 (H, W, 3) RGB; None if they are read from `path`.
        landmarks: (n, 2) float64 in photo pixels, n as the data set's landmark scheme says; None where unknown.
        points: (5, 2) float64, the five points in photo pixels; given where no detector is to look for them.
        regions: Masks bool (H, W) by name, where the data set knows them.
        data_set: The title of its data set in a mixture; empty outside one.

    Example:
        >>> sample = Sample("a.jpg", 3.5, {"gender": "female", "origin": "asian"})
        >>> sample.group
        'female, asian'
    """

    name: str
    score: float
    groups: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    picture: Picture | None = None
    landmarks: NDArray[np.float64] | None = None
    points: NDArray[np.float64] | None = None
    regions: dict[str, NDArray[np.bool_]] | None = None
    data_set: str = ""

    @property
    def group(self) -> str:
        """One label for the combination: the data set's own ("AF"), or all groups in a row; empty if none is known."""
        return self.groups.get("group") or ", ".join(value for value in self.groups.values() if value)

    def read(self) -> Picture:
        """Decode the photo.

        Returns:
            uint8 (H, W, 3) RGB.

        Raises:
            PhotoError: If the file is missing or is no picture.
        """
        if self.picture is not None:
            return self.picture
        assert self.path is not None
        return images.read(self.path)


@dataclass(frozen=True)
class Problem:
    """Something wrong in a data set that a run can do without.

    Attributes:
        file: The file at fault.
        row: Line number in `file`, 0 if it has none.
        text: What is wrong, and what was done about it.

    Example:
        >>> print(Problem("scores.csv", 7, "no score; skipped."))
        scores.csv, row 7: no score; skipped.
    """

    file: str
    row: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.text}" if self.row else f"{self.file}: {self.text}"


@dataclass(frozen=True)
class LandmarkScheme:
    """What the landmarks of a data set are: two sets share a landmark target only if the schemes are equal.

    Example:
        >>> LandmarkScheme("SCUT-FBP5500", 86).count
        86
    """

    name: str
    count: int


@dataclass(frozen=True)
class DataSet:
    """Labelled photos and all that differs between data sets.

    Attributes:
        title: "SCUT-FBP5500", "MEBeauty", or the name of a table's folder.
        scale: The raters' scale.
        samples: Photos by name.
        terms: Licence, and what may not be done, in one or two sentences.
        group_columns: Keys of `Sample.groups` by which tables are broken down.
        group_titles: Longer titles of group values, such as "Asian females (AF)".
        landmark_scheme: What `Sample.landmarks` hold; None if the set has none.
        splits: Functions that give the official splits, by name. Without one, there is the seeded split.
        default_split: The split to evaluate on unless told otherwise.
        training_split: The split to train on unless told otherwise, where it is another one.
        folds: Names of the splits of an official cross-validation; empty if there is none.
        load_ratings: Reads the single ratings; None if there are none. It runs when `ratings` is first asked for.
        human_pc: PC of one human rater with the mean of the others; None if unknown.
        human_source: Where `human_pc` comes from.
        people: Whether the photos show people; drawn faces do not.
        scale_inferred: Whether the scale was inferred from the scores, so that a user should check it.
        problems: What was wrong, in the files and the lists of the splits read so far.

    Example:
        >>> names = ("a.jpg", "b.jpg")
        >>> data = DataSet("pair", RatingScale(1, 5), {name: Sample(name, 3.0) for name in names})
        >>> data.split("all").train
        ('a.jpg', 'b.jpg')
        >>> data.split_names
        ('seeded-80-20', 'all')
    """

    title: str
    scale: RatingScale
    samples: dict[str, Sample]
    terms: str = ""
    group_columns: tuple[str, ...] = ()
    group_titles: Mapping[str, str] = field(default_factory=dict)
    landmark_scheme: LandmarkScheme | None = None
    splits: Mapping[str, Callable[[], Split]] = field(default_factory=dict)
    default_split: str = SEEDED
    training_split: str = ""
    folds: tuple[str, ...] = ()
    load_ratings: Callable[[], RatingSheet] | None = None
    human_pc: float | None = None
    human_source: str = ""
    people: bool = True
    scale_inferred: bool = False
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def ratings(self) -> RatingSheet | None:
        """The single ratings; None if the set has none. Raises DataError if they cannot be read."""
        return self.load_ratings() if self.load_ratings else None

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits there are."""
        return (*self._splits(), ALL)

    def split(self, name: str | None = None, training: bool = False) -> Split:
        """A split by name.

        Args:
            name: One of `split_names`, or NAME-val: a tenth of its training part in place of its test part; None: the
                default.
            training: Whether None means the default of a training.

        Raises:
            DataError: If there is no such split, or its lists cannot be used.
        """
        name = name or (training and self.training_split) or self.default_split
        if name == ALL:
            return Split(ALL, tuple(sorted(self.samples)), ())
        splits = self._splits()
        if name.removesuffix(VAL) in splits and name.endswith(VAL):
            return holdout_split(splits[name.removesuffix(VAL)]())
        if name not in splits:
            raise DataError(f"{self.title} has no split {name}. Choose one of {', '.join(self.split_names)}.")
        return splits[name]()

    def group_title(self, value: str) -> str:
        """The title of a group in tables."""
        return self.group_titles.get(value, value)

    def _splits(self) -> Mapping[str, Callable[[], Split]]:
        if self.splits:
            return self.splits
        return {SEEDED: partial(seeded_split, self.samples)}
