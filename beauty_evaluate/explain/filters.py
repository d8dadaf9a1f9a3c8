"""The weights of convolutions as pictures, and which filters are dead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import relu_layers

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FilterUse:
    """How a filter behaves over a set of faces.

    Attributes:
        layer: its convolution.
        filter: its number there, from 0.
        mean: its mean activation.
        active: share of the faces in which it is active anywhere.

    Example:
        >>> FilterUse("block1_conv1", 3, 0.0, 0.0).dead
        True
    """

    layer: str
    filter: int
    mean: float
    active: float

    @property
    def dead(self) -> bool:
        """Whether it is never active."""
        return self.active == 0


def kernels(model: keras.Model, layer: str) -> Floats:
    """The weights of a convolution.

    Args:
        model: a network.
        layer: the convolution.

    Returns:
        float32 (height, width, inputs, filters).

    Raises:
        ConfigError: no such layer.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import builders
        >>> kernels(builders.build(preset("synthetic"), seed=1), "block1_conv1").shape
        (3, 3, 3, 8)
    """
    names = list(relu_layers(model))
    if layer not in names:
        raise ConfigError(f"There is no convolution {layer}. Choose one of {', '.join(names)}.")
    return np.asarray(model.get_layer(layer).kernel)


def kernel_pictures(weights: Floats) -> Floats:
    """Kernels to look at, each scaled by its own largest weight.

    A filter on RGB becomes a colour picture, 0..1, .5 where a weight is 0. A deeper one is summed over its inputs, and
    signed, -1..1: where it sums to nothing its inputs cancel out, it is not empty.

    Args:
        weights: float32 (height, width, inputs, filters).

    Returns:
        float32 (filters, height, width), or (filters, height, width, 3) for RGB.

    Example:
        >>> kernel_pictures(np.ones((3, 3, 8, 2), np.float32)).shape
        (2, 3, 3)
    """
    if weights.shape[2] == 3:
        pictures = np.transpose(weights, (3, 0, 1, 2))
        scale = np.abs(pictures).max((1, 2, 3), keepdims=True)
        return np.asarray(0.5 + 0.5 * pictures / np.maximum(scale, 1e-12), np.float32)
    pictures = np.transpose(weights.sum(2), (2, 0, 1))
    scale = np.abs(pictures).max((1, 2), keepdims=True)
    return np.asarray(pictures / np.maximum(scale, 1e-12), np.float32)


def filter_use(stats: dict[str, NDArray[np.float32]]) -> list[FilterUse]:
    """Every filter of the network over the faces that its statistics were taken from.

    Args:
        stats: of `Card.stats()`.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> len(filter_use(registry.load_card("six_block_60-40").stats()))
        1760
    """
    return [
        FilterUse(layer, i, float(mean), float(active))
        for key in stats
        if key.startswith("filters/mean/")
        for layer in [key.removeprefix("filters/mean/")]
        for i, (mean, active) in enumerate(zip(stats[key], stats[f"filters/active/{layer}"], strict=True))
    ]
