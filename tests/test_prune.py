"""Smaller networks: hand-set ones of which half is dead, and the whole command on synthetic faces."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from beauty_evaluate.cli import prune as command
from beauty_evaluate.config import Config, ScaleMap
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.crops import Crops, load_crops
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.images import Picture
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import builders, registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import keras_predictor
from beauty_evaluate.raters.card import Card, TrainedOn, photo_hash
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.runtime import predict
from beauty_evaluate.training import prune, prune_job
from beauty_evaluate.training.export import write_card, write_network

SYNTHETIC = preset("synthetic")
BASE = replace(
    SYNTHETIC, network=replace(SYNTHETIC.network, channels=(16,) * 6, convolutions=(1, 2, 1, 3, 2, 1), hidden=(8, 6))
)
GROUPS = [*(f"block{b}" for b in range(1, 7)), "fc1", "fc2"]
Half = tuple[keras.Model, keras.Model, prune.Kept]


@pytest.fixture(scope="module")
def crops() -> Picture:
    """Blots, which move a random network more than noise does."""
    blots = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), np.uint8)
    return np.stack([cv2.resize(blot, (64, 64), interpolation=cv2.INTER_CUBIC) for blot in blots])


def scores(model: keras.Model, crops: Picture) -> np.ndarray:
    return predict(keras_predictor(model), crops, True)


def half_dead(crops: Picture, constant: float = 0.0) -> Half:
    """A network of which half of each layer answers 0, the same without that half, and what lives.

    The dead half has weights to all that comes later. constant: what it gives there instead of 0.
    """
    rng = np.random.default_rng(3)
    large, width = builders.build(BASE, seed=1), {**dict.fromkeys(GROUPS, 16), "fc1": 8, "fc2": 6}
    alive = {group: np.sort(rng.permutation(n)[: n // 2]) for group, n in width.items()}
    small = builders.build(replace(BASE, network=replace(BASE.network, channels=(8,) * 6, hidden=(4, 3))))
    inputs = np.arange(3)
    for layer in large.layers:
        group = layer.name.split("_")[0]
        own = alive.get(group, np.arange(1))
        if not layer.weights:
            continue
        if layer.name.endswith("norm"):  # as after a training: what lives varies about 0, and is not silent by chance
            maps = keras.Model(large.input, layer.input)(crops.astype(np.float32), training=False).numpy()
            dead = ~np.isin(np.arange(16), own)
            shift, variance = np.where(dead, constant, 0.1), np.where(dead, 1, maps.var((0, 1, 2)))
            weights = [np.full(16, 0.9), shift, maps.mean((0, 1, 2)), variance]
            layer.set_weights(weights)
            small.get_layer(layer.name).set_weights([values[own] for values in weights])
            continue
        kernel, bias = layer.get_weights()
        bias += 0.2
        for k in np.setdiff1d(np.arange(len(bias)), own):
            kernel[..., k], bias[k] = 0, 0
        layer.set_weights([kernel, bias])
        small.get_layer(layer.name).set_weights([kernel[..., inputs, :][..., own], bias[own]])
        inputs = own
    return large, small, alive


def test_a_half_dead_network_scores_the_same_without_that_half(crops: Picture) -> None:
    large, by_hand, alive = half_dead(crops)
    before = scores(large, crops)
    assert before.std() > 0.01
    kept = prune.choose(prune.importance(large, crops), BASE, speed=1)
    for group, channels in alive.items():
        assert np.array_equal(kept[group], channels), group
    small = prune.cut(large, BASE, kept)
    assert prune.smaller(BASE, kept).network.channels == (8,) * 6
    assert prune.smaller(BASE, kept).network.hidden == (4, 3)
    assert small.count_params() == by_hand.count_params() < large.count_params() / 3
    assert np.allclose(scores(small, crops), before, atol=1e-5)
    for ours, theirs in zip(small.get_weights(), by_hand.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    prune.refit(large, small, kept, crops)
    assert np.allclose(scores(small, crops), before, atol=1e-5)


def test_what_constant_channels_gave_goes_into_the_biases(crops: Picture) -> None:
    large, _, alive = half_dead(crops, constant=3.0)
    for group, values in prune.importance(large, crops).items():
        assert not np.delete(values, alive[group]).any(), group
    before = scores(large, crops)
    small = prune.cut(large, BASE, alive)
    gap = np.abs(scores(small, crops) - before).mean()
    assert gap > 0.05
    prune.refit(large, small, alive, crops)
    assert np.abs(scores(small, crops) - before).mean() < gap / 4


def test_constants_of_fully_connected_units_come_back_exactly(crops: Picture) -> None:
    large, _, alive = half_dead(crops)
    for name in ("fc1", "fc2"):
        kernel, bias = large.get_layer(name).get_weights()
        bias[np.setdiff1d(np.arange(len(bias)), alive[name])] = 2
        large.get_layer(name).set_weights([kernel, bias])
    small = prune.cut(large, BASE, alive)
    assert np.abs(scores(small, crops) - scores(large, crops)).max() > 0.1
    prune.refit(large, small, alive, crops)
    assert np.allclose(scores(small, crops), scores(large, crops), atol=1e-4)


def test_importance_of_a_unit_in_front_of_the_score_is_its_weight_times_its_spread(crops: Picture) -> None:
    model = builders.build(BASE, seed=4)
    units = keras.Model(model.input, model.get_layer("fc2").output)(crops.astype(np.float32), training=False).numpy()
    by_hand = np.abs(model.get_layer("score").get_weights()[0][:, 0]) * units.std(0)
    assert by_hand.max() > 0.01
    assert np.allclose(prune.importance(model, crops)["fc2"], by_hand, atol=1e-5)


def test_tied_channels_count_together(crops: Picture) -> None:
    """Where the second convolution of a block adds 0, both of its ReLUs pass on the same, and the effects add up."""
    model = builders.build(BASE, seed=4)
    first, second = model.get_layer("block2_conv1"), model.get_layer("block2_conv2")
    first.set_weights([first.get_weights()[0], np.full(16, 20.0)])  # no ReLU at 0, where it stops the gradient
    second.set_weights([0 * w for w in second.get_weights()])
    found = prune.importance(model, crops)
    assert found["block2"].shape == (16,)
    once = builders.build(replace(BASE, network=replace(BASE.network, convolutions=(1, 1, 1, 3, 2, 1))))
    for part in once.layers:
        part.set_weights(model.get_layer(part.name).get_weights())
    assert np.allclose(found["block2"], 2 * prune.importance(once, crops)["block2"], rtol=1e-3, atol=1e-6)
    assert np.allclose(found["block3"], prune.importance(once, crops)["block3"], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("seed", "speed", "light"), [(1, 2, "block1"), (1, 2, "block4"), (4, 1.3, "")])
def test_the_least_important_go_until_the_speed_is_reached(seed: int, speed: float, light: str) -> None:
    """light: a group that matters little, so that too much of it would go, or its last step be too large."""
    config = replace(BASE, network=replace(BASE.network, channels=(32, 24, 20, 64, 64, 32)))
    rng = np.random.default_rng(seed)
    widths = dict(zip(GROUPS, (32, 24, 20, 64, 64, 32, 8, 6), strict=True))
    found = {group: rng.uniform(0.01, 1, n) * (0.01 if group == light else 1) for group, n in widths.items()}
    kept = prune.choose(found, config, speed)
    left = {group: len(channels) for group, channels in kept.items()}
    most = prune.cost(config, widths) / speed
    assert prune.cost(config, left) <= most
    assert left != widths
    for group, n in left.items():  # half stays, and nothing more would fit
        step = prune.STEP if group.startswith("block") else 1
        assert n >= widths[group] / 2
        wider = {**left, group: min((n // step + 1) * step, widths[group])}
        assert n == widths[group] or prune.cost(config, wider) > most
    for group, channels in kept.items():
        gone = np.setdiff1d(np.arange(widths[group]), channels)
        assert not len(gone) or found[group][gone].max() <= found[group][channels].min()
        assert len(channels) % prune.STEP == 0 or len(channels) == widths[group] or group.startswith("fc")
    assert {g: len(c) for g, c in prune.choose(found, config, speed=1).items()} == widths
    with pytest.raises(ConfigError, match="--speed takes 1 to"):
        prune.choose(found, config, speed=1000)


def test_cost_counts_multiplications_and_values() -> None:
    config = replace(
        SYNTHETIC, network=replace(SYNTHETIC.network, channels=(8,) * 6, convolutions=(2, 1, 1, 1, 1, 1), hidden=(4, 2))
    )
    widths = {**{f"block{b}": 8 for b in range(1, 7)}, "fc1": 4, "fc2": 2}
    maps = [64, 32, 16, 8, 4, 2]
    products = 64**2 * (27 * 8 + 72 * 8) + sum(side**2 * 72 * 8 for side in maps[1:]) + 8 * 4 + 4 * 2
    values = 64**2 * 3 + sum(side**2 * 8 for side in maps)
    assert prune.cost(config, widths) == products + prune.PER_VALUE * values


@pytest.fixture(scope="module")
def faces() -> DataSet:
    return synthetic.draw(30)


def write(folder: Path, config: Config, data: DataSet, **changes: Any) -> Card:
    """The card and files of an untrained network that says it has learnt from the training part of some faces."""
    model = builders.build(config, seed=6)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1 if config.crop.grey else 3), np.uint8)
    split = data.split()
    photos = tuple(photo_hash(data.title, name) for name in split.train)
    labels = {"n": 24, "mean": 3.0, "sd": 1.0, "min": 1.0, "max": 5.0}
    values: dict[str, Any] = {
        **{"name": "large", "config": config, "scale": data.scale, "parameters": model.count_params()},
        **{"trained_on": (TrainedOn(data.title, split.name, data.scale, ScaleMap(), labels, photos, False),)},
        **{"folder": folder, **changes},
    }
    return write_card(write_network(model, pixels, Card(**values)), {"labels": np.arange(5.0)})


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, faces: DataSet) -> Card:
    figures = {synthetic.TITLE: {"all": {"n": 6.0, "pearson": 0.5, "mae": 0.25}}}
    interval = {"level": 0.9, "scores": [1, 5], "half_width": [0.5, 0.5]}
    return write(tmp_path_factory.mktemp("large"), BASE, faces, metrics=figures, interval=interval)


@pytest.fixture
def few_faces(monkeypatch: pytest.MonkeyPatch, faces: DataSet) -> None:
    monkeypatch.setattr(datasets, "synthetic", lambda: faces)


@pytest.mark.usefixtures("few_faces")
def test_the_command_writes_a_smaller_network_with_its_card(
    large: Card, faces: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt: list[str] = []

    def spy(samples: Sequence[Sample], *args: Any, **more: Any) -> Crops:
        learnt.extend(sample.name for sample in samples)
        return load_crops(samples, *args, **more)

    monkeypatch.setattr(prune_job, "load_crops", spy)
    words = ["--weights", str(large.path), "--speed", "1.3", "--out", str(tmp_path)]
    assert command.main(words) == 0
    assert sorted(learnt) == list(faces.split().train)
    printed = capsys.readouterr().out
    card = registry.load_card(str(tmp_path / "large_pruned.json"))
    assert isinstance(card.config, Config)
    assert card.command == "python3 -m beauty_evaluate prune --weights large --speed 1.3"
    assert card.config.network != BASE.network
    assert replace(card.config, network=BASE.network) == BASE
    exported, original = (NetworkRater(card, runtime) for runtime in ("opencv", "keras"))
    assert card.parameters == original.keras_model().count_params() < large.parameters
    assert (card.metrics[synthetic.TITLE]["all"]["n"], card.interval) == (6, {})
    assert card.stats("filters/n")["filters/n"] == 24 - 24 // 5
    assert card.stats("labels")["labels"].tolist() == [0, 1, 2, 3, 4]
    pixels = np.random.default_rng(1).integers(0, 256, (3, 64, 64, 3), np.uint8)
    assert np.allclose(exported.predict(pixels), original.predict(pixels), atol=1e-4)
    report = (tmp_path / "report.md").read_text()
    assert report in printed
    assert f"| parameters | {large.parameters:,} | {card.parameters:,} |" in report
    assert "| PC | 0.5000 |" in report
    assert "times as fast" in report
    assert len((tmp_path / "looks.jsonl").read_text().splitlines()) == 1
    assert command.main(words) == 2
    assert "Change --out" in capsys.readouterr().err


@pytest.mark.usefixtures("few_faces")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--speed", "0.5"], "--speed takes 1 or more"),
        (["--speed", "nan"], "--speed takes 1 or more"),
        (["--speed", "900"], "--speed takes 1 to"),
        (["--weights", "nothing"], "No such card"),
        (["--weights", "six_block_60-40"], "Name the folder of its photos with --data"),
        (["--data", "nowhere"], "No such folder"),
    ],
)
def test_mistakes_are_one_sentence(
    large: Card, words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = [] if "--weights" in words else ["--weights", str(large.path)]
    assert command.main([*weights, *words, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_networks_and_photos_that_do_not_fit_are_refused(tmp_path: Path, large: Card, faces: DataSet) -> None:
    def prune_it(card: Card, data: DataSet) -> None:
        prune_job.run(prune_job.PruneJob(registry.of_card(card), data, tmp_path, 1.5), say=lambda line: None)

    with pytest.raises(ConfigError, match="kind six_block"):
        prune_it(replace(large, config=replace(BASE, network=replace(BASE.network, kind="article"))), faces)
    with pytest.raises(DataError, match="--data is elsewhere"):
        prune_it(large, replace(faces, title="elsewhere"))
    with pytest.raises(DataError, match="4 of them are missing"):
        prune_it(large, synthetic.draw(20))
    baseline = Card("mean", MeanBaselineConfig(), faces.scale)
    with pytest.raises(ConfigError, match="has none"):
        prune_it(baseline, faces)
