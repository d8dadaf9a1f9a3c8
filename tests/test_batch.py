"""Many photos: order, threads, tables that survive a kill, lists and patterns."""

import csv
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run

from beauty_evaluate import Row, Scorer, images
from beauty_evaluate.cli.common import Counter
from beauty_evaluate.errors import UserError
from beauty_evaluate.scoring.batch import PHOTOS_PER_TASK, scan
from beauty_evaluate.scoring.paths import expand
from beauty_evaluate.scoring.records import COLUMNS, Kind
from beauty_evaluate.scoring.tables import Table

USE = ROOT / "use.py"
GOOD = Row("a.jpg", 1, 1, "ok", 3.2, None, None, 60.0, 1.0, 2.0, 3.0, 4.0, 0.9)
BAD = Row("b.jpg", 0, 0, "missing", error="no such file")
TWO = [replace(GOOD, file='zwei "ü€😀",\r\n, \r.jpg', face=face, faces=2) for face in (1, 2)]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos for three tasks, of which every fifth is none."""
    place = tmp_path / "photos"
    place.mkdir()
    for i in range(2 * PHOTOS_PER_TASK + 3):
        path = place / f"{i:03d}.jpg"
        if i % 5:
            shutil.copy((PORTRAIT, PORTRAIT_PNG)[i % 2], path)
        else:
            path.write_text("not a photo")
    return place


def test_many_photos_come_in_order_with_the_scores_of_single_ones(scorer: Scorer, folder: Path) -> None:
    threads = cv2.getNumThreads()
    paths = expand([str(folder)])
    photos = list(scan(scorer, paths))
    assert [photo.rows[0].file for photo in photos] == paths
    assert cv2.getNumThreads() == threads
    single = {path: scorer.score(path)[0].score for path in (PORTRAIT, PORTRAIT_PNG)}
    for i, photo in enumerate(photos):
        if i % 5 == 0:
            assert (photo.rows[0].status, photo.faces) == ("unreadable", [])
        else:
            assert photo.rows[0].score == pytest.approx(single[(PORTRAIT, PORTRAIT_PNG)[i % 2]], abs=2e-4)
            assert len(photo.faces) == len(photo.rows) == 1
    assert list(scan(scorer, [])) == []


def test_scans_at_one_time_share_opencvs_threads(scorer: Scorer, folder: Path) -> None:
    paths, threads = expand([str(folder)]), cv2.getNumThreads()
    one, two = scan(scorer, paths), scan(scorer, paths)
    next(one)
    next(two)
    one.close()  # type: ignore[attr-defined]
    assert cv2.getNumThreads() == 1
    two.close()  # type: ignore[attr-defined]
    assert cv2.getNumThreads() == threads


def test_leaving_early_ends_the_threads(scorer: Scorer, folder: Path) -> None:
    before, threads = threading.active_count(), cv2.getNumThreads()
    rows = scan(scorer, expand([str(folder)]))
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert (threading.active_count(), cv2.getNumThreads()) == (before, threads)


@pytest.mark.parametrize("count", [3, 2 * PHOTOS_PER_TASK + 1])
def test_our_own_mistake_with_one_photo_does_not_end_the_run(
    scorer: Scorer, folder: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, read = expand([str(folder)])[:count], images.load_photo

    def stumbling(path: str) -> images.Photo:
        if path == paths[1]:
            raise RuntimeError("out of\nluck")
        return read(path)

    monkeypatch.setattr(images, "load_photo", stumbling)
    rows = [photo.rows[0] for photo in scan(scorer, paths)]
    assert [row.file for row in rows] == paths
    assert [row.status for row in rows[:3]] == ["unreadable", "failed", "ok"]
    assert "which is a bug: RuntimeError (out of luck)" in rows[1].error


def test_a_few_photos_come_one_by_one(scorer: Scorer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, read = [], images.load_photo

    def counting(path: str) -> images.Photo:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(images, "load_photo", counting)
    next(scan(scorer, expand([str(folder)])[:PHOTOS_PER_TASK]))
    assert len(seen) == 1


def test_one_scorer_serves_several_threads(scorer: Scorer) -> None:
    paths = [PORTRAIT, PORTRAIT_PNG] * 3
    expected = {path: scorer.score(path)[0].score for path in paths}
    found: list[Row] = []
    threads = [threading.Thread(target=lambda own=path: found.extend(scorer.score(own))) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.file for row in found) == sorted(map(str, paths))
    for row in found:
        assert row.score == pytest.approx(expected[Path(row.file)], abs=2e-4)


def test_patterns_and_folders_are_expanded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("b.jpg", "a.jpg", "sub/c.png", "notes.txt", "odd[1].jpg"):
        (tmp_path / name).touch()
    assert expand(["*.jpg", "a.jpg"]) == ["a.jpg", "b.jpg", "odd[1].jpg"]
    assert expand(["**/*.png"]) == [os.path.join("sub", "c.png")]
    assert expand(["odd[1].jpg"]) == ["odd[1].jpg"]
    assert expand(["*.gif", "sub"]) == ["*.gif", os.path.join("sub", "c.png")]
    assert expand(["*.jpg"], patterns=False) == ["*.jpg"]
    assert expand(["."], written=["a.jpg"]) == [os.path.join(".", n) for n in ("b.jpg", "odd[1].jpg", "sub/c.png")]
    assert expand(["*.jpg"], written=["a.jpg"]) == ["b.jpg", "odd[1].jpg"]
    roots: list[str] = []
    expand(["s*", "a.jpg", "sub"], folders=roots)
    assert roots == ["sub", "sub"]
    assert expand(["sub"], written=["sub/c.png"]) == ["sub"]  # which then says that it holds no photos


def test_a_folder_that_may_not_be_read_is_told(scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(PORTRAIT, tmp_path / name)
    closed, look = str(tmp_path / "a"), os.scandir

    def refusing(path: str) -> object:
        if os.fspath(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", closed)
        return look(path)

    monkeypatch.setattr(os, "scandir", refusing)  # since whoever runs this may be allowed everything
    paths = expand([str(tmp_path)])
    assert paths == [closed, str(tmp_path / "b" / PORTRAIT.name)]
    assert expand([closed]) == [closed]
    (row,), (good,) = (scored.rows for scored in scan(scorer, paths))
    assert (row.status, good.status) == ("unreadable", "ok")
    assert "Permission denied" in row.error


def test_a_list_comes_from_standard_input(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{PORTRAIT}\n\nmissing.jpg\n".encode())))
    done = here(USE, "-")
    assert (done.returncode, done.stderr) == (1, "No such file: missing.jpg.\n")
    assert done.stdout.startswith(f"{PORTRAIT}: ")
    assert "1 photo scored (1 face), 1 missing.\n" in done.stdout


def test_progress_is_a_bar_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    for watched in (True, False):
        screen = io.StringIO()
        monkeypatch.setattr(screen, "isatty", lambda watched=watched: watched, raising=False)
        monkeypatch.setattr(sys, "stderr", screen)
        count = Counter("scoring")
        count.clear()
        count(20, 100)
        count.clear()
        count(100, 100)
        bar = screen.getvalue()
        assert bool(bar) == watched
        assert ("scoring: 100%" in bar and "100/100" in bar) == watched


@pytest.mark.parametrize(
    ("listed", "code", "words"),
    [
        (b"caf\xe9.jpg\n", 0, ""),
        (b"caf\xe9.jpg\r\n", 0, ""),
        (b"a\rb.jpg", 0, ""),
        (b"caf\xe9.jpg\0a.jpg\0", 2, "not -print0"),
        (b"", 2, "the list is empty"),
        (b"\n \n", 2, "the list is empty"),
    ],
)
def test_what_a_list_may_hold(
    here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bytes, code: int, words: str
) -> None:
    for name in (b"caf\xe9.jpg", b"a\rb.jpg"):
        shutil.copy(PORTRAIT, tmp_path / os.fsdecode(name))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    done = here(USE, "-", "--csv", "t.csv")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == (code == 2)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_a_killed_run_left_half_is_cut_off(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / f"t.{kind}"
    table = Table(str(path), kind)
    for rows in ([GOOD], [BAD], TWO):
        table.write(rows)
    table.close()
    whole = path.read_bytes()
    for length in range(len(whole), -1, -3):  # what a kill could leave
        path.write_bytes(whole[:length])
        table = Table(str(path), kind, resume=True)
        assert table.earlier("never.jpg") is None
        for rows in ([GOOD], [BAD], TWO):
            table.write(rows)
        table.close()
        assert path.read_bytes() == whole, length
    table = Table(str(path), kind, resume=True)
    assert [table.earlier(rows[0].file) for rows in ([GOOD], [BAD], TWO)] == [True, False, True]
    table.close()


def test_another_table_is_not_gone_on_in(tmp_path: Path) -> None:
    for name, text in (("a.csv", "name,score\nx,1\n"), ("b.json", '{"name": 1}\n'), ("c.json", "nothing\n")):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(UserError, match="is not a table of this program"):
            Table(str(path), "csv" if path.suffix == ".csv" else "json", resume=True)
        assert path.read_text() == text
    other = tmp_path / "d.csv"
    other.write_text(",".join(COLUMNS) + "\nshort,row\n")
    with pytest.raises(UserError, match="2 cells"):
        Table(str(other), "csv", resume=True)
    other.write_text(",".join(COLUMNS) + "\n" + "long" * 40_000 + ",row\n")
    with pytest.raises(UserError, match="is not a table of this program"):
        Table(str(other), "csv", resume=True)


@pytest.mark.parametrize(
    ("lacking", "told"), [(1, "without the column parts"), (2, "without the columns notes, parts")]
)
def test_a_table_of_an_earlier_version_is_told(lacking: int, told: str, tmp_path: Path) -> None:
    columns = COLUMNS[:-lacking]
    row = {column: "" if column not in ("face", "faces", "score") else 1 for column in columns}
    texts = {"csv": f"{','.join(columns)}\n{','.join(map(str, row.values()))}\n", "json": json.dumps(row) + "\n"}
    for kind, text in texts.items():
        path = tmp_path / f"t.{kind}"
        path.write_text(text)
        with pytest.raises(UserError, match=rf"earlier version, {told}\. .*--overwrite"):
            Table(str(path), kind, resume=True)  # type: ignore[arg-type]
        assert path.read_text() == text


def test_a_run_that_was_killed_goes_on_where_it_was(here: Run, folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / "t.csv", tmp_path / "t.json"]
    for i in range(30):
        shutil.copy(PORTRAIT, folder / f"more_{i}.jpg")
    words = [str(word) for word in (sys.executable, USE, folder, "--csv", files[0], "--json", files[1])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        if hasattr(os, "sched_setaffinity"):  # on many cores all would be done at once
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert 0 < len(files[1].read_text().splitlines()) < len(list(folder.iterdir()))  # in the middle
    done = here(USE, folder, "--csv", "t.csv", "--json", "t.json", "--resume")
    assert done.returncode == 1
    rows = list(csv.DictReader(io.StringIO(files[0].read_text())))
    lines = [json.loads(line) for line in files[1].read_text().splitlines()]
    paths = sorted(str(path) for path in folder.iterdir())
    assert sorted(row["file"] for row in rows) == sorted(line["file"] for line in lines) == paths
    before = files[0].read_bytes()
    again = here(USE, folder, "--csv", "t.csv", "--resume")
    assert (again.returncode, again.stdout) == (1, "Nothing is left to score: the tables hold all of it.\n")
    assert files[0].read_bytes() == before
    assert here(USE, folder, "--resume").returncode == 2
    other = here(USE, folder, "--csv", "t.csv", "--resume", "--weights", "six_block_scut")
    assert other.returncode == 2
    assert "is not a table of six_block_scut" in other.stderr
    assert files[0].read_bytes() == before


def test_going_on_spares_the_copies_of_other_photos(here: Run, tmp_path: Path) -> None:
    for name, path in (("a", PORTRAIT), ("b", PORTRAIT_PNG), ("c", PORTRAIT)):
        (tmp_path / name).mkdir()
        shutil.copy(path, tmp_path / name / "me.jpg")
    words = ("--csv", "t.csv", "--out", "copies", "--resume")
    assert here(USE, "b", *words).returncode == 0
    first = (tmp_path / "copies" / "me_scored.jpg").read_bytes()
    assert here(USE, "a", "b", "c", *words).returncode == 0
    assert sorted(os.listdir(tmp_path / "copies")) == ["me_scored.jpg", "me_scored_2.jpg", "me_scored_3.jpg"]
    assert (tmp_path / "copies" / "me_scored.jpg").read_bytes() == first


def test_many_photos_are_interrupted_with_130(folder: Path) -> None:
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # off where we run behind
        "from beauty_evaluate.cli.use import main; raise SystemExit(main(sys.argv[1:]))"
    )
    for i in range(100):
        shutil.copy(PORTRAIT, folder / f"more_{i}.jpg")
    words = [sys.executable, "-c", code, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert errors.splitlines()[-1].endswith("interrupted")
    assert len(out.splitlines()) < 100


def test_many_photos_and_a_report_load_no_heavy_package(run: Run, folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from beauty_evaluate.cli.use import main\n"
        f"for report in ('r.png', 'r.html'): main([{str(folder)!r}, '--report', report])\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = set(run("-c", code).stdout.splitlines()[-1].split())
    assert (tmp_path / "r.png").exists()
    assert (tmp_path / "r.html").exists()
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "matplotlib", "scipy", "pandas", "h5py", "onnx", "ray", "tqdm"}
