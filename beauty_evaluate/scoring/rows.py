"""What is known of a photo once it was scored: a row per face."""

from dataclasses import dataclass, replace

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.images import Photo


@dataclass(frozen=True)
class Row:
    """One face of a photo, or the reason why a photo has no score. Its fields are the columns of tables.

    Attributes:
        file: path of the photo as it was given; "" for one that has none.
        face: from 1, left to right, of `faces`; 0 if there is no score.
        faces: number of faces in the photo, as far as that is known.
        status: `ok`, or PhotoError's word.
        score, low, high: rating points on the rater's scale; low and high are the ends of the prediction interval, None
            until one is calibrated.
        percentile: share of the data set's scores that are lower, in percent; None where these are not known.
        x, y, w, h: box in pixels of the photo.
        confidence: of the detector, 0..1.
        warnings: why the score means little, words of `Quality.warnings` with `;` between them.
        error: why there is no score, a sentence.
        weights: name of the weights and first 8 digits of the hash of the network, `Card.identity`.
        notes: sentences on how the photo was read (that only the first picture of an animation was, or a large photo at
            a lower resolution) and on how it was rated.
        parts: what the score was made of, from `phrases.parts_text`; "" for a rater without parts.

    Example:
        >>> Row("me.jpg", 1, 1, "ok", score=3.0, low=2.5, high=3.5).half_width
        0.5
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
    weights: str = ""
    notes: str = ""
    parts: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether it has warnings, so that its score means little."""
        return bool(self.warnings)

    @property
    def place(self) -> tuple[bool, float]:
        """What sorts rows: the highest score first, and doubtful ones last, since a bad photo may score high.

        Example:
            >>> dark, good = Row("a", 1, 1, "ok", 4.0, warnings="dark"), Row("b", 1, 1, "ok", 2.0)
            >>> [row.file for row in sorted([dark, good], key=lambda row: row.place)]
            ['b', 'a']
        """
        return self.is_doubtful, -(self.score or 0)

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval around the score, which ends with the scale; None without an interval."""
        if self.score is None or self.low is None or self.high is None:
            return None
        return max(self.score - self.low, self.high - self.score)


@dataclass(frozen=True)
class Scored:
    """What became of one photo.

    Attributes:
        rows: of its faces, left to right, or the one that says why there is no score.
        faces: behind the rows, with the crop that the rater saw and without the photo; empty if there is no score.

    Example:
        >>> Scored.failed("me.jpg", PhotoError("missing", "No such file: me.jpg.")).rows[0].status
        'missing'
    """

    rows: list[Row]
    faces: list[Face]

    @classmethod
    def failed(cls, file: str, error: PhotoError, weights: str = "") -> "Scored":
        """Of a photo that has no score; weights: as in `Row`."""
        return cls([Row(str(file), 0, error.faces, error.status, error=str(error), weights=weights)], [])


def as_read(rows: list[Row], photo: Photo) -> list[Row]:
    """Rows with what is to be said of their photo.

    Args:
        rows: of its faces, with boxes in pixels of the picture that was looked at.
        photo: how that picture came from the file; its pixels do not matter.

    Returns:
        Rows with boxes in pixels of the file, and with notes.

    Example:
        >>> import numpy as np
        >>> small = Photo(np.zeros((100, 100, 3), np.uint8), 2, ("It was read at half its size.",))
        >>> (row,) = as_read([Row("me.jpg", 1, 1, "ok", score=3.0, x=10.0, y=20.0, w=5.0, h=6.0)], small)
        >>> row.x, row.h, row.notes
        (20.0, 12.0, 'It was read at half its size.')
    """
    if photo.reduction == 1 and not photo.notes:
        return rows

    def larger(side: float | None) -> float | None:
        return None if side is None else round(side * photo.reduction, 1)

    def noted(row: Row) -> str:
        return " ".join(note for note in (*photo.notes, row.notes) if note)

    return [
        replace(row, x=larger(row.x), y=larger(row.y), w=larger(row.w), h=larger(row.h), notes=noted(row))
        for row in rows
    ]
