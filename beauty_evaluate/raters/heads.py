"""What makes a score of features: a line or a small network, run by NumPy alone."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.raters.regressors import Dense, regressor
from beauty_evaluate.settings import Checked, within


@dataclass(frozen=True)
class HeadConfig(Checked):
    """How features become a score.

    Attributes:
        kind: `ridge`, a line, in closed form; `mlp`, fully connected layers with ReLU, learnt step by step.
        alphas: of the ridge: penalties on standardised features, as a share of the number of photos, of which the one
            that is best on the photos held back is taken.
        hidden: of the mlp: units of its hidden layers; none: a line.
        dropout: in front of each of its layers.
        epochs: passes over the photos; of all, the one that is best on the photos held back is kept.
        plateau: epochs without a better loss after which the rate is multiplied by `plateau_factor`, down to `floor`.
    """

    kind: Literal["ridge", "mlp"] = "mlp"
    alphas: tuple[float, ...] = within((1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0), 0, above=True)
    hidden: tuple[int, ...] = within((), 1)
    dropout: float = within(0.2, 0, 0.99)
    epochs: int = within(30, 0)
    learning_rate: float = within(1e-3, 0, above=True)
    batch_size: int = within(32, 1)
    weight_decay: float = within(0.0, 0)
    plateau: int = within(2, 1)
    plateau_factor: float = within(0.1, 0, 1, above=True)
    floor: float = within(1e-5, 0)
    seed: int = within(1, 0)


def predict_views(head: Dense, features: NDArray[Any]) -> NDArray[np.float64]:
    """Rating points float64 (N,) of features (N, views, F): the mean over the views.

    Example:
        >>> head = Dense((np.array([[2.0]]),), (np.array([3.0]),))
        >>> predict_views(head, np.array([[[0.0], [1.0]]])).tolist()
        [4.0]
    """
    n, views, _ = features.shape
    rows = np.asarray(features.reshape(n * views, -1), np.float64)
    points: NDArray[np.float64] = head(rows).reshape(n, views).mean(1)
    return points


def on_raw(head: Dense, mean: NDArray[Any], sd: NDArray[Any], score_mean: float, score_sd: float) -> Dense:
    """From a head on standardised features and scores to the same one on features and rating points as they are.

    Args:
        head: its features are of mean 0 and standard deviation 1, and so are the scores it gives.
        mean: (F,), of the features.
        sd: (F,), likewise, above 0.
        score_mean: of the scores, rating points.
        score_sd: likewise.

    Example:
        >>> head = Dense((np.array([[1.0]]),), (np.array([0.0]),))
        >>> on_raw(head, np.array([5.0]), np.array([2.0]), 3.0, 0.5)(np.array([[9.0]])).tolist()
        [4.0]
    """
    kernels, biases = list(head.kernels), list(head.biases)
    biases[0] = biases[0] - (mean / sd) @ kernels[0]
    kernels[0] = kernels[0] / sd[:, None]
    kernels[-1], biases[-1] = kernels[-1] * score_sd, biases[-1] * score_sd + score_mean
    return Dense(tuple(kernels), tuple(biases))


def read_head(path: Path) -> Dense:
    """The head in an .npz file of `Dense.arrays`. Raises WeightsError."""
    try:
        with np.load(path) as stored:
            head = regressor({key: stored[key] for key in stored.files})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} cannot be read as a head ({error}). Restore it or train again.") from error
    assert isinstance(head, Dense)
    return head
