"""Fine-tuning all weights of a backbone with its head."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.datasets.crops import Crops
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.keras_file import model_predictor
from beauty_evaluate.raters.runtime import predict
from beauty_evaluate.raters.transfer import TransferConfig
from beauty_evaluate.settings import to_json
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.collapse import figures, line
from beauty_evaluate.training.plateau import Plateau

Arrays = list[NDArray[Any]]


@dataclass
class _State:
    """A run after a whole epoch: the numbers beside the weights."""

    history: list[Progress] = field(default_factory=list)
    rate: float = 0.0
    best: float = float("inf")
    waited: int = 0


def fine_tune(
    model: keras.Model,
    config: TransferConfig,
    train: Crops,
    held_back: Crops,
    checkpoint: Path,
    history: list[Progress],
    say: Callable[[str], None],
) -> list[Progress]:
    """Learn all weights, and leave the network as it was in its best epoch on the photos held back.

    Args:
        model: from crops to rating points; it is changed.
        config: the recipe.
        train: padded crops to learn from.
        held_back: crops on which the epoch is chosen.
        checkpoint: file that is written after each epoch; if it is there, the run goes on from it.
        history: epochs of the head's training before this one.
        say: called with lines for a person.

    Returns:
        The history with the new epochs.

    Raises:
        ConfigError: the checkpoint belongs to another run, or is damaged.
    """
    plan = config.fine_tuning
    freeze_batch_norm(model, plan.batch_norm == "frozen")
    model.compile(keras.optimizers.AdamW(plan.learning_rate, weight_decay=plan.weight_decay), "mse")
    model.optimizer.build(model.trainable_variables)
    batches = Batches(train, config.augment, plan.batch_size, plan.seed)
    plateau, predictor = Plateau.of(plan), model_predictor(model)
    digest = hashlib.sha256(repr((to_json(config), train.names, train.scores.tolist())).encode()).hexdigest()
    best: Arrays = model.get_weights()
    state = _State(rate=plateau.rate)
    if checkpoint.exists():
        state, best = _restore(checkpoint, digest, model)
        say(f"going on after epoch {len(history) + len(state.history)}")
    plateau.rate, plateau.best, plateau.waited = state.rate, state.best, state.waited
    for epoch in range(len(state.history), plan.epochs):
        model.optimizer.learning_rate.assign(plateau.rate)
        begin = time.perf_counter()
        loss = _epoch(model, batches, epoch)
        seconds = time.perf_counter() - begin
        scores = predict(predictor, held_back.centre, config.flip_tta)
        held_out = figures(scores, held_back.scores)
        best = model.get_weights() if plateau.is_best(held_out["rmse"]) else best
        number, total = len(history) + epoch + 1, len(history) + plan.epochs
        state.history.append(Progress(number, total, loss, seconds, batches.pictures / seconds, held_out))
        state.rate, state.best, state.waited = plateau.rate, plateau.best, plateau.waited
        _write(checkpoint, digest, state, model, best)
        say(line(state.history[-1]))
    model.set_weights(best)
    return [*history, *state.history]


def freeze_batch_norm(model: keras.Model, frozen: bool) -> None:
    """Whether batch normalisation keeps its statistics in training, as few photos a step ask for."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = not frozen


def _epoch(model: keras.Model, batches: Batches, epoch: int) -> float:
    """One pass over the photos; the mean squared error, rating points squared."""
    model.reset_metrics()
    loss = 0.0
    for batch in batches.epoch(epoch):
        loss = float(model.train_on_batch(batch.pixels.astype(np.float32), batch.scores))
    return loss  # Keras gives the mean over the epoch so far


def _write(path: Path, digest: str, state: _State, model: keras.Model, best: Arrays) -> None:
    """The checkpoint, in one file that is never half written."""
    now = [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]
    arrays: dict[str, Any] = {f"now{i:04d}": array for i, array in enumerate(now)}
    arrays |= {f"best{i:04d}": array for i, array in enumerate(best)}
    about = json.dumps({"digest": digest, **asdict(state)}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, about=np.frombuffer(about, np.uint8), **arrays)
    write_atomic(path, buffer.getbuffer())


def _restore(path: Path, digest: str, model: keras.Model) -> tuple[_State, Arrays]:
    """Weights, optimizer and numbers from a checkpoint, and the best weights."""
    try:
        with np.load(path) as stored:
            about = json.loads(stored["about"].tobytes())
            now, best = ([stored[k] for k in sorted(stored.files) if k.startswith(key)] for key in ("now", "best"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path} is not a checkpoint of this version ({error}). Begin anew in another folder.") from (
            error
        )
    if about.pop("digest") != digest:
        raise ConfigError("The run was begun with other settings or photos. Resume it with those of the first run.")
    count = len(model.weights)
    model.set_weights(now[:count])
    for variable, array in zip(model.optimizer.variables, now[count:], strict=True):
        variable.assign(array)
    history = [Progress(**progress) for progress in about.pop("history")]
    return _State(history, **about), best
