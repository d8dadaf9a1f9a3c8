"""A network in training, and the step that changes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.runtime import PredictFn
from beauty_evaluate.training.optimizer import learning_rate, optimizer_of, update_ema


@dataclass(frozen=True)
class Start:
    """Weights to begin with instead of random ones.

    Attributes:
        name: what they are, for the card and the checkpoint.
        weights: as `keras.Model.get_weights` gives them, of the network of the same recipe.
    """

    name: str
    weights: list[NDArray[Any]]


class Learner:
    """A network in training: weights, optimizer, running average, and the step that changes them.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.datasets import synthetic
        >>> from beauty_evaluate.datasets.crops import load_crops
        >>> config = preset("synthetic")
        >>> crops = load_crops(list(synthetic.draw(8).samples.values()), config.crop, pad=10)
        >>> learner = Learner(config, Batches(crops, config.augment, 4, seed=1), "float32")
        >>> learner.epoch(0) > 0
        True
    """

    def __init__(self, config: Config, batches: Batches, precision: str, start: Start | None = None) -> None:
        self.config, self.batches = config, batches
        self.mean = float(batches.crops.scores.mean())
        variance = float(batches.crops.scores.var()) or 1.0
        plan = config.training
        self.model = builders.build(config, self.mean, precision, plan.seed, learning=True)
        if start:
            self.model.set_weights(start.weights)
        # further targets: learning them shapes the features, and they are dropped at the end
        widths = {"landmarks": batches.mean_shape.size, "groups": batches.groups.shape[1]}
        weights = {"landmarks": plan.landmark_weight, "groups": plan.group_weight}
        self.heads = {name: width for name, width in widths.items() if width and weights[name]}
        extra = {name: self._head(name, width) for name, width in self.heads.items()}
        self.network = keras.Model(self.model.input, {"score": self.model.output, **extra})
        self.optimizer = optimizer_of(config, precision)
        self.optimizer.build(self.network.trainable_variables)
        self.average = [tf.Variable(v.value, trainable=False) for v in self.network.trainable_variables]
        self.step = tf.function(self._step(variance), autograph=False, reduce_retracing=True)
        self._plain: keras.Model | None = None
        self._predictor: PredictFn | None = None

    def _head(self, name: str, width: int) -> Any:
        """One linear layer on the flattened features."""
        kernel = keras.initializers.GlorotUniform(self.config.training.seed)
        layer = keras.layers.Dense(width, kernel_initializer=kernel, dtype="float32", name=name)
        return layer(self.model.get_layer("flatten").output)

    def _step(self, variance: float) -> Callable[..., tf.Tensor]:
        plan, variables = self.config.training, self.network.trainable_variables

        def step(
            pixels: tf.Tensor,
            scores: tf.Tensor,
            landmarks: tf.Tensor,
            landmarks_known: tf.Tensor,
            groups: tf.Tensor,
            groups_known: tf.Tensor,
            decay: tf.Tensor,
        ) -> tf.Tensor:
            with tf.GradientTape() as tape:
                outputs = self.network(tf.cast(pixels, tf.float32), training=True)
                # in units of the labels' variance, so that the further targets weigh the same for any labels
                loss = tf.reduce_mean((outputs["score"][:, 0] - scores) ** 2) / variance
                total = loss
                if "landmarks" in self.heads:
                    distance = tf.reduce_mean((outputs["landmarks"] - landmarks) ** 2, axis=1)
                    total += plan.landmark_weight * tf.reduce_mean(distance * landmarks_known)
                if "groups" in self.heads:
                    surprise = tf.nn.softmax_cross_entropy_with_logits(groups, outputs["groups"])
                    total += plan.group_weight * tf.reduce_mean(surprise * groups_known)
            self.optimizer.apply(tape.gradient(total, [v.value for v in variables]), variables)
            if plan.ema_decay:
                for mean, variable in zip(self.average, variables, strict=True):
                    update_ema(mean, variable.value, decay)
            return loss * variance

        return step

    def epoch(self, epoch: int) -> float:
        """One epoch: `views_per_epoch` passes over the photos. Returns the mean squared error of the score."""
        plan, losses = self.config.training, []
        for i, batch in enumerate(self.batches.epoch(epoch)):
            done = epoch * self.batches.steps + i
            self.optimizer.learning_rate.assign(learning_rate(self.config, done, self.batches.steps))
            # the average follows fast while the weights still run: (1 + step) / (10 + step)
            decay = tf.constant(min(plan.ema_decay, (1 + done) / (10 + done)), tf.float32)
            losses.append(self.step(*batch, decay))
        return float(np.mean([loss.numpy() for loss in losses]))

    def finished(self) -> keras.Model:
        """The Keras network without training's extras, in float32, with the averaged weights; one object, which the
        next call changes."""
        if self._plain is None:
            self._plain = builders.build(self.config, self.mean)
        averaged = {id(v): a.numpy() for v, a in zip(self.network.trainable_variables, self.average, strict=True)}
        use = self.config.training.ema_decay > 0
        weights = [averaged[id(v)] if use and id(v) in averaged else v.numpy() for v in self.model.weights]
        self._plain.set_weights(weights)
        return self._plain

    def predictor(self) -> PredictFn:
        """What `finished` predicts, now and after later epochs once `finished` was called."""
        self.finished()
        if self._predictor is None:
            self._predictor = builders.keras_predictor(self._plain)
        return self._predictor

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
