"""Words for figures that stand in more than one place: command line, reports, page."""

from collections.abc import Mapping
from dataclasses import dataclass

WEIGHT_OF = "weight of "  # before the name of a part: the key of its weight
_UNSAFE = str.maketrans({";": ",", "=": " "})  # in the name of a part, which a table could not tell from its own

WARNINGS = {  # of `faces.quality`, and `unusual` of a rating, in plain words
    "small": "the face is small",
    "blurred": "the photo is blurred",
    "dark": "the photo is dark",
    "bright": "the photo is overexposed",
    "grey": "the photo has no colour",
    "turned": "the head is turned",
    "unsure": "this may not be a face",
    "cut": "part of the head is outside the photo",
    "stretched": "the photo is stretched",
    "covered": "the eyes or the mouth are covered",
    "drawn": "this looks drawn, not photographed",
    "unusual": "the photo is unlike those the score was learnt from",
    "unanswered": "the language model gave no rating, so this is the mean of all",
}


def plain_warnings(warnings: str) -> list[str]:
    """Warnings in plain words.

    Args:
        warnings: words with `;` between them, as in a table. One without plain words stands for itself.

    Example:
        >>> plain_warnings("dark;grey"), plain_warnings("")
        (['the photo is dark', 'the photo has no colour'], [])
    """
    return [WARNINGS.get(word, word) for word in warnings.split(";") if word]


@dataclass(frozen=True)
class Part:
    """What a score was made of.

    Attributes:
        name: of a region, an adjective or a member.
        value: rating points.
        weight: its share of the score, 0..1; None where parts have none.
    """

    name: str
    value: float
    weight: float | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}" + ("" if self.weight is None else f" ({100 * self.weight:.0f} %)")


def parts_text(values: Mapping[str, float]) -> str:
    """Parts as they stand in a table: `name=value` with `;` between them.

    Args:
        values: by name, in rating points; `WEIGHT_OF + name` has the weight of a part, 0..1.

    Example:
        >>> parts_text({"eyes": 3.25, "weight of eyes": 0.4})
        'eyes=3.25;weight of eyes=0.4'
    """
    return ";".join(f"{name.translate(_UNSAFE)}={round(float(value), 4):g}" for name, value in values.items())


def parts_of(text: str) -> list[Part]:
    """The parts that stand in a table.

    Args:
        text: from `parts_text`.

    Raises:
        ValueError: it is not.

    Example:
        >>> [str(part) for part in parts_of("eyes=3.25;jaw=2.5;weight of eyes=0.4")]
        ['eyes 3.25 (40 %)', 'jaw 2.50']
    """
    pairs = [pair.rpartition("=") for pair in text.split(";") if pair]
    values = {name: float(value) for name, _, value in pairs}
    return [
        Part(name, value, values.get(WEIGHT_OF + name))
        for name, value in values.items()
        if not (name.startswith(WEIGHT_OF) and name.removeprefix(WEIGHT_OF) in values)
    ]


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, and no `-0.00`.

    Example:
        >>> signed(-0.004), signed(0.126)
        ('+0.00', '+0.13')
    """
    return f"{round(float(value), digits) + 0.0:+.{digits}f}"


def share_below(percentile: float, faces: str) -> str:
    """How many faces score lower, where one can be sure of the figure.

    Args:
        percentile: their share, 0..100.
        faces: whose share it is.

    Example:
        >>> for share in (0.0, 0.4, 71.3, 99.7, 100.0):
        ...     print(share_below(share, "5500 rated faces"))
        fewer than 1 % of 5500 rated faces score lower
        fewer than 1 % of 5500 rated faces score lower
        higher than 71 % of 5500 rated faces
        higher than 99 % of 5500 rated faces
        higher than all of 5500 rated faces
    """
    if percentile < 1:
        return f"fewer than 1 % of {faces} score lower"
    return f"higher than {'all' if percentile >= 100 else f'{min(percentile, 99):.0f} %'} of {faces}"
