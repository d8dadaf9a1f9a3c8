"""Photos in, scores out: one row per face, on the light runtime."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from beauty_evaluate import images
from beauty_evaluate.errors import ConfigError, PhotoError
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.faces.detect import Face, find_faces, release
from beauty_evaluate.faces.quality import quality
from beauty_evaluate.faces.regions import NAMES, regions
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.runtime import PredictFn, onnxruntime_predictor, opencv_predictor, predict


@dataclass(frozen=True)
class Row:
    """One face of a photo, or the reason why a photo has no score.

    face: from 1, left to right, of `faces`; 0 if there is no score. status: `ok`, or PhotoError's word. score, low,
    high: rating points 1..5 (low and high: None until an interval is calibrated). percentile: share of the data set's
    scores that are lower, in percent. x, y, w, h: box in pixels of the photo. warnings: why the score means little,
    words of `Quality.warnings` with `;` between them.
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

    @property
    def half(self) -> float | None:
        """Half the width of the interval around the score, which ends at 1 and 5; None without an interval."""
        if self.score is None or self.low is None or self.high is None:
            return None
        return max(self.score - self.low, self.high - self.score)


@dataclass(frozen=True)
class Scored:
    """What became of one photo: its rows and, if it was scored, the face behind each."""

    rows: list[Row]
    faces: list[Face]

    @classmethod
    def failed(cls, file: str, error: PhotoError) -> "Scored":
        """Of a photo that has no score."""
        return cls([Row(file, 0, error.faces, error.status, error=str(error))], [])


class Scorer:
    """A network with its card, ready to score photos. One for all threads: each gets a network of its own."""

    def __init__(self, weights: str | None = None, low_memory: bool = False) -> None:
        """weights: a name in `weights/` or the path of a card; by default the best there is. low_memory: no other will
        come, so that less memory is kept. Raises WeightsError; for a network that cannot be read when the first face
        is scored, since it is read while the first photo is.

        `card` says what the network is; `labels` are the data set's mean scores, sorted, float64 (`rated`,), behind a
        percentile.
        """
        self.card, self._one_photo = cards.load(weights), low_memory
        self.labels = self.card.stats("labels")["labels"]
        self.rated = len(self.labels)
        self._local, self._lock = threading.local(), threading.Lock()
        pool = ThreadPoolExecutor(1)
        self._early: Future[PredictFn] | None = pool.submit(self._read_network)
        pool.shutdown(wait=False)  # nothing more to come

    def _read_network(self) -> PredictFn:
        return opencv_predictor(self.card.file(cards.ONNX))

    @property
    def _network(self) -> PredictFn:
        """This thread's own: the first to ask gets the one that was read early."""
        if not hasattr(self._local, "network"):
            with self._lock:
                early, self._early = self._early, None
            self._local.network = early.result() if early else self._read_network()
        return self._local.network  # type: ignore[no-any-return]

    @cached_property
    def _many(self) -> PredictFn:
        """The same for hundreds of crops, and for all threads."""
        return onnxruntime_predictor(self.card.file(cards.ONNX))

    def percentile(self, score: float) -> float:
        """Share of the data set's mean scores below `score`, 0..100."""
        return 100 * float(np.searchsorted(self.labels, score)) / self.rated

    def score(self, source: str | os.PathLike[str] | bytes, single: bool = False) -> list[Row]:
        """Every face of one photo, left to right. single: exactly one face is expected. Raises PhotoError."""
        return self.score_picture(images.read(source), _name(source), single)

    def score_picture(self, photo: Picture, file: str = "", single: bool = False) -> list[Row]:
        """As `score`, for a decoded photo: uint8 (H, W, 3) RGB."""
        return self.look(photo, file, single).rows

    def look(
        self,
        photo: Picture,
        file: str = "",
        single: bool = False,
        forward: PredictFn | None = None,
        most: int | None = None,
    ) -> Scored:
        """As `score_picture`, with the faces too. forward: another way to run the same network. most: faces that the
        photo may show; PhotoError `too_many_faces` for more."""
        faces = self._faces(photo, single)
        if most is not None and len(faces) > most:
            raise PhotoError(
                "too_many_faces", f"Expected at most {most} faces. Received: {len(faces)}; crop the photo.", len(faces)
            )
        return Scored(self._rows(file, faces, self._rate(faces, forward)), faces)

    def score_many(
        self,
        sources: Sequence[str | os.PathLike[str] | bytes],
        single: bool = False,
        forward: PredictFn | None = None,
    ) -> list[Scored]:
        """Some photos at once, which is faster than one by one; a photo that fails is a row that says why. All their
        crops are held in memory: for many photos see `stream.scan`. forward: another way to run the same network."""
        found: list[list[Face] | PhotoError] = []
        for source in sources:
            try:
                found.append(self._faces(images.read(source), single))
            except PhotoError as error:
                found.append(error)
        every = [face for faces in found if not isinstance(faces, PhotoError) for face in faces]
        scores = iter(self._rate(every, forward) if every else ())
        scored = []
        for source, faces in zip(sources, found, strict=True):
            if isinstance(faces, PhotoError):
                scored.append(Scored.failed(_name(source), faces))
            else:
                own = [next(scores) for _ in faces]
                scored.append(Scored(self._rows(_name(source), faces, own), faces))
        return scored

    def why(
        self, source: str | os.PathLike[str] | bytes, face: int = 1, progress: Progress | None = None
    ) -> RegionEffects:
        """What moved the score of one face of a photo, counted from the left from 1. PhotoError, or as `explain`."""
        self.check_regions()
        faces = self._faces(images.read(source), False)
        if not 1 <= face <= len(faces):
            raise PhotoError("no_face", f"Expected a face of 1..{len(faces)}. Received: {face}.", len(faces))
        return self.explain(faces[face - 1], progress)

    def explain(self, face: Face, progress: Progress | None = None) -> RegionEffects:
        """What moved the score of a face that was found before. Regions are replaced by the mean colour around them,
        2048 pictures are scored: some 10 s. Raises ConfigError as `check_regions`."""
        self.check_regions()
        masks = regions(face.crop, self.card.config.crop)
        return region_effects(self._many, face.crop, masks, NAMES, self.card.config.flip_tta, progress=progress)

    def check_regions(self) -> None:
        """ConfigError for a network on whole pictures, on which nobody knows where the regions lie."""
        if self.card.config.crop.geometry != "aligned":
            raise ConfigError(
                f"Expected a network on aligned crops, where regions are told apart. Received: {self.card.name}, on "
                f"{self.card.config.crop.geometry} pictures."
            )

    def _faces(self, photo: Picture, single: bool) -> list[Face]:
        faces = find_faces(photo, self.card.config.crop)
        if self._one_photo:
            release()
        if single and len(faces) != 1:
            raise PhotoError(
                "several_faces", f"Expected one face. Received: {len(faces)}; crop the photo to one.", len(faces)
            )
        return faces

    def _rate(self, faces: Sequence[Face], forward: PredictFn | None = None) -> list[float]:
        found = predict(forward or self._network, np.stack([f.crop for f in faces]), self.card.config.flip_tta)
        return [float(score) for score in found]

    def _rows(self, file: str, faces: Sequence[Face], scores: Sequence[float]) -> list[Row]:
        rows = []
        for i, (face, raw) in enumerate(zip(faces, scores, strict=True), 1):
            score = round(float(np.clip(raw, 1, 5)), 4)
            x, y, w, h = (round(v, 1) for v in face.box)
            share = round(self.percentile(score), 1)
            half = self.card.half_width(score)
            low, high = (
                (None, None) if half is None else (round(max(1, score - half), 4), round(min(5, score + half), 4))
            )
            sure, careful = round(face.confidence, 3), ";".join(quality(face).warnings())
            rows.append(Row(file, i, len(faces), "ok", score, low, high, share, x, y, w, h, sure, careful))
        return rows


def _name(source: str | os.PathLike[str] | bytes) -> str:
    return "" if isinstance(source, bytes) else os.fsdecode(source)
