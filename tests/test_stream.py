"""Many photos: order, threads, tables that survive a kill, lists and patterns."""

import csv
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

from beauty_evaluate import Row, Scorer
from beauty_evaluate.errors import UserError
from beauty_evaluate.scoring.stream import CHUNK, expand, scan
from beauty_evaluate.scoring.tables import COLUMNS, Table

USE = ROOT / "use.py"
GOOD = Row("a.jpg", 1, 1, "ok", 3.2, None, None, 60.0, 1.0, 2.0, 3.0, 4.0, 0.9)
BAD = Row("b.jpg", 0, 0, "missing", error="no such file")
TWO = [replace(GOOD, file='two "x",\n.jpg', face=face, faces=2) for face in (1, 2)]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three chunks of photos, of which every fifth is none."""
    place = tmp_path / "photos"
    place.mkdir()
    for i in range(2 * CHUNK + 3):
        path = place / f"{i:03d}.jpg"
        if i % 5:
            shutil.copy((PORTRAIT, PORTRAIT_PNG)[i % 2], path)
        else:
            path.write_text("not a photo")
    return place


def test_many_photos_come_in_order_with_the_scores_of_single_ones(scorer: Scorer, folder: Path) -> None:
    threads = cv2.getNumThreads()
    paths = expand([str(folder)])
    found = list(scan(scorer, paths))
    assert [one.rows[0].file for one in found] == paths
    assert cv2.getNumThreads() == threads
    single = {path: scorer.score(path)[0].score for path in (PORTRAIT, PORTRAIT_PNG)}
    for i, one in enumerate(found):
        if i % 5 == 0:
            assert (one.rows[0].status, one.faces) == ("unreadable", [])
        else:
            assert one.rows[0].score == pytest.approx(single[(PORTRAIT, PORTRAIT_PNG)[i % 2]], abs=2e-4)
            assert len(one.faces) == len(one.rows) == 1
    assert list(scan(scorer, [])) == []


def test_leaving_early_ends_the_threads(scorer: Scorer, folder: Path) -> None:
    before, threads = threading.active_count(), cv2.getNumThreads()
    rows = scan(scorer, expand([str(folder)]))
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert (threading.active_count(), cv2.getNumThreads()) == (before, threads)


def test_one_scorer_serves_several_threads(scorer: Scorer) -> None:
    expected = scorer.score(PORTRAIT)
    found: list[list[Row]] = []
    threads = [threading.Thread(target=lambda: found.append(scorer.score(PORTRAIT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [rows[0].score for rows in found] == pytest.approx([expected[0].score] * 4, abs=2e-4)


def test_patterns_and_folders_are_expanded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("b.jpg", "a.jpg", "sub/c.png", "notes.txt", "odd[1].jpg"):
        (tmp_path / name).touch()
    assert expand(["*.jpg", "a.jpg"]) == ["a.jpg", "b.jpg", "odd[1].jpg"]
    assert expand(["**/*.png"]) == [os.path.join("sub", "c.png")]
    assert expand(["odd[1].jpg"]) == ["odd[1].jpg"]
    assert expand(["*.gif", "sub"]) == ["*.gif", os.path.join("sub", "c.png")]


def test_a_list_comes_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{PORTRAIT}\n\nmissing.jpg\n")
    with open(tmp_path / "list") as stream:
        done = subprocess.run([sys.executable, USE, "-"], stdin=stream, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr.startswith("missing.jpg: ")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_a_killed_run_left_half_is_cut_off(tmp_path: Path, kind: str) -> None:
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
        with pytest.raises(UserError, match="something else"):
            Table(str(path), path.suffix[1:], resume=True)
        assert path.read_text() == text
    other = tmp_path / "d.csv"
    other.write_text(",".join(COLUMNS) + "\nshort,row\n")
    with pytest.raises(UserError, match="2 cells"):
        Table(str(other), "csv", resume=True)


def test_a_run_that_was_killed_goes_on_where_it_was(run: Run, folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / "t.csv", tmp_path / "t.json"]
    words = [str(word) for word in (sys.executable, USE, folder, "--csv", files[0], "--json", files[1])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    done = run(USE, folder, "--csv", "t.csv", "--json", "t.json", "--resume")
    assert done.returncode == 1
    rows = list(csv.DictReader(io.StringIO(files[0].read_text())))
    lines = [json.loads(line) for line in files[1].read_text().splitlines()]
    paths = sorted(str(path) for path in folder.iterdir())
    assert sorted(row["file"] for row in rows) == sorted(line["file"] for line in lines) == paths
    before = files[0].read_bytes()
    again = run(USE, folder, "--csv", "t.csv", "--resume")
    assert (again.returncode, again.stdout) == (1, "")
    assert files[0].read_bytes() == before
    assert run(USE, folder, "--resume").returncode == 2
