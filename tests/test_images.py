import io
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

from beauty_evaluate import images
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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP", "JPEG"])
def test_formats_give_the_same_rgb(kind: str, colours: NDArray[np.uint8]) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    found = images.read(encoded(Image.fromarray(colours), kind, **options))
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - colours).max() <= (4 if kind == "JPEG" else 0)


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
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate clockwise to see it upright
    found = images.read(encoded(Image.fromarray(colours), "PNG", exif=exif))
    assert np.array_equal(found, np.rot90(colours, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(colours: NDArray[np.uint8], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(colours), "PNG", exif=exif)
    assert np.array_equal(images.read(data), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


def test_strips_join_and_each_is_as_transparent_as_the_whole() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (2 * images.STRIP + 7, 40, 4), np.uint8)
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
        (b"", "unreadable", "empty file"),
        (b"hello, I am a text file", "unreadable", "other content"),
        (encoded(Image.new("RGB", (1, 1))), "too_small", "1 x 1"),
        (encoded(Image.new("RGB", (400, 31))), "too_small", "400 x 31"),
        (encoded(Image.new("RGB", (100, 100)), "GIF"), "unreadable", "other content"),
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
    name = b"iCCP"  # an empty colour profile, where Pillow raises IndexError
    chunk = (0).to_bytes(4, "big") + name + zlib.crc32(name).to_bytes(4, "big")
    content = whole[:-12] + chunk + whole[-12:]
    with pytest.raises(PhotoError, match="damaged") as caught:
        images.read(content)
    assert caught.value.status == "unreadable"


def test_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)))
    assert len(bomb) < 100_000
    with pytest.raises(PhotoError, match="50 megapixels") as caught:
        images.read(bomb)
    assert caught.value.status == "too_large"


def test_size_cap_lies_at_50_megapixels() -> None:
    with pytest.raises(PhotoError, match="50 megapixels"):
        images.read(encoded(Image.new("1", (7_072, 7_071))))
    assert images.MAX_PIXELS == 50_000_000


@pytest.mark.parametrize(
    ("kind", "encoding", "options"),
    [("WEBP", "WEBP", {}), ("AVIF", "AVIF", {}), ("progressive", "JPEG", {"progressive": True})],
)
def test_formats_that_take_more_memory_may_be_less_large(
    monkeypatch: pytest.MonkeyPatch, kind: str, encoding: str, options: dict[str, bool]
) -> None:
    if encoding not in images.FORMATS:
        pytest.skip("this Pillow knows no AVIF")
    data = encoded(Image.new("RGB", (100, 100)), encoding, **options)
    assert images.read(data).shape == (100, 100, 3)
    monkeypatch.setitem(images.MOST_PIXELS, kind, 9_999)
    with pytest.raises(PhotoError, match=r"of this format\. Received: 100 x 100"):
        images.read(data)
    assert images.read(encoded(Image.new("RGB", (100, 100)), "JPEG")).shape == (100, 100, 3)


def test_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with open(path, "wb") as file:
        file.truncate(images.MAX_BYTES + 1)
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


def test_avif_is_read_where_pillow_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("AVIF" in images.FORMATS) == features.check("avif")
    if features.check("avif"):
        Image.fromarray(np.full((64, 48, 3), 90, np.uint8)).save(tmp_path / "a.avif")
        assert images.read(tmp_path / "a.avif").shape == (64, 48, 3)
        data = bytearray((tmp_path / "a.avif").read_bytes())
        assert b"avif" in data[16 : int.from_bytes(data[:4], "big")]
        data[8:12] = b"mif1"  # as some programs begin, and list avif further on
        assert images.read(bytes(data)).shape == (64, 48, 3)
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        with pytest.raises(PhotoError, match="HEIC"):
            images.read(bytes(data).replace(b"avif", b"heic", 1))


def test_heic_without_its_decoder_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoError, match="pip install pillow-heif") as caught:
        images.read(b"\0\0\0\x18ftypheic" + bytes(40))
    assert caught.value.status == "unreadable"


def test_heic_is_read_with_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself is not installed here: another stands in for it."""
    asked: list[tuple[str, ...]] = []

    def open_heif(source: io.BytesIO, formats: tuple[str, ...]) -> Image.Image:
        asked.append(formats)
        return Image.new("RGB", (40, 40), (10, 20, 30))

    decoder = types.ModuleType("pillow_heif")
    decoder.register_heif_opener = lambda: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", decoder)
    monkeypatch.setattr(Image, "open", open_heif)
    assert (images.read(b"\0\0\0\x18ftypheic" + bytes(40))[0, 0] == [10, 20, 30]).all()
    assert asked == [("HEIF",)]
