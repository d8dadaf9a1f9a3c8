"""Writing a network of any shape so that it can be used without what made it."""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.keras_file import model_predictor
from beauty_evaluate.raters.portable import KERAS, ONNX
from beauty_evaluate.raters.runtime import onnxruntime_predictor
from beauty_evaluate.training.export import to_onnx

TOLERANCE = 1e-3  # between Keras and the exported file, as a share of the largest output or of 1
N_CHECKED = 4  # pictures on which they are compared
UNKNOWN_OPERATION = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, RuntimeError, WeightsError)


def write_portable(model: keras.Model, folder: Path, name: str, say: Callable[[str], None]) -> dict[str, Path]:
    """Write NAME.onnx, or NAME.keras where that cannot be or computes something else.

    Args:
        model: of crops float32 (N, size, size, 3) of 0..255.
        folder: which is there.
        name: of the files.
        say: told when there is no ONNX.

    Returns:
        The one file, by its key among a card's artifacts.
    """
    path = folder / f"{name}.onnx"
    crops = np.random.default_rng(0).integers(0, 256, (N_CHECKED, *model.input_shape[1:])).astype(np.float32)
    expected = model_predictor(model)(crops)
    try:
        with _no_log("tf2onnx"), _no_log("tensorflow"):  # what it cannot do, it logs as errors
            to_onnx(model, path)
        gap = float(np.abs(onnxruntime_predictor(path)(crops) - expected).max())
        if gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
            return {ONNX: path}
        reason = f"its outputs differ by up to {gap:.2g}"
    except UNKNOWN_OPERATION as error:  # the converter's, which has no class for it
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    path.unlink(missing_ok=True)
    say(f"no ONNX file ({reason}): using this rater takes Keras, and starts more slowly")
    model.save(folder / f"{name}.keras")
    return {KERAS: folder / f"{name}.keras"}


@contextlib.contextmanager
def _no_log(name: str) -> Iterator[None]:
    """Keep back what a library logs, for a while."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def model_hash(model: keras.Model) -> str:
    """16 hex digits of the SHA-256 of a network's weights and shape.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> before = model_hash(model)
        >>> model.set_weights([weight + 1 for weight in model.get_weights()])
        >>> before == model_hash(model)
        False
    """
    digest = hashlib.sha256(repr([type(layer).__name__ for layer in model.layers]).encode())
    for weight in model.get_weights():
        digest.update(_bytes(weight))
    return digest.hexdigest()[:16]


def _bytes(array: NDArray[np.floating]) -> bytes:
    return repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()
