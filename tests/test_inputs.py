"""How photos are named: on the command line, in lists, on a pipe, by patterns; and what is no file here."""

import io
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, Run
from PIL import Image

from beauty_evaluate import Scorer, images, limits
from beauty_evaluate.cli.common import as_path
from beauty_evaluate.encoded import Piped, bytes_of
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.scoring.paths import expand, from_stream

USE = "use.py"


class Once(io.BytesIO):
    """A pipe: it cannot be read again, and gives a few bytes at a time."""

    def seekable(self) -> bool:
        return False


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Once(content)))


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/me.jpg?size=*",
        "HTTP://example.org/me.jpg",
        "s3://bucket/me.jpg",
        "gs://bucket/[1].jpg",
        "ftp://example.org/me.jpg",
        "file:///home/me.jpg",
        "data:image/png;base64," + "A" * 500,
    ],
    ids=lambda address: address[:8],
)
def test_addresses_say_that_they_are_not_fetched(here: Run, address: str) -> None:
    done = here(USE, address)
    assert done.returncode == 2
    assert done.stdout == ""
    assert address[:200] in done.stderr
    assert done.stderr.endswith("download the photo and give its path.\n")
    for source in (address, Path(address)):
        with pytest.raises(PhotoError, match="Addresses are not fetched") as caught:
            images.read(source)
        assert (caught.value.status, len(str(caught.value)) < 300) == ("missing", True)


def test_a_file_may_be_called_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(PORTRAIT, "data:a.jpg")
    assert images.read("data:a.jpg").shape == (600, 512, 3)


def test_tilde_is_the_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home" / "more").mkdir(parents=True)
    for name in ("a.jpg", "more/b.jpg"):
        shutil.copy(PORTRAIT, tmp_path / "home" / name)
    home = [str(tmp_path / "home" / name) for name in ("a.jpg", "more/b.jpg")]
    assert expand(["~"]) == expand(["~/"]) == home
    assert expand(["~/*.jpg", "~/none.jpg"]) == [home[0], str(tmp_path / "home" / "none.jpg")]
    assert images.read("~/a.jpg").shape == images.read(Path("~/more/b.jpg")).shape == (600, 512, 3)
    with pytest.raises(PhotoError, match=f"No such file: {tmp_path}/home/none.jpg"):
        images.read("~/none.jpg")
    shutil.copy(PORTRAIT, "~backup.jpg")  # a name may begin like this
    assert expand(["~backup.jpg"]) == ["~backup.jpg"]
    assert images.read("~backup.jpg").shape == (600, 512, 3)


def test_a_name_may_begin_with_a_dash(here: Run, tmp_path: Path) -> None:
    shutil.copy(PORTRAIT, tmp_path / "-dash.jpg")
    assert as_path("-") == "-"
    done = here(USE, "-dash.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("./-dash.jpg: 2.72")
    assert here(USE, "-none.jpg").returncode == 2
    assert Scorer().score("-dash.jpg")[0].file == "-dash.jpg"


LISTS = {
    "plain": b"a.jpg\nb c.jpg\n",
    "without a last line end": b"a.jpg\nb c.jpg",
    "of Windows": b"a.jpg\r\nb c.jpg\r\n",
    "with empty lines": b"\n\na.jpg\n  \nb c.jpg\n\n",
    "UTF-8 with BOM": "\ufeffa.jpg\nb c.jpg\n".encode(),
    "UTF-16 with BOM": "a.jpg\r\nb c.jpg\r\n".encode("utf-16"),
    "UTF-16 the other way": "\ufeffa.jpg\nb c.jpg\n".encode("utf-16-be"),
    "UTF-16 without BOM": "a.jpg\r\nb c.jpg\r\n".encode("utf-16-le"),
    "UTF-16 the other way without BOM": "a.jpg\nb c.jpg\n".encode("utf-16-be"),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_are_read_however_they_were_saved(kind: str) -> None:
    assert list(from_stream(Once(LISTS[kind]))) == ["a.jpg", "b c.jpg"]


def test_long_lists_and_odd_names() -> None:
    names = [f"photo {i}.jpg" for i in range(5000)]
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert list(from_stream(Once("\n".join(names).encode(encoding)))) == names
    odd = ["GIF89a.jpg", "BM.jpg", "RIFF.webp", "<photo>.jpg", "{1}.jpg", "%PDF.jpg", "ID3.jpg", "PK.jpg", "ü.jpg"]
    for name in odd:
        assert list(from_stream(Once(f"{name}\n".encode()))) == [name]
    assert list(from_stream(Once(b"caf\xe9.jpg\n"))) == ["caf\udce9.jpg"]
    for cut in (b"\xff\xfea\0.", b"\xfe\xff\xd8\0"):
        with pytest.raises(Exception, match="not whole UTF-16"):
            list(from_stream(Once(cut)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_a_pipe_may_hold_a_picture(kind: str) -> None:
    file = io.BytesIO()
    with Image.open(PORTRAIT) as photo:
        photo.convert("RGB").save(file, kind)
    (name,) = from_stream(Once(file.getvalue()))
    assert isinstance(name, Piped)
    assert (name, bytes_of(name)) == ("-", file.getvalue())
    assert expand([name])[0] is name


def test_a_picture_on_a_pipe_is_scored(
    here: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piped(monkeypatch, PORTRAIT.read_bytes())
    done = here(USE, "-", PORTRAIT_PNG, "--csv", tmp_path / "t.csv", "--out", tmp_path / "copies")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("-: 2.72")
    assert (tmp_path / "t.csv").read_text().splitlines()[1].startswith("-,1,1,ok,2.7")
    assert (tmp_path / "copies" / "-_scored.jpg").is_file()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n" + bytes(10), "-: This is a PDF"),
        (b"<!DOCTYPE html>\n<title>Not found</title>", "-: This is a web page"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "-: This is a video"),
        (PORTRAIT.read_bytes()[:9000], "-: The picture is damaged"),
    ],
)
def test_what_is_no_picture_on_a_pipe_is_told_by_name(
    here: Run, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    piped(monkeypatch, content)
    done = here(USE, "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) == 1


def test_a_picture_on_a_pipe_must_not_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    (name,) = from_stream(Once(PORTRAIT.read_bytes() + bytes(5 << 20)))
    with pytest.raises(PhotoError, match="at most 1 MB"):
        images.read(name)


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders with two links back to the top, which `**` would follow for ever."""
    monkeypatch.chdir(tmp_path)
    for folder in ("album", "album/deep", "album/.hidden"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").touch()
    for link in ("album/up", "album/deep/top"):
        os.symlink(tmp_path, tmp_path / link, target_is_directory=True)
    return tmp_path


def test_loops_of_links_end(loop: Path) -> None:
    both = [os.path.join("album", "a.jpg"), os.path.join("album", "deep", "a.jpg")]
    assert expand(["**/*.jpg"]) == expand(["album/**/*.jpg"]) == expand(["a*/**/a.jpg"]) == both
    assert expand(["**/deep/**/*.jpg"]) == both[1:]
    assert expand([f"{loop}/**/a.jpg"]) == [str(loop / path) for path in both]
    assert sorted(expand(["album/**"])) == both
    assert expand(["**/*.png"]) == ["**/*.png"]


def test_a_folder_counts_what_it_leaves_out(loop: Path) -> None:
    for name in ("clip.mp4", "clip.MOV", "paper.pdf", ".DS_Store", "Thumbs.db", "._a.jpg", "README", "t.csv"):
        (loop / "album" / name).touch()
    endings: Counter[str] = Counter()
    assert len(expand(["album"], written=["album/t.csv"], left_out=endings)) == 3
    assert endings == {".mp4": 1, ".mov": 1, ".pdf": 1, "._": 1, "": 1, os.sep: 2}


def test_the_command_says_what_it_left_out(here: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(PORTRAIT, tmp_path / "in" / "a.jfif")
    done = here(USE, "in")
    assert done.stdout.startswith("in/a.jfif: 2.72")
    assert "Left out" not in done.stdout
    for name in ("clip.mp4", "other.mp4", "paper.pdf", "raw.NEF"):
        (tmp_path / "in" / name).touch()
    done = here(USE, "in", "--csv", "-")
    sentence = "Left out of the folders: 2 videos (.mp4), 1 PDF, 1 raw camera file (.nef).\n"
    assert done.stderr.endswith(sentence)
    assert here(USE, "in").stdout.endswith(sentence)


def test_notes_stand_behind_a_score(here: Run, tmp_path: Path) -> None:
    with Image.open(PORTRAIT_PNG) as photo:
        photo.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", photo.size)])
    done = here(USE, "a.gif", "--json", tmp_path / "t.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("rated faces. Only the first picture of this animation was looked at.")
    assert '"notes": "Only the first picture of this animation was looked at."' in (tmp_path / "t.json").read_text()
