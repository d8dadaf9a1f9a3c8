"""Many photos: what to score, in which order, on all cores, and copies with scores drawn on them."""

import glob
import logging
import os
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

import cv2

from beauty_evaluate import images
from beauty_evaluate.config import cores
from beauty_evaluate.drawing import label_box, score_colour
from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.scoring.scorer import Row, Scored, Scorer

CHUNK = 8  # photos that a thread takes at once: their faces go through the network together
AHEAD = 3  # chunks for each thread that may wait for their turn
LONGEST = 255 - len("_scored_1000000.jpg")  # bytes of a photo's name that fit into that of its copy
COPY = re.compile(r"_scored(_\d+)?\.jpg$")


def printable(name: str) -> str:
    """On one line, and without what neither a terminal, a picture nor a page can show: control characters, bytes that
    are not UTF-8."""
    return "".join(" " if c.isspace() else c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def expand(
    paths: Iterable[str],
    leave_out: Path | None = None,
    written: Iterable[str] = (),
    patterns: bool = True,
    folders: list[str] | None = None,
) -> list[str]:
    """Files as they are, folders as the photos in them, sorted, subfolders too but for `leave_out`, patterns (`*`, `?`,
    `[]`, `**`) as what they match; each once. A folder without photos, one that may not be read and a pattern without a
    match stand for themselves, and fail when they are read.

    leave_out: folder of annotated copies. Those of an earlier run are left out however they were named, so that the
    same command works twice. written: files that the run will write, left out of folders and patterns likewise.
    patterns: whether there are any, or `*` is part of a name. folders: a list that gets those that were asked about.
    """
    found: dict[str, None] = {}
    copies, own = os.path.realpath(leave_out) if leave_out else None, {os.path.realpath(file) for file in written}
    for path in paths:
        pattern = patterns and glob.has_magic(path) and not os.path.exists(path)
        matching = sorted(glob.glob(path, recursive=True)) if pattern else []
        for one in [match for match in matching if not own or os.path.realpath(match) not in own] or [path]:
            if folders is not None and os.path.isdir(one):
                folders.append(one)
            inside = _inside(one, copies)
            photos = [photo for photo in inside if not own or os.path.realpath(photo) not in own] if inside else [one]
            found |= dict.fromkeys(photo for photo in photos or [one] if not _is_copy(photo, copies))
    return list(found)


def _inside(path: str, leave_out: str | None) -> list[str]:
    """The photos in a folder, and folders in it that may not be read, sorted; none for a file."""
    if not os.path.isdir(path):
        return []
    unread: list[str] = []
    photos = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(path, onerror=lambda error: unread.append(error.filename))
        if folder == path or leave_out is None or os.path.realpath(folder) != leave_out
        for name in names
        if name.lower().endswith(images.SUFFIXES)
    ]
    return sorted(photos + unread)


def _is_copy(path: str, folder: str | None) -> bool:
    """Whether a path is the folder of copies, or a file in it with the name of a copy. Another photo in that folder is
    none: whoever asks for it should hear that it lies where the copies go."""
    if folder is None:
        return False
    return os.path.realpath(os.path.dirname(path) if COPY.search(path) else path) == folder


def places(paths: Iterable[str], folder: Path) -> dict[str, Path]:
    """Where the annotated copy of each photo goes, no two the same. Those of equal name are numbered in their order: a
    run that goes on must name what it did before, and first."""
    found: dict[str, Path] = {}
    stems: Counter[str] = Counter()
    for path in dict.fromkeys(paths):
        stem = Path(path).stem
        while len(os.fsencode(stem)) > LONGEST:
            stem = stem[:-1]
        stems[stem] += 1
        number = f"_{stems[stem]}" if stems[stem] > 1 else ""
        found[path] = folder / f"{stem}_scored{number}.jpg"
    return found


def scan(
    scorer: Scorer, paths: Iterable[str], single: bool = False, copies: Mapping[str, Path] | None = None
) -> Iterator[Scored]:
    """Score photos on all cores, in their order; a photo that fails is one row. Memory does not grow with their number.

    single: each must show exactly one face. copies: where the annotated copy of each photo goes, from `places`, in a
    folder that is there.
    """

    def together(chunk: list[str], rater: Rater | None) -> list[Scored]:
        if copies is None:
            return scorer.score_many(chunk, single, rater)
        return [_with_copy(scorer, path, single, copies[path], rater) for path in chunk]

    def work(chunk: list[str], rater: Rater | None) -> list[Scored]:
        try:
            return together(chunk, rater)
        except Exception as error:  # a mistake of ours in one photo must not end a run of thousands
            if isinstance(error, UserError | OSError | MemoryError):
                raise
            if len(chunk) > 1:
                return [scored for path in chunk for scored in work([path], rater)]
            logging.getLogger(__name__).exception("scoring %s", printable(chunk[0]))
            words = f"Expected to score this photo. Received: {type(error).__name__}, which is our mistake ({error})."
            return [Scored.failed(chunk[0], PhotoError("failed", " ".join(words.split())))]

    chunks = _chunks(iter(paths))
    first, second = next(chunks, None), next(chunks, None)
    if first and second is None:  # a few photos: OpenCV's network is ready first, and its own threads help each photo
        for path in first:
            yield from work([path], None)
    elif first and second:
        rater = scorer.batch_rater(threads=1)
        yield from _in_order(lambda chunk: work(chunk, rater), chain((first, second), chunks), cores())


def _chunks(paths: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(paths, CHUNK)):
        yield chunk


def _with_copy(scorer: Scorer, path: str, single: bool, place: Path, rater: Rater | None) -> Scored:
    try:
        photo = images.read(path)
        scored = scorer.look(photo, path, single, rater)
    except PhotoError as error:
        return Scored.failed(path, error)
    _write(place, annotate(photo, scored.rows))
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


def _in_order(work: Callable[[list[str]], list[Scored]], chunks: Iterable[list[str]], threads: int) -> Iterator[Scored]:
    """Results in the order of the chunks, of which only a few wait."""
    waiting: deque[Future[list[Scored]]] = deque()
    with _one_thread:
        pool = ThreadPoolExecutor(threads)
        try:
            for chunk in chunks:
                waiting.append(pool.submit(work, chunk))
                if len(waiting) >= AHEAD * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def annotate(photo: Picture, rows: list[Row]) -> Picture:
    """The photo itself, with box and score of every face drawn into it, coloured by score."""
    for row in rows:
        if (
            row.score is not None
            and row.x is not None
            and row.y is not None
            and row.w is not None
            and row.h is not None
        ):
            label_box(photo, (row.x, row.y, row.w, row.h), f"{row.score:.2f}", score_colour(row.score))
    return photo


def _write(path: Path, picture: Picture) -> None:
    """The picture, which becomes BGR, as a JPEG: a large one is not held twice."""
    cv2.cvtColor(picture, cv2.COLOR_RGB2BGR, dst=picture)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    path.write_bytes(data.tobytes())
