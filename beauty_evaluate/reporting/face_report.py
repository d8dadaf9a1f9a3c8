"""The report of one face: what moved its score, what the network sees, how far to trust it; one folder."""

import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from beauty_evaluate import images
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.explain.reliability import Trust, trust
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.faces.quality import quality
from beauty_evaluate.faces.regions import NAMES, Masks, regions
from beauty_evaluate.images import Picture
from beauty_evaluate.raters.card import ONNX, Card
from beauty_evaluate.raters.runtime import onnxruntime_predictor
from beauty_evaluate.reporting import plots
from beauty_evaluate.reporting.html import Section, effects_table, page, paragraph

SCHEMA = 1  # of explain.json
Say = Callable[[str], None]
PROOF = (
    "That is: what a map calls important was deleted from photos and the score watched, beside maps of random "
    "values, a blob in the middle, edges and brightness; and when the network's weights are replaced by random ones, "
    "its map is gone, so that it tells of the network and not of the picture alone."
)


@dataclass(frozen=True)
class Subject:
    """The face that a report is about, as the network sees it. photo: the name of its file. percentile: share of the
    data set's scores that are lower, 0..100. warnings: why the score means little, from `Quality.warnings`."""

    card: Card
    photo: str
    crop: Picture
    masks: Masks
    effects: RegionEffects
    percentile: float
    warnings: list[str]

    @property
    def trust(self) -> Trust:
        """How far its effects may be believed."""
        return trust(self.card, self.effects.way)


def choose_face(path: str, card: Card, face: int | None) -> Face:
    """A face of a photo, counted from the left from 1, or the largest. Raises PhotoError."""
    faces = find_faces(images.read(path), card.config.crop)
    if face is None:
        return main_face(faces)
    if not 1 <= face <= len(faces):
        raise PhotoError("no_face", f"Expected a face of 1..{len(faces)}. Received: --face {face}.")
    return faces[face - 1]


def report(
    card: Card,
    face: Face,
    photo: str,
    out: Path,
    quick: bool,
    say: Say,
    progress: Progress | None = None,
    others: Sequence[Picture] = (),
) -> None:
    """Write index.html, summary.png, explain.json and, unless `quick`, pictures of the inside with their arrays.

    photo: the name of its file. out: a folder that is there. others: crops of other faces, whose regions stand in for
    those of this one; without, the mean colour around them. Raises ConfigError for a network on whole pictures,
    WeightsError.
    """
    begin = time.monotonic()
    crop = face.crop
    masks = regions(crop, card.config.crop)
    effects = region_effects(
        onnxruntime_predictor(card.file(ONNX)), crop, masks, NAMES, card.config.flip_tta, others, progress
    )
    labels = card.stats("labels")["labels"]
    percentile = 100 * float(np.searchsorted(labels, effects.score)) / len(labels)
    subject = Subject(card, photo, crop, masks, effects, percentile, quality(face).warnings())
    sections, facts = [_regions_section(subject, out)], _facts(subject)
    if not quick:
        from beauty_evaluate.reporting.internals import inside_sections  # TensorFlow, which the regions do without

        more, found = inside_sections(card, crop, masks, out, subject.trust)
        sections, facts = [*sections, *more], {**facts, **found}
    sections.append(Section("How far to trust this", _trust(subject.trust), name="trust"))
    (out / "index.html").write_text(page(_title(subject), _head(subject), sections), encoding="utf-8")
    facts["seconds"] = round(time.monotonic() - begin, 1)
    (out / "explain.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    lines = effects.lines() if subject.trust.proved is not False else []
    say(f"{_title(subject)}, higher than {percentile:.0f} % of {len(labels)} rated faces")
    say("\n".join([*lines, *subject.trust.sentences]))
    share = f"; to share: {out / 'summary.png'}" if lines else ""
    say(f"the {'' if quick else 'whole '}report, {facts['seconds']} s: {out / 'index.html'}{share}")


def _title(subject: Subject) -> str:
    return f"{subject.photo}: {subject.effects.score:.2f}{_margin(subject)} of 5"


def _margin(subject: Subject) -> str:
    half = subject.card.half_width(subject.effects.score)
    return "" if half is None else f" ± {half:.2f}"


def _head(subject: Subject) -> str:
    ok, data = cv2.imencode(".png", subject.crop[:, :, ::-1] if subject.crop.shape[2] == 3 else subject.crop)
    assert ok
    source = f"data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}"
    return (
        f"<h1>What moved the score of {escape(subject.photo)}</h1>"
        f'<div class="face"><img alt="the face as it was cut out" width="200" src="{source}">'
        f'<div><div class="score">{subject.effects.score:.2f}{_margin(subject)} <small>of 5</small></div>'
        f"<p>higher than {subject.percentile:.0f} % of the rated faces</p></div></div>"
        + (paragraph(f"This score means little: {', '.join(subject.warnings)}.", "warn") if subject.warnings else "")
        + paragraph(
            "The network estimates the mean taste of 60 raters about frontal photos. It does not measure anyone's "
            "worth. This page says which parts of the picture raised or lowered the score in this network, not why a "
            "face is beautiful."
        )
    )


def _regions_section(subject: Subject, out: Path) -> Section:
    """The table and the picture to share, unless the proof says that they are not to be read."""
    found, path = subject.effects, out / "summary.png"
    title = "Which regions moved the score"
    path.unlink(missing_ok=True)  # an earlier report's
    if subject.trust.proved is False:
        return Section(title, paragraph(subject.trust.sentences[0], "warn"))
    plots.region_sheet(path, subject.crop, subject.masks, found, _title(subject))
    words = (
        f"With {found.what} in place of all regions, the network gives {found.reference:.2f}. This "
        f"photo gets {found.score:.2f}. The difference is shared out over the regions so that the parts add up: each "
        "gets what it changes on average over all orders in which the regions can be uncovered (its Shapley value). "
        "Edges are soft, so that thin regions, brows and eyes, are not painted over altogether: they may add more."
    )
    agreed = subject.trust.agreement
    careful = (
        f"Asked another way, regions differ by {agreed.mean_difference:.2f} points on average, and another one comes "
        f'first on {1 - agreed.first:.0%} of faces: <a href="#trust">how far to trust this</a>.'
        if agreed
        else '<a href="#trust">How far to trust this</a>.'
    )
    body = f"<p><strong>{escape(_essence(subject))}</strong> {careful}</p>"
    body += f"{effects_table(found)}{paragraph(words, 'note')}"
    caption = f"The regions against {found.what}, coloured by what they did to the score; one scale for every photo."
    return Section(title, body, [(path, caption)])


def _essence(subject: Subject) -> str:
    """Which region raised the score most and which lowered it."""
    found = subject.effects
    up, down = int(found.effects.argmax()), int(found.effects.argmin())
    parts = [
        f"Raised the score most: {found.names[up]} ({found.effects[up]:+.2f})." if found.effects[up] > 0 else "",
        f"Lowered it most: {found.names[down]} ({found.effects[down]:+.2f})." if found.effects[down] < 0 else "",
    ]
    return " ".join(part for part in parts if part) or "No region moved the score."


def _trust(known: Trust) -> str:
    """What is known of how true the explanations are."""
    limits = (
        "A fringe counts as forehead, glasses as eyes or cheeks, a beard as jaw, a hat as hair or background. Light, "
        "make-up, lens and a smile move the score too, through the regions they touch. Faces unlike the data set's "
        "(other origins, over 60, turned heads) get numbers and explanations that mean little."
    )
    told = [known.sentences[0], *([PROOF] if known.proved else []), *known.sentences[1:]]
    return "".join(map(paragraph, told)) + paragraph(limits, "warn")


def _facts(subject: Subject) -> dict[str, Any]:
    """What explain.json holds; numbers in rating points."""
    found = subject.effects
    return {
        "schema": SCHEMA,
        "photo": subject.photo,
        "weights": subject.card.name,
        "score": round(found.score, 6),
        "half_width": subject.card.half_width(found.score),
        "percentile": round(subject.percentile, 1),
        "warnings": subject.warnings,
        "reference": round(found.reference, 6),
        "way": found.way,
        "proof": subject.trust.verdict,
        "regions": [
            {"name": name, "effect": round(float(effect), 6), "area": round(float(area), 4)}
            for name, effect, area in zip(found.names, found.effects, found.areas, strict=True)
        ],
    }
