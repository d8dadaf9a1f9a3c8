"""JSON Schemas of what the API answers, read from the types of Python."""

import types
import typing
from dataclasses import fields
from typing import Any

from beauty_evaluate.config import RatingScale
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.scoring.rows import Row

_KINDS: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_ABOUT = {
    "file": "name of the file as it was sent",
    "face": "number of the face, from 1, left to right; 0 if there is no score",
    "faces": "how many faces were found in the photo",
    "status": "ok, or why there is no score: no_face, unreadable, too_small, too_large, too_many_faces",
    "score": "rating points, clipped to the scale",
    "low": "lower end of the prediction interval; null if none was calibrated",
    "high": "upper end of the prediction interval",
    "percentile": "share of the data set's scores that are lower, in percent",
    "x": "left edge of the face's box, in pixels of the upright photo",
    "y": "upper edge of the box",
    "w": "width of the box",
    "h": "height of the box",
    "confidence": "of the face detector",
    "warnings": "why the score is unreliable, words separated by semicolons",
    "error": "one sentence, empty if the status is ok",
    "notes": "sentences on how the photo was read, such as that only the first picture of an animation was, and rated",
    "parts": "what the score is made of where the rater has parts: name=rating points, separated by semicolons",
    "weights": "name of the weights and the first digits of their hash",
}


def schema_of(hint: Any) -> dict[str, Any]:
    """The JSON Schema of a Python type.

    Args:
        hint: as `typing.get_type_hints` gives it: a plain type, a union of such, or a tuple or list of one type.

    Raises:
        TypeError: there is no schema for that type.

    Example:
        >>> schema_of(float | None), schema_of(tuple[int, ...])
        ({'type': ['number', 'null']}, {'type': 'array', 'items': {'type': 'integer'}})
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType) and all(kind in _KINDS for kind in arguments):
        return {"type": [_KINDS[kind] for kind in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return {"type": "array", "items": schema_of(arguments[0])}
    if hint not in _KINDS:
        raise TypeError(f"Expected a type of {', '.join(kind.__name__ for kind in _KINDS)}. Received: {hint}.")
    return {"type": _KINDS[hint]}


def row_schema(scale: RatingScale) -> dict[str, Any]:
    """The schema of a row.

    Args:
        scale: of the rater, which limits `score`, `low` and `high`.

    Example:
        >>> row_schema(RatingScale(1, 10))["properties"]["score"]["maximum"]
        10
    """
    points = (scale.low, scale.high)
    limits = {"score": points, "low": points, "high": points, "percentile": (0, 100), "confidence": (0, 1)}
    properties = {}
    for name, hint in typing.get_type_hints(Row).items():
        if name not in {field.name for field in fields(Row)}:
            continue
        properties[name] = {**schema_of(hint), "description": _ABOUT[name]}
        if name in limits:
            properties[name].update(minimum=limits[name][0], maximum=limits[name][1])
    return object_schema(**properties)


def object_schema(**properties: Any) -> dict[str, Any]:
    """The schema of an object that has all of these properties and no other."""
    return {
        "type": "object", "required": list(properties), "properties": properties, "additionalProperties": False
    }  # fmt: skip


def reference(name: str) -> dict[str, str]:
    """A link to one of `components`."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(scale: RatingScale) -> dict[str, Any]:
    """All schemas by name. scale: of the rater."""
    number, text = {"type": "number"}, {"type": "string"}
    points = {**number, "minimum": scale.low, "maximum": scale.high}
    rows = {"type": "array", "items": reference("Row")}
    error = object_schema(code=text, message={**text, "description": "one sentence"})
    region = object_schema(
        name={"enum": list(NAMES)},
        effect={**number, "description": "rating points"},
        area={**number, "minimum": 0, "maximum": 1, "description": "share of the crop"},
    )
    return {
        "Row": row_schema(scale),
        "Scores": object_schema(rows=rows),
        "Explanation": object_schema(
            reference={**points, "description": "the score with every region painted over, clipped to the scale"},
            score={**points, "description": "reference + the effects of all regions, clipped to the scale"},
            baseline={**text, "description": "what stands in for a region"},
            faithfulness={**text, "description": "result of the faithfulness evaluation"},
            passed={"type": ["boolean", "null"], "description": "of that evaluation; null if there was none"},
            regions={"type": "array", "items": reference("Region")},
        ),
        "Region": region,
        "Health": object_schema(status={"enum": ["ok"]}, version=text, weights=text),
        "Error": object_schema(error=error),
        "NothingScored": {**object_schema(error=error, rows=rows), "required": ["error"]},
    }
