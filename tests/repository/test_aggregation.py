"""Values per period against pandas, and the statements about them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.repository.aggregation import Span, aggregate
from perfanalytics.repository.repository import Repository
from perfanalytics.repository.source import Source
from repository.samples import DEFECTS, HOURS, MET, simple

LOST = replace(HOURS, name="lost")

START = np.datetime64("2024-01-01T00:00", "us")
FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


def by_pandas(when, values, sizes, every, statistic):
    """The same by pandas, for periods that have observations."""
    frame = pd.DataFrame({"v": values, "s": sizes, "p": pd.PeriodIndex(when, freq=FREQUENCY[every])}).dropna()
    g = frame.groupby("p")
    if statistic in ("share", "rate"):
        return g["v"].sum() / g["s"].sum()
    if statistic.startswith("p"):
        return g["v"].quantile(float(statistic[1:]) / 100)
    name = {"minimum": "min", "maximum": "max"}.get(statistic, statistic)
    return getattr(g["v"], name)()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 400 * 24),
            st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))),
            st.integers(1, 50),
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(sorted(FREQUENCY)),
    st.sampled_from(["count", "sum", "mean", "median", "rate", "minimum", "maximum", "p90", "p25"]),
)
def test_equals_pandas(rows, every, statistic):
    rows = sorted(rows)
    when = START + np.array([r[0] for r in rows], dtype="timedelta64[h]").astype("timedelta64[us]")
    values = np.array([r[1] for r in rows])
    sizes = np.array([float(r[2]) for r in rows])
    span = Span(every, "monday", None, None, when[0], when[-1], whole=False)
    out = aggregate(
        np.array([0, len(rows)]),
        when,
        values,
        sizes if statistic == "rate" else None,
        np.zeros(len(rows), dtype=bool),
        statistic=statistic,
        span=span,
        minimum=None,
    )
    expected = by_pandas(when, values, sizes, every, statistic)
    starts = pd.PeriodIndex(out.when, freq=FREQUENCY[every])
    told = pd.Series(out.values, index=starts)
    np.testing.assert_allclose(told[expected.index], expected, rtol=1e-9, atol=1e-6)
    # every period between the first and the last is there; those without values are 0 or a gap
    assert len(starts) == len(pd.period_range(starts[0], starts[-1], freq=FREQUENCY[every]))
    empty = told[~told.index.isin(expected.index)]
    assert (empty == 0).all() if statistic in ("count", "sum") else empty.isna().all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=20), min_size=2, max_size=5))
def test_a_batch_is_its_series_one_by_one(days):
    days = [sorted(d) for d in days]
    offsets = np.concatenate([[0], np.cumsum([len(d) for d in days])])
    when = START + np.concatenate(days).astype("timedelta64[D]").astype("timedelta64[us]")
    values = np.sin(np.arange(len(when)))
    span = Span("week", "monday", None, None, when.min(), when.max(), whole=False)

    def run(offsets, when, values):
        flags = np.zeros(len(values), dtype=bool)
        return aggregate(offsets, when, values, None, flags, statistic="median", span=span, minimum=None)

    whole = run(offsets, when, values)
    for i in range(len(days)):
        a, b = offsets[i], offsets[i + 1]
        part = run(np.array([0, b - a]), when[a:b], values[a:b])
        c, d = whole.offsets[i], whole.offsets[i + 1]
        assert np.array_equal(whole.values[c:d], part.values, equal_nan=True)
        assert np.array_equal(whole.when[c:d], part.when)


DAYS = ["2024-01-03", "2024-01-04", "2024-01-15", "2024-01-31", "2024-02-02"]


def test_periods_of_a_series(repo):
    repo.load(simple([1, 2, 3, 4, 5], DAYS))
    weeks = repo.series("defects", every="week")
    assert [str(w)[:10] for w in weeks.when] == [
        "2024-01-01",
        "2024-01-08",
        "2024-01-15",
        "2024-01-22",
        "2024-01-29",
    ]
    assert weeks.values.tolist() == [3, 0, 3, 0, 9]
    assert weeks.selection["statistic"] == "sum"  # the default of a count
    assert weeks.selection["empty_periods"] == "0"
    assert weeks.weights.tolist() == [2, 0, 1, 0, 2]
    # data from Wednesday on, to a Friday: first and last week are not complete
    assert weeks.covariates["incomplete"].tolist() == [True, False, False, False, True]
    means = repo.series("defects", every="week", statistic="mean")
    assert np.isnan(means.values[1])
    assert means.values[0] == 1.5
    assert means.sizes.tolist() == [2, 0, 1, 0, 2]
    assert means.selection["empty_periods"] == "gaps (no value)"
    sunday = repo.series("defects", every="week", week_start="sunday")
    assert str(sunday.when[0])[:10] == "2023-12-31"
    assert sunday.values.tolist() == [3, 0, 3, 0, 9]
    assert sunday.selection["week_start"] == "sunday"


def test_bounds_cut_periods_and_say_so(repo):
    repo.load(simple([1, 2, 3, 4, 5], DAYS))
    months = repo.series("defects", every="month", since="2024-01-01", until="2024-02-01")
    assert months.values.tolist() == [10]
    assert months.covariates["incomplete"].tolist() == [False]
    months = repo.series("defects", every="month", since="2024-01-04", until="2024-02-01")
    assert months.values.tolist() == [9]
    assert months.covariates["incomplete"].tolist() == [True]
    before = repo.series("defects", every="month", since="2023-11-01", statistic="count")
    assert before.values.tolist() == [0, 0, 4, 1]


def test_a_minimum_makes_thin_periods_gaps(repo):
    repo.load(simple([1, 2, 3, 4, 5], DAYS))
    weeks = repo.series("defects", every="week", statistic="mean", minimum=2)
    assert np.isnan(weeks.values).tolist() == [False, True, True, True, False]
    assert weeks.selection["minimum"] == 2


def test_monthly_records_describe_whole_months(repo):
    repo.load(simple([1, 2, 3], ["2024-01-01", "2024-02-01", "2024-03-01"]))
    months = repo.series("defects", every="month")
    assert months.covariates["incomplete"].tolist() == [False, False, False]
    assert repo.series("defects", every="quarter").covariates["incomplete"].tolist() == [True]


def test_shares_and_rates_divide_by_the_sum_of_denominators(repo):
    when = ["2024-01-01", "2024-01-02", "2024-01-09"]
    repo.load(simple([1, 3, 2], when, measure=MET, size=[10.0, 10.0, 5.0]))
    raw = repo.series("met")
    assert raw.values.tolist() == [0.1, 0.3, 0.4]  # shares, as a proportion is kept
    assert raw.sizes.tolist() == [10, 10, 5]
    weeks = repo.series("met", every="week")
    assert weeks.selection["statistic"] == "share"
    assert weeks.values.tolist() == [0.2, 0.4]
    assert weeks.sizes.tolist() == [20, 5]


def test_counts_keep_their_denominators(repo):
    repo.load(simple([1, 3, 2], ["2024-01-01", "2024-01-02", "2024-01-09"], size=[10.0, 10.0, 5.0]))
    assert repo.series("defects").values.tolist() == [1, 3, 2]
    weeks = repo.series("defects", every="week", statistic="sum")
    assert (weeks.values.tolist(), weeks.sizes.tolist()) == ([4, 2], [20, 5])
    # a numerator alone says nothing: the default with denominators is the rate
    weeks = repo.series("defects", every="week")
    assert weeks.selection["statistic"] == "rate"
    assert (weeks.values.tolist(), weeks.sizes.tolist()) == ([0.2, 0.4], [20, 5])
    assert repo.series("defects", every="week", statistic="count").sizes is None


def test_the_default_statistic_of_other_scales_is_the_mean(repo):
    repo.load(simple([1.0, 3.0], ["2024-01-01", "2024-01-02"], measure=HOURS))
    weeks = repo.series("hours", every="week")
    assert weeks.selection["statistic"] == "mean"
    assert weeks.values.tolist() == [2.0]
    # hours lost per 100 hours at risk, not the mean of the hours lost
    at_risk = simple([1.0, 3.0], ["2024-01-01", "2024-01-02"], measure=LOST, size=[10.0, 30.0])
    repo.load(Source("sized", frame=at_risk.frame, measures=at_risk.measures))
    weeks = repo.series("lost", every="week")
    assert (weeks.selection["statistic"], weeks.values.tolist()) == ("rate", [0.1])


def test_a_share_needs_cases_and_a_number_of_all(repo):
    repo.load(simple([1.5, 3.0], ["2024-01-01", "2024-01-02"], measure=HOURS))
    with pytest.raises(InputError, match=r"hours has no denominator .* for example"):
        repo.series("hours", every="week", statistic="share")
    yes = simple([0, 1], ["2024-01-01", "2024-01-02"])
    repo.load(Source("yes", frame=yes.frame, measures=yes.measures))
    assert repo.series("defects", every="week", statistic="share").values.tolist() == [0.5]


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"every": "fortnight"}, UnknownNameError, "period"),
        ({"every": "week", "statistic": "avg"}, UnknownNameError, "statistic"),
        ({"every": "week", "statistic": "p100"}, UnknownNameError, "p1 to p99"),
        ({"every": "week", "statistic": "P90"}, UnknownNameError, "did you mean 'p90'"),
        ({"every": "week", "week_start": "mon"}, UnknownNameError, "monday"),
        ({"statistic": "mean"}, InputError, "every="),
        ({"minimum": 3}, InputError, "every="),
        ({"every": "week", "minimum": 0}, InputError, "at least 1"),
    ],
)
def test_misuse(repo, asked, error, message):
    repo.load(simple([1], ["2024-01-01"]))
    with pytest.raises(error, match=message):
        repo.series("defects", **asked)


def test_hours_and_no_observations_at_all(repo):
    repo.load(simple([1, 2], ["2024-01-01 10:10", "2024-01-01 13:59"], team=["a", "b"]))
    hours = repo.series("defects", every="hour", statistic="count")
    assert hours.values.tolist() == [1, 0, 0, 1]
    assert hours.covariates["incomplete"].tolist() == [True, False, False, True]
    assert [e.reason for e in hours.exclusions] == [
        "incomplete period: data begin on 2024-01-01 10:10",
        "incomplete period: data end on 2024-01-01 13:59",
    ]
    none = repo.series("defects", since="2030-01-01")
    assert len(none) == 0
    assert len(repo.series("defects", every="week", until="2020-01-01")) == 0
    assert len(repo.batch("defects", by="team", since="2030-01-01")) == 0
    with Repository.open(":memory:") as empty:
        empty.load(simple([], []))
        assert len(empty.series("defects")) == 0
        assert len(empty.series("defects", every="week")) == 0
    assert DEFECTS.scale == "count"
