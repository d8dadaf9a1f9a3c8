"""The work behind the page: how much at once, for how long, and what it gives."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from beauty_evaluate import images
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.region_shapley import RegionEffects, region_effects
from beauty_evaluate.faces.regions import NAMES, Masks, regions
from beauty_evaluate.images import Picture
from beauty_evaluate.models.card import ONNX
from beauty_evaluate.models.runtime import many_forward
from beauty_evaluate.scoring.scorer import Scored, Scorer

MOST_FACES = 20  # in a photo
MOST_PHOTOS = 12  # in a request
PATIENCE = 120.0  # seconds that one request may take
WAIT = 5.0  # seconds that a request waits for its turn before it is sent away

Progress = Callable[[int, int], None]


class Busy(Exception):
    """All hands are busy; try again in a few seconds."""


class TooLong(Exception):
    """A request took longer than it may."""


class Desk:
    """Takes photos from requests, a few at a time."""

    def __init__(self, scorer: Scorer, threads: int) -> None:
        self.scorer = scorer
        self._scoring = threading.BoundedSemaphore(threads)
        self._explaining = threading.BoundedSemaphore(1)
        self._many = many_forward(scorer.card.file(ONNX), threads=1)
        self._all_cores = many_forward(scorer.card.file(ONNX))

    def score(self, photos: Sequence[tuple[str, bytes]]) -> list[Scored]:
        """Names and files -> what became of each. Raises Busy, TooLong; PhotoError for too many photos."""
        if not 0 < len(photos) <= MOST_PHOTOS:
            raise PhotoError("no_photos", f"Expected 1 to {MOST_PHOTOS} photos. Received: {len(photos)}.")
        late = time.monotonic() + PATIENCE
        with _turn(self._scoring):
            return [self._one(name, data, late) for name, data in photos]

    def _one(self, name: str, data: bytes, late: float) -> Scored:
        if time.monotonic() > late:
            raise TooLong
        try:
            scored = self.scorer.look(images.read(data), name, forward=self._many)
        except PhotoError as error:
            return Scored.failed(name, error)
        if len(scored.faces) > MOST_FACES:
            few = f"Expected at most {MOST_FACES} faces. Received: {len(scored.faces)}; crop the photo."
            return Scored.failed(name, PhotoError("too_many_faces", few, len(scored.faces)))
        return scored

    def explain(self, data: bytes, face: int, progress: Progress) -> tuple[Picture, Masks, RegionEffects]:
        """Crop, regions and their effects of one face of a photo, counted from the left from 1. Raises PhotoError, Busy,
        TooLong."""
        late = time.monotonic() + PATIENCE

        def watched(done: int, total: int) -> None:
            if time.monotonic() > late:
                raise TooLong
            progress(done, total)

        with _turn(self._explaining):
            faces = self.scorer.look(images.read(data), forward=self._many).faces
            if not 1 <= face <= len(faces):
                raise PhotoError("no_face", f"Expected a face of 1..{len(faces)}. Received: {face}.")
            config, crop = self.scorer.card.config, faces[face - 1].crop
            masks = regions(crop, config.crop)
            found = region_effects(self._all_cores, crop, masks, NAMES, config.mirror_average, progress=watched)
            return crop, masks, found


@contextmanager
def _turn(semaphore: threading.BoundedSemaphore) -> Iterator[None]:
    if not semaphore.acquire(timeout=WAIT):
        raise Busy
    try:
        yield
    finally:
        semaphore.release()


def jpeg(picture: Picture, side: int = 256) -> bytes:
    """A picture as a small square JPEG."""
    colour = picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)
    small = cv2.resize(colour, (side, side), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
