"""What the templates of the whole page and of an explanation show."""

import base64
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import cv2
import flask

from beauty_evaluate import __version__
from beauty_evaluate.drawing import tint
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.explain.reliability import Reliability
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.phrases import WARNINGS, signed
from beauty_evaluate.reporting.html import FULL_SCALE
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import knowledge
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.service import MOST_PHOTOS

SAMPLE = "eileen_collins.jpg"  # in static/: the portrait of examples/ under that name
SPARE = 1 << 14  # bytes of a request that the page's script leaves for what stands between photos
ERRORS = (
    "no_face", "no_photos", "unreadable", "too_small", "too_large", "too_many_faces",
    "busy", "too_long", "refused", "broken", "failed", "lost",
)  # fmt: skip


def page(scorer: Scorer, texts: Texts, results: str = "", mistake: str = "") -> str:
    """The whole page.

    Args:
        scorer: of the weights behind it.
        texts: the language.
        results: HTML from `results`.
        mistake: a sentence on what went wrong.
    """
    card = scorer.card
    measured = knowledge.measured(card)
    return flask.render_template(
        "index.html",
        t=texts,
        results=results,
        mistake=mistake,
        raters=knowledge.raters_of(card, texts),
        rated_data=card.data,
        scale=scorer.scale,
        weights=card.name,
        version=__version__,
        measured=measured.name,
        tables=knowledge.group_tables(measured, texts),
        other_photos=knowledge.other_photos(measured),
        local=ip_address(flask.request.remote_addr or "0.0.0.0").is_loopback,
        other=LANGUAGES[1 - LANGUAGES.index(texts.language)],
        most=MOST_PHOTOS,
        limit=flask.current_app.config["MAX_CONTENT_LENGTH"] - SPARE,
        warnings=list(WARNINGS),
        sample=SAMPLE,
    )


def guide(scorer: Scorer, texts: Texts, keep: bool) -> str:
    """ "How to read this" as a page of its own.

    Args:
        scorer: of the weights behind it.
        texts: the language.
        keep: in one piece, to be read without a server.
    """
    return flask.render_template(
        "guide.html",
        t=texts,
        keep=keep,
        style=(Path(flask.current_app.root_path) / "static" / "page.css").read_text(encoding="utf-8") if keep else "",
        raters=knowledge.raters_of(scorer.card, texts),
        rated_data=scorer.card.data,
        scale=scorer.scale,
        warnings=list(WARNINGS),
        other=LANGUAGES[1 - LANGUAGES.index(texts.language)],
    )


def error_text(texts: Texts, code: str, message: str) -> str:
    """An error in the page's language.

    Args:
        texts: the language.
        code: a word for the kind of error.
        message: what is said of a kind that has no text.
    """
    return texts.say(code, most=MOST_PHOTOS) if code in ERRORS else message or texts["failed"]


def facts(explanation: Explanation) -> dict[str, Any]:
    """The effects as JSON: rating points and shares of the crop, as the schema `Explanation` says. The two scores are
    clipped to the scale, as everywhere people read them."""
    effects, reliability = explanation.effects, explanation.reliability
    rows = zip(effects.names, effects.effects, effects.areas, strict=True)
    return {
        "reference": round(explanation.scale.clip(effects.reference), 6),
        "score": round(explanation.score, 6),
        "baseline": effects.baseline,
        "faithfulness": reliability.verdict,
        "passed": reliability.passed,
        "regions": [{"name": n, "effect": round(float(e), 6), "area": round(float(a), 4)} for n, e, a in rows],
    }


def explained(explanation: Explanation) -> dict[str, Any]:
    """What the bars and the picture of `why.html` need."""
    shares = (explanation.effects.effects / FULL_SCALE)[explanation.masks.argmax(0)]
    overlay = data_address(tint(three_channels(explanation.crop), shares))
    return {**bars(facts(explanation), explanation.reliability), "overlay": overlay}


def bars(shown: Mapping[str, Any], trust: Reliability) -> dict[str, Any]:
    """What the bars of `why.html` need.

    Args:
        shown: from `facts`, maybe on its way through a browser.
        trust: how far its effects may be trusted.
    """
    regions = [
        {**region, "points": signed(region["effect"]), "bar": 50 * min(abs(region["effect"]) / FULL_SCALE, 1)}
        for region in sorted(shown["regions"], key=lambda region: -region["effect"])
    ]
    return {**shown, "regions": regions, "reliability": trust, "full": FULL_SCALE}


def data_address(picture: Picture) -> str:
    """A picture as an address that holds it."""
    data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
