"""The OpenAPI description of /api/."""

from dataclasses import fields
from typing import Any

from beauty_evaluate.explain.region_shapley import OTHER_FACES, RING_MEAN
from beauty_evaluate.explain.reliability import FAILED
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.scoring.scorer import Row
from beauty_evaluate.web.service import MOST_PHOTOS

JSON = "application/json"
_ABOUT = {
    "file": "name of the file as it was sent",
    "face": "from 1, left to right; 0 if there is no score",
    "faces": "how many were found in the photo",
    "status": "ok, or why there is no score: no_face, unreadable, too_small, too_large, too_many_faces",
    "score": "rating points",
    "low": "lower end of the interval, null if none was calibrated",
    "high": "upper end of the interval",
    "percentile": "share of the data set's scores that are lower, in percent",
    "x": "left edge of the face's box, pixels of the upright photo",
    "y": "upper edge",
    "w": "width",
    "h": "height",
    "confidence": "of the face detector",
    "warnings": "why the score means little, words with ; between them",
    "error": "one sentence, empty if the status is ok",
}
LINES = "application/x-ndjson"
_LINES = {
    LINES: {
        "schema": {"type": "string", "description": "objects with `done` and `total`; `explanation` or `error` last"}
    }
}
_RANGES = {"score": (1, 5), "low": (1, 5), "high": (1, 5), "percentile": (0, 100), "confidence": (0, 1)}


def description() -> dict[str, Any]:
    """OpenAPI 3.1 as a JSON object."""
    photos = {"type": "array", "minItems": 1, "maxItems": MOST_PHOTOS, "items": _file()}
    one = {"photo": _file(), "face": {"type": "integer", "minimum": 1, "maximum": 999, "default": 1}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "beauty_evaluate",
            "version": "1",
            "description": "Scores of faces as 60 raters of SCUT-FBP5500 would give them. Nothing is kept.",
        },
        "paths": {
            "/api/score": {
                "post": _operation("score", "Score every face of some photos", {"photo": photos}, JSON, "Scores")
            },
            "/api/explain": {
                "post": _operation(
                    "explain", "What moved the score of one face; some 10 s", one, JSON, "Explanation", True
                )
            },
            "/api/sheet": {
                "post": _operation("sheet", "A ranked comparison as a picture", {"photo": photos}, "image/png")
            },
        },
        "components": {"schemas": _schemas()},
    }


def _file() -> dict[str, str]:
    return {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, BMP or AVIF"}


def _operation(
    name: str, about: str, given: dict[str, Any], kind: str, schema: str = "", lines: bool = False
) -> dict[str, Any]:
    """lines: it answers lines of JSON too, where they are asked for."""
    body = {"type": "object", "required": ["photo"], "properties": given}
    answer = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "string", "format": "binary"}
    refused = {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}
    reasons = {
        "400": "A request that is not whole",
        "403": "A request from another site",
        "413": "More than the upload limit",
        "422": "No photos, too many, or none with the face",
        "500": "Our mistake",
        "503": "Too much at once; come again after Retry-After seconds",
    }
    return {
        "operationId": name,
        "summary": about,
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": body}}},
        "responses": {
            "200": {"description": "Done", "content": {kind: {"schema": answer}, **(_LINES if lines else {})}},
            **{code: {"description": words, **refused} for code, words in reasons.items()},
        },
    }


def _schemas() -> dict[str, Any]:
    row = {
        field.name: {**_type(field.name, str(field.type)), "description": _ABOUT[field.name]} for field in fields(Row)
    }
    number = {"type": "number"}
    region = _object(name={"enum": list(NAMES)}, effect=number, area={"type": "number", "minimum": 0, "maximum": 1})
    return {
        "Row": _object(**row),
        "Scores": _object(rows={"type": "array", "items": {"$ref": "#/components/schemas/Row"}}),
        "Explanation": _object(
            reference={**number, "description": "the score with every region painted over, rating points"},
            score={**number, "description": "reference + the effects of all regions"},
            way={"enum": [RING_MEAN, OTHER_FACES], "description": "what stands in for a region"},
            proof={"type": "string", "description": f"what was measured of its truth; `{FAILED}` if it failed"},
            regions={"type": "array", "items": region},
        ),
        "Error": _object(error=_object(code={"type": "string"}, message={"type": "string"})),
    }


def _type(name: str, annotation: str) -> dict[str, Any]:
    kinds: list[str] = [
        kind
        for word, kind in (("str", "string"), ("int", "integer"), ("float", "number"), ("None", "null"))
        if word in annotation.removeprefix("<class ")
    ]
    low, high = _RANGES.get(name, (None, None))
    limits = {} if low is None else {"minimum": low, "maximum": high}
    return {"type": kinds if len(kinds) > 1 else kinds[0], **limits}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "required": list(properties), "properties": properties, "additionalProperties": False
    }  # fmt: skip
