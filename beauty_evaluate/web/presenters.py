"""What the templates show: cards of faces, sentences, bars, and the figures of the network."""

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

from beauty_evaluate.drawing import tint
from beauty_evaluate.errors import WeightsError
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.raters import card as cards
from beauty_evaluate.reporting.html import FULL_SCALE
from beauty_evaluate.scoring import compare
from beauty_evaluate.scoring.scorer import Row, Scored, Scorer
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.service import MOST_PHOTOS, Explained

BINS = 40  # of the drawn distribution of the data set's scores
COMPARED = 3  # faces of which each two get a sentence
GROUPS = ("all", "AF", "AM", "CF", "CM")


def page(scorer: Scorer, texts: Texts, results: str = "", mistake: str = "") -> str:
    """The whole page. results: HTML of `results`. mistake: a sentence."""
    return flask.render_template(
        "index.html",
        t=texts,
        results=results,
        mistake=mistake,
        groups=_groups(scorer.card),
        local=ip_address(flask.request.remote_addr or "0.0.0.0").is_loopback,
        other=LANGUAGES[1 - LANGUAGES.index(texts.language)],
    )


def _groups(card: cards.Card) -> tuple[str, list[tuple[str, str, str]]]:
    """Correlation and mean error on photos that were not learnt from, by group: the network's own, or of the one of its
    recipe that has them. With that network's name."""
    if not card.metrics:
        try:
            other = cards.load(cards.DEFAULTS[1])
        except WeightsError:
            return card.name, []
        card = other if other.config == card.config else card
    rows = [
        (name, _figure(row["pearson"]), _figure(row["mae"])) for name, row in card.metrics.items() if name in GROUPS
    ]
    return card.name, rows


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def results(
    scorer: Scorer, texts: Texts, scored: Sequence[Scored], pair: bool = False, why: dict[str, Any] | None = None
) -> str:
    """Cards for all faces and what their differences mean: the highest score first where there are several photos.

    pair: the two photos are `before` and `after`, and stay in that order. why: of the first face, from `explained`.
    """
    sentences = [texts["pair_needs"]] if pair and len(scored) != 2 else []
    pair = pair and len(scored) == 2
    names = _names(scored)
    found = [
        _card(one, photo, names[photo], i, texts) for photo, one in enumerate(scored) for i in range(len(one.rows))
    ]
    found[0]["why"] = why
    if len(scored) > 1 and not pair:
        found.sort(key=lambda card: -(card["row"].score or 0))
    return flask.render_template(
        "results.html",
        t=texts,
        cards=found,
        pair=pair,
        photos=len(scored),
        sentences=sentences + (_change(scored, texts) if pair else _differences(scored, names, texts)),
        bars=_bars(scorer.labels),
        rated=scorer.rated,
        rows=json.dumps([asdict(row) for one in scored for row in one.rows]),
    )


def _names(scored: Sequence[Scored]) -> list[str]:
    """A name for each photo, with its number where files are named alike, as phones do."""
    files = [one.rows[0].file for one in scored]
    return [f"{file} ({i})" if files.count(file) > 1 else file for i, file in enumerate(files, 1)]


def _card(scored: Scored, photo: int, name: str, i: int, texts: Texts) -> dict[str, Any]:
    row: Row = scored.rows[i]
    return {
        "row": row,
        "photo": photo,
        "name": name,
        "crop": _data(scored.faces[i].crop) if scored.faces else "",
        "level": None if row.score is None else int(row.score + 0.5),
        "careful": [texts[word] for word in row.warnings.split(";") if word],
        "mistake": words(texts, row.status, row.error) if row.error else "",
    }


def words(texts: Texts, code: str, sentence: str) -> str:
    """A mistake in the page's language. sentence: what is said of a kind that has no text."""
    return texts.say(code, most=MOST_PHOTOS) if code in texts else sentence or texts["failed"]


def _differences(scored: Sequence[Scored], names: Sequence[str], texts: Texts) -> list[str]:
    """A sentence on each two of the photos that score highest, each by its best face."""
    found = [
        (compare.ranked(compare.entries(one))[0], name) for one, name in zip(scored, names, strict=True) if one.faces
    ]
    order = sorted(found, key=lambda pair: -pair[0].score)[:COMPARED]
    lines = []
    for (high, first), (low, second) in combinations(order, 2):
        key = {True: "higher_than", False: "tie", None: "unknown"}[compare.is_significant(high, low)]
        lines.append(texts.say(key, high=first, low=second, **_gap(high, low)))
    return lines


def _change(scored: Sequence[Scored], texts: Texts) -> list[str]:
    """A sentence on two photos of one person, or that each must show one face."""
    faces = [entry for one in scored if len(one.faces) == 1 for entry in compare.entries(one)]
    if len(faces) != 2:
        return [texts["pair_needs"]]
    before, after = faces
    up = "pair_up" if after.score > before.score else "pair_down"
    key = {True: up, False: "pair_tie", None: "pair_unknown"}[compare.is_significant(before, after)]
    return [texts.say(key, **_gap(before, after))]


def _gap(a: compare.Entry, b: compare.Entry) -> dict[str, str]:
    return {"gap": f"{abs(a.score - b.score):.2f}", "reach": f"{hypot(a.half or 0, b.half or 0):.2f}"}


def _bars(labels: NDArray[np.float64]) -> list[dict[str, float]]:
    """The distribution of the data set's scores as bars of an SVG of 100 x 30."""
    counts, _ = np.histogram(labels, BINS, (1, 5))
    step = 100 / BINS
    return [{"x": i * step, "w": 0.9 * step, "h": 28 * count / counts.max()} for i, count in enumerate(counts.tolist())]


def facts(found: Explained) -> dict[str, Any]:
    """The effects as JSON, rating points and shares of the crop."""
    effects = found.effects
    rows = zip(effects.names, effects.effects, effects.areas, strict=True)
    return {
        "reference": round(effects.reference, 6),
        "score": round(effects.score, 6),
        "way": effects.way,
        "proof": found.trust.verdict,
        "regions": [{"name": n, "effect": round(float(e), 6), "area": round(float(a), 4)} for n, e, a in rows],
    }


def explained(found: Explained) -> dict[str, Any]:
    """What the bars and the picture of `why.html` need."""
    told = facts(found)
    told["regions"].sort(key=lambda region: -region["effect"])
    for region in told["regions"]:
        region["bar"] = 50 * min(abs(region["effect"]) / FULL_SCALE, 1)
    shares = (found.effects.effects / FULL_SCALE)[found.masks.argmax(0)]
    return {**told, "overlay": _data(tint(three_channels(found.crop), shares)), "trust": found.trust}


def _data(picture: Picture) -> str:
    """A picture as an address that holds it."""
    data = cv2.imencode(".jpg", three_channels(picture)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
