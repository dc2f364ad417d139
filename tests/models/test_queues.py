"""Formulas of queues, staffing and capacity: published numbers, balance equations solved in R, properties."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.queues.formulas import erlang_b, erlang_c


def test_erlang_b_against_the_sum() -> None:
    for load, servers in ((0.3, 1), (4.0, 6), (20.0, 15)):
        terms = [load**k / math.factorial(k) for k in range(servers + 1)]
        assert erlang_b(load, servers) == pytest.approx(terms[-1] / sum(terms), rel=1e-12)
    assert 0 < erlang_b(5000.0, 5000) < 0.02


def test_the_call_center_example() -> None:
    # 100 calls in 30 minutes of 180 s, 80% in 20 s: 14 agents, 88.8%, mean answer 7.8 s
    s = perf.staffing(arrivals=100, per=1800, service=180, target=0.8, within=20)
    assert s.servers.tolist() == [14]
    assert s.service_level[0] == pytest.approx(0.888, abs=5e-4)
    assert s.mean_wait[0] == pytest.approx(7.8, abs=0.05)
    assert s.occupancy[0] == pytest.approx(0.714, abs=5e-4)
    assert s.one_fewer[0] < 0.8
    assert "14 servers are needed" in s.verdict


def test_many_servers_at_85_percent() -> None:
    q = perf.queue(arrivals=6.8, service=1, servers=8)
    assert q.mean_wait == pytest.approx(0.4771, abs=5e-5)
    assert q.mean_queue == pytest.approx(6.8 * q.mean_wait)
    assert q.exact
    assert float(q.longer_than(0.0)) == pytest.approx(q.p_wait)
    assert float(q.longer_than(q.wait_percentile(0.9))) == pytest.approx(0.1)


def test_limited_capacity_against_balance_equations() -> None:
    # tests/reference/queues.R
    q = perf.queue(arrivals=3, service=1, servers=2, capacity=5, within=1.0)
    assert q.p_blocked == pytest.approx(0.374422187982, rel=1e-10)
    assert q.mean_wait == pytest.approx(0.953201970443, rel=1e-10)
    # mean wait is the area under the tail
    t = np.linspace(0, 40, 200_001)
    assert np.trapezoid(q.longer_than(t), t) == pytest.approx(q.mean_wait, rel=1e-6)
    assert q.service_level == pytest.approx((1 - float(q.longer_than(1.0))) * (1 - q.p_blocked))


def test_a_loss_system_is_a_queue_without_places() -> None:
    q = perf.queue(arrivals=10, service=1, servers=14, capacity=14)
    assert q.p_blocked == pytest.approx(erlang_b(10, 14), rel=1e-12)
    assert q.mean_wait == 0
    s = perf.staffing(arrivals=10, service=1, system="loss", target=0.94)
    assert s.servers.tolist() == [14]
    assert s.service_level[0] == pytest.approx(1 - erlang_b(10, 14))


def test_priorities_against_balance_equations() -> None:
    # tests/reference/queues.R: cut at 27 customers, hence the tolerance
    q = perf.queue(arrivals=[0.5, 0.6], service=1, servers=2, discipline="priority")
    assert q.class_wait.tolist() == pytest.approx([0.260215051374, 0.578255384293], rel=1e-5)
    q = perf.queue(arrivals=[0.5, 0.6], service=1, servers=2, discipline="preemptive")
    assert q.class_wait.tolist() == pytest.approx([0.0666666666667, 0.739545259793], rel=1e-5)


def test_one_server_formulas() -> None:
    # Pollaczek-Khinchine: constant service halves the wait of exponential service
    exponential = perf.queue(arrivals=0.8, service=1.0)
    constant = perf.queue(arrivals=0.8, service=1.0, service_cv=0.0)
    assert exponential.mean_wait == pytest.approx(4.0)
    assert constant.mean_wait == pytest.approx(2.0)
    assert constant.model == "M/D/1"
    # Cobham, two classes of different service: W0 = sum of rate E[S^2] / 2 = 0.2 * 4 + 0.3 * 1 = 1.1
    q = perf.queue(arrivals=[0.2, 0.3], service=[2.0, 1.0], discipline="priority")
    assert q.class_wait.tolist() == pytest.approx([1.1 / 0.6, 1.1 / (0.6 * 0.3)])
    # preemptive: the first class sees an M/M/1 queue of its own
    q = perf.queue(arrivals=[0.2, 0.3], service=[2.0, 1.0], discipline="preemptive")
    assert q.class_wait[0] == pytest.approx(0.4 * 2 / 0.6)
    # time in the system of the second: E[S] / (1 - r1) + R / ((1 - r1)(1 - r)) with R = 1.1
    assert q.class_wait[1] + 1.0 == pytest.approx(1 / 0.6 + 1.1 / (0.6 * 0.3))


@settings(max_examples=60, deadline=None)
@given(
    rates=st.lists(st.floats(0.05, 1.0), min_size=2, max_size=4),
    servers=st.integers(1, 5),
    full=st.floats(0.1, 0.97),
    preemptive=st.booleans(),
)
def test_priorities_conserve_work(rates, servers, full, preemptive) -> None:
    """With alike exponential services the mean wait over all classes is that in order of arrival."""
    arrivals = np.array(rates) / sum(rates) * full * servers
    kind = "preemptive" if preemptive else "priority"
    q = perf.queue(arrivals=arrivals.tolist(), service=1.0, servers=servers, discipline=kind)
    fifo = perf.queue(arrivals=float(arrivals.sum()), service=1.0, servers=servers)
    assert q.mean_wait == pytest.approx(fifo.mean_wait, rel=1e-9)
    assert (np.diff(q.class_wait) >= -1e-12).all()
    assert q.p_wait <= fifo.p_wait + 1e-12


@settings(max_examples=60, deadline=None)
@given(load=st.floats(0.05, 30), servers=st.integers(1, 40))
def test_erlang_c_lies_above_erlang_b(load, servers) -> None:
    b, c = erlang_b(load, servers), erlang_c(load, servers)
    assert 0 <= b <= c <= 1
    assert erlang_c(load, servers + 1) <= c


@settings(max_examples=40, deadline=None)
@given(
    arrivals=st.floats(1, 500),
    service=st.floats(5, 600),
    target=st.floats(0.5, 0.99),
    within=st.floats(0, 120),
)
def test_staffing_is_the_fewest_that_reach_the_target(arrivals, service, target, within) -> None:
    s = perf.staffing(arrivals=arrivals, per=1800, service=service, target=target, within=within)
    assert s.service_level[0] >= target > (s.one_fewer[0] if s.servers[0] > 1 else -1)


def test_staffing_with_further_objectives() -> None:
    plain = perf.staffing(arrivals=[100, 0, 300], per=1800, service=180, within=20)
    assert plain.servers.tolist()[1] == 0
    assert plain.scheduled.tolist() == plain.servers.tolist()
    strict = perf.staffing(
        arrivals=[100, 0, 300], per=1800, service=180, within=20, max_occupancy=0.6, shrinkage=0.3
    )
    assert (strict.occupancy <= 0.6).all()
    assert strict.scheduled.tolist() == [math.ceil(round(c / 0.7, 9)) for c in strict.servers]
    quick = perf.staffing(arrivals=100, per=1800, service=180, within=20, max_mean_wait=2.0)
    assert quick.mean_wait[0] <= 2.0 < plain.mean_wait[0]
    short = perf.staffing(arrivals=[10, 10], per=300, service=180, within=20)
    assert "short-intervals" in short.caveat_codes


def test_an_overloaded_queue_says_so() -> None:
    q = perf.queue(arrivals=5, service=1, servers=4, within=1)
    assert math.isinf(q.mean_wait)
    assert q.caveat_codes == ("overloaded",)
    assert q.service_level == 0
    assert "grows without end" in q.verdict
    # the urgent class is still served
    q = perf.queue(arrivals=[1, 5], service=1, servers=4, discipline="priority", classes=["P1", "P2"])
    assert math.isfinite(q.class_wait[0])
    assert "queue of P2 grows" in q.verdict
    assert perf.Queue.from_record(json.loads(json.dumps(q.to_record()))) == q


def test_a_general_queue_is_marked_as_approximation() -> None:
    q = perf.queue(arrivals=5, service=1, servers=6, arrival_cv=1.2, service_cv=0.5)
    m = perf.queue(arrivals=5, service=1, servers=6)
    assert q.mean_wait == pytest.approx(m.mean_wait * (1.44 + 0.25) / 2)
    assert not q.exact
    assert "approximation" in q.caveat_codes


def test_capacity_is_where_the_objective_just_holds() -> None:
    c = perf.capacity([80, 100, 120], service=180, servers=14, per=1800, within=20, target=0.8)
    at = perf.queue(arrivals=c.threshold, service=180, servers=14, per=1800, within=20, unit="seconds")
    assert at.service_level == pytest.approx(0.8, abs=1e-9)
    assert c.exceeded == int(np.argmax(np.array([80, 100, 120]) > c.threshold))
    assert "no-interval" in c.caveat_codes
    c = perf.capacity(
        [10, 20], service=1, servers=4, per=10, max_utilization=0.75, high=[12, 31], low=[8, 12]
    )
    assert (c.threshold, c.exceeded, c.earliest) == (30.0, -1, 1)
    assert "interval exceeds" in c.verdict
    both = perf.capacity([10], service=180, servers=14, per=1800, within=20, target=0.8, max_utilization=0.5)
    assert both.threshold == pytest.approx(0.5 * 14 * 10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perf.queue(arrivals=-1, service=1), "at least 0"),
        (lambda: perf.queue(arrivals=1, service=0), "above 0"),
        (lambda: perf.queue(arrivals=1, service=1, servers=0), "at least 1"),
        (lambda: perf.queue(arrivals=1, service=1, servers=2.5), "whole number"),
        (lambda: perf.queue(arrivals=1, service=1, servers=3, capacity=2), "servers"),
        (lambda: perf.queue(arrivals=1, service=1, capacity=4, service_cv=2), "simulate_queue"),
        (lambda: perf.queue(arrivals=1, service=1, discipline="priority"), "two classes"),
        (
            lambda: perf.queue(arrivals=[1, 1], service=[0.1, 0.2], servers=2, discipline="priority"),
            "simulate_queue",
        ),
        (lambda: perf.queue(arrivals=[1, 1], service=0.1, classes=["a"]), "2 different names"),
        (lambda: perf.queue(arrivals=1, service=0.1, target=0.8), "within="),
        (lambda: perf.queue(arrivals=1, service=0.1, target=80, within=1), "share"),
        (lambda: perf.queue(arrivals=1, service=0.1).wait_percentile(90), "between 0 and 1"),
        (lambda: perf.queue(arrivals=1, service=0.1).longer_than(-1), "not negative"),
        (lambda: perf.staffing(arrivals=100, service=180, per=1800), "within="),
        (lambda: perf.staffing(arrivals=100, service=180, within=20, system="loss"), "nobody waits"),
        (lambda: perf.staffing(arrivals=[1, math.nan], service=180, within=20), "finite"),
        (lambda: perf.staffing(arrivals=1, service=1, within=1, shrinkage=1.0), "below 1"),
        (lambda: perf.staffing(arrivals=[1, 2], service=1, within=1, labels=["a"]), "2 names"),
        (lambda: perf.capacity([1], service=1, servers=1), "capacity for what"),
        (lambda: perf.capacity([1, 2], service=1, servers=1, max_utilization=0.8, high=[1]), "2 numbers"),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="priority"):
        perf.queue(arrivals=1, service=0.5, discipline="prioriti")
    with pytest.raises(UnknownNameError, match="waiting"):
        perf.staffing(arrivals=1, service=0.5, within=1, system="wait")


def test_results_come_back_equal() -> None:
    for r in (
        perf.queue(arrivals=[1, 2], service=0.5, servers=3, discipline="priority", within=1, target=0.9),
        perf.staffing(arrivals=[100, 50], per=1800, service=180, within=20),
        perf.capacity([80, 100], service=180, servers=14, per=1800, within=20, target=0.8),
    ):
        assert type(r).from_record(json.loads(json.dumps(r.to_record(), allow_nan=False))) == r
        assert len(r.summary()) == 1
        assert len(r.to_frame()) >= 1
        assert r.verdict.endswith(".")


def test_constant_times_never_wait() -> None:
    q = perf.queue(arrivals=4.0, service=1, servers=5, arrival_cv=0, service_cv=0)
    assert (q.p_wait, q.mean_wait, q.exact) == (0, 0, True)
    s = perf.staffing(arrivals=4.0, service=1, within=0, arrival_cv=0, service_cv=0)
    assert (s.servers[0], s.p_wait[0]) == (5, 0)


def test_the_wait_with_interruptions_is_told() -> None:
    q = perf.queue(arrivals=[0.2, 0.3], service=[1, 2], discipline="preemptive", within=1)
    # found work 1.4 over (1 - 0.2)(1 - 0.8), and 2 / (1 - 0.2) - 2 of interruptions
    assert q.class_wait.tolist() == pytest.approx([0.25, 1.4 / 0.16 + 0.5])
    assert "interruptions-in-wait" in q.caveat_codes
    assert "of waiting" in q.verdict


def test_numbers_and_intervals_that_cannot_be() -> None:
    with pytest.raises(perf.InputError, match="is a number"):
        perf.queue(arrivals="many", service=1)
    with pytest.raises(perf.InputError, match="at or below demand"):
        perf.capacity([10, 20], low=[15, 10], service=1, servers=1, max_utilization=0.8)
    with pytest.raises(perf.InputError, match="at or above"):
        perf.capacity([10, 20], high=[15, 10], service=1, servers=1, max_utilization=0.8)


def test_text_is_no_number() -> None:
    asked = (
        lambda: perf.staffing(arrivals="x", service=1, within=1),
        lambda: perf.capacity("x", service=1, servers=1, max_utilization=0.5),
        lambda: perf.simulate_queue([0, 1], ["a", "b"], servers=1),
        lambda: perf.forecast_queue(["a"], [1.0], servers=1, per=1.0, rng=np.random.default_rng(1)),
        lambda: perf.containment([["a", "b"], ["c", "d"]], phases=["a", "b"]),
        lambda: perf.branch([("x", perf.step("a", 1)), (0.5, perf.step("b", 1))]),
    )
    for ask in asked:
        with pytest.raises(InputError):
            ask()


def test_the_same_number_in_each_interval_is_said_once() -> None:
    said = perf.staffing(
        arrivals=[0.9, 1.0], per=1, service=0.7, within=0.5, labels=["7", "8"], unit="hours"
    ).verdict
    assert "2 servers are needed in each of 2 intervals, 4 hours of work; busiest is interval 8 (" in said
