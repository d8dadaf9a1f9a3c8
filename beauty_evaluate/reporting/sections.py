"""Parts of a page, and words that stand on several."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting.html import file_uri


@dataclass(frozen=True)
class Figure:
    """A picture of a page. path: a PNG or JPEG file, which is put into the page; caption: a line of plain words."""

    path: Path
    caption: str

    @property
    def source(self) -> str:
        """The picture as a data URL."""
        return file_uri(self.path)


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, and pictures."""

    title: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Figure] = ()


def about(card: Card) -> str:
    """What a score is and what it is not, with the names of the rater and its data set.

    Example:
        >>> from beauty_evaluate.raters import registry
        >>> about(registry.load_card("six_block_60-40"))[:53]
        'An estimate by six_block_60-40 of the mean rating, 1.'
    """
    raters = f"the raters of {card.data_sets}" if card.data else "raters"
    unlike = f" For faces unlike those of {card.data_sets} it says little." if card.data else ""
    return (
        f"An estimate by {card.name} of the mean rating, {card.scale}, that {raters} would give this photo. "
        f"It does not measure anyone's worth.{unlike}"
    )
