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
    table = np.clip((levels - 127.5) * gains + 127.5 + lift, 0, 255).round().astype(np.uint8)
    if change.contrast or change.colour or change.brightness:
        crop = np.asarray(cv2.LUT(crop, table.reshape(1, 256, -1)), np.uint8).reshape(crop.shape)
    if rng.random() < change.blur:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(*change.blur_sigma)), np.uint8).reshape(crop.shape)
    if rng.random() < change.erase:
        side = len(crop)
        h, w = (rng.uniform(*change.erase_side, 2) * side).astype(int)
        y, x = rng.integers(0, side - h), rng.integers(0, side - w)
        crop[y : y + h, x : x + w] = rng.integers(0, 256, crop.shape[2])
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
