"""Learning an ensemble: weights of frozen members and a shallow correction, on photos that no member learnt from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from beauty_evaluate.config import CropConfig, RatingScale, ScaleMap
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.datasets.mixture import fit_scale_map
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.card_files import scored_with
from beauty_evaluate.raters.ensemble import BLEND, Blend, EnsembleConfig, Floats
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.settings import to_json
from beauty_evaluate.training.lesson import Learnt, Lesson

MIN_MEMBERS, MAX_MEMBERS = 2, 10
MIN_PHOTOS = 8  # that weights are fitted on; some hundreds are what it takes
FOLDS = 5  # on which a correction must help


@dataclass(frozen=True)
class _Fresh:
    """Photos that no member has learnt from, as the members rate them: names, float64 (K, N) ratings, (N,) labels."""

    names: tuple[str, ...]
    ratings: Floats
    labels: Floats
    problems: tuple[Problem, ...]


def fit(lesson: Lesson) -> Learnt:
    """Copy the members into the lesson's folder, and learn to weigh them.

    What is fitted on are the photos of the lesson that no member has learnt from: with members trained on the split
    `NAME-val`, the tenth of the training part of NAME that they held back.

    Args:
        lesson: Its config names the members.

    Raises:
        ConfigError: Too few members or too many, or two of one name.
        DataError: A member has learnt from other photos than the lesson's, or too few photos are left.
        WeightsError: There is no such member.
    """
    config = lesson.config
    assert isinstance(config, EnsembleConfig)
    members = _members(config, lesson)
    learnt = {photo for member in members for part in member.trained_on for photo in part.photos}
    _check_photos(members, lesson)
    raters = [registry.of_card(member, "onnxruntime") for member in members]
    fresh = [sample for sample, key in zip(lesson.samples, lesson.keys, strict=True) if key not in learnt]
    lesson.say(f"rating {len(fresh)} photos that no member has learnt from")
    rated = _rate(raters, fresh)
    if len(rated.names) < MIN_PHOTOS:
        raise DataError(
            f"{len(rated.names)} photos that no member has learnt from are too few to weigh members on. Train the "
            "members on the split NAME-val, which holds a tenth of the training part back."
        )
    scales = [member.scale for member in members]
    blend = fit_blend(rated.ratings, rated.labels, config, lesson.scale, scales)
    lesson.say(_line(members, blend))
    learnt_before = [sample.name for sample, key in zip(lesson.samples, lesson.keys, strict=True) if key in learnt]
    path = lesson.folder / f"{lesson.name}.blend.json"
    write_atomic(path, (json.dumps(to_json(blend), indent=1) + "\n").encode())
    artifacts = {BLEND: path}
    for member in members:
        artifacts |= _copy(member, lesson.folder)
    crops = [crop_config(rater) for rater in raters if "crop" in rater.needs]
    config = replace(config, members=tuple(m.name for m in members), crop=crops[0] if crops else CropConfig())
    parameters = sum(member.parameters for member in members) + len(members) + len(blend.correction)
    names = tuple(sorted({*rated.names, *learnt_before}))
    return Learnt(
        config,
        names,
        artifacts,
        rated.problems,
        parameters,
        started_from=_started_from(members),
        learnt_before=_learnt_before(members),
    )


def _line(members: Sequence[Card], blend: Blend) -> str:
    """The weights, for a person."""
    weights = ", ".join(f"{card.name} {weight:.3f}" for card, weight in zip(members, blend.weights, strict=True))
    return f"weights: {weights}; {'with a' if blend.correction else 'without a'} correction"


def _members(config: EnsembleConfig, lesson: Lesson) -> list[Card]:
    """The cards of the members. Raises ConfigError, WeightsError."""
    count = len(config.members)
    if not MIN_MEMBERS <= count <= MAX_MEMBERS:
        raise ConfigError(
            f"An ensemble takes {MIN_MEMBERS} to {MAX_MEMBERS} members, not {count}. Name their cards: "
            """--set 'members=["FIRST", "SECOND"]'."""
        )
    members = [registry.load_card(name) for name in config.members]
    names = [lesson.name, *(member.name for member in members)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"Two cards of the ensemble are called {', '.join(sorted(twice))}. Rename one.")
    return members


def _check_photos(members: Sequence[Card], lesson: Lesson) -> None:
    """The ensemble's card must know all that a member has learnt from. Raises DataError."""
    photos = set(lesson.keys)
    for member in members:
        others = [part for part in member.trained_on if not photos.issuperset(part.photos)]
        if others:
            sets = ", ".join(sorted({f"{part.data_set}, split {part.split}" for part in others}))
            raise DataError(
                f"{member.name} has learnt from photos that are not in the training part here ({sets}). Name the data "
                "sets and splits that the members were trained on."
            )


def _rate(raters: Sequence[Rater], samples: Sequence[Sample]) -> _Fresh:
    """What each rater says of each sample that shows a face."""
    names, ratings, problems = list[str](), list[Floats](), list[Problem]()
    for batch in faces_of(samples, crop_config(raters[0])):
        faces = {name: face for name, face in batch.items() if isinstance(face, Face)}
        problems += [Problem(name, 0, f"{error} Skipped.") for name, error in batch.items() if name not in faces]
        if faces:
            names += faces
            ratings.append(np.stack([rater.rate(list(faces.values())).mean for rater in raters]))
    labels = {sample.name: sample.score for sample in samples}
    every = np.concatenate(ratings, 1) if ratings else np.empty((len(raters), 0))
    return _Fresh(tuple(names), every, np.array([labels[name] for name in names]), tuple(problems))


def fit_blend(
    ratings: Floats, labels: Floats, config: EnsembleConfig, scale: RatingScale, scales: Sequence[RatingScale]
) -> Blend:
    """The weights, and the correction where it helps on folds that it was not fitted on.

    Args:
        ratings: float64 (K, N), of K members on N photos, each on its own scale.
        labels: float64 (N,), on `scale`.
        config: Shrinkage and ridge.
        scale: Of the ensemble.
        scales: (K,), of the members; one that differs is mapped by mean and standard deviation of the labels.

    Example:
        >>> labels = np.linspace(1, 5, 40)
        >>> noise = np.random.default_rng(0).normal(0, 1, (2, 40))
        >>> members = np.stack([labels, labels]) + noise * [[0.1], [1.0]]
        >>> blend = fit_blend(members, labels, EnsembleConfig(), RatingScale(1, 5), [RatingScale(1, 5)] * 2)
        >>> blend.weights[0] > 0.8, round(sum(blend.weights), 6)
        (True, 1.0)
    """
    plain = _fit(ratings, labels, replace(config, correction=False), scale, scales)
    if not config.correction:
        return plain
    errors = np.zeros(2)
    for fold in range(FOLDS):
        held = np.arange(len(labels)) % FOLDS == fold
        for i, corrected in enumerate((False, True)):
            part = replace(config, correction=corrected)
            blend = _fit(ratings[:, ~held], labels[~held], part, scale, scales)
            errors[i] += float(((blend.apply(ratings[:, held]) - labels[held]) ** 2).sum())
    return _fit(ratings, labels, config, scale, scales) if errors[1] < errors[0] else plain


def _fit(
    ratings: Floats, labels: Floats, config: EnsembleConfig, scale: RatingScale, scales: Sequence[RatingScale]
) -> Blend:
    """Weights and, if the config says so, a correction by ridge regression of what is left."""
    lines = [
        ScaleMap() if one == scale else fit_scale_map(values, labels)
        for one, values in zip(scales, ratings, strict=True)
    ]
    slopes, offsets = tuple(line.slope for line in lines), tuple(line.offset for line in lines)
    mapped = ratings * np.array(slopes)[:, None] + np.array(offsets)[:, None]
    weights = simplex_weights(mapped, labels, config.shrinkage)
    mean, apart = np.array(weights) @ mapped, mapped.std(0)
    middle, spread = ((float(v.mean()), max(float(v.std()), 1e-6)) for v in (mean, apart))
    blend = Blend(weights, slopes, offsets, middle, spread)
    if not config.correction:
        return blend
    basis = blend.basis(mapped)
    penalty = config.ridge * np.diag([0.0, 1, 1, 1])
    coefficients = np.linalg.solve(basis.T @ basis + penalty, basis.T @ (labels - mean))
    return replace(blend, correction=tuple(map(float, coefficients)))


def simplex_weights(mapped: Floats, labels: Floats, shrinkage: float) -> tuple[float, ...]:
    """The weights, none below 0 and their sum 1, with the least mean squared error plus `shrinkage` times their squared
    distance from equal ones. Exact: the best of the solutions on each subset of the members that are feasible.

    Args:
        mapped: float64 (K, N), ratings on the scale of the labels.
        labels: float64 (N,).
        shrinkage: Rating points squared.

    Example:
        >>> simplex_weights(np.array([[1.0, 2, 3], [3, 2, 1]]), np.array([1.0, 2, 3]), 0)
        (1.0, 0.0)
    """
    count = len(mapped)
    errors = mapped - labels  # the weights' sum is 1: the error of the mean is the mean of the errors
    gram = errors @ errors.T / len(labels) + (shrinkage + 1e-9) * np.eye(count)  # never singular
    best, least = np.full(count, 1 / count), np.inf
    for size in range(1, count + 1):
        for subset in map(list, combinations(range(count), size)):
            raw = np.linalg.solve(gram[np.ix_(subset, subset)], np.ones(size))
            if raw.min() < 0:
                continue
            weights = np.zeros(count)
            weights[subset] = raw / raw.sum()
            if (loss := float(weights @ gram @ weights)) < least - 1e-12:
                best, least = weights, loss
    return tuple(map(float, best))


def _copy(member: Card, folder: Path) -> dict[str, Path]:
    """Copy a member's card and what scoring reads of it. Returns the files by what they are in the ensemble."""
    copied = replace(member, folder=folder, artifacts=scored_with(member))
    for kind, artifact in copied.artifacts.items():
        write_atomic(folder / artifact.file, member.artifact(kind).read_bytes())
    files = {f"{member.name} {kind}": folder / artifact.file for kind, artifact in copied.artifacts.items()}
    return {member.name: cards.write(copied), **files}


def _learnt_before(members: Sequence[Card]) -> tuple[TrainedOn, ...]:
    """What the members have learnt from, each part once."""
    parts: list[TrainedOn] = []
    for member in members:
        parts += [part for part in member.trained_on if part not in parts]
    return tuple(parts)


def _started_from(members: Sequence[Card]) -> str:
    """What the members had learnt elsewhere; empty for nothing."""
    return ", ".join(dict.fromkeys(member.started_from for member in members if member.started_from))
