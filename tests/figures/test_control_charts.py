"""The figure of many charts: ranked by evidence, the worst in small multiples."""

from __future__ import annotations

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.as_json import figure_json
from perfanalytics.figures.control_charts import draw, info
from perfanalytics.spc.charts_result import RECENT, WORST


def batch(m=40, n=80):
    rng = np.random.default_rng(1)
    parts = {}
    for k in range(m):
        x = rng.normal(10, 1, n)
        if k % 8 == 0:
            x[-3] += 9
        parts[f"team {k}"] = perf.Series(x)
    return perf.SeriesBatch.from_series(parts)


def test_the_worst_are_kept_with_their_newest_points():
    data = batch()
    charts = perf.control_charts(data)
    ranked = charts.summary()["id"].tolist()
    assert [charts.ids[i] for i in charts.worst] == ranked[:WORST]
    for row, i in enumerate(charts.worst.tolist()):
        one = perf.control_chart(data[i])
        np.testing.assert_array_equal(charts.worst_value[row], one.value[0, -RECENT:])
        np.testing.assert_array_equal(charts.worst_upper[row], one.upper[0, -RECENT:])
        assert charts.worst_signal[row].tolist() == (one.fired[0, -RECENT:] != 0).tolist()
    assert perf.ControlCharts.from_record(json.loads(json.dumps(charts.to_record()))) == charts


def test_short_series_stand_at_the_right():
    charts = perf.control_charts({"a": np.random.default_rng(1).normal(0, 1, 12)})
    assert np.isnan(charts.worst_value[0, : RECENT - 12]).all()
    assert np.isfinite(charts.worst_value[0, -12:]).all()


def test_ranking_and_cells():
    charts = perf.control_charts(batch())
    record = info(charts)
    assert len(record.rank) == 40
    assert (np.diff(record.evidence) <= 0).all()
    assert record.unstable.sum() == int((~charts.stable).sum())
    assert record.cells[0][1].endswith("p < 0.001")
    figure = draw(charts)
    assert {t["name"] for t in figure["data"] if "name" in t} >= {
        "stable",
        "not stable",
        "if all were stable",
    }
    assert f"xaxis{WORST + 1}" in figure["layout"]
    assert f"xaxis{WORST + 2}" not in figure["layout"]
    json.loads(figure_json(figure))
    perf.plot(charts)


@pytest.mark.parametrize("data", [{"a": [1.0, 2.0]}, {"a": []}, {"a": [np.nan] * 3}])
def test_nothing_judged_is_drawn_without_cells(data):
    charts = perf.control_charts(data)
    assert len(charts.worst) == 0
    perf.plot(charts)


def test_a_stage_that_a_series_does_not_reach_is_no_obstacle():
    rng = np.random.default_rng(3)
    charts = perf.control_charts({"short": rng.normal(0, 1, 10), "long": rng.normal(0, 1, 40)}, stages=[20])
    assert [charts.ids[i] for i in charts.worst] == ["long"]
