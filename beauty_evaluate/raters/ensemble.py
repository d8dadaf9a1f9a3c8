"""The family `ensemble`: frozen raters, the weighted mean of what they say, and a shallow correction of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import CardRater, Rater, Ratings, crop_config, with_intervals
from beauty_evaluate.settings import Checked, from_json, within

BLEND = "blend"  # the artifact that holds what was learnt
MAX_Z = 3.0  # standard deviations beyond which the correction stays as it is there

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnsembleConfig(Checked):
    """The config of the family `ensemble`.

    Attributes:
        members: Names of the cards that lie beside this one; to train it, names in `weights/` or paths.
        crop: The one that the first member sees; set by the training.
        shrinkage: How strongly weights are drawn to equal ones, in rating points squared.
        correction: Whether a correction is fitted; it stays only where it helps on photos that it was not fitted on.
        ridge: Of the correction.
    """

    preset: str = "ensemble"
    members: tuple[str, ...] = ()
    crop: CropConfig = field(default_factory=CropConfig)
    shrinkage: float = within(0.01, 0)
    correction: bool = True
    ridge: float = within(10.0, 0, above=True)
    family: Literal["ensemble"] = "ensemble"


@dataclass(frozen=True)
class Blend(Checked):
    """What an ensemble has learnt.

    Attributes:
        weights: (K,), of the members, none below 0, their sum 1.
        slopes: (K,), of the line from each member's ratings onto the scale of the ensemble.
        offsets: (K,), of these lines.
        middle: Mean and standard deviation of the weighted mean over the photos fitted on.
        disagreement: Mean and standard deviation of the members' standard deviation over these photos.
        correction: Points for each column of `basis`, added to the weighted mean; none: nothing is added.

    Example:
        >>> Blend((0.25, 0.75), (1.0, 1.0), (0.0, 0.0)).apply(np.array([[2.0], [4.0]])).tolist()
        [3.5]
    """

    weights: tuple[float, ...]
    slopes: tuple[float, ...]
    offsets: tuple[float, ...]
    middle: tuple[float, float] = (0.0, 1.0)
    disagreement: tuple[float, float] = (0.0, 1.0)
    correction: tuple[float, ...] = ()

    def on_scale(self, ratings: Floats) -> Floats:
        """Ratings of the members, float64 (K, N), each on its own scale, on the scale of the ensemble."""
        return np.asarray(ratings * np.array(self.slopes)[:, None] + np.array(self.offsets)[:, None])

    def apply(self, ratings: Floats) -> Floats:
        """The ratings of the ensemble, float64 (N,), from those of its members, (K, N), each on its own scale."""
        mapped = self.on_scale(ratings)
        mean = np.array(self.weights) @ mapped
        return mean + self.basis(mapped) @ np.array(self.correction) if self.correction else mean

    def basis(self, mapped: Floats) -> Floats:
        """What the correction is a sum of, float64 (N, 4): 1, how far the weighted mean lies from its middle, the same
        squared, and how far the members disagree; in standard deviations, at most MAX_Z.

        Args:
            mapped: Ratings of the members on the scale of the ensemble, (K, N).
        """
        z = ((np.array(self.weights) @ mapped) - self.middle[0]) / self.middle[1]
        apart = (mapped.std(0) - self.disagreement[0]) / self.disagreement[1]
        z, apart = np.clip(z, -MAX_Z, MAX_Z), np.clip(apart, -MAX_Z, MAX_Z)
        return np.stack([np.ones_like(z), z, z**2, apart], 1)


class Ensemble(CardRater):
    """Rates with the members whose cards lie beside its own.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> sorted(name for name, family in registry.FAMILIES.items() if family.config is EnsembleConfig)
        ['ensemble']
    """

    def __init__(self, card: Card, load: Callable[[Path], Rater]) -> None:
        """Load the members.

        Args:
            card: Whose artifacts hold the card of each member under its name.
            load: Makes a rater of the card at a path.

        Raises:
            WeightsError: A file is missing, or is not the one that the card was written for.
        """
        assert isinstance(card.config, EnsembleConfig)
        if not card.config.members:
            raise WeightsError(f"{card.name} is an ensemble without members. Train it again.")
        self.card, self.config = card, card.config
        self.members = tuple(load(card.artifact(name)) for name in card.config.members)

    @property
    def needs(self) -> frozenset[str]:
        """What any member looks at; the photo too where one sees another crop than the first."""
        needs = frozenset[str]().union(*(member.needs for member in self.members))
        others = (member for member in self.members if crop_config(member) != self.config.crop)
        return needs | {"photo"} if any("crop" in member.needs for member in others) else needs

    @cached_property
    def blend(self) -> Blend:
        """What was learnt. Raises WeightsError."""
        path = self.card.artifact(BLEND)
        try:
            return from_json(json.loads(path.read_text(encoding="utf-8")), Blend)
        except (ValueError, ConfigError) as error:
            raise WeightsError(f"{path} is not the blend of an ensemble ({error}). Train it again.") from error

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face; `parts` holds what each member says, on the scale of the ensemble, and `measured` what the
        first one measures and the members' standard deviation as `disagreement`. ValueError for no faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        ratings = [member.rate(faces) for member in self.members]
        means = np.stack([rating.mean for rating in ratings])
        mapped = self.blend.on_scale(means)
        measured = {**ratings[0].measured, "disagreement": mapped.std(0)}
        parts = {member.name: mean for member, mean in zip(self.members, mapped, strict=True)}
        return replace(with_intervals(self.card, self.blend.apply(means), measured), parts=parts)
