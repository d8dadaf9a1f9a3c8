"""Intervals that are wider where errors are, photos unlike anything learnt from, and what may calibrate what."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beauty_evaluate import metrics
from beauty_evaluate.cli import evaluate as command
from beauty_evaluate.config import RatingScale, ScaleMap
from beauty_evaluate.datasets import registry as data_sets
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation import calibration
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.evaluation.interval import calibrate, weighted_quantile
from beauty_evaluate.evaluation.predictions import held_out_path, read_held_out, write_held_out
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn, photo_hash
from beauty_evaluate.raters.feature_space import FeatureSpace
from beauty_evaluate.raters.interval import Curve, Interval
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.raters.rater import Ratings, with_intervals
from beauty_evaluate.reporting.coverage import write_section
from beauty_evaluate.training.job import Job, train

SCALE = RatingScale(1, 5)
CONFIG = MeanBaselineConfig(mean=2.9)
STUDIO, STREET = "studio", "street"


def data_set(title: str, count: int, seed: int, scale: RatingScale = SCALE) -> DataSet:
    """Photos of two groups with drawn scores; the last fifth is the test part of the split `official`."""
    scores = np.random.default_rng(seed).uniform(scale.low + 0.5, scale.high - 0.5, count)
    samples = {
        f"{i:04}.jpg": Sample(f"{i:04}.jpg", float(score), {"gender": ("female", "male")[i % 2]})
        for i, score in enumerate(scores)
    }
    names = tuple(samples)
    split = Split("official", names[: 4 * count // 5], names[4 * count // 5 :])
    return DataSet(title, scale, samples, group_columns=("gender",), splits={"official": lambda: split},
                   default_split="official")  # fmt: skip


@pytest.fixture(scope="module")
def data() -> tuple[DataSet, DataSet]:
    return data_set(STUDIO, 1500, 0), data_set(STREET, 600, 1, RatingScale(1, 10))


STREET_MAP = ScaleMap(4 / 9, 5 / 9)


def card_of(name: str, data: tuple[DataSet, ...], learnt: dict[str, tuple[str, ...]], split: str = "all") -> Card:
    maps = {STUDIO: ScaleMap(), STREET: STREET_MAP}
    parts = tuple(
        TrainedOn(one.title, split, one.scale, maps[one.title], {"mean": 3.0},
                  tuple(photo_hash(one.title, photo) for photo in learnt[one.title]))
        for one in data
    )  # fmt: skip
    return Card(name, CONFIG, SCALE, parts)


def evaluation_of(one: DataSet, names: tuple[str, ...], seed: int) -> Evaluation:
    """Errors of a tenth of the scale on the street, less in the studio, and three times as large for turned heads."""
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 0.4, len(names))
    width = one.scale.high - one.scale.low
    spread = width * np.where(turn > 0.2, 0.09, 0.03) * (2 if one.title == STREET else 1)
    true = np.array([one.samples[name].score for name in names])
    street = np.full(len(names), one.title == STREET)
    odds = np.where(street, 1, -1) * rng.uniform(4, 15, len(names))
    measured = {"turn": turn, "data_set_odds": odds, "distance": rng.normal(20, 2, len(names))}
    return Evaluation(one, names, true + spread * rng.standard_normal(len(names)), 3.0, measured=measured)


@pytest.fixture(scope="module")
def folder(data: tuple[DataSet, DataSet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folds of both sets, with tables of what they held back."""
    root = tmp_path_factory.mktemp("cv")
    for k in range(3):
        held = {one.title: tuple(one.samples)[k::3] for one in data}
        learnt = {one.title: tuple(sorted(set(one.samples) - set(held[one.title]))) for one in data}
        card = replace(card_of(f"x_fold{k}", data, learnt, "fold"), folder=root)
        path = cards.write(card)
        write_held_out(held_out_path(path), card, [evaluation_of(one, held[one.title], k) for one in data])
    return root


def test_a_width_follows_what_is_measured_and_an_old_card_its_score_alone() -> None:
    new = Interval.of({
        "level": 0.9, "scores": [2, 4], "half_width": [0.3, 0.3], "other_half_width": [0.6, 0.6],
        "factors": {"turn": {"at": [0.1, 0.3], "value": [1.0, 2.0]}}, "max_distance": 9.0, "unusual_half_width": 1.5,
    })  # fmt: skip
    measured = {
        "turn": np.array([0.0, 0.3, np.nan, 0.0]),
        "data_set_odds": np.array([-15.0, -15.0, 15.0, 0.0]),
        "distance": np.array([1.0, 2.0, np.nan, 10.0]),
    }
    assert new.at(np.full(4, 3.0), measured) == pytest.approx([0.3, 0.6, 0.6, 1.5], abs=1e-5)
    assert new.at(np.array([3.0])).tolist() == [0.3]  # nothing is known
    assert Interval.of(new.to_json()) == new
    old = Interval.of({"level": 0.9, "scores": [2.0, 4.0], "half_width": [0.3, 0.5]})
    assert old.at(np.array([1.0, 3.0]), measured).tolist() == [0.3, 0.4]


def test_an_unusual_face_gets_its_warning_with_the_rating() -> None:
    interval = Interval(0.9, (2.0, 4.0), (0.3, 0.3), max_distance=9.0, unusual_half_width=1.5)
    card = Card("x", CONFIG, SCALE, interval=interval.to_json())
    ratings = with_intervals(card, np.array([3.0, 3.0]), {"distance": np.array([8.0, 10.0])})
    assert [ratings.warnings(i) for i in range(2)] == [[], ["unusual"]]
    assert ratings.part(1, 1).warnings(0) == ["unusual"]
    assert ratings.half_width is not None
    assert ratings.half_width.tolist() == [0.3, 1.5]
    assert Ratings(np.array([3.0])).warnings(0) == []


def test_calibration_covers_each_set_alike_and_follows_the_errors(data: tuple[DataSet, DataSet], folder: Path) -> None:
    card = card_of("x", data, {one.title: tuple(one.samples) for one in data})
    photos = calibration.held_out(card, folder, data)
    assert len(photos.names) == 2100
    half_width = calibration.cross_fitted(photos)
    rows = {(row.data_set, row.group): row for row in calibration.coverage(photos, half_width)}
    assert set(rows) == {(title, group) for title in (STUDIO, STREET) for group in ("", "female", "male")}
    for title in (STUDIO, STREET):
        assert 0.87 < rows[title, ""].share < 0.93
        assert rows[title, ""].spearman > 0.2
    street = np.array([one.title == STREET for one in photos.data])
    assert half_width[street].mean() > 1.5 * half_width[~street].mean()
    flat = np.abs(photos.true - photos.predicted) <= calibrate(photos.predicted, photos.true).at(photos.predicted)
    assert flat[street].mean() < 0.86 < 0.92 < flat[~street].mean()  # what one width by score for all would cover
    interval = photos.interval()
    assert interval.factors["turn"](np.array([0.35]))[0] > 1.5 * interval.factors["turn"](np.array([0.05]))[0]
    assert interval.max_distance == pytest.approx(20 + 2 * 2.58, abs=0.6)
    assert interval.unusual_half_width > 1.5


def test_what_knows_test_photos_calibrates_nothing(data: tuple[DataSet, DataSet], folder: Path) -> None:
    official = {one.title: one.split("official").train for one in data}
    card = card_of("x_official", data, official, "official")
    with pytest.raises(DataError, match="not in the training part of x_official"):
        calibration.held_out(card, folder, data)
    with pytest.raises(DataError, match="Name this data set"):
        calibration.held_out(card, folder, data[:1])
    with pytest.raises(DataError, match="no networks of the recipe"):
        calibration.held_out(replace(card, config=MeanBaselineConfig(mean=1.0)), folder, data)


def test_a_network_with_a_test_part_is_calibrated_by_one_that_holds_back_some_of_its_training_part(
    data: tuple[DataSet, DataSet], tmp_path: Path
) -> None:
    official = {one.title: one.split("official").train for one in data}
    held = {title: names[::4] for title, names in official.items()}
    learnt = {title: tuple(sorted(set(names) - set(held[title]))) for title, names in official.items()}
    companion = replace(card_of("x_val", data, learnt, "official-val"), folder=tmp_path)
    evaluations = [evaluation_of(one, held[one.title], 5) for one in data]
    write_held_out(held_out_path(cards.write(companion)), companion, evaluations)
    photos = calibration.held_out(card_of("x", data, official, "official"), tmp_path, data)
    assert len(set(photos.part.tolist())) == calibration.PARTS
    assert photos.networks == ("x_val",)
    leaking = replace(card_of("x_val", data, official, "official-val"), folder=tmp_path)
    cards.write(leaking)
    with pytest.raises(DataError, match="has learnt from"):
        calibration.held_out(card_of("x", data, official, "official"), tmp_path, data)


def test_a_network_may_be_calibrated_on_its_own_test_photos_and_the_interval_says_so(
    data: tuple[DataSet, DataSet], tmp_path: Path
) -> None:
    splits = {one.title: one.split("official") for one in data}
    learnt = {title: split.train for title, split in splits.items()}
    card = replace(card_of("x", data, learnt, "official"), folder=tmp_path)
    evaluations = [evaluation_of(one, splits[one.title].test, 5) for one in data]
    write_held_out(held_out_path(cards.write(card)), card, evaluations)
    photos = calibration.held_out(card, tmp_path, data)
    interval = photos.interval()
    assert interval.held_out_by == ("x",)
    assert Interval.of(interval.to_json()) == interval
    with pytest.raises(DataError, match="not in the training part of y"):
        calibration.held_out(replace(card, name="y"), tmp_path, data)


def test_a_table_of_held_out_photos_is_on_the_networks_scale_and_has_no_labels(
    data: tuple[DataSet, DataSet], tmp_path: Path
) -> None:
    names = tuple(data[1].samples)[:4]
    evaluation = evaluation_of(data[1], names, 0)
    evaluation.measured["turn"][1] = np.nan
    evaluation = replace(evaluation, missed=(names[3],))
    card = replace(card_of("x", data, {STUDIO: (), STREET: ()}), folder=tmp_path)
    write_held_out(held_out_path(card.path), card, [evaluation])
    with open(held_out_path(card.path), newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["data_set", "file", "score", "data_set_odds", "distance", "turn"]
    table = read_held_out(card)
    assert table.names == names[:3]
    assert table.predicted == pytest.approx(STREET_MAP.apply(evaluation.predicted[:3]), abs=1e-4)
    assert np.isnan(table.measured["turn"]).tolist() == [False, True, False]
    held_out_path(card.path).write_text("file\nx\n")
    with pytest.raises(DataError, match="not a table of held-out photos"):
        read_held_out(card)


def test_the_command_writes_the_interval_and_the_table(
    data: tuple[DataSet, DataSet],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sets = {one.title: one for one in data}
    monkeypatch.setattr(data_sets, "read", lambda folder, scale: sets[str(folder)])
    card = replace(card_of("x", data, {one.title: tuple(one.samples) for one in data}), folder=tmp_path)
    words = ["--calibrate", str(cards.write(card)), "--folds", str(folder), "--data", STUDIO]
    assert command.main(words) == 2
    assert "Name this data set with --data" in capsys.readouterr().err
    assert command.main([*words, "--data", STREET, "--coverage", str(tmp_path / "coverage.md")]) == 0
    printed = capsys.readouterr().out
    assert "| street: female | 300 |" in printed
    assert "| street: female | 300 |" in (tmp_path / "coverage.md").read_text()
    assert Interval.of(registry.load_card(str(card.path)).interval).factors["turn"].value[-1] > 1
    assert command.main([*words, "--split", "cv"]) == 2
    assert "leave out --split" in capsys.readouterr().err
    assert command.main(["--data", STUDIO, "--data", STREET]) == 2
    assert "need --calibrate" in capsys.readouterr().err


def test_a_section_of_the_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    for name, text in (("a", "first"), ("b", "second"), ("a", "third")):
        write_section(page, name, text)
    text = page.read_text()
    assert "first" not in text
    assert text.index("second") < text.index("third")
    assert text.count("## `a`") == 1


def test_a_training_leaves_measurements_and_a_feature_space(tmp_path: Path) -> None:
    config = preset("synthetic")
    config = replace(config, training=replace(config.training, epochs=1))
    drawn = synthetic.draw(20), replace(synthetic.draw(15, seed=1), title="others")
    run = train(Job(config, drawn, tmp_path / "run"))
    table = read_held_out(run.card)
    assert set(table.data_sets) == {"synthetic faces", "others"}
    assert {"sharpness", "mirror_gap", "distance", "data_set_odds"} <= set(table.measured)
    assert all(np.isfinite(values).all() for values in table.measured.values())
    assert FeatureSpace.of(run.card.stats()).means.shape == (2, 32)
    assert registry.load_card(str(run.card.path)).metrics == run.card.metrics


def test_quantiles_of_equal_weights_are_numpys() -> None:
    values = np.random.default_rng(0).normal(size=101)
    for share in (0.0, 0.13, 0.5, 0.9, 1.0):
        assert weighted_quantile(values, np.full(101, 3.0), share) == pytest.approx(np.quantile(values, share))
    heavy = np.where(values > 0, 9.0, 1.0)
    assert weighted_quantile(values, heavy, 0.5) > np.quantile(values, 0.7)


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert metrics.wilson(0.9, 200) == pytest.approx((0.8506, 0.9343), abs=1e-4)
    assert Curve((0.0, 1.0), (1.0, 3.0))(np.array([-1.0, 0.5])).tolist() == [1.0, 2.0]
