"""How far the effects of regions may be trusted: what the card says of it, in sentences."""

from dataclasses import dataclass

from beauty_evaluate.explain.baselines import DONORS, INPAINT
from beauty_evaluate.raters.card import Card

FAILED, NOT_EVALUATED = "fails the test", "never tested"
GOOD_AGREEMENT_PEARSON = 0.7  # correlation below which two baselines give different rankings
REGIONS = "regions"  # as the faithfulness evaluation names their map
NOT_MEASURED = "How much the effects depend on what replaces a region was never measured for this rater."
_OTHER_BASELINE = {
    INPAINT: "by the same place of other faces",
    DONORS: "by the mean colour around it",
}


@dataclass(frozen=True)
class BaselineAgreement:
    """How well the effects against two baselines agree over the regions of many faces.

    Attributes:
        photos: number of faces.
        pearson: correlation of the effects.
        mean_difference: mean absolute difference, rating points.
        first: share of the faces on which both put the same region first.

    Example:
        >>> BaselineAgreement(200, 0.9, 0.1, 0.8).sentence().endswith("Trust the large effects, not the small ones.")
        True
    """

    photos: int
    pearson: float
    mean_difference: float
    first: float

    def sentence(self, baseline: str = INPAINT, where: str = "") -> str:
        """For a person who sees the effects against one baseline.

        Args:
            baseline: INPAINT or DONORS.
            where: words for where this was measured.
        """
        advice = "Trust the large effects, not the small ones."
        if self.pearson < GOOD_AGREEMENT_PEARSON:
            advice = "Which region comes first depends on the question."
        return (
            f"Replacing a region in another way, {_OTHER_BASELINE[baseline]}, gives other numbers: over {self.photos} "
            f"faces the two correlate with {self.pearson:.2f}, differ by {self.mean_difference:.2f} points on average, "
            f"and put the same region first on {self.first:.0%} of them{where}. They ask different questions: what a "
            f"region adds to a painted-over one, and what it adds to other people's. {advice}"
        )


@dataclass(frozen=True)
class Reliability:
    """What is known of the effects of regions.

    Attributes:
        passed: whether, spread over the face as a map, they beat controls that know nothing of the network and
            disappear when its weights are randomized; None if that was never tested.
        verdict: the same in the card's words, with where it was measured.
        baseline_agreement: with the other baseline, None if never measured.
        where: words for where the agreement was measured; "" for this rater.
        baseline: of the effects, INPAINT or DONORS.
        measured_on: the network of the same recipe that was tested, "" for this one.
    """

    passed: bool | None
    verdict: str
    baseline_agreement: BaselineAgreement | None
    where: str
    baseline: str
    measured_on: str

    @property
    def sentences(self) -> list[str]:
        """For a person: the result of the test and, unless it failed, how well two baselines agree."""
        if self.passed is False:
            return [f"The effects of the regions are hidden: their map {self.verdict}."]
        other = self.baseline_agreement
        sentence = other.sentence(self.baseline, self.where) if other else NOT_MEASURED
        if self.passed is None:
            return [f"The effects of the regions were {self.verdict}.", sentence]
        return [
            f"Tested beside maps that know nothing of the network, the map of these effects {self.verdict}.",
            sentence,
        ]


def reliability(card: Card, baseline: str = INPAINT) -> Reliability:
    """How far the effects of regions may be trusted.

    Args:
        card: of the rater.
        baseline: INPAINT, which the faithfulness evaluation tests, or DONORS.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> reliability(registry.load_card("six_block_scut_60-40")).passed
        True
    """
    maps, maps_where = card.explained("maps")
    verdict = (maps or {}).get(REGIONS) if baseline == INPAINT else None
    stored, where = card.explained("baselines")
    return Reliability(
        None if verdict is None else not verdict.startswith(FAILED),
        NOT_EVALUATED if verdict is None else verdict + maps_where,
        BaselineAgreement(**stored) if stored else None,
        where,
        baseline,
        next((network for key in ("maps", "baselines") if (network := card.measured_on(key))), ""),
    )
