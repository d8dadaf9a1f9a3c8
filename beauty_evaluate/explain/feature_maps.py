"""What the layers answer: feature maps of one crop, and what each filter does over many."""

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.images import Picture
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import relu_layers
from beauty_evaluate.raters.runtime import BATCH

Floats = NDArray[np.float32]


def feature_maps(model: keras.Model, crop: Picture) -> dict[str, Floats]:
    """The maps of every convolution after ReLU: float32 (H, W, C) by layer. crop: uint8 (size, size, channels)."""
    names = relu_layers(model)
    probe = keras.Model(model.input, [model.get_layer(relu).output for relu in names.values()])
    maps = probe(crop[None].astype(np.float32), training=False)
    return {layer: values.numpy()[0] for layer, values in zip(names, maps, strict=True)}


def receptive_field(model: keras.Model, layer: str) -> int:
    """How many pixels of the crop, a side, one value of a layer's map can see (Araujo et al., Distill 2019)."""
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


def filter_statistics(model: keras.Model, crops: Picture) -> dict[str, NDArray[np.float32]]:
    """For each convolution, over `crops` and after ReLU: `mean/LAYER` float32 (C,), the mean activation, and
    `active/LAYER` float32 (C,), the share of crops in which the filter answers anywhere."""
    names = relu_layers(model)
    probe = keras.Model(model.input, [model.get_layer(relu).output for relu in names.values()])
    sums: dict[str, NDArray[np.float64]] = {}
    for start in range(0, len(crops), BATCH):
        maps = probe(crops[start : start + BATCH].astype(np.float32), training=False)
        for layer, values in zip(names, maps, strict=True):
            array = values.numpy()
            sums[f"mean/{layer}"] = sums.get(f"mean/{layer}", 0) + array.mean((1, 2)).sum(0)
            sums[f"active/{layer}"] = sums.get(f"active/{layer}", 0) + (array.max((1, 2)) > 0).sum(0)
    return {key: (total / len(crops)).astype(np.float32) for key, total in sums.items()}
