"""The only way in for pictures: a file, bytes, a PIL picture or an array in; one picture out, upright and in sRGB."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from beauty_evaluate import arrays, exif, limits
from beauty_evaluate.config import cores
from beauty_evaluate.decoders import Opened, decoding, load, opened
from beauty_evaluate.encoded import Encoded, bytes_of
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.profiles import Converter, converter

Picture = NDArray[np.uint8]
Source = Encoded | Image.Image | NDArray[Any]

PIXELS_PER_STRIP = 500_000  # that are converted at once
SEVERAL_THREADS_PIXELS = 1_000_000  # from here all cores convert the colours of one photo, 40 ms a megapixel

_one_large_photo = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory, and what is to be said of how it got there.

    Attributes:
        pixels: uint8 (H, W, 3) sRGB, upright.
        reduction: how many times smaller its sides are than those of the file: above 1 for a JPEG of many megapixels.
        notes: sentences for whoever reads a score: that only the first picture was looked at, that it was reduced.

    Example:
        >>> photo = load_photo("examples/grace_hopper.jpg")
        >>> photo.pixels.shape, photo.reduction, photo.notes
        ((600, 512, 3), 1, ())
    """

    pixels: Picture
    reduction: int = 1
    notes: tuple[str, ...] = ()

    def without_pixels(self) -> "Photo":
        """The same without its picture, which need not stay in memory."""
        return Photo(np.empty((0, 0, 3), np.uint8), self.reduction, self.notes)

    def noted(self, error: PhotoError) -> PhotoError:
        """The same error, with the notes on this photo behind it."""
        return PhotoError(error.status, " ".join((str(error), *self.notes)), error.faces)


def read(source: Encoded) -> Picture:
    """Decode one photo.

    Content decides, never the name: JPEG, PNG, WebP, TIFF, GIF, BMP, AVIF, JPEG 2000; HEIC where the package
    pillow-heif is installed, JPEG XL where pillow-jxl-plugin is.

    Args:
        source: A path, the content of a file, or a file opened in binary mode, which is read from its beginning.

    Returns:
        uint8 (H, W, 3) sRGB, turned as the photo's EXIF orientation says. Colours are converted from the photo's
        profile, transparent parts are white, 16 bits are reduced to 8, of an animation the first picture is taken.
        A JPEG of more than 50 megapixels comes at a half, a quarter or an eighth of its width and height.

    Raises:
        PhotoError: With status `missing`, `unreadable`, `too_large`, `too_small`, or `no_photos` for a folder.

    Example:
        >>> read("examples/grace_hopper.jpg").shape
        (600, 512, 3)
        >>> with open("examples/grace_hopper.jpg", "rb") as file:
        ...     read(file).dtype
        dtype('uint8')
    """
    return _from_file(source).pixels


def as_picture(source: Source) -> Picture:
    """Take a photo in any form that a program may hold it in.

    Args:
        source: What `read` takes; a PIL picture, turned and converted as its EXIF orientation and its profile say; or
            an array (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA: uint8, uint16, float from 0 to 1, or bool.

    Returns:
        uint8 (H, W, 3) sRGB, never a view of the source. Grey is repeated, transparent parts are white.

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
    return load_photo(source).pixels


def load_photo(source: Source) -> Photo:
    """Take a photo in any form, together with what is to be said of it.

    Args:
        source: As `as_picture`.

    Returns:
        The picture that `as_picture` gives, with notes.

    Raises:
        PhotoError: As `as_picture`.

    Example:
        >>> load_photo(np.zeros((40, 60), bool)).notes
        ()
    """
    if isinstance(source, np.ndarray):
        return Photo(_from_array(source))
    if isinstance(source, Image.Image):
        return _from_pil(source)
    return _from_file(source)


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


def _from_file(source: Encoded) -> Photo:
    data = bytes_of(source)
    header = opened(data)
    with _one_at_a_time(header.image.width * header.image.height * header.reduction**2):
        decoded = load(data, header)
        del data, header
        decoded.file.close()  # the file goes before a picture comes
        pixels, orientation = _decoded(decoded)
        decoded.image.close()  # its pixels go before a turned copy comes
        return Photo(_upright(pixels, orientation), decoded.reduction, decoded.notes)


def _from_pil(image: Image.Image) -> Photo:
    limits.check_size(*image.size, "" if image.format in (None, "JPEG", "MPO") else image.format or "")
    with _one_at_a_time(image.width * image.height):
        with decoding():
            image.load()
        return Photo(_upright(*_decoded(Opened(image))))


@contextlib.contextmanager
def _one_at_a_time(pixels: int) -> Iterator[None]:
    """Around the decoding of a photo: large ones wait for each other."""
    with _one_large_photo if pixels > limits.EXCLUSIVE_PIXELS else contextlib.nullcontext():
        yield


def _from_array(array: NDArray[Any]) -> Picture:
    values = arrays.as_bytes(array)
    height, width = values.shape[:2]
    limits.check_size(width, height)
    if values.ndim == 3 and values.shape[2] == 4:
        return _pixels(Image.fromarray(values), None)
    return np.array(np.broadcast_to(values.reshape(height, width, -1), (height, width, 3)), order="C")


def _decoded(photo: Opened) -> tuple[Picture, int]:
    """Its pixels, uint8 (H, W, 3) sRGB, not yet turned, and its EXIF orientation."""
    image = photo.image
    if image.mode in ("I", "F"):  # 32 bits: nobody knows which value is white
        raise PhotoError(
            "unreadable",
            f"Expected 8 or 16 bits a channel. Received: a picture of 32 (mode {image.mode}); scale its values to "
            "0..255 and convert it to L or RGB.",
        )
    pixels = _pixels(image, converter(image.info, image.mode, photo.colours))
    return pixels, photo.orientation or exif.orientation(image.info)  # PNG may tell it behind the pixels


def _pixels(image: Image.Image, convert: Converter | None) -> Picture:
    """uint8 (H, W, 3). In strips: Pillow's own copies of a large photo take three times its memory."""
    width, height = image.size
    picture = np.empty((height, width, 3), np.uint8)
    rows = max(1, PIXELS_PER_STRIP // width)

    def fill(top: int) -> None:
        bottom = min(top + rows, height)
        with decoding():
            strip = image.crop((0, top, width, bottom))
        picture[top:bottom] = _rgb(strip, convert)

    tops = range(0, height, rows)
    if convert and width * height > SEVERAL_THREADS_PIXELS:
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(fill, tops))
    else:
        for top in tops:
            fill(top)
    return picture


def _rgb(image: Image.Image, convert: Converter | None) -> Picture:
    if image.mode.startswith("I"):  # 16-bit grey
        image = Image.fromarray(np.clip(np.asarray(image, dtype=np.int64) >> 8, 0, 255).astype(np.uint8))
    with decoding():
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image)
        mode = convert.mode if convert else "RGB"
        image = image if image.mode == mode else image.convert(mode)
        image = convert(image) if convert else image
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
