"""A comparison to look at and to share: one picture, or one page."""

import base64
import contextlib
import io
import textwrap
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from beauty_evaluate.drawing import RAISES, score_colour
from beauty_evaluate.errors import UserError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.reporting.html import Section, page, paragraph
from beauty_evaluate.scoring.compare import THUMBNAIL, Entry, ranked

SUFFIXES = (".png", ".html")
MOST = {".png": 60, ".html": 1000}  # faces that are shown; the sentences are about all
MOST_SENTENCES = 12  # in a picture
# Pillow's own font knows Latin letters alone; these of common systems know more.
FONTS = ("NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "PingFang.ttc", "msyh.ttc", "DejaVuSans.ttf", "arial.ttf")
COLUMNS, GAP, LINE = 5, 16, 20  # of the picture; pixels
CARD = THUMBNAIL + 5 * LINE
ABOUT = (
    "The scores estimate the mean taste of 60 raters about frontal photos. They do not measure anyone's worth; light, "
    "lens and a smile move them. Of faces unlike the data set's (other origins, children, over 60, turned heads) they "
    "say little."
)


def check(path: Path) -> None:
    """UserError for a file that is neither a picture nor a page."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"Expected --report with a name that ends in .png or .html. Received: {path}.")


def write(path: Path, faces: Sequence[Entry], sentences: Sequence[str], rated: int) -> None:
    """Write the ranking of the faces as the suffix says. rated: number of faces behind a percentile. UserError for no
    face or another suffix."""
    check(path)
    write_atomic(path, drawn(path.suffix.lower(), faces, sentences, rated))


def drawn(suffix: str, faces: Sequence[Entry], sentences: Sequence[str], rated: int) -> bytes:
    """As `write`, the content of the file alone. suffix: one of SUFFIXES."""
    if not faces:
        raise UserError("Expected a face to report on. Received: photos without one.")
    shown = _shown(ranked(faces), MOST[suffix])
    title = f"{len(faces)} face{'s' * (len(faces) > 1)}, ranked by score"
    if len(shown) < len(faces):
        title += f"; {len(shown)} of them are shown"
    return {".png": _picture, ".html": _page}[suffix](title, shown, sentences, rated)


def _shown(order: Sequence[Entry], most: int) -> list[tuple[int, Entry]]:
    """Ranks and faces: all, or the first and the user's own."""
    compared = any(not entry.mine for entry in order)
    numbered = list(enumerate(order, 1))
    own = [pair for pair in numbered if compared and pair[1].mine][:most]
    kept = {rank for rank, _ in [*own, *numbered[: most - len(own)]]}
    return [pair for pair in numbered if pair[0] in kept]


def _facts(rank: int, entry: Entry, rated: int) -> tuple[str, str, str, str]:
    """Rank and score; percentile; name; why the score means little, if it does."""
    half = "" if entry.half is None else f" \N{PLUS-MINUS SIGN} {entry.half:.2f}"
    return (
        f"{rank}.  {entry.score:.2f}{half}",
        f"higher than {entry.row.percentile:.0f} % of {rated}",
        entry.name,
        _careful(entry),
    )


def _careful(entry: Entry) -> str:
    return f"means little: {entry.row.warnings.replace(';', ', ')}" if entry.row.warnings else ""


def _picture(title: str, shown: Sequence[tuple[int, Entry]], sentences: Sequence[str], rated: int) -> bytes:
    told = list(sentences[:MOST_SENTENCES])
    if len(sentences) > len(told):
        told.append(f"{len(sentences) - len(told)} more sentences stand in a report as a page (.html).")
    texts = [*told, ABOUT, *(entry.name for _, entry in shown)]
    large, medium, small = (_font(size, "".join(texts)) for size in (26, 20, 14))
    columns = min(COLUMNS, max(3, len(shown)))
    width = columns * (THUMBNAIL + GAP) + GAP
    lines = [part for sentence in [*told, ABOUT] for part in textwrap.wrap(sentence, width // 8)]
    top = GAP + 2 * LINE
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (width, top + rows * (CARD + GAP) + len(lines) * LINE + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, GAP), title, "black", large)
    compared = any(not entry.mine for _, entry in shown)
    for i, (rank, entry) in enumerate(shown):
        x, y = GAP + i % columns * (THUMBNAIL + GAP), top + i // columns * (CARD + GAP)
        sheet.paste(Image.open(io.BytesIO(entry.jpeg)), (x, y))
        if entry.mine and compared:
            draw.rectangle((x - 4, y - 4, x + THUMBNAIL + 3, y + THUMBNAIL + 3), outline=RAISES, width=4)
        draw.rectangle((x, y + THUMBNAIL, x + THUMBNAIL - 1, y + THUMBNAIL + 5), fill=score_colour(entry.score))
        score, share, name, careful = _facts(rank, entry, rated)
        draw.text((x, y + THUMBNAIL + 9), score, "black", medium)
        draw.text((x, y + THUMBNAIL + 9 + 1.3 * LINE), share, "#555555", small)
        draw.text((x, y + THUMBNAIL + 9 + 2.2 * LINE), _fitting(draw, name, small), "black", small)
        draw.text((x, y + THUMBNAIL + 9 + 3.1 * LINE), _fitting(draw, careful, small), RAISES, small)
    for i, line in enumerate(lines):
        draw.text((GAP, top + rows * (CARD + GAP) + i * LINE), line, "black", small)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _font(size: int, text: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, or for letters that it lacks the first of FONTS that is there."""
    if not all(ord(c) < 0x250 for c in text):
        for name in FONTS:
            with contextlib.suppress(OSError):
                return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The text, its middle left out if it is wider than a face."""
    kept, cut = len(text), text
    while draw.textlength(cut, font) > THUMBNAIL and kept > 4:
        kept -= 1
        cut = f"{text[: kept // 2]}...{text[len(text) - kept // 2 :]}"
    return cut


def _page(title: str, shown: Sequence[tuple[int, Entry]], sentences: Sequence[str], rated: int) -> bytes:
    compared = any(not entry.mine for _, entry in shown)
    cards = []
    for rank, entry in shown:
        score, share, name, careful = (escape(text) for text in _facts(rank, entry, rated))
        mine = ' class="mine"' if entry.mine and compared else ""
        source = f"data:image/jpeg;base64,{base64.b64encode(entry.jpeg).decode()}"
        cards.append(
            f'<li{mine}><img alt="{name}" src="{source}"><b>{score}</b><br>{share}<br>{name}<br>{careful}</li>'
        )
    said = "".join(paragraph(sentence) for sentence in sentences)
    sections = [Section("What it says", said)] if said else []
    sections.append(Section("The faces", f'<ol class="cards">{"".join(cards)}</ol>'))
    return page(title, f"<h1>{escape(title)}</h1>{paragraph(ABOUT, 'note')}", sections).encode()
