"""Kaplan-Meier against R's survival package and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.core.errors import InputError

# tests/reference/baselines.R: survfit(Surv(t, e) ~ 1, conf.type = "log-log")
T = np.array([3.0, 5, 5, 6, 8, 8, 9, 12, 14, 15, 20, 21, 25, 30, 31, 33])
OPEN = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]) == 0


def test_against_r() -> None:
    km = kaplan_meier(T, OPEN, confidence=0.95)
    got = [km.quantile(p) for p in (0.1, 0.25, 0.5, 0.75)]
    assert got == [(5, 3, 8), (8, 3, 14), (15, 8, 31), (31, 15, math.inf)]
    assert km.done_by(8) == pytest.approx((1 - 0.67708333333, 1 - 0.85150651, 1 - 0.38828676))
    assert km.done_by(21) == pytest.approx((1 - 0.365625, 1 - 0.61059682, 1 - 0.12846662))
    assert km.done_by(8, inclusive=False)[0] == pytest.approx(3 / 16)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=3, max_size=60))
def test_against_scipy(items: list[tuple[int, bool]]) -> None:
    from scipy import stats

    times = np.array([t for t, _ in items], dtype=float)
    still_open = np.array([o for _, o in items])
    if still_open.all():
        with pytest.raises(InputError, match="still open"):
            kaplan_meier(times, still_open, confidence=0.95)
        return
    km = kaplan_meier(times, still_open, confidence=0.95)
    sf = stats.ecdf(stats.CensoredData(uncensored=times[~still_open], right=times[still_open])).sf
    np.testing.assert_allclose(km.survival, sf.evaluate(km.times), atol=1e-12)


def test_without_open_items_it_is_the_plain_distribution() -> None:
    km = kaplan_meier(np.array([1.0, 2, 3, 4]), np.zeros(4, dtype=bool), confidence=0.95)
    assert km.survival.tolist() == pytest.approx([0.75, 0.5, 0.25, 0.0])
    assert km.quantile(0.5)[0] == 2.5
