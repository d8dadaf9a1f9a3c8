"""From samples to crops."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig, cores
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces import align
from beauty_evaluate.faces.detect import find_faces, main_face
from beauty_evaluate.faces.landmarks import person_mask
from beauty_evaluate.images import Picture

PERSON_SIDE = 128  # pixels a side of a person mask: its edge is soft anyway

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Crops:
    """Cropped samples, of one data set or several, in the order they came.

    Attributes:
        names: (N,) names of the samples.
        groups: (N,) group labels, empty where unknown.
        pixels: uint8 (N, size + 2 pad, size + 2 pad, C), RGB or grey.
        scores: float32 (N,), in points of the samples' scale.
        landmarks: float32 (N, n, 2) as shares of the crop's side, NaN where unknown; n is 0 if no sample has any.
        pad: Pixels kept around each crop.
        problems: Samples that gave no crop, and are not among the N.
        data_sets: (N,) titles of the samples' data sets, empty outside a mixture.
        person: uint8 (N, PERSON_SIDE, PERSON_SIDE), how surely each part of the padded crop shows the person, 0..255;
            None where it was not asked for.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> crops = load_crops(list(synthetic.draw(2).samples.values()), CropConfig(size=64), pad=10)
        >>> crops.pixels.shape, crops.centre.shape, crops.landmarks.shape
        ((2, 84, 84, 3), (2, 64, 64, 3), (2, 0, 2))
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    pixels: Picture
    scores: Floats
    landmarks: Floats
    pad: int
    problems: list[Problem]
    data_sets: tuple[str, ...]
    person: Picture | None = None

    @property
    def centre(self) -> Picture:
        """The crops without their padding: what a network is scored on, (N, size, size, C)."""
        end = self.pixels.shape[1] - self.pad
        return self.pixels[:, self.pad : end, self.pad : end]


def load_crops(
    samples: Sequence[Sample],
    config: CropConfig,
    pad: int = 0,
    progress: Callable[[int, int], None] | None = None,
    person: bool = False,
) -> Crops:
    """Decode, detect and crop every sample, on all cores.

    Args:
        samples: Of one data set, or of a mixture's, where they are on one scale.
        config: How a photo becomes a crop.
        pad: Pixels to keep around each crop, so that it can be turned.
        progress: Called with the number done and the number of all after each sample.
        person: Whether the person is told from the background.

    Returns:
        The crops. A sample without a readable photo or a face is one of its problems.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> load_crops(list(synthetic.draw(2).samples.values()), CropConfig(size=64)).names
        ('drawn00000.png', 'drawn00001.png')
    """
    if config.geometry == "whole":
        pad = 0
    kept, problems = [], []
    with ThreadPoolExecutor(cores()) as pool:
        for i, (sample, result) in enumerate(
            zip(samples, pool.map(lambda s: _crop(s, config, pad, person), samples), strict=True)
        ):
            if isinstance(result, PhotoError):
                problems.append(Problem(sample.name, 0, f"{result} Skipped."))
            else:
                kept.append((sample, result))
            if progress:
                progress(i + 1, len(samples))
    side, count = config.size + 2 * pad, _landmark_count(samples)
    empty = np.empty((0, side, side, 1 if config.grey else 3), np.uint8)
    masks = [crop.person for _, crop in kept if crop.person is not None]
    return Crops(
        tuple(sample.name for sample, _ in kept),
        tuple(sample.group for sample, _ in kept),
        np.stack([crop.pixels for _, crop in kept]) if kept else empty,
        np.array([sample.score for sample, _ in kept], np.float32),
        _landmark_array([crop.landmarks for _, crop in kept], count),
        pad,
        problems,
        tuple(sample.data_set for sample, _ in kept),
        np.stack(masks) if masks else None,
    )


def _landmark_count(samples: Sequence[Sample]) -> int:
    """The number of landmarks of the first sample that has any; 0 if none has."""
    return next((len(sample.landmarks) for sample in samples if sample.landmarks is not None), 0)


def _landmark_array(marks: Sequence[NDArray[np.float64] | None], count: int) -> Floats:
    """float32 (N, count, 2), NaN where there are no landmarks, or others than these."""
    array = np.full((len(marks), count, 2), np.nan, np.float32)
    for row, points in zip(array, marks, strict=True):
        if points is not None and len(points) == count:
            row[:] = points
    return array


class _Crop(NamedTuple):
    """What one sample gives."""

    pixels: Picture
    landmarks: NDArray[np.float64] | None
    person: Picture | None


def _crop(sample: Sample, config: CropConfig, pad: int, person: bool) -> _Crop | PhotoError:
    """Crop, landmarks and the person of one sample."""
    try:
        photo = sample.read()
        if config.geometry == "whole":
            crop = align.whole_crop(photo, config)
            return _Crop(crop, None, _person(crop) if person else None)
        points = sample.points if sample.points is not None else main_face(find_faces(photo, config)).points
    except PhotoError as error:
        return error
    crop = align.aligned_crop(photo, points, config, pad)
    marks = sample.landmarks
    if marks is not None:
        marks = align.transform(marks, align.crop_matrix(points, config)) / config.size
    return _Crop(crop, marks, _person(crop) if person else None)


def _person(crop: Picture) -> Picture:
    mask = cv2.resize(person_mask(crop), (PERSON_SIDE, PERSON_SIDE), interpolation=cv2.INTER_AREA)
    return (255 * mask).round().astype(np.uint8)
