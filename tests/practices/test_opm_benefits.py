"""Benefits predicted. Numbers of R: tests/reference/opm.R."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.plot import further_figures
from tests.practices.opm_samples import DURATION, HOURS, back, shifted

NORMAL = perf.Distribution.normal(mean=2, sd=0.5)


def frame(n=300):
    import pandas as pd

    rng = np.random.default_rng(7)
    x = rng.integers(0, 4, n)
    return pd.DataFrame({"hours": 10 + 3 * x + rng.standard_normal(n), "handovers": x})


def test_a_product_of_distributions_has_the_moments_of_r():
    comparison = perf.compare(shifted().take(0, 30), shifted().take(30), scale="raw")
    made = perf.predict_benefit(
        comparison, volume=perf.Distribution.uniform(low=800, high=1200), worth=3.0, draws=50_000
    )
    e = comparison.effect("difference_of_means")
    from scipy import stats

    sd = (e.high - e.low) / (2 * stats.norm.ppf(0.975))
    mean = -e.estimate
    # variance of a product as in opm.R: (m^2 + s^2)(ev^2 + vv) - (m ev)^2
    vv = 400**2 / 12
    wanted = 3 * np.sqrt((mean**2 + sd**2) * (1000**2 + vv) - (mean * 1000) ** 2)
    assert made.basis == "measured"
    assert made.benefit_mean == pytest.approx(3000 * mean, rel=2e-3)
    low, high = made.benefit_quantiles[5], made.benefit_quantiles[95]
    assert (high - low) / 3.2 == pytest.approx(wanted, rel=0.1)
    assert made.money is None
    assert back(made) == made


def test_the_moments_of_r_for_a_stated_law():
    # R: mean 6000, sd 1661.3 for a normal(2, 0.5) times uniform(800, 1200) times 3
    rng = np.random.default_rng(1)
    share = (rng.permutation(20_000) + 0.5) / 20_000
    from perfanalytics.models.factor_values import quantiles_of

    first = quantiles_of(NORMAL, share, "a")
    second = quantiles_of(perf.Distribution.uniform(low=800, high=1200), rng.permutation(share), "b")
    assert float((first * second * 3).std()) == pytest.approx(1661.324773, rel=0.01)


def test_a_scenario_of_a_model_and_its_gain():
    goal = perf.Objective("fast", measure="hours", target=12, direction="at_most", share=0.8)
    model = perf.fit("hours ~ handovers", frame(), measure=HOURS, controllable=("handovers",), objective=goal)
    told = model.what_if({"none": {"handovers": 0}}, rows=100)
    made = perf.predict_benefit(told, scenario="none", volume=100, worth=1.0)
    k = told.scenarios.tolist().index("none")
    assert made.improvement_mean == pytest.approx(-told.difference[k], rel=1e-3)
    assert made.basis == "model"
    share = perf.predict_benefit(told, scenario="none", volume=100, worth=1.0, quantity="share")
    assert share.improvement_mean == pytest.approx(told.gain[k], rel=1e-3)
    with pytest.raises(perf.UnknownNameError, match="scenario"):
        perf.predict_benefit(told, scenario="nothing", volume=1, worth=1)
    with pytest.raises(perf.UnknownNameError, match="scenario"):
        perf.predict_benefit(told, volume=1, worth=1)


def test_an_alternative_process_says_when_its_spread_is_simulation_error():
    process = perf.sequence(
        perf.step("triage", perf.Distribution.lognormal(median=2.0, sigma=0.5)), perf.step("repair", 3.0)
    )
    measure = perf.Measure("total", definition="Total hours", unit="hours", better="lower", scale="duration")
    found = perf.compare_processes(
        {"now": process, "less": process.parts[1]}, runs=2000, rng=1, measure=measure
    )
    made = perf.predict_benefit(found, scenario="less", volume=10, worth=1)
    assert made.improvement_mean == pytest.approx(-found.difference[1], rel=1e-3)
    assert "simulation-error-only" in made.caveat_codes


def test_an_assumed_ratio_needs_today():
    made = perf.predict_benefit(
        (0.7, 0.8, 1.05), level=20.0, volume=100, worth=2, measure=DURATION, draws=4000
    )
    # PERT of the improvement: (-1 + 4 x 4 + 6) / 6 = 3.5 hours
    assert made.improvement_mean == pytest.approx(3.5, rel=1e-3)
    assert made.basis == "assumed"
    assert 0.9 < made.probability_better < 1
    assert made.caveat_codes[0] == "assumed"
    with pytest.raises(perf.InputError, match="needs measure"):
        perf.predict_benefit((0.7, 0.8, 1.05), level=20.0, volume=1, worth=1)


def test_money_is_that_of_the_cost_benefit_analysis():
    made = perf.predict_benefit(
        3.0, volume=100, worth=2, measure=HOURS, investment={"tool": 1000}, periods=2, rate=0.1, draws=200
    )
    # 600 / 1.1 + 600 / 1.21 - 1000
    assert made.money is not None
    assert made.money.npv_mean == pytest.approx(41.3223, abs=1e-3)
    assert "net present value" in made.verdict
    assert len(further_figures(made)) == 1
    assert perf.plot(made).data


def test_a_change_for_the_worse_stays_in():
    made = perf.predict_benefit((-2.0, 0.0, 2.0), volume=100, worth=1, measure=HOURS, draws=2000)
    assert made.benefit_low < 0 < made.benefit_high
    assert "may-not-help" in made.caveat_codes


def test_misuse_is_refused():
    with pytest.raises(perf.InputError, match="predicts no change"):
        perf.predict_benefit(perf.control_chart([1, 2, 3, 2, 1, 2, 3, 2.5]), volume=1, worth=1)
    with pytest.raises(perf.InputError, match="in their order"):
        perf.predict_benefit((3, 2, 1), volume=1, worth=1)
    with pytest.raises(perf.InputError, match="not negative"):
        perf.predict_benefit(1.0, volume=-1, worth=1)
    with pytest.raises(perf.InputError, match="scenario="):
        perf.predict_benefit(1.0, volume=1, worth=1, scenario="x")
    with pytest.raises(perf.InputError, match="running_costs"):
        perf.predict_benefit(1.0, volume=1, worth=1, running_costs={"x": 1})


def test_the_verdict_names_the_amount_it_hangs_on():
    made = perf.predict_benefit(
        (1.0, 2.0, 3.0), volume=1000, worth=10.0, measure=HOURS, investment={"training": 5_000.0}, periods=2
    )
    assert made.verdict.endswith("It hangs most on 'benefit of the improvement'.")
