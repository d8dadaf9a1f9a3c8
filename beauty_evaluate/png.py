"""The parts of a PNG that its picture needs.

Pillow refuses a whole PNG for a text that is long or a checksum that is wrong, though every pixel is there.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from beauty_evaluate import limits
from beauty_evaluate.boxes import P3_PRIMARIES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
ORIENTATION_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")  # names of texts that may tell it
DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)  # x and y of red, green and blue, as in cHRM
ADOBE_RGB = (0.640, 0.330, 0.210, 0.710, 0.150, 0.060)
CHROMATICITY_TOLERANCE = 0.002


@dataclass(frozen=True)
class Essence:
    """What is left of a PNG.

    Attributes:
        data: The file without what its picture does not need; the same object if it holds nothing else.
        animated: Whether further pictures follow.
        colours: `Display P3` or `Adobe RGB`, where it says so otherwise than by a profile; empty for sRGB.
    """

    data: bytes
    animated: bool
    colours: str


def essence(data: bytes) -> Essence:
    """Leave out of a PNG what its picture does not need, and what Pillow would refuse it for.

    Args:
        data: The file.

    Returns:
        The rest, which Pillow then judges.

    Example:
        >>> from pathlib import Path
        >>> content = Path("examples/eileen_collins.png").read_bytes()
        >>> essence(content).animated, len(essence(content).data) <= len(content)
        (False, True)
    """
    view = memoryview(data)
    kept, whole, animated, coded, is_srgb = [view[:8]], True, False, 0, False
    primaries: tuple[float, ...] = ()
    for name, start, end in _chunks(data):
        body = data[start + 8 : end - 4] if name in (b"acTL", b"cICP", b"cHRM", b"sRGB") else b""
        if name == b"acTL" and len(body) == 8:
            animated = struct.unpack(">I", body[:4])[0] > 1
        elif name == b"cICP" and len(body) == 4:
            coded = body[0]
        elif name == b"cHRM" and len(body) == 32:
            primaries = tuple(value / 100_000 for value in struct.unpack(">8I", body)[2:])
        is_srgb = is_srgb or name == b"sRGB"
        if name in PICTURE or _is_useful(name, data, start, end):
            kept.append(view[start:end])
        else:
            whole = False
    colours = _colours(coded, () if is_srgb else primaries)
    return Essence(data if whole else b"".join(kept), animated, colours)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and end of each chunk; the last one may be cut off by the end of the file."""
    place = len(SIGNATURE)
    for _ in range(limits.MAX_CHUNKS):
        if place + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, place)
        end = min(place + length + 12, len(data))
        yield name, place, end
        if name == b"IEND":
            return
        place = end


def _is_useful(name: bytes, data: bytes, start: int, end: int) -> bool:
    """Whether an ancillary chunk tells orientation or colours, and is sound."""
    start += 8
    body = data[start : min(end - 4, start + limits.MAX_PROFILE_BYTES)]
    if name in TEXTS:
        useful = body.startswith(ORIENTATION_TEXTS) and end - start < limits.MAX_TEXT_BYTES and _unpacks(name, body)
    elif name == b"iCCP":
        head, _, packed = body.partition(b"\0")
        useful = bool(head) and packed[:1] == b"\0" and _unpacked_size(packed[1:]) <= limits.MAX_TEXT_BYTES
    else:
        useful = name == b"eXIf"
    return useful and _checksum(name, body) == data[end - 4 : end]


def _unpacks(name: bytes, body: bytes) -> bool:
    """Whether a text is short once it is unpacked."""
    rest = body.partition(b"\0")[2]
    if name == b"zTXt":
        return rest[:1] == b"\0" and _unpacked_size(rest[1:]) <= limits.MAX_TEXT_BYTES
    if name == b"iTXt" and rest[:1] == b"\1":
        return _unpacked_size(rest[2:].split(b"\0", 2)[-1]) <= limits.MAX_TEXT_BYTES
    return True


def _unpacked_size(packed: bytes) -> int:
    """Bytes, counted to just above the limit; above it too for what cannot be unpacked."""
    unpacker = zlib.decompressobj()
    try:
        size = len(unpacker.decompress(packed, limits.MAX_TEXT_BYTES))
    except zlib.error:
        return limits.MAX_TEXT_BYTES + 1
    return size + bool(unpacker.unconsumed_tail)


def _checksum(name: bytes, body: bytes) -> bytes:
    return zlib.crc32(body, zlib.crc32(name)).to_bytes(4, "big")


def _colours(coded: int, primaries: tuple[float, ...]) -> str:
    if coded:
        return "Display P3" if coded == P3_PRIMARIES else ""
    for name, expected in (("Display P3", DISPLAY_P3), ("Adobe RGB", ADOBE_RGB)):
        if len(primaries) == 6 and all(
            abs(a - b) <= CHROMATICITY_TOLERANCE for a, b in zip(primaries, expected, strict=True)
        ):
            return name
    return ""
