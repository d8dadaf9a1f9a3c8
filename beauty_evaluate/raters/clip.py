"""CLIP from KerasHub: the part that sees as a network of crops, and what the part that reads makes of sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters.backbone_loaders import keras_hub
from beauty_evaluate.raters.backend import keras

# Radford et al. 2021: mean and standard deviation of a channel of the training photos, 0..1.
MEAN, SD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Clip:
    """A CLIP that was loaded.

    Attributes:
        tower: from float32 crops (N, size, size, 3) of 0..255, RGB, to embeddings (N, D) of length 1.
        embed: from sentences to embeddings float64 (M, D) of length 1.
        logit_scale: what the cosine of two embeddings is multiplied by.
        parameters: of both parts.
    """

    tower: keras.Model
    embed: Any
    logit_scale: float
    parameters: int


def load(source: str, size: int) -> Clip:
    """A CLIP.

    Args:
        source: the name of a preset of KerasHub, an hf:// address, or a folder that KerasHub wrote.
        size: pixels a side of the crops that it will be shown; they are resized to what it was made for.

    Raises:
        ConfigError: KerasHub is missing, or this is no CLIP.
        WeightsError: it cannot be fetched or read.

    Example:
        >>> load("no_such_clip", 224)
        Traceback (most recent call last):
        beauty_evaluate.errors.WeightsError: The CLIP no_such_clip cannot be read or fetched here ...
    """
    hub = keras_hub()
    try:
        backbone = hub.models.Backbone.from_preset(source)
        if not isinstance(backbone, hub.models.CLIPBackbone):
            raise ConfigError(f"{source} is no CLIP, which reads words as well. Name one, as clip_vit_base_patch32.")
        preprocessor = hub.models.CLIPPreprocessor.from_preset(source)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise WeightsError(
            f"The CLIP {source} cannot be read or fetched here ({line}). Where there is a network, run "
            "keras_hub.models.CLIPBackbone.from_preset(NAME).save_to_preset(DIR) and the same of CLIPPreprocessor, and "
            "name that folder with --backbone DIR; the names stand at https://keras.io/keras_hub/presets/."
        ) from error

    def embed(sentences: Sequence[str]) -> NDArray[np.float64]:
        tokens = preprocessor({"images": None, "prompts": list(sentences)})["token_ids"]
        texts = np.asarray(backbone.get_text_embeddings(tokens), np.float64)
        return np.asarray(texts / np.linalg.norm(texts, axis=1, keepdims=True))

    scale = float(np.exp(float(backbone.clip_head.logit_scale.numpy())))
    return Clip(_tower(backbone, preprocessor.image_converter, size), embed, scale, backbone.count_params())


def _tower(backbone: Any, converter: Any, size: int) -> keras.Model:
    """The part that sees, with resizing and the scale of pixels before it and unit length after it."""
    height, width = backbone.vision_encoder.image_shape[:2]
    scale = getattr(converter, "scale", None) or [1 / 255 / sd for sd in SD]
    offset = getattr(converter, "offset", None) or [-mean / sd for mean, sd in zip(MEAN, SD, strict=True)]
    crop = keras.Input((size, size, 3), name="crop")
    x = crop if (height, width) == (size, size) else keras.layers.Resizing(height, width, "bilinear")(crop)
    x = keras.layers.Rescaling(scale, offset, name="preprocess")(x)
    x = backbone.get_vision_embeddings(x)
    return keras.Model(crop, keras.layers.UnitNormalization(name="embedding")(x), name="clip")
