"""Charts of subgroups and with memory: about as often wrong as they say, by tables that can be made again."""

from __future__ import annotations

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.spc import evidence
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.rules import NELSON, WESTERN_ELECTRIC

CASES = {
    "xbar_r of 2": ("xbar_r", 2, {}),
    "xbar_r of 5": ("xbar_r", 5, {}),
    "xbar_s of 9": ("xbar_s", 9, {}),
    "median of 3": ("median", 3, {}),
    "imr_rs of 4": ("imr_rs", 4, {}),
    "ewma": ("ewma", 0, {}),
    "ewma, own": ("ewma", 0, {"options": {"lam": 0.05}, "sigmas": 2.6}),
    "cusum": ("cusum", 0, {}),
    "moving average": ("moving_average", 0, {}),
    "ewma of 2": ("ewma", 2, {}),
    "cusum of 5": ("cusum", 5, {}),
    "moving average of 3": ("moving_average", 3, {}),
    "mewma of two": ("mewma", 2, {}),
    "mewma of six, own": ("mewma", 6, {"options": {"lam": 0.3, "arl": 200}, "limits": "asymptotic"}),
    "residual, correlated": ("residual", 0.6, {}),
    "residual, own": ("residual", 0.3, {"options": {"order": 1}, "estimate": "standard_deviation"}),
    "individuals, span 3": ("individuals", 0, {"options": {"span": 3}}),
    "known ewma of 3": ("ewma", 3, {"estimate": {"center": 0.0, "sigma": 1.0}}),
    "known mewma": ("mewma", 2, {"estimate": {"center": [0, 0], "covariance": np.eye(2)}}),
    "known residual": ("residual", 0.6, {"estimate": {"center": 0, "sigma": 1, "coefficients": [0.6]}}),
    "known": ("xbar_r", 5, {"estimate": {"center": 0.0, "sigma": 1.0}}),
    "known cusum": ("cusum", 0, {"estimate": {"center": 0.0, "sigma": 1.0}}),
}


def stable(chart, size, n, runs, seed, **given):
    """``size``: values a subgroup, measures a point, or (residual) the correlation of neighbours."""
    shape = (runs * n, size) if size >= 1 else runs * n
    values = np.random.default_rng(seed).standard_normal(shape)
    if 0 < size < 1:
        values[::n] /= np.sqrt(1 - size**2)
        for k in range(1, n):
            values[k::n] += size * values[k - 1 :: n]
    ids = [str(k) for k in range(runs)]
    return perf.control_charts(
        perf.SeriesBatch(values, np.arange(runs + 1) * n, ids=ids), chart=chart, **given
    )


def check(case, n, runs, seed):
    chart, size, given = CASES[case]
    made = stable(chart, size, n, runs, seed, **given)
    wrong = np.mean(made.judged & ~made.stable)
    assert wrong < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs), wrong
    assert wrong > 0.01, wrong
    error = made.n_signals.std(ddof=1) / np.sqrt(runs)
    # subgroups of 9 are compared with those of 5
    assert made.expected_signals.mean() == pytest.approx(made.n_signals.mean(), rel=0.2, abs=4 * error)


@pytest.mark.parametrize("case", CASES)
def test_stable_series_are_called_unstable_about_as_rarely_as_said(case):
    check(case, 40, 600, 41)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
def test_residual_charts_are_right_whatever_the_correlation(rho):
    """The table is made from correlations of 0, 0.3, 0.6 and 0.8 together: each by itself keeps the 5%."""
    made = stable("residual", rho, 60, 800, 43)
    assert 0.01 < np.mean(made.judged & ~made.stable) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 800)


@pytest.mark.slow
@pytest.mark.parametrize("n", [25, 100])
@pytest.mark.parametrize("case", CASES)
def test_stable_series_long(case, n):
    check(case, n, 4000, 42)


def test_the_table_holds_every_default():
    kept = json.loads(evidence._TABLE.read_text(encoding="utf-8"))["schemes"]
    for family in CHARTS.values():
        if "family" not in family.modes.values():
            continue
        sizes = [4] if family.grouped else [2] if family.several else [0]
        if family.subgrouped is not None and not family.several:
            sizes.append(4)
        for size in sizes if family.name != "t" else []:
            made = stable(family.name, size, 20, 2, 1)
            assert "table, at most 4000" in made.method.parameters["stability_reference"], family.name
    assert all(set(one["sets"]) for one in kept.values())


def test_the_table_is_what_its_script_makes():
    """The first lengths of one scheme, simulated again."""
    scheme = evidence.Scheme("cusum", "moving_range", "sigma", (("head_start", "0.0"), ("k", "0.5")), 0)
    found = evidence.make_reference(
        scheme, (evidence.LIMITS_ONLY,), 5.0, evidence.LENGTHS[:2], evidence._BUDGET, evidence._RUNS
    )[0]
    kept = json.loads(evidence._TABLE.read_text(encoding="utf-8"))["schemes"][scheme.key]
    np.testing.assert_array_equal(found.counts, kept["sets"]["limits_only"]["counts"][:2])
    np.testing.assert_allclose(found.farthest, kept["farthest"][:2], atol=5e-4)


def test_charts_with_memory_look_at_the_limits_of_any_set_alike():
    x = np.random.default_rng(5).standard_normal(40)
    a, b = (perf.control_chart(x, chart="ewma", rules=r) for r in (WESTERN_ELECTRIC, NELSON))
    assert (a.p_value, a.expected_signals) == (b.p_value, b.expected_signals)
