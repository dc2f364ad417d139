"""Whether an improvement worked: outcomes, criteria, weeks still needed, benefits, doubts, checks."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import perfanalytics as perf
from perfanalytics.baselines.value_kinds import counted_kind, default_chart
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.effect_evaluation import info
from perfanalytics.practices.car.effect_benefit import realized
from perfanalytics.practices.car.effect_periods import staged_chart
from perfanalytics.practices.car.effect_time import distance, needed

HOURS = perf.Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="duration")
CHANGE = perf.Change("Triage", when=dt.date(2024, 6, 9), what="First-line triage")
PROPOSAL = perf.Proposal(
    "Triage", originator="Desk", outcome="Too slow", cause="No triage", expected_benefit=50_000, analysis="C1"
)
GOAL = perf.Objective("fast", measure="hours", target=24, direction="at_most", share=0.6)


def sides(ratio: float, *, n1: int = 160, n2: int = 80, seed: int = 3, sd: float = 0.5):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(3, sd, n1 + n2)
    values[n1:] *= ratio
    when = np.datetime64("2024-01-01") + np.arange(n1 + n2)
    series = perf.Series(values, measure=HOURS, when=when, events=[CHANGE])
    return series.take(0, n1), series.take(n1)


def criterion(**asked) -> perf.SuccessCriterion:
    given = {"statistic": "geometric mean", "declared_on": dt.date(2024, 5, 20)} | asked
    return perf.SuccessCriterion("asked", proposal="Triage", measure="hours", **given)


def evaluated(ratio: float, *, wanted=None, n2: int = 80, **more) -> perf.EffectEvaluation:
    before, after = sides(ratio, n2=n2)
    return perf.evaluate_effect(before, after, criterion=wanted, change=CHANGE, proposal=PROPOSAL, **more)


def test_a_large_effect_that_reaches_the_criterion_worked():
    made = evaluated(0.6, wanted=criterion(least_ratio=0.85), objective=GOAL)
    assert (made.outcome, made.standing, made.worked) == ("worked", "met", True)
    assert made.checks == ()
    assert made.more_weeks == 0
    assert made.judged is not None
    assert made.judged.high <= 0.85
    assert "It worked" in made.verdict
    assert "15% lower" in made.verdict


def test_the_verdict_is_two_sentences_and_the_rest_stands_beside_it():
    made = evaluated(0.6, wanted=criterion(least_ratio=0.85), objective=GOAL, value=1.0)
    assert len(re.findall(r"\.(?: |$)", made.verdict)) == 2
    assert "benefit" not in made.verdict
    assert made.meaning_frame()["about"].tolist() == ["objective", "benefit"]
    open_still = evaluated(0.9, wanted=criterion(least_ratio=0.8), n2=12)
    assert len(re.findall(r"\.(?: |$)", open_still.verdict)) == 2
    assert "is open; about" in open_still.verdict


def test_the_probability_of_an_objective_knows_that_items_of_a_period_are_alike():
    # 30 days of 200 items each; whether an item is in time depends on its day
    rng = np.random.default_rng(4)
    days = np.repeat(np.datetime64("2024-01-01") + np.arange(60), 200)
    late = np.repeat(rng.uniform(0.15, 0.45, 60), 200)
    hours = np.where(rng.random(len(days)) < late, 30.0, 10.0) * rng.uniform(0.9, 1.1, len(days))
    series = perf.Series(hours, measure=HOURS, when=days)
    share = float((series.take(30 * 200).values <= 24).mean())
    goal = perf.Objective(
        "In time", measure="hours", target=24, direction="at_most", share=round(share + 0.02, 3)
    )
    made = perf.evaluate_effect(series.take(0, 6000), series.take(6000), objective=goal, every="day")
    assert made.on_objective is not None
    by_day = (series.take(6000).values <= 24).reshape(30, 200).mean(axis=1)
    drawn = rng.choice(by_day, (4000, 30)).mean(axis=1)  # whole days drawn again
    simulated = float((drawn >= goal.share).mean())
    assert simulated > 0.1
    assert made.on_objective.probability_after == pytest.approx(simulated, abs=0.08)


def test_a_share_has_no_rows_of_medians_and_its_unit_is_named():
    rng = np.random.default_rng(2)
    days = np.datetime64("2024-01-01") + np.arange(600) // 4
    made_it = perf.Measure(
        "ok", definition="1 where it went well", unit="1", better="higher", scale="proportion"
    )
    series = perf.Series((rng.random(600) < 0.9).astype(float), measure=made_it, when=days)
    frame = perf.evaluate_effect(series.take(0, 300), series.take(300)).to_frame()
    assert not frame[["before", "after", "change"]].isna().all(axis=1).any()
    assert set(frame["unit"]) == {"share", "times"}
    wanted = perf.SuccessCriterion(
        "more",
        proposal="Triage",
        measure="ok",
        statistic="share",
        least_change=0.02,
        declared_on=dt.date(2023, 1, 1),
    )
    made = perf.evaluate_effect(series.take(0, 300), series.take(300), criterion=wanted)
    panel = info(made).panels[0]
    assert panel.axis.endswith("percentage points")
    assert [line[0] for line in panel.lines] == pytest.approx([0.0, 2.0])
    assert panel.points[0][1] == pytest.approx(100 * made.judged.estimate)


def test_no_effect_with_much_data_did_not_work():
    # the whole interval lies short of a fifth less
    made = evaluated(1.0, wanted=criterion(least_ratio=0.7), n2=160)
    assert (made.outcome, made.standing) == ("did_not", "missed")
    assert {code for code, _, _ in made.checks} >= {"carried-out", "measured-right", "too-much-expected"}


def test_a_change_for_the_worse_did_not_work_whatever_was_asked():
    made = evaluated(1.7, wanted=criterion(least_ratio=0.95))
    assert (made.outcome, made.reason) == ("did_not", "the change is for the worse")


def test_without_a_criterion_a_detected_improvement_counts_and_that_is_said():
    made = evaluated(0.6)
    assert made.outcome == "worked"
    assert "no-criterion" in made.caveat_codes
    assert math.isnan(made.required)


def test_little_data_cannot_tell_and_says_how_many_weeks():
    made = evaluated(0.9, wanted=criterion(least_ratio=0.8), n2=12)
    assert (made.outcome, made.standing) == ("cannot_tell", "open")
    assert 0 < made.more_weeks < 52
    assert f"{math.ceil(made.more_weeks)} more week" in made.verdict
    assert made.power_now < 0.8
    # it is the plan of the same comparison: power at that size is 80%
    rho = made.rho
    row = made.judged
    assert row is not None
    q = float(stats.t.ppf(0.975, row.df))
    se = (math.log(row.high) - math.log(row.low)) / (2 * q)
    stretch = (1 + rho) / (1 - rho)
    sd = se / math.sqrt(stretch * (1 / 160 + 1 / 12))
    plan = perf.power(
        "ar1_level_change", effect=-math.log(0.8) / sd, n=12 + made.more_periods, n_before=160, rho=rho
    )
    assert plan.power == pytest.approx(0.8, abs=0.02)
    assert plan.power >= 0.8
    less = perf.power(
        "ar1_level_change", effect=-math.log(0.8) / sd, n=11 + made.more_periods, n_before=160, rho=rho
    )
    assert less.power < 0.8


def test_no_number_of_weeks_is_enough_where_there_is_too_little_before():
    before, after = sides(0.93, n1=20, n2=20)
    made = perf.evaluate_effect(before, after, criterion=criterion(least_ratio=0.93))
    assert made.outcome == "cannot_tell"
    assert math.isinf(made.more_weeks)
    assert "no number of weeks" in made.verdict


def test_a_drift_before_cannot_be_told_by_waiting():
    rng = np.random.default_rng(1)
    level = np.where(np.arange(120) < 80, np.linspace(3.4, 3.3, 120), 2.4)
    values = np.exp(level + rng.normal(0, 0.06, 120))
    when = np.datetime64("2024-01-01") + np.arange(120)
    series = perf.Series(values, measure=HOURS, when=when)
    made = perf.evaluate_effect(series.take(0, 80), series.take(80), criterion=criterion(least_ratio=0.9))
    assert made.comparison.outcome == "not_attributable"
    assert made.outcome == "cannot_tell"
    assert math.isinf(made.more_weeks)
    assert "interrupted" in made.verdict
    assert "already-moving" in {code for code, _, _ in made.checks}


@pytest.mark.parametrize(
    ("asked", "standing"),
    [
        ({"statistic": "mean", "least_change": 3.0}, "met"),
        ({"statistic": "median", "least_ratio": 0.9}, "met"),
        ({"statistic": "p90", "target": 200.0, "direction": "at_most"}, "met"),
        ({"statistic": "p90", "target": 10.0, "direction": "at_most"}, "missed"),
        ({"statistic": "item", "least_change": 0.9}, "missed"),
        ({"statistic": "sd", "least_ratio": 0.95}, "met"),
        ({"statistic": "geometric mean", "least_change": 3.0}, "met"),
    ],
)
def test_criteria_of_every_form_are_judged_by_their_whole_interval(asked, standing):
    made = evaluated(0.5, wanted=criterion(**asked), objective=GOAL)
    row = made.judged
    assert row is not None
    assert made.standing == standing
    lower = asked.get("direction") == "at_most" or row.form == "ratio" or "least_change" in asked
    if asked["statistic"] == "item":
        lower = False
    reaches = row.high <= made.required if lower else row.low >= made.required
    assert reaches == (standing == "met")


def test_a_derived_ratio_is_the_difference_over_the_value_before():
    made = evaluated(0.5, wanted=criterion(statistic="median", least_ratio=0.9))
    base = made.comparison.effect("difference_of_medians")
    assert made.judged is not None
    assert made.judged.estimate == pytest.approx(base.after / base.before)
    assert made.judged.low == pytest.approx(1 + base.low / base.before)


def test_proportions_are_judged_in_points():
    rng = np.random.default_rng(5)
    measure = perf.Measure("met", definition="1 when met", unit="1", better="higher", scale="proportion")
    when = np.datetime64("2024-01-01") + np.arange(600) // 5
    values = (rng.uniform(size=600) < np.where(np.arange(600) < 400, 0.6, 0.85)).astype(float)
    series = perf.Series(values, measure=measure, when=when)
    wanted = perf.SuccessCriterion(
        "c",
        proposal="p",
        measure="met",
        statistic="share",
        least_change=0.05,
        declared_on=dt.date(2024, 1, 1),
    )
    goal = perf.Objective("share", measure="met", statistic="share", target=0.8, direction="at_least")
    made = perf.evaluate_effect(series.take(0, 400), series.take(400), criterion=wanted, objective=goal)
    assert made.outcome == "worked"
    assert made.required == 0.05
    assert made.on_objective is not None
    assert made.on_objective.probability_before < 0.01
    assert made.on_objective.probability_after > 0.8
    assert made.on_objective.difference == pytest.approx(made.on_objective.after - made.on_objective.before)
    assert made.chart is not None
    assert made.chart.chart == "laney_p"


def test_minutes_for_each_user_are_charted_as_measured_totals():
    # minutes follow no law of counts: their limits come from how they vary, not from how many there are
    lost = perf.Measure("lost", definition="Minutes lost", unit="minutes", better="lower", scale="duration")
    rng = np.random.default_rng(4)
    sizes = rng.integers(80, 120, 60).astype(float)
    rate = rng.gamma(30, 0.1, 60) * np.where(np.arange(60) < 40, 1.0, 0.6)
    weeks = perf.Series(
        rate,
        measure=lost,
        when=np.datetime64("2024-01-01") + 7 * np.arange(60),
        sizes=sizes,
        selection={"statistic": "rate", "every": "week"},
        expected_every="week",
    )
    drawn = staged_chart(weeks.take(0, 40), weeks.take(40), dt.date(2024, 10, 7))
    assert drawn is not None
    assert drawn.chart == "i_prime" == default_chart(counted_kind(weeks), weeks)


def test_the_benefit_is_change_times_volume_times_value():
    done = perf.Action("train", what="Train", proposal="Triage", state="done", cost=4000.0)
    made = evaluated(0.6, value=2.0, volume=1000.0, actions=[done], wanted=criterion(least_ratio=0.85))
    row = made.comparison.effect("difference_of_means")
    worth = made.benefit
    assert worth is not None
    assert worth.change == pytest.approx(-row.estimate)
    assert (worth.change_low, worth.change_high) == pytest.approx((-row.high, -row.low))
    # the two sides of the interval are of unequal width: the mean lies off the estimate by their difference
    z = math.sqrt(2 / math.pi) / 2 / stats.norm.ppf(0.975)
    mean = -row.estimate + z * ((row.estimate - row.low) - (row.high - row.estimate))
    assert worth.benefit == pytest.approx(2000 * mean, rel=2e-3)
    assert worth.low == pytest.approx(-2000 * row.high, rel=2e-3)
    assert worth.high == pytest.approx(-2000 * row.low, rel=2e-3)
    assert worth.cost == 4000
    assert worth.account is not None
    assert worth.account.npv_mean == pytest.approx(worth.benefit - 4000, rel=1e-2)
    assert worth.probability_pays == pytest.approx(worth.account.probability_pays, abs=1e-3)
    assert worth.share_of_expected == pytest.approx(worth.benefit / 50_000)


def test_the_volume_is_the_pace_after_the_change():
    made = evaluated(0.6, value=1.0)
    assert made.benefit is not None
    assert made.benefit.volume == pytest.approx(80 * 365.25 / 80)
    assert math.isnan(made.benefit.cost)
    assert "not on record" in made.meaning_frame()["what"].iloc[-1]


def test_what_the_values_of_periods_are_worth_needs_a_volume():
    before, after = sides(0.6)
    weekly = perf.Series(
        after.values, measure=HOURS, when=after.when, selection={"every": "week", "statistic": "median"}
    )
    made = perf.compare(before, after)
    with pytest.raises(InputError, match="volume="):
        realized(made, weekly, value=1.0, volume=None, costs={}, expected=None, unit="EUR", confidence=0.95)


def test_doubts_say_what_the_records_lack():
    made = evaluated(0.6, wanted=criterion(least_ratio=0.85, declared_on=dt.date(2024, 7, 1)))
    assert {"criterion-after-data", "no-action", "no-objective", "benefit-not-valued"} <= set(
        made.caveat_codes
    )
    late = evaluated(0.6, wanted=criterion(least_ratio=0.85, declared_on=dt.date(2024, 6, 9)))
    assert not {"criterion-after-data", "criterion-after-change"} & set(late.caveat_codes)
    early = replace(CHANGE, when=dt.date(2024, 6, 1))
    before, after = sides(0.6)
    again = perf.evaluate_effect(
        before, after, change=early, criterion=criterion(least_ratio=0.85, declared_on=dt.date(2024, 6, 5))
    )
    assert "criterion-after-change" in again.caveat_codes
    other = replace(criterion(least_ratio=0.85), proposal="Other")
    assert "criterion-of-another" in evaluated(0.6, wanted=other).caveat_codes
    still = perf.Action("train", what="Train", proposal="Triage")
    suspected = perf.Cause("No triage", analysis="C1")
    more = evaluated(0.6, actions=[still], causes=[suspected])
    assert {"action-open", "cause-not-confirmed"} <= set(more.caveat_codes)


def test_recorded_events_are_said_and_the_effect_is_given_without_them():
    before, after = sides(0.7)
    bad = before.values.copy()
    bad[40:50] *= 8
    outage = perf.Event("Outage", when=dt.date(2024, 2, 10), until=dt.date(2024, 2, 19), what="Down")
    spoiled = perf.Series(bad, measure=HOURS, when=before.when, events=[CHANGE, outage])
    made = perf.evaluate_effect(spoiled, after, change=CHANGE)
    assert "something-else" in made.caveat_codes
    assert made.without_events is not None
    clean = perf.compare(perf.Series(np.r_[bad[:40], bad[50:]], measure=HOURS), after.values, measure=HOURS)
    assert made.without_events.estimate == pytest.approx(clean.primary.estimate, rel=0.03)
    assert made.without_events.estimate > made.comparison.primary.estimate
    assert "the same without recorded events" in made.to_frame()["what"].tolist()


def test_baselines_are_sides_with_their_names():
    before, after = (perf.baseline(s, objective=GOAL) for s in sides(0.6))
    made = perf.evaluate_effect(before, after, baselines=("old", "new"), versions=(2, 1), objective=GOAL)
    frame = made.side_frame().set_index("name")
    assert frame["baseline"].tolist() == ["old", "new"]
    assert frame["version"].tolist() == [2, 1]
    assert frame.loc["after", "center"] == after["mean"].value
    assert frame["center_is"].tolist() == ["mean", "mean"]


def test_a_distance_of_nothing_is_never_told():
    before, after = sides(0.8)
    made = perf.compare(before, after)
    assert math.isinf(needed(made, made.primary, 0.0).periods)
    assert distance(made.primary, 1.0) == 0


def test_records_about_other_measures_are_refused():
    before, after = sides(0.8)
    wrong = replace(criterion(least_ratio=0.8), measure="days")
    with pytest.raises(InputError, match="'days'"):
        perf.evaluate_effect(before, after, criterion=wrong)
    with pytest.raises(UnknownNameError, match="statistic"):
        perf.evaluate_effect(before, after, criterion=criterion(statistic="moon", least_ratio=0.8))
    with pytest.raises(InputError, match="in this order"):
        perf.evaluate_effect(before, after, value=(3.0, 2.0, 1.0))


def test_it_comes_back_equal_and_is_drawn():
    done = perf.Action("train", what="Train", proposal="Triage", state="done", cost=4000.0)
    made = evaluated(
        0.6, wanted=criterion(least_ratio=0.85), objective=GOAL, value=(1.0, 2.0, 3.0), actions=[done]
    )
    assert perf.Result.from_record(json.loads(json.dumps(made.to_record()))) == made
    drawn = info(made)
    assert [p.kind for p in drawn.panels] == ["times", "percent", "money"]
    assert drawn.panels[0].points[0][1] == made.judged.estimate
    figure = perf.plot(made)
    assert len(figure.data) >= 4
    assert set(made.summary()["outcome"]) == {"worked"}
    assert [t for t, _ in made.tables()][:2] == ["What it means", "Before and after"]
