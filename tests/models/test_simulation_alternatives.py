"""Alternative processes with common random numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from perfanalytics.baselines.baseline import baseline
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series
from perfanalytics.models.simulation.alternatives import compare_processes
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.models.simulation.distribution import Distribution as D
from perfanalytics.models.simulation.parts import rework, sequence, step

HOURS = Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="duration")
TRIAGE = step("triage", D.gamma(mean=1, sd=1))
REPAIR = step("repair", D.gamma(mean=6, sd=4))
TODAY = sequence(TRIAGE, rework(REPAIR, probability=0.2))


def test_equal_processes_do_not_differ_at_all() -> None:
    found = compare_processes({"one": TODAY, "two": TODAY}, runs=2000, rng=1)
    assert found.difference.tolist() == [0.0, 0.0]
    assert found.best is None
    assert "cannot be told apart" in found.verdict


def test_a_difference_that_is_known() -> None:
    # the checklist costs 0.3 and saves the rework: 6 * 0.2 / 0.8 = 1.5 on average
    new = sequence(TRIAGE, step("checklist", 0.3), REPAIR)
    found = compare_processes({"today": TODAY, "checklist": new}, runs=100_000, rng=1)
    assert found.best == "checklist"
    error = (found.difference_high[1] - found.difference_low[1]) / 2 / 1.959964
    assert abs(found.difference[1] - (0.3 - 1.5)) < 4 * error
    # common numbers leave only the variance of the rework
    passes, spread = 1 / 0.8, 0.2 / 0.8**2
    extra = (passes - 1) * 16 + spread * 36
    separate = 2 * (1 + 16) + extra
    assert found.variance_ratio[1] == pytest.approx(extra / separate, rel=0.1)
    # the checklist is slower only where nothing had to be done again
    assert found.better_runs[1] == pytest.approx(0.2, abs=0.01)


def test_the_objective_decides_where_there_is_one() -> None:
    steady = step("contractor", D.normal(mean=8, sd=0.5))
    objective = Objective("ten", measure="total", target=10, direction="at_most", share=0.9)
    found = compare_processes(
        {"ourselves": REPAIR, "contractor": steady}, runs=20_000, rng=1, objective=objective
    )
    assert found.mean[0] < found.mean[1]
    assert found.best == "contractor"
    exact = 0.5 * (1 + math.erf((10 - 8) / 0.5 / math.sqrt(2)))
    assert found.probability[1] == pytest.approx(
        exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4
    )
    assert "meets objective 'ten'" in found.verdict


def test_sample_sizes_of_the_inputs_make_the_answer_uncertain() -> None:
    rng = np.random.default_rng(3)
    old, new = (baseline(Series(np.exp(rng.normal(m, 0.8, 25)), measure=HOURS)) for m in (2.0, 1.95))
    asked = {"old": step("by hand", old), "new": step("by tool", new)}
    by_runs = compare_processes(asked, runs=50_000, rng=1)
    by_inputs = compare_processes(asked, runs=50_000, rng=1, resamples=200)
    assert by_runs.best is not None
    assert "inputs-taken-as-known" in by_runs.caveat_codes
    assert by_inputs.best is None
    half = (by_inputs.difference_input_high[1] - by_inputs.difference_input_low[1]) / 2
    expected = 1.96 * math.sqrt((old.values.var() + new.values.var()) / 25)
    assert half == pytest.approx(expected, rel=0.25)


def test_steps_that_are_shared_are_resampled_alike() -> None:
    made = step("repair", Series(np.random.default_rng(1).gamma(2, 3, 20), measure=HOURS))
    found = compare_processes(
        {"plain": made, "checked": sequence(made, step("check", 0.5))}, runs=2000, rng=1, resamples=40
    )
    assert found.difference_input_low[1] == pytest.approx(0.5)
    assert found.difference_input_high[1] == pytest.approx(0.5)


def test_correlations_hold_where_their_steps_are() -> None:
    new = sequence(TRIAGE, step("tool", D.gamma(mean=5, sd=4)))
    asked = {("triage", "repair"): 0.5, ("triage", "tool"): 0.5}
    found = compare_processes({"today": TODAY, "new": new}, runs=2000, rng=1, correlation=asked)
    assert found.dependence == "pairs"
    with pytest.raises(UnknownNameError, match="robot"):
        compare_processes({"today": TODAY, "new": new}, runs=2000, rng=1, correlation={"robot": 0.5})


def test_saved_and_read_back() -> None:
    objective = Objective("ten", measure="total", target=10, direction="at_most")
    found = compare_processes({"a": TODAY, "b": REPAIR}, runs=500, rng=1, objective=objective)
    again = ProcessComparison.from_record(json.loads(json.dumps(found.to_record(), allow_nan=False)))
    assert again == found
    assert found.summary()["reference"].tolist() == ["a"]
    assert len(found.to_frame()) == 2


def test_misuse() -> None:
    with pytest.raises(InputError, match="2 to 20"):
        compare_processes({"a": TODAY}, rng=1)
    with pytest.raises(InputError, match="2 to 20"):
        compare_processes([TODAY, REPAIR], rng=1)  # type: ignore[arg-type]
    days = Measure("days", definition="d", unit="days", better="lower", scale="duration")
    one = step("a", Series([1.0, 2.0, 3.0], measure=HOURS))
    two = step("a", Series([1.0, 2.0, 3.0], measure=days))
    with pytest.raises(InputError, match="different units: days, hours"):
        compare_processes({"a": one, "b": two}, rng=1)
