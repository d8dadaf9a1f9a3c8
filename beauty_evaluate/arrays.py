"""Arrays that programs hold pictures in: bytes, 16 bits, floats from 0 to 1, truth values."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import PhotoError

ROWS_PER_STRIP = 256  # that are converted at once: floats take eight times the memory of bytes
KINDS = "uint8, uint16, float from 0 to 1, or bool"


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring a picture's values to 0..255.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA: uint8, as it is; another integer type with values
            from 0 to 255; uint16 with some above 255, of which 65535 is white; float from 0 to 1; bool.

    Returns:
        uint8 of the same shape; the same array if it is uint8.

    Raises:
        PhotoError: With status `unreadable`, for other shapes, types and values.

    Example:
        >>> as_bytes(np.array([[0, 0.5, 1]])).tolist()
        [[0, 128, 255]]
        >>> as_bytes(np.array([[0, 65535]], np.uint16)).tolist()
        [[0, 255]]
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise _refused(array, "channels come last")
    if array.dtype == np.uint8:
        return array
    if not array.size:
        return np.zeros(array.shape, np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.floating):
        return _in_strips(array, _from_floats)
    if array.dtype == np.uint16 and array.max() > 255:
        return _in_strips(array, lambda strip: strip >> 8)
    if np.issubdtype(array.dtype, np.integer) and array.min() >= 0 and array.max() <= 255:
        if array.dtype == np.uint16:  # a dark picture of 16 bits, or a bright one of 8
            raise _refused(array, "no value is above 255: use .astype(np.uint8)")
        return array.astype(np.uint8)
    raise _refused(array, "scale the values to 0..255 and use .astype(np.uint8)")


def _from_floats(strip: NDArray[Any]) -> NDArray[Any]:
    low, high = float(strip.min()), float(strip.max())
    if not (low >= 0 and high <= 1):  # not a number is neither
        values = "not numbers" if low != low or high != high else f"from {low:g} to {high:g}"
        raise _refused(strip, f"floats run from 0 to 1, these are {values}; scale them")
    return np.rint(strip.astype(np.float64) * 255)


def _in_strips(array: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[np.uint8]:
    values = np.empty(array.shape, np.uint8)
    for top in range(0, len(array), ROWS_PER_STRIP):
        values[top : top + ROWS_PER_STRIP] = convert(array[top : top + ROWS_PER_STRIP])
    return values


def _refused(array: NDArray[Any], cure: str) -> PhotoError:
    return PhotoError(
        "unreadable",
        f"Expected an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of {KINDS}. "
        f"Received: {array.dtype} {array.shape}; {cure}.",
    )
