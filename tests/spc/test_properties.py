"""What must hold for every series: shift, scale, reversal, subset = freeze, no gap makes a NaN limit."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf

# values with few digits, so that shifting and scaling are exact enough to compare signals
values = st.lists(st.integers(-40, 40).map(lambda k: k / 4), min_size=2, max_size=60)
gaps = st.sets(st.integers(0, 59), max_size=12)
estimates = st.sampled_from(["moving_range", "median_moving_range", "standard_deviation"])


@given(values, st.sampled_from([-1000.0, 0.5, 256.0]), estimates)
@settings(max_examples=60, deadline=None)
def test_a_shift_moves_the_limits_and_nothing_else(x, by, estimate):
    a = perf.control_chart(x, rules=perf.NELSON, estimate=estimate)
    b = perf.control_chart(np.add(x, by), rules=perf.NELSON, estimate=estimate)
    np.testing.assert_allclose(b.upper[0] - by, a.upper[0], atol=1e-9)
    np.testing.assert_allclose(b.upper[1], a.upper[1], atol=1e-9)
    assert (a.fired == b.fired).all()
    assert a.stable == b.stable


@given(values, st.sampled_from([-2.0, 0.125, 1024.0]), estimates)
@settings(max_examples=60, deadline=None)
def test_a_factor_scales_the_limits_and_nothing_else(x, factor, estimate):
    a = perf.control_chart(x, rules=perf.NELSON, estimate=estimate)
    b = perf.control_chart(np.multiply(x, factor), rules=perf.NELSON, estimate=estimate)
    upper = b.upper[0] if factor > 0 else b.lower[0]
    np.testing.assert_allclose(upper, factor * a.upper[0], rtol=1e-12, atol=1e-12)
    assert (a.fired == b.fired).all()


@given(values, estimates)
@settings(max_examples=40, deadline=None)
def test_the_limits_do_not_know_the_direction_of_time(x, estimate):
    a, b = (perf.control_chart(v, estimate=estimate) for v in (x, x[::-1]))
    np.testing.assert_allclose(a.upper[:, 0], b.upper[:, 0], rtol=1e-12, atol=1e-12)


@given(values, st.integers(2, 59), estimates)
@settings(max_examples=60, deadline=None)
def test_subset_equals_freeze(x, k, estimate):
    k = min(k, len(x))
    base = perf.control_chart(x[:k], rules=perf.NELSON, estimate=estimate)
    if np.isnan(base.limits.parameters["sigma"]).any():
        return
    frozen = perf.control_chart(x, rules=perf.NELSON, estimate=base)
    assert (frozen.upper[:, :k] == base.upper).all()
    assert (frozen.fired[:, :k] == base.fired).all()


@given(values, gaps, st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_gap_never_makes_a_nan_limit(x, missing, excluded):
    """Missing or excluded: the limits are those of the stretches that are left, and never NaN."""
    x = np.array(x)
    where = sorted(k for k in missing if k < len(x))
    if excluded:
        chart = perf.control_chart(x, exclude=dict.fromkeys(where, "test"))
    else:
        y = x.copy()
        y[where] = np.nan
        chart = perf.control_chart(y)
    kept = np.setdiff1d(np.arange(len(x)), where)
    ranges = [abs(x[b] - x[a]) for a, b in itertools.pairwise(kept) if b == a + 1]
    if not len(kept) or not ranges:
        assert np.isnan(chart.upper).all()
        assert chart.caveats
        return
    assert np.isfinite(chart.upper).all()
    np.testing.assert_allclose(chart.center[0], x[kept].mean(), atol=1e-12)
    np.testing.assert_allclose(chart.center[1], np.mean(ranges), atol=1e-12)
    assert not chart.fired[:, where].any()


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40),
    st.sampled_from(["p", "laney_p"]),
)
@settings(max_examples=80, deadline=None)
def test_shares_of_any_sizes(points, chart):
    """Sizes of 0, all or none counted: limits within 0 and 1 or a caveat, never a wrong limit."""
    sizes = np.array([float(max(a, b)) for a, b in points])
    counts = np.array([float(min(a, b)) for a, b in points])
    made = perf.control_chart(perf.Series(counts, sizes=sizes), chart=chart)
    seen = sizes > 0
    if not seen.any():
        assert made.caveat_codes == ("no-points",)
        return
    assert made.center[0, 0] == counts.sum() / sizes.sum()
    upper, lower = made.upper[0, seen], made.lower[0, seen]
    if chart == "p":
        assert np.isfinite(upper).all()
    limits = np.concatenate([upper, lower])
    limits = limits[np.isfinite(limits)]
    assert ((limits >= 0) & (limits <= 1)).all()
    if made.center[0, 0] in (0.0, 1.0):
        assert made.n_signals == 0
