"""What the templates show: cards of faces, sentences, bars, and the figures of the weights."""

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address
from itertools import combinations
from math import hypot
from typing import Any

import cv2
import flask
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import __version__
from beauty_evaluate.config import RatingScale
from beauty_evaluate.drawing import tint
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.reporting.html import FULL_SCALE
from beauty_evaluate.scoring.ranking import Entry, entries, is_significant, ranked
from beauty_evaluate.scoring.rows import Row, Scored
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import knowledge
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.service import MOST_PHOTOS

BINS = 40  # of the drawn distribution of the data set's scores
COMPARED = 3  # faces of which each two get a sentence


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
        scale=scorer.scale,
        weights=card.name,
        version=__version__,
        measured=measured.name,
        tables=knowledge.group_tables(measured, texts),
        other_photos=knowledge.other_photos(measured),
        local=ip_address(flask.request.remote_addr or "0.0.0.0").is_loopback,
        other=LANGUAGES[1 - LANGUAGES.index(texts.language)],
    )


def results(
    scorer: Scorer, texts: Texts, scored: Sequence[Scored], pair: bool = False, why: dict[str, Any] | None = None
) -> str:
    """Cards for all faces, the highest score first where there are several photos, and what their differences mean.

    Args:
        scorer: that scored them.
        texts: the language.
        scored: what became of each photo.
        pair: the two photos are `before` and `after`, and stay in that order.
        why: of the first face, from `explained`.

    Returns:
        HTML.
    """
    sentences = [texts["pair_needs"]] if pair and len(scored) != 2 else []
    pair = pair and len(scored) == 2
    names = _names(scored)
    cards = _cards(scorer, texts, scored, names)
    cards[0]["why"] = why
    if len(scored) > 1 and not pair:
        cards.sort(key=lambda card: (card["row"].score is None, -(card["row"].score or 0)))
    sentences += _change(scorer, scored, texts) if pair else _differences(scorer, scored, names, texts)
    return flask.render_template(
        "results.html",
        t=texts,
        cards=cards,
        pair=pair,
        photos=len(scored),
        sentences=sentences,
        bars=_bars(scorer.labels, scorer.scale),
        scale=scorer.scale,
        ticks=[(tick, knowledge.share_of(scorer.scale, tick)) for tick in knowledge.ticks(scorer.scale)],
        interval_share=f"{100 * scorer.card.interval.get('level', 0):.0f}",
        rated=scorer.rated,
        rows=json.dumps([asdict(row) for one in scored for row in one.rows]),
    )


def _names(scored: Sequence[Scored]) -> list[str]:
    """A name for each photo, with its number where files are named alike, as phones do."""
    files = [one.rows[0].file for one in scored]
    return [f"{file} ({i})" if files.count(file) > 1 else file for i, file in enumerate(files, 1)]


def _cards(scorer: Scorer, texts: Texts, scored: Sequence[Scored], names: Sequence[str]) -> list[dict[str, Any]]:
    """All faces, photo by photo."""
    return [
        _card(scorer, texts, one, i) | {"photo": photo, "name": names[photo]}
        for photo, one in enumerate(scored)
        for i in range(len(one.rows))
    ]


def _card(scorer: Scorer, texts: Texts, scored: Scored, i: int) -> dict[str, Any]:
    """One face of a photo, or why the photo has no score."""
    row: Row = scored.rows[i]
    if row.score is None:
        return {"row": row, "mistake": error_text(texts, row.status, row.error)}
    ends = (row.low, row.high)
    return {
        "row": row,
        "crop": _data(three_channels(scored.faces[i].crop(scorer.crop_config))),
        "at": knowledge.share_of(scorer.scale, row.score),
        "band": None if None in ends else [knowledge.share_of(scorer.scale, end) for end in ends if end is not None],
        "warnings": [texts[word] for word in row.warnings.split(";") if word],
    }


def error_text(texts: Texts, code: str, message: str) -> str:
    """An error in the page's language.

    Args:
        texts: the language.
        code: a word for the kind of error.
        message: what is said of a kind that has no text.
    """
    return texts.say(code, most=MOST_PHOTOS) if code in texts else message or texts["failed"]


def _differences(scorer: Scorer, scored: Sequence[Scored], names: Sequence[str], texts: Texts) -> list[str]:
    """A sentence on each two of the photos that score highest, each by its best face."""
    best = [
        (ranked(entries(one, scorer.crop_config))[0], name)
        for one, name in zip(scored, names, strict=True)
        if one.faces
    ]
    order = sorted(best, key=lambda pair: -pair[0].score)[:COMPARED]
    lines = []
    for (high, first), (low, second) in combinations(order, 2):
        key = {True: "higher_than", False: "tie", None: "unknown"}[is_significant(high, low)]
        lines.append(texts.say(key, high=first, low=second, **_gap(high, low)))
    return lines


def _change(scorer: Scorer, scored: Sequence[Scored], texts: Texts) -> list[str]:
    """A sentence on two photos of one person, or that each must show one face."""
    faces = [entry for one in scored if len(one.faces) == 1 for entry in entries(one, scorer.crop_config)]
    if len(faces) != 2:
        return [texts["pair_needs"]]
    before, after = faces
    up = "pair_up" if after.score > before.score else "pair_down"
    key = {True: up, False: "pair_tie", None: "pair_unknown"}[is_significant(before, after)]
    return [texts.say(key, **_gap(before, after))]


def _gap(a: Entry, b: Entry) -> dict[str, str]:
    widths = (a.row.half_width or 0, b.row.half_width or 0)
    return {"gap": f"{abs(a.score - b.score):.2f}", "reach": f"{hypot(*widths):.2f}"}


def _bars(labels: NDArray[np.float64], scale: RatingScale) -> list[dict[str, float]]:
    """The distribution of the data set's scores as bars of an SVG of 100 x 30; none where it is not known."""
    if not len(labels):
        return []
    counts, _ = np.histogram(labels, BINS, (scale.low, scale.high))
    step, highest = 100 / BINS, counts.max()
    return [{"x": i * step, "w": 0.9 * step, "h": 28 * count / highest} for i, count in enumerate(counts.tolist())]


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
    shown = facts(explanation)
    shown["regions"].sort(key=lambda region: -region["effect"])
    for region in shown["regions"]:
        region["points"] = f"{round(region['effect'], 2) + 0:+.2f}"  # no -0.00
        region["bar"] = 50 * min(abs(region["effect"]) / FULL_SCALE, 1)
    shares = (explanation.effects.effects / FULL_SCALE)[explanation.masks.argmax(0)]
    overlay = tint(three_channels(explanation.crop), shares)
    return {**shown, "overlay": _data(overlay), "reliability": explanation.reliability}


def _data(picture: Picture) -> str:
    """A picture as an address that holds it."""
    data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
