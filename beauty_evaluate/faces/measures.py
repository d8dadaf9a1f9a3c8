"""What a feature of the face is: a length, a ratio or an angle of a few points of the mesh, under a name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Feature:
    """A number that is measured of a face.

    Attributes:
        name: for people and tables.
        region: the part of the face that it is of.
        measure: from points float64 (N, 468, 2), in shares of the aligned crop's side, to float64 (N,).
        points: the points of the mesh that it reads, and no others.
        lines: pairs of them that a picture joins.
        unit: "share" (of the aligned crop's side), "ratio" or "degrees".

    Example:
        >>> feature = length("mouth width", "lips", (61, 291))
        >>> points = np.zeros((1, 468, 2))
        >>> points[0, 291] = 0.3, 0.4
        >>> feature.measure(points).tolist(), feature.unit
        ([0.5], 'share')
    """

    name: str
    region: str
    measure: Callable[[Floats], Floats]
    points: frozenset[int]
    lines: tuple[Pair, ...] = ()
    unit: str = "ratio"


def distance(points: Floats, pair: Pair) -> Floats:
    """Between two points of each face, float64 (N,)."""
    difference = points[:, pair[0]] - points[:, pair[1]]
    return np.hypot(difference[:, 0], difference[:, 1])


def length(name: str, region: str, *pairs: Pair) -> Feature:
    """The mean distance of some pairs of points: one, or one on each side of the face."""
    return Feature(name, region, lambda points: _mean(points, pairs), _read(pairs), pairs, "share")


def ratio(name: str, region: str, above: Sequence[Pair], below: Sequence[Pair]) -> Feature:
    """The mean distance of some pairs over that of others."""

    def measure(points: Floats) -> Floats:
        return _mean(points, above) / np.maximum(_mean(points, below), 1e-6)

    return Feature(name, region, measure, _read((*above, *below)), (*above, *below))


def angle(name: str, region: str, *corners: tuple[int, int, int]) -> Feature:
    """The mean angle at the second of three points, 0..180 degrees."""

    def measure(points: Floats) -> Floats:
        angles = []
        for a, b, c in corners:
            first, second = points[:, a] - points[:, b], points[:, c] - points[:, b]
            angles.append(np.arctan2(np.abs(_cross(first, second)), (first * second).sum(1)))
        return np.asarray(np.degrees(np.mean(angles, axis=0)))

    sides = tuple(side for a, b, c in corners for side in ((a, b), (b, c)))
    return Feature(name, region, measure, _read(sides), sides, "degrees")


def tilt(name: str, region: str, left: Pair, right: Pair) -> Feature:
    """By how many degrees the outer ends of two lines stand higher than the inner ones, the mean of both sides: a face
    that leans does not change it. Each pair: inner end, outer end; left as in the picture."""

    def measure(points: Floats) -> Floats:
        rises = []
        for pair in (left, right):
            across = points[:, pair[1]] - points[:, pair[0]]
            rises.append(np.arctan2(-across[:, 1], np.abs(across[:, 0])))
        return np.asarray(np.degrees(np.mean(rises, axis=0)))

    return Feature(name, region, measure, _read((left, right)), (left, right), "degrees")


def height(name: str, region: str, tops: Sequence[int], lines: Sequence[Pair]) -> Feature:
    """How far points stand above lines, over the lines' lengths, the mean of all: above is towards the forehead, and
    each line goes from left to right as in the picture. A point's line stands at its own place in `lines`."""

    def measure(points: Floats) -> Floats:
        shares = []
        for top, (a, b) in zip(tops, lines, strict=True):
            along, up = points[:, b] - points[:, a], points[:, top] - points[:, a]
            shares.append(-_cross(along, up) / np.maximum((along**2).sum(1), 1e-9))
        return np.asarray(np.mean(shares, axis=0))

    return Feature(name, region, measure, _read(lines) | frozenset(tops), tuple(lines))


def area(name: str, region: str, outlines: Sequence[Sequence[int]], across: Sequence[Pair]) -> Feature:
    """The mean area inside outlines (shoelace formula) over the squared mean distance of `across`: .79 for a circle."""

    def measure(points: Floats) -> Floats:
        areas = []
        for outline in outlines:
            corners = points[:, list(outline)]
            areas.append(np.abs(_cross(corners, np.roll(corners, -1, axis=1)).sum(1)) / 2)
        return np.asarray(np.mean(areas, axis=0) / np.maximum(_mean(points, across) ** 2, 1e-9))

    read = _read(across) | frozenset(i for outline in outlines for i in outline)
    return Feature(name, region, measure, read, tuple(across))


def asymmetry(name: str, region: str, pairs: Sequence[Pair], middle: Sequence[int] = ()) -> Feature:
    """How far a shape is from its own mirror image: root mean square distance of its points from those of the image,
    once that lies on it as well as shift, turn and size allow, over the root mean square distance from the middle
    (Procrustes; Mardia, Bookstein & Moreton 2000; Klingenberg, Barluenga & Meyer 2002).

    Args:
        name: of the feature.
        region: it is of.
        pairs: the same point on the left and on the right.
        middle: points of the midline.
    """
    order = [i for pair in pairs for i in pair] + list(middle)
    mirrored = [i for a, b in pairs for i in (b, a)] + list(middle)

    def measure(points: Floats) -> Floats:
        shape = points[:, order] @ np.array([1, 1j])  # a complex number for each point: a turn is a product
        image = -np.conj(points[:, mirrored] @ np.array([1, 1j]))
        shape, image = (z - z.mean(1, keepdims=True) for z in (shape, image))
        power = np.maximum((np.abs(image) ** 2).sum(1, keepdims=True), 1e-12)
        fitted = (np.conj(image) * shape).sum(1, keepdims=True) / power * image
        return np.asarray(np.sqrt((np.abs(shape - fitted) ** 2).sum(1) / power[:, 0]))

    return Feature(name, region, measure, frozenset(order), tuple(pairs))


def difference(name: str, region: str, left: Feature, right: Feature) -> Feature:
    """How far two features are apart, relative to their mean: the same thing on the left and on the right."""

    def measure(points: Floats) -> Floats:
        a, b = left.measure(points), right.measure(points)
        return np.abs(a - b) / np.maximum(np.abs(a + b) / 2, 1e-6)

    return Feature(name, region, measure, left.points | right.points, left.lines + right.lines)


def _mean(points: Floats, pairs: Sequence[Pair]) -> Floats:
    return np.asarray(np.mean([distance(points, pair) for pair in pairs], axis=0))


def _read(pairs: Sequence[Pair]) -> frozenset[int]:
    return frozenset(i for pair in pairs for i in pair)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
