"""What filters and features of a network do over many crops: numbers that travel with its card."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.images import Picture
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import keras_predictor, relu_layers
from beauty_evaluate.raters.feature_space import FeatureSpace
from beauty_evaluate.raters.runtime import look

CROPS_PER_PASS = 4
N_PHOTOS = 1500  # of a data set, over which features are measured

Floats = NDArray[np.float32]


def filter_statistics(model: keras.Model, crops: Picture) -> dict[str, Floats]:
    """Means over crops of what each filter computes, after ReLU.

    Args:
        model: a network.
        crops: uint8 (N, size, size, C), N > 0.

    Returns:
        For each convolution `mean/LAYER` float32 (C,), the mean activation, and `active/LAYER` float32 (C,), the share
        of crops in which the filter is active anywhere.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import builders
        >>> model = builders.build(preset("synthetic"), seed=1)
        >>> filter_statistics(model, np.zeros((1, 64, 64, 3), np.uint8))["mean/block1_conv1"].shape
        (8,)
    """
    names = relu_layers(model)
    probe = keras.Model(model.input, [model.get_layer(relu).output for relu in names.values()])
    sums: dict[str, NDArray[np.float64]] = {}
    for start in range(0, len(crops), CROPS_PER_PASS):
        maps = probe(crops[start : start + CROPS_PER_PASS].astype(np.float32), training=False)
        for layer, values in zip(names, maps, strict=True):
            array = values.numpy()
            sums[f"mean/{layer}"] = sums.get(f"mean/{layer}", 0) + array.mean((1, 2)).sum(0)
            sums[f"active/{layer}"] = sums.get(f"active/{layer}", 0) + (array.max((1, 2)) > 0).sum(0)
    return {key: (total / len(crops)).astype(np.float32) for key, total in sums.items()}


def feature_statistics(model: keras.Model, crops: Picture, data_sets: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Where training photos lie among the features of a network, as `FeatureSpace.to_stats`.

    Args:
        model: a network.
        crops: uint8 (N, size, size, C), N > 0; they are looked at as they are and in the mirror.
        data_sets: (N,) the title of each crop's data set; N_PHOTOS of each are looked at, at most.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import builders
        >>> crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
        >>> model = builders.build(preset("synthetic"), seed=1)
        >>> feature_statistics(model, crops, ("a", "a", "b", "b"))["features/means"].shape
        (2, 32)
    """
    predictor, features = keras_predictor(model), []
    for title in dict.fromkeys(data_sets):
        members = np.flatnonzero(np.array(data_sets) == title)
        chosen = members[:: max(1, round(len(members) / N_PHOTOS))]
        features.append(look(predictor, crops[chosen], flip_tta=True).features)
    return FeatureSpace.fit(features).to_stats()
