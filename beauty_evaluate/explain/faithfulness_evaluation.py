"""The proof of a network's explanations: on test photos beside controls, or on drawn faces against their rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.datasets.pipeline import load_crops
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import DataError
from beauty_evaluate.explain.faithfulness import (
    CONTROLS,
    FADE_FACES,
    FADED,
    GRID,
    SLOW,
    Case,
    Fading,
    Verdict,
    cell_sums,
    fading,
    measure,
    methods,
    stages,
    values_of,
    verdicts,
)
from beauty_evaluate.explain.region_shapley import Progress
from beauty_evaluate.explain.reliability import FAILED
from beauty_evaluate.faces.regions import regions
from beauty_evaluate.metrics import Estimate, estimates
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.registry import keras_predictor

LEAST = 10  # faces below which an interval over them says nothing


def prove_photos(
    card: Card, folder: Path, names: Sequence[str], n: int, progress: Progress
) -> tuple[str, dict[str, Any]]:
    """The proof on `n` of these photos, drawn by lot: the text of a report, and what it rests on.

    folder: of SCUT-FBP5500. DataError for fewer than LEAST faces.
    """
    data = read_data_set(folder)
    chosen = np.random.default_rng(0).choice(names, n, replace=False)
    crops = load_crops([data.samples[name] for name in chosen], card.config.crop)
    if len(crops.names) < LEAST:
        raise DataError(f"Expected {LEAST} photos with a face or more. Received: {len(crops.names)}.")
    cases = [Case.of(crop, regions(crop, card.config.crop)) for crop in crops.centre]
    judged, faded = prove(registry.load(card), card.config, cases, progress)
    head = f"{len(cases)} photos of the test part of {card.data}, {card.split}, drawn by lot; {len(crops.problems)} "
    head += "more gave no crop."
    return f"{head} {proof_markdown(judged, faded)}", {
        "photos": crops.names,
        "maps": {v.name: words(v, faded[v.name]) for v in judged if v.name in faded},  # what a report says of each
        "measured": [asdict(v) for v in judged],
        "faded": {name: asdict(found) for name, found in faded.items()},
    }


def prove(
    model: keras.Model, config: Config, cases: Sequence[Case], progress: Progress | None = None
) -> tuple[list[Verdict], dict[str, Fading]]:
    """Verdicts on the maps and the controls over the faces, and by map how far it has faded on the first FADE_FACES of
    them, SLOW ones at the last stage alone. Some 3300 passes of the network a face."""
    makers, forward = methods(config), keras_predictor(model)
    explainers = {name: make(model) for name, make in makers.items()}
    measured, maps = [], []
    for i, case in enumerate(cases):
        maps.append({name: cell_sums(explain(case)) for name, explain in explainers.items()})
        measured.append(measure(forward, case, maps[-1], config.flip_tta, i))
        if progress:
            progress(i + 1, len(cases))
    few = cases[:FADE_FACES]
    originals = {name: [m[name] for m in maps[:FADE_FACES]] for name in makers}
    by_stage: dict[str, dict[str, Estimate]] = {name: {} for name in makers}
    sizes: dict[str, float] = {}
    names = stages(model)
    for last in names:
        own = {name: make for name, make in makers.items() if last == names[-1] or name not in SLOW}
        for name, values in fading(model, config, own, few, originals, last).items():
            (by_stage[name][last],) = estimates(values[:, None])
            sizes[name] = float(np.abs(values).mean())
    # the mean size of the correlation of n values in random order, which is close to normal with a variance of 1/(n-1)
    chance = {name: float(np.sqrt(2 / np.pi / (values_of(name, config) - 1))) for name in makers}
    return verdicts(measured), {name: Fading(by_stage[name], sizes[name], chance[name]) for name in makers}


def words(verdict: Verdict, fading: Fading) -> str:
    """What a report says of a map: its verdict beside the controls, and whether it fades."""
    if not verdict.readable:
        return verdict.words
    fades = "fades when the weights are made random"
    return f"{verdict.words}, and {fades}" if fading.faded else f"{FAILED}: it hardly {fades}"


def proof_markdown(judged: Sequence[Verdict], faded: Mapping[str, Fading]) -> str:
    """The tables of `prove`."""
    told = {v.name: words(v, faded[v.name]) for v in judged if v.name in faded}
    lines = [
        "Deletion gap: rating points between deleting first what raises the score and deleting first what lowers it. "
        "Fidelity: correlation of what a map says of random parts of the face with what the score loses without them. "
        f"Deleted are cells of a {GRID} x {GRID} grid, in favour of the mean colour around the region they lie in. "
        "Intervals: 95 %, bootstrap over photos. A map is to be read if both are above those of every control.",
        "",
        "| Map | Deletion gap | Fidelity | Verdict |",
        "| --- | ---: | ---: | --- |",
        *(f"| {v.name} | {v.gap} | {v.fidelity} | {told.get(v.name, 'control')} |" for v in judged),
        "",
        "How far a map is ahead of each control, paired by photo: gap; fidelity.",
        "",
        f"| Map | {' | '.join(CONTROLS)} |",
        f"| --- |{' ---: |' * len(CONTROLS)}",
    ]
    for v in (v for v in judged if v.name in faded):
        lines.append(f"| {v.name} | {' | '.join(f'{gap}; {fidelity}' for gap, fidelity in v.beyond.values())} |")
    names = max((list(found.stages) for found in faded.values()), key=len)
    lines += [
        "",
        "Rank correlation of a map with the original after the weights were made random from the score down to a part, "
        f"mean over faces; after the last, when all are, it must be below {FADED} either way, and its size, sign left "
        f"out, less than {FADED} above what values in random order would give.",
        "",
        f"| Map | {' | '.join(names)} | Size | By chance | Fades |",
        f"| --- |{' ---: |' * len(names)} ---: | ---: | --- |",
    ]
    for name, found in faded.items():
        by = found.stages
        way = " | ".join(f"{by[stage].value:.2f}" if stage in by else "" for stage in names[:-1])
        sizes = f"{by[names[-1]]} | {found.size:.2f} | {found.chance:.2f}"
        lines.append(f"| {name} | {way} | {sizes} | {'yes' if found.faded else 'no'} |")
    return "\n".join(lines)
