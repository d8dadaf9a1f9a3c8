"""Many photos: what to score, in which order, on all cores, and copies with scores drawn on them."""

import glob
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

import cv2

from beauty_evaluate import images
from beauty_evaluate.drawing import label_box, score_colour
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.images import Picture
from beauty_evaluate.models.card import ONNX
from beauty_evaluate.models.runtime import Forward, many_forward
from beauty_evaluate.scoring.scorer import Row, Scored, Scorer

CHUNK = 8  # photos that a thread takes at once: their faces go through the network together
AHEAD = 3  # chunks for each thread that may wait for their turn

Task = tuple[list[str], list[Path]]  # photos, and places for their copies


def expand(paths: Iterable[str], leave_out: Path | None = None) -> list[str]:
    """Files as they are, folders as the photos in them, sorted, subfolders too but for `leave_out`, patterns (`*`, `?`,
    `[]`, `**`) as what they match; each once. A folder without photos or a pattern without a match stands for itself,
    and fails when it is read."""
    found: dict[str, None] = {}
    copies = leave_out.resolve() if leave_out else None
    for path in paths:
        matching = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) and not os.path.exists(path) else []
        for one in matching or [path]:
            found |= dict.fromkeys(_inside(one, copies) or [one])
    return list(found)


def _inside(path: str, leave_out: Path | None) -> list[str]:
    """The photos in a folder, sorted; none for a file."""
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in os.walk(path)
        if folder == path or Path(folder).resolve() != leave_out
        for name in names
        if name.lower().endswith(images.SUFFIXES)
    )


def scan(scorer: Scorer, paths: Iterable[str], single: bool = False, out: Path | None = None) -> Iterator[Scored]:
    """Score photos on all cores, in their order; a photo that fails is one row. Memory does not grow with their number.

    single: each must show exactly one face. out: folder for annotated copies.
    """
    copies = _Copies(out) if out else None

    def work(chunk: list[str], places: list[Path], forward: Forward | None) -> list[Scored]:
        if not places:
            return scorer.score_many(chunk, single, forward)
        pairs = zip(chunk, places, strict=True)
        return [_with_copy(scorer, path, single, place, forward) for path, place in pairs]

    tasks = ((chunk, [copies.place(path) for path in chunk] if copies else []) for chunk in _chunks(iter(paths)))
    first, second = next(tasks, None), next(tasks, None)
    if first and second is None:  # a few photos: OpenCV's network is ready first, and its own threads help each photo
        yield from work(*first, None)
    elif first and second:
        forward = many_forward(scorer.card.file(ONNX), threads=1)
        yield from _in_order(lambda task: work(*task, forward), chain((first, second), tasks), os.cpu_count() or 1)


def _chunks(paths: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(paths, CHUNK)):
        yield chunk


def _with_copy(scorer: Scorer, path: str, single: bool, place: Path, forward: Forward | None) -> Scored:
    try:
        photo = images.read(path)
        scored = scorer.look(photo, path, single, forward)
    except PhotoError as error:
        return Scored.failed(path, error)
    _write(place, annotate(photo, scored.rows))
    return scored


def _in_order(work: Callable[[Task], list[Scored]], tasks: Iterable[Task], threads: int) -> Iterator[Scored]:
    """Results in the order of the tasks, of which only a few wait."""
    own_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # a core for each of our threads, which have no need to wait for each other
    waiting: deque[Future[list[Scored]]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) >= AHEAD * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(own_threads)


def annotate(photo: Picture, rows: list[Row]) -> Picture:
    """A copy of the photo with box and score of every face, coloured by score."""
    copy = photo.copy()
    for row in rows:
        if (
            row.score is not None
            and row.x is not None
            and row.y is not None
            and row.w is not None
            and row.h is not None
        ):
            label_box(copy, (row.x, row.y, row.w, row.h), f"{row.score:.2f}", score_colour(row.score))
    return copy


class _Copies:
    """Places for annotated copies in one folder, no two the same."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken = folder, set[str]()
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, path: str) -> Path:
        stem, n = Path(path).stem, 1
        name = f"{stem}_scored.jpg"
        while name in self.taken:
            n += 1
            name = f"{stem}_scored_{n}.jpg"
        self.taken.add(name)
        return self.folder / name


def _write(path: Path, picture: Picture) -> None:
    data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    path.write_bytes(data.tobytes())
