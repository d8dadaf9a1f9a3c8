"""Whether eyes or mouth are covered: two linear rules on what an aligned crop shows there.

The rules are learnt from drawn glasses, masks and hands over training photos, by benchmarks/covered.py.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Crop, realigned_crop

RULES = Path(__file__).with_name("covered.npz")
BASE = CropConfig(size=256)
FACE = (slice(97, 236), slice(56, 200))  # rows and columns of brows to chin, pixels of BASE
GRID = (18, 16)  # cells of the face, down and across
ROWS = {"eyes": slice(0, 8), "mouth": slice(9, 18)}  # of cells that a rule looks at
# From linear sRGB to CIE XYZ, as shares of the white D65 (IEC 61966-2-1).
TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
WHITE = np.array([0.950456, 1.0, 1.088754])


def cells(crop: Crop, config: CropConfig) -> NDArray[np.float32]:
    """What an aligned crop shows from brows to chin, beside the face as a whole.

    Args:
        crop: uint8 or float32 (size, size, C) of 0..255.
        config: of the crop.

    Returns:
        float32 (18, 16, 4): lightness in standard deviations, two colours (CIELAB) in tens, and fine detail.

    Example:
        >>> cells(np.zeros((256, 256, 3), np.uint8), CropConfig()).shape
        (18, 16, 4)
    """
    if (config.size, config.margin) != (BASE.size, BASE.margin):
        crop = realigned_crop(crop, config, CropConfig(size=BASE.size, grey=config.grey))
    face = np.clip(crop[FACE], 0, 255).astype(np.uint8)
    rgb = np.repeat(face, 3, axis=2) if face.shape[2] == 1 else np.ascontiguousarray(face)
    lab = _lab(rgb)
    detail = np.abs(lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 2))
    grid = cv2.resize(np.dstack([lab, detail]), GRID[::-1], interpolation=cv2.INTER_AREA)
    mean, spread = grid[..., :3].mean((0, 1)), float(grid[..., 0].std()) + 8  # a flat face is no strong contrast
    light, colours, fine = grid[..., :1] - mean[0], grid[..., 1:3] - mean[1:], grid[..., 3:]
    return np.concatenate([light / spread, colours / 10, 3 * fine / spread], axis=2)


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIELAB on the scale of OpenCV's 8 bits, whose own conversion first makes tables for 50 ms."""
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
    xyz = linear[rgb] @ (TO_XYZ / WHITE[:, None]).T.astype(np.float32)
    x, y, z = np.moveaxis(np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116), 2, 0)
    return np.stack([2.55 * (116 * y - 16), 500 * (x - y) + 128, 200 * (y - z) + 128], axis=2)


def covered(crop: Crop, config: CropConfig) -> dict[str, float]:
    """How likely it is that `eyes` and `mouth` are covered, 0..1 each, among faces of which half are.

    Args:
        crop: uint8 or float32 (size, size, C) of 0..255, aligned.
        config: of the crop.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> all(share < 0.1 for share in covered(face.crop(CropConfig()), CropConfig()).values())
        True
    """
    seen = cells(crop, config)
    odds = {part: float(seen[rows].reshape(-1) @ _rules()[part][1:] + _rules()[part][0]) for part, rows in ROWS.items()}
    return {part: 1 / (1 + float(np.exp(-value))) for part, value in odds.items()}


@cache
def _rules() -> dict[str, NDArray[np.float32]]:
    with np.load(RULES) as stored:
        return {part: stored[part] for part in ROWS}
