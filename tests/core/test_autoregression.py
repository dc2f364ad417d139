"""Autoregressive models by Burg's method, against R (tests/reference/residual.R)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfanalytics.core.dependence import burg, partial_autocorrelations, portmanteau, predictors
from perfanalytics.core.segments import Segments, since_break


@pytest.fixture
def lh():
    """R's data set lh: luteinizing hormone in blood samples, every 10 minutes (Diggle 1990)."""
    return np.array(
        [
            2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2,
            2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3,
            2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9,
        ]
    )  # fmt: skip


# tests/reference/residual.R: ar.burg(lh, aic = FALSE, order.max = 5)
PARTIAL = [0.580599647266, -0.218885030922, -0.223373319943, 0.0882441406162, -0.0787681610812]


def stretches(*values, gap=False):
    """Deviations from the common mean, how many neighbours lie behind each point, one segment."""
    x = np.concatenate(values)
    link = np.ones(len(x), dtype=bool)
    link[np.cumsum([0, *map(len, values[:-1])])] = False
    return x - x.mean(), since_break(link, 20), Segments(np.array([0]), len(x))


def test_burg_as_r(lh):
    d, since, seg = stretches(lh)
    partial, pairs = burg(d, since, seg, 5)
    np.testing.assert_allclose(partial[0], PARTIAL, rtol=1e-10)
    assert pairs[0].tolist() == [47, 46, 45, 44, 43]
    coefficients = predictors(partial[:, :3])[0, 2]
    np.testing.assert_allclose(coefficients, [0.658791142969, -0.0608072574499, -0.223373319943], rtol=1e-10)


def test_burg_of_two_stretches_as_r(lh):
    """Point 20 is missing: de Waele and Broersen's errors of both stretches together."""
    partial, pairs = burg(*stretches(lh[:20], lh[21:]), 3)
    np.testing.assert_allclose(partial[0], [0.563494357828, -0.220340121902, -0.213844141586], rtol=1e-10)
    assert pairs[0].tolist() == [45, 43, 41]


@given(st.lists(st.floats(-0.95, 0.95), min_size=1, max_size=6))
def test_coefficients_and_partial_autocorrelations_are_the_same_model(k):
    partial = np.array([k])
    coefficients = predictors(partial)[:, -1]
    np.testing.assert_allclose(partial_autocorrelations(coefficients), partial, atol=1e-6)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=40), st.integers(1, 5))
def test_a_fitted_model_is_stationary(values, order):
    partial, _ = burg(*stretches(np.array(values, dtype=float)), order)
    assert (np.abs(partial[~np.isnan(partial)]) < 1).all()
    # its coefficients: every root outside the unit circle
    coefficients = predictors(np.nan_to_num(partial))[0, -1]
    roots = np.roots(np.r_[-coefficients[::-1], 1.0]) if coefficients.any() else np.array([2.0])
    assert (np.abs(roots) > 1 - 1e-6).all()


def test_many_segments_are_as_one_by_one(lh):
    one, two = lh - lh.mean(), np.cos(np.arange(30.0))
    link = np.ones(78, dtype=bool)
    link[[0, 48]] = False
    both, _ = burg(np.r_[one, two], since_break(link, 9), Segments(np.array([0, 48]), 78), 4)
    for k, x in enumerate((one, two)):
        alone = burg(x, np.minimum(np.arange(len(x)), 9).astype(np.uint8), Segments(np.array([0]), len(x)), 4)
        np.testing.assert_array_equal(both[k], alone[0][0])


def test_portmanteau_as_r(lh):
    """Box.test(lh, 10, "Ljung-Box") in R."""
    d, since, seg = stretches(lh)
    q = portmanteau(d, since, seg, np.array([48]), 10)
    assert q[0] == pytest.approx(25.3509303605, rel=1e-9)
