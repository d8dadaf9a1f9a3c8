"""The only decoder: a path or bytes in, one RGB picture out."""

import contextlib
import io
import os
import threading
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, features

from beauty_evaluate.errors import PhotoError

Picture = NDArray[np.uint8]

# Pillow holds 4 bytes a pixel beside our 3, and some decoders several copies more: all in all below 500 MB.
MAX_PIXELS = 50_000_000
MOST_PIXELS = {"WEBP": 20_000_000, "AVIF": 32_000_000, "HEIF": 25_000_000, "progressive": 30_000_000}
MAX_BYTES = 64 * 1024 * 1024
MIN_SIDE = 32
LARGE = 12_000_000  # pixels from which photos are decoded one at a time: a thread each would multiply their memory
STRIP = 256  # rows that are converted at once
ORIENTATION = 0x0112  # its number in EXIF
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", *(("AVIF",) if features.check("avif") else ()))
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".avif", ".heic", ".heif")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # what phones write into bytes 8 to 11

_one_large = threading.Lock()

# Pillow warns above this limit while it reads the header; as an error, the warning is our size cap.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Damaged EXIF does not matter here: the pixels are good, and the orientation is then unknown.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


Source = str | os.PathLike[str] | bytes


def as_picture(source: Source) -> Picture:
    return read(source)


def read(source: str | os.PathLike[str] | bytes) -> Picture:
    """Decode one picture.

    source: a path, or the content of a file. Content decides, never the name: JPEG, PNG, WebP, BMP, AVIF, and HEIC
    where the package pillow-heif is installed.
    Returns uint8 (H, W, 3) RGB, turned as its EXIF orientation says; transparent parts become white,
    16-bit grey is reduced to 8 bits.
    Raises PhotoError with status `missing`, `unreadable`, `too_large` or `too_small`.
    """
    data = source if isinstance(source, bytes) else _bytes_of(Path(source))
    if not data:
        raise PhotoError("unreadable", "Expected a picture. Received: an empty file.")
    if len(data) > MAX_BYTES:
        raise PhotoError("too_large", f"Expected at most {MAX_BYTES >> 20} MB. Received: {len(data) >> 20} MB.")
    formats = FORMATS
    if _is_heif(data):
        _learn_heif()
        formats = ("HEIF",)
    try:
        with Image.open(io.BytesIO(data), formats=formats) as image:
            kind = "progressive" if image.info.get("progressive") else image.format or ""  # JPEG
            _check_size(*image.size, MOST_PIXELS.get(kind, MAX_PIXELS))
            with _one_large if image.width * image.height > LARGE else contextlib.nullcontext():
                image.load()
                orientation = _orientation(image)
                picture = _pixels(image)
                image.close()  # its pixels go before a turned copy comes
        return _upright(picture, orientation)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(
            "too_large", f"Expected a picture of at most {MAX_PIXELS // 1_000_000} megapixels. Received: more."
        ) from error
    except UnidentifiedImageError as error:
        avif = "AVIF" not in FORMATS and data[4:8] == b"ftyp" and b"avif" in data[8:32]
        found = "AVIF, which this Pillow cannot decode; convert it" if avif else "a file with other content"
        raise PhotoError(
            "unreadable", f"Expected a JPEG, PNG, WebP, BMP or AVIF picture. Received: {found}."
        ) from error
    except Exception as error:  # a damaged file raises whatever its decoder stumbled upon
        raise PhotoError("unreadable", f"Expected a whole picture. Received: a damaged one ({error}).") from error


def _is_heif(data: bytes) -> bool:
    """Whether its brands say so. Some programs give AVIF the first brand that it shares with HEIC: the others tell."""
    others = data[16 : min(int.from_bytes(data[:4], "big"), 256)]
    avif = data[8:12] in (b"mif1", b"msf1") and b"avif" in [others[i : i + 4] for i in range(0, len(others), 4)]
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and not avif


def _learn_heif() -> None:
    """Let Pillow read HEIC. PhotoError without the decoder."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise PhotoError(
            "unreadable",
            "Expected a picture that can be decoded. Received: HEIC; pip install pillow-heif, or convert it.",
        ) from error
    register_heif_opener()


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            os.scandir(path).close()  # a folder that may not be read says so
            raise PhotoError(
                "no_photos", f"Expected photos ({', '.join(SUFFIXES)}) in the folder. Received: none; check the path."
            )
        if path.exists() and not path.is_file():
            raise PhotoError("unreadable", "Expected a picture file. Received: something that is not a file.")
        if path.stat().st_size > MAX_BYTES:
            size = path.stat().st_size >> 20
            raise PhotoError("too_large", f"Expected at most {MAX_BYTES >> 20} MB. Received: {size} MB.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError("missing", "Expected a picture. Received: no such file; check the path.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PhotoError("unreadable", f"Expected a file or folder that can be read. Received: {reason}.") from error


def _check_size(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise PhotoError(
            "too_large",
            f"Expected at most {most // 1_000_000} megapixels of this format. Received: {width} x {height}; shrink it.",
        )
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            "too_small", f"Expected a picture of at least {MIN_SIDE} pixels a side. Received: {width} x {height}."
        )


def _pixels(image: Image.Image) -> Picture:
    """uint8 (H, W, 3), not yet turned. In strips: Pillow's own copies of a large photo take three times its memory."""
    width, height = image.size
    picture = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        picture[top:bottom] = _rgb(image.crop((0, top, width, bottom)))
    return picture


def _orientation(image: Image.Image) -> int:
    """As its EXIF says; 1, upright, where that is damaged or there is none."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF raises whatever its parser met; the pixels are still good
        return 1


def three_channels(picture: Picture) -> Picture:
    """A picture uint8 (H, W, 3 or 1) as (H, W, 3): grey repeated."""
    return picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)


def _upright(picture: Picture, orientation: int) -> Picture:
    """Turned and mirrored as an EXIF orientation, 1..8, asks for."""
    if orientation in (5, 6, 7, 8):
        picture = picture.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def _rgb(image: Image.Image) -> Picture:
    if image.mode.startswith("I"):  # 16-bit grey
        grey = np.clip(np.asarray(image, dtype=np.int64) >> 8, 0, 255).astype(np.uint8)
        return three_channels(grey[..., None])
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)
