"""How answers are made that are no plain page: errors, and lines of JSON with progress."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.web import presenters, requests
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.openapi import LINES
from beauty_evaluate.web.service import Busy, TooLong

API = "/api/"  # whose answers are the same in every language
RETRY = 5  # seconds after which a request that was refused may come again
HTTP = {
    403: ("refused", ""),
    404: ("not_found", "There is no such page. The API is described at /docs."),
    405: ("wrong_method", "This address does not answer that method. The API is described at /docs."),
    413: ("too_large", "The request is larger than the upload limit."),
    500: ("broken", "Something went wrong on the server. It is not your mistake."),
}
USER_ERRORS = (PhotoError, Busy, TooLong)


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


def streamed(finish: Callable[[Explanation], dict[str, Any]]) -> flask.Response:
    """Explain the one photo of the request, and answer lines of JSON as the work goes on.

    Args:
        finish: makes the last line of the explanation.
    """
    (data, face), service = requests.photo_and_face(), requests.service()
    deadline = service.deadline()
    news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    gone = threading.Event()

    def progress(done: int, total: int) -> None:
        if gone.is_set():
            raise ClientGone
        news.put({"done": done, "total": total})

    job = service.explain(data, face, progress, deadline)
    job.add_done_callback(lambda _: news.put({}))

    def lines() -> Iterator[str]:
        try:
            while item := news.get():
                yield json.dumps(item) + "\n"
            yield json.dumps(_last_line(lambda: finish(service.result(job, deadline)))) + "\n"
        finally:
            gone.set()

    return flask.Response(flask.stream_with_context(lines()), mimetype=LINES)


def _last_line(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The last line, or the error in its place: the status of the answer was sent long ago."""
    try:
        return make()
    except USER_ERRORS as error:
        return error_object(*describe(error)[:2])
    except Exception:  # our own bug, which is logged as Flask would: the client is told that there was one
        flask.current_app.logger.exception("explaining")
        return error_object(*HTTP[500])


def describe(error: Exception) -> tuple[str, str, int, dict[str, str]]:
    """Code, sentence, HTTP status and headers of a user's error."""
    if isinstance(error, Busy | TooLong):
        code = "busy" if isinstance(error, Busy) else "too_long"
        return code, Texts(LANGUAGES[0])[code], 503, {"Retry-After": str(RETRY)}
    assert isinstance(error, PhotoError)
    return error.status, str(error), 422, {}


def user_error(error: PhotoError | Busy | TooLong) -> flask.Response:
    """The answer to a user's error."""
    return refused(*describe(error))


def http_error(error: HTTPException) -> flask.Response:
    """The answer to what Flask refuses."""
    status = error.code or 500
    code, message = HTTP.get(status, ("failed", ""))
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    return refused(code, message or error.description or "", status, headers)


def refused(code: str, message: str, status: int, headers: dict[str, str], **more: Any) -> flask.Response:
    """An error as JSON or, after the page's form, as the page.

    Args:
        code: a word for programs.
        message: one sentence.
        status: of HTTP.
        headers: of HTTP.
        more: what stands beside `error` in the JSON.
    """
    if flask.request.path == "/" and flask.request.method == "POST":
        texts = requests.texts()
        page = presenters.page(requests.service().scorer, texts, mistake=presenters.error_text(texts, code, message))
        return flask.make_response(page, status, headers)
    response = flask.jsonify({**error_object(code, message), **more})
    response.status_code = status
    response.headers.update(headers)
    return response


def error_object(code: str, message: str) -> dict[str, Any]:
    """An error as JSON: for people in their language, for programs in English."""
    if not flask.request.path.startswith(API):
        message = presenters.error_text(requests.texts(), code, message)
    return {"error": {"code": code, "message": message}}
