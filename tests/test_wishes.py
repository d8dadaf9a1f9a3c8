"""What people do with scores: the best photos as files, XMP beside them, sorted tables that Excel opens, two runs."""

import csv
import errno
import io
import json
import os
import shutil
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as xml

import cv2
import imagehash
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run
from PIL import Image

from beauty_evaluate import Row, Scorer, files, images
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import london
from beauty_evaluate.encoded import Piped
from beauty_evaluate.errors import UserError
from beauty_evaluate.faces.quality import Quality
from beauty_evaluate.phrases import WARNINGS, plain_warnings
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.scoring import bursts, picks, sidecar
from beauty_evaluate.scoring.outputs import Outputs
from beauty_evaluate.scoring.records import BYTE_ORDER_MARK, COLUMNS, csv_line, read_records, text_of
from beauty_evaluate.scoring.tables import Table
from beauty_evaluate.web.i18n import Texts

USE = ROOT / "use.py"
GOOD = Row("a.jpg", 1, 1, "ok", 3.2, 3.0, 3.4, 60.0, -1.5, 2.0, 3.0, 4.0, 0.9, weights="net:12345678")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two people: ann with a portrait and a darker copy, bob with another portrait; and a file that is no photo."""
    place = tmp_path / "album"
    for person in ("ann", "bob"):
        (place / person).mkdir(parents=True)
    shutil.copy(PORTRAIT_PNG, place / "ann" / "me.png")
    Image.fromarray(images.read(PORTRAIT_PNG) // 4).save(place / "ann" / "dark.png")
    with Image.open(london.SHIPPED / "images" / "030_neutral.jpg") as photo:
        photo.save(place / "bob" / "me.png")
    (place / "bob" / "note.jpg").write_text("no photo")
    return place


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- the best photos


def test_the_best_are_handed_over_as_files(here: Run, album: Path, tmp_path: Path) -> None:
    before = content(album)
    words = (USE, "album", "--top", 2, "--copy-to", "album/best")
    done = here(*words)
    assert done.returncode == 1  # the note
    lines = done.stdout.splitlines()
    assert lines[-3:-1] == ["The best 2 of 3 photos:", "  album/ann/me.png: 3.33 -> album/best/me.png"]
    assert lines[-1].startswith("  album/bob/me.png: 2.5")
    best = content(album / "best")
    assert best == {"me.png": before["ann/me.png"], "me_2.png": before["bob/me.png"]}
    again = here(*words)
    assert again.stdout == done.stdout  # copies are no inputs, and what is there already is not copied twice
    assert content(album) == before | {f"best/{name}": data for name, data in best.items()}
    assert here(USE, "album/best/me.png", *words[2:]).returncode == 2


def test_copies_write_nothing_over(tmp_path: Path) -> None:
    (tmp_path / "out" / "a_2.jpg").mkdir(parents=True)
    (tmp_path / "out" / "a.jpg").write_bytes(b"precious")
    (tmp_path / "out" / "a_3.jpg").symlink_to("nowhere")
    for folder, data in (("x", b"one"), ("y", b"two"), ("z", b"one")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(data)
    files = [str(tmp_path / folder / "a.jpg") for folder in "xyz"]
    copies = picks.copy_photos(files, tmp_path / "out")
    assert [path.name for path in copies] == ["a_4.jpg", "a_5.jpg", "a_6.jpg"]
    assert [path.read_bytes() for path in copies] == [b"one", b"two", b"one"]
    assert picks.copy_photos(files, tmp_path / "out") == copies
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"precious"


def test_the_best_may_come_from_a_pipe(here: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "-").write_bytes(PORTRAIT.read_bytes())  # another file, which its name does not mean
    words = (USE, "-", PORTRAIT, "--top", 1, "--best-of-burst", "--report", "page.html")
    for place in ("out", "."):
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(PORTRAIT_PNG.read_bytes())))
        done = here(*words, "--copy-to", place)
        assert done.stdout.splitlines()[-1] == f"  -: 3.33 -> {Path(place) / 'photo.png'}"
        assert (tmp_path / place / "photo.png").read_bytes() == PORTRAIT_PNG.read_bytes()
    assert os.listdir(tmp_path / "out") == ["photo.png"]
    assert 'href="-"' not in (tmp_path / "page.html").read_text()
    again, other = (Piped("-", data) for data in (PORTRAIT_PNG.read_bytes(), PORTRAIT_PNG.read_bytes()[:-1]))
    assert picks.copy_photos([again], tmp_path / "out") == [tmp_path / "out" / "photo.png"]
    assert picks.copy_photos([other], tmp_path / "out") == [tmp_path / "out" / "photo_2.png"]


def test_nothing_is_written_beside_a_photo_on_a_pipe(
    here: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(PORTRAIT_PNG.read_bytes())))
    done = here(USE, "-", "--xmp")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "Save it first" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_copy_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, copy: io.BufferedWriter) -> None:
        copy.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space"):
        picks.copy_photos([str(PORTRAIT)], tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


def test_doubtful_photos_are_picked_last_and_a_group_counts_with_its_best_face() -> None:
    dark = replace(GOOD, file="dark.jpg", score=4.9, warnings="dark")
    group = [replace(GOOD, file="group.jpg", score=score, faces=2) for score in (2.0, 3.5)]
    photos = [picks.candidate(rows) for rows in ([dark], group, [GOOD])]
    order = picks.pick(photos, picks.Picks(top=9))
    assert [photo.file for photo in order] == ["group.jpg", "a.jpg", "dark.jpg"]


def test_the_best_of_each_person(here: Run, album: Path) -> None:
    done = here(USE, "album", "--best-of-person", "--json", "-")
    assert "The best 2 of 3 photos:" in done.stderr
    assert "dark" not in done.stderr.partition("The best")[2]
    stray = picks.Candidate(replace(GOOD, file="stray.jpg", score=1.0))
    ann = [picks.Candidate(replace(GOOD, file=f"{n}.jpg", score=n), "ann") for n in (2, 3)]
    assert [p.file for p in picks.pick([stray, *ann], picks.Picks(of_persons=True))] == ["3.jpg", "stray.jpg"]
    alone = here(USE, PORTRAIT, "--best-of-person", "--csv", "t.csv")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "needs a folder for each person" in alone.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--top", "0"], "Give a number from 1"),
        (["--copy-to", "best"], "Add --top K, --best-of-burst or --best-of-person"),
        (["--top", "1", "--resume", "--csv", "t.csv"], "Leave one out"),
        (["--excel"], "Add --csv FILE"),
    ],
)
def test_wishes_that_do_not_go_together(here: Run, tmp_path: Path, words: list[str], message: str) -> None:
    done = here(USE, PORTRAIT, *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert message in done.stderr
    assert os.listdir(tmp_path) == []


# --- bursts


def shots(folder: Path, seconds: dict[str, int | None], change: Callable[[Image.Image], Image.Image]) -> list[str]:
    """Photos of one scene, each a little changed, with the times of their shots."""
    photo, files = Image.open(PORTRAIT).convert("RGB"), []
    for name, second in seconds.items():
        block = Image.Exif()
        if second is not None:
            block[0x0132] = "2024:06:01 10:00:00"  # when a program changed it
            block.get_ifd(0x8769)[0x9003] = f"2020:05:01 10:00:{second:02d}"
        photo.save(folder / name, exif=block)
        files.append(str(folder / name))
        photo = change(photo)
    return files


def moved(photo: Image.Image) -> Image.Image:
    return photo.rotate(1.5, translate=(6, 4), fillcolor=(90, 90, 90))


def test_near_duplicates_of_one_moment_are_one_burst(tmp_path: Path) -> None:
    files = shots(tmp_path, {"a.jpg": 0, "b.jpg": 3, "c.jpg": 50}, moved)
    assert bursts.first_of_bursts(files) == [files[0], files[2]]
    assert bursts.capture_time(Path(files[1]).read_bytes()) == datetime(2020, 5, 1, 10, 0, 3)
    timeless = shots(tmp_path, {"d.png": None, "e.png": None}, lambda photo: photo.resize((400, 470)))
    assert bursts.first_of_bursts([*timeless, "gone.jpg"]) == [timeless[0], "gone.jpg"]
    assert bursts.capture_time(b"0000:00:00 00:00:00\0") is None


def test_people_before_one_wall_are_no_burst() -> None:
    hashes = np.stack([bursts.perceptual_hash(sample.read()) for sample in london.read().samples.values()])
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(2)[np.triu_indices(len(hashes), 1)]
    assert apart.min() > bursts.BITS_ALONE


def test_the_hash_is_the_one_that_people_know() -> None:
    photo = images.read(PORTRAIT_PNG)
    known = imagehash.phash(Image.fromarray(photo), hash_size=bursts.HASH).hash.reshape(-1)
    assert (np.unpackbits(bursts.perceptual_hash(photo)) != known).sum() <= 10


def test_the_best_of_a_burst_is_the_sharp_one(here: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(PORTRAIT_PNG, tmp_path / "in" / "sharp.png")
    Image.fromarray(cv2.GaussianBlur(images.read(PORTRAIT_PNG), (0, 0), 8)).save(tmp_path / "in" / "blurred.png")
    done = here(USE, "in", "--best-of-burst", "--copy-to", "out")
    assert "The best 1 of 2 photos:" in done.stdout
    assert os.listdir(tmp_path / "out") == ["sharp.png"]


# --- XMP

TAGS = {f"{{{uri}}}": prefix for prefix, uri in sidecar.PREFIXES.items()}


def properties(path: Path) -> dict[str, str]:
    """The simple properties of a sidecar as `prefix:name`, as a reader of XMP finds them."""
    description = xml.fromstring(path.read_bytes()).find(".//{*}Description")
    assert description is not None
    named = {name: child for child in description for uri, prefix in TAGS.items() if child.tag.startswith(uri)
             for name in [f"{prefix}:{child.tag.removeprefix(uri)}"]}  # fmt: skip
    return {name: (child.text or "").strip() for name, child in named.items() if not len(child)}


def test_scores_are_written_beside_the_photos(here: Run, album: Path) -> None:
    before = content(album)
    done = here(USE, "album", "--xmp")
    assert "Written: scores beside 3 photos (.xmp)." in done.stdout
    after = content(album)
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == ["ann/dark.png.xmp", "ann/me.png.xmp", "bob/me.png.xmp"]
    (row,) = Scorer().score(PORTRAIT_PNG)
    shown = properties(album / "ann" / "me.png.xmp")
    assert (shown["beauty:Score"], shown["xmp:Rating"]) == (str(row.score), "3")
    assert shown["beauty:Weights"] == row.weights == registry.load_card().identity
    assert "xmp:Rating" not in properties(album / "ann" / "dark.png.xmp")  # no stars for a doubtful score
    again = here(USE, "album", "--xmp").stdout  # replaced, and no photos themselves
    assert again == f"{done.stdout}Left out of the folders: 3 sidecars (.xmp).\n"


def test_a_sidecar_of_another_program_is_left_alone(here: Run, tmp_path: Path) -> None:
    shutil.copy(PORTRAIT, tmp_path / "me.jpg")
    path = tmp_path / "me.jpg.xmp"
    ours = sidecar.content([GOOD], RatingScale(1, 5))
    for theirs in (b"", b"<x", ours.replace(b'"beauty_evaluate 0', b'"XMP Core 4.4.0-Exiv2 0')):
        path.write_bytes(theirs)
        done = here(USE, "me.jpg", "--xmp")
        assert (done.returncode, path.read_bytes()) == (0, theirs)
        assert done.stdout.splitlines()[-1].startswith("Left alone: 1 .xmp file of another program")
    path.unlink()
    path.symlink_to("elsewhere")
    assert not sidecar.write(str(tmp_path / "me.jpg"), [GOOD], RatingScale(1, 5))
    assert not (tmp_path / "elsewhere").exists()


def test_a_sidecar_is_a_packet_of_xmp_with_every_face() -> None:
    rows = [replace(GOOD, score=4.9, warnings="dark;grey", faces=2), replace(GOOD, face=2, faces=2, weights="a<b&c:1")]
    data = sidecar.content(rows, RatingScale(1, 10))
    assert data.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode())
    assert data.endswith(b'<?xpacket end="w"?>\n')
    tree = xml.fromstring(data)
    assert tree.tag == "{adobe:ns:meta/}xmpmeta"
    rdf, own = f"{{{sidecar.RDF}}}", f"{{{sidecar.NAMESPACE}}}"
    faces = tree.findall(f"{rdf}RDF/{rdf}Description/{own}Faces/{rdf}Seq/{rdf}li")
    assert [face.findtext(f"{own}Score") for face in faces] == ["4.9", "3.2"]
    assert [word.text for word in faces[0].iter(f"{rdf}li") if len(word) == 0] == ["dark", "grey"]
    description = tree.find(f".//{rdf}Description")
    assert description is not None
    assert description.findtext(f"{own}Score") == "3.2"  # of the face that is not doubtful
    assert description.findtext(f"{own}Weights") == "a<b&c:1"
    assert description.findtext(f"{{{sidecar.XMP}}}Rating") == "2"


# --- tables


def test_rows_name_the_network(here: Run, tmp_path: Path) -> None:
    identity = registry.load_card().identity
    done = here(USE, PORTRAIT, "missing.jpg", "--json", "-", "--csv", "t.csv")
    assert [json.loads(line)["weights"] for line in done.stdout.splitlines()] == [identity] * 2
    table = csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text()))
    assert [row["weights"] for row in table] == [identity] * 2
    name, digest = identity.split(":")
    assert (name, len(digest)) == (registry.EVALUATED, 8)
    assert registry.load_card().artifacts["onnx"].sha256.startswith(digest)
    bare = replace(registry.load_card(), artifacts={})
    assert bare.identity != identity
    assert Scorer().score_many(["missing.jpg"])[0].rows[0].weights == identity


def test_a_table_of_another_network_of_the_same_name_is_not_gone_on_in(here: Run, tmp_path: Path) -> None:
    card = registry.load_card()
    for path in card.folder.glob(f"{card.name}.*"):
        shutil.copy(path, tmp_path)
    table = tmp_path / "t.csv"
    row = {"file": "missing.jpg", "face": 0, "faces": 0, "status": "missing", "weights": "six_block_60-40:00000000"}
    table.write_text(csv_line(COLUMNS) + csv_line([row.get(column, "") for column in COLUMNS]))
    before = table.read_text()
    done = here(USE, PORTRAIT, "--csv", "t.csv", "--resume")
    assert done.returncode == 2
    assert "it has rows of six_block_60-40:00000000, and this is six_block_60-40:" in done.stderr
    assert table.read_text() == before


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1"])
def test_no_cell_begins_a_formula(tmp_path: Path, text: str) -> None:
    table = Table(str(tmp_path / "t.csv"), "csv")
    table.write([replace(GOOD, file=text, error=text, warnings=text)])
    table.close()
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["file"], row["error"], row["warnings"]) == (f"./{text}", f"'{text}", f"'{text}")
    assert (float(row["x"]), float(row["score"])) == (-1.5, 3.2)  # numbers stay numbers
    again = Table(str(tmp_path / "t.csv"), "csv", resume=True)
    assert again.earlier(text) is True
    again.close()


def test_a_photo_on_a_pipe_keeps_its_name() -> None:
    assert csv_line(["-", 1]) == "-,1\n"
    assert text_of([replace(GOOD, file="-")], "csv").startswith("-,1,")


def test_excel_finds_its_mark_and_a_run_goes_on_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table = Table(str(path), "csv", for_excel=True)
    table.write([replace(GOOD, file="zoë.jpg")])
    table.close()
    whole = path.read_bytes()
    assert whole.startswith(b"\xef\xbb\xbffile,face,")
    assert whole.count(b"\xef\xbb\xbf") == 1
    for length in range(len(whole), -1, -3):
        path.write_bytes(whole[:length])
        table = Table(str(path), "csv", resume=True, for_excel=True)
        table.write([replace(GOOD, file="zoë.jpg")])
        table.close()
        assert path.read_bytes() == whole, length
    assert read_records(whole, "csv")[0][0].file == "zoë.jpg"


def test_excel_and_sort_from_the_command(here: Run, album: Path, tmp_path: Path) -> None:
    done = here(USE, "album", "--csv", "t.csv", "--json", "t.json", "--excel", "--sort")
    shown = [float(line.split(": ")[1].split()[0]) for line in done.stdout.splitlines()[:3]]
    assert shown == sorted(shown, reverse=True)
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert text.startswith(BYTE_ORDER_MARK)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))
    scores = [float(row["score"]) for row in rows if row["score"]]
    assert scores == sorted(scores, reverse=True)
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "unreadable"]
    lines = [json.loads(line) for line in (tmp_path / "t.json").read_text().splitlines()]
    assert [line["file"] for line in lines] == [row["file"] for row in rows]
    again = here(USE, "album", "--json", "-", "--sort")
    assert [json.loads(line) for line in again.stdout.splitlines()] == lines
    more = here(USE, "album", PORTRAIT, "--csv", "t.csv", "--resume", "--sort")
    assert more.returncode == 1
    assert len((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()) == 6


def test_two_runs_on_one_table_lose_no_rows(here: Run, tmp_path: Path) -> None:
    first = Table(str(tmp_path / "t.csv"), "csv")
    first.write([GOOD])
    before = (tmp_path / "t.csv").read_bytes()
    (tmp_path / "other.json").write_text("precious")
    os.link(tmp_path / "t.csv", tmp_path / "same.csv")
    for words in (["--csv", "t.csv", "--resume"], ["--csv", "t.csv", "--overwrite"], ["--csv", "same.csv", "--resume"]):
        extra = ["--json", "other.json"] if "--overwrite" in words else []
        done = here(USE, PORTRAIT, *words, *extra)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith(
            f"Another run is writing {words[1]}. Wait until it has ended, or name another file.\n"
        )
        assert (tmp_path / "t.csv").read_bytes() == before
    assert (tmp_path / "other.json").read_text() == "precious"
    first.close()
    assert here(USE, PORTRAIT, "--csv", "same.csv", "--overwrite").returncode == 0


def test_a_table_that_was_replaced_meanwhile_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    opened: list[int] = []
    path.write_text("")
    open_file = os.open

    def replacing(file: str, *flags: int) -> int:
        descriptor = open_file(file, *flags)
        if not opened:  # another run puts its sorted table there
            (tmp_path / "new").write_text(csv_line(COLUMNS))
            os.replace(tmp_path / "new", path)
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", replacing)
    table = Table(str(path), "csv", resume=True)
    table.write([GOOD])
    table.close()
    assert len(opened) == 2
    assert [record.file for record in read_records(path.read_bytes(), "csv")[0]] == ["a.jpg"]


def test_a_table_may_be_a_device(here: Run) -> None:
    assert here(USE, PORTRAIT, "--csv", os.devnull, "--sort").returncode == 0
    outputs = Outputs(csv=os.devnull, resume=True)
    outputs.check()


def test_a_failed_start_leaves_the_table_free(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name\nx\n")
    for _ in range(2):
        with pytest.raises(UserError, match="is not a table of this program"):
            Table(str(tmp_path / "t.csv"), "csv", resume=True)


# --- words


def test_every_warning_has_plain_words_and_the_page_has_the_same() -> None:
    worst = Quality(1, 0.0, 999, 0, 9, 0).warnings() + Quality(1, 0.0, 0, 0, 9, 0).warnings()
    assert set(worst) <= set(WARNINGS)
    texts = Texts("en")
    assert {word: texts[word] for word in WARNINGS} == WARNINGS
    assert plain_warnings("new") == ["new"]


def test_a_card_without_a_network_is_told_by_its_recipe(tmp_path: Path) -> None:
    card = registry.load_card()
    other = cards.Card(card.name, card.config, card.scale)
    assert other.identity.startswith("six_block_60-40:")
    assert other.identity == cards.Card(card.name, card.config, RatingScale(1, 10)).identity


class Windows:
    """In place of msvcrt: a byte of a file belongs to the descriptor that locked it first."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], int] = {}

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        place = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        if self.held.setdefault(place, descriptor) != descriptor:
            raise PermissionError(errno.EACCES, "Permission denied")


def test_windows_locks_a_byte_that_is_not_there_and_leaves_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows, table = Windows(), tmp_path / "t.csv"
    monkeypatch.setattr(files, "sys", types.SimpleNamespace(platform="win32"))
    monkeypatch.setattr(files, "msvcrt", windows, raising=False)
    table.write_bytes(b"file,score\n")
    with open(table, "rb+") as one, open(table, "rb+") as two:
        one.seek(4)
        two.seek(7)
        assert (files.lock(one.fileno()), files.lock(two.fileno())) == (True, False)
        assert [os.lseek(file.fileno(), 0, os.SEEK_CUR) for file in (one, two)] == [4, 7]
    ((_, place),) = windows.held
    assert place > table.stat().st_size  # locked bytes cannot be read, so these are none of the table's
