"""One-way analyses against R (tests/reference/strata.R), and what must hold whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.baselines.components import (
    FTest,
    added,
    components_anova,
    components_reml,
    f_test,
    groups_of,
    holm,
    icc_interval,
    kruskal_wallis,
    levene_test,
    share_interval,
    welch_test,
)

Y = np.array([4.1, 5.3, 2.2, 6.7, 3.6, 6.1, 4.4, 9.9, 8.3, 7.0, 7.7, 5.9, 11.2, 3.0, 2.5, 4.1, 3.3])
G = np.repeat([0, 1, 2, 3], [5, 3, 5, 4])
H = np.array([1, 2, 1, 2, 1, 2, 2, 1, 1, 2, 2, 1, 2, 1, 1, 1, 2]) - 1


def test_tests_of_location_and_spread() -> None:
    g = groups_of(Y, G, 4)
    f, w, k = f_test(g), welch_test(g), kruskal_wallis(Y, G, 4)
    assert (f.statistic, f.p_value) == pytest.approx((6.16564, 0.0077307), rel=1e-5)
    assert (w.statistic, w.df2, w.p_value) == pytest.approx((7.823116866, 5.677243238, 0.0190483273))
    assert (k.statistic, k.p_value) == pytest.approx((10.52449898, 0.0145956241))
    assert levene_test(Y, G, 4).p_value == pytest.approx(0.5449, abs=5e-5)


def test_what_a_second_factor_adds() -> None:
    test, share = added(Y, G, H)
    assert (test.statistic, test.df1, test.df2) == pytest.approx((0.30455, 1, 12), rel=2e-5)
    assert test.p_value == pytest.approx(0.59117, rel=1e-5)
    assert share == 0.0  # less than chance


def test_variance_components() -> None:
    g = groups_of(Y, G, 4)
    reml = components_reml(g)
    # lme4 stops at a relative difference of about 1e-8
    assert (reml.between, reml.within) == pytest.approx((4.06053315779, 3.43105017454), rel=5e-8)
    assert reml.mean == pytest.approx(5.60060762627)
    shrunk = reml.between / (reml.between + reml.within / g.n) * (g.mean - reml.mean)
    assert shrunk == pytest.approx([-1.044151229149, 0.935812808057, 2.069634390661, -1.961295969569])
    means, negative = components_anova(g)
    # (MSB - MSW) / n0, n0 = (17 - 75 / 17) / 3
    assert means.between == pytest.approx((21.201970588 - 3.438730769) / ((17 - 75 / 17) / 3))
    assert not negative


def test_interval_of_the_intraclass_correlation() -> None:
    equal = groups_of(Y[np.r_[0:5, 8:13, 12:17]], np.repeat([0, 1, 2], 5), 3)
    low, high = icc_interval(equal, confidence=0.95)
    assert low == 0.0  # Searle's -0.091 cut at 0
    assert high == pytest.approx(0.9587073680955)


def test_share_of_the_variation() -> None:
    # noncentral F limits by uniroot(pf(..., ncp)) in R: 0.01908350122, 0.24446519686
    low, high = share_interval(FTest(5.0, 3, 96, 0.003), 100, confidence=0.95)
    assert (low, high) == pytest.approx((0.01908350122, 0.24446519686), rel=1e-7)


def test_holm() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(holm(np.array([np.nan, 0.01]))[0])
    assert holm(np.array([np.nan, 0.01]))[1] == 0.01


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_nothing_depends_on_origin_and_unit(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    code = np.sort(rng.integers(0, 4, 40))
    code = np.unique(code, return_inverse=True)[1]
    k = int(code.max()) + 1
    y = rng.normal(size=40) + 0.5 * code
    a, b = groups_of(y, code, k), groups_of(scale * y + shift, code, k)
    assert f_test(a).statistic == pytest.approx(f_test(b).statistic, rel=1e-6)
    assert kruskal_wallis(y, code, k).statistic == pytest.approx(kruskal_wallis(-y, code, k).statistic)
    assert components_reml(a).icc == pytest.approx(components_reml(b).icc, abs=1e-5)
    low, high = icc_interval(a, confidence=0.9)
    assert 0 <= low <= high <= 1


def test_groups_without_spread_say_nothing() -> None:
    same = groups_of(np.ones(6), np.repeat([0, 1], 3), 2)
    assert np.isnan(f_test(same).p_value)
    assert np.isnan(kruskal_wallis(np.ones(6), np.repeat([0, 1], 3), 2).p_value)
    assert np.isnan(welch_test(groups_of(np.array([1.0, 2, 5]), np.array([0, 0, 1]), 2)).p_value)
