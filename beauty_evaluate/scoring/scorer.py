"""Photos in, scores out: one row per face, on the light runtime."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from beauty_evaluate import images
from beauty_evaluate.drawing import label_box, score_colour
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.faces.detect import find_faces
from beauty_evaluate.faces.regions import NAMES, regions
from beauty_evaluate.images import Picture
from beauty_evaluate.models import card as cards
from beauty_evaluate.models.runtime import onnx_forward, rate


@dataclass(frozen=True)
class Row:
    """One face of a photo, or the reason why a photo has no score.

    face: from 1, left to right, of `faces`; 0 if there is no score. status: `ok`, or PhotoError's word. score, low,
    high: rating points 1..5 (low and high: None until an interval is calibrated). percentile: share of the data set's
    scores that are lower, in percent. x, y, w, h: box in pixels of the photo.
    """

    file: str
    face: int
    faces: int
    status: str
    score: float | None = None
    low: float | None = None
    high: float | None = None
    percentile: float | None = None
    x: float | None = None
    y: float | None = None
    w: float | None = None
    h: float | None = None
    confidence: float | None = None
    warnings: str = ""
    error: str = ""


class Scorer:
    """A network with its card, ready to score photos. Not for use from two threads at once."""

    def __init__(self, weights: str | None = None) -> None:
        """weights: a name in `weights/` or the path of a card; by default the best there is. Raises WeightsError; for a
        network that cannot be read when the first face is scored, since it is read while the first photo is.

        `card` says what the network is; `rated` is the number of rated faces behind a percentile.
        """
        self.card = cards.load(weights)
        self._labels = self.card.stats("labels")["labels"]
        self.rated = len(self._labels)
        pool = ThreadPoolExecutor(1)
        self._network = pool.submit(lambda: onnx_forward(self.card.file(cards.ONNX)))
        pool.shutdown(wait=False)  # nothing more to come

    def percentile(self, score: float) -> float:
        """Share of the data set's mean scores below `score`, 0..100."""
        return 100 * float(np.searchsorted(self._labels, score)) / self.rated

    def score(self, source: str | os.PathLike[str] | bytes, single: bool = False) -> list[Row]:
        """Every face of one photo, left to right. single: exactly one face is expected. Raises PhotoError."""
        return self.score_picture(
            images.read(source), os.fsdecode(source) if not isinstance(source, bytes) else "", single
        )

    def score_picture(self, photo: Picture, file: str = "", single: bool = False) -> list[Row]:
        """As `score`, for a decoded photo: uint8 (H, W, 3) RGB."""
        faces = find_faces(photo, self.card.config.crop)
        if single and len(faces) != 1:
            raise PhotoError(
                "several_faces", f"Expected one face. Received: {len(faces)}; crop the photo to one.", len(faces)
            )
        scores = rate(self._network.result(), np.stack([f.crop for f in faces]), self.card.config.mirror_average)
        rows = []
        for i, (face, raw) in enumerate(zip(faces, scores, strict=True), 1):
            score = round(float(np.clip(raw, 1, 5)), 4)
            x, y, w, h = (round(v, 1) for v in face.box)
            share = round(self.percentile(score), 1)
            half = self.card.half_width(score)
            low, high = (
                (None, None) if half is None else (round(max(1, score - half), 4), round(min(5, score + half), 4))
            )
            rows.append(Row(file, i, len(faces), "ok", score, low, high, share, x, y, w, h, round(face.confidence, 3)))
        return rows

    def why(
        self, source: str | os.PathLike[str] | bytes, face: int = 1, progress: Progress | None = None
    ) -> RegionEffects:
        """What moved the score of one face of a photo, counted from the left from 1. Regions are replaced by the mean
        colour around them, 2048 pictures are scored: some 10 s. Raises PhotoError, ConfigError as `regions`."""
        faces = find_faces(images.read(source), self.card.config.crop)
        crop = faces[face - 1].crop
        masks = regions(crop, self.card.config.crop)
        return region_effects(
            self._network.result(), crop, masks, NAMES, self.card.config.mirror_average, progress=progress
        )

    def scan(self, paths: Iterable[str], single: bool = False, out: Path | None = None) -> Iterator[Row]:
        """Rows of many photos in order; a photo that fails is one row. out: folder for annotated copies."""
        copies = _Copies(out) if out else None
        for path in paths:
            try:
                photo = images.read(path)
                rows = self.score_picture(photo, path, single)
            except PhotoError as error:
                yield Row(path, 0, error.faces, error.status, error=str(error))
                continue
            if copies:
                copies.write(path, annotate(photo, rows))
            yield from rows


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


def expand(paths: Iterable[str], leave_out: Path | None = None) -> list[str]:
    """Files as they are, folders as the photos in them, sorted, subfolders too but for `leave_out`; each once. A folder
    without photos stands for itself, and fails when it is read."""
    found: dict[str, None] = {}
    copies = leave_out.resolve() if leave_out else None
    for path in paths:
        inside = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(path)
            if folder == path or Path(folder).resolve() != copies
            for name in names
            if name.lower().endswith(images.SUFFIXES)
        )
        found |= dict.fromkeys(inside or [path])
    return list(found)


class _Copies:
    """Annotated copies in one folder, no two with the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken = folder, set[str]()
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: str, picture: Picture) -> None:
        stem, n = Path(path).stem, 1
        name = f"{stem}_scored.jpg"
        while name in self.taken:
            n += 1
            name = f"{stem}_scored_{n}.jpg"
        self.taken.add(name)
        data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
        (self.folder / name).write_bytes(data.tobytes())
