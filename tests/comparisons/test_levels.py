"""The batched primary: many series in one call, the same numbers as one by one."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.comparisons.levels import effective_periods, level_changes
from perfanalytics.core.errors import InputError, UnknownNameError


def ar1_rows(rng, m, n, rho):
    e = rng.standard_normal((m, n))
    y = e.copy()
    for t in range(1, n):
        y[:, t] = rho * y[:, t - 1] + math.sqrt(1 - rho**2) * e[:, t]
    return y


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.tuples(st.integers(8, 40), st.integers(8, 40)), min_size=1, max_size=6),
    gaps=st.booleans(),
)
def test_a_batch_is_its_series_one_by_one(seed, sizes, gaps):
    rng = np.random.default_rng(seed)
    series = [np.cumsum(rng.standard_normal(a + b)) * 0.3 + rng.standard_normal(a + b) for a, b in sizes]
    if gaps:
        for y in series:
            y[rng.random(len(y)) < 0.1] = np.nan
    offsets = np.concatenate([[0], np.cumsum([len(y) for y in series])])
    together = level_changes(np.concatenate(series), offsets, [a for a, _ in sizes])
    for i, (y, (a, _)) in enumerate(zip(series, sizes, strict=True)):
        alone = level_changes(y, [0, len(y)], a)
        for name in ("estimate", "se", "rho", "noise", "log_spread"):
            assert getattr(together, name)[i] == pytest.approx(
                getattr(alone, name)[0], rel=1e-5, abs=1e-6, nan_ok=True
            ), name
        assert together.df[i] == pytest.approx(alone.df[0], rel=1e-2, nan_ok=True)


@pytest.mark.parametrize(
    ("seed", "sizes", "gaps"),
    [(598, None, False), (297, [(14, 30), (8, 8), (8, 8), (16, 40), (40, 40)], True)],
)
def test_the_search_ends_at_the_minimum_also_in_a_corner_of_the_bounds(seed, sizes, gaps):
    """Two parameters at their bounds at once once led uphill, and the search stopped before the minimum."""
    rng = np.random.default_rng(seed)
    if sizes is None:
        sizes = [(int(rng.integers(8, 41)), int(rng.integers(8, 41))) for _ in range(6)]
    series = [np.cumsum(rng.standard_normal(a + b)) * 0.3 + rng.standard_normal(a + b) for a, b in sizes]
    for y in series if gaps else ():
        y[rng.random(len(y)) < 0.1] = np.nan
    offsets = np.concatenate([[0], np.cumsum([len(y) for y in series])])
    together = level_changes(np.concatenate(series), offsets, [a for a, _ in sizes])
    for i, (y, (a, _)) in enumerate(zip(series, sizes, strict=True)):
        alone = level_changes(y, [0, len(y)], a)
        for name in ("estimate", "se", "rho", "noise", "log_spread"):
            one, other = getattr(together, name)[i], getattr(alone, name)[0]
            assert one == pytest.approx(other, rel=1e-6, nan_ok=True), name


def test_too_short_and_constant_series_are_not_tested():
    y = np.concatenate([np.arange(20.0) % 3, np.arange(12.0) % 3, np.zeros(10), np.arange(10.0) % 3])
    found = level_changes(y, [0, 20, 32, 52], [10, 5, 10])
    assert np.isnan(found.estimate).tolist() == [False, True, True]


def test_log_scale_is_the_log_of_the_values():
    y = np.exp(ar1_rows(np.random.default_rng(2), 1, 60, 0.3)[0])
    log = level_changes(y, [0, 60], 30, scale="log")
    raw = level_changes(np.log(y), [0, 60], 30)
    assert log.estimate[0] == raw.estimate[0]
    with pytest.raises(InputError, match="positive"):
        level_changes(y - 10, [0, 60], 30, scale="log")


def test_a_gap_is_a_distance():
    """A missing value leaves rho squared between its neighbours: removing it shifts the estimate."""
    y = ar1_rows(np.random.default_rng(4), 1, 80, 0.7)[0]
    holes = y.copy()
    holes[5:15] = np.nan
    closed = np.delete(y, np.arange(5, 15))
    gap = level_changes(holes, [0, 80], 40)
    without = level_changes(closed, [0, 70], 30)
    assert gap.rho[0] != without.rho[0]
    assert gap.effective_before[0] == pytest.approx(float(effective_periods(30, gap.rho, gap.noise)[0]))


def test_bad_input():
    y = np.arange(30.0)
    with pytest.raises(InputError, match="offsets must rise"):
        level_changes(y, [0, 20], 10)
    with pytest.raises(InputError, match="cannot lie after point 31"):
        level_changes(y, [0, 30], 31)
    with pytest.raises(UnknownNameError, match="did you mean 'log'"):
        level_changes(y, [0, 30], 15, scale="logs")
    with pytest.raises(InputError, match="weights"):
        level_changes(y, [0, 30], 15, weights=[-1.0] * 30)


def test_effective_periods_is_the_double_sum():
    n, rho, v = 25, 0.7, 0.3
    k = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    correlation = (1 - v) * rho**k
    correlation[np.diag_indices(n)] = 1
    expected = n**2 / correlation.sum()
    assert float(effective_periods(n, np.array(rho), np.array(v))) == pytest.approx(expected, rel=1e-12)


def test_false_alarms_on_autocorrelated_series():
    """COMPARE.md: 4 to 5% at rho 0.4, where Welch has 19%. 600 series: standard error 0.9 points."""
    m, n = 600, 100
    y = ar1_rows(np.random.default_rng(99), m, n, 0.4)
    found = level_changes(y.ravel(), np.arange(m + 1) * n, 50)
    rate = float((found.p_value < 0.05).mean())
    assert 0.02 < rate < 0.08
    a, b = y[:, :50], y[:, 50:]
    z = (b.mean(1) - a.mean(1)) / np.sqrt(a.var(1, ddof=1) / 50 + b.var(1, ddof=1) / 50)
    assert (np.abs(z) > 1.98).mean() > 0.13


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.4, 0.6])
@pytest.mark.parametrize("n", [30, 50, 100])
def test_false_alarms_in_every_cell(rho, n):
    """COMPARE.md: 4.0 to 5.0 in all twelve cells; within four standard errors of 3000 series."""
    m = 3000
    y = ar1_rows(np.random.default_rng(1000 * n + int(10 * rho)), m, 2 * n, rho)
    found = level_changes(y.ravel(), np.arange(m + 1) * 2 * n, n)
    assert 0.03 < float((found.p_value < 0.05).mean()) < 0.07


def test_ten_thousand_series_take_seconds():
    """The aim is 20 s for 10,000 on an idle machine: 300 series in CPU time, with room for a busy one."""
    m, n = 300, 120
    y = ar1_rows(np.random.default_rng(7), m, n, 0.3)
    start = time.process_time()
    level_changes(y.ravel(), np.arange(m + 1) * n, 60)
    assert time.process_time() - start < 300 * 20 / 10_000 * 4
