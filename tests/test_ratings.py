"""Single ratings: figures by hand, the sheet of SCUT-FBP5500 on a made workbook, and London's."""

import sys
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import registry, scut
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.errors import DataError

NAN = float("nan")


@pytest.fixture
def sheet() -> RatingSheet:
    values = np.array([[1, 2, 4, 5.0], [2, 2, 3, NAN], [1, 3, 5, 4], [3, 3, 3, 3]])
    return RatingSheet(("r1", "r2", "r3", "r4"), tuple("abcd"), values, RatingScale(1, 5), ("f", "f", "m", ""))


def test_figures_of_each_face(sheet: RatingSheet) -> None:
    assert sheet.counts().tolist() == [4, 4, 4, 3]
    assert sheet.mean().tolist() == [1.75, 2.5, 3.75, 4.0]
    assert sheet.sd() == pytest.approx([np.std([1, 2, 1, 3], ddof=1), np.std([2, 2, 3, 3], ddof=1), *[
        np.std([4, 3, 5, 3], ddof=1), 1.0]])  # fmt: skip
    assert sheet.histogram().tolist() == [[2, 1, 1, 0, 0], [0, 2, 2, 0, 0], [0, 0, 2, 1, 1], [0, 0, 1, 1, 1]]
    assert sheet.mode().tolist() == [1, 2, 3, 3]


def test_agreement_of_one_rater_with_the_others(sheet: RatingSheet) -> None:
    agreement = sheet.rater_agreement()
    first = np.corrcoef([1, 2, 4, 5], [2, 8 / 3, 11 / 3, 3.5])[0, 1]
    second = np.corrcoef([2, 2, 3], [5 / 3, 8 / 3, 4])[0, 1]
    assert agreement[:2] == pytest.approx([first, second])
    assert np.isnan(agreement[3])  # the same for everyone
    assert sheet.one_rater_pc() == pytest.approx(agreement[:3].mean())
    assert sheet.one_rater_pc(least_sd=0.5) == pytest.approx(agreement[[0, 2]].mean())


def test_parts_of_a_sheet(sheet: RatingSheet) -> None:
    parts = sheet.by_sex(least=1)
    assert {name: part.raters for name, part in parts.items()} == {"f": ("r1", "r2"), "m": ("r3",)}
    assert sheet.by_sex() == {}
    spread = sheet.sd_by_group({"a": "x", "b": "y", "c": "x"})
    assert list(spread) == ["x", "y"]
    assert spread["x"].tolist() == sheet.sd()[[0, 2]].tolist()
    assert sheet.split_half_pc(rounds=5) == sheet.split_half_pc(rounds=5) > 0


def test_the_raters_of_london() -> None:
    data = registry.read()
    ratings = data.ratings
    assert ratings is not None
    assert ratings.values.shape == (2513, 102)
    scores = [data.samples[face].score for face in ratings.faces]
    assert ratings.mean() == pytest.approx(scores, abs=1e-4)
    assert data.human_pc == ratings.one_rater_pc() == pytest.approx(0.5898, abs=1e-4)
    assert ratings.one_rater_pc(least_sd=0.5) == pytest.approx(0.593, abs=5e-4)
    assert ratings.split_half_pc(20) == pytest.approx(0.9985, abs=2e-4)
    assert {name: len(part.raters) for name, part in ratings.by_sex().items()} == {"female": 1552, "male": 955}


def write_workbook(path: Path, *sheets: list[list[object]]) -> None:
    book = Workbook()
    book.active.append(["notes"])
    for rows in sheets:
        page = book.create_sheet()
        for row in rows:
            page.append(row)
    book.save(path)


def test_the_sheet_of_all_ratings(small_scut: Path) -> None:
    assert scut.read(small_scut).ratings is None
    head: list[object] = ["Rater", "Filename", "Rating", "original Rating"]
    write_workbook(
        small_scut / "All_Ratings.xlsx",
        [head, [1, "AF9001.jpg", 3, None], [2.0, "AF9001.jpg", 4, 2], [None, None, None, None]],
        [["rating", " FILENAME", "rater"], [5, "CM9001.jpg", "2"], ["none", "CM9001.jpg", 1]],
    )
    ratings = scut.read(small_scut).ratings
    assert ratings is not None
    assert (ratings.raters, ratings.faces) == (("1", "2"), ("AF9001.jpg", "CM9001.jpg"))
    assert np.array_equal(ratings.values, np.array([[3, NAN], [4, 5]], float), equal_nan=True)


def test_faults_of_the_sheet_are_one_sentence(small_scut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_scut / "All_Ratings.xlsx"
    write_workbook(path, [["Rater", "Filename", "Rating"], [1, "AF9001.jpg", 30]])
    with pytest.raises(DataError, match=r"rater 1 gave AF9001.jpg 30, outside 1..5"):
        _ = scut.read(small_scut).ratings
    write_workbook(path, [["Rater", "File"]])
    with pytest.raises(DataError, match="no sheet with the columns rater, filename, rating"):
        _ = scut.read(small_scut).ratings
    path.write_bytes(b"no workbook")
    with pytest.raises(DataError, match="is no Excel workbook"):
        _ = scut.read(small_scut).ratings
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    data = scut.read(small_scut)  # nothing but the ratings needs it
    with pytest.raises(DataError, match=r"needs the package openpyxl. Install it: pip install openpyxl"):
        _ = data.ratings
