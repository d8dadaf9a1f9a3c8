"""How far the effects of regions may be believed: what the card says of it, in sentences."""

from dataclasses import dataclass

from beauty_evaluate.explain.region_shapley import OTHER_FACES, RING_MEAN
from beauty_evaluate.raters.card import Card

FAILED, NOT_EVALUATED = "fails the test", "never tested"
ALIKE = 0.7  # correlation below which two ways do not tell the same
REGIONS = "regions"  # as the proof names their map
UNKNOWN_WAY = "How far the effects hang on what stands in for a region was never measured for this network."
_OTHER_WAY = {
    RING_MEAN: "by the same place of other faces",
    OTHER_FACES: "by the mean colour around it",
}


@dataclass(frozen=True)
class Agreement:
    """How well two ways to replace a region agree over the regions of `photos` faces.

    pearson: correlation of the effects. mean_difference: mean absolute difference, rating points. first: share of the
    faces on which both put the same region first.
    """

    photos: int
    pearson: float
    mean_difference: float
    first: float

    def words(self, way: str = RING_MEAN, where: str = "") -> str:
        """For a person who sees the effects of one way. where: words for where this was measured."""
        advice = "Read the large effects, not the small ones."
        if self.pearson < ALIKE:
            advice = "Which region comes first depends on the question."
        return (
            f"Another way to take a region away, {_OTHER_WAY[way]}, gives other numbers: on average over "
            f"{self.photos} faces the two agree with a correlation of {self.pearson:.2f}, differ by "
            f"{self.mean_difference:.2f} points, and put the same region first on {self.first:.0%} of "
            f"them{where}. They ask different questions: what a region adds to one that is painted over, and what it "
            f"adds to other people's. {advice}"
        )


@dataclass(frozen=True)
class Trust:
    """What is known of the effects of regions.

    proved: whether, spread over the face as a map, they beat maps that know nothing of the network and fade when its
    weights are made random; None if that was never tried. verdict: the same in the card's words. agreement: with the
    other way to replace a region, None if never measured; words for where both were measured stand behind them.
    measured_on: the network of the same recipe on which that was, "" for this one.
    """

    proved: bool | None
    verdict: str
    agreement: Agreement | None
    where: str
    way: str
    measured_on: str

    @property
    def sentences(self) -> list[str]:
        """For a person: what the proof says and, if they may be read, how well two ways agree."""
        if self.proved is False:
            return [f"What the regions did to this score is not told: {self.verdict}."]
        told = self.agreement.words(self.way, self.where) if self.agreement else UNKNOWN_WAY
        if self.proved is None:
            return [f"The effects of the regions were {self.verdict}.", told]
        beside = "Put to the proof beside maps that know nothing of the network"
        return [f"{beside}, the map of these effects {self.verdict}.", told]


def trust(card: Card, way: str = RING_MEAN) -> Trust:
    """Of the effects of regions in the network of this card. way: RING_MEAN, which is put to the proof, or
    OTHER_FACES."""
    maps, maps_where = card.explained("maps")
    said = (maps or {}).get(REGIONS) if way == RING_MEAN else None
    ways, where = card.explained("ways")
    return Trust(
        None if said is None else not said.startswith(FAILED),
        NOT_EVALUATED if said is None else said + maps_where,
        Agreement(**ways) if ways else None,
        where,
        way,
        next((own for key in ("maps", "ways") if (own := card.measured_on(key))), ""),
    )
