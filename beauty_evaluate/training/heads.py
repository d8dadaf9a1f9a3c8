"""Learning a head on features."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import DataError
from beauty_evaluate.metrics import rmse
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.heads import HeadConfig, on_raw, predict_views
from beauty_evaluate.raters.regressors import Dense
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.collapse import figures, line
from beauty_evaluate.training.extract import Extracted
from beauty_evaluate.training.plateau import Plateau

Floats = NDArray[np.floating]


def fit_head(
    data: Extracted, config: HeadConfig, say: Callable[[str], None], epochs: int = 0
) -> tuple[Dense, list[Progress]]:
    """Learn a head; what is chosen is chosen on the photos held back.

    Args:
        data: features and scores.
        config: how.
        say: called with lines for a person.
        epochs: of the whole training, where more than the head learns.

    Returns:
        The head, on features as they are and in rating points, and a record of each epoch; of a ridge, of none.

    Raises:
        DataError: there are no photos to learn from, or none held back.
    """
    if data.held_back.all() or not data.held_back.any():
        raise DataError("There are too few photos: of ten, one is held back, and nine are learnt from.")
    if config.kind == "ridge":
        return _ridge(data, config, say), []
    return _mlp(data, config, say, epochs or config.epochs)


def _moments(features: Floats) -> tuple[Floats, Floats]:
    """Mean and SD of features (n, F); 1 in place of an SD of 0."""
    sd = features.std(0)
    return features.mean(0), np.where(sd > 1e-8, sd, 1.0)


def _ridge(data: Extracted, config: HeadConfig, say: Callable[[str], None]) -> Dense:
    """A line with the penalty that is best on the photos held back, fitted again on all."""
    features = data.features.mean(1).astype(np.float64)
    learnt = ~data.held_back
    lines = ridge_lines(features[learnt], data.scores[learnt], config.alphas)
    errors = [rmse(one(features[data.held_back]), data.scores[data.held_back]) for one in lines]
    alpha = config.alphas[int(np.argmin(errors))]
    say(f"penalty {alpha:g}: RMSE {min(errors):.4f} on {data.held_back.sum()} photos held back")
    return ridge_lines(features, data.scores, (alpha,))[0]


def ridge_lines(features: Floats, scores: Floats, alphas: tuple[float, ...]) -> list[Dense]:
    """The lines of least squared error plus alpha * squared length, on standardised features (Hoerl & Kennard 1970).

    Args:
        features: (n, F).
        scores: (n,), rating points.
        alphas: penalties, as a share of n.

    Example:
        >>> x = np.array([[0.0], [1.0], [2.0]])
        >>> ridge_lines(x, 2 * x[:, 0] + 1, (1e-9,))[0](np.array([[3.0]])).round(3).tolist()
        [7.0]
    """
    mean, sd = _moments(features)
    centre = float(scores.mean())
    u, s, vt = np.linalg.svd((features - mean) / sd, full_matrices=False)
    along = u.T @ (scores - centre)
    lines = []
    for alpha in alphas:
        weight = vt.T @ (along * s / (s**2 + alpha * len(features)))
        lines.append(on_raw(Dense((weight[:, None],), (np.zeros(1),)), mean, sd, centre, 1.0))
    return lines


def layers_of(config: HeadConfig, inputs: Any) -> Any:
    """The head's layers in Keras, on features (N, F); the last is called `score`."""
    x = inputs
    for i, units in enumerate(config.hidden):
        x = keras.layers.Dropout(config.dropout, seed=config.seed + i, name=f"head_dropout{i}")(x)
        initial = keras.initializers.HeNormal(config.seed + i)
        x = keras.layers.Dense(units, "relu", kernel_initializer=initial, name=f"head_fc{i}")(x)
    x = keras.layers.Dropout(config.dropout, seed=config.seed - 1, name="score_dropout")(x)
    initial = keras.initializers.RandomNormal(stddev=1e-3, seed=config.seed)
    return keras.layers.Dense(1, kernel_initializer=initial, name="score")(x)


def dense_of(model: keras.Model, config: HeadConfig) -> list[keras.layers.Dense]:
    """The fully connected layers of `layers_of`."""
    return [model.get_layer(name) for name in (*(f"head_fc{i}" for i in range(len(config.hidden))), "score")]


def _mlp(data: Extracted, config: HeadConfig, say: Callable[[str], None], epochs: int) -> tuple[Dense, list[Progress]]:
    """Fully connected layers, by Adam; of each photo, one of its views in an epoch."""
    learnt = ~data.held_back
    _, views, width = data.features.shape
    mean, sd = _moments(data.features[learnt].reshape(-1, width))
    centre, spread = float(data.scores[learnt].mean()), float(data.scores[learnt].std()) or 1.0
    inputs = keras.Input((width,))
    model = keras.Model(inputs, layers_of(config, inputs))
    plateau = Plateau.of(config)
    model.compile(keras.optimizers.AdamW(plateau.rate, weight_decay=config.weight_decay), "mse")
    x, y = (data.features[learnt] - mean) / sd, (data.scores[learnt] - centre) / spread
    best, history, rng = _head(model, config, mean, sd, centre, spread), [], np.random.default_rng(config.seed)
    for epoch in range(config.epochs):
        begin = time.perf_counter()
        order, losses = rng.permutation(len(x)), []
        for start in range(0, len(x), config.batch_size):
            batch = order[start : start + config.batch_size]
            view = rng.integers(views, size=len(batch))
            losses.append(model.train_on_batch(x[batch, view].astype(np.float32), y[batch]))
        head = _head(model, config, mean, sd, centre, spread)
        held_out = figures(predict_views(head, data.features[data.held_back]), data.scores[data.held_back])
        best = head if plateau.is_best(held_out["rmse"]) else best
        model.optimizer.learning_rate.assign(plateau.rate)
        seconds = time.perf_counter() - begin
        loss = float(losses[-1]) * spread**2  # Keras gives the mean over the epoch so far
        history.append(Progress(epoch + 1, epochs, loss, seconds, len(x) / seconds, held_out))
        say(line(history[-1]))
    return best, history


def _head(model: keras.Model, config: HeadConfig, mean: Floats, sd: Floats, centre: float, spread: float) -> Dense:
    """What a Keras model on standardised features has learnt."""
    kernels, biases = zip(*(layer.get_weights() for layer in dense_of(model, config)), strict=True)
    return on_raw(Dense(kernels, biases), mean, sd, centre, spread)
