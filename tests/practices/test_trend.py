"""Trends: against R's nlme, no trend seen in what has none, refusals."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.comparisons.classical import t_quantile
from perfanalytics.core.errors import InputError

# fmt: off
Y = [21.3, 22.8, 22.1, 20.4, 19.8, 21.9, 23.7, 24.4, 23.0, 22.2, 21.0, 22.9, 24.8, 25.1, 24.0,
     25.6, 26.9, 25.2, 23.8, 24.9, 26.3, 27.0, 25.7, 26.8, 28.1, 27.2, 26.0, 25.1, 26.7, 28.4]
# fmt: on
NAN = float("nan")
GAPS = [NAN if i in (10, 19) else y for i, y in enumerate(Y)]


@pytest.mark.parametrize(
    ("values", "scale", "slope", "error", "correlation"),
    [  # tests/reference/trend.R: gls of nlme, REML
        (Y, None, 0.2276574091, 0.0424019014, 0.485000),
        (GAPS, None, 0.2243596276, 0.0379560111, 0.427400),
        (Y, "log", 0.0093975537, 0.0018260793, 0.498900),
    ],
)
def test_slope_and_error_are_those_of_r(values, scale, slope, error, correlation):
    found = perf.trend(values, scale=scale)
    numbers = np.array([found.slope, found.slope_low, found.slope_high])
    if scale == "log":
        numbers = np.log(numbers)
    assert numbers[0] == pytest.approx(slope, rel=1e-6)
    assert (numbers[2] - numbers[1]) / 2 / t_quantile(found.df, 0.95) == pytest.approx(error, rel=1e-5)
    assert found.correlation == pytest.approx(correlation, abs=1e-4)
    assert found.noise == 0
    assert found.direction == "rises"
    assert found.good is None  # nobody declared what is better


def wave(rng: np.random.Generator, correlation: float, n: int = 52) -> np.ndarray:
    y = np.zeros(n + 100)
    for k in range(1, len(y)):
        y[k] = correlation * y[k - 1] + rng.normal()
    return y[100:]


def test_a_slow_wave_is_no_trend():
    rng = np.random.default_rng(20260101)
    found = [perf.trend(wave(rng, 0.6)) for _ in range(200)]
    honest = np.mean([t.direction != "none" for t in found])
    naive = np.mean([t.naive_p_value < 0.05 for t in found])
    assert honest < 0.10  # 200 draws of 5%: below 0.10 but for 1 in 1000
    assert naive > 0.25


def test_direction_is_told_by_what_is_better():
    hours = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    when = np.datetime64("2024-01-01") + 7 * np.arange(len(Y))
    found = perf.trend(perf.Series(Y, measure=hours, when=when, expected_every="week"))
    assert (found.scale, found.every, found.good) == ("log", "week", False)
    assert "hours rises, not wanted from 2024-01-01 to 2024-07-22" in found.verdict
    assert found.at_last / found.at_first == pytest.approx(found.slope**29)


def test_excluded_and_incomplete_periods_are_left_out():
    when = np.datetime64("2024-01-01") + 7 * np.arange(len(Y))
    values = list(Y)
    values[5], values[-1] = 900.0, 1.0
    incomplete = np.arange(len(Y)) == len(Y) - 1
    series = perf.Series(
        values, when=when, exclusions=[perf.Exclusion("typing error", point=5)],
        covariates={"incomplete": incomplete}, expected_every="week",
    )  # fmt: skip
    bare = [NAN if i in (5, len(Y) - 1) else y for i, y in enumerate(Y)]
    assert perf.trend(series).slope == pytest.approx(perf.trend(bare).slope)
    assert perf.trend(series).n == 28


def test_shares_are_weighted_by_their_sizes():
    sizes = np.where(np.arange(30) % 2, 1000.0, 10.0)
    shares = np.linspace(0.5, 0.8, 30) + np.where(np.arange(30) % 2, 0.01, -0.3) * np.sin(np.arange(30))
    made = perf.Measure("made", definition="d", unit="1", better="higher", scale="proportion")
    found = perf.trend(perf.Series(shares, measure=made, sizes=sizes))
    assert found.method.parameters["weights"] == "denominators"
    # small samples hardly count: the slope is that of the large ones
    assert found.slope == pytest.approx(0.3 / 29, rel=0.05)
    assert found.slope_low <= found.slope <= found.slope_high


def test_a_recorded_change_is_said():
    when = np.datetime64("2024-01-01") + 7 * np.arange(len(Y))
    change = perf.Change("New triage", when=dt.date(2024, 4, 1), what="w")
    found = perf.trend(perf.Series(Y, when=when, events=[change]))
    assert "change-within" in found.caveat_codes
    later = perf.Change("Later", when=dt.date(2025, 4, 1), what="w")
    assert "change-within" not in perf.trend(perf.Series(Y, when=when, events=[later])).caveat_codes


def test_it_is_saved_and_read_back():
    found = perf.trend(Y)
    assert perf.Trend.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert found.summary().loc[0, "n"] == 30
    assert found.to_frame()["end"].tolist() == ["first", "last"]


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(InputError, match="at least 8 values"):
        perf.trend([1, 2, 3])
    with pytest.raises(InputError, match="do not vary"):
        perf.trend(np.arange(20.0))
    with pytest.raises(InputError, match="positive"):
        perf.trend([0.0, *Y], scale="log")
    with pytest.raises(InputError, match="'raw' or 'log'"):
        perf.trend(Y, scale="rank")
