"""One whole training: read, learn, write what travels, look at the test part once, report."""

import datetime
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.datasets import registry, splits
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.pipeline import Crops, load_crops
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.evaluation.evaluate import Evaluation, evaluate, write_predictions
from beauty_evaluate.evaluation.report import write_run_report
from beauty_evaluate.explain.feature_maps import filter_statistics
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.runtime import opencv_predictor
from beauty_evaluate.training.checkpoint import Checkpoint, Progress
from beauty_evaluate.training.export import versions, write_card, write_network
from beauty_evaluate.training.fit import fit

N_CHECKED = 64  # crops on which the exported network is compared with Keras
N_PROBED = 500  # crops over which filters are measured

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What to train. data None: drawn faces. validate: a tenth of the training part is held back and looked at
    instead of the test part. command: the line that started it, for the card."""

    config: Config
    data: Path | None
    split: str
    out: Path
    validate: bool = False
    resume: bool = False
    command: str = ""


def train(job: Job, say: Say = print, progress: Callable[[int, int], None] | None = None) -> Card:
    """Run a training to its end and write everything under `job.out`. Returns the card. Raises UserError."""
    _check_out(job)
    data, split = read_split(job, say)
    crop = job.config.crop
    pad = round(crop.size * job.config.augment.pad)
    say(f"reading {len(split.train)} photos of {data.title}, split {split.name}")
    learnt = load_crops([data.samples[n] for n in split.train], crop, pad, progress)
    held = load_crops([data.samples[n] for n in split.test], crop, pad, progress) if job.validate else None
    for problem in [*data.problems, *learnt.problems, *(held.problems if held else [])]:
        say(f"problem: {problem}")
    job.out.mkdir(parents=True, exist_ok=True)
    model, run = fit(
        job.config, learnt, job.out, held, job.resume, head_commit(), lambda p: say(_line(p, job.validate)), say
    )

    name = job.config.preset if split.name in ("all", "synthetic") else f"{job.config.preset}_{split.name}"
    weights = job.out / "weights"
    onnx = write_network(model, learnt.centre[:N_CHECKED], weights, name, job.config.flip_tta)
    evaluation = evaluate_on_test(job, data, split, onnx, float(learnt.scores.mean()))
    card = _card(job, data, split, learnt, model, run, name, evaluation)
    step = max(1, len(learnt.names) // N_PROBED)
    stats = {f"filters/{k}": v for k, v in filter_statistics(model, learnt.centre[::step]).items()}
    stats["filters/n"] = np.array(len(learnt.centre[::step]))
    stats["labels"] = np.sort([s.score for s in data.samples.values()])
    card = write_card(card, weights, stats)
    if evaluation:
        write_predictions(job.out / "predictions.csv", evaluation)
    say(f"report: {write_run_report(job.out, card, run.history, evaluation)}")
    return card


def _check_out(job: Job) -> None:
    if not job.resume and Checkpoint.path(job.out).exists():
        raise ConfigError(
            f"Expected a new folder. Received: {job.out}, which holds a run; add --resume or change --out."
        )
    if job.out.exists() and not job.out.is_dir():
        raise ConfigError(f"Expected a folder for the run. Received: {job.out}, which is a file.")
    if job.data is None and job.config.crop.geometry != "aligned":
        raise ConfigError(f"Expected --data for the preset {job.config.preset}, which learns from whole photos.")


def read_split(job: Job, say: Say) -> tuple[DataSet, Split]:
    """The photos of a job and which of them are learnt from; drawn ones if it has no data."""
    if job.data is None:
        data = registry.synthetic()
        say(f"no --data: drawing {len(data.samples)} faces whose score follows a known rule")
        split = data.split()
    else:
        data = registry.read(job.data)
        split = data.split(job.split, training=True)
    return data, splits.holdout_split(split) if job.validate else split


def _line(progress: Progress, validate: bool) -> str:
    left = (progress.epochs - progress.epoch) * progress.seconds
    line = (
        f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, {progress.images_per_second:.0f} "
        f"images/s, {datetime.timedelta(seconds=round(left))} left"
    )
    if validate and progress.validation:
        line += "; held back: PC {pearson:.4f}, MAE {mae:.4f}, RMSE {rmse:.4f}".format(**progress.validation)
    return line


def evaluate_on_test(job: Job, data: DataSet, split: Split, onnx: Path, mean: float) -> Evaluation | None:
    """Score the test part with the exported network, and log that it was looked at."""
    if not split.test:
        return None
    evaluation = evaluate(opencv_predictor(onnx), job.config, [data.samples[n] for n in split.test], mean)
    look = {"time": utc_now(), "list": f"{split.name} test", "photos": len(split.test), "commit": head_commit()}
    with open(job.out / "looks.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(look) + "\n")
    return evaluation


def _card(
    job: Job,
    data: DataSet,
    split: Split,
    learnt: Crops,
    model: keras.Model,
    run: Checkpoint,
    name: str,
    evaluation: Evaluation | None,
) -> Card:
    scores, crop = learnt.scores.astype(np.float64), job.config.crop
    return Card(
        name=name,
        data=data.title,
        split=split.name,
        config=job.config,
        precision=run.precision,
        command=job.command,
        commit=run.commit,
        made=utc_now(),
        parameters=model.count_params(),
        seconds=round(sum(p.seconds for p in run.history), 1),
        images_per_second=round(float(np.median([p.images_per_second for p in run.history])), 1),
        trained_on=learnt.names,
        labels={
            "n": len(scores),
            "mean": scores.mean(),
            "sd": scores.std(),
            "min": scores.min(),
            "max": scores.max(),
        },
        metrics=evaluation.figures() if evaluation else {},
        input={"shape": [crop.size, crop.size, 1 if crop.grey else 3], "type": "RGB or grey, 0..255"},
        versions=versions(),
    )


def utc_now() -> str:
    """Date and time for cards and logs."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def head_commit() -> str:
    """The commit the code stands at, `+` if it was changed since; empty outside a repository."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            cwd=here, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except OSError:
        return ""
    return found.stdout.strip()
