"""Who is learnt from and who is tested on. Membership never depends on the order of a run."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from beauty_evaluate.errors import DataError

if TYPE_CHECKING:
    from beauty_evaluate.datasets.dataset import DataSet

ALL = "all"
SEEDED = "seeded-80-20"
VAL = "-val"  # ends the name of a split whose test part was made of its training part


@dataclass(frozen=True)
class Split:
    """Names of the photos of each part, sorted. `all` has no test part.

    Example:
        >>> Split("60-40", ("a.jpg",), ("b.jpg",)).test
        ('b.jpg',)
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def seeded_split(names: Iterable[str], share: int = 5, name: str = SEEDED) -> Split:
    """A split for sets that come without one.

    Membership hangs on a photo's name alone: it stays when photos are added. Of two photos or more, each part gets one.

    Args:
        names: All photos.
        share: One in so many is tested on.
        name: The name of the split, which is its seed too.

    Returns:
        The split, with both parts sorted.

    Raises:
        DataError: For fewer than two photos.

    Example:
        >>> split = seeded_split(f"{i}.jpg" for i in range(1000))
        >>> len(split.train), len(split.test)
        (810, 190)
    """
    keys = {photo: _hash(f"{name}/{photo}") for photo in names}
    if len(keys) < 2:
        raise DataError(f"Too few photos to split: {len(keys)}. Add photos, or take the split {ALL}.")
    ordered = sorted(keys, key=lambda photo: keys[photo])
    test = {photo for photo, key in keys.items() if key % share == 0} or {ordered[0]}
    if len(test) == len(keys):
        test.discard(ordered[-1])
    return Split(name, tuple(sorted(set(keys) - test)), tuple(sorted(test)))


def evaluation_split(names: Iterable[str], name: str = "test") -> Split:
    """A split of a set that is not learnt from.

    Example:
        >>> evaluation_split(["b.jpg", "a.jpg"])
        Split(name='test', train=(), test=('a.jpg', 'b.jpg'))
    """
    return Split(name, (), tuple(sorted(names)))


def holdout_split(split: Split, share: int = 10) -> Split:
    """A part of the training photos in place of the test part: for choices, which must not see the real one.

    Membership hangs on the name alone, so it is the same list in every run.

    Args:
        split: The split whose training photos are divided.
        share: One in so many is held back.

    Returns:
        A split named `NAME-val`, with both parts out of `split.train`.

    Raises:
        DataError: If there are too few photos.

    Example:
        >>> split = Split("60-40", tuple(f"{i:03}.jpg" for i in range(100)), ("test.jpg",))
        >>> len(holdout_split(split).test)
        16
    """
    held = {name for name in split.train if _hash(name) % share == 0}
    if not held or len(held) == len(split.train):
        raise DataError(f"Too few photos to hold back one in {share}: {len(split.train)}. Train without holding back.")
    return Split(f"{split.name}{VAL}", tuple(n for n in split.train if n not in held), tuple(sorted(held)))


def selection_set(data: "DataSet") -> frozenset[str]:
    """The photos on which recipes are chosen: held back of the first official fold; none where there is no fold.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> selection_set(synthetic.draw(2))
        frozenset()
    """
    if not data.folds:
        return frozenset()
    try:
        return frozenset(holdout_split(data.split(data.folds[0])).test)
    except DataError:
        return frozenset()
