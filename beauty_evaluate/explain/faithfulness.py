"""Are the maps true? Deletion and fidelity beside controls that know nothing of the rater."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.explain.baselines import Floats, mask_all, rate_edits
from beauty_evaluate.explain.reliability import FAILED
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.metrics import Estimate, estimates, pearson
from beauty_evaluate.raters.rater import Rater

Doubles = NDArray[np.float64]

GRID = 16  # cells a side: all maps are measured by their sums over these, whatever their own resolution
DELETION_STEPS = 8  # parts in which the cells are deleted
BLOCK_CELLS = 2  # cells a side of what the fidelity replaces as one: single cells look like noise to a network
FIDELITY_SETS, FIDELITY_SHARE = 64, 0.25  # random sets of blocks, and the share of all blocks in each
CONTROLS = ("random", "centre blob", "edges", "raw pixels")


@dataclass(frozen=True)
class Example:
    """A face to explain and to measure on.

    Attributes:
        face: with its photo or crop.
        crop: (size, size, C), what the rater sees.
        masks: bool (R, size, size) that tile it.
        fill: float32 (size, size, C), what stands in for what is deleted; its score is the reference.
    """

    face: Face
    crop: Crop
    masks: Masks
    fill: Floats

    @classmethod
    def of(cls, face: Face, config: CropConfig, masks: Masks) -> "Example":
        """With what the report of a face starts from as the fill: the mean colour of the ring around each region."""
        crop = face.crop(config)
        return cls(face, crop, masks, mask_all(crop, masks))


@dataclass(frozen=True)
class Verdict:
    """How a map did over the faces.

    Attributes:
        name: of the map.
        deletion_score: rating points.
        fidelity: a correlation.
        margin_over_controls: by control, how far both lie above the control's, paired by face.

    Example:
        >>> ahead, behind = Estimate(0.2, 0.1, 0.3), Estimate(0.2, -0.1, 0.5)
        >>> Verdict("map", ahead, ahead, {"edges": (ahead, behind)}).sentence
        'fails the test: it does not beat edges'
    """

    name: str
    deletion_score: Estimate
    fidelity: Estimate
    margin_over_controls: dict[str, tuple[Estimate, Estimate]]

    @property
    def passed(self) -> bool:
        """Whether it beats every control on both measures: all intervals of the margins lie above 0."""
        return all(margin.low > 0 for pair in self.margin_over_controls.values() for margin in pair)

    @property
    def sentence(self) -> str:
        """The verdict for a report."""
        margins = self.margin_over_controls
        lost = [name for name, pair in margins.items() if min(margin.low for margin in pair) <= 0]
        return f"{FAILED}: it does not beat {', '.join(lost)}" if lost else f"beats {', '.join(margins)}"


def cells(size: int) -> NDArray[np.int64]:
    """Which cell of the grid each pixel lies in, int (size, size), 0 .. GRID**2 - 1."""
    line = np.arange(size) * GRID // size
    return np.asarray(line[:, None] * GRID + line, np.int64)


def cell_sums(values: Floats) -> Doubles:
    """The sum of a map (size, size) over each cell, float64 (GRID**2,).

    Example:
        >>> cell_sums(np.ones((32, 32), np.float32))[:2].tolist()
        [4.0, 4.0]
    """
    return np.asarray(np.bincount(cells(len(values)).ravel(), values.ravel(), GRID**2), np.float64)


def controls(crop: Crop, sign: float, seed: int) -> dict[str, Floats]:
    """Maps that know nothing of the rater: random values for each cell, a blob in the middle, edges, brightness.

    Args:
        crop: (size, size, C) of 0..255.
        sign: all they know: whether this score lies above or below its reference.
        seed: of the random values.

    Returns:
        float32 (size, size) by name.
    """
    size = len(crop)
    grey = crop.astype(np.float32).mean(2)
    line = (np.arange(size) + 0.5) / size - 0.5
    blob = np.exp(-(line[:, None] ** 2 + line**2) / (2 * 0.2**2))
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    noise = np.random.default_rng(seed).normal(size=GRID**2)[cells(size)]
    maps = (noise, sign * blob, sign * edges, sign * grey)
    return {name: np.asarray(values, np.float32) for name, values in zip(CONTROLS, maps, strict=True)}


def scores_without(rater: Rater, example: Example, deleted: NDArray[np.bool_]) -> Doubles:
    """The scores (N,) of the face with the cells of each row of `deleted`, bool (N, GRID**2), replaced by the fill."""
    pixels = deleted[:, cells(len(example.crop))][..., None]
    return rate_edits(rater, example.face, np.where(pixels, example.fill, example.crop.astype(np.float32)))


def deletion_score(rater: Rater, example: Example, sums: Doubles, steps: int = DELETION_STEPS) -> float:
    """Signed two-way deletion (after Petsiuk et al., BMVC 2018) of a map.

    One curve of the score deletes the cells that raise it most first, another those that lower it most; over the share
    deleted, 0..1, the deletion score is the area of the second above the first. Both run from the score to the
    reference, and nothing is normalised, so that neither signs nor size are lost.

    Args:
        rater: any.
        example: the face.
        sums: of the map over the cells, float64 (GRID**2,).
        steps: parts in which the cells are deleted.

    Returns:
        Rating points. A map that orders nothing gets 0 on average.
    """
    counts = np.linspace(0, GRID**2, steps + 1).round()[1:-1]
    ranks = np.stack([order.argsort(kind="stable").argsort() for order in (-sums, sums)])
    deleted = (ranks[:, None] < counts[:, None]).reshape(-1, GRID**2)
    raising, lowering = scores_without(rater, example, deleted).reshape(2, -1)
    return float((lowering - raising).sum() / steps)


def random_sets(seed: int) -> NDArray[np.bool_]:
    """Sets of cells for the fidelity, bool (FIDELITY_SETS, GRID**2), each of the same number of blocks."""
    side = GRID // BLOCK_CELLS
    first = np.tile(np.arange(side**2) < FIDELITY_SHARE * side**2, (FIDELITY_SETS, 1))
    blocks = np.random.default_rng(seed).permuted(first, axis=1).reshape(FIDELITY_SETS, side, side)
    return blocks.repeat(BLOCK_CELLS, 1).repeat(BLOCK_CELLS, 2).reshape(FIDELITY_SETS, -1)


def measure(rater: Rater, example: Example, maps: Mapping[str, Doubles], seed: int) -> dict[str, tuple[float, float]]:
    """Deletion score and mu-fidelity of each map of one face, and of the controls.

    Mu-fidelity (Bhatt et al., IJCAI 2020): the correlation, over random sets of cells, the same for all maps, between
    what a map says of a set and what the score loses when it is replaced; 0 for a map that says the same of all.

    Args:
        rater: any.
        example: the face.
        maps: their cell sums, float64 (GRID**2,), by name.
        seed: of the random sets and the random control.

    Returns:
        Both measures by name of the map or control.
    """
    score, reference = rate_edits(rater, example.face, [example.crop, example.fill])
    control_maps = controls(example.crop, np.sign(score - reference), seed)
    control_sums = {name: cell_sums(values) for name, values in control_maps.items()}
    sets = random_sets(seed)
    losses = score - scores_without(rater, example, sets)
    return {
        name: (deletion_score(rater, example, sums), float(np.nan_to_num(pearson(sets @ sums, losses))))
        for name, sums in {**maps, **control_sums}.items()
    }


def verdicts(measured: Sequence[Mapping[str, tuple[float, float]]], seed: int = 0) -> list[Verdict]:
    """One for each map and control.

    Args:
        measured: of each face, by `measure`.
        seed: of the bootstrap over the faces.
    """
    by_name = {name: np.array([face[name] for face in measured]) for name in measured[0]}
    results = []
    for name, values in by_name.items():
        margins = {control: estimates(values - by_name[control], seed) for control in CONTROLS if control != name}
        deletion, fidelity = estimates(values, seed)
        results.append(Verdict(name, deletion, fidelity, {c: (pair[0], pair[1]) for c, pair in margins.items()}))
    return results
