"""The official five folds: trainings of one recipe, each with a card and predictions that stay."""

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import keras

from beauty_evaluate.datasets import scut
from beauty_evaluate.datasets.scut import FOLDS
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import write_whole
from beauty_evaluate.training.checkpoint import Checkpoint
from beauty_evaluate.training.job import Job, Say, train


def cross_validate(job: Job, keep: Path, lanes: int = 1, say: Say = print) -> None:
    """Train every fold that `keep` does not hold yet, and leave its card and predictions (no labels) there.

    job: its split is not used; `job.out` gets a folder for each fold, and an interrupted one goes on from its last
    finished epoch. lanes: folds trained at once, each in a process with its own share of the cores (on Linux; elsewhere
    the system shares them out). ConfigError if `keep` or `job.out` holds a fold of another recipe or from other data,
    or for more lanes than cores.
    """
    waiting = [fold for fold in FOLDS if not _finished(job, keep, fold)]
    for fold in sorted(set(FOLDS) - set(waiting)):
        say(f"{fold}: already in {keep}")
    for fold in waiting:
        _check_begun(job, fold)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if lanes > len(cores):
        raise ConfigError(f"Expected at most a lane for each of the {len(cores)} cores. Received: {lanes}.")
    lanes = min(lanes, len(waiting))
    if lanes < 2:
        for fold in waiting:
            _train_fold(job, keep, fold)
        return
    context = get_context("spawn")
    shares = context.Queue()
    for i in range(lanes):
        shares.put(cores[i::lanes])
    with ProcessPoolExecutor(lanes, context, initializer=_pin, initargs=(shares,)) as pool:
        for done in as_completed([pool.submit(_train_fold, job, keep, fold) for fold in waiting]):
            if done.exception():
                pool.shutdown(wait=False, cancel_futures=True)
            done.result()


def _pin(shares: Any) -> None:
    """Keep this process on its share of the cores; TensorFlow makes as many threads as it may use."""
    cores = shares.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def _train_fold(job: Job, keep: Path, fold: str) -> None:
    out = job.out / fold
    own = replace(job, split=fold, out=out, resume=Checkpoint.path(out).exists(), command=job.command.format(fold))
    train(own, lambda line: print(f"{fold}: {line}", flush=True))
    keep_result(out, keep)
    keras.backend.clear_session()


def keep_result(out: Path, keep: Path) -> Path:
    """Copy predictions and card of a finished run: KEEP/NAME.csv and, last, KEEP/NAME.json. Returns the card's path."""
    (card,) = (out / "weights").glob("*.json")
    keep.mkdir(parents=True, exist_ok=True)
    write_whole(keep / f"{card.stem}.csv", (out / "predictions.csv").read_bytes())
    write_whole(keep / card.name, card.read_bytes())
    return keep / card.name


def _finished(job: Job, keep: Path, fold: str) -> bool:
    path = keep / f"{job.config.preset}_{fold}.json"
    if not path.exists():
        return False
    card = cards.load(str(path))
    if (card.config, card.data) != (job.config, scut.TITLE):
        raise ConfigError(f"Expected folds of this recipe in {keep}. Received: {path.name} of another; move it away.")
    return True


def _check_begun(job: Job, fold: str) -> None:
    """ConfigError now, not after hours, if the fold was begun with another recipe."""
    saved = Checkpoint.read(job.out / fold)
    if saved and saved.config != job.config:
        raise ConfigError(f"Expected the recipe of the run in {job.out / fold}. Received: another; change --out.")
