"""What moved a score, pixel by pixel, from the gradients of a network."""

import cv2
import numpy as np

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.baselines import Floats
from beauty_evaluate.explain.pixel_map import PixelMap
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.builders import relu_layers
from beauty_evaluate.raters.network import network_of
from beauty_evaluate.raters.rater import Rater

HIRES_CAM, INTEGRATED = "HiResCAM", "integrated gradients"
NEEDS_NETWORK = "HiResCAM, integrated gradients, filters and feature maps"
STEPS = 64  # points on the way from the baseline to the crop
STEPS_PER_PASS = 16  # with their mirror images and all maps kept for the gradient, half a GB


def hires_cam(rater: Rater, face: Face, layer: str) -> PixelMap:
    """HiResCAM (Draelos and Carin, arXiv 2011.08891): gradient x activation, summed over the channels of a layer.

    Signs are kept. An activation is counted from 0, so the reference is the score with the whole layer at 0. Where all
    that follows is linear the completeness error is 0; else it is what ReLUs and pools make of the way there, and it
    may be large.

    Args:
        rater: a network.
        face: with the crop that the network sees.
        layer: a convolution, read after its ReLU; its map is brought to the crop's size by bilinear interpolation that
            keeps its sum.

    Raises:
        ConfigError: no network, or no such layer.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> hires_cam(registry.load("six_block_60-40"), face, "block4_conv2").values.shape
        (256, 256)
    """
    network = network_of(rater, NEEDS_NETWORK)
    model, crop = network.keras_model(), face.crop(network.crop_config)
    relu = relu_of(model, layer)
    maps = keras.Model(model.input, relu.output)(network.views(crop), training=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(maps)
        scores = scores_from(model, relu, maps)
    gradients = tape.gradient(scores, maps, unconnected_gradients="zero")
    cells = np.asarray(tf.reduce_sum(gradients * maps, 3))
    values = np.stack([_enlarge(view, len(crop)) for view in cells])
    values[1:] = values[1:, :, ::-1].copy()  # the map of the mirror image, turned back
    score = float(np.asarray(scores, np.float64).mean())
    reference = float(scores_from(model, relu, tf.zeros_like(maps[:1]))[0, 0])
    return PixelMap(f"{HIRES_CAM} of {layer}", values.mean(0), score, reference)


def integrated_gradients(rater: Rater, face: Face, baseline: Floats, steps: int = STEPS) -> PixelMap:
    """Integrated gradients (Sundararajan et al., ICML 2017) from a baseline picture to the crop, by the midpoint rule.

    The completeness error is the error of the sum over `steps` points, and goes to 0 with more of them.

    Args:
        rater: a network.
        face: with the crop that the network sees.
        baseline: float32 of the crop's shape, 0..255; its score is the reference.
        steps: points on the way.

    Raises:
        ConfigError: no network.
        ValueError: a baseline of another shape, or no steps.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> grey = np.full((256, 256, 3), 128, np.float32)
        >>> integrated_gradients(registry.load("six_block_60-40"), face, grey, steps=2).values.shape
        (256, 256)
    """
    network = network_of(rater, NEEDS_NETWORK)
    model, crop = network.keras_model(), face.crop(network.crop_config)
    if baseline.shape != crop.shape or steps < 1:
        raise ValueError(
            f"Expected a baseline of shape {crop.shape} and a step or more. Received: {baseline.shape}, {steps} steps."
        )
    change = crop - baseline
    shares = ((np.arange(steps) + 0.5) / steps).astype(np.float32)[:, None, None, None]
    total = np.zeros(crop.shape)
    for start in range(0, steps, STEPS_PER_PASS):
        pictures = baseline + shares[start : start + STEPS_PER_PASS] * change
        views = np.stack([network.views(picture) for picture in pictures])
        total += _input_gradients(model, views).sum(0)
    values = (total / steps * change).sum(2).astype(np.float32)
    ends = np.concatenate([network.views(crop), network.views(baseline)])
    score, reference = np.asarray(model(ends, training=False), np.float64).reshape(2, -1).mean(1)
    return PixelMap(INTEGRATED, values, float(score), float(reference))


def relu_of(model: keras.Model, layer: str) -> keras.layers.Layer:
    """The layer that holds a convolution's maps after ReLU. ConfigError for a layer that is not there."""
    names = relu_layers(model)
    if layer not in names:
        raise ConfigError(f"There is no convolution {layer}. Choose one of {', '.join(names)}.")
    return model.get_layer(names[layer])


def scores_from(model: keras.Model, layer: keras.layers.Layer, maps: tf.Tensor) -> tf.Tensor:
    """The network's scores (N, 1) when `layer`, the one way through the network, gives `maps`.

    Layer by layer: a second keras.Model from the middle of the network would leave its traces in the layers.
    """
    outputs = {id(layer.output): maps}
    for later in model.layers[model.layers.index(layer) + 1 :]:
        sources = later.input
        inputs = [outputs[id(source)] for source in sources] if isinstance(sources, list) else outputs[id(sources)]
        outputs[id(later.output)] = later(inputs, training=False)
    return outputs[id(model.output)]


def _input_gradients(model: keras.Model, views: Floats) -> Floats:
    """What one more of 255 at each value of each picture adds to its rating, float32 (N, size, size, C).

    views: float32 (N, V, size, size, C), the second of each the mirror image of the first.
    """
    inputs = tf.constant(views.reshape(-1, *views.shape[2:]))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        scores = model(inputs, training=False)
    gradients = np.array(tape.gradient(scores, inputs, unconnected_gradients="zero")).reshape(views.shape)
    gradients[:, 1:] = gradients[:, 1:, :, ::-1].copy()
    return np.asarray(gradients.mean(1))


def _enlarge(cells: Floats, size: int) -> Floats:
    """Cells (h, w) shared out, each with its whole value, over the pixels (size, size) by bilinear interpolation."""
    height, width = cells.shape
    down, across = (cv2.resize(np.eye(n, dtype=np.float32), (n, size)) for n in (height, width))
    return np.asarray(down / down.sum(0) @ cells @ (across / across.sum(0)).T)
