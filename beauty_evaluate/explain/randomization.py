"""Do maps depend on what a network has learnt? Its weights are randomized, and the maps must change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beauty_evaluate.explain.faithfulness import Doubles, Example, cell_sums
from beauty_evaluate.explain.faithfulness_maps import Method
from beauty_evaluate.metrics import Estimate, spearman
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.network import NetworkRater

MAX_CORRELATION = 0.2  # with the original, mean over faces, that may be left of a map once all weights are random
FIRST_SEED = 100  # of random weights; none that a training begins with, since trained weights resemble those


@dataclass(frozen=True)
class ParameterRandomization:
    """How a map changes when weights are randomized.

    Attributes:
        layers: from the score down, the mean rank correlation with the original over the faces.
        magnitude: its mean size, sign left out, once all weights are random: a map that only turns its sign has lost
            its mean alone.
        chance: what that would be for values in random order.

    Example:
        >>> ParameterRandomization({"block1": Estimate(0.1, 0.0, 0.2)}, 0.2, 0.1).passed
        True
    """

    layers: dict[str, Estimate]
    magnitude: float
    chance: float

    @property
    def passed(self) -> bool:
        """Whether the map is gone once all weights are random."""
        last = self.layers[list(self.layers)[-1]]
        return abs(last.value) < MAX_CORRELATION and self.magnitude < MAX_CORRELATION + self.chance


def layers(model: keras.Model) -> list[str]:
    """The parts of a network that hold weights, from the score down: score, fc2, fc1, block6 ... block1.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> layers(builders.build(preset("synthetic")))[:4]
        ['score', 'fc2', 'fc1', 'block6']
    """
    return list(dict.fromkeys(layer.name.split("_")[0] for layer in reversed(model.layers) if layer.weights))


def randomize_from_top(network: NetworkRater, last: str, seed: int) -> NetworkRater:
    """A clone with random weights from the score down to a layer (Adebayo et al., NeurIPS 2018).

    Args:
        network: which is left as it is.
        last: the lowest of `layers` to be randomized.
        seed: of the weights.
    """
    model = network.keras_model()
    names = layers(model)
    randomized = names[: names.index(last) + 1]
    clone, fresh = builders.build(network.config), builders.build(network.config, seed=seed)
    clone.set_weights(model.get_weights())
    for layer in clone.layers:
        if layer.name.split("_")[0] in randomized:
            layer.set_weights(fresh.get_layer(layer.name).get_weights())
    return NetworkRater.of_model(network.card, clone)


def parameter_randomization_test(
    network: NetworkRater,
    methods: Mapping[str, Method],
    examples: Sequence[Example],
    originals: Mapping[str, Sequence[Doubles]],
    last: str,
) -> dict[str, Doubles]:
    """How much of each map is left once the network is randomized down to a layer.

    Each face has random weights of its own, and a new explainer: one network may lean the old one's way on all faces.
    Cells, not pixels: noise from pixel to pixel would pass for a change.

    Args:
        network: the trained one.
        methods: makers of the maps, by name.
        examples: N faces.
        originals: the cell sums of the trained network's maps, by map and face.
        last: the lowest of `layers` to be randomized.

    Returns:
        For each map the rank correlation of each face's signed cell sums with the originals, (N,); 0 where a map has
        become the same everywhere.
    """
    correlations = {name: np.zeros(len(examples)) for name in methods}
    for i, example in enumerate(examples):
        clone = randomize_from_top(network, last, FIRST_SEED + i)
        for name, make in methods.items():
            correlations[name][i] = spearman(cell_sums(make(clone)(example)), originals[name][i])
    return {name: np.nan_to_num(values) for name, values in correlations.items()}
