"""Which filters of a layer matter: their effect on scores, and what they are active on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beauty_evaluate.explain.activation_maximization import activation_maximization
from beauty_evaluate.explain.filter_effects import Activations, Doubles, activations, filter_effects
from beauty_evaluate.explain.filters import filter_use
from beauty_evaluate.explain.gradients import NEEDS_NETWORK, relu_of
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import NAMES, Masks
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.builders import relu_layers
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater

SHOWN_FILTERS, SHOWN_FILTERS_OF_FACE = 20, 12  # that matter most, to a data set and to one face


@dataclass(frozen=True)
class FilterRow:
    """What a filter does over a set of faces.

    Attributes:
        layer: its convolution.
        filter: its number there, from 0.
        active: share of the faces in which it is active.
        effect: mean effect on the score, rating points.
        absolute: mean absolute effect, rating points.
        region: the one it depends on most; "" for none.
        share: of its activation that is lost without that region.
    """

    layer: str
    filter: int
    active: float
    effect: float
    absolute: float
    region: str
    share: float


@dataclass(frozen=True)
class FilterTable:
    """The filters of a layer over a set of faces.

    Attributes:
        layer: a convolution.
        rows: of all filters, the one that moves scores most first.
        activations: of the filters, by their number.
        made: uint8 (size, size, C), a picture made to activate each of the first rows.
    """

    layer: str
    rows: list[FilterRow]
    activations: Activations
    made: list[Picture]


@dataclass(frozen=True)
class FaceFilters:
    """The filters of the last convolution, for one face.

    Attributes:
        layer: the convolution.
        effects: float64 (C,), rating points.
        order: int (C,), filters by the size of their effect.
        activations: on the face.
        active: by filter, the share of the data set's faces in which it is active.
        made: uint8 (size, size, C), a picture made to activate each of the first in `order`.
    """

    layer: str
    effects: Doubles
    order: list[int]
    activations: Activations
    active: dict[int, float]
    made: list[Picture]


def last_convolution(model: keras.Model) -> str:
    """The name of the last convolution.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.raters import builders
        >>> last_convolution(builders.build(preset("synthetic")))
        'block6_conv1'
    """
    return list(relu_layers(model))[-1]


def check_layer(rater: Rater, layer: str | None) -> str:
    """The layer, or the last convolution. ConfigError for no network, or no such layer."""
    model = network_of(rater, NEEDS_NETWORK).keras_model()
    layer = layer or last_convolution(model)
    relu_of(model, layer)
    return layer


def filter_table(rater: Rater, faces: Sequence[Face], masks: Sequence[Masks], layer: str | None = None) -> FilterTable:
    """What each filter of a layer does over a set of faces.

    Args:
        rater: a network.
        faces: N > 0.
        masks: of each face, bool (R, size, size), one for each of `regions.NAMES`.
        layer: a convolution (default: the last).

    Raises:
        ConfigError: no network, or no such layer.
    """
    layer = check_layer(rater, layer)
    network = network_of(rater, NEEDS_NETWORK)
    active = activations(network, faces, layer, masks)
    rows = filter_rows(layer, filter_effects(network, faces, layer, _means(network, layer)), active)
    rows.sort(key=lambda row: -row.absolute)
    shown = [row.filter for row in rows[:SHOWN_FILTERS]]
    return FilterTable(layer, rows, active, _made(network, layer, shown))


def filter_rows(layer: str, effects: Doubles, active: Activations) -> list[FilterRow]:
    """A row for each filter, in order.

    Args:
        layer: a convolution.
        effects: float64 (N, C) of `filter_effects`.
        active: of the same faces.
    """
    shares = np.maximum(active.region_dependence(), 0)
    best = shares.argmax(1)
    figures = zip(active.active(), effects.mean(0), np.abs(effects).mean(0), strict=True)
    return [
        FilterRow(
            layer, i, float(share), float(mean), float(size),
            NAMES[best[i]] if shares[i, best[i]] else "", float(shares[i, best[i]]),
        )
        for i, (share, mean, size) in enumerate(figures)
    ]  # fmt: skip


def face_filters(rater: Rater, face: Face) -> FaceFilters:
    """The filters of the last convolution that moved one score.

    Args:
        rater: a network.
        face: with the crop that the network sees.

    Raises:
        ConfigError: no network.
    """
    layer = check_layer(rater, None)
    network = network_of(rater, NEEDS_NETWORK)
    (effects,) = filter_effects(network, [face], layer, _means(network, layer))
    order = np.argsort(-np.abs(effects), kind="stable").tolist()
    size = network.crop_config.size
    active = activations(network, [face], layer, [np.zeros((0, size, size), bool)])
    usual = {use.filter: use.active for use in filter_use(network.card.stats()) if use.layer == layer}
    return FaceFilters(layer, effects, order, active, usual, _made(network, layer, order[:SHOWN_FILTERS_OF_FACE]))


def _means(network: NetworkRater, layer: str) -> np.ndarray:
    key = f"filters/mean/{layer}"
    return network.card.stats(key)[key]


def _made(network: NetworkRater, layer: str, filters: Sequence[int]) -> list[Picture]:
    pictures = activation_maximization(network.keras_model(), layer, filters)
    return list(np.clip(pictures, 0, 255).round().astype(np.uint8))
