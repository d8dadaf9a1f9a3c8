"""Words for figures that stand in more than one place: command line, reports, page."""

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
