"""EWMA, CUSUM and moving average against Montgomery and R (tests/reference/control_charts_more.R)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.spc.families.memory import decayed, one_sided

# Montgomery (2013), table 9.1
X = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
    10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
]  # fmt: skip
KNOWN = {"center": 10.0, "sigma": 1.0}


def test_ewma_of_the_book():
    """Montgomery, example 9.2: lambda 0.1, L 2.7; limits 9.73 to 10.27 first, 9.38 to 10.62 later."""
    chart = perf.control_chart(X, chart="ewma", options={"lam": 0.1}, sigmas=2.7, estimate=KNOWN)
    np.testing.assert_allclose(
        chart.value[0, [0, 1, 9, 27, 29]],
        [9.945, 9.7495, 10.02315973, 10.57313717175, 10.63414110912],
        rtol=1e-9,
    )
    assert (chart.lower[0, 0], chart.upper[0, 0]) == pytest.approx((9.73, 10.27))
    assert (chart.lower[0, -1].round(2), chart.upper[0, -1].round(2)) == (9.38, 10.62)
    assert "widen over the first points" in chart.verdict
    flat = perf.control_chart(
        X, chart="ewma", options={"lam": 0.1}, sigmas=2.7, estimate=KNOWN, limits="asymptotic"
    )
    assert flat.upper[0, 0] == pytest.approx(10 + 2.7 * np.sqrt(0.1 / 1.9))


def test_cusum_of_the_book():
    """Montgomery, table 9.2: k 0.5, h 5; C+ = 2.82 at 5, 5.28 at 29, 5.30 at 30; C- = 1.56, 1.77, 1.46."""
    chart = perf.control_chart(X, chart="cusum", estimate=KNOWN)
    np.testing.assert_allclose(chart.value[0, [4, 28, 29]], [2.82, 5.28, 5.30], rtol=1e-12)
    np.testing.assert_allclose(chart.value[1, [1, 2, 6]], [-1.56, -1.77, -1.46], rtol=1e-12)
    assert chart.upper[0, 0] == 5.0
    assert chart.lower[1, 0] == -5.0
    assert (np.flatnonzero(chart.fired[0]) + 1).tolist() == [29, 30]
    assert not chart.fired[1].any()
    start = perf.control_chart(X, chart="cusum", estimate=KNOWN, options={"head_start": 2.5})
    np.testing.assert_allclose(start.value[0, [0, 3, 4]], [1.45, 1.16, 2.82], rtol=1e-12)


def test_cusum_is_in_the_unit_of_the_measure():
    chart = perf.control_chart(np.multiply(X, 3), chart="cusum", estimate={"center": 30.0, "sigma": 3.0})
    assert chart.value[0, 28] == pytest.approx(3 * 5.28)
    assert chart.upper[0, 0] == 15.0


def test_moving_average_of_the_book():
    """Montgomery, example 9.3: spans of 5, limits 8.66 to 11.34."""
    chart = perf.control_chart(X, chart="moving_average", estimate=KNOWN)
    np.testing.assert_allclose(chart.value[0, [4, 5, 29]], [10.11, 10.256, 10.982], rtol=1e-12)
    assert (chart.lower[0, -1].round(2), chart.upper[0, -1].round(2)) == (8.66, 11.34)
    assert chart.upper[0, 0] == 13.0


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=70), st.floats(0.02, 1.0), st.floats(0, 3))
def test_doubling_is_the_recursion(x, lam, start):
    x, age = np.array(x), np.arange(len(x))
    e, c, es, cs = 0.0, start, [], []
    for v in x:
        e, c = lam * v + (1 - lam) * e, max(0.0, c + v)
        es.append(e)
        cs.append(c)
    np.testing.assert_allclose(decayed(lam * x, 1 - lam, age), es, atol=1e-12)
    np.testing.assert_allclose(one_sided(x, start, age), cs, atol=1e-11)


def test_no_observation_is_dropped_and_gaps_change_nothing():
    """Two public tools drop the first observation."""
    x = np.array(X)
    gaps = np.insert(x, [0, 5, 5, 20], np.nan)
    seen = ~np.isnan(gaps)
    for chart in ("ewma", "cusum", "moving_average"):
        whole = perf.control_chart(x, chart=chart, estimate=KNOWN)
        broken = perf.control_chart(gaps, chart=chart, estimate=KNOWN)
        np.testing.assert_allclose(broken.value[:, seen], whole.value, rtol=1e-12)
        np.testing.assert_allclose(broken.upper[:, seen], whole.upper, rtol=1e-12)
        assert whole.value[0, 0] != 0 or chart == "cusum"


def test_an_excluded_point_leaves_the_path_where_it_was():
    x = np.array(X)
    out = perf.control_chart(x, chart="ewma", exclude={10: "test"}, estimate=KNOWN)
    without = perf.control_chart(np.delete(x, 10), chart="ewma", estimate=KNOWN)
    np.testing.assert_allclose(np.delete(out.value[0], 10), without.value[0], rtol=1e-12)
    assert out.value[0, 10] == out.value[0, 9]
    assert not out.fired[0, 10]


def test_a_stage_begins_anew():
    x = np.array(X)
    chart = perf.control_chart(x, chart="cusum", estimate=KNOWN, stages=[15])
    part = perf.control_chart(x[15:], chart="cusum", estimate=KNOWN)
    np.testing.assert_array_equal(chart.value[:, 15:], part.value)


def test_memory_finds_a_small_shift_that_individuals_miss():
    rng = np.random.default_rng(12)
    x = rng.standard_normal(60)
    x[30:] += 1.0
    base = {"center": 0.0, "sigma": 1.0}
    for chart in ("ewma", "cusum"):
        made = perf.control_chart(x, chart=chart, estimate=base)
        assert made.stable is False
        assert np.flatnonzero(made.fired[0])[0] > 30
        assert "autocorrelated" not in perf.control_chart(x[:30], chart=chart).caveat_codes


@pytest.mark.parametrize(
    ("chart", "given", "error", "says"),
    [
        ("ewma", {"options": {"lambda": 0.2}}, perf.UnknownNameError, "did you mean 'lam'"),
        ("ewma", {"options": {"lam": 1.2}}, perf.InputError, "above 0 and at most 1"),
        ("ewma", {"options": {"lam": 0}}, perf.InputError, "above 0 and at most 1"),
        ("ewma", {"options": {"L": 2.7}}, perf.InputError, "given as sigmas="),
        ("cusum", {"options": {"h": 5}}, perf.InputError, "given as sigmas="),
        ("cusum", {"options": {"k": "a"}}, perf.InputError, "is a number of at least 0"),
        ("moving_average", {"options": {"span": 2.5}}, perf.InputError, "whole number"),
        ("c", {"options": {"lam": 0.2}}, perf.InputError, "has no options"),
        ("ewma", {"options": 3}, perf.InputError, "is a mapping"),
        ("ewma", {"limits": "probability"}, perf.UnknownNameError, "limits="),
    ],
)
def test_misuse(chart, given, error, says):
    with pytest.raises(error, match=says):
        perf.control_chart(X, chart=chart, **given)


def test_limits_are_carried_on_with_their_options():
    base = perf.control_chart(X, chart="ewma", options={"lam": 0.1})
    with pytest.raises(perf.InputError, match=r"lam = 0\.1"):
        perf.control_chart(X, chart="ewma", estimate=base)
    assert perf.control_chart(X, chart="ewma", estimate=base, options={"lam": 0.1}).n_used == 30


# tests/reference/memory_subgroups.R: the first ten subgroups of Montgomery's table 6.4, sizes 3 to 5
RINGS = [
    [74.030, 74.002, 74.019, 73.992, 74.008], [73.995, 73.992, 74.001],
    [73.988, 74.024, 74.021, 74.005, 74.002], [74.002, 73.996, 73.993, 74.015, 74.009],
    [73.992, 74.007, 74.015, 73.989, 74.014], [74.009, 73.994, 73.997, 73.985],
    [73.995, 74.006, 73.994, 74.000], [73.985, 74.003, 73.993, 74.015, 73.988],
    [74.008, 73.995, 74.009, 74.005], [73.998, 74.000, 73.990, 74.007, 73.995],
]  # fmt: skip


def rings():
    return perf.Series(np.concatenate(RINGS), subgroups=np.repeat(np.arange(10), [len(g) for g in RINGS]))


def of_rings(chart, **asked):
    return perf.control_chart(rings(), chart=chart, estimate={"center": 74.0, "sigma": 0.01}, **asked)


def test_ewma_of_unequal_subgroups():
    """The variance is that of the sizes so far; other tools take the size of the point for all of them."""
    chart = of_rings("ewma")
    np.testing.assert_allclose(chart.value[0, [0, 1, 9]], [74.00204, 74.000832, 74.0002904396], rtol=1e-11)
    np.testing.assert_allclose(
        chart.upper[0, [0, 1, 9]], [74.0026832816, 74.0040752914, 74.0046722984], rtol=1e-11
    )
    flat = of_rings("ewma", limits="asymptotic")
    np.testing.assert_allclose(flat.upper[0, :2], [74.004472136, 74.0057735027], rtol=1e-11)
    assert "follow the sizes" in chart.verdict


def test_cusum_of_unequal_subgroups():
    chart = of_rings("cusum")
    np.testing.assert_allclose(chart.value[0, [0, 2, 9]], [0.0079639320225, 0.00839340939054, 0], rtol=1e-9)
    np.testing.assert_allclose(chart.value[1, [1, 5]], [-0.00111324865404, -0.00125], rtol=1e-8)
    np.testing.assert_allclose(chart.upper[0, :2], [0.022360679775, 0.0288675134595], rtol=1e-11)


def test_moving_average_of_unequal_subgroups():
    chart = of_rings("moving_average", options={"span": 3})
    np.testing.assert_allclose(
        chart.value[0, [0, 1, 2, 9]], [74.0102, 74.0031, 74.0047333333, 73.9996833333], rtol=1e-11
    )
    np.testing.assert_allclose(
        chart.upper[0, [0, 1, 2, 9]], [74.0134164079, 74.0109544512, 74.0085634884, 74.0080622577], rtol=1e-11
    )


def test_piston_rings(real_data):
    """qcc's documentation of ewma and cusum: center 74.00118, sigma 0.009785 (mean range / d2)."""
    table = np.genfromtxt(real_data / "spc" / "pistonrings.csv", delimiter=",", names=True, dtype=None)
    x = table["diameter"].reshape(-1, 5)
    base = perf.control_chart(x[:25], chart="ewma", sigmas=2.7)
    assert base.limits.parameters["center"][0] == pytest.approx(74.00118, abs=5e-6)
    assert base.limits.parameters["sigma"][0] == pytest.approx(0.009785, abs=5e-7)
    assert base.method.parameters["estimate"] == "mean_range"
    assert base.n_signals == 0
    new = perf.control_chart(x[25:], chart="ewma", sigmas=2.7, estimate=base)
    assert new.stable is False
    assert perf.control_chart(x[:25], chart="cusum").limits.parameters["sigma"][0] == pytest.approx(
        base.limits.parameters["sigma"][0]
    )


@pytest.mark.parametrize("chart", ["ewma", "cusum", "moving_average"])
def test_subgroups_are_their_means_with_the_sigma_of_means(chart):
    x = np.random.default_rng(3).normal(10, 2, (30, 4))
    groups = perf.control_chart(x, chart=chart, estimate={"center": 10, "sigma": 2})
    means = perf.control_chart(x.mean(axis=1), chart=chart, estimate={"center": 10, "sigma": 1})
    np.testing.assert_allclose(groups.value, means.value, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(groups.upper, means.upper, rtol=1e-12)
    long = perf.Series(x.ravel(), subgroups=np.repeat(np.arange(30), 4))
    by_name = perf.control_chart(long, chart=chart)
    np.testing.assert_allclose(by_name.upper, perf.control_chart(x, chart=chart).upper, rtol=1e-12)


@pytest.mark.parametrize(
    "estimate",
    [
        "mean_range", "unweighted_mean_range", "pooled_standard_deviation", "weighted_standard_deviation",
        "unweighted_standard_deviation",
    ],
)  # fmt: skip
def test_sigma_within_as_the_charts_of_subgroups(estimate):
    chart = "xbar_r" if "range" in estimate else "xbar_s"
    sigma = perf.control_chart(rings(), chart=chart, estimate=estimate).limits.parameters["sigma"][0]
    for name in ("ewma", "cusum", "moving_average"):
        made = perf.control_chart(rings(), chart=name, estimate=estimate)
        assert made.limits.parameters["sigma"][0] == sigma
        assert made.method.parameters["estimate"] == estimate
    many = perf.method("control_charts", chart="ewma", estimate=estimate)(rings().as_batch())
    np.testing.assert_array_equal(many["center"], made.limits.parameters["center"])


def test_estimators_belong_to_their_kind_of_points():
    with pytest.raises(perf.UnknownNameError, match="ewma chart"):
        perf.control_chart(X, chart="ewma", estimate="mean_range")
    with pytest.raises(perf.UnknownNameError, match="of subgroups"):
        perf.control_chart(rings(), chart="ewma", estimate="moving_range")
    with pytest.raises(perf.InputError, match="comes back"):
        perf.control_chart(perf.Series([1.0, 2, 3, 4], subgroups=["a", "b", "a", "b"]), chart="ewma")


def test_a_head_start_is_below_the_decision_interval():
    x = np.random.default_rng(3).normal(size=30)
    assert perf.control_chart(x, chart="cusum", options={"head_start": 4.9}).n_used == 30
    with pytest.raises(
        perf.InputError, match="head_start = 5 is not below the decision interval, sigmas = 5"
    ):
        perf.control_chart(x, chart="cusum", options={"head_start": 5})
