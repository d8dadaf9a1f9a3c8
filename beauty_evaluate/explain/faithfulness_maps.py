"""The maps whose faithfulness is evaluated."""

from collections.abc import Callable

import numpy as np

from beauty_evaluate.explain.baselines import Floats
from beauty_evaluate.explain.faithfulness import GRID, Example
from beauty_evaluate.explain.gradients import HIRES_CAM, INTEGRATED, hires_cam, integrated_gradients
from beauty_evaluate.explain.occlusion import OCCLUSION, occlusion
from beauty_evaluate.explain.region_shapley import RegionEffects, region_effects
from beauty_evaluate.explain.reliability import REGIONS
from beauty_evaluate.faces.regions import NAMES, Masks
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.rater import Rater

Explainer = Callable[[Example], Floats]
Method = Callable[[Rater], Explainer]
"""Makes an explainer of a rater: a new one for each network, since a cached graph would answer for the old one. It
gives the map of a face, float32 (size, size), signed, in rating points."""

CAM_BLOCKS = (3, 4, 5, 6)
INTEGRATED_STEPS = 32  # half of the usual, for speed: the cell sums correlate .999 with those of 64
RATED_MAPS = (REGIONS, OCCLUSION)  # from ratings alone: hundreds of them a face


def map_methods(rater: Rater) -> dict[str, Method]:
    """The maps of a rater by name: region effects and occlusion of any, those of gradients too of a network.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.raters.card import Card
        >>> from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig
        >>> list(map_methods(MeanBaseline(Card("mean", MeanBaselineConfig(), RatingScale(1, 5)))))
        ['regions', 'occlusion']
    """
    methods: dict[str, Method] = {
        REGIONS: lambda rater: lambda ex: spread(region_effects(rater, ex.face, ex.masks, _names(ex)), ex.masks),
        OCCLUSION: lambda rater: lambda ex: occlusion(rater, ex.face, fill=ex.fill).values,
    }
    if not isinstance(rater, NetworkRater):
        return methods

    def cam(layer: str) -> Method:
        return lambda rater: lambda ex: hires_cam(rater, ex.face, layer).values

    methods[INTEGRATED] = lambda rater: (
        lambda ex: integrated_gradients(rater, ex.face, ex.fill, INTEGRATED_STEPS).values
    )
    for block in CAM_BLOCKS:
        layer = f"block{block}_conv{rater.config.network.convolutions[block - 1]}"
        methods[f"{HIRES_CAM} of {layer}"] = cam(layer)
    return methods


def independent_values(name: str, network: NetworkRater) -> int:
    """How many values of a map are its own, at most those it is measured by: regions, a layer's map, or all cells."""
    if name == REGIONS:
        return len(NAMES)
    if not name.startswith(HIRES_CAM):
        return GRID**2
    block = int(name.split("block")[1].split("_")[0])
    side = network.crop_config.size // network.config.network.first_stride >> (block - 1)
    return min(GRID, side) ** 2


def spread(effects: RegionEffects, masks: Masks) -> Floats:
    """Region effects as a map: each spread evenly over its region.

    Args:
        effects: of R regions.
        masks: bool (R, size, size) that tile the crop.

    Returns:
        float32 (size, size).
    """
    shares = effects.effects / np.maximum(masks.sum((1, 2)), 1)
    return np.asarray(shares[masks.argmax(0)], np.float32)


def _names(example: Example) -> tuple[str, ...]:
    return NAMES if len(example.masks) == len(NAMES) else tuple(map(str, range(len(example.masks))))
