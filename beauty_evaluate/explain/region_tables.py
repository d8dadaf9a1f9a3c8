"""What each region moves over many faces, and what the ratings lose without it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.baselines import Floats, donor_baseline, mask_each, rate_edits
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects
from beauty_evaluate.explain.reliability import BaselineAgreement
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.metrics import Estimate, bootstrap, estimates, mae, pearson
from beauty_evaluate.raters.rater import Rater, crop_config

Doubles = NDArray[np.float64]
ALL = "all"
MIN_FACES = 3  # that can give a region to each other


@dataclass(frozen=True)
class EffectRow:
    """How a region moves the faces of a group.

    Attributes:
        baseline: what replaced a region.
        group: of the faces, or ALL.
        region: its name.
        n: number of faces.
        mean: mean effect, rating points.
        absolute: mean absolute effect, rating points.
    """

    baseline: str
    group: str
    region: str
    n: int
    mean: Estimate
    absolute: Estimate


@dataclass(frozen=True)
class PermutedRow:
    """What is lost when every face gets this region from another.

    Attributes:
        region: its name.
        n: number of faces.
        pearson: the PC that is left.
        fall: of the PC.
        mae: the mean absolute error that is left, rating points.
        rise: of the MAE, rating points.
    """

    region: str
    n: int
    pearson: float
    fall: Estimate
    mae: float
    rise: Estimate


def effect_rows(effects: Sequence[RegionEffects], groups: Sequence[str], seed: int = 0) -> list[EffectRow]:
    """Mean and mean absolute effect of each region, over all faces and then over each group.

    Args:
        effects: of one face each, all of the same regions against the same baseline. A region that a crop does not
            show counts with its effect, 0.
        groups: of each face.
        seed: of the bootstrap over faces.

    Raises:
        ValueError: no faces, or effects that do not compare.

    Example:
        >>> one = RegionEffects(("eyes",), np.array([0.5]), np.array([1.0]), 3.5, 3.0)
        >>> effect_rows([one, one], ["a", "a"])[0].mean.value
        0.5
    """
    kinds = {(e.names, e.baseline) for e in effects}
    if len(kinds) != 1 or len(effects) != len(groups):
        raise ValueError(f"Expected effects of the same regions against one baseline. Received: {len(kinds)} kinds.")
    names, baseline = effects[0].names, effects[0].baseline
    values, labels = np.array([e.effects for e in effects]), np.array(groups)
    rows = []
    for group in (ALL, *sorted(set(groups))):
        part = values if group == ALL else values[labels == group]
        means, sizes = estimates(part, seed), estimates(np.abs(part), seed)
        figures = zip(names, [len(part)] * len(names), means, sizes, strict=True)
        rows += [EffectRow(baseline, group, *row) for row in figures]
    return rows


def permuted(
    rater: Rater,
    faces: Sequence[Face],
    masks: Iterable[Masks],
    names: Sequence[str],
    labels: Doubles,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[PermutedRow]:
    """What the ratings lose when each face gets one region from another face of the set.

    Who gives to whom is drawn once, the same for all regions; the place is the receiver's region, as bright on the
    ring around it and softly at its edge, as in `region_effects`.

    Args:
        rater: any.
        faces: N >= MIN_FACES.
        masks: for each face in turn, bool (R, size, size) that tile its crop.
        names: of the R regions.
        labels: the true scores, float64 (N,).
        seed: of who gives to whom, and of the bootstrap.
        progress: called with the faces done, and how many there are.

    Raises:
        ValueError: too few faces.
    """
    if len(faces) < MIN_FACES:
        raise ValueError(
            f"Expected at least {MIN_FACES} faces that can give a region to each other. Received: {len(faces)}."
        )
    config, givers = crop_config(rater), derangement(len(faces), seed)
    scores = []
    for i, regions in enumerate(masks):
        crop, donor = faces[i].crop(config), faces[givers[i]].crop(config)
        # the face as it is stands first in the same call: what a rater does not read then changes nothing at all
        pictures = np.concatenate([crop[None], transplants(crop, regions, donor)])
        scores.append(rate_edits(rater, faces[i], pictures))
        if progress:
            progress(i + 1, len(faces))
    before, after = np.array(scores)[:, 0], np.array(scores)[:, 1:]
    return [_permuted_row(name, before, after[:, r], labels, seed) for r, name in enumerate(names)]


def derangement(n: int, seed: int) -> NDArray[np.int64]:
    """Who gives to each of n faces, int (n,): nobody to themselves, everybody once.

    Example:
        >>> sorted(derangement(3, 0).tolist())
        [0, 1, 2]
    """
    order = np.random.default_rng(seed).permutation(n)
    givers = np.empty(n, np.int64)
    givers[order] = np.roll(order, 1)
    return givers


def transplants(crop: Crop, masks: Masks, donor: Crop) -> Floats:
    """The crop with each region in turn taken from `donor`, float32 (R, size, size, C)."""
    return mask_each(crop, masks, donor_baseline(crop, masks[masks.any((1, 2))], donor))


def _permuted_row(region: str, before: Doubles, after: Doubles, labels: Doubles, seed: int) -> PermutedRow:
    def cost(pick: NDArray[np.int64]) -> tuple[float, float]:
        true = labels[pick]
        fall = pearson(before[pick], true) - pearson(after[pick], true)
        return fall, mae(after[pick], true) - mae(before[pick], true)

    fall, rise = cost(np.arange(len(labels)))
    (fall_low, rise_low), (fall_high, rise_high) = bootstrap(cost, len(labels), seed=seed)
    return PermutedRow(
        region,
        len(labels),
        pearson(after, labels),
        Estimate(fall, float(fall_low), float(fall_high)),
        mae(after, labels),
        Estimate(rise, float(rise_low), float(rise_high)),
    )


def baseline_agreement(one: Sequence[RegionEffects], other: Sequence[RegionEffects]) -> BaselineAgreement:
    """How well the effects against two baselines agree over the same faces; regions not shown are left out.

    Example:
        >>> effects = RegionEffects(("a", "b"), np.array([0.5, 0.1]), np.array([0.5, 0.5]), 3.6, 3.0)
        >>> baseline_agreement([effects], [effects]).first
        1.0
    """
    a, b = (np.array([e.effects for e in effects]) for effects in (one, other))
    shown = np.array([e.areas for e in one]) > 0
    first = (np.abs(a).argmax(1) == np.abs(b).argmax(1)).mean()
    return BaselineAgreement(len(a), pearson(a[shown], b[shown]), mae(a[shown], b[shown]), float(first))
