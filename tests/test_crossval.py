"""The five folds: trained in pieces, told from what they leave."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import PORTRAIT, ROOT, Run

from beauty_evaluate import Scorer, metrics
from beauty_evaluate.cli import evaluate as command
from beauty_evaluate.config import WEIGHTS, RatingScale, ScaleMap
from beauty_evaluate.datasets import mebeauty, scut, synthetic
from beauty_evaluate.datasets.scut import FOLDS
from beauty_evaluate.datasets.splits import holdout_split
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.evaluation import crossval, duplicates, interval
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.metrics import bootstrap_pearson, pearson
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn, photo_hash
from beauty_evaluate.reporting.crossval_report import crossval_report
from beauty_evaluate.reporting.results import folds_table
from beauty_evaluate.settings import to_json
from beauty_evaluate.training import crossval as training
from beauty_evaluate.training.job import Job

CONFIG = replace(preset("synthetic"), training=replace(preset("synthetic").training, epochs=1))


def kept_fold(folder: Path, root: Path, fold: str, error: float = 0.1) -> Card:
    """A finished fold as `cross_validate` leaves it, with scores that are off by up to `error`."""
    data = scut.read(root)
    split = data.split(fold)
    true = np.array([data.samples[name].score for name in split.test])
    predicted = np.round(true + np.random.default_rng(int(fold[-1])).uniform(-error, error, len(true)), 4)
    figures: dict[str, float | None] = {**metrics.summary(predicted, true)}
    photos = tuple(photo_hash(data.title, name) for name in split.train)
    learnt = TrainedOn(data.title, fold, data.scale, ScaleMap(), {"mean": 3.0}, photos)
    card = Card(
        f"synthetic_{fold}", CONFIG, data.scale, (learnt,), precision="float32", command=f"--split {fold}",
        commit="abc", parameters=1, seconds=60.0, images_per_second=10.0,
        metrics={data.title: {"all": figures, "mean_baseline": {**figures, "pearson": None}}},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{card.name}.json").write_text(card.to_json())
    rows = [f"{name},{score:.4f}" for name, score in zip(split.test, predicted, strict=True)]
    (folder / f"{card.name}.csv").write_text("\n".join(["file,score", *rows]) + "\n")
    return card


def pc_of(card: Card) -> float:
    """The PC in a card."""
    value = card.metrics[scut.TITLE]["all"]["pearson"]
    assert value is not None
    return value


def test_folds_are_trained_once_and_leave_card_and_predictions(
    small_scut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, data = tmp_path / "cv", scut.read(small_scut)
    for fold in FOLDS[1:]:
        kept_fold(keep, small_scut, fold)
    lines: list[str] = []
    job = Job(CONFIG, (data,), tmp_path / "run", command="train --split {}")
    assert len(list(training.cross_validate(job, keep, 1, lines.append))) == 1
    assert lines[:4] == [f"{fold}: already in {keep}" for fold in FOLDS[1:]]
    values = json.loads((keep / "synthetic_fold1.json").read_text())
    assert (values["trained_on"][0]["split"], values["command"]) == ("fold1", "train --split fold1")
    assert values["config"] == json.loads(json.dumps(to_json(CONFIG)))
    folds = crossval.read_folds(keep, data)
    assert [fold.card.split for fold in folds] == list(FOLDS)
    assert folds[0].evaluation.names == data.split("fold1").test

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(training, "train", refuse)
    assert list(training.cross_validate(job, keep, 1, lines.append)) == []
    other = replace(job, config=replace(CONFIG, flip_tta=False))
    with pytest.raises(ConfigError, match="of another recipe"):
        list(training.cross_validate(other, keep, 1, lines.append))


def test_a_further_data_set_gives_its_fold_of_the_same_name(
    small_scut: Path, small_mebeauty: Path, tmp_path: Path
) -> None:
    data = replace(scut.read(small_scut), folds=("fold1",))
    faces = mebeauty.read(small_mebeauty)
    job = Job(CONFIG, (data, faces), tmp_path / "run", command="train --split {}")
    (run,) = training.cross_validate(job, tmp_path / "cv", 1, lambda line: None)
    card = registry.load_card(str(tmp_path / "cv" / "synthetic_fold1.json"))
    assert [(part.data_set, part.split) for part in card.trained_on] == [(scut.TITLE, "fold1"), ("MEBeauty", "fold1")]
    assert sorted(card.knows("MEBeauty", faces.samples)) == list(faces.split("fold1").train)
    assert run.card.name == card.name
    (fold,) = crossval.read_folds(tmp_path / "cv", data)
    assert fold.evaluation.names == data.split("fold1").test
    with pytest.raises(ConfigError, match="of another recipe or other photos"):
        list(training.cross_validate(replace(job, data=(data,)), tmp_path / "cv", 1, lambda line: None))


def test_report_of_finished_folds(small_scut: Path, tmp_path: Path) -> None:
    data, keep = scut.read(small_scut), tmp_path / "cv"
    with pytest.raises(DataError, match="no cards of folds"):
        crossval.read_folds(keep, data)
    for fold in FOLDS[:3]:
        kept_fold(keep, small_scut, fold)
    folds = crossval.read_folds(keep, data)
    test, learnt = folds[0].evaluation.names[0], data.split("fold1").train[0]
    text = crossval_report(folds, [duplicates.Pair(learnt, test, 3, 0.99)])
    assert "3 of 5 done" in text
    mean = np.mean([fold.evaluation.metrics()["all"]["pearson"] for fold in folds])
    assert f"| **mean ± SD** |  |  |  |  | {mean:.4f} ± " in text
    assert "| fold1 | float32 | abc | 4 | 4 |" in text
    assert "3 test photos have a copy in their training part" in text
    assert f"- fold1: {test} ({learnt})" in text
    assert "Of the crop alone" not in text
    path = keep / "synthetic_fold1.csv"
    rows = path.read_text()
    first, *rest = rows.splitlines()[1:]
    path.write_text("\n".join(["file,score", first.split(",")[0] + ",1.0000", *rest]) + "\n")
    with pytest.raises(DataError, match="its card says"):
        crossval.read_folds(keep, data)
    path.write_text(rows)
    (keep / "synthetic_fold2.csv").write_text("file,score\nAF9.jpg,3\n")
    with pytest.raises(DataError, match="test photos of fold2"):
        crossval.read_folds(keep, data)


def test_report_tells_mirror_choice_and_seed_apart(small_scut: Path, tmp_path: Path) -> None:
    data, keep = scut.read(small_scut), tmp_path / "cv"
    for fold in FOLDS[:2]:
        kept_fold(keep, small_scut, fold)
        shutil.copy(keep / f"synthetic_{fold}.csv", keep / f"synthetic_{fold}_single.csv")
    card = kept_fold(keep / "seed2", small_scut, "fold1", error=0.3)
    other = replace(card, config=replace(CONFIG, training=replace(CONFIG.training, seed=2)))
    (keep / "seed2" / "synthetic_fold1.json").write_text(other.to_json())
    folds, seeds = (crossval.read_folds(folder, data) for folder in (keep, keep / "seed2"))
    ours, theirs = folds[0].evaluation, seeds[0].evaluation
    text = crossval_report(folds, [], seeds, {ours.names[0]})
    assert f"Of the crop alone: mean PC {np.mean([pc_of(fold.card) for fold in folds]):.4f}" in text
    both_folds = [fold.evaluation for fold in folds]  # all test on the same four photos
    without = np.mean([pearson(evaluation.predicted[1:], evaluation.true[1:]) for evaluation in both_folds])
    assert f"(fold1: 1, fold2: 1). Without them: mean PC {without:.4f}" in text
    assert f"fold1 with seed 2 in place of 1: PC {pc_of(other):.4f}" in text
    assert f"PC differs by {abs(pc_of(folds[0].card) - pc_of(other)):.4f}" in text
    both = pearson(ours.predicted + theirs.predicted, ours.true)
    assert f"The mean of the two networks: PC {both:.4f}" in text


def test_a_fold_that_has_learnt_from_its_test_photos_is_refused(small_scut: Path, tmp_path: Path) -> None:
    data = scut.read(small_scut)
    card = kept_fold(tmp_path, small_scut, "fold1")
    photos = tuple(photo_hash(data.title, name) for name in data.split("fold1").test)
    leaking = replace(card, trained_on=(replace(card.trained_on[0], photos=photos),))
    (tmp_path / "synthetic_fold1.json").write_text(leaking.to_json())
    with pytest.raises(DataError, match="has learnt from 4 of these photos"):
        crossval.read_folds(tmp_path, data)


def test_the_row_of_the_results_is_the_mean_of_the_folds(small_scut: Path, tmp_path: Path) -> None:
    half: dict[str, float | None] = dict.fromkeys(("pearson", "mae", "rmse"), 0.5)
    perfect: dict[str, float | None] = {"n": 4, "pearson": 1.0, "mae": 0.0, "rmse": 0.0}
    folds = [
        replace(kept_fold(tmp_path, small_scut, fold), metrics={scut.TITLE: {"all": row, "mean_baseline": half}})
        for fold, row in zip(FOLDS, (perfect, half, half, half, half), strict=True)
    ]
    table = folds_table(folds)
    row = "| **`synthetic`**, 0.00 M parameters | nothing | `--split cv` | 0.6000 | 0.4000 | 0.4000 |"
    assert row in table
    assert table.index("mean baseline") < table.index("`synthetic`") < table.index("AlexNet") < table.index("ResNeXt")


def test_folds_are_trained_in_lanes(run: Run, small_scut: Path, tmp_path: Path) -> None:
    keep = tmp_path / "cv"
    for fold in FOLDS[2:]:
        kept_fold(keep, small_scut, fold)
    words = ("--data", small_scut, "--preset", "synthetic", "--epochs", "1", "--split", "cv", "--keep", keep)
    done = run(ROOT / "train.py", *words, "--lanes", min(2, len(os.sched_getaffinity(0))))
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in keep.glob("*.csv")} >= {f"synthetic_{fold}" for fold in FOLDS}


def test_the_command_reports_folds_and_calibrates(
    small_scut: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = tmp_path / "cv"
    for fold in FOLDS:
        kept_fold(keep, small_scut, fold)
    words = ["--data", str(small_scut), "--split", "cv", "--folds", str(keep)]
    assert command.main(words) == 0
    printed = capsys.readouterr().out
    assert "5 of 5 done" in printed
    assert "R3CNN" in printed
    assert (keep / "report.md").read_text() in printed
    assert (keep / "calibration.png").stat().st_size > 3000
    assert len(duplicates.read_pairs(keep / "near_duplicates.csv")) == 12  # four copies of each of two portraits
    assert command.main([*words, "--calibrate", "six_block_60-40"]) == 2
    assert "needs a network of all photos" in capsys.readouterr().err


def test_copies_are_found_and_look_alikes_are_not(tmp_path: Path) -> None:
    samples = list(synthetic.draw(12, seed=5).samples.values())
    crops = [cv2.resize(s.read(), (128, 128), interpolation=cv2.INTER_AREA) for s in samples]
    turned = cv2.warpAffine(
        crops[3], np.array([[1.01, 0.02, -2.0], [-0.02, 1.01, 1.5]]), (128, 128), borderMode=cv2.BORDER_REPLICATE
    )
    darker = np.clip(crops[7][:, ::-1] * 0.8 + 5, 0, 255)
    names = (*(f"p{i}" for i in range(12)), "turned", "mirrored")
    pairs = duplicates.near_duplicates(names, np.stack([*crops, turned, darker.astype(np.uint8)]))
    assert {(p.first, p.second) for p in pairs} >= {("p3", "turned"), ("mirrored", "p7")}
    assert all(p.correlation >= duplicates.CORRELATION for p in pairs)
    assert len(pairs) <= 4  # drawn faces differ in little, and some pass for copies
    duplicates.write_pairs(tmp_path / "t.csv", pairs)
    assert duplicates.read_pairs(tmp_path / "t.csv") == pairs
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="near-duplicates"):
        duplicates.read_pairs(tmp_path / "t.csv")


def test_interval_covers_what_it_says_and_follows_the_error() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(2, 4, 6000)
    true = predicted + rng.normal(0, np.where(predicted < 3, 0.2, 0.5))
    by_score, one_width = (interval.calibrate(predicted[:3000], true[:3000], knots=knots) for knots in (8, 1))
    inside = by_score.covers(predicted[3000:], true[3000:])
    assert 0.88 < inside.mean() < 0.92
    low = predicted[3000:] < 2.8
    high = predicted[3000:] > 3.2
    assert 0.86 < inside[low].mean() < 0.94
    assert 0.86 < inside[high].mean() < 0.94
    constant = one_width.covers(predicted[3000:], true[3000:])
    assert constant[low].mean() > 0.97 > 0.85 > constant[high].mean()
    with pytest.raises(DataError, match="at least 80"):
        interval.calibrate(predicted[:50], true[:50])


def test_coverage_is_measured_on_the_fold_left_out() -> None:
    data = synthetic.draw(2)
    rng = np.random.default_rng(2)
    samples = {
        f"{i}.png": replace(next(iter(data.samples.values())), score=float(s))
        for i, s in enumerate(rng.uniform(1, 5, 400))
    }
    data = replace(data, samples=samples, scale=RatingScale(1, 5))
    folds = []
    for k, spread in enumerate((0.1, 0.1, 0.1, 1.0)):  # the last fold errs more than what it is calibrated on
        names = tuple(f"{i}.png" for i in range(100 * k, 100 * k + 100))
        true = np.array([samples[name].score for name in names])
        predicted = true + rng.uniform(-spread, spread, 100)
        folds.append(crossval.Fold(Card("x", CONFIG, data.scale), Evaluation(data, names, predicted, 3.0)))
    inside = crossval.coverage(folds).one_width
    assert len(inside) == 400
    assert inside[:300].mean() > 0.95
    assert inside[300:].mean() < 0.3


def test_bootstrap_of_folds_is_of_the_mean_of_their_correlations() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=400)
    parts = np.repeat([0, 1], 200)
    predicted = true + rng.normal(size=400) + 10 * parts  # one cloud far from the other: pooled, a wrong correlation
    low, high = bootstrap_pearson(predicted, true, parts=parts, rounds=300)
    mean = np.mean([pearson(predicted[parts == k], true[parts == k]) for k in (0, 1)])
    assert low < mean < high
    assert pearson(predicted, true) < low


def test_choices_are_made_on_the_committed_list(scut_folder: Path) -> None:
    """With the real data: `--val` on fold 1 holds back the list in benchmarks/, no photo of its test part."""
    fold = scut.read(scut_folder).split("fold1")
    listed = (ROOT / "benchmarks" / "validation.txt").read_text().split()
    assert list(holdout_split(fold).test) == listed
    assert not set(listed) & set(fold.test)


def test_a_calibrated_card_gives_scores_with_intervals(tmp_path: Path) -> None:
    for path in WEIGHTS.glob("six_block_60-40.*"):
        shutil.copyfile(path, tmp_path / path.name)
    card = registry.load_card(str(tmp_path / "six_block_60-40.json"))
    made = interval.Interval(0.9, (2.0, 4.0), (0.3, 0.5))
    path = cards.write(card, interval=vars(made))
    score = Scorer(str(path)).score(PORTRAIT)[0]
    assert score.score is not None
    assert score.low is not None
    assert score.high is not None
    half_width = made.at(np.array([score.score]))[0]
    assert np.allclose((score.high - score.score, score.score - score.low), half_width, atol=2e-4)
