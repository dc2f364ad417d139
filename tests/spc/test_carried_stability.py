"""Limits carried on from few points are uncertain themselves: a stable series is rarely called not stable."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf

STABLE = {
    "xbar_r": lambda rng, n: rng.normal(0, 1, (n, 5)),
    "xbar_s": lambda rng, n: rng.normal(0, 1, (n, 3)),
    "ewma": lambda rng, n: rng.normal(0, 1, n),
    "cusum": lambda rng, n: rng.normal(0, 1, n),
    "moving_average": lambda rng, n: rng.normal(0, 1, n),
    "t": lambda rng, n: rng.exponential(30, n),
    "g": lambda rng, n: rng.geometric(0.05, n) - 1,
    "c": lambda rng, n: rng.poisson(3, n),
}


def called_not_stable(chart, base, n, runs):
    rng = np.random.default_rng(5)
    bad = 0
    for _ in range(runs):
        first = perf.control_chart(STABLE[chart](rng, base), chart=chart)
        bad += perf.control_chart(STABLE[chart](rng, n), chart=chart, estimate=first).stable is False
    return bad / runs


@pytest.mark.parametrize("chart", ["xbar_r", "cusum", "t"])
def test_false_alarms(chart):
    """As if the limits were known, 18% (xbar_r), 26% (cusum) and 28% (t) of these would be; 0.105 is 5% and
    three standard errors."""
    assert called_not_stable(chart, 20, 100, 150) < 0.105


@pytest.mark.slow
@pytest.mark.parametrize("chart", STABLE)
@pytest.mark.parametrize(("base", "n"), [(20, 25), (20, 100), (50, 25)])
def test_false_alarms_of_every_kind(chart, base, n):
    """5%, and three standard errors of 400 series above it."""
    assert called_not_stable(chart, base, n, 400) < 0.083


def test_a_shift_is_still_found():
    rng = np.random.default_rng(8)
    first = perf.control_chart(rng.normal(0, 1, (20, 5)), chart="xbar_r")
    shifted = perf.control_chart(rng.normal(1.5, 1, (20, 5)), chart="xbar_r", estimate=first)
    assert shifted.stable is False
    assert "from 20 points, mean_range" in shifted.method.parameters["stability_reference"]
