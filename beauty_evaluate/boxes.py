"""Boxes, of which JPEG 2000, JPEG XL, HEIC and AVIF files are built: what their decoders do not tell of colours."""

import struct
from collections.abc import Iterator

MAX_BOXES = 1000  # that are passed by: a damaged file may hold any number
P3_PRIMARIES = 12  # after ITU-T H.273
COLOURS_WITHIN = 1 << 20  # bytes at the beginning of a file that describe its pictures


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Walk along boxes.

    Args:
        data: The file.
        start: Where the first box begins.
        end: Where the last one ends; the end of the file unless given.

    Yields:
        Kind, and where the content begins and ends, within the file.

    Example:
        >>> list(boxes(b"\\x00\\x00\\x00\\x0cftypheic"))
        [(b'ftyp', 8, 12)]
    """
    end = len(data) if end is None else min(end, len(data))
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1 and start + 16 <= end:
            (length,), head = struct.unpack_from(">Q", data, start + 8), 16
        length = length or end - start  # 0: to the end
        if length < head:
            return
        yield kind, start + head, min(start + length, end)
        start += length


def jpeg2000_profile(data: bytes) -> bytes:
    """Find the colour profile of a JPEG 2000.

    Args:
        data: The file.

    Returns:
        The ICC profile; empty where there is none.

    Example:
        >>> jpeg2000_profile(b"\\xff\\x4f\\xff\\x51")
        b''
    """
    for kind, start, end in boxes(data):
        if kind == b"jp2h":
            for inner, begin, stop in boxes(data, start, end):
                if inner == b"colr" and data[begin : begin + 1] in (b"\x02", b"\x03"):  # a restricted or any profile
                    return data[begin + 3 : stop]
            return b""
    return b""


def is_turned(data: bytes) -> bool:
    """Whether a HEIC says itself how it is turned or mirrored, which its decoder then does.

    Args:
        data: The file.

    Example:
        >>> is_turned(bytes((0, 0, 0, 12)) + b"ftypheic")
        False
    """
    spans = [(0, len(data))]
    for wanted, head in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):  # the first is a full box, with version and flags
        inside = [box for span in spans for box in boxes(data, *span)]
        spans = [(start + head, end) for kind, start, end in inside if kind == wanted]
    return any(kind in (b"irot", b"imir") for span in spans for kind, _, _ in boxes(data, *span))


def is_display_p3(data: bytes) -> bool:
    """Whether an AVIF or HEIC names Display P3 by its number, as is done in place of a profile.

    Args:
        data: The file.

    Example:
        >>> is_display_p3(b"colrnclx" + bytes((0, 12, 0, 13, 0, 0, 128)))
        True
    """
    place = data.find(b"colrnclx", 0, COLOURS_WITHIN)
    return place >= 0 and int.from_bytes(data[place + 8 : place + 10], "big") == P3_PRIMARIES
