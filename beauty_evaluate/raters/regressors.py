"""From features to a number: what was learnt, as arrays. Learning needs scikit-learn; this does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

MAX_DEVIATIONS = 5.0  # standard deviations of a feature beyond which nothing changes: no wild score for a missed face


class Regressor(Protocol):
    """Features in, rating points out."""

    def __call__(self, features: Floats) -> Floats:
        """float64 (N, F) standardised features -> float64 (N,)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, for a file; `regressor` makes it again."""


@dataclass(frozen=True)
class Standardiser:
    """Features on a common scale: mean 0 and standard deviation 1 over the training photos.

    Attributes:
        mean: float64 (F,).
        sd: float64 (F,), above 0.

    Example:
        >>> standardiser = Standardiser.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
        >>> standardiser(np.array([[3.0, 5.0]])).tolist()
        [[1.0, 0.0]]
    """

    mean: Floats
    sd: Floats

    @classmethod
    def fit(cls, features: Floats) -> "Standardiser":
        """Of features (N, F) of training photos; one that never changes stays 0."""
        sd = features.std(0)
        return cls(features.mean(0), np.where(sd > 1e-9, sd, 1.0))

    def __call__(self, features: Floats) -> Floats:
        """float64 (N, F), within +-MAX_DEVIATIONS."""
        return np.clip((features - self.mean) / self.sd, -MAX_DEVIATIONS, MAX_DEVIATIONS)


@dataclass(frozen=True)
class Dense:
    """Fully connected layers with ReLU between them; of one layer, a linear rule.

    Attributes:
        kernels: float64 (inputs, outputs) each; the last has one output.
        biases: float64 (outputs,) each.

    Example:
        >>> rule = Dense((np.array([[2.0], [0.0]]),), (np.array([3.0]),))
        >>> rule(np.array([[1.0, 9.0]])).tolist(), regressor(rule.arrays())(np.array([[1.0, 9.0]])).tolist()
        ([5.0], [5.0])
    """

    kernels: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __call__(self, features: Floats) -> Floats:
        """float64 (N, F) -> float64 (N,)."""
        values = features
        for i, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True), 1):
            # einsum: the same numbers for a face whatever comes with it, which a BLAS does not promise
            values = np.einsum("nf,fo->no", values, kernel) + bias
            values = values if i == len(self.kernels) else np.maximum(values, 0)
        return values[:, 0]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`kernel0`, `bias0`, ..."""
        layers = enumerate(zip(self.kernels, self.biases, strict=True))
        return {f"{key}{i}": array for i, pair in layers for key, array in zip(("kernel", "bias"), pair, strict=True)}

    @property
    def parameters(self) -> int:
        """Numbers in it."""
        return sum(array.size for array in self.arrays().values())


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees (Friedman 2001, "Greedy function approximation"), all nodes in a row.

    Attributes:
        roots: int (T,), the node at which each tree begins.
        feature: int (M,), which feature a node asks for.
        threshold: float64 (M,); up to it a face goes left.
        left, right: int (M,), the node after it; -1 for a leaf.
        value: float64 (M,), rating points that a leaf adds.
        start: rating points.

    Example:
        >>> nodes = [np.array(n) for n in ([0], [0, 0, 0], [0.5, 0.0, 0.0], [1, -1, -1], [2, -1, -1], [0.0, -1.0, 1.0])]
        >>> Trees(*nodes, 3.0)(np.array([[0.0], [1.0]])).tolist()
        [2.0, 4.0]
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats
    start: float

    def __call__(self, features: Floats) -> Floats:
        """float64 (N, F) -> float64 (N,)."""
        rows = np.arange(len(features))[:, None]
        nodes = np.tile(self.roots, (len(features), 1))
        while (self.left[nodes] >= 0).any():
            # scikit-learn compares float32 with the threshold
            goes_left = features[rows, self.feature[nodes]].astype(np.float32) <= self.threshold[nodes]
            following = np.where(goes_left, self.left[nodes], self.right[nodes])
            nodes = np.where(self.left[nodes] >= 0, following, nodes)
        return np.asarray(self.start + self.value[nodes].sum(1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its fields."""
        return {key: np.asarray(values) for key, values in vars(self).items()}


def regressor(arrays: Arrays) -> Regressor:
    """What `arrays()` of one gave. Raises WeightsError where it is neither.

    Example:
        >>> regressor({"x": np.zeros(1)})
        Traceback (most recent call last):
        beauty_evaluate.errors.WeightsError: Nothing that turns features into a score is in the file. Train it again.
    """
    if "roots" in arrays:
        fields = {key: arrays[key] for key in ("roots", "feature", "threshold", "left", "right", "value")}
        return Trees(**fields, start=float(arrays["start"]))
    count = sum(key.startswith("kernel") for key in arrays)
    if not count:
        raise WeightsError("Nothing that turns features into a score is in the file. Train it again.")
    kernels, biases = (tuple(arrays[f"{key}{i}"] for i in range(count)) for key in ("kernel", "bias"))
    return Dense(kernels, biases)


def with_prefix(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, without it."""
    return {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}
