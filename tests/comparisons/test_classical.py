"""The classical tests against R and published tables."""

import json
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.comparisons.classical import (
    brown_forsythe,
    ewc_welch,
    ljung_box,
    mann_whitney,
    mann_whitney_distribution,
    midranks,
    pairwise_order_statistics,
    welch,
)

#: comparisons_classical.R: R 4.2.2
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "comparisons_classical.json").read_text())
SAMPLES = REFERENCE["samples"]


@pytest.mark.parametrize("case", SAMPLES, ids=lambda c: c["name"])
def test_welch_is_t_test(case):
    found = welch(np.array(case["before"]), np.array(case["after"]), 0.95)
    r = case["welch"]
    assert found.statistic == pytest.approx(r["t"], rel=1e-10)
    assert found.df == pytest.approx(r["df"], rel=1e-10)
    assert found.p_value == pytest.approx(r["p"], rel=1e-9)
    assert (found.low, found.high) == pytest.approx((r["low"], r["high"]), rel=1e-9)
    assert found.se == pytest.approx(r["se"], rel=1e-10)


@pytest.mark.parametrize("case", SAMPLES, ids=lambda c: c["name"])
def test_mann_whitney_is_wilcox_test(case):
    found = mann_whitney(np.array(case["before"]), np.array(case["after"]), 0.95)
    r = case["wilcoxon"]
    assert found.statistic == r["u"]
    assert found.p_value == pytest.approx(r["p"], rel=1e-10)
    assert (found.how == "exact") == r["exact"]
    if r["exact"]:
        assert found.estimate == pytest.approx(r["estimate"], abs=1e-12)
        assert (found.low, found.high) == pytest.approx((r["low"], r["high"]), abs=1e-12)
    else:
        # R's estimate is a root found to about 1e-4 in a step function, and its interval has the continuity
        # correction of the root search: ours are order statistics of the same differences, so they may
        # differ by the spacing of the differences there.
        x, y = np.array(case["before"]), np.array(case["after"])
        differences = np.sort((y[:, None] - x[None]).ravel())
        for ours, theirs in ((found.estimate, r["estimate"]), (found.low, r["low"]), (found.high, r["high"])):
            between = np.searchsorted(differences, sorted((ours, theirs)))
            ties = np.count_nonzero(np.isclose(differences, ours, atol=2e-4))
            assert abs(int(between[1]) - int(between[0])) <= 2 + ties


@pytest.mark.parametrize("case", SAMPLES, ids=lambda c: c["name"])
def test_brown_forsythe_and_ljung_box(case):
    found = brown_forsythe(np.array(case["before"]), np.array(case["after"]))
    assert found.statistic == pytest.approx(case["brown_forsythe"]["f"], rel=1e-9)
    assert found.p_value == pytest.approx(case["brown_forsythe"]["p"], rel=1e-9)
    white = ljung_box(np.array(case["before"]), fitted=1)
    assert white.statistic == pytest.approx(case["ljung_box"]["q"], rel=1e-10)
    assert white.df == case["ljung_box"]["df"]
    assert white.p_value == pytest.approx(case["ljung_box"]["p"], rel=1e-9)


@pytest.mark.parametrize(("n1", "n2"), [(1, 1), (2, 3), (4, 4), (5, 3), (1, 6)])
def test_exact_distribution_by_enumeration(n1, n2):
    counts = np.zeros(n1 * n2 + 1)
    for chosen in combinations(range(n1 + n2), n2):
        counts[sum(chosen) - n2 * (n2 - 1) // 2] += 1
    assert mann_whitney_distribution(n1, n2) == pytest.approx(counts / counts.sum(), rel=1e-12)


def test_exact_distribution_of_the_largest_problem():
    d = mann_whitney_distribution(49, 49)
    assert d[0] == pytest.approx(1 / math.comb(98, 49), rel=1e-12)
    u = np.arange(len(d))
    assert float((d * u).sum()) == pytest.approx(49 * 49 / 2, rel=1e-12)
    variance = float((d * (u - 49 * 49 / 2) ** 2).sum())
    assert variance == pytest.approx(49 * 49 * 99 / 12, rel=1e-10)
    assert (np.diff(d[: len(d) // 2]) >= 0).all()


def test_published_hodges_lehmann_example():
    """Hollander, Wolfe and Chicken (2014), section 4.1, Examples 4.1 to 4.4: water through membranes."""
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = mann_whitney(np.array(term), np.array(early), 0.904)
    assert found.estimate == pytest.approx(-0.305, abs=1e-9)
    # W = 30 for the five, U = 15; two-sided exact p = 2 x 0.127
    assert found.statistic == 15
    assert found.p_value == pytest.approx(2 * 0.1272, abs=2e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(700, 900), st.integers(700, 900), st.booleans())
def test_order_statistics_of_many_differences(seed, n1, n2, rounded):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal(n1), rng.standard_normal(n2)
    if rounded:
        x, y = x.round(1), y.round(1)
    wanted = sorted(rng.integers(1, n1 * n2, 4).tolist())
    brute = np.sort((y[:, None] - x[None]).ravel())
    found = pairwise_order_statistics(x, y, wanted)
    assert found == pytest.approx([brute[r - 1] for r in wanted], abs=1e-12)


def test_too_few_values_for_an_interval():
    found = mann_whitney(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 0.95)
    assert found.estimate == 2.0
    assert math.isnan(found.low)
    assert found.p_value == pytest.approx(1 / 3)


def test_all_values_equal():
    same = np.full(60, 2.0)
    found = mann_whitney(same, same, 0.95)
    assert found.estimate == 0
    assert math.isnan(found.p_value)
    assert math.isnan(welch(same, same, 0.95).p_value)
    assert math.isnan(brown_forsythe(same, same).p_value)
    assert math.isnan(ljung_box(same, fitted=1).p_value)


def test_midranks():
    ranks, ties = midranks(np.array([3.0, 1.0, 3.0, 2.0]))
    assert ranks.tolist() == [3.5, 1.0, 3.5, 2.0]
    assert ties.tolist() == [1, 1, 2]


def test_ewc_is_its_definition():
    """Lazarus and others (2018), eq. 7: the mean square of the cosine coefficients."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(40), 1 + 2 * rng.standard_normal(60)
    variances, terms = [], []
    for side in (x, y):
        n = len(side)
        nu = int(0.4 * n ** (2 / 3))
        coefficients = [
            math.sqrt(2 / n) * sum(v * math.cos(math.pi * j * (t + 0.5) / n) for t, v in enumerate(side))
            for j in range(1, nu + 1)
        ]
        variances.append(sum(c * c for c in coefficients) / nu / n)
        terms.append(nu)
    found = ewc_welch(x, y, 0.95)
    assert found.se == 0 or found.statistic == pytest.approx(
        (y.mean() - x.mean()) / math.sqrt(sum(variances)), rel=1e-10
    )
    df = sum(variances) ** 2 / sum(v * v / k for v, k in zip(variances, terms, strict=True))
    assert found.df == pytest.approx(df, rel=1e-10)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-100, 100), min_size=3, max_size=20),
    st.lists(st.floats(-100, 100), min_size=3, max_size=20),
)
def test_swapping_the_sides_negates(before, after):
    x, y = np.array(before), np.array(after)
    one, two = mann_whitney(x, y, 0.9), mann_whitney(y, x, 0.9)
    assert one.estimate == pytest.approx(-two.estimate, abs=1e-9)
    assert one.p_value == pytest.approx(two.p_value, nan_ok=True)
    assert one.low == pytest.approx(-two.high, abs=1e-9, nan_ok=True)
