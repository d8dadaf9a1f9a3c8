"""Landmarks, masks that tile the crop, and what each region adds to a score."""

from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG
from numpy.typing import NDArray

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import scut
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.explain import region_shapley
from beauty_evaluate.explain.region_shapley import region_effects, shapley
from beauty_evaluate.faces import align, landmarks, regions
from beauty_evaluate.faces.detect import find_faces, main_face
from beauty_evaluate.raters.runtime import PredictFn

CONFIG = CropConfig()


@pytest.fixture(scope="module", params=[PORTRAIT, PORTRAIT_PNG], ids=lambda path: path.stem)
def crop(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    return main_face(find_faces(images.read(request.param), CONFIG)).crop


def test_regions_tile_the_crop_and_lie_where_they_should(crop: NDArray[np.uint8]) -> None:
    masks = regions.regions(crop, CONFIG)
    assert masks.shape == (len(regions.NAMES), 256, 256)
    assert (masks.sum(0) == 1).all()
    height = {name: np.argwhere(mask)[:, 0].mean() for name, mask in zip(regions.NAMES, masks, strict=True)}
    order = ("hair and ears", "forehead", "brows", "eyes", "nose", "mouth", "jaw and chin")
    assert [*order] == sorted(order, key=lambda name: height[name])
    found = dict(zip(regions.NAMES, masks, strict=True))
    eyes = (align.TEMPLATE[:2] * 256).astype(int)
    assert all(found["eyes"][y, x] for x, y in eyes)
    assert found["nose"][int(0.62 * 256), 128]
    assert 0.01 < found["eyes"].mean() < 0.06


def test_regions_of_the_mirrored_crop_are_the_mirrored_regions(crop: NDArray[np.uint8]) -> None:
    masks = regions.regions(crop, CONFIG)
    mirrored = regions.regions(np.ascontiguousarray(crop[:, ::-1]), CONFIG)[:, :, ::-1]
    shared = (masks & mirrored).sum((1, 2)) / (masks | mirrored).sum((1, 2))
    assert shared[:8].min() > 0.7, dict(zip(regions.NAMES, shared, strict=True))


def test_a_margin_moves_the_landmarks_with_the_face(crop: NDArray[np.uint8]) -> None:
    photo = images.read(PORTRAIT)
    points = main_face(find_faces(photo, CONFIG)).points
    wide = CropConfig(margin=0.15)
    here = landmarks.landmarks(align.aligned_crop(photo, points, CONFIG), CONFIG)
    there = landmarks.landmarks(align.aligned_crop(photo, points, wide), wide)
    back = [align.transform(p, np.linalg.inv(np.vstack([align.crop_matrix(points, c), [0, 0, 1]]))[:2])
            for p, c in ((here, CONFIG), (there, wide))]  # fmt: skip
    eyes = np.linalg.norm(points[0] - points[1])
    assert np.median(np.linalg.norm(back[0] - back[1], axis=1)) < 0.03 * eyes


def test_landmarks_need_aligned_crops_and_their_file(
    crop: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="aligned"):
        landmarks.landmarks(crop, CropConfig("whole"))
    monkeypatch.setattr(landmarks, "THIRD_PARTY", tmp_path)
    monkeypatch.setattr(landmarks, "_local", type(landmarks._local)())
    with pytest.raises(WeightsError, match="restore it"):
        landmarks.landmarks(crop, CONFIG)


def test_landmarks_agree_with_those_set_by_hand(scut_folder: Path) -> None:
    data = scut.read(scut_folder)
    errors = []
    for name in sorted(data.samples)[::110]:
        sample = data.samples[name]
        if sample.landmarks is None:
            continue
        face = main_face(find_faces(sample.read(), CONFIG))
        hand = align.transform(sample.landmarks, align.crop_matrix(face.points, CONFIG))
        errors.append(np.median(regions.hand_distance(landmarks.landmarks(face.crop, CONFIG), hand)))
    assert np.median(errors) < 0.03


def eyes_only(masks: NDArray[np.bool_]) -> PredictFn:
    """A network that reads the brightness of the first region alone."""
    return lambda crops: crops[:, masks[0]].mean((1, 2)) / 50


def quarters(side: int = 32) -> NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side] >= side // 2
    return np.stack([~y & ~x, ~y & x, y & ~x, y & x])


NAMES = ("a", "b", "c", "d")


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


def test_shapley_values_of_known_games() -> None:
    adds = np.array([sum(w for i, w in enumerate((1.0, 2.0, 4.0)) if c >> i & 1) for c in range(8)])
    assert shapley(adds) == pytest.approx([1, 2, 4])
    both = np.array([float(c & 3 == 3) for c in range(8)])  # the first two together are worth 1
    assert shapley(both) == pytest.approx([0.5, 0.5, 0])
    gloves = np.array([0, 0, 0, 1, 0, 1, 0, 1.0])  # one left glove, two right ones (Shapley's own example)
    assert shapley(gloves) == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    with pytest.raises(ValueError, match="coalitions"):
        shapley(np.zeros(6))


@pytest.mark.parametrize("others", [0, 3])
def test_only_what_is_read_has_an_effect_and_effects_add_up(noise: NDArray[np.uint8], others: int) -> None:
    masks = quarters()
    faces = list(np.random.default_rng(1).integers(0, 256, (others, 32, 32, 3), np.uint8))
    found = region_effects(eyes_only(masks), noise, masks, NAMES, False, faces)
    assert found.effects[1:].tolist() == [0, 0, 0]
    assert found.score - found.reference == pytest.approx(found.effects.sum(), abs=1e-6)
    assert found.score == pytest.approx(noise[masks[0]].mean() / 50, abs=1e-5)
    assert found.areas == pytest.approx([0.25] * 4)
    assert found.way == (region_shapley.OTHER_FACES if others else region_shapley.RING_MEAN)


def test_an_interaction_is_shared_fairly(noise: NDArray[np.uint8]) -> None:
    masks = quarters()
    picture = noise.copy()
    picture[masks[0] | masks[1]] = 200  # alike, so that neither half of the product stands out
    picture[masks[2] | masks[3]] = 0

    def product(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        a, b = (crops[:, mask].mean((1, 2)) / 255 for mask in masks[:2])
        return np.asarray(a * b, np.float32)

    found = region_effects(product, picture, masks, NAMES, False)
    assert found.effects[0] == pytest.approx(found.effects[1], rel=1e-4)
    assert found.effects[0] > 0.05
    assert found.effects[2:].tolist() == [0, 0]


def test_a_region_that_is_not_there_and_a_constant_network(noise: NDArray[np.uint8]) -> None:
    masks = np.concatenate([quarters(), np.zeros((1, 32, 32), bool)])
    found = region_effects(lambda crops: np.full(len(crops), 3, np.float32), noise, masks, (*NAMES, "none"), True)
    assert found.effects.tolist() == [0] * 5
    assert (found.score, found.reference) == (3, 3)
    with pytest.raises(ValueError, match="gaps or overlaps"):
        region_effects(eyes_only(masks), noise, masks[:2], NAMES[:2], True)


def test_replacements_match_the_ring(noise: NDArray[np.uint8]) -> None:
    masks = quarters()
    picture = np.full((32, 32, 3), 100, np.uint8)
    picture[masks[0]] = 250
    fill = region_shapley.inpaint_baseline(picture, masks)
    assert (fill[masks[0]] == 100).all()
    other = region_shapley.donor_baseline(picture, masks, picture // 2)
    assert other[masks[0]] == pytest.approx(125 + 50)  # its ring is 100 here and 50 there


def test_a_value_is_the_mean_over_all_other_faces(noise: NDArray[np.uint8]) -> None:
    masks = quarters()
    faces = [np.full((32, 32, 3), v, np.uint8) for v in (0, 100, 200)]
    fills = np.stack([region_shapley.donor_baseline(noise, masks, face) for face in faces])
    values = region_shapley.coalition_values(eyes_only(masks), noise, masks, fills, False)
    for end, name in ((0, "reference"), (15, "score")):
        one_by_one = [region_effects(eyes_only(masks), noise, masks, NAMES, False, [face]) for face in faces]
        assert values[end] == pytest.approx(np.mean([getattr(found, name) for found in one_by_one]), abs=1e-5)


def test_what_nothing_reads_has_no_effect_among_many_regions_either(noise: NDArray[np.uint8]) -> None:
    masks = np.zeros((10, 32, 32), bool)
    for i in range(10):
        masks[i, :, 3 * i : 3 * i + 3 if i < 9 else 32] = True
    faces = list(np.random.default_rng(1).integers(0, 256, (8, 32, 32, 3), np.uint8))
    found = region_effects(eyes_only(masks), noise, masks, tuple("abcdefghij"), False, faces)
    assert found.effects[1:].tolist() == [0] * 9
    assert abs(found.effects[0]) > 0.01
