"""The faces of labelled photos."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from beauty_evaluate.config import cores
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.raters.rater import Rater, crop_config


@dataclass(frozen=True)
class SampleFaces:
    """The main face of each photo.

    Attributes:
        samples: those that show a face.
        faces: theirs.
        problems: samples without, and why.
    """

    samples: tuple[Sample, ...]
    faces: tuple[Face, ...]
    problems: tuple[Problem, ...]


def find_sample_faces(rater: Rater, samples: Sequence[Sample]) -> SampleFaces:
    """Decode photos and find the main face of each, on all cores.

    Args:
        rater: that will see the faces. Unless it needs more than a crop, photos are not kept in memory.
        samples: of a data set.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> from beauty_evaluate.raters import registry
        >>> samples = list(synthetic.draw(2).samples.values())
        >>> len(find_sample_faces(registry.load("six_block_60-40"), samples).faces)
        2
    """
    with ThreadPoolExecutor(cores()) as pool:
        results = list(pool.map(lambda sample: _face(rater, sample), samples))
    pairs = [(sample, face) for sample, face in zip(samples, results, strict=True) if isinstance(face, Face)]
    return SampleFaces(
        tuple(sample for sample, _ in pairs),
        tuple(face for _, face in pairs),
        tuple(
            Problem(sample.name, 0, f"{error} Skipped.")
            for sample, error in zip(samples, results, strict=True)
            if isinstance(error, PhotoError)
        ),
    )


def draw_samples(samples: Sequence[Sample], n: int, seed: int = 0) -> list[Sample]:
    """Samples drawn at random.

    Args:
        samples: to draw from.
        n: how many, or all if there are fewer.
        seed: the same samples for the same seed.

    Returns:
        The drawn ones in the order given.

    Example:
        >>> draw_samples([Sample("a.jpg", 3.0)], 5)[0].name
        'a.jpg'
    """
    picks = np.random.default_rng(seed).permutation(len(samples))[:n]
    return [samples[i] for i in np.sort(picks)]


def _face(rater: Rater, sample: Sample) -> Face | PhotoError:
    config = crop_config(rater)
    try:
        photo = sample.read()
        if sample.points is None or config.geometry == "whole":
            face = main_face(find_faces(photo, config))
        else:
            face = Face((0, 0, photo.shape[1], photo.shape[0]), sample.points, 1.0, photo)
    except PhotoError as error:
        return error
    return face.without_photo(config) if rater.needs <= {"crop"} else face
