"""The training loop: one step, one epoch, and a checkpoint after each."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.datasets.crops import Crops
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.errors import DataError
from beauty_evaluate.metrics import summary
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.runtime import predict
from beauty_evaluate.training.checkpoint import Checkpoint, Progress
from beauty_evaluate.training.learner import Learner, Start

TRIAL_STEPS = 3
LONG_ENOUGH = 1e13  # multiplications of a whole training below which a trial of the precision costs more than it gains
BFLOAT16 = {"avx512_bf16", "amx_bf16", "avx_ne_convert"}  # abilities of x86 processors that multiply it
FEW = 100  # held-out photos, or epochs divided by ten, up to which every epoch is looked at
EVERY = 5  # epochs between two looks at more photos than that

Say = Callable[[str], None]


def fit(
    config: Config,
    train: Crops,
    out: Path,
    validation: Crops | None = None,
    resume: bool = False,
    commit: str = "",
    start: Start | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    say: Say = lambda line: None,
) -> tuple[keras.Model, Checkpoint]:
    """Train for `config.training.epochs` epochs, with a checkpoint in `out` after each.

    Args:
        config: the recipe.
        train: what is learnt from.
        out: folder of the run, which is there.
        validation: photos for the held-out curve; nothing is chosen by them.
        resume: go on from the checkpoint; on the same machine the weights become bit for bit those of an uninterrupted
            run.
        commit: of the code, kept in the checkpoint.
        start: weights to begin with.
        report: called after each epoch.
        say: called with a line for a person.

    Returns:
        The Keras network in float32 with the averaged weights, and the last checkpoint.

    Raises:
        ConfigError: the checkpoint is damaged, or belongs to another recipe or other photos.
        DataError: there is nothing to learn from.

    Example:
        >>> import tempfile
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.settings import with_settings
        >>> from beauty_evaluate.datasets import synthetic
        >>> from beauty_evaluate.datasets.crops import load_crops
        >>> config = with_settings(preset("synthetic"), ["training.epochs=1"])
        >>> crops = load_crops(list(synthetic.draw(8).samples.values()), config.crop, pad=10)
        >>> model, run = fit(config, crops, Path(tempfile.mkdtemp()))
        >>> model.output_shape, run.history[0].epoch
        ((None, 1), 1)
    """
    if not train.names:
        raise DataError("There is nothing to learn from: no photo shows a face that was found.")
    tf.config.experimental.enable_op_determinism()
    photos = _digest(train, start)
    saved = _saved(config, photos, out, say) if resume else None
    plan = config.training
    batches = Batches(train, config.augment, plan.batch_size, plan.seed, plan.views_per_epoch, plan.passes)
    precision = saved.precision if saved else _fastest_precision(config, batches, say)
    say(f"precision: {precision}")
    learner = Learner(config, batches, precision, start)
    state = saved or Checkpoint(config, photos, commit, precision, [], [])
    if saved:
        learner.restore(saved.arrays)
    for epoch in range(len(state.history), plan.epochs):
        begin = time.perf_counter()
        loss = learner.epoch(epoch)
        seconds = time.perf_counter() - begin
        done = Progress(epoch + 1, plan.epochs, loss, seconds, batches.pictures / seconds)
        if validation is not None and _is_looked_at(epoch, plan.epochs, len(validation.names)):
            scores = predict(learner.predictor(), validation.centre, config.flip_tta)
            done.validation = summary(scores, validation.scores)
        state = replace(state, history=[*state.history, done], arrays=learner.arrays())
        state.write(out)
        report(done)
    return learner.finished(), state


def _fastest_precision(config: Config, batches: Batches, say: Say) -> str:
    if config.training.precision == "auto" and emulates_bfloat16():  # a step takes a minute, only to lose the trial
        return "float32"
    steps = batches.steps * config.training.epochs
    return choose_precision(config, steps, lambda name: step_seconds(config, batches, name), say)


def _saved(config: Config, photos: str, out: Path, say: Say) -> Checkpoint | None:
    """The checkpoint to go on from, None if there is none yet. Raises ConfigError."""
    saved = Checkpoint.read(out)
    if saved is None:
        say(f"no checkpoint in {out}: beginning at epoch 1")
        return None
    saved.check(config, photos)
    say(f"going on after epoch {len(saved.history)}")
    return saved


def _is_looked_at(epoch: int, epochs: int, photos: int) -> bool:
    """Whether the held-out photos are scored after an epoch: a look at many of them costs as much as a step or two."""
    return photos <= FEW or 10 * epochs <= FEW or epoch % EVERY == EVERY - 1 or epoch + 1 == epochs


def _digest(crops: Crops, start: Start | None) -> str:
    """What a run learns from and begins with, as a hash."""
    parts: tuple[Any, ...] = (crops.names, crops.scores.tolist(), crops.pad)
    return hashlib.sha256(repr(parts if start is None else (*parts, start.name)).encode()).hexdigest()


def choose_precision(config: Config, steps: int, trial: Callable[[str], float], say: Say = lambda line: None) -> str:
    """`float32` or `mixed_bfloat16`: as configured, or the faster in a short trial if the training is long.

    Args:
        config: the recipe.
        steps: of the whole training.
        trial: seconds of a step at a precision.
        say: called with the times of the trial.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> seconds = {"float32": 0.2, "mixed_bfloat16": 0.1}
        >>> [choose_precision(preset("six_block"), steps, seconds.get) for steps in (10, 100_000)]
        ['float32', 'mixed_bfloat16']
    """
    if config.training.precision != "auto":
        return config.training.precision
    size, channels = config.crop.size, config.network.channels
    work = steps * config.training.batch_size * size**2 * channels[0] * channels[1] * 9
    if work < LONG_ENOUGH:
        return "float32"
    times = {name: trial(name) for name in ("float32", "mixed_bfloat16")}
    say("precision trial: " + ", ".join(f"{name} {1000 * t:.0f} ms a step" for name, t in times.items()))
    return min(times, key=lambda name: times[name])


def emulates_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor says what it can do, and bfloat16 is not among it.

    Args:
        cpuinfo: the file in which Linux lists a processor's abilities; elsewhere there is none.

    Example:
        >>> emulates_bfloat16(Path("nowhere"))
        False
    """
    try:
        flags = [line.split() for line in cpuinfo.read_text().splitlines() if line.startswith("flags")]
    except OSError:
        return False
    return bool(flags) and not BFLOAT16 & set(flags[0])


def step_seconds(config: Config, batches: Batches, precision: str) -> float:
    """Seconds of one training step at a precision, the median of a few."""
    learner, batch = Learner(config, batches, precision), next(batches.epoch(0))
    times = []
    for _ in range(TRIAL_STEPS + 1):
        start = time.perf_counter()
        learner.step(*batch, tf.constant(0.9)).numpy()
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))
