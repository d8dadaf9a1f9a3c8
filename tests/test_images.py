import io
import os
import struct
import sys
import types
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Run
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

from beauty_evaluate import decoders, exif, images, limits
from beauty_evaluate.errors import PhotoError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def colours() -> NDArray[np.uint8]:
    """40 x 60 with a red left and a blue right half."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30, 0] = 200
    picture[:, 30:, 2] = 100
    return picture


LOSSLESS: list[tuple[str, dict[str, object]]] = [
    ("PNG", {}),
    ("BMP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("JPEG2000", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", {"compression": "packbits"}),
]


@pytest.mark.parametrize(("kind", "options"), [*LOSSLESS, ("JPEG", {"quality": 98, "subsampling": 0})])
def test_formats_give_the_same_rgb(kind: str, options: dict[str, object], colours: NDArray[np.uint8]) -> None:
    picture = images.read(encoded(Image.fromarray(colours), kind, **options))
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - colours).max() <= (4 if kind == "JPEG" else 0)


def test_grey_palette_and_two_tone(colours: NDArray[np.uint8]) -> None:
    grey = Image.fromarray(colours).convert("L")
    assert np.array_equal(images.read(encoded(grey)), np.repeat(np.asarray(grey)[..., None], 3, 2))
    assert np.array_equal(
        images.read(encoded(Image.fromarray(colours).convert("P", palette=Image.Palette.ADAPTIVE))), colours
    )
    assert images.read(encoded(grey.convert("1"))).max() == 255


def test_sixteen_bits_become_eight() -> None:
    deep = np.linspace(0, 65535, 40 * 60).reshape(40, 60).astype(np.uint16)
    found = images.read(encoded(Image.fromarray(deep)))
    assert found.shape == (40, 60, 3)
    assert np.array_equal(found[..., 0], deep >> 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_are_white(mode: str) -> None:
    image = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    image.paste((10, 20, 30, 255), (0, 0, 40, 20))
    found = images.read(encoded(image.convert("RGBA") if mode == "PA" else image.convert(mode)))
    assert (found[20:] == 255).all()
    assert (found[:20] < 40).all()


def test_exif_orientation_is_honoured(colours: NDArray[np.uint8]) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was turned: rotate clockwise to see it upright
    found = images.read(encoded(Image.fromarray(colours), "PNG", exif=turned))
    assert np.array_equal(found, np.rot90(colours, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(colours: NDArray[np.uint8], orientation: int) -> None:
    turned = Image.Exif()
    turned[0x0112] = orientation
    data = encoded(Image.fromarray(colours), "PNG", exif=turned)
    assert np.array_equal(images.read(data), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


def test_strips_join_and_each_is_as_transparent_as_the_whole() -> None:
    rows = images.PIXELS_PER_STRIP // 1000
    rgba = np.random.default_rng(0).integers(0, 256, (2 * rows + 7, 1000, 4), np.uint8)
    share = rgba[..., 3:] / 255
    expected = rgba[..., :3] * share + 255 * (1 - share)
    assert np.abs(images.read(encoded(Image.fromarray(rgba))) - expected).max() <= 1


def test_damaged_exif_does_not_stop_a_good_picture(colours: NDArray[np.uint8]) -> None:
    broken = encoded(Image.fromarray(colours), "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert images.read(broken).shape == (40, 60, 3)


def test_content_decides_not_the_name(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.fromarray(colours), "PNG"))
    assert np.array_equal(images.read(path), colours)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", "unreadable", "is empty"),
        (b"hello, I am a text file", "unreadable", "This is a text file, not a picture"),
        (b"\x00\x9c\x07nobody knows what", "unreadable", "Not a JPEG"),
        (encoded(Image.new("RGB", (1, 1))), "too_small", "1 x 1"),
        (encoded(Image.new("RGB", (400, 31))), "too_small", "400 x 31"),
        (encoded(Image.effect_noise((200, 200), 60), "GIF")[:9000], "unreadable", "damaged"),
        (encoded(Image.effect_noise((200, 200), 60), "TIFF")[:9000], "unreadable", "damaged"),
        (encoded(Image.effect_noise((200, 200), 60), "JPEG2000")[:9000], "unreadable", "damaged"),
        (encoded(Image.effect_noise((200, 200), 60), "JPEG")[:4000], "unreadable", "damaged"),
        (encoded(Image.effect_noise((200, 200), 60), "PNG")[:9000], "unreadable", "damaged"),
    ],
)
def test_bad_content_is_named(content: bytes, status: str, words: str) -> None:
    with pytest.raises(PhotoError, match=words) as caught:
        images.read(content)
    assert caught.value.status == status


def test_whatever_a_decoder_stumbles_upon_is_a_damaged_picture() -> None:
    whole = encoded(Image.new("RGB", (64, 64)), "PNG")
    name = b"tRNS"  # an empty colour that is transparent, where Pillow raises struct.error
    chunk = (0).to_bytes(4, "big") + name + zlib.crc32(name).to_bytes(4, "big")
    content = whole[:33] + chunk + whole[33:]
    with pytest.raises(PhotoError, match="damaged") as caught:
        images.read(content)
    assert caught.value.status == "unreadable"


def test_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (10_000, 10_000)))
    assert len(bomb) < 100_000
    with pytest.raises(PhotoError, match="50 megapixels") as caught:
        images.read(bomb)
    assert caught.value.status == "too_large"


def test_size_cap_lies_at_50_megapixels() -> None:
    with pytest.raises(PhotoError, match="50 megapixels"):
        images.read(encoded(Image.new("1", (7_072, 7_071))))
    assert limits.MAX_PIXELS == 50_000_000


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "GIF", "JPEG2000"])
def test_formats_that_take_more_memory_may_be_less_large(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    data = encoded(Image.new("RGB", (100, 100)), kind)
    assert images.read(data).shape == (100, 100, 3)
    monkeypatch.setitem(limits.MAX_PIXELS_BY_FORMAT, kind, 9_999)
    with pytest.raises(PhotoError, match=r"Received: 100 x 100, 0\.01 megapixels; shrink it or save it as JPEG"):
        images.read(data)
    assert images.read(encoded(Image.new("RGB", (100, 100)), "JPEG")).shape == (100, 100, 3)


def test_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with open(path, "wb") as file:
        file.truncate(limits.MAX_BYTES + 1)
    with pytest.raises(PhotoError, match="at most 64 MB"):
        images.read(path)
    with pytest.raises(PhotoError, match="at most 64 MB"):
        images.read(path.read_bytes())


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path, status in (
        (tmp_path / "none.jpg", "missing"),
        (tmp_path, "no_photos"),
        (Path("/dev/null"), "unreadable"),
    ):
        with pytest.raises(PhotoError) as caught:
            images.read(path)
        assert caught.value.status == status


def test_avif_is_told_from_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(encoded(Image.new("RGB", (48, 64)), "AVIF"))
    assert images.read(bytes(data)).shape == (64, 48, 3)
    assert b"avif" in data[16 : int.from_bytes(data[:4], "big")]
    data[8:12] = b"mif1"  # as some programs begin, and list avif further on
    assert images.read(bytes(data)).shape == (64, 48, 3)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoError, match="HEIC"):
        images.read(bytes(data).replace(b"avif", b"heic", 1))


@pytest.mark.parametrize(("kind", "name"), [("AVIF", "avif"), ("JPEG2000", "jpg_2000"), ("WEBP", "webp")])
def test_what_this_pillow_cannot_decode_is_one_sentence(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    data = encoded(Image.new("RGB", (48, 64)), kind)
    monkeypatch.setattr(features, "check", lambda feature: feature != name)
    with pytest.raises(PhotoError, match=r"This Pillow cannot decode .*; convert the photo to JPEG"):
        images.read(data)


@pytest.mark.parametrize(
    ("module", "package", "head"),
    [
        ("pillow_heif", "pillow-heif", b"\0\0\0\x18ftypheic"),
        ("pillow_jxl.JpegXLImagePlugin", "pillow-jxl-plugin", b"\xff\x0a\x4f\0\0\0"),
    ],
)
def test_what_needs_another_package_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str, head: bytes
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PhotoError, match=f"needs another package: pip install {package}, or convert") as caught:
        images.read(head + bytes(40))
    assert caught.value.status == "unreadable"


def test_heic_is_read_with_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself is not installed here: another stands in for it."""

    def open_heif(file: io.BytesIO) -> Image.Image:
        assert file.read(8) == b"\0\0\0\x18ftyp"
        return Image.new("RGB", (40, 40), (10, 20, 30))

    decoder = types.ModuleType("pillow_heif")
    decoder.HeifImageFile = open_heif  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", decoder)
    assert (images.read(b"\0\0\0\x18ftypheic" + bytes(40))[0, 0] == [10, 20, 30]).all()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize(
    ("turn", "shape"), [(b"", (60, 40, 3)), (box(b"irot", b"\1"), (40, 60, 3)), (box(b"imir", b"\1"), (40, 60, 3))]
)
def test_heic_is_turned_once(monkeypatch: pytest.MonkeyPatch, turn: bytes, shape: tuple[int, ...]) -> None:
    """By its decoder, as its own boxes say; or by us, as EXIF says where there are none."""

    def open_heif(file: io.BytesIO) -> Image.Image:
        image = Image.new("RGB", (60, 40))
        image.info = {"original_orientation": 6}  # which it takes out of EXIF in any case
        return image

    decoder = types.ModuleType("pillow_heif")
    decoder.HeifImageFile = open_heif  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", decoder)
    properties = box(b"iprp", box(b"ipco", box(b"ispe", bytes(12)) + turn))
    data = box(b"ftyp", b"heic" + bytes(4)) + box(b"meta", bytes(4) + box(b"hdlr", bytes(24)) + properties)
    assert images.read(data).shape == shape
    assert images.read(data + box(b"mdat", box(b"irot", b"\1"))).shape == shape  # pixels that look like a box


def test_a_file_object_is_read_from_its_beginning(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    written = io.BytesIO()
    Image.fromarray(colours).save(written, "PNG")  # it now stands at its end
    assert np.array_equal(images.read(written), colours)
    (tmp_path / "a.png").write_bytes(written.getvalue())
    with open(tmp_path / "a.png", "rb", buffering=0) as file:
        assert np.array_equal(images.read(file), colours)
    assert np.array_equal(images.read(bytearray(written.getvalue())), colours)
    assert np.array_equal(images.read(memoryview(written.getvalue())), colours)


def test_a_pipe_is_read_to_its_end(colours: NDArray[np.uint8]) -> None:
    reader, writer = os.pipe()
    with open(writer, "wb") as file:
        file.write(encoded(Image.fromarray(colours)))
    with open(reader, "rb") as file:
        assert np.array_equal(images.read(file), colours)


def test_a_file_object_without_a_photo_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.BytesIO(b"abc")
    closed.close()
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    with open(tmp_path / "photo.jpg", encoding="utf-8") as text:
        for source in (closed, text, io.StringIO("abc"), io.BytesIO()):
            with pytest.raises(PhotoError, match=r"rb|is empty") as caught:
                images.read(source)  # type: ignore[arg-type]
            assert caught.value.status == "unreadable"
    monkeypatch.setattr(limits, "MAX_BYTES", 2 << 20)
    for large in (io.BytesIO(bytes(3 << 20)), bytes(3 << 20), bytearray(3 << 20)):
        with pytest.raises(PhotoError, match="at most 2 MB") as caught:
            images.read(large)
        assert caught.value.status == "too_large"


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_arrays_become_rgb(channels: int | None) -> None:
    shape = (40, 60) if channels is None else (40, 60, channels)
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = images.as_picture(array)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    if channels == 4:
        share = array[..., 3:] / 255
        assert np.abs(picture - (array[..., :3] * share + 255 * (1 - share))).max() <= 1
    else:
        assert np.array_equal(picture, np.broadcast_to(array.reshape(40, 60, -1), (40, 60, 3)))
    assert np.array_equal(images.as_picture(array[::-1, ::-1]), picture[::-1, ::-1])
    assert not np.shares_memory(picture, array)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (np.float16, [0, 0.5, 1]),
        (np.float32, [0, 0.5, 1]),
        (np.float64, [0, 0.5, 1]),
        (np.uint16, [0, 0x80FF, 0xFFFF]),
        (np.int32, [0, 128, 255]),
        (np.int64, [0, 128, 255]),
        (np.int16, [0, 128, 255]),
    ],
)
def test_other_types_of_arrays_are_brought_to_bytes(dtype: type[Any], values: list[float]) -> None:
    rows = np.repeat(np.array(values, dtype), 200)  # more than one strip
    array = np.broadcast_to(rows[:, None, None], (600, 40, 3))
    picture = images.as_picture(array)
    assert picture[::200, 0, 0].tolist() == [0, 128, 255]
    assert (picture == picture[:, :1, :1]).all()
    assert np.array_equal(images.as_picture(array[..., 0]), picture)


def test_truth_values_are_black_and_white() -> None:
    picture = images.as_picture(np.arange(1600).reshape(40, 40) % 3 == 0)
    assert picture[0, :4, 0].tolist() == [255, 0, 0, 255]


def test_pil_pictures_become_what_their_files_do(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    image, turned = Image.fromarray(colours), Image.Exif()
    turned[0x0112] = 6
    image.convert("RGBA").save(tmp_path / "a.png", exif=turned)
    with Image.open(tmp_path / "a.png") as opened:
        assert np.array_equal(images.as_picture(opened), images.read(tmp_path / "a.png"))
        assert opened.getpixel((0, 0)) == (200, 0, 0, 255)  # it is still the caller's to use
    assert np.array_equal(images.as_picture(image), colours)
    deep = Image.fromarray(np.full((40, 40), 65535, np.uint16))
    assert (images.as_picture(deep) == images.read(encoded(deep))).all()
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()):
        assert np.array_equal(images.as_picture(source), images.read(source))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.full((40, 60, 3), 255, np.uint16), r"uint16 \(40, 60, 3\); no value is above 255"),
        (np.full((40, 60, 3), 255, np.float32), r"float32 \(40, 60, 3\); .*these are from 255 to 255; scale them"),
        (np.full((40, 60), np.nan), r"floats run from 0 to 1, these are not numbers"),
        (np.full((40, 60), -0.1), r"these are from -0\.1 to -0\.1"),
        (np.full((40, 60), -1), r"int64 \(40, 60\); scale the values"),
        (np.full((40, 60), 256), r"int64 \(40, 60\); scale the values"),
        (np.zeros((40, 60), np.complex64), r"complex64 \(40, 60\); scale the values"),
        (np.zeros((40, 60), object), r"object \(40, 60\); scale the values"),
        (np.zeros((3, 40, 60), np.uint8), r"uint8 \(3, 40, 60\); channels come last"),
        (np.zeros((1, 40, 60, 3), np.uint8), r"uint8 \(1, 40, 60, 3\)"),
        (np.zeros((40, 60, 2), np.uint8), r"uint8 \(40, 60, 2\)"),
        (np.zeros(40, np.uint8), r"uint8 \(40,\)"),
        (np.uint8(3), "Received: uint8"),
        (Image.new("F", (40, 40)), r"mode F\); scale its values"),
        (Image.new("I", (40, 40)), r"mode I\); scale its values"),
        ([[0, 0, 0]], "Received: list"),
        (None, "Received: NoneType"),
        (7, "Received: int"),
    ],
)
def test_anything_else_is_one_sentence(source: Any, words: str) -> None:
    with pytest.raises(PhotoError, match=words) as caught:
        images.as_picture(source)
    assert caught.value.status == "unreadable"
    assert "\n" not in str(caught.value)


def test_the_size_caps_hold_for_arrays_and_pil_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 9_999)
    for side, status in ((100, "too_large"), (31, "too_small"), (0, "too_small")):
        array = np.zeros((side, side, 3), np.uint8)
        sources: list[images.Source] = [array, array[..., 0], Image.new("RGB", (side, side))]
        for source in sources:
            with pytest.raises(PhotoError) as caught:
                images.as_picture(source)
            assert caught.value.status == status
    monkeypatch.setitem(limits.MAX_PIXELS_BY_FORMAT, "WEBP", 4_000)
    with (
        Image.open(io.BytesIO(encoded(Image.new("RGB", (80, 80)), "WEBP"))) as webp,
        pytest.raises(PhotoError, match="of a WebP"),
    ):
        images.as_picture(webp)


HOST = """
import io, warnings
import numpy
from PIL import Image
def state():
    return Image.MAX_IMAGE_PIXELS, list(warnings.filters), dict(Image.OPEN)
Image.init()
before = state()
from beauty_evaluate import decoders, exif, images, limits
from beauty_evaluate.errors import PhotoError
assert state() == before, "the import"
bomb, small = io.BytesIO(), io.BytesIO()
Image.new("1", (10_000, 9_500)).save(bomb, "PNG")
Image.new("RGB", (60, 60)).save(small, "PNG")
for limit in (None, 1, 89_478_485):
    Image.MAX_IMAGE_PIXELS = limit
    before = state()
    try:
        images.read(bomb)
    except PhotoError as error:
        print(error.status, end=" ")
    assert state() == before
Image.MAX_IMAGE_PIXELS = None
print(images.read(small).shape)
"""


def test_the_host_process_keeps_its_limits_and_warning_filters(run: Run) -> None:
    """Our cap holds below, above and without a limit of the host's, and no warning is printed."""
    done = run("-c", HOST)
    assert done.stdout == "too_large too_large too_large (60, 60, 3)\n"
    assert done.stderr == ""


def test_damaged_exif_warns_nobody(colours: NDArray[np.uint8]) -> None:
    photo = encoded(Image.fromarray(colours), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", quality=98)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.read(photo).shape == (40, 60, 3)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "letter"), [(1, "B"), (3, "H"), (4, "I")])
def test_the_orientation_is_found_in_either_byte_order(order: str, kind: int, letter: str) -> None:
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    entries = struct.pack(order + "HHHI", 2, 0x0110, 2, 4) + b"cam\0" + struct.pack(order + "HHI", 0x0112, kind, 1)
    block = head + entries + struct.pack(order + letter, 6).ljust(4, b"\0") + bytes(4)
    for content in (block, b"Exif\0\0" + block, b"Exif\0\0Exif\0\0" + block):
        assert exif.orientation({"exif": content}) == 6
    for end in range(len(block) - 9):
        assert exif.orientation({"exif": block[:end]}) in (1, 6)
    profile = "\nexif\n" + f"{len(block)}\n" + block.hex()
    assert exif.orientation({"Raw profile type exif": profile}) == 6
    assert exif.orientation({"Raw profile type exif": "\nexif\n9\nnot hex"}) == 1


def test_the_orientation_stands_in_xmp_where_exif_has_none() -> None:
    assert exif.orientation({"xmp": b'<x tiff:Orientation="6"/>'}) == 6
    assert exif.orientation({"XML:com.adobe.xmp": "<tiff:Orientation>3</tiff:Orientation>"}) == 3
    assert exif.orientation({"xmp": b'<x tiff:Orientation="0"/>', "exif": b"Exif\0\0"}) == 1


@pytest.mark.parametrize("place", ["_pixels", "_upright", "converter"])
@pytest.mark.parametrize("mistake", [ValueError, TypeError, KeyError, MemoryError])
def test_our_own_bugs_keep_their_traceback(
    monkeypatch: pytest.MonkeyPatch, place: str, mistake: type[Exception]
) -> None:
    def broken(*arguments: object) -> None:
        raise mistake("ours")

    monkeypatch.setattr(images, place, broken)
    with pytest.raises(mistake, match="ours") as caught:
        images.read(encoded(Image.new("RGB", (40, 40))))
    assert caught.traceback[-1].name == "broken"


def test_a_lack_of_memory_is_not_a_damaged_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(decoders.decoder_of("PNG"), "load", load)
    with pytest.raises(MemoryError):
        images.read(encoded(Image.new("RGB", (40, 40))))


def test_many_threads_decode_at_once(colours: NDArray[np.uint8]) -> None:
    whole, bomb = encoded(Image.fromarray(colours)), encoded(Image.new("1", (7_072, 7_071)))

    def fate(content: bytes) -> str:
        try:
            return str(images.read(content).shape)
        except PhotoError as error:
            return error.status

    with ThreadPoolExecutor(8) as pool:
        fates = list(pool.map(fate, [whole, bomb, whole[:60]] * 20))
    assert fates == ["(40, 60, 3)", "too_large", "unreadable"] * 20


def test_a_message_of_a_path_stays_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(PhotoError) as caught:
        images.read(tmp_path / "two\nlines\udcff.jpg")
    assert str(caught.value) == f"No such file: {tmp_path}/two\\nlines\\udcff.jpg."
    with pytest.raises(PhotoError, match=r"Cannot read .*; check") as caught:
        images.read("a" * 5000)
    assert caught.value.status == "unreadable"
