"""Drift: what is seen, what is not called, reasons for a new baseline, bad input; baselines compared."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.baselines.drift import Drift
from perfanalytics.baselines.drift_tests import open_items_location, outside_interval
from perfanalytics.core.errors import InputError

Array = np.ndarray[Any, np.dtype[np.float64]]
HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
REAL = perf.Measure("x", definition="d", unit="mm", better="target", scale="real")
SLA = perf.Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
GOAL = perf.Objective("fast", measure="hours", target=12, direction="at_most", share=0.8)
DAYS = np.datetime64("2024-01-01") + np.arange(400)


def ar1(rng: np.random.Generator, n: int, rho: float) -> Array:
    e = rng.standard_normal(n)
    for t in range(1, n):
        e[t] = rho * e[t - 1] + np.sqrt(1 - rho * rho) * e[t]
    return e


def split(
    values: Array, n: int, measure: perf.Measure = HOURS, **more: Any
) -> tuple[perf.Baseline, perf.Series]:
    made = perf.baseline(perf.Series(values[:n], measure=measure, when=DAYS[:n]), **more)
    return made, perf.Series(values[n:], measure=measure, when=DAYS[n : len(values)])


def durations(seed: int, n: int = 140, rho: float = 0.0) -> Array:
    return np.exp(1.5 + 0.8 * ar1(np.random.default_rng(seed), n, rho))


def aspects(found: Drift) -> dict[str, float]:
    return dict(zip(found.aspect.tolist(), found.p_adjusted.tolist(), strict=True))


def test_the_same_process_still_fits() -> None:
    made, new = split(durations(1), 100, objective=GOAL)
    found = made.drift(new)
    assert found.still_fits
    assert not found.rebaseline
    assert found.reasons == ()
    assert found.verdict == "hours: 40 new values (2024-04-10 to 2024-05-19) still fit the baseline of 100."
    assert not np.isnan(found.p_value).any()
    assert found.summary().shape[0] == 1
    assert len(found.to_frame()) == 5


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        (lambda x: 2.5 * x, "location"),
        (lambda x: np.exp(1.5) * (x / np.exp(1.5)) ** 2.2, "spread"),
        (lambda x: 3.0 * x, "share outside"),
        (lambda x: 3.0 * x, "share meeting the objective"),
    ],
)
def test_each_kind_of_change_is_seen(change: Any, aspect: str) -> None:
    values = durations(2, 160)
    values[100:] = change(values[100:])
    made, new = split(values, 100, objective=GOAL)
    found = made.drift(new)
    assert aspects(found)[aspect] <= 0.05
    assert found.still_fits is False
    assert found.rebaseline
    assert "no longer fit" in found.verdict


def test_another_shape_with_the_same_mean_and_spread_is_seen() -> None:
    rng = np.random.default_rng(3)
    new = (rng.lognormal(0, 1, 80) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    made, fresh = split(np.concatenate([rng.normal(size=120), new]), 120, REAL)
    assert aspects(made.drift(fresh))["shape"] <= 0.05


def false_alarms(runs: int, rho: float, n: int, m: int) -> float:
    called = 0
    for seed in range(runs):
        made, new = split(durations(1000 + seed, n + m, rho), n, objective=GOAL)
        called += made.drift(new).still_fits is False
    return called / runs


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_false_alarms_stay_near_the_level(rho: float) -> None:
    assert false_alarms(40, rho, 100, 40) <= 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m"), [(100, 40), (60, 60), (200, 20)])
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_false_alarms_over_many_runs(n: int, m: int, rho: float) -> None:
    # docs/baselines.md: 2 to 6% with 300 runs; 0.05 + 3 standard errors
    assert false_alarms(300, rho, n, m) <= 0.088


def test_few_new_values_are_judged_by_their_mean_only() -> None:
    values = durations(4, 105)
    made, new = split(values, 100, objective=GOAL)
    found = made.drift(new)
    assert found.still_fits is None
    assert "too few to say" in found.verdict
    assert "too-few-points" in found.caveat_codes
    assert np.isnan(aspects(found)["spread"])
    values[100:] *= 20
    made, new = split(values, 100, objective=GOAL)
    assert made.drift(new).still_fits is False


def test_the_share_outside_follows_the_beta_binomial_law() -> None:
    # tests/reference/drift.R: ranks 2 and 98 of 100 values, 7 of 40 new ones outside
    old, new = np.arange(1.0, 101.0), np.concatenate([np.full(33, 50.0), np.full(7, 1000.0)])
    found = outside_interval(old, new[np.random.default_rng(1).permutation(40)], "independent")
    assert found.p_value == pytest.approx(2 * 0.0128299017882, rel=1e-8)
    assert found.after == 7 / 40


def test_open_items_are_compared_by_log_rank() -> None:
    # tests/reference/drift.R
    time = np.array([3, 5, 7, 2, 9, 4, 6, 8, 1, 10, 12, 3.5, 11, 15, 14, 6.5])
    opened = 1 - np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1])
    one, two = (
        perf.Series(time[a:b], measure=HOURS, when=DAYS[a:b], censored=opened[a:b])
        for a, b in ((0, 8), (8, 16))
    )
    found = open_items_location(one, two)
    assert found.statistic == pytest.approx(2.48946322608)
    drift = perf.baseline(one).drift(two)
    assert drift.statistic[0] == found.statistic
    assert np.isnan(drift.p_value[1:]).all()


def test_reasons_beyond_the_numbers() -> None:
    made, new = split(durations(1), 100, process=perf.Process("desk", version="1"))
    found = made.drift(new, process=perf.Process("desk", version="2"), valid_until=dt.date(2024, 5, 1))
    assert found.still_fits
    assert found.rebaseline
    assert found.reasons == (
        "the process is another one: desk 2 instead of desk 1",
        "the baseline was good until 2024-05-01",
    )
    assert "Re-baseline all the same" in found.verdict
    same = perf.Process("desk", version="1")
    assert not made.drift(new, process=same, valid_until=dt.date(2025, 1, 1)).rebaseline
    change = perf.Change("new tool", when=dt.date(2024, 4, 20), what="x")
    told = perf.Series(new.values, measure=HOURS, when=new.when, events=[change])
    assert made.drift(told).reasons == ("the process changed on 2024-04-20 (new tool)",)


def test_shares_of_periods() -> None:
    rng = np.random.default_rng(5)
    sizes = np.full(60, 200)
    good, bad = rng.binomial(200, 0.9, 60), rng.binomial(200, 0.8, 60)
    made = perf.baseline(perf.Series(good[:40], sizes=sizes[:40], measure=SLA, when=DAYS[:40]))
    same = made.drift(perf.Series(good[40:], sizes=sizes[40:], measure=SLA, when=DAYS[40:60]))
    moved = made.drift(perf.Series(bad[40:], sizes=sizes[40:], measure=SLA, when=DAYS[40:60]))
    assert same.still_fits
    assert moved.still_fits is False
    assert "the level moved from 90.1% to 79%" in moved.verdict
    assert "not judged for shares" in moved.how[1]


def test_values_up_to_the_last_of_the_baseline_are_left_out() -> None:
    values = durations(6, 140)
    made, _ = split(values, 100)
    whole = perf.Series(values, measure=HOURS, when=DAYS[:140])
    assert made.drift(whole).n_after == 40
    with pytest.raises(InputError, match="not later than the baseline"):
        made.drift(whole.take(0, 100))


def test_saved_and_read_back_to_the_last_bit() -> None:
    made, new = split(durations(1), 100, objective=GOAL)
    found = made.drift(new)
    assert Drift.from_record(json.loads(json.dumps(found.to_record()))) == found
    back = perf.Baseline.from_record(json.loads(json.dumps(made.to_record())))
    assert back.drift(new) == found  # a saved baseline judges as the fresh one does


def test_misuse() -> None:
    made, new = split(durations(1), 100)
    with pytest.raises(InputError, match="new data are of 'x"):
        made.drift(perf.Series(new.values, measure=REAL, when=new.when))
    with pytest.raises(InputError, match="the baseline has times, the new data have none"):
        made.drift(new.values)
    with pytest.raises(InputError, match="confidence"):
        made.drift(new, confidence=95)
    with pytest.raises(InputError, match="sizes on both sides"):
        made.drift(perf.Series(new.values, measure=HOURS, when=new.when, sizes=np.ones(40)))


def test_baselines_are_compared_as_they_are() -> None:
    values = durations(7, 160)
    values[80:] *= 0.5
    when = DAYS[:160]
    one, two = (
        perf.baseline(perf.Series(values[a:b], measure=HOURS, when=when[a:b]))
        for a, b in ((0, 80), (80, 160))
    )
    with perf.Repository.open(":memory:") as repo:
        repo.save(one, name="desk", by="Ana", note="first")
        repo.save(two, name="desk", by="Ana", note="after the new tool")
        before, after = repo.result("desk", version=1), repo.result("desk")
        assert (before, after) == (one, two)
        assert repo.history("desk")["note"].tolist() == ["first", "after the new tool"]
    made = perf.compare(before, after)
    raw = perf.compare(one.as_series(), two.as_series())
    assert made.primary == raw.primary
    assert made.outcome == "detected"
    np.testing.assert_array_equal(perf.control_chart(one).value[0], one.values)


def test_how_well_the_center_is_known_is_said() -> None:
    few = perf.baseline(perf.Series(durations(9, 15), measure=HOURS, when=DAYS[:15]))
    assert "more points would halve that" in few.adequacy
    assert few.summary()["adequacy"].iloc[0] == few.adequacy
    assert f"{few.points_to_halve:,} more points would halve that" in few.verdict
    many = perf.baseline(perf.Series(durations(8, 400), measure=HOURS, when=DAYS))
    assert "would halve" not in many.verdict
    assert "would halve" in many.adequacy


def test_no_new_values_are_an_error() -> None:
    with pytest.raises(InputError, match="no new values"):
        perf.baseline([4.0, 5, 6, 7, 5, 4, 6, 5]).drift([])
