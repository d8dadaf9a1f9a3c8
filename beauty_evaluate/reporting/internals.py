"""Inside the network: feature maps, filters and what they did to one score."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.feature_maps import feature_maps, receptive_field
from beauty_evaluate.explain.filters import filter_use, kernel_pictures, kernels
from beauty_evaluate.explain.gradients import hires_cam, integrated_gradients, occlusion
from beauty_evaluate.explain.region_shapley import Masks, replaced
from beauty_evaluate.explain.reliability import FAILED, NOT_EVALUATED, Trust
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import ONNX, Card
from beauty_evaluate.raters.runtime import onnxruntime_predictor
from beauty_evaluate.reporting import plots
from beauty_evaluate.reporting.filter_gallery import one_face_gallery
from beauty_evaluate.reporting.html import Section, paragraph

CAM_BLOCK = 4  # 16 x 16 values on a crop of 256 pixels: fine enough to tell an eye from a brow


def write_layer(card: Card, crop: Picture, layer: str, out: Path) -> Path:
    """The maps of one layer, large, and their array. Returns the picture; ConfigError for another layer."""
    model = registry.load(card)
    names = list(registry.relu_layers(model))
    if layer not in names:
        raise ConfigError(f"Expected a layer of {', '.join(names)}. Received: {layer}.")
    maps = feature_maps(model, crop)[layer]
    path = out / f"maps_{layer}.png"
    plots.feature_map_sheet(path, maps, crop, layer, receptive_field(model, layer), 6)
    np.savez_compressed(out / f"maps_{layer}.npz", crop=crop, maps=maps)
    return path


def inside_sections(
    card: Card, crop: Picture, masks: Masks, out: Path, known: Trust
) -> tuple[list[Section], dict[str, Any]]:
    """Sections of the report that need the Keras network, and facts for its JSON; writes pictures and arrays. known:
    how far the effects of the regions may be believed."""
    model = registry.load(card)
    pixels, told = _pixels_section(card, model, crop, masks, out, known)
    filters, moved = _filters_section(card, model, crop, out)
    silent, facts = _silent_section(card, out)
    sections = [pixels, _maps_section(model, crop, out), filters, _kernels_section(model, out), silent]
    return sections, {**told, **moved, **facts}


def _pixels_section(
    card: Card, model: keras.Model, crop: Picture, masks: Masks, out: Path, known: Trust
) -> tuple[Section, dict[str, Any]]:
    mirror, baseline = card.config.flip_tta, replaced(crop, masks[masks.any((1, 2))])
    layer = f"block{CAM_BLOCK}_conv{card.config.network.convolutions[CAM_BLOCK - 1]}"
    found = [
        hires_cam(model, crop, layer, mirror),
        integrated_gradients(model, crop, baseline, mirror),
        occlusion(onnxruntime_predictor(card.file(ONNX)), crop, mirror, fill=baseline),
    ]
    np.savez_compressed(out / "pixel_maps.npz", **{m.name: m.values for m in found})  # type: ignore[arg-type]
    proved, where = card.explained("maps")
    said = {m.name: (proved or {}).get(m.name, NOT_EVALUATED) for m in found}
    facts = [
        {"name": m.name, "reference": round(m.reference, 4), "gap": round(m.gap, 4), "proof": said[m.name]}
        for m in found
    ]
    firm = " Where these maps disagree with the regions above, believe the regions." if known.proved else ""
    body = paragraph(
        f"The same question asked pixel by pixel.{firm} Each map starts from a score of its own and should lead to "
        f"{found[0].score:.2f}: its sum, and what it leaves out on the way, not told, stand over it. Where more is not "
        "told than told, read the map's places, not its sizes.",
        "note",
    )
    starts = {m.name: f"{m.name} (from {m.reference:.2f})" for m in found}
    for words in dict.fromkeys(said.values()):  # those of which the same is said, together
        alike = ", ".join(starts[name] for name in said if said[name] == words)
        body += paragraph(f"{alike}: {words}{where}.")
    shown = [m for m in found if not said[m.name].startswith(FAILED)]
    path = out / "pixel_maps.png"
    path.unlink(missing_ok=True)  # an earlier report's
    if shown:
        plots.pixel_map_sheet(path, crop, shown)
    words = "Orange raised the score there, purple lowered it; one scale for every photo."
    return Section("Pixel by pixel", body, [(path, words)] if shown else []), {"pixel_maps": facts}


def _filters_section(card: Card, model: keras.Model, crop: Picture, out: Path) -> tuple[Section, dict[str, Any]]:
    path = out / "filters_that_matter.png"
    moved = one_face_gallery(card, model, crop, path)
    body = paragraph(
        "The last convolution is what the decision is made of. Here are the filters of it that moved this score most: "
        "what would change if they answered as on an average face. Alone, each does little"
        f"{f': the first {moved[0][1]:+.3f} points' if moved else ''}. Their effects do not add up, since they work "
        "together.",
        "note",
    )
    facts = [{"filter": index, "effect": round(effect, 4)} for index, effect in moved]
    words = "Left what excites the filter, right this face with a ring where the filter answers most."
    return Section("Which filters moved the score", body, [(path, words)]), {"filters": facts}


def _maps_section(model: keras.Model, crop: Picture, out: Path) -> Section:
    maps = feature_maps(model, crop)
    last = {name.split("_")[0]: name for name in maps}  # of each block
    pictures = []
    for name in last.values():
        path, field = out / f"maps_{name}.png", receptive_field(model, name)
        plots.feature_map_sheet(path, maps[name], crop, name, field)
        sees = f"{field} x {field} pixels" if field < len(crop) else "the whole crop"
        pictures.append((path, f"{name}: each tile is one filter's answer to this face; each spot in it sees {sees}."))
    np.savez_compressed(out / "maps.npz", crop=crop, **maps)  # type: ignore[arg-type]
    body = paragraph(
        "The network looks at the face in six steps. In each, small filters slide over what the step before has found, "
        "and answer where they meet what they know. Bright is a strong answer. Brightness says where a filter answers, "
        "not whether that raises or lowers the score.",
        "note",
    )
    return Section("What each block of the network answers", body, pictures)


def _kernels_section(model: keras.Model, out: Path) -> Section:
    names = list(registry.relu_layers(model))
    pictures = []
    for name in (names[0], names[-1]):
        path = out / f"filters_{name}.png"
        plots.kernel_sheet(path, kernel_pictures(kernels(model, name)), name)
        pictures.append((path, f"The filters of {name}, the same for every photo."))
    weights = {name: kernels(model, name) for name in names}
    np.savez_compressed(out / "filters.npz", **weights)  # type: ignore[arg-type]
    return Section("The filters", "", pictures)


def _silent_section(card: Card, out: Path) -> tuple[Section, dict[str, Any]]:
    stats = card.stats()
    uses, n = filter_use(stats), int(stats["filters/n"])
    path = out / "silent_filters.png"
    plots.activity_figure(path, uses, n)
    with open(out / "filters.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("layer", "filter", "mean", "active"))
        table.writerows((u.layer, u.filter, f"{u.mean:.5g}", f"{u.active:.4f}") for u in uses)
    silent = sum(u.active == 0 for u in uses)
    words = f"{silent} of {len(uses)} filters answered on none of {n} faces of the data set."
    return Section("Silent filters", paragraph(words), [(path, "How often each filter answers.")]), {"silent": silent}
