"""Features of a lesson's photos, from the cache where they are known."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Problem
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import DataError, PhotoError
from beauty_evaluate.raters.feature_cache import cache_folder, cached, photo_key
from beauty_evaluate.raters.portable import features_of
from beauty_evaluate.raters.runtime import PredictFn
from beauty_evaluate.settings import to_json
from beauty_evaluate.training.lesson import Lesson


@dataclass(frozen=True)
class Extracted:
    """Features of the n photos of a lesson that show a face.

    Attributes:
        names: (n,).
        features: float32 (n, views, F).
        scores: float64 (n,), rating points.
        held_back: bool (n,).
        problems: why the other photos gave none.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    scores: NDArray[np.float64]
    held_back: NDArray[np.bool_]
    problems: tuple[Problem, ...]


def extract(lesson: Lesson, crop: CropConfig, network: PredictFn, digest: str, flip_tta: bool) -> Extracted:
    """Features of all photos of a lesson.

    Args:
        lesson: whose samples are looked at.
        crop: that the network sees.
        network: from crops to features.
        digest: hash of the network.
        flip_tta: whether the mirror image is looked at too.

    Raises:
        DataError: no photo shows a face.
    """
    errors: dict[int, PhotoError] = {}
    done = 0

    def compute(places: list[int]) -> NDArray[np.float32]:
        nonlocal done
        samples = [lesson.samples[place] for place in places]
        rows: dict[int, NDArray[np.float32]] = {}
        for batch in faces_of(samples, crop, crop_alone=True):
            numbers = dict(zip((sample.name for sample in samples), places, strict=True))
            errors.update({numbers[name]: face for name, face in batch.items() if isinstance(face, PhotoError)})
            crops = {numbers[name]: face.crop(crop) for name, face in batch.items() if not isinstance(face, PhotoError)}
            if crops:
                rows |= dict(zip(crops, features_of(network, list(crops.values()), flip_tta), strict=True))
        done += len(places)
        lesson.say(f"features of {done} photos")
        nothing = np.full_like(next(iter(rows.values())), np.nan) if rows else np.full((1, 1), np.nan, np.float32)
        return np.stack([rows.get(place, nothing) for place in places])

    extractor = extractor_hash(digest, crop, flip_tta)
    features = cached(cache_folder(), extractor, [_key(lesson, i) for i in range(len(lesson.samples))], compute)
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(features).all((1, 2)))
    if not kept.any():
        raise DataError("There is nothing to learn from: no photo shows a face that was found.")
    problems = tuple(Problem(lesson.samples[i].name, 0, f"{error} Skipped.") for i, error in sorted(errors.items()))
    samples = [sample for sample, keep in zip(lesson.samples, kept, strict=True) if keep]
    scores = np.array([sample.score for sample in samples])
    return Extracted(tuple(sample.name for sample in samples), features[kept], scores, lesson.held_back[kept], problems)


def extractor_hash(digest: str, crop: CropConfig, flip_tta: bool) -> str:
    """Of all that features depend on but the photo.

    Example:
        >>> extractor_hash("network", CropConfig(), True) == extractor_hash("network", CropConfig(size=64), True)
        False
    """
    return hashlib.sha256(json.dumps([digest, to_json(crop), flip_tta]).encode()).hexdigest()[:16]


def _key(lesson: Lesson, place: int) -> str:
    """Of a photo; one that cannot be read gets no features whatever its key is."""
    try:
        return photo_key(lesson.samples[place])
    except OSError:
        return lesson.keys[place]
