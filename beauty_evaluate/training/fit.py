"""The training loop: one step, one epoch, and a checkpoint after each."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.datasets.pipeline import Batches, Crops
from beauty_evaluate.errors import DataError
from beauty_evaluate.metrics import summary
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.runtime import predict
from beauty_evaluate.training.checkpoint import Checkpoint, Progress
from beauty_evaluate.training.optimizer import learning_rate, optimizer_of, update_ema

TRIAL_STEPS = 3
LONG_ENOUGH = 1e13  # multiplications of a whole training below which a trial of the precision costs more than it gains


def fit(
    config: Config,
    train: Crops,
    out: Path,
    validation: Crops | None = None,
    resume: bool = False,
    commit: str = "",
    report: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[keras.Model, Checkpoint]:
    """Train for `config.training.epochs` epochs, with a checkpoint in `out` after each.

    resume: go on from the checkpoint; on the same machine the weights become bit for bit those of an uninterrupted
    run. commit: of the code, kept in the checkpoint. Returns the network in float32 with the averaged weights, and the
    last checkpoint. ConfigError if the checkpoint is damaged or belongs to another recipe or other photos,
    DataError if there is nothing to learn from.
    """
    if not train.names:
        raise DataError("Expected photos to learn from. Received: none with a face that was found.")
    tf.config.experimental.enable_op_determinism()
    photos = _digest(train)
    saved = Checkpoint.read(out) if resume else None
    if saved:
        saved.check(config, photos)
    if resume:
        say(f"going on after epoch {len(saved.history)}" if saved else f"no checkpoint in {out}: beginning at epoch 1")
    plan = config.training
    batches = Batches(train, config.augment, plan.batch_size, plan.seed, plan.views_per_epoch)
    precision = saved.precision if saved else choose_precision(config, batches.steps * plan.epochs, say)
    say(f"precision: {precision}")
    learner = Learner(config, batches, precision)
    state = saved or Checkpoint(config, photos, commit, precision, [], [])
    if saved:
        learner.restore(saved.arrays)
    for epoch in range(len(state.history), plan.epochs):
        start = time.perf_counter()
        loss = learner.epoch(epoch)
        seconds = time.perf_counter() - start
        done = Progress(epoch + 1, plan.epochs, loss, seconds, batches.pictures / seconds)
        if validation is not None and (epoch % 5 == 4 or epoch + 1 == plan.epochs):
            network = registry.keras_predictor(learner.finished())
            done.validation = summary(predict(network, validation.centre, config.flip_tta), validation.scores)
        state = replace(state, history=[*state.history, done], arrays=learner.arrays())
        state.write(out)
        report(done)
    return learner.finished(), state


def _digest(crops: Crops) -> str:
    """What a run learns from, as a hash."""
    return hashlib.sha256(repr((crops.names, crops.scores.tolist(), crops.pad)).encode()).hexdigest()


class Learner:
    """A network in training: weights, optimizer, running average, and the step that changes them."""

    def __init__(self, config: Config, batches: Batches, precision: str) -> None:
        self.config, self.batches = config, batches
        self.mean = float(batches.crops.scores.mean())
        variance = float(batches.crops.scores.var()) or 1.0
        seed = config.training.seed
        self.model = registry.build(config, self.mean, precision, seed, learning=True)
        extra = []  # further targets: learning them shapes the features, and they are dropped at the end
        self.with_landmarks = bool(config.training.landmark_weight and batches.mean_shape.size)
        self.with_groups = bool(config.training.group_weight and batches.kinds)
        if self.with_landmarks:
            extra.append(self._target("landmarks", batches.mean_shape.size))
        if self.with_groups:
            extra.append(self._target("groups", batches.groups.shape[1]))
        self.network = keras.Model(self.model.input, [self.model.output, *extra]) if extra else self.model
        self.optimizer = optimizer_of(config)
        self.optimizer.build(self.network.trainable_variables)
        self.average = [tf.Variable(v.value, trainable=False) for v in self.network.trainable_variables]
        self.step = tf.function(self._step(variance), autograph=False, reduce_retracing=True)

    def _target(self, name: str, width: int) -> keras.KerasTensor:
        """One linear layer on the flattened features."""
        kernel = keras.initializers.GlorotUniform(self.config.training.seed)
        layer = keras.layers.Dense(width, kernel_initializer=kernel, dtype="float32", name=name)
        return layer(self.model.get_layer("flatten").output)

    def _step(self, variance: float) -> Callable[..., tf.Tensor]:
        plan, weights = self.config.training, self.network.trainable_variables

        def step(
            pixels: tf.Tensor,
            scores: tf.Tensor,
            marks: tf.Tensor,
            known: tf.Tensor,
            groups: tf.Tensor,
            groups_known: tf.Tensor,
            keep: tf.Tensor,
        ) -> tf.Tensor:
            with tf.GradientTape() as tape:
                found = self.network(tf.cast(pixels, tf.float32), training=True)
                score, *extra = found if isinstance(found, list) else [found]
                # in units of the labels' variance, so that the further targets weigh the same for any labels
                loss = tf.reduce_mean((score[:, 0] - scores) ** 2) / variance
                total = loss
                if self.with_landmarks:
                    distance = tf.reduce_mean((extra[0] - marks) ** 2, axis=1)
                    total += plan.landmark_weight * tf.reduce_mean(distance * known)
                if self.with_groups:
                    surprise = tf.nn.softmax_cross_entropy_with_logits(groups, extra[-1])
                    total += plan.group_weight * tf.reduce_mean(surprise * groups_known)
            self.optimizer.apply(tape.gradient(total, [w.value for w in weights]), weights)
            if plan.ema_decay:
                for mean, weight in zip(self.average, weights, strict=True):
                    update_ema(mean, weight.value, keep)
            return loss * variance

        return step

    def epoch(self, epoch: int) -> float:
        """One epoch: `views` passes over the photos. Returns the mean squared error of the score in training."""
        plan, losses = self.config.training, []
        for i, batch in enumerate(self.batches.epoch(epoch)):
            done = epoch * self.batches.steps + i
            self.optimizer.learning_rate.assign(learning_rate(self.config, done, self.batches.steps))
            # the average follows fast while the weights still run: (1 + step) / (10 + step)
            keep = tf.constant(min(plan.ema_decay, (1 + done) / (10 + done)), tf.float32)
            losses.append(self.step(*batch, keep))
        return float(np.mean([loss.numpy() for loss in losses]))

    def finished(self) -> keras.Model:
        """The network without training's extras, in float32, with the averaged weights."""
        model = registry.build(self.config, self.mean)
        averaged = {id(v): a.numpy() for v, a in zip(self.network.trainable_variables, self.average, strict=True)}
        use = self.config.training.ema_decay > 0
        model.set_weights([averaged[id(v)] if use and id(v) in averaged else v.numpy() for v in self.model.weights])
        return model

    def _state(self) -> list[Any]:
        seeds = [layer.seed_generator.state for layer in self.network.layers if hasattr(layer, "seed_generator")]
        return [*self.network.weights, *self.optimizer.variables, *self.average, *(s for s in seeds if s is not None)]

    def arrays(self) -> list[NDArray[Any]]:
        """All that the next step depends on."""
        return [v.numpy() for v in self._state()]

    def restore(self, arrays: list[NDArray[Any]]) -> None:
        """Go back to where `arrays` was taken."""
        for variable, array in zip(self._state(), arrays, strict=True):
            variable.assign(array)


def choose_precision(config: Config, steps: int, say: Callable[[str], None] = lambda line: None) -> str:
    """`float32` or `mixed_bfloat16`: as configured, or the faster in a short trial if the training is long."""
    if config.training.precision != "auto":
        return config.training.precision
    size, channels = config.crop.size, config.network.channels
    work = steps * config.training.batch_size * size**2 * channels[0] * channels[1] * 9
    if work < LONG_ENOUGH:
        return "float32"
    times = {name: _trial(config, name) for name in ("float32", "mixed_bfloat16")}
    say("precision trial: " + ", ".join(f"{name} {1000 * t:.0f} ms a step" for name, t in times.items()))
    return min(times, key=lambda name: times[name])


def _trial(config: Config, precision: str) -> float:
    """Seconds of one training step on random pictures."""
    rng = np.random.default_rng(0)
    n, size, channels = config.training.batch_size, config.crop.size, 1 if config.crop.grey else 3
    pixels = rng.integers(0, 256, (n, size, size, channels), np.uint8)
    marks = np.full((n, 86, 2), 0.5, np.float32)
    scores = rng.uniform(1, 5, n).astype(np.float32)
    crops = Crops(("",) * n, ("a", "b", "c", "d") * (n // 4) + ("a",) * (n % 4), pixels, scores, marks, 0, [])
    batches = Batches(crops, config.augment, n, 0)
    learner = Learner(config, batches, precision)
    (batch,) = batches.epoch(0)
    times = []
    for _ in range(TRIAL_STEPS + 1):
        start = time.perf_counter()
        learner.step(*batch, tf.constant(0.9)).numpy()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))
