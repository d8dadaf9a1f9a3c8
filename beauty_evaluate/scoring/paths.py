"""Which photos a person means, and where what is made of them goes."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from beauty_evaluate import images

MAX_STEM_BYTES = 255 - len("_scored_1000000.jpg")  # of a photo's name, so that the name of its copy fits a file system
COPY_NAME = re.compile(r"_scored(_\d+)?\.jpg$")


def printable(name: str) -> str:
    r"""A file name on one line, without what neither a terminal, a picture nor a page can show.

    Args:
        name: which may hold control characters, and bytes that are not UTF-8.

    Example:
        >>> printable("two\nlines\x07.jpg")
        'two lines\\x07.jpg'
    """
    return "".join(" " if c.isspace() else c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def expand(
    paths: Iterable[str],
    leave_out: Path | None = None,
    written: Iterable[str] = (),
    patterns: bool = True,
    folders: list[str] | None = None,
) -> list[str]:
    """The photos that paths stand for, each once.

    A folder stands for the photos in it and its subfolders, sorted; a pattern (`*`, `?`, `[]`, `**`) for what it
    matches. A folder without photos, one that may not be read and a pattern without a match stand for themselves, and
    fail when they are read.

    Args:
        paths: files, folders and patterns.
        leave_out: folder of annotated copies. Those of an earlier run are left out however they were named, so that the
            same command works twice.
        written: files that the run will write, left out of folders and patterns likewise.
        patterns: whether there are any, or `*` is part of a name.
        folders: a list that gets the folders among the paths.

    Example:
        >>> [Path(path).name for path in expand(["examples"])]
        ['eileen_collins.png', 'grace_hopper.jpg']
    """
    copies, outputs = os.path.realpath(leave_out) if leave_out else None, {os.path.realpath(file) for file in written}

    def is_input(path: str) -> bool:
        return not outputs or os.path.realpath(path) not in outputs

    photos: dict[str, None] = {}
    for path in paths:
        pattern = patterns and glob.has_magic(path) and not os.path.exists(path)
        matches = sorted(glob.glob(path, recursive=True)) if pattern else []
        for match in [match for match in matches if is_input(match)] or [path]:
            if folders is not None and os.path.isdir(match):
                folders.append(match)
            inside = _photos_in(match, copies)
            kept = [photo for photo in inside if is_input(photo)] if inside else [match]
            photos |= dict.fromkeys(photo for photo in kept or [match] if not _is_copy(photo, copies))
    return list(photos)


def _photos_in(path: str, leave_out: str | None) -> list[str]:
    """The photos in a folder, and folders in it that may not be read, sorted; none for a file."""
    if not os.path.isdir(path):
        return []
    unreadable: list[str] = []
    photos = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(path, onerror=lambda error: unreadable.append(error.filename))
        if folder == path or leave_out is None or os.path.realpath(folder) != leave_out
        for name in names
        if name.lower().endswith(images.SUFFIXES)
    ]
    return sorted(photos + unreadable)


def _is_copy(path: str, folder: str | None) -> bool:
    """Whether a path is the folder of copies, or a file in it with the name of a copy. Another photo in that folder is
    none: whoever asks for it should hear that it lies where the copies go."""
    if folder is None:
        return False
    return os.path.realpath(os.path.dirname(path) if COPY_NAME.search(path) else path) == folder


def copy_paths(paths: Iterable[str], folder: Path) -> dict[str, Path]:
    """Where the annotated copy of each photo goes, no two the same.

    Args:
        paths: of the photos. Those of equal name are numbered in their order, so that a run that goes on must name
            first what it did before.
        folder: of the copies.

    Example:
        >>> [path.name for path in copy_paths(["a/me.jpg", "b/me.png"], Path("copies")).values()]
        ['me_scored.jpg', 'me_scored_2.jpg']
    """
    copies: dict[str, Path] = {}
    stems: Counter[str] = Counter()
    for path in dict.fromkeys(paths):
        stem = Path(path).stem
        while len(os.fsencode(stem)) > MAX_STEM_BYTES:
            stem = stem[:-1]
        stems[stem] += 1
        number = f"_{stems[stem]}" if stems[stem] > 1 else ""
        copies[path] = folder / f"{stem}_scored{number}.jpg"
    return copies
