"""What is learnt of a language model: the line from its answers to the raters' scale, and how it answers."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.dataset import Problem, Sample
from beauty_evaluate.errors import DataError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters.answers import Answer, Bias
from beauty_evaluate.raters.language_model import Interview, LanguageModelConfig, means
from beauty_evaluate.training.calibrate import both_ways, compared, faces, line
from beauty_evaluate.training.lesson import Learnt, Lesson

Answers = tuple[tuple[Answer, ...], ...]
SEED = 1  # of the choice of photos
SAID_EVERY = 20  # photos


def fit(lesson: Lesson) -> Learnt:
    """Ask about some training photos, and put the answers on the raters' scale.

    Args:
        lesson: of a `LanguageModelConfig`. Answers are kept in the folder as they come, and used again by `resume`.

    Returns:
        The config with the calibration; the artifact `answers` counts what was said.

    Raises:
        ConfigError: photos would leave this machine.
        WeightsError: the server does not answer, or lacks the model.
        DataError: no photo got a rating.
    """
    config = lesson.config
    assert isinstance(config, LanguageModelConfig)
    interview, problems = Interview(config), list[Problem]()
    config = replace(config, digest=interview.digest)
    log = _Log(lesson.folder / f"{lesson.name}.answers.jsonl", config, lesson.resume)
    samples = _chosen(lesson, ~lesson.held_back, config.calibrate_on)
    answers = _ask(interview, samples, config.crop, log, lesson, problems)
    bias = Bias.of([answer for several in answers.values() for one in several for answer in one])
    lesson.say(str(bias))
    ratings = {name: float(np.nanmean(row)) for name, row in _rated(answers).items()}
    if not ratings:
        raise DataError(f"{config.model} gave no rating for any of {len(samples)} photos. {bias}")
    scores = {sample.name: sample.score for sample in samples}
    values = np.array(list(ratings.values()))
    slope, offset = line(values, np.array([scores[name] for name in ratings]))
    config = replace(config, slope=slope, offset=offset, mean_answer=float(values.mean()))
    if slope == 0:
        lesson.say("problem: the answers run against the raters, so everyone gets the mean")
    if config.compare_on:
        lesson.say(_views(interview, config, log, lesson))
    path = lesson.folder / f"{lesson.name}.answers.json"
    write_atomic(path, (json.dumps(_counted(config, answers, bias), indent=1) + "\n").encode())
    started = f"{config.model} {config.digest[:12]}".strip()
    return Learnt(config, tuple(ratings), {"answers": path}, tuple(problems), 2, started_from=started)


def _chosen(lesson: Lesson, which: NDArray[np.bool_], most: int) -> list[Sample]:
    places = np.flatnonzero(which)
    order = np.random.default_rng(SEED).permutation(len(places))[:most]
    return [lesson.samples[place] for place in places[np.sort(order)]]


def _rated(answers: dict[str, Answers]) -> dict[str, NDArray[np.float64]]:
    """The mean for each adjective by photo, of those that got a rating."""
    rows = {name: means(several) for name, several in answers.items()}
    return {name: row for name, row in rows.items() if np.isfinite(row).any()}


def _ask(
    interview: Interview,
    samples: list[Sample],
    crop: CropConfig,
    log: "_Log",
    lesson: Lesson,
    problems: list[Problem] | None = None,
) -> dict[str, Answers]:
    """The answers on each photo that shows a face, by its name."""
    answers: dict[str, Answers] = {}
    keys = dict(zip((sample.name for sample in lesson.samples), lesson.keys, strict=True))
    for sample, face in faces(samples, crop, problems):
        key = f"{keys[sample.name]} {crop.geometry}"
        if key not in log.answers:
            log.add(key, interview.ask(face.crop(crop)))
        answers[sample.name] = log.answers[key]
        if len(answers) % SAID_EVERY == 0:
            lesson.say(f"{len(answers)} of {len(samples)} photos")
    return answers


def _views(interview: Interview, config: LanguageModelConfig, log: "_Log", lesson: Lesson) -> str:
    """Crop against whole photo, on photos held back."""
    samples = _chosen(lesson, lesson.held_back, config.compare_on)
    ratings = []
    for crop in both_ways(config.crop):
        rows = _rated(_ask(interview, samples, crop, log, lesson))
        values = [float(np.nanmean(rows[sample.name])) if sample.name in rows else np.nan for sample in samples]
        ratings.append(config.offset + config.slope * np.array(values))
    return compared(ratings[0], ratings[1], np.array([sample.score for sample in samples]))


def _counted(config: LanguageModelConfig, answers: dict[str, Answers], bias: Bias) -> dict[str, object]:
    """How often each rating was given, and why others were not."""
    every = [answer for several in answers.values() for one in several for answer in one]
    ratings = sorted({answer.rating for answer in every if answer.rating is not None})
    counts = {f"{rating:g}": sum(answer.rating == rating for answer in every) for rating in ratings}
    return {"model": config.model, "digest": config.digest, **asdict(bias), "ratings": counts}


class _Log:
    """Answers by photo, a line each: an interrupted run asks nothing twice. Of another model, prompt or number of
    repeats, it begins anew."""

    def __init__(self, path: Path, config: LanguageModelConfig, resume: bool) -> None:
        self._path = path
        said = (config.model, config.digest, config.prompt, config.adjectives, config.repeats)
        head = json.dumps([*said, config.temperature, config.seed, config.crop.size, config.crop.margin])
        self.answers: dict[str, Answers] = {}
        text = path.read_text(encoding="utf-8") if resume and path.is_file() else ""
        first, *lines = text.split("\n")[:-1] or [""]  # a killed run may leave half a line
        for line_text in lines if first == head else []:
            key, several = json.loads(line_text)
            self.answers[key] = tuple(tuple(Answer(*one) for one in row) for row in several)
        path.write_text("\n".join([head, *(lines if first == head else []), ""]), encoding="utf-8")

    def add(self, key: str, answers: Answers) -> None:
        """Keep the answers on one photo."""
        self.answers[key] = answers
        rows = [[[one.rating, one.confidence, one.problem] for one in several] for several in answers]
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps([key, rows]) + "\n")
