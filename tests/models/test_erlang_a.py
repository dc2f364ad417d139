"""Erlang A: published values, balance equations in R, limits, staffing, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

import perfanalytics as perf
from perfanalytics.core.errors import InputError
from perfanalytics.models.queues.erlang_a import erlang_a


def test_published_comparison() -> None:
    # Gans, Koole and Mandelbaum (2003): 48 calls a minute, 1 minute, 50 agents, patience 2 minutes;
    # giving up, or not: 3.1% and 0 give up, mean wait 3.7 and 20.8 s, 90th percentile 12.5 and 58.1 s,
    # 3 and 17 wait, agents busy 93% and 96% of the time
    calls = perf.queue(arrivals=48, per=60, service=60, servers=50, patience=120, within=20, unit="seconds")
    assert calls.p_abandon == pytest.approx(0.031, abs=5e-4)
    assert calls.mean_wait == pytest.approx(3.7, abs=0.05)
    assert calls.wait_percentile(0.9) == pytest.approx(12.5, abs=0.1)
    assert calls.mean_queue == pytest.approx(3, abs=0.1)
    assert calls.utilization == pytest.approx(0.93, abs=5e-3)
    endless = perf.queue(arrivals=48, per=60, service=60, servers=50, unit="seconds")
    assert endless.mean_wait == pytest.approx(20.8, abs=0.05)
    assert endless.wait_percentile(0.9) == pytest.approx(58.1, abs=0.1)
    assert (calls.model, calls.exact) == ("M/M/50+M", True)
    assert "3.1% give up" in calls.verdict


@pytest.mark.parametrize(
    ("arrivals", "servers", "patience", "time", "expected"),
    [
        # tests/reference/queues.R: p_wait, p_abandon, mean wait, begun within the time, longer than the time
        (
            48,
            50,
            2,
            1 / 3,
            (0.4677740685538, 0.0309122491622, 0.0618244983244, 0.9430189547470, 0.0271356082922),
        ),
        (6, 4, 4, 0.5, (0.9750618779852, 0.3397382062005, 1.3589528248021, 0.0905936343525, 0.7983334912601)),
    ],
)
def test_balance_equations(arrivals, servers, patience, time, expected) -> None:
    q = perf.queue(arrivals=arrivals, service=1, servers=servers, patience=patience, within=time)
    found = (q.p_wait, q.p_abandon, q.mean_wait, q.service_level, float(q.longer_than(time)))
    assert found == pytest.approx(expected, rel=1e-9)


def test_another_tool() -> None:
    # pyworkforce, guide to ErlangA: 100 calls in 30 minutes of 3 minutes, 80% in 20 s, patience 5 minutes,
    # at most 85% busy and 5% abandoned, shrinkage 0.3: 13 and 19 positions, service level 0.858, occupancy
    # 0.750, abandoned 0.025, waiting 0.226, mean wait 0.125 minutes
    s = perf.staffing(
        arrivals=100,
        per=30,
        service=3,
        within=1 / 3,
        patience=5,
        max_occupancy=0.85,
        max_abandoned=0.05,
        shrinkage=0.3,
        unit="minutes",
    )
    assert (int(s.servers[0]), int(s.scheduled[0])) == (13, 19)
    found = [x[0] for x in (s.service_level, s.occupancy, s.p_abandon, s.p_wait, s.mean_wait)]
    # printed with three digits, cut off
    assert found == pytest.approx([0.858, 0.750, 0.025, 0.226, 0.125], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(load=st.floats(0.1, 60), servers=st.integers(1, 60), patience=st.floats(0.05, 50))
def test_what_must_hold(load, servers, patience) -> None:
    a = erlang_a(load, servers, 1.0, patience)
    # flows: who gives up leaves at the rate of those waiting over the patience
    assert a.p_abandon == pytest.approx(a.mean_wait / patience)
    assert load * (1 - a.p_abandon) <= servers * (1 + 1e-9)
    assert float(a.longer_than(np.array(0.0))) == pytest.approx(a.p_wait)
    assert a.begun_within(0.0) == pytest.approx(1 - a.p_wait)
    # in the end everybody has begun or given up
    assert a.begun_within(60 * patience + 60) == pytest.approx(1 - a.p_abandon, abs=1e-8)
    more = erlang_a(load, servers + 1, 1.0, patience)
    assert more.p_abandon <= a.p_abandon + 1e-12


def test_the_mean_is_that_of_the_distribution() -> None:
    a = erlang_a(9.0, 8, 1.0, 1.5)
    whole, _ = integrate.quad(lambda t: float(a.longer_than(np.array(t))), 0, 60, limit=200)
    assert whole == pytest.approx(a.mean_wait, rel=1e-7)


def test_patience_without_end_is_erlang_c_and_none_is_erlang_b() -> None:
    patient = perf.queue(arrivals=6.8, service=1, servers=8, patience=1e7)
    endless = perf.queue(arrivals=6.8, service=1, servers=8)
    assert patient.mean_wait == pytest.approx(endless.mean_wait, rel=1e-5)
    assert patient.p_wait == pytest.approx(endless.p_wait, rel=1e-5)
    hasty = perf.queue(arrivals=6.8, service=1, servers=8, patience=1e-7)
    lost = perf.queue(arrivals=6.8, service=1, servers=8, capacity=8)
    assert hasty.p_abandon == pytest.approx(lost.p_blocked, rel=1e-5)


def test_overload_is_held_in_check_by_those_who_give_up() -> None:
    q = perf.queue(arrivals=12, service=1, servers=8, patience=2)
    # busy nearly all the time: who is not served gives up
    assert q.p_abandon == pytest.approx(1 - 8 / 12, abs=6e-3)
    assert q.p_abandon > 1 - 8 / 12
    assert np.isfinite(q.mean_wait)
    assert "overloaded" in q.caveat_codes
    assert q.utilization == pytest.approx(12 * (1 - q.p_abandon) / 8)
    frame = q.to_frame().iloc[0]
    assert frame["mean_in_system"] == pytest.approx(q.mean_queue + 8 * q.utilization)
    assert perf.Queue.from_record(json.loads(json.dumps(q.to_record()))) == q


def test_staffing_of_impatient_customers() -> None:
    given = {"arrivals": 100, "per": 1800, "service": 180, "target": 0.8, "within": 20}
    patient, impatient = perf.staffing(**given), perf.staffing(**given, patience=120)
    assert impatient.servers[0] < patient.servers[0] == 14
    assert impatient.service_level[0] >= 0.8 > impatient.one_fewer[0]
    alone = perf.queue(
        arrivals=100, per=1800, service=180, servers=int(impatient.servers[0]), patience=120, within=20
    )
    assert impatient.service_level[0] == alone.service_level
    assert impatient.p_abandon[0] == alone.p_abandon
    assert "give up" in impatient.verdict
    strict = perf.staffing(**given, patience=120, max_abandoned=0.01)
    assert strict.p_abandon[0] <= 0.01 < impatient.p_abandon[0]
    assert strict.servers[0] > impatient.servers[0]
    assert perf.Staffing.from_record(json.loads(json.dumps(strict.to_record()))) == strict
    # the first number tried is not beyond the answer
    heavy = perf.staffing(arrivals=200, service=1, target=0.5, within=0.5, patience=0.5, unit="minutes")
    assert heavy.servers[0] < 200
    assert heavy.one_fewer[0] < 0.5 <= heavy.service_level[0]


def test_figures_show_it() -> None:
    from perfanalytics.figures.plot import figure_dict

    q = perf.queue(arrivals=[20, 28], service=1, servers=50, patience=2, within=0.3, target=0.9)
    figure = figure_dict(q)
    assert "give up" in figure["layout"]["title"]["text"]
    assert len(figure["data"]) == 1
    assert "begin within" in figure["layout"]["annotations"][0]["text"]
    s = perf.staffing(arrivals=100, per=1800, service=180, within=20, patience=120)
    levels = dict(zip(figure_dict(s)["data"][0]["x"], figure_dict(s)["data"][0]["y"], strict=True))
    assert levels[int(s.servers[0])] == pytest.approx(float(s.service_level[0]))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"patience": 0}, "above 0"),
        ({"patience": float("inf")}, "above 0"),
        ({"patience": 1, "capacity": 9}, "formula"),
        ({"patience": 1, "service_cv": 0.5}, "formula"),
        ({"patience": 1, "arrival_cv": 0.5}, "formula"),
        ({"patience": 1e12}, "millions"),
    ],
)
def test_misuse_is_told(given, says) -> None:
    with pytest.raises(InputError, match=says):
        perf.queue(**({"arrivals": 6.0, "service": 1, "servers": 8} | given))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_abandoned": 0.1}, "with patience="),
        ({"max_abandoned": 2, "patience": 1}, "between 0 and 1"),
        ({"patience": 1, "service_cv": 2}, "formula"),
    ],
)
def test_misuse_of_staffing_is_told(given, says) -> None:
    with pytest.raises(InputError, match=says):
        perf.staffing(**({"arrivals": 6.0, "service": 1, "within": 1} | given))
