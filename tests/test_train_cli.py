"""train.py as a person starts it, in this process but where a fresh one is the point."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT

from beauty_evaluate import Scorer, images
from beauty_evaluate.cli.train import main
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.faces_of import _face
from beauty_evaluate.datasets.mixture import mix
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters import backend, registry
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.training.held_out import for_curve

TRAIN = ROOT / "train.py"
TINY = ["--preset", "synthetic", "--epochs", "1"]


@pytest.fixture
def few_faces(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """What a training without --data draws: few faces."""
    data = synthetic.draw(20)
    monkeypatch.setattr(datasets, "synthetic", lambda: data)
    return data


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Anyone's folder: a CSV with a score of 1 to 10 for each of ten copies of two portraits."""
    root = tmp_path / "mine"
    root.mkdir()
    rows = [("file", "score", "gender")]
    for i in range(10):
        name = f"{i}{(PORTRAIT, PORTRAIT_PNG)[i % 2].suffix}"
        shutil.copy((PORTRAIT, PORTRAIT_PNG)[i % 2], root / name)
        rows.append((name, f"{2 + 0.7 * i:.1f}", "female"))
    with open(root / "scores.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return root


def test_training_without_data_ends_with_a_report(synthetic_run: Path) -> None:
    names = {p.relative_to(synthetic_run).as_posix() for p in synthetic_run.rglob("*") if p.is_file()}
    assert names == {
        *("checkpoint.npz", "looks.jsonl", "predictions.csv", "report.md", "report.html"),
        *("learning_curves.png", "scatter.png", "histograms.png"),
        *(f"weights/synthetic{suffix}" for suffix in (".json", ".onnx", ".stats.npz", ".weights.h5", "_held_out.csv")),
    }
    report, page = ((synthetic_run / name).read_text() for name in ("report.md", "report.html"))
    assert "| mean baseline: predict the training mean | 48 |" in report
    assert "5 training photos were held back" in report
    assert page.count("data:image/png;base64,") == 3
    assert "<td>mean baseline: predict the training mean</td><td>48</td>" in page
    assert "python3 use.py PHOTO" in page
    looks = [json.loads(line) for line in (synthetic_run / "looks.jsonl").read_text().splitlines()]
    assert [(look["list"], look["photos"]) for look in looks] == [("synthetic test", 48)]
    for name in ("learning_curves.png", "scatter.png", "histograms.png"):
        assert images.read(synthetic_run / name).std() > 10
    card = registry.load_card(str(synthetic_run / "weights" / "synthetic.json"))
    assert not card.of_people
    assert card.labels["n"] == len(card.trained_on[0].photos) == 240 - 48 - 5


def test_what_was_trained_loads_in_both_ways_and_scores_alike(synthetic_run: Path) -> None:
    path = str(synthetic_run / "weights" / "synthetic.json")
    raters = [registry.load(path), registry.load(path, "keras")]
    config = registry.load_card(path).config
    faces = [_face(sample, config.crop) for sample in synthetic.draw(5, seed=9).samples.values()]  # type: ignore[attr-defined]
    ours, theirs = (rater.rate(faces).mean for rater in raters)
    assert np.allclose(ours, theirs, atol=1e-4)
    assert Scorer(path).score(PORTRAIT)[0].status == "ok"


def test_an_old_run_is_not_overwritten(
    synthetic_run: Path, few_faces: DataSet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--epochs", "2", "--out", str(synthetic_run)]) == 2
    error = capsys.readouterr().err
    assert "Add --resume or change --out" in error
    assert len(error.splitlines()) == 1
    assert main(["--epochs", "3", "--out", str(synthetic_run), "--resume"]) == 2
    assert "options of the first run" in capsys.readouterr().err


def test_a_tenth_is_held_back_for_choices_and_the_run_says_what_to_type_next(
    few_faces: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--val", "--set", "augment.mixup=0.1", "--learning-rate", "0.004", "--batch-size", "8", "--epochs", "1"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "held out: PC" in printed
    path = Path("runs/synthetic-val/weights/synthetic-val.json")
    assert f"next: python3 use.py PHOTO --weights {path}\n" in printed
    assert "| all | " in printed
    (look,) = Path("runs/synthetic-val/looks.jsonl").read_text().splitlines()
    assert json.loads(look)["list"] == "synthetic-val test"
    card = registry.load_card(str(path))
    assert len(card.trained_on[0].photos) + card.metrics["synthetic faces"]["all"]["n"] == 16  # type: ignore[operator]
    training = card.config.training  # type: ignore[attr-defined]
    assert (training.learning_rate, training.batch_size, card.config.augment.mixup) == (0.004, 8, 0.1)  # type: ignore[attr-defined]
    assert card.command == (
        "python3 train.py --epochs 1 --learning-rate 0.004 --batch-size 8 --set augment.mixup=0.1 --val"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "0"], "epochs takes a number of at least 1, not 0"),
        (["--seed", "-1"], "seed takes a number of at least 0"),
        (["--set", "training.learning_rate=0"], "learning_rate takes a number above 0"),
        (["--set", "training.rate=1"], "There is no setting training.rate"),
        (["--set", "crop.size=32"], "too small for 6 blocks"),
        (["--split", "fold6"], "has no split fold6"),
        (["--data", "nowhere"], "No such folder: nowhere"),
        (["--preset", "article"], "learns from whole photos"),
        (["--split", "cv"], "--split cv takes --data"),
        (["--lanes", "2"], "for --split cv"),
        (["--from", "nothing"], "No such card"),
        (["--from", "six_block_60-40", "--preset", "synthetic"], "has other crop.size"),
    ],
)
def test_mistakes_are_one_sentence(
    few_faces: DataSet, words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--out", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "r").exists()


def test_overlap_of_train_and_test_stops_the_command(small_scut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = small_scut / "train_test_files" / "split_of_60%training and 40%testing"
    (lists / "test.txt").write_text((lists / "train.txt").read_text())
    assert main(["--data", str(small_scut), "--out", str(small_scut / "r")]) == 2
    assert "AF9001.jpg stands in train.txt row 1 and in test.txt row 1" in capsys.readouterr().err


def test_all_photos_train_and_problems_are_told(
    small_scut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_scut / "facial landmark" / "AF9001.pts").unlink()
    small = ["--set", "crop.size=64", "--set", "network.channels=[4,4,4,4,4,4]", "--set", "network.hidden=[8,8]"]
    words = ["--data", str(small_scut), "--split", "all", "--preset", "article", "--epochs", "1", *small]
    assert main([*words, "--out", str(tmp_path / "r")]) == 0
    printed = capsys.readouterr().out
    assert "problem: facial landmark/AF9001.pts" in printed
    assert "has no test part" in printed
    card = registry.load_card(str(tmp_path / "r" / "weights" / "article.json"))
    names = [f"{group}{i}.jpg" for i in (9001, 9002) for group in ("AF", "AM", "CF", "CM")]
    assert sorted(card.knows("SCUT-FBP5500", [*names, "AF9003.jpg"])) == sorted(names)
    assert card.metrics == {}
    assert not (tmp_path / "r" / "looks.jsonl").exists()


def test_several_data_sets_are_learnt_from_on_the_first_ones_scale(
    small_scut: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = ["--set", "training.landmark_weight=1", "--set", "training.group_weight=0.3"]
    words = ["--data", str(small_scut), "--data", str(table), *TINY, *heads, "--out", str(tmp_path / "r")]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "mine: its scores look like a scale of 1..10" in printed
    card = registry.load_card(str(tmp_path / "r" / "weights" / "synthetic_60-40.json"))
    first, second = card.trained_on
    assert (first.data_set, second.data_set, str(card.scale)) == ("SCUT-FBP5500", "mine", "1..5")
    assert (second.map.slope, second.map.offset) != (1, 0)
    assert second.labels["mean"] == pytest.approx(first.labels["mean"])
    assert second.labels["sd"] == pytest.approx(first.labels["sd"])
    assert set(card.metrics) == {"SCUT-FBP5500", "mine"}
    data = datasets.read(table)
    split = data.split()
    assert sorted(card.knows("mine", data.samples)) == list(split.train)
    with open(tmp_path / "r" / "predictions_mine.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == list(split.test)
    baseline = card.metrics["mine"]["mean_baseline"]["mae"]  # in points of the table's own scale
    mean = np.mean([data.samples[name].score for name in split.train])
    assert baseline == pytest.approx(np.mean([abs(data.samples[name].score - mean) for name in split.test]), abs=1e-3)
    assert {p.name for p in (tmp_path / "r").glob("scatter*")} == {"scatter_SCUT-FBP5500.png", "scatter_mine.png"}


def test_fine_tuning_goes_on_from_given_weights_on_another_scale(
    synthetic_run: Path, table: Path, tmp_path: Path
) -> None:
    before = str(synthetic_run / "weights" / "synthetic.json")
    words = ["--data", str(table), "--scale", "1", "10", "--from", before, "--epochs", "1", "--learning-rate", "1e-9"]
    assert main([*words, "--set", "training.ema_decay=0", "--out", str(tmp_path / "r")]) == 0
    card = registry.load_card(str(tmp_path / "r" / "weights" / "synthetic_seeded-80-20.json"))
    assert card.started_from.startswith("synthetic (")
    assert str(card.scale) == "1..10"
    assert [part.data_set for part in card.trained_on] == ["mine", "synthetic faces"]
    # hardly changed by such a rate: the old ratings, brought onto the new scale
    old, new = registry.load(before), registry.of_card(card)
    assert isinstance(old, NetworkRater)
    assert isinstance(new, NetworkRater)
    kernels = [rater.keras_model().get_layer("score").get_weights()[0] for rater in (old, new)]
    slope = card.trained_on[0].labels["sd"] / old.card.labels["sd"]
    assert np.allclose(kernels[1], slope * kernels[0], atol=1e-5)
    assert card.trained_on[1].labels["mean"] == pytest.approx(card.labels["mean"])


def test_photos_are_held_back_for_the_curve_where_no_published_figure_rests_on_them(
    small_scut: Path, table: Path
) -> None:
    whole = mix([synthetic.draw(60)])
    left, held = for_curve(whole, 100)
    assert held is not None
    assert (len(left.train), len(held.train)) == (43, 5)
    assert {s.name for s in left.train} | {s.name for s in held.train} == {
        s.name for s in mix([synthetic.draw(60)]).train
    }
    assert len(left.test) == 12
    assert for_curve(whole, 0)[1] is None
    for data in (datasets.read(small_scut), datasets.read(table)):  # an official split; too few photos
        everything = mix([data])
        assert for_curve(everything, 100) == (everything, None)


def test_killed_and_resumed_ends_as_if_nothing_had_happened(
    few_faces: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh process is killed after an epoch; another run goes on from what it left."""
    words = ["--epochs", "2"]
    assert main([*words, "--out", str(tmp_path / "whole")]) == 0
    code = (
        "from beauty_evaluate.cli.train import main; from beauty_evaluate.datasets import registry, synthetic;"
        f"registry.synthetic = lambda: synthetic.draw(20); main({[*words, '--out', str(tmp_path / 'cut')]!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1/2"):
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    assert main([*words, "--out", str(tmp_path / "cut"), "--resume"]) == 0
    paths = [str(tmp_path / name / "weights" / "synthetic.json") for name in ("whole", "cut")]
    raters = [registry.load(path) for path in paths]
    whole, cut = (rater.keras_model().get_weights() for rater in raters)  # type: ignore[attr-defined]
    assert all(np.array_equal(a, b) for a, b in zip(whole, cut, strict=True))


def test_the_users_keras_settings_break_nothing(tmp_path: Path) -> None:
    """A fresh process with KERAS_BACKEND=jax and a keras.json of other ways trains and exports."""
    settings = {"backend": "torch", "floatx": "float16", "epsilon": 1e-7, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "from beauty_evaluate.cli.train import main; from beauty_evaluate.datasets import registry, synthetic;"
        "registry.synthetic = lambda: synthetic.draw(20); raise SystemExit(main(['--epochs', '1', '--out', 'r']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r" / "weights" / "synthetic.onnx").exists()


def test_keras_on_another_backend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.keras.backend, "backend", lambda: "jax")
    with pytest.raises(ConfigError, match="Keras runs on jax in this process"):
        backend.prepare()


def test_a_mixture_of_one_set_is_the_set(small_scut: Path) -> None:
    """Names, scores, groups and landmarks of a training on one set alone are those of the reader, in its order."""
    data = datasets.read(small_scut)
    samples = [data.samples[name] for name in data.split("60-40").train]
    for mixed, sample in zip(mix([data]).train, samples, strict=True):
        assert (mixed.name, mixed.score, mixed.group) == (sample.name, sample.score, sample.group)
        assert mixed.landmarks is sample.landmarks
