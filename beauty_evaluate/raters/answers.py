"""What a language model said when it was asked for a number: read strictly, and counted."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

REFUSED, UNREADABLE, TIMED_OUT = "refused", "unreadable", "timed out"
DIGITS = 3  # to which answers count as the same

_NUMBER = r"(-?\d+(?:[.,]\d+)?)"
_UNIT = r"(?:\s*(%)|\s*(?:/|out\s+of)\s*(\d+(?:[.,]\d+)?))?"
_RANGE = r"(?!\d|[.,]\d|\s*(?:-|\u2013|to)\s*\d)"  # neither a part of a longer number nor the begin of a range
_ALONE = re.compile(rf"^\W*?{_NUMBER}{_UNIT}[\s.!*]*$")
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL | re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|cannot|can['\u2019]?t|can not|won['\u2019]?t|unable|not able|not comfortable|decline|"
    r"inappropriate|not appropriate|as an ai)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """One answer of a language model.

    Attributes:
        rating: 0..1; None where none could be read.
        confidence: 0..1; None where it gave none.
        problem: why there is no rating: REFUSED, UNREADABLE or TIMED_OUT; "" if there is one.

    Example:
        >>> Answer(None, None, TIMED_OUT).problem
        'timed out'
    """

    rating: float | None
    confidence: float | None = None
    problem: str = ""


def read_answer(text: str) -> Answer:
    """The rating and the confidence in an answer.

    Both are asked for from 0 to 1. A number above 1 and up to 10 counts as tenths, one up to 100 as percent; `8/10`
    and `85 %` say it themselves. Words around the numbers do not matter. Two different ratings, a range, or a number
    outside 0..100 are not guessed at.

    Args:
        text: of the answer.

    Example:
        >>> read_answer('Here you are: {"rating": 8.5, "confidence": 0.7}')
        Answer(rating=0.85, confidence=0.7, problem='')
        >>> read_answer("Rating: 62%"), read_answer("I'm sorry, but I can't rate people.").problem
        (Answer(rating=0.62, confidence=None, problem=''), 'refused')
        >>> read_answer("rating: 6 or rating: 8").problem
        'unreadable'
    """
    text = _THOUGHTS.sub("", text).strip()
    for values in _objects(text):
        if "rating" in values:
            rating, confidence = _of_json(values["rating"]), _of_json(values.get("confidence"))
            return Answer(rating, confidence) if rating is not None else _none(text, values["rating"] is None)
    rating = _named(text, "rating|score")
    if rating is None and not re.search(r"\b(?:rating|score)\b", text, re.IGNORECASE) and (alone := _ALONE.match(text)):
        rating = _share(*alone.groups())
    return _none(text) if rating is None else Answer(rating, _named(text, "confidence"))


def _none(text: str, is_null: bool = False) -> Answer:
    return Answer(None, None, REFUSED if is_null or _REFUSAL.search(text) else UNREADABLE)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in a text, with keys in lower case."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            values, end = decoder.raw_decode(text, start)
            if isinstance(values, dict):
                yield {str(key).strip().lower(): value for key, value in values.items()}
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)


def _of_json(value: object) -> float | None:
    if isinstance(value, str):
        match = _ALONE.match(value.strip())
        return _share(*match.groups()) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _share(repr(value), None, None)


def _named(text: str, word: str) -> float | None:
    """The number behind a word; None where there is none, or there are several."""
    pattern = rf"\b(?:{word})\b[\"'*\s]*(?:is|of|would\s+be|[:=])?[\"'*\s:]*{_NUMBER}{_RANGE}{_UNIT}"
    shares = {_share(*match.groups()) for match in re.finditer(pattern, text, re.IGNORECASE)}
    return shares.pop() if len(shares) == 1 else None


def _share(number: str, percent: str | None, most: str | None) -> float | None:
    """A number as a share, 0..1; None for one that cannot be meant."""
    value = float(number.replace(",", "."))
    if percent or most:
        limit = 100.0 if percent else float((most or "1").replace(",", "."))
        value = value / limit if limit > 0 else -1.0
        return round(value, 6) if 0 <= value <= 1 else None
    for limit in (1.0, 10.0, 100.0):
        if 0 <= value <= limit:
            return round(value / limit, 6)
    return None


@dataclass(frozen=True)
class Bias:
    """How a language model answers when it is asked about many faces: one number for all means that it looks at none.

    Attributes:
        answers: N, with those that give no rating.
        problems: how many of these for each reason.
        commonest: the rating that is given most often, 0..1; None without ratings.
        share: of it among the ratings, 0..1.
        distinct: different ratings.
    """

    answers: int
    problems: dict[str, int]
    commonest: float | None
    share: float
    distinct: int

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> "Bias":
        """Counted over answers.

        Example:
            >>> Bias.of([Answer(0.78), Answer(0.78), Answer(0.5), Answer(None, None, REFUSED)]).share
            0.6666666666666666
        """
        ratings = Counter(round(answer.rating, DIGITS) for answer in answers if answer.rating is not None)
        problems = Counter(answer.problem for answer in answers if answer.rating is None)
        if not ratings:
            return cls(len(answers), dict(problems), None, 0.0, 0)
        commonest, count = min(ratings.items(), key=lambda item: (-item[1], item[0]))
        return cls(len(answers), dict(problems), commonest, count / ratings.total(), len(ratings))

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {problem}" for problem, count in sorted(self.problems.items()))
        count = sum(self.problems.values())
        without = f" {count} of {self.answers} answers have no rating ({reasons})." if count else ""
        if self.commonest is None:
            return f"There is no rating.{without}"
        return (
            f"The commonest answer, {self.commonest:g}, is {100 * self.share:.0f} % of all ratings; "
            f"{self.distinct} different ones were given.{without}"
        )
