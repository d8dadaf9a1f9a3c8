"""Named features, rules learnt from them, sub-scores that mean something, and the picture of all that."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT_PNG
from geometry_support import NAMES, SCALE, TINY, drawn_faces, geometry_card, region_recipes, sub_scores_card

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.explain import explain
from beauty_evaluate.faces import features, geometry
from beauty_evaluate.faces.detect import find_faces
from beauty_evaluate.faces.landmarks import landmarks
from beauty_evaluate.files import sha256
from beauty_evaluate.phrases import WEIGHT_OF
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.geometry import GeometryConfig, GeometryRater, Rule, load_arrays
from beauty_evaluate.raters.parts import Parts
from beauty_evaluate.raters.regressors import Standardiser
from beauty_evaluate.raters.sub_scores import SubScoresConfig, SubScoresRater
from beauty_evaluate.reporting.face_report import write_face_report
from beauty_evaluate.reporting.html import file_uri
from beauty_evaluate.reporting.landmark_picture import COLOURS, landmark_picture
from beauty_evaluate.training.families import train_rater
from beauty_evaluate.training.job import Job
from beauty_evaluate.training.measuring import write_arrays
from beauty_evaluate.training.rules import fit_rule
from beauty_evaluate.training.sub_scores import distribution, fit_parts, positive_weights

CONFIG = CropConfig()
BY_NAME = {feature.name: feature for feature in geometry.FEATURES}


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:
    """Landmarks (1, 468, 2) of a portrait, in shares of the crop."""
    (face,) = find_faces(images.read(PORTRAIT_PNG))
    return landmarks(face.crop(CONFIG), CONFIG)[None] / CONFIG.size


@pytest.fixture(scope="module")
def values() -> tuple[np.ndarray, np.ndarray]:
    """Features (300, F) and scores that hang on some of each region's."""
    rng = np.random.default_rng(0)
    features_of_faces = rng.normal(size=(300, len(features.NAMES)))
    signal = sum(features_of_faces[:, features.columns(region)[0]] for region in features.REGIONS)
    return features_of_faces, 3 + 0.25 * signal + 0.1 * rng.normal(size=300)


def measured(mesh: np.ndarray, name: str) -> float:
    return float(BY_NAME[name].measure(mesh)[0])


def test_a_feature_reads_its_own_points_alone_and_a_region_those_of_no_other(mesh: np.ndarray) -> None:
    elsewhere = mesh + np.random.default_rng(0).normal(0, 0.1, mesh.shape)
    for feature in geometry.FEATURES:
        moved = elsewhere.copy()
        moved[:, list(feature.points)] = mesh[:, list(feature.points)]
        assert np.array_equal(feature.measure(moved), feature.measure(mesh)), feature.name
        assert not np.array_equal(feature.measure(elsewhere), feature.measure(mesh)), feature.name
        assert {i for line in feature.lines for i in line} <= feature.points
    read = {
        region: {i for feature in geometry.FEATURES if feature.region == region for i in feature.points}
        for region in geometry.REGIONS
    }
    every = [i for points in read.values() for i in points]
    assert len(every) == len(set(every))
    assert len(features.NAMES) == len(set(features.NAMES)) == len(features.REGION_OF)


def test_features_do_not_hang_on_the_size_of_the_crop_or_its_place(mesh: np.ndarray) -> None:
    small, large = (
        geometry.measure(mesh * size / (1 + 2 * margin), CropConfig(size=size, margin=margin))
        for size, margin in ((64, 0.0), (512, 0.25))
    )
    assert np.allclose(small, large, atol=1e-9)
    moved = geometry.measure((mesh + 0.1) * CONFIG.size, CONFIG)
    assert np.allclose(moved, geometry.measure(mesh * CONFIG.size, CONFIG), atol=1e-9)


def test_known_faces_measure_as_they_should(mesh: np.ndarray) -> None:
    flat = mesh.copy()
    flat[0, [33, 133]], flat[0, [160, 158]], flat[0, [144, 153]] = [(0.3, 0.5), (0.4, 0.5)], (0.35, 0.48), (0.35, 0.51)
    flat[0, [263, 362]], flat[0, [387, 385]], flat[0, [373, 380]] = [(0.7, 0.5), (0.6, 0.5)], (0.65, 0.48), (0.65, 0.51)
    assert measured(flat, "eye aspect ratio") == pytest.approx(0.3)
    assert measured(flat, "eye tilt") == pytest.approx(0)
    flat[0, [33, 263], 1] -= 0.1 * np.tan(np.radians(5))
    assert measured(flat, "eye tilt") == pytest.approx(5)
    thirds = [measured(mesh, f"{part} third") for part in ("upper", "middle", "lower")]
    assert sum(thirds) == pytest.approx(1, abs=0.02)
    smile = mesh.copy()
    smile[0, [61, 291], 1] -= 0.02
    assert measured(smile, "mouth corners to the middle") < measured(mesh, "mouth corners to the middle")


def test_a_mirrored_shape_is_symmetric_and_one_that_leans_too() -> None:
    symmetric = np.random.default_rng(1).normal(0, 0.1, (1, 468, 2))
    feature = BY_NAME["jaw asymmetry"]
    pairs = feature.lines
    for a, b in pairs:
        symmetric[0, b] = symmetric[0, a] * (-1, 1)
    symmetric[0, 152, 0] = 0
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    assert feature.measure(symmetric)[0] == pytest.approx(0, abs=1e-9)
    assert feature.measure(2 * symmetric @ turn.T + 0.3)[0] == pytest.approx(0, abs=1e-9)
    symmetric[0, pairs[0][0]] += 0.1
    assert feature.measure(symmetric)[0] > 0.01


@pytest.mark.parametrize("kind", ["boosting", "mlp"])
def test_a_rule_without_scikit_learn_says_what_scikit_learn_does(
    kind: Rule, values: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.neural_network import MLPRegressor

    learners = []

    def noted(learner: Any) -> Callable[..., Any]:
        fit = learner.fit

        def fit_and_note(self: Any, x: np.ndarray, y: np.ndarray) -> Any:
            learners.append(self)
            return fit(self, x, y)

        return fit_and_note

    for learner in (GradientBoostingRegressor, MLPRegressor):
        monkeypatch.setattr(learner, "fit", noted(learner))
    x, y = values[0][:, :20], values[1]
    rule = fit_rule(replace(TINY, kind=kind), x, y)
    theirs = np.mean([learner.predict(x) for learner in learners], axis=0)
    theirs = theirs * y.std() + y.mean() if kind == "mlp" else theirs
    assert len(learners) == (2 if kind == "mlp" else 1)
    assert theirs.std() > 0.01
    assert np.allclose(rule(x), theirs, atol=1e-6)


@pytest.mark.parametrize("kind", ["boosting", "mlp"])
def test_without_scikit_learn_rules_are_used_but_not_learnt(
    kind: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: tuple[np.ndarray, np.ndarray]
) -> None:
    card = geometry_card(kind, tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert np.isfinite(registry.of_card(card).rate(drawn_faces(2)[0]).mean).all()
    with pytest.raises(ConfigError, match=r"pip install 'beauty_evaluate\[rivals\]'"):
        fit_rule(replace(TINY, kind=kind), *values)


def test_a_face_that_the_mesh_missed_gets_no_wild_score() -> None:
    standardiser = Standardiser.fit(np.random.default_rng(0).normal(size=(50, 3)))
    assert np.abs(standardiser(np.array([[1e9, -1e9, 0]]))).max() == 5


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    card = geometry_card("ridge", tmp_path)
    arrays = {**load_arrays(card), "names": NAMES["names"][1:]}
    write_arrays(card.artifact("rule"), arrays)
    changed = replace(card.artifacts["rule"], sha256=sha256(card.folder / "tiny.rule.npz"))
    with pytest.raises(WeightsError, match="made of other features"):
        GeometryRater(replace(card, artifacts={"rule": changed})).rate(drawn_faces(1)[0])


def test_a_sub_score_is_fed_by_its_own_region_alone(values: tuple[np.ndarray, np.ndarray]) -> None:
    faces, scores = values
    parts = fit_parts(region_recipes(), faces, scores, 3)
    before = parts.scores(faces)
    for i, region in enumerate(parts.parts):
        others = np.setdiff1d(np.arange(faces.shape[1]), features.columns(region))
        changed = faces.copy()
        changed[:, others] = np.random.default_rng(2).normal(size=(len(faces), len(others)))
        after = parts.scores(changed)
        assert np.array_equal(after[:, i], before[:, i]), region
        assert not np.array_equal(after[:, i - 1], before[:, i - 1])
        changed = faces.copy()
        changed[:, features.columns(region)] += 1
        after = parts.scores(changed)
        assert np.array_equal(np.delete(after, i, 1), np.delete(before, i, 1)), region
        assert not np.array_equal(after[:, i], before[:, i])


def test_sub_scores_average_to_the_score_on_the_scale_of_the_data_and_do_not_saturate(
    values: tuple[np.ndarray, np.ndarray],
) -> None:
    faces, scores = values
    parts = fit_parts(region_recipes(), faces[:200], scores[:200], 3)
    mean, shown = parts.rate(faces[200:])
    assert parts.weights.sum() == pytest.approx(1)
    assert (parts.weights > 0).all()
    assert np.corrcoef(mean, scores[200:])[0, 1] > 0.6
    assert np.allclose(sum(shown[r] * shown[WEIGHT_OF + r] for r in features.REGIONS), mean)
    assert abs(np.mean(mean) - scores.mean()) < 0.2
    for row in distribution(parts, faces[200:], scores[200:], SCALE).values():
        assert row["beyond"] < 0.1
        assert row["low"] < row["mean"] < row["high"]
        assert row["sd"] > 0.3 * scores.std()
    again = Parts.of(parts.arrays())
    assert np.array_equal(again.scores(faces), parts.scores(faces))


def test_weights_are_positive_even_of_a_part_that_misleads() -> None:
    rng = np.random.default_rng(0)
    good, noise = rng.normal(size=(2, 2000))
    standings = np.stack([good, noise, -good + 0.1 * rng.normal(size=2000)], axis=1)
    pull = positive_weights(standings, 0.6 * good)
    assert pull[0] == pytest.approx(0.6, abs=0.02)
    assert (pull > 0).all()
    assert max(pull[1:]) < 0.02


@pytest.mark.parametrize("kind", ["ridge", "boosting", "mlp", None])
def test_a_training_leaves_a_rater_and_the_next_one_measures_nothing_again(
    kind: Rule | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAUTY_CACHE", str(tmp_path / "cache"))
    config = GeometryConfig("tiny", rule=replace(TINY, kind=kind)) if kind else SubScoresConfig(rule=TINY, folds=2)
    data = (synthetic.draw(40),)
    said: list[list[str]] = [[], []]
    runs = [train_rater(Job(config, data, tmp_path / str(i)), said[i].append) for i in range(2)]
    assert any("measured" in line for line in said[0])
    assert not any("measured" in line for line in said[1])
    assert any("held back: PC" in line for line in said[1])
    first, second = (registry.load(str(run.card.path)).rate(drawn_faces(3)[0]) for run in runs)
    assert np.array_equal(first.mean, second.mean)
    assert set(first.parts) >= set(() if kind else features.REGIONS)
    if not kind:
        rows = json.loads(runs[0].card.artifact("distribution").read_text())
        assert set(rows) == set(features.REGIONS)


def test_the_picture_shows_every_region_and_its_sub_score(tmp_path: Path) -> None:
    (face,) = find_faces(images.read(PORTRAIT_PNG))
    rater = SubScoresRater(sub_scores_card(tmp_path))
    parts = {name: float(scores[0]) for name, scores in rater.rate([face]).parts.items()}
    weights = {name: parts[WEIGHT_OF + name] for name in features.REGIONS}
    crop = face.crop(CONFIG)
    plain, scored = landmark_picture(crop, CONFIG), landmark_picture(crop, CONFIG, parts, weights)
    assert plain.shape == scored.shape
    assert np.array_equal(plain[:768], scored[:768])
    assert not np.array_equal(plain[768:], scored[768:])
    assert set(features.REGIONS) < set(COLOURS)


def test_the_report_of_a_face_shows_what_was_measured(tmp_path: Path) -> None:
    rater = SubScoresRater(sub_scores_card(tmp_path))
    (face,) = find_faces(images.read(PORTRAIT_PNG))
    out = tmp_path / "report"
    out.mkdir()
    write_face_report(rater, explain(rater, face), "me.png", out, quick=True)
    page = (out / "index.html").read_text()
    assert "<h2>What is measured</h2>" in page
    assert file_uri(out / "landmarks.png") in page
    assert "<td>cheeks</td>" in page
