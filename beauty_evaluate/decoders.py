"""Pillow's decoders, called directly: header first, our own size caps, then the pixels.

`PIL.Image.open` would ask the host's `MAX_IMAGE_PIXELS`, and its plugins warn. Nothing here changes what the host
process shares with us: neither Pillow's limits and plugins nor warning filters.
"""

import contextlib
import importlib
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image, ImageFile, features
from PIL.JpegImagePlugin import JpegImageFile

from beauty_evaluate import boxes, jpeg, jxl, libtiff, limits, png
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.formats import format_of, title

# What Pillow's decoders raise for damaged files, and its warnings where the host has made them errors. Neither
# MemoryError nor AttributeError, NameError, AssertionError: those are not the file's fault.
DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RuntimeError),
    *(struct.error, zlib.error, UserWarning),
)


class _Jpeg(JpegImageFile):
    """Without Pillow's reader of EXIF, which warns of damaged EXIF while the header is read, to learn the dpi."""

    def getexif(self) -> Image.Exif:
        return Image.Exif()


DECODERS = {  # module and class; imported when the first such photo comes
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
    "JXL": ("pillow_jxl.JpegXLImagePlugin", "JXLImageFile"),
}
FEATURES = {"WEBP": "webp", "AVIF": "avif", "JPEG2000": "jpg_2000"}  # that Pillow may have been built without
PACKAGES = {"HEIF": "pillow-heif", "JXL": "pillow-jxl-plugin"}  # that are not installed with ours
FIRST_ONLY = "Only the first picture of this {} was looked at."


@dataclass(frozen=True)
class Opened:
    """A photo whose header was read.

    Attributes:
        image: of Pillow, not decoded yet.
        file: that it is decoded from.
        reduction: how many times smaller a side will be decoded.
        colours: that the file names otherwise than by a profile.
        notes: sentences for whoever reads the score.
        orientation: of EXIF, where the decoder neither turned the photo nor left it in `image.info`.
    """

    image: Image.Image
    file: io.BytesIO = field(default_factory=io.BytesIO)
    reduction: int = 1
    colours: str = ""
    notes: tuple[str, ...] = ()
    orientation: int | None = None


@contextlib.contextmanager
def decoding() -> Iterator[None]:
    """Around calls of Pillow alone: what it raises for a damaged file becomes a PhotoError.

    Example:
        >>> with decoding():
        ...     raise OSError("image file is truncated")
        Traceback (most recent call last):
        beauty_evaluate.errors.PhotoError: The picture is damaged (image file is truncated); save or download it again.
    """
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # the host's own, lower limit
        raise PhotoError("too_large", "More megapixels than PIL.Image.MAX_IMAGE_PIXELS allows; shrink it.") from error
    except DECODER_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError("unreadable", f"The picture is damaged ({reason}); save or download it again.") from error


def opened(data: bytes) -> Opened:
    """Read the header of a photo.

    Args:
        data: The content of its file.

    Raises:
        PhotoError: With status `unreadable`, `too_large` or `too_small`.

    Example:
        >>> from pathlib import Path
        >>> opened(Path("examples/grace_hopper.jpg").read_bytes()).image.size
        (512, 600)
    """
    name = format_of(data)
    if name == "JPEG":
        return _jpeg(data)
    decoder, animated, colours = decoder_of(name), False, ""
    if name == "PNG":
        essence = png.essence(data)
        data, animated, colours = essence.data, essence.animated, essence.colours
    elif name == "JXL" and (size := jxl.size(data)):  # which is decoded as soon as it is opened
        limits.check_size(*size, name)
    file = io.BytesIO(data)
    with decoding():
        image = decoder(file)
    limits.check_size(*image.size, name)
    if name == "JPEG2000":
        _check_codestream(data)
        image.info["icc_profile"] = boxes.jpeg2000_profile(data)
    elif name in ("AVIF", "HEIF") and boxes.is_display_p3(data):
        colours = "Display P3"
    orientation = None
    if name == "HEIF" and not boxes.is_turned(data):  # pillow-heif takes EXIF's away all the same
        orientation = image.info.get("original_orientation")
    with contextlib.suppress(*DECODER_ERRORS):  # a second picture that is damaged is none
        animated = animated or bool(getattr(image, "is_animated", False))
    kind = "file" if name in ("TIFF", "HEIF") else "animation"
    return Opened(image, file, 1, colours, (FIRST_ONLY.format(kind),) if animated else (), orientation)


def load(data: bytes, photo: Opened) -> Opened:
    """Decode the pixels.

    Args:
        data: The content of the file.
        photo: From `opened`.

    Returns:
        The same, whose `image` holds its pixels; another image where the file lacks only its end.

    Raises:
        PhotoError: With status `unreadable`.
    """
    try:
        with decoding(), libtiff.quiet() if photo.image.format == "TIFF" else contextlib.nullcontext():
            photo.image.load()
    except PhotoError:
        if photo.image.format != "JPEG" or (whole := _without_its_end(data)) is None:
            raise
        return whole
    return photo


def decoder_of(name: str) -> type[ImageFile.ImageFile]:
    """Find the decoder of a format.

    Raises:
        PhotoError: It is not there; with the cure.

    Example:
        >>> decoder_of("PNG").__name__
        'PngImageFile'
    """
    if name in FEATURES and not features.check(FEATURES[name]):
        raise PhotoError("unreadable", f"This Pillow cannot decode {title(name)}; convert the photo to JPEG.")
    module, kind = DECODERS[name]
    try:
        return getattr(importlib.import_module(module), kind)  # type: ignore[no-any-return]
    except ImportError as error:
        if name not in PACKAGES:
            raise
        cure = f"pip install {PACKAGES[name]}, or convert the photo to JPEG"
        raise PhotoError("unreadable", f"{title(name)} needs another package: {cure}.") from error


def _jpeg(data: bytes) -> Opened:
    """A JPEG, to be decoded smaller if it is large."""
    file = io.BytesIO(data)
    with decoding():
        image = _Jpeg(file)
    width, height = image.size
    header = jpeg.header(data)
    reduction = header.reduction if header and (header.width, header.height) == image.size else 1
    if reduction is None or (header is None and width * height > limits.MAX_PIXELS):
        raise _too_large(width, height, header)
    if reduction == 1:
        limits.check_size(width, height, "JPEG")
        return Opened(image, file)
    image.draft(image.mode, (max(1, width // reduction), max(1, height // reduction)))
    size = limits.mega(width * height)
    note = f"The photo has {size} megapixels and was read at 1/{reduction} of its width and height."
    limits.check_size(*image.size, "JPEG")
    return Opened(image, file, reduction, notes=(note,))


def _too_large(width: int, height: int, header: jpeg.Header | None) -> PhotoError:
    if header and header.buffered and width * height <= limits.MAX_JPEG_PIXELS:
        most = "Expected a JPEG that can be decoded row by row. Received: a progressive one of"
        cure = "shrink it or save it as an ordinary JPEG"
        return PhotoError("too_large", f"{most} {limits.received(width, height)}; {cure}.")
    most = limits.expected(limits.MAX_JPEG_PIXELS, "JPEG")
    return PhotoError("too_large", f"{most} Received: {limits.received(width, height)}; shrink it.")


def _without_its_end(data: bytes) -> Opened | None:
    """A JPEG that lacks its last bytes, of which no pixel needs any; None if one does."""
    sums = []
    for ending in jpeg.ENDINGS[::-1]:
        try:
            photo = _jpeg(data + ending)
            with decoding():
                photo.image.load()
        except PhotoError:
            return None
        sums.append(_checksum(photo.image))
    return photo if len(set(sums)) == 1 else None


def _checksum(image: Image.Image) -> int:
    """Of the pixels, row by row: a copy of all of them would take as much memory again."""
    total = 0
    for top in range(0, image.height, 256):
        strip = image.crop((0, top, image.width, min(top + 256, image.height)))
        total = zlib.crc32(strip.tobytes(), total)
    return total


def _check_codestream(data: bytes) -> None:
    """The size that a JPEG 2000 has inside, which its container may lie about."""
    place = data.find(b"\xff\x4f\xff\x51")
    if place >= 0 and len(data) >= place + 24:
        right, below, left, top = struct.unpack_from(">4I", data, place + 8)
        limits.check_size(max(0, right - left), max(0, below - top), "JPEG2000")
