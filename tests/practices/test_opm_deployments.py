"""Staged deployments. Numbers of R: tests/reference/opm.R."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import deployment_evaluation as figure
from perfanalytics.practices.opm.deployment_stages import StageEffect
from perfanalytics.practices.opm.deployments import _combined
from tests.practices.opm_samples import DURATION, HOURS, back, monday, weeks


def batch(starts, *, by=-4.0, n=60, seed=3, measure=HOURS, level=30.0):
    """Weekly hours by team, each lower by so much from its week on; what moves all is shared."""
    rng = np.random.default_rng(seed)
    shared = 5 * np.sin(np.arange(n) / 8)
    made = {}
    for team, k in starts.items():
        values = level + shared + rng.standard_normal(n) + by * (np.arange(n) >= k)
        made[f"team={team}"] = weeks(values, measure=measure)
    return perf.SeriesBatch.from_series(made)


def stage(week, teams, **given):
    where = {"team": teams if isinstance(teams, str) else tuple(teams)}
    return perf.Deployment(f"to {teams}", proposal="P", since=monday(week), where=where, **given)


STARTS = {"a": 20, "b": 20, "c": 40, "d": 99}
STAGES = [stage(20, ["a", "b"], cost=10.0), stage(40, "c", cost=5.0)]


def test_each_stage_is_compared_with_what_is_not_deployed_yet():
    found = perf.evaluate_deployment(batch(STARTS), STAGES, predicted=(3, 4, 5))
    assert found.units.tolist() == ["a, b", "c"]
    assert found.compared_with.tolist() == ["c, d", "d"]  # a and b are deployed: never the comparison
    assert [d.astype(object) for d in found.until] == [monday(40), monday(59) + (monday(1) - monday(0)) / 7]
    assert found.n_after.tolist() == [20, 20]
    assert found.improvement == pytest.approx([4, 4], abs=1.0)
    assert found.realized == pytest.approx(float(np.array([2, 1]) @ found.improvement / 3))
    assert found.standing == "as predicted"
    assert back(found) == found
    own = perf.difference_in_differences(
        batch(STARTS)["team=c"], batch(STARTS)["team=d"], at=monday(40), scale="raw"
    )
    assert found.improvement[1] == pytest.approx(-own.primary.estimate)


def test_an_effect_already_deployed_is_no_comparison():
    # against team a, whose level fell before, nothing would be left of the effect of c
    found = perf.evaluate_deployment(batch({"a": 10, "c": 40, "d": 99}), [stage(10, "a"), stage(40, "c")])
    assert found.compared_with.tolist()[1] == "d"
    assert found.improvement[1] == pytest.approx(4, abs=1.2)


def test_a_last_stage_without_comparison_is_said():
    found = perf.evaluate_deployment(batch({"a": 20, "b": 40}), [stage(20, "a"), stage(40, "b")])
    assert found.outcome.tolist() == ["detected", "not evaluated"]
    assert np.isnan(found.improvement[1])
    assert {"stage-not-evaluated", "one-comparison-unit", "not-predicted"} <= set(found.caveat_codes)
    assert "1 of 2 stages evaluated" in found.verdict


def test_a_short_gap_to_the_next_stage_is_bridged():
    starts = {"a": 20, "b": 24, "c": 99}
    found = perf.evaluate_deployment(batch(starts), [stage(20, "a"), stage(24, "b")])
    assert found.compared_with.tolist() == ["c", "c"]
    assert found.n_after[0] == 40


def test_stages_are_combined_as_in_r():
    done = [
        StageEffect(
            name=f"s{k}", since=monday(1), until=monday(2), units=("u",) * n, controls=(), comparison=None,
            why="", level=30.0, cost=None, n_before=9, n_after=9, center=center, se=se, df=1e6,
        )
        for k, (center, se, n) in enumerate(((-4.0, 0.5, 1), (-3.0, 0.7, 2)))
    ]  # fmt: skip
    made = _combined(done, -1.0, "raw", 0.95)
    assert made["estimate"] == pytest.approx(3.333333333)
    assert made["se"] == pytest.approx(0.6333333333)
    assert made["heterogeneity"] == pytest.approx(0.2450420106, rel=1e-8)
    assert made["high"] - made["low"] == pytest.approx(2 * 1.959964 * 0.6333333333, rel=1e-5)


def test_ratios_come_back_in_the_unit():
    found = perf.evaluate_deployment(batch(STARTS, measure=DURATION), STAGES)
    assert found.scale == "log"
    assert found.improvement == pytest.approx(-found.level_before * (found.effect - 1))
    assert (found.low < found.improvement).all()
    assert (found.improvement < found.high).all()


def test_a_prediction_in_money_is_held_against():
    predicted = perf.predict_benefit((7, 8, 9), volume=100, worth=2, measure=HOURS, draws=500)
    found = perf.evaluate_deployment(batch(STARTS), STAGES, predicted=predicted)
    assert found.standing == "less than predicted"
    assert found.benefit == pytest.approx(200 * found.realized)
    assert found.benefit_predicted == predicted.benefit_mean
    table = dict(found.tables())["Realized against predicted"]
    assert table["share realized"].tolist() == pytest.approx([found.realized / found.predicted] * 2, rel=0.01)
    nothing = perf.evaluate_deployment(batch(STARTS, by=0.0, seed=6), STAGES, predicted=(-1, 0.5, 2))
    assert nothing.standing == "cannot tell"


def test_stages_that_differ_are_said():
    made = dict(zip(batch(STARTS).ids, batch(STARTS), strict=True))
    values = made["team=c"].values.copy()
    values[40:] -= 12
    made["team=c"] = weeks(values)
    found = perf.evaluate_deployment(perf.SeriesBatch.from_series(made), STAGES)
    assert found.heterogeneity < 0.05
    assert "stages-differ" in found.caveat_codes


def test_misuse_is_refused():
    data = batch(STARTS)
    with pytest.raises(perf.InputError, match="no stage"):
        perf.evaluate_deployment(data, [])
    with pytest.raises(perf.InputError, match="two stages"):
        perf.evaluate_deployment(data, [stage(20, "a"), stage(30, ["a", "b"])])
    with pytest.raises(perf.InputError, match="no series of the batch"):
        perf.evaluate_deployment(data, [stage(20, "z")])
    other = perf.Deployment("x", proposal="Q", since=monday(30), where={"team": "c"})
    with pytest.raises(perf.InputError, match="several proposals"):
        perf.evaluate_deployment(data, [stage(20, "a"), other])
    with pytest.raises(perf.InputError, match="no stage can be evaluated"):
        perf.evaluate_deployment(data, [stage(3, "a")])
    with pytest.raises(perf.InputError, match="in their order"):
        perf.evaluate_deployment(data, STAGES, predicted=(5, 4, 3))
    with pytest.raises(perf.InputError, match="has no series"):
        perf.evaluate_deployment(data, STAGES, units={"to c": ["team=z"]})


def test_the_figure_has_a_row_for_each_stage_all_and_the_prediction():
    found = perf.evaluate_deployment(batch(STARTS), STAGES, predicted=(3, 4, 5))
    told = figure.info(found)
    assert told.role.tolist() == ["stage", "stage", "all", "predicted"]
    assert told.estimate[2] == found.realized
    assert perf.plot(found).data
