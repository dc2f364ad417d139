from __future__ import annotations

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.scorecard import draw, info

RNG = np.random.default_rng(5)
CALM = RNG.normal(10, 1, 30)


def measure(better, scale="real"):
    return perf.Measure(f"m_{better}", definition="d", unit="h", better=better, scale=scale)


def chart(values, better="lower", **more):
    return perf.control_chart(perf.Series(values, measure=measure(better), **more))


@pytest.mark.parametrize(
    ("better", "last", "expected"),
    [
        ("lower", 30.0, "concern"),
        ("lower", -10.0, "improvement"),
        ("higher", 30.0, "improvement"),
        ("higher", -10.0, "concern"),
        ("unknown", 30.0, "neutral"),
        ("lower", 10.0, "common cause"),
    ],
)
def test_the_newest_point_decides_on_variation(better, last, expected):
    card = perf.scorecard([chart([*CALM, last], better)])
    assert card.variation == (expected,)


def test_an_older_signal_is_no_news():
    card = perf.scorecard([chart([*CALM[:10], 30.0, *CALM[10:]])])
    assert card.variation == ("common cause",)
    assert card.n_signals[0] >= 1


def test_a_missing_newest_point_is_passed_over():
    card = perf.scorecard([chart([*CALM, 30.0, np.nan])])
    assert card.value[0] == 30.0
    assert perf.scorecard([chart([np.nan] * 12)]).variation == ("no data",)


@pytest.mark.parametrize(
    ("direction", "target", "expected"),
    [
        ("at_most", 20.0, "met"),
        ("at_most", 2.0, "missed"),
        ("at_most", 10.0, "hit and miss"),
        ("at_least", 2.0, "met"),
        ("at_least", 20.0, "missed"),
        ("at_least", 10.0, "hit and miss"),
    ],
)
def test_assurance_compares_the_limits_with_the_target(direction, target, expected):
    goal = perf.Objective("o", measure="m_lower", target=target, direction=direction)
    card = perf.scorecard([chart(CALM)], objectives=[goal])
    assert card.assurance == (expected,)
    assert card.target[0] == target


def test_an_objective_about_another_statistic_says_nothing():
    goal = perf.Objective("o", measure="m_lower", target=20, direction="at_most", statistic="median")
    assert perf.scorecard([chart(CALM)], objectives=[goal]).assurance == ("",)
    weekly = chart(CALM, selection={"every": "week", "statistic": "median"})
    assert perf.scorecard([weekly], objectives=[goal]).assurance == ("met",)


def test_what_needs_attention_comes_first():
    goal = perf.Objective("o", measure="m_lower", target=2, direction="at_most")
    card = perf.scorecard(
        [chart(CALM, "higher"), chart(CALM), chart([*CALM, -10.0]), chart([*CALM, 30.0])], objectives=[goal]
    )
    assert card.to_frame()["variation"].tolist() == ["concern", "improvement", "common cause", "common cause"]
    assert card.to_frame()["assurance"].tolist()[2:] == ["missed", ""]
    assert "2 not stable" in card.verdict


def test_it_is_saved_and_read_back_equal():
    card = perf.scorecard([chart(CALM), chart([*CALM, 30.0])], points=7)
    assert perf.Scorecard.from_record(json.loads(json.dumps(card.to_record()))) == card
    assert card.recent.shape == (2, 7)
    assert card.recent[0].tolist() == CALM[-7:].tolist()


def test_misuse_is_refused():
    with pytest.raises(perf.InputError, match="one or more"):
        perf.scorecard([])
    with pytest.raises(perf.InputError, match="control charts"):
        perf.scorecard([1, 2])
    with pytest.raises(perf.InputError, match="points="):
        perf.scorecard([chart(CALM)], points=0)


def test_the_figure_has_a_cell_for_each_chart_and_shapes_besides_colors():
    card = perf.scorecard([chart(CALM), chart([*CALM, 30.0]), chart([*CALM, -10.0])], points=10)
    cells = info(card)
    assert [c.symbol for c in cells] == ["diamond", "triangle-up", "circle"]
    assert cells[0].newest == "30 h"
    figure = draw(card)
    assert {"xaxis", "xaxis2", "xaxis3"} <= set(figure["layout"])
    perf.plot(card)


def test_units_side_by_side_have_no_newest_point():
    funnel = perf.control_chart(perf.Series([4, 5, 6], sizes=[10, 12, 14]), chart="funnel")
    with pytest.raises(perf.InputError, match="no newest point"):
        perf.scorecard([funnel])


def test_charts_can_be_called_by_names():
    chart = perf.control_chart([9, 11, 10, 12, 10, 9, 10, 11, 10, 18])
    card = perf.scorecard({"first": chart, "second": chart})
    assert card.name == ("first", "second")
    assert card.measure == ("values", "values")
