"""What each region moves over many faces, and what its loss costs: tables of a whole set of photos."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.region_shapley import (
    Masks,
    Progress,
    RegionEffects,
    donor_baseline,
    one_by_one,
)
from beauty_evaluate.explain.reliability import Agreement
from beauty_evaluate.images import Picture
from beauty_evaluate.metrics import Estimate, bootstrap, estimates, mae, pearson
from beauty_evaluate.raters.runtime import PredictFn, predict

Doubles = NDArray[np.float64]
ALL = "all"

# PC of a published ResNet-50, pretrained on faces, on SCUT-FBP5500: on whole faces, and with one region permuted across
# test faces; as found when this project began. Its lips stand beside our mouth, its chin beside our jaw and chin.
PUBLISHED_FULL = 0.9312
PUBLISHED = {
    "eyes": 0.768,
    "cheeks": 0.796,
    "nose": 0.836,
    "brows": 0.872,
    "mouth": 0.891,
    "jaw and chin": 0.921,
}


@dataclass(frozen=True)
class EffectRow:
    """How a region moves the `n` faces of a group, in rating points: mean effect, and mean absolute effect. way: what
    replaced a region."""

    way: str
    group: str
    region: str
    n: int
    mean: Estimate
    absolute: Estimate


@dataclass(frozen=True)
class PermutedRow:
    """What is lost when every face gets this region from another: `pearson` and `mae` are what is left, `fall` of the
    PC and `rise` of the MAE are what it cost, `published_fall` what it cost a published network (None: not known)."""

    region: str
    n: int
    pearson: float
    fall: Estimate
    mae: float
    rise: Estimate
    published_fall: float | None


def effect_rows(effects: Sequence[RegionEffects], groups: Sequence[str], seed: int = 0) -> list[EffectRow]:
    """Mean and mean absolute effect of each region, over all faces and then over each group.

    effects: of one face each, all of the same regions, explained in one way. groups: of each face. A region that a crop
    does not show counts with its effect, 0. ValueError for no faces, or effects that do not compare.
    """
    kinds = {(e.names, e.way) for e in effects}
    if len(kinds) != 1 or len(effects) != len(groups):
        raise ValueError(f"Expected effects of the same regions in one way. Received: {len(kinds)} kinds.")
    names, way = effects[0].names, effects[0].way
    values, labels = np.array([e.effects for e in effects]), np.array(groups)
    rows = []
    for group in (ALL, *sorted(set(groups))):
        own = values if group == ALL else values[labels == group]
        means, sizes = estimates(own, seed), estimates(np.abs(own), seed)
        rows += [EffectRow(way, group, *row) for row in zip(names, [len(own)] * len(names), means, sizes, strict=True)]
    return rows


def permuted(
    forward: PredictFn,
    crops: Picture,
    masks: Iterable[Masks],
    names: Sequence[str],
    scores: Doubles,
    flip_tta: bool,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[PermutedRow]:
    """What the scores lose when each face gets one region from another face of the set.

    crops: uint8 (N, size, size, C), N >= 3. masks: for each face in turn, bool (R, size, size) that tile its crop and
    are named by `names`. scores: the labels, float64 (N,). Who gives to whom is drawn once, the same for all regions;
    the place is the receiver's region, as bright on the ring around it and softly at its edge, as in `region_effects`.
    """
    if len(crops) < 3:
        raise ValueError(f"Expected at least 3 faces that can give a region to each other. Received: {len(crops)}.")
    givers = derangement(len(crops), seed)
    found = []
    for i, own in enumerate(masks):
        # the face as it is stands first in the same batch: what a network does not read then changes nothing at all
        pictures = np.concatenate([crops[i][None], transplants(crops[i], own, crops[givers[i]])])
        found.append(predict(forward, pictures, flip_tta))
        if progress:
            progress(i + 1, len(crops))
    before, after = np.array(found)[:, 0], np.array(found)[:, 1:]
    return [_permuted_row(name, before, after[:, r], scores, seed) for r, name in enumerate(names)]


def derangement(n: int, seed: int) -> NDArray[np.int64]:
    """Who gives to each of n faces, int (n,): nobody to themselves, everybody once."""
    order = np.random.default_rng(seed).permutation(n)
    givers = np.empty(n, np.int64)
    givers[order] = np.roll(order, 1)
    return givers


def transplants(crop: Picture, masks: Masks, other: Picture) -> NDArray[np.float32]:
    """The crop with each region in turn taken from `other`, float32 (R, size, size, C)."""
    return one_by_one(crop, masks, donor_baseline(crop, masks[masks.any((1, 2))], other))


def _permuted_row(region: str, before: Doubles, after: Doubles, scores: Doubles, seed: int) -> PermutedRow:
    def cost(pick: NDArray[np.int64]) -> tuple[float, float]:
        true = scores[pick]
        fall = pearson(before[pick], true) - pearson(after[pick], true)
        return fall, mae(after[pick], true) - mae(before[pick], true)

    fall, rise = cost(np.arange(len(scores)))
    (fall_low, rise_low), (fall_high, rise_high) = bootstrap(cost, len(scores), seed=seed)
    published = PUBLISHED_FULL - PUBLISHED[region] if region in PUBLISHED else None
    return PermutedRow(
        region,
        len(scores),
        pearson(after, scores),
        Estimate(fall, float(fall_low), float(fall_high)),
        mae(after, scores),
        Estimate(rise, float(rise_low), float(rise_high)),
        published,
    )


def agreement(one: Sequence[RegionEffects], other: Sequence[RegionEffects]) -> Agreement:
    """Of two ways, over the same faces; regions that a crop does not show are left out."""
    a, b = (np.array([e.effects for e in effects]) for effects in (one, other))
    there = np.array([e.areas for e in one]) > 0
    first = (np.abs(a).argmax(1) == np.abs(b).argmax(1)).mean()
    return Agreement(len(a), pearson(a[there], b[there]), mae(a[there], b[there]), float(first))


def effects_markdown(rows: Sequence[EffectRow]) -> str:
    """The effects over all faces as a table, the region that moves them most first."""
    own = _ranked(rows)
    lines = [
        f"n = {own[0].n}, rating points [95 % interval]:",
        "",
        "| Region | Mean effect | Mean absolute effect |",
        "| --- | ---: | ---: |",
    ]
    return "\n".join([*lines, *(f"| {r.region} | {r.mean} | {r.absolute} |" for r in own)])


def groups_markdown(rows: Sequence[EffectRow]) -> str:
    """Mean and mean absolute effects, a table each with a column for each group."""
    found = {(r.group, r.region): r for r in rows}
    groups = [group for group in dict.fromkeys(r.group for r in rows) if group != ALL]
    order = [r.region for r in _ranked(rows)]
    heads = [f"{group}, n = {found[group, order[0]].n}" for group in groups]
    parts = []
    for title, which in (("Mean effect", "mean"), ("Mean absolute effect", "absolute")):
        lines = [f"| {title} | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(groups)}"]
        for region in order:
            cells = [str(getattr(found[group, region], which)) for group in groups]
            lines.append(f"| {region} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _ranked(rows: Sequence[EffectRow]) -> list[EffectRow]:
    return sorted((r for r in rows if r.group == ALL), key=lambda r: -r.absolute.value)


def permuted_markdown(rows: Sequence[PermutedRow]) -> str:
    """The costs as a table, the dearest region first, beside the published ones."""
    lines = [
        "| Region permuted | PC | Fall of PC [95 % interval] | MAE | Rise of MAE [95 % interval] | Fall, published |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for r in sorted(rows, key=lambda r: -r.fall.value):
        known = "-" if r.published_fall is None else f"{r.published_fall:.3f}"
        lines.append(f"| {r.region} | {r.pearson:.4f} | {r.fall} | {r.mae:.4f} | {r.rise} | {known} |")
    note = (
        f"Over {rows[0].n} faces. Published: a ResNet-50 pretrained on faces, PC {PUBLISHED_FULL} on whole faces of "
        "SCUT-FBP5500, as found when this project began; its outlines (lips, chin) are not ours, so only the order "
        "compares."
    )
    return "\n".join([*lines, "", note])


def write_rows(path: Path, rows: Sequence[EffectRow] | Sequence[PermutedRow]) -> None:
    """Rows as CSV; a figure with an interval takes three columns: `mean`, `mean_low`, `mean_high`."""
    head = []
    for column in fields(rows[0]):
        head.append(column.name)
        if isinstance(getattr(rows[0], column.name), Estimate):
            head += [f"{column.name}_low", f"{column.name}_high"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(head)
        for row in rows:
            flat = [v for cell in astuple(row) for v in (cell if isinstance(cell, tuple) else (cell,))]
            table.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in flat])
