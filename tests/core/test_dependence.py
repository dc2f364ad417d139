"""Reference: R 4 acf(x, lag.max = 1, plot = FALSE) for the lag-1 value."""

from __future__ import annotations

import numpy as np
import pytest

from perfanalytics.core.coerce import as_batch
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.core.series import Series

SHARE = Measure("s", definition="d", unit="1", better="higher", scale="proportion")


def test_lag1_agrees_with_r_acf():
    # acf(c(34.05,34.40,33.59,35.96,34.70,33.51,33.79,34.04,34.52,33.75), lag.max=1, plot=FALSE)$acf[2]
    y = np.array([34.05, 34.40, 33.59, 35.96, 34.70, 33.51, 33.79, 34.04, 34.52, 33.75])
    expected = -0.11932513075881
    assert lag1_autocorrelation(y, np.array([0, 10]))[0] == pytest.approx(expected, rel=1e-9)


def test_batch_equals_one_by_one_and_gaps_do_not_pair():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=30), rng.normal(size=20)
    both = lag1_autocorrelation(np.concatenate([a, b]), np.array([0, 30, 50]))
    assert both[0] == lag1_autocorrelation(a, np.array([0, 30]))[0]
    assert both[1] == lag1_autocorrelation(b, np.array([0, 20]))[0]
    gap = np.array([1.0, 2.0, np.nan, 3.0, 4.0])
    y = gap[~np.isnan(gap)] - 2.5
    assert lag1_autocorrelation(gap, np.array([0, 5]))[0] == pytest.approx(
        (y[0] * y[1] + y[2] * y[3]) / (y @ y)
    )


def test_constant_and_short_series_have_no_correlation():
    assert np.isnan(lag1_autocorrelation(np.array([3.0, 3, 3, 3]), np.array([0, 4]))[0])
    assert np.isnan(lag1_autocorrelation(np.array([1.0, 2]), np.array([0, 2]))[0])


def test_effective_size():
    assert effective_size(100, 0.6) == pytest.approx(25)
    assert effective_size(50, 0.0) == 50
    assert corrected_lag1(np.nan, 100.0) == 0
    assert corrected_lag1(0.36, 100.0) == pytest.approx(0.37 / 0.96)
    assert corrected_lag1(0.99, 20.0) == 0.95


@pytest.mark.parametrize("every", ["hour", "day", "week", "month", "quarter", "year"])
def test_period_start_is_the_inverse(every):
    t = np.datetime64("1969-01-03T05:30", "us") + np.arange(3000) * np.timedelta64(37, "h")
    number = period_number(t, every)
    start = period_start(number, every)
    assert (start <= t).all()
    assert (period_start(number + 1, every) > t).all()
    assert (period_number(start, every) == number).all()


def test_weeks_start_on_the_day_asked_for():
    t = np.array(["2024-01-06", "2024-01-07", "2024-01-08"], dtype="datetime64[us]")  # Sat, Sun, Mon
    assert np.diff(period_number(t, "week")).tolist() == [0, 1]
    assert np.diff(period_number(t, "week", week_start="sunday")).tolist() == [1, 0]


def test_counts_and_shares_are_told_apart():
    assert counts_and_sizes(Series([0, 1, 1], measure=SHARE).as_batch())[0].tolist() == [0, 1, 1]
    shares = Series([0.24, 0.3, np.nan], measure=SHARE, sizes=[50, 50, 0]).as_batch()
    counts, sizes, how = counts_and_sizes(shares)
    assert how == "shares"
    assert counts[:2].tolist() == [12, 15]
    assert np.isnan(counts[2])
    assert np.isnan(sizes[2])
    # one of four and one of five, also where the measure is declared a proportion
    assert counts_and_sizes(Series([1, 1], measure=SHARE, sizes=[4, 5]).as_batch())[0].tolist() == [1, 1]
    assert counts_and_sizes(Series([1, 1], sizes=[4, 5]).as_batch())[2] == "counts"
    told = Series([1, 0], sizes=[4, 5], selection={"statistic": "share"}).as_batch()
    assert counts_and_sizes(told)[0].tolist() == [4, 0]


def test_each_series_of_a_batch_is_read_as_it_is_alone():
    few = Series([0, 1, 0], measure=SHARE, sizes=[50, 50, 50])
    more = Series([3, 1, 4], measure=SHARE, sizes=[50, 50, 50])
    shares = Series([0.06, 1.0, 0.08], measure=SHARE, sizes=[50, 50, 50])
    counts, _, how = counts_and_sizes(as_batch({"few": few, "more": more, "shares": shares}))
    assert counts.tolist() == [0, 1, 0, 3, 1, 4, 3, 50, 4]
    assert how == "counts in some series, shares in others"


@pytest.mark.parametrize(
    ("values", "sizes", "message"),
    [
        ([5, 60], [50, 50], "exceeds"),
        ([-1, 2], [5, 5], "negative"),
        ([0.5, 2], [5, 5], "neither"),
        ([3], None, "denominators"),
    ],
)
def test_impossible_counts_are_refused(values, sizes, message):
    with pytest.raises(InputError, match=message):
        counts_and_sizes(Series(values, sizes=sizes).as_batch())
