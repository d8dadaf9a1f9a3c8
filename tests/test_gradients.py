"""Maps of what each pixel adds to a score, on networks of which it is known what they read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import hand_set
import numpy as np
import pytest
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain import gradients
from beauty_evaluate.explain.baselines import mask_all
from beauty_evaluate.explain.feature_maps import feature_maps
from beauty_evaluate.explain.gradients import hires_cam, integrated_gradients
from beauty_evaluate.explain.occlusion import OCCLUSION, occlusion
from beauty_evaluate.explain.pixel_map import PixelMap
from beauty_evaluate.explain.region_shapley import RegionEffects, region_effects
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.network import NetworkRater

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]
Method = Callable[[keras.Model, Picture, bool], PixelMap]

MASKS = hand_set.masks()
EYES, MOUTH = MASKS[:2]
GREY = np.full((64, 64, 3), 100, np.float32)


def eagerly(model: keras.Model, mirror: bool) -> hand_set.FunctionRater:
    """Layer by layer, so that a pass can break in the middle."""
    return hand_set.FunctionRater(lambda crops: np.asarray(model(crops, training=False)).reshape(-1), 64, mirror)


def given(model: keras.Model, crop: Picture, mirror: bool) -> tuple[NetworkRater, Face]:
    return hand_set.keras_rater(model, mirror), hand_set.face_of(crop)


METHODS: dict[str, Method] = {
    "first layer": lambda model, crop, mirror: hires_cam(*given(model, crop, mirror), "block1_conv1"),
    "second layer": lambda model, crop, mirror: hires_cam(*given(model, crop, mirror), "block2_conv1"),
    "integrated": lambda model, crop, mirror: integrated_gradients(*given(model, crop, mirror), GREY, 20),
    "occlusion": lambda model, crop, mirror: occlusion(
        eagerly(model, mirror), hand_set.face_of(crop), fill=GREY, patch=4, stride=4
    ),
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return hand_set.eyes_network()


def near_eyes() -> NDArray[np.bool_]:
    """Where a patch of occlusion lies that touches the eyes: up to 3 pixels beyond them, 1 more with its soft edge."""
    return np.asarray(cv2.dilate(EYES.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)


def effects(model: keras.Model, crop: Picture) -> RegionEffects:
    return region_effects(*given(model, crop, True), MASKS, hand_set.NAMES)


@each_method
@pytest.mark.parametrize("mirror", [False, True])
def test_maps_lie_where_the_network_looks(model: keras.Model, method: Method, mirror: bool) -> None:
    rater, face = given(model, hand_set.noise(), mirror)
    found = method(model, hand_set.noise(), mirror)
    where = near_eyes() if found.name == OCCLUSION else EYES
    assert where.mean() < 0.3
    mass = np.abs(found.values)
    assert mass.sum() > 0.01
    assert mass[where].sum() >= 0.99 * mass.sum()
    assert found.values.dtype == np.float32
    assert found.values.shape == (64, 64)
    assert found.score == pytest.approx(rater.rate([face]).mean[0], rel=1e-6, abs=1e-5)


def test_shapley_values_of_what_is_not_read_are_0(model: keras.Model) -> None:
    found = effects(model, hand_set.noise())
    assert abs(found.effects[0]) > 0.01
    # to rounding: on some processors a pass gives the same crop another last digit at another place of the batch
    assert np.abs(found.effects[1:]).max() < 1e-6 * abs(found.effects[0])


def test_an_interaction_is_halved_or_its_gap_is_stated() -> None:
    model, crop = hand_set.both_network(), hand_set.lit(0, 1)
    shared = effects(model, crop)
    assert (shared.score, shared.reference) == pytest.approx((3, 2), abs=1e-5)
    assert shared.effects == pytest.approx([0.5, 0.5, 0, 0], abs=1e-5)
    assert effects(model, hand_set.lit(0)).effects == pytest.approx([0] * 4, abs=1e-5)  # alone it is worth nothing
    maps = [
        integrated_gradients(*given(model, crop, True), mask_all(crop, MASKS)),
        occlusion(*given(model, crop, True), fill=mask_all(crop, MASKS), patch=4, stride=4),
        hires_cam(*given(model, crop, True), "block1_conv1"),
    ]
    for found, half in zip(maps, (0.5, 1, 1), strict=True):
        assert found.values[near_eyes()].sum() == pytest.approx(half, abs=1e-4)
        assert found.values[~near_eyes()].sum() == pytest.approx(half, abs=1e-4)
        assert found.completeness_error == pytest.approx(1 - 2 * half, abs=1e-4)  # counted twice


@pytest.mark.parametrize("mirror", [False, True])
def test_a_linear_network_is_explained_exactly(mirror: bool) -> None:
    weights = np.random.default_rng(1).normal(0, 0.01, (64, 64))
    model, crop = hand_set.brightness_network(weights, start=3), hand_set.noise()
    read = (weights + weights[:, ::-1]) / 2 if mirror else weights
    smooth = integrated_gradients(*given(model, crop, mirror), GREY, 3)
    assert np.allclose(smooth.values, read * (crop.mean(2) - 100) / 255, atol=1e-6)
    cam = hires_cam(*given(model, crop, mirror), "block1_conv1")
    assert np.allclose(cam.values, read * crop.mean(2) / 255, atol=1e-6)
    assert cam.reference == pytest.approx(3)
    patches = occlusion(*given(model, crop, mirror), fill=GREY, patch=12, stride=4)
    for found in (smooth, cam, patches):
        assert abs(found.completeness_error) < 1e-4
        assert abs(found.score - found.reference) > 0.01


def test_occlusion_is_in_rating_points_where_the_patch_lay() -> None:
    weights = np.zeros((64, 64))
    weights[20:24, 40:44] = 1 / 16
    found = occlusion(
        *given(hand_set.brightness_network(weights), hand_set.lit(0, 1, 2, 3), False),
        fill=np.zeros((64, 64, 3), np.float32),
        patch=16,
        stride=8,
    )
    assert found.values.sum() == pytest.approx(1, abs=1e-5)
    assert (found.values @ np.arange(64)).sum() == pytest.approx(42, abs=4)
    assert np.abs(found.values[:, :20]).max() < 1e-6


def test_the_completeness_error_of_integrated_gradients_shrinks_with_steps(model: keras.Model) -> None:
    crop = hand_set.noise()
    gaps = [
        abs(integrated_gradients(*given(model, crop, True), mask_all(crop, MASKS), n).completeness_error)
        for n in (1, 128)
    ]
    found = integrated_gradients(*given(model, crop, True), mask_all(crop, MASKS), 128)
    assert gaps[1] < 0.1 * gaps[0]
    assert gaps[1] < 0.02 * abs(found.score - found.reference)
    assert found.reference == pytest.approx(effects(model, crop).reference, abs=1e-5)


@each_method
def test_mirror_average_is_the_mean_of_both_maps(model: keras.Model, method: Method) -> None:
    crop = hand_set.noise()
    both, one, other = method(model, crop, True), method(model, crop, False), method(model, crop[:, ::-1], False)
    assert np.allclose(both.values, (one.values + other.values[:, ::-1]) / 2, atol=1e-6)
    assert not np.allclose(both.values, one.values, atol=1e-4)
    assert both.score == pytest.approx((one.score + other.score) / 2)


@each_method
@pytest.mark.parametrize("mirror", [False, True])
def test_a_constant_network_gives_nothing_to_any_pixel(method: Method, mirror: bool) -> None:
    model = builders.build(preset("synthetic"))
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    model.get_layer("score").bias.assign([3])
    found = method(model, hand_set.noise(), mirror)
    assert not found.values.any()
    assert (found.score, found.reference, found.completeness_error) == (3, 3, 0)


@each_method
def test_a_model_from_disk_gives_the_same_maps(method: Method, tmp_path: Path) -> None:
    model, crop = hand_set.eyes_network(), hand_set.noise()
    model.save(tmp_path / "eyes.keras")
    found = method(keras.models.load_model(tmp_path / "eyes.keras"), crop, True)
    assert np.abs(found.values).max() > 0
    assert np.allclose(found.values, method(model, crop, True).values, rtol=1e-4, atol=1e-7)


def test_every_kind_of_network_has_maps() -> None:
    base = preset("article")
    small = replace(base.network, channels=(4, 4, 6, 6, 8, 8), hidden=(8, 8))
    base = replace(base, crop=replace(base.crop, size=100), network=small)
    article = builders.build(base, seed=2)
    article.get_layer("score").bias.assign([3])
    crop = np.random.default_rng(0).integers(0, 256, (100, 100, 1), np.uint8)
    rater, face = hand_set.keras_rater(article, True, base), hand_set.face_of(crop, base.crop)
    found = [hires_cam(rater, face, layer) for layer in builders.relu_layers(article)]
    found.append(integrated_gradients(rater, face, np.zeros(crop.shape, np.float32), 3))
    deep = replace(preset("synthetic").network, convolutions=(1, 2, 2, 1, 3, 2), first_stride=2)
    config = replace(preset("synthetic"), network=deep, crop=replace(preset("synthetic").crop, size=128))
    strided = builders.build(config, seed=2)
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    rater, face = hand_set.keras_rater(strided, True, config), hand_set.face_of(crop)
    found += [hires_cam(rater, face, layer) for layer in builders.relu_layers(strided)]
    assert all(np.isfinite(f.values).all() and np.abs(f.values).max() > 0 for f in found)
    assert all(abs(f.score - f.reference - f.values.sum() - f.completeness_error) < 1e-5 for f in found)


@each_method
def test_the_model_is_left_as_found(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    model, crop = hand_set.eyes_network(), hand_set.noise()
    free = method(model, crop, True).values
    model.get_layer("block2_conv1").trainable = False
    model.get_layer("fc1").trainable = False
    before = hand_set.state(model)
    assert np.allclose(method(model, crop, True).values, free, atol=1e-7)
    assert hand_set.state(model) == before
    with hand_set.broken(monkeypatch, keras.layers.Flatten, 1), pytest.raises(OSError, match="in the middle"):
        method(model, crop, True)
    assert hand_set.state(model) == before
    assert np.allclose(method(model, crop, True).values, free, atol=1e-7)


@each_method
def test_new_weights_give_a_new_map(method: Method) -> None:
    model, crop = hand_set.eyes_network(), hand_set.noise()
    before = method(model, crop, False).values
    model.set_weights(hand_set.eyes_network(seed=5).get_weights())
    after = method(model, crop, False).values
    assert np.allclose(after, method(hand_set.eyes_network(seed=5), crop, False).values, atol=1e-7)
    assert not np.allclose(before, after, atol=1e-3)


@pytest.mark.parametrize(("cells", "size"), [((16, 16), 64), ((12, 12), 100), ((1, 1), 64)])
def test_enlarging_keeps_the_sum_of_each_cell(cells: tuple[int, int], size: int) -> None:
    values = np.random.default_rng(0).normal(0, 1, cells).astype(np.float32)
    assert gradients._enlarge(values, size).sum() == pytest.approx(values.sum(), abs=1e-3)
    one = np.zeros(cells, np.float32)
    one[0, -1] = 1
    found = gradients._enlarge(one, size)
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert found[: size // 2, size // 2 :].sum() >= 0.25
    assert found.min() >= 0


def test_mistakes_are_named(model: keras.Model) -> None:
    crop = hand_set.noise()
    with pytest.raises(ConfigError, match="block9"):
        hires_cam(*given(model, crop, True), "block9_conv1")
    with pytest.raises(ValueError, match=r"\(32, 32, 3\)"):
        integrated_gradients(*given(model, crop, True), GREY[:32, :32])
    with pytest.raises(ValueError, match="0 steps"):
        integrated_gradients(*given(model, crop, True), GREY, 0)
    for patch, stride in ((6, 4), (4, 0), (0, 2)):
        with pytest.raises(ValueError, match="divides the patch"):
            occlusion(*given(model, crop, True), fill=GREY, patch=patch, stride=stride)


def test_a_rater_without_gradients_is_named_in_one_sentence() -> None:
    rater, face = hand_set.FunctionRater(lambda crops: crops.mean((1, 2, 3)), 64), hand_set.face_of(hand_set.noise())
    says = r"need a Keras network, and function \(function\) has none\."
    for job in (
        lambda: hires_cam(rater, face, "block1_conv1"),
        lambda: integrated_gradients(rater, face, GREY),
        lambda: feature_maps(rater, face),
    ):
        with pytest.raises(ConfigError, match=says):
            job()
    assert occlusion(rater, face, fill=GREY, patch=8, stride=8).values.any()
