"""Which filters matter: their effect on the score, what excites them, where on a face they answer."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.filter_effects import Answers, activation_maximization, answers, filter_effects
from beauty_evaluate.explain.filters import filter_use
from beauty_evaluate.explain.gradients import relu_of
from beauty_evaluate.explain.region_shapley import Masks
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card
from beauty_evaluate.reporting import plots

SHOWN, TOLD = 20, 12  # filters that matter most, to a data set and to one face
LEAST_RING = 0.04  # radius of a ring, as a share of the side
MADE = "First a picture made to excite the filter"
EFFECT = "Effect: the score minus the score with the filter's map at its mean over the data set, in rating points."


@dataclass(frozen=True)
class FilterRow:
    """What a filter does over a set of faces.

    active: share of them in which it answers. effect, absolute: mean and mean absolute effect on the score, rating
    points. region: the one that it answers to most: `share` of its answers goes when that is painted over; "" for none.
    """

    layer: str
    filter: int
    active: float
    effect: float
    absolute: float
    region: str
    share: float

    def words(self) -> str:
        """One line for a person."""
        what = f"most to {self.region} ({self.share:.0%} of it goes without)" if self.region else "to no region alone"
        name = f"{self.layer.removeprefix('block').split('_')[0]}.{self.filter}"
        return (
            f"{name}: moves a score by {self.absolute:.3f} points ({self.effect:+.3f} on average); answers on "
            f"{100 * self.active:.0f} % of faces, {what}"
        )


def last_layer(model: keras.Model) -> str:
    """The last convolution."""
    return list(registry.relu_layers(model))[-1]


def filter_rows(layer: str, effects: NDArray[np.float64], found: Answers) -> list[FilterRow]:
    """A row for each filter, in order. effects: (N, C) of `filter_effects`; found: of the same crops."""
    shares = np.maximum(found.needs(), 0)
    best = shares.argmax(1)
    return [
        FilterRow(
            layer, i, float(active), float(mean), float(size),
            NAMES[best[i]] if shares[i, best[i]] else "", float(shares[i, best[i]]),
        )
        for i, (active, mean, size) in enumerate(
            zip(found.active(), effects.mean(0), np.abs(effects).mean(0), strict=True)
        )
    ]  # fmt: skip


class Gallery:
    """The filters of one layer (default: the last convolution), ready to be shown over a data set."""

    def __init__(self, card: Card, layer: str | None) -> None:
        """ConfigError for a layer that is not there."""
        self.card, self.model = card, registry.load(card)
        self.layer = layer or last_layer(self.model)
        relu_of(self.model, self.layer)
        self.means = card.stats(f"filters/mean/{self.layer}")[f"filters/mean/{self.layer}"]

    def write(self, crops: Picture, masks: Sequence[Masks], out: Path) -> list[FilterRow]:
        """Write filters.csv, a row for each filter, and a picture of those that matter most with the crops that excite
        them. crops: uint8 (N, size, size, C), with the masks of each. Returns the rows, the most important first."""
        layer, mirror = self.layer, self.card.config.flip_tta
        found = answers(self.model, crops, layer, masks)
        rows = filter_rows(layer, filter_effects(self.model, crops, layer, self.means, mirror), found)
        with open(out / "filters.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([f.name for f in fields(FilterRow)])
            table.writerows([f"{v:.5g}" if isinstance(v, float) else v for v in astuple(row)] for row in rows)
        rows.sort(key=lambda row: -row.absolute)
        shown, exemplars = rows[:SHOWN], found.exemplars()
        made = activation_maximization(self.model, layer, [row.filter for row in shown])
        strips = [
            [picture, *(ringed(crops[i], found.places[i, row.filter], found.cell) for i in exemplars[row.filter])]
            for row, picture in zip(shown, _pictures(made), strict=True)
        ]
        title = f"{layer}: the {len(shown)} of {len(rows)} filters that move scores most, over {len(crops)} faces"
        note = f"{MADE}, then the faces that excite it most, ringed where. {EFFECT}"
        plots.gallery_sheet(out / f"filters_{layer}.png", strips, [row.words() for row in shown], title, note)
        return rows


def one_face_gallery(card: Card, model: keras.Model, crop: Picture, path: Path) -> list[tuple[int, float]]:
    """A picture of the filters of the last convolution that moved one score most, with where they answered. Returns
    filters and effects, in rating points, the largest first."""
    layer = last_layer(model)
    means = card.stats(f"filters/mean/{layer}")[f"filters/mean/{layer}"]
    (effects,) = filter_effects(model, crop[None], layer, means, card.config.flip_tta)
    order = np.argsort(-np.abs(effects), kind="stable")
    shown = order[:TOLD]
    found = answers(model, crop[None], layer, [np.zeros((0, *crop.shape[:2]), bool)])  # of its regions nothing is told
    usual = {use.filter: use.active for use in filter_use(card.stats()) if use.layer == layer}
    made = _pictures(activation_maximization(model, layer, shown.tolist()))
    strips, words = [], []
    for i, picture in zip(shown, made, strict=True):
        answers_here = found.peaks[0, i] > 0
        strips.append([picture, ringed(crop, found.places[0, i], found.cell) if answers_here else crop])
        here = "" if answers_here else "; silent here"
        words.append(f"filter {i}: {effects[i]:+.3f} points; answers on {100 * usual[i]:.0f} % of faces{here}")
    title = f"{layer}: the {len(shown)} of {len(order)} filters that moved this score most"
    plots.gallery_sheet(path, strips, words, title, f"{MADE}, then the face, ringed where it answers most. {EFFECT}", 4)
    return [(int(i), float(effects[i])) for i in order]


def _pictures(made: NDArray[np.float32]) -> list[Picture]:
    return list(np.clip(made, 0, 255).round().astype(np.uint8))


def ringed(crop: Picture, place: NDArray[np.float32], cell: float) -> Picture:
    """A copy of the crop with a ring around a place, row and column as shares of its side, as wide as a value of the
    layer's map: `cell`, a share of the side."""
    copy = crop.copy()
    side = len(crop)
    centre = (round(float(place[1]) * side), round(float(place[0]) * side))
    for colour, width in ((0, 5), (255, 2)):
        cv2.circle(copy, centre, round(max(cell / 2, LEAST_RING) * side), (colour,) * crop.shape[2], width, cv2.LINE_AA)
    return copy
