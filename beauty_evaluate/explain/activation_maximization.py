"""Pictures made to activate one filter each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.gradients import relu_of
from beauty_evaluate.raters.backend import keras, tf

Floats = NDArray[np.float32]

LEARNING_RATE = 1.0  # of the spectrum: a tenth leaves grey pictures after as many steps
JITTER_SHARE = 1 / 16  # of the picture's side
COLOURS = np.array([[0.27, 0.27, 0.27], [0.08, 0.0, -0.08], [0.03, -0.06, 0.03]], np.float32)
"""What moves red, green and blue: lightness most, then warm against cold, then green against purple, as in photos."""


def activation_maximization(
    model: keras.Model, layer: str, filters: Sequence[int], steps: int = 40, seed: int = 0
) -> Floats:
    """A picture for each filter that makes its mean activation large.

    Climbed with Adam from the same faint noise, the same for a seed, as the spectrum of a picture whose frequencies f
    are scaled by 1/f and whose colours are mixed as photos mix them, shifted a little at every step (Olah et al.,
    Distill 2017; Mordvintsev et al., Distill 2018). The activation is taken before ReLU, which gives a dead filter no
    way up. The filters do not see each other's pictures.

    Args:
        model: a network.
        layer: a convolution.
        filters: their numbers, from 0.
        steps: of Adam.
        seed: of the noise.

    Returns:
        float32 (F, size, size, channels) of 0..255.

    Raises:
        ConfigError: no such layer or filter.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import builders
        >>> activation_maximization(builders.build(preset("synthetic"), seed=1), "block1_conv1", [0], steps=1).shape
        (1, 64, 64, 3)
    """
    before = relu_of(model, layer).input
    size, channels = model.input_shape[1], model.input_shape[3]
    if not all(0 <= index < before.shape[-1] for index in filters):
        raise ConfigError(f"{layer} has the filters 0..{before.shape[-1] - 1}, not all of {list(filters)}.")
    probe = keras.Model(model.input, before)
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (2, channels, size, size // 2 + 1)).astype(np.float32)
    spectrum = tf.Variable(np.repeat(noise[None], len(filters), 0))
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([spectrum])
    diagonal = tf.stack([tf.range(len(filters)), tf.constant(filters, tf.int32)], 1)
    reach = round(JITTER_SHARE * size)
    for shift in rng.integers(-reach, reach + 1, (steps, 2)):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(spectrum)
            # the waves go round, so that a shift by rolling leaves no seam
            pictures = tf.roll(_pictures(spectrum, size), shift, (1, 2))
            means = tf.gather_nd(tf.reduce_mean(probe(pictures, training=False), (1, 2)), diagonal)
            loss = -tf.reduce_sum(means)
        optimizer.apply([tape.gradient(loss, spectrum)], [spectrum])
    return np.asarray(_pictures(spectrum, size), np.float32)


def _pictures(spectrum: tf.Variable, size: int) -> tf.Tensor:
    """Spectra (F, 2, channels, size, size // 2 + 1) as pictures (F, size, size, channels) of 0..255."""
    frequencies = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    scale = (size / np.maximum(frequencies, 1 / size) / 50).astype(np.float32)
    waves = tf.signal.irfft2d(tf.complex(spectrum[:, 0], spectrum[:, 1]) * scale, [size, size])
    values = tf.transpose(waves, (0, 2, 3, 1))
    return 255 * tf.sigmoid(values @ COLOURS if values.shape[-1] == 3 else values)
