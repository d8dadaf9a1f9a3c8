"""Synthetic faces whose score follows a known rule: training without data, and the ground truth for explanations."""

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.images import Picture

TITLE = "synthetic faces"
SPLIT = "synthetic"
GROUP = "synthetic"
SCALE = RatingScale(1, 5)
SIDE = 200  # pixels
# score = 3 + EYES * eye size + JAW * jaw width, both uniform in -1..1; nothing else matters
EYES, JAW = 1.1, 0.8

_FACE_X, _FACE_Y = 100, 108


def draw(n: int = 1200, seed: int = 0) -> DataSet:
    """Draw `n` faces, the same for the same seed.

    Args:
        n: Number of faces; the last fifth is the test part.
        seed: Of all that is random.

    Returns:
        A data set whose samples carry their picture, points and region masks.

    Example:
        >>> data = draw(10)
        >>> len(data.split().train), len(data.split().test)
        (8, 2)
    """
    samples = {}
    for i in range(n):
        name = f"drawn{i:05d}.png"
        samples[name] = draw_face(name, np.random.default_rng((seed, i)))
    return DataSet(
        TITLE,
        SCALE,
        samples,
        "Drawn by this program: free to use.",
        splits={SPLIT: partial(_split, tuple(samples))},
        default_split=SPLIT,
        people=False,
    )


def _split(names: tuple[str, ...]) -> Split:
    """The last fifth is the test part."""
    names = tuple(sorted(names))
    cut = len(names) - len(names) // 5
    return Split(SPLIT, names[:cut], names[cut:])


def draw_face(name: str, rng: np.random.Generator) -> Sample:
    """Draw one face.

    Args:
        name: Name of the sample.
        rng: Source of everything random.

    Returns:
        A sample with a picture, uint8 (200, 200, 3), the five points, and masks of the regions eyes, jaw, nose, mouth,
        brows, cheeks, hair and background, which tile the picture.

    Example:
        >>> draw_face("a.png", np.random.default_rng(0)).read().shape
        (200, 200, 3)
    """
    eye, jaw = rng.uniform(-1, 1, 2)
    tone, hair, ground = rng.uniform(120, 230), rng.uniform(20, 160, 3), rng.uniform(40, 240, 3)
    skin = np.array([tone, tone * 0.82, tone * 0.68])
    picture = np.full((SIDE, SIDE, 3), ground, np.uint8)
    masks = {"background": np.ones((SIDE, SIDE), np.uint8)}

    def paint(region: str, colour: NDArray[np.float64], outline: NDArray[np.int32]) -> None:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [outline], 1)
        for other in masks.values():
            other[mask > 0] = 0
        masks[region] = masks.get(region, np.zeros_like(mask)) | mask
        picture[mask > 0] = np.clip(colour, 0, 255).astype(np.uint8)

    paint("hair", hair, _ellipse(_FACE_X, 88, 62 + rng.uniform(-4, 8), 72 + rng.uniform(-4, 8)))
    paint("cheeks", skin, _ellipse(_FACE_X, _FACE_Y - 8, 48, 56))
    paint("jaw", skin * 0.97, _jaw(34 + 10 * jaw))
    for side in (-1, 1):
        x = _FACE_X + side * 21
        paint("brows", hair * 0.8, _ellipse(x, 82 + rng.uniform(-2, 2), 13, 2.5))
        paint("eyes", np.full(3, 250.0), _ellipse(x, 98, 9 + 4 * eye, 5.5 + 2.5 * eye))
        paint("eyes", rng.uniform(20, 110, 3), _ellipse(x, 98, 3 + 1.3 * eye, 3 + 1.3 * eye))
    paint("nose", skin * 0.85, np.array([[100, 100], [93, 124], [107, 124]], np.int32))
    paint(
        "mouth", np.array([170.0, 70, 75]) * rng.uniform(0.7, 1.2), _ellipse(_FACE_X, 142, 16 + rng.uniform(-4, 4), 5)
    )

    points = np.array([[79, 98], [121, 98], [100, 122], [84, 142], [116, 142]], float)
    picture = _noisy(picture, rng)
    regions = {region: mask.astype(bool) for region, mask in masks.items()}
    score = float(3 + EYES * eye + JAW * jaw)
    return Sample(name, score, {"group": GROUP}, picture=picture, points=points, regions=regions)


def _ellipse(x: float, y: float, a: float, b: float) -> NDArray[np.int32]:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + a * np.cos(turn), y + b * np.sin(turn)], 1).round().astype(np.int32)


def _jaw(half: float) -> NDArray[np.int32]:
    """The lower part of the face, from the mouth down to the chin, `half` pixels wide to each side of its middle."""
    outline = [
        [54, 126],
        [146, 126],
        [100 + half, 158],
        [100 + half * 0.6, 172],
        [100 - half * 0.6, 172],
        [100 - half, 158],
    ]
    return np.array(outline).round().astype(np.int32)


def _noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    soft = cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.float64)
    return np.clip(soft + rng.normal(0, 3, soft.shape), 0, 255).astype(np.uint8)
