"""The exact recursion: by hand, against itself, against theory; shifts, priorities, backlog, forecasts."""

from __future__ import annotations

import heapq
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.queues.recursion import Steps, events, many_servers, one_server

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = perf.Calendar("office", hours=dict.fromkeys(DAYS, ("08:00", "16:00")))
customers = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 10)), min_size=1, max_size=60)


def arrays(drawn) -> tuple[np.ndarray, np.ndarray]:
    gaps, service = np.array(drawn).T
    return np.cumsum(gaps), service


@settings(max_examples=80, deadline=None)
@given(drawn=customers, servers=st.integers(1, 4))
def test_the_recursions_agree(drawn, servers) -> None:
    arrive, service = arrays(drawn)
    begin = many_servers(arrive, service, servers)
    rank = np.zeros(len(arrive), dtype=np.int64)
    steps = Steps(np.array([arrive[0]]), np.array([servers]))
    for pause in ("finish", "pause"):
        again, end, _ = events(
            arrive, service, rank, steps, preemptive=False, shift_end=pause, until=float(arrive[-1])
        )
        np.testing.assert_allclose(again, begin, atol=1e-9)
        np.testing.assert_allclose(end, begin + service, atol=1e-9)
    if servers == 1:
        np.testing.assert_allclose(one_server(arrive, service), begin, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(drawn=customers, servers=st.integers(1, 3))
def test_a_plain_search_of_free_servers_agrees(drawn, servers) -> None:
    """Another way to the same waits: an explicit list of servers, the one that is free first is taken."""
    arrive, service = arrays(drawn)
    free = [0.0] * servers
    expected = []
    for a, s in zip(arrive, service, strict=True):
        first = heapq.heappop(free)
        start = max(a, first)
        expected.append(start)
        heapq.heappush(free, start + s)
    np.testing.assert_allclose(many_servers(arrive, service, servers), expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(drawn=customers, servers=st.integers(1, 3), preemptive=st.booleans(), seed=st.integers(0, 99))
def test_priorities_lose_no_work(drawn, servers, preemptive, seed) -> None:
    arrive, service = arrays(drawn)
    rank = np.random.default_rng(seed).integers(0, 3, len(arrive))
    steps = Steps(np.array([arrive[0]]), np.array([servers]))
    begin, end, _ = events(
        arrive, service, rank, steps, preemptive=preemptive, shift_end="finish", until=float(arrive[-1])
    )
    assert (begin >= arrive - 1e-12).all()
    assert (end >= begin + service - 1e-9).all()
    if servers == 1:
        # one server that never idles while somebody waits ends at the same time, whatever the order
        last = (one_server(arrive, service) + service).max()
        assert end.max() == pytest.approx(last)
    if not preemptive:
        np.testing.assert_allclose(end, begin + service, atol=1e-9)


def test_priorities_by_hand() -> None:
    # one server; an urgent customer comes while a long service is under way
    arrive, service = [0.0, 1.0, 2.0], [10.0, 1.0, 2.0]
    q = perf.simulate_queue(arrive, service, servers=1, priority=[1, 1, 0])
    assert q.waits.tolist() == [0.0, 11.0, 8.0]
    q = perf.simulate_queue(arrive, service, servers=1, priority=[1, 1, 0], preemptive=True)
    assert q.waits.tolist() == [0.0, 11.0, 0.0]
    assert q.times.tolist() == [12.0, 12.0, 2.0]
    assert q.classes.tolist() == ["all", "0", "1"]


def test_shifts_by_hand() -> None:
    # Friday 15:00 for 2 hours: finished at 17:00, or paused at 16:00 and resumed on Monday 8:00
    arrive = np.array(["2024-05-17T15:00", "2024-05-18T10:00"], dtype="datetime64[m]")
    q = perf.simulate_queue(arrive, [2.0, 1.0], servers=[(OFFICE, 1)])
    assert q.times.tolist() == [2.0, 47.0]
    q = perf.simulate_queue(arrive, [2.0, 1.0], servers=[(OFFICE, 1)], shift_end="pause")
    assert q.times.tolist() == [66.0, 48.0]
    assert q.waits.tolist() == [0.0, 47.0]
    # two teams add up
    q = perf.simulate_queue(arrive, [2.0, 1.0], servers=[(OFFICE, 1), (OFFICE, 2)], shift_end="pause")
    assert q.times.tolist() == [66.0, 47.0]


def test_servers_by_steps_and_a_backlog() -> None:
    # three wait since before the start at 10; one server, from 12 on two
    q = perf.simulate_queue([0, 1, 2, 11], [2, 2, 2, 2], servers=[(0, 1), (12, 2)], start=10)
    assert q.waits.tolist() == [10.0, 11.0, 10.0, 3.0]
    assert q.waiting[0] == 2
    # nobody ever works again: the last is never served
    q = perf.simulate_queue([0, 1, 5], [1, 1, 1], servers=[(0, 1), (3, 0)])
    assert q.unserved.tolist() == [1]
    assert "unserved" in q.caveat_codes
    assert math.isinf(q.waits[2])
    assert perf.QueueSimulation.from_record(json.loads(json.dumps(q.to_record(), allow_nan=False))) == q


def test_the_interval_holds_the_theory() -> None:
    rng = np.random.default_rng(3)
    n = 200_000
    arrive = np.cumsum(rng.exponential(1 / 6.8, n))
    service = rng.exponential(1, n)
    q = perf.simulate_queue(arrive, service, servers=8, warmup=2000, within=1.0, target=0.8)
    theory = perf.queue(arrivals=6.8, service=1, servers=8, within=1.0)
    # a 95% interval: four standard errors either way
    half = (q.mean_wait_high[0] - q.mean_wait_low[0]) / 2
    assert abs(q.mean_wait[0] - theory.mean_wait) < 2 * half
    # one run of a million has a standard deviation of 2% of the mean wait, of 200,000 4.5%
    assert half < 0.15 * theory.mean_wait
    assert q.service_level[0] == pytest.approx(theory.service_level, abs=0.02)
    assert q.utilization == pytest.approx(0.85, abs=0.01)
    rank = rng.integers(0, 2, n)
    q = perf.simulate_queue(arrive, service, servers=8, warmup=2000, priority=rank)
    theory = perf.queue(arrivals=[3.4, 3.4], service=1, servers=8, discipline="priority")
    for k in range(2):
        half = (q.mean_wait_high[k + 1] - q.mean_wait_low[k + 1]) / 2
        assert abs(q.mean_wait[k + 1] - theory.class_wait[k]) < 2 * half


@pytest.mark.slow
def test_batch_means_hold_their_confidence() -> None:
    rng = np.random.default_rng(11)
    theory = perf.queue(arrivals=1.4, service=1, servers=2).mean_wait
    held = 0
    for _ in range(200):
        n = 20_000
        q = perf.simulate_queue(
            np.cumsum(rng.exponential(1 / 1.4, n)), rng.exponential(1, n), servers=2, warmup=500
        )
        held += q.mean_wait_low[0] <= theory <= q.mean_wait_high[0]
    assert held / 200 > 0.88


def test_services_are_drawn_from_a_sample_with_a_generator_only() -> None:
    with pytest.raises(InputError, match="rng="):
        perf.simulate_queue([0, 1, 2], [1.0, 2.0], servers=1)
    a = perf.simulate_queue([0, 1, 2], [1.0, 2.0], servers=1, rng=np.random.default_rng(1))
    b = perf.simulate_queue([0, 1, 2], [1.0, 2.0], servers=1, rng=np.random.default_rng(1))
    assert a == b


def test_order_of_the_rows_does_not_matter() -> None:
    a = perf.simulate_queue([0, 1, 2], [3.0, 4.0, 1.0], servers=1)
    b = perf.simulate_queue([2, 0, 1], [1.0, 3.0, 4.0], servers=1)
    assert b.waits.tolist() == a.waits[[2, 0, 1]].tolist()


def test_a_forecast_from_the_backlog() -> None:
    def forecast(**more):
        return perf.forecast_queue(
            [40] * 10,
            np.arange(1.0, 26.0) / 10,
            servers=8,
            per=8.0,
            rng=np.random.default_rng(5),
            within=4.0,
            target=0.8,
            runs=60,
            **more,
        )

    quiet, full = forecast(), forecast(backlog=-np.linspace(0.1, 10, 80))
    assert quiet.waiting[0] == 0
    assert full.waiting[0] == 72
    assert full.service_level[0] < quiet.service_level[0]
    assert full.p_meets < quiet.p_meets
    assert quiet.p_meets_low <= quiet.p_meets <= quiet.p_meets_high
    assert quiet.p_meets == np.mean(quiet.run_levels >= 0.8)
    assert "forecast-taken-as-known" in quiet.caveat_codes
    unsure = forecast(forecast_cv=0.2)
    assert unsure.run_levels.std() > quiet.run_levels.std()
    assert "forecast-taken-as-known" not in unsure.caveat_codes
    assert forecast() == quiet
    assert perf.QueueSimulation.from_record(json.loads(json.dumps(full.to_record(), allow_nan=False))) == full


def test_a_forecast_with_classes_and_calendars() -> None:
    q = perf.forecast_queue(
        [30] * 5,
        {"P1": [0.5, 1.0], "P2": [2.0, 3.0]},
        servers=[(OFFICE, 4)],
        per=24.0,
        start=np.datetime64("2024-05-13T08:00"),
        backlog=np.array(["2024-05-12T10:00", "2024-05-12T11:00"], dtype="datetime64[m]"),
        backlog_classes=["P2", "P1"],
        classes={"P1": 0.2, "P2": 0.8},
        rng=np.random.default_rng(2),
        runs=20,
    )
    frame = q.to_frame().set_index("class")
    assert frame.loc["P1", "mean_wait"] < frame.loc["P2", "mean_wait"]
    assert frame.loc["P1", "n"] + frame.loc["P2", "n"] == frame.loc["all", "n"]
    assert q.path_at.dtype.kind == "M"


def test_a_growing_queue_is_told() -> None:
    rng = np.random.default_rng(1)
    arrive = np.cumsum(rng.exponential(1 / 3, 3000))
    q = perf.simulate_queue(arrive, rng.exponential(1, 3000), servers=2)
    assert "batches-alike" in q.caveat_codes
    q = perf.forecast_queue([300] * 4, [1.0], servers=2, per=100.0, rng=rng, runs=20)
    assert "backlog-grows" in q.caveat_codes or q.waiting[-1] > q.waiting[200]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perf.simulate_queue([], [], servers=1), "at least one"),
        (lambda: perf.simulate_queue([0, math.nan], [1, 1], servers=1), "missing"),
        (lambda: perf.simulate_queue([0, 1], [1, -1], servers=1), "at least 0"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=0), "at least 1"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=[(1, 1), (0, 2)]), "rise"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=[(0, 0)]), "nobody"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=[(OFFICE, 1)]), "instants"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=1, priority=[1]), "one value"),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=1, priority=["a", "b"]), "classes="),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=1, preemptive=True), "priority="),
        (lambda: perf.simulate_queue([0, 1], [1, 1], servers=1, warmup=2), "below"),
        (
            lambda: perf.forecast_queue(
                [1], [1.0], servers=1, per=1, rng=np.random.default_rng(1), backlog=[5]
            ),
            "after",
        ),
        (
            lambda: perf.forecast_queue([1], [1.0], servers=1, per=1, rng=np.random.default_rng(1), runs=5),
            "at least 20",
        ),
        (
            lambda: perf.forecast_queue(
                [1], [1.0], servers=1, per=1, rng=np.random.default_rng(1), classes={"a": 0.5}
            ),
            "add up to 1",
        ),
        (lambda: perf.forecast_queue([1], [1.0], servers=1, per=1, rng=1), "default_rng"),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="P2"):
        perf.simulate_queue([0, 1], [1, 1], servers=1, priority=["P1", "P2"], classes=["P1", "P3"])
    with pytest.raises(UnknownNameError, match="hours"):
        perf.simulate_queue(np.array(["2024-01-01"], dtype="datetime64[D]"), [1], servers=1, unit="hour")
    with pytest.raises(UnknownNameError, match="finish"):
        perf.simulate_queue([0], [1], servers=1, shift_end="stop")


def test_a_queue_that_grows_says_so() -> None:
    q = perf.simulate_queue(np.arange(200.0), np.full(200, 3.0), servers=2)
    # half way 33 are waiting, at the end 67
    assert "backlog-grows" in q.caveat_codes
    steady = perf.simulate_queue(np.arange(200.0), np.full(200, 1.5), servers=2)
    assert "backlog-grows" not in steady.caveat_codes


def test_intervals_hold_their_estimate() -> None:
    # the few that were in time come first, before the first whole batch
    q = perf.simulate_queue(np.arange(119.0), np.full(119, 3.0), servers=1, within=5.0)
    assert q.level_low[0] <= q.service_level[0] <= q.level_high[0]
    assert q.mean_wait_low[0] >= 0


def test_a_desk_that_opens_after_the_last_arrival() -> None:
    q = perf.simulate_queue([0, 1.0], [1, 1.0], servers=[(0, 0), (10, 1)])
    assert q.waits.tolist() == [10, 10]
    assert "nobody was at work before the last arrival" in q.verdict
