"""The OpenAPI description of the API, from which `/docs` is rendered too."""

from typing import Any

from beauty_evaluate import __version__
from beauty_evaluate.raters.card import Card
from beauty_evaluate.web.i18n import Texts
from beauty_evaluate.web.knowledge import raters_of
from beauty_evaluate.web.schemas import components, reference
from beauty_evaluate.web.service import MOST_PHOTOS

JSON, PNG, LINES = "application/json", "image/png", "application/x-ndjson"
FORM, RAW = "multipart/form-data", ("image/*", "application/octet-stream")
MOST_FACE = 999  # largest number of a face that a request may name

_PHOTO = {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, BMP or AVIF"}
_FACE = {"type": "integer", "minimum": 1, "maximum": MOST_FACE, "default": 1}
_PHOTOS = {"photo": {"type": "array", "minItems": 1, "maxItems": MOST_PHOTOS, "items": _PHOTO}}
_NAME = {
    "name": "name", "in": "query", "schema": {"type": "string"},
    "description": "name of a photo that is sent as the body itself",
}  # fmt: skip
_FACE_NUMBER = {
    "name": "face", "in": "query", "schema": _FACE,
    "description": "which face, from 1, left to right; in a form, the field `face`",
}  # fmt: skip
_REASONS = {
    "400": "The request is incomplete.",
    "403": "The request comes from another site, or names another host.",
    "413": "The request is larger than the upload limit.",
    "422": "No photos, too many, or no face that could be scored.",
    "500": "A fault of the server.",
    "503": "The server is busy, or the request took too long. Try again after `Retry-After` seconds.",
}


def description(card: Card, address: str = "http://127.0.0.1:8000") -> dict[str, Any]:
    """The API as OpenAPI 3.1.

    Args:
        card: of the rater that scores.
        address: of the server, for the examples.

    Returns:
        A JSON object; `x-codeSamples` hold a command line for each operation.

    Example:
        >>> from beauty_evaluate.raters.registry import load_card
        >>> sorted(description(load_card("six_block_60-40"))["paths"])
        ['/api/explain', '/api/score', '/api/sheet', '/health']
    """
    scale = f"on a scale of {card.scale.low:g} to {card.scale.high:g}"
    about = f"Estimates how {raters_of(card, Texts('en'))} would rate faces, {scale}."
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "beauty_evaluate",
            "version": __version__,
            "description": f"{about} Weights: {card.name}. Photos are not stored.",
        },
        "servers": [{"url": address}],
        "paths": {
            "/api/score": {"post": _score(address)},
            "/api/explain": {"post": _explain(address)},
            "/api/sheet": {"post": _sheet(address)},
            "/health": {"get": _health(address)},
        },
        "components": {"schemas": components(card.scale)},
    }


def _score(address: str) -> dict[str, Any]:
    about = (
        f"Takes a form with 1 to {MOST_PHOTOS} files in the field `photo`, or one picture as the body. A photo without "
        "a score is a row that says why. Where no photo has a score, the status is 422 and the rows stand beside "
        "`error`."
    )
    examples = [
        f"curl -F photo=@me.jpg -F photo=@you.jpg {address}/api/score",
        f"curl -H 'Content-Type: image/jpeg' --data-binary @me.jpg '{address}/api/score?name=me.jpg'",
    ]
    given = {"requestBody": _body(_PHOTOS), "parameters": [_NAME]}
    answers = _answers("A row for each face, left to right.", {JSON: _schema("Scores")}, nothing="NothingScored")
    return _operation("score", "Score every face", about, examples, **given, responses=answers)


def _explain(address: str) -> dict[str, Any]:
    about = (
        "Takes one photo, and the number of a face. Answers the effect of each region of that face on its score, after "
        f"about ten seconds. With `Accept: {LINES}` the answer comes as lines of JSON: progress first, then "
        "`explanation` or `error`."
    )
    examples = [
        f"curl -F photo=@me.jpg -F face=1 {address}/api/explain",
        f"curl -N -H 'Accept: {LINES}' -F photo=@me.jpg {address}/api/explain",
        f"curl -H 'Content-Type: image/jpeg' --data-binary @me.jpg '{address}/api/explain?face=1'",
    ]
    lines = {"schema": {"type": "string", "description": "one JSON object on each line"}}
    given = {"requestBody": _body({"photo": _PHOTO, "face": _FACE}), "parameters": [_FACE_NUMBER, _NAME]}
    answers = _answers("The effects of the regions.", {JSON: _schema("Explanation"), LINES: lines})
    return _operation("explain", "Explain the score of one face", about, examples, **given, responses=answers)


def _sheet(address: str) -> dict[str, Any]:
    about = "Takes photos as `/api/score` does and answers one PNG picture of all their faces, ranked by score."
    examples = [f"curl -F photo=@me.jpg -F photo=@you.jpg -o sheet.png {address}/api/sheet"]
    given = {"requestBody": _body(_PHOTOS), "parameters": [_NAME]}
    answers = _answers("The picture.", {PNG: {"schema": {"type": "string", "format": "binary"}}})
    return _operation("sheet", "Draw a ranked comparison", about, examples, **given, responses=answers)


def _health(address: str) -> dict[str, Any]:
    about = "For monitoring: answers at once, without scoring anything."
    answers = _answers("The server is ready.", {JSON: _schema("Health")}, codes=("403", "500"))
    return _operation("health", "Check the server", about, [f"curl {address}/health"], responses=answers)


def _operation(name: str, summary: str, about: str, examples: list[str], **parts: Any) -> dict[str, Any]:
    samples = [{"lang": "Shell", "source": example} for example in examples]
    return {"operationId": name, "summary": summary, "description": about, **parts, "x-codeSamples": samples}


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    """A form with these fields, or a picture."""
    form = {"schema": {"type": "object", "required": ["photo"], "properties": properties}}
    return {"required": True, "content": {FORM: form, **{kind: {"schema": _PHOTO} for kind in RAW}}}


def _answers(
    done: str, content: dict[str, Any], nothing: str = "Error", codes: tuple[str, ...] = tuple(_REASONS)
) -> dict[str, Any]:
    """Responses by status. nothing: the schema of a 422."""
    refusals = {
        code: {
            "description": _REASONS[code],
            "content": {JSON: _schema(nothing if code == "422" else "Error")},
        }
        for code in codes
    }
    return {"200": {"description": done, "content": content}, **refusals}


def _schema(name: str) -> dict[str, Any]:
    return {"schema": reference(name)}
