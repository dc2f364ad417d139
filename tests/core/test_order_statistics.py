"""Order statistics: published ranks and sample sizes, R's binomial, coverage by simulation, properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.core.errors import InputError
from perfanalytics.core.order_statistics import (
    prediction_ranks,
    quantile_ranks,
    tolerance_ranks,
    tolerance_size,
)


# Conover (1999), Practical Nonparametric Statistics, section 3.2, and R pbinom
# (tests/reference/baselines_order_statistics.R): ranks of 95% intervals of the median
@pytest.mark.parametrize(
    ("n", "low", "high", "achieved"), [(10, 2, 9, 0.978515625), (20, 6, 15, 0.958610534667969)]
)
def test_median_ranks(n: int, low: int, high: int, achieved: float) -> None:
    got = quantile_ranks(n, 0.5)
    assert (got.low, got.high) == (low, high)
    assert got.achieved == pytest.approx(achieved, rel=1e-12)


# Wilks (1941); Hahn and Meeker (1991), tables A.16 and A.17: coverage, confidence -> two-sided, one-sided
@pytest.mark.parametrize(
    ("coverage", "confidence", "two", "one"),
    [
        (0.95, 0.95, 93, 59),
        (0.90, 0.95, 46, 29),
        (0.99, 0.95, 473, 299),
        (0.90, 0.90, 38, 22),
        (0.95, 0.90, 77, 45),
        (0.99, 0.99, 662, 459),
        (0.95, 0.99, 130, 90),
        (0.50, 0.95, 8, 5),
    ],
)
def test_published_sample_sizes(coverage: float, confidence: float, two: int, one: int) -> None:
    assert tolerance_size(coverage=coverage, confidence=confidence) == two
    assert tolerance_size(coverage=coverage, confidence=confidence, sides=1) == one


def test_smallest_to_largest_as_a_tolerance_interval() -> None:
    # 1 - n c^(n-1) + (n-1) c^n, R (tests/reference/baselines_order_statistics.R)
    for n, achieved in ((30, 0.446457924568215), (50, 0.720568247679305), (93, 0.950024204757384)):
        got = tolerance_ranks(n)
        assert (got.low, got.high) == (1, n)
        assert got.achieved == pytest.approx(achieved, rel=1e-12)
    assert tolerance_ranks(92).achieved < 0.95


def test_extreme_quantiles_of_small_samples() -> None:
    # P90 of 30: the largest value must be the upper end, and 1 - 0.9^30 = 0.958 is enough for it
    got = quantile_ranks(30, 0.9)
    assert got.high == 30
    assert got.achieved >= 0.95
    # P95 of 20: not even the largest value (1 - 0.95^20 = 0.64)
    assert quantile_ranks(20, 0.95).high == 21
    assert quantile_ranks(20, 0.95).bounds(np.arange(20.0))[1] == math.inf
    assert quantile_ranks(20, 0.05).bounds(np.arange(20.0))[0] == -math.inf


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 400), st.floats(0.02, 0.98), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_binomial_law_says_the_same(n: int, p: float, confidence: float) -> None:
    from scipy import stats

    got = quantile_ranks(n, p, confidence=confidence)
    exact = stats.binom.cdf(got.high - 1, n, p) - stats.binom.cdf(got.low - 1, n, p)
    assert got.achieved == pytest.approx(exact, abs=1e-9)
    assert got.achieved >= confidence - 1e-9


@given(st.integers(3, 300), st.floats(1.0, 300.0))
def test_fewer_effective_values_never_narrow_the_interval(n: int, size: float) -> None:
    full, less = quantile_ranks(n, 0.5), quantile_ranks(n, 0.5, n_effective=size)
    assert less.low <= full.low
    assert less.high >= full.high
    assert quantile_ranks(n, 0.5, n_effective=n) == full


def test_coverage_by_simulation() -> None:
    rng = np.random.default_rng(1)
    for p, n in ((0.5, 25), (0.9, 60)):
        ranks = quantile_ranks(n, p)
        ordered = np.sort(rng.exponential(size=(4000, n)), axis=1)
        truth = -math.log1p(-p)
        held = np.mean((ordered[:, ranks.low - 1] <= truth) & (truth <= ordered[:, ranks.high - 1]))
        assert held == pytest.approx(ranks.achieved, abs=4 * math.sqrt(0.05 * 0.95 / 4000))


def test_prediction_ranks() -> None:
    assert prediction_ranks(39).achieved == 0.95
    assert prediction_ranks(10).achieved == pytest.approx(9 / 11)
    got = prediction_ranks(199)
    assert (got.low, got.high, got.achieved) == (5, 195, 0.95)
    assert prediction_ranks(1).achieved == 0.0


def test_misuse() -> None:
    for bad in (0.0, 1.0, -0.1, 95):
        with pytest.raises(InputError, match="between 0 and 1"):
            quantile_ranks(10, bad)
        with pytest.raises(InputError, match="between 0 and 1"):
            tolerance_ranks(10, confidence=bad)
    with pytest.raises(InputError, match="at least one"):
        quantile_ranks(0, 0.5)
    with pytest.raises(InputError, match="sides"):
        tolerance_size(sides=3)
