"""The report of one face: what moved its score, what the rater sees, how far to trust it; one folder."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.drawing import LOWERS, RAISES
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.explain.region_shapley import RegionEffects
from beauty_evaluate.faces.quality import quality
from beauty_evaluate.files import write_atomic
from beauty_evaluate.phrases import Part, parts_of, parts_text, plain_warnings, share_below, signed
from beauty_evaluate.raters.rater import Rater, Ratings, crop_config
from beauty_evaluate.reporting import plots
from beauty_evaluate.reporting.html import FULL_SCALE, crop_uri, render
from beauty_evaluate.reporting.landmark_picture import landmark_sections
from beauty_evaluate.reporting.sections import Figure, Section, about

SCHEMA = 2  # of explain.json
EVALUATION = (
    "The test: what a map calls important is deleted from photos and the score watched, beside maps of random values, "
    "a blob in the middle, edges and brightness; and when the network's weights are replaced by random ones, its map "
    "must disappear, so that it depends on the network and not on the picture alone."
)
LIMITS = (
    "A fringe counts as forehead, glasses as eyes or cheeks, a beard as jaw, a hat as hair or background. Light, "
    "make-up, lens and a smile move the score too, through the regions they touch. Faces unlike those that the rater "
    "has learnt from (other origins, other ages, turned heads) get numbers and explanations that mean little."
)


@dataclass(frozen=True)
class FaceReport:
    """What was written.

    Attributes:
        path: of index.html.
        lines: of what it says, for a terminal.
        seconds: that the report took.
    """

    path: Path
    lines: list[str]
    seconds: float


@dataclass(frozen=True)
class _Subject:
    """The face of a report. labels: the data set's scores behind a percentile, sorted; empty where there are none."""

    rater: Rater
    explanation: Explanation
    photo: str
    labels: np.ndarray

    @property
    def score(self) -> str:
        """With half the width of its interval, on the scale."""
        half_width = self.half_width
        return f"{self.explanation.score:.2f}" + ("" if half_width is None else f" ± {half_width:.2f}")

    @cached_property
    def rating(self) -> Ratings:
        """Of the face by itself, with its interval."""
        return self.rater.rate([self.explanation.face])

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval, rating points."""
        return None if self.rating.half_width is None else float(self.rating.half_width[0])

    @property
    def title(self) -> str:
        return f"{self.photo}: {self.score} on a scale of {self.rater.scale}"

    @property
    def percentile(self) -> float | None:
        """Share of the data set's scores that are lower, 0..100."""
        if not len(self.labels):
            return None
        return 100 * float(np.searchsorted(self.labels, self.explanation.score)) / len(self.labels)

    @property
    def standing(self) -> str:
        if self.percentile is None:
            return ""
        return share_below(self.percentile, f"the {len(self.labels)} rated faces of {self.rater.card.data}")

    @property
    def parts(self) -> list[Part]:
        """What the score is made of, where the rater has parts."""
        return parts_of(parts_text({name: float(values[0]) for name, values in self.rating.parts.items()}))

    @property
    def warnings(self) -> list[str]:
        return [*quality(self.explanation.face, crop_config(self.rater)).warnings(), *self.rating.warnings(0)]

    @property
    def reasons(self) -> list[str]:
        """The warnings in plain words."""
        return plain_warnings(";".join(self.warnings))


def write_face_report(rater: Rater, explanation: Explanation, photo: str, out: Path, quick: bool = False) -> FaceReport:
    """Write index.html, summary.png, explain.json, landmarks.png of a rater that measures them and, unless `quick`,
    pictures of the inside with their arrays.

    Args:
        rater: that gave the score; a network unless `quick`.
        explanation: of the face.
        photo: the name of its file.
        out: a folder that is there.
        quick: only which regions moved the score.

    Raises:
        ConfigError: not `quick`, and no network.
    """
    begin, card = time.monotonic(), rater.card
    labels = card.stats("labels")["labels"] if "stats" in card.artifacts else np.empty(0)
    subject = _Subject(rater, explanation, photo, labels)
    sections = landmark_sections(rater, explanation.face, subject.parts, out)
    facts = _facts(subject)
    if not quick:
        from beauty_evaluate.reporting.internals import inside_sections  # TensorFlow, which the regions do without

        inside, more_facts = inside_sections(rater, explanation, out)
        sections += inside
        facts |= more_facts
    write_atomic(out / "index.html", _page(subject, sections, out).encode())
    facts["seconds"] = round(time.monotonic() - begin, 1)
    write_atomic(out / "explain.json", (json.dumps(facts, indent=1) + "\n").encode())
    return FaceReport(out / "index.html", _lines(subject), facts["seconds"])


def _lines(subject: _Subject) -> list[str]:
    explanation = subject.explanation
    effects = [] if explanation.reliability.passed is False else explanation.lines()
    title = ", ".join(part for part in (subject.title, subject.standing) if part)
    parts = [f"Made of {', '.join(map(str, subject.parts))}."] if subject.parts else []
    return [title, *parts, *effects, *explanation.reliability.sentences]


def _page(subject: _Subject, sections: Sequence[Section], out: Path) -> str:
    explanation, reliability = subject.explanation, subject.explanation.reliability
    summary = out / "summary.png"
    summary.unlink(missing_ok=True)  # an earlier report's
    shown = reliability.passed is not False
    if shown:
        plots.region_sheet(summary, explanation, subject.title, about(subject.rater.card))
    caption = (
        f"The regions against {explanation.effects.replacement}, coloured by what they did to the score; one scale for "
        "every photo."
    )
    first, *others = reliability.sentences
    return render(
        "face_report.html",
        title=subject.title, photo=subject.photo, score=subject.score, scale=str(subject.rater.scale),
        crop=crop_uri(explanation.crop), percentile=subject.standing, warnings=subject.reasons,
        parts=subject.parts,
        about=about(subject.rater.card), raises=RAISES, lowers=LOWERS, rows=_rows(explanation.effects) if shown else [],
        essence=_essence(explanation.effects), careful=_careful(explanation), method=_method(explanation),
        summary=Figure(summary, caption), hidden=first, sections=sections, limits=LIMITS,
        trust=[first, *([EVALUATION] if reliability.passed else []), *others],
    )  # fmt: skip


def _rows(effects: RegionEffects) -> list[dict[str, str]]:
    """Regions with a bar each, those that raise most first, on one fixed scale."""
    rows = []
    for i in effects.effects.argsort()[::-1]:
        effect = float(effects.effects[i])
        width = min(abs(effect) / FULL_SCALE, 1) * 50
        rows.append(
            {
                "name": effects.names[i], "effect": signed(effect), "area": f"{100 * effects.areas[i]:.0f}",
                "left": f"{50 if effect > 0 else 50 - width:.1f}", "width": f"{width:.1f}",
                "direction": "raise" if effect > 0 else "lower",
            }
        )  # fmt: skip
    return rows


def _essence(effects: RegionEffects) -> str:
    """Which region raised the score most and which lowered it."""
    up, down = int(effects.effects.argmax()), int(effects.effects.argmin())
    highest, lowest = effects.effects[up], effects.effects[down]
    parts = [
        f"Raised the score most: {effects.names[up]} ({signed(highest)})." if highest > 0 else "",
        f"Lowered it most: {effects.names[down]} ({signed(lowest)})." if lowest < 0 else "",
    ]
    return " ".join(part for part in parts if part) or "No region moved the score."


def _careful(explanation: Explanation) -> str:
    agreement = explanation.reliability.baseline_agreement
    if agreement is None:
        return ""
    return (
        f"With another replacement, effects differ by {agreement.mean_difference:.2f} points on average, and another "
        f"region comes first on {1 - agreement.first:.0%} of faces."
    )


def _method(explanation: Explanation) -> str:
    effects = explanation.effects
    limited = (
        ""
        if explanation.scale.contains(effects.score)
        else f" (shown as {explanation.score:.2f}, the end of the scale)"
    )
    return (
        f"With {effects.replacement} in place of all regions, the score is {effects.reference:.2f}. This photo gets "
        f"{effects.score:.2f}{limited}. The difference is divided among the regions so that the parts add up: each "
        "gets what it changes on average over all orders in which the regions can be uncovered (its Shapley value). "
        "Edges are soft, so that thin regions, brows and eyes, are not painted over completely: they may add more."
    )


def _facts(subject: _Subject) -> dict[str, Any]:
    """What explain.json holds; numbers in rating points. `unclipped` = `reference` + the sum of the effects."""
    explanation, effects = subject.explanation, subject.explanation.effects
    return {
        "schema": SCHEMA,
        "photo": subject.photo,
        "weights": subject.rater.name,
        "score": round(explanation.score, 6),
        "half_width": subject.half_width,
        "percentile": None if subject.percentile is None else round(subject.percentile, 1),
        "warnings": subject.warnings,
        "parts": [vars(part) for part in subject.parts],
        "unclipped": round(effects.score, 6),
        "reference": round(effects.reference, 6),
        "baseline": effects.baseline,
        "verdict": explanation.reliability.verdict,
        "regions": [
            {"name": name, "effect": round(float(effect), 6), "area": round(float(area), 4)}
            for name, effect, area in zip(effects.names, effects.effects, effects.areas, strict=True)
        ],
    }
