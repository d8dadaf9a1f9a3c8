"""What a rater on named features measures, drawn on the face: outlines, lengths, and a sub-score for each region."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageColor

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.geometry import FEATURES, WHOLE
from beauty_evaluate.faces.landmarks import landmarks
from beauty_evaluate.faces.skin import PATCHES, REGION
from beauty_evaluate.files import write_atomic
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.phrases import Part
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.reporting.sections import Figure, Section

FILE = "landmarks.png"
SIDE = 768  # pixels of the picture
LINE = 26  # pixels of a line of the legend
COLOURS = {  # of Okabe and Ito's palette: told apart by colour-blind people too
    "eyes": "#56B4E9", "nose": "#F0E442", "lips": "#D55E00", "cheeks": "#009E73", "jaw": "#CC79A7", REGION: "#E69F00",
    WHOLE: "#DDDDDD",
}  # fmt: skip


def landmark_picture(
    crop: Crop, config: CropConfig, parts: Mapping[str, float] | None = None, weights: Mapping[str, float] | None = None
) -> Picture:
    """The lines that the features of each region measure, in the region's colour, and a legend.

    Args:
        crop: uint8 or float32 (size, size, C) of 0..255, aligned.
        config: of the crop.
        parts: sub-scores by region, rating points, for the legend.
        weights: of the sub-scores, 0..1.

    Returns:
        uint8 (H, 768, 3) RGB.

    Raises:
        ConfigError: the crop is not aligned.

    Example:
        >>> landmark_picture(np.full((256, 256, 3), 90, np.uint8), CropConfig(), {"eyes": 3.4}, {"eyes": 0.2}).shape
        (950, 768, 3)
    """
    pixels = np.clip(np.round(three_channels(crop)), 0, 255).astype(np.uint8)
    scale = SIDE / len(pixels)
    points = (landmarks(pixels, config) + 0.5) * scale - 0.5
    picture = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    lines = np.asarray(picture, np.uint8).copy()
    for feature in sorted(FEATURES, key=lambda feature: feature.region != WHOLE):  # proportions lie below
        for a, b in feature.lines:
            _line(lines, points[a], points[b], _colour(feature.region))
    for outline in PATCHES.values():
        corners = points[list(outline)]
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            _line(lines, a, b, _colour(REGION))
    picture = np.asarray(cv2.addWeighted(picture, 0.35, lines, 0.65, 0), np.uint8)
    for feature in FEATURES:
        for i in feature.points:
            cv2.circle(picture, _place(points[i]), 2, (255, 255, 255), -1, cv2.LINE_AA)
    return np.concatenate([picture, _legend(parts or {}, weights or {})])


def landmark_sections(rater: Rater, face: Face, parts: Sequence[Part], out: Path) -> list[Section]:
    """The part of a page that shows what a rater measures on a face; none for one that does not go by landmarks.

    Args:
        rater: of any family.
        face: the one.
        parts: what its score is made of.
        out: the report's folder, which gets landmarks.png; one of an earlier report goes.
    """
    config, path = crop_config(rater), out / FILE
    path.unlink(missing_ok=True)
    if "landmarks" not in rater.needs or config.geometry != "aligned":
        return []
    weights = {part.name: part.weight for part in parts if part.weight is not None}
    picture = landmark_picture(face.crop(config), config, {part.name: part.value for part in parts}, weights)
    encoded, data = cv2.imencode(".png", picture[:, :, ::-1])
    assert encoded
    write_atomic(path, data.tobytes())
    caption = "Lines that the features of each region measure, in the region's colour; dots are landmarks."
    return [Section("What is measured", pictures=[Figure(path, caption)])]


def _legend(parts: Mapping[str, float], weights: Mapping[str, float]) -> Picture:
    """A line for each region."""
    legend = np.full((LINE * len(COLOURS), SIDE, 3), 255, np.uint8)
    for i, region in enumerate(COLOURS):
        score = f": {parts[region]:.2f}" if region in parts else ""
        weight = f", {100 * weights[region]:.0f} % of the score" if region in weights else ""
        name = "proportions of the face" if region == WHOLE else region
        cv2.rectangle(legend, (8, i * LINE + 5), (28, i * LINE + 21), _colour(region), -1)
        place = (38, i * LINE + 20)
        cv2.putText(legend, f"{name}{score}{weight}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    return legend


def _line(picture: Picture, a: np.ndarray, b: np.ndarray, colour: tuple[int, int, int]) -> None:
    cv2.line(picture, _place(a), _place(b), colour, 2, cv2.LINE_AA)


def _place(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(point)
    return int(x), int(y)


def _colour(region: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(COLOURS[region])[:3]
    return red, green, blue
