"""Raters on named features, learnt from a dozen drawn faces: what tests of them share."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from beauty_evaluate.config import CropConfig, RatingScale, ScaleMap
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.faces import features
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import sha256
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.backbone_config import BackboneConfig
from beauty_evaluate.raters.card import Artifact, Card, TrainedOn
from beauty_evaluate.raters.features import ExtractorConfig, prepared
from beauty_evaluate.raters.fusion import FusionConfig, embed
from beauty_evaluate.raters.geometry import GeometryConfig, Rule, RuleConfig
from beauty_evaluate.raters.regressors import Standardiser
from beauty_evaluate.raters.runtime import onnxruntime_predictor
from beauty_evaluate.raters.sub_scores import SubScoresConfig
from beauty_evaluate.training.measuring import write_arrays
from beauty_evaluate.training.rules import fit_rule
from beauty_evaluate.training.sub_scores import PartRecipe, fit_parts

SCALE = RatingScale(1, 5)
LEARNT = TrainedOn("drawn", "all", SCALE, ScaleMap(), {"n": 2, "mean": 3, "sd": 1, "min": 2, "max": 4}, ("ab",))
TINY = RuleConfig(trees=20, leaf_photos=1, hidden=(4, 3), epochs=3, members=2)
NAMES = {"names": np.array(features.NAMES)}


def drawn_faces(count: int = 12) -> tuple[list[Face], np.ndarray]:
    """Faces and scores."""
    samples = list(synthetic.draw(count).samples.values())
    faces = [Face((0, 0, 200, 200), s.points, 1.0, s.picture) for s in samples if s.points is not None]
    return faces, np.array([sample.score for sample in samples])


def region_recipes(rule: RuleConfig = TINY) -> dict[str, PartRecipe]:
    return {region: PartRecipe(features.columns(region), rule) for region in features.REGIONS}


def geometry_card(kind: Rule, folder: Path) -> Card:
    config = GeometryConfig("tiny", rule=replace(TINY, kind=kind))
    faces, scores = drawn_faces()
    values, _ = features.measure([face.crop(config.crop) for face in faces], config.crop)
    standardiser = Standardiser.fit(values)
    rule = fit_rule(config.rule, standardiser(values), scores)
    arrays = {**NAMES, "mean": standardiser.mean, "sd": standardiser.sd, **rule.arrays()}
    path = write_arrays(folder / "tiny.rule.npz", arrays)
    return written(Card("tiny", config, SCALE, (LEARNT,), folder=folder), rule=path)


def sub_scores_card(folder: Path) -> Card:
    config = SubScoresConfig(rule=TINY)
    faces, scores = drawn_faces()
    values, _ = features.measure([face.crop(config.crop) for face in faces], config.crop)
    parts = fit_parts(region_recipes(), values, scores, 2)
    path = write_arrays(folder / "tiny.rule.npz", {**NAMES, **parts.arrays()})
    return written(Card("tiny", config, SCALE, (LEARNT,), folder=folder), rule=path)


def fusion_card(network: Card, crop: CropConfig, folder: Path) -> Card:
    """A fusion with a network whose exported file gives features."""
    path = folder / "tiny.onnx"
    shutil.copyfile(network.artifact("onnx"), path)
    embedding = ExtractorConfig(crop, BackboneConfig(network.name), rating_first=True)
    config = FusionConfig(crop=crop, embedding=embedding, rule=TINY)
    faces, scores = drawn_faces()
    values, _ = features.measure([face.crop(config.crop) for face in faces], config.crop)
    extractor = prepared(onnxruntime_predictor(path), embedding)
    values = np.concatenate([values, embed(extractor, embedding, faces)], axis=1)
    places = np.arange(len(features.NAMES), values.shape[1])
    parts = fit_parts({**region_recipes(), "network": PartRecipe(places, TINY)}, values, scores, 2)
    rule = write_arrays(folder / "tiny.rule.npz", {**NAMES, **parts.arrays()})
    return written(Card("tiny", config, SCALE, (LEARNT,), folder=folder), rule=rule, onnx=path)


def written(card: Card, **files: Path) -> Card:
    """The card with these artifacts, written."""
    card = replace(card, artifacts={key: Artifact(path.name, sha256(path)) for key, path in files.items()})
    cards.write(card)
    return card
