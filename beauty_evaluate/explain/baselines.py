"""What stands in for a region that is taken away, and the rating of faces edited so."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.raters.rater import Rater, crop_config

Floats = NDArray[np.float32]

INPAINT, DONORS = "ring mean", "other faces"  # the two baselines, as tables and reports name them
RING_SHARE = 0.04  # width of the ring around a region, as a share of the side
EDGE_SHARE = 0.02  # width of the soft edge inside a region, as a share of the side
EDITS_PER_CALL = 4  # faces rated at once: more take longer, since their crops leave the cache


def rate_edits(rater: Rater, face: Face, crops: Sequence[Crop] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Rate a face with other pixels.

    Args:
        rater: any.
        face: whose photo and points stay.
        crops: uint8 or float32 (N, size, size, C), N > 0, edits of the crop that the rater sees.

    Returns:
        float64 (N,), rating points, not clipped.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> rater = registry.load("six_block_60-40")
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> crop = face.crop(crop_config(rater))
        >>> bool(rate_edits(rater, face, [crop])[0] == rater.rate([face]).mean[0])
        True
    """
    config = crop_config(rater)
    return rater.rate([face.with_pixels(crop, config) for crop in crops]).mean


def inpaint_baseline(crop: Crop, masks: Masks) -> Floats:
    """Paint each region over with the mean colour of the ring around it.

    Args:
        crop: (size, size, C) of 0..255.
        masks: bool (R, size, size), regions that the crop shows.

    Returns:
        float32 (size, size, C).

    Example:
        >>> crop = np.full((8, 8, 3), 100, np.uint8)
        >>> mask = np.zeros((1, 8, 8), bool)
        >>> mask[0, :4] = True
        >>> crop[mask[0]] = 250
        >>> float(inpaint_baseline(crop, mask)[0, 0, 0])
        100.0
    """
    fill = crop.astype(np.float32)
    for mask, ring in zip(masks, _rings(masks), strict=True):
        fill[mask] = crop[ring].mean(0)
    return fill


def donor_baseline(crop: Crop, masks: Masks, donor: Crop) -> Floats:
    """Take each region from another face, made as bright on the ring around it as `crop` is there.

    Args:
        crop: (size, size, C) of 0..255.
        masks: bool (R, size, size), regions that tile the crop.
        donor: the crop of the other face, of the same shape.

    Returns:
        float32 (size, size, C).

    Example:
        >>> crop, donor = np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 50, np.uint8)
        >>> float(donor_baseline(crop, np.ones((1, 8, 8), bool), donor)[0, 0, 0])
        100.0
    """
    fill = np.empty(crop.shape, np.float32)
    difference = crop.astype(np.float32).mean(2) - donor.astype(np.float32).mean(2)
    for mask, ring in zip(masks, _rings(masks), strict=True):
        fill[mask] = np.clip(donor[mask] + difference[ring].mean(), 0, 255)
    return fill


def mask_all(crop: Crop, masks: Masks) -> Floats:
    """Paint every region over, softly at its edge: the picture from which the region effects of a face start.

    Args:
        crop: (size, size, C) of 0..255.
        masks: bool (R, size, size) that tile it; regions that it does not show are left out.

    Returns:
        float32 (size, size, C).

    Example:
        >>> mask_all(np.zeros((8, 8, 3), np.uint8), np.ones((1, 8, 8), bool)).shape
        (8, 8, 3)
    """
    shown = masks[masks.any((1, 2))]
    return np.asarray(crop + soft_edges(shown)[..., None] * (inpaint_baseline(crop, shown) - crop), np.float32)


def mask_each(crop: Crop, masks: Masks, fill: Floats) -> Floats:
    """Replace one region after the other.

    Args:
        crop: (size, size, C) of 0..255.
        masks: bool (R, size, size).
        fill: float32 (size, size, C), what stands in for a region.

    Returns:
        float32 (R, size, size, C), softly replaced at the edge.

    Example:
        >>> mask_each(np.zeros((8, 8, 3), np.uint8), np.ones((2, 8, 8), bool), np.ones((8, 8, 3), np.float32)).shape
        (2, 8, 8, 3)
    """
    return np.asarray(crop + masks[..., None] * (soft_edges(masks)[..., None] * (fill - crop)), np.float32)


def soft_edges(masks: Masks) -> Floats:
    """How far each pixel is replaced with its region: from a half at the region's edge to 1.

    Args:
        masks: bool (R, size, size).

    Returns:
        float32 (size, size).

    Example:
        >>> float(soft_edges(np.ones((1, 8, 8), bool)).min())
        1.0
    """
    width = max(1.0, EDGE_SHARE * masks.shape[1])
    depth = np.zeros(masks.shape[1:], np.float32)
    for mask in masks:
        inside = cv2.distanceTransform(np.pad(mask, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        depth[mask] = inside[mask]
    return np.asarray(np.clip(0.5 + 0.5 * (depth - 0.5) / width, 0, 1), np.float32)


def _rings(masks: Masks) -> list[NDArray[np.bool_]]:
    """The ring around each region; of a region that is all there is, itself."""
    reach = max(1, round(RING_SHARE * masks.shape[1]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    rings = [cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask for mask in masks]
    return [ring if ring.any() else mask for ring, mask in zip(rings, masks, strict=True)]
