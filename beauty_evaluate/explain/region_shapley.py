"""What moved a score: exact Shapley values of the regions of a face, in rating points, on any runtime."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.images import Picture
from beauty_evaluate.raters.runtime import BATCH, PredictFn, predict

Floats = NDArray[np.float32]
Masks = NDArray[np.bool_]
Progress = Callable[[int, int], None]

RING_MEAN, OTHER_FACES = "ring mean", "other faces"
RING = 0.04  # width of the ring around a region, as a share of the side
EDGE = 0.02  # width of the soft edge inside a region, as a share of the side


@dataclass(frozen=True)
class RegionEffects:
    """How each region moved one score: score = reference + effects.sum().

    names: of the R regions. effects: float64 (R,), rating points. areas: float64 (R,), shares of the crop. score: what
    `rate` gives for the crop. reference: the score with every region replaced. others: faces whose regions stood in
    for those of this one; 0 for the mean colour around them.
    """

    names: tuple[str, ...]
    effects: NDArray[np.float64]
    areas: NDArray[np.float64]
    score: float
    reference: float
    others: int = 0

    @property
    def way(self) -> str:
        """What stands in for a region: RING_MEAN or OTHER_FACES."""
        return OTHER_FACES if self.others else RING_MEAN

    @property
    def what(self) -> str:
        """The same in plain words."""
        if self.others:
            return f"those of {self.others} other face{'s' * (self.others > 1)}"
        return "the mean colour around them"

    def lines(self) -> list[str]:
        """The effects for a terminal, the largest first, in plain words."""
        order = np.argsort(-np.abs(self.effects))
        rows = [
            f"  {self.names[i]:<17}{self.effects[i]:+6.2f}  {100 * self.areas[i]:3.0f} % of the picture" for i in order
        ]
        return [
            f"What moved this score from {self.reference:.2f} to {self.score:.2f} in this network, the regions against",
            f"{self.what} (Shapley values in rating points, which add up):",
            *rows,
        ]


def region_effects(
    forward: PredictFn,
    crop: Picture,
    masks: Masks,
    names: Sequence[str],
    flip_tta: bool,
    others: Sequence[Picture] = (),
    progress: Progress | None = None,
) -> RegionEffects:
    """Shapley values (Shapley 1953; for networks Lundberg and Lee, NeurIPS 2017) over the regions of one crop.

    crop: uint8 (size, size, C). masks: bool (R, size, size) that tile it, named by `names`. A region that is not in a
    coalition is replaced: by the mean colour of the ring around it, or with `others`, crops uint8 of other faces, by
    the same place of them, as bright on the ring as this face; softly at its edge either way, and never beyond it, so
    that a network that reads only one region gives all the others exactly 0. All 2**R coalitions are looked at, with
    each of `others`. ValueError for masks that do not tile the crop.
    """
    if not (masks.sum(0) == 1).all():
        raise ValueError("Expected masks with one region at each pixel. Received: gaps or overlaps.")
    there = masks.any((1, 2))
    own = masks[there]
    fills = np.stack([donor_baseline(crop, own, other) for other in others] or [inpaint_baseline(crop, own)])
    values = coalition_values(forward, crop, own, fills, flip_tta, progress)
    effects = np.zeros(len(masks))
    effects[there] = shapley(values)
    shares = masks.mean((1, 2))
    return RegionEffects(tuple(names), effects, shares, float(values[-1]), float(values[0]), len(others))


def inpaint_baseline(crop: Picture, masks: Masks) -> Floats:
    """The crop, float32 (size, size, C), with each region in the mean colour of the ring around it."""
    fill = crop.astype(np.float32)
    for mask, ring in zip(masks, _rings(masks), strict=True):
        fill[mask] = crop[ring].mean(0)
    return fill


def donor_baseline(crop: Picture, masks: Masks, other: Picture) -> Floats:
    """`other` float32 (size, size, C), each region as bright on the ring around it as `crop` is there."""
    fill = np.empty(crop.shape, np.float32)
    difference = crop.astype(np.float32).mean(2) - other.astype(np.float32).mean(2)
    for mask, ring in zip(masks, _rings(masks), strict=True):
        fill[mask] = np.clip(other[mask] + difference[ring].mean(), 0, 255)
    return fill


def replaced(crop: Picture, masks: Masks) -> Floats:
    """The crop with every region replaced by its ring's mean colour, float32: the picture behind `reference`. masks: of
    regions that are there."""
    return np.asarray(crop + soft_edges(masks)[..., None] * (inpaint_baseline(crop, masks) - crop), np.float32)


def one_by_one(crop: Picture, masks: Masks, fill: Floats) -> Floats:
    """The crop with each region in turn replaced by `fill`, float32 (size, size, C): float32 (R, size, size, C)."""
    return np.asarray(crop + masks[..., None] * (soft_edges(masks)[..., None] * (fill - crop)), np.float32)


def _rings(masks: Masks) -> list[NDArray[np.bool_]]:
    """The ring around each region; of a region that is all there is, itself."""
    reach = max(1, round(RING * masks.shape[1]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    rings = [cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask for mask in masks]
    return [ring if ring.any() else mask for ring, mask in zip(rings, masks, strict=True)]


def soft_edges(masks: Masks) -> Floats:
    """How far each pixel is replaced with its region, float32 (size, size): from a half at the region's edge to 1."""
    width = max(1.0, EDGE * masks.shape[1])
    depth = np.zeros(masks.shape[1:], np.float32)
    for mask in masks:
        inside = cv2.distanceTransform(np.pad(mask, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        depth[mask] = inside[mask]
    return np.asarray(np.clip(0.5 + 0.5 * (depth - 0.5) / width, 0, 1), np.float32)


def coalition_values(
    forward: PredictFn,
    crop: Picture,
    masks: Masks,
    fills: Floats,
    flip_tta: bool,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """The score of every coalition, float64 (2**R,): bit i of the index says that region i is kept.

    fills: float32 (K, size, size, C), what may stand in place of the replaced regions; a value is the mean over them.
    Every coalition gets all of them: were they drawn anew, a region that nothing reads would seem to have an effect.
    """
    coalitions, region, soft = 2 ** len(masks), masks.argmax(0), soft_edges(masks)[..., None]
    gone = 1 - (np.arange(coalitions)[:, None] >> np.arange(len(masks)) & 1).astype(np.float32)
    found = np.zeros((len(fills), coalitions))
    for k, fill in enumerate(fills):
        change = soft * (fill - crop)
        for start in range(0, coalitions, BATCH):
            part = slice(start, start + BATCH)
            # not as a product of matrices, whose threads would get in the way of the network's
            pictures = np.take(gone[part], region, axis=1)[..., None] * change
            pictures += crop
            found[k, part] = predict(forward, pictures, flip_tta)
            if progress:
                progress(k * coalitions + min(start + BATCH, coalitions), found.size)
    return np.asarray(found.mean(0))


def shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact Shapley values (R,) of a game (2**R,): bit i of the index says that player i takes part."""
    count = len(values).bit_length() - 1
    if len(values) != 2**count:
        raise ValueError(f"Expected a value for each of 2**R coalitions. Received: {len(values)}.")
    coalitions = np.arange(2**count)
    sizes = np.array([int(c).bit_count() for c in coalitions])
    weights = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
    effects = []
    for player in range(count):
        without = coalitions[coalitions >> player & 1 == 0]
        effects.append(weights[sizes[without]] @ (values[without | 1 << player] - values[without]))
    return np.array(effects)
