"""One whole pruning: read, choose, cut, mend, write what travels, compare before and after."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.mixture import Mixture, mix
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.images import Picture
from beauty_evaluate.metrics import summary
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.raters.statistics import feature_statistics, filter_statistics
from beauty_evaluate.training import prune
from beauty_evaluate.training.export import network_bytes, versions, write_card, write_network
from beauty_evaluate.training.fit import Say
from beauty_evaluate.training.job import N_CHECKED
from beauty_evaluate.training.provenance import head_commit, utc_now
from beauty_evaluate.training.test_part import evaluate_on_test

N_FITTED = 1000  # crops that the layers are mended on; each takes about a megabyte
N_PROBED = 300  # of them, those that importance is measured on
N_HELD = 200  # further crops, on which the two networks are compared
ROUNDS = 50  # of timing each network once
VALIDATED = "-val"  # ending of the splits that hold back a tenth


@dataclass(frozen=True)
class PruneJob:
    """What to prune.

    Attributes:
        rater: a network of the kind `six_block`.
        data: the data set that it has learnt from first.
        out: folder of the result.
        speed: times as fast as now, as `prune.cost` has it; 1: only what is silent goes.
        command: the line that started it, for the card.
    """

    rater: Rater
    data: DataSet
    out: Path
    speed: float
    command: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two networks side by side, the first before and the second after.

    Attributes:
        milliseconds: for a face, medians.
        bytes: of the exported files.
        speed: how many times as fast the second is, the median over pairs of runs.
        photos: that the network has learnt from, on which their scores are compared.
        pearson: how well the scores agree; None if one side does not vary.
        difference: mean absolute difference of the scores, rating points.
    """

    milliseconds: tuple[float, float]
    bytes: tuple[int, int]
    speed: float
    photos: int
    pearson: float | None
    difference: float


@dataclass(frozen=True)
class PruneRun:
    """What a pruning left: the cards before and after, how they compare, and the look at the test part."""

    before: Card
    card: Card
    comparison: Comparison
    evaluations: dict[str, Evaluation]


def run(job: PruneJob, say: Say, progress: Callable[[int, int], None] | None = None) -> PruneRun:
    """Prune a network and write the smaller one under `job.out`.

    All that shapes it comes from photos that the network has learnt from; the test part of its split is looked at
    once, with the finished network.

    Args:
        job: what to prune.
        say: called with lines for a person.
        progress: called with the photos read and all.

    Raises:
        UserError: a mistake that the user can mend.
    """
    card, network = job.rater.card, network_of(job.rater, "Pruned networks")
    name = f"{card.name}_pruned"
    _check(job, network.config, name)
    crops = _learnt_crops(card, network.config, job.data, progress)
    held = max(1, min(N_HELD, len(crops) // 5))
    fitted, held_crops = crops[held:], crops[:held]
    model = network.keras_model()
    small, kept = _pruned(model, network.config, job.speed, fitted, say)
    smaller = replace(
        card,
        name=name,
        config=prune.smaller(network.config, kept),
        command=job.command,
        commit=head_commit(),
        made=utc_now(),
        parameters=small.count_params(),
        metrics={},
        versions=versions(),
        interval={},  # what was measured on the larger network
        explanations={},
        folder=job.out,
    )
    smaller = write_network(small, held_crops[:N_CHECKED], smaller)
    stats = {f"filters/{key}": value for key, value in filter_statistics(small, fitted).items()}
    stats |= feature_statistics(small, fitted, (card.data,) * len(fitted))
    smaller = write_card(smaller, {**stats, "filters/n": np.array(len(fitted)), **card.stats("labels")})
    evaluations = evaluate_on_test(registry.of_card(smaller), _mixture(card, job.data), job.out)
    smaller = replace(smaller, metrics={title: evaluation.metrics() for title, evaluation in evaluations.items()})
    cards.write(smaller)
    return PruneRun(card, smaller, compare(card, smaller, held_crops), evaluations)


def _check(job: PruneJob, config: Config, name: str) -> None:
    card = job.rater.card
    if not job.speed >= 1:
        raise ConfigError(f"--speed takes 1 or more, times this network's speed, not {job.speed:g}.")
    if config.network.kind != "six_block":
        raise ConfigError(f"{card.name} is of the kind {config.network.kind}. Name a network of the kind six_block.")
    if (job.out / f"{name}.json").exists():
        raise ConfigError(f"{job.out} holds {name} already. Change --out.")
    if job.data.title != card.data:
        raise DataError(f"{card.name} has learnt from {card.data}, and --data is {job.data.title}. Name those photos.")


def _mixture(card: Card, data: DataSet) -> Mixture:
    """The data set with the split of the card."""
    mixture = mix([data], [card.split.removesuffix(VALIDATED)])
    return mixture.holdout() if card.split.endswith(VALIDATED) else mixture


def _learnt_crops(card: Card, config: Config, data: DataSet, progress: Callable[[int, int], None] | None) -> Picture:
    """Crops of photos that the network has learnt from, never of others, every second one mirrored, in random order:
    a score is the mean over both."""
    names, wanted = sorted(card.knows(data.title, data.samples)), len(card.trained_on[0].photos)
    if len(names) < wanted:
        raise DataError(
            f"{card.name} has learnt from {wanted} photos of {data.title}, and {wanted - len(names)} of them are "
            "missing here. Restore them."
        )
    order = np.random.default_rng(0).permutation(len(names))[: N_FITTED + N_HELD]
    crops = load_crops([data.samples[names[i]] for i in order], config.crop, progress=progress).centre
    if len(crops) < 2:
        raise DataError(f"{len(crops)} photos with a face are too few to prune {card.name} on. It takes 2 or more.")
    if config.flip_tta:
        crops[::2] = crops[::2, :, ::-1].copy()
    return crops


def _pruned(
    model: keras.Model, config: Config, speed: float, crops: Picture, say: Say
) -> tuple[keras.Model, prune.Kept]:
    say(f"measuring each channel on {min(N_PROBED, len(crops))} photos, mending on {len(crops)}")
    importance = prune.importance(model, crops[:N_PROBED])
    kept = prune.choose(importance, config, speed)
    for group, values in importance.items():
        say(f"{group}: {len(kept[group])} of {len(values)} channels stay; {(values == 0).sum()} were silent")
    small = prune.cut(model, config, kept)
    prune.refit(model, small, kept, crops)
    return small, kept


def compare(before: Card, after: Card, crops: Picture) -> Comparison:
    """Time two networks in turn, and set their scores side by side.

    Args:
        before: of the larger network.
        after: of the smaller one.
        crops: uint8 (N, size, size, C).
    """
    networks = [NetworkRater(card) for card in (before, after)]
    times: list[list[float]] = [[], []]
    for i in range(ROUNDS + 1):  # in turn, so that what else the machine does slows both
        for network, spent in zip(networks, times, strict=True):
            start = time.perf_counter()
            network.predict(crops[i % len(crops)][None])
            spent.append(1000 * (time.perf_counter() - start))
    first, second = (np.array(spent[1:]) for spent in times)
    agreement = summary(networks[1].predict(crops), networks[0].predict(crops))
    pearson = agreement["pearson"]
    return Comparison(
        (float(np.median(first)), float(np.median(second))),
        (network_bytes(before), network_bytes(after)),
        float(np.median(first / second)),
        len(crops),
        None if np.isnan(pearson) else pearson,
        agreement["mae"],
    )
