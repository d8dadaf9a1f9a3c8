"""train.py as a person starts it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, ROOT, Run

from beauty_evaluate import Scorer, images
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.faces.align import aligned_crop
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.registry import keras_predictor
from beauty_evaluate.raters.runtime import opencv_predictor, predict

TRAIN = ROOT / "train.py"


def test_training_without_data_ends_with_a_report(drawn_run: Path) -> None:
    names = {p.relative_to(drawn_run).as_posix() for p in drawn_run.rglob("*") if p.is_file()}
    assert names == {
        *("checkpoint.npz", "looks.jsonl", "predictions.csv", "report.md"),
        *("learning_curves.png", "scatter.png", "histograms.png"),
        *(f"weights/drawn{suffix}" for suffix in (".json", ".onnx", ".stats.npz", ".weights.h5")),
    }
    report = (drawn_run / "report.md").read_text()
    assert "constant: the training mean | 240 |" in report
    looks = [json.loads(line) for line in (drawn_run / "looks.jsonl").read_text().splitlines()]
    assert [(look["list"], look["photos"]) for look in looks] == [("drawn test", 240)]
    for name in ("learning_curves.png", "scatter.png", "histograms.png"):
        assert images.read(drawn_run / name).std() > 10


def test_what_was_trained_loads_in_both_ways_and_scores_alike(drawn_run: Path) -> None:
    card = cards.load(str(drawn_run / "weights" / "drawn.json"))
    faces = synthetic.draw(5, seed=9).samples.values()
    crops = np.stack([aligned_crop(s.read(), s.points, card.config.crop) for s in faces if s.points is not None])
    ours = predict(keras_predictor(registry.load(card)), crops, card.config.flip_tta)
    theirs = predict(opencv_predictor(card.file(cards.ONNX)), crops, card.config.flip_tta)
    assert np.allclose(ours, theirs, atol=1e-4)
    assert Scorer(str(drawn_run / "weights" / "drawn.json")).score(PORTRAIT)[0].status == "ok"


def test_an_old_run_is_not_overwritten(run: Run, drawn_run: Path) -> None:
    done = run(TRAIN, "--epochs", "1", "--out", drawn_run)
    assert done.returncode == 2
    assert "add --resume or change --out" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    other = run(TRAIN, "--epochs", "2", "--out", drawn_run, "--resume")
    assert other.returncode == 2
    assert "options of the first run" in other.stderr


def test_a_tenth_is_held_back_for_choices(run: Run, tmp_path: Path) -> None:
    done = run(TRAIN, "--epochs", "1", "--val")
    assert done.returncode == 0, done.stderr
    assert "held back: PC" in done.stdout
    out = tmp_path / "runs" / "drawn_drawn-val"
    (look,) = (out / "looks.jsonl").read_text().splitlines()
    assert json.loads(look)["list"] == "synthetic-val test"
    card = cards.load(str(out / "weights" / "drawn_synthetic-val.json"))
    assert len(card.trained_on) + card.metrics["all"]["n"] == 960  # type: ignore[operator]
    final = run(TRAIN, "--epochs", "1", "--out", out, "--resume")
    assert final.returncode == 2
    assert "other photos" in final.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--seed", "-1"], "--seed"),
        (["--preset", "nothing"], "invalid choice"),
        (["--split", "fold6"], "invalid choice"),
        (["--data", "nowhere"], "Expected SCUT-FBP5500"),
        (["--preset", "article"], "Expected --data"),
    ],
)
def test_mistakes_are_exit_code_2(run: Run, words: list[str], message: str) -> None:
    done = run(TRAIN, *words, "--out", "r")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_overlap_of_train_and_test_stops_the_command(run: Run, small_scut: Path) -> None:
    lists = small_scut / "train_test_files" / "split_of_60%training and 40%testing"
    (lists / "test.txt").write_text((lists / "train.txt").read_text())
    done = run(TRAIN, "--data", small_scut, "--out", "r")
    assert done.returncode == 2
    assert "AF9001.jpg in train.txt row 1 and in test.txt row 1" in done.stderr


@pytest.mark.parametrize("preset", ["article", "drawn"])
def test_real_photos_train_and_problems_are_told(run: Run, small_scut: Path, tmp_path: Path, preset: str) -> None:
    (small_scut / "facial landmark" / "AF9001.pts").unlink()
    names = [f"{group}{i}.jpg" for i in (9001, 9002) for group in ("AF", "AM", "CF", "CM")]
    done = run(TRAIN, "--data", small_scut, "--split", "all", "--preset", preset, "--epochs", "1", "--out", "r")
    assert done.returncode == 0, done.stderr
    assert "problem: facial landmark/AF9001.pts" in done.stdout
    card = cards.load(str(tmp_path / "r" / "weights" / f"{preset}.json"))
    assert list(card.trained_on) == sorted(names)
    assert card.metrics == {}
    assert not (tmp_path / "r" / "looks.jsonl").exists()


def test_killed_and_resumed_ends_as_if_nothing_had_happened(run: Run, tmp_path: Path) -> None:
    words = ["--epochs", "3"]
    assert run(TRAIN, *words, "--out", "whole").returncode == 0
    process = subprocess.Popen(
        [sys.executable, str(TRAIN), *words, "--out", str(tmp_path / "cut")],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1/3"):
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    done = run(TRAIN, *words, "--out", "cut", "--resume")
    assert done.returncode == 0, done.stderr
    whole, cut = (
        registry.load(cards.load(str(tmp_path / name / "weights" / "drawn.json"))).get_weights()
        for name in ("whole", "cut")
    )
    assert all(np.array_equal(a, b) for a, b in zip(whole, cut, strict=True))
