"""Whether a rater scores the face or the photo: each photo rated as a crop and as a whole."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from beauty_evaluate.config import CropConfig, cores
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.evaluation.bench_records import CropAgainstWhole
from beauty_evaluate.evaluation.evaluate import PHOTOS_PER_BATCH, Evaluation, to_data_scale, trained_on
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.raters.rater import Rater

NOT_COMPARED = "it looks at more than one picture of a face"


def crop_against_whole(rater: Rater, evaluation: Evaluation) -> CropAgainstWhole:
    """Rate the photos of an evaluation again, each in the other form: as a whole where the rater sees crops, as a crop
    where it sees whole photos.

    Args:
        rater: Whose evaluation it is.
        evaluation: With the scores of the photos in the form that the rater is for.

    Returns:
        How the scores differ, in points of the data set's scale if `evaluation.on_scale`, else of the rater's own.

    Example:
        >>> from beauty_evaluate.datasets import registry
        >>> from beauty_evaluate.evaluation.evaluate import evaluate
        >>> from beauty_evaluate.raters import registry as raters
        >>> data, rater = registry.read(), raters.load("six_block_60-40")
        >>> crop_against_whole(rater, evaluate(rater, data, sorted(data.samples)[:3])).n
        3
    """
    config = getattr(rater.card.config, "crop", None)
    if not isinstance(config, CropConfig) or rater.needs != {"crop"}:
        return CropAgainstWhole(reason=NOT_COMPARED if rater.needs else "it looks at nothing")
    samples = [evaluation.data.samples[name] for name in evaluation.names]
    other = np.concatenate([_rate(rater, batch) for batch in _batches(samples, config)])
    usual = np.where(np.isin(evaluation.names, evaluation.missed), np.nan, evaluation.predicted)
    other = to_data_scale(other, trained_on(rater.card, evaluation.data))
    crops, wholes = (usual, other) if config.geometry == "aligned" else (other, usual)
    difference = (crops - wholes)[~np.isnan(crops - wholes)]
    no_face = int((np.isnan(crops) & ~np.isnan(wholes)).sum())
    if not len(difference):
        return CropAgainstWhole(no_face=no_face, reason="no photo gave both scores")
    return CropAgainstWhole(
        len(difference),
        float(difference.mean()),
        float(difference[np.abs(difference).argmax()]),
        float((difference > 0).mean()),
        float((difference < 0).mean()),
        no_face,
    )


def _batches(samples: Sequence[Sample], config: CropConfig) -> Iterator[list[Face | None]]:
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(samples), PHOTOS_PER_BATCH):
            yield list(pool.map(lambda sample: _other_form(sample, config), samples[start : start + PHOTOS_PER_BATCH]))


def _other_form(sample: Sample, config: CropConfig) -> Face | None:
    """The face whose crop of `config` holds the pixels of the other geometry; None without photo or face."""
    other = replace(config, geometry="whole" if config.geometry == "aligned" else "aligned")
    try:
        photo = sample.read()
        if sample.points is not None and other.geometry == "aligned":
            face = Face((0, 0, photo.shape[1], photo.shape[0]), sample.points, 1.0, photo)
        else:
            face = main_face(find_faces(photo, other))
    except PhotoError:
        return None
    return Face(face.box, np.empty((0, 2)), face.confidence, None, {config: face.crop(other)}, photo.shape[:2])


def _rate(rater: Rater, faces: Sequence[Face | None]) -> np.ndarray:
    """float64 (N,) on the rater's scale, NaN where there is no face."""
    there = [face for face in faces if face is not None]
    scores = np.full(len(faces), np.nan)
    if there:
        scores[[face is not None for face in faces]] = rater.rate(there).mean
    return scores
