"""Filters and feature maps as pictures."""

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beauty_evaluate.explain.filters import FilterUse
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.images import Picture
from beauty_evaluate.reporting.plots import DIVERGING

Floats = NDArray[np.float32]
MAX_COLUMNS = 16
SHEET_INCHES, LEFT_INCHES, HEAD_INCHES, MIN_INCHES, TITLE_INCHES = 17.0, 2.6, 0.9, 2.5, 0.18
STRIP_PIXELS = 112  # of a picture in a gallery


def feature_map_sheet(path: Path, maps: Floats, crop: Crop, layer: str, field: int, columns: int = MAX_COLUMNS) -> None:
    """All maps of one layer on one scale. maps: float32 (H, W, C) after ReLU; field: receptive field in pixels."""
    height, width, count = maps.shape
    top = float(maps.max()) or 1.0
    columns = min(columns, count)
    dead = int((maps.max((0, 1)) <= 0).sum())
    figure = _tiles(np.transpose(maps, (2, 0, 1)), columns, _titles(layer, count), "magma", 0, top, LEFT_INCHES)
    title = f"{layer}: {count} feature maps of {height} x {width} values, after ReLU, one scale 0 .. {top:.3g}"
    side = len(crop)
    sees = f"up to {field} x {field} of the crop's {side} x {side} pixels" if field < side else "the whole crop"
    note = (
        f"Bright: the filter is strongly active there. Each value sees {sees} (left; receptive field {field}). "
        f"{dead} filters are inactive on this photo."
    )
    _finish(figure, path, title, note, crop)


def kernel_sheet(path: Path, pictures: Floats, layer: str) -> None:
    """The kernels of one convolution, from `filters.kernel_pictures`."""
    count, height, width = pictures.shape[:3]
    columns = min(MAX_COLUMNS if count <= 128 else 2 * MAX_COLUMNS, count)
    colour = pictures.ndim == 4
    figure = _tiles(pictures, columns, _titles(layer, count), None if colour else DIVERGING, -1, 1)
    title = f"{layer}: {count} filters of {height} x {width} weights"
    note = (
        "Each filter as the colours it adds; grey is 0, each on its own scale."
        if colour
        else "Weights summed over all inputs; orange raises, purple lowers the activation; each on its own scale."
    )
    _finish(figure, path, title, note)


def gallery_sheet(
    path: Path, strips: Sequence[Sequence[Picture]], captions: Sequence[str], title: str, note: str, across: int = 1
) -> None:
    """Strips of pictures with a caption above each, `across` of them in a row: filters and what activates them."""
    side, gap, head = STRIP_PIXELS, STRIP_PIXELS // 20, STRIP_PIXELS // 3
    wide = max(len(strip) for strip in strips) * (side + gap) + 2 * gap
    sheet = np.full((-(-len(strips) // across) * (side + head), across * wide, 3), 255, np.uint8)
    corners = [(i // across * (side + head) + head, i % across * wide) for i in range(len(strips))]
    for (top, left), strip in zip(corners, strips, strict=True):
        for column, picture in enumerate(strip):
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            x = left + column * (side + gap)
            sheet[top : top + side, x : x + side] = small.reshape(side, side, -1)
    height, width = sheet.shape[0] / 100, sheet.shape[1] / 100
    figure = Figure(figsize=(0.4 + width, HEAD_INCHES + 0.2 + height))
    whole = (figure.get_figwidth(), figure.get_figheight())
    axes = figure.add_axes((0.2 / whole[0], 0, width / whole[0], height / whole[1]))
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    for (top, left), caption in zip(corners, captions, strict=True):
        axes.text(left, top - 4, textwrap.fill(caption, wide // 6), fontsize=8, va="bottom", linespacing=1.1)
    _finish(figure, path, title, textwrap.fill(note, round(12 * whole[0])), dpi=100)


def activity_figure(path: Path, uses: Sequence[FilterUse], n: int) -> None:
    """For each layer, its filters sorted by the share of `n` faces in which they are active."""
    layers = list(dict.fromkeys(use.layer for use in uses))
    dead = Counter(use.layer for use in uses if use.dead)
    figure = Figure(figsize=(9, 0.5 + 0.42 * len(layers)), layout="constrained")
    axes = figure.subplots()
    for row, layer in enumerate(layers):
        shares = np.sort([use.active for use in uses if use.layer == layer])
        axes.imshow(shares[None], extent=(0, 1, row - 0.38, row + 0.38), aspect="auto", cmap="cividis", vmin=0, vmax=1)
        axes.text(1.01, row, f"{dead[layer]} of {len(shares)} never", va="center", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(len(layers) - 0.5, -0.5), yticks=range(len(layers)), xticks=[])
    axes.set_yticklabels(layers, fontsize=8)
    axes.set_title(
        f"Filters sorted by the share of {n} faces in which they are active: dark never, yellow always", fontsize=9
    )
    figure.savefig(path, dpi=120)


def _titles(layer: str, count: int) -> list[str]:
    """Block and filter number of each tile: `6.17`."""
    block = layer.removeprefix("block").split("_")[0]
    return [f"{block}.{i}" for i in range(count)]


def _tiles(
    pictures: Floats,
    columns: int,
    titles: Sequence[str],
    cmap: str | None,
    low: float,
    high: float,
    left: float = 0.2,
) -> Figure:
    """Pictures (N, H, W[, 3]) in a grid, drawn as one, with a title above each; `left`: inches kept free."""
    count, height, width = pictures.shape[:3]
    rows = -(-count // columns)
    gap = max(1, round(0.08 * width))
    cell = SHEET_INCHES / (columns * (width + gap))
    head = max(1, math.ceil(TITLE_INCHES / cell))
    empty = 1 if pictures.ndim == 4 else np.nan
    sheet = np.full((rows * (height + head), columns * (width + gap), *pictures.shape[3:]), empty, np.float32)
    tall = max(MIN_INCHES, cell * len(sheet))
    figure = Figure(figsize=(left + SHEET_INCHES, HEAD_INCHES + tall))
    wide, high_inches = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes((left / wide, 0, SHEET_INCHES / wide, tall / high_inches))
    for i, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        y, x = i // columns * (height + head) + head, i % columns * (width + gap)
        sheet[y : y + height, x : x + width] = picture
        axes.text(x + width / 2 - 0.5, y - 0.5 - head * 0.15, title, ha="center", va="bottom", fontsize=8)
    axes.imshow(sheet, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    axes.set_anchor("NW")
    axes.set_axis_off()
    return figure


def _finish(figure: Figure, path: Path, title: str, note: str, crop: Crop | None = None, dpi: int = 80) -> None:
    """Title, note, and the crop on the left; then write."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    figure.text(0.2 / width, 1 - 0.35 / height, title, fontsize=15, weight="bold")
    figure.text(0.2 / width, 1 - 0.52 / height, note, fontsize=11, va="top")
    if crop is not None:
        side = LEFT_INCHES - 0.4
        top = height - HEAD_INCHES - 0.1
        inset = figure.add_axes((0.2 / width, (top - side) / height, side / width, side / height))
        inset.imshow(crop if crop.shape[2] == 3 else crop[..., 0], cmap="gray", vmin=0, vmax=255)
        inset.set_axis_off()
    figure.savefig(path, dpi=dpi)
