"""From samples to faces."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from beauty_evaluate.config import CropConfig, cores
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import Face, find_faces, main_face

PHOTOS_AT_ONCE = 64  # that are decoded and searched before the caller gets them


def faces_of(
    samples: Sequence[Sample], config: CropConfig | None = None, crop_alone: bool = False
) -> Iterator[dict[str, Face | PhotoError]]:
    """Decode and search every sample, on all cores.

    Args:
        samples: of one data set, or of a mixture.
        config: how faces are searched and cropped; None: the default.
        crop_alone: whether a face keeps only its crop: photos are large.

    Yields:
        The main face of each of some samples by name, or why there is none; in their order, a batch at a time.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> [list(batch) for batch in faces_of(list(synthetic.draw(2).samples.values()))]
        [['drawn00000.png', 'drawn00001.png']]
    """
    config = config or CropConfig()

    def face_of(sample: Sample) -> Face | PhotoError:
        try:
            face = _face(sample, config)
        except PhotoError as error:
            return error
        return face.without_photo(config) if crop_alone else face

    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(samples), PHOTOS_AT_ONCE):
            batch = samples[start : start + PHOTOS_AT_ONCE]
            yield dict(zip((sample.name for sample in batch), pool.map(face_of, batch), strict=True))


def _face(sample: Sample, config: CropConfig) -> Face:
    """The main face of a photo; PhotoError. Of drawn faces, the five points are given."""
    photo = sample.read()
    if sample.points is None or config.geometry == "whole":
        return main_face(find_faces(photo, config))
    return Face((0, 0, photo.shape[1], photo.shape[0]), sample.points, 1.0, photo)
