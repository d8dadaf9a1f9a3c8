"""What the addresses for programs answer, as `/api/openapi.json` describes it."""

from dataclasses import asdict

import flask

from beauty_evaluate import __version__
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.scoring import compare
from beauty_evaluate.scoring.ranking import entries
from beauty_evaluate.scoring.rows import Row
from beauty_evaluate.web import presenters, replies, requests
from beauty_evaluate.web.openapi import LINES, PNG, description

api = flask.Blueprint("api", __name__)


@api.post("/api/score")
def score() -> flask.Response:
    """Rows as `use.py --json` writes them; 422 where none has a score."""
    service = requests.service()
    rows = [row for scored in service.score(requests.photos(), service.deadline()) for row in scored.rows]
    body = [asdict(row) for row in rows]
    if all(row.score is None for row in rows):
        code, message = _nothing_scored(rows)
        return replies.refused(code, message, 422, {}, rows=body)
    return flask.jsonify({"rows": body})


def _nothing_scored(rows: list[Row]) -> tuple[str, str]:
    """Code and sentence: those of the photos where all failed alike."""
    codes = {row.status for row in rows}
    code = codes.pop() if len(codes) == 1 else "nothing_scored"
    message = rows[0].error if len(rows) == 1 else f"None of the {len(rows)} photos could be scored; see `rows`."
    return code, message


@api.post("/api/explain")
def explain() -> flask.Response:
    """Effects of the regions of one face; with `Accept: application/x-ndjson` as lines, with progress."""
    service = requests.service()
    if flask.request.accept_mimetypes.best == LINES:
        return replies.streamed(lambda explanation: {"explanation": presenters.facts(explanation)})
    data, face = requests.photo_and_face()
    deadline = service.deadline()
    job = service.explain(data, face, lambda done, total: None, deadline)
    return flask.jsonify(presenters.facts(service.result(job, deadline)))


@api.post("/api/sheet")
def sheet() -> flask.Response:
    """The ranking as a picture to keep."""
    service = requests.service()
    scorer = service.scorer
    scored = service.score(requests.photos(), service.deadline())
    faces = [entry for photo in scored for entry in entries(photo, scorer.crop_config)]
    if not faces:
        raise PhotoError("no_face", "None of the photos shows a face that could be scored.")
    data = compare.of_entries(faces, scorer).render(".png")
    return flask.Response(data, mimetype=PNG)


@api.get("/api/openapi.json")
def openapi() -> flask.Response:
    """What these addresses take and give."""
    return flask.jsonify(description(requests.service().scorer.card, flask.request.host_url.rstrip("/")))


@api.get("/health")
def health() -> flask.Response:
    """That the server answers, for monitoring."""
    weights = requests.service().scorer.card.name
    return flask.jsonify({"status": "ok", "version": __version__, "weights": weights})
