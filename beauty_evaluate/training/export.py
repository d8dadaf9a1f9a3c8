"""From a trained Keras network to the files that travel: weights, ONNX, statistics and card."""

import contextlib
import io
import os
import platform
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
import tf2onnx
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.files import sha256, write_atomic
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.builders import with_features
from beauty_evaluate.raters.card import Artifact, Card
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater

SUFFIXES = {"keras": ".weights.h5", "onnx": ".onnx", "stats": ".stats.npz"}  # of the artifacts by kind
TOLERANCE = 1e-4  # rating points between Keras and the exported file
OPSET = 17
N_RANDOM = 16  # random pictures on which an export is checked


def write_network(model: keras.Model, crops: Picture, card: Card) -> Card:
    """Write NAME.weights.h5 and NAME.onnx into the card's folder, and check that both score alike.

    Args:
        model: the Keras network, float32.
        crops: uint8 (N, size, size, C), N > 0: what both are checked on.
        card: its name, config and folder count.

    Returns:
        The card with both artifacts; it is not written yet.

    Raises:
        WeightsError: the scores differ by more than TOLERANCE: an operation that the converter does not know is only
            logged by it, and gives a broken file.
    """
    card.folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: card.folder / (card.name + SUFFIXES[kind]) for kind in ("keras", "onnx")}
    part = card.folder / f"{card.name}.part{SUFFIXES['keras']}"
    model.save_weights(part)
    os.replace(part, paths["keras"])
    _convert(model, paths["onnx"])
    card = replace(card, artifacts={kind: Artifact(path.name, sha256(path)) for kind, path in paths.items()})
    exported, original = (NetworkRater(card, runtime).predict(crops) for runtime in ("opencv", "keras"))
    gap = float(np.abs(exported - original).max())
    if not gap <= TOLERANCE:
        raise WeightsError(f"{paths['onnx'].name} does not score as Keras does: scores differ by up to {gap:.2g}.")
    return card


def _convert(model: keras.Model, path: Path) -> None:
    """Write the network as ONNX, with the rating and, for whoever asks how unusual a crop is, the features."""
    to_onnx(with_features(model), path)


def to_onnx(model: keras.Model, path: Path) -> None:
    """Write a Keras network of crops as ONNX. What it computes is not compared: see `write_network`."""
    signature = [keras.InputSpec(shape=model.input_shape, dtype="float32", name="crop")]
    temporary = path.with_suffix(".part.onnx")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # Keras asks NumPy for the alias np.object, which NumPy 2 answers with a warning
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        model.export(str(temporary), format="onnx", verbose=False, input_signature=signature, opset_version=OPSET)
    os.replace(temporary, path)


def write_card(card: Card, stats: dict[str, NDArray[Any]]) -> Card:
    """Write NAME.stats.npz and, last, NAME.json into the card's folder.

    Args:
        card: from `write_network`.
        stats: `labels` and activations of filters, as `Card.stats` gives them.

    Returns:
        The card with the artifact `stats`.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **stats)  # type: ignore[arg-type]
    path = card.folder / (card.name + SUFFIXES["stats"])
    write_atomic(path, buffer.getbuffer())
    card = replace(card, artifacts={**card.artifacts, "stats": Artifact(path.name, sha256(path))})
    cards.write(card)
    return card


@dataclass(frozen=True)
class Exported:
    """An exported network.

    Attributes:
        path: of the ONNX file.
        shape: (size, size, C) of a crop, float32 of 0..255.
        needs_mirror: whether a score is the mean over a crop and its mirror image, which is for the caller to do.
    """

    path: Path
    shape: tuple[int, ...]
    needs_mirror: bool


def export(rater: Rater, folder: Path) -> Exported:
    """Write a network as an ONNX file for other programs, checked against Keras on random pictures.

    Args:
        rater: a network.
        folder: another one than the card's.

    Raises:
        ConfigError: the rater is no network, or the folder is where its card lies.
        WeightsError: its files are missing, or the exported one does not score as Keras does.
    """
    network = network_of(rater, "Exports")
    if os.path.realpath(folder) == os.path.realpath(rater.card.folder):
        raise ConfigError(f"The card of {rater.name} lies in {folder}. Name another folder for what is exported.")
    model = network.keras_model()
    shape = tuple(model.input_shape[1:])
    crops = np.random.default_rng(0).integers(0, 256, (N_RANDOM, *shape), np.uint8)
    card = write_network(model, crops, replace(rater.card, folder=folder))
    (folder / card.artifacts["keras"].file).unlink()  # ONNX is what was asked for
    return Exported(folder / card.artifacts["onnx"].file, shape, network.config.flip_tta)


def network_bytes(card: Card) -> int:
    """The size of a card's exported file."""
    return (card.folder / card.artifacts["onnx"].file).stat().st_size


def identity(card: Card) -> str:
    """Name and the first digits of the hash of a card's weights.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> identity(registry.load_card("six_block_60-40")).split()[0]
        'six_block_60-40'
    """
    return f"{card.name} ({card.artifacts['keras'].sha256[:8]})"


def input_of(config: Config) -> dict[str, Any]:
    """Shape and type of a crop, for the card.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> input_of(preset("article"))["shape"]
        [160, 160, 1]
    """
    crop = config.crop
    return {"shape": [crop.size, crop.size, 1 if crop.grey else 3], "type": "RGB or grey, 0..255"}


def versions() -> dict[str, str]:
    """The software that shapes a training.

    Example:
        >>> sorted(versions())
        ['PIL', 'cv2', 'keras', 'numpy', 'python', 'tensorflow', 'tf2onnx']
    """
    packages = (tf, keras, np, cv2, PIL, tf2onnx)
    return {"python": platform.python_version(), **{p.__name__: p.__version__ for p in packages}}
