"""Learning of the family `fusion`: sub-scores of regions, or of the geometry, and one of a network's features."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.faces import features
from beauty_evaluate.files import sha256
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.fusion import EmbeddingConfig, FusionConfig, embedding_of
from beauty_evaluate.raters.geometry import RuleConfig
from beauty_evaluate.training.export import export
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.measuring import geometry_of, measure_lesson
from beauty_evaluate.training.sub_scores import PartRecipe, learn

NETWORK = "network"  # the part that the embedding makes

PRESETS: dict[str, FusionConfig] = {
    "fusion": FusionConfig(rule=RuleConfig("ridge", penalty=30.0)),
}


def fit(lesson: Lesson) -> Learnt:
    """Learn as sub-scores do, the network's features being a part of their own.

    A network of ours knows the training photos, those held back too: figures on these are too good, and the weights
    favour the network. The test part alone says what the fusion is worth.

    Raises:
        ConfigError: the weights are no network's, or have learnt from photos that the lesson does not have.
        DataError: too few photos show a face.
    """
    config = lesson.config
    assert isinstance(config, FusionConfig)
    network = registry.load_card(config.embedding.weights)
    embedding = _checked(network, config.embedding, lesson)
    shared = embedding.crop.geometry == "aligned" and not embedding.crop.grey  # one crop for the mesh and the network
    config = replace(config, embedding=embedding, crop=embedding.crop if shared else config.crop)
    path = _exported(network, lesson.folder, lesson.name)
    embed = embedding_of(path, embedding)
    measured = measure_lesson(lesson, config.crop, geometry_of(config.crop), (sha256(path)[:16], embed))
    count = len(features.NAMES)
    network_part = PartRecipe(np.arange(count, measured.values.shape[1]), config.embedding_rule)
    columns = {region: features.columns(region) for region in features.REGIONS}
    if config.geometry == "geometry":
        columns = {"geometry": np.arange(count)}
    recipes = {part: PartRecipe(places, config.rule) for part, places in columns.items()}
    learnt = learn(
        replace(lesson, config=config), measured, {**recipes, NETWORK: network_part}, config.folds, config.evenness
    )
    return replace(
        learnt,
        artifacts={**learnt.artifacts, "embedding": path},
        parameters=learnt.parameters + network.parameters,
        started_from=network.identity,
        learnt_before=network.trained_on,
    )


def _checked(network: Card, config: EmbeddingConfig, lesson: Lesson) -> EmbeddingConfig:
    """The config with what the card says of crops. Raises ConfigError."""
    if not isinstance(network.config, Config):
        raise ConfigError(f"{network.name} is no network. Name one with --set embedding.weights=NAME.")
    titles, keys = {sample.data_set for sample in lesson.samples}, set(lesson.keys)
    photos = {photo for part in network.trained_on if part.data_set in titles for photo in part.photos}
    if others := photos - keys:
        raise ConfigError(
            f"{network.name} has learnt from {len(others)} photos of these data sets that are not in the training "
            "part, so that figures on the test part would be too good. Name a network of the same split with "
            "--set embedding.weights=NAME."
        )
    return replace(config, crop=network.config.crop, flip_tta=network.config.flip_tta)


def _exported(network: Card, folder: Path, name: str) -> Path:
    """The network's file with the features of its last block, which files of release 0.1 do not give."""
    path = folder / f"{name}.embedding.onnx"
    exported = export(registry.of_card(network), folder / "export")
    os.replace(exported.path, path)
    exported.path.parent.rmdir()
    return path
