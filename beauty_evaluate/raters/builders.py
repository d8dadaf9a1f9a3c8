"""Networks of the family `network` by kind, built by Keras. A new architecture is a row here."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import six_block
from beauty_evaluate.raters.backend import keras, tf
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
    """The Keras network of a recipe.

    Args:
        config: the recipe; `config.network.kind` names a row of BUILDERS.
        mean_score: rating points, where the output starts.
        dtype: policy of all layers but the last: `float32` or `mixed_bfloat16`.
        seed: of the first weights and of dropout; None: of no account.
        learning: whether it is built for a training; see `six_block.build`.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> build(preset("synthetic")).output_shape
        (None, 1)
    """
    kind = config.network.kind
    if kind not in BUILDERS:
        raise ConfigError(f"There is no network {kind}; there are {', '.join(BUILDERS)}.")
    return BUILDERS[kind](config, mean_score, dtype, seed, learning)


def load(card: Card) -> keras.Model:
    """The Keras network of a card, in float32.

    Raises:
        WeightsError: its file is missing, changed, or of another network.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> load(registry.load_card("six_block_60-40")).input_shape
        (None, 256, 256, 3)
    """
    assert isinstance(card.config, Config)
    model = build(card.config)
    try:
        model.load_weights(card.artifact("keras"))
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(f"The weights of {card.name} do not fit its network ({error}).") from error
    return model


def keras_predictor(model: keras.Model) -> PredictFn:
    """A Keras network as `runtime.PredictFn`, in a graph that takes any number of crops.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> keras_predictor(build(preset("synthetic")))(np.zeros((2, 64, 64, 3), np.float32)).shape
        (2, 33)
    """
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    # with no layer of its own, so that the network stays as it was found
    both = keras.Model(model.input, [model.output, model.get_layer("flatten").input])

    def scores_and_features(crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        scores, maps = both(crops, training=False)
        return scores, tf.reduce_mean(tf.cast(maps, tf.float32), axis=(1, 2))

    call = tf.function(scores_and_features, input_signature=signature, autograph=False)

    def predictor(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([np.asarray(output, np.float32) for output in call(crops)], axis=1)

    return predictor


def with_features(model: keras.Model) -> keras.Model:
    """The network with a second output: the maps of its last block, each averaged over the crop, float32 (N, F).

    The fully connected layers' outputs, which are mostly zeros, say less of what a photo is like.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> with_features(build(preset("synthetic"))).output_shape
        [(None, 1), (None, 32)]
    """
    maps = model.get_layer("flatten").input
    features = keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(maps)
    return keras.Model(model.input, [model.output, features], name=model.name)


def relu_layers(model: keras.Model) -> dict[str, str]:
    """Each convolution and the layer that holds its maps after ReLU.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> relu_layers(build(preset("synthetic")))["block2_conv1"]
        'block2_relu1'
    """
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return {name: name.replace("_conv", "_relu") for name in names}
