"""Hotelling's T2: published example, base R, both phases, gaps and covariances that cannot be inverted."""

from __future__ import annotations

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError

# tests/reference/hotelling_t2.R
X = np.c_[
    [51.0, 49, 52, 50, 47, 53, 50, 48, 55, 49, 51, 50],
    [20.0, 19, 22, 21, 18, 22, 19, 19, 23, 20, 20, 21],
    [7.1, 6.8, 7.5, 7.0, 6.9, 7.4, 7.2, 6.6, 7.3, 7.0, 7.1, 6.9],
]
ALPHA = {"alpha": 0.001}


def t2(x, **more):
    asked = {"options": ALPHA} | more
    series = x if isinstance(x, perf.Series) else perf.Series(x)
    return perf.control_chart(series, chart="hotelling_t2", **asked)


def test_single_rows_as_base_r():
    chart = t2(X)
    expected = [
        1.163203553, 1.683107828, 5.014646325, 1.954450274, 3.397728842, 1.77195223,
        3.688814488, 3.594654609, 5.820827005, 1.234329698, 1.163203553, 2.513081596,
    ]  # fmt: skip
    np.testing.assert_allclose(chart.value[0], expected, rtol=1e-9)
    np.testing.assert_allclose(chart.upper[0], 8.629577833, rtol=1e-9)
    assert (chart.lower[0] == 0).all()
    new = t2(X, estimate=chart)
    np.testing.assert_allclose(new.upper[0], 55.22105156, rtol=1e-9)
    np.testing.assert_array_equal(new.value, chart.value)
    known = t2(X, estimate={"center": X.mean(axis=0), "covariance": np.cov(X.T)})
    np.testing.assert_allclose(known.upper[0], 16.2662362, rtol=1e-9)


def test_subgroups_as_base_r():
    series = perf.Series(X, subgroups=np.repeat([1, 2, 3, 4], 3))
    chart = t2(series)
    np.testing.assert_allclose(
        chart.value[0], [0.3248276193, 1.233397859, 2.107923913, 0.5334442542], rtol=1e-9
    )
    np.testing.assert_allclose(chart.upper[0], 71.10992595, rtol=1e-9)
    np.testing.assert_allclose(t2(series, estimate=chart).upper[0], 118.5165432, rtol=1e-9)
    assert chart.sizes.tolist() == [3.0] * 4


def test_ryans_example(real_data):
    """qcc's documentation of mqcc: Ryan (2000), table 9.2; UCL 11.03976 at confidence (1 - 0.0027)^2."""
    inputs = json.loads((real_data / "spc" / "published_inputs.json").read_text(encoding="utf-8"))
    one = inputs["a7d41f70c61c"]
    x = np.stack([np.ravel(one["X1"]), np.ravel(one["X2"])], axis=1).astype(float)
    series = perf.Series(x, subgroups=np.repeat(np.arange(20), 4))
    chart = t2(series, options={"alpha": 1 - 0.9973**2})
    assert chart.upper[0, 0] == pytest.approx(11.03976, abs=5e-6)
    np.testing.assert_allclose(chart.limits.parameters["center"][0], [60.375, 18.4875])
    assert chart.signals["point"].tolist() == [9, 19]
    assert chart.value[0, 9] == pytest.approx(63.76, abs=5e-3)


def test_stable_rows_signal_as_often_as_they_should():
    """Phase 1 and phase 2, single rows and unequal subgroups: 1% of points, and few unstable charts."""
    rng = np.random.default_rng(1)
    mean, cov = [1.0, 2.0, 3.0], [[2.0, 1, 0], [1, 3, 1], [0, 1, 1]]
    rate = {"single": [], "frozen": [], "subgroups": []}
    unstable = 0
    for _ in range(150):
        x = rng.multivariate_normal(mean, cov, 60)
        base = t2(x[:30], options={"alpha": 0.01})
        unstable += base.stable is False
        rate["single"].append(base.n_signals / 30)
        rate["frozen"].append(t2(x[30:], estimate=base, options={"alpha": 0.01}).n_signals / 30)
        groups = np.repeat(np.arange(20), np.where(np.arange(20) % 2, 4, 2))
        chart = t2(perf.Series(x, subgroups=groups), options={"alpha": 0.01})
        rate["subgroups"].append(chart.n_signals / 20)
    for found in rate.values():
        assert abs(np.mean(found) - 0.01) < 4 * np.std(found) / np.sqrt(150)
    assert unstable <= 150 * 0.05 + 3 * np.sqrt(150 * 0.05 * 0.95)


def test_a_shift_across_the_correlation_is_found():
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], [[1, 0.95], [0.95, 1]], 40)
    x[30] = [1.5, -1.5]
    chart = t2(x)
    assert chart.signals["point"].tolist() == [30]
    assert chart.stable is False
    assert set(chart.signals["direction"]) == {"concern"}
    for k in range(2):
        assert not perf.control_chart(x[:, k], rules="limits_only").fired[0].any()


def test_scale_and_rotation_change_nothing():
    turn = np.array([[2.0, 1, 0], [0, 3, 1], [1, 0, 1]])
    np.testing.assert_allclose(t2(X @ turn + 5).value, t2(X).value, rtol=1e-8)


def test_gaps_exclusions_chosen_points_and_stages():
    x = np.insert(X, 4, [[np.nan, 20, 7]], axis=0)
    gap = t2(x)
    assert np.isnan(gap.value[0, 4])
    np.testing.assert_allclose(np.delete(gap.value[0], 4), t2(X).value[0])
    y = np.insert(X, 4, [[99.0, 20, 7]], axis=0)
    out = t2(y, exclude={4: "test"})
    np.testing.assert_allclose(np.delete(out.value[0], 4), t2(X).value[0])
    assert out.value[0, 4] > out.upper[0, 4]
    assert out.n_signals == 0
    first = t2(X, estimate=slice(0, 9))
    np.testing.assert_allclose(first.value[0, :9], t2(X[:9]).value[0])
    assert first.upper[0, 0] == t2(X[:9]).upper[0, 0]
    # the others are new points
    assert first.upper[0, 9] == pytest.approx(t2(X[9:], estimate=t2(X[:9])).upper[0, 0])
    two = t2(np.r_[X, X + 30], stages=[12])
    np.testing.assert_allclose(two.value[0, 12:], t2(X).value[0])


def test_measures_that_cannot_be_told_apart():
    twice = np.c_[X[:, 0], 2 * X[:, 0], X[:, 1]]
    chart = t2(twice)
    assert "no-limits" in chart.caveat_codes
    assert chart.stable is None
    assert "no-limits" in t2(X[:4]).caveat_codes


def test_saved_and_in_bulk():
    chart = t2(X)
    back = perf.ControlChart.from_record(json.loads(json.dumps(chart.to_record())))
    assert back == chart
    np.testing.assert_array_equal(t2(X, estimate=back).upper, t2(X, estimate=chart).upper)
    method = perf.method("control_charts", chart="hotelling_t2", estimate=chart, options=ALPHA)
    again = perf.method("control_charts", **json.loads(json.dumps(method.method.parameters)))
    batch = perf.Series(X).as_batch()
    assert again(batch)["upper"].tolist() == method(batch)["upper"].tolist()


def test_wrong_inputs():
    with pytest.raises(InputError, match="two or more measures"):
        perf.control_chart([1.0, 2, 3], chart="hotelling_t2")
    with pytest.raises(InputError, match="exactly center, covariance"):
        t2(X, estimate={"center": [1.0, 2, 3]})
    with pytest.raises(InputError, match="alpha"):
        t2(X, options={"alpha": 0.7})


def test_a_missing_point_has_no_limit_of_its_own():
    """Its limit is that of the rows the covariance rests on, not the wider one of new rows."""
    rng = np.random.default_rng(12)
    for n in (5, 6, 12, 30):
        rows = rng.normal(size=(n, 3))
        whole = perf.control_chart(rows, chart="hotelling_t2")
        gap = np.vstack([[np.nan, 1, 2], rows[: n // 2], [3, 4, np.nan], rows[n // 2 :]])
        made = perf.control_chart(gap, chart="hotelling_t2")
        np.testing.assert_array_equal(made.upper[0], np.full(n + 2, whole.upper[0, 0]))
        assert made.limits.upper[0, 0] == whole.limits.upper[0, 0] == whole.upper[0, 0]
        many = perf.control_charts({"a": gap}, chart="hotelling_t2")
        assert many.upper[0] == whole.upper[0, 0]
    groups = np.repeat(np.arange(12), 4)
    rows = rng.normal(size=(48, 2))
    whole = perf.control_chart(perf.Series(rows[4:], subgroups=groups[4:]), chart="hotelling_t2")
    rows[:4] = np.nan
    made = perf.control_chart(perf.Series(rows, subgroups=groups), chart="hotelling_t2")
    assert made.limits.upper[0, 0] == whole.limits.upper[0, 0]
    assert np.isfinite(whole.limits.upper[0, 0])
