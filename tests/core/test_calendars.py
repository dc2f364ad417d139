"""Working calendars: against counting minute by minute, then properties, then bad input."""

from __future__ import annotations

import datetime as dt
import json
import time
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.core import codec
from perfanalytics.core.calendars import Calendar, working_hours
from perfanalytics.core.errors import InputError, UnknownNameError

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = Calendar("office", hours=dict.fromkeys(WEEK, ("08:00", "18:00")), holidays=["2024-05-20"])
SPLIT = Calendar(
    "split",
    hours={"monday": [("08:00", "12:00"), ("13:00", "17:30")], "saturday": ("00:00", "24:00")},
    holidays=[dt.date(2024, 5, 25)],
)


def at(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]")


def by_counting(start: np.datetime64, end: np.datetime64, calendar: Calendar) -> float:
    """Working hours by looking at every minute."""
    minutes = 0
    moment, stop = start.astype(dt.datetime), end.astype(dt.datetime)
    while moment < stop:
        day = moment.strftime("%A").lower()
        clock = moment.strftime("%H:%M")
        if moment.date() not in calendar.holidays:
            minutes += any(a <= clock < b for a, b in calendar.hours.get(day, ()))
        moment += dt.timedelta(minutes=1)
    return minutes / 60


def test_a_weekend_and_a_holiday_do_not_count() -> None:
    # Friday 17 May 16:00 to Tuesday 21 May 9:00; Monday 20 May 2024 was Whit Monday
    assert working_hours(at("2024-05-17T16:00"), at("2024-05-21T09:00"), OFFICE).tolist() == [3.0]


@pytest.mark.parametrize("calendar", [OFFICE, SPLIT])
def test_against_counting_every_minute(calendar: Calendar) -> None:
    rng = np.random.default_rng(3)
    start = at("2024-05-10") + rng.integers(0, 20 * 1440, 40).astype("timedelta64[m]")
    end = start + rng.integers(0, 10 * 1440, 40).astype("timedelta64[m]")
    expected = [by_counting(a, b, calendar) for a, b in zip(start, end, strict=True)]
    np.testing.assert_allclose(working_hours(start, end, calendar), expected, rtol=0, atol=1e-12)


def test_missing_times_are_nan_and_reversed_ones_negative() -> None:
    got = working_hours(
        at("NaT", "2024-05-14T09:00", "2024-05-14T12:00"),
        at("2024-05-14T10:00", "NaT", "2024-05-14T09:30"),
        OFFICE,
    )
    assert np.isnan(got[:2]).all()
    assert got[2] == -2.5
    assert np.isnan(working_hours(at("NaT"), at("NaT"), OFFICE)).all()
    assert working_hours(at(), at(), OFFICE).shape == (0,)


def test_stops_are_subtracted_once_and_only_inside_working_time() -> None:
    start, end = at("2024-05-14T08:00", "2024-05-14T08:00"), at("2024-05-14T18:00", "2024-05-15T18:00")
    stops = (
        np.array([0, 0, 0, 1, 1]),
        at(
            "2024-05-14T09:00", "2024-05-14T09:30", "2024-05-13T00:00", "2024-05-14T17:00", "2024-05-15T17:00"
        ),
        at("2024-05-14T11:00", "2024-05-14T10:00", "2024-05-14T08:15", "2024-05-15T09:00", "NaT"),
    )
    # row 0: 10 h - 2 h (the inner stop lies within) - 15 min; row 1: 20 h - (1 + 1) h - 1 h to the end
    assert working_hours(start, end, OFFICE, stopped=stops).tolist() == [7.75, 17.0]


def test_stops_of_reversed_or_missing_rows_change_nothing() -> None:
    start, end = at("2024-05-14T12:00", "NaT"), at("2024-05-14T10:00", "2024-05-14T10:00")
    stops = (np.array([0, 1]), at("2024-05-14T10:00", "2024-05-14T09:00"), at("2024-05-14T11:00", "NaT"))
    got = working_hours(start, end, OFFICE, stopped=stops)
    assert got[0] == -2.0
    assert np.isnan(got[1])


def test_a_zone_follows_summer_time() -> None:
    always = Calendar("always", hours=dict.fromkeys((*WEEK, "saturday", "sunday"), ("00:00", "24:00")))
    berlin = Calendar("berlin", hours=always.hours, zone="Europe/Berlin")
    # round the clock, UTC hours are working hours also across the change of 31 March 2024
    assert working_hours(at("2024-03-30T00:00"), at("2024-04-01T00:00"), berlin).tolist() == [48.0]
    office = Calendar("office", hours=OFFICE.hours, zone="Europe/Berlin")
    # 8:00 is 7:00 UTC in winter and 6:00 UTC in summer
    winter = working_hours(at("2024-03-28T06:00"), at("2024-03-28T08:00"), office)
    summer = working_hours(at("2024-04-02T06:00"), at("2024-04-02T08:00"), office)
    assert (winter[0], summer[0]) == (1.0, 2.0)


def test_the_lost_hour_of_spring_against_counting_minutes() -> None:
    zone = "America/New_York"
    calendar = Calendar("night", hours={"sunday": [("01:30", "02:30"), ("02:45", "04:00")]}, zone=zone)
    # Sunday 10 March 2024: 2:00 to 3:00 does not exist, so 1:30-2:00 and 3:00-4:00 are left
    midnight = dt.datetime(2024, 3, 10, tzinfo=dt.UTC)
    minutes = 0
    for k in range(12 * 60):
        local = (midnight + dt.timedelta(minutes=k)).astimezone(ZoneInfo(zone))
        clock = local.strftime("%H:%M")
        minutes += local.weekday() == 6 and ("01:30" <= clock < "02:30" or "02:45" <= clock < "04:00")
    assert minutes == 90
    assert working_hours(at("2024-03-10T00:00"), at("2024-03-10T12:00"), calendar).tolist() == [1.5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60 * 1440), min_size=3, max_size=3).map(sorted))
def test_time_adds_up_and_turns_its_sign(minutes: list[int]) -> None:
    a, b, c = (at("2024-04-01") + np.timedelta64(m, "m") for m in minutes)
    whole = working_hours(a, c, SPLIT)
    assert whole[0] == pytest.approx((working_hours(a, b, SPLIT) + working_hours(b, c, SPLIT))[0], abs=1e-9)
    assert working_hours(c, a, SPLIT)[0] == -whole[0]
    assert 0 <= whole[0] <= (minutes[2] - minutes[0]) / 60


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-200, 3000), st.integers(0, 900)), max_size=6), st.randoms())
def test_stops_equal_their_union_in_any_order(pairs: list[tuple[int, int]], random: object) -> None:
    origin = at("2024-05-13T07:00")
    start, end = origin, origin + np.timedelta64(2500, "m")
    stopped_minutes = {m for s, n in pairs for m in range(s, s + n) if 0 <= m < 2500}
    edges = at("2024-05-13T07:00")[0] + np.array(sorted(stopped_minutes), dtype="timedelta64[m]")
    expected = working_hours(start, end, OFFICE)[0]
    if len(edges):
        expected -= working_hours(edges, edges + np.timedelta64(1, "m"), OFFICE).sum()
    random.shuffle(pairs)  # type: ignore[attr-defined]
    since = origin[0] + np.array([s for s, _ in pairs], dtype="timedelta64[m]")
    until = since + np.array([n for _, n in pairs], dtype="timedelta64[m]")
    got = working_hours(start, end, OFFICE, stopped=(np.zeros(len(pairs), dtype=int), since, until))
    assert got[0] == pytest.approx(expected, abs=1e-9)


def test_a_hundred_thousand_rows_in_well_under_a_second() -> None:
    rng = np.random.default_rng(5)
    n = 100_000
    start = at("2020-01-01") + rng.integers(0, 4 * 365 * 1440, n).astype("timedelta64[m]")
    end = start + rng.integers(0, 30 * 1440, n).astype("timedelta64[m]")
    rows = rng.integers(0, n, n)
    since = start[rows] + rng.integers(0, 1440, n).astype("timedelta64[m]")
    stops = (rows, since, since + np.timedelta64(90, "m"))
    zoned = Calendar("office", hours=OFFICE.hours, zone="Europe/Berlin")
    began = time.process_time()
    got = working_hours(start, end, zoned, stopped=stops)
    took = time.process_time() - began
    assert got.shape == (n,)
    assert took < 1.0


def test_pandas_columns_with_a_zone_are_converted() -> None:
    import pandas as pd

    start = pd.Series(pd.to_datetime(["2024-05-14 08:00", None])).dt.tz_localize("Europe/Berlin")
    end = pd.Series(pd.to_datetime(["2024-05-14 09:30", None])).dt.tz_localize("Europe/Berlin")
    zoned = Calendar("office", hours=OFFICE.hours, zone="Europe/Berlin")
    got = working_hours(start, end, zoned)
    assert got[0] == 1.5
    assert np.isnan(got[1])
    with pytest.raises(InputError, match="carries a zone"):
        working_hours(start, end, OFFICE)


def test_a_calendar_is_saved_and_read_back() -> None:
    record = json.loads(json.dumps(codec.to_record(SPLIT)))
    assert codec.from_record(record) == SPLIT
    half_past = Calendar("t", hours={"Monday": (dt.time(8), dt.time(9, 30))})
    assert half_past.hours == {"monday": (("08:00", "09:30"),)}


@pytest.mark.parametrize(
    ("hours", "match"),
    [
        ({}, "no working hours"),
        ({"monday": ("18:00", "08:00")}, "across midnight"),
        ({"monday": [("08:00", "12:00"), ("11:00", "13:00")]}, "overlap"),
        ({"monday": ("8 am", "18:00")}, "HH:MM"),
        ({"monday": ("08:00", "24:30")}, "24:00"),
        ({"monday": 8}, "a pair"),
        ({"monday": ("08:00", "09:00", "10:00")}, "a pair"),
    ],
)
def test_hours_that_cannot_be_read(hours: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Calendar("c", hours=hours)


def test_misuse_is_told() -> None:
    with pytest.raises(UnknownNameError, match="monday"):
        Calendar("c", hours={"mondy": ("08:00", "09:00")})
    with pytest.raises(UnknownNameError, match="Europe/Berlin"):
        Calendar("c", hours=OFFICE.hours, zone="Europe/Berln")
    with pytest.raises(InputError, match="ISO"):
        Calendar("c", hours=OFFICE.hours, holidays=["25.12.2024"])
    with pytest.raises(InputError, match="name"):
        Calendar(" ", hours=OFFICE.hours)
    with pytest.raises(InputError, match="same length"):
        working_hours(at("2024-05-14"), at(), OFFICE)
    with pytest.raises(InputError, match="years"):
        working_hours(at("1970-01-01"), at("9999-12-31"), OFFICE)
    one, day = at("2024-05-14"), at("2024-05-15")
    with pytest.raises(InputError, match="row outside"):
        working_hours(one, day, OFFICE, stopped=(np.array([1]), one, day))
    with pytest.raises(InputError, match="ends before"):
        working_hours(one, day, OFFICE, stopped=(np.array([0]), day, one))
    with pytest.raises(InputError, match="no beginning"):
        working_hours(one, day, OFFICE, stopped=(np.array([0]), at("NaT"), one))
    with pytest.raises(InputError, match="one length"):
        working_hours(one, day, OFFICE, stopped=(np.array([0, 0]), one, day))
    with pytest.raises(InputError, match="whole numbers"):
        working_hours(one, day, OFFICE, stopped=(np.array([0.5]), one, day))
    with pytest.raises(InputError, match="three arrays"):
        working_hours(one, day, OFFICE, stopped=([0], [1]))  # type: ignore[arg-type]
