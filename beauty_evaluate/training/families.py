"""How each family of raters learns. A new one is a file with `fit` and a row here."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from beauty_evaluate.config import RaterConfig
from beauty_evaluate.datasets.mixture import Mixture
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.evaluation.evaluate import assert_no_leakage
from beauty_evaluate.files import sha256
from beauty_evaluate.presets import PRESETS
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Artifact, Card, photo_hash
from beauty_evaluate.raters.ensemble import EnsembleConfig
from beauty_evaluate.raters.language_model import LanguageModelConfig
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.raters.zero_shot import ZeroShotConfig
from beauty_evaluate.training import (
    ensemble,
    features,
    fusion,
    geometry,
    language_model,
    mean_baseline,
    sub_scores,
    transfer,
    zero_shot,
)
from beauty_evaluate.training.export import versions
from beauty_evaluate.training.fit import Say
from beauty_evaluate.training.job import Job, TrainingRun, divided, train
from beauty_evaluate.training.lesson import FamilyTraining, Learnt, Lesson
from beauty_evaluate.training.provenance import card_name, head_commit, learnt_from, utc_now
from beauty_evaluate.training.test_part import evaluate_on_test

HELD_BACK = 10  # one photo in so many, on which things are chosen
SEED = 1  # of that choice

TRAININGS: dict[str, FamilyTraining] = {
    "ensemble": FamilyTraining(ensemble.fit, {"ensemble": EnsembleConfig()}),
    "mean_baseline": FamilyTraining(mean_baseline.fit, {"mean_baseline": MeanBaselineConfig()}),
    "zero_shot": FamilyTraining(zero_shot.fit, {"clip_zero_shot": ZeroShotConfig()}),
    "language_model": FamilyTraining(language_model.fit, {"language_model": LanguageModelConfig()}),
    "geometry": FamilyTraining(geometry.fit, {**geometry.PRESETS}),
    "sub_scores": FamilyTraining(sub_scores.fit, {**sub_scores.PRESETS}),
    "fusion": FamilyTraining(fusion.fit, {**fusion.PRESETS}),
    "transfer": FamilyTraining(transfer.fit, {**transfer.PRESETS}),
    "features": FamilyTraining(features.fit, {**features.PRESETS}),
}


def _silent(line: str) -> None:
    """Say nothing."""


def recipe(name: str) -> RaterConfig:
    """The recipe of that name, of any family; ConfigError names those there are.

    Example:
        >>> recipe("mean_baseline").family, recipe("article").family
        ('mean_baseline', 'network')
    """
    presets: dict[str, RaterConfig] = {**PRESETS}
    for training in TRAININGS.values():
        presets |= training.presets
    if name not in presets:
        raise ConfigError(f"There is no preset {name}; there are {', '.join(presets)}.")
    return presets[name]


def train_rater(job: Job, say: Say = _silent, progress: Callable[[int, int], None] | None = None) -> TrainingRun:
    """Train a rater of any family to its end, and look at the test part once.

    Args:
        job: what to train.
        say: called with lines for a person.
        progress: called with the photos read and all, where a network reads them.

    Raises:
        UserError: a mistake that the user can mend.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from beauty_evaluate.datasets import synthetic
        >>> run = train_rater(Job(recipe("mean_baseline"), (synthetic.draw(20),), Path(tempfile.mkdtemp(), "run")))
        >>> run.card.name, round(run.card.config.mean, 1)
        ('mean_baseline_synthetic', 3.0)
    """
    family = job.config.family
    if family not in TRAININGS:
        return train(job, say, progress)
    if job.start:
        raise ConfigError(f"A rater of the family {family} begins with no other weights. Leave out --from.")
    if job.out.exists() and not job.out.is_dir():
        raise ConfigError(f"{job.out} is a file. Name a folder for the run.")
    mixture, _ = divided(job)
    name, folder = card_name(job.config.preset, mixture), job.out / "weights"
    if not job.resume and (folder / f"{name}.json").exists():
        raise ConfigError(f"{job.out} holds a run already. Add --resume or change --out.")
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    learnt = TRAININGS[family].fit(_lesson(job, mixture, name, folder, say))
    for problem in learnt.problems:
        say(f"problem: {problem}")
    card = _card(job, mixture, name, learnt, time.perf_counter() - begin)
    parts = replace(card, trained_on=learnt.learnt_before)  # raters of ours that it is made of
    for part in mixture.parts:
        assert_no_leakage(parts, part.data, part.split.test)
    cards.write(card)
    evaluations = evaluate_on_test(registry.of_card(card), mixture, job.out)
    card = replace(card, metrics={title: evaluation.metrics() for title, evaluation in evaluations.items()})
    cards.write(card)
    return TrainingRun(card, learnt.history, evaluations, tuple(map(str, learnt.problems)), job.out)


def _lesson(job: Job, mixture: Mixture, name: str, folder: Path, say: Say) -> Lesson:
    samples, keys = [], []
    for part in mixture.parts:
        say(f"learning from {len(part.split.train)} photos of {part.title}, split {part.split.name}")
        samples += mixture.samples(part, part.split.train)
        keys += [photo_hash(part.title, photo) for photo in part.split.train]
    held_back = np.zeros(len(samples), bool)
    held_back[np.random.default_rng(SEED).permutation(len(samples))[: len(samples) // HELD_BACK]] = True
    return Lesson(job.config, name, mixture.scale, tuple(samples), tuple(keys), held_back, folder, job.resume, say)


def _card(job: Job, mixture: Mixture, name: str, learnt: Learnt, seconds: float) -> Card:
    """The card but for figures."""
    trained_on = tuple(learnt_from(mixture, part, learnt.names) for part in mixture.parts) + learnt.learnt_before
    artifacts = {key: Artifact(path.name, sha256(path)) for key, path in learnt.artifacts.items()}
    return Card(
        name=name,
        config=learnt.config,
        scale=mixture.scale,
        trained_on=trained_on,
        artifacts=artifacts,
        command=job.command,
        commit=head_commit(),
        made=utc_now(),
        parameters=learnt.parameters,
        seconds=round(seconds, 1),
        started_from=learnt.started_from,
        versions=versions(),
        folder=job.out / "weights",
    )
