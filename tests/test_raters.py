"""One contract for every rater of the registry, and what networks promise besides."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import PORTRAIT, ROOT
from geometry_support import fusion_card, geometry_card, sub_scores_card
from ollama_support import MODEL, shared_server

from beauty_evaluate import images, presets
from beauty_evaluate.cli import export as command
from beauty_evaluate.config import Config, CropConfig, RatingScale, ScaleMap
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces.detect import Face, find_faces
from beauty_evaluate.files import sha256
from beauty_evaluate.raters import builders, registry, six_block
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Artifact, Card, TrainedOn
from beauty_evaluate.raters.ensemble import BLEND, Blend, EnsembleConfig
from beauty_evaluate.raters.features import FeaturesConfig
from beauty_evaluate.raters.geometry import Rule
from beauty_evaluate.raters.language_model import LanguageModelConfig
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.raters.regressors import Dense
from beauty_evaluate.raters.runtime import onnxruntime_predictor, opencv_predictor
from beauty_evaluate.raters.transfer import TransferConfig
from beauty_evaluate.raters.zero_shot import ZeroShotConfig
from beauty_evaluate.settings import to_json
from beauty_evaluate.training import export
from beauty_evaluate.training.export import write_card, write_network
from beauty_evaluate.training.measuring import write_arrays
from beauty_evaluate.training.portable import write_portable

SMALL = {
    "six_block": replace(
        presets.preset("synthetic"),
        network=replace(presets.preset("synthetic").network, convolutions=(1, 2, 2, 1, 3, 2)),
    ),
    "article": replace(
        presets.preset("article"),
        crop=replace(presets.preset("article").crop, size=64),
        network=replace(presets.preset("article").network, channels=(4, 4, 6, 6, 8, 8), hidden=(8, 8)),
    ),
}
RULES: tuple[Rule, ...] = ("ridge", "boosting", "mlp")
SCALE = RatingScale(1, 5)
LEARNT = TrainedOn("some faces", "all", SCALE, ScaleMap(), {"n": 2, "mean": 3, "sd": 1, "min": 2, "max": 4}, ("ab",))


def network_card(config: Config, folder: Path) -> Card:
    """An untrained network with its files."""
    crops = np.random.default_rng(0).integers(0, 256, (7, *export.input_of(config)["shape"]), np.uint8)
    card = Card(
        "small",
        config,
        SCALE,
        (LEARNT,),
        folder=folder,
        interval={"level": 0.9, "scores": [1, 5], "half_width": [0.4, 0.6]},
    )
    return write_card(write_network(builders.build(config, seed=5), crops, card), {"labels": np.arange(3.0)})


def mean_card(folder: Path) -> Card:
    card = Card("mean", MeanBaselineConfig(mean=2.5), SCALE, (LEARNT,), folder=folder)
    cards.write(card)
    return card


def zero_shot_card(folder: Path) -> Card:
    """Pairs of adjectives on an untrained network in place of the part of CLIP that sees."""
    crop = keras.Input((32, 32, 3), name="crop")
    x = keras.layers.Conv2D(8, 5, 4, kernel_initializer=keras.initializers.GlorotNormal(3))(crop)
    x = keras.layers.GlobalAveragePooling2D()(x)
    tower = keras.Model(crop, keras.layers.UnitNormalization()(x))
    texts = folder / "zero.texts.npz"
    np.savez(texts, directions=np.random.default_rng(0).normal(size=(2, 8)))
    config = ZeroShotConfig(crop=CropConfig(size=32), pairs=("hot/cold", "new/old"), centre=(0.0, 0.1))
    config = replace(config, spread=(1.0, 2.0), slope=0.5, offset=3.0)
    files = {**write_portable(tower, folder, "zero", print), "texts": texts}
    artifacts = {key: cards.Artifact(file.name, sha256(file)) for key, file in files.items()}
    card = Card("zero", config, SCALE, (LEARNT,), artifacts=artifacts, folder=folder)
    cards.write(card)
    return card


def language_model_card(folder: Path) -> Card:
    config = LanguageModelConfig(
        model=MODEL, server=shared_server().address, crop=CropConfig(size=32), repeats=1, slope=4.0, offset=1.0
    )
    card = Card("asked", config, SCALE, (LEARNT,), folder=folder)
    cards.write(card)
    return card


def ensemble_card(folder: Path) -> Card:
    """Two small networks that see the same crop, one of them in the mirror too."""
    recipes = {flip: replace(SMALL["six_block"], flip_tta=flip == "both_ways") for flip in ("both_ways", "one_way")}
    artifacts = dict[str, Artifact]()
    for name, recipe in recipes.items():
        small = network_card(recipe, folder)
        files = {kind: small.artifact(kind).rename(folder / (name + end)) for kind, end in export.SUFFIXES.items()}
        member = replace(small, name=name, artifacts={k: Artifact(p.name, sha256(p)) for k, p in files.items()})
        artifacts[name] = Artifact(cards.write(member).name, sha256(member.path))
    blend = folder / "blend.json"
    blend.write_text(json.dumps(to_json(Blend((0.25, 0.75), (1, 1), (0, 0.5), (3, 1), (0, 1), (0.1, 0.1, 0.1, 0.1)))))
    artifacts[BLEND] = Artifact(blend.name, sha256(blend))
    config = EnsembleConfig(members=tuple(recipes), crop=SMALL["six_block"].crop)
    card = Card("both", config, SCALE, (LEARNT,), artifacts=artifacts, folder=folder)
    cards.write(card)
    return card


def small_rival(folder: Path, config: TransferConfig | FeaturesConfig) -> Card:
    """A small network that nobody trained, with a head where its family has one."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, 4, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(x)
    is_whole = isinstance(config, TransferConfig)
    model = keras.Model(inputs, keras.layers.Dense(1)(x) if is_whole else x)
    paths = write_portable(model, folder, "rival", print)
    if not is_whole:
        paths["head"] = folder / "rival.head.npz"
        write_arrays(paths["head"], Dense((np.ones((4, 1)),), (np.full(1, 3.0),)).arrays())
    artifacts = {key: Artifact(path.name, sha256(path)) for key, path in paths.items()}
    card = Card("rival", config, SCALE, (LEARNT,), folder=folder, artifacts=artifacts)
    cards.write(card)
    return card


# What makes a card of each family; a network's kinds are raters of their own.
MAKERS: dict[str, Callable[[Path], Card]] = {
    **{f"network {kind}": partial(network_card, config) for kind, config in SMALL.items()},
    "ensemble": ensemble_card,
    "mean_baseline": mean_card,
    "zero_shot": zero_shot_card,
    "language_model": language_model_card,
    **{f"geometry {rule}": partial(geometry_card, rule) for rule in RULES},
    "sub_scores": sub_scores_card,
    "fusion": lambda folder: fusion_card(network_card(SMALL["six_block"], folder), SMALL["six_block"].crop, folder),
    "transfer": partial(small_rival, config=TransferConfig(crop=CropConfig(size=32))),
    "features": partial(small_rival, config=FeaturesConfig(crop=CropConfig(size=32))),
}


def test_every_family_and_kind_is_under_the_contract() -> None:
    assert {name.split()[0] for name in MAKERS} == set(registry.FAMILIES)
    assert set(SMALL) == set(builders.BUILDERS)


@pytest.fixture(scope="module", params=sorted(MAKERS))
def card(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Card:
    return MAKERS[request.param](tmp_path_factory.mktemp("rater"))


@pytest.fixture(scope="module")
def rater(card: Card) -> Rater:
    return registry.load(str(card.path))


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    """Six synthetic faces and one of a photo."""
    drawn = [
        Face((0, 0, 200, 200), s.points, 1.0, s.picture)
        for s in synthetic.draw(6).samples.values()
        if s.points is not None
    ]
    return [*drawn, *find_faces(images.read(PORTRAIT))]


def test_a_rater_gives_a_rating_for_each_face_in_order_whatever_comes_with_it(rater: Rater, faces: list[Face]) -> None:
    ratings = rater.rate(faces)
    assert ratings.mean.shape == (7,)
    assert ratings.mean.dtype == np.float64
    assert np.isfinite(ratings.mean).all()
    assert np.array_equal(rater.rate(faces).mean, ratings.mean)
    order = np.random.default_rng(1).permutation(7)
    assert np.allclose(rater.rate([faces[i] for i in order]).mean, ratings.mean[order], atol=1e-5)
    assert np.allclose([rater.rate([face]).mean[0] for face in faces], ratings.mean, atol=1e-5)
    for extra in (ratings.half_width, *ratings.parts.values()):
        assert extra is None or (extra.shape == (7,) and extra.dtype == np.float64)
    assert (ratings.half_width is not None) == bool(rater.card.interval)
    with ThreadPoolExecutor(3) as pool:
        for mean in pool.map(lambda i: rater.rate(faces).mean, range(3)):
            assert np.allclose(mean, ratings.mean, atol=1e-5)


def test_no_faces_is_a_clear_error(rater: Rater) -> None:
    with pytest.raises(ValueError, match="Received: none"):
        rater.rate([])


def test_a_rater_rates_edited_faces(rater: Rater, faces: list[Face]) -> None:
    config = crop_config(rater)
    face = faces[0]
    same = face.with_pixels(face.crop(config), config)
    grey = face.with_pixels(np.full_like(face.crop(config), 128), config)
    before, again, edited = rater.rate([face, same, grey]).mean
    assert again == pytest.approx(before, abs=1e-5)
    assert (abs(edited - before) > 1e-6) == bool(rater.needs)
    assert rater.rate([face.with_pixels(face.crop(config).astype(np.float32), config)]).mean[0] == pytest.approx(before)


def test_a_rater_says_what_it_is(rater: Rater, card: Card) -> None:
    assert rater.needs <= {"crop", "landmarks", "photo"}
    assert (rater.name, rater.scale) == (card.name, card.scale)
    assert rater.card.knows("some faces", ["a"]) == []


def test_a_card_survives_json_and_pickle(card: Card, faces: list[Face]) -> None:
    assert json.loads(card.to_json())["config"]["family"] == card.config.family
    assert registry.load_card(str(card.path)) == card
    again = registry.of_card(pickle.loads(pickle.dumps(card)))
    assert np.array_equal(again.rate(faces).mean, registry.of_card(card).rate(faces).mean)


@pytest.fixture(scope="module", params=sorted(SMALL))
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NetworkRater:
    return network_of(registry.of_card(network_card(SMALL[request.param], tmp_path_factory.mktemp("network"))), "Tests")


@pytest.fixture(scope="module")
def config(network: NetworkRater) -> Config:
    return network.config


@pytest.fixture(scope="module")
def crops(config: Config) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, *export.input_of(config)["shape"]), np.uint8)


def test_all_runtimes_score_as_keras_does(network: NetworkRater, crops: np.ndarray) -> None:
    scores = NetworkRater(network.card, "keras").predict(crops)
    for runtime in ("opencv", "onnxruntime"):
        assert np.allclose(NetworkRater(network.card, runtime).predict(crops), scores, atol=1e-4)


def test_flip_tta_makes_the_mirror_image_score_alike(network: NetworkRater, crops: np.ndarray) -> None:
    both = NetworkRater(replace(network.card, config=replace(network.config, flip_tta=True)))
    assert np.allclose(both.predict(crops), both.predict(crops[:, :, ::-1]), atol=1e-5)


def test_no_crops_is_a_clear_error(network: NetworkRater) -> None:
    with pytest.raises(ValueError, match="Expected crops"):
        network.predict([])


def test_seed_decides_the_first_weights(config: Config) -> None:
    first, same, other = (builders.build(config, seed=s).get_weights() for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_broken_export_is_refused(network: NetworkRater, crops: np.ndarray, tmp_path: Path) -> None:
    """As an operation that the converter does not know gives."""
    model = builders.build(network.config, seed=9)
    card = replace(network.card, folder=tmp_path)

    class Broken(NetworkRater):
        def predict(self, crops: object) -> np.ndarray:
            return np.full(5, 3.0 if self.runtime == "opencv" else 3.1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "NetworkRater", Broken)
        with pytest.raises(WeightsError, match=r"scores differ by up to 0\.1"):
            write_network(model, crops, card)


def test_changed_files_are_refused(network: NetworkRater, tmp_path: Path) -> None:
    for path in network.card.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes() + b" " * (path.suffix == ".onnx"))
    card = replace(network.card, folder=tmp_path)
    with pytest.raises(WeightsError, match="is not the file that its card describes"):
        NetworkRater(card).predict(np.zeros((1, *card.input.get("shape", (64, 64, 3))), np.uint8))


def test_the_default_network_keeps_its_promises() -> None:
    model = builders.build(presets.preset("six_block"))
    names = [layer.name for layer in model.layers]
    assert {f"block{b}_conv1" for b in range(1, 7)} | {f"block{b}_pool" for b in range(1, 7)} < set(names)
    assert [n for n in names if n in ("fc1", "fc2", "score")] == ["fc1", "fc2", "score"]
    assert model.get_layer("score").activation is keras.activations.linear
    assert model.count_params() <= 5_000_000
    assert model.input_shape == (None, 256, 256, 3)


def test_the_article_network_has_the_parameters_its_author_counted() -> None:
    model = builders.build(presets.preset("article"))
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
    config = presets.preset("six_block")
    config = replace(config, crop=replace(config.crop, size=128))
    config = replace(config, network=replace(config.network, first_stride=stride))
    plain, learning = (builders.build(config, seed=3, learning=how) for how in (False, True))
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
    config = presets.preset("six_block")
    with pytest.raises(ConfigError, match="seven_block"):
        builders.build(replace(config, network=replace(config.network, kind="seven_block")))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="cannot be read"):
        opencv_predictor(path)
    with pytest.raises(WeightsError, match="cannot be read"):
        onnxruntime_predictor(path)


def test_the_export_command_writes_the_same_network(
    network: NetworkRater, crops: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--weights", str(network.card.path), "--out"]
    assert command.main([*words, str(tmp_path / "out")]) == 0
    shape = ", ".join(map(str, crops.shape[1:]))
    assert f"out/small.onnx: float32 crops (N, {shape}) of 0..255 in" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small.onnx"]
    ours, theirs = (
        opencv_predictor(folder / "small.onnx")(crops.astype(np.float32))
        for folder in (network.card.folder, tmp_path / "out")
    )
    assert np.allclose(ours, theirs, atol=1e-4)
    assert command.main([*words, str(network.card.folder)]) == 2
    assert "Name another folder" in capsys.readouterr().err


def test_the_runtime_for_many_crops_tells_nobody_and_writes_nothing(tmp_path: Path) -> None:
    code = "from beauty_evaluate.raters import registry; import numpy as np;"
    code += "registry.load(runtime='onnxruntime').predict(np.zeros((1, 256, 256, 3), np.uint8))"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=600)
    assert list(tmp_path.iterdir()) == []
