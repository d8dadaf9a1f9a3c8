"""Which filters matter, as pictures and a table: their effect on the score, what activates them, where on a face."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.explain.filter_table import FaceFilters, FilterRow, FilterTable
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.images import Picture
from beauty_evaluate.phrases import signed
from beauty_evaluate.reporting import filter_plots

MIN_RING_SHARE = 0.04  # radius of a ring, as a share of the side
MADE = "First a picture made to activate the filter"
EFFECT = "Effect: the score minus the score with the filter's map at its mean over the data set, in rating points."


def filter_sentence(row: FilterRow) -> str:
    """One line for a person.

    Example:
        >>> filter_sentence(FilterRow("block6_conv2", 3, 1.0, 0.01, 0.02, "forehead", 0.14)).split("; ")[-1]
        'masking the forehead cuts its activation by 14 %'
    """
    region = f"masking the {row.region} cuts its activation by {100 * row.share:.0f} %"
    name = f"{row.layer.removeprefix('block').split('_')[0]}.{row.filter}"
    return (
        f"{name}: moves a score by {row.absolute:.3f} points ({signed(row.effect, 3)} on average); active on "
        f"{100 * row.active:.0f} % of faces; {region if row.region else 'depends on no single region'}"
    )


def write_filters(out: Path, table: FilterTable, crops: Sequence[Crop]) -> None:
    """Write filters.csv, a row for each filter, and a picture of those that matter most with the faces that activate
    them most.

    Args:
        out: a folder that is there.
        table: of a layer.
        crops: of the faces it was made from, uint8 (size, size, C).
    """
    with open(out / "filters.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f.name for f in fields(FilterRow)])
        writer.writerows([f"{v:.5g}" if isinstance(v, float) else v for v in astuple(row)] for row in table.rows)
    active, shown = table.activations, table.rows[: len(table.made)]
    exemplars = active.exemplars()
    strips = [
        [picture, *(ringed(crops[i], active.places[i, row.filter], active.cell) for i in exemplars[row.filter])]
        for row, picture in zip(shown, table.made, strict=True)
    ]
    title = (
        f"{table.layer}: the {len(shown)} of {len(table.rows)} filters that move scores most, over {len(crops)} faces"
    )
    note = f"{MADE}, then the faces that activate it most, ringed where. {EFFECT}"
    captions = [filter_sentence(row) for row in shown]
    filter_plots.gallery_sheet(out / f"filters_{table.layer}.png", strips, captions, title, note)


def draw_face_filters(path: Path, filters: FaceFilters, crop: Crop) -> None:
    """A picture of the filters that moved one score most, with where on the face they are active.

    Args:
        path: of the PNG file.
        filters: of the face.
        crop: uint8 (size, size, C).
    """
    active, strips, captions = filters.activations, [], []
    shown = filters.order[: len(filters.made)]
    for number, picture in zip(shown, filters.made, strict=True):
        here = active.peaks[0, number] > 0
        strips.append([picture, ringed(crop, active.places[0, number], active.cell) if here else crop])
        share = 100 * filters.active[number]
        captions.append(
            f"filter {number}: {signed(filters.effects[number], 3)} points; active on {share:.0f} % of faces"
            f"{'' if here else '; inactive here'}"
        )
    title = f"{filters.layer}: the {len(shown)} of {len(filters.order)} filters that moved this score most"
    note = f"{MADE}, then the face, ringed where it is most active. {EFFECT}"
    filter_plots.gallery_sheet(path, strips, captions, title, note, 4)


def ringed(crop: Crop, place: NDArray[np.float32], cell: float) -> Picture:
    """A copy of the crop with a ring.

    Args:
        crop: uint8 (size, size, C).
        place: of its centre, row and column as shares of the side.
        cell: width of a value of the layer's map, as a share of the side.
    """
    copy = crop.copy()
    side = len(crop)
    centre = (round(float(place[1]) * side), round(float(place[0]) * side))
    radius = round(max(cell / 2, MIN_RING_SHARE) * side)
    for colour, width in ((0, 5), (255, 2)):
        cv2.circle(copy, centre, radius, (colour,) * crop.shape[2], width, cv2.LINE_AA)
    return copy
