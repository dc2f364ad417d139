"""Charts of subgroups against Montgomery and R (tests/reference/control_charts_more.R)."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.spc.constants import median_spread

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "spc" / "pistonrings.csv"
# the first ten subgroups of Montgomery (2013), table 6.4
UNEQUAL = [
    [74.030, 74.002, 74.019, 73.992, 74.008], [73.995, 73.992, 74.001],
    [73.988, 74.024, 74.021, 74.005, 74.002], [74.002, 73.996, 73.993, 74.015, 74.009],
    [73.992, 74.007, 74.015, 73.989, 74.014], [74.009, 73.994, 73.997, 73.985],
    [73.995, 74.006, 73.994, 74.000], [73.985, 74.003, 73.993, 74.015, 73.988],
    [74.008, 73.995, 74.009, 74.005], [73.998, 74.000, 73.990, 74.007, 73.995],
]  # fmt: skip


def unequal():
    n = [len(g) for g in UNEQUAL]
    return perf.Series(np.concatenate(UNEQUAL), subgroups=np.repeat(np.arange(10), n))


@pytest.fixture(scope="module")
def rings():
    if not DATA.exists():
        pytest.skip("the textbook data are not there")
    with DATA.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(r["diameter"]) for r in rows]).reshape(40, 5)


def test_piston_rings_mean_and_range(rings):
    """Montgomery, example 6.1 (5th ed. 5.1), and qcc: 74.00118, sigma 0.009785, 73.98805 to 74.01431.

    Range: center 0.02276, upper limit 0.04812533 with qcc's rounded constants.
    """
    chart = perf.control_chart(rings[:25], chart="xbar_r")
    assert chart.center[0, 0].round(5) == 74.00118
    assert chart.limits.parameters["sigma"][0].round(6) == 0.009785
    assert chart.upper[0, 0] == pytest.approx(74.01431, abs=1e-5)
    assert chart.lower[0, 0] == pytest.approx(73.98805, abs=1e-5)
    assert chart.center[1, 0] == pytest.approx(0.02276)
    assert chart.upper[1, 0] == pytest.approx(0.04812533, abs=1e-6)
    assert chart.lower[1, 0] == 0.0
    assert (chart.fired & 1).sum() == 0


def test_piston_rings_mean_and_standard_deviation(rings):
    """qcc: s-bar 0.009240037, upper limit 0.01930242; the book, from rounded numbers, 0.0094 and 0.0196."""
    chart = perf.control_chart(rings[:25], chart="xbar_s")
    assert chart.center[1, 0] == pytest.approx(0.009240037, abs=1e-9)
    assert (chart.upper[0, 0].round(3), chart.lower[0, 0].round(3)) == (74.014, 73.988)
    assert chart.upper[1, 0] == pytest.approx(0.01930242, abs=1e-8)


def test_piston_rings_later_samples_are_out(rings):
    """Montgomery: with these limits the samples 37 to 39 lie above."""
    base = perf.control_chart(rings[:25], chart="xbar_r")
    later = perf.control_chart(rings[25:], chart="xbar_r", estimate=base)
    assert (np.flatnonzero(later.fired[0] & 1) + 26).tolist() == [37, 38, 39]


def test_unequal_sizes_by_the_textbook():
    """Montgomery, eq. 6.30 and 6.31, by R."""
    chart = perf.control_chart(unequal(), chart="xbar_s")
    assert chart.center[0, 0] == pytest.approx(74.00182222222, rel=1e-12)
    assert chart.limits.parameters["sigma"][0] == pytest.approx(0.01066241730834, rel=1e-10)
    np.testing.assert_allclose(chart.upper[0, :2], [74.01704068291, 74.02266095774], rtol=1e-12)
    np.testing.assert_allclose(chart.upper[1, :2], [0.02227376703157, 0.02738289602184], rtol=1e-10)


@pytest.mark.parametrize(
    ("chart", "estimate", "sigma"),
    [
        ("xbar_s", "weighted_standard_deviation", 0.01077902793619),
        ("xbar_s", "unweighted_standard_deviation", 0.01026323725549),
        ("xbar_s", "pooled_standard_deviation", 0.01073883965519),
        ("xbar_r", "mean_range", 0.01068379709723),
        ("xbar_r", "unweighted_mean_range", 0.01022630757003),
        ("xbar_r", "pooled_standard_deviation", 0.01073883965519),
    ],
)
def test_other_ways_to_sigma(chart, estimate, sigma):
    made = perf.control_chart(unequal(), chart=chart, estimate=estimate)
    assert made.limits.parameters["sigma"][0] == pytest.approx(sigma, rel=1e-9)
    np.testing.assert_allclose(
        made.upper[0] - made.center[0], 3 * sigma / np.sqrt([len(g) for g in UNEQUAL]), rtol=1e-9
    )


def test_spread_of_medians_against_r():
    found = [median_spread(n) for n in (3, 5, 7, 4)]
    np.testing.assert_allclose(
        found, [0.6698291607404, 0.5355685405304, 0.4587448763041, 0.5460765682898], rtol=1e-9
    )
    assert median_spread(2) == pytest.approx(np.sqrt(0.5), rel=1e-10)


def test_median_chart():
    x = np.random.default_rng(4).normal(20, 2, (30, 5))
    chart = perf.control_chart(x, chart="median")
    np.testing.assert_allclose(chart.value[0], np.median(x, axis=1), rtol=1e-14)
    assert chart.center[0, 0] == pytest.approx(np.median(x, axis=1).mean())
    sigma = np.ptp(x, axis=1).mean() / 2.325928947
    assert chart.upper[0, 0] - chart.center[0, 0] == pytest.approx(3 * 0.5355685405 * sigma, rel=1e-8)


def test_rows_and_a_column_of_subgroups_are_the_same_chart():
    x = np.random.default_rng(5).normal(20, 2, (12, 3))
    when = np.datetime64("2024-01-01") + np.arange(12)
    rows = perf.control_chart(perf.Series(x, when=when), chart="xbar_r")
    long = perf.Series(x.ravel(), subgroups=np.repeat(np.arange(12), 3), when=np.repeat(when, 3))
    column = perf.control_chart(long, chart="xbar_r")
    np.testing.assert_array_equal(rows.upper, column.upper)
    np.testing.assert_array_equal(rows.when, column.when)
    assert column.labels.tolist()[:2] == ["0", "1"]
    assert perf.control_chart(long, chart="xbar_r", stages=["2024-01-07"]).limits.first.tolist() == [0, 6]


def test_exclusions_of_values_and_of_subgroups():
    x = np.random.default_rng(6).normal(20, 2, 30)
    x[4], x[9:12] = 90.0, 70.0
    groups = np.repeat(np.arange(10), 3)
    records = [perf.Exclusion("typing error", point=4)]
    records += [perf.Exclusion("power cut", point=k, who="A") for k in (9, 10, 11)]
    chart = perf.control_chart(perf.Series(x, subgroups=groups, exclusions=records), chart="xbar_r")
    assert chart.value[0, 1] == pytest.approx(x[[3, 5]].mean())
    assert chart.sizes[1] == 2.0
    assert chart.excluded.tolist() == [k == 3 for k in range(10)]
    assert chart.value[0, 3] == 70.0
    assert chart.exclusions[0].reason == "power cut"
    chosen = perf.control_chart(perf.Series(x, subgroups=groups), chart="xbar_r", exclude={3: "power cut"})
    assert chosen.excluded[3]


def test_between_and_within():
    """I-MR on the means, ranges within beside it: wide limits where subgroups differ, as they should be."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((40, 5)) + 3 * rng.standard_normal((40, 1))
    chart = perf.control_chart(x, chart="imr_rs")
    means = perf.control_chart(x.mean(axis=1))
    np.testing.assert_allclose(chart.upper[:2], means.upper, rtol=1e-12)
    within = perf.control_chart(x, chart="xbar_r")
    np.testing.assert_allclose(chart.upper[2], within.upper[1], rtol=1e-12)
    assert chart.n_signals < 6 < within.n_signals
    s = perf.control_chart(x, chart="imr_rs", options={"within": "deviation"})
    np.testing.assert_allclose(s.value[2], x.std(axis=1, ddof=1), rtol=1e-12)


def test_misuse():
    with pytest.raises(perf.InputError, match="takes subgroups"):
        perf.control_chart([1, 2, 3], chart="xbar_r")
    with pytest.raises(perf.InputError, match="subgroup '1' comes back"):
        perf.control_chart(perf.Series([1, 2, 3], subgroups=[1, 2, 1]), chart="xbar_s")
    with pytest.raises(perf.InputError, match="at least two values"):
        perf.control_chart(np.ones((5, 1)), chart="xbar_r")


def test_a_single_value_beside_equal_subgroups_takes_an_unbiased_sigma():
    """s-bar of pairs is 0.8 sigma: as it stands it would be too small for a single value."""
    rng = np.random.default_rng(8)
    rows = rng.normal(0, 1, (4000, 2))
    rows[7, 1] = np.nan
    chart = perf.control_chart(rows, chart="xbar_s")
    variances = np.var(np.delete(rows, 7, axis=0), axis=1, ddof=1)
    assert chart.limits.parameters["sigma"][0] == pytest.approx(np.sqrt(variances.mean()), rel=1e-12)
    assert chart.sigma[0, 7] == pytest.approx(1.0, abs=0.03)
    # without the single value: the mean standard deviation, as Montgomery has it for equal sizes
    whole = perf.control_chart(np.delete(rows, 7, axis=0), chart="xbar_s")
    assert whole.limits.parameters["sigma"][0] == pytest.approx(np.sqrt(variances).mean(), rel=1e-12)


def test_memory_grows_with_the_subgroups_not_with_their_square():
    """Some R charts of k subgroups need k x k numbers: 3 GB for these."""
    rows = np.random.default_rng(9).normal(size=(20_000, 5))
    perf.control_chart(rows[:50], chart="xbar_r")
    tracemalloc.start()
    try:
        perf.control_chart(rows, chart="xbar_r")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6
