"""Pilots planned and judged. Numbers of R: tests/reference/opm.R."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import pilot_judgement as judgement_figure
from perfanalytics.figures import pilot_plan as plan_figure
from tests.practices.opm_samples import DURATION, SHARE, back, criterion, monday, pilot, shifted, weeks

BEFORE = [20, 23, 19, 22, 18, 21, 24, 20, 19, 22, 23, 21]


def test_the_length_of_a_pilot_is_that_of_r():
    plan = perf.plan_pilot(weeks(BEFORE), criterion(least_change=2))
    assert plan.sd == pytest.approx(1.858640755, rel=1e-9)
    assert plan.rho == 0.0
    assert plan.periods == 19  # R: power 0.7959 with 18, 0.8052 with 19
    at = dict(zip(plan.at.tolist(), plan.power_detect.tolist(), strict=True))
    assert at[19.0] == pytest.approx(0.8052280689, rel=1e-6)
    assert "expected-not-said" in plan.caveat_codes
    assert plan.feasible
    assert back(plan) == plan


def test_what_is_expected_must_lie_beyond_the_criterion():
    plan = perf.plan_pilot(weeks(BEFORE), criterion(least_change=2), expected=4)
    assert plan.periods_met == 8  # R: power 0.933 with 8, the fewest that are judged
    assert plan.periods == 19
    met = dict(zip(plan.at.tolist(), plan.power_met.tolist(), strict=True))
    assert met[8.0] == pytest.approx(0.9329158823, rel=1e-6)
    never = perf.plan_pilot(weeks(BEFORE), criterion(least_change=2), expected=2)
    assert np.isinf(never.periods)
    assert not never.feasible
    assert "expected-not-beyond" in never.caveat_codes


def test_what_cannot_be_seen_in_a_reasonable_time_is_said():
    plan = perf.plan_pilot(weeks(BEFORE), criterion(least_change=1.4), longest=20)
    assert not plan.feasible
    assert plan.verdict.startswith("Cannot be judged in a reasonable time (20 weeks)")
    seen = plan.detectable[plan.at == 20.0][0]
    assert seen > 1.4
    assert f"a change of {seen:.3g} hours would be told from none" in plan.verdict


def test_autocorrelation_makes_a_pilot_longer():
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(200)
    ar = np.zeros(200)
    for k in range(1, 200):
        ar[k] = 0.6 * ar[k - 1] + 0.8 * noise[k]
    asked = criterion(least_change=0.6)
    alone = perf.plan_pilot(weeks(20 + noise), asked, longest=200)
    correlated = perf.plan_pilot(weeks(20 + ar), asked, longest=200)
    assert correlated.rho > 0.4
    assert correlated.periods > 2 * alone.periods


def test_a_ratio_is_planned_on_logarithms_and_a_level_on_the_pilot_alone():
    series = weeks(np.exp(np.log(20) + 0.1 * np.array(BEFORE) - 2.1), measure=DURATION)
    plan = perf.plan_pilot(series, criterion(least_ratio=0.8), expected=0.65)
    assert plan.scale == "log"
    assert plan.sd == pytest.approx(0.1858640755, rel=1e-9)
    assert plan.required == pytest.approx(0.8)
    level = perf.plan_pilot(weeks(BEFORE), criterion(target=18, direction="at_most"), expected=17)
    assert level.required == 18
    assert level.method.parameters["test_of_criterion"] == "one_sample_t"
    reached = perf.plan_pilot(weeks(BEFORE), criterion(target=25, direction="at_most"), expected=20)
    assert "criterion-reached-already" in reached.caveat_codes


def test_a_comparison_group_takes_out_what_moves_both():
    season = 5 * np.sin(np.arange(40) / 3)
    noise = np.random.default_rng(3).standard_normal((2, 40))
    alone = perf.plan_pilot(weeks(40 + season + noise[0]), criterion(least_change=2))
    both = perf.plan_pilot(
        weeks(40 + season + noise[0]),
        criterion(least_change=2),
        comparison_group=weeks(50 + season + noise[1]),
    )
    assert both.sd == pytest.approx(float(np.std(noise[0] - noise[1], ddof=1)), rel=1e-9)
    assert both.periods < alone.periods


def test_a_plan_counts_items_and_takes_a_baseline():
    rng = np.random.default_rng(2)
    sizes = np.full(40, 50.0)
    share = weeks(rng.binomial(50, 0.8, 40) / 50, measure=SHARE, sizes=sizes)
    asked = criterion(measure="on_time", statistic="share", least_change=0.05)
    plan = perf.plan_pilot(share, asked, expected=0.09)
    assert plan.items == pytest.approx(50 * plan.periods)
    assert perf.plan_pilot(perf.baseline(share), asked, expected=0.09).periods == plan.periods


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"least_change": -2}, "asks for no improvement"),
        ({"least_ratio": 1.2}, "asks for no improvement"),
        ({"target": 25, "direction": "at_least"}, "lower is better"),
        ({"least_change": 2, "measure": "cost"}, "about 'cost'"),
    ],
)
def test_criteria_that_cannot_be_meant_are_refused(given, said):
    with pytest.raises(perf.InputError, match=said):
        perf.plan_pilot(weeks(BEFORE), criterion(**given))


def test_misuse_of_a_plan_is_refused():
    asked = criterion(least_change=2)
    with pytest.raises(perf.InputError, match="at least 8"):
        perf.plan_pilot(weeks(BEFORE[:7]), asked)
    with pytest.raises(perf.InputError, match="do not vary"):
        perf.plan_pilot(weeks([20.0] * 12), asked)
    with pytest.raises(perf.InputError, match="assurance"):
        perf.plan_pilot(weeks(BEFORE), asked, assurance=0.5)
    with pytest.raises(perf.InputError, match="longest"):
        perf.plan_pilot(weeks(BEFORE), asked, longest=3)
    with pytest.raises(perf.InputError, match="value 0"):
        perf.plan_pilot(weeks([0.0, *BEFORE]), criterion(least_ratio=0.8))
    bare = perf.Measure("hours", definition="d", unit="h", better="unknown", scale="real")
    with pytest.raises(perf.InputError, match="which direction is better"):
        perf.plan_pilot(weeks(BEFORE, measure=bare), asked)


def test_a_pilot_that_reaches_its_criterion_meets_it():
    judged = perf.judge_pilot(pilot(30, 60), criterion(least_change=3), shifted(), selected="at random")
    assert judged.standing == "met"
    e = judged.comparison.primary
    assert judged.estimate == pytest.approx(-e.estimate)
    assert (judged.low, judged.high) == pytest.approx((-e.high, -e.low))
    assert judged.declared_before
    assert judged.caveat_codes[0] == "no-comparison-group"
    assert "meets its criterion" in judged.verdict
    assert back(judged) == judged


def test_the_probability_of_reaching_is_that_of_the_t_distribution():
    judged = perf.judge_pilot(pilot(30, 60), criterion(least_change=3), shifted(), selected="at random")
    e = judged.comparison.primary
    from scipy import stats

    se = (e.high - e.low) / (2 * stats.t.ppf(0.975, e.df))
    assert judged.probability == pytest.approx(stats.t.cdf((-e.estimate - 3) / se, e.df), rel=1e-9)
    # the same formula in R: estimate 4 (3 to 5), df 20, against 3.5
    assert stats.t.cdf(0.5 / 0.4793947858, 20) == pytest.approx(0.8452996847, rel=1e-9)


def test_a_pilot_without_effect_does_not_meet_and_a_short_one_cannot_tell():
    nothing = perf.judge_pilot(pilot(30, 60), criterion(least_change=3), shifted(by=0.0))
    assert nothing.standing == "not met"
    assert nothing.probability < 0.2
    noisy = perf.judge_pilot(pilot(12, 22), criterion(least_change=3), shifted(22, 12, spread=6.0, seed=4))
    assert noisy.standing == "cannot tell"
    assert "cannot be told" in noisy.verdict


def test_a_change_that_is_not_told_from_none_is_never_met():
    found = [
        perf.judge_pilot(
            pilot(12, 22),
            criterion(least_change=0.1),
            shifted(22, 12, by=-1.2, spread=3, seed=k),
            assurance=0.6,
        )
        for k in range(12)
    ]
    assert any(j.probability >= 0.6 and j.standing == "cannot tell" for j in found)
    for j in found:
        assert j.standing != "met" or j.comparison.outcome == "detected"


def test_ratios_levels_and_comparison_groups():
    log = shifted(measure=DURATION)
    ratio = perf.judge_pilot(pilot(30, 60), criterion(least_ratio=0.95), log)
    assert ratio.form == "ratio"
    assert ratio.estimate == pytest.approx(ratio.comparison.primary.estimate)
    assert ratio.standing == "met"
    level = perf.judge_pilot(pilot(30, 60), criterion(target=28, direction="at_most"), shifted())
    assert level.form == "level"
    assert level.estimate == pytest.approx(float(shifted().values[30:].mean()))
    assert level.standing == "met"
    assert "no-comparison-group" not in level.caveat_codes
    both = perf.judge_pilot(
        pilot(30, 60), criterion(least_change=3), shifted(), comparison_group=shifted(by=-4.0, seed=9)
    )
    assert both.comparison.method.name == "difference_in_differences"
    assert both.standing == "not met"  # the others became better just as much
    slope = perf.judge_pilot(pilot(30, 60), criterion(least_change=3), shifted(), method="interrupted")
    assert slope.comparison.primary.quantity == "average_effect"


def test_the_level_of_a_pilot_is_judged_as_in_r():
    y = [9.1, 8.7, 9.9, 9.4, 8.8, 9.6, 9.0, 9.3, 9.8, 8.9]
    series = weeks([12.0, 11, 13, 12, 11.5, 12.5, 11.8, 12.2, *y])
    judged = perf.judge_pilot(pilot(8, 18), criterion(target=10, direction="at_most"), series)
    assert judged.estimate == pytest.approx(9.25)
    assert judged.method.parameters["standard_error"] == pytest.approx(0.1327068616, rel=1e-9)
    assert judged.probability == pytest.approx(0.9998435094, rel=1e-9)


def test_a_criterion_declared_late_and_a_choice_of_the_worst_are_said():
    late = criterion(least_change=3, declared_on=monday(31))
    judged = perf.judge_pilot(pilot(30, 60), late, shifted(), selected="worst")
    assert not judged.declared_before
    assert {"criterion-after-pilot", "regression-to-the-mean"} <= set(judged.caveat_codes)
    assert judged.verdict.endswith("The criterion was declared after the pilot began.")
    same_day = criterion(least_change=3, declared_on=monday(30))
    assert not perf.judge_pilot(pilot(30, 60), same_day, shifted()).declared_before


def test_a_dip_before_the_pilot_is_seen():
    values = shifted(by=0.0).values.copy()
    values[22:30] += 4.0  # the worst weeks were the reason for the pilot; nothing was really changed
    judged = perf.judge_pilot(pilot(30, 60), criterion(least_change=1), weeks(values), selected="at random")
    assert "dip-before-pilot" in judged.caveat_codes
    calm = perf.judge_pilot(pilot(30, 60), criterion(least_change=1), shifted(), selected="at random")
    assert "dip-before-pilot" not in calm.caveat_codes


def test_a_dip_that_the_comparison_group_shares_is_none():
    dip = np.zeros(60)
    dip[22:30] = 4.0
    own, other = shifted(by=0.0).values + dip, shifted(by=0.0, seed=8).values + dip
    judged = perf.judge_pilot(
        pilot(30, 60), criterion(least_change=1), weeks(own), comparison_group=weeks(other)
    )
    assert "dip-before-pilot" not in judged.caveat_codes


def test_misuse_of_a_judgement_is_refused():
    asked, series = criterion(least_change=3), shifted()
    with pytest.raises(perf.InputError, match="belongs to"):
        perf.judge_pilot(pilot(30, 60), criterion(least_change=3, proposal="Q"), series)
    with pytest.raises(perf.InputError, match="when="):
        perf.judge_pilot(pilot(30, 60), asked, perf.Series(series.values, measure=series.measure))
    with pytest.raises(perf.UnknownNameError, match="method of judging"):
        perf.judge_pilot(pilot(30, 60), asked, series, method="levels")
    with pytest.raises(perf.UnknownNameError, match="way of selecting"):
        perf.judge_pilot(pilot(30, 60), asked, series, selected="bad ones")
    level = criterion(target=28, direction="at_most")
    with pytest.raises(perf.InputError, match="about a level"):
        perf.judge_pilot(pilot(30, 60), level, series, comparison_group=series)


def test_the_figures_hold_what_was_computed():
    plan = perf.plan_pilot(weeks(BEFORE), criterion(least_change=2), expected=4)
    told = plan_figure.info(plan)
    assert told.asked == 2
    assert told.change.tolist() == pytest.approx(plan.detectable.tolist())
    judged = perf.judge_pilot(pilot(30, 60), criterion(least_ratio=0.95), shifted(measure=DURATION))
    shown = judgement_figure.info(judged)
    assert shown.estimate == pytest.approx(100 * (judged.estimate - 1))
    assert shown.during.sum() == 30
    assert perf.plot(plan).data
    assert perf.plot(judged).data
    assert dt.date(2024, 7, 29) == judged.pilot.since


def test_too_few_periods_or_none_that_vary_give_no_number():
    asked, tried = criterion(least_ratio=0.9), shifted(measure=DURATION)
    with pytest.raises(perf.InputError, match="30 periods before the pilot and 3 during it: at least 8"):
        perf.judge_pilot(pilot(30, 33), asked, tried)
    flat = weeks(np.where(np.arange(60) < 30, 10.0, 8.0), measure=DURATION)
    with pytest.raises(perf.InputError, match="do not vary"):
        perf.judge_pilot(pilot(30, 60), asked, flat)


def test_a_pilot_that_begins_within_a_week_says_to_which_side_it_counts():
    tried, asked = shifted(measure=DURATION), criterion(least_ratio=0.9)
    assert "began-within-a-period" not in perf.judge_pilot(pilot(30, 60), asked, tried).caveat_codes
    late = perf.Pilot(
        "late", proposal="P", measure="hours", since=monday(29) + dt.timedelta(days=2), until=monday(60)
    )
    judged = perf.judge_pilot(late, asked, tried)
    assert (judged.n_before, judged.n_during) == (30, 30)
    said = {c.code: c.text for c in judged.caveats}["began-within-a-period"]
    assert f"within a week ({monday(29)})" in said
