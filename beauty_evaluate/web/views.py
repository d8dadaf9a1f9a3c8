"""What each address answers. Nothing is stored, and nothing of a photo is logged."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.scoring import compare, sheet
from beauty_evaluate.scoring.scorer import Scored
from beauty_evaluate.web import shown
from beauty_evaluate.web.openapi import description
from beauty_evaluate.web.texts import LANGUAGES, Texts
from beauty_evaluate.web.work import Busy, Desk, Explained, TooLong

pages = flask.Blueprint("pages", __name__)
RETRY = 5  # seconds after which a request that was sent away may come again
LINES = "application/x-ndjson"
MISTAKES = (PhotoError, Busy, TooLong)


class Gone(Exception):
    """Nobody waits for the answer any more."""


def _desk() -> Desk:
    desk: Desk = flask.current_app.extensions["desk"]
    return desk


def _texts() -> Texts:
    """In the language of the link, or of the browser."""
    asked = flask.request.args.get("lang", "")
    return Texts(asked if asked in LANGUAGES else flask.request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0])


def _photos() -> list[tuple[str, bytes]]:
    """Names and contents of the files of the request."""
    return [(file.filename or "photo", file.read()) for file in flask.request.files.getlist("photo") if file]


@pages.get("/")
def index() -> str:
    """The page."""
    return shown.page(_desk().scorer, _texts())


@pages.post("/")
def without_script() -> flask.Response:
    """The page with the results of one form, for browsers without scripts."""
    try:
        photos = _photos()
        scored = _desk().score(photos)
        why = None
        if flask.request.form.get("why") and len(photos) == 1 and scored[0].faces:
            why = shown.explained(_desk().finished(_desk().explain(photos[0][1], 1, lambda done, total: None)))
        return flask.make_response(shown.page(_desk().scorer, _texts(), _results(scored, why)))
    except MISTAKES as error:
        code, words, status, headers = _told(error)
        return flask.make_response(
            shown.page(_desk().scorer, _texts(), mistake=shown.words(_texts(), code, words)), status, headers
        )


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    return _results(_desk().score(_photos()))


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: how far it is, then the bars and the picture of one face as HTML."""
    texts = _texts()
    return _streamed(lambda found: {"html": flask.render_template("why.html", t=texts, why=shown.explained(found))})


@pages.post("/api/score")
def score() -> flask.Response:
    """Rows as `use.py --json` writes them."""
    return flask.jsonify({"rows": [asdict(row) for one in _desk().score(_photos()) for row in one.rows]})


@pages.post("/api/explain")
def explain() -> flask.Response:
    """Effects of the regions of one face; with `Accept: application/x-ndjson` as lines, with progress."""
    if flask.request.accept_mimetypes.best == LINES:
        return _streamed(lambda found: {"explanation": shown.facts(found)})
    data, face = _one_photo()
    return flask.jsonify(shown.facts(_desk().finished(_desk().explain(data, face, lambda done, total: None))))


@pages.post("/api/sheet")
def picture() -> flask.Response:
    """The ranking as a picture to keep."""
    faces = [entry for scored in _desk().score(_photos()) for entry in compare.entries(scored)]
    if not faces:
        raise PhotoError("no_face", "Expected a photo with a face. Received: none that could be scored.")
    data = sheet.drawn(".png", faces, compare.verdicts(faces), _desk().scorer.rated)
    return flask.Response(data, mimetype="image/png")


@pages.get("/api/openapi.json")
def openapi() -> flask.Response:
    """What /api/ takes and gives."""
    return flask.jsonify(description())


def _one_photo() -> tuple[bytes, int]:
    """The photo of the request, and which of its faces is meant."""
    photos = _photos()
    if len(photos) != 1:
        raise PhotoError("no_photos", f"Expected one photo. Received: {len(photos)}.")
    given = flask.request.form.get("face", "1")
    if not (given.isascii() and given.isdigit() and len(given) < 4):
        raise PhotoError("no_face", "Expected the number of a face. Received: something else.")
    return photos[0][1], int(given)


def _streamed(finish: Callable[[Explained], dict[str, Any]]) -> flask.Response:
    """Explain the one photo of the request, and answer lines of JSON as it goes."""
    data, face = _one_photo()
    desk = _desk()
    news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    gone = threading.Event()

    def progress(done: int, total: int) -> None:
        if gone.is_set():
            raise Gone
        news.put({"done": done, "total": total})

    future = desk.explain(data, face, progress)
    future.add_done_callback(lambda _: news.put({}))

    def lines() -> Iterator[str]:
        try:
            while item := news.get():
                yield json.dumps(item) + "\n"
            try:
                item = finish(desk.finished(future))
            except MISTAKES as error:
                code, words, _, _ = _told(error)
                item = {"error": {"code": code, "message": shown.words(_texts(), code, words)}}
            yield json.dumps(item) + "\n"
        finally:
            gone.set()

    return flask.Response(flask.stream_with_context(lines()), mimetype=LINES)


def _results(scored: list[Scored], why: dict[str, Any] | None = None) -> str:
    return shown.results(_desk().scorer, _texts(), scored, bool(flask.request.form.get("pair")), why)


def _told(error: Exception) -> tuple[str, str, int, dict[str, str]]:
    """Code, sentence, HTTP status and headers of a mistake."""
    if isinstance(error, Busy | TooLong):
        code = "busy" if isinstance(error, Busy) else "too_long"
        return code, Texts(LANGUAGES[0])[code], 503, {"Retry-After": str(RETRY)}
    code = error.status if isinstance(error, PhotoError) else "failed"
    return code, str(error), 422, {}


def own_error(error: UserError | Busy | TooLong) -> flask.Response:
    """A known mistake as JSON: its code and one sentence."""
    return _json_error(*_told(error))


def http_error(error: HTTPException) -> flask.Response:
    """An HTTP error as JSON."""
    codes = {413: "too_large", 404: "not_found", 405: "wrong_method", 403: "refused", 500: "broken"}
    status = error.code or 500
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    return _json_error(codes.get(status, "failed"), error.description or "", status, headers)


def _json_error(code: str, words: str, status: int, headers: dict[str, str]) -> flask.Response:
    response = flask.jsonify({"error": {"code": code, "message": words}})
    response.status_code = status
    response.headers.update(headers)
    return response
