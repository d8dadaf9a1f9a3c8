"""A ranking as one picture, to share."""

import contextlib
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from beauty_evaluate.drawing import RAISES, score_colour
from beauty_evaluate.reporting.comparison_report import THUMBNAIL_SIDE, Block, Card, Sheet

MAX_SENTENCES = 12
# Pillow's own font knows Latin letters alone; these of common systems know more.
FONTS = ("NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "PingFang.ttc", "msyh.ttc", "DejaVuSans.ttf", "arial.ttf")
MAX_OWN_FONT = 0x250  # the first letter that Pillow's own font lacks
MAX_COLUMNS, MIN_COLUMNS = 5, 3
GAP, LINE_HEIGHT = 16, 20  # pixels
FACE_HEIGHT = THUMBNAIL_SIDE + 5 * LINE_HEIGHT
HEADING_HEIGHT = 2 * LINE_HEIGHT
FONT_SIZES = (26, 20, 14)  # pixels: of titles, scores, the rest
WARNING_LINES, LETTERS_PER_LINE = 2, 27  # of a reason under a face
GREY = "#555555"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class _Fonts:
    """One for titles, one for scores, one for the rest."""

    large: Font
    medium: Font
    small: Font


def draw_sheet(title: str, blocks: Sequence[Block], sheet: Sheet) -> bytes:
    """The content of a PNG file.

    Args:
        title: over all.
        blocks: of faces, from the top.
        sheet: whose sentences stand at the end.
    """
    sentences = list(sheet.sentences[:MAX_SENTENCES])
    if len(sheet.sentences) > len(sentences):
        sentences.append(f"{len(sheet.sentences) - len(sentences)} more sentences stand in a report as a page (.html).")
    sentences.append(sheet.about)
    letters = "".join([*sentences, *(card.face.name for block in blocks for card in block.cards)])
    fonts = _Fonts(*(_font(size, letters) for size in FONT_SIZES))
    columns = min(MAX_COLUMNS, max(MIN_COLUMNS, *(len(block.cards) for block in blocks)))
    width = columns * (THUMBNAIL_SIDE + GAP) + GAP
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, width // 8)]
    height = GAP + HEADING_HEIGHT + sum(_height(block, columns) for block in blocks) + len(lines) * LINE_HEIGHT + GAP
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((GAP, GAP), title, "black", fonts.large)
    top = GAP + HEADING_HEIGHT
    for block in blocks:
        _draw_block(picture, top, block, columns, sheet, fonts)
        top += _height(block, columns)
    for i, line in enumerate(lines):
        draw.text((GAP, top + i * LINE_HEIGHT), line, "black", fonts.small)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _columns(block: Block, columns: int) -> int:
    """An even number for pairs, so that the two of one stand beside each other."""
    return columns - columns % 2 if block.is_pairs else columns


def _height(block: Block, columns: int) -> int:
    rows = -(-len(block.cards) // _columns(block, columns))
    return rows * _row_height(block) + (HEADING_HEIGHT if block.title else 0)


def _row_height(block: Block) -> int:
    """A reason takes a line more than none."""
    return FACE_HEIGHT + GAP + LINE_HEIGHT * any(card.reasons for card in block.cards)


def _draw_block(picture: Image.Image, top: int, block: Block, columns: int, sheet: Sheet, fonts: _Fonts) -> None:
    draw, columns = ImageDraw.Draw(picture), _columns(block, columns)
    if block.title:
        draw.text((GAP, top), block.title, "black", fonts.medium)
        top += HEADING_HEIGHT
    for i, card in enumerate(block.cards):
        x, y = GAP + i % columns * (THUMBNAIL_SIDE + GAP), top + i // columns * _row_height(block)
        picture.paste(Image.open(io.BytesIO(card.face.jpeg)), (x, y))
        _label(draw, x, y, card, sheet)
        _write_text(draw, x, y + THUMBNAIL_SIDE + 9, card, fonts)


def _label(draw: ImageDraw.ImageDraw, x: int, y: int, card: Card, sheet: Sheet) -> None:
    """A frame around a face that was asked about among others, and a bar in the colour of the score under each."""
    if card.face.is_query and sheet.compares:
        draw.rectangle((x - 4, y - 4, x + THUMBNAIL_SIDE + 3, y + THUMBNAIL_SIDE + 3), outline=RAISES, width=4)
    bar = (x, y + THUMBNAIL_SIDE, x + THUMBNAIL_SIDE - 1, y + THUMBNAIL_SIDE + 5)
    draw.rectangle(bar, fill=score_colour(card.face.score, sheet.scale))


def _write_text(draw: ImageDraw.ImageDraw, x: int, y: int, card: Card, fonts: _Fonts) -> None:
    draw.text((x, y), f"{card.score} {card.margin}", "black", fonts.medium)
    draw.text((x, y + 1.3 * LINE_HEIGHT), _fitting(draw, card.short_standing, fonts.small), GREY, fonts.small)
    draw.text((x, y + 2.2 * LINE_HEIGHT), _fitting(draw, card.face.name, fonts.small), "black", fonts.small)
    reasons = textwrap.wrap("; ".join(card.reasons), LETTERS_PER_LINE, max_lines=WARNING_LINES, placeholder=" ...")
    for i, line in enumerate(reasons):
        draw.text((x, y + (3.1 + 0.9 * i) * LINE_HEIGHT), _fitting(draw, line, fonts.small), RAISES, fonts.small)


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
