"""Photos in, scores out: one row per face, on the light runtime."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.errors import ConfigError, PhotoError
from beauty_evaluate.faces.detect import Face, find_faces, release
from beauty_evaluate.faces.quality import quality
from beauty_evaluate.images import Picture
from beauty_evaluate.phrases import parts_text
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import Rater, Ratings, crop_config
from beauty_evaluate.scoring.rows import Row, Scored, as_read

if TYPE_CHECKING:
    from beauty_evaluate.explain.job import Explanation, Progress


class Scorer:
    """A rater, ready to score photos. One for all threads; it can be pickled, since it travels as its name.

    Attributes:
        rater: what gives the ratings.
        labels: the data set's mean scores behind a percentile, sorted, float64 (`rated`,); empty where there are none.
        rated: their number.

    Example:
        >>> from PIL import Image
        >>> scorer = Scorer()
        >>> portrait = Image.open("examples/eileen_collins.png")
        >>> for source in ("examples/eileen_collins.png", portrait, np.asarray(portrait.convert("RGB"))):
        ...     print([round(row.score, 2) for row in scorer.score(source)])
        [3.33]
        [3.33]
        [3.33]
    """

    def __init__(self, weights: str | None = None, low_memory: bool = False) -> None:
        """Load a card, and begin to read the network.

        Args:
            weights: a name in `weights/` or the path of a card (default: the best there is).
            low_memory: give the detector's memory back after each photo, for a single one.

        Raises:
            WeightsError: no such weights; for a network that cannot be read when the first face is scored, since it is
                read while the first photo is.
        """
        self._arguments = (weights, low_memory)
        self._low_memory = low_memory
        self.rater: Rater = registry.load(weights)
        self.labels = self.card.stats("labels")["labels"] if "stats" in self.card.artifacts else np.empty(0)
        self.rated = len(self.labels)

    def __reduce__(self) -> tuple[Any, ...]:
        return Scorer, self._arguments

    @property
    def card(self) -> Card:
        """What the rater is and what it reaches."""
        return self.rater.card

    @property
    def scale(self) -> RatingScale:
        """Of the scores."""
        return self.rater.scale

    @property
    def crop_config(self) -> CropConfig:
        """The crop that the rater sees."""
        return crop_config(self.rater)

    def batch_rater(self, threads: int = 0) -> Rater:
        """The same rater for hundreds of faces: it starts later, and each takes less time.

        Args:
            threads: of one call; 0: all cores. It may be called from any number of threads.
        """
        return registry.of_card(self.card, "onnxruntime", threads)

    def percentile(self, score: float) -> float | None:
        """Share of the data set's mean scores below `score`, 0..100; None where there are none."""
        return 100 * float(np.searchsorted(self.labels, score)) / self.rated if self.rated else None

    def score(self, source: images.Source, single: bool = False) -> list[Row]:
        """Score every face of one photo, left to right.

        Args:
            source: a path, the content of a file, a binary file object, a PIL picture, or an array (H, W), (H, W, 1),
                (H, W, 3) or (H, W, 4): uint8, uint16, float from 0 to 1, or bool.
            single: exactly one face is expected.

        Raises:
            PhotoError: the photo cannot be scored; `status` says why in a word.

        Example:
            >>> Scorer().score(b"not a photo")
            Traceback (most recent call last):
            beauty_evaluate.errors.PhotoError: This is a text file, not a picture; give a photo.
        """
        return self.look(images.load_photo(source), _name(source), single).rows

    def look(
        self,
        photo: Picture | images.Photo,
        file: str = "",
        single: bool = False,
        rater: Rater | None = None,
        max_faces: int | None = None,
    ) -> Scored:
        """Score a decoded photo, and keep its faces.

        Args:
            photo: uint8 (H, W, 3) RGB, or a photo with its notes, which become the rows'.
            file: its name, for the rows.
            single: exactly one face is expected.
            rater: another way to run the same rater, from `batch_rater`.
            max_faces: that the photo may show; PhotoError `too_many_faces` for more.
        """
        photo = photo if isinstance(photo, images.Photo) else images.Photo(photo)
        faces = self._faces(photo, single)
        if max_faces is not None and len(faces) > max_faces:
            raise PhotoError(
                "too_many_faces", f"The photo shows {len(faces)} faces, more than {max_faces}. Crop it.", len(faces)
            )
        return Scored(as_read(self._rows(file, faces, (rater or self.rater).rate(faces)), photo), faces)

    def score_many(
        self, sources: Sequence[images.Source], single: bool = False, rater: Rater | None = None
    ) -> list[Scored]:
        """Score some photos at once, which is faster than one by one; a photo that fails is a row that says why.

        All their crops are held in memory, 200 kB a face: for many photos see `batch.scan`.

        Example:
            >>> photos = Scorer().score_many(["examples/eileen_collins.png", "missing.jpg"])
            >>> [photo.rows[0].status for photo in photos]
            ['ok', 'missing']
        """
        photos: list[tuple[images.Photo, list[Face]] | PhotoError] = []
        for source in sources:
            try:
                read = images.load_photo(source)
                photos.append((read.without_pixels(), self._faces(read, single)))
            except PhotoError as error:
                photos.append(error)
        every = [face for photo in photos if not isinstance(photo, PhotoError) for face in photo[1]]
        ratings = (rater or self.rater).rate(every) if every else Ratings(np.empty(0))
        scored, start = [], 0
        for source, photo in zip(sources, photos, strict=True):
            if isinstance(photo, PhotoError):
                scored.append(Scored.failed(_name(source), photo, self.card.identity))
            else:
                rows = self._rows(_name(source), faces := photo[1], ratings.part(start, len(photo[1])))
                scored.append(Scored(as_read(rows, photo[0]), faces))
                start += len(faces)
        return scored

    def why(self, source: images.Source, face: int = 1, progress: "Progress | None" = None) -> "Explanation":
        """What moved the score of one face of a photo: some 10 s.

        Args:
            source: as `score`.
            face: its number, counted from the left from 1.
            progress: called with the pictures scored, and how many there are.

        Raises:
            PhotoError: the photo cannot be scored, or has no such face.
            ConfigError: as `check_regions`.

        Example:
            >>> Scorer().why("examples/eileen_collins.png", face=2)
            Traceback (most recent call last):
            beauty_evaluate.errors.PhotoError: There is no face 2: the photo shows 1.
        """
        self.check_regions()
        return self.explain(self.face(images.as_picture(source), face), progress)

    def explain(self, face: Face, progress: "Progress | None" = None) -> "Explanation":
        """What moved the score of a face that was found before, as `why`."""
        from beauty_evaluate.explain.job import explain

        return explain(self._explainer, face, progress=progress)

    @cached_property
    def _explainer(self) -> Rater:
        return self.batch_rater()

    def check_regions(self) -> None:
        """ConfigError for a rater on whole pictures, on which nobody knows where the regions lie."""
        if self.crop_config.geometry != "aligned":
            raise ConfigError(
                f"{self.card.name} looks at whole pictures, on which the regions of a face are not told apart. "
                "Use weights on aligned crops."
            )

    def face(self, photo: Picture, number: int) -> Face:
        """A face of a photo, counted from the left from 1. Raises PhotoError."""
        faces = self.faces(photo)
        if not 1 <= number <= len(faces):
            raise PhotoError("no_face", f"There is no face {number}: the photo shows {len(faces)}.", len(faces))
        return faces[number - 1]

    def faces(self, photo: Picture, single: bool = False) -> list[Face]:
        """The faces of a photo, left to right, with the crops that the rater sees. Raises PhotoError."""
        config = self.crop_config
        faces = find_faces(photo, config)
        if self._low_memory:
            release()
        if single and len(faces) != 1:
            raise PhotoError(
                "several_faces", f"The photo shows {len(faces)} faces, not one. Crop it to one.", len(faces)
            )
        return faces if "photo" in self.rater.needs else [face.without_photo(config) for face in faces]

    def _faces(self, photo: images.Photo, single: bool) -> list[Face]:
        try:
            return self.faces(photo.pixels, single)
        except PhotoError as error:
            raise photo.noted(error) from error

    def _rows(self, file: str, faces: Sequence[Face], ratings: Ratings) -> list[Row]:
        return [self._row(file, i, len(faces), face, ratings.part(i - 1, 1)) for i, face in enumerate(faces, 1)]

    def _row(self, file: str, number: int, count: int, face: Face, rating: Ratings) -> Row:
        score = round(self.scale.clip(float(rating.mean[0])), 4)
        half_width = None if rating.half_width is None else float(rating.half_width[0])
        low, high = (None if half_width is None else self._end(score + sign * half_width) for sign in (-1, 1))
        share = None if (percentile := self.percentile(score)) is None else round(percentile, 1)
        x, y, w, h = (round(value, 1) for value in face.box)
        warnings = ";".join([*quality(face, self.crop_config).warnings(), *rating.warnings(0)])
        return Row(
            file, number, count, "ok", score, low, high, share, x, y, w, h, round(face.confidence, 3), warnings,
            weights=self.card.identity, notes=" ".join(rating.notes),
            parts=parts_text({name: float(values[0]) for name, values in rating.parts.items()}),
        )  # fmt: skip

    def _end(self, score: float) -> float:
        return round(self.scale.clip(score), 4)


def _name(source: images.Source) -> str:
    return os.fsdecode(source) if isinstance(source, str | os.PathLike) else ""
