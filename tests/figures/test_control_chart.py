"""The figure of a control chart, compared as records."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import plotly.graph_objects as go
import pytest

import perfanalytics as perf
from perfanalytics.figures.as_json import figure_json
from perfanalytics.figures.control_chart import draw, spread_out
from perfanalytics.figures.control_chart_info import ROWS, info
from perfanalytics.figures.plot import figure_dict

HOURS = perf.Measure("resolution_hours", definition="d", unit="hours", better="lower", scale="real")


def weeks(n):
    return np.datetime64("2016-01-04") + 7 * np.arange(n)


def series(n=40, **more):
    x = 20 + 2 * np.random.default_rng(1).standard_normal(n)
    x[12] = 45.0
    return perf.Series(x, measure=HOURS, when=weeks(n), **more)


def trace(figure, name):
    return [t for t in figure["data"] if t.get("name") == name]


def test_two_panels_share_the_time_axis():
    figure = draw(perf.control_chart(series()))
    assert {t["xaxis"] for t in figure["data"]} == {"x"}
    assert {t["yaxis"] for t in figure["data"]} == {"y", "y2"}
    assert figure["layout"]["yaxis"]["title"]["text"] == "resolution_hours (hours)"
    assert figure["layout"]["yaxis2"]["title"]["text"] == "moving range<br>(hours)"
    assert figure["layout"]["yaxis"]["domain"][0] > figure["layout"]["yaxis2"]["domain"][1]


def test_signals_differ_by_shape_and_tell_their_rules():
    chart = perf.control_chart(series())
    figure = draw(chart)
    concern = trace(figure, "signal: concern")
    assert len(concern) == 2
    assert concern[0]["x"].tolist() == [chart.when[12]]
    assert concern[0]["marker"]["symbol"] == "diamond"
    assert "beyond the control limits" in concern[0]["text"][0]
    assert "28 March 2016" in concern[0]["text"][0]
    assert [t["showlegend"] for t in concern] == [True, False]


def test_limits_step_at_stages_and_are_interrupted_there():
    chart = perf.control_chart(series(), stages=[20])
    upper = info(chart).panels[0].upper
    assert len(upper.x) == 6
    assert np.isnan(upper.y).tolist() == [False, False, True] * 2
    assert upper.y[0] == chart.upper[0, 0]
    assert upper.y[3] == chart.upper[0, -1]
    half = np.timedelta64(84, "h")
    assert upper.x[0] == chart.when[0] - half
    assert upper.x[1] == upper.x[3] == chart.when[20] - half
    assert len(draw(chart)["layout"]["shapes"]) == 1


def test_limits_that_vary_step_at_every_change():
    chart = perf.control_chart(perf.Series([10, 12, 11, 30], sizes=[50, 50, 60, 100]), chart="p")
    upper = info(chart).panels[0].upper
    assert upper.x.reshape(-1, 3)[:, :2].tolist() == [[-0.5, 1.5], [1.5, 2.5], [2.5, 3.5]]
    assert upper.y.reshape(-1, 3)[:, 0].tolist() == chart.upper[0, [0, 2, 3]].tolist()


def test_a_gap_breaks_the_line():
    when = np.delete(weeks(41), 5)
    chart = perf.control_chart(perf.Series(np.arange(40.0), when=when, expected_every="week"))
    path = info(chart).panels[0].path_y
    assert len(path) == 41
    assert np.flatnonzero(np.isnan(path)).tolist() == [5]
    missing = perf.control_chart([1.0, 2.0, np.nan, 3.0, 2.0])
    assert np.flatnonzero(np.isnan(info(missing).panels[0].path_y)).tolist() == [2]


def test_excluded_points_are_hollow_crosses_with_their_reason():
    record = perf.Exclusion("outage", point=12, who="A. Meier", decided_on=dt.date(2016, 4, 1))
    chart = perf.control_chart(series(exclusions=[record]))
    (cross,) = trace(draw(chart), "excluded")
    assert cross["marker"]["symbol"] == "x-open"
    assert cross["y"].tolist() == [45.0]
    assert "excluded: outage (A. Meier, 2016-04-01)" in cross["text"][0]
    assert np.isnan(info(chart).panels[0].path_y[12])


def test_limit_values_stand_at_the_right_margin():
    chart = perf.control_chart(series())
    texts = [a["text"] for a in draw(chart)["layout"]["annotations"]]
    limits = chart.limits
    assert f"upper limit {limits.upper[0, 0]:.1f}" in texts
    assert f"center {limits.center[0, 0]:.1f}" in texts
    # the lower limit of a moving range is 0: nothing can lie below it, and it is not drawn
    assert sum(t.startswith("lower limit") for t in texts) == 1


def test_margin_labels_do_not_overlap():
    assert spread_out([1.0, 1.0, 1.0], 1.0) == [0.0, 1.0, 2.0]
    places = spread_out([0.0, 0.2, 5.0, 5.1], 1.0)
    assert min(np.diff(sorted(places))) >= 1.0 - 1e-9


def test_event_labels_do_not_overlap_and_none_is_lost():
    names = [f"a long name of event {k}" for k in range(9)]
    events = [
        perf.Event(n, when=dt.date(2016, 4, 4) + dt.timedelta(days=k), what="x") for k, n in enumerate(names)
    ]
    events.append(perf.Change("outside", when=dt.date(2030, 1, 1), what="x"))
    chart = perf.control_chart(series(events=events))
    record = info(chart)
    assert [text for _, text, _ in record.labels] == names
    rows = [row for _, _, row in record.labels]
    assert rows[:ROWS] == list(range(ROWS))
    assert -1 in rows
    figure = draw(chart)
    (hover,) = (t for t in figure["data"] if t.get("marker", {}).get("opacity") == 0)
    assert len(hover["text"]) == 9
    assert "4 April 2016" in hover["text"][0]


def test_a_stage_at_an_event_is_one_line():
    event = perf.Change("triage", when=weeks(40)[20].item(), what="x")
    chart = perf.control_chart(series(events=[event]), stages=[event])
    assert len(draw(chart)["layout"]["shapes"]) == 1


def test_shares_are_in_percent():
    chart = perf.control_chart(perf.Series([10, 12, 11, 30], sizes=[50, 50, 60, 100]), chart="p")
    layout = draw(chart)["layout"]
    assert layout["yaxis"]["tickformat"] == ".0%"
    assert layout["yaxis"]["title"]["text"] == "values (share)"
    assert any(a["text"].endswith("%") for a in layout["annotations"])


@pytest.mark.parametrize(
    "values", [[], [1.0], [np.nan, np.nan], [2.0] * 9, list(range(400))], ids=lambda v: f"{len(v)} points"
)
def test_every_chart_can_be_drawn(values):
    chart = perf.control_chart(values)
    json.loads(figure_json(figure_dict(chart)))
    assert isinstance(perf.plot(chart), go.Figure)


def test_a_saved_chart_draws_the_same_figure():
    chart = perf.control_chart(series(expected_every="week"), stages=[20])
    back = perf.ControlChart.from_record(json.loads(json.dumps(chart.to_record())))
    assert figure_json(draw(back)) == figure_json(draw(chart))


def test_the_two_sides_of_a_cusum_meet_at_zero_on_one_scale():
    figure = draw(perf.control_chart([1.0, 2, 0, 1, 3, 2, 1, 2, 4, 4, 5, 5], chart="cusum"))
    above, below = figure["layout"]["yaxis"], figure["layout"]["yaxis2"]
    assert above["domain"][0] == below["domain"][1]
    assert above["range"][0] == below["range"][1] == 0.0
    one = (above["domain"][1] - above["domain"][0]) / above["range"][1]
    other = (below["domain"][1] - below["domain"][0]) / -below["range"][0]
    assert one == pytest.approx(other)


def test_three_panels_do_not_overlap_and_zones_belong_to_sigma_limits():
    values = np.random.default_rng(1).normal(10, 1, (20, 4))
    figure = draw(perf.control_chart(perf.Series(values), chart="imr_rs"))
    domains = [figure["layout"][k]["domain"] for k in ("yaxis", "yaxis2", "yaxis3")]
    assert domains[0][0] > domains[1][1] > domains[1][0] > domains[2][1]
    skewed = draw(perf.control_chart([3, 5, 0, 12, 7, 1, 30, 2, 9, 4], chart="g", limits="probability"))
    lines = [t for t in skewed["data"] if t["mode"] == "lines" and t["line"]["width"] == 0.8]
    assert lines == []


def test_stages_are_called_by_their_names_above_the_chart():
    versions = perf.Series(
        np.random.default_rng(2).normal(20, 2, 60),
        when=weeks(60),
        covariates={"version": ["2.0"] * 20 + ["2.1"] * 20 + ["3.0"] * 20},
    )
    chart = perf.control_chart(versions, stages={"column": "version"}, carry=0)
    record = info(chart)
    assert [text for _, text, _ in record.stages] == ["2.0", "2.1", "3.0"]
    figure = draw(chart)
    above = [a["text"] for a in figure["layout"]["annotations"] if a.get("yref") == "paper"]
    assert above == ["2.0", "2.1", "3.0"]
    assert len(trace(figure, "limits of the first stage, carried on")) == 1
    by_position = info(perf.control_chart(np.arange(30) % 7, stages=[10]))
    assert [text for _, text, _ in by_position.stages] == ["point 10"]


def test_a_stage_called_by_its_event_has_one_label():
    event = perf.Change("triage", when=weeks(40)[20].item(), what="x")
    record = info(perf.control_chart(series(events=[event]), stages=[event]))
    assert [text for _, text, _ in record.labels] == ["triage"]
    assert record.stages == ()


def test_the_common_zero_of_a_cusum_is_said_once():
    figure = draw(perf.control_chart([1.0, 2, 0, 1, 3, 2, 1, 2, 4, 4, 5, 5], chart="cusum"))
    assert sum(a["text"].startswith("center") for a in figure["layout"]["annotations"]) == 1
