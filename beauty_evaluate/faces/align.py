"""The one crop: from a photo and five points to the picture that every network sees."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.images import Picture

# Where the five points lie in the crop, as shares of its side (margin 0): the mean over SCUT-FBP5500 of YuNet's
# points on crops whose face contour is 58 % of the width and whose chin stands at 95 % of the height.
TEMPLATE = np.array([[0.362, 0.491], [0.634, 0.487], [0.499, 0.644], [0.386, 0.760], [0.623, 0.756]])
MAX_WARPED_SIDE = 32766  # pixels of a photo that `cv2.warpAffine` takes: it counts in 16 bits

Points = NDArray[np.float64]
Crop = NDArray[Any]
"""(size, size, C) of 0..255: uint8 as cut, float32 once edited."""


def fit_similarity_transform(points: Points, target: Points) -> NDArray[np.float64]:
    """The (2, 3) rotation, scaling and shift that takes `points` (n, 2) nearest to `target` (n, 2), least squares."""
    x, y = points[:, 0], points[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, dx, dy = np.linalg.lstsq(rows, np.concatenate([target[:, 0], target[:, 1]]), rcond=None)[0]
    return np.array([[a, -b, dx], [b, a, dy]])


def template(config: CropConfig) -> Points:
    """Where the five points lie in an aligned crop: (5, 2) pixels."""
    return (TEMPLATE + config.margin) / (1 + 2 * config.margin) * config.size - 0.5


def crop_matrix(points: Points, config: CropConfig) -> NDArray[np.float64]:
    """The (2, 3) transform from photo pixels to crop pixels. points: (5, 2), in the order of TEMPLATE."""
    return fit_similarity_transform(points, template(config))


def transform(points: Points, matrix: NDArray[np.float64]) -> Points:
    """Points (n, 2) through a (2, 3) transform."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def roll(points: Points) -> float:
    """How far a face is turned in the plane of the picture: degrees clockwise, -180..180; 0 is upright.

    The rotation that takes TEMPLATE nearest to the points, least squares (Kabsch 1976).

    Args:
        points: (5, 2), in the order of TEMPLATE.

    Example:
        >>> round(roll(TEMPLATE @ np.array([[0, 1], [-1, 0]])))  # turned by a quarter, clockwise
        90
    """
    face, upright = (p - p.mean(0) for p in (points, TEMPLATE))
    across = upright[:, 0] @ face[:, 1] - upright[:, 1] @ face[:, 0]
    return float(np.degrees(np.arctan2(across, (upright * face).sum())))


def aligned_crop(photo: Picture, points: Points, config: CropConfig, pad: int = 0) -> Picture:
    """Cut the aligned crop.

    photo: uint8 (H, W, 3) RGB. points: (5, 2) pixels: the eye on the left of the picture, the eye on the right, nose
    tip, mouth corner on the left, on the right. pad: extra pixels on each side, for augmentation.
    Returns uint8 (size + 2 pad, size + 2 pad, 3), or with one channel if `config.grey`; outside the photo its border
    is repeated.
    """
    matrix = crop_matrix(points, config)
    matrix[:, 2] += pad
    side = config.size + 2 * pad
    return _channels(warp(photo, matrix, (side, side)), config.grey)


def warp(photo: Picture, matrix: NDArray[np.float64], size: tuple[int, int]) -> Picture:
    """What a window shows of a photo.

    Args:
        photo: uint8 (H, W, 3).
        matrix: (2, 3), from photo pixels to those of the window: rotation, scaling and shift.
        size: width and height of the window, pixels.

    Returns:
        uint8 (height, width, 3); outside the photo its border is repeated.
    """
    scale = min(1.0, float(np.hypot(matrix[0, 0], matrix[1, 0])))
    if scale < 1 or max(photo.shape) > MAX_WARPED_SIDE:
        photo, matrix = _shrunken(photo, matrix, scale, size)  # by averaging: a warp that skips pixels would see noise
    window = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(window, np.uint8)


def _shrunken(
    photo: Picture, matrix: NDArray[np.float64], scale: float, window: tuple[int, int]
) -> tuple[Picture, NDArray[np.float64]]:
    """The part of the photo that the window shows, area-averaged to about its resolution, and its transform."""
    height, width = photo.shape[:2]
    corners = np.array([[0, 0], [window[0], 0], [0, window[1]], window], float)
    inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    reach = 2 / scale
    low = np.floor(transform(corners, inverse).min(0) - reach)
    high = np.ceil(transform(corners, inverse).max(0) + reach)
    x0, y0 = (int(v) for v in np.clip(low, 0, [width - 1, height - 1]))
    x1, y1 = (int(v) for v in np.clip(high, [x0 + 1, y0 + 1], [width, height]))
    small, to_photo = shrink(photo[y0:y1, x0:x1], (round((x1 - x0) * scale), round((y1 - y0) * scale)))
    to_photo[:2, 2] += [x0, y0]
    return small, matrix @ to_photo


def shrink(photo: Picture, size: tuple[int, int]) -> tuple[Picture, NDArray[np.float64]]:
    """A photo at another size, averaged over areas, and the (3, 3) transform from its pixels to those of the photo.

    Args:
        photo: uint8 (H, W, 3).
        size: width and height, at least 1 each.
    """
    height, width = photo.shape[:2]
    size = (max(1, size[0]), max(1, size[1]))
    small = photo if size == (width, height) else cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    fx, fy = width / size[0], height / size[1]
    # pixel centres: x = (u + .5) fx - .5
    return np.asarray(small, np.uint8), np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])


def paste_aligned(photo: Picture, pixels: Crop, points: Points, config: CropConfig) -> Picture:
    """A copy of the photo, uint8 (H, W, 3), with an edited crop of `config` laid back where it was cut."""
    height, width = photo.shape[:2]
    matrix = crop_matrix(points, config)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    size = (width, height)
    laid = cv2.warpAffine(rgb.astype(np.float32), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(pixels.shape[:2], np.float32), matrix, size, flags=flags)[..., None] > 0.5
    return np.where(inside, np.clip(np.round(laid), 0, 255).astype(np.uint8), photo)


def realigned_crop(pixels: Crop, made: CropConfig, config: CropConfig) -> Crop:
    """From one aligned crop to that of another config: (size, size, C) of the same kind of numbers."""
    if config.geometry == "whole" or (made.grey and not config.grey):
        raise ValueError("Expected a crop that the edited one shows. Received: one of the whole photo, or in colour.")
    matrix = fit_similarity_transform(template(made), template(config))
    crop = cv2.warpAffine(
        pixels, matrix, (config.size, config.size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(config.size, config.size, -1)
    if config.grey and crop.shape[2] == 3:
        crop = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None]
    return np.asarray(crop)


def whole_crop(photo: Picture, config: CropConfig) -> Picture:
    """The whole picture squeezed to the input size, as the article did."""
    small = cv2.resize(photo, (config.size, config.size), interpolation=cv2.INTER_AREA)
    return _channels(small, config.grey)


def _channels(crop: NDArray[Any], grey: bool) -> Picture:
    if grey:
        return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], np.uint8)
    return np.asarray(crop, np.uint8)
