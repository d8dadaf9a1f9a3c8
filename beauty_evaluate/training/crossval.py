"""The official folds of a data set: trainings of one recipe, each with a card and predictions that stay."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from beauty_evaluate.datasets.mixture import run_name
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.evaluation.predictions import held_out_path
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.training.checkpoint import Checkpoint
from beauty_evaluate.training.fit import Say
from beauty_evaluate.training.job import Job, TrainingRun, train
from beauty_evaluate.training.test_part import predictions_path


def cross_validate(job: Job, keep: Path, parallel_folds: int = 1, say: Say = print) -> Iterator[TrainingRun]:
    """Train every fold that `keep` does not hold yet, and leave its card and predictions (no labels) there.

    Args:
        job: its splits are not used: the first data set gives the folds, another one its split of the same name, or
            else its own for training; `job.out` gets a folder for each fold, and an interrupted one goes on from its
            last finished epoch.
        keep: where KEEP/NAME.csv and KEEP/NAME.json stay.
        parallel_folds: folds trained at once, each in a process with its own share of the cores (on Linux; elsewhere
            the system shares them out).
        say: called with lines for a person; with several folds at once, in their processes, so that it must be a
            function of a module.

    Yields:
        Each fold's training as it ends.

    Raises:
        ConfigError: the data set has no folds, `keep` or `job.out` holds a fold of another recipe or from other data,
            or there are fewer cores than parallel folds.
    """
    if not job.data[0].folds:
        raise ConfigError(f"{job.data[0].title} has no official folds. Leave out --split cv, or name such a set first.")
    waiting = [fold for fold in job.data[0].folds if not _finished(job, keep, fold)]
    for fold in sorted(set(job.data[0].folds) - set(waiting)):
        say(f"{fold}: already in {keep}")
    for fold in waiting:
        _check_begun(job, fold)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if parallel_folds > len(cores):
        raise ConfigError(f"There are {len(cores)} cores here, so that --lanes takes 1 to {len(cores)}.")
    parallel_folds = min(parallel_folds, len(waiting))
    if parallel_folds < 2:
        return (_train_fold(job, keep, fold, say) for fold in waiting)
    return _in_parallel(job, keep, waiting, [cores[i::parallel_folds] for i in range(parallel_folds)], say)


def _in_parallel(
    job: Job, keep: Path, folds: Sequence[str], shares: Sequence[list[int]], say: Say
) -> Iterator[TrainingRun]:
    context = get_context("spawn")
    queue = context.Queue()
    for share in shares:
        queue.put(share)
    with ProcessPoolExecutor(len(shares), context, initializer=_pin, initargs=(queue,)) as pool:
        for done in as_completed([pool.submit(_train_fold, job, keep, fold, say) for fold in folds]):
            if done.exception():
                pool.shutdown(wait=False, cancel_futures=True)
            yield done.result()


def _pin(shares: Any) -> None:
    """Keep this process on its share of the cores; TensorFlow makes as many threads as it may use."""
    cores = shares.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


@dataclass(frozen=True)
class _Prefixed:
    """Says lines with the fold before them; it can be pickled where `say` can."""

    fold: str
    say: Say

    def __call__(self, line: str) -> None:
        self.say(f"{self.fold}: {line}")


def _train_fold(job: Job, keep: Path, fold: str, say: Say) -> TrainingRun:
    out = job.out / fold
    resume = Checkpoint.path(out).exists()
    splits = tuple(fold if fold in data.split_names else None for data in job.data)
    fold_job = replace(job, splits=splits, out=out, resume=resume, command=job.command.format(fold))
    run = train(fold_job, _Prefixed(fold, say))
    keep_result(run, keep)
    keras.backend.clear_session()
    return run


def keep_result(run: TrainingRun, keep: Path) -> Path:
    """Copy predictions, measurements and card of a finished run: KEEP/NAME.csv, KEEP/NAME_held_out.csv and, last,
    KEEP/NAME.json.

    Returns:
        The path of the card.
    """
    keep.mkdir(parents=True, exist_ok=True)
    write_atomic(keep / f"{run.card.name}.csv", predictions_path(run.out, list(run.evaluations)).read_bytes())
    table = held_out_path(run.card.path)
    write_atomic(keep / table.name, table.read_bytes())
    write_atomic(keep / run.card.path.name, run.card.path.read_bytes())
    return keep / run.card.path.name


def _finished(job: Job, keep: Path, fold: str) -> bool:
    path = keep / f"{run_name(job.config.preset, fold)}.json"
    if not path.exists():
        return False
    card = registry.load_card(str(path))
    learnt = [part.data_set for part in card.trained_on]
    if (card.config, learnt) != (job.config, [data.title for data in job.data]):
        raise ConfigError(f"{keep} holds {path.name} of another recipe or other photos. Move it, or change --keep.")
    return True


def _check_begun(job: Job, fold: str) -> None:
    """ConfigError now, not after hours, if the fold was begun with another recipe."""
    saved = Checkpoint.read(job.out / fold)
    if saved and saved.config != job.config:
        raise ConfigError(f"The run in {job.out / fold} was begun with another recipe. Change --out.")
