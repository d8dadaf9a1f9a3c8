"""Random changes of training crops, and what a mirror does to landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from beauty_evaluate.config import AugmentConfig
from beauty_evaluate.images import Picture


def random_warp(change: AugmentConfig, size: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], bool]:
    """A (2, 3) transform of crop pixels: mirror, rotation, scale and shift about the middle; and whether it mirrors."""
    angle = np.deg2rad(rng.uniform(-change.rotation, change.rotation))
    scale = np.exp(rng.uniform(-change.scale, change.scale))
    shift = rng.uniform(-change.shift, change.shift, 2) * size
    mirrored = bool(change.mirror and rng.random() < 0.5)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn @ np.diag([-1.0, 1.0])
    middle = np.full(2, (size - 1) / 2)
    return np.column_stack([turn, middle + shift - turn @ middle]), mirrored


def recoloured(crop: Picture, change: AugmentConfig, rng: np.random.Generator) -> Picture:
    """Light, contrast, colour, blur and an erased patch."""
    gain = 1 + rng.uniform(-change.contrast, change.contrast)
    gains = gain * (1 + rng.uniform(-change.colour, change.colour, crop.shape[2]))
    lift = 255 * rng.uniform(-change.brightness, change.brightness)
    levels = np.arange(256)[:, None]
    if change.gamma:
        levels = 255 * (levels / 255) ** np.exp(rng.uniform(-change.gamma, change.gamma))
    table = np.clip((levels - 127.5) * gains + 127.5 + lift, 0, 255).round().astype(np.uint8)
    if change.contrast or change.colour or change.brightness or change.gamma:
        crop = np.asarray(cv2.LUT(crop, table.reshape(1, 256, -1)), np.uint8).reshape(crop.shape)
    if change.saturation or change.grey:
        crop = _saturated(crop, change, rng)
    if change.ramp:
        crop = _lit_from_one_side(crop, change.ramp, rng)
    if rng.random() < change.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(*change.blur_sigma)), np.uint8).reshape(crop.shape)
    if rng.random() < change.erase:
        side = len(crop)
        h, w = (rng.uniform(*change.erase_side, 2) * side).astype(int)
        y, x = rng.integers(0, side - h), rng.integers(0, side - w)
        crop[y : y + h, x : x + w] = rng.integers(0, 256, crop.shape[2])
    return crop


def _saturated(crop: Picture, change: AugmentConfig, rng: np.random.Generator) -> Picture:
    """More or less colour, or none."""
    share = 0.0 if rng.random() < change.grey else 1 + rng.uniform(-change.saturation, change.saturation)
    if crop.shape[2] == 1 or share == 1:
        return crop
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(crop, share, grey, 1 - share, 0), np.uint8)


def _lit_from_one_side(crop: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Brighter towards one side and darker towards the other."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, share)
    across = np.linspace(-1, 1, len(crop), dtype=np.float32)
    light = 1 + strength * (np.cos(angle) * across[None, :] + np.sin(angle) * across[:, None])
    lit = cv2.multiply(crop, np.repeat(light[..., None], crop.shape[2], axis=2), dtype=cv2.CV_8U)  # saturates
    return np.asarray(lit, np.uint8).reshape(crop.shape)


def degraded(crop: Picture, change: AugmentConfig, rng: np.random.Generator) -> Picture:
    """A crop as it comes of a poorer photo: cut by the photo's edge, of few pixels, compressed.

    Args:
        crop: uint8 (size, size, C).
        change: How often and how far.
        rng: What is drawn from.

    Returns:
        uint8 (size, size, C).

    Example:
        >>> crop = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
        >>> degraded(crop, AugmentConfig(shrink=1), np.random.default_rng(1)).shape
        (8, 8, 3)
    """
    size, shape = len(crop), crop.shape
    if change.cut and rng.random() < change.cut:
        turn, depth = int(rng.integers(4)), int(rng.uniform(0, change.cut_depth) * size)
        turned = np.rot90(crop, turn)
        turned[:depth] = turned[depth]
        crop = np.rot90(turned, -turn)
    crop = np.ascontiguousarray(crop)
    if change.shrink and rng.random() < change.shrink:
        side = max(1, round(size * rng.uniform(*change.shrink_to)))
        small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
        crop = np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8).reshape(shape)
    if change.jpeg and rng.random() < change.jpeg:
        quality = int(rng.integers(change.jpeg_quality[0], change.jpeg_quality[1] + 1))
        data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        crop = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8).reshape(shape)
    return crop


def mixed(a: Picture, b: Picture, share: float) -> Picture:
    """`share` of one crop and the rest of another, uint8 of their shape (mixup, Zhang et al., ICLR 2018)."""
    return np.asarray(cv2.addWeighted(a, share, b, 1 - share, 0), np.uint8).reshape(a.shape)


def mirror_order(shape: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which point each point becomes in the mirror: the nearest match, one to one.

    Args:
        shape: (n, 2), a mean face shape; n may be 0.

    Returns:
        int64 (n,), the index of the point that takes each place.

    Example:
        >>> mirror_order(np.array([[0.2, 0.3], [0.8, 0.3], [0.5, 0.6]])).tolist()
        [1, 0, 2]
    """
    if not len(shape):
        return np.empty(0, np.int64)
    mirrored = shape * [-1, 1] + [2 * shape[:, 0].mean(), 0]
    distance = np.linalg.norm(shape[:, None] - mirrored[None], axis=2)
    return np.asarray(linear_sum_assignment(distance)[1])
