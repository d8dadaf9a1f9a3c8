"""What single filters do, on a network whose filters are known: red, green and blue."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hand_set import NAMES, SIDE, broken, face_of, keras_rater, lit, masks, noise, state
from keras import layers

from beauty_evaluate import images
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.activation_maximization import activation_maximization
from beauty_evaluate.explain.baselines import inpaint_baseline, mask_each
from beauty_evaluate.explain.feature_maps import feature_maps
from beauty_evaluate.explain.filter_effects import Activations, activations, filter_effects
from beauty_evaluate.explain.filter_table import FilterRow, filter_rows
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.reporting import filter_plots
from beauty_evaluate.reporting.filter_gallery import filter_sentence, ringed

LAYER = "block1_conv1"
EYES, MOUTH = masks()[:2]
PAIR = [face_of(noise(0)), face_of(noise(1))]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """3 + mean red of the eyes - 2 x mean green of the mouth, each 0..1; blue is seen but not read."""
    inputs = keras.Input((SIDE, SIDE, 3), name="crop")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    x = layers.Conv2D(3, 1, name=LAYER)(x)
    x = layers.ReLU(name="block1_relu1")(x)
    x = layers.Flatten(name="flatten")(x)
    model = keras.Model(inputs, layers.Dense(1, name="score")(x))
    read = np.zeros((SIDE, SIDE, 3))
    read[EYES, 0], read[MOUTH, 1] = 1 / EYES.sum(), -2 / MOUTH.sum()
    model.set_weights([np.eye(3)[None, None], np.zeros(3), read.reshape(-1, 1), np.array([3])])
    return model


@pytest.mark.parametrize("mirror", [False, True])
def test_a_filter_adds_what_its_map_adds_beyond_its_mean(model: keras.Model, mirror: bool) -> None:
    # with the mirror image too: each region is its own
    crops = np.stack([noise(0), noise(1)])
    means = np.array([0.4, 0.3, 0.2], np.float32)
    effects = filter_effects(keras_rater(model, mirror), [face_of(crop) for crop in crops], LAYER, means)
    for crop, found in zip(crops / 255, effects, strict=True):
        known = [crop[EYES, 0].mean() - 0.4, -2 * (crop[MOUTH, 1].mean() - 0.3), 0]
        assert found == pytest.approx(known, abs=1e-5)
        assert found[2] == 0


def test_activations_say_how_much_where_and_on_which_crops(model: keras.Model) -> None:
    crops = np.stack([lit(0), lit(1) // 2, np.zeros((SIDE, SIDE, 3), np.uint8)])
    crops[..., 2] = 0  # blue stays dark
    crops[0, EYES] = crops[0, EYES] // 2
    crops[0, 20, 50, 0] = 255
    found = activations(keras_rater(model, False), [face_of(crop) for crop in crops], LAYER, [masks()] * 3)
    assert found.peaks[:, 0] == pytest.approx([1, 127 / 255, 0], abs=1e-5)
    assert found.places[0, 0] * SIDE == pytest.approx([20.5, 50.5])
    assert found.active() == pytest.approx([2 / 3, 2 / 3, 0])
    assert found.exemplars(2)[:2].tolist() == [[0, 1], [0, 1]]
    first = activations(keras_rater(model, False), [face_of(crops[0])], LAYER, [masks()])
    assert first.means[0] == pytest.approx(crops[0].mean((0, 1)) / 255, abs=1e-5)
    dependence = (
        first.region_dependence()
    )  # red is lit at the eyes alone, and dark around them but for what reddens from there
    assert 0.4 < dependence[0, 0] <= 1
    assert dependence[0, 1:].max() <= 0
    assert (dependence[2] == 0).all()


def test_rows_name_the_region_and_the_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beauty_evaluate.explain.filter_table.NAMES", NAMES)
    peaks = np.array([[1, 0], [2, 0]], np.float32)
    losses = np.array([[[3, 1, 0, -1], [0] * 4]] * 2, np.float32)
    means = np.array([[4, 0]] * 2, np.float32)
    found = Activations(peaks, np.zeros((2, 2, 2), np.float32), means, losses, 0.25)
    rows = filter_rows("block6_conv2", np.array([[0.25, 0.0], [-0.5, 0.0]]), found)
    assert rows[0] == FilterRow("block6_conv2", 0, 1.0, -0.125, 0.375, "eyes", 0.75)
    assert rows[1] == FilterRow("block6_conv2", 1, 0.0, 0.0, 0.0, "", 0.0)
    assert filter_sentence(rows[0]).startswith("6.0: moves a score by 0.375 points (-0.125 on average)")
    assert "masking the eyes cuts its activation by 75 %" in filter_sentence(rows[0])
    assert "depends on no single region" in filter_sentence(rows[1])


def test_a_picture_made_for_a_filter_excites_it(model: keras.Model) -> None:
    made = activation_maximization(model, LAYER, [0, 2])
    assert made.shape == (2, SIDE, SIDE, 3)
    assert 0 <= made.min() <= made.max() <= 255
    for picture, own in zip(made, (0, 2), strict=True):
        means = picture.mean((0, 1))
        assert means[own] > np.delete(means, own).max() + 5
    again = activation_maximization(model, LAYER, [2])
    assert np.allclose(again[0], made[1], atol=1)


def test_mistakes_are_named(model: keras.Model) -> None:
    before = model.get_weights()
    with pytest.raises(ConfigError, match="block1_conv1"):
        activations(keras_rater(model, True), [face_of(noise())], "block7_conv1", [masks()])
    with pytest.raises(ConfigError, match=r"0\.\.2"):
        activation_maximization(model, LAYER, [3])
    with pytest.raises(ConfigError):
        filter_effects(keras_rater(model, True), [face_of(noise())], "fc1", np.zeros(3, np.float32))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("job", "passes"),
    [
        (lambda model: activations(keras_rater(model, True), PAIR, LAYER, [masks()] * 2), 2),
        (lambda model: filter_effects(keras_rater(model, True), PAIR, LAYER, np.zeros(3, np.float32)), 2),
        (lambda model: activation_maximization(model, LAYER, [1], steps=2), 2),
        (lambda model: feature_maps(keras_rater(model, True), face_of(noise())), 1),
    ],
    ids=["activations", "effects", "maximization", "maps"],
)
def test_the_model_is_left_as_found(
    job: Callable[[keras.Model], object], passes: int, model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.get_layer("score").trainable = False
    before = state(model)
    job(model)
    assert state(model) == before
    for done in range(passes):
        with broken(monkeypatch, layers.Conv2D, done), pytest.raises(OSError, match="in the middle"):
            job(model)
        assert state(model) == before


def test_without_regions_nothing_is_replaced() -> None:
    none = np.zeros((0, SIDE, SIDE), bool)
    assert np.array_equal(inpaint_baseline(noise(), none), noise())
    assert mask_each(noise(), none, inpaint_baseline(noise(), none)).shape == (0, SIDE, SIDE, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_gallery_shows_each_strip_under_its_words(tmp_path: Path, channels: int) -> None:
    strips = [[np.full((20, 20, channels), shade, np.uint8)] * 3 for shade in (40, 120)]
    filter_plots.gallery_sheet(tmp_path / "gallery.png", strips, ["one", "two"], "title", "note", across=2)
    picture = images.read(tmp_path / "gallery.png")
    for shade in (40, 120):
        assert (picture == shade).all(2).sum() > 2.8 * 100 * 100


def test_a_ring_marks_a_copy() -> None:
    crop = np.full((SIDE, SIDE, 3), 120, np.uint8)
    marked = ringed(crop, np.array([0.25, 0.75], np.float32), 0.25)
    assert (crop == 120).all()
    rows, columns = np.nonzero((marked != 120).any(2))
    assert (rows.mean() / SIDE, columns.mean() / SIDE) == pytest.approx((0.25, 0.75), abs=0.02)
