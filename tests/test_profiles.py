"""Colours come out as the profile of a photo means them."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT, Run
from numpy.typing import NDArray
from PIL import Image, ImageCms

from beauty_evaluate import Scorer, images, limits, profiles

FOLDER = Path(__file__).parent / "profiles"
PROFILES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.icc"))}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def in_space(image: Image.Image, profile: bytes) -> Image.Image:
    """An sRGB picture with the pixels that it has in another colour space."""
    return ImageCms.profileToProfile(image, SRGB, ImageCms.ImageCmsProfile(io.BytesIO(profile)))  # type: ignore[return-value]


def difference(data: bytes, image: Image.Image) -> float:
    return float(np.abs(images.read(data).astype(int) - np.asarray(image)).mean())


def made(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """A profile of a colour space with some tags."""
    start, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x02400000, kind, space, pcs, b"", b"acsp")
    return head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body


def only_black_counts() -> bytes:
    """A CMYK profile in which cyan, magenta and yellow are invisible inks."""
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    straight = bytes(range(256))
    corners = b"".join(bytes((0 if corner & 1 else 255, 128, 128)) for corner in range(16))  # black varies fastest
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + straight * 4 + corners + straight * 3
    return made(b"CMYK", {b"A2B0": table}, b"Lab ", b"prtr")


LINEAR_GREY = made(b"GRAY", {b"kTRC": b"curv" + bytes(8)})


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as photo:
        return photo.convert("RGB")


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(
    ("kind", "options", "most"),
    [
        *(("PNG", {}, 0.6), ("WEBP", {"lossless": True}, 0.6), ("TIFF", {}, 0.6)),
        ("TIFF", {"compression": "tiff_lzw"}, 0.6),
        *(("JPEG", {"quality": 98, "subsampling": 0}, 1.5), ("AVIF", {"quality": 98, "subsampling": "4:4:4"}, 2.0)),
    ],
)
def test_a_profile_is_honoured_in_every_format(
    portrait: Image.Image, name: str, kind: str, options: dict[str, object], most: float
) -> None:
    small = portrait.crop((100, 50, 400, 350))
    wide = in_space(small, PROFILES[name])
    assert np.abs(np.asarray(wide).astype(int) - np.asarray(small)).mean() > 1.5  # it does matter
    assert difference(encoded(wide, kind, icc_profile=PROFILES[name], **options), small) < most


@pytest.mark.parametrize("name", PROFILES)
def test_the_score_is_that_of_the_original(portrait: Image.Image, name: str) -> None:
    scorer = Scorer()
    data = encoded(in_space(portrait, PROFILES[name]), "JPEG", quality=95, icc_profile=PROFILES[name])
    assert scorer.score(data)[0].score == pytest.approx(scorer.score(PORTRAIT)[0].score, abs=0.05)


def test_a_pil_picture_keeps_its_profile(portrait: Image.Image) -> None:
    wide = in_space(portrait, PROFILES["display_p3"])
    wide.info["icc_profile"] = PROFILES["display_p3"]
    assert np.abs(images.as_picture(wide).astype(int) - np.asarray(portrait)).mean() < 0.6
    assert wide.mode == "RGB"
    assert wide.info["icc_profile"] == PROFILES["display_p3"]  # it is still the caller's


def test_transparent_palette_and_grey_pictures_have_colours_too() -> None:
    wide = Image.new("RGB", (60, 40), (200, 100, 50))
    profile = PROFILES["display_p3"]
    expected = images.read(encoded(wide, icc_profile=profile))[0, 0]
    assert expected.tolist() == [215, 93, 31]
    for picture in (wide.convert("RGBA"), wide.convert("P", palette=Image.Palette.ADAPTIVE)):
        assert images.read(encoded(picture, icc_profile=profile))[0, 0].tolist() == expected.tolist()
    clear = images.read(encoded(Image.new("RGBA", (60, 40), (200, 100, 50, 0)), icc_profile=profile))
    assert (clear == 255).all()
    grey = images.read(encoded(Image.new("L", (60, 40), 30), icc_profile=PROFILES["adobe_rgb"]))
    assert np.abs(grey[0, 0].astype(int) - 24).max() <= 1  # by a gamma of 2.2, where sRGB is nearly straight


def test_profiles_of_grey_and_of_inks() -> None:
    grey = Image.new("L", (60, 40), 55)
    for picture in (grey, grey.convert("LA"), Image.fromarray(np.full((40, 60), 55 << 8, np.uint16))):
        assert np.abs(images.read(encoded(picture, icc_profile=LINEAR_GREY)).astype(int) - 128).max() <= 1
    inks = Image.new("CMYK", (60, 40), (255, 255, 0, 0))
    for kind in ("JPEG", "TIFF"):
        assert images.read(encoded(inks, kind, icc_profile=only_black_counts())).min() > 250
        assert images.read(encoded(inks, kind))[0, 0].tolist() == [0, 0, 255]


def test_lab_is_read() -> None:
    lab = Image.new("LAB", (60, 40), (128, 128, 128))  # grey of lightness 50
    picture = images.read(encoded(lab, "TIFF"))
    assert np.abs(picture.astype(int) - 119).max() <= 1


P3 = PROFILES["display_p3"]
BROKEN = {
    "empty": b"",
    "short": P3[:100],
    "cut": P3[:400],
    "zeros": bytes(500),
    "text": b"not a profile" * 50,
    "of another class": P3[:12] + b"link" + P3[16:],
    "of another space": P3[:16] + b"XYZ " + P3[20:],
    "without tags": P3[:128] + bytes(4) + P3[132:],
    "endless tags": P3[:128] + b"\xff" * 4 + P3[132:],
    "for inks": only_black_counts(),
    "for grey": LINEAR_GREY,
    "too large": P3 + bytes(limits.MAX_PROFILE_BYTES),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_profile_that_is_broken_or_of_something_else_is_ignored(name: str) -> None:
    colours = Image.new("RGB", (60, 40), (200, 100, 50))
    for kind in ("TIFF", "WEBP", "JPEG"):
        data = encoded(colours, kind, icc_profile=BROKEN[name], quality=100)
        assert np.array_equal(images.read(data), images.read(encoded(colours, kind, quality=100))), kind
    colours.info["icc_profile"] = BROKEN[name]
    assert images.as_picture(colours)[0, 0].tolist() == [200, 100, 50]


def test_any_bit_of_a_profile_may_be_wrong() -> None:
    """Whatever a damaged profile means: the photo is read."""
    random = np.random.default_rng(0)
    picture = np.zeros((40, 40, 3), np.uint8)
    for name in PROFILES:
        for _ in range(100):
            profile = bytearray(PROFILES[name])
            for place in random.integers(0, min(len(profile), 700), 3):
                profile[place] = random.integers(256)
            image = Image.fromarray(picture)
            image.info["icc_profile"] = bytes(profile)
            assert images.as_picture(image).shape == (40, 40, 3)


def srgb_by_table(points: int) -> bytes:
    """sRGB as most programs write it: with a table in place of a formula."""
    x = np.linspace(0, 1, points)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    curve = b"curv" + bytes(4) + struct.pack(f">I{points}H", points, *np.rint(65535 * linear).astype(int))
    colorants = [
        b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * v) for v in row)) for row in profiles.SRGB_COLORANTS
    ]
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    return made(b"RGB ", dict(zip(names, [*colorants, curve, curve, curve], strict=True)))


def with_gamma(gamma: float) -> bytes:
    profile = srgb_by_table(2)
    curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, round(256 * gamma), 0)
    return profile.replace(b"curv" + bytes(4) + struct.pack(">I2H", 2, 0, 65535), curve)


def test_srgb_is_known_by_what_it_means() -> None:
    for profile in (SRGB.tobytes(), srgb_by_table(1024), srgb_by_table(4096)):
        assert profiles.is_srgb(profile)
        assert profiles.converter({"icc_profile": profile}, "RGB") is None
    for profile in (*PROFILES.values(), with_gamma(2.2), with_gamma(1.8), srgb_by_table(2), LINEAR_GREY):
        assert not profiles.is_srgb(profile)
    assert profiles.converter({"icc_profile": with_gamma(2.2)}, "RGB") is not None


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunks(image: Image.Image, *chunks: bytes) -> bytes:
    """A PNG with chunks before its pixels."""
    data = encoded(image)
    return data[:33] + b"".join(chunks) + data[33:]


P3_CHROMATICITIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
ADOBE_CHROMATICITIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
SRGB_CHROMATICITIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def test_png_may_name_its_colours_without_a_profile() -> None:
    colours = Image.new("RGB", (60, 40), (200, 100, 50))

    def first(*chunks: bytes) -> list[int]:
        return [int(v) for v in images.read(with_chunks(colours, *chunks))[0, 0]]

    assert first(chunk(b"cICP", bytes((12, 13, 0, 1)))) == [215, 93, 31]
    assert first(chunk(b"cHRM", P3_CHROMATICITIES)) == [215, 93, 31]
    assert first(chunk(b"cHRM", ADOBE_CHROMATICITIES)) == first(
        chunk(b"iCCP", b"a\0\0" + zlib.compress(PROFILES["adobe_rgb"]))
    )
    for same in (
        [chunk(b"cICP", bytes((1, 13, 0, 1))), chunk(b"cHRM", P3_CHROMATICITIES)],
        [chunk(b"cHRM", SRGB_CHROMATICITIES)],
        [chunk(b"sRGB", b"\0"), chunk(b"cHRM", P3_CHROMATICITIES)],
        [chunk(b"cHRM", b"short")],
    ):
        assert first(*same) == [200, 100, 50]


def test_avif_may_name_its_colours_by_number() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64), (200, 100, 50)), "AVIF", quality=100, subsampling="4:4:4"))
    place = data.index(b"colrnclx") + 8
    plain = images.read(bytes(data))[0, 0].astype(int)
    data[place : place + 2] = (12).to_bytes(2, "big")
    assert np.abs(images.read(bytes(data))[0, 0].astype(int) - [215, 93, 31]).max() <= 3
    assert np.abs(plain - [200, 100, 50]).max() <= 3


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_camera_may_name_adobe_rgb_in_exif_alone(order: str) -> None:
    def directory(place: int, *entries: tuple[int, int, int, bytes]) -> bytes:
        rows = b"".join(struct.pack(order + "HHI4s", *entry) for entry in entries)
        return struct.pack(order + "H", len(entries)) + rows + bytes(4)

    def at(place: int) -> bytes:
        return struct.pack(order + "I", place)

    block = (b"II*\0" if order == "<" else b"MM\0*") + at(8)
    for index, expected in ((b"R03\0", True), (b"R98\0", False)):
        exif = block + directory(8, (0x8769, 4, 1, at(26))) + directory(26, (0xA005, 4, 1, at(44)))
        exif += directory(44, (1, 2, 4, index))
        colours = encoded(Image.new("RGB", (60, 40), (200, 100, 50)), exif=exif)
        assert (images.read(colours)[0, 0].tolist() != [200, 100, 50]) == expected
    adobe = encoded(Image.new("RGB", (60, 40), (200, 100, 50)), exif=exif.replace(b"R98", b"R03"))
    named = encoded(Image.new("RGB", (60, 40), (200, 100, 50)), icc_profile=PROFILES["adobe_rgb"])
    assert np.array_equal(images.read(adobe), images.read(named))


def jpeg2000_with_profile(image: Image.Image, profile: bytes) -> bytes:
    """As programs write it: the box of the colours holds a profile in place of a number."""
    data = encoded(image, "JPEG2000")
    place = data.index(b"colr") - 4
    length = int.from_bytes(data[place : place + 4], "big")
    box = struct.pack(">I4s3B", 11 + len(profile), b"colr", 2, 0, 0) + profile
    header = data.index(b"jp2h") - 4
    longer = int.from_bytes(data[header : header + 4], "big") + len(box) - length
    data = data[:place] + box + data[place + length :]
    return data[:header] + struct.pack(">I", longer) + data[header + 4 :]


def test_jpeg_2000_has_profiles_too() -> None:
    colours = Image.new("RGB", (64, 64), (200, 100, 50))
    assert images.read(jpeg2000_with_profile(colours, P3))[0, 0].tolist() == [215, 93, 31]
    assert images.read(jpeg2000_with_profile(colours, b"broken"))[0, 0].tolist() == [200, 100, 50]


def test_large_photos_are_converted_by_several_threads_alike(portrait: Image.Image) -> None:
    wide = in_space(portrait, P3)
    data = encoded(wide.resize((1500, 1500)), icc_profile=P3)
    assert images.SEVERAL_THREADS_PIXELS < 1500 * 1500
    assert difference(data, portrait.resize((1500, 1500))) < 0.8


IMPORTS = """
import sys
from beauty_evaluate import images
for path in sys.argv[1:]:
    images.read(path)
print(*(name for name in ("PIL.ImageCms", "PIL.TiffImagePlugin", "PIL.GifImagePlugin") if name in sys.modules))
"""


def test_photos_in_srgb_import_nothing_more(run: Run, tmp_path: Path, portrait: Image.Image) -> None:
    portrait.save(tmp_path / "srgb.jpg", icc_profile=srgb_by_table(1024))
    done: subprocess.CompletedProcess[str] = run("-c", IMPORTS, PORTRAIT, tmp_path / "srgb.jpg")
    assert (done.stdout, done.stderr) == ("\n", "")
    portrait.save(tmp_path / "wide.jpg", icc_profile=P3)
    assert run("-c", IMPORTS, tmp_path / "wide.jpg").stdout == "PIL.ImageCms\n"


def test_heic_brings_its_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself is not installed here: another stands in for it."""

    def open_heif(file: io.BytesIO) -> Image.Image:
        image: Any = Image.new("RGB", (40, 40), (200, 100, 50))
        image.info["icc_profile"] = P3
        return image  # type: ignore[no-any-return]

    decoder = type(sys)("pillow_heif")
    decoder.HeifImageFile = open_heif  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", decoder)
    picture: NDArray[np.uint8] = images.read(b"\0\0\0\x18ftypheic" + bytes(40))
    assert picture[0, 0].tolist() == [215, 93, 31]
