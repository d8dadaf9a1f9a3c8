"""A network of any shape in an artifact of its card: ONNX where it could be exported, else a file of Keras."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.faces.align import Crop
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.runtime import BATCH, PredictFn, onnxruntime_predictor

ONNX, KERAS = "onnx", "keras"


def predictor(card: Card, threads: int = 0) -> PredictFn:
    """The network of a card, for use from any number of threads.

    Args:
        card: with an artifact ONNX or KERAS.
        threads: of one call of ONNX Runtime; 0: all cores.

    Raises:
        WeightsError: its file is missing, changed or unreadable.
    """
    if ONNX in card.artifacts:
        return onnxruntime_predictor(card.artifact(ONNX), threads)
    from beauty_evaluate.raters import keras_file  # TensorFlow, which most do without

    return keras_file.predictor(card.artifact(KERAS))


def features_of(network: PredictFn, crops: Sequence[Crop], flip_tta: bool) -> NDArray[np.float32]:
    """What a network says of crops as they are and, if so, in the mirror.

    Args:
        network: from crops (N, size, size, C) to features (N, F).
        crops: N of them, N > 0.
        flip_tta: whether the mirror image is looked at too.

    Returns:
        float32 (N, 1 or 2, F).

    Example:
        >>> features_of(lambda crops: crops.mean((1, 2)), [np.ones((4, 4, 3))] * 3, True).shape
        (3, 2, 3)
    """
    parts = []
    for start in range(0, len(crops), BATCH):
        part = np.stack(crops[start : start + BATCH]).astype(np.float32)
        views = [part, part[:, :, ::-1]] if flip_tta else [part]
        parts.append(np.stack([network(np.ascontiguousarray(view)) for view in views], axis=1))
    return np.concatenate(parts).astype(np.float32)
