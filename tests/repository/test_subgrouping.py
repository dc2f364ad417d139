"""Attributes beside the values: subgroups of single observations, covariates of points and of periods."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.repository.selection import Selection
from perfanalytics.repository.subgrouping import most_frequent
from repository.samples import HOURS, simple

RNG = np.random.default_rng(8)
N = 400
WHEN = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(RNG.integers(0, 140 * 24 * 60, N)), unit="min")
VALUES = RNG.normal(10, 2, N).round(3)
SHIFT = np.where(WHEN.hour < 12, "early", "late")
VERSION = np.where(WHEN < "2024-03-06", 2, 3)
TEAM = RNG.choice(["A", "B"], N)


@pytest.fixture
def loaded(repo):
    repo.load(simple(VALUES, WHEN, measure=HOURS, shift=SHIFT, version=VERSION, team=TEAM))
    return repo


def test_the_observations_of_a_week_are_a_subgroup(loaded):
    series = loaded.series("hours", subgroups="week")
    chart = perf.control_chart(series, chart="xbar_s")
    week = (WHEN - pd.to_timedelta(WHEN.day_of_week, unit="D")).normalize()
    frame = pd.DataFrame({"v": VALUES, "w": week}).groupby("w")["v"].agg(["mean", "std", "size"])
    np.testing.assert_allclose(chart.value[0], frame["mean"], rtol=1e-12)
    np.testing.assert_allclose(chart.value[1], frame["std"], rtol=1e-9)
    assert chart.sizes.tolist() == frame["size"].tolist()
    assert chart.labels.tolist() == [str(w.date()) for w in frame.index]


def test_attributes_and_periods_together(loaded):
    series = loaded.series("hours", subgroups=("day", "shift"))
    assert series.subgroups[0] == f"{WHEN[0].date()}, {SHIFT[0]}"
    stretches = loaded.series("hours", subgroups="shift").subgroups
    assert stretches.tolist() == SHIFT.tolist()
    assert perf.control_chart(series, chart="xbar_s").n_used == len(set(series.subgroups.tolist()))


def test_covariates_come_in_their_own_type_and_make_stages(loaded):
    series = loaded.series("hours", covariates=["version", "team"])
    assert series.covariates["version"].tolist() == VERSION.tolist()
    assert series.covariates["team"].tolist() == TEAM.tolist()
    chart = perf.control_chart(series, stages={"column": "version"})
    assert chart.limits.first.tolist() == [0, int((VERSION == 2).sum())]
    assert chart.limits.labels == ("2", "3")


def test_a_period_has_the_value_of_most_of_its_observations(loaded):
    series = loaded.series("hours", every="week", statistic="mean", covariates="version")
    week = (WHEN - pd.to_timedelta(WHEN.day_of_week, unit="D")).normalize()
    frame = pd.DataFrame({"v": VERSION, "w": week}).groupby("w")["v"].agg(lambda v: v.mode().iloc[-1])
    assert series.covariates["version"].tolist() == frame.tolist()
    assert "most observations" in series.selection["covariates_of_periods"]
    chart = perf.control_chart(series, stages={"column": "version"})
    assert chart.limits.labels == ("2", "3")


def test_in_bulk_as_in_one_batch(loaded):
    many = loaded.batch("hours", by="team", covariates="version")
    method = perf.method("control_charts", stages={"column": "version"})
    run = loaded.map(loaded.select("hours", by="team", covariates="version"), method, progress=False)
    frame = run.to_frame()
    assert frame["stages"].tolist() == [2, 2]
    charts = perf.control_charts(many, stages={"column": "version"})
    np.testing.assert_array_equal(frame["upper"].to_numpy(), charts.upper)
    grouped = loaded.map(
        loaded.select("hours", by="team", subgroups="week"),
        perf.method("control_charts", chart="xbar_s"),
        progress=False,
    ).to_frame()
    batch = loaded.batch("hours", by="team", subgroups="week")
    np.testing.assert_array_equal(grouped["center"], perf.control_charts(batch, chart="xbar_s").center)


def test_weeks_of_another_day_and_of_another_zone(repo):
    frame = pd.DataFrame(
        {
            "v": [1.0, 2.0, 3.0, 4.0],
            "t": ["2024-07-06 23:30", "2024-07-07 00:30", "2024-07-07 23:30", "2024-07-08 00:30"],
        }
    )
    source = perf.Source(
        "zoned",
        frame=frame,
        columns={"t": "time"},
        formats={"t": "%Y-%m-%d %H:%M"},
        time_zone="Europe/Berlin",
        measures=(perf.SourceMeasure(HOURS, value="v", when="t"),),
    )
    repo.load(source)
    days = repo.series("hours", subgroups="day").subgroups
    assert [str(d) for d in days] == ["2024-07-06", "2024-07-07", "2024-07-07", "2024-07-08"]
    utc = repo.series("hours", subgroups="day", zone="UTC").subgroups
    assert [str(d) for d in utc] == ["2024-07-06", "2024-07-06", "2024-07-07", "2024-07-07"]
    sunday = repo.series("hours", subgroups="week", week_start="sunday").subgroups
    assert [str(d) for d in sunday] == ["2024-06-30", "2024-07-07", "2024-07-07", "2024-07-07"]


def test_misuse(loaded):
    with pytest.raises(perf.UnknownNameError, match="did you mean 'shift'"):
        loaded.series("hours", subgroups="shft")
    with pytest.raises(perf.UnknownNameError, match="did you mean 'version'"):
        loaded.series("hours", covariates=["versoin"])
    with pytest.raises(perf.InputError, match="single observations"):
        loaded.series("hours", subgroups="shift", every="week")
    with pytest.raises(perf.InputError, match="one period at most"):
        loaded.series("hours", subgroups=("day", "week"))


def test_a_period_that_is_an_attribute_is_ambiguous(repo):
    repo.load(simple([1.0, 2.0], ["2024-01-01", "2024-01-02"], measure=HOURS, week=["a", "b"]))
    with pytest.raises(perf.InputError, match="a period and an attribute"):
        repo.series("hours", subgroups="week")


def test_a_selection_without_them_is_named_as_before(loaded):
    plain = loaded.select("hours")
    assert {"subgroups", "covariates"}.isdisjoint(plain.to_record())
    assert Selection.from_record(json.loads(json.dumps(plain.to_record()))) == plain
    rich = loaded.select("hours", subgroups=("day", "shift"), covariates="team")
    assert Selection.from_record(json.loads(json.dumps(rich.to_record()))) == rich


def test_missing_values_have_a_subgroup_of_their_own(repo):
    repo.load(
        simple(
            [1.0, 2.0, 3.0], ["2024-01-01", "2024-01-02", "2024-01-03"], measure=HOURS, team=["A", None, "B"]
        )
    )
    series = repo.series("hours", subgroups="team", covariates="team")
    assert series.subgroups.tolist() == ["A", "(missing)", "B"]
    with pytest.raises(perf.InputError, match="point 1 is charted but has no value"):
        perf.control_chart(series, stages={"column": "team"})


def test_most_frequent_keeps_types():
    cell = np.array([0, 0, 1, 1])
    assert most_frequent(cell, np.array([1, 2, 3, 3]), 2).tolist() == [2, 3]
    assert np.isnan(most_frequent(cell, np.array([1, 2, 3, 3]), 3)[2])
    days = np.array(["2024-01-01", "2024-01-02", "NaT", "NaT"], dtype="datetime64[us]")
    assert np.isnat(most_frequent(cell, days, 2)[1])
    assert most_frequent(np.array([], dtype=int), np.array([], dtype=object), 2).tolist() == [None, None]
