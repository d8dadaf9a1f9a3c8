"""What moved a score: exact Shapley values of the regions of a face, in rating points, for any rater."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale
from beauty_evaluate.explain.baselines import (
    DONORS,
    EDITS_PER_CALL,
    INPAINT,
    Floats,
    donor_baseline,
    inpaint_baseline,
    rate_edits,
    soft_edges,
)
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.phrases import signed
from beauty_evaluate.raters.rater import Rater, crop_config

Progress = Callable[[int, int], None]
"""Called with how much is done, of how much."""


@dataclass(frozen=True)
class RegionEffects:
    """How each region moved one score: score = reference + effects.sum().

    Attributes:
        names: of the R regions.
        effects: float64 (R,), rating points.
        areas: float64 (R,), shares of the crop.
        score: the rating of the face, not clipped to the scale, so that the effects add up.
        reference: the rating with every region replaced, likewise.
        donors: faces whose regions stood in for those of this one; 0 for the mean colour around them.

    Example:
        >>> effects = RegionEffects(("eyes", "rest"), np.array([0.5, -0.1]), np.array([0.1, 0.9]), 3.4, 3.0)
        >>> effects.baseline, effects.lines()[2]
        ('ring mean', '  eyes             +0.50   10 % of the picture')
    """

    names: tuple[str, ...]
    effects: NDArray[np.float64]
    areas: NDArray[np.float64]
    score: float
    reference: float
    donors: int = 0

    @property
    def baseline(self) -> str:
        """What stands in for a region: INPAINT or DONORS."""
        return DONORS if self.donors else INPAINT

    @property
    def replacement(self) -> str:
        """The same in plain words."""
        if self.donors:
            return f"those of {self.donors} other face{'s' * (self.donors > 1)}"
        return "the mean colour around them"

    def lines(self, scale: RatingScale | None = None) -> list[str]:
        """The effects for a terminal, the largest first.

        Args:
            scale: of the ratings; a score beyond its end is shown as the end, with a note.
        """
        score, note = self.score, ""
        if scale is not None and not scale.contains(score):
            score = scale.clip(score)
            note = f"; before it was limited to the scale {scale}, the score was {self.score:.2f}"
        order = np.argsort(-np.abs(self.effects))
        return [
            f"What moved this score from {self.reference:.2f} to {score:.2f}, each region compared with",
            f"{self.replacement} (Shapley values in rating points, which add up{note}):",
            *(
                f"  {self.names[i]:<17}{signed(self.effects[i])}  {100 * self.areas[i]:3.0f} % of the picture"
                for i in order
            ),
        ]


def region_effects(
    rater: Rater,
    face: Face,
    masks: Masks,
    names: Sequence[str],
    donors: Sequence[Face] = (),
    progress: Progress | None = None,
) -> RegionEffects:
    """Shapley values (Shapley 1953; for networks Lundberg and Lee, NeurIPS 2017) over the regions of one face.

    A region that is not in a coalition is replaced: by the mean colour of the ring around it, or by the same place of
    other faces, as bright on the ring as this one; softly at its edge either way, and never beyond it, so that a rater
    that reads only one region gives all the others 0. All 2**R coalitions are rated, with each of the donors.

    Args:
        rater: any.
        face: with the crop that the rater sees.
        masks: bool (R, size, size) that tile the crop.
        names: of the R regions.
        donors: other faces whose regions stand in for those of this one; none: the mean colour around a region.
        progress: called with the coalitions rated, and how many there are.

    Returns:
        The effects in rating points.

    Raises:
        ValueError: the masks do not tile the crop.

    Example:
        >>> from beauty_evaluate import images
        >>> from beauty_evaluate.faces.detect import find_faces
        >>> from beauty_evaluate.raters import registry
        >>> (face,) = find_faces(images.read("examples/eileen_collins.png"))
        >>> halves = np.zeros((2, 256, 256), bool)
        >>> halves[0, :128] = halves[1, 128:] = True
        >>> effects = region_effects(registry.load("six_block_60-40"), face, halves, ("above", "below"))
        >>> bool(abs(effects.reference + effects.effects.sum() - effects.score) < 1e-6)
        True
    """
    if not (masks.sum(0) == 1).all():
        raise ValueError("Expected masks with one region at each pixel. Received: gaps or overlaps.")
    config = crop_config(rater)
    crop, shown = face.crop(config), masks.any((1, 2))
    fills = [donor_baseline(crop, masks[shown], donor.crop(config)) for donor in donors]
    values = coalition_values(
        rater, face, masks[shown], np.stack(fills or [inpaint_baseline(crop, masks[shown])]), progress
    )
    effects = np.zeros(len(masks))
    effects[shown] = shapley(values)
    areas = masks.mean((1, 2))
    return RegionEffects(tuple(names), effects, areas, float(values[-1]), float(values[0]), len(donors))


def coalition_values(
    rater: Rater, face: Face, masks: Masks, fills: Floats, progress: Progress | None = None
) -> NDArray[np.float64]:
    """The rating of every coalition.

    Every coalition gets all fills: were they drawn anew, a region that nothing reads would seem to have an effect.

    Args:
        rater: any.
        face: with the crop that the rater sees.
        masks: bool (R, size, size) that tile the crop.
        fills: float32 (K, size, size, C), what may stand in place of the replaced regions; a value is the mean over
            them.
        progress: called with the edited faces rated, and how many there are.

    Returns:
        float64 (2**R,): bit i of the index says that region i is kept.
    """
    crop = face.crop(crop_config(rater))
    coalitions, region, soft = 2 ** len(masks), masks.argmax(0), soft_edges(masks)[..., None]
    is_replaced = 1 - (np.arange(coalitions)[:, None] >> np.arange(len(masks)) & 1).astype(np.float32)
    scores = np.zeros((len(fills), coalitions))
    for k, fill in enumerate(fills):
        change = soft * (fill - crop)
        for start in range(0, coalitions, EDITS_PER_CALL):
            part = slice(start, start + EDITS_PER_CALL)
            # not as a product of matrices, whose threads would get in the way of the network's
            crops = np.take(is_replaced[part], region, axis=1)[..., None] * change
            crops += crop
            scores[k, part] = rate_edits(rater, face, crops)
            if progress:
                progress(k * coalitions + min(start + EDITS_PER_CALL, coalitions), scores.size)
    return np.asarray(scores.mean(0))


def shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact Shapley values of a game.

    Args:
        values: float64 (2**R,): bit i of the index says that player i takes part.

    Returns:
        float64 (R,).

    Raises:
        ValueError: another number of values.

    Example:
        >>> shapley(np.array([0.0, 1.0, 2.0, 3.0])).tolist()
        [1.0, 2.0]
    """
    count = len(values).bit_length() - 1
    if len(values) != 2**count:
        raise ValueError(f"Expected a value for each of 2**R coalitions. Received: {len(values)}.")
    coalitions = np.arange(2**count)
    sizes = np.array([int(c).bit_count() for c in coalitions])
    weights = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
    effects = []
    for player in range(count):
        without = coalitions[coalitions >> player & 1 == 0]
        effects.append(weights[sizes[without]] @ (values[without | 1 << player] - values[without]))
    return np.array(effects)
