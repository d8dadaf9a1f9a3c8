"""What the page's script keeps of scored photos and sends back to have it shown anew: rows and effects, no pictures."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flask

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.reliability import reliability
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.phrases import parts_of
from beauty_evaluate.scoring.rows import Row
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import presenters
from beauty_evaluate.web.results import Place


@dataclass(frozen=True)
class Shown:
    """What a page shows.

    Attributes:
        photos: the rows of each photo.
        pair: they are `before` and `after`.
        reasons: of explained faces, from `presenters.bars`.
    """

    photos: list[list[Row]]
    pair: bool
    reasons: dict[Place, dict[str, Any]]


def row_of(values: Mapping[str, Any]) -> Row:
    """A row as JSON has it.

    Raises:
        TypeError, ValueError: it has other fields, or values of other kinds.

    Example:
        >>> row_of({"file": "me.jpg", "face": 1, "faces": 1, "status": "ok", "score": 3}).score
        3.0
    """
    row: dict[str, Any] = {}
    kinds = typing.get_type_hints(Row)
    for name, value in values.items():
        kind = kinds[name]
        if kind == float | None and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind):
            raise ValueError(f"{name} is no {kind}")
        row[name] = value
    parts_of(row.get("parts", ""))  # what is shown must be readable
    return Row(**row)


def of_request(scorer: Scorer) -> Shown:
    """What the request asks to be shown. Raises PhotoError where that is no state of the page."""
    asked: Any = flask.request.get_json(silent=True)
    try:
        photos = [[row_of(row) for row in rows] for rows in asked["photos"]]
        if not photos or not all(photos):
            raise ValueError("no photos")
        reasons = {(int(one["photo"]), int(one["face"])): _reason(one["facts"], scorer) for one in asked["why"]}
        return Shown(photos, bool(asked["pair"]), reasons)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PhotoError("no_photos", "Expected the state that the page keeps.") from error


def _reason(shown: Mapping[str, Any], scorer: Scorer) -> dict[str, Any]:
    regions = [{"name": region["name"], "effect": float(region["effect"])} for region in shown["regions"]]
    if not {region["name"] for region in regions} <= set(NAMES):
        raise ValueError("no such region")
    ends = {"reference": float(shown["reference"]), "score": float(shown["score"])}
    return presenters.bars({**ends, "regions": regions}, reliability(scorer.card))
