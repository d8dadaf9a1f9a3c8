"""What drives the score over a data set: effects of regions on many faces, and what is lost when they are permuted."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.datasets.pipeline import Crops, load_crops
from beauty_evaluate.errors import DataError
from beauty_evaluate.explain.region_shapley import (
    Masks,
    Progress,
    RegionEffects,
    region_effects,
    soft_edges,
)
from beauty_evaluate.explain.region_tables import (
    agreement,
    effect_rows,
    effects_markdown,
    groups_markdown,
    permuted,
    permuted_markdown,
    write_rows,
)
from beauty_evaluate.explain.reliability import Agreement
from beauty_evaluate.faces.landmarks import landmarks
from beauty_evaluate.faces.regions import NAMES, hand_distance, regions
from beauty_evaluate.raters.card import ONNX, Card
from beauty_evaluate.raters.runtime import PredictFn, cores, onnxruntime_predictor
from beauty_evaluate.reporting.filter_gallery import Gallery

LEAST = 3  # faces that can give a region to each other
OTHERS = 2  # faces of any group, drawn by lot, whose regions stand in for those of a face
TOLD = 5  # filters in the text
BY_GROUP = "By group, rating points [95 % interval]:"


def chosen(samples: Sequence[Sample], n: int, seed: int = 0) -> list[Sample]:
    """`n` samples drawn at random, the same for the same seed, in order; all of them if there are no more."""
    picks = np.random.default_rng(seed).permutation(len(samples))[:n]
    return [samples[i] for i in np.sort(picks)]


def explain_data_set(
    card: Card,
    samples: Sequence[Sample],
    layer: str | None,
    out: Path,
    progress: Progress | None = None,
    say: Callable[[str], None] = print,
) -> tuple[str, Agreement]:
    """Tables of regions and filters over photos that the network has not learnt from.

    Regions are replaced in both ways: by the mean colour around them, as in the report of one face, and by those of
    OTHERS other faces. layer: whose filters are shown (default: the last convolution). Writes regions.md, the rows as
    CSV, agreement.json, and what `Gallery.write` writes. Returns the text, and how well the two ways agree. ConfigError
    for a layer that is not there, DataError for fewer than LEAST faces.
    """
    out.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(card, layer)  # a layer that is not there is named now, not after an hour
    crops = load_crops(samples, card.config.crop)
    for problem in crops.problems:
        say(f"problem: {problem}")
    if len(crops.names) < LEAST:
        raise DataError(f"Expected {LEAST} photos with a face or more. Received: {len(crops.names)}.")
    forward, mirror = onnxruntime_predictor(card.file(ONNX), threads=1), card.config.flip_tta
    masks = [regions(crop, card.config.crop) for crop in crops.centre]
    rings, swaps = _both_ways(forward, crops, masks, mirror, progress)
    rows, agreed = effect_rows(rings, crops.groups), agreement(rings, swaps)
    costs = permuted(forward, crops.centre, masks, NAMES, crops.scores.astype(np.float64), mirror)
    write_rows(out / "regions.csv", [*rows, *effect_rows(swaps, crops.groups)])
    write_rows(out / "permuted.csv", costs)
    filters = gallery.write(crops.centre, masks, out)
    (out / "agreement.json").write_text(json.dumps(asdict(agreed), indent=1) + "\n", encoding="utf-8")
    reference = np.mean([found.reference for found in rings])
    text = "\n\n".join(
        [
            f"# What moves the score: {card.name}, {len(rings)} photos",
            "Effect of each region on the score, its Shapley value against the mean colour around it (all replaced: "
            f"{reference:.2f} on average):",
            effects_markdown(rows),
            "What is lost when a region comes from another face:",
            permuted_markdown(costs),
            _covered_words(masks),
            agreed.words(),
            *_landmark_words(crops, card.config.crop),
            "The filters that move scores most:",
            "\n".join(f"- {row.words()}" for row in filters[:TOLD]),
            BY_GROUP,
            groups_markdown(rows),
        ]
    )
    (out / "regions.md").write_text(text + "\n", encoding="utf-8")
    return text, agreed


def _both_ways(
    forward: PredictFn, crops: Crops, masks: Sequence[Masks], mirror: bool, progress: Progress | None
) -> tuple[list[RegionEffects], list[RegionEffects]]:
    """The effects on each face against the mean colour around a region, and against those of other faces."""
    faces = np.arange(len(masks))
    rng = np.random.default_rng(0)
    picks = [rng.permutation(np.delete(faces, i))[:OTHERS] for i in faces]

    def both(i: int) -> tuple[RegionEffects, RegionEffects]:
        others = [crops.centre[k] for k in picks[i]]
        given = (forward, crops.centre[i], masks[i], NAMES, mirror)
        return region_effects(*given), region_effects(*given, others)

    found = []
    with ThreadPoolExecutor(cores()) as pool:  # a face on each core takes less than one on all of them
        for pair in pool.map(both, faces):
            found.append(pair)
            if progress:
                progress(len(found), len(masks))
    return [ring for ring, _ in found], [swap for _, swap in found]


def _landmark_words(crops: Crops, config: CropConfig) -> list[str]:
    """How far the landmarks behind the regions lie from those set by hand, where there are such."""
    known = ~np.isnan(crops.landmarks).any((1, 2))
    if not known.any():
        return []
    pairs = zip(crops.centre[known], crops.landmarks[known] * config.size, strict=True)
    distances = [np.median(hand_distance(landmarks(crop, config), hand)) for crop, hand in pairs]
    middle, most = (100 * float(np.quantile(distances, share)) for share in (0.5, 0.95))
    return [
        f"The outlines behind the regions lie {middle:.1f} % of the eye distance from the points set by hand on "
        "contour, brows, eyes and lips (all but nose, pupils and the top of the forehead; median over "
        f"{len(distances)} faces of the median over points; {most:.1f} % or less on 95 % of the faces)."
    ]


def _covered_words(masks: Sequence[Masks]) -> str:
    """How much of each region is replaced, which soft edges leave to hang on its shape."""
    covered = np.array([[soft_edges(own)[mask].mean() if mask.any() else np.nan for mask in own] for own in masks])
    shares = ", ".join(f"{name} {share:.0%}" for name, share in zip(NAMES, np.nanmean(covered, 0), strict=True))
    return f"Edges are soft, so that a region is not replaced altogether, and thin ones are least: {shares}."
