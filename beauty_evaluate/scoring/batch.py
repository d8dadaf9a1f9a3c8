"""Many photos on all cores, in their order, and copies with scores drawn on them."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2

from beauty_evaluate import images
from beauty_evaluate.config import RatingScale, cores
from beauty_evaluate.drawing import label_box, score_colour
from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.scoring.paths import expand, printable
from beauty_evaluate.scoring.rows import Row, Scored
from beauty_evaluate.scoring.scorer import Scorer

PHOTOS_PER_TASK = 8  # that a thread takes at once: their faces go through the network together
TASKS_IN_FLIGHT_PER_THREAD = 3  # that are under way or wait for their turn
JPEG_QUALITY = 92  # of the copies, percent


def score(
    photos: images.Source | Sequence[images.Source], weights: str | None = None, single: bool = False
) -> list[Row]:
    """Score photos: the library's `use.py`.

    Args:
        photos: one photo or several, each as `Scorer.score` takes it. Paths may be folders and patterns too, and those
            of several photos are scored on all cores.
        weights: a name in `weights/` or the path of a card (default: the best there is).
        single: each photo must show exactly one face.

    Returns:
        A row per face, photo by photo; for a photo that cannot be scored one row that says why.

    Raises:
        WeightsError: no such weights.

    Example:
        >>> [(row.file, round(row.score, 2)) for row in score("examples/*.png")]
        [('examples/eileen_collins.png', 3.33)]
    """
    sources: list[images.Source] = list(photos) if isinstance(photos, list | tuple) else [photos]  # type: ignore[list-item]
    files = [os.fspath(source) for source in sources if isinstance(source, str | os.PathLike)]
    if len(files) == len(sources):
        paths = expand(files)
        scored: Iterable[Scored] = scan(Scorer(weights, low_memory=len(paths) == 1), paths, single)
    else:
        scored = Scorer(weights).score_many(sources, single)
    return [row for photo in scored for row in photo.rows]


def scan(
    scorer: Scorer, paths: Iterable[str], single: bool = False, copies: Mapping[str, Path] | None = None
) -> Iterator[Scored]:
    """Score photos on all cores, in their order. Memory does not grow with their number.

    Args:
        scorer: for all threads.
        paths: of the photos, which may come from an endless iterator. A photo that fails is one row that says why.
        single: each must show exactly one face.
        copies: where the annotated copy of each photo goes, from `copy_paths`, in a folder that is there.

    Example:
        >>> photos = scan(Scorer(), ["examples/eileen_collins.png", "missing.jpg"])
        >>> [row.status for photo in photos for row in photo.rows]
        ['ok', 'missing']
    """

    def work(task: list[str], rater: Rater | None) -> list[Scored]:
        return _score_task(scorer, task, single, copies, rater)

    tasks = _tasks(iter(paths))
    first, second = next(tasks, None), next(tasks, None)
    if first and second is None:  # a few photos: OpenCV's network is ready first, and its own threads help each photo
        for path in first:
            yield from work([path], None)
    elif first and second:
        rater = scorer.batch_rater(threads=1)
        yield from _in_order(lambda task: work(task, rater), chain((first, second), tasks), cores())


def _tasks(paths: Iterator[str]) -> Iterator[list[str]]:
    while task := list(islice(paths, PHOTOS_PER_TASK)):
        yield task


def _score_task(
    scorer: Scorer, paths: list[str], single: bool, copies: Mapping[str, Path] | None, rater: Rater | None
) -> list[Scored]:
    """Some photos together; one by one if a bug of ours meets one of them: it must not end a run of thousands."""
    try:
        if copies is None:
            return scorer.score_many(paths, single, rater)
        return [_score_with_copy(scorer, path, single, copies[path], rater) for path in paths]
    except (UserError, OSError, MemoryError):
        raise
    except Exception as error:  # logged with its traceback, and told in the photo's row
        if len(paths) > 1:
            return [scored for path in paths for scored in _score_task(scorer, [path], single, copies, rater)]
        logging.getLogger(__name__).exception("scoring %s", printable(paths[0]))
        message = (
            f"The program failed on this photo, which is a bug: {type(error).__name__} ({error}). Please report it."
        )
        return [Scored.failed(paths[0], PhotoError("failed", " ".join(message.split())), scorer.card.identity)]


def _score_with_copy(scorer: Scorer, path: str, single: bool, copy: Path, rater: Rater | None) -> Scored:
    try:
        photo = images.load_photo(path)
        scored = scorer.look(photo, path, single, rater)
    except PhotoError as error:
        return Scored.failed(path, error, scorer.card.identity)
    _write_jpeg(copy, annotate(photo.pixels, scored.rows, scorer.scale, photo.reduction))
    return scored


class _OneThread:
    """OpenCV on one thread for as long as any scan runs: a core for each of our threads, which have no need to wait for
    each other. Its number of threads is one for the whole process."""

    def __init__(self) -> None:
        self.lock, self.users, self.before = threading.Lock(), 0, 0

    def __enter__(self) -> None:
        with self.lock:
            if not self.users:
                self.before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self.users += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.users -= 1
            if not self.users:
                cv2.setNumThreads(self.before)


_one_thread = _OneThread()


def _in_order(work: Callable[[list[str]], list[Scored]], tasks: Iterable[list[str]], threads: int) -> Iterator[Scored]:
    """Results in the order of the tasks, of which only a few are in flight."""
    in_flight: deque[Future[list[Scored]]] = deque()
    with _one_thread:
        pool = ThreadPoolExecutor(threads)
        try:
            for task in tasks:
                in_flight.append(pool.submit(work, task))
                if len(in_flight) >= TASKS_IN_FLIGHT_PER_THREAD * threads:
                    yield from in_flight.popleft().result()
            while in_flight:
                yield from in_flight.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def annotate(photo: Picture, rows: Sequence[Row], scale: RatingScale, reduction: int = 1) -> Picture:
    """Draw the box and the score of every face into a photo, coloured by score.

    Args:
        photo: uint8 (H, W, 3) RGB, which is changed.
        rows: of its faces.
        scale: of the scores.
        reduction: how many times smaller the photo is than the one that the rows' boxes are on.

    Returns:
        The photo itself.

    Example:
        >>> photo = images.read("examples/eileen_collins.png")
        >>> scorer = Scorer()
        >>> annotate(photo, scorer.look(photo).rows, scorer.scale) is photo
        True
    """
    for row in rows:
        box: tuple[Any, ...] = tuple(None if v is None else v / reduction for v in (row.x, row.y, row.w, row.h))
        if row.score is not None and None not in box:
            label_box(photo, box, f"{row.score:.2f}", score_colour(row.score, scale))
    return photo


def _write_jpeg(path: Path, picture: Picture) -> None:
    """The picture, which becomes BGR, as a JPEG: a large one is not held twice."""
    cv2.cvtColor(picture, cv2.COLOR_RGB2BGR, dst=picture)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    path.write_bytes(data.tobytes())
