"""Networks of the family `network` by kind, built by Keras. A new architecture is a row here."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import six_block
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.runtime import PredictFn

BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "six_block": six_block.build,
    "article": six_block.build_article,
}


def build(
    config: Config,
    mean_score: float = 3.0,
    dtype: str = "float32",
    seed: int | None = None,
    learning: bool = False,
) -> keras.Model:
    """The Keras network of a recipe; see `six_block.build`. ConfigError for an unknown kind."""
    kind = config.network.kind
    if kind not in BUILDERS:
        raise ConfigError(f"There is no network {kind}; there are {', '.join(BUILDERS)}.")
    return BUILDERS[kind](config, mean_score, dtype, seed, learning)


def load(card: Card) -> keras.Model:
    """The Keras network of a card, in float32. Raises WeightsError."""
    assert isinstance(card.config, Config)
    model = build(card.config)
    try:
        model.load_weights(card.artifact("keras"))
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(f"The weights of {card.name} do not fit its network ({error}).") from error
    return model


def keras_predictor(model: keras.Model) -> PredictFn:
    """A Keras network as `runtime.PredictFn`, in a graph that takes any number of crops."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    call = tf.function(lambda crops: model(crops, training=False), input_signature=signature, autograph=False)
    return lambda crops: np.asarray(call(crops)).reshape(-1)


def relu_layers(model: keras.Model) -> dict[str, str]:
    """Each convolution and the layer that holds its maps after ReLU: `block2_conv1` -> `block2_relu1`."""
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return {name: name.replace("_conv", "_relu") for name in names}
