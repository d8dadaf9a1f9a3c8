"""The network this project is named after, and the article's, both built with the functional API."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from beauty_evaluate.config import Config


class BatchNorm(layers.BatchNormalization):
    """Keras' layer with TensorFlow's fused operation in training: the same numbers, four times faster on a CPU."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """As Keras' layer; inputs of another rank than 4 go its way."""
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        none = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=self.gamma.value, offset=self.beta.value, mean=none, variance=none, epsilon=self.epsilon
        )
        n = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (n - 1) / n  # the operation gives the unbiased one, Keras averages the other
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving.value + (1 - self.momentum) * new)
        return outputs


def build(config: Config, mean_score: float = 3.0, dtype: str = "float32", seed: int | None = None) -> keras.Model:
    """Six convolution/max-pool blocks, two fully connected layers, linear output.

    Input: float32 (N, size, size, 3) of 0..255. Output: float32 (N, 1) in rating points; its bias starts at
    `mean_score`. A block is (3x3 convolution + ReLU) x n, max-pool, BatchNorm: normalising after the pool costs a
    quarter. With `residual`, the second and third convolution of a block are added to their input.
    dtype: the policy of all layers but the last; seed: of initial weights and dropout.
    """
    net = config.network
    seeds = _seeds(seed)
    inputs = keras.Input((config.crop.size, config.crop.size, 1 if config.crop.grey else 3), name="crop")
    x = layers.Rescaling(1 / 127.5, offset=-1, dtype=dtype, name="scale")(inputs)
    for b, (channels, count) in enumerate(zip(net.channels, net.convolutions, strict=True), 1):
        for c in range(1, count + 1):
            name = f"block{b}_conv{c}"
            kernel, stride = (net.first_kernel, net.first_stride) if b == c == 1 else (3, 1)
            y = layers.Conv2D(channels, kernel, stride, "same", kernel_initializer=_he(seeds), dtype=dtype, name=name)(
                x
            )
            if net.residual and c > 1:
                y = layers.Add(dtype=dtype, name=f"block{b}_add{c}")([x, y])
            x = layers.ReLU(dtype=dtype, name=f"block{b}_relu{c}")(y)
        x = layers.MaxPooling2D(2, dtype=dtype, name=f"block{b}_pool")(x)
        x = BatchNorm(dtype=dtype, name=f"block{b}_norm")(x)
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    for f, width in enumerate(net.hidden, 1):
        if f <= net.dropouts:
            x = layers.Dropout(net.dropout, seed=seeds(), dtype=dtype, name=f"drop{f}")(x)
        x = layers.Dense(width, activation="relu", kernel_initializer=_he(seeds), dtype=dtype, name=f"fc{f}")(x)
    start = keras.initializers.Constant(mean_score)
    glorot = keras.initializers.GlorotUniform(seeds())
    score = layers.Dense(1, kernel_initializer=glorot, bias_initializer=start, dtype="float32", name="score")(x)
    return keras.Model(inputs, score, name=config.preset)


def build_article(
    config: Config, mean_score: float = 3.0, dtype: str = "float32", seed: int | None = None
) -> keras.Model:
    """The article's network as its author published it: grey whole pictures of 0..255, one convolution a block,
    five pools, one ReLU output. `mean_score` is not used: its output starts where the author's did."""
    net = config.network
    seeds = _seeds(seed)
    kernels, drops = (3, 3, 5, 5, 3, 5), (0.25, 0.5, 0.5, 0.25, 0.25, 0.0)

    def init() -> keras.Initializer:
        return keras.initializers.GlorotUniform(seeds())

    def norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return BatchNorm(dtype=dtype, name=name)(x)

    inputs = keras.Input((config.crop.size, config.crop.size, 1 if config.crop.grey else 3), name="crop")
    x = inputs
    for b, (channels, kernel, drop) in enumerate(zip(net.channels, kernels, drops, strict=True), 1):
        x = layers.Conv2D(
            channels, kernel, padding="same", kernel_initializer=init(), dtype=dtype, name=f"block{b}_conv1"
        )(x)
        x = layers.ReLU(dtype=dtype, name=f"block{b}_relu1")(x)
        if b == 5:
            x = norm(x, "block5_norm0")
        if b < 6:
            x = layers.MaxPooling2D(2, dtype=dtype, name=f"block{b}_pool")(x)
        x = norm(x, f"block{b}_norm")
        if drop:
            x = layers.Dropout(drop, seed=seeds(), dtype=dtype, name=f"block{b}_drop")(x)
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    for f, width in enumerate(net.hidden, 1):
        x = layers.Dense(width, kernel_initializer=init(), dtype=dtype, name=f"fc{f}")(x)
        x = norm(x, f"fc{f}_norm")
        x = layers.ReLU(dtype=dtype, name=f"fc{f}_relu")(x)
        x = layers.Dropout(net.dropout, seed=seeds(), dtype=dtype, name=f"drop{f}")(x)
    score = layers.Dense(1, activation="relu", kernel_initializer=init(), dtype="float32", name="score")(x)
    return keras.Model(inputs, score, name=config.preset)


class _seeds:
    """Calls give one integer seed after another, or None throughout."""

    def __init__(self, seed: int | None) -> None:
        self.next = None if seed is None else seed * 1000

    def __call__(self) -> int | None:
        if self.next is not None:
            self.next += 1
        return self.next


def _he(seeds: _seeds) -> keras.Initializer:
    return keras.initializers.HeNormal(seeds())
