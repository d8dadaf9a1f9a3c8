"""A comparison to look at and to share: one picture, or one page."""

import base64
import contextlib
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from beauty_evaluate.config import RatingScale
from beauty_evaluate.drawing import RAISES, score_colour
from beauty_evaluate.errors import UserError
from beauty_evaluate.files import write_atomic

MAX_FACES = {".png": 60, ".html": 1000}  # that are shown, by the suffix of the file; the sentences are about all
MAX_SENTENCES_IN_PICTURE = 12
# Pillow's own font knows Latin letters alone; these of common systems know more.
FONTS = ("NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "PingFang.ttc", "msyh.ttc", "DejaVuSans.ttf", "arial.ttf")
MAX_OWN_FONT = 0x250  # the first letter that Pillow's own font lacks
MAX_COLUMNS, MIN_COLUMNS = 5, 3  # of the picture
THUMBNAIL_SIDE, GAP, LINE_HEIGHT = 192, 16, 20  # pixels of the picture
FACE_HEIGHT = THUMBNAIL_SIDE + 5 * LINE_HEIGHT
FONT_SIZES = (26, 20, 14)  # pixels: of the title, scores, the rest
GREY = "#555555"


@dataclass(frozen=True)
class RankedFace:
    """A face on a sheet.

    Attributes:
        name: as it is shown.
        score: rating points.
        half_width: half the width of its prediction interval; None without one.
        percentile: share of the rated faces that score lower, percent; None where there are none.
        warnings: why the score means little, words with `;` between them.
        jpeg: THUMBNAIL_SIDE pixels a side.
        is_query: asked about, not one of those it is compared with.
    """

    name: str
    score: float
    half_width: float | None
    percentile: float | None
    warnings: str
    jpeg: bytes
    is_query: bool = True


@dataclass(frozen=True)
class Sheet:
    """What a sheet shows.

    Attributes:
        faces: the highest score first.
        sentences: what their order says.
        about: what the scores are.
        scale: of the scores.
        rated: number of faces behind a percentile.
    """

    faces: Sequence[RankedFace]
    sentences: Sequence[str]
    about: str
    scale: RatingScale
    rated: int

    @property
    def title(self) -> str:
        """How many faces there are, without a word on how many are shown."""
        return f"{len(self.faces)} face{'s' * (len(self.faces) > 1)}, ranked by score"

    @property
    def compares(self) -> bool:
        """Whether faces are ranked among others, so that those asked about need a mark."""
        return any(not face.is_query for face in self.faces)


def check(path: Path) -> None:
    """Raises UserError for the name of a file that is neither a picture nor a page.

    Example:
        >>> check(Path("ranking.png"))
    """
    if path.suffix.lower() not in MAX_FACES:
        raise UserError(f"A report is a picture (.png) or a page (.html), not {path}.")


def write(path: Path, sheet: Sheet) -> None:
    """Write a sheet as the suffix of the path says. Raises UserError for no face or another suffix."""
    check(path)
    write_atomic(path, render(path.suffix.lower(), sheet))


def render(suffix: str, sheet: Sheet) -> bytes:
    """The content of the file.

    Args:
        suffix: `.png` or `.html`.
        sheet: what it shows.

    Raises:
        UserError: no face, or another suffix.

    Example:
        >>> jpeg = io.BytesIO()
        >>> Image.new("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE)).save(jpeg, "JPEG")
        >>> face = RankedFace("me.jpg", 3.2, 0.5, 60.0, "", jpeg.getvalue())
        >>> render(".png", Sheet([face], [], "Scores of a test.", RatingScale(1, 5), 5500))[1:4]
        b'PNG'
    """
    check(Path(f"report{suffix}"))
    if not sheet.faces:
        raise UserError("A report needs a face, and none of the photos shows one.")
    shown = _shown(sheet, MAX_FACES[suffix])
    title = sheet.title + (f"; {len(shown)} of them are shown" if len(shown) < len(sheet.faces) else "")
    return (_picture if suffix == ".png" else _page)(title, shown, sheet)


def _shown(sheet: Sheet, most: int) -> list[tuple[int, RankedFace]]:
    """Ranks and faces: all, or the first and those asked about."""
    numbered = list(enumerate(sheet.faces, 1))
    queries = [pair for pair in numbered if sheet.compares and pair[1].is_query][:most]
    kept = {rank for rank, _ in [*queries, *numbered[: most - len(queries)]]}
    return [pair for pair in numbered if pair[0] in kept]


@dataclass(frozen=True)
class _Text:
    """What stands under a face; "" for nothing."""

    score: str
    percentile: str
    name: str
    warnings: str


def _text(rank: int, face: RankedFace, rated: int) -> _Text:
    half_width = "" if face.half_width is None else f" \N{PLUS-MINUS SIGN} {face.half_width:.2f}"
    return _Text(
        f"{rank}.  {face.score:.2f}{half_width}",
        "" if face.percentile is None else f"higher than {face.percentile:.0f} % of {rated}",
        face.name,
        f"means little: {face.warnings.replace(';', ', ')}" if face.warnings else "",
    )


def _picture(title: str, shown: Sequence[tuple[int, RankedFace]], sheet: Sheet) -> bytes:
    sentences = list(sheet.sentences[:MAX_SENTENCES_IN_PICTURE])
    if len(sheet.sentences) > len(sentences):
        sentences.append(f"{len(sheet.sentences) - len(sentences)} more sentences stand in a report as a page (.html).")
    sentences.append(sheet.about)
    letters = "".join([*sentences, *(face.name for _, face in shown)])
    large, medium, small = (_font(size, letters) for size in FONT_SIZES)
    columns = min(MAX_COLUMNS, max(MIN_COLUMNS, len(shown)))
    width = columns * (THUMBNAIL_SIDE + GAP) + GAP
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, width // 8)]
    top = GAP + 2 * LINE_HEIGHT
    bottom = top + -(-len(shown) // columns) * (FACE_HEIGHT + GAP)
    picture = Image.new("RGB", (width, bottom + len(lines) * LINE_HEIGHT + GAP), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((GAP, GAP), title, "black", large)
    for i, (rank, face) in enumerate(shown):
        x, y = GAP + i % columns * (THUMBNAIL_SIDE + GAP), top + i // columns * (FACE_HEIGHT + GAP)
        picture.paste(Image.open(io.BytesIO(face.jpeg)), (x, y))
        _label(draw, x, y, face, sheet)
        _write_text(draw, x, y + THUMBNAIL_SIDE + 9, _text(rank, face, sheet.rated), medium, small)
    for i, line in enumerate(lines):
        draw.text((GAP, bottom + i * LINE_HEIGHT), line, "black", small)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _label(draw: ImageDraw.ImageDraw, x: int, y: int, face: RankedFace, sheet: Sheet) -> None:
    """A frame around a face that was asked about among others, and a bar in the colour of the score under each."""
    if face.is_query and sheet.compares:
        draw.rectangle((x - 4, y - 4, x + THUMBNAIL_SIDE + 3, y + THUMBNAIL_SIDE + 3), outline=RAISES, width=4)
    bar = (x, y + THUMBNAIL_SIDE, x + THUMBNAIL_SIDE - 1, y + THUMBNAIL_SIDE + 5)
    draw.rectangle(bar, fill=score_colour(face.score, sheet.scale))


def _write_text(draw: ImageDraw.ImageDraw, x: int, y: int, text: _Text, medium: Font, small: Font) -> None:
    draw.text((x, y), text.score, "black", medium)
    draw.text((x, y + 1.3 * LINE_HEIGHT), text.percentile, GREY, small)
    draw.text((x, y + 2.2 * LINE_HEIGHT), _fitting(draw, text.name, small), "black", small)
    draw.text((x, y + 3.1 * LINE_HEIGHT), _fitting(draw, text.warnings, small), RAISES, small)


def _font(size: int, text: str) -> Font:
    """Pillow's own, or for letters that it lacks the first of FONTS that is there."""
    if not all(ord(c) < MAX_OWN_FONT for c in text):
        for name in FONTS:
            with contextlib.suppress(OSError):
                return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: Font) -> str:
    """The text, its middle left out if it is wider than a face."""
    length, cut = len(text), text
    while draw.textlength(cut, font) > THUMBNAIL_SIDE and length > 4:
        length -= 1
        cut = f"{text[: length // 2]}...{text[len(text) - length // 2 :]}"
    return cut


def _page(title: str, shown: Sequence[tuple[int, RankedFace]], sheet: Sheet) -> bytes:
    from beauty_evaluate.reporting.html import render as fill  # late: Jinja2, which a picture does without

    faces = [
        {
            **vars(_text(rank, face, sheet.rated)),
            "jpeg": base64.b64encode(face.jpeg).decode(),
            "is_marked": face.is_query and sheet.compares,
        }
        for rank, face in shown
    ]
    page = fill(
        "comparison.html", title=title, about=sheet.about, sentences=sheet.sentences, faces=faces, query_colour=RAISES
    )
    return page.encode()
