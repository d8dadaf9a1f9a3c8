"""Landmarks, masks that tile the crop, and what each region adds to a score."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG
from hand_set import FunctionConfig, FunctionRater, face_of
from numpy.typing import NDArray

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.datasets import scut
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.explain import explain
from beauty_evaluate.explain.baselines import DONORS, INPAINT, donor_baseline, inpaint_baseline
from beauty_evaluate.explain.region_shapley import coalition_values, region_effects, shapley
from beauty_evaluate.faces import align, landmarks, regions
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig

CONFIG = CropConfig()


@pytest.fixture(scope="module", params=[PORTRAIT, PORTRAIT_PNG], ids=lambda path: path.stem)
def crop(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    return main_face(find_faces(images.read(request.param), CONFIG)).crop(CONFIG)


def test_regions_tile_the_crop_and_lie_where_they_should(crop: NDArray[np.uint8]) -> None:
    masks = regions.regions(crop, CONFIG)
    assert masks.shape == (len(regions.NAMES), 256, 256)
    assert (masks.sum(0) == 1).all()
    height = {name: np.argwhere(mask)[:, 0].mean() for name, mask in zip(regions.NAMES, masks, strict=True)}
    order = ("hair and ears", "forehead", "brows", "eyes", "nose", "mouth", "jaw and chin")
    assert [*order] == sorted(order, key=lambda name: height[name])
    by_name = dict(zip(regions.NAMES, masks, strict=True))
    eyes = (align.TEMPLATE[:2] * 256).astype(int)
    assert all(by_name["eyes"][y, x] for x, y in eyes)
    assert by_name["nose"][int(0.62 * 256), 128]
    assert 0.01 < by_name["eyes"].mean() < 0.06


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
    with pytest.raises(WeightsError, match="estore it"):
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
        errors.append(np.median(regions.hand_distance(landmarks.landmarks(face.crop(CONFIG), CONFIG), hand)))
    assert np.median(errors) < 0.03


def eyes_only(masks: NDArray[np.bool_]) -> FunctionRater:
    """A rater that reads the brightness of the first region alone."""
    return FunctionRater(lambda crops: crops[:, masks[0]].mean((1, 2)) / 50, masks.shape[1])


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


@pytest.mark.parametrize("donors", [0, 3])
def test_only_what_is_read_has_an_effect_and_effects_add_up(noise: NDArray[np.uint8], donors: int) -> None:
    masks = quarters()
    faces = [face_of(crop) for crop in np.random.default_rng(1).integers(0, 256, (donors, 32, 32, 3), np.uint8)]
    effects = region_effects(eyes_only(masks), face_of(noise), masks, NAMES, faces)
    assert effects.effects[1:].tolist() == [0, 0, 0]
    assert effects.score - effects.reference == pytest.approx(effects.effects.sum(), abs=1e-6)
    assert effects.score == pytest.approx(noise[masks[0]].mean() / 50, abs=1e-5)
    assert effects.areas == pytest.approx([0.25] * 4)
    assert effects.baseline == (DONORS if donors else INPAINT)


def test_an_interaction_is_shared_fairly(noise: NDArray[np.uint8]) -> None:
    masks = quarters()
    picture = noise.copy()
    picture[masks[0] | masks[1]] = 200  # alike, so that neither half of the product stands out
    picture[masks[2] | masks[3]] = 0

    def product(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        a, b = (crops[:, mask].mean((1, 2)) / 255 for mask in masks[:2])
        return np.asarray(a * b, np.float32)

    effects = region_effects(FunctionRater(product, 32), face_of(picture), masks, NAMES).effects
    assert effects[0] == pytest.approx(effects[1], rel=1e-4)
    assert effects[0] > 0.05
    assert effects[2:].tolist() == [0, 0]


def test_a_region_that_is_not_shown_and_a_constant_rater(noise: NDArray[np.uint8]) -> None:
    masks = np.concatenate([quarters(), np.zeros((1, 32, 32), bool)])
    constant = FunctionRater(lambda crops: np.full(len(crops), 3, np.float32), 32, flip_tta=True)
    effects = region_effects(constant, face_of(noise), masks, (*NAMES, "none"))
    assert effects.effects.tolist() == [0] * 5
    assert (effects.score, effects.reference) == (3, 3)
    with pytest.raises(ValueError, match="gaps or overlaps"):
        region_effects(eyes_only(masks), face_of(noise), masks[:2], NAMES[:2])


def test_replacements_match_the_ring() -> None:
    masks = quarters()
    picture = np.full((32, 32, 3), 100, np.uint8)
    picture[masks[0]] = 250
    assert (inpaint_baseline(picture, masks)[masks[0]] == 100).all()
    donated = donor_baseline(picture, masks, picture // 2)
    assert donated[masks[0]] == pytest.approx(125 + 50)  # its ring is 100 here and 50 there


def test_a_value_is_the_mean_over_all_donors(noise: NDArray[np.uint8]) -> None:
    masks = quarters()
    crops = [np.full((32, 32, 3), v, np.uint8) for v in (0, 100, 200)]
    fills = np.stack([donor_baseline(noise, masks, crop) for crop in crops])
    values = coalition_values(eyes_only(masks), face_of(noise), masks, fills)
    for end, name in ((0, "reference"), (15, "score")):
        alone = [region_effects(eyes_only(masks), face_of(noise), masks, NAMES, [face_of(crop)]) for crop in crops]
        assert values[end] == pytest.approx(np.mean([getattr(effects, name) for effects in alone]), abs=1e-5)


def test_what_nothing_reads_has_no_effect_among_many_regions_either(noise: NDArray[np.uint8]) -> None:
    masks = np.zeros((10, 32, 32), bool)
    for i in range(10):
        masks[i, :, 3 * i : 3 * i + 3 if i < 9 else 32] = True
    donors = [face_of(crop) for crop in np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), np.uint8)]
    effects = region_effects(eyes_only(masks), face_of(noise), masks, tuple("abcdefghij"), donors).effects
    assert effects[1:].tolist() == [0] * 9
    assert abs(effects[0]) > 0.01


@pytest.fixture(scope="module")
def portrait() -> Face:
    return main_face(find_faces(images.read(PORTRAIT), CONFIG))


def test_any_rater_is_explained_and_people_read_scores_on_the_scale(portrait: Face) -> None:
    whole = explain(FunctionRater(lambda crops: crops.mean((1, 2, 3)) / 10, CONFIG.size), portrait)
    assert whole.effects.score > 5 == whole.score
    assert whole.effects.score - whole.effects.reference == pytest.approx(whole.effects.effects.sum(), abs=1e-6)
    first, second, *_ = whole.lines()
    assert " to 5.00," in first
    assert f"the score was {whole.effects.score:.2f}" in second
    assert whole.reliability.passed is None
    mean = explain(MeanBaseline(Card("mean", MeanBaselineConfig(mean=2.5), RatingScale(1, 5))), portrait)
    assert (mean.score, mean.effects.reference) == (2.5, 2.5)
    assert not mean.effects.effects.any()


def test_regions_need_aligned_crops(portrait: Face) -> None:
    rater = FunctionRater(lambda crops: crops.mean((1, 2, 3)), 32)
    rater.card = replace(rater.card, config=FunctionConfig(CropConfig("whole", 32)))
    with pytest.raises(ConfigError, match="function sees whole pictures"):
        explain(rater, portrait)
