"""What each address answers. Nothing is stored, and nothing of a photo is logged."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.reporting import comparison_report
from beauty_evaluate.scoring import compare
from beauty_evaluate.scoring.scorer import Scored
from beauty_evaluate.web import presenters
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.openapi import LINES, description
from beauty_evaluate.web.service import Busy, Explained, ScoringService, TooLong

pages = flask.Blueprint("pages", __name__)
API = "/api/"  # whose answers are the same in every language
RETRY = 5  # seconds after which a request that was sent away may come again
HTTP = {
    403: ("refused", ""),
    404: ("not_found", "Expected an address of this page. Received: another."),
    405: ("wrong_method", "Expected another method at this address. Received: one it does not answer."),
    413: ("too_large", "Expected less in one request. Received: more than the upload limit."),
    500: ("broken", "Something went wrong here, which is not your mistake."),
}
MISTAKES = (PhotoError, Busy, TooLong)


class Gone(Exception):
    """Nobody waits for the answer any more."""


def _desk() -> ScoringService:
    desk: ScoringService = flask.current_app.extensions["desk"]
    return desk


def _texts() -> Texts:
    """In the language of the link, or of the browser."""
    asked = flask.request.args.get("lang", "")
    return Texts(asked if asked in LANGUAGES else flask.request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0])


def _photos() -> list[tuple[str, bytes]]:
    """Names and contents of the files of the request."""
    return [(str(file.filename), file.read()) for file in flask.request.files.getlist("photo") if file]


def take_room() -> None:
    """Before a request is read: see that there is memory for it."""
    size = flask.request.content_length or 0
    _desk().take(size)
    flask.g.size = size


def give_room(error: BaseException | None) -> None:
    """After it was answered."""
    _desk().give(flask.g.pop("size", 0))


@pages.get("/")
def index() -> str:
    """The page."""
    return presenters.page(_desk().scorer, _texts())


@pages.post("/")
def without_script() -> flask.Response:
    """The page with the results of one form, for browsers without scripts."""
    photos, desk, why, mistake = _photos(), _desk(), None, ""
    late = desk.deadline()
    scored = desk.score(photos, late)
    if flask.request.form.get("why") and len(photos) == 1 and scored[0].faces:
        try:
            why = presenters.explained(desk.finished(desk.explain(photos[0][1], 1, _nobody, late), late))
        except MISTAKES as error:  # the score is there all the same
            mistake = presenters.words(_texts(), *_told(error)[:2])
    return flask.make_response(presenters.page(desk.scorer, _texts(), _results(scored, why), mistake))


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    return _results(_desk().score(_photos(), _desk().deadline()))


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: how far it is, then the bars and the picture of one face as HTML."""
    texts = _texts()
    return _streamed(
        lambda found: {"html": flask.render_template("why.html", t=texts, why=presenters.explained(found))}
    )


@pages.post("/api/score")
def score() -> flask.Response:
    """Rows as `use.py --json` writes them."""
    return flask.jsonify(
        {"rows": [asdict(row) for one in _desk().score(_photos(), _desk().deadline()) for row in one.rows]}
    )


@pages.post("/api/explain")
def explain() -> flask.Response:
    """Effects of the regions of one face; with `Accept: application/x-ndjson` as lines, with progress."""
    if flask.request.accept_mimetypes.best == LINES:
        return _streamed(lambda found: {"explanation": presenters.facts(found)})
    (data, face), desk = _one_photo(), _desk()
    late = desk.deadline()
    return flask.jsonify(presenters.facts(desk.finished(desk.explain(data, face, _nobody, late), late)))


@pages.post("/api/sheet")
def picture() -> flask.Response:
    """The ranking as a picture to keep."""
    faces = [entry for scored in _desk().score(_photos(), _desk().deadline()) for entry in compare.entries(scored)]
    if not faces:
        raise PhotoError("no_face", "Expected a photo with a face. Received: none that could be scored.")
    data = comparison_report.drawn(".png", faces, compare.verdicts(faces), _desk().scorer.rated)
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
    given, *more = flask.request.form.getlist("face") or ["1"]
    if more or not (given.isascii() and given.isdigit() and len(given) < 4):
        raise PhotoError("no_face", "Expected the number of a face. Received: something else.")
    return photos[0][1], int(given)


def _nobody(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _streamed(finish: Callable[[Explained], dict[str, Any]]) -> flask.Response:
    """Explain the one photo of the request, and answer lines of JSON as it goes."""
    (data, face), desk = _one_photo(), _desk()
    late = desk.deadline()
    news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    gone = threading.Event()

    def progress(done: int, total: int) -> None:
        if gone.is_set():
            raise Gone
        news.put({"done": done, "total": total})

    future = desk.explain(data, face, progress, late)
    future.add_done_callback(lambda _: news.put({}))

    def lines() -> Iterator[str]:
        try:
            while item := news.get():
                yield json.dumps(item) + "\n"
            try:
                item = finish(desk.finished(future, late))
            except Exception as error:  # or the last line would be missing
                if not isinstance(error, MISTAKES):
                    flask.current_app.logger.exception("explaining")
                item = _error(*(_told(error)[:2] if isinstance(error, MISTAKES) else HTTP[500]))
            yield json.dumps(item) + "\n"
        finally:
            gone.set()

    return flask.Response(flask.stream_with_context(lines()), mimetype=LINES)


def _results(scored: list[Scored], why: dict[str, Any] | None = None) -> str:
    return presenters.results(_desk().scorer, _texts(), scored, bool(flask.request.form.get("pair")), why)


def _told(error: Exception) -> tuple[str, str, int, dict[str, str]]:
    """Code, sentence, HTTP status and headers of a mistake."""
    if isinstance(error, Busy | TooLong):
        code = "busy" if isinstance(error, Busy) else "too_long"
        return code, Texts(LANGUAGES[0])[code], 503, {"Retry-After": str(RETRY)}
    assert isinstance(error, PhotoError)
    return error.status, str(error), 422, {}


def own_error(error: PhotoError | Busy | TooLong) -> flask.Response:
    """A known mistake: its code and one sentence, or the page that says so."""
    return _refused(*_told(error))


def http_error(error: HTTPException) -> flask.Response:
    """The same for what Flask refuses."""
    status = error.code or 500
    code, words = HTTP.get(status, ("failed", ""))
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    return _refused(code, words or error.description or "", status, headers)


def _refused(code: str, words: str, status: int, headers: dict[str, str]) -> flask.Response:
    if flask.request.path == "/" and flask.request.method == "POST":
        page = presenters.page(_desk().scorer, _texts(), mistake=presenters.words(_texts(), code, words))
        return flask.make_response(page, status, headers)
    response = flask.jsonify(_error(code, words))
    response.status_code = status
    response.headers.update(headers)
    return response


def _error(code: str, words: str) -> dict[str, Any]:
    """A mistake as JSON, for people in their language."""
    told = words if flask.request.path.startswith(API) else presenters.words(_texts(), code, words)
    return {"error": {"code": code, "message": told}}
