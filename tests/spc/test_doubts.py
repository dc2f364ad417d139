"""Caveats: each appears with its number where it should, and not where it should not."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.spc.doubts import gamma_tail


def caveat(chart, code):
    found = [c for c in chart.caveats if c.code == code]
    assert len(found) == 1, chart.caveat_codes
    return found[0]


def ar1(n, r, seed):
    e = np.random.default_rng(seed).standard_normal(n)
    x = np.empty(n)
    x[0] = e[0]
    for k in range(1, n):
        x[k] = r * x[k - 1] + np.sqrt(1 - r * r) * e[k]
    return x


def test_a_sound_series_has_none():
    assert perf.control_chart(np.random.default_rng(1).standard_normal(60)).caveats == ()


def test_too_few_points():
    found = caveat(perf.control_chart([5.0, 6, 5, 7, 6, 5, 6, 7, 5]), "too-few-points")
    assert found.evidence == {"n": 9, "needed": 20}
    base = perf.control_chart(np.random.default_rng(1).standard_normal(60))
    assert "too-few-points" not in perf.control_chart([0.1, 0.2, -0.1], estimate=base).caveat_codes


def test_autocorrelated_with_its_false_points():
    x = ar1(400, 0.6, 2)
    found = caveat(perf.control_chart(x), "autocorrelated")
    assert found.evidence["lag1"] == pytest.approx(lag1_autocorrelation(x, np.array([0, 400]))[0], rel=1e-10)
    # what it says about false points is what happens: share beyond the limits of long AR(1) series
    long = perf.control_chart(ar1(60_000, 0.6, 3))
    share = (long.fired[0] & 1).mean()
    assert caveat(long, "autocorrelated").evidence["false_share"] == pytest.approx(share, rel=0.1)
    assert 0.05 < share < 0.065


def test_alternating_series_have_limits_too_wide():
    found = caveat(perf.control_chart(ar1(200, -0.6, 4)), "autocorrelated")
    assert "too wide" in found.text


def test_skewed_with_what_it_means():
    x = np.random.default_rng(5).gamma(1.0, size=500)
    found = caveat(perf.control_chart(x), "skewed")
    d = x - x.mean()
    assert found.evidence["skewness"] == pytest.approx((d**3).mean() / (d**2).mean() ** 1.5, rel=1e-10)
    # an exponential lies beyond mean + 3 sd with probability exp(-4)
    assert gamma_tail(np.array([2.0]), 3.0)[0] == pytest.approx(np.exp(-4), rel=1e-12)


def test_few_distinct_values():
    x = np.round(np.random.default_rng(6).standard_normal(200) * 0.6)
    found = caveat(perf.control_chart(x), "few-distinct-values")
    assert found.evidence["equal_neighbours"] == pytest.approx((np.diff(x) == 0).mean())


def test_overdispersed_and_underdispersed():
    rng = np.random.default_rng(7)
    sizes = np.full(60, 300)
    plain = perf.Series(rng.binomial(300, 0.4, 60), sizes=sizes)
    wide = perf.Series(rng.binomial(300, np.clip(rng.normal(0.4, 0.06, 60), 0, 1)), sizes=sizes)
    narrow = perf.Series(120 + rng.integers(-2, 3, 60), sizes=sizes)
    assert not {"overdispersed", "underdispersed"} & set(perf.control_chart(plain, chart="p").caveat_codes)
    assert caveat(perf.control_chart(wide, chart="p"), "overdispersed").evidence["sigma_z"] > 1.5
    assert caveat(perf.control_chart(narrow, chart="p"), "underdispersed").evidence["sigma_z"] < 0.5
    assert "overdispersed" not in perf.control_chart(wide, chart="laney_p").caveat_codes


def test_few_expected_counts():
    chart = perf.control_chart(perf.Series([0, 1, 0, 2, 1] * 6, sizes=40), chart="p")
    assert caveat(chart, "few-expected-counts").evidence["expected"] == pytest.approx(0.8)


def test_limits_where_a_duration_cannot_be():
    hours = perf.Measure("h", definition="d", unit="hours", better="lower", scale="duration")
    x = np.random.default_rng(8).gamma(2.0, size=60)
    found = caveat(perf.control_chart(perf.Series(x, measure=hours)), "limit-out-of-range")
    assert found.evidence["limit"] < 0
    assert "limit-out-of-range" not in perf.control_chart(x).caveat_codes


def test_items_still_open_are_said():
    censored = np.arange(30) >= 27
    series = perf.Series(np.random.default_rng(1).gamma(9.0, size=30), censored=censored)
    assert caveat(perf.control_chart(series), "open-items").evidence == {"points": 3}
    assert caveat(perf.control_chart(series, exclude={28: "x"}), "open-items").evidence == {"points": 2}
    many = perf.control_charts(perf.SeriesBatch.from_series({"a": series, "b": series}))
    assert ["open-items" in c for c in many.caveats_of_series] == [True, True]


def test_of_several_stages_the_latest_doubt_is_told():
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.standard_normal(30), np.full(10, 3.0)])
    found = caveat(perf.control_chart(x, stages=[30]), "zero-variation")
    assert found.evidence["stage"] == 1
    assert found.text.startswith("Stage 1 (of stages 0 to 1)")


def test_how_often_sound_series_carry_a_doubt():
    """A caveat that cries wolf is worth nothing: at most a few percent of sound series carry each."""
    rng = np.random.default_rng(10)
    codes = perf.control_charts({str(k): rng.standard_normal(60) for k in range(500)}).caveats_of_series
    for code in ("autocorrelated", "skewed", "few-distinct-values"):
        assert np.mean([code in c for c in codes]) < 0.08, code
    sizes = np.full(60, 300)
    shares = {str(k): perf.Series(rng.binomial(300, 0.4, 60), sizes=sizes) for k in range(500)}
    codes = perf.control_charts(shares, chart="p").caveats_of_series
    for code in ("overdispersed", "underdispersed"):
        assert np.mean([code in c.split("; ") for c in codes]) < 0.06, code


def test_varying_limits_out_of_range_are_told():
    """The limits of subgroups of unequal size reach below 0, where a duration cannot be."""
    hours = perf.Measure("hours", definition="opened to resolved", unit="h", better="lower", scale="duration")
    rng = np.random.default_rng(4)
    sizes = rng.integers(2, 5, 30)
    series = perf.Series(
        rng.lognormal(1, 1.2, sizes.sum()), measure=hours, subgroups=np.repeat(np.arange(30), sizes)
    )
    chart = perf.control_chart(series, chart="xbar_s")
    assert np.nanmin(chart.lower[0]) < 0
    caveat = next(c for c in chart.caveats if c.code == "limit-out-of-range")
    assert caveat.evidence["limit"] == pytest.approx(np.nanmin(chart.lower[0]))
    assert (
        "limit-out-of-range" not in perf.control_chart(series, chart="xbar_s", transform="log").caveat_codes
    )
    real = perf.Series(series.values, subgroups=series.subgroups)
    assert "limit-out-of-range" not in perf.control_chart(real, chart="xbar_s").caveat_codes
