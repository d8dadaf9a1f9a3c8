from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beauty_evaluate.config import CropConfig, preset
from beauty_evaluate.datasets import scut, splits, synthetic
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.pipeline import Batches, _random_warp, load_crops, mirror_order
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
    assert sample.landmarks is not None
    assert sample.landmarks.shape == (86, 2)
    for name in splits.FOLDS:
        split = splits.official(small_scut, data, name)
        assert len(split.train) == len(split.test) == 4
    assert len(splits.official(small_scut, data, "all").train) == 8


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
    crops = load_crops(list(data.samples.values()), CropConfig(), pad=8)
    batch = next(Batches(crops, preset("six_block").augment, 8, 1).epoch(0))
    assert np.isfinite(batch.landmarks).all()
    assert 0 in batch.known


def test_unreadable_photos_and_photos_without_a_face_give_no_crop(small_scut: Path) -> None:
    (small_scut / "Images" / "AF9001.jpg").write_bytes(b"no picture")
    Image.effect_noise((350, 350), 50).save(small_scut / "Images" / "CM9002.jpg")
    crops = load_crops(list(scut.read(small_scut).samples.values()), CropConfig())
    assert len(crops.names) == 6
    unreadable, faceless = sorted(map(str, crops.problems))
    assert unreadable.startswith("AF9001.jpg: ")
    assert "Not a JPEG" in unreadable
    assert faceless.startswith("CM9002.jpg: ")
    assert "No face was found" in faceless


def test_what_a_run_cannot_do_without_stops_it(small_scut: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Images"):
        scut.read(tmp_path / "nothing")
    data = scut.read(small_scut)
    first = (small_scut / TRAIN).read_text().splitlines()[0]
    with open(small_scut / TEST, "a") as file:
        file.write(first + "\n")
    with pytest.raises(DataError, match=r"AF9001.jpg in train.txt row 1 and in test.txt row 5"):
        splits.official(small_scut, data, "60-40")
    (small_scut / TEST).write_text("")
    with pytest.raises(DataError, match="none that can be used"):
        splits.official(small_scut, data, "60-40")
    (small_scut / TEST).unlink()
    with pytest.raises(DataError, match=r"test\.txt"):
        splits.official(small_scut, data, "60-40")
    (small_scut / LABELS).write_text("\n")
    with pytest.raises(DataError, match="none"):
        scut.read(small_scut)


def test_split_lists_are_checked_against_the_labels(small_scut: Path) -> None:
    change(small_scut / TRAIN, "AF9001.jpg 1.500000", "AF9001.jpg 1.600000\nAF9008.jpg 2.0")
    data = scut.read(small_scut)
    split = splits.official(small_scut, data, "60-40")
    assert "AF9008.jpg" not in split.train
    assert len(data.problems) == 2


def test_held_back_tenth_is_the_same_every_time_and_part_of_training_alone() -> None:
    names = tuple(f"AF{i}.jpg" for i in range(2000))
    split = splits.Split("60-40", names[:1500], names[1500:])
    held = splits.holdout_split(split)
    assert 100 < len(held.test) < 200
    assert set(held.train) | set(held.test) == set(split.train)
    assert not set(held.train) & set(held.test)
    assert splits.holdout_split(replace(split, train=names[:1500][::-1])).test == held.test
    with pytest.raises(DataError, match="hold back a tenth"):
        splits.holdout_split(replace(split, train=held.train[:3]))


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


@pytest.fixture(scope="module")
def drawn() -> DataSet:
    return synthetic.draw(12)


def test_batches_hang_on_seed_and_epoch_alone(drawn: DataSet) -> None:
    crops = load_crops(list(drawn.samples.values()), CropConfig(size=64), pad=10)
    augment = preset("six_block").augment
    late = list(Batches(crops, augment, 5, 1).epoch(3))
    batches = Batches(crops, augment, 5, 1)
    for epoch in range(3):
        list(batches.epoch(epoch))
    for a, b in zip(late, batches.epoch(3), strict=True):
        assert np.array_equal(a.pixels, b.pixels)
        assert np.array_equal(a.scores, b.scores)
    other = next(Batches(crops, augment, 5, 2).epoch(3))
    assert not np.array_equal(other.pixels, late[0].pixels)
    assert [len(b.scores) for b in late] == [5, 5]


def test_an_epoch_of_two_views_shows_every_photo_twice_and_differently(drawn: DataSet) -> None:
    crops = load_crops(list(drawn.samples.values()), CropConfig(size=64), pad=10)
    augment = replace(preset("six_block").augment, mixup=0)
    batches = Batches(crops, augment, 6, 1, views=2)
    seen = list(batches.epoch(1))
    assert (batches.steps, batches.pictures, len(seen)) == (4, 24, 4)
    first, second = (np.concatenate([b.scores for b in part]) for part in (seen[:2], seen[2:]))
    assert sorted(first) == sorted(second) == sorted(crops.scores)
    single = list(Batches(crops, augment, 6, 1).epoch(2))  # the third pass of all
    assert np.array_equal(single[0].pixels, seen[0].pixels)
    assert not np.array_equal(first, second)


def test_without_augmentation_a_batch_is_the_centre_of_the_crops(drawn: DataSet) -> None:
    crops = load_crops(list(drawn.samples.values()), CropConfig(size=64), pad=10)
    batch = next(Batches(crops, preset("article").augment, 12, 1).epoch(0))
    order = [int(np.flatnonzero(crops.scores == s)[0]) for s in batch.scores]
    assert np.array_equal(batch.pixels, crops.centre[order])


def test_landmarks_follow_the_pixels(drawn: DataSet) -> None:
    """A dot is painted at a landmark: after augmentation it still lies there, also in the mirror."""
    sample = next(iter(drawn.samples.values()))
    points = np.random.default_rng(0).uniform(60, 140, (86, 2))
    points[7] = (70, 120)
    picture = np.zeros_like(sample.read())
    picture[119:122, 69:72] = 255
    dotted = replace(sample, picture=picture, landmarks=points)
    crops = load_crops([dotted], CropConfig(size=160), pad=24)
    augment = replace(
        preset("six_block").augment, mixup=0, erase=0, blur=0, brightness=0, contrast=0, colour=0, rotation=20
    )
    batches = Batches(crops, augment, 1, 1)
    assert batches.swap[7] != 7
    seen = set()
    for epoch in range(8):
        batch = next(batches.epoch(epoch))
        ys, xs = np.nonzero(batch.pixels[0, :, :, 0] > 120)
        marks = batch.landmarks.reshape(86, 2) * batches.shape_sd + batches.mean_shape
        mirrored = _random_warp(augment, 160, np.random.default_rng((1, epoch, 0)))[1]
        where = int(np.flatnonzero(batches.swap == 7)[0]) if mirrored else 7
        assert np.linalg.norm(marks[where] * 160 - [xs.mean(), ys.mean()]) < 1.5
        seen.add(mirrored)
    assert seen == {True, False}


def test_mirror_order_pairs_left_with_right() -> None:
    shape = np.array([[0.2, 0.3], [0.8, 0.3], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    assert mirror_order(shape).tolist() == [1, 0, 2, 4, 3]


def test_the_real_data_reads_as_described(scut_folder: Path) -> None:
    data = scut.read(scut_folder)
    assert len(data.samples) == 5500
    assert all("facial landmark" in p.file for p in data.problems)
    scores = np.array([s.score for s in data.samples.values()])
    assert scores.mean() == pytest.approx(2.991, abs=1e-3)
    for name, sizes in {"60-40": (3300, 2200), **dict.fromkeys(splits.FOLDS, (4400, 1100))}.items():
        split = splits.official(scut_folder, data, name)
        assert (len(split.train), len(split.test)) == sizes
    crops = load_crops(list(data.samples.values())[:40], CropConfig())
    assert len(crops.names) == 40
    chin = crops.landmarks[~np.isnan(crops.landmarks).any((1, 2)), 11]
    assert np.abs(chin.mean(0) - [0.5, 0.95]).max() < 0.03
