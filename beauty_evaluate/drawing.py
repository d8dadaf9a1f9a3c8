"""Boxes and labels on pictures, without matplotlib."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

if TYPE_CHECKING:
    from beauty_evaluate.config import RatingScale

# A scale's low end to its high end from blue through grey to orange: told apart by colour-blind people too.
_RAMP = np.array([[43, 92, 200], [90, 140, 200], [150, 150, 150], [225, 150, 60], [215, 95, 0]], float)

RAISES, LOWERS = "#b35806", "#542788"  # of what raises a score and what lowers it; page.css of the web has them too


def score_colour(score: float, scale: "RatingScale") -> tuple[int, int, int]:
    """The colour of a score, from blue through grey to orange.

    Args:
        score: rating points; beyond the scale, the colour of its end.
        scale: of the scores.

    Returns:
        Red, green and blue, 0..255.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> score_colour(3, RatingScale(1, 5)), score_colour(10, RatingScale(1, 10))
        ((150, 150, 150), (215, 95, 0))
    """
    stops = np.linspace(scale.low, scale.high, len(_RAMP))
    red, green, blue = (round(float(np.interp(score, stops, channel))) for channel in _RAMP.T)
    return red, green, blue


def tint(picture: NDArray[np.uint8], shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture in grey, coloured by what raises a score and what lowers it.

    Args:
        picture: uint8 (H, W, 3) RGB.
        shares: (H, W) of -1..1: RAISES above 0, LOWERS below.

    Returns:
        uint8 (H, W, 3) RGB.

    Example:
        >>> tint(np.full((1, 1, 3), 100, np.uint8), np.zeros((1, 1)))[0, 0].tolist()
        [100, 100, 100]
    """
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(float)
    colour = np.where(shares[..., None] > 0, ImageColor.getrgb(RAISES), ImageColor.getrgb(LOWERS))
    depth = 0.75 * np.clip(np.abs(shares), 0, 1)[..., None]
    return np.asarray(np.round(grey + depth * (colour - grey)), np.uint8)


def label_box(
    picture: NDArray[np.uint8], box: tuple[float, float, float, float], text: str, colour: tuple[int, int, int]
) -> None:
    """Draw a box with a label into a picture; the label stays inside it.

    Args:
        picture: uint8 (H, W, 3) RGB, which is changed.
        box: x, y, width and height in pixels.
        text: of the label.
        colour: red, green and blue, 0..255.

    Example:
        >>> picture = np.zeros((100, 100, 3), np.uint8)
        >>> label_box(picture, (20, 40, 50, 50), "3.5", (200, 100, 0))
        >>> picture[40, 45].tolist()
        [200, 100, 0]
    """
    height, width = picture.shape[:2]
    x, y, w, h = (round(value) for value in box)
    line = max(2, round(min(height, width) / 250))
    cv2.rectangle(picture, (x, y), (x + w, y + h), colour, line, cv2.LINE_AA)
    size = max(0.45, min(w / 150, min(height, width) / 350))
    thickness = max(1, round(size * 1.6))
    (text_width, text_height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    pad = max(3, round(text_height * 0.35))
    left = int(np.clip(x, 0, max(0, width - text_width - 2 * pad)))
    label_height = text_height + base + 2 * pad
    top = y - label_height if y >= label_height else int(np.clip(y + h, 0, max(0, height - label_height)))
    cv2.rectangle(picture, (left, top), (left + text_width + 2 * pad, top + label_height), colour, -1)
    ink = (255, 255, 255) if sum(colour) < 400 else (0, 0, 0)
    place = (left + pad, top + pad + text_height)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, thickness, cv2.LINE_AA)
