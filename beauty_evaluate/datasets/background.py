"""Other backgrounds for training crops, so that a network learns from the person alone."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.images import Picture

LOW = 32  # pixels of the side on which a person is taken out of a background
WHITE = 0.3  # share of flat backgrounds that are nearly white, as in a studio
Floats = NDArray[np.float32]


def replace_background(
    crop: Picture, person: Floats, other: Picture, other_person: Floats, rng: np.random.Generator
) -> Picture:
    """The person of a crop before another background.

    It is, each with the same chance, one colour, a gradient, smooth noise, the background of another crop without the
    person there, or the crop's own background, blurred and in other colours.

    Args:
        crop: uint8 (size, size, C).
        person: float32 (size, size), how surely each pixel shows the person, 0..1.
        other: another crop of any size, uint8 (S, S, C).
        other_person: float32 (S, S), the person there.
        rng: What is drawn from.

    Returns:
        uint8 (size, size, C).

    Example:
        >>> crop, person = np.full((8, 8, 3), 9, np.uint8), np.zeros((8, 8), np.float32)
        >>> person[:, 4:] = 1
        >>> changed = replace_background(crop, person, crop, person, np.random.default_rng(1))
        >>> bool((changed[:, 4:] == 9).all()), bool((changed[:, :4] == 9).all())
        (True, False)
    """
    size, channels = crop.shape[0], crop.shape[2]
    kind = rng.integers(5)
    background: NDArray[Any]
    if kind == 0:
        background = np.broadcast_to(_colour(channels, rng), crop.shape)
    elif kind == 1:
        background = _gradient(size, channels, rng)
    elif kind == 2:
        background = _noise(size, channels, rng)
    elif kind == 3:
        background = _without_person(other, other_person, size, rng)
    else:
        background = _without_person(crop, person, size, rng, blurred=True) * rng.uniform(0.6, 1.4, channels)
    return _blended(crop, np.clip(background, 0, 255).astype(np.uint8), person)


def _colour(channels: int, rng: np.random.Generator) -> Floats:
    if rng.random() < WHITE:
        return rng.uniform(225, 255, channels).astype(np.float32)
    return rng.uniform(0, 255, channels).astype(np.float32)


def _gradient(size: int, channels: int, rng: np.random.Generator) -> Floats:
    """From one colour to another, in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-0.5, 0.5, LOW, dtype=np.float32)
    ramp = (np.cos(angle) * across[None, :, None] + np.sin(angle) * across[:, None, None]) / 1.4 + 0.5
    return _resized(ramp * _colour(channels, rng) + (1 - ramp) * _colour(channels, rng), size)


def _noise(size: int, channels: int, rng: np.random.Generator) -> Floats:
    """Random colours on a coarse grid, between them smooth."""
    cells = int(rng.integers(2, 17))
    noise = rng.uniform(0, 255, (cells, cells, channels)).astype(np.float32)
    mean = _colour(channels, rng)
    return _resized(mean + rng.uniform(0.2, 1) * (noise - mean), size)


def _without_person(
    crop: Picture, person: Floats, size: int, rng: np.random.Generator, blurred: bool = False
) -> NDArray[Any]:
    """A background, (size, size, C) of 0..255, whose colours are spread over where the person was."""
    small = cv2.resize(crop, (LOW, LOW), interpolation=cv2.INTER_AREA).reshape(LOW, LOW, -1).astype(np.float32)
    weight = 1 - cv2.resize(person, (LOW, LOW), interpolation=cv2.INTER_AREA)[..., None]
    weight = weight**2 + 1e-4  # of the edge, where hair and background mix, little
    reach = float(rng.uniform(2, 6))
    sums, weights = (cv2.GaussianBlur(values, (0, 0), reach) for values in (small * weight, weight))
    spread = sums.reshape(small.shape) / weights.reshape(LOW, LOW, 1)
    if blurred:
        return _resized(spread, size)
    filled, sharp = (_resized(picture, size).astype(np.uint8) for picture in (spread, crop))
    background = _blended(filled, sharp, _resized(person, size)[..., 0])
    return background[:, ::-1] if rng.random() < 0.5 else background


def _blended(front: Picture, back: Picture, share: Floats) -> Picture:
    """`share` of one picture and the rest of another, pixel by pixel."""
    return np.asarray(cv2.blendLinear(front, back, share, 1 - share), np.uint8).reshape(front.shape)


def _resized(picture: NDArray[Any], size: int) -> Floats:
    resized = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32).reshape(size, size, -1)
