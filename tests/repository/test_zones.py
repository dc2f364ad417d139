"""Periods, bounds and records in the zone of the source, across both changes of the clock."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Event, Exclusion
from perfanalytics.repository import mapping, zones
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import DEFECTS, MET, simple
from repository.test_mapping import summary

BERLIN = "Europe/Berlin"


def berlin(times, *, values=None, zone=BERLIN, name="desk", measure=DEFECTS, **columns):
    """A source that writes wall times of Berlin."""
    values = [1.0] * len(times) if values is None else values
    frame = pd.DataFrame({"value": values, "t": pd.to_datetime(times), **columns})
    read = SourceMeasure(measure, value="value", when="t", attributes=tuple(columns))
    return Source(name, frame=frame, time_zone=zone, measures=(read,))


def days(series):
    return [str(w)[:16] for w in series.when]


def test_periods_are_cut_on_the_wall_clock_of_the_source(repo):
    repo.load(berlin(["2024-07-01 23:30", "2024-07-02 00:30", "2024-07-02 12:00", "2024-07-08 00:15"]))
    daily = repo.series("defects", every="day", until="2024-07-03")
    assert days(daily) == ["2024-07-01T00:00", "2024-07-02T00:00"]
    assert daily.values.tolist() == [1, 2]
    assert (daily.clock, daily.selection["clock"], daily.selection["zone"]) == ("local", "local", BERLIN)
    weekly = repo.series("defects", every="week")
    assert days(weekly) == ["2024-07-01T00:00", "2024-07-08T00:00"]
    assert weekly.values.tolist() == [3, 1]
    # single observations stay in UTC
    raw = repo.series("defects")
    assert (raw.clock, str(raw.when[1])[:16]) == ("UTC", "2024-07-01T22:30")
    assert raw.selection["zone"] == BERLIN
    # another zone on request
    assert repo.series("defects", every="day", zone="UTC", until="2024-07-03").values.tolist() == [2, 1]
    tokyo = repo.series("defects", every="day", zone="Asia/Tokyo")
    assert days(tokyo)[0] == "2024-07-02T00:00"
    assert tokyo.values.tolist()[:2] == [3, 0]
    assert repo.series("defects", every="day", zone="UTC").clock == "UTC"


def test_days_of_23_and_of_25_hours(repo):
    # 31 March has 23 hours in Berlin, 27 October has 25: each gets one item an hour of its day
    start = pd.Timestamp("2024-03-30", tz=BERLIN), pd.Timestamp("2024-10-26", tz=BERLIN)
    hours = [s + pd.Timedelta(hours=k) for s in start for k in range(72)]
    frame = pd.DataFrame({"v": 1.0, "t": pd.to_datetime([h.tz_convert("UTC") for h in hours])})
    read = SourceMeasure(DEFECTS, value="v", when="t")
    repo.load(Source("s", frame=frame, measures=(read,)))
    spring = repo.series("defects", every="day", zone=BERLIN, since="2024-03-30", until="2024-04-02")
    assert days(spring) == ["2024-03-30T00:00", "2024-03-31T00:00", "2024-04-01T00:00"]
    assert spring.values.tolist() == [24, 23, 24]
    autumn = repo.series("defects", every="day", zone=BERLIN, since="2024-10-26", until="2024-10-29")
    assert autumn.values.tolist() == [24, 25, 23]  # one item of the 72 is used up by the longer day
    week = repo.series("defects", every="week", zone=BERLIN, since="2024-10-21", until="2024-11-04")
    assert week.values.tolist() == [49, 23]
    # hours stay hours of UTC: all are one hour long
    hourly = repo.series("defects", every="hour", zone=BERLIN, since="2024-10-27", until="2024-10-28")
    assert hourly.clock == "UTC"
    assert hourly.values.tolist() == [1.0] * 25
    expected = pd.date_range("2024-03-30", "2024-04-02", tz=BERLIN)
    counted = pd.Series(1, index=pd.DatetimeIndex(hours)).groupby(lambda t: t.normalize()).sum()
    assert spring.values.tolist() == counted[expected[:-1]].tolist()


@pytest.mark.parametrize("zone", [BERLIN, "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"])
def test_any_zone_equals_pandas(repo, zone):
    rng = np.random.default_rng(5)
    utc = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.sort(rng.integers(0, 366 * 24 * 60, 600)), unit="min"
    )
    frame = pd.DataFrame({"v": 1.0, "t": utc.tz_localize("UTC")})
    repo.load(Source("s", frame=frame, measures=(SourceMeasure(DEFECTS, value="v", when="t"),)))
    series = repo.series("defects", every="day", statistic="count", zone=zone)
    local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None).normalize()
    expected = pd.Series(1, index=local).groupby(level=0).sum()
    told = pd.Series(series.values, index=pd.DatetimeIndex(series.when))
    assert told[told > 0].index.equals(expected.index.as_unit("us"))
    assert told[told > 0].tolist() == expected.tolist()
    assert told.sum() == 600


def test_bounds_are_wall_times_unless_they_have_an_offset(repo):
    repo.load(berlin(["2024-07-01 23:30", "2024-07-02 00:30", "2024-07-02 23:30", "2024-07-03 00:30"]))
    second = {"since": "2024-07-02", "until": "2024-07-03"}
    assert len(repo.series("defects", **second)) == 2
    assert repo.frame("defects", **second)["when"].dt.strftime("%d %H:%M").tolist() == [
        "01 22:30",
        "02 21:30",
    ]
    assert len(repo.series("defects", **second, zone="UTC")) == 2
    assert repo.series("defects", **second, zone="UTC").when[0] == np.datetime64("2024-07-02T21:30")
    assert len(repo.series("defects", since="2024-07-02T00:00+00:00")) == 2
    assert len(repo.series("defects", as_of="2024-07-02")) == 3  # the whole day of the place
    assert len(repo.batch("defects", by=(), until=dt.datetime(2024, 7, 2, 0, 30))[0]) == 1


def test_the_clock_of_a_frame_is_said(repo):
    repo.load(berlin(["2024-07-01 23:30"]))
    assert repo.frame("defects").attrs["clock"] == "UTC"
    repo.load(simple([1], ["2024-07-01"], measure=MET))
    assert repo.frame("met").attrs["clock"] == "local"


def test_a_zone_that_cannot_be_applied(repo):
    repo.load(simple([1], ["2024-07-01"]))
    with pytest.raises(InputError, match="local wall times of no declared zone"):
        repo.series("defects", every="day", zone=BERLIN)
    assert repo.series("defects", every="day").selection["zone"] is None
    repo.load(berlin(["2024-07-01"], measure=MET))
    with pytest.raises(UnknownNameError, match="did you mean 'Europe/Berlin'") as caught:
        repo.series("met", zone="Europe/Berln")
    assert len(caught.value.known) <= 5


def test_sources_of_different_zones_are_cut_in_utc_unless_one_is_named(repo):
    repo.load(berlin(["2024-07-02 00:30"]))
    repo.load(berlin(["2024-07-02 00:30"], zone="Asia/Tokyo", name="tokyo"))
    assert repo.series("defects", every="day").selection["zone"] == "UTC"
    assert repo.series("defects", every="day", zone=BERLIN).values.tolist() == [1, 1]


def test_records_are_on_the_clock_of_the_place(repo):
    times = ["2024-07-01 23:30", "2024-07-02 00:30", "2024-07-02 23:30", "2024-07-03 00:30"]
    repo.load(berlin(times))
    repo.declare(
        Exclusion("flood", when=dt.date(2024, 7, 2)),
        Event("noon", when=dt.datetime(2024, 7, 2, 12), what="x"),
        Event("noon in UTC", when=dt.datetime(2024, 7, 2, 12, tzinfo=dt.UTC), what="x"),
        Event("day", when=dt.date(2024, 7, 2), what="x"),
    )
    raw = repo.series("defects")
    assert raw.excluded()[0].tolist() == [False, True, True, False]
    assert [e.when for e in raw.events if e.name == "noon"] == [dt.datetime(2024, 7, 2, 10)]
    daily = repo.series("defects", every="day")
    mask, why = daily.excluded()
    assert (mask.tolist(), why[1].reason) == ([False, True, False], "flood")
    assert {e.name: e.when for e in daily.events} == {
        "noon": dt.datetime(2024, 7, 2, 12),
        "noon in UTC": dt.datetime(2024, 7, 2, 14),
        "day": dt.date(2024, 7, 2),
    }
    # of the month it is less than the period: its observations are left out, on the days of the place
    monthly = repo.series("defects", every="month", statistic="mean")
    assert monthly.weights.tolist() == [2]
    assert monthly.selection["excluded_observations"][0]["observations"] == 2


def test_a_run_is_cut_as_a_batch(repo, monkeypatch):
    rng = np.random.default_rng(3)
    minutes = np.sort(rng.integers(0, 90 * 24 * 60, 500))
    times = [pd.Timestamp("2024-03-01") + pd.Timedelta(minutes=int(m)) for m in minutes]
    times = [t for t in times if t.strftime("%m-%d %H") != "03-31 02"]
    repo.load(berlin(times, group=[int(k) for k in rng.integers(0, 9, len(times))]))
    monkeypatch.setattr(mapping, "RANGE", 100)
    run = mapping.run(
        repo._engine, repo.select("defects", by="group", every="week"), summary(), progress=False, block=50
    )
    assert run.to_frame()["hash"].tolist() == list(repo.batch("defects", by="group", every="week").hashes())


def test_wall_times_that_are_skipped_or_double():
    assert str(zones.to_utc(np.datetime64("2024-03-31T02:30"), BERLIN))[:16] == "2024-03-31T01:30"
    assert str(zones.to_utc(np.datetime64("2024-10-27T02:30"), BERLIN))[:16] == "2024-10-27T00:30"
    for utc in ("2024-10-27T00:30", "2024-10-27T01:30"):
        assert str(zones.to_wall(np.datetime64(utc), BERLIN))[:16] == "2024-10-27T02:30"
