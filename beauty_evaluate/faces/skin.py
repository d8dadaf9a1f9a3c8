"""What the skin of cheeks and forehead looks like: how sharp, how even, of which colour.

Even skin is rated higher: Fink, Grammer & Matts 2006, Evolution and Human Behavior 27(6). Sharpness is the variance of
the Laplacian: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", ICPR. Both hang on camera,
light and make-up as much as on skin.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Crop, Points
from beauty_evaluate.images import three_channels

Floats = NDArray[np.float64]

REGION = "skin"
PATCHES = {  # outlines of points of the mesh: no beard, few glasses
    "left cheek": (117, 118, 101, 36, 205, 187, 123),
    "right cheek": (346, 347, 330, 266, 425, 411, 352),
    "forehead": (109, 10, 338, 337, 151, 108),
}
NAMES = (
    "skin sharpness", "forehead sharpness", "skin lightness", "skin redness", "skin yellowness", "skin spots",
    "skin roughness", "skin light and shade", "skin colour variation", "forehead to cheek lightness",
    "difference of the cheeks' light",
)  # fmt: skip
FINE, COARSE = 1 / 256, 4 / 256  # shares of the crop's side: pores, spots


def measure(crop: Crop, points: Points, config: CropConfig) -> Floats:
    """The skin of one face.

    Args:
        crop: uint8 (size, size, C) RGB or grey, aligned.
        points: (468, 2) pixels of the crop.
        config: of the crop.

    Returns:
        float64 (11,), in the order of NAMES: in CIELAB, its units; sharpness as a logarithm.

    Example:
        >>> crop = np.full((256, 256, 3), 128, np.uint8)
        >>> dict(zip(NAMES, measure(crop, np.zeros((468, 2)), CropConfig()).round(2).tolist()))["skin spots"]
        0.0
    """
    lab = cv2.cvtColor(np.asarray(three_channels(crop), np.float32) / 255, cv2.COLOR_RGB2LAB)
    whole = config.size / (1 + 2 * config.margin)
    light = lab[..., 0]
    fine = light - cv2.GaussianBlur(light, (0, 0), FINE * whole)
    coarse = cv2.GaussianBlur(light, (0, 0), FINE * whole) - cv2.GaussianBlur(light, (0, 0), COARSE * whole)
    edges = cv2.Laplacian(light, cv2.CV_32F)
    left, right, forehead = (_inside(points, outline, len(crop)) for outline in PATCHES.values())
    cheeks, patches = (left, right), (left, right, forehead)

    def mean(values: NDArray[Any], places: tuple[NDArray[np.bool_], ...]) -> float:
        return float(np.mean([values[place].mean() for place in places]))

    def spread(values: NDArray[Any], places: tuple[NDArray[np.bool_], ...]) -> float:
        return float(np.mean([values[place].std() for place in places]))

    smooth = cv2.GaussianBlur(lab, (0, 0), COARSE * whole)
    return np.array(
        [
            np.log1p(spread(edges, cheeks) ** 2), np.log1p(spread(edges, (forehead,)) ** 2), mean(light, cheeks),
            mean(lab[..., 1], cheeks), mean(lab[..., 2], cheeks), spread(coarse, cheeks), spread(fine, patches),
            spread(smooth[..., 0], cheeks), spread(smooth[..., 1], cheeks),
            mean(light, (forehead,)) - mean(light, cheeks), abs(mean(light, (left,)) - mean(light, (right,))),
        ]
    )  # fmt: skip


def _inside(points: Points, outline: tuple[int, ...], side: int) -> NDArray[np.bool_]:
    """The pixels of a patch; where none of it lies on the crop, the pixel next to it."""
    mask = np.zeros((side, side), np.uint8)
    corners = np.clip(np.round(points[list(outline)]), 0, side - 1).astype(np.int32)
    cv2.fillPoly(mask, [corners], 1)
    return mask.astype(bool)
