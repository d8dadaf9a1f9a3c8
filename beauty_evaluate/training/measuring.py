"""Numbers of a lesson's faces for rules to learn from, out of the cache where they are known."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Problem
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import DataError, PhotoError
from beauty_evaluate.faces import features
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import write_atomic
from beauty_evaluate.metrics import mae, pearson
from beauty_evaluate.raters.feature_cache import cache_folder, cached, photo_key
from beauty_evaluate.raters.geometry import measure_faces
from beauty_evaluate.settings import to_json
from beauty_evaluate.training.lesson import Lesson

Floats = NDArray[np.float64]
Measure = Callable[[Sequence[Face]], NDArray[Any]]


@dataclass(frozen=True)
class Measured:
    """The n photos of a lesson that show a face.

    Attributes:
        names: (n,).
        values: float64 (n, F), what was measured.
        scores: float64 (n,), rating points.
        held_back: bool (n,).
        problems: why the other photos gave nothing.
    """

    names: tuple[str, ...]
    values: Floats
    scores: Floats
    held_back: NDArray[np.bool_]
    problems: tuple[Problem, ...]


def geometry_of(crop: CropConfig) -> tuple[str, Measure]:
    """What changes with the features of a face, and what measures them.

    Example:
        >>> digest, _ = geometry_of(CropConfig())
        >>> digest == geometry_of(CropConfig(size=128))[0]
        False
    """
    text = json.dumps([features.fingerprint(), to_json(crop)])
    return hashlib.sha256(text.encode()).hexdigest()[:16], lambda faces: measure_faces(faces, crop)[0]


def measure_lesson(lesson: Lesson, crop: CropConfig, *measures: tuple[str, Measure]) -> Measured:
    """Measure every photo of a lesson.

    Args:
        lesson: whose samples are looked at.
        crop: whose detector settings count.
        measures: each with a hash of all that its numbers hang on but the photo; they stand side by side in the result.

    Raises:
        DataError: too few photos show a face.
    """
    errors: dict[int, PhotoError] = {}
    keys = [_key(lesson, i) for i in range(len(lesson.samples))]
    blocks = [_block(lesson, crop, keys, digest, measure, errors) for digest, measure in measures]
    values = np.concatenate(blocks, axis=1).astype(np.float64)
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(1))
    held_back = lesson.held_back[kept]
    if held_back.sum() < 2 or (~held_back).sum() < 2:
        raise DataError("There are too few photos with a face: of ten, one is held back, and nine are learnt from.")
    samples = [sample for sample, keep in zip(lesson.samples, kept, strict=True) if keep]
    problems = tuple(Problem(lesson.samples[i].name, 0, f"{error} Skipped.") for i, error in sorted(errors.items()))
    scores = np.array([sample.score for sample in samples], np.float64)
    return Measured(tuple(sample.name for sample in samples), values[kept], scores, held_back, problems)


def _block(
    lesson: Lesson, crop: CropConfig, keys: Sequence[str], digest: str, measure: Measure, errors: dict[int, PhotoError]
) -> NDArray[np.float32]:
    """One measure of all photos, float32 (N, F); a row of NaN where a photo has no face, with its error."""
    places_of = {sample.name: i for i, sample in enumerate(lesson.samples)}

    def compute(places: list[int]) -> NDArray[np.float32]:
        rows: dict[int, NDArray[Any]] = {}
        for batch in faces_of([lesson.samples[i] for i in places], crop):
            errors.update({places_of[name]: face for name, face in batch.items() if isinstance(face, PhotoError)})
            faces = {places_of[name]: face for name, face in batch.items() if isinstance(face, Face)}
            rows |= dict(zip(faces, measure(list(faces.values())), strict=True)) if faces else {}
        width = len(next(iter(rows.values()))) if rows else 1
        lesson.say(f"measured {len(places)} photos, up to {places[-1] + 1} of {len(keys)}")
        return np.stack([rows.get(i, np.full(width, np.nan)) for i in places]).astype(np.float32)

    return cached(cache_folder(), digest, keys, compute)


def _key(lesson: Lesson, place: int) -> str:
    """Of a photo; one that cannot be read gets no numbers whatever its key is."""
    try:
        return photo_key(lesson.samples[place])
    except OSError:
        return lesson.keys[place]


def figures_line(predicted: Floats, measured: Measured) -> str:
    """What ratings of the photos held back are worth, a line for a person; the spread shows whether everyone gets
    the mean.

    Example:
        >>> data = Measured(("a", "b", "c"), np.empty((3, 0)), np.array([1.0, 2.0, 4.0]), np.ones(3, bool), ())
        >>> figures_line(np.array([1.0, 2.0, 3.0]), data)
        '3 photos held back: PC 0.9820, MAE 0.3333; standard deviation of ratings 0.82, of scores 1.25'
    """
    true = measured.scores[measured.held_back]
    return (
        f"{len(true)} photos held back: PC {pearson(predicted, true):.4f}, MAE {mae(predicted, true):.4f}; standard "
        f"deviation of ratings {predicted.std():.2f}, of scores {true.std():.2f}"
    )


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write an .npz file. Returns its path."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(arrays))  # type: ignore[arg-type]
    write_atomic(path, buffer.getbuffer())
    return path
