"""MEBeauty, London, tables of one's own, and the registry that tells them apart."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import london, mebeauty, mebeauty_folds, registry, table
from beauty_evaluate.errors import DataError

TRAIN = "scores/train_2022.txt"
TEST = "scores/val_2022.txt"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_reader_recognises_its_own_folder(
    small_scut: Path, small_mebeauty: Path, small_table: Path, tmp_path: Path
) -> None:
    titles = [registry.read(folder).title for folder in (small_scut, small_mebeauty, london.SHIPPED, small_table, None)]
    assert titles == ["SCUT-FBP5500", "MEBeauty", "London", "my faces", "London"]
    assert registry.read(small_table, name="table").title == "my faces"
    with pytest.raises(DataError, match=r"No reader csv. Choose one of scut, mebeauty, london, table"):
        registry.read(small_table, name="csv")
    with pytest.raises(DataError, match="No such folder"):
        registry.read(tmp_path / "nothing")
    with pytest.raises(DataError) as error:
        registry.read(tmp_path)
    for part in ("All_labels.txt", "train_2022.txt", "faces.csv", "columns file and score"):
        assert part in str(error.value)
    assert registry.synthetic(5).split().name == "synthetic"


def test_mebeauty_reads_in_its_own_layout(small_mebeauty: Path) -> None:
    data = mebeauty.read(small_mebeauty)
    split = data.split()
    assert (split.name, len(split.train), split.test) == (
        "2022",
        4,
        ("female/asian/face 4.jpg", "male/black/face 5.jpg"),
    )
    sample = data.samples["female/black/face 1.jpg"]
    assert (sample.score, sample.group) == (3.5, "female, black")
    assert sample.read().shape[2] == 3
    assert data.problems == []
    assert data.split_names == ("2022", *mebeauty_folds.FOLDS, "all")


@pytest.mark.parametrize(
    ("file", "old", "new", "message", "left"),
    [
        (TRAIN, "face 0.jpg 2.5000", "face 0.jpg", "row 1: expected a path ending in GENDER/ORIGIN/FILE", 5),
        (TRAIN, "2.5000", "12.5", "row 1: female/asian/face 0.jpg has the score 12.5, outside 1..10", 5),
        (TRAIN, "black/face 1", "black/face 9", "row 2: female/black/face 9.jpg has no original in original_images", 5),
        (TRAIN, "black/face 1.jpg", "black/FACE 1.png", "", 6),  # another ending, the same photo
        (TRAIN, "asian/face 0", "asian/face 4", "row 1: female/asian/face 4.jpg stands twice, first in scores/val", 5),
        (TEST, "asian/face 4.jpg", "face 4.jpg", "female/face 4.jpg has no original", 5),
    ],
)
def test_faults_of_mebeauty_are_named(
    small_mebeauty: Path, file: str, old: str, new: str, message: str, left: int
) -> None:
    change(small_mebeauty / file, old, new)
    data = mebeauty.read(small_mebeauty)
    assert len(data.samples) == left
    assert any(message in str(problem) for problem in data.problems) or not message
    split = data.split()
    assert not set(split.train) & set(split.test)


def test_empty_photos_are_named(small_mebeauty: Path, small_table: Path) -> None:
    (small_mebeauty / "original_images/male/black/face 5.jpg").write_bytes(b"")
    (small_mebeauty / "original_images/male/black/face 6.jpg").write_bytes(b"")
    problems = [str(problem) for problem in mebeauty.read(small_mebeauty).problems]
    assert problems == [
        "scores/val_2022.txt, row 2: male/black/face 5.jpg is an empty file; skipped.",
        "original_images: 1 photos stand in neither list; skipped.",
    ]
    (small_table / "a.jpg").write_bytes(b"")
    assert [str(problem) for problem in table.read(small_table).problems] == [
        "scores.csv, row 2: a.jpg is an empty file; skipped."
    ]


def test_mebeauty_stops_without_its_lists_and_on_another_scale(small_mebeauty: Path) -> None:
    with pytest.raises(DataError, match=r"rated 1..10, not 1..5. Leave out --scale"):
        mebeauty.read(small_mebeauty, RatingScale(1, 5))
    text = (small_mebeauty / TRAIN).read_text()
    (small_mebeauty / TRAIN).write_text(text.replace("5000", "5000E1"))
    with pytest.raises(DataError, match=r"train_2022.txt holds scores from 25 to 55, outside 1..10"):
        mebeauty.read(small_mebeauty)
    (small_mebeauty / TEST).unlink()
    with pytest.raises(DataError, match=r"val_2022.txt is missing"):
        registry.read(small_mebeauty)


def test_the_london_set_ships() -> None:
    data = registry.read()
    assert len(data.samples) == 102
    assert data.problems == []
    assert (data.split().train, len(data.split().test)) == ((), 102)
    assert data.split(training=True).name == "seeded-80-20"
    assert {sample.groups["origin"] for sample in data.samples.values()} >= {"white", "black", "east asian"}
    for sample in data.samples.values():
        assert sample.read().shape == (400, 400, 3)
    assert sum(path.stat().st_size for path in london.SHIPPED.rglob("*")) < 2_800_000
    assert "CC BY 4.0" in (london.SHIPPED / "README.md").read_text()


def test_faults_of_london_are_named(tmp_path: Path) -> None:
    root = tmp_path / "london"
    shutil.copytree(london.SHIPPED, root)
    change(root / "faces.csv", "001,3.6152", "1,3.6152")  # a spreadsheet took the zeros
    change(root / "faces.csv", "002,3.5503", "002,")
    (root / "images" / "003_neutral.jpg").unlink()
    (root / "ratings.csv").unlink()
    data = london.read(root)
    assert len(data.samples) == 100
    assert [str(problem) for problem in data.problems] == [
        "faces.csv, row 3: 002_neutral.jpg has no score; skipped.",
        "faces.csv, row 4: 003_neutral.jpg: no photo; skipped.",
    ]
    assert (data.ratings, data.human_pc) == (None, None)


def test_a_table_of_ones_own(small_table: Path) -> None:
    data = table.read(small_table)
    assert list(data.samples)[-1] == "more/f.jpg"
    assert (str(data.scale), data.scale_inferred) == ("1..7", True)
    assert (data.group_columns, data.samples["b.jpg"].group) == (("gender",), "male")
    split = data.split()
    assert split.name == "seeded-80-20"
    assert split.train
    assert split.test
    said = table.read(small_table, RatingScale(0, 10))
    assert (str(said.scale), said.scale_inferred) == ("0..10", False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize(("delimiter", "comma"), [(",", "."), (";", ","), ("\t", ",")])
def test_tables_as_spreadsheets_write_them(small_table: Path, encoding: str, delimiter: str, comma: str) -> None:
    (small_table / "a.jpg").rename(small_table / "Zoë.jpg")
    rows = [["FILE ", "Score", "Origin"], ["Zoë.jpg", f"3{comma}5", "x"], ["more\\e.jpg", "4", "y"]]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n\r\n"
    (small_table / "scores.csv").write_bytes(text.encode(encoding))
    data = registry.read(small_table)
    assert {name: sample.score for name, sample in data.samples.items()} == {"Zoë.jpg": 3.5, "more/e.jpg": 4}
    assert data.group_columns == ("origin",)
    assert data.problems == []


def test_faults_of_a_table_are_named(small_table: Path) -> None:
    path = small_table / "scores.csv"
    path.write_text(path.read_text() + "a.jpg,2,male,1\ng.jpg,3,male,1\nb.jpg,,male,1\n,3,male,1\n../h.jpg,3,male,1\n")
    data = table.read(small_table)
    assert len(data.samples) == 6
    assert sorted((problem.row, problem.text) for problem in data.problems) == [
        (8, "a.jpg stands twice; skipped."),
        (9, "no such photo: g.jpg; skipped."),
        (10, "b.jpg has no score; skipped."),
        (11, "a score without a file; skipped."),
        (12, "../h.jpg lies outside the folder; skipped."),
    ]


def test_scores_outside_a_scale_that_was_said_stop_the_run(small_table: Path) -> None:
    with pytest.raises(DataError, match=r"scores.csv, row 7: the score 5.25 lies outside 1..5. Correct it"):
        table.read(small_table, RatingScale(1, 5))
    with pytest.raises(DataError) as error:
        table.read(small_table, RatingScale(0, 1))
    assert str(error.value) == "scores.csv holds scores from 1.5 to 5.25, outside 0..1. Say --scale 1 7."
    change(small_table / "scores.csv", "a.jpg,1.5", "a.jpg,-150")
    with pytest.raises(DataError, match=r"from -150 to 5.25: no usual scale. Say --scale LOW HIGH."):
        table.read(small_table)


def test_a_table_needs_photos_and_one_table(small_table: Path) -> None:
    shutil.copy(small_table / "scores.csv", small_table / "other.csv")
    assert len(table.read(small_table).samples) == 6  # scores.csv goes first
    (small_table / "scores.csv").rename(small_table / "third.csv")
    with pytest.raises(DataError, match=r"several tables of scores: other.csv, third.csv"):
        registry.read(small_table)
    (small_table / "third.csv").unlink()
    (small_table / "other.csv").write_text("file,score\nnone.jpg,3\n")
    with pytest.raises(DataError, match=r"no photo of its rows .* row 2: no such photo: none.jpg"):
        registry.read(small_table)


def test_the_real_data_sets_read_as_described(data_folder: Path) -> None:
    data = registry.read(data_folder / "mebeauty")
    split = data.split()
    assert (len(split.train), len(split.test)) == (1572, 199)  # ten more are copies of test photos
    folds = [data.split(f"fold{k}") for k in range(1, 6)]
    assert sorted(name for fold in folds for name in fold.test) == list(split.train)
    for fold in folds:
        assert set(fold.train) == set(split.train) - set(fold.test)
        assert mebeauty_folds.without_copies(fold.train, fold.test) == list(fold.train)
    (problem,) = data.problems
    assert "huy-le-XibZiVSku68-unsplash.jpg is an empty file" in str(problem)
    assert np.mean([sample.score for sample in data.samples.values()]) == pytest.approx(6.127, abs=1e-3)
    sample = registry.read(data_folder / "mebeauty-sample")
    assert (len(sample.samples), str(sample.scale), sample.scale_inferred) == (146, "1..10", False)
    assert sample.group_columns == ("gender", "ethnicity")
    original, shipped = registry.read(data_folder / "london"), registry.read()
    assert {n: s.score for n, s in original.samples.items()} == {n: s.score for n, s in shipped.samples.items()}
