"""The orientation that a camera wrote beside the pixels.

Pillow's own reader of EXIF warns of damage, and a library must not silence the warnings of its host.
"""

import contextlib
import re
import struct
from collections.abc import Mapping
from typing import Any

ORIENTATION = 0x0112  # its number in EXIF
INTEGERS = {1: "B", 3: "H", 4: "I"}  # TIFF's number of a type -> that of `struct`
PREFIXES = re.compile(rb"^(?:Exif\0\0)*")
XMP_ORIENTATION = re.compile(r'tiff:Orientation(?:="|>)([1-8])')


def orientation(info: Mapping[Any, Any]) -> int:
    """Find out how a camera was turned.

    Args:
        info: The `info` of a PIL picture: `exif`, or else the profile of ImageMagick, or else XMP.

    Returns:
        The EXIF orientation; 1, upright, where the tag is damaged or missing: the pixels are good all the same.

    Example:
        >>> from PIL import Image
        >>> block = Image.Exif()
        >>> block[ORIENTATION] = 6
        >>> orientation({"exif": block.tobytes()})
        6
        >>> orientation({})
        1
    """
    exif = info.get("exif")
    if exif is None and isinstance(profile := info.get("Raw profile type exif"), str):  # as ImageMagick writes PNG
        with contextlib.suppress(ValueError):
            exif = bytes.fromhex("".join(profile.split("\n")[3:]))
    tag = _orientation_tag(exif) if isinstance(exif, bytes) else None
    if tag is not None:
        return tag
    xmp = info.get("XML:com.adobe.xmp") or info.get("xmp") or ""
    match = XMP_ORIENTATION.search(xmp.decode("latin-1") if isinstance(xmp, bytes) else str(xmp))
    return int(match[1]) if match else 1


def _orientation_tag(exif: bytes) -> int | None:
    """Of the first directory of a block of EXIF, which is built like a TIFF file."""
    exif = PREFIXES.sub(b"", exif, count=1)
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    with contextlib.suppress(struct.error):  # it ends too soon
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, directory)
        for place in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", exif, place)
            if tag == ORIENTATION and count == 1 and kind in INTEGERS:
                return int(struct.unpack_from(order + INTEGERS[kind], exif, place + 8)[0])
    return None
