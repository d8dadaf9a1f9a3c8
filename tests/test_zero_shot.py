"""CLIP, zero-shot: KerasHub's own loading on a tiny preset in a folder, the pairs, and their scale."""

import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT

from beauty_evaluate import Scorer
from beauty_evaluate.cli import train as train_command
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import sha256
from beauty_evaluate.raters import clip, registry
from beauty_evaluate.raters.backbone_loaders import keras_hub
from beauty_evaluate.raters.card import Artifact
from beauty_evaluate.raters.zero_shot import ZeroShot, ZeroShotConfig, margins
from beauty_evaluate.settings import with_settings
from beauty_evaluate.training import portable
from beauty_evaluate.training.calibrate import both_ways, compared, line
from beauty_evaluate.training.families import recipe, train_rater
from beauty_evaluate.training.job import Job, TrainingRun

SIDE = 32


@pytest.fixture(scope="module")
def hub() -> Any:
    return keras_hub()


@pytest.fixture(scope="module")
def preset(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of 15,000 random numbers, as KerasHub saves one."""
    folder = tmp_path_factory.mktemp("clip")
    letters = string.ascii_lowercase
    tokens = ["<pad>", *letters, *(f"{c}</w>" for c in letters), "in", "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    shape = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "intermediate_dim": 32}
    backbone = hub.models.CLIPBackbone(
        hub.models.CLIPVisionEncoder(patch_size=8, image_shape=(SIDE, SIDE, 3), **shape),
        hub.models.CLIPTextEncoder(vocabulary_size=len(vocabulary), embedding_dim=16, **shape),
        projection_dim=8,
    )
    converter = hub.layers.CLIPImageConverter(image_size=(SIDE, SIDE), scale=[1 / 60] * 3, offset=[-2.0, -2.1, -2.2])
    tokenizer = hub.models.CLIPTokenizer(vocabulary=vocabulary, merges=["i n"])
    backbone.save_to_preset(str(folder))
    hub.models.CLIPPreprocessor(tokenizer, converter).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def run(preset: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    config = with_settings(recipe("clip_zero_shot"), [f"backbone={preset}", f"crop.size={SIDE}", "flip_tta=false"])
    return train_rater(Job(config, (synthetic.draw(40),), tmp_path_factory.mktemp("runs") / "clip"))


def test_margins_are_differences_of_clips_own_logits(hub: Any, preset: Path, run: TrainingRun) -> None:
    config = run.card.config
    assert isinstance(config, ZeroShotConfig)
    crops = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.float32)
    preprocessor = hub.models.CLIPPreprocessor.from_preset(str(preset))
    inputs = preprocessor({"images": crops, "prompts": config.sentences})
    backbone = hub.models.CLIPBackbone.from_preset(str(preset))
    tokens = np.asarray(inputs["token_ids"])
    images = [np.repeat(image[None], len(tokens), 0) for image in np.asarray(preprocessor.image_converter(crops))]
    logits = np.stack([np.asarray(backbone({"images": im, "token_ids": tokens})["vision_logits"])[0] for im in images])
    rater = registry.of_card(run.card)
    assert isinstance(rater, ZeroShot)
    ours = margins(rater._network, rater._directions, list(crops), flip_tta=False)
    assert np.allclose(ours, logits[:, :4] - logits[:, 4:], atol=2e-3 * np.abs(logits).max())
    mirrored = margins(rater._network, rater._directions, list(crops[:, :, ::-1]), flip_tta=True)
    assert np.allclose(margins(rater._network, rater._directions, list(crops), flip_tta=True), mirrored, atol=1e-4)


def test_the_rating_is_the_mean_of_its_pairs_and_lies_on_the_training_scale(run: TrainingRun) -> None:
    config = run.card.config
    assert isinstance(config, ZeroShotConfig)
    assert config.slope >= 0
    assert len(run.card.trained_on[0].photos) == 32
    assert config.offset == pytest.approx(run.card.labels["mean"], abs=0.15)  # that of the photos not held back
    (row,) = Scorer(str(run.card.folder)).score(PORTRAIT)
    parts = dict(part.split("=") for part in row.parts.split(";"))
    assert list(parts) == ["attractive", "beautiful", "hot", "aesthetic"]
    assert row.score == pytest.approx(np.clip(np.mean([float(value) for value in parts.values()]), 1, 5), abs=1e-3)
    assert "Zero-shot" in row.notes


def test_scoring_needs_neither_the_preset_nor_tensorflow(run: TrainingRun, preset: Path) -> None:
    assert set(run.card.artifacts) == {"onnx", "texts"}
    assert run.card.started_from == preset.name  # and not its place on this machine


def test_a_tower_that_onnx_does_not_take_stays_with_keras(
    run: TrainingRun, preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable, "TOLERANCE", -1.0)
    path = portable.write_portable(clip.load(str(preset), SIDE).tower, run.card.folder, "again", print)["keras"]
    artifacts = {"keras": Artifact(path.name, sha256(path)), "texts": run.card.artifacts["texts"]}
    by_keras = registry.of_card(replace(run.card, artifacts=artifacts))
    faces = [face_of(i) for i in range(3)]
    assert np.allclose(by_keras.rate(faces).mean, registry.of_card(run.card).rate(faces).mean, atol=1e-3)


def face_of(seed: int) -> Face:
    sample = next(iter(synthetic.draw(1, seed=seed).samples.values()))
    assert sample.points is not None
    return Face((0, 0, 200, 200), sample.points, 1.0, sample.picture)


def test_what_cannot_be_fetched_is_told_with_its_cure(hub: Any, tmp_path: Path) -> None:
    for source in ("clip_vit_of_nobody", str(tmp_path)):
        with pytest.raises(WeightsError, match=r"cannot be read or fetched here .* name that folder with --backbone"):
            clip.load(source, SIDE)
    other = hub.models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[3], stackwise_num_filters=[64], stackwise_num_blocks=[1],
        stackwise_num_strides=[1], block_type="basic_block", image_shape=(SIDE, SIDE, 3),
    )  # fmt: skip
    other.save_to_preset(str(tmp_path / "resnet"))
    with pytest.raises(ConfigError, match="is no CLIP"):
        clip.load(str(tmp_path / "resnet"), SIDE)


def test_the_command_takes_a_clip_by_its_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--preset", "clip_zero_shot", "--backbone", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
    assert train_command.main(words) == 2
    assert f"The CLIP {tmp_path / 'none'} cannot be read or fetched here" in capsys.readouterr().err


def test_pairs_and_prompts_are_checked() -> None:
    for changes, message in (
        ({"pairs": ()}, "pairs takes adjectives"),
        ({"pairs": ("beautiful",)}, "pairs takes adjectives"),
        ({"pairs": ("hot/cold", "hot/plain")}, "an adjective of its own"),
        ({"prompt": "a photo"}, "one {} for the adjective"),
        ({"crop": CropConfig(grey=True)}, "colours"),
    ):
        with pytest.raises(ConfigError, match=message):
            replace(ZeroShotConfig(), **changes)
    config = with_settings(ZeroShotConfig(), ['pairs=["elegant/clumsy"]'])
    assert config.sentences == ["a photo of a elegant person", "a photo of a clumsy person"]


def test_a_line_never_falls() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    slope, offset = line(x, 3 + 0.5 * x + rng.normal(0, 0.1, 50))
    assert slope == pytest.approx(0.5, abs=0.05)
    assert offset == pytest.approx(3, abs=0.05)
    assert line(x, -x)[0] == 0
    assert line(np.ones(3), np.array([1.0, 2.0, 3.0])) == (0.0, 2.0)


def test_crops_are_compared_with_whole_photos_where_both_have_a_rating() -> None:
    aligned, whole = both_ways(CropConfig("whole", 64))
    assert (aligned.geometry, whole.geometry, aligned.size) == ("aligned", "whole", 64)
    crops, photos = np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 2.0, 2.0, 5.0])
    text = compared(crops, photos, np.array([1.0, 2.0, 4.0, 4.0]))
    assert text.startswith("Of 3 photos held back, crops have PC 0.982 and whole photos -; ratings differ by 0.67")
    assert text.endswith("higher on 33 % and lower on 33 %.")
