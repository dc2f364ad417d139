"""Figures of queues, staffing, capacity, growth, availability, lifetimes, containment, as records."""

from __future__ import annotations

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import (
    availability,
    capacity,
    containment,
    growth,
    lifetimes,
    queue,
    queue_simulation,
    staffing,
    structure,
)
from perfanalytics.figures.as_json import figure_json
from perfanalytics.figures.plot import figure_dict

STARTS = np.array(["2024-01-05T10:00", "2024-03-20T00:00"], dtype="datetime64[m]")


def outages() -> perf.Availability:
    return perf.availability(
        STARTS,
        STARTS + np.timedelta64(600, "m"),
        since=np.datetime64("2024-01-01"),
        until=np.datetime64("2024-04-01"),
        target=0.99,
    )


RESULTS = {
    "queue": lambda: perf.queue(arrivals=6.8, service=1, servers=8, within=1, target=0.8),
    "overloaded": lambda: perf.queue(arrivals=9, service=1, servers=8),
    "idle": lambda: perf.queue(arrivals=0.001, service=1, servers=8),
    "classes": lambda: perf.queue(arrivals=[1, 9], service=1, servers=8, discipline="priority"),
    "staffing": lambda: perf.staffing(arrivals=100, per=1800, service=180, within=20),
    "loss": lambda: perf.staffing(arrivals=10, service=1, system="loss", target=0.95),
    "day": lambda: perf.staffing(arrivals=[100, 0, 50], per=1800, service=180, within=20),
    "capacity": lambda: perf.capacity([60, 90], service=1.5, servers=4, per=40, max_utilization=0.8),
    "replay": lambda: perf.simulate_queue(np.arange(50.0), np.full(50, 3.0), servers=2, within=1, target=0.8),
    "unserved": lambda: perf.simulate_queue([0, 1, 5], [1, 1, 1], servers=[(0, 1), (3, 0)]),
    "forecast": lambda: perf.forecast_queue(
        [20, 20], [1.0, 2.0], servers=4, per=8.0, rng=np.random.default_rng(1), runs=20
    ),
    "growth": lambda: perf.reliability_growth([5, 40, 43, 175, 389, 712], end=1500, out_of_sample=False),
    "worse": lambda: perf.reliability_growth([50, 70, 80, 85, 88, 90], out_of_sample=False),
    "counts": lambda: perf.reliability_growth([9, 5, 3, 2, 1], of="counts", out_of_sample=False),
    "availability": outages,
    "structure": lambda: perf.structure({"database": outages(), "network": 0.999}),
    "perfect": lambda: perf.structure({"a": 1.0, "b": 1.0}),
    "lifetimes": lambda: perf.lifetimes([5.0, 9, 14, 20, 30], censored=[False, False, True, False, True]),
    "containment": lambda: perf.containment([[9, 4, 1], [0, 12, 3], [0, 0, 1]], phases=["a", "b", "c"]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_figure_is_drawn(name) -> None:
    result = RESULTS[name]()
    drawn = figure_dict(result)
    assert drawn["data"]
    assert drawn["layout"]["title"]["text"]
    perf.plot(result)
    json.loads(figure_json(drawn))


def test_tail_of_a_queue() -> None:
    record = queue.info(RESULTS["queue"]())
    assert record.longer[0][0] == pytest.approx(0.5726, abs=1e-4)
    assert (np.diff(record.longer[0]) < 0).all()
    assert record.times[-1] >= 1.3
    assert queue.info(RESULTS["classes"]()).names == ("class 1", "class 2")


def test_staffing_shows_the_numbers_around() -> None:
    record = staffing.info(RESULTS["staffing"]())
    assert record.servers.tolist() == list(range(10, 19))
    assert record.level[record.servers == 14] == pytest.approx(0.888, abs=5e-4)
    assert record.level[0] == 0
    assert not staffing.info(RESULTS["day"]()).single


def test_capacity_marks_what_exceeds() -> None:
    record = capacity.info(RESULTS["capacity"]())
    assert record.exceeds.tolist() == [False, True]


def test_the_path_of_a_backlog() -> None:
    record = queue_simulation.info(RESULTS["replay"]())
    assert not record.band
    assert record.waiting[0] == 0
    assert record.waiting.max() == pytest.approx(16, abs=2)
    assert np.isfinite(queue_simulation.info(RESULTS["unserved"]()).times).all()


def test_growth_draws_three_models_and_the_next_period() -> None:
    record = growth.info(RESULTS["growth"]())
    assert len(record.names) == 3
    assert record.seen.tolist() == [1, 2, 3, 4, 5, 6]
    assert record.t[-1] == record.ahead_at == 1650
    assert growth.info(RESULTS["counts"]()).seen.tolist() == [9, 14, 17, 19, 20]


def test_the_others() -> None:
    record = availability.info(RESULTS["availability"]())
    assert record.share.tolist() == pytest.approx([1 - 10 / 744, 1.0, 1 - 10 / 744])
    bars = structure.info(RESULTS["structure"]())
    assert bars.parts.tolist() == ["network", "database"]
    curve = lifetimes.info(RESULTS["lifetimes"]())
    assert curve.survival.tolist() == pytest.approx([1, 0.8, 0.6, 0.3, 0.3])
    assert curve.alive_at.tolist() == pytest.approx([0.6, 0.3])
    matrix = containment.info(RESULTS["containment"]())
    assert np.isnan(matrix.matrix[1, 0])
    assert matrix.efficiency.tolist() == pytest.approx([9 / 14, 16 / 20])


def test_titles_and_panels_of_the_special_cases() -> None:
    lost = queue.info(perf.queue(arrivals=5, service=1, servers=5, capacity=5))
    assert "nobody waits" in lost.title
    assert lost.times[-1] == 1
    assert "without end" in queue.info(RESULTS["overloaded"]()).title
    since, until = np.datetime64("2024-01-01"), np.datetime64("2024-04-01")
    never = figure_dict(perf.availability([], [], since=since, until=until))
    assert len(never["data"]) == 1
    assert "yaxis2" not in never["layout"]


def test_the_legend_of_growth_keeps_clear_of_the_curve() -> None:
    assert figure_dict(RESULTS["worse"]())["layout"]["legend"]["y"] > 0.5
    assert figure_dict(RESULTS["counts"]())["layout"]["legend"]["y"] < 0.5


def test_who_was_never_served_stays_in_the_tail() -> None:
    record = queue_simulation.info(RESULTS["unserved"]())
    assert "1 of 3 never served" in record.title
    assert record.longer[-1] == pytest.approx(1 / 3)
    assert record.times[-1] == 1
    nobody = perf.simulate_queue([5, 6], [1, 1], servers=[(0, 1), (2, 0)], start=0)
    assert queue_simulation.info(nobody).longer.tolist() == [1, 1]


def test_a_constant_rate_predicts_nothing_of_growth() -> None:
    found = perf.reliability_growth([30, 0, 0, 0, 0, 0], of="counts", out_of_sample=False)
    assert np.isnan(growth.info(found).ahead).all()


def test_more_classes_than_colors_differ_by_their_dashes() -> None:
    drawn = figure_dict(perf.queue(arrivals=[1] * 7, service=1, servers=8, discipline="preemptive"))
    looks = [(d["line"]["color"], d["line"]["dash"]) for d in drawn["data"]]
    assert len(set(looks)) == 7


def test_a_law_that_does_not_fit_is_told_and_the_legend_hides_no_curve() -> None:
    rng = np.random.default_rng(1)
    early = np.concatenate([rng.uniform(20, 60, 150), rng.uniform(600, 900, 50)])
    result = perf.lifetimes(early)
    assert "distribution-does-not-fit" in result.caveat_codes
    layout = figure_dict(result)["layout"]
    assert "the fitted law is off" in layout["title"]["text"]
    assert layout["legend"]["yanchor"] == "top"
    late = figure_dict(perf.lifetimes(rng.weibull(6, 200) * 100))["layout"]
    assert late["legend"]["yanchor"] == "bottom"
    assert "off" not in late["title"]["text"]
    clustered = np.sort(np.repeat(rng.uniform(1, 1000, 60), 4) + np.tile([0.0, 0.1, 0.2, 0.3], 60))
    growth = perf.reliability_growth(clustered, out_of_sample=False)
    assert "does not fit" in figure_dict(growth)["layout"]["title"]["text"]
