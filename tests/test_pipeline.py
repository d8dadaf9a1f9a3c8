"""From samples to crops, and from crops to batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beauty_evaluate import presets
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import scut, synthetic
from beauty_evaluate.datasets.augment import degraded, mirror_order, random_warp, recoloured
from beauty_evaluate.datasets.background import replace_background
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.mixture import mix
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.presets import preset


def test_unreadable_photos_and_photos_without_a_face_give_no_crop(small_scut: Path) -> None:
    (small_scut / "Images" / "AF9001.jpg").write_bytes(b"no picture")
    Image.effect_noise((350, 350), 50).save(small_scut / "Images" / "CM9002.jpg")
    crops = load_crops(list(scut.read(small_scut).samples.values()), CropConfig())
    assert len(crops.names) == 6
    unreadable, faceless = sorted(map(str, crops.problems))
    assert unreadable.startswith("AF9001.jpg: ")
    assert "This is a text file" in unreadable
    assert faceless.startswith("CM9002.jpg: ")
    assert "No face was found" in faceless


def test_damaged_landmarks_are_masked(small_scut: Path) -> None:
    (small_scut / "facial landmark" / "CM9001.pts").write_bytes(b"")
    crops = load_crops(list(scut.read(small_scut).samples.values()), CropConfig(), pad=8)
    batch = next(Batches(crops, preset("six_block").augment, 8, 1).epoch(0))
    assert np.isfinite(batch.landmarks).all()
    assert 0 in batch.landmarks_known


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
        mirrored = random_warp(augment, 160, np.random.default_rng((1, epoch, 0)))[1]
        where = int(np.flatnonzero(batches.swap == 7)[0]) if mirrored else 7
        assert np.linalg.norm(marks[where] * 160 - [xs.mean(), ys.mean()]) < 1.5
        seen.add(mirrored)
    assert seen == {True, False}


def test_samples_of_several_sets_share_a_batch(drawn: DataSet) -> None:
    """Unknown landmarks and groups, and landmarks of another scheme, are masked, mixed with others too."""
    samples = list(drawn.samples.values())
    shape = np.random.default_rng(0).uniform(60, 140, (9, 2))
    known = [replace(sample, landmarks=shape, groups={"group": f"A: {i % 2}"}) for i, sample in enumerate(samples[:6])]
    other = replace(samples[6], landmarks=np.zeros((5, 2)))
    unknown = [replace(sample, groups={}) for sample in (other, *samples[7:])]
    crops = load_crops([*known, *unknown], CropConfig(size=64), pad=10)
    assert crops.groups == ("A: 0", "A: 1") * 3 + ("",) * 6
    assert np.isnan(crops.landmarks).all((1, 2)).tolist() == [False] * 6 + [True] * 6
    batches = Batches(crops, replace(preset("six_block").augment, mixup=0), 12, 1)
    assert batches.kinds == ("A: 0", "A: 1")
    batch = next(batches.epoch(0))
    order = [int(np.flatnonzero(crops.scores == score)[0]) for score in batch.scores]
    assert batch.landmarks_known.tolist() == batch.groups_known.tolist() == [float(i < 6) for i in order]
    assert np.array_equal(batch.groups.sum(1), batch.groups_known)
    mixed = next(Batches(crops, replace(preset("six_block").augment, mixup=1), 12, 1).epoch(0))
    assert 0 < mixed.landmarks_known.sum() < 6  # a crop that is mixed with an unknown one is unknown
    assert np.allclose(mixed.groups.sum(1)[mixed.groups_known == 1], 1)
    assert np.isfinite(mixed.landmarks).all()


def test_the_background_changes_and_the_person_does_not(drawn: DataSet) -> None:
    """Where the mask says person, pixels stay as the same draw without a background leaves them, also when warped."""
    samples = list(drawn.samples.values())
    crops = load_crops(samples, CropConfig(size=64), pad=10, person=True)
    assert crops.person is not None
    assert crops.person.shape == (12, 128, 128)
    mask = np.zeros((12, 128, 128), np.uint8)
    mask[:, :, 64:] = 255  # the person stands on the right of each padded crop
    crops = replace(crops, person=mask)
    plain = replace(presets.NO_AUGMENT, rotation=20, shift=0.1)
    before = next(Batches(crops, plain, 12, 1).epoch(0))
    after = next(Batches(crops, replace(plain, background=1), 12, 1).epoch(0))
    same = (before.pixels == after.pixels).all(3)
    assert same[:, 20:44, 50:].all()
    assert same[:, 20:44, :14].mean() < 0.1
    assert np.array_equal(before.scores, after.scores)
    assert load_crops(samples[:1], CropConfig(size=64)).person is None


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_of_background_keeps_shape_and_range(seed: int) -> None:
    crop = np.random.default_rng(9).integers(0, 256, (32, 32, 3), np.uint8)
    person = np.zeros((32, 32), np.float32)
    person[8:24, 8:24] = 1
    other, other_person = np.full((40, 40, 3), 100, np.uint8), np.zeros((40, 40), np.float32)
    rng = np.random.default_rng(next(s for s in range(99) if np.random.default_rng(s).integers(5) == seed))
    changed = replace_background(crop, person, other, other_person, rng)
    assert changed.shape == crop.shape
    assert np.array_equal(changed[8:24, 8:24], crop[8:24, 8:24])
    assert np.abs(changed[:8].astype(int) - crop[:8]).mean() > 10
    if seed == 3:  # the background of the other photo
        assert (changed[:8] == 100).all()


def test_a_person_leaves_nothing_in_a_background_that_others_get() -> None:
    """A red person before a blue wall: another crop gets the blue alone."""
    crop, person = np.full((32, 32, 3), 50, np.uint8), np.zeros((32, 32), np.float32)
    other, other_person = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.float32)
    other[..., 2], other_person[5:, 10:30] = 200, 1
    other[5:, 10:30] = (200, 0, 0)
    seed = next(s for s in range(99) if np.random.default_rng(s).integers(5) == 3)
    changed = replace_background(crop, person, other, other_person, np.random.default_rng(seed))
    assert changed[..., 0].max() < 100
    assert changed[..., 2].min() > 100


def test_light_and_degradation_reach_as_far_as_they_say() -> None:
    rng, none = np.random.default_rng(0), presets.NO_AUGMENT
    crop = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    for _ in range(20):
        assert np.array_equal(recoloured(crop.copy(), none, rng), crop)
        assert np.array_equal(degraded(crop, none, rng), crop)
    grey = recoloured(crop.copy(), replace(none, grey=1), rng)
    assert np.ptp(grey, axis=2).max() == 0
    flat = np.full((64, 64, 3), 128, np.uint8)
    levels = [int(recoloured(flat.copy(), replace(none, gamma=0.5), rng)[0, 0, 0]) for _ in range(200)]
    assert min(levels) == pytest.approx(255 * (128 / 255) ** np.exp(0.5), abs=3)
    assert max(levels) == pytest.approx(255 * (128 / 255) ** np.exp(-0.5), abs=3)
    lit = recoloured(flat.copy(), replace(none, ramp=0.35), rng)
    assert np.ptp(lit) > 10
    assert abs(int(lit[32, 32, 0]) - 128) < 3
    cut = degraded(crop, replace(none, cut=1, cut_depth=0.5), rng)
    sides = [cut, cut[::-1], cut.swapaxes(0, 1), cut.swapaxes(0, 1)[::-1]]
    assert any((side[0] == side[1]).all() for side in sides)
    small = degraded(crop, replace(none, shrink=1, shrink_to=(0.1, 0.1)), rng)
    assert np.abs(np.diff(small.astype(int), axis=0)).mean() < np.abs(np.diff(crop.astype(int), axis=0)).mean() / 3
    smooth = np.asarray(Image.fromarray(crop[:8, :8]).resize((64, 64)), np.uint8)
    poor, good = (
        np.abs(degraded(smooth, replace(none, jpeg=1, jpeg_quality=(q, q)), rng).astype(int) - smooth).mean()
        for q in (10, 95)
    )
    assert poor > 2 * good > 0
    assert recoloured(crop[..., :1].copy(), replace(none, saturation=1, ramp=0.3, gamma=0.3), rng).shape == (64, 64, 1)


def test_a_set_that_is_passed_twice_shows_each_of_its_photos_twice(drawn: DataSet) -> None:
    both = mix([drawn, synthetic.draw(6, seed=1)], ["all", "all"])
    crops = load_crops(both.train, CropConfig(size=64))
    batches = Batches(crops, replace(presets.NO_AUGMENT, rotation=5), 8, 1, passes=(1, 2))
    assert (batches.steps, batches.pictures) == (3, 24)
    seen = list(batches.epoch(0))
    scores = np.concatenate([batch.scores for batch in seen])
    assert sorted(scores) == sorted([*crops.scores[:12], *np.repeat(crops.scores[12:], 2)])
    pixels = np.concatenate([batch.pixels for batch in seen])
    first, second = pixels[scores == crops.scores[12]]
    assert not np.array_equal(first, second)  # two views, not one twice


def test_without_landmarks_batches_have_none(drawn: DataSet) -> None:
    crops = load_crops(list(drawn.samples.values()), CropConfig(size=64), pad=10)
    batch = next(Batches(crops, preset("six_block").augment, 6, 1).epoch(0))
    assert crops.landmarks.shape == (12, 0, 2)
    assert batch.landmarks.shape == (6, 0)
    assert not batch.landmarks_known.any()


def test_mirror_order_pairs_left_with_right() -> None:
    shape = np.array([[0.2, 0.3], [0.8, 0.3], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    assert mirror_order(shape).tolist() == [1, 0, 2, 4, 3]
