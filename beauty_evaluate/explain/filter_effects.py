"""What single filters do: to the score, where on the face they are active, and what activates them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.baselines import inpaint_baseline, mask_each
from beauty_evaluate.explain.gradients import NEEDS_NETWORK, relu_of, scores_from
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.network import network_of
from beauty_evaluate.raters.rater import Rater

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MAX_VALUES_PER_PASS = 8_000_000  # of maps that go through the upper layers at once: 32 MB


@dataclass(frozen=True)
class Activations:
    """How active the C filters of a layer are on N faces, after ReLU.

    Attributes:
        peaks: float32 (N, C), the highest value of each map.
        places: float32 (N, C, 2), where it is: row and column as shares of the crop's side.
        means: float32 (N, C), of each map.
        losses: float32 (N, C, R), what each of R regions takes from the mean when it is replaced by the mean colour
            around it.
        cell: side of a map's value, as a share of the crop's.
    """

    peaks: Floats
    places: Floats
    means: Floats
    losses: Floats
    cell: float

    def active(self) -> Doubles:
        """The share of the faces in which each filter is active anywhere, float64 (C,)."""
        return np.asarray((self.peaks > 0).mean(0))

    def exemplars(self, count: int = 9) -> NDArray[np.int64]:
        """The faces that activate each filter most.

        By the highest value of the map, not its mean: it is what max-pooling passes on, it has a place that can be
        shown, and a mean prefers faces with much of a weak pattern.

        Args:
            count: how many, or all if there are fewer.

        Returns:
            int (C, count), the strongest first.
        """
        return np.asarray(np.argsort(-self.peaks, axis=0, kind="stable")[:count].T)

    def region_dependence(self) -> Doubles:
        """The share of each filter's activation over the faces that is lost with each region.

        Not where its map is bright: a value of the last blocks sees the whole face, and its cell is larger than an eye.

        Returns:
            float64 (C, R); below 0 where a filter is more active without the region, 0 for a dead filter.
        """
        whole = self.means.sum(0, dtype=np.float64)[:, None]
        return np.asarray(self.losses.sum(0, dtype=np.float64) / np.where(whole > 0, whole, np.inf))


def activations(rater: Rater, faces: Sequence[Face], layer: str, masks: Sequence[Masks]) -> Activations:
    """How active a layer's filters are on faces, and what of it each region accounts for.

    Args:
        rater: a network.
        faces: N > 0, with the crops that the network sees.
        layer: a convolution.
        masks: of each face, bool (R, size, size) that tile its crop.

    Raises:
        ConfigError: no network, or no such layer.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> faces = find_faces(images.read("examples/eileen_collins.png"))
        >>> rater = registry.load("six_block_60-40")
        >>> activations(rater, faces, "block6_conv2", [np.ones((1, 256, 256), bool)]).peaks.shape
        (1, 384)
    """
    network = network_of(rater, NEEDS_NETWORK)
    model = network.keras_model()
    probe = keras.Model(model.input, relu_of(model, layer).output)
    peaks, places, means = [], [], []
    for face, regions in zip(faces, masks, strict=True):
        crop = face.crop(network.crop_config)
        fill = inpaint_baseline(crop, regions[regions.any((1, 2))])
        pictures = np.concatenate([crop[None].astype(np.float32), mask_each(crop, regions, fill)])
        maps = probe(pictures, training=False).numpy()
        height, width = maps.shape[1:3]
        means.append(maps.mean((1, 2)))
        flat = maps[0].reshape(height * width, -1)
        highest = flat.argmax(0)
        peaks.append(flat.max(0))
        places.append(np.stack([(highest // width + 0.5) / height, (highest % width + 0.5) / width], 1))
    by_picture = np.stack(means)  # (N, 1 + R, C), the crop as it is first
    losses = (by_picture[:, :1] - by_picture[:, 1:]).transpose(0, 2, 1)
    return Activations(np.stack(peaks), np.stack(places).astype(np.float32), by_picture[:, 0], losses, 1 / height)


def filter_effects(rater: Rater, faces: Sequence[Face], layer: str, means: Floats) -> Doubles:
    """What each filter adds to each score: the score minus that with the filter's map at its mean over a data set.

    Only what comes after the layer is computed anew for each filter. A convolution that feeds an addition is replaced
    there too.

    Args:
        rater: a network.
        faces: N > 0, with the crops that the network sees.
        layer: a convolution, whose maps count after ReLU.
        means: float32 (C,), `filters/mean/LAYER` of the card's statistics.

    Returns:
        float64 (N, C), rating points.

    Raises:
        ConfigError: no network, or no such layer.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> rater, key = registry.load("six_block_60-40"), "filters/mean/block6_conv2"
        >>> faces = find_faces(images.read("examples/eileen_collins.png"))
        >>> filter_effects(rater, faces, "block6_conv2", rater.card.stats(key)[key]).shape
        (1, 384)
    """
    network = network_of(rater, NEEDS_NETWORK)
    model = network.keras_model()
    relu = relu_of(model, layer)
    below = keras.Model(model.input, relu.output)
    effects = []
    for face in faces:
        views = below(network.views(face.crop(network.crop_config)), training=False).numpy()
        effects.append(np.mean([_without(model, relu, maps, means) for maps in views], 0))
    return np.stack(effects)


def _without(model: keras.Model, relu: keras.layers.Layer, maps: Floats, means: Floats) -> Doubles:
    """The score of one crop's maps (H, W, C) minus that without each filter, (C,)."""
    count, effects = maps.shape[2], []
    step = max(1, MAX_VALUES_PER_PASS // maps.size - 1)
    for start in range(0, count, step):
        filters = np.arange(start, min(start + step, count))
        # the maps as they are come first in the same batch: what nothing reads then changes nothing at all
        changed = np.repeat(maps[None], 1 + len(filters), 0)
        changed[1 + np.arange(len(filters)), :, :, filters] = means[filters, None, None]
        scores = scores_from(model, relu, tf.constant(changed)).numpy()[:, 0].astype(np.float64)
        effects.append(scores[0] - scores[1:])
    return np.concatenate(effects)
