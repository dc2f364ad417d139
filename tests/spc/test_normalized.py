"""I' and Z-MR charts against R (tests/reference/control_charts_more.R)."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf

TOTALS = [
    1265.983327, 1265.494062, 1234.095432, 467.0938368, 480.5207487, 1263.362522, 471.6089798, 483.3272231,
    1247.482101, 1252.155511,
]  # fmt: skip
UNITS = [13, 13, 13, 5, 5, 13, 5, 5, 13, 13]
PRODUCTS = ["A", "A", "B", "B", "A", "B", "A", "B"]
SIZES = [10.1, 9.8, 20.5, 21.9, 10.6, 19.0, 10.2, 20.2]


def test_i_prime_against_r():
    chart = perf.control_chart(perf.Series(TOTALS, sizes=UNITS), chart="i_prime")
    assert chart.center[0, 0] == pytest.approx(96.23595656531, rel=1e-12)
    assert chart.limits.parameters["sigma"][0] == pytest.approx(3.734474741796, rel=1e-11)
    np.testing.assert_allclose(chart.upper[0, [0, 3]], [99.34322737341, 101.2462801951], rtol=1e-12)
    assert chart.upper[1, 1] == pytest.approx(9.733218977314, rel=1e-11)
    ratios = perf.Series(np.divide(TOTALS, UNITS), sizes=UNITS)
    same = perf.control_chart(ratios, chart="i_prime", options={"values": "ratios"})
    np.testing.assert_allclose(same.upper, chart.upper, rtol=1e-12)


def test_i_prime_of_equal_denominators_is_the_individuals_chart():
    x = np.random.default_rng(3).normal(10, 1, 30)
    prime = perf.control_chart(perf.Series(x, sizes=7), chart="i_prime", options={"values": "ratios"})
    plain = perf.control_chart(x)
    np.testing.assert_allclose(prime.upper[0], plain.upper[0], rtol=1e-12)
    assert (prime.fired == plain.fired).all()


@pytest.mark.parametrize(
    ("sigma", "z"),
    [
        ("by_product", [-0.1692568750643, 0.06154795456885, -0.1230959091377]),
        ("pooled", [-0.07253866074186, 0.09671821432247, -0.1934364286449]),
        ("relative", [-0.1196652217061, 0.07958128306274, -0.1591625661255]),
    ],
)
def test_short_runs_against_r(sigma, z):
    chart = perf.control_chart(
        perf.Series(SIZES, subgroups=PRODUCTS), chart="short_run", options={"sigma": sigma}
    )
    np.testing.assert_allclose(chart.value[0, [0, 2, 7]], z, rtol=1e-9)
    assert (chart.lower[0] == -3).all()
    assert (chart.upper[0] == 3).all()


def test_targets_and_spreads_by_product():
    series = perf.Series(SIZES, subgroups=PRODUCTS)
    chart = perf.control_chart(
        series,
        chart="short_run",
        options={"targets": {"A": 10, "B": 20}, "spreads": {"A": 0.5, "B": 1.0}},
    )
    z = (np.array(SIZES) - np.where(np.array(PRODUCTS) == "A", 10, 20)) / np.where(
        np.array(PRODUCTS) == "A", 0.5, 1.0
    )
    np.testing.assert_allclose(chart.value[0], z, rtol=1e-12)
    np.testing.assert_allclose(chart.value[1, 1:], np.abs(np.diff(z)), rtol=1e-12)


def test_a_product_with_one_value_has_no_limits():
    series = perf.Series([*SIZES, 5.0], subgroups=[*PRODUCTS, "C"])
    chart = perf.control_chart(series, chart="short_run")
    assert np.isnan(chart.upper[0, 8])
    assert np.isfinite(chart.upper[0, :8]).all()


def test_misuse():
    with pytest.raises(perf.InputError, match="denominator"):
        perf.control_chart([1.0, 2.0], chart="i_prime")
    with pytest.raises(perf.InputError, match="product of each value"):
        perf.control_chart([1.0, 2.0], chart="short_run")
    series = perf.Series(SIZES, subgroups=PRODUCTS)
    with pytest.raises(perf.InputError, match="lacks product 'B'"):
        perf.control_chart(series, chart="short_run", options={"targets": {"A": 10}})
    with pytest.raises(perf.InputError, match="belong to its products"):
        perf.control_chart(series, chart="short_run", estimate=perf.control_chart(series, chart="short_run"))
    with pytest.raises(perf.InputError, match="above 0"):
        perf.control_chart(series, chart="short_run", options={"spreads": {"A": 0, "B": 1}})


def test_z_of_a_short_run_has_no_unit_and_its_products_are_no_mixed_streams():
    rng = np.random.default_rng(5)
    product = np.array(["A", "B", "C"])[rng.integers(0, 3, 45)]
    level = np.array([{"A": 10, "B": 30, "C": 50}[p] for p in product])
    hours = perf.Measure("h", definition="d", unit="hours", better="lower", scale="duration")
    series = perf.Series(level * (1 + rng.normal(0, 0.1, 45)), subgroups=product, measure=hours)
    chart = perf.control_chart(series, chart="short_run")
    assert "hours" not in chart.verdict
    assert not {"limit-out-of-range", "mixed-streams"} & set(chart.caveat_codes)
    assert "mixed-streams" in perf.control_chart(series).caveat_codes
    many = perf.control_charts({"a": series}, chart="short_run").caveats_of_series[0]
    assert many == "; ".join(chart.caveat_codes)
