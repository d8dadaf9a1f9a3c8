"""Whether a rater scores the face or the photo: each photo rated as a crop and as a whole."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.evaluation.bench_records import CropAgainstWhole
from beauty_evaluate.evaluation.evaluate import Evaluation, Floats, to_data_scale, trained_on
from beauty_evaluate.faces.detect import Face
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
    other = to_data_scale(_rate_other(rater, samples, config), trained_on(rater.card, evaluation.data))
    usual = np.where(np.isin(evaluation.names, evaluation.missed), np.nan, evaluation.predicted)
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


def _rate_other(rater: Rater, samples: Sequence[Sample], config: CropConfig) -> Floats:
    """Ratings of the samples in the other geometry, float64 (N,) on the rater's scale; NaN without photo or face."""
    other = replace(config, geometry="whole" if config.geometry == "aligned" else "aligned")
    scores = []
    for batch in faces_of(samples, other, crop_alone=True):
        # what the rater takes for its crop are the pixels of the other geometry
        faces = {
            name: Face(face.box, np.empty((0, 2)), face.confidence, None, {config: face.crop(other)}, face.photo_size)
            for name, face in batch.items()
            if isinstance(face, Face)
        }
        ratings = rater.rate(list(faces.values())).mean if faces else ()
        rated = dict(zip(faces, ratings, strict=True))
        scores += [rated.get(name, np.nan) for name in batch]
    return np.array(scores, np.float64)
