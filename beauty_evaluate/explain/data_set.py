"""What drives the score over a data set: effects of regions on many faces, and what is lost when they are permuted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from beauty_evaluate.data.pipeline import load_crops
from beauty_evaluate.data.sample import Sample
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.explain.region_tables import (
    effect_rows,
    effects_markdown,
    permuted,
    permuted_markdown,
    write_rows,
)
from beauty_evaluate.faces.regions import NAMES, regions
from beauty_evaluate.models.card import ONNX, Card
from beauty_evaluate.models.runtime import onnx_forward


def chosen(samples: Sequence[Sample], n: int, seed: int = 0) -> list[Sample]:
    """`n` samples drawn at random, the same for the same seed, in order; all of them if there are no more."""
    picks = np.random.default_rng(seed).permutation(len(samples))[:n]
    return [samples[i] for i in np.sort(picks)]


def explain_data_set(
    card: Card,
    samples: Sequence[Sample],
    out: Path,
    progress: Progress | None = None,
    say: Callable[[str], None] = print,
) -> str:
    """Tables of regions over photos that the network has not learnt from; writes regions.md and the rows as CSV.

    Each face's regions are replaced by the mean colour around them, as in the report of one face. Returns the text.
    """
    crops = load_crops(samples, card.config.crop)
    for problem in crops.problems:
        say(f"problem: {problem}")
    groups = {sample.name: sample.group for sample in samples}
    forward, mirror = onnx_forward(card.file(ONNX)), card.config.mirror_average
    masks = [regions(crop, card.config.crop) for crop in crops.centre]
    effects: list[RegionEffects] = []
    for i, (crop, own) in enumerate(zip(crops.centre, masks, strict=True), 1):
        effects.append(region_effects(forward, crop, own, NAMES, mirror))
        if progress:
            progress(i, len(masks))
    rows = effect_rows(effects, [groups[name] for name in crops.names])
    costs = permuted(forward, crops.centre, masks, NAMES, crops.scores.astype(np.float64), mirror)
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / "regions.csv", rows)
    write_rows(out / "permuted.csv", costs)
    reference = np.mean([found.reference for found in effects])
    text = "\n\n".join(
        [
            f"# What moves the score: {card.name}, {len(effects)} photos",
            "Effect of each region on the score, its Shapley value against the mean colour around it (all replaced: "
            f"{reference:.2f} on average):",
            effects_markdown(rows),
            "What is lost when a region comes from another face:",
            permuted_markdown(costs),
        ]
    )
    (out / "regions.md").write_text(text + "\n", encoding="utf-8")
    return text
