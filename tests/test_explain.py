"""Filters and feature maps in arrays; the reports of a face and of a data set; the commands that write them."""

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
from conftest import PORTRAIT, ROOT
from hand_set import FunctionRater, face_of, keras_rater

from beauty_evaluate import images
from beauty_evaluate.cli import visualize
from beauty_evaluate.datasets.registry import read
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.explain import Explanation, data_set, explain
from beauty_evaluate.explain.data_set import explain_data_set
from beauty_evaluate.explain.feature_maps import feature_maps, receptive_field
from beauty_evaluate.explain.filters import FilterUse, filter_use, kernel_pictures, kernels
from beauty_evaluate.explain.reliability import reliability
from beauty_evaluate.faces.detect import find_faces, main_face
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import builders, registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.statistics import filter_statistics
from beauty_evaluate.reporting.face_report import EVALUATION, write_face_report
from beauty_evaluate.reporting.region_report import region_markdown
from beauty_evaluate.reporting.sections import about

VISUALIZE = ROOT / "visualize.py"


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return builders.build(preset("synthetic"), seed=1)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)


def test_maps_are_those_of_each_convolution_after_relu(model: keras.Model, crops: np.ndarray) -> None:
    maps = feature_maps(keras_rater(model, False), face_of(crops[0]))
    assert list(maps) == [f"block{b}_conv1" for b in range(1, 7)]
    assert [m.shape for m in maps.values()] == [
        (64 >> b, 64 >> b, c) for b, c in enumerate(preset("synthetic").network.channels)
    ]
    assert min(m.min() for m in maps.values()) == 0
    scaled = crops[0].astype(np.float32) / 127.5 - 1
    kernel, bias = model.get_layer("block1_conv1").get_weights()
    by_hand = np.maximum((scaled[9:12, 19:22, :, None] * kernel).sum((0, 1, 2)) + bias, 0)
    assert np.allclose(maps["block1_conv1"][10, 20], by_hand, atol=1e-5)


@pytest.mark.parametrize(("stride", "fields"), [(1, [3, 8, 18]), (2, [3, 13, 33])])
def test_receptive_field_is_what_a_changed_pixel_reaches(stride: int, fields: list[int]) -> None:
    config = preset("synthetic")
    config = replace(config, crop=replace(config.crop, size=128), network=replace(config.network, first_stride=stride))
    model = builders.build(config, seed=1)
    assert [receptive_field(model, f"block{b}_conv1") for b in (1, 2, 3)] == fields
    crop = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    changed = crop.copy()
    changed[64, 64] = 255 - changed[64, 64]
    before, after = (feature_maps(keras_rater(model, False, config), face_of(picture)) for picture in (crop, changed))
    reached = np.abs(before["block3_conv1"] - after["block3_conv1"]).max(2) > 0
    assert 1 < reached.any(0).sum() <= -(-fields[2] // (4 * stride))


def test_statistics_are_means_and_shares_over_the_crops(model: keras.Model, crops: np.ndarray) -> None:
    stats = filter_statistics(model, crops)
    maps = [feature_maps(keras_rater(model, False), face_of(crop))["block4_conv1"] for crop in crops]
    assert np.allclose(stats["mean/block4_conv1"], np.mean([m.mean((0, 1)) for m in maps], axis=0), atol=1e-5)
    assert np.allclose(stats["active/block4_conv1"], np.mean([m.max((0, 1)) > 0 for m in maps], axis=0))
    uses = filter_use({f"filters/{k}": v for k, v in stats.items()})
    assert len(uses) == sum(preset("synthetic").network.channels)


def test_a_filter_that_is_never_active_is_dead_and_others_are_not(crops: np.ndarray) -> None:
    model = builders.build(preset("synthetic"), seed=1)
    layer = model.get_layer("block2_conv1")
    kernel, bias = layer.get_weights()
    bias[3] = -1e6
    layer.set_weights([kernel, bias])
    uses = filter_use({f"filters/{k}": v for k, v in filter_statistics(model, crops).items()})
    dead = [(u.layer, u.filter) for u in uses if u.dead]
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


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What visualize prints; it must succeed."""
    assert visualize.main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def shipped() -> Explanation:
    """Of a tiny rater, with the reliability that the shipped card tells."""
    rater = FunctionRater(lambda crops: crops[:, 100:].mean((1, 2, 3)) / 40, 256)
    explanation = explain(rater, main_face(find_faces(images.read(PORTRAIT))))
    return replace(explanation, reliability=reliability(registry.load_card("six_block_scut")))


def test_the_page_tells_what_moved_the_score_and_how_far_to_trust_it(shipped: Explanation, tmp_path: Path) -> None:
    rater = registry.load("six_block_scut")
    report = write_face_report(rater, shipped, "a.jpg", tmp_path, quick=True)
    assert {p.name for p in tmp_path.iterdir()} == {"index.html", "summary.png", "explain.json"}
    assert images.read(tmp_path / "summary.png").std() > 10
    page, facts = report.path.read_text(), json.loads((tmp_path / "explain.json").read_text())
    effects = {region["name"]: region["effect"] for region in facts["regions"]}
    assert facts["unclipped"] - facts["reference"] == pytest.approx(sum(effects.values()), abs=1e-4)
    assert f"Raised the score most: {max(effects, key=lambda name: effects[name])}" in page
    agreement = shipped.reliability.baseline_agreement
    assert agreement
    assert f"another region comes first on {1 - agreement.first:.0%} of faces" in page
    assert (page.count('href="#trust"'), page.count('id="trust"'), page.count(EVALUATION[:30])) == (1, 1, 1)
    assert f"the map of these effects {facts['verdict']}" in page
    assert "http" not in page
    assert "<script" not in page


def test_a_hostile_file_name_is_only_text(shipped: Explanation, tmp_path: Path) -> None:
    name = '<script>alert(1)</script> & "$x$.jpg'
    page = write_face_report(registry.load("six_block_60-40"), shipped, name, tmp_path, quick=True).path.read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;$x$.jpg" in page


def test_people_read_the_end_of_the_scale_and_the_sum_stays(tmp_path: Path) -> None:
    rater = FunctionRater(lambda crops: crops.mean((1, 2, 3)) / 10, 256)
    explanation = explain(rater, main_face(find_faces(images.read(PORTRAIT))))
    report = write_face_report(rater, explanation, "a.jpg", tmp_path, quick=True)
    facts, page = json.loads((tmp_path / "explain.json").read_text()), report.path.read_text()
    assert (facts["score"], facts["percentile"]) == (5, None)
    assert facts["unclipped"] == pytest.approx(explanation.effects.score, abs=1e-6)
    assert facts["unclipped"] > 5
    assert '<div class="score">5.00 <small>on a scale of 1..5</small>' in page
    assert f"{explanation.effects.score:.2f} (shown as 5.00, the end of the scale)" in page
    assert report.lines[0] == "a.jpg: 5.00 on a scale of 1..5"


def test_effects_that_fail_the_test_are_hidden(shipped: Explanation, tmp_path: Path) -> None:
    failed = replace(shipped.reliability, passed=False, verdict="fails the test: it does not beat edges")
    rater = registry.load("six_block_60-40")
    write_face_report(rater, shipped, "a.jpg", tmp_path, quick=True)
    report = write_face_report(rater, replace(shipped, reliability=failed), "a.jpg", tmp_path, quick=True)
    assert not (tmp_path / "summary.png").exists()
    assert "<table>" not in report.path.read_text()
    assert "hidden: their map fails the test: it does not beat edges" in report.path.read_text()


def test_words_come_from_the_card() -> None:
    card = registry.load_card("six_block_60-40")
    learnt = replace(card.trained_on[0], data_set="MEBeauty")
    other = replace(card, name="mine", scale=replace(card.scale, low=1, high=10), trained_on=(learnt,))
    assert "by mine of the mean rating, 1..10, that the raters of MEBeauty" in about(other)


def test_a_whole_report_shows_the_inside(
    synthetic_run: Path, small_scut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = synthetic_run / "weights" / "synthetic.json"
    printed = call(capsys, PORTRAIT, "--weights", weights, "--data", small_scut, "--out", tmp_path / "inside")
    assert "compared with\nthose of 2 other faces" in printed
    assert len(printed.splitlines()) <= 25
    folder = tmp_path / "inside"
    names = {p.name for p in folder.iterdir()}
    assert len({name for name in names if name.startswith("maps_block")}) == 6
    assert {"index.html", "summary.png", "explain.json", "pixel_maps.npz", "maps.npz", "filters.npz"} < names
    for name in names:
        if name.endswith(".png"):
            assert images.read(folder / name).std() > 10
    with np.load(folder / "maps.npz") as arrays:
        assert arrays["crop"].shape == (64, 64, 3)
        assert arrays["block6_conv1"].min() == 0
    facts = json.loads((folder / "explain.json").read_text())
    assert (facts["schema"], facts["baseline"]) == (2, "other faces")
    assert [m["verdict"] for m in facts["pixel_maps"]] == ["never tested"] * 3
    assert len(facts["filters"]) == 32
    page = (folder / "index.html").read_text()
    assert EVALUATION[:30] not in page
    assert "was never measured for this rater" in page
    assert "SCUT" not in page
    assert "60 raters" not in page


def test_a_quick_report_loads_no_tensorflow(synthetic_run: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [sys.executable, "-X", "importtime", VISUALIZE, PORTRAIT, "--quick"]
    words += ["--out", tmp_path / "quick", "--weights", synthetic_run / "weights" / "synthetic.json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert not re.search(r"\| +(tensorflow|keras)\n", done.stderr)


def test_visualize_one_layer_and_its_mistakes(
    synthetic_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, out = synthetic_run / "weights" / "synthetic.json", tmp_path / "one"
    call(capsys, PORTRAIT, "--layer", "block3_conv1", "--out", out, "--weights", weights)
    assert {p.name for p in out.iterdir()} == {"maps_block3_conv1.png", "maps_block3_conv1.npz"}
    for words, says in (
        ([PORTRAIT, "--layer", "block9"], "There is no convolution block9."),
        ([PORTRAIT, "--face", "2"], "There is no face 2"),
        ([PORTRAIT, "--quick", "--layer", "block1_conv1"], "--layer and --quick cannot be combined"),
        ([tmp_path / "missing.jpg"], "No such file"),
        ([], "Give a photo, or --data DIR"),
        (["--data", tmp_path, "--quick"], "--face and --quick go with a photo"),
        ([PORTRAIT, "--into", weights], "--into cannot be combined with a photo"),
        (["--data", tmp_path, "--n", 2], "at least 3, not 2"),
    ):
        assert visualize.main([*map(str, words), "--weights", str(weights), "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert len(error.splitlines()) == 1


def test_tables_over_a_data_set(
    small_scut: Path, synthetic_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(data_set, "DONORS", 1)  # for speed
    shutil.copytree(synthetic_run / "weights", tmp_path / "weights")
    weights, out = tmp_path / "weights" / "synthetic.json", tmp_path / "tables"
    given = ["--data", small_scut, "--n", 3, "--weights", weights, "--into", weights, "--layer", "block2_conv1"]
    printed = call(capsys, *given, "--out", out)
    assert printed.strip() == (out / "regions.md").read_text().strip()
    assert "Over 3 faces. Published" in printed
    assert "over 3 faces of the median over points" in printed
    with open(out / "regions.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["way"] for row in rows} == {"ring mean", "other faces"}
    assert len({row["region"] for row in rows if row["group"] == "all"}) == 10
    assert all(float(row["mean_low"]) <= float(row["mean"]) <= float(row["mean_high"]) for row in rows)
    with open(out / "filters.csv") as file:
        filters = list(csv.DictReader(file))
    assert sorted(int(row["filter"]) for row in filters) == list(range(16))
    assert all(float(row["absolute"]) >= abs(float(row["effect"])) for row in filters)
    assert images.read(out / "filters_block2_conv1.png").std() > 10
    agreement = json.loads((out / "agreement.json").read_text())
    told = json.loads(weights.read_text())["explanations"]
    assert told["baselines"] == {"network": "synthetic", "result": agreement}
    assert "over 3 faces the two correlate" in reliability(registry.load_card(str(weights))).sentences[1]
    mistakes = ["--data", small_scut, "--weights", weights, "--into", "six_block_60-40"]
    assert visualize.main([*map(str, mistakes)]) == 2
    assert "of another recipe than synthetic" in capsys.readouterr().err


def test_a_rater_without_a_network_gets_tables_of_its_regions(small_scut: Path) -> None:
    rater = FunctionRater(lambda crops: crops.mean((1, 2, 3)) / 50, 64)
    data = read(small_scut)
    explanation = explain_data_set(rater, data, data.split("60-40").test, 3)
    assert explanation.filters is None
    assert len(explanation.landmark_distances) == explanation.photos == 3
    text = region_markdown(explanation)
    assert "filters" not in text
    assert "| Region | Mean effect | Mean absolute effect |" in text
    with pytest.raises(ConfigError, match="need a Keras network"):
        explain_data_set(rater, data, data.split("60-40").test, 3, "block1_conv1")
