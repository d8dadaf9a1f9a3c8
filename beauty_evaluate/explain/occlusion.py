"""What moved a score, place by place, from ratings alone: for any rater."""

import cv2
import numpy as np

from beauty_evaluate.explain.baselines import EDGE_SHARE, EDITS_PER_CALL, Floats, rate_edits
from beauty_evaluate.explain.pixel_map import PixelMap
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.rater import Rater, crop_config

OCCLUSION = "occlusion"
PATCH_PIXELS, STRIDE_PIXELS = 32, 16


def occlusion(
    rater: Rater, face: Face, *, fill: Floats, patch: int = PATCH_PIXELS, stride: int = STRIDE_PIXELS
) -> PixelMap:
    """What the score loses when a sliding patch of the crop is replaced (Zeiler and Fergus, ECCV 2014).

    A patch's loss is spread evenly over it and divided by the number of patches over a pixel: the map is in rating
    points, as sharp as the patch is small. The reference is the score of `fill`. The completeness error is 0 for a
    linear rater, below 0 where places are only worth something together, above 0 where one place does for another.

    Args:
        rater: any.
        face: with the crop that the rater sees.
        fill: float32 (size, size, C) of 0..255, what a patch is replaced by, softly at its edge.
        patch: side of the patch, pixels. Patches reach over the border, so that each pixel lies in
            (patch / stride)**2 of them.
        stride: pixels between patches; it divides the patch.

    Raises:
        ValueError: the fill has another shape, or the patches do not fit together.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters.card import Card
        >>> from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> rater = MeanBaseline(Card("mean", MeanBaselineConfig(), RatingScale(1, 5)))
        >>> bool(occlusion(rater, face, fill=np.zeros((256, 256, 3), np.float32)).values.any())
        False
    """
    crop = face.crop(crop_config(rater))
    if fill.shape != crop.shape or not 0 < stride <= patch or patch % stride:
        raise ValueError(
            f"Expected a fill of shape {crop.shape} and a stride that divides the patch. "
            f"Received: {fill.shape}, patch {patch}, stride {stride}."
        )
    steps = _soft_steps(len(crop), patch, stride)
    score, reference = rate_edits(rater, face, [crop, fill])
    places = [(y, x) for y in steps for x in steps]
    values = np.zeros(crop.shape[:2])
    for start in range(0, len(places), EDITS_PER_CALL):
        masks = np.stack([np.outer(y, x) for y, x in places[start : start + EDITS_PER_CALL]])
        losses = score - rate_edits(rater, face, crop + masks[..., None] * (fill - crop))
        values += np.tensordot(losses / masks.sum((1, 2)), masks, 1)
    values *= (stride / patch) ** 2
    return PixelMap(OCCLUSION, values.astype(np.float32), float(score), float(reference))


def _soft_steps(size: int, patch: int, stride: int) -> Floats:
    """Sliding steps (K, size) of width `patch`, 0..1 with soft edges; their sum is the same at each pixel."""
    starts = np.arange(stride - patch, size, stride)[:, None]
    pixels = np.arange(size)
    steps = ((pixels >= starts) & (pixels < starts + patch)).astype(np.float32)
    reach = max(1, round(EDGE_SHARE * size))
    return np.asarray(cv2.blur(steps, (2 * reach + 1, 1), borderType=cv2.BORDER_REPLICATE))
