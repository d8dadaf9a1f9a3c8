"""Fine-tuning: beginning with the weights of another network of the same shape."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from beauty_evaluate.config import Config, RatingScale, ScaleMap
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.training.export import identity
from beauty_evaluate.training.learner import Start

HEAD = "score"  # the last layer, which is linear


def check_shape(config: Config, card: Card) -> None:
    """Whether the network of a recipe can begin with the weights of a card.

    Args:
        config: the recipe.
        card: of the weights.

    Raises:
        ConfigError: it is another network, or it sees other crops.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import registry
        >>> check_shape(preset("synthetic"), registry.load_card("six_block_60-40"))
        Traceback (most recent call last):
        beauty_evaluate.errors.ConfigError: six_block_60-40 has other crop.size, network.channels, \
network.convolutions, network.first_stride, network.hidden. Take its own recipe: leave out --preset and those settings.
    """
    if not isinstance(card.config, Config):
        raise ConfigError(f"{card.name} is no network, so that no training can begin with it. Name a network.")
    pairs = {
        **{f"crop.{key}": (getattr(config.crop, key), getattr(card.config.crop, key)) for key in ("size", "grey")},
        **{f"network.{key}": (value, getattr(card.config.network, key)) for key, value in vars(config.network).items()},
    }
    different = [key for key, (ours, theirs) in pairs.items() if ours != theirs and key != "network.dropout"]
    if different:
        raise ConfigError(
            f"{card.name} has other {', '.join(different)}. Take its own recipe: leave out --preset and those settings."
        )


def scale_change(card: Card, scale: RatingScale, labels: Mapping[str, float]) -> ScaleMap:
    """From the ratings of a network onto the scale of the photos that it goes on to learn from.

    Args:
        card: of the network.
        scale: of the photos' scores.
        labels: `mean` and `sd` of the photos' scores.

    Returns:
        Nothing changes on the same scale; onto another one, mean and standard deviation of the scores learnt from
        become those of the new ones.
    """
    if card.scale == scale or not card.labels.get("sd"):
        return ScaleMap()
    slope = labels["sd"] / card.labels["sd"]
    return ScaleMap(slope, labels["mean"] - slope * card.labels["mean"])


def start_from(card: Card, change: ScaleMap) -> Start:
    """The weights of a card to begin with.

    Args:
        card: of a network.
        change: of its ratings, from `scale_change`; the last layer is linear and takes it up.

    Raises:
        WeightsError: its files are missing or changed.
    """
    model = builders.load(card)
    kernel, bias = model.get_layer(HEAD).get_weights()
    model.get_layer(HEAD).set_weights([np.asarray(kernel * change.slope), np.asarray(change.apply(bias))])
    return Start(identity(card), model.get_weights())


def learnt_before(card: Card, change: ScaleMap) -> tuple[TrainedOn, ...]:
    """What the first network has learnt from, as the fine-tuned one has it in its card: those photos are no test for
    it either."""
    return tuple(_changed(part, change) for part in card.trained_on)


def _changed(part: TrainedOn, change: ScaleMap) -> TrainedOn:
    labels = dict(part.labels)
    for key in {"mean", "min", "max"} & set(labels):
        labels[key] = float(change.apply(labels[key]))
    if "sd" in labels:
        labels["sd"] *= change.slope
    line = ScaleMap(change.slope * part.map.slope, change.slope * part.map.offset + change.offset)
    return replace(part, map=line, labels=labels)
