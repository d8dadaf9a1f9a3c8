"""Scoring as a person starts it: the real command, in a fresh process, on good and on bad input."""

import csv
import dataclasses
import io
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run
from PIL import Image

from beauty_evaluate import Row, Scorer, __version__, images
from beauty_evaluate import config as configs
from beauty_evaluate.config import Config, CropConfig, RatingScale, ScaleMap
from beauty_evaluate.errors import ConfigError, PhotoError, WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import Quality, quality
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import TrainedOn
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.scoring.batch import scan
from beauty_evaluate.scoring.paths import copy_paths, expand
from beauty_evaluate.settings import with_settings

USE = ROOT / "use.py"
COLUMNS = "file,face,faces,status,score,low,high,percentile,x,y,w,h,confidence,warnings,error,weights,notes,parts"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


@pytest.fixture
def two_faces(tmp_path: Path) -> Path:
    path = tmp_path / "two.png"
    both = np.concatenate([images.read(PORTRAIT)[:512], images.read(PORTRAIT_PNG)], axis=1)
    Image.fromarray(both).save(path)
    return path


def test_portraits_are_scored_and_copies_drawn(here: Run, tmp_path: Path) -> None:
    done = here(USE, PORTRAIT, PORTRAIT_PNG, "--out", "copies")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line, path in zip(lines, (PORTRAIT, PORTRAIT_PNG), strict=True):
        assert line.startswith(f"{path}: ")
        assert "of 5, higher than" in line
        assert "% of 5500 rated faces" in line
    assert sorted(p.name for p in (tmp_path / "copies").iterdir()) == [
        "eileen_collins_scored.jpg",
        "grace_hopper_scored.jpg",
    ]
    copy = images.read(tmp_path / "copies" / "grace_hopper_scored.jpg")
    assert copy.shape == images.read(PORTRAIT).shape
    assert (np.abs(copy.astype(int) - images.read(PORTRAIT)).max(2) > 60).mean() > 0.002


def test_csv_and_json_hold_the_same_rows(here: Run, two_faces: Path, tmp_path: Path) -> None:
    done = here(USE, two_faces, "missing.jpg", "--csv", "t.csv", "--json", "-")
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    table = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert ",".join(table[0]) == ",".join(rows[0]) == COLUMNS
    assert [(r["face"], r["faces"], r["status"]) for r in rows] == [(1, 2, "ok"), (2, 2, "ok"), (0, 0, "missing")]
    assert rows[0]["x"] < rows[1]["x"]
    for row, cells in zip(rows, table, strict=True):
        assert {k: "" if v is None else str(v) for k, v in row.items()} == cells
    assert rows[2]["score"] is None
    assert rows[2]["error"] == "No such file: missing.jpg."


def save(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("no_face", "No face was found"),
        ("missing", "No such file: "),
        ("text", "This is a text file"),
        ("truncated", "is damaged"),
        ("empty", "is empty"),
        ("bomb", "at most 50 megapixels"),
        ("tiny", "1 x 1"),
        ("empty_folder", "No photos in the folder"),
        ("strip", "No face was found"),
    ],
)
def test_a_bad_photo_gets_one_sentence(here: Run, tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / f"{kind}.jpg"
    if kind == "no_face":
        Image.effect_noise((200, 200), 40).save(path)
    elif kind == "text":
        path.write_text("this is not a photo")
    elif kind == "truncated":
        path.write_bytes(PORTRAIT.read_bytes()[:30_000])
    elif kind == "empty":
        path.touch()
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(path, "PNG")
    elif kind == "tiny":
        Image.new("RGB", (1, 1)).save(path)
    elif kind == "empty_folder":
        path.mkdir()
    elif kind == "strip":
        Image.new("RGB", (640, 32), (128, 128, 128)).save(path)
    done = here(USE, path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    beside_a_good_one = here(USE, path, PORTRAIT, "--out", "copies")
    assert beside_a_good_one.returncode == 1
    lines = beside_a_good_one.stdout.splitlines()
    assert lines[0].startswith(f"{PORTRAIT}: 2.72")
    assert (len(lines) == 1) == (kind != "empty_folder")  # a folder ends with counts
    assert beside_a_good_one.stderr == done.stderr


def test_two_faces_where_one_was_asked_for(here: Run, two_faces: Path) -> None:
    done = here(USE, two_faces, "--single")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{two_faces}: The photo shows 2 faces, not one. Crop it to one.\n"
    row = json.loads(here(USE, two_faces, "--single", "--json", "-").stdout)
    assert (row["status"], row["faces"], row["face"]) == ("several_faces", 2, 0)
    assert here(USE, two_faces).returncode == 0


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA"])
def test_grey_palette_and_transparent_photos_are_simply_scored(scorer: Scorer, tmp_path: Path, mode: str) -> None:
    photo = Image.open(PORTRAIT_PNG)
    changed = photo.convert("RGB").quantize(256) if mode == "P" else photo.convert(mode)  # not to the web's 216 colours
    rows = scorer.score(save(tmp_path / "photo.png", changed))
    assert [row.status for row in rows] == ["ok"]
    if mode in ("P", "RGBA"):
        assert rows[0].score == pytest.approx(scorer.score(PORTRAIT_PNG)[0].score, abs=0.3)


def copy_weights(folder: Path) -> cards.Card:
    """The default weights in another folder."""
    card = registry.load_card()
    for path in card.folder.glob(f"{card.name}.*"):
        shutil.copy(path, folder)
    return registry.load_card(str(folder / f"{card.name}.json"))


@pytest.mark.parametrize(
    ("suffix", "words"), [(".onnx", "No such file"), (".stats.npz", "No such file"), (".json", "No such card")]
)
def test_missing_weights_are_named(here: Run, tmp_path: Path, suffix: str, words: str) -> None:
    card = copy_weights(tmp_path)
    (tmp_path / (card.name + suffix)).unlink()
    done = here(USE, PORTRAIT, "--weights", tmp_path / f"{card.name}.json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert card.name + suffix in done.stderr
    assert words in done.stderr


def test_mismatching_weights_are_refused(here: Run, tmp_path: Path) -> None:
    card = copy_weights(tmp_path)
    with open(tmp_path / f"{card.name}.onnx", "ab") as file:
        file.write(b"\0")
    done = here(USE, PORTRAIT, "--weights", tmp_path / f"{card.name}.json")
    assert done.returncode == 2
    assert "is not the file that its card describes" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_or_foreign_card_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content in ("", "{", "[]", "{}", '{"config": {"presets": 1}, "trained_on": []}'):
        path.write_text(content)
        with pytest.raises(WeightsError, match="is not a card of this version"):
            registry.load_card(str(path))
    with pytest.raises(WeightsError, match="The weights that are there: six_block_60-40, six_block_scut,"):
        registry.load_card("nothing")


def test_weights_from_drawn_faces_never_become_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = RatingScale(1, 5)
    drawn = (TrainedOn("synthetic faces", "synthetic", scale, ScaleMap(), {"n": 3.0}, (), people=False),)
    cards.write(cards.Card("six_block", MeanBaselineConfig(), scale, drawn, folder=tmp_path))
    monkeypatch.setattr(configs, "WEIGHTS", tmp_path)
    with pytest.raises(WeightsError, match="synthetic faces"):
        registry.load_card()
    assert registry.load_card("six_block").data == "synthetic faces"
    (tmp_path / "six_block.json").unlink()
    with pytest.raises(WeightsError, match="Restore or train"):
        registry.load_card()


def test_a_folder_is_scored_in_order_with_its_subfolders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.jpg", "a.PNG", "b/c.webp", "notes.txt"):
        (tmp_path / name).touch()
    found = expand([str(tmp_path), str(tmp_path / "z.jpg"), "none"])
    assert found == [*(str(tmp_path / name) for name in ("a.PNG", "b/c.webp", "z.jpg")), "none"]
    assert expand([str(tmp_path)], leave_out=tmp_path / "b") == [str(tmp_path / name) for name in ("a.PNG", "z.jpg")]


def test_copies_of_photos_with_one_name_do_not_overwrite_each_other(scorer: Scorer, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(PORTRAIT, tmp_path / folder / "me.jpg")
    (tmp_path / "out").mkdir()
    paths = expand([str(tmp_path)])
    list(scan(scorer, paths, copies=copy_paths(paths, tmp_path / "out")))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["me_scored.jpg", "me_scored_2.jpg"]


def test_names_of_copies_differ_and_fit() -> None:
    names = [
        "a/me.jpg",
        "b/me.png",
        "me_scored.jpg",
        "me_2.jpg",
        f"a/{'ü' * 125}.jpg",
        f"b/{'ü' * 125}.jpg",
        "a/me.jpg",
    ]
    found = [path.name for path in copy_paths(names, Path("out")).values()]
    assert found[:4] == ["me_scored.jpg", "me_scored_2.jpg", "me_scored_scored.jpg", "me_2_scored.jpg"]
    assert len(set(found)) == 6
    assert all(len(os.fsencode(name)) <= 255 for name in found)


def test_the_same_command_works_twice(here: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    shutil.copy(PORTRAIT, tmp_path / "photos" / "me.jpg")
    done = here(USE, "photos", "--out", "photos/copies")
    copy = os.path.join("photos", "copies", "me_scored.jpg")
    for words in (["photos"], ["photos/**/*.jpg"], ["photos/me.jpg", copy], ["photos/me.jpg", "photos/copies"]):
        again = here(USE, *words, "--out", "photos/copies")
        assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, ""), words
    assert os.listdir(tmp_path / "photos" / "copies") == ["me_scored.jpg"]
    refused = here(USE, copy, "--out", "photos/copies")
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)


def test_output_that_cannot_be_written_is_one_sentence(here: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "old.csv").write_text("of an earlier run")
    for words in (
        ["--json", "no/folder/t.json"],
        ["--json", "."],
        ["--json", "./old.csv"],
        ["--report", "no/folder/t.html"],
        ["--report", "folder.png"],
        ["--out", "file"],
    ):
        done = here(USE, PORTRAIT, "--csv", "old.csv", "--overwrite", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert ("file is a file, not a folder." in done.stderr) == ("--out" in words)
        assert (tmp_path / "old.csv").read_text() == "of an earlier run"
    assert here(USE, PORTRAIT, "--csv", "no/folder/t.csv").returncode == 2
    assert here(USE, PORTRAIT, "--json", "r.png", "--report", "r.png").returncode == 2


def test_photos_are_never_written_over(here: Run, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    for name in ("me.jpg", "others/star.png"):
        shutil.copy(PORTRAIT, tmp_path / name)
    against = ["--against", "others"]
    for words in (
        ["--csv", "me.jpg"],
        ["--json", "./me.jpg"],
        ["--out", "."],
        [*against, "--csv", "others/star.png"],
        [*against, "--report", "others/../others/star.png"],
        [*against, "--out", "others"],
    ):
        done = here(USE, "me.jpg", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
    for name in ("me.jpg", "others/star.png"):
        assert (tmp_path / name).read_bytes() == PORTRAIT.read_bytes()


def test_links_in_a_loop_are_one_sentence(here: Run, tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    done = here(USE, "loop.jpg", PORTRAIT, "--csv", "t.csv", "--out", "copies")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert here(USE, PORTRAIT, "loop.jpg", "--against", "loop.jpg").returncode == 2


def test_file_names_that_are_not_utf8_are_scored(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(PORTRAIT, tmp_path / name)
    done = run(USE, name, "--csv", "t.csv")
    assert done.returncode == 0, done.stderr
    assert "caf\\udce9.jpg" in (tmp_path / "t.csv").read_text()


def test_export_spares_the_weights_and_helps_without_numpy(run: Run, here: Run, tmp_path: Path) -> None:
    card = copy_weights(tmp_path)
    words = ["-m", "beauty_evaluate", "export", "--weights", tmp_path / f"{card.name}.json", "--out", "."]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    done = here(*words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Name another folder" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    code = "import sys; sys.modules['numpy'] = None; from beauty_evaluate.cli.export import main; main(['--help'])"
    assert run("-c", code).returncode == 0


@pytest.mark.parametrize(("module", "file"), [("cv2", "requirements-use.txt"), ("PIL", "requirements-use.txt")])
def test_without_the_light_packages_too(run: Run, tmp_path: Path, module: str, file: str) -> None:
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('no', name={module!r})")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from beauty_evaluate.cli.use import main; raise SystemExit(main(['x.jpg']))"
    )
    done = run("-c", code)
    assert done.returncode == 2
    assert f"pip install -r {file}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_output_that_has_gone_or_is_full_is_no_traceback(run: Run) -> None:
    words = " ".join(shlex.quote(str(w)) for w in (sys.executable, USE, PORTRAIT, PORTRAIT, PORTRAIT_PNG))
    gone = run("-c", f"import subprocess; raise SystemExit(subprocess.call(['bash', '-c', {words + ' | true'!r}]))")
    assert (gone.returncode, gone.stderr) == (0, "")
    full = run(
        "-c", f"import subprocess; raise SystemExit(subprocess.call(['bash', '-c', {words + ' > /dev/full'!r}]))"
    )
    assert full.returncode == 2
    assert len(full.stderr.splitlines()) == 1
    assert "No space left" in full.stderr


def test_without_the_training_packages_one_sentence_says_what_to_install(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError('no', name='tensorflow')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        f"from beauty_evaluate.cli.visualize import main; raise SystemExit(main([{str(PORTRAIT)!r}]))"
    )
    done = run("-c", code)
    assert done.returncode == 2
    assert "pip install -r requirements.txt" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_interrupted_is_130(run: Run) -> None:
    code = (
        "from beauty_evaluate.cli import common\n"
        "def stop(options): raise KeyboardInterrupt\n"
        "raise SystemExit(common.start(lambda parser: None, stop, '', []))"
    )
    done = run("-c", code)
    assert done.returncode == 130
    assert done.stderr.endswith("interrupted\n")


def test_wrong_usage_is_exit_code_2(here: Run) -> None:
    assert here(USE).returncode == 2
    assert here(USE, PORTRAIT, "--colour").returncode == 2
    assert here(USE, PORTRAIT, "--csv", "-", "--json", "-").returncode == 2
    assert here("-m", "beauty_evaluate", "paint").returncode == 2
    assert here("-m", "beauty_evaluate").returncode == 2
    assert here("-m", "beauty_evaluate", "--help").returncode == 0
    for door in ((USE,), ("-m", "beauty_evaluate")):
        done = here(*door, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"beauty_evaluate {__version__}\n", "")


def test_a_missing_photo_is_named_once(here: Run) -> None:
    done = here(USE, "missing.jpg")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "No such file: missing.jpg.\n")


def test_use_and_the_score_command_are_the_same(run: Run) -> None:
    assert run("-m", "beauty_evaluate", "score", PORTRAIT).stdout == run(USE, PORTRAIT).stdout


def test_library_gives_typed_rows(scorer: Scorer) -> None:
    (row,) = scorer.score(PORTRAIT)
    assert (row.file, row.face, row.faces, row.status) == (str(PORTRAIT), 1, 1, "ok")
    assert row.score is not None
    assert 1 <= row.score <= 5
    assert ",".join(f.name for f in dataclasses.fields(Row)) == COLUMNS
    again = scorer.score(PORTRAIT.read_bytes())
    assert again[0].score == row.score
    with pytest.raises(PhotoError):
        scorer.score(b"nothing")
    for face in (0, 2):
        with pytest.raises(PhotoError, match=f"There is no face {face}: the photo shows 1"):
            scorer.why(PORTRAIT, face)


def test_what_is_known_of_explanations_is_told_with_one_alone(here: Run, tmp_path: Path) -> None:
    agreement = {"photos": 3, "pearson": 0.9, "mean_difference": 0.1, "first": 0.5}
    explanations = {"baselines": {"network": "other", "result": agreement}}
    path = cards.write(copy_weights(tmp_path), explanations=explanations)
    words = (USE, PORTRAIT, "--weights", path, "--csv", "t.csv", "--resume")
    assert here(*words).returncode == 0
    done = here(*words, "--why")
    told = "Nothing is left to score: the tables hold all of it.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, told, "")


def test_a_network_on_whole_pictures_is_not_asked_why(here: Run, tmp_path: Path) -> None:
    card = copy_weights(tmp_path)
    assert isinstance(card.config, Config)
    path = cards.write(card, config=with_settings(card.config, ["crop.geometry=whole"]))
    done = here(USE, PORTRAIT, "--why", "--weights", path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    with pytest.raises(ConfigError, match="whole pictures"):
        Scorer(str(path)).why("missing.jpg")


def test_percentile_is_the_share_of_the_labels_below(scorer: Scorer) -> None:
    labels = scorer.card.stats()["labels"]
    assert len(labels) == 5500
    assert scorer.percentile(0.9) == 0
    assert scorer.percentile(5) == 100
    assert scorer.percentile(2.85) == pytest.approx(100 * (labels < 2.85).mean())
    assert scorer.percentile(4.0) == pytest.approx(88, abs=1)


def test_photos_in_the_wild_get_scores(scorer: Scorer, wild_folder: Path) -> None:
    paths = sorted(map(str, wild_folder.iterdir()))[::7]
    rows = [row for scored in scan(scorer, paths) for row in scored.rows]
    assert [r.file for r in rows if r.face <= 1] == paths
    assert sum(r.status == "ok" for r in rows) >= 0.95 * len(paths)


DEGRADED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "small": lambda photo: cv2.resize(photo, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA),
    "blurred": lambda photo: cv2.GaussianBlur(photo, (0, 0), 8),
    "dark": lambda photo: photo // 4,
    "grey": lambda photo: np.repeat(photo[..., 1:2], 3, axis=2),
}


@pytest.mark.parametrize("word", DEGRADED)
def test_a_bad_photo_is_scored_with_a_warning(scorer: Scorer, word: str) -> None:
    photo = images.read(PORTRAIT)
    assert word not in scorer.score(photo)[0].warnings.split(";")
    assert word in scorer.score(DEGRADED[word](photo))[0].warnings.split(";")


def test_warnings_follow_what_is_measured() -> None:
    good = Quality(100, 0.2, 140, 30, 0.05, 0.95)
    assert good.warnings() == []
    bad = Quality(59, 0.08, 231, 2, 0.21, 0.87)
    assert bad.warnings() == ["small", "blurred", "bright", "grey", "turned", "unsure"]
    points = np.array([[0, 0], [10, 0], [8, 5], [2, 9], [8, 9]], float)
    face = Face((0, 0, 20, 30), points, 0.9, np.full((64, 64, 3), 50, np.uint8))
    found = quality(face, CropConfig(geometry="whole", size=64))
    assert (found.side, found.light, found.colour, found.sharpness) == (20, 50, 0, 0)
    assert found.turn == pytest.approx(0.3)


def test_the_terminal_says_when_a_score_means_little(here: Run, tmp_path: Path) -> None:
    Image.fromarray(DEGRADED["dark"](images.read(PORTRAIT))).save(tmp_path / "dark.png")
    done = here(USE, "dark.png")
    assert done.stdout.rstrip().endswith("; means little: the photo is dark")


def test_effects_that_failed_their_test_are_hidden(here: Run, tmp_path: Path) -> None:
    said = {"regions": "fails the test: it does not beat edges"}
    path = cards.write(copy_weights(tmp_path), explanations={"maps": {"network": "six_block_60-40", "result": said}})
    done = here(USE, PORTRAIT, "--weights", path, "--why")
    assert (done.returncode, done.stderr) == (0, "")
    assert "(Shapley" not in done.stdout
    told = "The effects of the regions are hidden: their map fails the test: it does not beat edges."
    assert done.stdout.splitlines()[-1] == told
