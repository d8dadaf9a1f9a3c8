"""Which photos a person means, and where what is made of them goes."""

import glob
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from beauty_evaluate import limits
from beauty_evaluate.encoded import ADDRESS, Piped, local
from beauty_evaluate.errors import UserError
from beauty_evaluate.formats import SUFFIXES, picture_format
from beauty_evaluate.kinds import ending, what_it_is

MAX_STEM_BYTES = 255 - len("_scored_1000000.jpg")  # of a photo's name, so that the name of its copy fits a file system
JUNK = (".ds_store", "thumbs.db", "desktop.ini")  # what systems leave in every folder, which nobody misses
HEAD = 4096  # bytes of standard input that tell a picture from a list
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
    left_out: Counter[str] | None = None,
) -> list[str]:
    """The photos that paths stand for, each once.

    A folder stands for the photos in it and its subfolders, sorted; a pattern (`*`, `?`, `[]`, `**`) for what it
    matches; `~` for someone's own folder. Links to folders inside are not followed: they may go round in a circle. A
    folder without photos, one that may not be read and a pattern without a match stand for themselves, and fail when
    they are read.

    Args:
        paths: files, folders and patterns.
        leave_out: folder of annotated copies. Those of an earlier run are left out however they were named, so that the
            same command works twice.
        written: files that the run will write, left out of folders and patterns likewise.
        patterns: whether there are any, or `*` is part of a name.
        folders: a list that gets the folders among the paths.
        left_out: gets the number of other files in folders, by `kinds.ending`.

    Example:
        >>> [Path(path).name for path in expand(["examples"])]
        ['eileen_collins.png', 'grace_hopper.jpg']
    """
    copies, outputs = os.path.realpath(leave_out) if leave_out else None, {os.path.realpath(file) for file in written}

    def is_input(path: str) -> bool:
        return not outputs or os.path.realpath(path) not in outputs

    photos: dict[str, None] = {}
    for path in paths:
        path = path if isinstance(path, Piped) else local(path)
        pattern = patterns and glob.has_magic(path) and not os.path.exists(path) and not ADDRESS.match(path)
        matches = sorted(set(_matches(path))) if pattern else []
        for match in [match for match in matches if is_input(match)] or [path]:
            if folders is not None and os.path.isdir(match):
                folders.append(match)
            inside, others = _photos_in(match, copies)
            if left_out is not None:
                left_out.update(ending(name) for name in others if is_input(name))
            kept = [photo for photo in inside if is_input(photo)] if inside else [match]
            photos |= dict.fromkeys(photo for photo in kept or [match] if not _is_copy(photo, copies))
    return list(photos)


def _matches(pattern: str) -> Iterator[str]:
    """As `glob` with `recursive`, but `**` does not follow links to folders, since a circle of them would not end."""
    parts = pattern.split(os.sep)
    if "**" not in parts:
        yield from glob.iglob(pattern)
        return
    place = parts.index("**")
    top, rest = os.sep.join(parts[:place]), os.sep.join(parts[place + 1 :])
    tops = glob.iglob(top) if top else [os.sep if place else ""]
    for start in tops:
        for folder, below, names in os.walk(start or os.curdir):
            below[:] = [name for name in below if not name.startswith(".")]
            inside = os.path.join(start, os.path.relpath(folder, start)) if start else folder
            inside = "" if os.path.normpath(inside) == os.curdir else os.path.normpath(inside)
            if rest:
                yield from _matches(os.path.join(glob.escape(inside), rest))
            else:
                matches = (os.path.join(inside, name) for name in (*below, *names) if not name.startswith("."))
                yield from (match for match in matches if not (os.path.islink(match) and os.path.isdir(match)))


def _photos_in(path: str, leave_out: str | None) -> tuple[list[str], list[str]]:
    """The photos in a folder, and folders in it that may not be read, sorted; and what else it holds. Nothing for a
    file."""
    photos: list[str] = []
    others: list[str] = []
    if not os.path.isdir(path):
        return photos, others
    for folder, below, names in os.walk(path, onerror=lambda error: photos.append(error.filename)):
        if folder != path and leave_out is not None and os.path.realpath(folder) == leave_out:
            continue
        others += [os.path.join(folder, name, "") for name in below if os.path.islink(os.path.join(folder, name))]
        for name in names:
            small = name.lower()
            is_photo = small.endswith(SUFFIXES) and not small.startswith("._")
            if is_photo or small not in JUNK:
                (photos if is_photo else others).append(os.path.join(folder, name))
    return sorted(photos), others


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


def from_stream(stream: BinaryIO) -> Iterable[str]:
    r"""What somebody sends through a pipe: one picture, or the paths of photos, one a line.

    Args:
        stream: in binary mode, read once from where it stands.

    Returns:
        One `Piped` photo called `-`; or paths, whose bytes need not be UTF-8. Lists in UTF-16 and with a byte order
        mark are read as well; empty lines are left out.

    Raises:
        UserError: the list cannot be read; when the first of its paths is asked for.

    Example:
        >>> import io
        >>> list(from_stream(io.BytesIO(b"a.jpg\n\nb.jpg\n")))
        ['a.jpg', 'b.jpg']
        >>> list(from_stream(io.BytesIO("a.jpg\r\n".encode("utf-16"))))
        ['a.jpg']
    """
    head = stream.read(HEAD)
    encoding = _utf16(head)
    if encoding is None and _is_file(head):
        return [Piped("-", head + stream.read(limits.MAX_BYTES + 1 - len(head)))]
    return _utf16_lines(head + stream.read(), encoding) if encoding else _lines(head, stream)


def _is_file(head: bytes) -> bool:
    """Whether this begins a photo, or a file that somebody took for one; no list holds zeros."""
    if b"\0" in head:
        return (picture_format(head) or what_it_is(head)) is not None
    return head.lstrip().startswith(b"<") and "a text file" not in (what_it_is(head) or "")


def _utf16(head: bytes) -> str | None:
    """The encoding of a list that is UTF-16, with a byte order mark or with every other byte zero."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    pairs = len(head) // 2
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        other = head[1 - start :: 2]
        if pairs and head[start::2].count(0) > 0.8 * pairs and 0 not in other:
            return encoding
    return None


def _utf16_lines(content: bytes, encoding: str) -> Iterator[str]:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"The list on standard input is not whole UTF-16: {error.reason}. Save it as UTF-8.") from error
    lines = (line.rstrip("\r") for line in text.lstrip("\ufeff").split("\n"))
    yield from (line for line in lines if line.strip())


def _lines(head: bytes, stream: BinaryIO) -> Iterator[str]:
    first = (head + stream.readline()).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for line in itertools.chain(first, stream):
        if b"\0" in line:
            raise UserError("The list has NULs between its paths, not line ends. Use find with -print, not -print0.")
        if line.strip():
            yield os.fsdecode(line.rstrip(b"\r\n"))
