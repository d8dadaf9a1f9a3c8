"""The work behind the page: how much is done at once, for how long, and what comes of it."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

from beauty_evaluate import images
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.job import Explanation, Progress
from beauty_evaluate.scoring.rows import Scored
from beauty_evaluate.scoring.scorer import Scorer

MOST_FACES = 20  # in a photo
MOST_PHOTOS = 12  # in a request
TIME_LIMIT = 120.0  # seconds after which a request is given up
QUEUED_SCORES, QUEUED_EXPLANATIONS = 30, 2  # requests that may wait for their turn; the next is refused
MEMORY = 512 << 20  # bytes of all requests that are dealt with at once

T = TypeVar("T")


class Busy(Exception):
    """All threads or all memory are in use, and enough requests are waiting; try again in a few seconds."""


class TooLong(Exception):
    """A request took longer than it may."""


class BoundedExecutor:
    """Threads that run jobs, with a limit on how many may wait. Few threads need little memory: each has a detector.

    Args:
        at_once: jobs that run at the same time.
        waiting: jobs that may wait for their turn.

    Example:
        >>> executor = BoundedExecutor(at_once=1, waiting=1)
        >>> executor.submit(lambda: 6 * 7).result()
        42
        >>> executor.close()
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._pool = ThreadPoolExecutor(at_once)

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run a job when its turn comes. Raises Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy
        try:
            future = self._pool.submit(job)
        except RuntimeError as error:  # it was closed
            self._places.release()
            raise Busy from error
        future.add_done_callback(lambda _: self._places.release())
        return future

    def close(self) -> None:
        """Begin no further job."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class ScoringService:
    """Scores and explains photos from requests; nothing of them is kept. A deadline is a time of `time.monotonic`.

    Args:
        scorer: of the weights behind the page.
        threads: photos scored at once; explanations are made one by one, on all cores.
        time_limit: seconds for one request.

    Example:
        >>> from pathlib import Path
        >>> service = ScoringService(Scorer(), threads=1)
        >>> photos = [("eileen.png", Path("examples/eileen_collins.png").read_bytes()), ("text.jpg", b"text")]
        >>> [scored.rows[0].status for scored in service.score(photos, service.deadline())]
        ['ok', 'unreadable']
        >>> service.close()
    """

    def __init__(self, scorer: Scorer, threads: int, time_limit: float = TIME_LIMIT) -> None:
        self.scorer, self.time_limit = scorer, time_limit
        self._scoring = BoundedExecutor(threads, QUEUED_SCORES)
        self._explaining = BoundedExecutor(1, QUEUED_EXPLANATIONS)
        self._one_core = scorer.batch_rater(threads=1)
        self._closing, self._lock, self._memory = threading.Event(), threading.Lock(), MEMORY

    def reserve(self, size: int) -> None:
        """Set memory aside for a request of that many bytes, until `release`. Raises Busy."""
        with self._lock:
            if size > self._memory:
                raise Busy
            self._memory -= size

    def release(self, size: int) -> None:
        """Give back what `reserve` set aside."""
        with self._lock:
            self._memory += size

    def deadline(self) -> float:
        """When a request that comes now is given up."""
        return time.monotonic() + self.time_limit

    def score(self, photos: Sequence[tuple[str, bytes]], deadline: float) -> list[Scored]:
        """Score photos.

        Args:
            photos: names and contents of files.
            deadline: when to give up.

        Returns:
            What became of each photo.

        Raises:
            PhotoError: there are no photos, or too many.
            Busy, TooLong: try again later.
        """
        if not 0 < len(photos) <= MOST_PHOTOS:
            raise PhotoError(
                "no_photos", f"Expected 1 to {MOST_PHOTOS} photos in one request. Received: {len(photos)}."
            )
        job = self._scoring.submit(lambda: [self._score_one(name, data, deadline) for name, data in photos])
        return self.result(job, deadline)

    def _score_one(self, name: str, data: bytes, deadline: float) -> Scored:
        self._check(deadline)
        try:
            return self.scorer.look(images.load_photo(data), name, rater=self._one_core, max_faces=MOST_FACES)
        except PhotoError as error:
            return Scored.failed(name, error, self.scorer.card.identity)

    def explain(self, data: bytes, number: int, progress: Progress, deadline: float) -> Future[Explanation]:
        """Begin to explain the score of one face.

        Args:
            data: content of a photo.
            number: of the face, from 1, left to right.
            progress: called with the steps done and all steps; it may raise to stop the work.
            deadline: when to give up.

        Returns:
            The job for `result`, which raises PhotoError for a photo without that face.

        Raises:
            Busy: try again later.
        """

        def watched(done: int, total: int) -> None:
            self._check(deadline)
            progress(done, total)

        def job() -> Explanation:
            self._check(deadline)
            face = self.scorer.face(images.read(data), number)
            return self.scorer.explain(face, watched)

        return self._explaining.submit(job)

    def result(self, job: Future[T], deadline: float) -> T:
        """Wait for a job. Raises TooLong, Busy if the server stops, and what the job raised."""
        try:
            return job.result(max(0, deadline - time.monotonic()))
        except TimeoutError as error:
            job.cancel()
            raise TooLong from error
        except CancelledError as error:
            raise Busy from error

    def _check(self, deadline: float) -> None:
        if self._closing.is_set():
            raise Busy
        if time.monotonic() > deadline:
            raise TooLong

    def close(self) -> None:
        """Give up what is under way and what waits."""
        self._closing.set()
        for executor in (self._scoring, self._explaining):
            executor.close()
