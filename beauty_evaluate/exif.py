"""What a camera wrote beside the pixels: how it was turned, and which colours it meant.

Pillow's own reader of EXIF warns of damage, and a library must not silence the warnings of its host.
"""

import contextlib
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any

ORIENTATION = 0x0112  # numbers of tags
SUBFILE, SUB_DIRECTORIES, DNG_VERSION, EXIF, INTEROPERABILITY = 0x00FE, 0x014A, 0xC612, 0x8769, 0xA005
INTEROPERABILITY_INDEX = 0x0001
INTEGERS = {1: "B", 3: "H", 4: "I"}  # TIFF's number of a type -> that of `struct`
PREFIXES = re.compile(rb"^(?:Exif\0\0)*")
XMP_ORIENTATION = re.compile(r'tiff:Orientation(?:="|>)([1-8])')


def block(info: Mapping[Any, Any]) -> bytes:
    """Find the block of EXIF of a PIL picture.

    Args:
        info: Its `info`: `exif`, or else the profile that ImageMagick writes into PNG.

    Returns:
        The block, which is built like a TIFF file and may be damaged; empty where there is none.

    Example:
        >>> block({"exif": b"Exif\\0\\0II*\\0"})
        b'II*\\x00'
    """
    exif = info.get("exif")
    if exif is None and isinstance(profile := info.get("Raw profile type exif"), str):
        with contextlib.suppress(ValueError):
            exif = bytes.fromhex("".join(profile.split("\n")[3:]))
    return PREFIXES.sub(b"", exif, count=1) if isinstance(exif, bytes) else b""


def orientation(info: Mapping[Any, Any]) -> int:
    """Find out how a camera was turned.

    Args:
        info: The `info` of a PIL picture: EXIF, or else XMP.

    Returns:
        The EXIF orientation; 1, upright, where the tag is damaged or missing: the pixels are good all the same.

    Example:
        >>> from PIL import Image
        >>> camera = Image.Exif()
        >>> camera[ORIENTATION] = 6
        >>> orientation({"exif": camera.tobytes()})
        6
        >>> orientation({})
        1
    """
    tag = _integer(block(info), ORIENTATION)
    if tag is not None:
        return tag
    xmp = info.get("XML:com.adobe.xmp") or info.get("xmp") or ""
    match = XMP_ORIENTATION.search(xmp.decode("latin-1") if isinstance(xmp, bytes) else str(xmp))
    return int(match[1]) if match else 1


def is_adobe_rgb(info: Mapping[Any, Any]) -> bool:
    """Whether a camera says that it wrote Adobe RGB, which many do without a colour profile (DCF 2.0, `R03`).

    Args:
        info: The `info` of a PIL picture.

    Example:
        >>> is_adobe_rgb({})
        False
    """
    exif = block(info)
    further = _integer(exif, EXIF)
    last = None if further is None else _integer(exif, INTEROPERABILITY, further)
    if last is None:
        return False
    return any(exif[value : value + 3] == b"R03" for tag, _, _, value in _entries(exif, last) if tag == 1)


def is_raw(data: bytes) -> bool:
    """Whether a file that is built like TIFF is a camera's raw file, whose first picture is a thumbnail.

    Args:
        data: The content of the file.

    Example:
        >>> is_raw(b"II*\\0")
        False
    """
    tags = {tag for tag, *_ in _entries(data)}
    thumbnail = (_integer(data, SUBFILE) or 0) & 1
    return DNG_VERSION in tags or (bool(thumbnail) and SUB_DIRECTORIES in tags)


def _integer(exif: bytes, wanted: int, directory: int | None = None) -> int | None:
    """A tag of a directory, the first one unless another's place is given; None where it is damaged or missing."""
    order = _order(exif)
    for tag, kind, count, value in _entries(exif, directory):
        if tag == wanted and count == 1 and kind in INTEGERS:
            with contextlib.suppress(struct.error):
                return int(struct.unpack_from(order + INTEGERS[kind], exif, value)[0])
            return None
    return None


def _entries(exif: bytes, directory: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, count and place of the value (or of its place, where it is longer than 4 bytes)."""
    order = _order(exif)
    if not order:
        return
    with contextlib.suppress(struct.error):  # it ends too soon
        place = struct.unpack_from(order + "I", exif, 4)[0] if directory is None else directory
        (entries,) = struct.unpack_from(order + "H", exif, place)
        for entry in range(place + 2, place + 2 + 12 * entries, 12):
            yield *struct.unpack_from(order + "HHI", exif, entry), entry + 8


def _order(exif: bytes) -> str:
    """Of the bytes in a number, as `struct` writes it; empty if this is no EXIF."""
    return {b"II": "<", b"MM": ">"}.get(exif[:2], "")
