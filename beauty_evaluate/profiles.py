"""Colours as a photo's profile means them: pixels of Display P3, Adobe RGB, CMYK ... become sRGB.

Most photos are sRGB, with a profile that says so or without one; for these nothing is imported and nothing converted.
"""

import functools
import io
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from beauty_evaluate import exif, limits

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

GREY_MODES = ("1", "L", "LA", "I;16", "I;16L", "I;16B")
PIXEL_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")  # of profiles of pictures; others describe links and effects
# Red, green and blue as XYZ under D50, and the curve of each: number of a parametric curve and its values (ICC.1:2022).
SRGB_CURVE = (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
SRGB_COLORANTS = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
NAMED = {
    "Display P3": (SRGB_CURVE, ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))),
    "Adobe RGB": ((0, (563 / 256,)), ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))),
}
COLORANT_TOLERANCE = 0.0025
CURVE_TOLERANCE = 0.0015  # of linear light, 0..1; a plain gamma of 2.2 is off by .004
CURVE_POINTS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9)
PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its number
REST = (1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # where it has fewer


class Converter:
    """Turns pictures of one profile into sRGB; from several threads at once too.

    Attributes:
        mode: of the pictures that it takes.
    """

    def __init__(self, transform: "ImageCmsTransform", mode: str) -> None:
        self._transform, self.mode = transform, mode

    def __call__(self, image: Image.Image) -> Image.Image:
        """A picture of mode RGB from one of mode `mode`."""
        return self._transform.apply(image)


def converter(info: Mapping[Any, Any], mode: str, colours: str = "") -> Converter | None:
    """Find what turns a photo's colours into sRGB.

    Args:
        info: The `info` of its PIL picture: a profile, or else what a camera wrote into EXIF.
        mode: Of that picture.
        colours: A key of `NAMED` that the file told by other means.

    Returns:
        None where nothing is to be done: for sRGB, without a profile, for a profile that is damaged, does not fit the
        picture or is larger than MAX_PROFILE_BYTES.

    Example:
        >>> converter({}, "RGB") is None
        True
        >>> converter({}, "RGB", "Display P3")(Image.new("RGB", (1, 1), (200, 100, 50))).getpixel((0, 0))
        (215, 93, 31)
    """
    profile = info.get("icc_profile")
    if mode == "LAB":
        return _cached(b"", mode)
    if not isinstance(profile, bytes) or not profile:
        name = colours or ("Adobe RGB" if exif.is_adobe_rgb(info) else "")
        return _cached(named(name), "RGB") if name and mode not in ("CMYK", *GREY_MODES) else None
    mode = _mode(profile, mode)
    if not mode or len(profile) > limits.MAX_PROFILE_BYTES or is_srgb(profile):
        return None
    return _cached(profile, mode)


def _mode(profile: bytes, mode: str) -> str:
    """The mode that a profile takes pictures of another mode in; empty where the two do not fit."""
    if profile[36:40] != b"acsp" or profile[12:16] not in PIXEL_CLASSES:
        return ""
    space = profile[16:20]
    if space == b"CMYK" or mode == "CMYK":
        return mode if space == b"CMYK" and mode == "CMYK" else ""
    if space == b"GRAY":
        return "L" if mode in GREY_MODES else ""
    return "RGB" if space == b"RGB " else ""


@functools.lru_cache(maxsize=4)  # photos of one folder mostly come from one camera
def _cached(profile: bytes, mode: str) -> Converter | None:
    from PIL import ImageCms  # late: most photos do without

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile: the pixels are good all the same
        return None
    return Converter(transform, mode)


def is_srgb(profile: bytes) -> bool:
    """Whether a profile means sRGB, whatever it is called.

    Args:
        profile: ICC profile.

    Returns:
        True if its colorants and curves are those of sRGB, and it holds no tables that would count instead.

    Example:
        >>> is_srgb(named("Display P3"))
        False
    """
    tags = _tags(profile)
    if b"A2B0" in tags:
        return False
    try:
        colorants = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    except (KeyError, IndexError, OverflowError, TypeError, ValueError, ZeroDivisionError, struct.error):
        return False
    expected = [_parametric(*SRGB_CURVE, x) for x in CURVE_POINTS]
    near = np.allclose(np.array(colorants) / 65536, SRGB_COLORANTS, rtol=0, atol=COLORANT_TOLERANCE)
    return near and np.allclose(curves, expected, rtol=0, atol=CURVE_TOLERANCE)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Content by name."""
    tags = {}
    count = int.from_bytes(profile[128:132], "big")
    for place in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        name, start, size = struct.unpack_from(">4sII", profile, place)
        tags[name] = profile[start : start + size]
    return tags


def _curve(tag: bytes) -> list[float]:
    """Its values at CURVE_POINTS."""
    if tag[:4] == b"para":
        (number,) = struct.unpack_from(">H", tag, 8)
        values = [value / 65536 for value in struct.unpack_from(f">{PARAMETERS[number]}i", tag, 12)]
        return [_parametric(number, values, x) for x in CURVE_POINTS]
    if tag[:4] != b"curv":
        raise ValueError("neither a table nor a formula")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return list(CURVE_POINTS)
    if count == 1:
        gamma = struct.unpack_from(">H", tag, 12)[0] / 256
        return [x**gamma for x in CURVE_POINTS]
    table = np.frombuffer(tag, ">u2", count, 12) / 65535
    return [float(y) for y in np.interp(CURVE_POINTS, np.linspace(0, 1, count), table)]


def _parametric(number: int, values: Sequence[float], x: float) -> float:
    """A parametric curve of ICC.1:2022, table 67."""
    gamma, a, b, c, d, e, f = [*values, *REST[len(values) :]]
    if number == 0:
        return float(x**gamma)
    if number < 3:  # the straight part is c, from -b / a down
        return float((a * x + b) ** gamma + c) if a * x + b >= 0 else float(c)
    return float((a * x + b) ** gamma + e) if x >= d else float(c * x + f)


def named(name: str) -> bytes:
    """Make the ICC profile of a colour space that a file only names.

    Args:
        name: A key of `NAMED`.

    Returns:
        A profile of version 4.2: colorants and curve.

    Example:
        >>> len(named("Adobe RGB"))
        312
    """
    (number, values), colorants = NAMED[name]
    parameters = struct.pack(f">4sIHH{len(values)}i", b"para", 0, number, 0, *(round(65536 * v) for v in values))
    contents = [struct.pack(">4sI3i", b"XYZ ", 0, *(round(65536 * v) for v in colorant)) for colorant in colorants]
    names, start = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"), 132 + 12 * 6
    table, body = struct.pack(">I", 6), b""
    for tag, content in zip(names, [*contents, parameters, parameters, parameters], strict=True):
        table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp")
    illuminant = struct.pack(">3i", 63190, 65536, 54061)  # D50
    return head.ljust(68, b"\0") + illuminant + bytes(48) + table + body
