"""Several data sets as one: every further scale is mapped onto the first set's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from beauty_evaluate.config import RatingScale, ScaleMap
from beauty_evaluate.datasets.dataset import DataSet, LandmarkScheme, Sample
from beauty_evaluate.datasets.splits import Split, holdout_split
from beauty_evaluate.errors import DataError


def fit_scale_map(source: ArrayLike, target: ArrayLike) -> ScaleMap:
    """The line that gives scores the mean and standard deviation of others.

    Args:
        source: (N,) scores of the training photos of the set to map.
        target: (M,) scores of the training photos of the set whose scale is kept.

    Returns:
        A map onto the target's scale; a shift alone if the source does not vary.

    Example:
        >>> fit_scale_map([2.0, 4.0], [1.0, 2.0])
        ScaleMap(slope=0.5, offset=0.0)
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    slope = float(target.std() / source.std()) if source.std() > 1e-9 else 1.0
    return ScaleMap(slope, float(target.mean() - slope * source.mean()))


@dataclass(frozen=True)
class Part:
    """One data set of a mixture.

    Attributes:
        data: The data set.
        split: Which of its photos are learnt from and tested on.
        map: From its scale onto the mixture's; fitted on its training photos.
        title: Its title, made unique in the mixture.
    """

    data: DataSet
    split: Split
    map: ScaleMap
    title: str


@dataclass(frozen=True)
class Mixture:
    """Data sets that are learnt from together. Errors in points have a meaning for its sets alone, since for these a
    map was fitted.

    Attributes:
        parts: The sets; the first one's scale is the mixture's.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> both = mix([synthetic.draw(10), synthetic.draw(10, seed=1)])
        >>> both.title, len(both.train)
        ('synthetic faces + synthetic faces 2', 16)
        >>> both.train[8].name, both.train[8].group
        ('synthetic faces 2/drawn00000.png', 'synthetic faces 2: synthetic')
    """

    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """The titles of all sets."""
        return " + ".join(part.title for part in self.parts)

    @property
    def scale(self) -> RatingScale:
        """The scale of the first set."""
        return self.parts[0].data.scale

    @property
    def landmark_scheme(self) -> LandmarkScheme | None:
        """The first scheme there is; landmarks of another one count as unknown."""
        schemes = [part.data.landmark_scheme for part in self.parts if part.data.landmark_scheme]
        return schemes[0] if schemes else None

    @property
    def train(self) -> list[Sample]:
        """All photos to learn from, on the mixture's scale."""
        return [sample for part in self.parts for sample in self.samples(part, part.split.train)]

    @property
    def test(self) -> list[Sample]:
        """All test photos, on the mixture's scale."""
        return [sample for part in self.parts for sample in self.samples(part, part.split.test)]

    def samples(self, part: Part, names: Sequence[str]) -> list[Sample]:
        """Some photos of a part as they are in the mixture: with the score mapped and, among several sets, the set's
        title before name and group."""
        keep = part.data.landmark_scheme == self.landmark_scheme
        samples = []
        for name in names:
            sample = part.data.samples[name]
            landmarks = sample.landmarks if keep else None
            if len(self.parts) > 1:
                groups = {"group": f"{part.title}: {sample.group}"} if sample.group else {}
                sample = replace(sample, name=f"{part.title}/{name}", groups=groups)
            score = float(part.map.apply(sample.score))
            samples.append(replace(sample, score=score, landmarks=landmarks, data_set=part.title))
        return samples

    def holdout(self, share: int = 10) -> "Mixture":
        """The same sets with a part of the training photos in place of the test part, and maps fitted without it."""
        return _mixture([part.data for part in self.parts], [holdout_split(part.split, share) for part in self.parts])


def mix(datasets: Sequence[DataSet], splits: Sequence[str | None] | None = None) -> Mixture:
    """Put data sets together to learn from.

    Args:
        datasets: The first one's scale is kept; further scales are mapped onto it by mean and standard deviation of
            the training photos.
        splits: The split of each set by name; None: each set's own for training.

    Raises:
        DataError: If there is no data set, a split does not exist, or a set has no photo to learn from.
    """
    names = splits or [None] * len(datasets)
    if not datasets or len(names) != len(datasets):
        raise DataError(f"{len(datasets)} data sets with {len(names)} splits. Name one split for each set, or none.")
    return _mixture(datasets, [data.split(name, training=True) for data, name in zip(datasets, names, strict=True)])


def split_label(datasets: Sequence[DataSet], names: Sequence[str]) -> str:
    """What a run on these splits is called: the first set's split, and those of the others that say something new.

    Args:
        datasets: The sets.
        names: A split of each.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> pair = [synthetic.draw(2), synthetic.draw(2)]
        >>> split_label(pair, ["all", "all"]), split_label(pair, ["all", pair[1].default_split])
        ('all', 'all')
        >>> split_label(pair, [pair[0].default_split, "all"])
        'synthetic+all'
    """
    others = [
        name for data, name in zip(datasets[1:], names[1:], strict=True) if name not in (names[0], data.default_split)
    ]
    return "+".join([names[0], *others])


def run_name(preset: str, label: str) -> str:
    """What a run is called: the recipe and the splits, unless they say the same.

    Args:
        preset: The name of the recipe.
        label: Of the splits, from `split_label`.

    Example:
        >>> run_name("six_block", "60-40"), run_name("synthetic", "synthetic-val")
        ('six_block_60-40', 'synthetic-val')
    """
    return label if label.startswith(preset) else f"{preset}_{label}"


def _mixture(datasets: Sequence[DataSet], splits: Sequence[Split]) -> Mixture:
    parts: list[Part] = []
    for data, split in zip(datasets, splits, strict=True):
        if not split.train:
            raise DataError(f"The split {split.name} of {data.title} has no photo to learn from. Name another split.")
        scores, first = _scores(data, split), not parts
        scale_map = ScaleMap() if first else fit_scale_map(scores, _scores(parts[0].data, parts[0].split))
        title, count = data.title, sum(part.data.title == data.title for part in parts)
        parts.append(Part(data, split, scale_map, f"{title} {count + 1}" if count else title))
    return Mixture(tuple(parts))


def _scores(data: DataSet, split: Split) -> list[float]:
    return [data.samples[name].score for name in split.train]
