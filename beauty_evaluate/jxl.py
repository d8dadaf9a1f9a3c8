"""The size of a JPEG XL, whose decoder tells it only together with the pixels."""

from beauty_evaluate.boxes import boxes

RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height, by number from 1
SIZE_BITS = (9, 13, 18, 30)  # of a side, by a number of 2 bits before it
CODESTREAM = b"\xff\x0a"


def size(data: bytes) -> tuple[int, int] | None:
    """Read width and height (ISO/IEC 18181-1, SizeHeader).

    Args:
        data: The file, a bare codestream or a container.

    Returns:
        Width and height in pixels; None if the header is damaged.

    Example:
        >>> size(b"\\xff\\x0a" + (0b001_00111_1).to_bytes(8, "little"))
        (64, 64)
    """
    start = _codestream(data)
    if start is None or data[start : start + 2] != CODESTREAM:
        return None
    bits = _Bits(int.from_bytes(data[start + 2 : start + 14], "little"))
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    width = height * RATIOS[ratio - 1][0] // RATIOS[ratio - 1][1] if ratio else _side(bits, small)
    return width, height


class _Bits:
    """A number that is read from its lowest bit up."""

    def __init__(self, number: int) -> None:
        self.number = number

    def take(self, count: int) -> int:
        value = self.number & ((1 << count) - 1)
        self.number >>= count
        return value


def _side(bits: _Bits, small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.take(SIZE_BITS[bits.take(2)]) + 1


def _codestream(data: bytes) -> int | None:
    """Where it begins: at once, or in the first box of a container that holds it or a part of it."""
    if data.startswith(CODESTREAM):
        return 0
    for kind, start, _ in boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            return start + (4 if kind == b"jxlp" else 0)  # behind the number of the part
    return None
