"""What single filters do: to the score, where on the face they answer, and what excites them. Arrays, no pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.gradients import relu_of, scores_from
from beauty_evaluate.explain.region_shapley import inpaint_baseline, one_by_one
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.backend import keras

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

VALUES = 8_000_000  # of maps that go through the upper layers at once: 32 MB
RATE = 1.0  # of the spectrum, a step: a tenth leaves grey pictures after as many steps
JITTER = 1 / 16  # of the picture's side
COLOURS = np.array([[0.27, 0.27, 0.27], [0.08, 0.0, -0.08], [0.03, -0.06, 0.03]], np.float32)
"""What moves red, green and blue: lightness most, then warm against cold, then green against purple, as in photos."""


@dataclass(frozen=True)
class Answers:
    """How the C filters of a layer answer N crops, after ReLU.

    peaks: float32 (N, C), the highest value of each map. places: float32 (N, C, 2), where it is: row and column as
    shares of the crop's side. means: float32 (N, C), of each map. losses: float32 (N, C, R), what each of R regions
    takes from the mean when it is replaced by the mean colour around it. cell: side of a map's value, as a share of the
    crop's.
    """

    peaks: Floats
    places: Floats
    means: Floats
    losses: Floats
    cell: float

    def active(self) -> Doubles:
        """The share of the crops in which each filter answers anywhere, float64 (C,)."""
        return np.asarray((self.peaks > 0).mean(0))

    def exemplars(self, count: int = 9) -> NDArray[np.int64]:
        """The crops that excite each filter most, int (C, count), the strongest first; all if there are fewer.

        By the highest value of the map, not its mean: it is what max-pooling passes on, it has a place that can be
        shown, and a mean prefers crops with much of a weak pattern.
        """
        return np.asarray(np.argsort(-self.peaks, axis=0, kind="stable")[:count].T)

    def needs(self) -> Doubles:
        """The share of each filter's answers over the crops that goes with each region, float64 (C, R); below 0 where
        it answers more without. 0 for a silent filter.

        Not where its map is bright: a value of the last blocks sees the whole face, and its cell is larger than an eye.
        """
        whole = self.means.sum(0, dtype=np.float64)[:, None]
        return np.asarray(self.losses.sum(0, dtype=np.float64) / np.where(whole > 0, whole, np.inf))


def answers(model: keras.Model, crops: Picture, layer: str, masks: Sequence[NDArray[np.bool_]]) -> Answers:
    """The answers of a layer's filters. crops: uint8 (N, size, size, C), N > 0. masks: of each crop, bool (R, size,
    size) that tile it. ConfigError for a layer that is not there."""
    probe = keras.Model(model.input, relu_of(model, layer).output)
    peaks, places, means = [], [], []
    for crop, own in zip(crops, masks, strict=True):
        fill = inpaint_baseline(crop, own[own.any((1, 2))])
        pictures = np.concatenate([crop[None].astype(np.float32), one_by_one(crop, own, fill)])
        maps = probe(pictures, training=False).numpy()
        height, width = maps.shape[1:3]
        means.append(maps.mean((1, 2)))
        flat = maps[0].reshape(height * width, -1)
        highest = flat.argmax(0)
        peaks.append(flat.max(0))
        places.append(np.stack([(highest // width + 0.5) / height, (highest % width + 0.5) / width], 1))
    found = np.stack(means)  # (N, 1 + R, C), the crop as it is first
    losses = (found[:, :1] - found[:, 1:]).transpose(0, 2, 1)
    return Answers(np.stack(peaks), np.stack(places).astype(np.float32), found[:, 0], losses, 1 / height)


def filter_effects(
    model: keras.Model, crops: Picture, layer: str, means: Floats, flip_tta: bool
) -> NDArray[np.float64]:
    """What each filter adds to each score: float64 (N, C), rating points, the score minus the score with the filter's
    map, after ReLU, replaced by the filter's mean over the data set.

    crops: uint8 (N, size, size, channels). means: float32 (C,), `filters/mean/LAYER` of the card's statistics.
    flip_tta: as `rate` scores. Only what comes after the layer is computed anew for each filter. A convolution
    that feeds an addition is replaced there too. ConfigError for a layer that is not there.
    """
    relu = relu_of(model, layer)
    below = keras.Model(model.input, relu.output)
    effects = []
    for crop in crops:
        pictures = np.stack([crop, crop[:, ::-1]] if flip_tta else [crop]).astype(np.float32)
        both = below(pictures, training=False).numpy()
        effects.append(np.mean([_without(model, relu, maps, means) for maps in both], 0))
    return np.stack(effects)


def _without(model: keras.Model, relu: keras.layers.Layer, maps: Floats, means: Floats) -> Doubles:
    """The score of one crop's maps (H, W, C) minus that without each filter, (C,)."""
    count, effects = maps.shape[2], []
    step = max(1, VALUES // maps.size - 1)
    for start in range(0, count, step):
        filters = np.arange(start, min(start + step, count))
        # the maps as they are come first in the same batch: what nothing reads then changes nothing at all
        changed = np.repeat(maps[None], 1 + len(filters), 0)
        changed[1 + np.arange(len(filters)), :, :, filters] = means[filters, None, None]
        scores = scores_from(model, relu, tf.constant(changed)).numpy()[:, 0].astype(np.float64)
        effects.append(scores[0] - scores[1:])
    return np.concatenate(effects)


def activation_maximization(
    model: keras.Model, layer: str, filters: Sequence[int], steps: int = 40, seed: int = 0
) -> Floats:
    """A picture for each filter that makes its mean answer large: float32 (F, size, size, channels) of 0..255.

    Climbed with Adam from the same faint noise, the same for a seed, as the spectrum of a picture whose frequencies f
    are scaled by 1/f and whose colours are mixed as photos mix them, shifted a little at every step (Olah et al.,
    Distill 2017; Mordvintsev et al., Distill 2018). The answer is taken before ReLU, which gives a silent filter no
    way up. The filters do not see each other's pictures. ConfigError for a layer or filter that is not there.
    """
    before = relu_of(model, layer).input
    size, channels = model.input_shape[1], model.input_shape[3]
    if not all(0 <= index < before.shape[-1] for index in filters):
        raise ConfigError(f"Expected filters of 0..{before.shape[-1] - 1}. Received: {list(filters)}.")
    probe = keras.Model(model.input, before)
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (2, channels, size, size // 2 + 1)).astype(np.float32)
    spectrum = tf.Variable(np.repeat(noise[None], len(filters), 0))
    climb = keras.optimizers.Adam(RATE)
    climb.build([spectrum])
    own = tf.stack([tf.range(len(filters)), tf.constant(filters, tf.int32)], 1)
    for shift in rng.integers(-round(JITTER * size), round(JITTER * size) + 1, (steps, 2)):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(spectrum)
            # the waves go round, so that a shift by rolling leaves no seam
            pictures = tf.roll(_pictures(spectrum, size), shift, (1, 2))
            excited = tf.gather_nd(tf.reduce_mean(probe(pictures, training=False), (1, 2)), own)
            loss = -tf.reduce_sum(excited)
        climb.apply([tape.gradient(loss, spectrum)], [spectrum])
    return np.asarray(_pictures(spectrum, size), np.float32)


def _pictures(spectrum: tf.Variable, size: int) -> tf.Tensor:
    """Spectra (F, 2, channels, size, size // 2 + 1) as pictures (F, size, size, channels) of 0..255."""
    frequencies = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    scale = (size / np.maximum(frequencies, 1 / size) / 50).astype(np.float32)
    waves = tf.signal.irfft2d(tf.complex(spectrum[:, 0], spectrum[:, 1]) * scale, [size, size])
    values = tf.transpose(waves, (0, 2, 3, 1))
    return 255 * tf.sigmoid(values @ COLOURS if values.shape[-1] == 3 else values)
