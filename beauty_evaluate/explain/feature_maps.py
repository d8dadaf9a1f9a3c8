"""What the layers of a network compute for one face."""

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.gradients import NEEDS_NETWORK
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import relu_layers
from beauty_evaluate.raters.network import network_of
from beauty_evaluate.raters.rater import Rater

Floats = NDArray[np.float32]


def feature_maps(rater: Rater, face: Face) -> dict[str, Floats]:
    """The maps of every convolution after ReLU.

    Args:
        rater: a network.
        face: with the crop that the network sees.

    Returns:
        float32 (H, W, C) by layer.

    Raises:
        ConfigError: no network.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> feature_maps(registry.load("six_block_60-40"), face)["block6_conv2"].shape
        (4, 4, 384)
    """
    network = network_of(rater, NEEDS_NETWORK)
    model, crop = network.keras_model(), face.crop(network.crop_config)
    names = relu_layers(model)
    probe = keras.Model(model.input, [model.get_layer(relu).output for relu in names.values()])
    maps = probe(crop[None].astype(np.float32), training=False)
    return {layer: values.numpy()[0] for layer, values in zip(names, maps, strict=True)}


def receptive_field(model: keras.Model, layer: str) -> int:
    """How many pixels of the crop, a side, one value of a layer's map can see (Araujo et al., Distill 2019).

    Args:
        model: of convolutions and pools in a row.
        layer: the name of one.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> receptive_field(registry.load("six_block_60-40").keras_model(), "block1_conv1")
        3
    """
    field, step = 1, 1
    for part in model.layers:
        if isinstance(part, keras.layers.Conv2D):
            field += (part.kernel_size[0] - 1) * step
            step *= part.strides[0]
        elif isinstance(part, keras.layers.MaxPooling2D):
            field += (part.pool_size[0] - 1) * step
            step *= part.strides[0]
        if part.name == layer:
            break
    return field
