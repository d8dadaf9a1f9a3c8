"""Backbones: networks that others trained, from crops to features."""

import re
from pathlib import Path
from typing import Any

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters import backbone_loaders, lite0
from beauty_evaluate.raters.backbone_config import PREPROCESS, BackboneConfig, Preprocess
from beauty_evaluate.raters.backend import keras

LITE0 = "efficientnet_lite0"
KERAS_FILES = (".keras", ".h5", ".hdf5")
ADDRESSES = ("hf://", "kaggle://", "gs://", "modelscope://")


def load(config: BackboneConfig, size: int) -> keras.Model:
    """A backbone with its preprocessing.

    Args:
        config: which.
        size: pixels a side of a crop.

    Returns:
        From float32 crops (N, size, size, 3) of 0..255, RGB, to features float32 (N, F).

    Raises:
        ConfigError: there is no such backbone, or it does not take such crops.
        WeightsError: its weights are not there.

    Example:
        >>> load(BackboneConfig("efficientnet_lite0", "random"), 64).output_shape
        (None, 1280)
    """
    forward, preprocess = _opened(config, size)
    if config.preprocess != "auto":
        preprocess = PREPROCESS[config.preprocess]
    inputs = keras.Input((size, size, 3), name="crop")
    try:
        features = pooled(forward(preprocessed(inputs, preprocess)))
    except ValueError as error:
        raise ConfigError(f"{config.source} does not take crops of {size} pixels. Change crop.size.") from error
    return keras.Model(inputs, features, name="backbone")


def _opened(config: BackboneConfig, size: int) -> tuple[backbone_loaders.Forward, Preprocess]:
    """What computes maps or features, and the preprocessing that travels with it."""
    source, path = config.source, Path(config.source).expanduser()
    if source == LITE0:
        model = lite0.pretrained(size) if config.weights == "pretrained" else lite0.build(size, seed=config.seed)
        return model, PREPROCESS["none"]
    if config.weights == "random":
        keras.utils.set_random_seed(config.seed)
    if path.suffix in KERAS_FILES:
        return backbone_loaders.of_file(config, path)
    if source in backbone_loaders.applications():
        return backbone_loaders.of_applications(config, size)
    if source and (source.startswith(ADDRESSES) or path.is_dir() or re.fullmatch(r"\w+", source)):
        return backbone_loaders.of_keras_hub(config, size)
    raise ConfigError(
        f"There is no backbone {source or 'without a name'}. "
        "Name a preset of KerasHub, an hf:// address, a folder or a file: --backbone NAME."
    )


def preprocessed(pixels: Any, how: Preprocess) -> Any:
    """Pixels as a backbone takes them, by layers that can be exported."""
    if how.bgr:
        pixels = keras.ops.concatenate([pixels[..., i : i + 1] for i in (2, 1, 0)], axis=-1)
    if how == PREPROCESS["none"]:
        return pixels
    return keras.layers.Rescaling(list(how.scale), list(how.offset), name="preprocess")(pixels)


def pooled(output: Any) -> Any:
    """Features (N, F): maps are averaged; of tokens the first, the class token, is taken."""
    if len(output.shape) == 4:
        return keras.layers.GlobalAveragePooling2D(name="features")(output)
    return output[:, 0] if len(output.shape) == 3 else output
