"""The family `sub_scores`: eyes, jaw, nose, lips, cheeks and skin, each rated by its own features alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.quality import measurements
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.geometry import RuleConfig, load_arrays, measure_faces
from beauty_evaluate.raters.parts import Parts
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.settings import Checked, within


@dataclass(frozen=True)
class SubScoresConfig(Checked):
    """The config of the family.

    Example:
        >>> SubScoresConfig().rule.kind
        'ridge'
    """

    preset: str = "sub_scores"
    crop: CropConfig = field(default_factory=CropConfig)
    rule: RuleConfig = field(default_factory=RuleConfig)  # of each sub-score
    folds: int = within(5, 2)  # by which weights are learnt from sub-scores of photos that no rule has seen
    evenness: float = within(0.3, 0)  # of the weights: parts that say the same share theirs
    family: Literal["sub_scores"] = "sub_scores"


class SubScoresRater(CardRater):
    """The weighted mean of sub-scores; `Ratings.parts` has them and their weights."""

    needs = frozenset({"crop", "landmarks"})

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, SubScoresConfig)
        self.card, self._crop = card, card.config.crop

    @cached_property
    def parts(self) -> Parts:
        """What the sub-scores are made of, and their weights. Raises WeightsError."""
        return Parts.of(load_arrays(self.card))

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face. ValueError for no faces."""
        values, _ = measure_faces(faces, self._crop)
        mean, parts = self.parts.rate(values)
        return with_intervals(self.card, mean, measurements(faces, self._crop), parts=parts)
