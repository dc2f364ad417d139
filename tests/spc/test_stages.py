"""Stages: by a column, labels, judged one by one, old limits carried on beside new ones."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.control_chart_info import info

RNG = np.random.default_rng(4)
CALM = RNG.normal(10, 1, 30)
LATER = RNG.normal(6, 1, 20)
WHEN = np.datetime64("2024-01-01") + 7 * np.arange(50)
HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="real")


def series(version, values=None, **more):
    values = np.concatenate([CALM, LATER]) if values is None else values
    n = len(values)
    return perf.Series(values, measure=HOURS, when=WHEN[:n], covariates={"version": version}, **more)


VERSIONS = ["2.0"] * 30 + ["2.1"] * 20


def test_a_stage_begins_where_the_column_changes_and_is_called_by_its_value():
    chart = perf.control_chart(series(VERSIONS), stages={"column": "version"})
    by_position = perf.control_chart(series(VERSIONS), stages=[30])
    np.testing.assert_array_equal(chart.upper, by_position.upper)
    assert chart.limits.labels == ("2.0", "2.1")
    assert by_position.limits.labels == ("", "point 30")
    assert chart.limits.to_frame()["label"].tolist() == ["2.0", "2.1"] * 2
    assert "since 29 July 2024 (2.1)" in chart.verdict
    assert chart.method.parameters["stages"] == ({"column": "version"},) or chart.method.parameters[
        "stages"
    ] == [{"column": "version"}]


def test_a_value_that_comes_back_is_a_new_stage():
    chart = perf.control_chart(series(["a"] * 10 + ["b"] * 10 + ["a"] * 30), stages={"column": "version"})
    assert chart.limits.first.tolist() == [0, 10, 20]
    assert chart.limits.labels == ("a", "b", "a")


def test_numbers_and_further_stages_may_be_mixed():
    chart = perf.control_chart(
        series(np.r_[np.ones(30), np.full(20, 2.0)]), stages=[{"column": "version"}, 10]
    )
    assert chart.limits.first.tolist() == [0, 10, 30]
    assert chart.limits.labels == ("1", "point 10", "2")


def test_a_gap_needs_no_value_in_the_column():
    values, version = np.concatenate([CALM, LATER]), np.array(VERSIONS, dtype=object)
    values[[0, 30, 31]] = np.nan
    version[[0, 30, 31]] = None
    chart = perf.control_chart(series(version, values), stages={"column": "version"})
    # the gap belongs to the stage before it
    assert chart.limits.first.tolist() == [0, 32]
    version[5] = None
    with pytest.raises(perf.InputError, match="point 5 is charted but has no value"):
        perf.control_chart(series(version, values), stages={"column": "version"})


def test_misuse_says_what_would_be_right():
    with pytest.raises(perf.UnknownNameError, match="did you mean 'version'"):
        perf.control_chart(series(VERSIONS), stages={"column": "versoin"})
    with pytest.raises(perf.InputError, match='"column": "name of a covariate"'):
        perf.control_chart(series(VERSIONS), stages={"name": "version"})
    with pytest.raises(perf.InputError, match=r"a point|column"):
        perf.control_chart(series(VERSIONS), stages=3.5)


def test_a_column_that_changes_within_a_subgroup_is_refused():
    s = perf.Series(
        RNG.normal(10, 1, 60),
        subgroups=np.repeat(np.arange(15), 4),
        covariates={"shift": ["a"] * 32 + ["b"] * 28, "odd": ["a"] * 30 + ["b"] * 30},
    )
    chart = perf.control_chart(s, chart="xbar_s", stages={"column": "shift"})
    assert chart.limits.first.tolist() == [0, 8]
    assert chart.limits.labels == ("a", "b")
    with pytest.raises(perf.InputError, match="changes within a subgroup"):
        perf.control_chart(s, chart="xbar_s", stages={"column": "odd"})


def test_a_batch_equals_its_series_one_by_one():
    batch = perf.SeriesBatch(
        np.concatenate([CALM, LATER, CALM]),
        [0, 50, 80],
        ids=["a", "b"],
        covariates={"version": VERSIONS + ["x"] * 30},
    )
    many = perf.control_charts(batch, stages={"column": "version"})
    assert many.stages.tolist() == [2, 1]
    for k, one in enumerate(perf.control_chart(s, stages={"column": "version"}) for s in batch):
        assert one.limits.upper[0, -1] == many.upper[k]
    bulk = perf.method("control_charts", stages={"column": "version"})
    assert bulk(batch)["upper"].tolist() == many.upper.tolist()
    assert bulk.method.parameters["stages"] == [{"column": "version"}]


def test_stability_is_judged_by_stage_and_over_all():
    shifted = np.concatenate([CALM, LATER])
    shifted[3] = 30.0
    chart = perf.control_chart(series(VERSIONS, shifted), stages={"column": "version"})
    assert chart.stage_stable == (False, True)
    assert chart.stable is False
    assert chart.p_value == pytest.approx(2 * np.nanmin(chart.stage_p_value))
    assert chart.expected_signals == pytest.approx(chart.stage_expected.sum())
    assert chart.verdict.startswith(
        "Stable since 29 July 2024 (2.1): none of 20 points signals; before it, not stable: 2 of 30 points"
    )
    assert "on 22 January 2024, above the limits" in chart.verdict
    three = perf.control_chart(series(VERSIONS, shifted), stages=["2024-03-25", "2024-07-29"])
    assert three.stage_stable[0] is False
    assert "before it, 1 of 2 stages stable, 1 of 2 stages not stable (from 1 January 2024)." in three.verdict
    assert perf.ControlChart.from_record(json.loads(json.dumps(three.to_record()))) == three


def test_a_last_stage_too_short_is_not_judged():
    chart = perf.control_chart(perf.Series(np.r_[CALM, LATER[:4]], when=WHEN[:34]), stages=[30])
    assert chart.stage_stable == (True, None)
    assert chart.verdict.startswith("Not judged since 29 July 2024: 4 points are too few")
    flat = perf.control_chart(np.r_[CALM, np.full(10, 5.0)], stages=[30])
    assert "Not judged since the 31st point: its 10 points show no variation" in flat.verdict


def test_old_limits_are_carried_on_beside_the_new_ones():
    s = series(VERSIONS)
    chart = perf.control_chart(s, stages={"column": "version"}, carry=0)
    old = perf.control_chart(s.take(0, 30))
    plain = perf.control_chart(s, stages={"column": "version"})
    np.testing.assert_array_equal(chart.upper, plain.upper)
    assert np.isnan(chart.carried_upper[:, :30]).all()
    np.testing.assert_allclose(chart.carried_upper[0, 30:], old.upper[0, 0], rtol=1e-13)
    np.testing.assert_allclose(chart.carried_center[0, 30:], old.center[0, 0], rtol=1e-13)
    frame = chart.carried_frame()
    beyond = int((frame["beyond"] & (frame["panel"] == "individuals")).sum())
    expected = int(np.count_nonzero(np.abs(LATER - old.center[0, 0]) > 3 * old.sigma[0, 0]))
    assert beyond == expected > 0
    assert f"{expected} of 20 later points lie beyond the limits of the first stage." in chart.verdict
    assert len(plain.carried_frame()) == 0
    assert list(plain.carried_frame().columns) == list(frame.columns)
    assert perf.ControlChart.from_record(json.loads(json.dumps(chart.to_record()))) == chart


def test_carried_limits_are_drawn_over_the_later_points_only():
    record = info(perf.control_chart(series(VERSIONS), stages=[30], carry=0))
    center, lower, upper = record.panels[0].carried
    assert np.nanmin(center.x[np.isfinite(center.y)]) > WHEN[29]
    assert np.nanmin(upper.y) > np.nanmin(lower.y)
    assert info(perf.control_chart(series(VERSIONS), stages=[30])).panels[0].carried == ()


def test_carried_limits_follow_the_denominators():
    sizes = np.r_[np.full(20, 50.0), np.full(10, 200.0)]
    counts = np.random.default_rng(1).binomial(sizes.astype(int), 0.2)
    chart = perf.control_chart(perf.Series(counts, sizes=sizes), chart="p", stages=[20], carry=0)
    center = counts[:20].sum() / 1000
    assert chart.carried_upper[0, -1] == pytest.approx(center + 3 * np.sqrt(center * (1 - center) / 200))


@pytest.mark.parametrize("carry", [1, -1, True, 0.5])
def test_carry_names_a_stage_that_others_follow(carry):
    with pytest.raises(perf.InputError, match="0 to 0 are possible"):
        perf.control_chart(series(VERSIONS), stages=[30], carry=carry)


def test_limits_of_charts_with_memory_are_not_carried_on():
    with pytest.raises(perf.InputError, match="depend on its limits"):
        perf.control_chart(series(VERSIONS), chart="ewma", stages=[30], carry=0)
    with pytest.raises(perf.InputError, match="give stages= first"):
        perf.control_chart(series(VERSIONS), carry=0)


def test_the_name_of_an_event_labels_the_stage():
    triage = perf.Change("new triage", when=dt.date(2024, 7, 29), what="decision tree")
    chart = perf.control_chart(series(VERSIONS, events=[triage]), stages="new triage")
    assert chart.limits.labels == ("", "new triage")
    assert "since 29 July 2024 (new triage)" in chart.verdict
