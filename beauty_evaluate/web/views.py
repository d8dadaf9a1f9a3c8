"""What each address answers. Nothing is stored, and nothing of a photo is logged."""

import base64
import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import combinations
from math import hypot
from typing import Any

import cv2
import flask
import numpy as np
from werkzeug.exceptions import HTTPException

from beauty_evaluate.drawing import tint
from beauty_evaluate.errors import PhotoError, UserError, WeightsError
from beauty_evaluate.explain.page import FULL_SCALE
from beauty_evaluate.images import Picture
from beauty_evaluate.models import card as cards
from beauty_evaluate.scoring import compare, sheet
from beauty_evaluate.scoring.scorer import Row, Scored
from beauty_evaluate.web.openapi import description
from beauty_evaluate.web.texts import LANGUAGES, Texts
from beauty_evaluate.web.work import MOST_PHOTOS, Busy, Desk, Explained, TooLong

pages = flask.Blueprint("pages", __name__)
BINS = 40  # of the drawn distribution of the data set's scores
COMPARED = 3  # faces of which each two get a sentence
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
    return _page()


@pages.post("/")
def without_script() -> flask.Response:
    """The page with the results of one form, for browsers without scripts."""
    try:
        photos = _photos()
        scored = _desk().score(photos)
        why = None
        if flask.request.form.get("why") and len(photos) == 1 and scored[0].faces:
            why = _shown(_desk().finished(_desk().explain(photos[0][1], 1, lambda done, total: None)))
        return flask.make_response(_page(_results(scored, why)))
    except MISTAKES as error:
        code, words, status, headers = _told(error)
        return flask.make_response(_page(mistake=_words(code, words)), status, headers)


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    return _results(_desk().score(_photos()))


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: how far it is, then the bars and the picture of one face as HTML."""
    texts = _texts()
    return _streamed(lambda found: {"html": flask.render_template("why.html", t=texts, why=_shown(found))})


@pages.post("/api/score")
def score() -> flask.Response:
    """Rows as `use.py --json` writes them."""
    return flask.jsonify({"rows": [asdict(row) for one in _desk().score(_photos()) for row in one.rows]})


@pages.post("/api/explain")
def explain() -> flask.Response:
    """Effects of the regions of one face; with `Accept: application/x-ndjson` as lines, with progress."""
    if flask.request.accept_mimetypes.best == LINES:
        return _streamed(lambda found: {"explanation": _facts(found)})
    data, face = _one_photo()
    return flask.jsonify(_facts(_desk().finished(_desk().explain(data, face, lambda done, total: None))))


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
                item = {"error": {"code": code, "message": _words(code, words)}}
            yield json.dumps(item) + "\n"
        finally:
            gone.set()

    return flask.Response(flask.stream_with_context(lines()), mimetype=LINES)


def _facts(found: Explained) -> dict[str, Any]:
    effects = found.effects
    rows = zip(effects.names, effects.effects, effects.areas, strict=True)
    return {
        "reference": round(effects.reference, 4),
        "score": round(effects.score, 4),
        "way": effects.way,
        "regions": [{"name": n, "effect": round(float(e), 4), "area": round(float(a), 4)} for n, e, a in rows],
    }


def _shown(found: Explained) -> dict[str, Any]:
    """What the bars and the picture of `why.html` need."""
    facts = _facts(found)
    facts["regions"].sort(key=lambda region: -region["effect"])
    for region in facts["regions"]:
        region["bar"] = 50 * min(abs(region["effect"]) / FULL_SCALE, 1)
    shares = (found.effects.effects / FULL_SCALE)[found.masks.argmax(0)]
    return {**facts, "overlay": _data(tint(_coloured(found.crop), shares))}


def _coloured(picture: Picture) -> Picture:
    return picture if picture.shape[2] == 3 else np.repeat(picture, 3, axis=2)


def _data(picture: Picture) -> str:
    """A picture as an address that holds it."""
    data = cv2.imencode(".jpg", _coloured(picture)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _results(scored: list[Scored], why: dict[str, Any] | None = None) -> str:
    """Cards for all faces and what their differences mean: the highest score first where there are several photos, or
    as they came where they are `before` and `after`. why: of the first face."""
    texts = _texts()
    pair = len(scored) == 2 and bool(flask.request.form.get("pair"))
    cards = [_card(one, photo, i, texts) for photo, one in enumerate(scored) for i in range(len(one.rows))]
    if cards:
        cards[0]["why"] = why
    if len(scored) > 1 and not pair:
        cards.sort(key=lambda card: -(card["row"].score or 0))
    rows = [asdict(row) for one in scored for row in one.rows]
    return flask.render_template(
        "results.html",
        t=texts,
        cards=cards,
        pair=pair,
        photos=len(scored),
        sentences=_change(scored, texts) if pair else _differences(scored, texts),
        bars=_bars(),
        rated=_desk().scorer.rated,
        rows=json.dumps(rows),
    )


def _card(scored: Scored, photo: int, i: int, texts: Texts) -> dict[str, Any]:
    row: Row = scored.rows[i]
    return {
        "row": row,
        "photo": photo,
        "crop": _data(scored.faces[i].crop) if scored.faces else "",
        "level": None if row.score is None else min(5, max(1, int(row.score + 0.5))),
        "careful": [texts[word] for word in row.warnings.split(";") if word],
        "mistake": _words(row.status, row.error) if row.error else "",
    }


def _differences(scored: list[Scored], texts: Texts) -> list[str]:
    """A sentence on each two of the first few faces of different photos."""
    if len(scored) < 2:
        return []
    order = compare.ranked([entry for one in scored for entry in compare.entries(one)])[:COMPARED]
    lines = []
    for high, low in combinations(order, 2):
        key = {True: "higher_than", False: "tie", None: "unknown"}[compare.told_apart(high, low)]
        lines.append(texts.say(key, high=high.name, low=low.name, **_gap(high, low)))
    return lines


def _change(scored: list[Scored], texts: Texts) -> list[str]:
    """A sentence on two photos of one person; none if one of them does not show one face."""
    faces = [entry for one in scored if len(one.faces) == 1 for entry in compare.entries(one)]
    if len(faces) != 2:
        return []
    before, after = faces
    up = "pair_up" if after.score > before.score else "pair_down"
    key = {True: up, False: "pair_tie", None: "pair_unknown"}[compare.told_apart(before, after)]
    return [texts.say(key, **_gap(before, after))]


def _gap(a: compare.Entry, b: compare.Entry) -> dict[str, str]:
    return {"gap": f"{abs(a.score - b.score):.2f}", "reach": f"{hypot(a.half or 0, b.half or 0):.2f}"}


def _bars() -> list[dict[str, float]]:
    """The distribution of the data set's scores as bars of an SVG of 100 x 30."""
    counts, _ = np.histogram(_desk().scorer.labels, BINS, (1, 5))
    step = 100 / BINS
    return [{"x": i * step, "w": 0.9 * step, "h": 28 * count / counts.max()} for i, count in enumerate(counts.tolist())]


def _page(results: str = "", mistake: str = "") -> str:
    texts = _texts()
    other = LANGUAGES[1 - LANGUAGES.index(texts.language)]
    return flask.render_template(
        "index.html", t=texts, results=results, mistake=mistake, groups=_groups(), other=other, most=MOST_PHOTOS
    )


def _groups() -> list[tuple[str, dict[str, float | None]]]:
    """Figures on photos that were not learnt from, by group: the network's own, or of the one of its recipe that has
    them."""
    card = _desk().scorer.card
    if not card.metrics:
        try:
            other = cards.load(cards.DEFAULTS[1])
        except WeightsError:
            return []
        card = other if other.config == card.config else card
    return [(name, row) for name, row in card.metrics.items() if name in ("all", "AF", "AM", "CF", "CM")]


def _words(code: str, words: str) -> str:
    """A mistake in the page's language: in full in English, else the sentence for its kind."""
    texts = _texts()
    if texts.language == LANGUAGES[0] and words:
        return words
    return texts.say(code, most=MOST_PHOTOS) if code in texts else texts["failed"]


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
