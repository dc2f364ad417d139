"""The figure of a baseline, compared as a record of arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from perfanalytics.baselines.baseline import baseline
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series
from perfanalytics.figures.baseline import DRAWN, draw, info
from perfanalytics.figures.plot import figure_dict, plot

HOURS = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
SLA = Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
WHEN = np.datetime64("2024-01-01") + np.arange(5000).astype("timedelta64[D]")


EFFORT = Measure("effort", definition="Hours per point", unit="hours", better="lower", scale="positive")


def durations(n: int, **more: object) -> Series:
    return Series(np.random.default_rng(1).lognormal(1.5, 0.8, n), measure=HOURS, when=WHEN[:n], **more)


def test_the_record() -> None:
    goal = Objective("fast", measure="hours", target=12, direction="at_most", share=0.8)
    made = baseline(durations(120), objective=goal)
    record = info(made)
    assert record.log
    assert (record.y == made.values).all()
    assert record.share_of.sum() == pytest.approx(1.0)
    assert record.p.tolist() == [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95]
    assert record.p_value[3] == np.median(made.values)
    assert (np.diff(record.cumulative) > 0).all()
    assert record.cumulative[-1] == 1.0
    lines = {line.name: line.value for line in record.lines}
    assert lines == {
        "upper": made.upper_limit,
        "center": made.center_line,
        "lower": made.lower_limit,
        "objective": 12,
    }
    assert [line.label for line in record.lines][-1] == "objective ≤ 12 hours"


def test_labels_do_not_overlap() -> None:
    real = Measure("x", definition="d", unit="u", better="target", scale="real")
    values = np.append([10.0, 10.01] * 20, 500.0)  # one far value: the limits lie close together
    close = baseline(Series(values, measure=real), exclude={40: "typing error"}, objective=None)
    assert close.upper_limit - close.lower_limit < 0.1
    labels = [a["y"] for a in draw(close)["layout"]["annotations"] if a["x"] > 1]
    assert len(labels) == 3
    assert (np.diff(sorted(labels)) > 0.04).all()


def test_many_points_are_thinned_in_time_only() -> None:
    made = baseline(durations(5000))
    record = info(made)
    assert len(record.y) == DRAWN
    assert record.hidden == 3000
    assert record.share_of.sum() == pytest.approx(1.0)
    assert "2,000 of 5,000 points" in draw(made)["layout"]["annotations"][-1]["text"]


def test_open_items_have_their_own_mark() -> None:
    made = baseline(Series([1.0, 2, 3, 4, 5, 5], censored=[0, 0, 0, 0, 1, 1], measure=HOURS, when=WHEN[:6]))
    marks = [t["marker"]["symbol"] for t in draw(made)["data"] if "marker" in t]
    assert "triangle-up-open" in marks
    assert info(made).cumulative[-1] == pytest.approx(4 / 6)


def test_the_steps_pass_through_the_percentiles() -> None:
    """Up to F(v) items the percentile is v: across at the height of v, not of the value before it."""
    made = baseline(Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 9], measure=HOURS))
    steps = next(t for t in draw(made)["data"] if t.get("line", {}).get("shape"))
    assert steps["line"]["shape"] == "vh"
    assert steps["x"][:3].tolist() == [0.0, 0.1, 0.2]
    assert steps["y"][:3].tolist() == [1.0, 1.0, 2.0]


SERIES = {
    "durations": durations(60),
    "shares": Series([40, 44, 38, 41, 45], sizes=[50] * 5, measure=SLA),
    "items": Series([0.0, 1, 1, 0, 1, 1, 1], measure=SLA),
    "one": [4.0],
    "constant": [3.0] * 12,
    "negative": [-3.0, -2, -1, 0, 4],
    "zeros": Series([0.0, 1, 2, 3], measure=HOURS),
    "rates with a limit at 0": Series(
        [2.0, 9, 3, 30, 2, 8], sizes=[4.0] * 6, measure=EFFORT, selection={"statistic": "rate"}
    ),
}


@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES.keys())
def test_every_kind_can_be_drawn(series: object) -> None:
    made = baseline(series)
    figure = plot(made)
    assert json.loads(figure.to_json())["layout"]["title"]["text"].startswith("Baseline of")
    low, high = figure_dict(made)["layout"]["yaxis"]["range"]
    assert low < high
