"""SCUT-FBP5500 with its faults, splits, and the synthetic faces."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.datasets import scut, splits, synthetic
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.errors import DataError

LABELS = "train_test_files/All_labels.txt"
TRAIN = "train_test_files/split_of_60%training and 40%testing/train.txt"
TEST = "train_test_files/split_of_60%training and 40%testing/test.txt"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_whole_data_set_has_no_problems(small_scut: Path) -> None:
    data = scut.read(small_scut)
    assert len(data.samples) == 8
    assert data.problems == []
    sample = data.samples["CF9001.jpg"]
    assert (sample.group, round(sample.score, 1)) == ("CF", 2.3)
    assert sample.groups == {"group": "CF", "gender": "female", "origin": "caucasian"}
    assert data.group_title("CF") == "Caucasian females (CF)"
    assert sample.landmarks is not None
    assert sample.landmarks.shape == (86, 2)
    for name in scut.FOLDS:
        split = data.split(name)
        assert len(split.train) == len(split.test) == 4
    assert len(data.split("all").train) == 8


@pytest.mark.parametrize(
    ("old", "new", "words", "left"),
    [
        ("AF9001.jpg 1.500000", "AF9001.jpg 5.500000", "row 1: AF9001.jpg has the score 5.5, outside 1..5", 7),
        ("AF9001.jpg 1.500000", "AF9001.jpg", "row 1: expected a name and a score", 7),
        ("AF9001.jpg 1.500000", "AF9001.jpg high", "row 1: expected a name and a score", 7),
        ("AM9001.jpg", "AF9001.jpg", "row 2: AF9001.jpg stands twice, first in row 1", 7),
        ("AM9001.jpg", "AM9009.jpg", "row 2: AM9009.jpg has a label but no photo", 7),
        ("AM9001.jpg", "XM9001.jpg", "row 2: XM9001.jpg does not begin with", 7),
    ],
)
def test_bad_rows_are_skipped_and_named(small_scut: Path, old: str, new: str, words: str, left: int) -> None:
    change(small_scut / LABELS, old, new)
    data = scut.read(small_scut)
    assert len(data.samples) == left
    assert any(words in str(problem) for problem in data.problems)


def test_a_photo_without_a_label_is_named(small_scut: Path) -> None:
    (small_scut / "Images" / "AF9007.jpg").write_bytes(b"")
    data = scut.read(small_scut)
    assert [str(p) for p in data.problems] == ["Images/AF9007.jpg: a photo without a label; skipped."]


@pytest.mark.parametrize("content", [b"", b"\x56\0\0\0", (86).to_bytes(4, "little") + b"\xff" * 688, None])
def test_damaged_landmarks_cost_only_the_landmarks(small_scut: Path, content: bytes | None) -> None:
    path = small_scut / "facial landmark" / "CM9001.pts"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    data = scut.read(small_scut)
    assert data.samples["CM9001.jpg"].landmarks is None
    assert ["facial landmark/CM9001.pts" in str(p) for p in data.problems] == [True]


def test_what_a_run_cannot_do_without_stops_it(small_scut: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Images"):
        scut.read(tmp_path / "nothing")
    data = scut.read(small_scut)
    first = (small_scut / TRAIN).read_text().splitlines()[0]
    with open(small_scut / TEST, "a") as file:
        file.write(first + "\n")
    with pytest.raises(DataError, match=r"AF9001.jpg stands in train.txt row 1 and in test.txt row 5"):
        data.split("60-40")
    (small_scut / TEST).write_text("")
    with pytest.raises(DataError, match="none that can be used"):
        data.split("60-40")
    (small_scut / TEST).unlink()
    with pytest.raises(DataError, match=r"test\.txt"):
        data.split("60-40")
    (small_scut / LABELS).write_text("\n")
    with pytest.raises(DataError, match="No labelled photo"):
        scut.read(small_scut)


def test_split_lists_are_checked_against_the_labels(small_scut: Path) -> None:
    change(small_scut / TRAIN, "AF9001.jpg 1.500000", "AF9001.jpg 1.600000\nAF9008.jpg 2.0")
    data = scut.read(small_scut)
    for _ in range(2):  # a list that is read again tells nothing twice
        assert "AF9008.jpg" not in data.split("60-40").train
        assert len(data.problems) == 2


def test_held_back_tenth_is_the_same_every_time_and_part_of_training_alone() -> None:
    names = tuple(f"AF{i}.jpg" for i in range(2000))
    split = splits.Split("60-40", names[:1500], names[1500:])
    held = splits.holdout_split(split)
    assert 100 < len(held.test) < 200
    assert set(held.train) | set(held.test) == set(split.train)
    assert not set(held.train) & set(held.test)
    assert splits.holdout_split(replace(split, train=names[:1500][::-1])).test == held.test
    with pytest.raises(DataError, match="hold back one in 10"):
        splits.holdout_split(replace(split, train=held.train[:3]))


def test_a_seeded_split_depends_on_the_names_alone() -> None:
    names = [f"{i}.jpg" for i in range(1000)]
    split, fewer = splits.seeded_split(names), splits.seeded_split(names[:500])
    assert 170 < len(split.test) < 230
    assert sorted(split.train + split.test) == sorted(names)
    assert set(fewer.test) == set(split.test) & set(names[:500])
    assert 40 < len(splits.holdout_split(split).test) < 120  # independent of the seeded split
    for n in range(2, 6):
        small = splits.seeded_split(names[:n])
        assert small.train
        assert small.test
    with pytest.raises(DataError, match="Too few photos to split: 1"):
        splits.seeded_split(names[:1])


def test_labels_come_with_bom_crlf_and_semicolons(small_scut: Path) -> None:
    expected = {name: sample.score for name, sample in scut.read(small_scut).samples.items()}
    text = (small_scut / LABELS).read_text()
    for changed in (
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.replace(" ", ";").replace(".", ",").replace(",jpg", ".jpg").encode(),
        text.replace(" ", ", ").encode("utf-16"),
    ):
        (small_scut / LABELS).write_bytes(changed)
        data = scut.read(small_scut)
        assert {name: sample.score for name, sample in data.samples.items()} == expected
        assert data.problems == []


def test_labels_on_another_scale_stop_the_run(small_scut: Path) -> None:
    rows = [line.split() for line in (small_scut / LABELS).read_text().splitlines()]
    (small_scut / LABELS).write_text("\n".join(f"{name} {20 * float(score)}" for name, score in rows))
    with pytest.raises(DataError, match=r"All_labels.txt holds scores from 30 to 86, outside 1..5. SCUT-FBP5500 is"):
        scut.read(small_scut)
    with pytest.raises(DataError, match=r"rated 1..5, not 0..10. Leave out --scale"):
        scut.read(small_scut, RatingScale(0, 10))


def test_a_data_set_names_its_splits(small_scut: Path) -> None:
    data = scut.read(small_scut)
    assert data.split_names == ("60-40", *scut.FOLDS, "all")
    assert data.split() == data.split("60-40")
    with pytest.raises(DataError, match=r"SCUT-FBP5500 has no split 2022. Choose one of 60-40, fold1"):
        data.split("2022")
    again = pickle.loads(pickle.dumps(data))
    assert again.split("fold2") == data.split("fold2")


def test_drawn_faces_follow_their_rule_and_carry_masks_that_tile() -> None:
    data = synthetic.draw(40, seed=3)
    again = synthetic.draw(40, seed=3)
    sizes, scores = [], []
    for name, sample in data.samples.items():
        assert np.array_equal(sample.read(), again.samples[name].read())
        assert sample.regions is not None
        assert (np.sum([*sample.regions.values()], axis=0) == 1).all()
        assert 1 <= sample.score <= 5
        lowest = np.nonzero(sample.regions["jaw"].any(1))[0][-1]
        sizes.append((1.0, sample.regions["eyes"].sum(), sample.regions["jaw"][lowest].sum()))
        scores.append(sample.score)
    told = np.array(sizes) @ np.linalg.lstsq(np.array(sizes), np.array(scores), rcond=None)[0]
    assert np.corrcoef(told, scores)[0, 1] > 0.97
    alone = [abs(np.corrcoef([size[k] for size in sizes], scores)[0, 1]) for k in (1, 2)]
    assert 0.3 < alone[1] < alone[0] < 0.95  # both drive it, the eyes more


def test_the_real_data_reads_as_described(scut_folder: Path) -> None:
    data = scut.read(scut_folder)
    assert len(data.samples) == 5500
    assert all("facial landmark" in p.file for p in data.problems)
    scores = np.array([s.score for s in data.samples.values()])
    assert scores.mean() == pytest.approx(2.991, abs=1e-3)
    for name, sizes in {"60-40": (3300, 2200), **dict.fromkeys(scut.FOLDS, (4400, 1100))}.items():
        split = data.split(name)
        assert (len(split.train), len(split.test)) == sizes
    crops = load_crops(list(data.samples.values())[:40], CropConfig())
    assert len(crops.names) == 40
    chin = crops.landmarks[~np.isnan(crops.landmarks).any((1, 2)), 11]
    assert np.abs(chin.mean(0) - [0.5, 0.95]).max() < 0.03
