"""Flags for what people do with scores: the best photos, XMP files, tables for Excel; and what is said of them."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported when a command runs, so that a missing package is one sentence
    from beauty_evaluate.scoring.job import Summary
    from beauty_evaluate.scoring.rows import Row

MOST_LINES = 20  # photos that are named one by one


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--sort", action="store_true", help="highest score first, on the screen and in tables")
    parser.add_argument("--excel", action="store_true", help="mark the CSV as UTF-8, so that Excel reads all names")
    parser.add_argument("--xmp", action="store_true", help="write the score into PHOTO.xmp beside each photo")
    parser.add_argument("--top", type=int, metavar="K", help="name the K best photos at the end, doubtful ones last")
    parser.add_argument("--best-of-burst", action="store_true", help="name the best of near-duplicates alone")
    parser.add_argument("--best-of-person", action="store_true", help="name the best of each person's folder alone")
    parser.add_argument("--copy-to", type=Path, metavar="DIR", help="copy those files here; nothing is written over")


def wishes(options: argparse.Namespace) -> dict[str, Any]:
    """The flags as arguments of `Outputs`."""
    from beauty_evaluate.scoring.picks import Picks

    picks = Picks(options.top, options.best_of_burst, options.best_of_person, options.copy_to)
    return {"excel": options.excel, "sort": options.sort, "xmp": options.xmp, "picks": picks}


def wish_lines(summary: "Summary") -> Iterator[str]:
    """What came of them."""
    from beauty_evaluate.scoring.paths import printable

    if summary.picked:
        count, photos = len(summary.picked), len(summary.candidates)
        yield f"The best {count} of {photos} photo{'s' * (photos != 1)}:"
        for photo, copy in summary.picked[:MOST_LINES]:
            to = f" -> {printable(str(copy))}" if copy else ""
            yield f"  {printable(photo.file)}: {photo.row.score:.2f}{doubt(photo.row)}{to}"
        if count > MOST_LINES:
            yield f"  and {count - MOST_LINES} more."
    if written := summary.sidecars[True]:
        yield f"Written: scores beside {written} photo{'s' * (written > 1)} (.xmp)."
    if others := summary.sidecars[False]:
        files = f"{others} .xmp file{'s' * (others > 1)} of another program"
        yield f"Left alone: {files}. Move {'them' if others > 1 else 'it'} away to have scores there."


def doubt(row: "Row") -> str:
    """Why a score means little, to stand behind it; "" where it does not."""
    from beauty_evaluate.phrases import plain_warnings

    return f"; means little: {', '.join(plain_warnings(row.warnings))}" if row.is_doubtful else ""
