import numpy as np
import pytest
from scipy.stats import spearmanr

from beauty_evaluate import metrics

TRUE = np.array([1.0, 2.0, 3.0, 4.0, 4.5])
FOUND = np.array([1.5, 1.8, 3.3, 3.9, 4.1])


def test_known_values() -> None:
    assert metrics.pearson(FOUND, TRUE) == pytest.approx(np.corrcoef(FOUND, TRUE)[0, 1])
    assert metrics.mae(FOUND, TRUE) == pytest.approx(0.3)
    assert metrics.rmse(FOUND, TRUE) == pytest.approx(np.sqrt((0.25 + 0.04 + 0.09 + 0.01 + 0.16) / 5))
    assert metrics.spearman(FOUND**3, TRUE) == pytest.approx(1)
    assert metrics.spearman([1, 1, 2], [1, 2, 3]) == pytest.approx(np.sqrt(3) / 2)


def test_a_constant_has_no_correlation() -> None:
    assert np.isnan(metrics.pearson(np.full(5, 3.0), TRUE))


def test_bootstrap_holds_the_estimate_and_narrows_with_n() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=400)
    found = true + rng.normal(size=400)
    low, high = metrics.bootstrap_pearson(found, true, rounds=300)
    assert low < metrics.pearson(found, true) < high
    few_low, few_high = metrics.bootstrap_pearson(found[:40], true[:40], rounds=300)
    assert few_high - few_low > 2 * (high - low)


def test_unequal_or_empty_input_is_an_error() -> None:
    for a, b in (([1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(ValueError, match="one length"):
            metrics.mae(a, b)


def test_intervals_are_as_wide_as_theory_says_and_the_same_twice() -> None:
    values = np.random.default_rng(1).normal(0.3, 0.5, (100, 3))
    found = metrics.estimates(values)
    for column, estimate in zip(values.T, found, strict=True):
        assert estimate.low < estimate.value < estimate.high
        assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * column.std() / 10, rel=0.1)
    assert found == metrics.estimates(values)
    assert found != metrics.estimates(values, seed=1)
    assert list(map(float, metrics.bootstrap(lambda pick: 1.0, 5))) == [1, 1]


def test_tied_ranks_are_shared_as_scipy_does() -> None:
    values = np.random.default_rng(3).integers(0, 5, (2, 40)).astype(float)
    assert metrics.spearman(*values) == pytest.approx(spearmanr(*values).statistic)
