"""Individuals and moving ranges against published numbers and R (tests/reference/control_charts.R)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.spc.constants import d2, d3

# Montgomery (2013), table 6.6: viscosity of 20 batches, and 15 later ones
VISCOSITY = [
    34.05, 34.40, 33.59, 35.96, 34.70, 33.51, 33.79, 34.04, 34.52, 33.75,
    33.27, 33.71, 34.03, 34.58, 34.02, 33.97, 34.05, 34.04, 33.73, 34.05,
]  # fmt: skip
LATER = [
    34.39, 33.75, 33.40, 33.27, 34.65, 34.80, 34.55, 35.40, 34.75, 34.50, 34.70, 34.29, 34.61, 34.49, 35.03,
]  # fmt: skip
# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rate of ten batches
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def main_limits(chart):
    row = chart.limits.to_frame().iloc[-1 if len(chart.panels) == 1 else len(chart.limits.n) - 1]
    return row["lower"], row["center"], row["upper"]


def test_viscosity_unscreened():
    """Montgomery: center 34.088, limits 32.57 and 35.61; moving range 0.5726 and 1.871. No screening."""
    chart = perf.control_chart(VISCOSITY)
    lower, center, upper = main_limits(chart)
    assert (round(lower, 2), round(center, 3), round(upper, 2)) == (32.57, 34.088, 35.61)
    frame = chart.limits.to_frame().set_index("panel")
    assert round(frame.loc["moving range", "center"], 4) == 0.5726
    assert round(frame.loc["moving range", "upper"], 3) == 1.871
    assert frame.loc["moving range", "lower"] == 0.0
    assert chart.signals[["panel", "point"]].values.tolist() == [["individuals", 3], ["moving range", 3]]
    assert (chart.n_signals, chart.stable) == (1, False)


@pytest.mark.parametrize(
    ("estimate", "sigma"),
    [
        ("moving_range", 0.507481523628),
        ("median_moving_range", 0.461277556303),
        ("standard_deviation", 0.576985374684),
    ],
)
def test_three_ways_to_sigma_against_r(estimate, sigma):
    chart = perf.control_chart(VISCOSITY, estimate=estimate)
    assert chart.limits.parameters["sigma"][0] == pytest.approx(sigma, rel=1e-11)
    assert chart.method.parameters["estimate"] == estimate
    moving = chart.limits.to_frame().query("panel == 'moving range'").iloc[0]
    assert moving["center"] == pytest.approx(d2(2) * sigma, rel=1e-11)
    assert moving["upper"] == pytest.approx((d2(2) + 3 * d3(2)) * sigma, rel=1e-11)


def test_nist_flow_rate():
    """NIST: 50.81, limits 45.8159 and 55.8041 with the table's 1.128 for d2; ours is exact."""
    lower, center, upper = main_limits(perf.control_chart(FLOW))
    assert center == pytest.approx(50.81, abs=1e-12)
    table = d2(2) / 1.128
    assert round(center + (upper - center) * table, 4) == 55.8041
    assert round(center - (center - lower) * table, 4) == 45.8159


def test_a_missing_value_and_a_gap_take_no_moving_range():
    """Six of fourteen public tools give NaN limits here; ranges of 10 across the gap would be wrong too."""
    x = [1.0, 2.0, math.nan, 12.0, 13.0]
    chart = perf.control_chart(x)
    assert chart.limits.parameters["center"][0] == 7.0
    assert chart.limits.parameters["sigma"][0] == pytest.approx(1.0 / d2(2))
    assert np.isnan(chart.value[1][[0, 2, 3]]).all()
    assert chart.value[1][[1, 4]].tolist() == [1.0, 1.0]
    when = np.array(["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"], dtype="datetime64[D]")
    gap = perf.control_chart(perf.Series([1.0, 2.0, 12.0, 13.0], when=when, expected_every="day"))
    assert gap.limits.parameters["sigma"][0] == pytest.approx(1.0 / d2(2))


def test_width_is_a_parameter():
    two, three = perf.control_chart(VISCOSITY, sigmas=2), perf.control_chart(VISCOSITY)
    assert (two.upper - two.center)[0, 0] == pytest.approx((three.upper - three.center)[0, 0] * 2 / 3)
    assert set(two.signals["point"]) >= {3}


def test_a_point_exactly_on_a_limit_is_inside():
    chart = perf.control_chart([10.0, 16.0, 4.0, 16.0000001], estimate={"center": 10.0, "sigma": 2.0})
    assert chart.signals["point"].tolist()[0] == 3
    assert (chart.fired[0] != 0).tolist() == [False, False, False, True]
    # thirds of a sigma are not exact in binary: 10 + 3 * (1 / 3) is still on the limit
    chart = perf.control_chart([10.0, 11.0, 9.0], estimate={"center": 10.0, "sigma": 1 / 3})
    assert not (chart.fired[0] & 1).any()


@pytest.mark.parametrize(
    ("span", "sigma", "median", "center", "lower", "upper"),
    [
        # tests/reference/memory_subgroups.R; Minitab: "length of moving range"
        (3, 0.543224282083, 0.469206290192, 0.919444444444, 0.0, 2.36719365812),
        (4, 0.571163048863, 0.510534065326, 1.17588235294, 0.0, 2.68342415958),
        (8, 0.567088731978, 0.469392600294, 1.61461538462, 0.21986378458, 3.00936698465),
    ],
)
def test_moving_ranges_of_a_longer_span(span, sigma, median, center, lower, upper):
    chart = perf.control_chart(VISCOSITY, options={"span": span})
    # R's ptukey is good to about ten digits
    assert chart.limits.parameters["sigma"][0] == pytest.approx(sigma, rel=1e-9)
    frame = chart.limits.to_frame().set_index("panel").loc["moving range"]
    assert (frame["center"], frame["lower"], frame["upper"]) == pytest.approx(
        (center, lower, upper), rel=1e-9, abs=1e-9
    )
    assert np.isnan(chart.value[1, : span - 1]).all()
    assert chart.value[1, span - 1] == np.ptp(VISCOSITY[:span])
    assert chart.method.parameters["span"] == span
    other = perf.control_chart(VISCOSITY, options={"span": span}, estimate="median_moving_range")
    assert other.limits.parameters["sigma"][0] == pytest.approx(median, rel=1e-9)


def test_a_span_of_two_is_the_default():
    a, b = perf.control_chart(VISCOSITY), perf.control_chart(VISCOSITY, options={"span": 2})
    assert a == b


def test_no_range_of_any_span_crosses_a_gap():
    x = [1.0, 2.0, 4.0, math.nan, 12.0, 13.0, 13.5, 16.0]
    chart = perf.control_chart(x, options={"span": 3}, exclude={7: "test"})
    assert chart.value[1, [2, 6]].tolist() == [3.0, 1.5]
    assert np.isnan(chart.value[1, [0, 1, 3, 4, 5, 7]]).all()
    assert chart.limits.parameters["sigma"][0] == pytest.approx(2.25 / d2(3))
    # a stretch too short for one range has no limits
    assert "no-limits" in perf.control_chart([1.0, 2, math.nan, 3, 4], options={"span": 3}).caveat_codes


def test_limits_of_a_span_are_carried_on_with_it():
    base = perf.control_chart(VISCOSITY, options={"span": 3})
    new = perf.control_chart(LATER, estimate=base, options={"span": 3})
    assert new.upper[1, 0] == base.upper[1, 0]
    with pytest.raises(perf.InputError, match="span = 3"):
        perf.control_chart(LATER, estimate=base)
    assert "/3" in new.method.parameters["stability_reference"]


@pytest.mark.parametrize("span", [1, 101, 2.5])
def test_spans_that_make_no_range(span):
    with pytest.raises(perf.InputError, match="points of a moving range"):
        perf.control_chart(VISCOSITY, options={"span": span})
