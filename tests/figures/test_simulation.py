"""Figures of simulations and of alternatives, compared as records."""

from __future__ import annotations

import json

import numpy as np
import pytest

from perfanalytics.core.records import Objective
from perfanalytics.figures import process_comparison, simulation
from perfanalytics.figures.plot import plot
from perfanalytics.models.simulation.alternatives import compare_processes
from perfanalytics.models.simulation.distribution import Distribution as D
from perfanalytics.models.simulation.parts import rework, sequence, step
from perfanalytics.models.simulation.simulate import simulate

PROCESS = sequence(
    step("triage", D.lognormal(median=0.5, sigma=0.6)),
    rework(step("resolve", D.gamma(mean=4, sd=3)), probability=0.18),
    step("inform", 0.2),
)
TEN = Objective("ten", measure="total", target=10, direction="at_most", share=0.9)


def test_the_record_of_a_simulation() -> None:
    found = simulate(PROCESS, runs=20_000, rng=1, objective=TEN)
    record = simulation.info(found)
    area = float(np.sum(record.height * np.diff(record.edges)))
    assert area == pytest.approx(1 - record.beyond)
    assert 0.001 < record.beyond < 0.003
    assert record.marks[1] == ("P90", found["p90"].value)
    assert record.meets.endswith("≤ 10")
    assert set(record.drivers) == {"resolve", "rework of resolve", "triage"}  # a constant drives nothing
    assert (record.inner <= record.bars + 0.05).all()
    assert not record.by_rank


def test_rank_correlations_where_there_are_no_shares() -> None:
    found = simulate(PROCESS, runs=1000, rng=1, correlation={("triage", "resolve"): 0.4})
    record = simulation.info(found)
    assert record.by_rank
    assert record.drivers == ("resolve", "triage")


def test_many_drivers_are_cut_and_said() -> None:
    many = sequence(*(step(f"step {k}", D.gamma(mean=k + 1, sd=1)) for k in range(15)))
    found = simulate(many, runs=500, rng=1)
    assert simulation.info(found).hidden == 3
    assert any("3 smaller ones" in a["text"] for a in simulation.draw(found)["layout"]["annotations"])


@pytest.mark.parametrize("target", [0.001, 9.0, 5000.0])
@pytest.mark.parametrize("sensitivity", [0, 1000])
def test_every_simulation_can_be_drawn(target: float, sensitivity: int) -> None:
    objective = Objective("o", measure="total", target=target, direction="at_least")
    found = simulate(PROCESS, runs=500, rng=1, objective=objective, sensitivity=sensitivity)
    figure = json.loads(plot(found).to_json())
    texts = " ".join(a["text"] for a in figure["layout"]["annotations"])
    assert "≥" in texts  # the probability is told also where the target is not in the picture
    assert figure["layout"]["title"]["text"] == "Simulated total"


def test_a_constant_process_can_be_drawn() -> None:
    assert simulation.info(simulate(step("a", 3.0), runs=500, rng=1)).height.max() > 0
    assert plot(simulate(step("a", 3.0), runs=500, rng=1)).data


def test_the_record_of_alternatives() -> None:
    found = compare_processes(
        {"today": PROCESS, "short": PROCESS.children[1]}, runs=5000, rng=1, objective=TEN
    )
    record = process_comparison.info(found)
    assert record.best == 1
    assert (np.diff(record.points, axis=1) > 0).all()
    assert all(text.endswith("≤ 10") for text in record.said)
    labels = process_comparison.draw(found)["layout"]["yaxis"]["ticktext"]
    assert labels == ["today", "<b>short ◆</b>"]
    assert plot(compare_processes({"a": PROCESS, "b": PROCESS}, runs=500, rng=1)).data
