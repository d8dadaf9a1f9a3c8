"""From a trained Keras network to the files that travel: weights, ONNX, statistics and card."""

import contextlib
import io
import os
import platform
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import PIL
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.card import KERAS, ONNX, STATS, Card, sha256, write_whole
from beauty_evaluate.raters.registry import keras_predictor
from beauty_evaluate.raters.runtime import opencv_predictor, predict

TOLERANCE = 1e-4  # rating points between Keras and the exported file
OPSET = 17


def write_network(model: keras.Model, crops: Picture, folder: Path, name: str, flip_tta: bool) -> Path:
    """Write NAME.weights.h5 and NAME.onnx, and check that both networks score `crops` (uint8) alike.

    Returns the path of the ONNX file. WeightsError if the scores differ by more than TOLERANCE: an operation that the
    converter does not know is only logged by it, and gives a broken file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part{KERAS}"
    model.save_weights(part)
    os.replace(part, folder / (name + KERAS))
    onnx = folder / (name + ONNX)
    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="crop")]
    temporary = str(folder / f"{name}.part{ONNX}")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # Keras asks NumPy for the alias np.object, which NumPy 2 answers with a warning
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        model.export(temporary, format="onnx", verbose=False, input_signature=signature, opset_version=OPSET)
    os.replace(temporary, onnx)
    ours = predict(keras_predictor(model), crops, flip_tta)
    theirs = predict(opencv_predictor(onnx), crops, flip_tta)
    gap = float(np.abs(ours - theirs).max())
    if not gap <= TOLERANCE:
        raise WeightsError(f"Expected {onnx.name} to score as Keras does. Received: scores that differ by {gap:.2g}.")
    return onnx


def write_card(card: Card, folder: Path, stats: dict[str, NDArray[Any]]) -> Card:
    """Write NAME.stats.npz and then NAME.json with the hashes of all three files. Returns the finished card."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **stats)  # type: ignore[arg-type]
    write_whole(folder / (card.name + STATS), buffer.getbuffer())
    files = {suffix: sha256(folder / (card.name + suffix)) for suffix in (KERAS, ONNX, STATS)}
    card = replace(card, files=files, folder=folder)
    write_whole(folder / f"{card.name}.json", card.to_json().encode())
    return card


def versions() -> dict[str, str]:
    """The software that shapes a training."""
    packages = (tf, keras, np, cv2, PIL, tf2onnx)
    return {"python": platform.python_version(), **{p.__name__: p.__version__ for p in packages}}
