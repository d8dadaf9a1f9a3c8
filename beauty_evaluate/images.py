"""The only decoder: a file, bytes, a PIL picture or an array in; one RGB picture out.

Nothing here changes what the host process shares with us: neither Pillow's limits and plugins nor warning filters.
`PIL.Image.open` would ask the host's `MAX_IMAGE_PIXELS`, so Pillow's decoders are called directly. They read the header
first, and our own size cap stands between that and the pixels.
"""

import contextlib
import io
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from beauty_evaluate import exif
from beauty_evaluate.encoded import SUFFIXES as SUFFIXES
from beauty_evaluate.encoded import Encoded, bytes_of, format_of
from beauty_evaluate.errors import PhotoError

Picture = NDArray[np.uint8]
Source = Encoded | Image.Image | NDArray[Any]

# Pillow holds 4 bytes a pixel beside our 3, and some decoders several copies more: all in all below 500 MB.
MAX_PIXELS = 50_000_000
MAX_PIXELS_BY_FORMAT = {"WEBP": 20_000_000, "AVIF": 32_000_000, "HEIF": 25_000_000, "progressive": 30_000_000}
MIN_SIDE = 32  # pixels
EXCLUSIVE_PIXELS = 12_000_000  # from here photos are decoded one at a time: a thread each would multiply their memory
ROWS_PER_STRIP = 256  # that are converted at once
FORMATS = ("JPEG", "PNG", "BMP", *(name for name in ("WEBP", "AVIF") if features.check(name.lower())))

# What Pillow's decoders raise for damaged files, and its warnings where the host has made them errors. Neither
# MemoryError nor AttributeError, NameError, AssertionError: those are not the file's fault.
DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RuntimeError),
    *(struct.error, zlib.error, UserWarning),
)

_one_large_photo = threading.Lock()


class _Jpeg(JpegImageFile):
    """Without Pillow's reader of EXIF, which warns of damaged EXIF while the header is read, to learn the dpi."""

    def getexif(self) -> Image.Exif:
        return Image.Exif()


DECODERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": _Jpeg,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "AVIF": AvifImageFile,
}


def read(source: Encoded) -> Picture:
    """Decode one photo.

    Content decides, never the name: JPEG, PNG, WebP, BMP, AVIF, and HEIC where the package pillow-heif is installed.

    Args:
        source: A path, the content of a file, or a file opened in binary mode, which is read from its beginning.

    Returns:
        uint8 (H, W, 3) RGB, turned as the photo's EXIF orientation says. Transparent parts are white, 16-bit grey is
        reduced to 8 bits.

    Raises:
        PhotoError: With status `missing`, `unreadable`, `too_large`, `too_small`, or `no_photos` for a folder.

    Example:
        >>> read("examples/grace_hopper.jpg").shape
        (600, 512, 3)
        >>> with open("examples/grace_hopper.jpg", "rb") as file:
        ...     read(file).dtype
        dtype('uint8')
    """
    data = bytes_of(source)
    decoder = _decoder(format_of(data))
    with _decoding():
        image = decoder(io.BytesIO(data))
    picture, orientation = _decoded(image)
    image.close()  # its pixels go before a turned copy comes
    return _upright(picture, orientation)


def as_picture(source: Source) -> Picture:
    """Take a photo in any form that a program may hold it in.

    Args:
        source: What `read` takes; a PIL picture, turned as its EXIF orientation says; or a uint8 array (H, W),
            (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA, with values 0..255.

    Returns:
        uint8 (H, W, 3) RGB, never a view of the source. Grey is repeated, transparent parts are white.

    Raises:
        PhotoError: As `read`; with status `unreadable` for arrays and objects of any other kind.

    Example:
        >>> as_picture(np.full((40, 60), 7, np.uint8))[0, 0].tolist()
        [7, 7, 7]
        >>> as_picture(Image.new("RGBA", (60, 40), (0, 0, 0, 0)))[0, 0].tolist()
        [255, 255, 255]
        >>> as_picture("examples/grace_hopper.jpg").shape
        (600, 512, 3)
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        if source.mode in ("I", "F"):  # 32 bits: nobody knows which value is white
            raise PhotoError(
                "unreadable",
                f"Expected 8 bits a channel. Received: a PIL picture of mode {source.mode}; scale its values to 0..255 "
                "and convert it to L or RGB.",
            )
        return _upright(*_decoded(source))
    return read(source)


def three_channels(picture: Picture) -> Picture:
    """Repeat the one channel of a grey picture.

    Args:
        picture: uint8 (H, W, 3) or (H, W, 1).

    Returns:
        uint8 (H, W, 3); the same array if it has three channels already.

    Example:
        >>> three_channels(np.zeros((2, 2, 1), np.uint8)).shape
        (2, 2, 3)
    """
    return picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)


@contextlib.contextmanager
def _decoding() -> Iterator[None]:
    """Around calls of Pillow alone: what it raises for a damaged file becomes a PhotoError."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # the host's own, lower limit
        raise PhotoError("too_large", "More megapixels than PIL.Image.MAX_IMAGE_PIXELS allows; shrink it.") from error
    except DECODER_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError("unreadable", f"The picture is damaged ({reason}); save or download it again.") from error


def _from_array(array: NDArray[Any]) -> Picture:
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype != np.uint8 or not is_picture:
        cure = "scale the values to 0..255 and use .astype(np.uint8)" if is_picture else "channels come last"
        raise PhotoError(
            "unreadable",
            "Expected a uint8 array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
            f"Received: {array.dtype} {array.shape}; {cure}.",
        )
    height, width = array.shape[:2]
    _check_size(width, height, MAX_PIXELS)
    if array.ndim == 3 and array.shape[2] == 4:
        return _pixels(Image.fromarray(array))
    return np.array(np.broadcast_to(array.reshape(height, width, -1), (height, width, 3)), order="C")


def _decoder(name: str) -> type[ImageFile.ImageFile]:
    """Of a format. PhotoError without it."""
    if name in FORMATS:
        return DECODERS[name]
    if name != "HEIF":
        raise PhotoError("unreadable", f"This Pillow cannot decode {name}; convert the photo to JPEG.")
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise PhotoError(
            "unreadable", "HEIC needs another package: pip install pillow-heif, or convert the photo to JPEG."
        ) from error
    return HeifImageFile  # type: ignore[no-any-return]


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        limit = f"{max_pixels // 1_000_000} megapixels of this format"
        raise PhotoError("too_large", f"Expected at most {limit}. Received: {width} x {height}; shrink it.")
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            "too_small", f"Expected a picture of at least {MIN_SIDE} pixels a side. Received: {width} x {height}."
        )


def _decoded(image: Image.Image) -> tuple[Picture, int]:
    """Its pixels, uint8 (H, W, 3), not yet turned, and its EXIF orientation."""
    kind = "progressive" if image.info.get("progressive") else image.format or ""  # JPEG
    _check_size(*image.size, MAX_PIXELS_BY_FORMAT.get(kind, MAX_PIXELS))
    with _one_large_photo if image.width * image.height > EXCLUSIVE_PIXELS else contextlib.nullcontext():
        with _decoding():
            image.load()
        return _pixels(image), exif.orientation(image.info)  # PNG may tell the orientation behind the pixels


def _pixels(image: Image.Image) -> Picture:
    """uint8 (H, W, 3). In strips: Pillow's own copies of a large photo take three times its memory."""
    width, height = image.size
    picture = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS_PER_STRIP):
        bottom = min(top + ROWS_PER_STRIP, height)
        with _decoding():
            strip = image.crop((0, top, width, bottom))
        picture[top:bottom] = _rgb(strip)
    return picture


def _rgb(image: Image.Image) -> Picture:
    if image.mode.startswith("I"):  # 16-bit grey
        grey = np.clip(np.asarray(image, dtype=np.int64) >> 8, 0, 255).astype(np.uint8)
        return three_channels(grey[..., None])
    with _decoding():
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image)
        image = image if image.mode == "RGB" else image.convert("RGB")
    return np.asarray(image, dtype=np.uint8)


def _upright(picture: Picture, orientation: int) -> Picture:
    """Turned and mirrored as an EXIF orientation, 1..8, asks for."""
    if orientation in (5, 6, 7, 8):
        picture = picture.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
