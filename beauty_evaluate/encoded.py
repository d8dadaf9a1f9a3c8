"""Encoded photos: their content, wherever it lies, and their format."""

import os
from pathlib import Path
from typing import BinaryIO

from beauty_evaluate.errors import PhotoError

Encoded = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_BYTES = 64 * 1024 * 1024
BYTES_PER_READ = 1 << 20  # of a file object
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".avif", ".heic", ".heif")
SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "BMP": b"BM"}
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # what phones write into bytes 8 to 11
AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")


def bytes_of(source: Encoded) -> bytes:
    """Fetch the content of a photo's file.

    Args:
        source: A path, the content itself, or a file opened in binary mode, which is read from its beginning.

    Returns:
        The content, from 1 byte to MAX_BYTES.

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
    if isinstance(source, str | os.PathLike):
        return _bytes_at(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        _check_bytes(memoryview(source).nbytes)
        return bytes(source)
    if hasattr(source, "read"):
        return _bytes_in(source)
    raise PhotoError(
        "unreadable",
        "Expected a path, bytes, a binary file object, a PIL picture or a uint8 array. "
        f"Received: {type(source).__name__}.",
    )


def _bytes_at(path: Path) -> bytes:
    name = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))  # one line
    try:
        if path.is_dir():
            os.scandir(path).close()  # a folder that may not be read says so
            raise PhotoError("no_photos", f"No photos in the folder {name}; it needs files in {', '.join(SUFFIXES)}.")
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
        while len(content) <= MAX_BYTES and (piece := file.read(BYTES_PER_READ)):
            if not isinstance(piece, bytes):
                raise PhotoError("unreadable", "Expected a file in binary mode. Received: text; open it with 'rb'.")
            content += piece
    except (OSError, ValueError) as error:  # ValueError: it was closed, or its text cannot be decoded
        reason = " ".join(str(error).split())
        raise PhotoError("unreadable", f"Cannot read the file object: {reason}; open it again with 'rb'.") from error
    _check_bytes(len(content))
    return bytes(content)


def format_of(data: bytes) -> str:
    """Tell the format of a photo by its content, never by its name.

    Args:
        data: The content of a file.

    Returns:
        `JPEG`, `PNG`, `BMP`, `WEBP`, `AVIF` or `HEIF`.

    Raises:
        PhotoError: With status `unreadable` for any other content.

    Example:
        >>> format_of(bytes_of("examples/eileen_collins.png"))
        'PNG'
    """
    for name, signature in SIGNATURES.items():
        if data.startswith(signature):
            return name
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if _is_heif(data):
        return "HEIF"
    if data[4:8] == b"ftyp" and data[8:12] in AVIF_BRANDS:
        return "AVIF"
    raise PhotoError("unreadable", "Not a JPEG, PNG, WebP, BMP, AVIF or HEIC picture; convert it to JPEG.")


def _is_heif(data: bytes) -> bool:
    """Whether its brands say so. Some programs give AVIF the first brand that it shares with HEIC: the others tell."""
    others = data[16 : min(int.from_bytes(data[:4], "big"), 256)]
    avif = data[8:12] in (b"mif1", b"msf1") and b"avif" in [others[i : i + 4] for i in range(0, len(others), 4)]
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and not avif


def _check_bytes(count: int) -> None:
    if count > MAX_BYTES:
        raise PhotoError(
            "too_large", f"Expected at most {MAX_BYTES >> 20} MB. Received: {count >> 20} MB; save it smaller."
        )
