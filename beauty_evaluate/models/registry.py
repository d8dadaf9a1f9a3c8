"""Networks by name. A new network is a row here and passes the contract test as it is."""

from collections.abc import Callable

import keras

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.models import six_block
from beauty_evaluate.models.card import KERAS, Card

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
        raise ConfigError(f"Expected a network of {', '.join(BUILDERS)}. Received: {kind}.")
    return BUILDERS[kind](config, mean_score, dtype, seed, learning)


def load(card: Card) -> keras.Model:
    """The Keras network of a card, in float32. Raises WeightsError."""
    model = build(card.config)
    try:
        model.load_weights(card.file(KERAS))
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(f"Expected the weights of {card.name}. Received: others ({error}).") from error
    return model


def relu_layers(model: keras.Model) -> dict[str, str]:
    """Each convolution and the layer that holds its maps after ReLU: `block2_conv1` -> `block2_relu1`."""
    names = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return {name: name.replace("_conv", "_relu") for name in names}
