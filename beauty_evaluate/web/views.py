"""What the addresses of the page answer. Nothing is stored, and nothing of a photo is logged."""

from typing import Any

import flask

from beauty_evaluate.scoring.rows import Scored
from beauty_evaluate.web import presenters, replies, requests
from beauty_evaluate.web.openapi import description

pages = flask.Blueprint("pages", __name__)


@pages.get("/")
def index() -> str:
    """The page."""
    return presenters.page(requests.service().scorer, requests.texts())


@pages.post("/")
def without_script() -> str:
    """The page with the results of one form, for browsers without scripts."""
    photos, service, texts = requests.photos(), requests.service(), requests.texts()
    deadline = service.deadline()
    scored = service.score(photos, deadline)
    why, mistake = None, ""
    if flask.request.form.get("why") and len(photos) == 1 and scored[0].faces:
        try:
            job = service.explain(photos[0][1], 1, _ignore, deadline)
            why = presenters.explained(service.result(job, deadline))
        except replies.USER_ERRORS as error:  # the score is there all the same
            mistake = presenters.error_text(texts, *replies.describe(error)[:2])
    return presenters.page(service.scorer, texts, _results(scored, why), mistake)


def _ignore(done: int, total: int) -> None:
    """Progress that nobody watches."""


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    service = requests.service()
    return _results(service.score(requests.photos(), service.deadline()))


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: progress, then the bars and the picture of one face as HTML."""
    texts = requests.texts()
    return replies.streamed(
        lambda explanation: {"html": flask.render_template("why.html", t=texts, why=presenters.explained(explanation))}
    )


@pages.get("/docs")
def docs() -> str:
    """The description of the API, for people."""
    address = flask.request.host_url.rstrip("/")
    return flask.render_template("docs.html", api=description(requests.service().scorer.card, address))


def _results(scored: list[Scored], why: dict[str, Any] | None = None) -> str:
    pair = bool(flask.request.form.get("pair"))
    return presenters.results(requests.service().scorer, requests.texts(), scored, pair, why)
