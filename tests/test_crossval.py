"""The five folds: trained in pieces, told from what they leave."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run

from beauty_evaluate import Scorer, metrics
from beauty_evaluate.config import WEIGHTS, preset, to_json
from beauty_evaluate.datasets import scut, synthetic
from beauty_evaluate.datasets.scut import FOLDS
from beauty_evaluate.datasets.splits import holdout_split
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.evaluation import crossval, duplicates, interval, report
from beauty_evaluate.metrics import bootstrap_pearson, pearson
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import Card
from beauty_evaluate.training import crossval as training
from beauty_evaluate.training.job import Job

CONFIG = replace(preset("drawn"), training=replace(preset("drawn").training, epochs=1))


def kept_fold(folder: Path, root: Path, fold: str, error: float = 0.1) -> Card:
    """A finished fold as `cross_validate` leaves it, with scores that are off by up to `error`."""
    data = scut.read(root)
    split = data.split(fold)
    true = np.array([data.samples[n].score for n in split.test])
    off = np.random.default_rng(int(fold[-1])).uniform(-error, error, len(true))
    figures: dict[str, float | None] = {**metrics.summary(np.round(true + off, 4), true)}
    card = Card(
        name=f"drawn_{fold}", data="SCUT-FBP5500", split=fold, config=CONFIG, precision="float32",
        command=f"--split {fold}", commit="abc", made="", parameters=1, seconds=60.0, images_per_second=10.0,
        trained_on=split.train, labels={"mean": 3.0},
        metrics={"all": figures, "constant": {**figures, "pearson": None}},
        input={}, versions={},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"drawn_{fold}.json").write_text(card.to_json())
    rows = [f"{n},{t + o:.4f}" for n, t, o in zip(split.test, true, off, strict=True)]
    (folder / f"drawn_{fold}.csv").write_text("\n".join(["file,score", *rows]) + "\n")
    return card


def test_folds_are_trained_once_and_leave_card_and_predictions(
    small_scut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = tmp_path / "cv"
    for fold in FOLDS[1:]:
        kept_fold(keep, small_scut, fold)
    said: list[str] = []
    job = Job(CONFIG, small_scut, "cv", tmp_path / "run", command="train --split {}")
    training.cross_validate(job, keep, 1, said.append)
    assert said == [f"{fold}: already in {keep}" for fold in FOLDS[1:]]
    values = json.loads((keep / "drawn_fold1.json").read_text())
    assert (values["split"], values["command"]) == ("fold1", "train --split fold1")
    assert values["config"] == json.loads(json.dumps(to_json(CONFIG)))
    folds = crossval.read_folds(keep, small_scut, scut.read(small_scut))
    assert [fold.card.split for fold in folds] == list(FOLDS)
    assert folds[0].found.names == scut.read(small_scut).split("fold1").test

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(training, "train", refuse)
    training.cross_validate(job, keep, 1, said.append)
    other = replace(job, config=replace(CONFIG, flip_tta=False))
    with pytest.raises(ConfigError, match="of another; move it away"):
        training.cross_validate(other, keep, 1, said.append)


def test_report_of_finished_folds(small_scut: Path, tmp_path: Path) -> None:
    data, keep = scut.read(small_scut), tmp_path / "cv"
    with pytest.raises(DataError, match="cards of folds"):
        crossval.read_folds(keep, small_scut, data)
    for fold in FOLDS[:3]:
        kept_fold(keep, small_scut, fold)
    folds = crossval.read_folds(keep, small_scut, data)
    own = [fold.found.figures()["all"]["pearson"] for fold in folds]
    test = folds[0].found.names[0]
    learnt = folds[0].card.trained_on[0]
    text = crossval.report(folds, [duplicates.Pair(learnt, test, 3, 0.99)])
    assert "3 of 5 done" in text
    assert f"| **mean ± SD** | | | {np.mean(np.array(own, float)):.4f} ± " in text
    assert "3 test photos have a copy in their training part" in text
    assert f"- fold1: {test} ({learnt})" in text
    assert "Of the crop alone" not in text
    path = keep / "drawn_fold1.csv"
    rows = path.read_text()
    first, *rest = rows.splitlines()[1:]
    path.write_text("\n".join(["file,score", first.split(",")[0] + ",1.0000", *rest]) + "\n")
    with pytest.raises(DataError, match="the PC of its card"):
        crossval.read_folds(keep, small_scut, data)
    path.write_text(rows)
    (keep / "drawn_fold2.csv").write_text("file,score\nAF9.jpg,3\n")
    with pytest.raises(DataError, match="test photos of fold2"):
        crossval.read_folds(keep, small_scut, data)


def test_report_tells_mirror_choice_and_seed_apart(small_scut: Path, tmp_path: Path) -> None:
    data, keep = scut.read(small_scut), tmp_path / "cv"
    for fold in FOLDS[:2]:
        kept_fold(keep, small_scut, fold)
        shutil.copy(keep / f"drawn_{fold}.csv", keep / f"drawn_{fold}_single.csv")
    card = kept_fold(keep / "seed2", small_scut, "fold1", error=0.3)
    plan = replace(card.config.training, seed=2)
    other = replace(card, config=replace(card.config, training=plan))
    (keep / "seed2" / "drawn_fold1.json").write_text(other.to_json())
    folds, seeds = (crossval.read_folds(folder, small_scut, data) for folder in (keep, keep / "seed2"))
    selection_set = {folds[0].found.names[0]}
    text = crossval.report(folds, [], seeds, selection_set)
    mean = np.mean([fold.card.metrics["all"]["pearson"] or 0 for fold in folds])
    assert f"Of the crop alone: mean PC {mean:.4f}" in text
    without = np.mean([pearson(f.found.predicted[1:], f.found.true[1:]) for f in folds])  # all test on the same four
    assert f"(fold1: 1, fold2: 1). Without them: mean PC {without:.4f}" in text
    ours, theirs = (card.metrics["all"]["pearson"] for card in (folds[0].card, other))
    assert ours is not None
    assert theirs is not None
    assert f"fold1 with seed 2 in place of 1: PC {theirs:.4f}" in text
    assert f"the PC differs by {abs(ours - theirs):.4f}" in text
    both = pearson(folds[0].found.predicted + seeds[0].found.predicted, folds[0].found.true)
    assert f"The mean of the two networks: PC {both:.4f}" in text
    known = replace(folds[0].card, trained_on=folds[0].found.names)
    (keep / "drawn_fold1.json").write_text(known.to_json())
    with pytest.raises(DataError, match="that it has"):
        crossval.read_folds(keep, small_scut, data)


def test_the_readme_row_is_the_mean_of_the_folds(small_scut: Path, tmp_path: Path) -> None:
    half: dict[str, float | None] = dict.fromkeys(("pearson", "mae", "rmse"), 0.5)
    cards = [kept_fold(tmp_path, small_scut, fold) for fold in FOLDS]
    cards = [replace(card, metrics={"all": half, "constant": {**half, "pearson": None}}) for card in cards]
    perfect: dict[str, float | None] = {"n": 4, "pearson": 1.0, "mae": 0.0, "rmse": 0.0}
    first = {**cards[0].metrics, "all": perfect}
    table = report.folds_table([replace(cards[0], metrics=first), *cards[1:]])
    assert "| **`drawn`**, 0.00 M parameters | nothing | 0.6000 | 0.4000 | 0.4000 | `--split cv` |" in table
    assert table.index("training mean") < table.index("`drawn`") < table.index("AlexNet") < table.index("ResNeXt-50")


def test_folds_are_trained_in_lanes_and_told_by_the_commands(run: Run, small_scut: Path, tmp_path: Path) -> None:
    keep = tmp_path / "cv"
    for fold in FOLDS[2:]:
        kept_fold(keep, small_scut, fold)
    words = ("--data", small_scut, "--preset", "drawn", "--epochs", "1", "--split", "cv", "--keep", keep)
    done = run(ROOT / "train.py", *words, "--lanes", min(2, len(os.sched_getaffinity(0))))
    assert done.returncode == 0, done.stderr
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == set(FOLDS)
    told = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut, "--split", "cv", "--folds", keep)
    assert told.returncode == 0, told.stderr
    assert "5 of 5 done" in told.stdout
    assert (keep / "report.md").read_text() in told.stdout
    assert len(duplicates.read_pairs(keep / "near_duplicates.csv")) == 12  # four copies of each of two portraits
    again = run("-m", "beauty_evaluate", "evaluate", "--data", small_scut, "--split", "cv", "--folds", keep,
                "--calibrate", "six_block_60-40")  # fmt: skip
    assert again.returncode == 2
    assert "Expected a network of all photos" in again.stderr
    many = run(ROOT / "train.py", *words[:-1], tmp_path / "other", "--lanes", "1000")
    assert many.returncode == 2
    assert "a lane for each" in many.stderr


def test_train_refuses_flags_that_do_not_fit(run: Run, small_scut: Path) -> None:
    for words in (("--split", "cv"), ("--data", small_scut, "--split", "cv", "--val"), ("--lanes", "2")):
        done = run("-m", "beauty_evaluate", "train", *words)
        assert done.returncode == 2
        assert "Expected --" in done.stderr
        assert len(done.stderr.splitlines()) == 1


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
    made = interval.calibrate(predicted[:3000], true[:3000])
    inside = interval.covered(made, predicted[3000:], true[3000:])
    assert 0.88 < inside.mean() < 0.92
    low = predicted[3000:] < 2.8
    high = predicted[3000:] > 3.2
    assert 0.86 < inside[low].mean() < 0.94
    assert 0.86 < inside[high].mean() < 0.94
    constant = interval.covered(
        interval.calibrate(predicted[:3000], true[:3000], bins=1), predicted[3000:], true[3000:]
    )
    assert constant[low].mean() > 0.97 > 0.85 > constant[high].mean()
    with pytest.raises(DataError, match="at least 80"):
        interval.calibrate(predicted[:50], true[:50])


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


def test_the_wild_table_gives_each_gender_and_ethnicity(run: Run, tmp_path: Path) -> None:
    (tmp_path / "w" / "images").mkdir(parents=True)
    rows = ["file,score_1_to_10,gender,ethnicity"]
    for i, (gender, origin) in enumerate([("female", "a"), ("male", "a"), ("female", "b"), ("male", "b")]):
        shutil.copyfile((PORTRAIT, PORTRAIT_PNG)[i % 2], tmp_path / "w" / "images" / f"{i}.jpg")
        rows.append(f"{i}.jpg,{2 + i},{gender},{origin}")
    rows += ["missing.jpg,5,male,a", "0.jpg,x,male,a"]
    (tmp_path / "w" / "scores.csv").write_text("\n".join(rows) + "\n")
    done = run("-m", "beauty_evaluate", "evaluate", "--wild", "w")
    assert done.returncode == 0, done.stderr
    assert [line.split("|")[1:3] for line in done.stdout.splitlines() if line.startswith("| ")][2:7] == [
        [" all ", " 4 "], [" female ", " 2 "], [" male ", " 2 "], [" a ", " 2 "], [" b ", " 2 "],
    ]  # fmt: skip
    assert done.stdout.count("problem: scores.csv, row") == 2
    assert run("-m", "beauty_evaluate", "evaluate", "--wild", "nothing").returncode == 2


def test_a_calibrated_card_gives_scores_with_intervals(tmp_path: Path, run: Run) -> None:
    for path in WEIGHTS.glob("six_block_60-40.*"):
        shutil.copyfile(path, tmp_path / path.name)
    card = cards.load(str(tmp_path / "six_block_60-40.json"))
    path = cards.rewrite(card, interval={"level": 0.9, "scores": [2.0, 4.0], "half": [0.3, 0.5]})
    score = Scorer(str(path)).score(PORTRAIT)[0]
    assert score.score is not None
    assert score.low is not None
    assert score.high is not None
    half = 0.3 + 0.1 * np.clip(score.score - 2, 0, 2)
    assert np.allclose((score.high - score.score, score.score - score.low), half, atol=2e-4)
    done = run(ROOT / "use.py", PORTRAIT, "--weights", path)
    assert f"{score.score:.2f} +- {half:.2f} of 5, higher" in done.stdout
