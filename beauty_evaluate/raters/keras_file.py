"""A network in a file of Keras, with layers of KerasHub where it has such."""

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters.backbone_loaders import keras_hub
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.runtime import PredictFn


def predictor(path: Path) -> PredictFn:
    """The network in a `.keras` file. Raises WeightsError."""
    with contextlib.suppress(ConfigError):
        keras_hub()  # so that its layers are known
    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read as a network of Keras ({error}). Restore it.") from error
    return model_predictor(model)


def model_predictor(model: keras.Model) -> PredictFn:
    """A Keras network as a function of crops, in a graph that takes any number of them.

    Example:
        >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()])
        >>> model_predictor(model)(np.zeros((2, 8, 8, 3), np.float32)).shape
        (2, 3)
    """
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    call = tf.function(lambda crops: model(crops, training=False), input_signature=signature, autograph=False)

    def predict(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(call(crops), np.float32)

    return predict
