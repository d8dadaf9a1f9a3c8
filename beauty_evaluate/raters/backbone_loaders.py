"""Where backbones come from: a file of Keras, keras.applications, KerasHub."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import backend
from beauty_evaluate.raters.backbone_config import PREPROCESS, BackboneConfig, Preprocess
from beauty_evaluate.raters.backend import keras

Forward = Callable[[Any], Any]
OWN_PREPROCESSING = (keras.layers.Rescaling, keras.layers.Normalization)
AS_IT_IS = PREPROCESS["none"]


def of_file(config: BackboneConfig, path: Path) -> tuple[Forward, Preprocess]:
    """A network from a file of Keras; a softmax at its end is taken off.

    Args:
        config: its `layer` names another one than the last.
        path: `.keras`, `.h5` or `.hdf5`.

    Raises:
        ConfigError: no such layer, or nobody says how pixels go in.
        WeightsError: the file is missing or unreadable.
    """
    if not path.is_file():
        raise WeightsError(f"No such file: {path}.")
    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise WeightsError(f"{path} cannot be read as a network of Keras ({_first_line(error)}).") from error
    if config.weights == "random":
        model = keras.models.clone_model(model)
    layers = {layer.name: layer for layer in model.layers}
    if config.layer and config.layer not in layers:
        raise ConfigError(f"{path.name} has no layer {config.layer}. Its last are {', '.join(list(layers)[-5:])}.")
    if config.preprocess == "auto" and not any(isinstance(layer, OWN_PREPROCESSING) for layer in model.layers):
        raise _unclear(path.name)
    last = layers[config.layer] if config.layer else model.layers[-1]
    is_softmax = getattr(last, "activation", None) is keras.activations.softmax
    return keras.Model(model.inputs[0], last.input if is_softmax and not config.layer else last.output), AS_IT_IS


def applications() -> dict[str, Callable[..., Any]]:
    """The networks of keras.applications by name."""
    return {name: make for name, make in vars(keras.applications).items() if inspect.isfunction(make)}


def of_applications(config: BackboneConfig, size: int) -> tuple[Forward, Preprocess]:
    """A network of keras.applications, whose preprocessing is a function of its module.

    Raises:
        WeightsError: its weights cannot be fetched.
    """
    make = applications()[config.source]
    weights = "imagenet" if config.weights == "pretrained" else None
    try:
        model = make(include_top=False, weights=weights, input_shape=(size, size, 3))
    except Exception as error:  # a failed download is a bare Exception there
        if weights is None:
            raise
        raise WeightsError(
            f"The weights of {config.source} cannot be fetched here ({_first_line(error)}). Where there is a network, "
            f"run keras.applications.{config.source}(include_top=False).save('FILE.keras'), and name that file with "
            "--backbone and --set backbone.preprocess=."
        ) from error
    if config.preprocess != "auto":
        return model, AS_IT_IS
    prepare = sys.modules[make.__module__].preprocess_input
    return (lambda pixels: model(prepare(pixels))), AS_IT_IS


def of_keras_hub(config: BackboneConfig, size: int) -> tuple[Forward, Preprocess]:
    """A backbone of KerasHub, with the scale and offset of its own image converter.

    Raises:
        ConfigError: KerasHub is not installed, or the preset has no converter.
        WeightsError: the preset cannot be read or fetched.
    """
    hub = keras_hub()
    is_name = re.fullmatch(r"\w+", config.source) and not Path(config.source).is_dir()
    if is_name and config.source not in hub.models.Backbone.presets:
        raise ConfigError(f"There is no preset {config.source} of KerasHub. See keras.io/keras_hub/presets.")
    try:
        model = _hub_backbone(hub, config, size)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise WeightsError(
            f"The weights of {config.source} cannot be fetched here ({_first_line(error)}). Where there is a network, "
            f"run tools/fetch_backbone.py {config.source} FOLDER, and name that folder with --backbone."
        ) from error
    forward = _of_pixels(model)
    if config.preprocess != "auto":
        return forward, AS_IT_IS
    try:
        converter = hub.layers.ImageConverter.from_preset(config.source)
    except (OSError, ValueError) as error:
        raise _unclear(config.source) from error
    return forward, Preprocess(_triple(converter.scale, 1.0), _triple(converter.offset, 0.0))


def _hub_backbone(hub: Any, config: BackboneConfig, size: int) -> Any:
    options = {"load_weights": config.weights == "pretrained"}
    try:
        return hub.models.Backbone.from_preset(config.source, image_shape=(size, size, 3), **options)
    except TypeError:  # CLIP, of which only a part has a shape, which is fixed
        return hub.models.Backbone.from_preset(config.source, **options)


def _of_pixels(model: Any) -> Forward:
    """A backbone as a function of pixels alone."""
    if hasattr(model, "get_vision_embeddings"):  # CLIP, which reads texts too
        return model.get_vision_embeddings  # type: ignore[no-any-return]
    if isinstance(model.input, dict):
        (name,) = model.input
        return lambda pixels: model({name: pixels})
    return model  # type: ignore[no-any-return]


def keras_hub() -> Any:
    """KerasHub, on the Keras of this project. Raises ConfigError where it is not installed."""
    backend.prepare()
    try:
        import keras_hub as hub
    except ImportError as error:
        raise ConfigError('This backbone needs KerasHub: pip install "beauty_evaluate[rivals]".') from error
    return hub


def _triple(value: Any, default: float) -> tuple[float, float, float]:
    numbers = default if value is None else value
    r, g, b = numbers if isinstance(numbers, list | tuple) else (numbers,) * 3
    return float(r), float(g), float(b)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _unclear(name: str) -> ConfigError:
    return ConfigError(
        f"{name} does not say how it takes pixels. Say so with --set backbone.preprocess=, one of "
        f"{', '.join(PREPROCESS)}."
    )
