"""The official five folds: trainings of one recipe, each with a card and predictions that stay."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import keras

from beauty_evaluate.data.splits import FOLDS
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.models import card as cards
from beauty_evaluate.training.checkpoint import Checkpoint
from beauty_evaluate.training.job import Job, Say, train


def cross_validate(job: Job, keep: Path, lanes: int = 1, say: Say = print) -> None:
    """Train every fold that `keep` does not hold yet, and leave its card and predictions (no labels) there.

    job: its split is not used; `job.out` gets a folder for each fold, and an interrupted one goes on from its last
    finished epoch. lanes: folds trained at once, each on its own share of the cores; on a processor two cores train
    two networks half as fast again as one. ConfigError if `keep` holds a fold of another recipe or from other data.
    """
    waiting = [fold for fold in FOLDS if not _finished(job, keep, fold)]
    for fold in sorted(set(FOLDS) - set(waiting)):
        say(f"{fold}: already in {keep}")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    lanes = min(lanes, max(1, len(waiting)))
    if lanes == 1:
        _lane(waiting, [], job, keep)
        return
    with ProcessPoolExecutor(lanes, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(_lane, waiting[i::lanes], cores[i::lanes], job, keep) for i in range(lanes)]
        for lane in work:
            lane.result()


def _lane(folds: Sequence[str], cores: Sequence[int], job: Job, keep: Path) -> None:
    """One training after another, on these cores alone (none named: on all)."""
    if cores:
        os.sched_setaffinity(0, cores)
    for fold in folds:
        out = job.out / fold
        train(
            replace(job, split=fold, out=out, resume=Checkpoint.path(out).exists(), command=job.command.format(fold)),
            lambda line, fold=fold: print(f"{fold}: {line}", flush=True),  # type: ignore[misc]
        )
        keep_result(out, keep)
        keras.backend.clear_session()


def keep_result(out: Path, keep: Path) -> Path:
    """Copy card and predictions of a finished run: KEEP/NAME.json and KEEP/NAME.csv. Returns the card's path."""
    (card,) = (out / "weights").glob("*.json")
    keep.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(out / "predictions.csv", keep / f"{card.stem}.csv")
    return Path(shutil.copyfile(card, keep / card.name))


def _finished(job: Job, keep: Path, fold: str) -> bool:
    path = keep / f"{job.config.preset}_{fold}.json"
    if not path.exists():
        return False
    if cards.load(str(path)).config != job.config:
        raise ConfigError(f"Expected folds of this recipe in {keep}. Received: {path.name} of another; move it away.")
    return True
