"""The family `language_model`: a model that looks at a picture and is asked for a number, through Ollama."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.settings import Checked, within

if TYPE_CHECKING:  # imported when a model is asked, since every run imports all families
    from beauty_evaluate.raters.answers import Answer
    from beauty_evaluate.raters.ollama_server import OllamaServer

Floats = NDArray[np.float64]
GAP = "{adjective}"
PROMPT = (
    "This is a portrait from a study of how people perceive faces. On average, how {adjective} would people say that "
    "this face is? Answer with JSON alone: "
    '{"rating": a number from 0 (not at all) to 1 (very), "confidence": a number from 0 to 1}.'
)
REMEMBERED = 4096  # pictures whose answers are kept


@dataclass(frozen=True)
class LanguageModelConfig(Checked):
    """The config of the family `language_model`.

    Attributes:
        model: as `ollama list` names it.
        crop: what of a photo is shown; with `geometry` "whole" all of it.
        prompt: the question, with {adjective} in it.
        adjectives: each is asked for, and the score is the mean.
        repeats: of each question, each with a seed of its own.
        temperature: 0: all repeats would be alike.
        seed: of the first repeat.
        timeout: seconds that an answer may take.
        server: address of Ollama.
        calibrate_on: training photos, at most, by which ratings are put on the raters' scale.
        compare_on: photos held back, at most, that are also looked at whole; each costs as much as a photo.
        slope: rating points between an answer of 0 and one of 1; learnt, never below 0.
        offset: rating points of an answer of 0; learnt.
        mean_answer: 0..1, which stands for a face that got no rating; learnt.
        digest: of the model that was calibrated.

    Example:
        >>> from beauty_evaluate.settings import with_settings
        >>> with_settings(LanguageModelConfig(), ["model=qwen3-vl:4b", "repeats=5"]).repeats
        5
    """

    preset: str = "language_model"
    model: str = "llava:7b"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=448))
    prompt: str = PROMPT
    adjectives: tuple[str, ...] = ("attractive",)
    repeats: int = within(3, 1)
    temperature: float = within(0.3, 0)
    seed: int = within(1, 0)
    timeout: float = within(120.0, 0, above=True)
    server: str = "http://127.0.0.1:11434"
    calibrate_on: int = within(200, 1)
    compare_on: int = within(30, 0)
    slope: float = 1.0
    offset: float = 0.0
    mean_answer: float = within(0.5, 0, 1)
    digest: str = ""
    family: Literal["language_model"] = "language_model"

    def __post_init__(self) -> None:
        super().__post_init__()
        if GAP not in self.prompt:
            raise ConfigError(f"prompt takes a question with {GAP} in it, not {self.prompt!r}.")
        if not self.adjectives or len(set(self.adjectives)) < len(self.adjectives):
            raise ConfigError(f"adjectives takes different words, not {list(self.adjectives)}.")


def png(crop: Crop) -> bytes:
    """A crop (size, size, C) of 0..255 as a PNG.

    Example:
        >>> png(np.zeros((4, 4, 3)))[1:4]
        b'PNG'
    """
    pixels = np.clip(np.round(crop), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".png", pixels[:, :, ::-1] if pixels.shape[2] == 3 else pixels)[1].tobytes())


class Interview:
    """Asks a model about pictures, and remembers what it said.

    Args:
        config: what to ask, and whom.

    Example:
        >>> Interview(LanguageModelConfig(server="192.0.2.7")).ask(np.zeros((8, 8, 3)))
        Traceback (most recent call last):
        beauty_evaluate.errors.ConfigError: Photos would leave this machine for 192.0.2.7. ...
    """

    def __init__(self, config: LanguageModelConfig) -> None:
        self.config = config
        self._remembered: dict[str, tuple[tuple[Answer, ...], ...]] = {}

    @cached_property
    def _opened(self) -> "tuple[OllamaServer, str]":
        """The server, once it was asked whether it has the model and runs it here, and the model's digest."""
        from beauty_evaluate.raters.ollama_server import OllamaServer

        server = OllamaServer(self.config.server, self.config.model, self.config.timeout)
        return server, server.digest()

    @property
    def digest(self) -> str:
        """Of the model. Raises ConfigError and WeightsError."""
        return self._opened[1]

    def ask(self, crop: Crop) -> "tuple[tuple[Answer, ...], ...]":
        """The answers of all repeats for each adjective.

        Args:
            crop: uint8 or float32 (size, size, C).

        Raises:
            WeightsError: the server does not answer at all.
        """
        from beauty_evaluate.raters.answers import TIMED_OUT, Answer, read_answer

        server, picture = self._opened[0], png(crop)
        key = hashlib.sha256(picture).hexdigest()
        if key in self._remembered:
            return self._remembered[key]
        config, answers = self.config, []
        for adjective in config.adjectives:
            question = config.prompt.replace(GAP, adjective)
            seeds = range(config.seed, config.seed + config.repeats)
            texts = [server.ask(question, picture, config.temperature, seed) for seed in seeds]
            answers.append(tuple(Answer(None, None, TIMED_OUT) if t is None else read_answer(t) for t in texts))
        if not any(answer.problem == TIMED_OUT for several in answers for answer in several):
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = tuple(answers)
        return tuple(answers)


def means(answers: "Sequence[Sequence[Answer]]") -> Floats:
    """The mean rating for each adjective, float64 (K,), 0..1; NaN where there was none.

    Example:
        >>> from beauty_evaluate.raters.answers import Answer
        >>> means([[Answer(0.4), Answer(0.6)], [Answer(None, None, "refused")]]).tolist()
        [0.5, nan]
    """
    ratings = [[answer.rating for answer in several if answer.rating is not None] for several in answers]
    return np.array([np.mean(several) if several else np.nan for several in ratings])


class LanguageModel(CardRater):
    """A language model with its card. Safe to use from any number of threads.

    `measured` has, for each face, `answers` (how many ratings were given), `spread` (their standard deviation, rating
    points) and `confidence` (0..1, what the model said of itself).

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.raters.card import Card
        >>> LanguageModel(Card("asked", LanguageModelConfig(), RatingScale(1, 5))).name  # nobody is asked yet
        'asked'
    """

    needs = frozenset({"crop"})

    def __init__(self, card: Card) -> None:
        """Remember the card; the server is asked when the first face is rated."""
        assert isinstance(card.config, LanguageModelConfig)
        self.card, self.config = card, card.config
        self._interview = Interview(card.config)

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """The mean over all answers for each face. ValueError for no faces; ConfigError and WeightsError as
        `OllamaServer`."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        config = self.config
        answers = [self._interview.ask(face.crop(config.crop)) for face in faces]
        by_adjective = np.stack([means(several) for several in answers])
        by_adjective = np.where(np.isnan(by_adjective), _row_means(by_adjective, config.mean_answer), by_adjective)
        points = config.offset + config.slope * by_adjective
        parts = {adjective: points[:, i].copy() for i, adjective in enumerate(config.adjectives)}
        notes = [f"{config.model} was asked {config.repeats} time{'s' * (config.repeats > 1)}."]
        if config.digest and self._interview.digest != config.digest:
            notes.append("It is another version than the one whose answers were put on this scale.")
        return with_intervals(
            self.card, points.mean(1), self._measured(answers), tuple(notes), parts if len(parts) > 1 else {}
        )

    def _measured(self, answers: "Sequence[Sequence[Sequence[Answer]]]") -> dict[str, Floats]:
        every = [[answer for several in face for answer in several if answer.rating is not None] for face in answers]
        ratings = [[answer.rating for answer in face if answer.rating is not None] for face in every]
        confidences = [[answer.confidence for answer in face if answer.confidence is not None] for face in every]
        return {
            "answers": np.array([float(len(face)) for face in every]),
            "spread": np.array([self.config.slope * np.std(face) if face else np.nan for face in ratings]),
            "confidence": np.array([np.mean(face) if face else np.nan for face in confidences]),
        }


def _row_means(values: Floats, default: float) -> Floats:
    """The mean (N, 1) of what is known in each row, or the default."""
    is_given = np.isfinite(values)
    count = is_given.sum(1, keepdims=True)
    total = np.where(is_given, values, 0).sum(1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), default)
