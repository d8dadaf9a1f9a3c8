"""One whole pruning: read, choose, cut, mend, write what travels, compare before and after."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.pipeline import load_crops
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.evaluation.report import cell
from beauty_evaluate.explain.feature_maps import filter_statistics
from beauty_evaluate.images import Picture
from beauty_evaluate.metrics import summary
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import ONNX, Card
from beauty_evaluate.raters.runtime import opencv_predictor, predict
from beauty_evaluate.training import prune
from beauty_evaluate.training.export import versions, write_card, write_network
from beauty_evaluate.training.job import N_CHECKED, Job, Say, evaluate_on_test, head_commit, read_split, utc_now

N_FITTED = 1000  # crops that the layers are mended on; each takes about a megabyte
N_PROBED = 300  # of them, those that importance is measured on
N_HELD = 200  # further crops, on which the two networks are compared
ROUNDS = 50  # of timing each network once
VALIDATED = "-val"  # ending of the splits that hold back a tenth


@dataclass(frozen=True)
class PruneJob:
    """What to prune. data None: drawn faces. speed: times as fast as now, as `prune.cost` has it. command: the line
    that started it, for the card."""

    card: Card
    data: Path | None
    out: Path
    speed: float
    command: str = ""


def run(job: PruneJob, say: Say = print, progress: Callable[[int, int], None] | None = None) -> Card:
    """Prune a network and write the smaller one and `report.md` under `job.out`. Returns its card.

    All that shapes it comes from photos that the network has learnt from; the test part of its split is looked at
    once, with the finished network. Raises UserError.
    """
    name = f"{job.card.name}_pruned"
    _check(job, name)
    split = job.card.split.removesuffix(VALIDATED)
    source = Job(job.card.config, job.data, split, job.out, job.card.split.endswith(VALIDATED))
    data, parts = read_split(source, say)
    crops = _learnt_crops(job.card, data, progress)
    held = max(1, min(N_HELD, len(crops) // 5))
    fitted, held_crops = crops[held:], crops[:held]
    model = registry.load(job.card)
    small, kept = _pruned(model, job, fitted, say)
    config = prune.smaller(job.card.config, kept)
    onnx = write_network(small, held_crops[:N_CHECKED], job.out, name, config.flip_tta)
    evaluation = evaluate_on_test(replace(source, config=config), data, parts, onnx, job.card.labels["mean"])
    stats = {f"filters/{k}": v for k, v in filter_statistics(small, fitted).items()}
    card = replace(
        job.card,
        name=name,
        config=config,
        command=job.command,
        commit=head_commit(),
        made=utc_now(),
        parameters=small.count_params(),
        metrics=evaluation.figures() if evaluation else {},
        versions=versions(),
        interval={},  # what was measured on the larger network
        explanations={},
    )
    card = write_card(card, job.out, {**stats, "filters/n": np.array(len(fitted)), **job.card.stats("labels")})
    report = compare(job.card, card, held_crops)
    (job.out / "report.md").write_text(report + "\n", encoding="utf-8")
    say(report)
    return card


def _check(job: PruneJob, name: str) -> None:
    card = job.card
    if not job.speed >= 1:
        raise ConfigError(f"Expected a speed of at least 1, times this network's. Received: {job.speed:g}.")
    if card.config.network.kind != "six_block":
        raise ConfigError(f"Expected a network of the kind six_block. Received: {card.config.network.kind}.")
    if (job.out / f"{name}.json").exists():
        raise ConfigError(f"Expected a folder without {name}. Received: {job.out}, which holds it; change --out.")
    if job.data is None and card.split.removesuffix(VALIDATED) != "synthetic":
        raise ConfigError(f"Expected --data with the photos {card.name} has learnt from, {card.data}. Received: none.")


def _learnt_crops(card: Card, data: DataSet, progress: Callable[[int, int], None] | None) -> Picture:
    """Crops of photos that the network has learnt from, never of others, every second one mirrored, in random order:
    a score is the mean over both."""
    unknown = [name for name in card.trained_on if name not in data.samples]
    if unknown or data.title != card.data:
        what = unknown[0] if unknown else card.data
        raise DataError(f"Expected the photos {card.name} has learnt from. Received: {data.title} without {what}.")
    order = np.random.default_rng(0).permutation(len(card.trained_on))[: N_FITTED + N_HELD]
    crops = load_crops([data.samples[card.trained_on[i]] for i in order], card.config.crop, progress=progress).centre
    if len(crops) < 2:
        raise DataError(f"Expected at least 2 photos with a face to prune {card.name} on. Received: {len(crops)}.")
    crops[::2] = crops[::2, :, ::-1].copy() if card.config.flip_tta else crops[::2]
    return crops


def _pruned(model: keras.Model, job: PruneJob, crops: Picture, say: Say) -> tuple[keras.Model, prune.Kept]:
    config = job.card.config
    say(f"measuring each channel on {min(N_PROBED, len(crops))} photos, mending on {len(crops)}")
    found = prune.importance(model, crops[:N_PROBED])
    kept = prune.choose(found, config, job.speed)
    for group, values in found.items():
        say(f"{group}: {len(kept[group])} of {len(values)} channels stay; {(values == 0).sum()} were silent")
    small = prune.cut(model, config, kept)
    prune.refit(model, small, kept, crops)
    return small, kept


def compare(before: Card, after: Card, crops: Picture) -> str:
    """Size, speed and accuracy of two networks as a Markdown table, and how well they agree on `crops`."""
    cards = (before, after)
    forwards = [opencv_predictor(card.file(ONNX)) for card in cards]
    times: list[list[float]] = [[], []]
    for i in range(ROUNDS + 1):  # in turn, so that what else the machine does slows both
        for forward, spent in zip(forwards, times, strict=True):
            start = time.perf_counter()
            predict(forward, crops[i % len(crops)][None], before.config.flip_tta)
            spent.append(1000 * (time.perf_counter() - start))
    middle = [float(np.median(spent[1:])) for spent in times]
    ratio = float(np.median(np.array(times[0][1:]) / np.array(times[1][1:])))
    rows = [
        ("parameters", *(f"{card.parameters:,}" for card in cards)),
        ("ONNX file, MB", *(f"{card.file(ONNX).stat().st_size / 1e6:.2f}" for card in cards)),
        ("ms a face (median)", *(f"{value:.1f}" for value in middle)),
    ]
    if before.metrics and after.metrics:
        figures = [card.metrics["all"] for card in cards]
        rows += [(key, *(cell(f[name]) for f in figures)) for key, name in (("PC", "pearson"), ("MAE", "mae"))]
    ours, theirs = (predict(forward, crops, before.config.flip_tta) for forward in forwards)
    agreement = summary(theirs, ours)
    lines = [f"| | {before.name} | {after.name} |", "| --- | ---: | ---: |"]
    lines += [f"| {key} | {old} | {new} |" for key, old, new in rows]
    lines += ["", f"{ratio:.2f} times as fast (median over {ROUNDS} pairs of runs). On {len(crops)} photos learnt from"]
    correlation, difference = cell(agreement["pearson"]), cell(agreement["mae"])
    lines += [f"but not used here, the two correlate {correlation} and differ by {difference} on average."]
    return "\n".join(lines)
