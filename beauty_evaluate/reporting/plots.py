"""The one place where explanations become pictures."""

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from beauty_evaluate.drawing import LOWERS, RAISES
from beauty_evaluate.explain.region_shapley import Masks, RegionEffects
from beauty_evaluate.images import Picture
from beauty_evaluate.reporting.html import FULL_SCALE

if TYPE_CHECKING:  # it needs Keras, which the regions of a face do without
    from beauty_evaluate.explain.filters import FilterUse
    from beauty_evaluate.explain.gradients import PixelMap

Floats = NDArray[np.float32]
COLUMNS = 16
ABOUT = (
    "An estimate of the mean taste of 60 raters about frontal photos, and what moved it in one network. It measures "
    "nobody's worth; of faces unlike the data set's it says little."
)
SHEET_INCHES, LEFT_INCHES, HEAD_INCHES, LEAST_INCHES, TITLE_INCHES = 17.0, 2.6, 0.9, 2.5, 0.18
STRIP_PIXELS = 112  # of a picture in a gallery
MAP_SCALE = 0.1  # rating points for each percent of the picture, at the end of the colours
DIVERGING = "PuOr_r"  # told apart by colour-blind people; 0 is white


def feature_map_sheet(path: Path, maps: Floats, crop: Picture, layer: str, field: int, columns: int = COLUMNS) -> None:
    """All maps of one layer on one scale. maps: float32 (H, W, C) after ReLU; field: receptive field in pixels."""
    height, width, count = maps.shape
    top = float(maps.max()) or 1.0
    columns = min(columns, count)
    silent = int((maps.max((0, 1)) <= 0).sum())
    figure = _tiles(np.transpose(maps, (2, 0, 1)), columns, _titles(layer, count), "magma", 0, top, LEFT_INCHES)
    title = f"{layer}: {count} feature maps of {height} x {width} values, after ReLU, one scale 0 .. {top:.3g}"
    side = len(crop)
    sees = f"up to {field} x {field} of the crop's {side} x {side} pixels" if field < side else "the whole crop"
    note = (
        f"Bright: the filter answers strongly there. Each value sees {sees} (left; receptive field {field}). "
        f"{silent} filters are silent on this photo."
    )
    _finish(figure, path, title, note, crop)


def kernel_sheet(path: Path, pictures: Floats, layer: str) -> None:
    """The kernels of one convolution, from `filters.kernel_pictures`."""
    count, height, width = pictures.shape[:3]
    columns = min(COLUMNS if count <= 128 else 2 * COLUMNS, count)
    colour = pictures.ndim == 4
    figure = _tiles(pictures, columns, _titles(layer, count), None if colour else DIVERGING, -1, 1)
    title = f"{layer}: {count} filters of {height} x {width} weights"
    note = (
        "Each filter as the colours it adds; grey is 0, each on its own scale."
        if colour
        else "Weights summed over all inputs, orange raises, purple lowers the filter's answer; each on its own scale."
    )
    _finish(figure, path, title, note)


def gallery_sheet(
    path: Path, strips: Sequence[Sequence[Picture]], words: Sequence[str], title: str, note: str, across: int = 1
) -> None:
    """Strips of pictures with words above each, `across` of them in a row: filters and what excites them."""
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
    for (top, left), line in zip(corners, words, strict=True):
        axes.text(left, top - 4, textwrap.fill(line, wide // 6), fontsize=8, va="bottom", linespacing=1.1)
    _finish(figure, path, title, textwrap.fill(note, round(12 * whole[0])), dpi=100)


def activity_figure(path: Path, uses: Sequence["FilterUse"], n: int) -> None:
    """For each layer, its filters sorted by the share of `n` faces in which they answer."""
    layers = list(dict.fromkeys(use.layer for use in uses))
    silent = Counter(use.layer for use in uses if use.active == 0)
    figure = Figure(figsize=(9, 0.5 + 0.42 * len(layers)), layout="constrained")
    axes = figure.subplots()
    for row, layer in enumerate(layers):
        shares = np.sort([use.active for use in uses if use.layer == layer])
        axes.imshow(shares[None], extent=(0, 1, row - 0.38, row + 0.38), aspect="auto", cmap="cividis", vmin=0, vmax=1)
        axes.text(1.01, row, f"{silent[layer]} of {len(shares)} never", va="center", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(len(layers) - 0.5, -0.5), yticks=range(len(layers)), xticks=[])
    axes.set_yticklabels(layers, fontsize=8)
    axes.set_title(
        f"Filters sorted by the share of {n} faces in which they answer: dark never, yellow always", fontsize=9
    )
    figure.savefig(path, dpi=120)


def region_sheet(path: Path, crop: Picture, masks: Masks, effects: RegionEffects, title: str) -> None:
    """The face, the face with its regions coloured by what they did to the score, and the same as bars: to share."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    figure.supxlabel(ABOUT, fontsize=8, color="#555555")
    photo, coloured, bars = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    picture = crop if crop.shape[2] == 3 else crop[..., 0]
    photo.imshow(picture, cmap="gray", vmin=0, vmax=255)
    photo.set_title("what the network sees", fontsize=10)
    values = (effects.effects[:, None, None] * masks).sum(0)
    coloured.imshow(crop.mean(2), cmap="gray", vmin=0, vmax=255)
    shades = coloured.imshow(values, cmap=DIVERGING, vmin=-FULL_SCALE, vmax=FULL_SCALE, alpha=0.65)
    coloured.contour(masks.argmax(0), np.arange(len(masks)) + 0.5, colors="white", linewidths=0.4)
    coloured.set_title("orange raises, purple lowers the score", fontsize=10)
    figure.colorbar(shades, ax=coloured, orientation="horizontal", shrink=0.8, label="rating points", extend="both")
    for axes in (photo, coloured):
        axes.set_axis_off()
    order = np.argsort(effects.effects)
    shown = effects.effects[order]
    inside = np.clip(shown, -FULL_SCALE, FULL_SCALE)  # one scale for every photo: the figure beside a bar is not cut
    colours = [RAISES if effect > 0 else LOWERS for effect in shown]
    bars.barh([effects.names[i] for i in order], inside, color=colours)
    bars.set(xlim=(-1.3 * FULL_SCALE, 1.3 * FULL_SCALE), xlabel=f"rating points, against\n{effects.what}")
    for row, (effect, end) in enumerate(zip(shown, inside, strict=True)):
        bars.text(
            end + np.copysign(0.02 * FULL_SCALE, effect), row, f"{effect:+.2f}",
            va="center", ha="left" if effect > 0 else "right", fontsize=8,
        )  # fmt: skip
    bars.axvline(0, color="black", linewidth=0.6)
    bars.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=13, weight="bold")
    figure.savefig(path, dpi=110)


def pixel_map_sheet(path: Path, crop: Picture, maps: Sequence["PixelMap"]) -> None:
    """Pixel maps over the grey crop, softened a little, on one scale for every photo."""
    figure = Figure(figsize=(3.6 * len(maps), 4.7), layout="compressed")
    for axes, found in zip(np.atleast_1d(figure.subplots(1, len(maps))), maps, strict=True):
        soft = cv2.GaussianBlur(found.values, (0, 0), len(crop) / 64) * crop[..., 0].size / 100
        axes.imshow(crop.mean(2), cmap="gray", vmin=0, vmax=255)
        shades = axes.imshow(soft, cmap=DIVERGING, vmin=-MAP_SCALE, vmax=MAP_SCALE, alpha=0.65)
        axes.set_title(f"{found.name}\nsum {found.values.sum():+.2f}, not told {found.gap:+.2f}", fontsize=9)
        axes.set_axis_off()
    figure.colorbar(
        shades,
        ax=figure.axes,
        orientation="horizontal",
        shrink=0.5,
        label="rating points for each % of the picture",
        extend="both",
    )
    figure.savefig(path, dpi=110)


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
    tall = max(LEAST_INCHES, cell * len(sheet))
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


def _finish(figure: Figure, path: Path, title: str, note: str, crop: Picture | None = None, dpi: int = 80) -> None:
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
