"""What the header of a JPEG says of the memory that its decoder will take."""

from dataclasses import dataclass

from beauty_evaluate import limits

END = b"\xff\xd9"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers that begin a frame: SOF0 ... SOF15
PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
SCAN = 0xDA
WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xDA)))
# Endings that differ in what they would add to a picture that lacks its last bytes: if all of these give one picture,
# nothing that is seen is missing.
ENDINGS = (END, b"\x00" + b"\x5a\xa5\x3c" * 22 + END)  # a zero, in case the file ends with 255
BYTES_PER_PIXEL = 4  # that Pillow holds


@dataclass(frozen=True)
class Header:
    """Of a JPEG, up to its first scan.

    Attributes:
        width, height: pixels.
        sampling: of each component, how many times as many samples as the coarsest has, across and down.
        buffered: whether the decoder holds the whole picture as coefficients: a progressive one, or one whose
            components come one after the other.
        scalable: whether it can be decoded smaller.
        file_bytes: of the whole file.
    """

    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]
    buffered: bool
    scalable: bool
    file_bytes: int

    @property
    def coefficient_bytes(self) -> float:
        """Bytes a pixel that the decoder holds as coefficients, 2 for each."""
        across, down = (max((s[axis] for s in self.sampling), default=1) or 1 for axis in (0, 1))
        return 2 * sum(h * v for h, v in self.sampling) / (across * down) if self.buffered else 0

    @property
    def reduction(self) -> int | None:
        """How many times smaller a side must be decoded so that memory suffices; None if no reduction does.

        Example:
            >>> Header(12_000, 9_000, ((2, 2), (1, 1), (1, 1)), False, True, 9_000_000).reduction
            2
        """
        pixels = self.width * self.height
        for side in limits.JPEG_REDUCTIONS if self.scalable else (1,):
            decoding = self.file_bytes + pixels * (self.coefficient_bytes + BYTES_PER_PIXEL / side**2)
            if pixels / side**2 <= limits.MAX_PIXELS and decoding <= limits.MAX_DECODING_BYTES:
                return side if pixels <= limits.MAX_JPEG_PIXELS else None
        return None


def header(data: bytes) -> Header | None:
    """Read the header of a JPEG.

    Args:
        data: The file.

    Returns:
        The header; None if it is damaged.

    Example:
        >>> from pathlib import Path
        >>> header(Path("examples/grace_hopper.jpg").read_bytes()).buffered
        False
    """
    place, frame, marker = 2, b"", 0
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 <= len(data):
        kind = data[place + 1]
        if kind == 0xFF or kind in WITHOUT_LENGTH:
            place += 1 if kind == 0xFF else 2
            continue
        segment = data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")]
        if kind == SCAN:
            return _header(marker, frame, segment[0] if segment else 0, len(data))
        if kind in FRAMES:
            marker, frame = kind, segment
        place += 4 + len(segment)
    return None


def _header(marker: int, frame: bytes, components_in_scan: int, file_bytes: int) -> Header | None:
    if len(frame) < 6:
        return None
    height, width, components = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), frame[5]
    sampling = tuple((byte >> 4, byte & 15) for byte in frame[7 : 6 + 3 * components : 3])
    buffered = marker in PROGRESSIVE or marker in LOSSLESS or components_in_scan < components
    return Header(width, height, sampling, buffered, marker not in LOSSLESS, file_bytes)
