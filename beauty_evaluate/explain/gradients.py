"""What moved a score, pixel by pixel: two maps from gradients, and one that only needs scores to check them."""

from dataclasses import dataclass

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.region_shapley import EDGE
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.registry import relu_layers
from beauty_evaluate.raters.runtime import BATCH, PredictFn, predict

Floats = NDArray[np.float32]

HIRES_CAM, INTEGRATED, OCCLUSION = "HiResCAM", "integrated gradients", "occlusion"
STEPS = 64  # points on the way from the baseline to the crop
STEPS_BATCH = 16  # of them a pass: with their mirror images and all maps kept for the gradient, half a GB
PATCH, STRIDE = 32, 16  # pixels


@dataclass(frozen=True)
class PixelMap:
    """What each pixel added to one score: score = reference + values.sum() + gap.

    name: of the method. values: float32 (size, size), signed, rating points. score: what `rate` gives for the crop.
    reference: the score that the method starts from.
    """

    name: str
    values: Floats
    score: float
    reference: float

    @property
    def gap(self) -> float:
        """The rating points between reference and score that the map leaves out (below 0: counts twice)."""
        return self.score - self.reference - float(self.values.sum(dtype=np.float64))


def hires_cam(model: keras.Model, crop: Picture, layer: str, flip_tta: bool) -> PixelMap:
    """HiResCAM (Draelos and Carin, arXiv 2011.08891): gradient x activation, summed over the channels of a layer.

    crop: uint8 (size, size, C). layer: a convolution, read after its ReLU; its map is brought to the crop's size by
    bilinear interpolation that keeps its sum. Signs are kept. An activation is counted from 0, so the reference is the
    score with the whole layer at 0. Where all that follows is linear the gap is 0; else it is what ReLUs and pools
    make of the way there, and it may be large. ConfigError for a layer that is not there.
    """
    relu = relu_of(model, layer)
    pictures = np.stack([crop, crop[:, ::-1]] if flip_tta else [crop]).astype(np.float32)
    maps = keras.Model(model.input, relu.output)(pictures, training=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(maps)
        scores = scores_from(model, relu, maps)
    gradients = tape.gradient(scores, maps, unconnected_gradients="zero")
    cells = np.asarray(tf.reduce_sum(gradients * maps, 3))
    values = np.stack([_spread(c, len(crop)) for c in cells])
    values[1:] = values[1:, :, ::-1].copy()  # the map of the mirror image, turned back
    score = float(predict(_forward(model), [crop], flip_tta)[0])
    reference = float(scores_from(model, relu, tf.zeros_like(maps[:1]))[0, 0])
    return PixelMap(f"{HIRES_CAM} of {layer}", values.mean(0), score, reference)


def integrated_gradients(
    model: keras.Model, crop: Picture, baseline: Floats, flip_tta: bool, steps: int = STEPS
) -> PixelMap:
    """Integrated gradients (Sundararajan et al., ICML 2017) from a baseline picture to the crop, by the midpoint rule.

    crop: uint8 (size, size, C). baseline: float32 of that shape, 0..255; its score is the reference. The gap is the
    error of the sum over `steps` points, and goes to 0 with more of them. ValueError for another shape or no steps.
    """
    if baseline.shape != crop.shape or steps < 1:
        raise ValueError(
            f"Expected a baseline of shape {crop.shape} and a step or more. Received: {baseline.shape}, {steps} steps."
        )
    change = crop - baseline
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)[:, None, None, None]
    total = np.zeros(crop.shape)
    for start in range(0, steps, STEPS_BATCH):
        pictures = baseline + shares[start : start + STEPS_BATCH] * change
        total += _input_gradients(model, pictures, flip_tta).sum(0)
    values = (total / steps * change).sum(2).astype(np.float32)
    score, reference = predict(_forward(model), np.stack([crop, baseline]), flip_tta)
    return PixelMap(INTEGRATED, values, float(score), float(reference))


def occlusion(
    forward: PredictFn, crop: Picture, flip_tta: bool, *, fill: Floats, patch: int = PATCH, stride: int = STRIDE
) -> PixelMap:
    """What the score loses when a sliding patch of the crop is replaced (Zeiler and Fergus, ECCV 2014). No gradients.

    crop: uint8 (size, size, C). fill: float32 of that shape, 0..255, what a patch is replaced by, softly at its edge.
    patch, stride: pixels; patches reach over the border, so that each pixel lies in (patch / stride)**2 of them. A
    patch's loss is spread evenly over it and divided by that number: the map is in rating points, as sharp as the
    patch is small. The reference is the score of `fill`; the gap is 0 for a linear network, below 0 where places are
    only worth something together, above 0 where one place does for another. ValueError if patches do not fit together.
    """
    if fill.shape != crop.shape or not 0 < stride <= patch or patch % stride:
        raise ValueError(
            f"Expected a fill of shape {crop.shape} and a stride that divides the patch. "
            f"Received: {fill.shape}, patch {patch}, stride {stride}."
        )
    steps = _soft_steps(len(crop), patch, stride)
    score, reference = predict(forward, np.stack([crop, fill]), flip_tta)
    places = [(y, x) for y in steps for x in steps]
    values = np.zeros(crop.shape[:2])
    for start in range(0, len(places), BATCH):
        masks = np.stack([np.outer(y, x) for y, x in places[start : start + BATCH]])
        lost = score - predict(forward, crop + masks[..., None] * (fill - crop), flip_tta)
        values += np.tensordot(lost / masks.sum((1, 2)), masks, 1)
    values *= (stride / patch) ** 2
    return PixelMap(OCCLUSION, values.astype(np.float32), float(score), float(reference))


def _forward(model: keras.Model) -> PredictFn:
    return lambda crops: np.asarray(model(crops, training=False)).reshape(-1)


def relu_of(model: keras.Model, layer: str) -> keras.layers.Layer:
    """The layer that holds a convolution's maps after ReLU."""
    names = relu_layers(model)
    if layer not in names:
        raise ConfigError(f"Expected a convolution of {', '.join(names)}. Received: {layer}.")
    return model.get_layer(names[layer])


def scores_from(model: keras.Model, layer: keras.layers.Layer, maps: tf.Tensor) -> tf.Tensor:
    """The network's scores (N, 1) when `layer`, the one way through the network, answers `maps`.

    Layer by layer: a second keras.Model from the middle of the network would leave its traces in the layers.
    """
    answers = {id(layer.output): maps}
    for later in model.layers[model.layers.index(layer) + 1 :]:
        inputs = later.input
        found = [answers[id(i)] for i in inputs] if isinstance(inputs, list) else answers[id(inputs)]
        answers[id(later.output)] = later(found, training=False)
    return answers[id(model.output)]


def _input_gradients(model: keras.Model, pictures: Floats, flip_tta: bool) -> Floats:
    """What one more of 255 at each value of each picture (N, size, size, C) adds to its score."""
    inputs = tf.constant(pictures)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        seen = tf.concat([inputs, tf.reverse(inputs, [2])], 0) if flip_tta else inputs
        scores = model(seen, training=False)
    gradients = tape.gradient(scores, inputs, unconnected_gradients="zero")
    return np.asarray(gradients / 2 if flip_tta else gradients)


def _spread(cells: Floats, size: int) -> Floats:
    """Cells (h, w) shared out, each with its whole value, over the pixels (size, size) by bilinear interpolation."""
    height, width = cells.shape
    down, across = (cv2.resize(np.eye(n, dtype=np.float32), (n, size)) for n in (height, width))
    return np.asarray(down / down.sum(0) @ cells @ (across / across.sum(0)).T)


def _soft_steps(size: int, patch: int, stride: int) -> Floats:
    """Sliding steps (K, size) of width `patch`, 0..1 with soft edges; their sum is the same at each pixel."""
    starts = np.arange(stride - patch, size, stride)[:, None]
    pixels = np.arange(size)
    steps = ((pixels >= starts) & (pixels < starts + patch)).astype(np.float32)
    reach = max(1, round(EDGE * size))
    return np.asarray(cv2.blur(steps, (2 * reach + 1, 1), borderType=cv2.BORDER_REPLICATE))
