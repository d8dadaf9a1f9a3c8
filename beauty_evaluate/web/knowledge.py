"""What is known of the weights behind the page: whose taste they estimate, on what scale, and how well."""

from collections.abc import Mapping
from dataclasses import dataclass

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import WeightsError
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.web.i18n import Texts

MOST_TICKS = 10  # steps on an axis
NOT_GROUPS = ("mean_baseline", "human")  # rows of a card's metrics that are no group of photos
Metrics = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class GroupTable:
    """Agreement with the raters of one data set.

    Attributes:
        data: title of the data set.
        scale: of its ratings, and so of the errors.
        rows: group, correlation and mean error, as they are shown.
    """

    data: str
    scale: RatingScale
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class OtherPhotos:
    """Agreement with the raters of a data set that the weights have not learnt from.

    Attributes:
        data: its title.
        pearson: correlation with the raters' mean.
        human: the same of one human rater; None where it is not known.
    """

    data: str
    pearson: float
    human: float | None


def data_titles(card: Card) -> str:
    """The titles of the data sets that a rater has learnt from; "" for one that never learnt.

    Example:
        >>> data_titles(registry.load_card("six_block_60-40"))
        'SCUT-FBP5500 + MEBeauty'
    """
    return " + ".join(part.data_set for part in card.trained_on)


def raters_of(card: Card, texts: Texts) -> str:
    """Whose taste the scores estimate.

    Example:
        >>> raters_of(registry.load_card("six_block_60-40"), Texts("en"))
        'the raters of SCUT-FBP5500 + MEBeauty'
    """
    data = data_titles(card)
    return texts.say("raters_of", data=data) if data else texts["raters"]


def measured(card: Card) -> Card:
    """The card with figures on photos that were not learnt from: this one, or that of the network of the same recipe
    which has them."""
    for name in () if card.metrics else (registry.EVALUATED, f"{card.name}_60-40"):
        try:
            other = registry.load_card(name)
        except WeightsError:
            continue
        if other.config == card.config:
            return other
    return card


def group_tables(card: Card, texts: Texts) -> list[GroupTable]:
    """A table for each data set that the rater has learnt from and was tested on."""
    scales = {part.data_set: part.scale for part in card.trained_on}
    return [_table(data, scales[data], groups, texts) for data, groups in card.metrics.items() if data in scales]


def _table(data: str, scale: RatingScale, groups: Metrics, texts: Texts) -> GroupTable:
    rows = [
        (texts.label(label, data), _two_digits(row.get("pearson")), _two_digits(row.get("mae")))
        for label, row in groups.items()
        if label not in NOT_GROUPS
    ]
    return GroupTable(data, scale, tuple(rows))


def _two_digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def other_photos(card: Card) -> list[OtherPhotos]:
    """How well a rater does on data sets that it has not learnt from, as its card says.

    Example:
        >>> from dataclasses import replace
        >>> metrics = {"London": {"all": {"pearson": 0.5}, "human": {"pearson": 0.6}}}
        >>> other_photos(replace(registry.load_card("six_block_60-40"), metrics=metrics))
        [OtherPhotos(data='London', pearson=0.5, human=0.6)]
    """
    learnt = {part.data_set for part in card.trained_on}
    others = []
    for data, groups in card.metrics.items():
        pearson = groups.get("all", {}).get("pearson")
        if data not in learnt and pearson is not None:
            others.append(OtherPhotos(data, pearson, groups.get("human", {}).get("pearson")))
    return others


def ticks(scale: RatingScale) -> list[int]:
    """Whole numbers to write under an axis, at most eleven of them.

    Example:
        >>> ticks(RatingScale(1, 5)), ticks(RatingScale(0, 100))[:3]
        ([1, 2, 3, 4, 5], [0, 10, 20])
    """
    levels = scale.levels
    return list(levels[:: max(1, -(-(len(levels) - 1) // MOST_TICKS))])


def share_of(scale: RatingScale, score: float) -> float:
    """Where a score lies on its scale, in percent.

    Example:
        >>> share_of(RatingScale(1, 5), 2)
        25.0
    """
    return 100 * (score - scale.low) / (scale.high - scale.low)
