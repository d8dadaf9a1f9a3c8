"""The network this project is named after, and the article's, both built with the functional API."""

from typing import Any

from beauty_evaluate.config import Config
from beauty_evaluate.raters.backend import keras, tf

layers: Any = keras.layers

SMALL = 8  # side of the maps up to which SmallMapConv is the faster


class BatchNorm(keras.layers.BatchNormalization):
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


class SmallMapConv(keras.layers.Conv2D):
    """Keras' 3x3 convolution whose kernel learns by nine matrix products, not by the library's routine.

    The same numbers to rounding; on maps of 8x8 and less, the routine takes two to five times as long on a CPU.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone, without bias."""
        return _small_map_conv(inputs, tf.convert_to_tensor(kernel))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _small_map_conv(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        to_inputs = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(inputs), strides=1, padding="SAME")
        height, width = inputs.shape[1:3]
        padded = tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]])
        flat = tf.reshape(upstream, (-1, kernel.shape[3]))
        shifts = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        products = [tf.matmul(tf.reshape(s, (-1, kernel.shape[2])), flat, transpose_a=True) for s in shifts]
        return to_inputs, tf.reshape(tf.stack(products), kernel.shape)

    return tf.nn.conv2d(inputs, kernel, 1, "SAME"), gradient


def build(
    config: Config,
    mean_score: float = 3.0,
    dtype: str = "float32",
    seed: int | None = None,
    learning: bool = False,
) -> keras.Model:
    """Six convolution/max-pool blocks, two fully connected layers, linear output.

    A block is (3x3 convolution + ReLU) x n, max-pool, BatchNorm: normalising after the pool costs a quarter. With
    `residual`, the second and third convolution of a block are added to their input.

    Args:
        config: the recipe.
        mean_score: rating points, where the bias of the output starts.
        dtype: the policy of all layers but the last.
        seed: of initial weights and dropout.
        learning: the same function of the same weights, built so that a CPU trains it faster: the last ReLU of a
            block, which does not mind, comes after the pool, on a quarter of the pixels.

    Returns:
        From float32 (N, size, size, C) of 0..255 to float32 (N, 1) in rating points.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> [layer.name for layer in build(preset("synthetic")).layers[-3:]]
        ['fc1', 'fc2', 'score']
    """
    net = config.network
    seeds = _seeds(seed)
    inputs = keras.Input((config.crop.size, config.crop.size, 1 if config.crop.grey else 3), name="crop")
    x = layers.Rescaling(1 / 127.5, offset=-1, dtype=dtype, name="scale")(inputs)
    for b, (channels, count) in enumerate(zip(net.channels, net.convolutions, strict=True), 1):
        for c in range(1, count + 1):
            name = f"block{b}_conv{c}"
            stride = net.first_stride if b == c == 1 else 1
            small = learning and stride == 1 and x.shape[1] <= SMALL
            conv = SmallMapConv if small else layers.Conv2D
            y = conv(channels, 3, stride, "same", kernel_initializer=_he(seeds), dtype=dtype, name=name)(x)
            if net.residual and c > 1:
                y = layers.Add(dtype=dtype, name=f"block{b}_add{c}")([x, y])
            relu = layers.ReLU(dtype=dtype, name=f"block{b}_relu{c}")
            x = y if learning and c == count else relu(y)
        x = layers.MaxPooling2D(2, dtype=dtype, name=f"block{b}_pool")(x)
        x = relu(x) if learning else x
        x = BatchNorm(dtype=dtype, name=f"block{b}_norm")(x)
    x = layers.Flatten(dtype=dtype, name="flatten")(x)
    x = layers.Dropout(net.dropout, seed=seeds(), dtype=dtype, name="drop")(x)
    for f, width in enumerate(net.hidden, 1):
        x = layers.Dense(width, activation="relu", kernel_initializer=_he(seeds), dtype=dtype, name=f"fc{f}")(x)
    start = keras.initializers.Constant(mean_score)
    glorot = keras.initializers.GlorotUniform(seeds())
    score = layers.Dense(1, kernel_initializer=glorot, bias_initializer=start, dtype="float32", name="score")(x)
    return keras.Model(inputs, score, name=config.preset)


def build_article(
    config: Config,
    mean_score: float = 3.0,
    dtype: str = "float32",
    seed: int | None = None,
    learning: bool = False,
) -> keras.Model:
    """The article's network as its author published it: grey whole pictures of 0..255, one convolution a block,
    five pools, one ReLU output. `mean_score` and `learning` are not used: its output starts where the author's did.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> build_article(preset("article")).input_shape
        (None, 160, 160, 1)
    """
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
