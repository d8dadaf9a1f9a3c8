"""Learning of the family `fusion`: sub-scores of regions, or of the geometry, and one of a network's features."""

from dataclasses import replace

import numpy as np

from beauty_evaluate.faces import features
from beauty_evaluate.faces.landmarks import MESH_SIDE
from beauty_evaluate.raters.fusion import FusionConfig, embed
from beauty_evaluate.raters.geometry import RuleConfig
from beauty_evaluate.training.extract import extractor_hash
from beauty_evaluate.training.features import opened
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
        ConfigError: there is no such network, it does not fit, or it has learnt from photos that the lesson does not
            have.
        DataError: too few photos show a face.
        WeightsError: the network's weights are not there.
    """
    config = lesson.config
    assert isinstance(config, FusionConfig)
    extractor = opened(config.embedding, lesson)
    embedding, crop = extractor.config, extractor.config.crop
    shared = crop.geometry == "aligned" and not crop.grey and crop.size >= MESH_SIDE  # one crop for mesh and network
    config = replace(config, embedding=embedding, crop=crop if shared else config.crop)
    digest = extractor_hash(f"{extractor.digest}, mean over views", crop, embedding.flip_tta)
    measured = measure_lesson(
        lesson,
        config.crop,
        geometry_of(config.crop),
        (digest, lambda faces: embed(extractor.network, embedding, faces)),
    )
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
        artifacts={**learnt.artifacts, **extractor.write(lesson.folder, lesson.name)},
        parameters=learnt.parameters + extractor.parameters,
        started_from=extractor.name,
        learnt_before=extractor.learnt_before,
    )
