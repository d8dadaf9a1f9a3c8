import csv
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, ROOT, Run

from beauty_evaluate import images
from beauty_evaluate.config import preset
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain.feature_maps import feature_maps, filter_statistics, receptive_field
from beauty_evaluate.explain.filters import FilterUse, filter_use, kernel_pictures, kernels
from beauty_evaluate.explain.reliability import trust
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.reporting.face_report import PROOF

VISUALIZE = ROOT / "visualize.py"


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return registry.build(preset("drawn"), seed=1)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)


def test_maps_are_those_of_each_convolution_after_relu(model: keras.Model, crops: np.ndarray) -> None:
    maps = feature_maps(model, crops[0])
    assert list(maps) == [f"block{b}_conv1" for b in range(1, 7)]
    assert [m.shape for m in maps.values()] == [
        (64 >> b, 64 >> b, c) for b, c in enumerate(preset("drawn").network.channels)
    ]
    assert min(m.min() for m in maps.values()) == 0
    scaled = crops[0].astype(np.float32) / 127.5 - 1
    kernel, bias = model.get_layer("block1_conv1").get_weights()
    by_hand = np.maximum((scaled[9:12, 19:22, :, None] * kernel).sum((0, 1, 2)) + bias, 0)
    assert np.allclose(maps["block1_conv1"][10, 20], by_hand, atol=1e-5)


@pytest.mark.parametrize(("stride", "fields"), [(1, [3, 8, 18]), (2, [3, 13, 33])])
def test_receptive_field_is_what_a_changed_pixel_reaches(stride: int, fields: list[int]) -> None:
    config = preset("drawn")
    config = replace(config, crop=replace(config.crop, size=128), network=replace(config.network, first_stride=stride))
    model = registry.build(config, seed=1)
    assert [receptive_field(model, f"block{b}_conv1") for b in (1, 2, 3)] == fields
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    changed = crop.copy()
    changed[64, 64] = 255 - changed[64, 64]
    before, after = feature_maps(model, crop), feature_maps(model, changed)
    reached = np.abs(before["block3_conv1"] - after["block3_conv1"]).max(2) > 0
    assert 1 < reached.any(0).sum() <= -(-fields[2] // (4 * stride))


def test_statistics_are_means_and_shares_over_the_crops(model: keras.Model, crops: np.ndarray) -> None:
    stats = filter_statistics(model, crops)
    maps = [feature_maps(model, crop)["block4_conv1"] for crop in crops]
    assert np.allclose(stats["mean/block4_conv1"], np.mean([m.mean((0, 1)) for m in maps], axis=0), atol=1e-5)
    assert np.allclose(stats["active/block4_conv1"], np.mean([m.max((0, 1)) > 0 for m in maps], axis=0))
    uses = filter_use({f"filters/{k}": v for k, v in stats.items()})
    assert len(uses) == sum(preset("drawn").network.channels)


def test_a_dead_filter_is_silent_and_a_living_one_is_not(crops: np.ndarray) -> None:
    model = registry.build(preset("drawn"), seed=1)
    layer = model.get_layer("block2_conv1")
    kernel, bias = layer.get_weights()
    bias[3] = -1e6
    layer.set_weights([kernel, bias])
    uses = filter_use({f"filters/{k}": v for k, v in filter_statistics(model, crops).items()})
    dead = [(u.layer, u.filter) for u in uses if u.active == 0]
    assert ("block2_conv1", 3) in dead
    assert FilterUse("block2_conv1", 3, 0.0, 0.0) in uses
    assert len(dead) < len(uses) / 2


def test_kernel_pictures_keep_their_sign(model: keras.Model) -> None:
    first = kernels(model, "block1_conv1")
    pictures = kernel_pictures(first)
    assert pictures.shape == (8, 3, 3, 3)
    assert ((pictures > 0.5) == (np.transpose(first, (3, 0, 1, 2)) > 0)).all()
    last = kernels(model, "block6_conv1")
    assert np.array_equal(np.sign(kernel_pictures(last)), np.sign(np.transpose(last.sum(2), (2, 0, 1))))
    with pytest.raises(ConfigError, match="block9"):
        kernels(model, "block9_conv1")


def test_the_report_tells_what_moved_the_score(run: Run, tmp_path: Path) -> None:
    done = run(VISUALIZE, PORTRAIT, "--out", "inside")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= 25
    folder = tmp_path / "inside"
    found = {p.name for p in folder.iterdir()}
    assert len({name for name in found if name.startswith("maps_block")}) == 6
    assert {"index.html", "summary.png", "explain.json", "pixel_maps.npz", "maps.npz", "filters.npz"} < found
    for name in found:
        if name.endswith(".png"):
            assert images.read(folder / name).std() > 10
    with np.load(folder / "maps.npz") as arrays:
        assert arrays["crop"].shape == (256, 256, 3)
        assert arrays["block6_conv2"].min() == 0
    facts = json.loads((folder / "explain.json").read_text())
    assert facts["schema"] == 1
    effects = {region["name"]: region["effect"] for region in facts["regions"]}
    assert facts["score"] - facts["reference"] == pytest.approx(sum(effects.values()), abs=1e-3)
    page = (folder / "index.html").read_text()
    assert "http" not in page
    assert "<script" not in page
    best = max(effects, key=lambda name: effects[name])
    assert f"Raised the score most: {best}" in page
    known = trust(cards.load())  # of the shipped weights, put to the proof
    assert known.proved
    assert known.agreement
    assert f"another one comes first on {1 - known.agreement.first:.0%} of faces" in page
    assert (page.count('href="#trust"'), page.count('id="trust"'), page.count(PROOF[:30])) == (1, 1, 1)
    assert f"the map of these effects {facts['proof']}" in page


def test_a_quick_report_is_the_regions_alone_and_loads_no_tensorflow(drawn_run: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [sys.executable, "-X", "importtime", VISUALIZE, PORTRAIT, "--quick"]
    words += ["--out", tmp_path / "quick", "--weights", drawn_run / "weights" / "drawn.json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert {p.name for p in (tmp_path / "quick").iterdir()} == {"index.html", "summary.png", "explain.json"}
    assert not re.search(r"\| +(tensorflow|keras)\n", done.stderr)


def test_why_adds_up_to_the_score(run: Run, drawn_run: Path) -> None:
    done = run(ROOT / "use.py", PORTRAIT, "--why", "--weights", drawn_run / "weights" / "drawn.json")
    assert (done.returncode, done.stderr) == (0, "")
    reference, score = map(float, re.findall(r"from (\d\.\d\d) to (\d\.\d\d)", done.stdout)[0])
    effects = [float(v) for v in re.findall(r"^  .*?([+-]\d\.\d\d) ", done.stdout, re.MULTILINE)]
    assert len(effects) == 10
    assert score - reference == pytest.approx(sum(effects), abs=0.06)  # two decimals each


def test_visualize_one_layer_and_its_mistakes(run: Run, drawn_run: Path, tmp_path: Path) -> None:
    weights = drawn_run / "weights" / "drawn.json"
    done = run(VISUALIZE, PORTRAIT, "--layer", "block3_conv1", "--out", "one", "--weights", weights)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "one").iterdir()} == {"maps_block3_conv1.png", "maps_block3_conv1.npz"}
    for words in (["--layer", "block9"], ["--face", "2"], ["--quick", "--layer", "block1_conv1"]):
        done = run(VISUALIZE, PORTRAIT, *words, "--weights", weights)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert run(VISUALIZE, "missing.jpg").returncode == 2


def test_tables_over_a_data_set(run: Run, small_scut: Path, drawn_run: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn_run / "weights", tmp_path / "weights")
    weights = tmp_path / "weights" / "drawn.json"
    done = run(
        VISUALIZE, "--data", small_scut, "--n", "3", "--weights", weights, "--into", weights, "--layer", "block2_conv1",
        "--out", "tables",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == (tmp_path / "tables" / "regions.md").read_text().strip()
    assert "Over 3 faces. Published" in done.stdout
    assert "over 3 faces of the median over points" in done.stdout
    with open(tmp_path / "tables" / "regions.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["way"] for row in rows} == {"ring mean", "other faces"}
    assert len({row["region"] for row in rows if row["group"] == "all"}) == 10
    assert all(float(row["mean_low"]) <= float(row["mean"]) <= float(row["mean_high"]) for row in rows)
    with open(tmp_path / "tables" / "filters.csv") as file:
        filters = list(csv.DictReader(file))
    assert [row["filter"] for row in filters] == [str(i) for i in range(16)]
    assert all(float(row["absolute"]) >= abs(float(row["effect"])) for row in filters)
    assert images.read(tmp_path / "tables" / "filters_block2_conv1.png").std() > 10
    told = json.loads(weights.read_text())["explanations"]
    agreed = json.loads((tmp_path / "tables" / "agreement.json").read_text())
    assert told["ways"] == {"network": "drawn", "found": agreed}
    assert "over 3 faces the two agree" in run(ROOT / "use.py", PORTRAIT, "--why", "--weights", weights).stdout
    for words, says in (
        ([], "Expected a photo, or --data"),
        (["--data", small_scut, "--quick"], "a flag for one photo"),
        ([PORTRAIT, "--into", weights], "Expected --into with --data alone"),
        (["--data", small_scut, "--weights", weights, "--into", "six_block_60-40"], "networks of the recipe of drawn"),
        (["--data", small_scut, "--weights", weights, "--layer", "block9"], "Received: block9"),
    ):
        failed = run(VISUALIZE, *words)
        assert (failed.returncode, len(failed.stderr.splitlines())) == (2, 1)
        assert says in failed.stderr


def test_a_network_of_drawn_faces_is_reported_too_with_other_faces_for_its_regions(
    run: Run, small_scut: Path, drawn_run: Path, tmp_path: Path
) -> None:
    weights = drawn_run / "weights" / "drawn.json"
    done = run(VISUALIZE, PORTRAIT, "--weights", weights, "--data", small_scut, "--out", "report")
    assert (done.returncode, done.stderr) == (0, "")
    assert "against\nthose of 2 other faces" in done.stdout
    facts = json.loads((tmp_path / "report" / "explain.json").read_text())
    assert facts["way"] == "other faces"
    assert [m["proof"] for m in facts["pixel_maps"]] == ["never put to the proof"] * 3
    assert len(facts["filters"]) == 32
    page = (tmp_path / "report" / "index.html").read_text()
    assert PROOF[:30] not in page
    assert "was never measured for this network" in page
