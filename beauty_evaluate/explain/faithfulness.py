"""Are the maps true? Deletion and fidelity beside controls, and weights made random."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.explain.gradients import (
    HIRES_CAM,
    INTEGRATED,
    OCCLUSION,
    hires_cam,
    integrated_gradients,
    occlusion,
)
from beauty_evaluate.explain.region_shapley import Masks, RegionEffects, region_effects, replaced
from beauty_evaluate.explain.reliability import FAILED, REGIONS
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.images import Picture
from beauty_evaluate.metrics import Estimate, estimates, pearson, spearman
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.registry import keras_predictor
from beauty_evaluate.raters.runtime import PredictFn, predict

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GRID = 16  # cells a side: all maps are measured by their sums over these, whatever their own resolution
STEPS = 8  # parts in which the cells are deleted
BLOCK = 2  # cells a side of what the fidelity replaces as one: single cells look like noise to a network
SETS, SHARE = 64, 0.25  # random sets of blocks for the fidelity, and the share of all blocks in each
CONTROLS = ("random", "centre blob", "edges", "raw pixels")
FADED = 0.2  # rank correlation with the original, mean over faces, below which a map has faded
FADE_FACES = 16  # the first ones, whose maps must fade
FADE_SEED = 100  # of the first random weights; none that a training begins with, since trained weights resemble those
IG_STEPS = 32  # half of the usual, for speed: the cell sums correlate .999 with those of 64
SLOW = (REGIONS, OCCLUSION)  # maps from scores alone: hundreds of them a face


@dataclass(frozen=True)
class Case:
    """A face to explain and to measure on. crop: uint8 (size, size, C). masks: bool (R, size, size) that tile it. fill:
    float32 (size, size, C), what stands in for what is deleted; its score is the reference."""

    crop: Picture
    masks: Masks
    fill: Floats

    @classmethod
    def of(cls, crop: Picture, masks: Masks) -> "Case":
        """With what the report of a face starts from as the fill: the mean colour of the ring around each region."""
        return cls(crop, masks, replaced(crop, masks[masks.any((1, 2))]))


Explainer = Callable[[Case], Floats]
Method = Callable[[keras.Model], Explainer]
"""Makes an explainer of a network: a new one for each network, since a cached graph would answer for the old one. It
gives the map of a face, float32 (size, size), signed, in rating points."""


@dataclass(frozen=True)
class Verdict:
    """How a map did over the faces: its deletion gap in rating points, its fidelity, and by control the differences of
    both from the control's, paired by face."""

    name: str
    gap: Estimate
    fidelity: Estimate
    beyond: dict[str, tuple[Estimate, Estimate]]

    @property
    def readable(self) -> bool:
        """Whether it beats every control on both measures: all intervals of the differences lie above 0."""
        return all(difference.low > 0 for pair in self.beyond.values() for difference in pair)

    @property
    def words(self) -> str:
        """The verdict for a report."""
        lost = [name for name, pair in self.beyond.items() if min(difference.low for difference in pair) <= 0]
        return f"{FAILED}: it does not beat {', '.join(lost)}" if lost else f"beats {', '.join(self.beyond)}"


@dataclass(frozen=True)
class Fading:
    """How a map changes when weights are made random. stages: from the score down, the mean rank correlation with the
    original over the faces. size: its mean size at the last stage, where all weights are random: a map that only turns
    its sign has faded by its mean alone. chance: what that would be for values without any order."""

    stages: dict[str, Estimate]
    size: float
    chance: float

    @property
    def faded(self) -> bool:
        """Whether the map is gone once all weights are random."""
        end = self.stages[list(self.stages)[-1]]
        return abs(end.value) < FADED and self.size < FADED + self.chance


def values_of(name: str, config: Config) -> int:
    """How many values of a map are its own, at most those it is measured by: 10 regions, a layer's map, or all."""
    if name == REGIONS:
        return len(NAMES)
    if not name.startswith(HIRES_CAM):
        return GRID**2
    block = int(name.split("block")[1].split("_")[0])
    side = config.crop.size // config.network.first_stride >> (block - 1)
    return min(GRID, side) ** 2


def methods(config: Config) -> dict[str, Method]:
    """The maps that are put to the proof, by name."""
    mirror = config.flip_tta
    layers = [f"block{block}_conv{config.network.convolutions[block - 1]}" for block in (3, 4, 5, 6)]

    def regions(model: keras.Model) -> Explainer:
        forward = keras_predictor(model)
        return lambda case: spread(region_effects(forward, case.crop, case.masks, NAMES, mirror), case.masks)

    def patches(model: keras.Model) -> Explainer:
        forward = keras_predictor(model)
        return lambda case: occlusion(forward, case.crop, mirror, fill=case.fill).values

    def integrated(model: keras.Model) -> Explainer:
        return lambda case: integrated_gradients(model, case.crop, case.fill, mirror, IG_STEPS).values

    def hires(layer: str) -> Method:
        return lambda model: lambda case: hires_cam(model, case.crop, layer, mirror).values

    cams = {f"{HIRES_CAM} of {layer}": hires(layer) for layer in layers}
    return {REGIONS: regions, OCCLUSION: patches, INTEGRATED: integrated, **cams}


def spread(effects: RegionEffects, masks: Masks) -> Floats:
    """Region effects as a map, float32 (size, size): each spread evenly over its region."""
    shares = effects.effects / np.maximum(masks.sum((1, 2)), 1)
    return np.asarray(shares[masks.argmax(0)], np.float32)


def cells(size: int) -> NDArray[np.int64]:
    """Which cell of the grid each pixel lies in, int (size, size), 0 .. GRID**2 - 1."""
    line = np.arange(size) * GRID // size
    return np.asarray(line[:, None] * GRID + line, np.int64)


def cell_sums(values: Floats) -> Doubles:
    """The sum of a map over each cell, float64 (GRID**2,)."""
    return np.asarray(np.bincount(cells(len(values)).ravel(), values.ravel(), GRID**2), np.float64)


def controls(crop: Picture, sign: float, seed: int) -> dict[str, Floats]:
    """Maps that know nothing of the network but whether this score lies above or below its reference (`sign`): what a
    map must beat. Random values for each cell, a blob in the middle, the strength of edges, the brightness."""
    size = len(crop)
    grey = crop.astype(np.float32).mean(2)
    line = (np.arange(size) + 0.5) / size - 0.5
    blob = np.exp(-(line[:, None] ** 2 + line**2) / (2 * 0.2**2))
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    noise = np.random.default_rng(seed).normal(size=GRID**2)[cells(size)]
    maps = (noise, sign * blob, sign * edges, sign * grey)
    return {name: np.asarray(values, np.float32) for name, values in zip(CONTROLS, maps, strict=True)}


def scores_without(forward: PredictFn, case: Case, gone: NDArray[np.bool_], flip_tta: bool) -> Doubles:
    """The scores (N,) of the face with the cells of each row of `gone`, bool (N, GRID**2), replaced by the fill."""
    pictures = np.where(gone[:, cells(len(case.crop))][..., None], case.fill, case.crop.astype(np.float32))
    return predict(forward, pictures, flip_tta)


def deletion_gap(forward: PredictFn, case: Case, sums: Doubles, flip_tta: bool, steps: int = STEPS) -> float:
    """Signed two-way deletion (after Petsiuk et al., BMVC 2018) of a map, given by its cell sums; in rating points.

    One curve of the score deletes the cells that raise it most first, another those that lower it most; over the share
    deleted, 0..1, the gap is the area of the second above the first. Both run from the score to the reference, and
    nothing is normalised, so that neither signs nor size are lost. A map that orders nothing gets 0 on average.
    """
    counts = np.linspace(0, GRID**2, steps + 1).round()[1:-1]
    ranks = np.stack([order.argsort(kind="stable").argsort() for order in (-sums, sums)])
    gone = (ranks[:, None] < counts[:, None]).reshape(-1, GRID**2)
    raising, lowering = scores_without(forward, case, gone, flip_tta).reshape(2, -1)
    return float((lowering - raising).sum() / steps)


def random_sets(seed: int) -> NDArray[np.bool_]:
    """Sets of cells for the fidelity, bool (SETS, GRID**2), each of the same number of blocks."""
    side = GRID // BLOCK
    first = np.tile(np.arange(side**2) < SHARE * side**2, (SETS, 1))
    blocks = np.random.default_rng(seed).permuted(first, axis=1).reshape(SETS, side, side)
    return blocks.repeat(BLOCK, 1).repeat(BLOCK, 2).reshape(SETS, -1)


def measure(
    forward: PredictFn, case: Case, maps: Mapping[str, Doubles], flip_tta: bool, seed: int
) -> dict[str, tuple[float, float]]:
    """Deletion gap and mu-fidelity of each map of one face, given by cell sums, and of the controls.

    Mu-fidelity (Bhatt et al., IJCAI 2020): the correlation, over random sets of cells, the same for all maps, between
    what a map says of a set and what the score loses when it is replaced; 0 for a map that says the same of all.
    """
    score, reference = predict(forward, [case.crop, case.fill], flip_tta)  # type: ignore[list-item]
    known = {name: cell_sums(m) for name, m in controls(case.crop, np.sign(score - reference), seed).items()}
    sets = random_sets(seed)
    lost = score - scores_without(forward, case, sets, flip_tta)
    return {
        name: (
            deletion_gap(forward, case, sums, flip_tta),
            float(np.nan_to_num(pearson(sets @ sums, lost))),
        )
        for name, sums in {**maps, **known}.items()
    }


def verdicts(measured: Sequence[Mapping[str, tuple[float, float]]], seed: int = 0) -> list[Verdict]:
    """One for each map, from what `measure` found on each face; intervals by bootstrap over the faces."""
    found = {name: np.array([one[name] for one in measured]) for name in measured[0]}
    judged = []
    for name, values in found.items():
        beyond = {c: estimates(values - found[c], seed) for c in CONTROLS if c != name}
        gap, fidelity = estimates(values, seed)
        judged.append(Verdict(name, gap, fidelity, {c: (pair[0], pair[1]) for c, pair in beyond.items()}))
    return judged


def stages(model: keras.Model) -> list[str]:
    """The parts of a network that hold weights, from the score down: score, fc2, fc1, block6 ... block1."""
    return list(dict.fromkeys(layer.name.split("_")[0] for layer in reversed(model.layers) if layer.weights))


def weakened(model: keras.Model, config: Config, last: str, seed: int) -> keras.Model:
    """A clone with fresh random weights from the score down to the stage `last` (Adebayo et al., NeurIPS 2018)."""
    names = stages(model)
    gone = names[: names.index(last) + 1]
    clone, fresh = registry.build(config), registry.build(config, seed=seed)
    clone.set_weights(model.get_weights())
    for layer in clone.layers:
        if layer.name.split("_")[0] in gone:
            layer.set_weights(fresh.get_layer(layer.name).get_weights())
    return clone


def fading(
    model: keras.Model,
    config: Config,
    makers: Mapping[str, Method],
    cases: Sequence[Case],
    originals: Mapping[str, Sequence[Doubles]],
    last: str,
) -> dict[str, Doubles]:
    """For each map, the rank correlation of each face's signed cell sums with those of the network weakened down to
    `last`, (N,). originals: the cell sums by map and face.

    Each face has random weights of its own, and a new explainer: one network may lean the old one's way on all faces.
    Cells, not pixels: noise from pixel to pixel would pass for fading. 0 where a map has become the same everywhere.
    """
    found = {name: np.zeros(len(cases)) for name in makers}
    for i, case in enumerate(cases):
        clone = weakened(model, config, last, FADE_SEED + i)
        for name, make in makers.items():
            found[name][i] = spearman(cell_sums(make(clone)(case)), originals[name][i])
    return {name: np.nan_to_num(values) for name, values in found.items()}
