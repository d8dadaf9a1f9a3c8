"""The family `geometry`: named features of the face's mesh and skin, and a rule learnt from them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import measurements
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.raters.regressors import Arrays, Regressor, Standardiser, regressor
from beauty_evaluate.settings import Checked, within

Rule = Literal["ridge", "boosting", "mlp"]


@dataclass(frozen=True)
class RuleConfig(Checked):
    """How a rule is learnt from standardised features.

    The numbers of the rules that are not `kind` do not matter.
    """

    kind: Rule = "ridge"
    penalty: float = within(10.0, 0, above=True)  # of ridge: squared coefficients, per squared rating point
    trees: int = within(800, 1)  # of boosting, and the next five
    depth: int = within(5, 1, 20)
    learning_rate: float = within(0.03, 0, 1, above=True)
    photo_share: float = within(0.5, 0, 1, above=True)  # that each tree learns from
    feature_share: float = within(0.15, 0, 1, above=True)  # that each node may ask for
    leaf_photos: int = within(5, 1)  # behind each leaf, at least
    hidden: tuple[int, ...] = within((128,), 1)  # of mlp, and the next three
    weight_decay: float = within(1.0, 0)
    epochs: int = within(200, 1)  # at most: it stops when a tenth of the photos no longer gains
    members: int = within(5, 1)  # networks that are averaged
    seed: int = within(1, 0)


@dataclass(frozen=True)
class GeometryConfig(Checked):
    """The config of the family.

    Example:
        >>> GeometryConfig("geometry_ridge").rule.kind
        'ridge'
    """

    preset: str
    crop: CropConfig = field(default_factory=CropConfig)
    rule: RuleConfig = field(default_factory=RuleConfig)
    family: Literal["geometry"] = "geometry"


class GeometryRater(CardRater):
    """Rates a face by its features alone."""

    needs = frozenset({"crop", "landmarks"})

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, GeometryConfig)
        self.card, self._crop = card, card.config.crop

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face. ValueError for no faces."""
        values, _ = measure_faces(faces, self._crop)
        standardiser, rule = self._learnt
        return with_intervals(self.card, rule(standardiser(values)), measurements(faces, self._crop))

    @cached_property
    def _learnt(self) -> tuple[Standardiser, Regressor]:
        stored = load_arrays(self.card)
        return Standardiser(stored["mean"], stored["sd"]), regressor(stored)


def measure_faces(faces: Sequence[Face], crop: CropConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The features (N, F) and landmarks (N, 468, 2) of faces, as `features.measure`. ValueError for no faces."""
    from beauty_evaluate.faces import features  # here, since other raters start sooner without it

    if not faces:
        raise ValueError("Expected faces to rate. Received: none.")
    return features.measure([face.crop(crop) for face in faces], crop)


def load_arrays(card: Card) -> Arrays:
    """The arrays of the artifact `rule`. Raises WeightsError: it is missing, changed, or made of other features."""
    from beauty_evaluate.faces import features

    with np.load(card.artifact("rule")) as stored:
        arrays = {key: stored[key] for key in stored.files}
    if arrays.get("names", np.empty(0)).tolist() != list(features.NAMES):
        raise WeightsError(f"{card.name} was made of other features than this version measures. Train it again.")
    return arrays
