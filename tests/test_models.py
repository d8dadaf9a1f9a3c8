"""One contract for every network of the registry."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, Run

from beauty_evaluate import config as configs
from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import registry, six_block
from beauty_evaluate.raters.card import ONNX, load
from beauty_evaluate.raters.registry import keras_predictor
from beauty_evaluate.raters.runtime import onnxruntime_predictor, opencv_predictor, predict
from beauty_evaluate.training.export import write_network

SMALL = {
    "six_block": replace(
        configs.preset("drawn"), network=replace(configs.preset("drawn").network, convolutions=(1, 2, 2, 1, 3, 2))
    ),
    "article": replace(
        configs.preset("article"),
        crop=replace(configs.preset("article").crop, size=64),
        network=replace(configs.preset("article").network, channels=(4, 4, 6, 6, 8, 8), hidden=(8, 8)),
    ),
}


@pytest.fixture(scope="module", params=sorted(registry.BUILDERS))
def config(request: pytest.FixtureRequest) -> Config:
    return SMALL[request.param]


@pytest.fixture(scope="module")
def model(config: Config) -> keras.Model:
    return registry.build(config, seed=5)


@pytest.fixture(scope="module")
def crops(config: Config) -> np.ndarray:
    channels = 1 if config.crop.grey else 3
    return np.random.default_rng(0).integers(0, 256, (7, 64, 64, channels), np.uint8)


def test_shape_and_order(model: keras.Model, crops: np.ndarray) -> None:
    forward = keras_predictor(model)
    scores = predict(forward, crops, flip_tta=True)
    assert scores.shape == (7,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert np.array_equal(predict(forward, crops, flip_tta=True), scores)
    order = np.random.default_rng(1).permutation(7)
    assert np.allclose(predict(forward, crops[order], flip_tta=True), scores[order], atol=1e-5)
    one_by_one = [predict(forward, crops[i : i + 1], flip_tta=True)[0] for i in range(7)]
    assert np.allclose(one_by_one, scores, atol=1e-5)


def test_mirror_average_makes_the_mirror_image_score_alike(model: keras.Model, crops: np.ndarray) -> None:
    forward = keras_predictor(model)
    assert np.allclose(predict(forward, crops, True), predict(forward, crops[:, :, ::-1], True), atol=1e-6)


def test_no_crops_is_a_clear_error(model: keras.Model) -> None:
    with pytest.raises(ValueError, match="Expected crops"):
        predict(keras_predictor(model), [], flip_tta=False)


def test_weights_and_onnx_score_as_the_network_does(
    model: keras.Model, config: Config, crops: np.ndarray, tmp_path: Path
) -> None:
    onnx = write_network(model, crops, tmp_path, "small", config.flip_tta)
    ours = predict(keras_predictor(model), crops, True)
    for runtime in (opencv_predictor, onnxruntime_predictor):
        assert np.allclose(predict(runtime(onnx), crops, True), ours, atol=1e-4)
    again = registry.build(config, seed=6)
    assert not np.allclose(predict(keras_predictor(again), crops, True), ours)
    again.load_weights(tmp_path / "small.weights.h5")
    assert np.array_equal(predict(keras_predictor(again), crops, True), ours)


def test_seed_decides_the_first_weights(config: Config) -> None:
    first, same, other = (registry.build(config, seed=s).get_weights() for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_broken_export_is_refused(
    model: keras.Model, crops: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "beauty_evaluate.training.export.opencv_predictor", lambda path: lambda c: np.zeros(len(c), np.float32)
    )
    with pytest.raises(WeightsError, match="differ by"):
        write_network(model, crops, tmp_path, "small", False)


def test_the_default_network_keeps_its_promises() -> None:
    model = registry.build(configs.preset("six_block"))
    names = [layer.name for layer in model.layers]
    assert {f"block{b}_conv1" for b in range(1, 7)} | {f"block{b}_pool" for b in range(1, 7)} < set(names)
    assert [n for n in names if n in ("fc1", "fc2", "score")] == ["fc1", "fc2", "score"]
    assert model.get_layer("score").activation is keras.activations.linear
    assert model.count_params() <= 5_000_000
    assert model.input_shape == (None, 256, 256, 3)


def test_the_article_network_has_the_parameters_its_author_counted() -> None:
    model = registry.build(configs.preset("article"))
    assert model.count_params() == pytest.approx(7.64e6, rel=1e-3)
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in model.layers) == 5
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [
        *(0.25, 0.5, 0.5, 0.25, 0.25),
        *(0.25, 0.25),
    ]


def test_batch_norm_trains_as_keras_does() -> None:
    x = tf.constant(np.random.default_rng(0).normal(1, 2, (6, 5, 5, 4)).astype(np.float32))
    found = []
    for layer in (six_block.BatchNorm(), keras.layers.BatchNormalization()):
        layer.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y**3)
        found.append([y, *tape.gradient(loss, [x, layer.gamma.value, layer.beta.value]), *layer.get_weights()])
        found[-1].append(layer(x, training=False))
    for ours, theirs in zip(*found, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_network_that_learns_is_the_one_that_is_used(stride: int) -> None:
    config = configs.preset("six_block")
    config = replace(config, crop=replace(config.crop, size=128))
    config = replace(config, network=replace(config.network, first_stride=stride))
    plain, learning = (registry.build(config, seed=3, learning=how) for how in (False, True))
    assert any(isinstance(layer, six_block.SmallMapConv) for layer in learning.layers)
    crops = tf.random.stateless_uniform((4, 128, 128, 3), (1, 2), maxval=255)
    results = []
    for model in (plain, learning):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(crops, training=False) ** 2)
        results.append((loss.numpy(), tape.gradient(loss, [w.value for w in model.trainable_variables])))
    assert np.isclose(results[0][0], results[1][0])
    for ours, theirs in zip(results[1][1], results[0][1], strict=True):
        assert np.allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


def test_an_unknown_network_is_named() -> None:
    config = configs.preset("six_block")
    with pytest.raises(ConfigError, match="seven_block"):
        registry.build(replace(config, network=replace(config.network, kind="seven_block")))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="cannot be read"):
        opencv_predictor(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        onnxruntime_predictor(path)


def test_the_export_command_writes_the_same_network(run: Run, drawn_run: Path, tmp_path: Path) -> None:
    card = load(str(drawn_run / "weights" / "drawn.json"))
    done = run("-m", "beauty_evaluate", "export", "--weights", drawn_run / "weights" / "drawn.json", "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("out/drawn.onnx: float32 crops (N, 64, 64, 3)")
    crops = np.random.default_rng(1).integers(0, 256, (4, 64, 64, 3), np.uint8)
    ours, theirs = (
        predict(opencv_predictor(p), crops, True) for p in (card.file(ONNX), tmp_path / "out" / "drawn.onnx")
    )
    assert np.allclose(ours, theirs, atol=1e-4)


def test_the_runtime_for_many_crops_tells_nobody_and_writes_nothing(tmp_path: Path) -> None:
    code = "from beauty_evaluate.raters.card import load; from beauty_evaluate.raters.runtime import *;"
    code += "onnxruntime_predictor(load().file('.onnx'))"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=600)
    assert list(tmp_path.iterdir()) == []
