"""Boxes and labels on pictures, without matplotlib."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

# Scores 1..5 from blue through grey to orange: told apart by colour-blind people too.
_RAMP = np.array([[43, 92, 200], [90, 140, 200], [150, 150, 150], [225, 150, 60], [215, 95, 0]], float)


def score_colour(score: float) -> tuple[int, int, int]:
    """RGB of a score 1..5."""
    r, g, b = (round(float(np.interp(score, range(1, 6), channel))) for channel in _RAMP.T)
    return r, g, b


RAISES, LOWERS = "#b35806", "#542788"  # of what raises a score and what lowers it; page.css of the web has them too


def tint(picture: NDArray[np.uint8], shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A picture uint8 (H, W, 3) in grey, coloured as `shares` (H, W), -1..1, say: RAISES above 0, LOWERS below."""
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(float)
    colour = np.where(shares[..., None] > 0, ImageColor.getrgb(RAISES), ImageColor.getrgb(LOWERS))
    depth = 0.75 * np.clip(np.abs(shares), 0, 1)[..., None]
    return np.asarray(np.round(grey + depth * (colour - grey)), np.uint8)


def label_box(
    picture: NDArray[np.uint8], box: tuple[float, float, float, float], text: str, colour: tuple[int, int, int]
) -> None:
    """Draw a box (x, y, width, height in pixels) with a label into `picture`, uint8 RGB; the label stays inside it."""
    height, width = picture.shape[:2]
    x, y, w, h = (round(v) for v in box)
    line = max(2, round(min(height, width) / 250))
    cv2.rectangle(picture, (x, y), (x + w, y + h), colour, line, cv2.LINE_AA)
    size = max(0.45, min(w / 150, min(height, width) / 350))
    thick = max(1, round(size * 1.6))
    (tw, th), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    pad = max(3, round(th * 0.35))
    left = int(np.clip(x, 0, max(0, width - tw - 2 * pad)))
    above = y - th - base - 2 * pad
    top = above if above >= 0 else int(np.clip(y + h, 0, max(0, height - th - base - 2 * pad)))
    cv2.rectangle(picture, (left, top), (left + tw + 2 * pad, top + th + base + 2 * pad), colour, -1)
    ink = (255, 255, 255) if sum(colour) < 400 else (0, 0, 0)
    cv2.putText(picture, text, (left + pad, top + pad + th), cv2.FONT_HERSHEY_SIMPLEX, size, ink, thick, cv2.LINE_AA)
