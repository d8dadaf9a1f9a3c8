import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_set import FunctionRater, face_of

from beauty_evaluate.evaluation.published import read_published_permutation
from beauty_evaluate.explain.baselines import soft_edges
from beauty_evaluate.explain.region_shapley import RegionEffects
from beauty_evaluate.explain.region_tables import (
    ALL,
    baseline_agreement,
    derangement,
    effect_rows,
    permuted,
)
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.metrics import mae, pearson
from beauty_evaluate.reporting.region_report import effects_markdown, groups_markdown, permuted_markdown, write_rows

SIDE = 32
NAMES = ("eyes", "mouth", "cheeks", "background")


@pytest.fixture
def masks() -> np.ndarray:
    """Regions that tile a crop: two boxes, what is around them, and a frame."""
    masks = np.zeros((4, SIDE, SIDE), bool)
    masks[0, 6:14, 6:26] = True
    masks[1, 20:26, 10:22] = True
    masks[2, 4:28, 4:28] = True
    masks[2] &= ~masks[:2].any(0)
    masks[3] = ~masks[:3].any(0)
    return masks


@pytest.fixture
def crops(masks: np.ndarray) -> np.ndarray:
    """Grey faces that differ in the brightness of eyes and mouth alone."""
    rng = np.random.default_rng(0)
    crops = np.full((30, SIDE, SIDE, 3), 128, np.uint8)
    for crop in crops:
        crop[masks[0]] = rng.integers(40, 220)
        crop[masks[1]] = rng.integers(40, 220)
    return crops


def faces(crops: np.ndarray) -> list[Face]:
    return [face_of(crop) for crop in crops]


def effects(*values: float) -> RegionEffects:
    found = np.array(values)
    return RegionEffects(NAMES[: len(found)], found, np.full(len(found), 0.1), 3 + found.sum(), 3.0)


def test_rows_hold_means_over_all_and_over_each_group() -> None:
    rows = effect_rows([effects(0.2, 1.0), effects(0.2, -1.0), effects(0.2, -0.6)], ["CF", "AF", "AF"])
    found = {(r.group, r.region): r for r in rows}
    assert list(found) == [(g, n) for g in (ALL, "AF", "CF") for n in ("eyes", "mouth")]
    assert [found[g, "mouth"].mean.value for g in (ALL, "AF", "CF")] == pytest.approx([-0.2, -0.8, 1.0])
    assert [found[g, "mouth"].absolute.value for g in (ALL, "AF", "CF")] == pytest.approx([2.6 / 3, 0.8, 1.0])
    assert [found[g, "mouth"].n for g in (ALL, "AF", "CF")] == [3, 2, 1]
    eyes = found[ALL, "eyes"].mean
    assert (eyes.low, eyes.high) == pytest.approx((0.2, 0.2))


def test_effects_that_do_not_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="2 kinds"):
        effect_rows([effects(0.2), replace(effects(0.2), donors=2)], ["AF", "AF"])
    with pytest.raises(ValueError, match="0 kinds"):
        effect_rows([], [])
    with pytest.raises(ValueError, match="same regions"):
        effect_rows([effects(0.2)], [])


def test_two_baselines_agree_as_far_as_their_effects_do() -> None:
    one = [effects(0.2, 1.0), effects(0.3, -0.1)]
    other = [effects(0.1, 0.8), effects(0.1, -0.2)]
    found = baseline_agreement(one, other)
    assert (found.photos, found.first) == (2, 0.5)
    assert found.mean_difference == pytest.approx((0.1 + 0.2 + 0.2 + 0.1) / 4)
    assert found.pearson == pytest.approx(np.corrcoef([0.2, 1.0, 0.3, -0.1], [0.1, 0.8, 0.1, -0.2])[0, 1])
    gone = replace(one[0], areas=np.array([0.1, 0.0]))
    assert baseline_agreement([gone], other[:1]).mean_difference == pytest.approx(0.1)
    assert "on 50% of them" in found.sentence()


@pytest.mark.parametrize("n", [2, 3, 10])
def test_everybody_gives_once_and_nobody_to_themselves(n: int) -> None:
    for seed in range(20):
        givers = derangement(n, seed)
        assert sorted(givers) == list(range(n))
        assert (givers != np.arange(n)).all()
    assert np.array_equal(derangement(n, 4), derangement(n, 4))


def test_a_permuted_region_costs_what_the_network_reads_there(crops: np.ndarray, masks: np.ndarray) -> None:
    def forward(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(pictures[:, masks[0]].mean((1, 2)) / 60, np.float32)

    labels = forward(crops.astype(np.float32)).astype(np.float64) + np.random.default_rng(3).normal(0, 0.1, len(crops))
    rows = {
        r.region: r
        for r in permuted(
            FunctionRater(forward, SIDE, flip_tta=True), faces(crops), [masks] * len(crops), NAMES, labels, seed=5
        )
    }
    for unread in NAMES[1:]:
        row = rows[unread]
        assert (row.fall.value, row.fall.low, row.fall.high) == (0, 0, 0)
        assert (row.rise.value, row.rise.low, row.rise.high) == (0, 0, 0)
    own = forward(crops.astype(np.float32))
    given = soft_edges(masks)[masks[0]].mean()  # the share of the eyes that comes from the other face
    after = own + given * (own[derangement(len(crops), 5)] - own)
    eyes = rows["eyes"]
    assert (eyes.pearson, eyes.mae) == pytest.approx((pearson(after, labels), mae(after, labels)), abs=1e-5)
    assert eyes.fall.value == pytest.approx(pearson(own, labels) - pearson(after, labels), abs=1e-5)
    assert eyes.fall.low > 0.3
    assert eyes.rise.low > 0.3
    assert eyes.fall.low < eyes.fall.value < eyes.fall.high


def test_the_other_face_is_made_as_bright_as_this_one(crops: np.ndarray, masks: np.ndarray) -> None:
    bright = crops.copy()
    bright[::2] += 30  # light on the whole face, which the eyes do not bring with them

    def contrast(pictures: np.ndarray) -> np.ndarray:
        return np.asarray((pictures[:, masks[0]].mean((1, 2)) - pictures[:, masks[3]].mean((1, 2))) / 60, np.float32)

    labels = contrast(crops.astype(np.float32)).astype(np.float64)
    own = [
        permuted(FunctionRater(contrast, SIDE), faces(c), [masks] * len(c), NAMES, labels)[0].pearson
        for c in (crops, bright)
    ]
    assert own[0] == pytest.approx(own[1], abs=1e-5)


def test_a_face_that_lacks_a_region_stays_as_it_is(crops: np.ndarray, masks: np.ndarray) -> None:
    without = masks.copy()
    without[2] |= without[1]
    without[1] = False

    def forward(pictures: np.ndarray) -> np.ndarray:
        return np.asarray(pictures[:, masks[1]].mean((1, 2)) / 60, np.float32)

    labels = forward(crops.astype(np.float32)).astype(np.float64)
    rows = permuted(FunctionRater(forward, SIDE), faces(crops), [without] * len(crops), NAMES, labels)
    assert [r.pearson for r in rows if r.region == "mouth"] == [pytest.approx(1)]
    assert rows[2].fall.value > 0.3  # the cheeks, which the mouth's pixels belong to now
    with pytest.raises(ValueError, match="Received: 2"):
        permuted(FunctionRater(forward, SIDE), faces(crops[:2]), [masks] * 2, NAMES, labels[:2])


def test_tables_and_files(crops: np.ndarray, masks: np.ndarray, tmp_path: Path) -> None:
    rater, published = FunctionRater(lambda p: p.mean((1, 2, 3)) / 60, SIDE), read_published_permutation()
    lost = permuted(rater, faces(crops), [masks] * 30, NAMES, crops.mean((1, 2, 3)) / 60)
    text = permuted_markdown(lost, published)
    order = [line.split("|")[1].strip() for line in text.splitlines()[2:6]]
    assert order == [r.region for r in sorted(lost, key=lambda r: -r.fall.value)]
    assert order[0] == "eyes"
    assert f"| {published.whole - published.pearson['eyes']:.3f} |" in text
    assert "source unknown" in text
    rows = effect_rows([effects(0.2, 1.0), effects(0.2, -0.6)], ["CF", "AF"])
    assert "| Mean effect | AF, n = 1 | CF, n = 1 |" in groups_markdown(rows)
    assert "| mouth | -0.600 [-0.600, -0.600] | 1.000 [" in groups_markdown(rows)
    assert "n = 2," in effects_markdown(rows)
    assert effects_markdown(rows).index("| mouth | 0.200 [") < effects_markdown(rows).index("| eyes | 0.200 [")
    write_rows(tmp_path / "effects.csv", rows)
    write_rows(tmp_path / "permuted.csv", lost, published)
    with open(tmp_path / "effects.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert found[1] == {
        "way": "ring mean", "group": "all", "region": "mouth", "n": "2", "mean": "0.2000",
        "mean_low": "-0.6000", "mean_high": "1.0000",
        "absolute": "0.8000", "absolute_low": "0.6000", "absolute_high": "1.0000",
    }  # fmt: skip
    with open(tmp_path / "permuted.csv", newline="") as file:
        known = [row["published_fall"] for row in csv.DictReader(file)]
    assert known == ["0.1632", "0.0402", "0.1352", ""]
