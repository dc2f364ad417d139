"""Tolerance factors and exact intervals of counts: R (reference/tolerance.R), published tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import perfanalytics as perf
from perfanalytics.baselines.intervals import effective, tolerance_interval
from perfanalytics.baselines.tolerance import (
    binomial_prediction,
    binomial_tolerance,
    exact_factor,
    one_sided_factor,
    poisson_prediction,
    poisson_tolerance,
    tolerance_size,
)

# reference/tolerance.R: n, coverage, confidence, two-sided k, one-sided k
FACTORS = [
    (2, 0.95, 0.95, 36.519214612, 26.259673983),
    (5, 0.90, 0.99, 6.654929691, 5.361719675),
    (10, 0.95, 0.95, 3.393429479, 2.910963413),
    (30, 0.99, 0.95, 3.354575845, 3.063901126),
    (100, 0.90, 0.90, 1.823185624, 1.470061565),
    (43, 0.90, 0.99, 2.222825174, 1.873953606),
]


@pytest.mark.parametrize(("n", "coverage", "confidence", "two", "one"), FACTORS)
def test_factors_against_integration_in_r(
    n: int, coverage: float, confidence: float, two: float, one: float
) -> None:
    levels = {"coverage": coverage, "confidence": confidence}
    assert exact_factor(n, n - 1, **levels) == pytest.approx(two, rel=1e-9)
    assert one_sided_factor(n, n - 1, **levels) == pytest.approx(one, rel=1e-9)


# ISO 16269-6 (2014) and Krishnamoorthy and Mathew (2009), tables B1 and B2: 95% / 95%
@pytest.mark.parametrize(
    ("n", "two", "one"), [(5, 5.077, 4.203), (20, 2.760, 2.396), (30, 2.555, 2.220), (50, 2.382, 2.065)]
)
def test_factors_of_the_published_tables(n: int, two: float, one: float) -> None:
    levels = {"coverage": 0.95, "confidence": 0.95}
    assert exact_factor(n, n - 1, **levels) == pytest.approx(two, abs=6e-4)
    assert one_sided_factor(n, n - 1, **levels) == pytest.approx(one, abs=6e-4)


def test_large_samples_where_the_noncentral_t_of_libraries_fails() -> None:
    k = one_sided_factor(1_000_000, 999_999, coverage=0.999, confidence=0.99)
    z = stats.norm.ppf(0.999)
    assert z < k < z + 3 * np.sqrt((1 + z * z / 2) / 1_000_000)


def test_sample_sizes_without_a_distribution() -> None:
    assert (tolerance_size(sides=1), tolerance_size()) == (59, 93)


def test_counts_against_r() -> None:
    # reference/tolerance.R
    assert poisson_tolerance(45, 5, coverage=0.9) == (3, 18)
    assert poisson_tolerance(120, 110, new=45, coverage=0.9, side="upper")[1] == 67
    assert poisson_tolerance(120, 110, new=45, coverage=0.9, side="lower")[0] == 34
    assert poisson_tolerance(300, 12, new=2, coverage=0.95, confidence=0.99) == (31, 73)
    assert binomial_tolerance(230, 1000, new=50, coverage=0.9) == (6, 18)
    assert binomial_tolerance(10, 400, new=200, confidence=0.9, side="upper")[1] == 12
    assert poisson_prediction(24, 5) == (1, 10)
    assert poisson_prediction(3, 10, new=20, coverage=0.9) == (1, 17)
    assert binomial_prediction(20, 400, new=100) == (1, 11)
    assert binomial_prediction(0, 30, new=20, coverage=0.9) == (0, 3)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.7])
def test_exact_prediction_intervals_hold_at_least_what_they_say(share: float) -> None:
    n, new = 40, 25
    x, y = stats.binom.pmf(range(n + 1), n, share), stats.binom.pmf(range(new + 1), new, share)
    held = 0.0
    for k in range(n + 1):
        low, high = binomial_prediction(k, n, new=new, coverage=0.9)
        held += x[k] * y[int(low) : int(high) + 1].sum()
    assert held >= 0.9
    mean = 10 * share
    x, y = stats.poisson.pmf(range(80), 4 * mean), stats.poisson.pmf(range(80), mean)
    held = 0.0
    for k in range(80):
        low, high = poisson_prediction(k, 4, coverage=0.9)
        held += x[k] * y[int(low) : int(min(high, 79)) + 1].sum()
    assert held >= 0.9


def test_exact_intervals_of_a_baseline() -> None:
    x = np.random.default_rng(1).normal(10, 2, 30)
    made = perf.baseline(x, tolerance="exact")
    size = effective(x, "independent")
    k = exact_factor(30, 29, coverage=0.95, confidence=0.95)
    two = made["tolerance interval"].interval
    assert two is not None
    assert (two.high - two.low) / 2 / x.std(ddof=1) == pytest.approx(k)
    assert made["tolerance limit, upper"].interval.high < two.high
    assert made["tolerance limit, lower"].interval.high == np.inf
    howe = perf.baseline(x)["tolerance interval"].interval
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    assert (howe.low, howe.high) == tolerance_interval(mean, sd, size, coverage=0.95, confidence=0.95)
    with pytest.raises(perf.UnknownNameError, match="exact"):
        perf.baseline(x, tolerance="exakt")


def test_exact_rows_of_shares_and_rates() -> None:
    sla = perf.Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
    made = perf.baseline(perf.Series([12, 9, 11, 10, 8, 11, 9, 10], sizes=[50] * 8, measure=sla))
    low, high = binomial_prediction(80, 400, new=50)
    interval = made["next period, exact"].interval
    assert (interval.low, interval.high) == (low / 50, high / 50)
    wild = perf.baseline(
        perf.Series([2, 30, 1, 28, 3, 33, 2, 31], sizes=[50] * 8, measure=sla), dependence="ar1"
    )
    assert wild["next period, exact"].interval is None
    defects = perf.Measure("defects", definition="d", unit="", better="lower", scale="count")
    rate = perf.baseline(perf.Series([3, 5, 2, 4, 6, 4], sizes=[10] * 6, measure=defects))
    assert rate["tolerance interval"].interval.high == poisson_tolerance(24, 60, new=10)[1] / 10


def test_bad_levels() -> None:
    with pytest.raises(perf.InputError, match="between 0 and 1"):
        exact_factor(10, 9, coverage=1.0, confidence=0.95)
    with pytest.raises(perf.UnknownNameError, match="side"):
        poisson_tolerance(3, 1, side="top")  # type: ignore[arg-type]
    with pytest.raises(perf.InputError, match="whole number"):
        binomial_prediction(2.5, 10, new=5)  # type: ignore[arg-type]
