"""What a zero-shot rater learns: where its pairs of adjectives lie, and how far their mean moves a rating."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.errors import DataError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters import clip
from beauty_evaluate.raters.keras_file import model_predictor
from beauty_evaluate.raters.portable import ONNX
from beauty_evaluate.raters.runtime import PredictFn, onnxruntime_predictor
from beauty_evaluate.raters.zero_shot import TEXTS, ZeroShotConfig, margins
from beauty_evaluate.training.calibrate import MOST_COMPARED, both_ways, compared, faces, line
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.portable import write_portable

Floats = NDArray[np.float64]
FACES_AT_ONCE = 64


def fit(lesson: Lesson) -> Learnt:
    """Show all training photos to CLIP, which learns nothing of them; their margins are put on the raters' scale.

    Args:
        lesson: of a `ZeroShotConfig`.

    Returns:
        The config with the calibration; artifacts `onnx` (or `keras`) and `texts` hold all that scoring needs.

    Raises:
        ConfigError: KerasHub is missing, or the backbone is no CLIP.
        WeightsError: the backbone cannot be fetched.
        DataError: no photo shows a face.
    """
    config = lesson.config
    assert isinstance(config, ZeroShotConfig)
    loaded = clip.load(config.backbone, config.crop.size)
    lesson.say(f"CLIP {config.backbone} is loaded: {loaded.parameters:,} parameters")
    first, second = np.split(loaded.embed(config.sentences), 2)
    directions = loaded.logit_scale * (first - second)
    artifacts = {TEXTS: lesson.folder / f"{lesson.name}.texts.npz"}
    buffer = io.BytesIO()
    np.savez(buffer, directions=directions, prompts=np.array(config.sentences))
    write_atomic(artifacts[TEXTS], buffer.getbuffer())
    artifacts |= write_portable(loaded.tower, lesson.folder, lesson.name, lesson.say)
    network = onnxruntime_predictor(artifacts[ONNX]) if ONNX in artifacts else model_predictor(loaded.tower)
    problems: list[Problem] = []
    values = _values(network, directions, lesson.samples, config.crop, config.flip_tta, problems, lesson)
    if not values:
        raise DataError("There is nothing to learn from: no photo shows a face that was found.")
    names = tuple(sample.name for sample in lesson.samples if sample.name in values)
    config = _calibrated(config, *_to_fit(lesson, values))
    if config.slope == 0:
        lesson.say("problem: the adjectives run against the raters, so everyone gets the mean")
    lesson.say(_views(network, directions, config, lesson, values))
    place = Path(config.backbone)
    source = place.name if place.is_dir() else config.backbone  # a card does not tell where a folder lay
    config = replace(config, backbone=source)
    return Learnt(config, names, artifacts, tuple(problems), loaded.parameters, started_from=source)


def _to_fit(lesson: Lesson, values: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Margins and scores of the photos that were not held back; of all, where there are no others."""
    held = {sample.name for sample, is_held in zip(lesson.samples, lesson.held_back, strict=True) if is_held}
    scores = {sample.name: sample.score for sample in lesson.samples if sample.name in values}
    names = [name for name in scores if name not in held] or list(scores)
    return np.stack([values[name] for name in names]), np.array([scores[name] for name in names])


def _calibrated(config: ZeroShotConfig, values: Floats, scores: Floats) -> ZeroShotConfig:
    """The config with what maps margins (N, K) onto scores (N,)."""
    centre, spread = values.mean(0), np.maximum(values.std(0), 1e-9)
    slope, offset = line(((values - centre) / spread).mean(1), scores)
    return replace(
        config, centre=tuple(map(float, centre)), spread=tuple(map(float, spread)), slope=slope, offset=offset
    )


def _values(
    network: PredictFn,
    directions: Floats,
    samples: tuple[Sample, ...],
    crop: CropConfig,
    flip_tta: bool,
    problems: list[Problem] | None = None,
    lesson: Lesson | None = None,
) -> dict[str, Floats]:
    """The margins of each photo that shows a face, by its name."""
    values: dict[str, Floats] = {}
    for start in range(0, len(samples), FACES_AT_ONCE):
        pairs = list(faces(samples[start : start + FACES_AT_ONCE], crop, problems))
        if pairs:
            rows = margins(network, directions, [face.crop(crop) for _, face in pairs], flip_tta)
            values |= {sample.name: row for (sample, _), row in zip(pairs, rows, strict=True)}
        if lesson:
            lesson.say(f"{min(start + FACES_AT_ONCE, len(samples))} of {len(samples)} photos")
    return values


def _views(
    network: PredictFn, directions: Floats, config: ZeroShotConfig, lesson: Lesson, values: dict[str, Floats]
) -> str:
    """Crop against whole photo, on photos held back."""
    samples = tuple(sample for sample, held in zip(lesson.samples, lesson.held_back, strict=True) if held)
    samples = samples[:MOST_COMPARED]
    ratings = []
    for crop in both_ways(config.crop):
        of_crop = values if crop == config.crop else _values(network, directions, samples, crop, config.flip_tta)
        z = [(of_crop[s.name] - config.centre) / config.spread if s.name in of_crop else np.nan for s in samples]
        ratings.append(np.array([config.offset + config.slope * np.mean(row) for row in z]))
    return compared(ratings[0], ratings[1], np.array([sample.score for sample in samples]))
