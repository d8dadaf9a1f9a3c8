import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, ROOT, Run

from beauty_evaluate.config import CropConfig, preset
from beauty_evaluate.datasets import scut, synthetic
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation import report
from beauty_evaluate.evaluation.evaluate import assert_no_leakage, evaluate
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import runtime
from beauty_evaluate.reporting.data_report import level, write_data_report


def brightness(crops: np.ndarray) -> np.ndarray:
    """A network that needs no training."""
    return np.asarray(1 + crops.mean((1, 2, 3)) / 64, np.float32)


def test_every_picture_counts_at_any_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = list(synthetic.draw(8).samples.values())
    config = preset("drawn")
    monkeypatch.setattr(runtime, "BATCH", 3)
    found = evaluate(brightness, config, samples, 3.0)
    monkeypatch.setattr(runtime, "BATCH", 100)
    whole = evaluate(brightness, config, samples, 3.0)
    assert len(found.predicted) == 8
    assert np.array_equal(found.predicted, whole.predicted)
    assert found.figures()["all"]["n"] == 8
    assert len(set(found.predicted)) == 8


def test_a_photo_without_a_crop_gets_the_training_mean_and_is_named(small_scut: Path) -> None:
    (small_scut / "Images" / "CM9002.jpg").write_bytes(b"no picture")
    samples = list(scut.read(small_scut).samples.values())
    found = evaluate(brightness, preset("six_block"), samples, 2.5)
    assert found.missed == ("CM9002.jpg",)
    assert "Not a JPEG" in found.problems[0]
    assert found.predicted[found.names.index("CM9002.jpg")] == 2.5
    figures = found.figures()
    assert list(figures) == ["all", "AF", "AM", "CF", "CM", "constant"]
    assert figures["all"]["n"] == 8
    assert figures["constant"]["pearson"] is None
    assert figures["constant"]["mae"] == pytest.approx(np.abs(found.true - 2.5).mean())
    with pytest.raises(DataError):
        evaluate(brightness, preset("six_block"), [], 2.5)


def test_photos_the_network_has_learnt_from_are_refused() -> None:
    card = cards.load()
    with pytest.raises(DataError, match="has not learnt from"):
        assert_no_leakage(card, [card.trained_on[7], "AF0.jpg"])
    assert_no_leakage(card, ["AF0.jpg"])


def test_levels() -> None:
    assert [level(s) for s in (1.0, 1.49, 1.5, 2.5, 3.49, 4.75)] == [1, 1, 2, 3, 3, 5]


def test_data_report(tmp_path: Path) -> None:
    text = write_data_report(synthetic.draw(12), tmp_path).read_text()
    assert "12 labelled photos, 0 problems" in text
    assert (tmp_path / "scores.png").stat().st_size > 3000
    assert (tmp_path / "samples.png").stat().st_size > 3000


def test_report_data_command_names_problems(run: Run, small_scut: Path, tmp_path: Path) -> None:
    (small_scut / "facial landmark" / "CM9001.pts").write_bytes(b"")
    done = run("-m", "beauty_evaluate", "report-data", "--data", small_scut, "--out", "d")
    assert done.returncode == 0, done.stderr
    assert "CM9001.pts" in done.stdout
    assert "| all | 8 |" in done.stdout
    bad = run("-m", "beauty_evaluate", "report-data", "--data", tmp_path / "nothing")
    assert bad.returncode == 2
    assert len(bad.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["README.md", "MODEL_CARD.md"])
def test_tables_of_pages_are_those_the_program_writes(name: str, tmp_path: Path) -> None:
    page = tmp_path / name
    shown = (ROOT / name).read_text(encoding="utf-8")
    page.write_text(shown, encoding="utf-8")
    blocks = report.written_blocks(ROOT)
    assert "results" in report.update_blocks(page, blocks)
    assert page.read_text(encoding="utf-8") == shown
    report.update_blocks(page, {**blocks, "results": "other"})
    assert page.read_text(encoding="utf-8") != shown
    page.write_text("nothing")
    with pytest.raises(DataError, match="markers"):
        report.update_blocks(page, blocks)


def test_evaluate_command_on_a_small_data_set(run: Run, small_scut: Path, tmp_path: Path) -> None:
    done = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut, "--predictions", "p.csv")
    assert done.returncode == 0, done.stderr
    assert "| all | 4 |" in done.stdout
    assert "| constant: the training mean | 4 |" in done.stdout
    with open(tmp_path / "p.csv") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "score"]
    assert [r[0] for r in rows[1:]] == ["AF9002.jpg", "AM9002.jpg", "CF9002.jpg", "CM9002.jpg"]
    single = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut, "--predictions", "q.csv", "--no-mirror")
    assert single.returncode == 0, single.stderr
    with open(tmp_path / "q.csv") as file:
        apart = [abs(float(a[1]) - float(b[1])) for a, b in zip(rows[1:], list(csv.reader(file))[1:], strict=True)]
    assert 0 < max(apart) < 0.5
    assert run("-m", "beauty_evaluate", "evaluate").returncode == 2
    assert run("-m", "beauty_evaluate", "evaluate", "--wild", small_scut, "--no-mirror").returncode == 2


def test_evaluate_command_refuses_photos_learnt_from(run: Run, small_scut: Path) -> None:
    name = cards.load("six_block_60-40").trained_on[0]
    (small_scut / "Images" / "AF9002.jpg").rename(small_scut / "Images" / name)
    for path in small_scut.rglob("*.txt"):
        path.write_text(path.read_text().replace("AF9002.jpg", name))
    done = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut)
    assert done.returncode == 2
    assert f"1 that it has, {name} the first" in done.stderr
    everything = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut, "--weights", "six_block")
    assert everything.returncode == 2  # the default of use.py has learnt from every photo
    assert "that it has" in everything.stderr


def test_the_card_holds_what_a_reader_needs() -> None:
    card = cards.load("six_block_60-40")
    assert (card.data, card.split) == ("SCUT-FBP5500", "60-40")
    assert len(card.trained_on) == 3300
    assert card.metrics["all"]["n"] == 2200
    assert {"AF", "AM", "CF", "CM", "constant"} < set(card.metrics)
    assert card.config.crop == CropConfig()
    for suffix in (cards.KERAS, cards.ONNX, cards.STATS):
        assert card.file(suffix).stat().st_size < 20e6


def test_the_shipped_weights_reach_the_bar() -> None:
    row = cards.load("six_block_60-40").metrics["all"]
    assert row["pearson"] is not None
    assert row["mae"] is not None
    assert row["rmse"] is not None
    assert row["pearson"] >= 0.9041
    assert row["mae"] <= 0.225
    assert row["rmse"] <= 0.3


def test_the_folds_reach_the_bar() -> None:
    folds = report.fold_cards(ROOT)
    assert len(folds) == 5
    assert len({card.config for card in [*folds, cards.load("six_block_60-40")]}) == 1
    mean = {key: np.mean([card.metrics["all"][key] for card in folds]) for key in ("pearson", "mae", "rmse")}
    assert mean["pearson"] >= 0.9055
    assert mean["mae"] <= 0.225
    assert mean["rmse"] <= 0.3


def test_the_card_figures_come_back_from_the_shipped_weights(run: Run, scut_folder: Path, tmp_path: Path) -> None:
    """On every eleventh test photo: the whole list takes a minute, and is the `evaluate` command's."""
    card = cards.load("six_block_60-40")
    with open(ROOT / "benchmarks" / "predictions" / "six_block_60-40.csv") as file:
        stored = {row["file"]: float(row["score"]) for row in csv.DictReader(file)}
    data = scut.read(scut_folder)
    samples = [data.samples[name] for name in sorted(stored)[::11]]
    found = evaluate(runtime.opencv_predictor(card.file(cards.ONNX)), card.config, samples, card.labels["mean"])
    assert np.abs(found.predicted - [stored[n] for n in found.names]).max() < 2e-3
    true = np.array([data.samples[n].score for n in stored])
    pc = np.corrcoef(list(stored.values()), true)[0, 1]
    assert pc == pytest.approx(card.metrics["all"]["pearson"], abs=1e-4)


def test_no_photo_of_the_data_set_is_in_the_repository() -> None:
    names = [
        p.name for p in ROOT.rglob("*") if ".venv" not in p.parts and "runs" not in p.parts and ".git" not in p.parts
    ]
    assert not [n for n in names if re.fullmatch(r"(AF|AM|CF|CM)\d+\.(jpg|png|pts)", n)]
    assert json.loads((ROOT / "weights" / "six_block_60-40.json").read_text())["trained_on"]
    assert PORTRAIT.exists()
