"""The rater that any other must beat: the mean of the training scores for everyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.settings import Checked


@dataclass(frozen=True)
class MeanBaselineConfig(Checked):
    """The config of the family `mean_baseline`. mean: rating points."""

    preset: str = "mean_baseline"
    mean: float = 3.0
    family: Literal["mean_baseline"] = "mean_baseline"


class MeanBaseline(CardRater):
    """Predicts the mean.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.raters.card import Card
        >>> rater = MeanBaseline(Card("mean", MeanBaselineConfig(mean=2.9), RatingScale(1, 5)))
        >>> rater.scale.low, sorted(rater.needs)
        (1, [])
    """

    needs: frozenset[str] = frozenset()

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, MeanBaselineConfig)
        self.card, self._mean = card, card.config.mean

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """The mean for each face. ValueError for no faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        return with_intervals(self.card, np.full(len(faces), float(self._mean)))
