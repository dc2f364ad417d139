"""Guards: season, stale series, mixed streams; the same for one chart and for many."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import perfanalytics as perf


def codes(series):
    return perf.control_chart(series).caveat_codes


def days(n, first=dt.date(2024, 1, 1)):
    return [first + dt.timedelta(days=k) for k in range(n)]


def months(n):
    return [dt.date(2019 + k // 12, 1 + k % 12, 1) for k in range(n)]


def weekly(n=84, seed=1, height=3.0):
    rng = np.random.default_rng(seed)
    return 20 + rng.standard_normal(n) + np.where(np.arange(n) % 7 >= 5, height, 0.0)


def test_a_quiet_weekend_is_a_season():
    series = perf.Series(weekly(), when=days(84), expected_every="day")
    caveat = next(c for c in perf.control_chart(series).caveats if c.code == "seasonal")
    assert caveat.evidence["lag"] == 7
    assert caveat.evidence["correlation"] > 0.4
    assert caveat.text.startswith("The series repeats itself every week: points 7 apart correlate with 0.")


def test_a_winter_is_a_season():
    rng = np.random.default_rng(2)
    x = 100 + 10 * np.cos(2 * np.pi * np.arange(48) / 12) + 4 * rng.standard_normal(48)
    assert "seasonal" in codes(perf.Series(x, when=months(48), expected_every="month"))
    # without a declared rhythm, or in two years only, nothing is said
    assert "seasonal" not in codes(perf.Series(x, when=months(48)))
    assert "seasonal" not in codes(perf.Series(x[:24], when=months(24), expected_every="month"))


def test_the_season_survives_missing_periods():
    keep = np.ones(84, dtype=bool)
    keep[[10, 33, 34, 50]] = False
    x, when = weekly()[keep], np.array(days(84), dtype=object)[keep]
    assert "seasonal" in codes(perf.Series(x, when=list(when), expected_every="day"))


@pytest.mark.parametrize("kind", ["independent", "correlated", "shifted"])
def test_what_is_no_season(kind):
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(100):
        x = rng.standard_normal(84)
        if kind == "correlated":
            for i in range(1, 84):
                x[i] += 0.6 * x[i - 1]
        elif kind == "shifted":
            x[50:] += 3
        told += "seasonal" in codes(perf.Series(x, when=days(84), expected_every="day"))
    assert told <= 3


def stale(n, as_of, *, every=None):
    rng = np.random.default_rng(4)
    when = days(n) if every == "day" else months(n)
    return perf.Series(
        rng.standard_normal(n), when=when, expected_every=every, selection={"as_of": as_of} if as_of else None
    )


def test_stale_by_the_rhythm():
    # the newest month is December 2020: in January it is the last whole one, in February one may be late
    for as_of, old in (("2021-01-31", False), ("2021-02-28", False), ("2021-03-01", True)):
        assert ("stale" in codes(stale(24, as_of, every="month"))) is old
    text = next(
        c.text
        for c in perf.control_chart(stale(24, "2021-06-10", every="month")).caveats
        if c.code == "stale"
    )
    assert text == (
        "The newest point is of 2020-12-01, 6 months before 2021-06-10: "
        "the chart may not show the process of today."
    )


def test_stale_by_the_longest_gap():
    # months of 31 days: 46.5 days after 1 December 2020 is 16 January, noon
    assert "stale" not in codes(stale(24, "2021-01-16"))
    assert "stale" in codes(stale(24, "2021-01-17"))


def test_the_clock_is_never_asked():
    assert "stale" not in codes(stale(24, None, every="month"))
    gone = stale(24, "2021-03-01", every="month")
    empty = perf.Series(
        [np.nan] * 3, when=months(3), selection={"as_of": "2022-01-01"}, expected_every="month"
    )
    assert "stale" in codes(gone)
    assert codes(empty)[0] == "no-points"


def test_a_missing_newest_value_is_no_news():
    values = np.r_[np.random.default_rng(5).standard_normal(20), [np.nan] * 4]
    series = perf.Series(values, when=months(24), expected_every="month", selection={"as_of": "2021-01-10"})
    assert "stale" in codes(series)


def test_mixed_streams():
    rng = np.random.default_rng(6)
    team = np.array(["A", "B"], dtype=object)[np.arange(60) % 2]
    x = rng.standard_normal(60) + np.where(team == "A", 0.0, 3.0)
    chart = perf.control_chart(perf.Series(x, covariates={"team": team, "weight": rng.standard_normal(60)}))
    caveat = next(c for c in chart.caveats if c.code == "mixed-streams")
    assert caveat.evidence["column"] == "team"
    assert caveat.evidence["streams"] == 2
    share = 1 - sum(((x[k::2] - x[k::2].mean()) ** 2).sum() for k in (0, 1)) / ((x - x.mean()) ** 2).sum()
    assert caveat.evidence["explained"] == pytest.approx(share)
    assert "mixed-streams" in codes(perf.Series(x, subgroups=team))
    # two stages that differ are no streams
    halves = np.repeat(np.array(["A", "B"], dtype=object), 30)
    steps = perf.Series(np.sort(x), covariates={"team": halves})
    assert "mixed-streams" in perf.control_chart(steps).caveat_codes
    levels = np.where(halves == "A", 0.0, 5.0) + rng.standard_normal(60)
    assert (
        "mixed-streams"
        not in perf.control_chart(perf.Series(levels, covariates={"team": halves}), stages=[30]).caveat_codes
    )


def test_equal_streams_are_no_doubt():
    rng = np.random.default_rng(7)
    team = np.array(list("ABC"), dtype=object)[np.arange(45) % 3]
    told = sum(
        "mixed-streams" in codes(perf.Series(rng.standard_normal(45), subgroups=team)) for _ in range(150)
    )
    assert told <= 2
    # an item a value: streams of one point are not compared
    each = np.arange(45).astype(str)
    assert "mixed-streams" not in codes(perf.Series(rng.standard_normal(45), subgroups=each))


def test_many_charts_tell_what_one_tells():
    rng = np.random.default_rng(8)
    team = np.array(["A", "B"], dtype=object)[np.arange(84) % 2]
    series = {
        "season": perf.Series(weekly(), when=days(84), expected_every="day", subgroups=team),
        "streams": perf.Series(
            rng.standard_normal(84) + 3 * (team == "A"), when=days(84), expected_every="day", subgroups=team
        ),
        "old": perf.Series(
            rng.standard_normal(84), when=days(84, dt.date(2020, 1, 1)), expected_every="day", subgroups=team
        ),
    }
    selection = {"as_of": "2024-03-25"}
    batch = perf.SeriesBatch.from_series(series)
    batch = perf.SeriesBatch(
        batch.values, batch.offsets, measure=batch.measure, ids=batch.ids, when=batch.when,
        subgroups=batch.subgroups, expected_every="day", selection=selection,
    )  # fmt: skip
    many = perf.control_charts(batch).caveats_of_series.tolist()
    one = ["; ".join(perf.control_chart(s).caveat_codes) for s in batch]
    assert many == one
    assert "seasonal" in many[0]
    assert "mixed-streams" in many[1]
    assert "stale" in many[2]
    assert "stale" not in many[0]


def test_what_was_cut_off_on_purpose_is_not_stale():
    when = np.datetime64("2021-01-04") + 7 * np.arange(24)
    selection = {"as_of": "2023-01-01T00:00:00", "until": "2021-06-21T00:00:00", "every": "week"}
    series = perf.Series(np.arange(24.0) % 5, when=when, expected_every="week", selection=selection)
    assert "stale" not in perf.control_chart(series).caveat_codes
    late = perf.Series(
        np.arange(24.0) % 5, when=when, expected_every="week", selection=selection | {"until": None}
    )
    assert "stale" in perf.control_chart(late).caveat_codes
