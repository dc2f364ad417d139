"""The control-chart entries of the published inputs, by formulas in base R (reference/published_inputs.R).

Numbers that the source itself prints are typed here besides: Montgomery (2013), Introduction to Statistical
Quality Control, 7th ed., and the documentation of R's qcc where named.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf

EXPECTED = json.loads(
    (Path(__file__).parents[1] / "reference" / "published_inputs.json").read_text(encoding="utf-8")
)
SUBGROUPS = ["757d83152d57", "f2406c3a3e5e", "910dabfbc0bb", "25b1f9a1a66e"]
INDIVIDUALS = [
    "91aecb84cbb5", "6669cbd53267", "70b18a631923", "d45291283d81", "149bcefd84f7", "4d81092ef8c3",
    "b219c965348c", "675d73c92cbc",
]  # fmt: skip
SHARES = ["260ff85bf497", "d94b028c0167", "c8520ce53b18", "2a0e4e681d3b", "cdfb0cd112e4"]
RATES = [
    "62461f4b6849", "0ec95d3b4c45", "c17ea3877aa8", "3865f799769c", "8ae68d65e025", "80aaafa0d663",
    "ab1955dc2cfe",
]  # fmt: skip


@pytest.fixture(scope="module")
def inputs(real_data):
    return json.loads((real_data / "spc" / "published_inputs.json").read_text(encoding="utf-8"))


def four(column):
    """What the script keeps of a column: first, last, largest, sum."""
    return [column[0], column[-1], np.nanmax(column), np.nansum(column)]


def compare(chart, panel, expected, *, values=True, factor=1.0):
    """To 1e-6 of the width of the limits: so the issue asks; what is left is the 1e-10 of R's quadrature."""
    width = expected["upper"][0] - expected["center"][0]
    n = len(chart.value[panel])
    for name in ("value", "center", "lower", "upper") if values else ("center", "lower", "upper"):
        if name in expected:
            found = np.array(four(getattr(chart, name)[panel] * factor))
            tolerance = np.array([1, 1, 1, n]) * 1e-6 * width
            assert (np.abs(found - expected[name]) <= tolerance).all(), (name, found, expected[name])
    if "beyond" in expected:
        line = (chart.value[panel] > chart.upper[panel]) | (chart.value[panel] < chart.lower[panel])
        assert np.flatnonzero(line).tolist() == expected["beyond"]


def frozen(first, new, chart):
    """The first data with the new ones behind them, on the limits of the first."""
    return perf.control_chart(new, chart=chart, estimate=slice(0, first))


def long(groups):
    return perf.Series(
        np.concatenate([np.asarray(g, dtype=float) for g in groups]),
        subgroups=np.repeat(np.arange(len(groups)), [len(g) for g in groups]),
    )


@pytest.mark.parametrize("key", SUBGROUPS)
def test_subgroups(inputs, key):
    expected, entry = EXPECTED[key], inputs[key]
    groups = entry["subgroups"] + entry.get("new_subgroups", [])
    first, series = len(entry["subgroups"]), long(groups)
    for chart, other in (("xbar_r", "range"), ("xbar_s", "deviation")):
        made = frozen(first, series, chart)
        compare(made, 0, expected[chart])
        compare(made, 1, expected[other])
    if "median" in expected:
        compare(frozen(first, series, "median"), 0, expected["median"])
    only = long(entry["subgroups"])
    for name, sigma in expected["sigma"].items():
        chart = "xbar_s" if "weighted_s" in name else "xbar_r"
        made = perf.control_chart(only, chart=chart, estimate=None if name == "xbar_r" else name)
        assert made.limits.parameters["sigma"][0] == pytest.approx(sigma, rel=1e-9)
        assert made.limits.parameters["center"][0] == pytest.approx(expected["mean"], rel=1e-13)


def test_piston_rings_as_printed(inputs):
    """Montgomery, examples 6.3 and tables; R qcc prints center 74.00118, limits 73.98805 and 74.01430."""
    rings = inputs["757d83152d57"]["subgroups"]
    ranges = perf.control_chart(rings, chart="xbar_r").limits.to_frame()
    assert ranges["center"].round(5).tolist() == [74.00118, 0.02276]
    assert ranges["lower"].round(5).tolist() == [73.98805, 0.0]
    assert ranges["upper"].round(4).tolist() == [74.0143, 0.0481]
    deviations = perf.control_chart(rings, chart="xbar_s").limits.to_frame()
    # s-bar 0.0094 in the book's older editions is of other rings; qcc prints 0.009240037 and 0.01930242
    assert deviations["center"].iloc[1] == pytest.approx(0.009240037, abs=5e-10)
    assert deviations["upper"].iloc[1] == pytest.approx(0.01930242, abs=5e-9)


@pytest.mark.parametrize("key", INDIVIDUALS)
def test_individuals_and_charts_with_memory(inputs, key):
    expected, entry = EXPECTED[key], inputs[key]
    values = entry.get("values") or entry["x"]
    first = len(values)
    series = perf.Series(values + entry.get("new_values", []))
    compare(frozen(first, series, "individuals"), 0, expected["individuals"])
    for name in ("moving_range", "median_moving_range", "standard_deviation"):
        made = perf.control_chart(values, estimate=name)
        assert made.limits.parameters["sigma"][0] == pytest.approx(expected[name], rel=1e-9)
    compare(frozen(first, series, "ewma"), 0, expected["ewma"])
    compare(frozen(first, series, "moving_average"), 0, expected["moving_average"])
    sums = frozen(first, series, "cusum")
    wanted = expected["cusum"]
    scale = wanted["h"]
    level = sums.center[0, 0]
    np.testing.assert_allclose(four(sums.value[0] - level), wanted["up"], atol=1e-6 * scale, rtol=1e-9)
    np.testing.assert_allclose(
        four(np.maximum(level - sums.value[1], 0.0)), wanted["down"], atol=1e-6 * scale, rtol=1e-9
    )
    np.testing.assert_allclose(sums.upper[0, 0] - level, wanted["h"], rtol=1e-9)
    beyond = (sums.value[0] > sums.upper[0]) | (sums.value[1] < sums.lower[1])
    assert np.flatnonzero(beyond).tolist() == wanted["beyond"]


def test_viscosity_as_printed(inputs):
    """Montgomery's data; limits 32.57 to 35.61 without screening (other tools screen: 32.83 to 35.35)."""
    chart = perf.control_chart(inputs["91aecb84cbb5"]["values"])
    assert [round(float(x), 2) for x in (chart.lower[0, 0], chart.upper[0, 0])] == [32.57, 35.61]


@pytest.mark.parametrize("key", SHARES)
def test_shares(inputs, key):
    expected, entry = EXPECTED[key], inputs[key]
    first = len(entry["counts"])
    counts = entry["counts"] + entry.get("new_counts", [])
    series = perf.Series(counts, sizes=entry["sizes"] + entry.get("new_sizes", []))
    for chart in ("p", "np", "laney_p"):
        compare(frozen(first, series, chart), 0, expected[chart])
    exact = perf.control_chart(series, chart="p", estimate=slice(0, first), limits="probability")
    np.testing.assert_allclose(four(exact.lower[0]), expected["exact"]["lower"], rtol=1e-12)
    np.testing.assert_allclose(four(exact.upper[0]), expected["exact"]["upper"], rtol=1e-12)
    laney = frozen(first, series, "laney_p")
    assert laney.limits.parameters["sigma_z"][0] == pytest.approx(expected["sigma_z"], rel=1e-9)


@pytest.mark.parametrize("key", RATES)
def test_counts_and_rates(inputs, key):
    expected, entry = EXPECTED[key], inputs[key]
    first, new = len(entry["counts"]), entry.get("new_counts", [])
    sizes = entry.get("sizes", [1.0] * first) + [1.0] * len(new)
    series = perf.Series(entry["counts"] + new, sizes=sizes)
    for chart in ("u", "laney_u"):
        compare(frozen(first, series, chart), 0, expected[chart])
    exact = perf.control_chart(series, chart="u", estimate=slice(0, first), limits="probability")
    np.testing.assert_allclose(four(exact.lower[0]), expected["exact"]["lower"], rtol=1e-12)
    np.testing.assert_allclose(four(exact.upper[0]), expected["exact"]["upper"], rtol=1e-12)
    if "sizes" not in entry:
        compare(frozen(first, perf.Series(entry["counts"] + new), "c"), 0, expected["u"])


def test_attributes_as_printed(inputs):
    """Montgomery: circuit boards c 19.85, 6.48 to 33.22 (33.21 unless the center is rounded first); without
    samples 6 and 20 19.67, 6.36 to 32.97; computers u 1.93, 0.07 to 3.79; dyed cloth u 1.42."""
    for key, printed in (
        ("62461f4b6849", (19.85, 6.48, 33.21)),
        ("0ec95d3b4c45", (19.67, 6.36, 32.97)),
    ):
        row = perf.control_chart(inputs[key]["counts"], chart="c").limits.to_frame().iloc[0]
        assert tuple(round(row[name], 2) for name in ("center", "lower", "upper")) == printed
    pcs = inputs["3865f799769c"]
    row = perf.control_chart(perf.Series(pcs["counts"], sizes=pcs["sizes"]), chart="u").limits.to_frame()
    assert tuple(round(row[name][0], 2) for name in ("center", "lower", "upper")) == (1.93, 0.07, 3.79)
    cloth = inputs["8ae68d65e025"]
    chart = perf.control_chart(perf.Series(cloth["counts"], sizes=cloth["sizes"]), chart="u")
    assert round(float(chart.center[0, 0]), 2) == 1.42


@pytest.mark.parametrize("key", ["fa1b94f2b700", "6c4376737a48", "abb9ec447cc5"])
def test_rare_events(inputs, key):
    expected, values = EXPECTED[key], inputs[key]["values"]
    compare(perf.control_chart(values, chart="g"), 0, expected["g"])
    exact = perf.control_chart(values, chart="g", limits="probability")
    assert exact.upper[0, 0] == expected["exact_upper"]
    t = perf.control_chart(values, chart="t")
    for name in ("center", "lower", "upper"):
        assert getattr(t, name)[0, 0] == pytest.approx(expected["t"][name], rel=1e-9, abs=1e-12)


def test_normalized_individuals(inputs):
    entry, expected = inputs["b3c096557976"], EXPECTED["b3c096557976"]
    series = perf.Series(entry["numerators"], sizes=entry["denominators"])
    chart = perf.control_chart(series, chart="i_prime")
    compare(chart, 0, expected["i_prime"])
    assert chart.limits.parameters["sigma"][0] == pytest.approx(expected["sigma"], rel=1e-9)


def test_hotelling_subgroups(inputs):
    entry = inputs["a7d41f70c61c"]
    rows = np.column_stack([np.ravel(entry["X1"]), np.ravel(entry["X2"])]).astype(float)
    series = perf.Series(rows, subgroups=np.repeat(np.arange(20), 4))
    chart = perf.control_chart(series, chart="hotelling_t2")
    np.testing.assert_allclose(four(chart.value[0]), EXPECTED["a7d41f70c61c"]["T2"]["value"], rtol=1e-10)


@pytest.mark.parametrize("key", ["4645456c0838", "c220c3f8506e"])
def test_hotelling_rows(inputs, key):
    chart = perf.control_chart(perf.Series(np.array(inputs[key]["X"], dtype=float)), chart="hotelling_t2")
    np.testing.assert_allclose(four(chart.value[0]), EXPECTED[key]["T2"]["value"], rtol=1e-9)
    assert chart.upper[0, 0] == pytest.approx(EXPECTED[key]["upper"], rel=1e-9)
