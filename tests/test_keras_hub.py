"""Backbones of KerasHub: its real loading code on tiny presets in a folder; nothing is fetched."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_hub
import numpy as np
import pytest

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import backbones, registry
from beauty_evaluate.raters.backbone_config import BackboneConfig
from beauty_evaluate.raters.features import FeaturesConfig
from beauty_evaluate.training import features, transfer
from beauty_evaluate.training.families import train_rater
from beauty_evaluate.training.job import Job

models: Any = keras_hub.models
CROPS = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)


def resnet() -> Any:
    return models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )


def dinov2() -> Any:
    return models.DINOV2Backbone(
        patch_size=8,
        num_layers=1,
        hidden_dim=12,
        num_heads=2,
        intermediate_dim=16,
        image_shape=(32, 32, 3),
        position_embedding_shape=(32, 32, 3),
    )


def clip() -> Any:
    vision = models.CLIPVisionEncoder(
        patch_size=8, hidden_dim=12, num_layers=1, num_heads=2, intermediate_dim=16, image_shape=(32, 32, 3)
    )
    text = models.CLIPTextEncoder(
        vocabulary_size=20, embedding_dim=12, hidden_dim=12, num_layers=1, num_heads=2, intermediate_dim=16,
        max_sequence_length=4,
    )  # fmt: skip
    return models.CLIPBackbone(vision, text, projection_dim=10)


def embedding_of(backbone: Any, pixels: np.ndarray) -> np.ndarray:
    if hasattr(backbone, "get_vision_embeddings"):
        return np.asarray(backbone.get_vision_embeddings(pixels))
    output = np.asarray(backbone({"images": pixels} if isinstance(backbone.input, dict) else pixels))
    return output.mean((1, 2)) if output.ndim == 4 else output[:, 0]


@pytest.mark.parametrize("make", [resnet, dinov2, clip])
def test_a_preset_in_a_folder_gives_its_features(make: Callable[[], Any], tmp_path: Path) -> None:
    backbone = make()
    backbone.save_to_preset(str(tmp_path))
    with pytest.raises(ConfigError, match="does not say how it takes pixels"):
        backbones.load(BackboneConfig(str(tmp_path)), 32)
    scale, offset = [1 / 58.0, 1 / 57.0, 1 / 56.0], [-2.1, -2.0, -1.8]
    keras_hub.layers.ImageConverter(image_size=(32, 32), scale=scale, offset=offset).save_to_preset(str(tmp_path))
    model = backbones.load(BackboneConfig(str(tmp_path)), 32)
    expected = embedding_of(backbone, (CROPS * scale + offset).astype(np.float32))
    assert np.allclose(model(CROPS), expected, atol=1e-4)
    unit = backbones.load(BackboneConfig(str(tmp_path), preprocess="unit"), 32)
    assert np.allclose(unit(CROPS), embedding_of(backbone, CROPS / 255), atol=1e-4)
    random = backbones.load(BackboneConfig(str(tmp_path), "random", seed=3), 32)
    assert not np.allclose(random(CROPS), expected, atol=1e-2)


def test_a_name_that_is_no_preset_is_told() -> None:
    with pytest.raises(ConfigError, match="There is no preset resnet1 of KerasHub"):
        backbones.load(BackboneConfig("resnet1"), 32)
    backbone_configs = [recipe.backbone for recipe in transfer.PRESETS.values()]
    backbone_configs += [recipe.backbone for recipe in features.PRESETS.values()]
    sources = {config.source for config in backbone_configs} - {"", "efficientnet_lite0", "six_block_60-40"}
    assert len(sources) == 6
    assert sources <= set(models.Backbone.presets)


@pytest.mark.parametrize(("make", "kind"), [(dinov2, "keras"), (clip, "onnx")])
def test_features_of_a_vision_transformer_make_a_rater(make: Callable[[], Any], kind: str, tmp_path: Path) -> None:
    """DINOv2 has an operation that the converter to ONNX does not know, and stays a network of Keras."""
    make().save_to_preset(str(tmp_path / "preset"))
    config = FeaturesConfig(
        CropConfig(size=32), BackboneConfig(str(tmp_path / "preset"), preprocess="unit"), preset="vit"
    )
    said: list[str] = []
    run = train_rater(Job(config, (synthetic.draw(30),), tmp_path / "run"), said.append)
    assert run.card.config == replace(config, backbone=replace(config.backbone, source="preset"))
    assert {"head", kind} == set(run.card.artifacts)
    assert any("no ONNX file" in line for line in said) == (kind == "keras")
    assert registry.load(str(run.card.path)).name == "vit_synthetic"


def test_a_preset_that_cannot_be_fetched_is_told_with_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_preset(*_: object, **__: object) -> None:
        raise ConnectionError("Max retries exceeded\nwith url: /models")

    monkeypatch.setattr(models.Backbone, "from_preset", from_preset)
    for source in ("resnet_50_imagenet", "hf://someone/network"):
        with pytest.raises(WeightsError) as caught:
            backbones.load(BackboneConfig(source), 224)
        assert "cannot be fetched here (Max retries exceeded)." in str(caught.value)
        assert f"run tools/fetch_backbone.py {source} FOLDER" in str(caught.value)
        assert "\n" not in str(caught.value)
