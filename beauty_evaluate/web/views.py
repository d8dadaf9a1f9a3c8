"""What each address answers. Nothing is stored, and nothing of a photo is logged."""

import base64
import io
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations
from typing import Any

import flask
import numpy as np
from werkzeug.exceptions import HTTPException

from beauty_evaluate.drawing import region_overlay
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.region_shapley import RegionEffects
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.images import Picture
from beauty_evaluate.scoring import compare, sheet
from beauty_evaluate.scoring.scorer import Scored
from beauty_evaluate.web.openapi import description
from beauty_evaluate.web.texts import LANGUAGES, Texts
from beauty_evaluate.web.work import MOST_PHOTOS, Busy, Desk, TooLong, jpeg

pages = flask.Blueprint("pages", __name__)
BINS = 40  # of the drawn distribution of the data set's scores
RETRY = 5  # seconds after which a request that was sent away may come again


def _desk() -> Desk:
    desk: Desk = flask.current_app.extensions["desk"]
    return desk


def _texts() -> Texts:
    """In the language of the link, or of the browser."""
    asked = flask.request.args.get("lang", "")
    return Texts(asked if asked in LANGUAGES else flask.request.accept_languages.best_match(LANGUAGES, "en") or "en")


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
        why = {}
        if flask.request.form.get("why") and len(photos) == 1 and scored[0].faces:
            why = {0: _explained(*_desk().explain(photos[0][1], 1, lambda done, total: None))}
        return flask.make_response(_page(_results(scored, why)))
    except (PhotoError, Busy, TooLong) as error:
        code, words, status, headers = _told(error)
        return flask.make_response(_page(mistake=_words(code, words)), status, headers)


@pages.post("/fragment/score")
def score_fragment() -> str:
    """The results alone, for the page's script."""
    return _results(_desk().score(_photos()), {})


@pages.post("/fragment/why")
def why_fragment() -> flask.Response:
    """Lines of JSON: how far it is, then the bars and the picture of one face as HTML."""
    return _streamed(lambda found: {"html": flask.render_template("why.html", t=_texts(), why=_explained(*found))})


@pages.post("/api/score")
def score() -> flask.Response:
    """Rows as `use.py --json` writes them."""
    scored = _desk().score(_photos())
    return flask.jsonify({"rows": [asdict(row) for one in scored for row in one.rows]})


@pages.post("/api/explain")
def explain() -> flask.Response:
    """Effects of the regions of one face; with `Accept: application/x-ndjson` as lines, with progress."""
    if flask.request.accept_mimetypes.best == "application/x-ndjson":
        return _streamed(lambda found: {"explanation": _facts(found[2])})
    ((_, data), face) = _one_photo()
    return flask.jsonify(_facts(_desk().explain(data, face, lambda done, total: None)[2]))


@pages.post("/api/sheet")
def picture() -> flask.Response:
    """The ranking as a picture to share."""
    faces = [entry for scored in _desk().score(_photos()) for entry in compare.entries(scored)]
    data = io.BytesIO()
    sheet.draw(faces, compare.verdicts(faces), _desk().scorer.rated).save(data, "PNG")
    return flask.Response(data.getvalue(), mimetype="image/png")


@pages.get("/api/openapi.json")
def openapi() -> flask.Response:
    """What /api/ takes and gives."""
    return flask.jsonify(description())


def _one_photo() -> tuple[tuple[str, bytes], int]:
    photos = _photos()
    if len(photos) != 1:
        raise PhotoError("no_photos", f"Expected one photo. Received: {len(photos)}.")
    given = flask.request.form.get("face", "1")
    if not (given.isascii() and given.isdigit() and len(given) < 4):
        raise PhotoError("no_face", f"Expected the number of a face. Received: {given[:20]}.")
    return photos[0], int(given)


def _streamed(finish: Any) -> flask.Response:
    """Explain the one photo of the request on a thread, and answer lines of JSON as it goes."""
    ((_, data), face) = _one_photo()
    desk, news = _desk(), queue.Queue[dict[str, Any]]()

    def work() -> None:
        try:
            found = desk.explain(data, face, lambda done, total: news.put({"done": done, "total": total}))
            news.put({"found": found})
        except (PhotoError, Busy, TooLong) as error:
            code, words, _, _ = _told(error)
            news.put({"error": {"code": code, "message": words}})
        except Exception:  # the line of JSON must end whatever happens; the traceback is our bug's
            news.put({"error": {"code": "failed", "message": "Something went wrong."}})
            raise

    def lines() -> Iterator[str]:
        while True:
            item = news.get()
            if "found" in item:
                item = finish(item["found"])
            yield json.dumps(item) + "\n"
            if "done" not in item:
                return

    threading.Thread(target=work, daemon=True).start()
    return flask.Response(flask.stream_with_context(lines()), mimetype="application/x-ndjson")


def _facts(found: RegionEffects) -> dict[str, Any]:
    rows = zip(found.names, found.effects, found.areas, strict=True)
    return {
        "reference": round(found.reference, 4),
        "score": round(found.score, 4),
        "way": found.way,
        "regions": [{"name": n, "effect": round(float(e), 4), "area": round(float(a), 4)} for n, e, a in rows],
    }


def _explained(crop: Picture, masks: Masks, found: RegionEffects) -> dict[str, Any]:
    """What the bars and the picture of `why.html` need."""
    facts = _facts(found)
    facts["regions"].sort(key=lambda region: -region["effect"])
    overlay = region_overlay(crop, masks, found.effects.tolist())
    return {**facts, "overlay": _data(jpeg(overlay, 320))}


def _data(content: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _results(scored: list[Scored], why: dict[int, dict[str, Any]]) -> str:
    """Cards for all faces, the highest score first where there are several photos, and what the differences mean."""
    texts, cards = _texts(), []
    for photo, one in enumerate(scored):
        for i, row in enumerate(one.rows):
            face = one.faces[i] if one.faces else None
            card = {"row": row, "photo": photo, "crop": _data(jpeg(face.crop)) if face else "", "why": why.get(photo)}
            card["half"] = compare.half_width(row)
            card["level"] = None if row.score is None else min(5, max(1, int(row.score + 0.5)))
            card["careful"] = [texts[word] for word in row.warnings.split(";") if word]
            card["mistake"] = _words(row.status, row.error) if row.error else ""
            cards.append(card)
    if len(scored) > 1:
        cards.sort(key=lambda card: -(card["row"].score or 0))
    return flask.render_template(
        "results.html", t=texts, cards=cards, sentences=_sentences(scored, texts), bars=_bars(), rated=_desk().scorer.rated
    )


def _sentences(scored: list[Scored], texts: Texts) -> list[str]:
    """A sentence on each two of the first few faces of different photos."""
    if len(scored) < 2:
        return []
    order = compare.ranked([entry for one in scored for entry in compare.entries(one)])[:3]
    lines = []
    for high, low in combinations(order, 2):
        apart = compare.told_apart(high, low)
        key = {True: "higher_than", False: "tie", None: "unknown"}[apart]
        reach = "" if apart is None else f"{np.hypot(high.half or 0, low.half or 0):.2f}"
        gap = f"{high.score - low.score:.2f}"
        lines.append(texts.say(key, high=high.name, low=low.name, gap=gap, reach=reach))
    return lines


def _bars() -> list[dict[str, float]]:
    """The distribution of the data set's scores as bars of an SVG of 100 x 30."""
    counts, _ = np.histogram(_desk().scorer.labels, BINS, (1, 5))
    step = 100 / BINS
    return [{"x": i * step, "w": 0.9 * step, "h": 28 * count / counts.max()} for i, count in enumerate(counts.tolist())]


def _page(results: str = "", mistake: str = "") -> str:
    texts, metrics = _texts(), _desk().scorer.card.metrics
    groups = [(name, row) for name, row in metrics.items() if name in ("all", "AF", "AM", "CF", "CM")]
    other = LANGUAGES[1 - LANGUAGES.index(texts.language)]
    return flask.render_template(
        "index.html", t=texts, results=results, mistake=mistake, groups=groups, other=other, most=MOST_PHOTOS
    )


def _words(code: str, words: str) -> str:
    """A mistake in the page's language: ours in full in English, else the sentence for its kind."""
    texts = _texts()
    if texts.language == "en" and words:
        return words
    return texts.say(code, most=MOST_PHOTOS) if code in texts else texts["failed"]


def _told(error: Exception) -> tuple[str, str, int, dict[str, str]]:
    """Code, sentence, HTTP status and headers of a mistake."""
    if isinstance(error, Busy):
        return "busy", Texts("en")["busy"], 503, {"Retry-After": str(RETRY)}
    if isinstance(error, TooLong):
        return "too_long", Texts("en")["too_long"], 503, {"Retry-After": str(RETRY)}
    code = error.status if isinstance(error, PhotoError) else "failed"
    return code, str(error), 413 if code == "too_large" else 422, {}


def own_error(error: Exception) -> flask.Response:
    """A known mistake as JSON: its code and one sentence."""
    code, words, status, headers = _told(error)
    return _json_error(code, words, status, headers)


def http_error(error: HTTPException) -> flask.Response:
    """An HTTP error as JSON."""
    codes = {413: "too_large", 404: "not_found", 405: "wrong_method", 403: "refused"}
    headers = {"Allow": ", ".join(error.valid_methods)} if getattr(error, "valid_methods", None) else {}
    return _json_error(codes.get(error.code or 500, "failed"), error.description or "", error.code or 500, headers)


def _json_error(code: str, words: str, status: int, headers: dict[str, str]) -> flask.Response:
    response = flask.jsonify({"error": {"code": code, "message": words}})
    response.status_code = status
    response.headers.update(headers)
    return response
