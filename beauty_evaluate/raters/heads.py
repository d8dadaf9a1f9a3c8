"""What makes a score of features: a line or a small network, run by NumPy alone."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.files import write_atomic
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


@dataclass(frozen=True, eq=False)
class Head:
    """Layers from features to rating points; ReLU between them.

    Attributes:
        weights: (inputs, units) of each layer; the last has one unit.
        biases: (units,) of each.

    Example:
        >>> head = Head((np.array([[1.0], [2.0]]),), (np.array([3.0]),))
        >>> head.predict(np.array([[1.0, 1.0], [0.0, 0.5]])).tolist()
        [6.0, 4.0]
    """

    weights: tuple[NDArray[Any], ...]
    biases: tuple[NDArray[Any], ...]

    @property
    def parameters(self) -> int:
        """Numbers in it."""
        return sum(array.size for array in (*self.weights, *self.biases))

    def predict(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """Rating points float64 (N,) of features (N, F)."""
        x = np.asarray(features, np.float64)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            x = np.maximum(x, 0) if i + 1 < len(self.weights) else x
        points: NDArray[np.float64] = x[:, 0]
        return points

    def predict_views(self, features: NDArray[Any]) -> NDArray[np.float64]:
        """Rating points float64 (N,) of features (N, views, F): the mean over the views."""
        n, views, _ = features.shape
        points: NDArray[np.float64] = self.predict(features.reshape(n * views, -1)).reshape(n, views).mean(1)
        return points

    def of_raw(self, mean: NDArray[Any], sd: NDArray[Any], score_mean: float, score_sd: float) -> "Head":
        """From a head on standardised features and scores to the same one on features and rating points as they are."""
        weights, biases = list(self.weights), list(self.biases)
        biases[0] = biases[0] - (mean / sd) @ weights[0]
        weights[0] = weights[0] / sd[:, None]
        weights[-1], biases[-1] = weights[-1] * score_sd, biases[-1] * score_sd + score_mean
        return Head(tuple(weights), tuple(biases))

    def write(self, path: Path) -> None:
        """As an .npz file."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {f"weight{i}": array for i, array in enumerate(self.weights)}
        arrays |= {f"bias{i}": array for i, array in enumerate(self.biases)}
        np.savez(buffer, **arrays)
        write_atomic(path, buffer.getbuffer())

    @classmethod
    def read(cls, path: Path) -> "Head":
        """From such a file. Raises WeightsError."""
        try:
            with np.load(path) as stored:
                depth = len(stored.files) // 2
                weights, biases = (tuple(stored[f"{key}{i}"] for i in range(depth)) for key in ("weight", "bias"))
                return cls(weights, biases)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise WeightsError(f"{path} cannot be read as a head ({error}). Restore it or train again.") from error
