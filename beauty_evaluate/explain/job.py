"""The one explanation of a score, behind the page, the commands and the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.explain.reliability import Reliability, reliability
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import NAMES, Masks, regions
from beauty_evaluate.raters.rater import Rater, crop_config

__all__ = ["Explanation", "Progress", "check_regions", "explain"]


@dataclass(frozen=True)
class Explanation:
    """What moved the score of one face.

    Attributes:
        face: that was explained.
        crop: (size, size, C), what the rater sees of it.
        masks: bool (R, size, size) that tile the crop.
        effects: of the regions; their score is not clipped, so that they add up.
        reliability: how far they may be trusted.
        scale: of the ratings.
    """

    face: Face
    crop: Crop
    masks: Masks
    effects: RegionEffects
    reliability: Reliability
    scale: RatingScale

    @property
    def score(self) -> float:
        """The score that people read: on the scale."""
        return self.scale.clip(self.effects.score)

    def lines(self) -> list[str]:
        """The effects for a terminal, the largest first."""
        return self.effects.lines(self.scale)


def explain(rater: Rater, face: Face, donors: Sequence[Face] = (), progress: Progress | None = None) -> Explanation:
    """Explain the score of a face by its regions.

    Args:
        rater: any; `registry.load(name, "onnxruntime")` is the fastest for a network: some 1000 edited faces are rated.
        face: from `find_faces`.
        donors: other faces whose regions stand in for those of this one; none: the mean colour around a region.
        progress: called with the edited faces rated, and how many there are.

    Raises:
        ConfigError: the rater sees whole pictures, on which nobody knows where the regions lie.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters.card import Card
        >>> from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> rater = MeanBaseline(Card("mean", MeanBaselineConfig(mean=2.9), RatingScale(1, 5)))
        >>> explanation = explain(rater, face)
        >>> explanation.score, float(abs(explanation.effects.effects).max())
        (2.9, 0.0)
    """
    check_regions(rater)
    config = crop_config(rater)
    crop = face.crop(config)
    masks = regions(crop, config)
    effects = region_effects(rater, face, masks, NAMES, donors, progress)
    return Explanation(face, crop, masks, effects, reliability(rater.card, effects.baseline), rater.scale)


def check_regions(rater: Rater) -> None:
    """Raises ConfigError for a rater of whole pictures, on which nobody knows where the regions lie."""
    geometry = crop_config(rater).geometry
    if geometry != "aligned":
        raise ConfigError(f"Regions need a rater of aligned crops, and {rater.name} sees {geometry} pictures.")
