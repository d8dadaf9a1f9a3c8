"""What a file is, and what of it is needed: formats, kinds, chunks, ends, sizes."""

import io
import math
import struct
import sys
import types
import warnings
import zipfile
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run
from PIL import Image
from test_profiles import chunk, encoded, with_chunks

from beauty_evaluate import Scorer, formats, images, jpeg, jxl, kinds, libtiff, limits, png
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.scoring.batch import scan

USE = ROOT / "use.py"
JPEG = PORTRAIT.read_bytes()
PNG = PORTRAIT_PNG.read_bytes()


def error_of(data: bytes) -> PhotoError:
    with pytest.raises(PhotoError) as caught:
        images.read(data)
    assert "\n" not in str(caught.value)
    return caught.value


def office(part: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "text")
    return file.getvalue()


def tiff(*tags: tuple[int, int, int]) -> bytes:
    """The begin of a TIFF with whole numbers as tags."""
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4)


NO_PHOTOS = [
    (b"%PDF-1.7\n%\xe2\xe3", "a PDF", "save its page"),
    (b"\0\0\0\x18ftypmp42" + bytes(20), "a video", "still"),
    (b"\0\0\0\x14ftypqt  " + bytes(20), "a video", "still"),
    (b"\0\0\0\x08wide" + bytes(20), "a video", "still"),
    (b"\x1aE\xdf\xa3" + bytes(20), "a video", "still"),
    (b"RIFF\0\0\0\0AVI LIST", "a video", "still"),
    (b"RIFF\0\0\0\0WAVEfmt ", "a sound", "photo"),
    (office("readme.txt"), "an archive (zip)", "unpack"),
    (office("word/document.xml"), "a Word document", "picture in it"),
    (office("xl/workbook.xml"), "an Excel table", "picture in it"),
    (office("ppt/presentation.xml"), "PowerPoint slides", "picture in it"),
    (b"\x1f\x8b\x08" + bytes(20), "an archive (gzip)", "unpack"),
    (bytes(257) + b"ustar", "an archive (tar)", "unpack"),
    (b"<!DOCTYPE html><html>", "a web page", "download"),
    ("\ufeff\n<html lang='zh'>页".encode(), "a web page", "download"),
    ("<html>".encode("utf-16"), "a web page", "download"),
    (b"<?xml version='1.0'?>\n<svg xmlns='x'>", "a drawing (SVG)", "save it as JPEG"),
    (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an XML file", "download"),
    (b'{"error": "gone"}', "a JSON file", "download"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a pointer of Git LFS", "git lfs pull"),
    (b"/annex/objects/SHA256E-s1--1.jpg\n", "a pointer of git-annex", "git annex get"),
    (b"data:image/jpeg;base64,/9j/4AAQ", "a picture as base64 text", "decode"),
    (b"/9j/4AAQSkZJRgABAQ", "a picture as base64 text", "decode"),
    (b"some words", "a text file", "photo"),
    ("Straße".encode() * 1000, "a text file", "photo"),
    (bytes(5000), "a file of zeros", "again"),
    (b"8BPS\0\1", "a Photoshop document", "save it as JPEG"),
    (b"qoif" + bytes(10), "a QOI picture", "save it as JPEG"),
    (b"\x00\x05\x16\x07" + bytes(20), "what a Mac keeps beside a photo", "without"),
    (b"II*\x00\x10\0\0\0CR\x02\x00", "a raw camera file (CR2)", "develop"),
    (b"\0\0\0\x18ftypcrx ", "a raw camera file (CR3)", "develop"),
    (b"FUJIFILMCCD-RAW 0201", "a raw camera file (RAF)", "develop"),
    (tiff((254, 4, 1), (330, 4, 200)), "a raw camera file", "develop"),
    (tiff((0xC612, 4, 1)), "a raw camera file", "develop"),
]


@pytest.mark.parametrize(
    ("content", "name", "cure"), NO_PHOTOS, ids=[f"{i} {row[1]}" for i, row in enumerate(NO_PHOTOS)]
)
def test_what_is_no_photo_is_told_by_name(content: bytes, name: str, cure: str) -> None:
    error = error_of(content)
    assert error.status == "unreadable"
    assert str(error).startswith(f"This is {name}")
    assert cure in str(error).split(";")[1]


def test_photos_are_not_taken_for_anything_else() -> None:
    picture = Image.new("RGB", (40, 40), (9, 9, 9))
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000"):
        assert formats.format_of(encoded(picture, kind)) == kind
    assert formats.picture_format(b"BMW.jpg\nother.jpg\n") is None  # a list of paths


def test_a_folder_knows_every_name_that_photos_have() -> None:
    known = {".jfif", ".pjpeg", ".pjp", ".jpe", ".tif", ".tiff", ".gif", ".jp2", ".jxl", ".hif", ".heic", ".apng"}
    assert known <= set(formats.SUFFIXES)


def test_what_folders_leave_out_is_counted() -> None:
    names = ["a.mp4", "b/c.MOV", "._d.jpg", "e.xyz", "f.nef", "g.xmp", "h/", "no ending", "d.psd", "i.mp4"]
    assert kinds.left_out(Counter(map(kinds.ending, names))) == [
        *("3 videos (.mov, .mp4)", "1 companion file of a Mac", "1 other file (.xyz)", "1 raw camera file (.nef)"),
        *("1 sidecar (.xmp)", "1 link to a folder", "1 file without an ending", "1 picture of another format (.psd)"),
    ]
    many = Counter({f".{letter}x": 2 for letter in "abcd"})
    assert kinds.left_out(many) == ["8 other files (.ax, .bx, .cx, ...)"]


LONG = zlib.compress(bytes(2 << 20))


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"Comment\0\0" + LONG),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + LONG),
        chunk(b"tEXt", b"Comment\0" + b"x" * (2 << 20)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + LONG),
        chunk(b"iCCP", b"large\0\0" + LONG),
        chunk(b"iCCP", b"broken\0\0not zlib"),
        chunk(b"iCCP", b"another method\0\1" + LONG),
        chunk(b"iCCP", b""),
        chunk(b"tEXt", b"wrong checksum\0x")[:-4] + b"oops",
        chunk(b"gAMA", bytes(4))[:-4] + b"oops",
        chunk(b"pHYs", b"short"),
        chunk(b"cHRM", bytes(31)),
        chunk(b"sRGB", b""),
        chunk(b"acTL", b""),
        chunk(b"fcTL", b""),
        chunk(b"acTL", struct.pack(">II", 0, 0)) * 2,
        chunk(b"eXIf", b"II*\0")[:-4] + b"oops",
        chunk(b"noNe", b"of our business"),
    ],
)
def test_png_parts_that_the_picture_does_not_need_do_not_matter(extra: bytes) -> None:
    picture = Image.effect_noise((60, 40), 60)
    expected = images.read(encoded(picture))
    assert np.array_equal(images.read(with_chunks(picture, extra)), expected)
    whole = encoded(picture)
    assert np.array_equal(images.read(whole[:-12] + extra + whole[-12:]), expected)


def test_png_without_its_last_chunk_is_read() -> None:
    picture = Image.effect_noise((60, 40), 60)
    assert np.array_equal(images.read(encoded(picture)[:-12]), images.read(encoded(picture)))


def test_png_keeps_what_tells_how_it_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    picture = Image.effect_noise((60, 40), 60)
    profile = b"\nexif\n" + f"{len(block):8}\n".encode() + block.hex().encode()
    for text in (
        chunk(b"eXIf", block),
        chunk(b"tEXt", b"Raw profile type exif\0" + profile),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)),
        chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'),
    ):
        for data in (with_chunks(picture, text), encoded(picture)[:-12] + text + encoded(picture)[-12:]):
            assert images.read(data).shape == (60, 40, 3)
    assert png.essence(PNG).data is PNG or len(png.essence(PNG).data) < len(PNG)


def animation(kind: str, first: Image.Image, second: Image.Image, **options: object) -> bytes:
    return encoded(first, kind, save_all=True, append_images=[second], **options)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_picture_of_several_is_read_and_that_is_told(kind: str) -> None:
    first, second = (Image.new("RGB", (64, 48), colour) for colour in ((200, 10, 10), (10, 10, 200)))
    photo = images.load_photo(animation(kind, first, second))
    assert np.abs(photo.pixels.astype(int) - (200, 10, 10)).max() <= 6
    name = "file" if kind == "TIFF" else "animation"
    assert photo.notes == (f"Only the first picture of this {name} was looked at.",)
    assert images.load_photo(encoded(first, kind)).notes == ()


def test_a_row_tells_that_only_the_first_picture_was_looked_at() -> None:
    scorer = Scorer()
    black, face = Image.new("RGB", (512, 600)), Image.open(PORTRAIT).convert("RGB")
    with pytest.raises(PhotoError, match=r"No face was found\..* Only the first picture of this animation") as caught:
        scorer.score(animation("WEBP", black, face))
    assert caught.value.status == "no_face"
    (photo, plain) = scorer.score_many([animation("WEBP", face, black, quality=95), PORTRAIT])
    assert photo.rows[0].notes == "Only the first picture of this animation was looked at."
    assert photo.rows[0].score == pytest.approx(plain.rows[0].score, abs=0.1)
    assert plain.rows[0].notes == ""


@pytest.mark.parametrize("kind", ["JPEG", "progressive"])
@pytest.mark.parametrize("size", [(200, 200), (203, 197)])
def test_a_jpeg_without_its_end_is_read_if_all_its_pixels_are_there(kind: str, size: tuple[int, int]) -> None:
    whole = encoded(Image.effect_noise(size, 60), "JPEG", progressive=kind == "progressive")
    expected = images.read(whole)
    for ending in (b"", b"\xff", b"\0" * 100):
        assert np.array_equal(images.read(whole[:-2] + ending), expected)
    for cut in (40, 400, len(whole) // 2):
        assert "damaged" in str(error_of(whole[:-cut]))


def test_a_jpeg_without_its_end_keeps_orientation_and_reduction(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.effect_noise((200, 100), 60), "JPEG", exif=exif)[:-2]
    assert images.read(data).shape == (200, 100, 3)
    monkeypatch.setattr(limits, "MAX_PIXELS", 10_000)
    assert images.load_photo(data).pixels.shape == (100, 50, 3)


@pytest.mark.parametrize(("pixels", "reduction"), [(242_203, 1), (70_000, 2), (20_000, 4), (4_000, 8)])
def test_a_large_jpeg_is_decoded_smaller(monkeypatch: pytest.MonkeyPatch, pixels: int, reduction: int) -> None:
    photo = Image.open(PORTRAIT).convert("RGB").resize((403, 601))
    whole = images.read(encoded(photo, "JPEG"))
    monkeypatch.setattr(limits, "MAX_PIXELS", pixels)
    small = images.load_photo(encoded(photo, "JPEG"))
    assert small.reduction == reduction
    assert small.pixels.shape == (math.ceil(601 / reduction), math.ceil(403 / reduction), 3)
    assert small.notes == (() if reduction == 1 else (f"The photo has 0.242 megapixels and was read at 1/{reduction} "
                                                      "of its width and height.",))  # fmt: skip
    assert abs(small.pixels.mean() - whole.mean()) < 1


def test_boxes_are_in_pixels_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scorer = Scorer()
    (plain,) = scorer.score(PORTRAIT)
    monkeypatch.setattr(limits, "MAX_PIXELS", 80_000)
    (row,) = scorer.score(PORTRAIT)
    assert "was read at 1/2 of its width and height" in row.notes
    for side in ("x", "y", "w", "h"):
        assert getattr(row, side) == pytest.approx(getattr(plain, side), abs=12)
    (scored,) = scan(scorer, [str(PORTRAIT)], copies={str(PORTRAIT): tmp_path / "copy.jpg"})
    assert scored.rows == [replace(row, file=str(PORTRAIT))]
    copy = images.read(tmp_path / "copy.jpg").astype(int)
    assert copy.shape == (300, 256, 3)
    drawn = np.abs(copy - images.read(PORTRAIT)).max(2) > 60
    assert drawn[:, : int(row.x or 0) // 2 - 8].mean() < 0.001  # the box lies where the face does


def test_a_jpeg_says_what_memory_it_takes() -> None:
    photo = Image.effect_noise((64, 64), 60).convert("RGB")
    for options, coefficients in (
        ({}, 0),
        ({"progressive": True}, 3),
        ({"progressive": True, "subsampling": 0}, 6),
        ({"progressive": True, "subsampling": 1}, 4),
    ):
        header = jpeg.header(encoded(photo, "JPEG", **options))
        assert header is not None
        assert (header.coefficient_bytes, header.width, header.scalable) == (coefficients, 64, True)
    one_by_one = bytearray(encoded(photo, "JPEG"))
    place = one_by_one.index(b"\xff\xda") + 4
    one_by_one[place] = 1  # the first scan has one of the three components
    header = jpeg.header(bytes(one_by_one))
    assert header is not None
    assert header.buffered
    assert jpeg.header(b"\xff\xd8\xff") is None
    assert jpeg.header(JPEG[:100]) is None


@pytest.mark.parametrize(
    ("header", "reduction"),
    [
        (jpeg.Header(7_071, 7_071, ((2, 2), (1, 1), (1, 1)), False, True, 0), 1),
        (jpeg.Header(8_192, 6_144, ((2, 2), (1, 1), (1, 1)), False, True, 0), 2),
        (jpeg.Header(16_384, 12_288, ((2, 2), (1, 1), (1, 1)), False, True, 0), 4),
        (jpeg.Header(15_000, 14_001, ((2, 2), (1, 1), (1, 1)), False, True, 0), None),
        (jpeg.Header(6_000, 5_000, ((1, 1),) * 3, True, True, 0), 1),
        (jpeg.Header(12_000, 9_000, ((2, 2), (1, 1), (1, 1)), True, True, 0), 8),
        (jpeg.Header(12_000, 9_000, ((1, 1),) * 3, True, True, 0), None),
        (jpeg.Header(8_192, 6_144, ((1, 1),), True, False, 0), None),
    ],
)
def test_the_reduction_is_the_smallest_that_memory_allows(header: jpeg.Header, reduction: int | None) -> None:
    assert header.reduction == reduction


def lying(width: int, height: int, **options: object) -> bytes:
    """A JPEG whose header says another size."""
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG", **options))
    frame = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    struct.pack_into(">HH", data, frame + 5, height, width)
    return bytes(data)


def test_what_is_too_large_says_its_size_and_the_cure() -> None:
    for data, words in (
        (lying(20_000, 11_000), "at most 210 megapixels of a JPEG. Received: 20000 x 11000, 220 megapixels; shrink it"),
        (lying(14_000, 14_000, progressive=True), "a progressive one of 14000 x 14000, 196 megapixels; shrink it or"),
        (encoded(Image.new("1", (9_000, 9_000))), "at most 50 megapixels of a PNG. Received: 9000 x 9000, 81 mega"),
        (encoded(Image.new("1", (9_000, 9_000)), "GIF"), "at most 25 megapixels of a GIF. Received: 9000 x 9000"),
    ):
        error = error_of(data)
        assert error.status == "too_large"
        assert words in str(error)


def test_jpeg_2000_must_not_lie_about_its_size() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "JPEG2000"))
    place = data.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">II", data, place + 8, 30_000, 30_000)
    error = error_of(bytes(data))
    assert error.status == "too_large"
    assert "Received: 30000 x 30000" in str(error)


class Bits:
    def __init__(self) -> None:
        self.number, self.count = 0, 0

    def put(self, value: int, count: int) -> "Bits":
        self.number |= value << self.count
        self.count += count
        return self

    def bytes(self) -> bytes:
        return b"\xff\x0a" + self.number.to_bytes(16, "little")


def test_the_size_of_a_jpeg_xl_is_read_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Bits().put(1, 1).put(7, 5).put(1, 3).bytes()
    assert jxl.size(small) == (64, 64)
    wide = Bits().put(0, 1).put(1, 2).put(1079, 13).put(5, 3).bytes()
    assert jxl.size(wide) == (1920, 1080)
    free = Bits().put(0, 1).put(0, 2).put(32, 9).put(0, 3).put(0, 2).put(640 & 511, 9).bytes()
    assert jxl.size(free) == (640 % 512 + 1, 33)
    bomb = Bits().put(0, 1).put(2, 2).put(99_999, 18).put(1, 3).bytes()
    for head in (b"", b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "):
        data = head + (struct.pack(">I4s", 8 + len(bomb), b"jxlc") if head else b"") + bomb
        assert jxl.size(data) == (100_000, 100_000)
        monkeypatch.setitem(sys.modules, "pillow_jxl", types.ModuleType("pillow_jxl"))
        plugin = types.ModuleType("pillow_jxl.JpegXLImagePlugin")
        plugin.JXLImageFile = None  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pillow_jxl.JpegXLImagePlugin", plugin)
        assert error_of(data).status == "too_large"
    assert jxl.size(b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)) is None


def test_jpeg_xl_is_read_with_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself is not installed here: another stands in for it."""
    plugin = types.ModuleType("pillow_jxl.JpegXLImagePlugin")
    plugin.JXLImageFile = lambda file: Image.new("RGB", (64, 64), (10, 20, 30))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_jxl", types.ModuleType("pillow_jxl"))
    monkeypatch.setitem(sys.modules, "pillow_jxl.JpegXLImagePlugin", plugin)
    assert images.read(Bits().put(1, 1).put(7, 5).put(1, 3).bytes())[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_tiff_is_turned_once(compression: str | None, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.effect_noise((60, 40), 60).convert("RGB")
    options = {"compression": compression} if compression else {}
    turned = images.read(encoded(picture, "TIFF", exif=exif, **options))
    expected = images.read(encoded(picture, "PNG", exif=exif))
    assert np.array_equal(turned, expected)


def damaged_tiff(compression: str) -> bytes:
    data = bytearray(encoded(Image.effect_noise((60, 40), 60).convert("RGB"), "TIFF", compression=compression))
    data[100:140] = b"\xff" * 40
    return bytes(data)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_libtiff_does_not_print_what_we_say(compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = damaged_tiff(compression)
    with libtiff.quiet():
        assert "damaged" in str(error_of(data))
        assert "damaged" in str(error_of(data))  # the first one has not ended the silence
    assert capfd.readouterr().err == ""
    with pytest.raises(OSError, match="decoder error"):
        Image.open(io.BytesIO(data)).load()
    assert capfd.readouterr().err != ""  # a host has the messages that it had


def test_pillow_does_not_warn_of_what_we_say(here: Run, tmp_path: Path) -> None:
    (tmp_path / "cut.tif").write_bytes(damaged_tiff("tiff_lzw")[:-20])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = here(USE, "cut.tif")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines()), caught) == (2, "", 1, [])
    assert "damaged" in done.stderr


def test_thirty_two_bits_are_refused_with_the_cure() -> None:
    for mode in ("F", "I"):
        assert "8 or 16 bits" in str(error_of(encoded(Image.new(mode, (40, 40)), "TIFF")))
