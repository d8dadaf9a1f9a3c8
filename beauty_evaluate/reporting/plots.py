"""Explanations of one face as pictures."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from beauty_evaluate.drawing import LOWERS, RAISES
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.explain.pixel_map import PixelMap
from beauty_evaluate.explain.region_shapley import RegionEffects
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.phrases import signed
from beauty_evaluate.reporting.html import FULL_SCALE

DIVERGING = "PuOr_r"  # told apart by colour-blind people; 0 is white
MAX_POINTS_PER_PERCENT = 0.1  # rating points for each percent of the picture, at the end of the colours


def region_sheet(path: Path, explanation: Explanation, title: str, about: str) -> None:
    """The face, the face with its regions coloured by what they did to the score, and the same as bars: to share.

    Args:
        path: of the PNG file.
        explanation: of the face.
        title: with the score.
        about: what a score is and what it is not.
    """
    crop, masks, effects = explanation.crop, explanation.masks, explanation.effects
    figure = Figure(figsize=(11, 4.3), layout="constrained")
    figure.supxlabel(textwrap.fill(about, 180), fontsize=8, color="#555555")
    photo, coloured, bars = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    photo.imshow(crop if crop.shape[2] == 3 else crop[..., 0], cmap="gray", vmin=0, vmax=255)
    photo.set_title("what the rater sees", fontsize=10)
    values = (effects.effects[:, None, None] * masks).sum(0)
    coloured.imshow(crop.mean(2), cmap="gray", vmin=0, vmax=255)
    shades = coloured.imshow(values, cmap=DIVERGING, vmin=-FULL_SCALE, vmax=FULL_SCALE, alpha=0.65)
    coloured.contour(masks.argmax(0), np.arange(len(masks)) + 0.5, colors="white", linewidths=0.4)
    coloured.set_title("orange raises, purple lowers the score", fontsize=10)
    figure.colorbar(shades, ax=coloured, orientation="horizontal", shrink=0.8, label="rating points", extend="both")
    for axes in (photo, coloured):
        axes.set_axis_off()
    _effect_bars(bars, effects)
    figure.suptitle(_plain(title), fontsize=13, weight="bold")
    figure.savefig(path, dpi=110)


def _effect_bars(axes: Axes, effects: RegionEffects) -> None:
    order = np.argsort(effects.effects)
    values = effects.effects[order]
    inside = np.clip(values, -FULL_SCALE, FULL_SCALE)  # one scale for every photo: the figure beside a bar is not cut
    colours = [RAISES if effect > 0 else LOWERS for effect in values]
    axes.barh([effects.names[i] for i in order], inside, color=colours)
    axes.set(xlim=(-1.3 * FULL_SCALE, 1.3 * FULL_SCALE), xlabel=f"rating points, against\n{effects.replacement}")
    for row, (effect, end) in enumerate(zip(values, inside, strict=True)):
        x, side = end + np.copysign(0.02 * FULL_SCALE, effect), "left" if effect > 0 else "right"
        axes.text(x, row, signed(effect), va="center", ha=side, fontsize=8)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def pixel_map_sheet(path: Path, crop: Crop, maps: Sequence[PixelMap]) -> None:
    """Pixel maps over the grey crop, softened a little, on one scale for every photo.

    Args:
        path: of the PNG file.
        crop: (size, size, C) of 0..255.
        maps: one or more of its maps.
    """
    figure = Figure(figsize=(3.6 * len(maps), 4.7), layout="compressed")
    for axes, pixel_map in zip(np.atleast_1d(figure.subplots(1, len(maps))), maps, strict=True):
        soft = cv2.GaussianBlur(pixel_map.values, (0, 0), len(crop) / 64) * crop[..., 0].size / 100
        axes.imshow(crop.mean(2), cmap="gray", vmin=0, vmax=255)
        limit = MAX_POINTS_PER_PERCENT
        shades = axes.imshow(soft, cmap=DIVERGING, vmin=-limit, vmax=limit, alpha=0.65)
        total, left_out = pixel_map.values.sum(), pixel_map.completeness_error
        axes.set_title(f"{pixel_map.name}\ntotal {signed(total)}, unexplained {signed(left_out)}", fontsize=9)
        axes.set_axis_off()
    label = "rating points for each % of the picture"
    figure.colorbar(shades, ax=figure.axes, orientation="horizontal", shrink=0.5, label=label, extend="both")
    figure.savefig(path, dpi=110)


def _plain(text: str) -> str:
    """Text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")
