"""Learning of the family `features`: a head on what a frozen network says."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from beauty_evaluate.config import WEIGHTS, Config, CropConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.files import sha256, write_atomic
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backbone_config import PREPROCESS, BackboneConfig
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.features import HEAD, ExtractorConfig, FeaturesConfig, prepared
from beauty_evaluate.raters.heads import HeadConfig, predict_views
from beauty_evaluate.raters.portable import ONNX
from beauty_evaluate.raters.runtime import PredictFn, onnxruntime_predictor
from beauty_evaluate.training.collapse import figures, warn_of_collapse
from beauty_evaluate.training.export import export
from beauty_evaluate.training.extract import extract
from beauty_evaluate.training.heads import fit_head
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.measuring import write_arrays

_CROP = CropConfig(size=224)

PRESETS: dict[str, FeaturesConfig] = {
    "own_features": FeaturesConfig(),
    "dinov2_base": FeaturesConfig(
        _CROP, BackboneConfig("dinov2_base"), preset="dinov2_base", head=HeadConfig(hidden=(1024,), dropout=0.5)
    ),
    "clip_features": FeaturesConfig(_CROP, BackboneConfig("clip_vit_base_patch16"), preset="clip_features"),
    "onnx_features": FeaturesConfig(CropConfig(size=112), BackboneConfig(""), preset="onnx_features"),
}


Config_ = TypeVar("Config_", bound=ExtractorConfig)


@dataclass(frozen=True)
class Extractor(Generic[Config_]):
    """A network that gives features.

    Attributes:
        config: completed by what was found out about it.
        network: from crops to features.
        digest: hash of its weights.
        write: puts it into a folder under a name; its artifact by key.
        parameters: numbers in it; 0 where nobody counted.
        name: for the card.
        learnt_before: what a network of ours has learnt from: its test photos must not be among them.
    """

    config: Config_
    network: PredictFn
    digest: str
    write: Callable[[Path, str], dict[str, Path]]
    parameters: int
    name: str
    learnt_before: tuple[TrainedOn, ...] = ()


def fit(lesson: Lesson) -> Learnt:
    """Learn a head on features, which come from the cache where they are known.

    Raises:
        ConfigError: there is no such network, or it does not fit.
        DataError: there are too few photos.
        WeightsError: the network's weights are not there.
    """
    assert isinstance(lesson.config, FeaturesConfig)
    extractor = opened(lesson.config, lesson)
    config = extractor.config
    data = extract(lesson, config.crop, extractor.network, extractor.digest, config.flip_tta)
    lesson.say(f"{data.features.shape[2]} features of {len(data.names)} photos")
    head, history = fit_head(data, config.head, lesson.say)
    held = data.held_back
    warn_of_collapse(figures(predict_views(head, data.features[held]), data.scores[held]), lesson.say)
    path = write_arrays(lesson.folder / f"{lesson.name}.{HEAD}.npz", head.arrays())
    artifacts = {**extractor.write(lesson.folder, lesson.name), HEAD: path}
    parameters = extractor.parameters + head.parameters
    return Learnt(
        config,
        data.names,
        artifacts,
        data.problems,
        parameters,
        tuple(history),
        extractor.name,
        extractor.learnt_before,
    )


def opened(config: Config_, lesson: Lesson) -> Extractor[Config_]:
    """The network that gives features.

    Args:
        config: which one.
        lesson: that its features are for.

    Raises:
        ConfigError: there is no such network, it does not fit, or it has learnt from photos of the lesson's data sets
            that are not in the lesson, so that figures on the test part would be too good.
        WeightsError: its weights are not there.
    """
    source = config.backbone.source
    if not source:
        raise ConfigError("No network is named. Name a file: --backbone FILE.onnx")
    if Path(source).suffix == ".onnx":
        return _of_onnx(config, Path(source).expanduser())
    if source.endswith(".json") or (WEIGHTS / f"{source}.json").is_file():
        return _of_own(config, _checked(registry.load_card(source), lesson))
    return _of_keras(config, lesson.say)


def _of_own(config: Config_, card: Card) -> Extractor[Config_]:
    """The last block's maps of a network of ours, averaged, as its ONNX file gives them."""
    if not isinstance(card.config, Config):
        raise ConfigError(f"{card.name} is no network, which features come from. Name one with --backbone.")
    completed = replace(
        config,
        crop=card.config.crop,
        backbone=replace(config.backbone, source=card.name),
        rating_first=True,
        preprocess_outside=False,
    )
    network, write = _with_features(card, card.config.crop)
    digest = card.artifacts[ONNX].sha256
    return Extractor(
        completed, prepared(network, completed), digest, write, card.parameters, card.identity, card.trained_on
    )


def _with_features(card: Card, crop: CropConfig) -> tuple[PredictFn, Callable[[Path, str], dict[str, Path]]]:
    """The exported network and what copies it; exported again where its file gives the rating alone, as those of
    release 0.1 do."""
    path = card.artifact(ONNX)
    network = onnxruntime_predictor(path)
    if network(np.zeros((1, crop.size, crop.size, 1 if crop.grey else 3), np.float32)).shape[1] > 1:
        return network, _copier(path)
    with tempfile.TemporaryDirectory() as folder:
        path = export(registry.of_card(card), Path(folder)).path
        network, content = onnxruntime_predictor(path), path.read_bytes()

    def write(folder: Path, name: str) -> dict[str, Path]:
        write_atomic(folder / f"{name}.onnx", content)
        return {ONNX: folder / f"{name}.onnx"}

    return network, write


def _checked(network: Card, lesson: Lesson) -> Card:
    """The card, if it knows no photo of the lesson's data sets but those of the lesson. Raises ConfigError."""
    titles = {sample.data_set for sample in lesson.samples}
    photos = {photo for part in network.trained_on if part.data_set in titles for photo in part.photos}
    if others := photos.difference(lesson.keys):
        raise ConfigError(
            f"{network.name} has learnt from {len(others)} photos of these data sets that are not in the training "
            "part, so that figures on the test part would be too good. Name a network of the same split with "
            "--backbone."
        )
    return network


def _of_onnx(config: Config_, path: Path) -> Extractor[Config_]:
    """Any embedding network in an ONNX file."""
    network = onnxruntime_predictor(path) if path.is_file() else None
    if network is None:
        raise ConfigError(f"No such file: {path}.")
    if config.backbone.preprocess == "auto":
        raise ConfigError(
            f"{path.name} does not say how it takes pixels. Say so with --set backbone.preprocess=, one of "
            f"{', '.join(PREPROCESS)}."
        )
    shape = onnx_input(path)
    channels_first = len(shape) == 4 and shape[1] == 3
    side = shape[2] if channels_first else shape[1]
    if len(shape) != 4 or (isinstance(side, int) and side != config.crop.size):
        raise ConfigError(f"{path.name} takes pictures of shape {shape}: --set crop.size={side}")
    completed = replace(
        config,
        backbone=replace(config.backbone, source=path.name),
        preprocess_outside=True,
        channels_first=channels_first,
        rating_first=False,
    )
    digest = f"{sha256(path)} {config.backbone.preprocess}"
    return Extractor(completed, prepared(network, completed), digest, _copier(path), 0, path.name)


def onnx_input(path: Path) -> list[int | str | None]:
    """The shape that an ONNX network takes; names or None where it is free."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return list(session.get_inputs()[0].shape)


def _of_keras(config: Config_, say: Callable[[str], None]) -> Extractor[Config_]:
    """A backbone, frozen."""
    from beauty_evaluate.raters import backbones
    from beauty_evaluate.raters.keras_file import model_predictor
    from beauty_evaluate.training.portable import model_hash, write_portable
    from beauty_evaluate.training.transfer import without_folder

    model = backbones.load(config.backbone, config.crop.size)
    completed = replace(config, backbone=without_folder(config.backbone), preprocess_outside=False, rating_first=False)
    return Extractor(
        completed,
        model_predictor(model),
        model_hash(model),
        lambda folder, name: write_portable(model, folder, name, say),
        model.count_params(),
        completed.backbone.source,
    )


def _copier(path: Path) -> Callable[[Path, str], dict[str, Path]]:
    def write(folder: Path, name: str) -> dict[str, Path]:
        copy = folder / f"{name}{path.suffix}"
        shutil.copyfile(path, copy)
        return {ONNX: copy}

    return write
