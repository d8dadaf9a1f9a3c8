"""What a run over photos writes and says: counts, files, words from the card; and the same as library calls."""

import io
import json
import multiprocessing
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run
from PIL import Image

import beauty_evaluate
from beauty_evaluate import PhotoError, Scorer, images
from beauty_evaluate.config import RatingScale, ScaleMap
from beauty_evaluate.drawing import score_colour
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.scoring.compare import of_entries
from beauty_evaluate.scoring.job import Inputs
from beauty_evaluate.scoring.job import run as run_job
from beauty_evaluate.scoring.outputs import Outputs
from beauty_evaluate.scoring.ranking import entries
from beauty_evaluate.scoring.sentences import about

USE = ROOT / "use.py"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer()


@pytest.fixture
def ten_point_card(tmp_path: Path) -> Path:
    """The card of a rater of another family, on another scale, that has learnt from other data."""
    return write_ten_point_card(tmp_path, 7.25)


def write_ten_point_card(folder: Path, mean: float) -> Path:
    """mean: what it rates everyone, rating points."""
    scale = RatingScale(1, 10)
    labels = {"n": 12, "mean": 7.25, "sd": 1.0, "min": 2.0, "max": 9.0}
    trained_on = (TrainedOn("Village fair", "all", scale, ScaleMap(), labels, ()),)
    return cards.write(Card("fair", MeanBaselineConfig(mean=mean), scale, trained_on, folder=folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two portraits, one of them dark, a file that is no photo and a picture without a face."""
    place = tmp_path / "photos"
    place.mkdir()
    shutil.copy(PORTRAIT_PNG, place / "a.png")
    Image.fromarray(images.read(PORTRAIT) // 4).save(place / "dark.png")
    (place / "note.jpg").write_text("not a photo")
    Image.new("RGB", (300, 300), "grey").save(place / "wall.png")
    return place


def test_a_folder_ends_with_counts_the_best_and_where_files_went(here: Run, folder: Path) -> None:
    done = here(USE, "photos", "--csv", "t.csv", "--out", "copies", "--report", "r.html")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "2 photos scored (2 faces), 1 without a face, 1 unreadable." in lines
    assert "1 of 2 faces (50 %) have warnings: their scores mean little." in lines
    assert lines[-2].startswith("Highest: photos/a.png (3.33), photos/dark.png (")
    assert lines[-1] == "Written: tables in t.csv, annotated copies in copies/, report in r.html."
    again = here(USE, "photos", "--csv", "t.csv", "--resume", "--json", "-")
    assert again.returncode == 2  # earlier rows and standard output do not go together
    assert "needs a file with earlier rows" in again.stderr


def test_a_table_on_standard_output_stays_clean(here: Run, folder: Path) -> None:
    done = here(USE, "photos", "--json", "-")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 4
    assert "2 photos scored (2 faces), 1 without a face, 1 unreadable." in done.stderr


def test_photos_named_one_by_one_print_a_line_each(here: Run) -> None:
    done = here(USE, PORTRAIT, PORTRAIT_PNG, "--json", "t.json")
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [str(PORTRAIT), str(PORTRAIT_PNG)]


def test_a_table_that_is_there_is_not_written_over_in_silence(here: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("precious")
    done = here(USE, PORTRAIT, "--csv", "t.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "t.csv exists. Add --resume to go on in it, or --overwrite to start it again." in done.stderr
    assert table.read_text() == "precious"
    assert here(USE, PORTRAIT, "--csv", "t.csv", "--overwrite").returncode == 0
    assert str(PORTRAIT) in table.read_text()
    assert here(USE, PORTRAIT, "--csv", "t.csv", "--overwrite", "--resume").returncode == 2
    (tmp_path / "empty.csv").touch()  # holds nothing that could be lost
    assert here(USE, PORTRAIT, "--csv", "empty.csv").returncode == 0


def test_a_report_is_replaced_and_that_is_said(here: Run) -> None:
    assert "replaced" not in here(USE, PORTRAIT, "--report", "r.png").stdout
    done = here(USE, PORTRAIT, "--report", "r.png")
    assert done.stdout.splitlines()[-1] == "Written: report in r.png (the earlier one was replaced)."


def test_words_come_from_the_card(here: Run, ten_point_card: Path, tmp_path: Path) -> None:
    words = ("--weights", ten_point_card, "--report", "r.html", "--out", "copies")
    done = here(USE, PORTRAIT, PORTRAIT_PNG, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{PORTRAIT}: 7.25 of 10"
    page = (tmp_path / "r.html").read_text()
    assert "the mean rating, 1..10, that the raters of Village fair would give" in page
    texts = done.stdout + re.sub('src="[^"]*"', "", page)
    for wrong in ("of 5", "1..5", "5500", "60 raters", "SCUT", "None", "nan"):
        assert wrong not in texts
    assert here(USE, PORTRAIT, "--weights", ten_point_card, "--report", "r.png").returncode == 0
    assert "SCUT-FBP5500" in about(Scorer().card)


def test_rows_of_another_scale_hold_what_the_card_knows(here: Run, ten_point_card: Path) -> None:
    done = here(USE, PORTRAIT, "--weights", ten_point_card, "--json", "-")
    row = json.loads(done.stdout)
    assert (row["status"], row["score"]) == ("ok", 7.25)  # beyond the end of 1..5
    assert (row["low"], row["high"], row["percentile"]) == (None, None, None)  # no intervals, no labels


def test_a_rating_beyond_the_scale_is_read_as_its_end(here: Run, tmp_path: Path) -> None:
    card = write_ten_point_card(tmp_path, 11.5)
    done = here(USE, PORTRAIT, "--weights", card, "--why", "--json", "t.json", "--report", "r.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"{PORTRAIT}: 10.00 of 10"
    assert "What moved this score from 11.50 to 10.00" in done.stdout
    assert "before it was limited to the scale 1..10, the score was 11.50" in done.stdout
    assert json.loads((tmp_path / "t.json").read_text())["score"] == 10
    assert "1.  10.00" in (tmp_path / "r.html").read_text()
    scorer = Scorer(str(card))
    explanation = scorer.explain(scorer.face(images.read(PORTRAIT), 1))
    assert (explanation.score, explanation.effects.score) == (10, 11.5)
    assert explanation.effects.reference + explanation.effects.effects.sum() == pytest.approx(11.5)


def test_colours_run_over_the_whole_scale() -> None:
    five, ten = RatingScale(1, 5), RatingScale(1, 10)
    assert [score_colour(score, five) for score in (1, 3, 5)] == [score_colour(score, ten) for score in (1, 5.5, 10)]
    assert score_colour(11, ten) == score_colour(10, ten) != score_colour(5, ten)


def test_scorers_and_errors_travel_to_other_processes(scorer: Scorer) -> None:
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy.score(PORTRAIT) == scorer.score(PORTRAIT)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        jobs = [pool.apply_async(scorer.score, (str(path),)) for path in (PORTRAIT, "missing.jpg", PORTRAIT_PNG)]
        assert jobs[0].get(300)[0].score == pytest.approx(scorer.score(PORTRAIT)[0].score, abs=1e-4)
        with pytest.raises(PhotoError, match=r"^No such file: missing\.jpg\.$") as caught:
            jobs[1].get(300)
        assert caught.value.status == "missing"
        assert len(jobs[2].get(300)) == 1


SOURCES: dict[str, Callable[[], Any]] = {
    "text": lambda: str(PORTRAIT_PNG),
    "bytes": PORTRAIT_PNG.read_bytes,
    "file": lambda: io.BytesIO(PORTRAIT_PNG.read_bytes()),
    "PIL": lambda: Image.open(PORTRAIT_PNG),
    "RGB": lambda: np.asarray(Image.open(PORTRAIT_PNG).convert("RGB")),
    "RGBA": lambda: np.asarray(Image.open(PORTRAIT_PNG).convert("RGBA")),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_photo_scores_alike_in_every_form(scorer: Scorer, kind: str) -> None:
    assert scorer.score(SOURCES[kind]())[0].score == scorer.score(PORTRAIT_PNG)[0].score


def test_grey_arrays_are_photos_and_everything_else_is_a_sentence(scorer: Scorer) -> None:
    grey = np.asarray(Image.open(PORTRAIT_PNG).convert("L"))
    assert scorer.score(grey) == scorer.score(grey[..., None])
    assert scorer.score(grey)[0].warnings == "grey"
    photo = images.read(PORTRAIT_PNG)
    wrong: tuple[Any, ...] = (
        photo.astype(np.uint16),
        photo.astype(float),
        photo[:, 0],
        photo[..., :2],
        photo[None],
        7,
        None,
        "",
    )
    for source in wrong:
        with pytest.raises(PhotoError) as caught:
            scorer.score(source)
        assert "\n" not in str(caught.value)


def test_faces_let_their_photo_go(scorer: Scorer) -> None:
    large = np.pad(images.read(PORTRAIT_PNG), ((0, 2488), (0, 3488), (0, 0)))  # 12 megapixels
    scored = scorer.score_many([large, large])
    for photo in scored:
        for face in photo.faces:
            assert face.photo is None
            assert face.crop(scorer.crop_config).base is None  # not a view that keeps the photo
    size = len(pickle.dumps(scored))
    assert size < 1_000_000, size


def test_score_is_a_library_call(folder: Path) -> None:
    rows = beauty_evaluate.score(str(folder))
    assert [(Path(row.file).name, row.status) for row in rows] == [
        ("a.png", "ok"), ("dark.png", "ok"), ("note.jpg", "unreadable"), ("wall.png", "no_face"),
    ]  # fmt: skip
    both = beauty_evaluate.score([PORTRAIT_PNG, images.read(PORTRAIT_PNG)])
    assert both[0].score == both[1].score


def test_compare_is_a_library_call(scorer: Scorer, folder: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    comparison = beauty_evaluate.compare(
        [PORTRAIT], against=folder, scorer=scorer, on_photo=lambda p: seen.append(p.rows[0].file)
    )
    assert [entry.is_query for entry in comparison.ranking] == [
        entry.name == "grace_hopper.jpg" for entry in comparison.ranking
    ]
    assert comparison.ranking[0].name == "a.png"
    assert len(seen) == 5
    assert {row.status for row in comparison.failed} == {"unreadable", "no_face"}
    assert "would rank" in comparison.sentences[0]
    assert comparison.sentences[-1] == "2 more photos could not be scored."
    comparison.write(tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes() == comparison.render(".png")
    with pytest.raises(PhotoError, match="No photo could be scored"):
        beauty_evaluate.compare([str(folder / "note.jpg")], scorer=scorer)


def test_a_run_is_a_library_call_that_counts(scorer: Scorer, folder: Path, tmp_path: Path) -> None:
    photos = [str(path) for path in sorted(folder.iterdir())]
    outputs = Outputs(csv=str(tmp_path / "t.csv"), resume=True)
    summary = run_job(Inputs(photos[:3]), scorer, outputs)
    assert (summary.faces, summary.warned, dict(summary.failed), summary.exit_code) == (2, 1, {"unreadable": 1}, 1)
    summary = run_job(Inputs(photos), scorer, outputs)
    assert (summary.left, dict(summary.earlier), dict(summary.failed)) == (1, {True: 2, False: 1}, {"no_face": 1})
    assert run_job(Inputs(photos[3:]), scorer, Outputs()).exit_code == 2


def test_names_in_a_page_are_escaped(scorer: Scorer) -> None:
    (scored,) = scorer.score_many([PORTRAIT_PNG])
    (face,) = entries(scored, scorer.crop_config)
    odd = type(face)("<b>me</b>.png", face.row, face.score, face.jpeg)
    page = of_entries([odd], scorer).render(".html").decode()
    assert "<b>me" not in page
    assert "&lt;b&gt;me&lt;/b&gt;.png" in page
    assert "http" not in page
