"""The results as HTML: a card for each face, sentences on their differences, and what the script keeps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import flask
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale
from beauty_evaluate.images import three_channels
from beauty_evaluate.phrases import WARNINGS, parts_of
from beauty_evaluate.scoring.ranking import Entry, is_significant, joint_half_width, ranked
from beauty_evaluate.scoring.rows import Row, Scored
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import knowledge
from beauty_evaluate.web.i18n import Texts
from beauty_evaluate.web.presenters import data_address, error_text

BINS = 40  # of the drawn distribution of the data set's scores
COMPARED = 3  # faces of which each two get a sentence
Place = tuple[int, int]  # of a face: its photo from 0, its number from 1


def crops(scorer: Scorer, scored: Sequence[Scored]) -> dict[Place, str]:
    """The faces as they were cropped, as addresses that hold them."""
    return {
        (photo, number): data_address(three_channels(face.crop(scorer.crop_config)))
        for photo, one in enumerate(scored)
        for number, face in enumerate(one.faces, 1)
    }


def results(
    scorer: Scorer,
    texts: Texts,
    photos: Sequence[Sequence[Row]],
    pictures: Mapping[Place, str],
    pair: bool = False,
    reasons: Mapping[Place, dict[str, Any]] | None = None,
) -> str:
    """Cards for all faces, and what their differences mean. Where there are several photos, the highest score comes
    first, and after all of these the doubtful ones likewise.

    Args:
        scorer: that scored them.
        texts: the language.
        photos: the rows of each photo.
        pictures: from `crops`; a card without one is filled in by the page's script, which has it.
        pair: the two photos are `before` and `after`, and stay in that order.
        reasons: of faces whose score was explained, from `explained`.

    Returns:
        HTML.
    """
    sentences = [texts["pair_needs"]] if pair and len(photos) != 2 else []
    pair = pair and len(photos) == 2
    names = _names(photos)
    cards = [
        _card(scorer, texts, row)
        | {"photo": photo, "name": names[photo], "crop": pictures.get((photo, row.face))}
        | {"why": (reasons or {}).get((photo, row.face))}
        for photo, rows in enumerate(photos)
        for row in rows
    ]
    if len(photos) > 1 and not pair:
        cards.sort(key=lambda card: (card["row"].score is None, *card["row"].place))
    sentences += _change(photos, texts) if pair else _differences(photos, names, texts)
    return flask.render_template(
        "results.html",
        t=texts,
        cards=cards,
        pair=pair,
        photos=len(photos),
        sentences=sentences,
        bars=_bars(scorer.labels, scorer.scale),
        scale=scorer.scale,
        ticks=[(tick, knowledge.share_of(scorer.scale, tick)) for tick in knowledge.ticks(scorer.scale)],
        interval_share=f"{100 * scorer.card.interval.get('level', 0):.0f}",
        rated=scorer.rated,
        state=json.dumps([[asdict(row) for row in rows] for rows in photos]),
    )


def _names(photos: Sequence[Sequence[Row]]) -> list[str]:
    """A name for each photo, with its number where files are named alike, as phones do."""
    files = [rows[0].file for rows in photos]
    return [f"{file} ({i})" if files.count(file) > 1 else file for i, file in enumerate(files, 1)]


def _card(scorer: Scorer, texts: Texts, row: Row) -> dict[str, Any]:
    """One face of a photo, or why the photo has no score."""
    if row.score is None:
        return {"row": row, "mistake": error_text(texts, row.status, row.error)}
    ends = (row.low, row.high)
    return {
        "row": row,
        "at": knowledge.share_of(scorer.scale, row.score),
        "band": None if None in ends else [knowledge.share_of(scorer.scale, end) for end in ends if end is not None],
        "warnings": _warnings(row, texts),
        "parts": [(texts.part(part.name), part) for part in parts_of(row.parts)],
    }


def _warnings(row: Row, texts: Texts) -> list[str]:
    return [texts[word] if word in WARNINGS else word for word in row.warnings.split(";") if word]


def _entries(rows: Sequence[Row], name: str) -> list[Entry]:
    return [Entry(name, row, row.score, b"") for row in rows if row.score is not None]


def _differences(photos: Sequence[Sequence[Row]], names: Sequence[str], texts: Texts) -> list[str]:
    """A sentence on each two of the photos that come first, each by its best face."""
    faces = [_entries(rows, name) for rows, name in zip(photos, names, strict=True)]
    order = ranked([ranked(several)[0] for several in faces if several])[:COMPARED]
    lines = []
    for pair in combinations(order, 2):
        high, low = sorted(pair, key=lambda entry: -entry.score)
        key = {True: "higher_than", False: "tie", None: "unknown"}[is_significant(high, low)]
        lines.append(_caution(pair, texts) + texts.say(key, high=high.name, low=low.name, **_gap(high, low)))
    return lines


def _change(photos: Sequence[Sequence[Row]], texts: Texts) -> list[str]:
    """A sentence on two photos of one person, or that each must show one face."""
    names = (texts["before"], texts["after"])
    faces = [
        entry for rows, name in zip(photos, names, strict=True) if len(rows) == 1 for entry in _entries(rows, name)
    ]
    if len(faces) != 2:
        return [texts["pair_needs"]]
    before, after = faces
    up = "pair_up" if after.score > before.score else "pair_down"
    key = {True: up, False: "pair_tie", None: "pair_unknown"}[is_significant(before, after)]
    return [_caution(faces, texts) + texts.say(key, **_gap(before, after))]


def _caution(faces: Sequence[Entry], texts: Texts) -> str:
    """What stands before a comparison with a doubtful face."""
    which = [f"{face.name} ({texts['list'].join(_warnings(face.row, texts))})" for face in faces if face.is_doubtful]
    return texts.say("careful_compared", which=texts["list"].join(which)) + " " if which else ""


def _gap(a: Entry, b: Entry) -> dict[str, str]:
    return {"gap": f"{abs(a.score - b.score):.2f}", "reach": f"{joint_half_width(a, b) or 0:.2f}"}


def _bars(labels: NDArray[np.float64], scale: RatingScale) -> list[dict[str, float]]:
    """The distribution of the data set's scores as bars of an SVG of 100 x 30; none where it is not known."""
    if not len(labels):
        return []
    counts, _ = np.histogram(labels, BINS, (scale.low, scale.high))
    step, highest = 100 / BINS, counts.max()
    return [{"x": i * step, "w": 0.9 * step, "h": 28 * count / highest} for i, count in enumerate(counts.tolist())]
