"""Encoded photos: their content, wherever it lies."""

import os
import re
from pathlib import Path
from typing import BinaryIO

from beauty_evaluate import limits
from beauty_evaluate.errors import PhotoError

Encoded = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MOST_OF_AN_ADDRESS = 200  # characters that a message repeats
BYTES_PER_READ = 1 << 20  # of a file object
ADDRESS = re.compile(  # of something that is no file here; a slash may be lost in a Path
    r"(?:https?|ftps?|sftp|s3a?|gs|az|abfss?|wasbs?|hdfs|smb|hf|file|data):|[a-z][a-z0-9+.-]+://", re.IGNORECASE
)


class Piped(str):
    """The name of a photo whose content came with it, on a pipe: `-`.

    Attributes:
        content: of the photo.

    Example:
        >>> photo = Piped("-", b"GIF89a")
        >>> photo, bytes_of(photo)
        ('-', b'GIF89a')
    """

    content: bytes

    def __new__(cls, name: str, content: bytes) -> "Piped":
        """Make it of a name and a content."""
        photo = super().__new__(cls, name)
        photo.content = content
        return photo

    def __getnewargs__(self) -> tuple[str, bytes]:  # type: ignore[override]
        return str(self), self.content


def is_file(name: str) -> bool:
    """Whether a photo's name is that of a file, which a photo on a pipe has none of.

    Example:
        >>> is_file("examples/grace_hopper.jpg"), is_file(Piped("examples/grace_hopper.jpg", b"GIF89a"))
        (True, False)
    """
    return not isinstance(name, Piped) and os.path.isfile(name)


def bytes_of(source: Encoded) -> bytes:
    """Fetch the content of a photo's file.

    Args:
        source: A path, the content itself, or a file opened in binary mode, which is read from its beginning.

    Returns:
        The content, from 1 byte to limits.MAX_BYTES.

    Raises:
        PhotoError: With status `missing`, `unreadable`, `too_large`, or `no_photos` for a folder.

    Example:
        >>> bytes_of("examples/grace_hopper.jpg")[:3]
        b'\\xff\\xd8\\xff'
    """
    content = _content(source)
    if not content:
        raise PhotoError("unreadable", "The file is empty; save or download the photo again.")
    return content


def _content(source: Encoded) -> bytes:
    if isinstance(source, Piped):
        _check_bytes(len(source.content))
        return source.content
    if isinstance(source, str | os.PathLike):
        return _bytes_at(os.fspath(source))
    if isinstance(source, bytes | bytearray | memoryview):
        _check_bytes(memoryview(source).nbytes)
        return bytes(source)
    if hasattr(source, "read"):
        return _bytes_in(source)
    raise PhotoError(
        "unreadable",
        f"Expected a path, bytes, a binary file object, a PIL picture or an array. Received: {type(source).__name__}.",
    )


def local(name: str) -> str:
    """A path with `~` or `~someone` at its beginning replaced by the folder it stands for.

    Args:
        name: As it was given. A file of exactly that name is meant before any folder.

    Example:
        >>> local("me.jpg")
        'me.jpg'
    """
    return os.path.expanduser(name) if name.startswith("~") and not os.path.lexists(name) else name


def _bytes_at(given: str | bytes) -> bytes:
    text = local(os.fsdecode(given))
    path = Path(text)
    name = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)  # one line
    if ADDRESS.match(text) and not os.path.lexists(text):
        name = name if len(name) <= MOST_OF_AN_ADDRESS else f"{name[:MOST_OF_AN_ADDRESS]}..."
        raise PhotoError("missing", f"Addresses are not fetched: {name}; download the photo and give its path.")
    try:
        if path.is_dir():
            os.scandir(path).close()  # a folder that may not be read says so
            raise PhotoError("no_photos", f"No photos in the folder {name}; it needs .jpg, .png, .heic or the like.")
        if path.exists() and not path.is_file():
            raise PhotoError("unreadable", f"Not a file: {name}; give a photo or a folder of photos.")
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError("missing", f"No such file: {name}.") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise PhotoError("unreadable", f"Cannot read {name}: {reason}; check its name and permissions.") from error


def _bytes_in(file: BinaryIO) -> bytes:
    content = bytearray()
    try:
        if hasattr(file, "seekable") and file.seekable():
            file.seek(0)  # as Pillow does: a file that was just written stands at its end
        while len(content) <= limits.MAX_BYTES and (piece := file.read(BYTES_PER_READ)):
            if not isinstance(piece, bytes):
                raise PhotoError("unreadable", "Expected a file in binary mode. Received: text; open it with 'rb'.")
            content += piece
    except (OSError, ValueError) as error:  # ValueError: it was closed, or its text cannot be decoded
        reason = " ".join(str(error).split())
        raise PhotoError("unreadable", f"Cannot read the file object: {reason}; open it again with 'rb'.") from error
    _check_bytes(len(content))
    return bytes(content)


def _check_bytes(count: int) -> None:
    if count > limits.MAX_BYTES:
        raise PhotoError(
            "too_large", f"Expected at most {limits.MAX_BYTES >> 20} MB. Received: {count >> 20} MB; save it smaller."
        )
