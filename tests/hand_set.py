"""Raters of which it is known what they read, and crops and regions for them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from beauty_evaluate.config import Config, CropConfig, RatingScale
from beauty_evaluate.explain.baselines import soft_edges
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.presets import preset
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.rater import Ratings

Masks = NDArray[np.bool_]

SIDE = 64
NAMES = ("eyes", "mouth", "nose", "rest")


SCALE = RatingScale(1, 5)


@dataclass(frozen=True)
class FunctionConfig:
    """Of a family that the registry does not know."""

    crop: CropConfig
    preset: str = "function"
    family: str = "function"


class FunctionRater:
    """Rates crops by a function: float32 (N, size, size, C) -> (N,). The least that a rater can be."""

    name = "function"
    scale = SCALE
    needs = frozenset({"crop"})

    def __init__(self, function: Callable[[NDArray[np.float32]], Any], size: int, flip_tta: bool = False) -> None:
        self.card = Card("function", FunctionConfig(CropConfig(size=size)), SCALE)
        self.function, self.flip_tta, self.crop = function, flip_tta, CropConfig(size=size)

    def rate(self, faces: Sequence[Face]) -> Ratings:
        crops = np.stack([face.crop(self.crop) for face in faces]).astype(np.float32)
        views = [crops, crops[:, :, ::-1]] if self.flip_tta else [crops]
        return Ratings(np.mean([np.asarray(self.function(view), np.float64) for view in views], 0))


def face_of(crop: NDArray[np.uint8], config: CropConfig | None = None) -> Face:
    """A face with this crop and no photo."""
    return Face((0, 0, len(crop), len(crop)), np.empty((0, 2)), 1.0, None, {config or CropConfig(size=len(crop)): crop})


def keras_rater(model: keras.Model, flip_tta: bool, config: Config | None = None) -> NetworkRater:
    """A network with the crops of the preset `synthetic`, or of a config."""
    return NetworkRater.of_model(Card("hand", replace(config or preset("synthetic"), flip_tta=flip_tta), SCALE), model)


def masks() -> Masks:
    """Regions that tile the crop, bool (4, SIDE, SIDE), each its own mirror image."""
    parts = np.zeros((4, SIDE, SIDE), bool)
    parts[0, 16:32, 8:24] = parts[0, 16:32, 40:56] = True
    parts[1, 44:56, 20:44] = True
    parts[2, 24:40, 28:36] = True
    parts[3] = ~parts[:3].any(0)
    return parts


def noise(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def lit(*bright: int) -> NDArray[np.uint8]:
    """A black crop with some regions white."""
    found = np.zeros((SIDE, SIDE, 3), np.uint8)
    found[masks()[list(bright)].any(0)] = 255
    return found


def eyes_network(seed: int = 0) -> keras.Model:
    """Two blocks of random weights, whose fc1 reads only those cells that see nothing but the eyes."""
    inputs = keras.Input((SIDE, SIDE, 3), name="crop")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(inputs)
    for b, channels in enumerate((4, 6), 1):
        x = layers.Conv2D(channels, 3, padding="same", name=f"block{b}_conv1")(x)
        x = layers.ReLU(name=f"block{b}_relu1")(x)
        x = layers.MaxPooling2D(2, name=f"block{b}_pool")(x)
        x = layers.BatchNormalization(name=f"block{b}_norm")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(8, activation="relu", name="fc1")(x)
    model = keras.Model(inputs, layers.Dense(1, name="score")(x))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, w.shape) ** (2 if "variance" in w.path else 1) for w in model.weights])
    eyes = masks()[0]
    cells = range(SIDE // 4)  # a cell sees 10 x 10 pixels: 3 beyond its own 4 on each side
    reads = [eyes[max(0, 4 * y - 3) : 4 * y + 7, max(0, 4 * x - 3) : 4 * x + 7].all() for y in cells for x in cells]
    kernel, bias = model.get_layer("fc1").get_weights()
    model.get_layer("fc1").set_weights([kernel * np.repeat(reads, 6)[:, None], bias])
    return model


def both_network() -> keras.Model:
    """2 + relu(brightness of the eyes + brightness of the mouth - 1): of white and black, the product of the two."""
    depth = soft_edges(masks()) == 1  # no soft edge reaches there: a replaced region is gone altogether
    weights = sum((mask & depth) / (mask & depth).sum() for mask in masks()[:2])
    return brightness_network(weights, "relu", -1, 2)


def brightness_network(
    weights: NDArray[np.float64], activation: str | None = None, bias: float = 0, start: float = 0
) -> keras.Model:
    """start + activation(weights (SIDE, SIDE) x brightness 0..1 + bias), with brightness as a block's feature map."""
    inputs = keras.Input((SIDE, SIDE, 3), name="crop")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    x = layers.Conv2D(1, 1, name="block1_conv1")(x)
    x = layers.ReLU(name="block1_relu1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(1, activation=activation, name="fc1")(x)
    model = keras.Model(inputs, layers.Dense(1, name="score")(x))
    mean = np.full((1, 1, 3, 1), 1 / 3)
    values = (mean, [0], weights.reshape(-1, 1), [bias], [[1]], [start])
    model.set_weights([np.array(value, np.float32) for value in values])
    return model


def state(model: keras.Model) -> list[Any]:
    """All that an explanation must leave alone."""
    parts = [model, *model.layers]
    return [
        [w.tobytes() for w in model.get_weights()],
        [part.trainable for part in parts],
        [{name: id(value) for name, value in vars(part).items()} for part in parts],
        [(len(part._inbound_nodes), len(part._outbound_nodes)) for part in parts],
    ]


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, kind: type[keras.layers.Layer], passes: int) -> Iterator[None]:
    """Layers of this kind raise OSError after so many calls."""
    call, left = kind.call, iter(range(passes))

    def some(layer: keras.layers.Layer, *inputs: Any) -> Any:
        if next(left, None) is None:
            raise OSError("broken in the middle")
        return call(layer, *inputs)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "call", some)
        yield
