"""Multivariate EWMA against NIST's handbook, base R and the package spc (tests/reference/mewma.R)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError

# Lowry, Woodall, Champ and Rigdon (1992), their simulated example: variances 1, correlation 0.5
X = np.c_[
    [-1.19, 0.12, -1.69, 0.30, 0.89, 0.82, -0.30, 0.63, 1.56, 1.46],
    [0.59, 0.90, 0.40, 0.46, -0.75, 0.98, 2.28, 1.75, 1.58, 3.05],
]
KNOWN = {"center": [0.0, 0.0], "covariance": [[1.0, 0.5], [0.5, 1.0]]}
H4 = {"limit": 8.66}


def mewma(x, **asked):
    return perf.control_chart(x if isinstance(x, perf.Series) else perf.Series(x), chart="mewma", **asked)


def test_nist_handbook():
    """NIST/SEMATECH e-Handbook, 6.3.4.3: the covariance of these ten rows, around 0; lambda 0.1."""
    chart = mewma(X, estimate={"center": [0.0, 0.0], "covariance": np.cov(X.T)}, options=H4)
    published = [2.1886, 2.0697, 4.8365, 3.4158, 0.7089, 0.9268, 4.0018, 6.1657, 7.8554, 14.4158]
    np.testing.assert_allclose(chart.value[0], published, atol=5e-5)
    assert (chart.fired[0] != 0).tolist() == [False] * 9 + [True]


def test_known_parameters_as_base_r():
    exact = mewma(X, estimate=KNOWN, options=H4)
    expected = [
        3.2884, 3.17719558, 7.368091497, 5.259072216, 1.092033327,
        1.279954964, 5.661051511, 8.324423309, 9.64498269, 17.20744473,
    ]  # fmt: skip
    np.testing.assert_allclose(exact.value[0], expected, rtol=1e-9)
    # Lowry et al.: the tenth point of the chart with asymptotic covariance is beyond h4 = 8.66
    flat = mewma(X, estimate=KNOWN, options=H4, limits="asymptotic")
    expected = [
        0.624796, 1.09263756, 3.452385584, 2.995214072, 0.7112648501,
        0.9184578767, 4.365984506, 6.781890864, 8.197322531, 15.11542116,
    ]  # fmt: skip
    np.testing.assert_allclose(flat.value[0], expected, rtol=1e-9)
    assert flat.signals["point"].tolist() == [9]
    assert (flat.upper == 8.66).all()
    assert (flat.center == 2.0).all()
    assert flat.method.parameters["limit_of_t2"] == 8.66


def test_own_mean_and_covariance_as_base_r():
    expected = [
        1.854333143, 1.042238142, 3.802647712, 2.719513577, 3.381749341,
        2.568660415, 1.000926993, 0.3594145801, 0.09292449464, 0.6153869554,
    ]  # fmt: skip
    np.testing.assert_allclose(mewma(X).value[0], expected, rtol=1e-9)


def test_subgroups_of_unequal_size_as_base_r():
    series = perf.Series(X, subgroups=np.repeat([1, 2, 3, 4], [2, 3, 2, 3]))
    lam = {"lam": 0.2}
    exact, flat = (mewma(series, options=lam, limits=kind) for kind in ("exact", "asymptotic"))
    np.testing.assert_allclose(exact.value[0], [2.827673242, 11.0968738, 2.45502554, 0.9108237791], rtol=1e-9)
    np.testing.assert_allclose(
        flat.value[0], [1.017962367, 7.829954154, 1.622909363, 0.9059178636], rtol=1e-9
    )
    assert exact.sizes.tolist() == [2, 3, 2, 3]


@pytest.mark.parametrize(
    ("p", "published", "exact"),
    # Prabhu and Runger (1997), lambda 0.1, run length 200 (Montgomery, table 11.3: 8.64, 12.73); R spc
    [(2, 8.64, 8.633580644), (4, 12.73, 12.72310816), (6, 16.27, 16.26344919), (10, 22.67, 22.65646812)],
)
def test_limits_for_a_run_length(p, published, exact):
    x = np.random.default_rng(1).standard_normal((30, p))
    chart = mewma(x, options={"arl": 200})
    assert chart.upper[0, 0] == pytest.approx(exact, rel=1e-6)
    assert chart.upper[0, 0] == pytest.approx(published, abs=0.015)


def test_three_sigma_is_the_run_length_of_a_shewhart_chart():
    chart = mewma(X, estimate=KNOWN)
    assert chart.upper[0, 0] == pytest.approx(10.07481998, rel=1e-6)
    found = perf.average_run_length(mewma(X, estimate=KNOWN, limits="asymptotic"))
    assert found.arl[0] == pytest.approx(370.4, rel=1e-3)
    assert found.exact


def test_run_length_of_the_exact_chart():
    """The first points signal more easily with their own covariance: a little shorter than designed for."""
    found = perf.average_run_length(mewma(X, estimate=KNOWN, options={"arl": 200}), runs=4000)
    assert not found.exact
    assert 185 < found.arl[0] < 201


def test_scale_and_rotation_change_nothing():
    turn = np.array([[2.0, 1.0], [0.5, 3.0]])
    np.testing.assert_allclose(mewma(X @ turn + 5).value, mewma(X).value, rtol=1e-8)


def test_lambda_of_one_is_hotelling():
    x = np.random.default_rng(4).standard_normal((40, 3))
    one = mewma(x, options={"lam": 1.0})
    two = perf.control_chart(perf.Series(x), chart="hotelling_t2")
    np.testing.assert_allclose(one.value, two.value, rtol=1e-9)


@given(st.lists(st.integers(0, 9), max_size=4, unique=True), st.booleans())
@settings(max_examples=15, deadline=None)
def test_missing_and_excluded_rows_change_nothing(where, excluded):
    at = sorted(where)
    more = np.insert(X, at, np.nan if not excluded else 99.0, axis=0)
    new = [a + k for k, a in enumerate(at)]
    chart = mewma(more, estimate=KNOWN, options=H4, exclude=dict.fromkeys(new, "test") if excluded else ())
    np.testing.assert_allclose(
        np.delete(chart.value[0], new), mewma(X, estimate=KNOWN, options=H4).value[0], rtol=1e-12
    )
    assert not chart.fired[0, new].any()


def test_a_small_shift_of_two_measures_is_found():
    rng = np.random.default_rng(6)
    cov = [[1, 0.7], [0.7, 1]]
    x = rng.multivariate_normal([0, 0], cov, 60)
    x[30:] += [0.8, -0.2]
    known = {"center": [0, 0], "covariance": cov}
    chart = mewma(x, estimate=known)
    assert chart.stable is False
    assert chart.signals["point"].tolist()[0] >= 30
    assert set(chart.signals["direction"]) == {"concern"}
    single = perf.control_chart(perf.Series(x), chart="hotelling_t2", estimate=known)
    assert single.n_signals < chart.n_signals


def test_measures_that_cannot_be_told_apart():
    chart = mewma(np.c_[X[:, 0], 2 * X[:, 0]])
    assert "no-limits" in chart.caveat_codes
    assert chart.stable is None


def test_batch_of_subgroups_equals_one_by_one():
    rng = np.random.default_rng(8)
    series = {
        f"s{k}": perf.Series(rng.standard_normal((6 * n, 2)), subgroups=np.repeat(np.arange(2 * n), 3))
        for k, n in enumerate((5, 12, 1))
    }
    many = perf.control_charts(series, chart="mewma")
    for i, one in enumerate(series.values()):
        chart = mewma(one)
        row = chart.summary().iloc[0]
        for column in ("center", "upper", "p_value", "expected_signals"):
            np.testing.assert_array_equal(getattr(many, column)[i], row[column])
        assert many.n_signals[i] == chart.n_signals


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"options": {"limit": 8.0, "arl": 200}}, "not both"),
        ({"options": {"arl": 1}}, "at least 2"),
        ({"options": {"lam": 0.005}}, "0.01 to 1"),
        ({"sigmas": 6.0}, "run lengths of 2 to 1,000,000"),
        ({"estimate": {"center": [1.0, 2, 3], "covariance": np.eye(3)}}, "these are 2 measures"),
        ({"estimate": {"center": [1.0, 2]}}, "exactly center, covariance"),
    ],
)
def test_misuse(given, says):
    with pytest.raises(InputError, match=says):
        mewma(X, **given)


def test_single_values_are_refused():
    with pytest.raises(InputError, match="the mewma chart takes two or more measures"):
        perf.control_chart([1.0, 2, 3], chart="mewma")
