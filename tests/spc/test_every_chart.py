"""What must hold for every chart type of the list, whatever is added to it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.segments import blocks
from perfanalytics.spc import prepared as prepared_module
from perfanalytics.spc.families import CHARTS
from tests.spc.samples import KINDS, batch_for, series_for
from tests.spc.test_charts import assert_same

FAMILIES = {kind: CHARTS[given["chart"]] for kind, given in KINDS.items()}
# what a run chart expects of its points depends on how many there are
FREEZABLE = [name for name, family in FAMILIES.items() if family.parameters and family.own is None]
lengths = st.lists(st.integers(0, 30), min_size=1, max_size=6)


@pytest.mark.parametrize("chart", KINDS)
@given(lengths=lengths, seed=st.integers(0, 2**31), when=st.booleans())
@settings(max_examples=6, deadline=None)
def test_batch_equals_one_by_one(chart, lengths, seed, when):
    assert_same(batch_for(chart, lengths, seed, missing=0.1, when=when), **KINDS[chart], rules="nelson")


@pytest.mark.parametrize("chart", KINDS)
def test_the_blocks_do_not_matter(chart, monkeypatch):
    batch = batch_for(chart, [30, 0, 90, 20, 3, 70], 5, missing=0.05, when=True)
    whole = perf.control_charts(batch, **KINDS[chart])
    monkeypatch.setattr(prepared_module, "blocks", lambda offsets, size: blocks(offsets, 25))
    assert perf.control_charts(batch, **KINDS[chart]) == whole


@pytest.mark.parametrize("chart", FREEZABLE)
@given(k=st.integers(5, 30), seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_subset_equals_freeze(chart, k, seed):
    series = series_for(chart, 35, seed)
    base = perf.control_chart(series.take(0, k), **KINDS[chart])
    if any(np.isnan(v).any() for v in base.limits.parameters.values()):
        return
    frozen = perf.control_chart(series, **KINDS[chart], estimate=base)
    for name in ("value", "center", "lower", "upper", "fired"):
        np.testing.assert_array_equal(getattr(frozen, name)[:, :k], getattr(base, name), err_msg=name)
    again = perf.control_chart(series, **KINDS[chart], estimate=frozen)
    np.testing.assert_array_equal(again.upper, frozen.upper)
    bulk = perf.method("control_charts", **KINDS[chart], estimate=base)
    known = perf.method("control_charts", **json.loads(json.dumps(bulk.method.parameters)))
    one = bulk(series.as_batch())
    np.testing.assert_array_equal(one["upper"], known(series.as_batch())["upper"])


@pytest.mark.parametrize("chart", KINDS)
@given(seed=st.integers(0, 2**31), missing=st.floats(0.0, 0.6), excluded=st.booleans())
@settings(max_examples=8, deadline=None)
def test_a_gap_never_makes_a_nan_limit(chart, seed, missing, excluded):
    """A used point has limits on the main panel as soon as the parameters are known."""
    series = series_for(chart, 30, seed, missing=missing)
    out = {3: "test", 4: "test"} if excluded else ()
    made = perf.control_chart(series, **KINDS[chart], exclude=out)
    if "no-limits" in made.caveat_codes or "no-points" in made.caveat_codes:
        return
    seen = ~np.isnan(made.value[0])
    if chart == "short_run":
        seen &= ~np.isnan(made.sigma[0])
    if FAMILIES[chart].own is None:
        assert np.isfinite(made.upper[0, seen]).all()
        assert np.isfinite(made.lower[0, seen]).all()
    assert np.isfinite(made.center[0, seen]).all()
    if excluded:
        assert not made.fired[:, [3, 4]].any()


@pytest.mark.parametrize("chart", KINDS)
def test_results_come_back_from_their_records(chart):
    made = perf.control_chart(series_for(chart, 25, 3, when=True), **KINDS[chart], exclude={2: "test"})
    back = perf.ControlChart.from_record(json.loads(json.dumps(made.to_record())))
    assert back == made
    assert made.verdict
    assert len(made.to_frame()) == 25 * len(made.panels)
    assert made.method.parameters["limits"]


@pytest.mark.parametrize("chart", KINDS)
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_short_series_have_a_caveat_and_no_wrong_limit(chart, n):
    made = perf.control_chart(series_for(chart, n, 4), **KINDS[chart])
    assert made.caveats
    assert made.stable is None


@pytest.mark.parametrize("chart", KINDS)
def test_missing_altogether(chart):
    series = series_for(chart, 12, 4, missing=1.1)
    assert perf.control_chart(series, **KINDS[chart]).caveat_codes == ("no-points",)


@pytest.mark.parametrize("chart", KINDS)
def test_every_kind_of_limits_and_every_width(chart):
    series = series_for(chart, 30, 8)
    for kind in FAMILIES[chart].limit_kinds:
        narrow = perf.control_chart(series, **KINDS[chart], limits=kind, sigmas=2.0)
        wide = perf.control_chart(series, **KINDS[chart], limits=kind, sigmas=3.5)
        seen = ~np.isnan(narrow.upper[0])
        assert (wide.upper[0, seen] >= narrow.upper[0, seen]).all()
        assert (wide.lower[0, seen] <= narrow.lower[0, seen]).all()
        assert wide.sigmas == 3.5


@pytest.mark.parametrize("chart", KINDS)
def test_every_chart_is_drawn(chart):
    figure = perf.plot(perf.control_chart(series_for(chart, 30, 9, when=True), **KINDS[chart]))
    assert len(figure.data) >= 3
