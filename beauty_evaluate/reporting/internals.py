"""The sections of a face's report that look inside a network: pixel maps, feature maps, filters."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from beauty_evaluate.explain.baselines import mask_all
from beauty_evaluate.explain.feature_maps import feature_maps, receptive_field
from beauty_evaluate.explain.filter_table import check_layer, face_filters
from beauty_evaluate.explain.filters import filter_use, kernel_pictures, kernels
from beauty_evaluate.explain.gradients import NEEDS_NETWORK, hires_cam, integrated_gradients
from beauty_evaluate.explain.job import Explanation
from beauty_evaluate.explain.occlusion import occlusion
from beauty_evaluate.explain.pixel_map import PixelMap
from beauty_evaluate.explain.reliability import FAILED, NOT_EVALUATED
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.phrases import signed
from beauty_evaluate.raters.builders import relu_layers
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.reporting import filter_plots, plots
from beauty_evaluate.reporting.filter_gallery import draw_face_filters
from beauty_evaluate.reporting.sections import Figure, Section

CAM_BLOCK = 4  # 16 x 16 values on a crop of 256 pixels: fine enough to tell an eye from a brow
LARGE_COLUMNS = 6  # of a sheet of one layer


def write_layer(rater: Rater, face: Face, layer: str, out: Path) -> Path:
    """Write the maps of one layer, large, and their array.

    Args:
        rater: a network.
        face: with the crop that the network sees.
        layer: a convolution.
        out: a folder that is there.

    Returns:
        The picture.

    Raises:
        ConfigError: no network, or no such layer.
    """
    check_layer(rater, layer)
    network = network_of(rater, NEEDS_NETWORK)
    crop, maps = face.crop(network.crop_config), feature_maps(network, face)[layer]
    path = out / f"maps_{layer}.png"
    field = receptive_field(network.keras_model(), layer)
    filter_plots.feature_map_sheet(path, maps, crop, layer, field, LARGE_COLUMNS)
    np.savez_compressed(out / f"maps_{layer}.npz", crop=crop, maps=maps)
    return path


def inside_sections(rater: Rater, explanation: Explanation, out: Path) -> tuple[list[Section], dict[str, Any]]:
    """Sections that need the Keras network, and facts for the report's JSON; writes pictures and arrays.

    Args:
        rater: a network.
        explanation: of the face.
        out: a folder that is there.

    Raises:
        ConfigError: no network.
    """
    network = network_of(rater, NEEDS_NETWORK)
    pixels, pixel_facts = _pixels_section(network, explanation, out)
    filters, filter_facts = _filters_section(network, explanation, out)
    dead, dead_facts = _dead_section(network, out)
    maps = _maps_section(network, explanation, out)
    return [pixels, maps, filters, _kernels_section(network, out), dead], {**pixel_facts, **filter_facts, **dead_facts}


def _pixels_section(network: NetworkRater, explanation: Explanation, out: Path) -> tuple[Section, dict[str, Any]]:
    maps = _pixel_maps(network, explanation)
    np.savez_compressed(out / "pixel_maps.npz", **{m.name: m.values for m in maps})  # type: ignore[arg-type]
    results, where = network.card.explained("maps")
    verdicts = {m.name: (results or {}).get(m.name, NOT_EVALUATED) for m in maps}
    facts = [
        {
            "name": m.name,
            "reference": round(m.reference, 4),
            "completeness_error": round(m.completeness_error, 4),
            "verdict": verdicts[m.name],
        }
        for m in maps
    ]
    trust = (
        " Where these maps disagree with the regions above, trust the regions."
        if explanation.reliability.passed
        else ""
    )
    paragraphs = [
        f"The same question asked pixel by pixel.{trust} Each map starts from a reference score of its own and should "
        f"add up to the score. Each title gives the map's total and the part it does not explain. If the unexplained "
        "part is larger, trust the locations, not the magnitudes."
    ]
    starts = {m.name: f"{m.name} (from {m.reference:.2f})" for m in maps}
    for verdict in dict.fromkeys(verdicts.values()):  # those with the same one, together
        alike = ", ".join(starts[name] for name in verdicts if verdicts[name] == verdict)
        paragraphs.append(f"{alike}: {verdict}{where}.")
    shown = [m for m in maps if not verdicts[m.name].startswith(FAILED)]
    path = out / "pixel_maps.png"
    path.unlink(missing_ok=True)  # an earlier report's
    if shown:
        plots.pixel_map_sheet(path, explanation.crop, shown)
    caption = "Orange raised the score there, purple lowered it; one scale for every photo."
    return Section("Pixel by pixel", paragraphs, [Figure(path, caption)] if shown else []), {"pixel_maps": facts}


def _pixel_maps(network: NetworkRater, explanation: Explanation) -> list[PixelMap]:
    face, fill = explanation.face, mask_all(explanation.crop, explanation.masks)
    layer = f"block{CAM_BLOCK}_conv{network.config.network.convolutions[CAM_BLOCK - 1]}"
    return [
        hires_cam(network, face, layer),
        integrated_gradients(network, face, fill),
        occlusion(network, face, fill=fill),
    ]


def _filters_section(network: NetworkRater, explanation: Explanation, out: Path) -> tuple[Section, dict[str, Any]]:
    filters, path = face_filters(network, explanation.face), out / "filters_that_matter.png"
    draw_face_filters(path, filters, explanation.crop)
    effects = [(number, float(filters.effects[number])) for number in filters.order]
    paragraph = (
        "The score is computed from the last convolution. These are its filters that moved this score most: what would "
        "change if they were as active as on an average face. Alone, each does little: the first "
        f"{signed(effects[0][1], 3)} points. Their effects do not add up, since they work together."
    )
    caption = "Left a picture made to activate the filter, right this face with a ring where the filter is most active."
    facts = [{"filter": number, "effect": round(effect, 4)} for number, effect in effects]
    return Section("Which filters moved the score", [paragraph], [Figure(path, caption)]), {"filters": facts}


def _maps_section(network: NetworkRater, explanation: Explanation, out: Path) -> Section:
    maps, crop = feature_maps(network, explanation.face), explanation.crop
    last = {name.split("_")[0]: name for name in maps}  # of each block
    pictures = []
    for name in last.values():
        path, field = out / f"maps_{name}.png", receptive_field(network.keras_model(), name)
        filter_plots.feature_map_sheet(path, maps[name], crop, name, field)
        sees = f"{field} x {field} pixels" if field < len(crop) else "the whole crop"
        caption = f"{name}: each tile is one filter's map of this face; each value in it sees {sees}."
        pictures.append(Figure(path, caption))
    np.savez_compressed(out / "maps.npz", crop=crop, **maps)  # type: ignore[arg-type]
    paragraph = (
        f"The network looks at the face in {len(last)} steps. In each, small filters slide over the result of the step "
        "before and become active where they meet their pattern. Bright means strongly active. Brightness shows where "
        "a filter is active, not whether that raises or lowers the score."
    )
    return Section("What each block of the network sees", [paragraph], pictures)


def _kernels_section(network: NetworkRater, out: Path) -> Section:
    model = network.keras_model()
    names = list(relu_layers(model))
    pictures = []
    for name in (names[0], names[-1]):
        path = out / f"filters_{name}.png"
        filter_plots.kernel_sheet(path, kernel_pictures(kernels(model, name)), name)
        pictures.append(Figure(path, f"The filters of {name}, the same for every photo."))
    weights = {name: kernels(model, name) for name in names}
    np.savez_compressed(out / "filters.npz", **weights)  # type: ignore[arg-type]
    return Section("The filters", (), pictures)


def _dead_section(network: NetworkRater, out: Path) -> tuple[Section, dict[str, Any]]:
    stats = network.card.stats()
    uses, n = filter_use(stats), int(stats["filters/n"])
    path = out / "silent_filters.png"
    filter_plots.activity_figure(path, uses, n)
    with open(out / "filters.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("layer", "filter", "mean", "active"))
        table.writerows((u.layer, u.filter, f"{u.mean:.5g}", f"{u.active:.4f}") for u in uses)
    dead = sum(use.dead for use in uses)
    paragraph = f"{dead} of {len(uses)} filters were active on none of {n} faces of {network.card.data}."
    caption = "How often each filter is active."
    return Section("Dead filters", [paragraph], [Figure(path, caption)]), {"dead_filters": dead}
