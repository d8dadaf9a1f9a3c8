"""The whole training loop on a few synthetic faces."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from beauty_evaluate import presets
from beauty_evaluate.config import Config, CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.crops import Crops, load_crops
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import keras_predictor
from beauty_evaluate.raters.runtime import predict
from beauty_evaluate.training.checkpoint import Checkpoint, Progress
from beauty_evaluate.training.fit import choose_precision, emulates_bfloat16, fit
from beauty_evaluate.training.learner import Learner, Start
from beauty_evaluate.training.optimizer import FusedAdamW, Muon, learning_rate, optimizer_of, orthogonal, update_ema


@pytest.fixture(scope="module")
def crops() -> Crops:
    return load_crops(list(synthetic.draw(8).samples.values()), CropConfig(size=64), pad=10)


def recipe(**training: Any) -> Config:
    """The synthetic preset with every random part switched on, two batches an epoch."""
    base = presets.preset("synthetic")
    full = presets.preset("six_block")
    plan: dict[str, Any] = {"epochs": 3, "batch_size": 4, "ema_decay": 0.9, "precision": "float32", **training}
    return replace(base, augment=full.augment, training=replace(base.training, **plan))


class Interrupted(Exception):
    pass


def stop_after(epochs: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.epoch == epochs:
            raise Interrupted

    return report


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_resumed_run_ends_bit_for_bit_as_an_uninterrupted_one(crops: Crops, tmp_path: Path, precision: str) -> None:
    config = recipe(precision=precision, epochs=2)
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole, run = fit(config, crops, tmp_path / "whole")
    assert [p.epoch for p in run.history] == [1, 2]
    with pytest.raises(Interrupted):
        fit(config, crops, tmp_path / "cut", report=stop_after(1))
    resumed, run = fit(config, crops, tmp_path / "cut", resume=True)
    assert [p.epoch for p in run.history] == [1, 2]
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(a, b)
    one, other = (Checkpoint.read(tmp_path / name) for name in ("whole", "cut"))
    assert one is not None
    assert other is not None
    for a, b in zip(one.arrays, other.arrays, strict=True):
        assert np.array_equal(a, b)


def test_resume_refuses_another_recipe(crops: Crops, tmp_path: Path) -> None:
    fit(recipe(epochs=1), crops, tmp_path)
    with pytest.raises(ConfigError, match="begun with other settings"):
        fit(recipe(epochs=1, seed=9), crops, tmp_path, resume=True)
    others = replace(crops, names=crops.names[::-1])
    with pytest.raises(ConfigError, match="begun with other photos"):
        fit(recipe(epochs=1), others, tmp_path, resume=True)
    Checkpoint.path(tmp_path).write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="is not a checkpoint"):
        fit(recipe(epochs=1), crops, tmp_path, resume=True)


def test_a_checkpoint_is_never_half_written(crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(recipe(epochs=1), crops, tmp_path)
    before = Checkpoint.path(tmp_path).read_bytes()

    def power_cut(descriptor: int) -> None:
        raise Interrupted

    monkeypatch.setattr("os.fsync", power_cut)
    with pytest.raises(Interrupted):
        fit(recipe(epochs=1, seed=2), crops, tmp_path)
    assert Checkpoint.path(tmp_path).read_bytes() == before


def test_training_learns_what_it_is_shown(crops: Crops, tmp_path: Path) -> None:
    base = presets.preset("synthetic")
    plan = replace(base.training, epochs=40, batch_size=4, ema_decay=0.0, warmup_epochs=0, learning_rate=3e-3)
    config = replace(base, augment=presets.NO_AUGMENT, network=replace(base.network, dropout=0.0), training=plan)
    model, run = fit(config, crops, tmp_path)
    assert run.history[-1].loss < 0.1 * run.history[0].loss
    found = predict(keras_predictor(model), crops.centre, flip_tta=False)
    assert np.corrcoef(found, crops.scores)[0, 1] > 0.6  # BatchNorm's running means lag behind so few steps


def test_validation_figures_stand_in_the_history(crops: Crops, tmp_path: Path) -> None:
    _, run = fit(recipe(epochs=1), crops, tmp_path, validation=crops)
    assert run.history[0].validation["n"] == 8


def test_landmarks_and_missing_landmarks_are_both_learnt_from(tmp_path: Path) -> None:
    samples = list(synthetic.draw(8).samples.values())
    marks = np.random.default_rng(0).uniform(60, 140, (86, 2))
    samples = [replace(s, landmarks=marks + i) if i % 2 else s for i, s in enumerate(samples)]
    crops = load_crops(samples, CropConfig(size=64), pad=10)
    model, run = fit(recipe(epochs=1, landmark_weight=0.3), crops, tmp_path)
    assert np.isfinite(run.history[0].loss)
    assert "landmarks" not in [layer.name for layer in model.layers]


def test_groups_are_learnt_too_and_dropped_at_the_end(tmp_path: Path) -> None:
    samples = [
        replace(s, groups={"group": ("AF", "CM")[i % 2]}) for i, s in enumerate(synthetic.draw(8).samples.values())
    ]
    crops = load_crops(samples, CropConfig(size=64), pad=10)
    assert crops.groups == ("AF", "CM") * 4
    config = recipe(epochs=1, group_weight=0.3)
    batches = Batches(crops, replace(config.augment, mixup=1.0), 8, 0)
    (batch,) = batches.epoch(0)
    assert batch.groups.sum(1) == pytest.approx(np.ones(8))
    assert ((batch.groups > 0) & (batch.groups < 1)).any()  # mixed as the pictures are
    learner = Learner(config, batches, "float32")
    kernel = learner.network.get_layer("groups").kernel
    before = kernel.numpy()
    learner.epoch(0)
    assert not np.array_equal(kernel.numpy(), before)
    assert [layer.name for layer in learner.finished().layers if layer.name in ("groups", "landmarks")] == []


def test_nothing_to_learn_from_is_said(crops: Crops, tmp_path: Path) -> None:
    empty = Crops((), (), crops.pixels[:0], crops.scores[:0], crops.landmarks[:0], crops.pad, [], ())
    with pytest.raises(DataError, match="nothing to learn from"):
        fit(recipe(), empty, tmp_path)


def test_learning_rate_warms_up_and_decays() -> None:
    config = recipe(epochs=10, learning_rate=1.0, warmup_epochs=2)
    rates = [learning_rate(config, step, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == rates[20] == pytest.approx(1.0)
    assert rates[-1] < 0.001
    assert learning_rate(recipe(schedule="constant", warmup_epochs=0, learning_rate=0.5), 7, 10) == 0.5


def test_precision_is_tried_where_it_pays() -> None:
    times = {"float32": 0.2, "mixed_bfloat16": 0.1}
    long = presets.preset("six_block")
    assert choose_precision(long, 100_000, times.__getitem__) == "mixed_bfloat16"
    assert choose_precision(recipe(precision="auto"), 10, times.__getitem__) == "float32"
    times["float32"] = 0.05
    assert choose_precision(long, 100_000, times.__getitem__) == "float32"
    assert choose_precision(recipe(precision="mixed_bfloat16"), 100_000, times.__getitem__) == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("flags", "emulated"), [("fpu avx2 fma", True), ("fpu avx512_bf16", False), ("amx_bf16 fpu", False), (None, False)]
)
def test_processors_that_emulate_bfloat16_are_known(flags: str | None, emulated: bool, tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor : 0\n" + (f"flags : {flags}\n" if flags else "Features : asimd bf16\n"))
    assert emulates_bfloat16(path) is emulated


def test_muon_multiplies_in_the_precision_of_the_training() -> None:
    matrix = tf.constant(np.random.default_rng(0).normal(size=(12, 8)), tf.float32)
    exact, rounded = orthogonal(matrix, "float32").numpy(), orthogonal(matrix, "bfloat16").numpy()
    assert 0 < np.abs(exact - rounded).max() < 0.1
    for precision, products in (("float32", "float32"), ("mixed_bfloat16", "bfloat16")):
        optimizer = optimizer_of(recipe(optimizer="muon"), precision)
        assert isinstance(optimizer, Muon)
        assert optimizer.products == products


def test_the_fused_optimizer_moves_weights_as_keras_does() -> None:
    results = []
    for kind in (keras.optimizers.AdamW, FusedAdamW):
        rng = np.random.default_rng(1)
        weights = [
            keras.Variable(v, dtype="float32", name=n)
            for v, n in ((rng.normal(size=(30, 20)), "kernel"), (np.ones(5), "bias"))
        ]
        optimizer = kind(weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(weights)
        for step in range(5):
            optimizer.learning_rate.assign(0.01 * (step + 1))
            optimizer.apply([tf.constant(rng.normal(size=w.shape), tf.float32) for w in weights], weights)
        results.append([w.numpy() for w in weights])
    for ours, theirs in zip(results[1], results[0], strict=True):
        assert np.allclose(ours, theirs, atol=1e-5)
        assert not np.allclose(ours, 1, atol=0.05)


@pytest.mark.parametrize("shape", [(288, 64), (40, 64)])
def test_orthogonal_steps_keep_directions_and_level_their_lengths(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.normal(size=shape) * np.logspace(0, -1, 64)).astype(np.float32)
    found = orthogonal(tf.constant(matrix)).numpy()
    u, lengths, v = np.linalg.svd(matrix, full_matrices=False)
    assert lengths.max() / lengths.min() > 10
    level = np.linalg.svd(found, compute_uv=False)[: min(shape)]
    assert 0.5 < level.min() < level.max() < 1.3
    assert (found * (u @ v)).sum() / np.linalg.norm(found) / np.linalg.norm(u @ v) > 0.97


def with_groups(crops: Crops) -> Crops:
    return replace(crops, groups=("AF", "CM") * (len(crops.names) // 2))


def test_muon_moves_hidden_kernels_alone_and_the_rest_as_adamw_does(crops: Crops) -> None:
    """The head that tells groups is a last layer: Muon moves it in recipes of release 0.1 alone."""
    moved = {}
    for kind, group_head in (("adamw", False), ("muon", False), ("muon", True)):
        config = recipe(optimizer=kind, warmup_epochs=0, group_weight=0.3, muon_group_head=group_head)
        learner = Learner(config, Batches(with_groups(crops), presets.NO_AUGMENT, 8, 1), "float32")
        before = [w.numpy() for w in learner.network.trainable_variables]
        learner.epoch(0)  # one step
        after = [w.numpy() for w in learner.network.trainable_variables]
        moved[kind, group_head] = [b - a for a, b in zip(after, before, strict=True)]
    names = [w.path for w in learner.network.trainable_variables]
    assert any(name.startswith("groups") for name in names)
    for group_head in (False, True):
        heads = ("block1_conv1", "score", "landmarks", *(() if group_head else ("groups",)))
        for name, muon, adamw in zip(names, moved["muon", group_head], moved["adamw", False], strict=True):
            hidden = name.endswith("kernel") and not name.startswith(heads)
            assert np.allclose(muon, adamw, atol=1e-6) != hidden, name


def test_muon_keeps_no_velocity_of_what_it_moves(crops: Crops) -> None:
    sizes = {}
    for kind in ("muon", "adamw"):
        learner = Learner(recipe(optimizer=kind), Batches(crops, presets.NO_AUGMENT, 8, 1), "float32")
        sizes[kind] = sum(int(np.prod(v.shape)) for v in learner.optimizer.variables)
        if isinstance(learner.optimizer, Muon):
            hidden = [v for v in learner.network.trainable_variables if learner.optimizer.moves(v)]
    assert sizes["muon"] == sizes["adamw"] - sum(int(np.prod(v.shape)) for v in hidden)
    assert sizes["muon"] < 0.75 * sizes["adamw"]


def test_unknown_groups_and_landmarks_cost_nothing(crops: Crops) -> None:
    """A step on photos of which nothing but the score is known moves the features as one without further targets."""
    results = []
    for extra in (True, False):
        marks = np.full((len(crops.names), 5, 2), np.nan, np.float32)
        marks[0] = 0.5  # one photo is known, so that there are heads, and stays out of the step below
        known = replace(crops, groups=("AF", *("",) * (len(crops.names) - 1)), landmarks=marks) if extra else crops
        config = recipe(optimizer="adamw", landmark_weight=1.0 if extra else 0, group_weight=1.0 if extra else 0)
        batches = Batches(known, presets.NO_AUGMENT, 8, 1)
        learner = Learner(config, batches, "float32")
        assert set(learner.heads) == ({"landmarks", "groups"} if extra else set())
        batch = batches._batch(0, np.arange(1, 8))
        if extra:
            assert not batch.landmarks_known.any()
            assert not batch.groups_known.any()
        learner.optimizer.learning_rate.assign(1e-2)
        learner.step(*batch, tf.constant(0.9))
        results.append(learner.model.get_weights())
    for ours, theirs in zip(*results, strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)


def test_fine_tuning_begins_with_the_given_weights(crops: Crops, tmp_path: Path) -> None:
    model = builders.build(recipe(), seed=7)
    start = Start("other (12345678)", model.get_weights())
    learner = Learner(recipe(), Batches(crops, presets.NO_AUGMENT, 8, 1), "float32", start)
    assert np.allclose(
        predict(learner.predictor(), crops.centre, True), predict(keras_predictor(model), crops.centre, True), atol=1e-5
    )
    fit(recipe(epochs=1), crops, tmp_path, start=start)
    with pytest.raises(ConfigError, match="begun with other photos"):
        fit(recipe(epochs=1), crops, tmp_path, resume=True)


def test_the_average_follows_the_weights() -> None:
    average, weight = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 0.0])
    update_ema(average, weight, tf.constant(0.75))
    assert np.allclose(average.numpy(), [1.5, 1.5])
