"""Residual chart: AR models by Burg against R (tests/reference/residual.R), gaps, both kinds of limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError

# R's data set lh: luteinizing hormone in blood samples, every 10 minutes (Diggle 1990)
LH = [
    2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2,
    2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3,
    2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9,
]  # fmt: skip
AR3 = [0.658791142969, -0.0608072574499, -0.223373319943]


def residual(x, **asked):
    return perf.control_chart(x, chart="residual", **asked)


def autoregressive(rho, n, seed):
    e = np.random.default_rng(seed).standard_normal(n)
    x = np.empty(n)
    x[0] = e[0] / np.sqrt(1 - rho**2)
    for k in range(1, n):
        x[k] = rho * x[k - 1] + e[k]
    return x


def test_model_as_r():
    """ar.burg(lh): order 3 by AIC, 0.6588, -0.0608, -0.2234 (Venables and Ripley, MASS, section 14.2)."""
    chart = residual(LH, options={"criterion": "aic"})
    assert chart.method.parameters["model_order"] == [3]
    np.testing.assert_allclose(chart.method.parameters["model_coefficients"][0], AR3, rtol=1e-10)
    assert chart.limits.parameters["center"][0] == pytest.approx(2.4)
    assert "AR(3) model (coefficients 0.66, -0.06, -0.22)" in chart.verdict


@pytest.mark.parametrize(("criterion", "order"), [("aic", 3), ("aicc", 1), ("bic", 1)])
def test_order_by_criterion(criterion, order):
    """By hand in R: AICc -71.314 for order 1, -71.286 and -71.244 for 2 and 3; BIC smallest at 1."""
    chart = residual(LH, options={"criterion": criterion})
    assert chart.method.parameters["model_order"] == [order]
    assert chart.method.parameters["criterion"] == criterion


def test_predictions_and_their_width_as_r():
    """The first points by the exact law of a normal AR(3) series, solved from its autocovariances."""
    chart = residual(LH, options={"order": 3})
    np.testing.assert_allclose(
        chart.center[0, [0, 1, 2, 3, 4, 47]], [2.4, 2.4, 2.4, 2.4, 2.26824177141, 2.80147942431], rtol=1e-10
    )
    sigma = 0.405763676218
    assert chart.limits.parameters["sigma"][0] == pytest.approx(sigma, rel=1e-10)
    wide = np.array([1.29136840431, 1.05141820499, 1.02592200355, 1, 1])
    np.testing.assert_allclose(chart.sigma[0, :5], wide * sigma, rtol=1e-10)
    np.testing.assert_allclose(chart.upper[0] - chart.center[0], 3 * chart.sigma[0], rtol=1e-12)
    z = (chart.value[0] - chart.center[0]) / chart.sigma[0]
    np.testing.assert_allclose(z[[0, 3, 47]], [0.0, -0.492897742509, 0.242802846731], rtol=1e-9, atol=1e-12)
    assert np.abs(z).max() == pytest.approx(3.36688619118, rel=1e-9)
    assert np.abs(z).argmax() == 45
    assert 45 in chart.signals["point"].tolist()


def test_three_ways_to_sigma_as_r():
    from perfanalytics.spc.constants import c4, d4_median

    median = residual(LH, options={"order": 3}, estimate="median_moving_range")
    assert median.limits.parameters["sigma"][0] == pytest.approx(0.380431965262 / d4_median(), rel=1e-9)
    sd = residual(LH, options={"order": 3}, estimate="standard_deviation")
    assert sd.limits.parameters["sigma"][0] == pytest.approx(0.441460167872 / float(c4(45)), rel=1e-9)


def test_order_0_is_the_individuals_chart():
    x = np.random.default_rng(3).normal(10, 2, 40)
    a, b = residual(x, options={"order": 0}), perf.control_chart(x)
    for name in ("center", "sigma", "lower", "upper"):
        np.testing.assert_allclose(getattr(a, name)[0], getattr(b, name)[0], rtol=1e-12)
    np.testing.assert_array_equal(a.fired[0], b.fired[0])
    assert "order 0" in a.verdict


def test_a_gap_begins_anew():
    """Behind a gap, a missing or excluded point the mean is expected, with the spread of the whole series."""
    known = {"center": 0.0, "sigma": 1.0, "coefficients": [0.6]}
    x = [1.0, 1.0, np.nan, 1.0, 1.0, 5.0, 1.0]
    chart = residual(x, estimate=known, exclude={5: "test"})
    wide = 1 / np.sqrt(1 - 0.36)
    np.testing.assert_allclose(chart.center[0, [0, 1, 3, 4, 6]], [0, 0.6, 0, 0.6, 0])
    np.testing.assert_allclose(chart.sigma[0, [0, 1, 3, 4, 6]], [wide, 1, wide, 1, wide])
    assert not chart.fired[0, 5]
    when = np.array(["2024-01-01", "2024-01-02", "2024-01-05"], dtype="datetime64[D]")
    gap = residual(perf.Series([1.0, 1, 1], when=when, expected_every="day"), estimate=known)
    np.testing.assert_allclose(gap.center[0], [0, 0.6, 0])


def test_two_stretches_are_fitted_together():
    """tests/reference/residual.R: partial autocorrelations of both stretches of lh, point 20 missing."""
    x = np.array(LH)
    x[20] = np.nan
    chart = residual(x, options={"order": 3})
    k = np.array([0.563494357828, -0.220340121902, -0.213844141586])
    assert chart.limits.parameters["coefficients"][0, 2] == pytest.approx(k[2], rel=1e-9)
    # the recursion of Levinson and Durbin, written out
    two = k[0] - k[1] * k[0], k[1]
    np.testing.assert_allclose(
        chart.limits.parameters["coefficients"][0, :2],
        [two[0] - k[2] * two[1], two[1] - k[2] * two[0]],
        rtol=1e-9,
    )


@pytest.mark.parametrize("rho", [0.6, 0.8])
def test_correlation_no_longer_looks_like_signals(rho):
    x = autoregressive(rho, 150, 5)
    assert perf.control_chart(x).stable is False
    chart = residual(x)
    assert chart.stable is True
    assert chart.method.parameters["model_order"][0] >= 1
    assert "errors-correlated" not in chart.caveat_codes


def test_a_shift_on_frozen_limits_is_found():
    x = autoregressive(0.5, 160, 8)
    base = residual(x[:100])
    x[120:] += 4
    chart = residual(x[100:], estimate=base)
    assert chart.stable is False
    assert chart.signals["point"].min() >= 20
    assert "given" not in chart.method.parameters["estimate"]


def test_doubts():
    short = residual(autoregressive(0.8, 25, 1))
    assert {"too-few-points", "few-points-for-order"} <= set(short.caveat_codes)
    # a season of eight points, of which a model of order 1 knows nothing
    season = 3 * np.sin(np.arange(120) * np.pi / 4) + np.random.default_rng(2).standard_normal(120)
    one = residual(season, options={"order": 1})
    assert "errors-correlated" in one.caveat_codes
    caveat = next(c for c in one.caveats if c.code == "errors-correlated")
    assert caveat.evidence["p_value"] < 0.001
    more = residual(season, options={"max_order": 10})
    assert "errors-correlated" not in more.caveat_codes


def test_errors_of_a_right_model_are_seldom_doubted():
    made = perf.control_charts({str(k): autoregressive(0.5, 80, k) for k in range(150)}, chart="residual")
    doubted = sum("errors-correlated" in c for c in made.caveats_of_series)
    assert doubted <= 6


@given(st.floats(-0.9, 0.9), st.integers(0, 2**31), st.sampled_from([-3.0, 0.25, 1000.0]))
@settings(max_examples=20, deadline=None)
def test_shift_and_scale_change_nothing_else(rho, seed, factor):
    x = autoregressive(rho, 40, seed)
    a, b = residual(x), residual(factor * x + 7)
    np.testing.assert_allclose(b.center[0], factor * a.center[0] + 7, rtol=1e-8, atol=1e-8 * abs(factor))
    np.testing.assert_allclose(
        b.limits.parameters["coefficients"], a.limits.parameters["coefficients"], atol=1e-9
    )
    assert (a.fired == b.fired).all() or factor < 0


@given(st.lists(st.floats(-5, 5).map(lambda v: round(v, 3)), min_size=0, max_size=30), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_any_values_give_limits_or_a_caveat(values, order):
    chart = residual(values, options={"order": order})
    assert np.isfinite(chart.upper[0]).all() or chart.caveats
    free = residual(values)
    assert np.isfinite(free.upper[0]).all() or free.caveats
    again = perf.ControlChart.from_record(json.loads(json.dumps(free.to_record())))
    assert again == free


def test_a_series_that_is_its_own_pattern():
    assert residual([1.0, 2.0] * 20).stable is not True
    assert "zero-variation" in residual([3.0] * 30).caveat_codes


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"estimate": {"center": 0.0, "sigma": 1.0, "coefficients": [1.2]}}, "stationary"),
        ({"estimate": {"center": 0.0, "sigma": 1.0}}, "exactly center, sigma, coefficients"),
        ({"options": {"order": -1}}, "at least 0"),
        ({"options": {"max_order": 0}}, "at least 1"),
        ({"options": {"criterion": "cp"}}, "criterion"),
    ],
)
def test_misuse(given, says):
    with pytest.raises((InputError, perf.UnknownNameError), match=says):
        residual(LH, **given)


def test_bulk_with_given_coefficients():
    known = {"center": 2.4, "sigma": 0.45, "coefficients": [0.6, -0.1]}
    method = perf.method("control_charts", chart="residual", estimate=known)
    again = perf.method("control_charts", **json.loads(json.dumps(method.method.parameters)))
    batch = perf.Series(LH).as_batch()
    assert again(batch)["n_signals"].tolist() == method(batch)["n_signals"].tolist()
    assert method(batch)["n_signals"][0] == residual(LH, estimate=known).n_signals
