"""A ranking as one page, which sorts and filters itself where scripts may run."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from beauty_evaluate.drawing import RAISES
from beauty_evaluate.encoded import is_file
from beauty_evaluate.phrases import parts_of, plain_warnings
from beauty_evaluate.reporting.comparison_report import Block, Card, Sheet
from beauty_evaluate.reporting.html import render as fill

MAX_JUMPS = 30  # links to the faces that were asked about


def link(file: str, folder: Path) -> str:
    """The address of a photo on a page: relative where one drive holds both; "" if there is no such file.

    Args:
        file: path of the photo.
        folder: of the page.

    Example:
        >>> link("examples/grace_hopper.jpg", Path("runs"))
        '../examples/grace_hopper.jpg'
    """
    if not is_file(file):
        return ""
    try:
        relative = os.path.relpath(os.path.abspath(file), os.path.abspath(folder))
    except ValueError:  # another drive of Windows
        return Path(os.path.abspath(file)).as_uri()
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def page(title: str, blocks: Sequence[Block], sheet: Sheet, folder: Path | None) -> bytes:
    """The content of an HTML file.

    Args:
        title: over all.
        blocks: of faces, from the top.
        sheet: whose sentences stand before them.
        folder: of the page, from which it links to the photos; None for no links.
    """
    every = [card for block in blocks if not block.is_pairs for card in block.cards]
    queries = [card for card in every if card.face.is_query and sheet.compares]
    reasons = {word: plain_warnings(word)[0] for card in every for word in card.face.warnings.split(";") if word}
    in_pairs = {pair.sentence for pair in sheet.pairs}
    text = fill(
        "comparison.html",
        title=title,
        about=sheet.about,
        sentences=[sentence for sentence in sheet.sentences if sentence not in in_pairs],
        pairs=[
            {"faces": [_shown_card(card, sheet, folder) for card in two], "sentence": pair.sentence}
            for pair, two in zip(sheet.pairs, _twos(blocks), strict=False)
        ],
        blocks=[
            {"title": block.title or "The faces", "faces": [_shown_card(card, sheet, folder) for card in block.cards]}
            for block in blocks
            if not block.is_pairs
        ],
        jumps=[{"rank": card.rank, "name": card.face.name} for card in queries[:MAX_JUMPS]],
        reasons=reasons,
        persons=sorted({card.face.person for card in every if card.face.person}),
        scale=sheet.scale,
        count=len(every),
        query_colour=RAISES,
    )
    return text.encode()


def _twos(blocks: Sequence[Block]) -> list[tuple[Card, Card]]:
    """The cards of before and after."""
    cards = [card for block in blocks if block.is_pairs for card in block.cards]
    return list(zip(cards[::2], cards[1::2], strict=True))


def _shown_card(card: Card, sheet: Sheet, folder: Path | None) -> dict[str, Any]:
    """A card for the template."""
    return {
        "rank": card.rank,
        "score": card.score,
        "margin": card.margin,
        "value": f"{card.face.score:.4f}",
        "standing": card.standing,
        "name": card.face.name,
        "person": card.face.person,
        "warnings": card.face.warnings.replace(";", " "),
        "reasons": card.reasons,
        "parts": parts_of(card.face.parts),
        "jpeg": base64.b64encode(card.face.jpeg).decode(),
        "link": link(card.face.file, folder) if folder is not None and card.face.file else "",
        "is_marked": card.face.is_query and sheet.compares,
    }
