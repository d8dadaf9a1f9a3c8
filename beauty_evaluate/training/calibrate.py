"""From what a rater that learns no weights says to the raters' scale, and what it makes of a crop or a whole photo."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import Face

Floats = NDArray[np.float64]
MOST_COMPARED = 200  # photos that are looked at both ways


def line(values: Floats, scores: Floats) -> tuple[float, float]:
    """The least-squares line from values to scores that does not fall: what means more never scores less.

    Args:
        values: (N,), N > 0.
        scores: (N,), rating points.

    Returns:
        Slope and offset; slope 0, and the mean of the scores, where the values run against them.

    Example:
        >>> line(np.array([0.0, 1.0]), np.array([2.0, 3.0])), line(np.array([0.0, 1.0]), np.array([3.0, 2.0]))
        ((1.0, 2.0), (0.0, 2.5))
    """
    centred = values - values.mean()
    variance = float((centred**2).sum())
    slope = max(0.0, float(centred @ scores) / variance) if variance > 0 else 0.0
    return slope, float(scores.mean() - slope * values.mean())


def faces(
    samples: Sequence[Sample], crop: CropConfig, problems: list[Problem] | None = None
) -> Iterator[tuple[Sample, Face]]:
    """The face of each sample, with its crop alone; the others are told.

    Args:
        samples: of one data set or several.
        crop: that a rater sees.
        problems: gets a line for each photo without a face.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> crop = CropConfig(size=64)
        >>> [face.crop(crop).shape for _, face in faces(list(synthetic.draw(1).samples.values()), crop)]
        [(64, 64, 3)]
    """
    by_name = {sample.name: sample for sample in samples}
    for batch in faces_of(samples, crop, crop_alone=True):
        for name, face in batch.items():
            if isinstance(face, PhotoError):
                if problems is not None:
                    problems.append(Problem(name, 0, f"{face} Skipped."))
            else:
                yield by_name[name], face


def both_ways(crop: CropConfig) -> tuple[CropConfig, CropConfig]:
    """The aligned crop of the face, and the whole photo squeezed to the same size.

    Example:
        >>> [one.geometry for one in both_ways(CropConfig())]
        ['aligned', 'whole']
    """
    return replace(crop, geometry="aligned"), replace(crop, geometry="whole")


def compared(crops: Floats, photos: Floats, scores: Floats) -> str:
    """What looking at whole photos in place of crops of the face changes, as a sentence.

    Args:
        crops: (N,), ratings of crops, rating points; NaN where there is none.
        photos: (N,), ratings of the same photos as they are.
        scores: (N,), the raters'.

    Example:
        >>> compared(np.array([2.0, 3.0, 4.0]), np.array([2.5, 3.0, 3.5]), np.array([1.0, 3.0, 5.0]))
        'Of 3 photos held back, crops have PC 1.000 and whole photos 1.000; ratings differ by 0.33 on average, 0.50 at most; whole photos score higher on 33 % and lower on 33 %.'
    """  # noqa: E501
    both = np.isfinite(crops) & np.isfinite(photos)
    crops, photos, scores = crops[both], photos[both], scores[both]
    if len(scores) < 3:
        return "Too few photos were held back to compare crops with whole photos."
    change = photos - crops
    first, second = (_pearson(ratings, scores) for ratings in (crops, photos))
    return (
        f"Of {len(scores)} photos held back, crops have PC {first} and whole photos {second}; ratings differ by "
        f"{np.abs(change).mean():.2f} on average, {np.abs(change).max():.2f} at most; whole photos score higher on "
        f"{100 * (change > 1e-9).mean():.0f} % and lower on {100 * (change < -1e-9).mean():.0f} %."
    )


def _pearson(ratings: Floats, scores: Floats) -> str:
    """The correlation, or a dash where one of both does not vary."""
    if np.ptp(ratings) < 1e-12 or np.ptp(scores) < 1e-12:
        return "-"
    return f"{metrics.pearson(ratings, scores):.3f}"
