"""The faithfulness evaluation: on raters of which it is known what they read, and on synthetic faces with a rule."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_set import SCALE, FunctionRater, face_of, keras_rater, state

from beauty_evaluate import presets
from beauty_evaluate.cli import faithfulness as command
from beauty_evaluate.config import ScaleMap
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.explain import faithfulness_evaluation, ground_truth
from beauty_evaluate.explain.faithfulness import (
    CONTROLS,
    DELETION_STEPS,
    GRID,
    Example,
    Verdict,
    cell_sums,
    cells,
    controls,
    deletion_score,
    measure,
    random_sets,
    verdicts,
)
from beauty_evaluate.explain.faithfulness_evaluation import FaithfulnessEvaluation, conclusion, evaluate_faithfulness
from beauty_evaluate.explain.faithfulness_maps import RATED_MAPS, Explainer, map_methods, spread
from beauty_evaluate.explain.ground_truth import (
    CLEAR_MARGIN_POINTS,
    EYES,
    JAW,
    REQUIRED_SHARE,
    GroundTruth,
    compare_with_rule,
)
from beauty_evaluate.explain.randomization import (
    ParameterRandomization,
    layers,
    parameter_randomization_test,
    randomize_from_top,
)
from beauty_evaluate.explain.region_shapley import region_effects
from beauty_evaluate.explain.reliability import FAILED
from beauty_evaluate.metrics import Estimate
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.reporting.faithfulness_report import faithfulness_markdown, ground_truth_markdown
from beauty_evaluate.training.export import write_network
from beauty_evaluate.training.fit import fit

SIDE = 32


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """Two eyes, of which the network likes one bright and the other dark, and the rest of the crop."""
    masks = np.zeros((3, SIDE, SIDE), bool)
    masks[0, 8:14, 4:14] = True
    masks[1, 8:14, 18:28] = True
    masks[2] = ~masks[:2].any(0)
    return masks


@pytest.fixture(scope="module")
def weights(masks: np.ndarray) -> np.ndarray:
    """Of a linear network that reads the eyes alone."""
    strength = np.random.default_rng(7).uniform(0.5, 1.5, (SIDE, SIDE))
    return np.asarray((1.0 * masks[0] - masks[1]) * strength / 5000)


def reading(weights: np.ndarray, flip_tta: bool = False) -> FunctionRater:
    return FunctionRater(lambda crops: 3 + (crops.sum(3) * weights).sum((1, 2)), SIDE, flip_tta)


@pytest.fixture(scope="module")
def reader(weights: np.ndarray) -> FunctionRater:
    return reading(weights)


@pytest.fixture(scope="module")
def cases(masks: np.ndarray) -> list[Example]:
    """Faces of patches of one brightness, so that there is something to see in a cell."""
    rng = np.random.default_rng(1)
    crops = rng.integers(0, 256, (20, 8, 8, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    return [Example(face_of(crop), crop, masks, np.full(crop.shape, 128, np.float32)) for crop in crops]


def true_map(case: Example, weights: np.ndarray) -> np.ndarray:
    return np.asarray(((case.crop - case.fill) * weights[..., None]).sum(2), np.float32)


def judged(reader: FunctionRater, cases: list[Example], explain: Callable[[Example, int], np.ndarray]) -> Verdict:
    measured = [measure(reader, c, {"map": cell_sums(explain(c, i))}, i) for i, c in enumerate(cases)]
    found = {v.name: v for v in verdicts(measured)}
    assert set(found) == {"map", *CONTROLS}
    assert not any(found[name].passed for name in CONTROLS)
    return found["map"]


def test_the_true_map_is_read(reader: FunctionRater, cases: list[Example], weights: np.ndarray) -> None:
    verdict = judged(reader, cases, lambda case, i: true_map(case, weights))
    assert verdict.passed
    assert verdict.sentence == "beats random, centre blob, edges, raw pixels"
    assert verdict.fidelity.low > 0.999
    assert verdict.deletion_score.low > 0.1
    assert all(difference.low > 0 for pair in verdict.margin_over_controls.values() for difference in pair)


@pytest.mark.parametrize("wrong", ["random", "sign turned", "sign lost", "moved", "constant"])
def test_a_wrong_map_is_not_read(wrong: str, reader: FunctionRater, cases: list[Example], weights: np.ndarray) -> None:
    def explain(case: Example, i: int) -> np.ndarray:
        true = true_map(case, weights)
        maps = {
            "random": np.random.default_rng(i + 1000).normal(size=true.shape),
            "sign turned": -true,
            "sign lost": np.abs(true),
            "moved": np.roll(true, SIDE // 2, 0),
            "constant": np.ones_like(true),
        }
        return np.asarray(maps[wrong])

    verdict = judged(reader, cases, explain)
    right = judged(reader, cases, lambda case, i: true_map(case, weights))
    assert verdict.deletion_score.high < right.deletion_score.low
    assert verdict.fidelity.high < right.fidelity.low
    if wrong != "sign lost":  # where eyes are, even without signs, is more than the controls know
        assert not verdict.passed
        assert verdict.sentence.startswith(f"{FAILED}: it does not beat random")


def test_the_deletion_score_of_a_linear_network_is_known(
    reader: FunctionRater, cases: list[Example], weights: np.ndarray
) -> None:
    case = cases[0]
    sums = cell_sums(true_map(case, weights))
    ordered = np.sort(sums)
    cuts = [GRID**2 * k // DELETION_STEPS for k in range(1, DELETION_STEPS)]
    by_hand = sum(ordered[::-1][:cut].sum() - ordered[:cut].sum() for cut in cuts) / DELETION_STEPS
    assert deletion_score(reader, case, sums) == pytest.approx(by_hand, abs=1e-4)
    assert deletion_score(reader, case, -sums) == pytest.approx(-by_hand, abs=1e-4)
    assert deletion_score(reader, case, np.ones(GRID**2)) == 0


def test_the_score_that_is_explained_is_the_one_with_the_mirror_image(
    cases: list[Example], weights: np.ndarray
) -> None:
    def both(values: np.ndarray) -> np.ndarray:
        return np.asarray((values + values[:, ::-1]) / 2)

    found = measure(reading(weights, flip_tta=True), cases[0], {"map": cell_sums(true_map(cases[0], both(weights)))}, 0)
    assert found["map"][1] == pytest.approx(1, abs=1e-4)


def test_cells_share_out_the_map_and_sets_are_blocks() -> None:
    for size in (SIDE, 50):
        values = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
        assert cell_sums(values).sum() == pytest.approx(values.sum(), abs=1e-3)
    assert (np.bincount(cells(SIDE).ravel()) == 4).all()
    sets = random_sets(0)
    assert (sets.sum(1) == 0.25 * GRID**2).all()
    assert len(np.unique(sets, axis=0)) == len(sets)
    grid = sets.reshape(-1, GRID, GRID)
    assert np.array_equal(grid[:, ::2, ::2], grid[:, 1::2, 1::2])
    assert not np.array_equal(sets, random_sets(1))


def test_region_effects_become_a_map_that_sums_to_them(reader: FunctionRater, cases: list[Example]) -> None:
    case = cases[3]
    effects = region_effects(reader, case.face, case.masks, ("left", "right", "rest"))
    found = spread(effects, case.masks)
    assert [found[mask].sum() for mask in case.masks] == pytest.approx(effects.effects, abs=1e-5)
    assert np.ptp(found[case.masks[0]]) == 0
    assert (found[case.masks[2]] == 0).all()


def test_controls_know_the_picture_but_not_the_network(cases: list[Example]) -> None:
    crop = cases[0].crop
    up, down = controls(crop, 1, 5), controls(crop, -1, 5)
    assert tuple(up) == CONTROLS
    assert np.array_equal(up["random"], down["random"])
    assert all(np.array_equal(up[name], -down[name]) for name in CONTROLS[1:])
    assert up["centre blob"].argmax() in np.ravel_multi_index(([15, 15, 16, 16], [15, 16, 15, 16]), (SIDE, SIDE))
    assert up["edges"][1:3, 1:3].max() == 0 < up["edges"][:, 4].max()  # inside a patch, and between two
    assert not np.array_equal(up["random"], controls(crop, 1, 6)["random"])


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return builders.build(presets.preset("synthetic"), seed=1)


@pytest.fixture(scope="module")
def network(model: keras.Model) -> NetworkRater:
    return keras_rater(model, False)


@pytest.fixture(scope="module")
def faces() -> list[Example]:
    """Synthetic faces in ten bands, as many as there are regions of a photo."""
    bands = np.arange(64) * 10 // 64
    masks = np.broadcast_to((bands == np.arange(10)[:, None])[..., None], (10, 64, 64))
    crops = load_crops(list(synthetic.draw(4).samples.values()), presets.preset("synthetic").crop)
    return [Example.of(face_of(crop), presets.preset("synthetic").crop, masks) for crop in crops.centre]


def test_weights_become_random_from_the_score_down(model: keras.Model, network: NetworkRater) -> None:
    before = model.get_weights()
    assert layers(model) == ["score", "fc2", "fc1", *(f"block{b}" for b in range(6, 0, -1))]
    for depth, last in enumerate(layers(model), 1):
        clone = randomize_from_top(network, last, 9).keras_model()
        other = {
            layer.name.split("_")[0]
            for layer in model.layers
            if layer.name.endswith(("score", "fc1", "fc2", "conv1"))
            and not np.array_equal(layer.get_weights()[0], clone.get_layer(layer.name).get_weights()[0])
        }
        assert other == set(layers(model)[:depth])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_map_that_does_not_ask_the_network_does_not_fade(network: NetworkRater, faces: list[Example]) -> None:
    seen = []

    def edges(rater: Rater) -> Explainer:
        seen.append(rater)
        return lambda case: controls(case.crop, 1, 0)["edges"]

    def bias(rater: Rater) -> Explainer:
        """A map that turns with the first weight of the score."""
        sign = np.sign(network_of(rater, "The sign").keras_model().get_layer("score").get_weights()[0][0, 0])
        return lambda case: sign * controls(case.crop, 1, 0)["edges"]

    def flat(rater: Rater) -> Explainer:
        return lambda case: np.zeros(case.crop.shape[:2], np.float32)

    makers = {"edges": edges, "bias": bias, "flat": flat}
    originals = {name: [cell_sums(make(network)(case)) for case in faces] for name, make in makers.items()}
    found = parameter_randomization_test(network, makers, faces, originals, "score")
    assert found["edges"] == pytest.approx(np.ones(4))
    assert np.abs(found["bias"]) == pytest.approx(np.ones(4))
    assert (found["flat"] == 0).all()
    clones = seen[len(faces) :]
    assert len({id(clone) for clone in clones}) == len(faces)
    assert network not in clones


def test_a_map_of_the_network_fades_when_all_its_weights_are_random(
    network: NetworkRater, faces: list[Example]
) -> None:
    makers = {k: v for k, v in map_methods(network).items() if k == "integrated gradients"}
    explain = makers["integrated gradients"](network)
    originals = {"integrated gradients": [cell_sums(explain(case)) for case in faces]}
    (found,) = parameter_randomization_test(network, makers, faces, originals, "block1").values()
    assert abs(found.mean()) < 0.3
    assert np.abs(found).max() < 0.9


def test_an_evaluation_leaves_the_model_as_found(
    model: keras.Model, network: NetworkRater, faces: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(model)
    fast = {name: make for name, make in map_methods(network).items() if name not in RATED_MAPS}
    monkeypatch.setattr(faithfulness_evaluation, "map_methods", lambda _: fast)

    def first(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_faithfulness(network, faces, first)
    assert state(model) == before
    monkeypatch.setattr("beauty_evaluate.explain.randomization.spearman", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # while maps fade
        evaluate_faithfulness(network, faces[:1])
    assert state(model) == before


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.01, value + 0.01)


def test_the_report_says_which_map_fails() -> None:
    won, lost = (estimate(0.3), estimate(0.2)), (estimate(0.3), estimate(0.005))
    maps = [
        Verdict("good", estimate(0.5), estimate(0.4), dict.fromkeys(CONTROLS, won)),
        Verdict("bad", estimate(0.5), estimate(0.4), {**dict.fromkeys(CONTROLS, won), "edges": lost}),
        Verdict("edges", estimate(0.1), estimate(0.1), {}),
    ]
    faded = {
        "good": ParameterRandomization({"score": estimate(0.9), "block1": estimate(0.1)}, 0.24, 0.05),
        "bad": ParameterRandomization({"block1": estimate(-0.1)}, 0.26, 0.05),
    }
    lines = faithfulness_markdown(FaithfulnessEvaluation(("a.jpg",), 0, maps, faded)).splitlines()
    rows = {name: [line for line in lines if line.startswith(f"| {name} |")] for name in ("good", "bad", "edges")}
    fades = "fades when the weights are made random |"
    assert rows["good"][0].endswith(f"| beats random, centre blob, edges, raw pixels, and {fades}")
    assert rows["bad"][0].endswith(f"| {FAILED}: it does not beat edges |")
    assert rows["edges"][0].endswith("| control |")
    assert rows["good"][2] == "| good | 0.90 | 0.100 [0.090, 0.110] | 0.24 | 0.05 | yes |"
    assert not ParameterRandomization({"score": estimate(0), "block1": estimate(0.3)}, 0.3, 0.27).passed
    assert conclusion(maps[0], faded["bad"]) == f"{FAILED}: it hardly {fades[:-2]}"
    assert rows["bad"][2] == "| bad |  | -0.100 [-0.110, -0.090] | 0.26 | 0.05 | no |"


@pytest.fixture
def card(small_scut: Path, tmp_path: Path) -> Path:
    """The card of an untrained network that the test part of `small_scut` is new to."""
    config = presets.preset("synthetic")
    learnt = TrainedOn("SCUT-FBP5500", "60-40", SCALE, ScaleMap(), {}, ())
    toy = Card("toy", config, SCALE, (learnt,), folder=tmp_path)
    toy = write_network(builders.build(config, seed=1), np.zeros((1, 64, 64, 3), np.uint8), toy)
    path = tmp_path / "toy.json"
    path.write_text(toy.to_json())
    return path


def test_the_command_writes_a_report_and_its_numbers(
    small_scut: Path, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "MIN_FACES", 2)
    monkeypatch.setattr(faithfulness_evaluation, "MIN_FACES", 2)
    monkeypatch.setattr(faithfulness_evaluation, "RANDOMIZED_FACES", 1)
    out = tmp_path / "evaluation"
    given = ["--data", small_scut, "--n", 2, "--weights", card, "--out", out]
    assert command.main(list(map(str, given))) == 0, capsys.readouterr().err
    report, facts = (out / "faithfulness.md").read_text(), json.loads((out / "faithfulness.json").read_text())
    assert report.startswith(
        "# Are the explanations of toy faithful?\n\n2 photos of the test part of SCUT-FBP5500, 60-40"
    )
    assert set(facts["photos"]) < {f"{g}9002.jpg" for g in ("AF", "AM", "CF", "CM")}
    for name, says in facts["maps"].items():
        assert f"| {says} |" in next(line for line in report.splitlines() if line.startswith(f"| {name} |"))
    layers = [f"HiResCAM of block{b}_conv1" for b in (3, 4, 5, 6)]
    assert list(facts["maps"]) == ["regions", "occlusion", "integrated gradients", *layers]
    assert [row["name"] for row in facts["measured"]] == [*facts["maps"], *CONTROLS]
    assert list(facts["randomization"]) == list(facts["maps"])
    assert list(facts["randomization"]["regions"]["layers"]) == ["block1"]
    ways = {"score", "fc2", "fc1", *(f"block{b}" for b in range(1, 7))}
    assert set(facts["randomization"]["integrated gradients"]["layers"]) == ways
    chances = [facts["randomization"][name]["chance"] for name in ("regions", layers[-1], "occlusion")]
    assert chances == pytest.approx([0.266, 0.461, 0.05], abs=1e-3)  # 10, 4 and 256 values
    figures = [
        row[k][v] for row in facts["measured"] for k in ("deletion_score", "fidelity") for v in ("value", "low", "high")
    ]
    assert np.isfinite(figures).all()


def test_the_command_evaluates_weights_of_synthetic_faces_without_data(
    synthetic_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ground_truth, "DONORS", 1)
    monkeypatch.setattr(ground_truth, "MIN_CLEAR_FACES", 1)
    words = [
        "--n",
        "10",
        "--weights",
        str(synthetic_run / "weights" / "synthetic.json"),
        "--out",
        str(tmp_path / "evaluation"),
    ]
    assert command.main(words) == 0, capsys.readouterr().err
    facts = json.loads((tmp_path / "evaluation" / "faithfulness.json").read_text())
    assert (facts["weights"], facts["faces"]) == ("synthetic", 10)
    assert facts["first"]["clear ones"]["n"] < facts["first"]["all"]["n"] == 10
    assert facts["first"]["clear ones, driven by the jaw"]["n"] >= 1
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| all |"))
    assert row.startswith(f"| all | 10 | {facts['first']['all']['first']:.1%} |")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--n", "9"], "--n takes a number of at least 10, not 9."),
        ([], "toy was trained on SCUT-FBP5500. Give --data DIR, or weights of synthetic faces."),
        (["--data", "scut"], "The test part of SCUT-FBP5500, 60-40, has 4 photos, not 100. Lower --n."),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_get_one_sentence(
    words: list[str], says: str, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert command.main([*words, "--weights", str(card)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> NetworkRater:
    """A network that has learnt the rule of the synthetic faces in the fewest steps that do."""
    base = presets.preset("synthetic")
    config = replace(base, training=replace(base.training, epochs=14, precision="float32"))
    crops = load_crops(list(synthetic.draw().samples.values()), config.crop)
    return keras_rater(fit(config, crops, tmp_path_factory.mktemp("synthetic"))[0], False)


def test_the_region_that_drives_the_score_comes_first(learnt: NetworkRater, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground_truth, "DONORS", 2)  # for speed
    monkeypatch.setattr(ground_truth, "MIN_CLEAR_FACES", 15)
    truth = compare_with_rule(learnt, 40)
    rows = truth.rows()
    n, first, eyes = rows["clear ones"]
    assert n >= 15
    assert eyes < REQUIRED_SHARE <= first  # to say `eyes` each time is not enough
    n, first, eyes = rows["clear ones, driven by the jaw"]
    assert n >= 15
    assert eyes == 0
    assert first >= 0.7  # so small a network errs on some of the widths itself
    assert np.corrcoef(truth.rule[:, EYES], truth.effects[:, EYES])[0, 1] > 0.9
    idle = [r for r in range(truth.rule.shape[1]) if r not in (EYES, JAW)]
    assert np.abs(truth.effects[:, idle]).mean() < 0.2 * np.abs(truth.effects[:, EYES]).mean()


def test_a_network_that_has_learnt_nothing_does_not_pass(
    network: NetworkRater, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ground_truth, "DONORS", 1)
    monkeypatch.setattr(ground_truth, "MIN_CLEAR_FACES", 4)
    truth = compare_with_rule(network, 16)
    rows = truth.rows()
    assert max(first for _, first, _ in rows.values()) < REQUIRED_SHARE
    assert rows["clear ones, driven by the eyes"][2] == 1
    row = next(line for line in ground_truth_markdown(truth).splitlines() if line.startswith("| all |"))
    assert row == f"| all | 16 | {rows['all'][1]:.1%} | {rows['all'][2]:.1%} |"


def test_what_comes_first_is_counted_by_size_and_sign() -> None:
    rule = np.zeros((4, len(ground_truth.REGIONS)))
    rule[:, EYES], rule[:, JAW] = [1, -1, 0.1, 0.4], [0.4, 0.4, -0.4, 0.4 - CLEAR_MARGIN_POINTS / 2]
    found = rule.copy()
    found[1, EYES] = 1  # right in size, wrong in sign
    found[2, EYES] = 0.6
    truth = GroundTruth(rule, found, 4)
    assert truth.clear.tolist() == [True, True, True, False]
    assert truth.first.tolist() == [True, False, False, True]
    assert truth.rows()["clear ones, driven by the eyes"] == (2, 0.5, 1)
    assert truth.rows()["clear ones, driven by the jaw"] == (1, 0, 0)
    assert "| clear ones | 3 | 33.3% | 66.7% |" in ground_truth_markdown(truth)
