"""How large a photo may be: every limit of the decoders stands here.

They hold a process below 500 MB with the largest photo that is read, of which 120 MB are the program and its networks.
Pillow holds 4 bytes a pixel while our picture, 3 bytes a pixel, is filled from it; some decoders take more beside.
"""

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.formats import title

MAX_BYTES = 64 << 20  # of a file
MIN_SIDE = 32  # pixels
MAX_PIXELS = 50_000_000
MAX_PIXELS_BY_FORMAT = {  # whose decoders hold a picture several times, some as whole numbers of 4 bytes
    "WEBP": 20_000_000,
    "AVIF": 32_000_000,
    "HEIF": 25_000_000,
    "TIFF": 25_000_000,
    "GIF": 25_000_000,
    "JPEG2000": 16_000_000,
    "JXL": 25_000_000,
}
MAX_JPEG_PIXELS = 210_000_000  # what phones of 200 megapixels write; decoded at a half, a quarter or an eighth
JPEG_REDUCTIONS = (1, 2, 4, 8)  # of a side, while it is decoded
MAX_DECODING_BYTES = 350_000_000  # that file, Pillow and libjpeg may take while a JPEG is decoded
EXCLUSIVE_PIXELS = 12_000_000  # from here photos are decoded one at a time: a thread each would multiply their memory
MAX_PROFILE_BYTES = 4 << 20  # of a colour profile; a larger one is left out
MAX_CHUNKS = 200_000  # of a PNG, of 300 bytes each in the largest file
MAX_TEXT_BYTES = 1 << 20  # of a text chunk that may tell the orientation


def check_size(width: int, height: int, name: str = "") -> None:
    """Hold a photo to the limits.

    Args:
        width: Pixels.
        height: Pixels.
        name: The format; empty for a picture that is in memory already.

    Raises:
        PhotoError: With status `too_large` or `too_small`.

    Example:
        >>> check_size(12_000, 9_000, "PNG")
        Traceback (most recent call last):
        beauty_evaluate.errors.PhotoError: Expected at most 50 megapixels of a PNG. Received: 12000 x 9000, 108 megapixels; shrink it or save it as JPEG, of which 210 are read.
    """  # noqa: E501
    most = MAX_PIXELS_BY_FORMAT.get(name, MAX_PIXELS)
    if width * height > most:
        cure = f"shrink it or save it as JPEG, of which {mega(MAX_JPEG_PIXELS)} are read" if name else "shrink it"
        raise PhotoError("too_large", f"{expected(most, name)} Received: {received(width, height)}; {cure}.")
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            "too_small", f"Expected a picture of at least {MIN_SIDE} pixels a side. Received: {width} x {height}."
        )


def expected(most: int, name: str) -> str:
    """What a message on a large photo begins with.

    Example:
        >>> expected(50_000_000, "PNG")
        'Expected at most 50 megapixels of a PNG.'
    """
    return f"Expected at most {mega(most)} megapixels{f' of a {title(name)}' if name else ''}."


def received(width: int, height: int) -> str:
    """What such a message says of the photo.

    Example:
        >>> received(12_000, 9_000)
        '12000 x 9000, 108 megapixels'
    """
    return f"{width} x {height}, {mega(width * height)} megapixels"


def mega(pixels: int) -> str:
    """Millions of pixels.

    Example:
        >>> mega(199_756_800)
        '200'
    """
    return f"{pixels / 1_000_000:.3g}"
