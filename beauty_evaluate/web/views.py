"""What the addresses of the page answer. Nothing is stored, and nothing of a photo is logged."""

from pathlib import Path
from typing import Any

import flask

from beauty_evaluate.scoring.rows import Scored
from beauty_evaluate.web import presenters, replies, requests, state
from beauty_evaluate.web import results as cards
from beauty_evaluate.web.openapi import description

GUIDE = "how_to_read_this.html"

pages = flask.Blueprint("pages", __name__)


@pages.get("/")
def index() -> str:
    """The page."""
    return presenters.page(requests.service().scorer, requests.texts())


@pages.post("/")
def without_script() -> str:
    """The page with the results of one form, for browsers without scripts."""
    service, texts = requests.service(), requests.texts()
    photos = _sample() if flask.request.form.get("sample") else requests.photos()
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


def _sample() -> list[tuple[str, bytes]]:
    """The portrait to try, for a form that asks for it."""
    file = Path(flask.current_app.root_path) / "static" / presenters.SAMPLE
    return [(file.name, file.read_bytes())]


def _ignore(done: int, total: int) -> None:
    """Progress that nobody watches."""


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    service = requests.service()
    return _results(service.score(requests.photos(), service.deadline()))


@pages.post("/fragment/show")
def show_fragment() -> str:
    """The results of photos that were scored before, in another language, order or company. No photo is sent again."""
    service = requests.service()
    shown = state.of_request(service.scorer)
    return cards.results(service.scorer, requests.texts(), shown.photos, {}, shown.pair, shown.reasons)


@pages.get("/guide")
def guide() -> flask.Response:
    """How to read the results; with `keep`, as a file that needs no server."""
    keep = bool(flask.request.args.get("keep"))
    response = flask.make_response(presenters.guide(requests.service().scorer, requests.texts(), keep))
    if keep:
        response.headers["Content-Disposition"] = f'attachment; filename="{GUIDE}"'
    return response


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: progress, then the bars and the picture of one face as HTML, and the figures behind them."""
    texts = requests.texts()
    return replies.streamed(
        lambda explanation: {
            "html": flask.render_template("why.html", t=texts, why=presenters.explained(explanation)),
            "facts": presenters.facts(explanation),
        }
    )


@pages.get("/docs")
def docs() -> str:
    """The description of the API, for people."""
    address = flask.request.host_url.rstrip("/")
    return flask.render_template("docs.html", api=description(requests.service().scorer.card, address))


def _results(scored: list[Scored], why: dict[str, Any] | None = None) -> str:
    scorer, rows = requests.service().scorer, [one.rows for one in scored]
    pair, reasons = bool(flask.request.form.get("pair")), {(0, 1): why} if why else {}
    return cards.results(scorer, requests.texts(), rows, cards.crops(scorer, scored), pair, reasons)
