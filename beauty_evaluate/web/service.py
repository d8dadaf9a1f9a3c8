"""The work behind the page: how much at once, for how long, and what it gives."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from beauty_evaluate import images
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.explain.reliability import Trust, trust
from beauty_evaluate.faces.detect import find_faces
from beauty_evaluate.faces.regions import NAMES, Masks, regions
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.card import ONNX
from beauty_evaluate.raters.runtime import onnxruntime_predictor
from beauty_evaluate.scoring.scorer import Scored, Scorer

MOST_FACES = 20  # in a photo
MOST_PHOTOS = 12  # in a request
PATIENCE = 120.0  # seconds after which a request is given up
WAITING, WAITING_WHY = 30, 2  # requests that may wait for their turn; the next is sent away
ROOM = 512 << 20  # bytes of all requests that are dealt with at once

T = TypeVar("T")


class Busy(Exception):
    """All hands or all memory are in use, and enough are waiting; try again in a few seconds."""


class TooLong(Exception):
    """A request took longer than it may."""


@dataclass(frozen=True)
class Explained:
    """What moved the score of one face: its crop, the masks of its regions, their effects, and how far to believe
    them."""

    crop: Picture
    masks: Masks
    effects: RegionEffects
    trust: Trust


class BoundedExecutor:
    """Threads that do jobs of other threads: so many at once, so many more waiting. Detectors belong to a thread, so
    that few threads need little memory."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._pool = ThreadPoolExecutor(at_once)

    def begin(self, job: Callable[[], T]) -> Future[T]:
        """Have a job done when its turn comes. Raises Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy
        future = self._pool.submit(job)
        future.add_done_callback(lambda _: self._places.release())
        return future

    def close(self) -> None:
        """Do nothing more but what is under way."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class ScoringService:
    """Takes photos from requests; nothing of them is kept. A deadline `late` is a time of `time.monotonic`."""

    def __init__(self, scorer: Scorer, threads: int, patience: float = PATIENCE) -> None:
        """threads: photos scored at once; explanations go one by one, on all cores. patience: seconds for a request."""
        self.scorer, self.patience = scorer, patience
        self._scoring, self._explaining = BoundedExecutor(threads, WAITING), BoundedExecutor(1, WAITING_WHY)
        self._one_core = onnxruntime_predictor(scorer.card.file(ONNX), threads=1)
        self._all_cores = onnxruntime_predictor(scorer.card.file(ONNX))
        self._closing, self._lock, self._room = threading.Event(), threading.Lock(), ROOM

    def take(self, size: int) -> None:
        """Set memory aside for a request of that many bytes, until `give`. Raises Busy."""
        with self._lock:
            if size > self._room:
                raise Busy
            self._room -= size

    def give(self, size: int) -> None:
        """The memory of a request is free again."""
        with self._lock:
            self._room += size

    def deadline(self) -> float:
        """Until when a request that comes now may take."""
        return time.monotonic() + self.patience

    def score(self, photos: Sequence[tuple[str, bytes]], late: float) -> list[Scored]:
        """Names and contents of files -> what became of each. Raises Busy, TooLong; PhotoError for their number."""
        if not 0 < len(photos) <= MOST_PHOTOS:
            raise PhotoError(
                "no_photos", f"Expected 1 to {MOST_PHOTOS} files in the field `photo`. Received: {len(photos)}."
            )
        return self.finished(self._scoring.begin(lambda: [self._one(name, data, late) for name, data in photos]), late)

    def _one(self, name: str, data: bytes, late: float) -> Scored:
        self._check(late)
        try:
            return self.scorer.look(images.read(data), name, forward=self._one_core, most=MOST_FACES)
        except PhotoError as error:
            return Scored.failed(name, error)

    def explain(self, data: bytes, face: int, progress: Progress, late: float) -> Future[Explained]:
        """Begin to explain one face of a photo, counted from the left from 1. progress may raise to give it up. Raises
        Busy; its end raises PhotoError, Busy or TooLong."""

        def watched(done: int, total: int) -> None:
            self._check(late)
            progress(done, total)

        def job() -> Explained:
            self._check(late)
            config = self.scorer.card.config
            faces = find_faces(images.read(data), config.crop)
            if not 1 <= face <= len(faces):
                raise PhotoError("no_face", f"Expected a face of 1..{len(faces)}. Received: {face}.", len(faces))
            crop = faces[face - 1].crop
            masks = regions(crop, config.crop)
            effects = region_effects(self._all_cores, crop, masks, NAMES, config.flip_tta, progress=watched)
            return Explained(crop, masks, effects, trust(self.scorer.card, effects.way))

        return self._explaining.begin(job)

    def finished(self, future: Future[T], late: float) -> T:
        """What a job gave. Raises TooLong, Busy if the server ends, and what the job raised."""
        try:
            return future.result(max(0, late - time.monotonic()))
        except TimeoutError as error:
            future.cancel()
            raise TooLong from error
        except CancelledError as error:
            raise Busy from error

    def _check(self, late: float) -> None:
        if self._closing.is_set():
            raise Busy
        if time.monotonic() > late:
            raise TooLong

    def close(self) -> None:
        """Give up what is under way and what waits."""
        self._closing.set()
        for hands in (self._scoring, self._explaining):
            hands.close()
