"""Photos for the held-out curve of a training: nothing is chosen by them, and no published figure rests on them."""

import hashlib
from dataclasses import replace

from beauty_evaluate.datasets.mixture import Mixture, Part
from beauty_evaluate.datasets.splits import SEEDED, Split

SHARE = 50  # one photo in so many is held back for the curve
LEAST = 5  # photos of which a curve can be drawn
ENOUGH = 25  # training photos from which some are held back


def for_curve(mixture: Mixture, most: int) -> tuple[Mixture, Mixture | None]:
    """Hold some training photos back for the curve, where that changes no published figure.

    Of an official split, and of `all`, every photo is learnt from, so that figures compare with those of papers and
    with the cards that ship; of one's own photos on the seeded split and of synthetic faces, a few are held back: one
    in 50, at least 5, if there are 25 or more.

    Args:
        mixture: what is to be learnt from.
        most: photos to hold back, `training.curve_photos`.

    Returns:
        What is left to learn from, and the photos held back, as its training part; None if there are none.

    Example:
        >>> from beauty_evaluate.datasets import mixture, synthetic
        >>> left, held = for_curve(mixture.mix([synthetic.draw(100)]), 100)
        >>> len(left.train), len(held.train)
        (75, 5)
    """
    pairs = [_divided(part, most) for part in mixture.parts]
    left = Mixture(tuple(replace(part, split=split) for part, (split, _) in zip(mixture.parts, pairs, strict=True)))
    held = [
        replace(part, split=Split(part.split.name, names, ()))
        for part, (_, names) in zip(mixture.parts, pairs, strict=True)
    ]
    return left, Mixture(tuple(held)) if any(part.split.train for part in held) else None


def _divided(part: Part, most: int) -> tuple[Split, tuple[str, ...]]:
    """The split without the photos that are held back, and their names. Which they are hangs on the names alone."""
    split = part.split
    if (split.name != SEEDED and part.data.people) or len(split.train) < ENOUGH:
        return split, ()
    order = sorted(split.train, key=lambda name: hashlib.sha256(f"curve/{name}".encode()).digest())
    held = set(order[: min(most, max(LEAST, len(order) // SHARE))])
    left = tuple(name for name in split.train if name not in held)
    return replace(split, train=left), tuple(sorted(held))
