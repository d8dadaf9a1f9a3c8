"""Look inside: everything about the network and one photo, into one folder."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from beauty_evaluate import images
from beauty_evaluate.errors import ConfigError, PhotoError
from beauty_evaluate.explain import figures
from beauty_evaluate.explain.feature_maps import feature_maps, receptive_field
from beauty_evaluate.explain.filters import filter_use, kernel_pictures, kernels
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.models import registry
from beauty_evaluate.models.card import Card


def look_inside(
    card: Card, path: str, out: Path, face: int | None, layer: str | None, say: Callable[[str], None]
) -> None:
    """Write filters, feature maps, silent filters and their arrays for one face of a photo.

    face: its number from the left, from 1; by default the largest. layer: only this layer, large.
    Raises PhotoError for the photo, ConfigError for a layer or a face that is not there.
    """
    out.mkdir(parents=True, exist_ok=True)
    crop = _choose(find_faces(images.read(path), card.config.crop), face).crop
    model = registry.load(card)
    names = list(registry.relu_layers(model))
    if layer is not None and layer not in names:
        raise ConfigError(f"Expected a layer of {', '.join(names)}. Received: {layer}.")
    maps = feature_maps(model, crop)
    if layer is not None:
        figures.feature_map_sheet(out / f"maps_{layer}.png", maps[layer], crop, layer, receptive_field(model, layer), 6)
        np.savez_compressed(out / f"maps_{layer}.npz", crop=crop, maps=maps[layer])
        say(f"{layer}: {out / f'maps_{layer}.png'}")
        return
    for name in _last_of_each_block(names):
        figures.feature_map_sheet(out / f"maps_{name}.png", maps[name], crop, name, receptive_field(model, name))
        say(f"feature maps of {name}: {out / f'maps_{name}.png'}")
    for name in (names[0], names[-1]):
        figures.kernel_sheet(out / f"filters_{name}.png", kernel_pictures(kernels(model, name)), name)
        say(f"filters of {name}: {out / f'filters_{name}.png'}")
    np.savez_compressed(out / "maps.npz", crop=crop, **maps)  # type: ignore[arg-type]
    weights = {name: kernels(model, name) for name in names}
    np.savez_compressed(out / "filters.npz", **weights)  # type: ignore[arg-type]
    _write_activity(card, out, say)


def _choose(faces: list[Face], number: int | None) -> Face:
    if number is None:
        return main_face(faces)
    if not 1 <= number <= len(faces):
        raise PhotoError("no_face", f"Expected a face of 1..{len(faces)}. Received: --face {number}.")
    return faces[number - 1]


def _last_of_each_block(names: list[str]) -> list[str]:
    return list({name.split("_")[0]: name for name in names}.values())


def _write_activity(card: Card, out: Path, say: Callable[[str], None]) -> None:
    stats = card.stats()
    uses, n = filter_use(stats), int(stats["filters/n"])
    figures.activity_figure(out / "silent_filters.png", uses, n)
    with open(out / "filters.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("layer", "filter", "mean", "active"))
        table.writerows((u.layer, u.filter, f"{u.mean:.5g}", f"{u.active:.4f}") for u in uses)
    silent = sum(u.active == 0 for u in uses)
    say(f"{silent} of {len(uses)} filters are silent on all of {n} faces: {out / 'silent_filters.png'}")
