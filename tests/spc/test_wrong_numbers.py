"""The wrong numbers seen in public tools, each by hand: what is right, and that it is what comes out here.

Others of the list stand with their charts: zones by each point's own sigma (test_attributes), every rule that
fires is kept (test_signals), nothing is dropped or screened (test_chart), memory of range charts
(test_subgroups), a gap never makes a NaN limit (test_every_chart, test_properties).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import perfanalytics as perf

UNIT = {"center": 0.0, "sigma": 1.0}


def rules_of(chart):
    return chart.to_frame().query("panel == @chart.panels[0]")["rules"].tolist()


def test_the_eighth_point_completes_a_run_of_eight():
    """Not the ninth: `> m` where `>= m` is meant."""
    fired = rules_of(perf.control_chart([0.3] * 9, estimate=UNIT))
    assert fired == [""] * 7 + ["eight_on_one_side"] * 2


@pytest.mark.parametrize("level", [-10.0, 0.0, 10.0])
def test_a_trend_goes_by_its_steps_and_not_by_the_sign_of_its_first_value(level):
    own = [perf.Rule("six_trend", count=6, pattern="trend")]
    given = {"center": level, "sigma": 1.0}
    rising = level + np.arange(-2.5, 3.5)
    for values in (rising, rising[::-1]):
        fired = rules_of(perf.control_chart(values, estimate=given, rules=own))
        assert fired == [""] * 5 + ["six_trend"]
        # a step the other way before it does not count into the six
        step = values[0] + (0.5 if values[1] > values[0] else -0.5)
        fired = rules_of(perf.control_chart(np.r_[step, values], estimate=given, rules=own))
        assert fired == [""] * 6 + ["six_trend"]


def test_rules_look_at_all_points_and_not_at_the_last_thirty():
    x = np.tile([0.5, -0.5], 60)
    x[3], x[20:28] = 4.0, 0.4
    fired = rules_of(perf.control_chart(x, estimate=UNIT))
    assert fired[3] == "beyond_limits"
    assert "eight_on_one_side" in fired[27]


def test_the_first_observation_counts_in_ewma_and_cusum():
    x = [2.0, 0.0, 1.0]
    ewma = perf.control_chart(x, chart="ewma", estimate=UNIT)
    np.testing.assert_allclose(ewma.value[0], [0.4, 0.32, 0.456], rtol=1e-12)
    assert ewma.upper[0, 0] == pytest.approx(3 * 0.2)
    cusum = perf.control_chart(x, chart="cusum", estimate=UNIT)
    np.testing.assert_allclose(cusum.value[0], [1.5, 1.0, 1.5], rtol=1e-12)


def test_sigma_z_is_laneys():
    """The mean moving range of z over d2, not the standard deviation of z."""
    count = np.array([30, 45, 28, 52, 61, 33, 70, 41.0])
    size = np.array([300, 410, 290, 505, 480, 350, 600, 420.0])
    p = count.sum() / size.sum()
    sigma = np.sqrt(p * (1 - p) / size)
    z = (count / size - p) / sigma
    sigma_z = np.abs(np.diff(z)).mean() / (2 / math.sqrt(math.pi))
    chart = perf.control_chart(perf.Series(count, sizes=size), chart="laney_p")
    np.testing.assert_allclose(chart.upper[0], p + 3 * sigma * sigma_z, rtol=1e-12)
    assert abs(sigma_z - z.std(ddof=1)) > 0.01


def test_sigma_of_a_g_chart_comes_from_the_mean():
    gaps = np.array([0, 1, 1, 2, 3, 3, 4, 7, 12, 40.0])
    mean = gaps.mean()
    chart = perf.control_chart(gaps, chart="g")
    assert chart.center[0, 0] == pytest.approx(mean)
    assert chart.upper[0, 0] == pytest.approx(mean + 3 * math.sqrt(mean * (mean + 1)))
    assert np.median(gaps) != mean


@pytest.mark.parametrize("n", [10, 11, 12, 22, 23, 24, 45, 46, 60, 91])
def test_anhoejs_bounds(n):
    """Two public ports are off by one."""
    x = np.tile([1.0, -1.0], n)[:n]
    chart = perf.control_chart(x, chart="run", estimate={"center": 0.0})
    bound = {t.name: t.bound for t in chart.tests}
    assert bound["longest run"] == round(math.log2(n)) + 3
    assert bound["crossings of the median"] == stats.binom.ppf(0.05, n - 1, 0.5)
