"""control_charts: the numbers of the single chart, whatever the batch, and the bulk method."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.segments import blocks
from perfanalytics.spc import prepared as prepared_module

MEASURE = perf.Measure("m", definition="d", unit="", better="lower", scale="real")


def made(seed, *, lengths, missing=0.1, sizes=False, when=False):
    """A batch with gaps, breaks in time, empty, constant and short series."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    x = 10 + 2 * rng.standard_normal(n)
    size = None
    if sizes:
        size = rng.integers(5, 90, n).astype(float)
        x = rng.binomial(size.astype(int), 0.3).astype(float)
    if lengths and n:
        a, b = offsets[0], offsets[1]
        x[a:b] = x[a:b][:1] if not sizes else 0.0
    x[rng.random(n) < missing] = np.nan
    times = None
    if when:
        step = rng.choice([1, 1, 1, 2], n)
        times = np.concatenate([np.cumsum(step[a:b]) for a, b in itertools.pairwise(offsets)] or [[]])
        times = np.datetime64("2024-01-01") + times.astype("timedelta64[D]")
    return perf.SeriesBatch(
        x, offsets, measure=MEASURE, ids=[f"s{k}" for k in range(len(lengths))], sizes=size, when=times,
        expected_every="day" if when else None,
    )  # fmt: skip


def assert_same(batch, **asked):
    """Every column of the bulk chart is that of the single charts, bit for bit."""
    many = perf.control_charts(batch, **asked)
    for i, series in enumerate(batch):
        one = perf.control_chart(series, **asked)
        summary = one.summary().iloc[0]
        for column in ("center", "sigma", "lower", "upper", "p_value", "expected_signals"):
            np.testing.assert_array_equal(getattr(many, column)[i], summary[column], err_msg=column)
        assert many.n[i] == one.n_used
        assert many.n_signals[i] == one.n_signals
        assert many.caveats_of_series[i] == summary["caveats"]
        assert (many.judged[i], many.stable[i]) == (one.stable is not None, bool(one.stable))
        fired = np.bitwise_or.reduce(one.fired, axis=0)
        assert many.by_rule[:, i].tolist() == [
            int(((fired >> r) & 1).sum()) for r in range(len(one.rules.rules))
        ]
        where = np.flatnonzero(fired)
        newest = int(where[-1]) if len(where) else -1
        assert many.newest_signal[i] == newest
        if one.when is not None and newest >= 0:
            assert many.newest_signal_when[i] == one.when[newest]
        assert many.data_hashes[i] == one.provenance.data_hash
    return many


lengths = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(lengths, st.integers(0, 2**31), st.booleans(), st.sampled_from(["nelson", "western_electric"]))
@settings(max_examples=40, deadline=None)
def test_individuals_in_bulk_are_the_single_charts(sizes, seed, when, rules):
    assert_same(made(seed, lengths=sizes, when=when), rules=rules)


@given(lengths, st.integers(0, 2**31), st.sampled_from(["p", "np", "laney_p", "u", "laney_u"]))
@settings(max_examples=30, deadline=None)
def test_attribute_charts_in_bulk_are_the_single_charts(sizes, seed, chart):
    assert_same(made(seed, lengths=sizes, sizes=True), chart=chart)


@given(lengths, st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_c_charts_in_bulk_are_the_single_charts(sizes, seed):
    batch = made(seed, lengths=sizes)
    counts = np.round(np.abs(batch.values))
    assert_same(perf.SeriesBatch(counts, batch.offsets, measure=MEASURE, ids=batch.ids), chart="c")


@given(lengths, st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_the_other_estimates_in_bulk(sizes, seed):
    for estimate in ("median_moving_range", "standard_deviation", {"center": 10.0, "sigma": 2.0}):
        assert_same(made(seed, lengths=sizes), estimate=estimate)


def test_the_blocks_do_not_matter(monkeypatch):
    batch = made(5, lengths=[30, 0, 500, 20, 3, 700], when=True)
    whole = perf.control_charts(batch, rules="nelson")
    monkeypatch.setattr(prepared_module, "blocks", lambda offsets, size: blocks(offsets, 25))
    assert perf.control_charts(batch, rules="nelson") == whole
    assert_same(batch, rules="nelson")


def test_exclusions_of_one_series_and_of_all():
    batch = made(6, lengths=[30, 5, 25], missing=0.0)
    records = [
        perf.Exclusion(
            "outage", point=17, series="s0", who="A", decided_on=np.datetime64("2024-01-01").item()
        ),
        perf.Exclusion("first day", point=0),
        perf.Exclusion("late", point=20),
    ]
    batch = perf.SeriesBatch(batch.values, batch.offsets, measure=MEASURE, ids=batch.ids, exclusions=records)
    many = perf.control_charts(batch)
    assert many.n_excluded.tolist() == [3, 1, 2]
    assert many.n.tolist() == [27, 4, 23]
    for i in (0, 2):
        assert many.center[i] == perf.control_chart(batch[i]).center[0, 0]


def test_stages_that_a_series_does_not_reach():
    batch = made(7, lengths=[30, 5, 25], missing=0.0)
    many = perf.control_charts(batch, stages=[10])
    assert many.stages.tolist() == [2, 1, 2]
    one = perf.control_chart(batch[2], stages=[10])
    assert many.center[2] == one.center[0, -1]
    assert many.p_value[2] == one.p_value


def test_frozen_limits_for_all():
    batch = made(8, lengths=[30, 25], missing=0.0)
    base = perf.control_chart(10 + 2 * np.random.default_rng(1).standard_normal(40))
    many = assert_same(batch, estimate=base)
    assert many.center.tolist() == [base.center[0, 0]] * 2
    assert_same(batch, estimate=slice(0, 12))


def test_summary_ranks_by_evidence_and_tells_what_chance_brings():
    rng = np.random.default_rng(2)
    series = {f"s{k}": rng.standard_normal(50) for k in range(20)}
    series["s7"] = series["s7"] + np.where(np.arange(50) > 25, 3.0, 0.0)
    many = perf.control_charts(series, rules=perf.NELSON)
    frame = many.summary()
    assert frame["id"][0] == "s7"
    assert frame["p_value"].is_monotonic_increasing
    assert "of 20 charts" in many.verdict
    assert "1.0 would be by chance" in many.verdict
    rules = many.to_frame()
    assert list(rules.columns) == ["id", "rule", "n_signals"]
    assert rules.query("id == 's7' and rule == 'nine_on_one_side'")["n_signals"].iloc[0] > 10
    assert perf.ControlCharts.from_record(json.loads(json.dumps(many.to_record()))) == many


def test_nothing_to_chart_in_bulk():
    empty = perf.SeriesBatch([], [0, 0], measure=MEASURE, ids=["a"])
    many = perf.control_charts(empty)
    assert many.caveats_of_series.tolist() == ["no-points"]
    assert np.isnan(many.center).all()
    assert many.verdict == "0 of 0 charts are not stable; 0.0 would be by chance. 1 could not be judged."
    none = perf.control_charts(perf.SeriesBatch([], [0], measure=MEASURE, ids=[]))
    assert len(none) == 0
    assert len(none.summary()) == 0


def test_the_bulk_method_gives_what_it_promises():
    batch = made(9, lengths=[30, 0, 5], when=True)
    method = perf.method("control_charts", rules="nelson", stages=["2024-01-10"])
    columns = method(batch)
    many = perf.control_charts(batch, rules="nelson", stages=["2024-01-10"])
    np.testing.assert_array_equal(columns["upper"], many.upper)
    np.testing.assert_array_equal(columns["signals_six_trend"], many.by_rule[2])
    assert columns["caveats"].tolist() == many.caveats_of_series.tolist()
    assert columns["data_hash"].tolist() == list(batch.hashes())
    assert json.loads(json.dumps(method.method.parameters)) == method.method.parameters
    kinds = {"float": "f", "integer": "i", "boolean": "b", "time": "M", "text": "O"}
    for name, kind in method.columns.items():
        assert columns[name].dtype.kind == kinds[kind], name
    assert (
        method.method.key
        == perf.method("control_charts", rules=perf.NELSON, stages=["2024-01-10"]).method.key
    )


def test_the_bulk_method_takes_saved_limits_and_own_rules():
    base = perf.control_chart(np.random.default_rng(1).standard_normal(40))
    rule = perf.Rule("six_on_one_side", count=6)
    method = perf.method("control_charts", estimate=base.limits, rules=[rule])
    batch = made(9, lengths=[30, 20], missing=0.0)
    assert method(batch)["center"].tolist() == [base.center[0, 0]] * 2
    json.dumps(method.method.parameters)
    again = perf.method("control_charts", **method.method.parameters)
    assert again.method.key == method.method.key
    assert (
        again(batch)["signals_six_on_one_side"].tolist() == method(batch)["signals_six_on_one_side"].tolist()
    )


def test_misuse_of_the_bulk_method():
    with pytest.raises(perf.UnknownNameError, match="unknown chart 'q'"):
        perf.method("control_charts", chart="q")
    with pytest.raises(perf.InputError, match="positions, ISO texts"):
        perf.method("control_charts", stages=[2.5])
    with pytest.raises(perf.UnknownNameError, match="estimate"):
        perf.method("control_charts", estimate="sd")


def test_what_was_not_judged_is_neither_stable_nor_unstable():
    charts = perf.control_charts({"short": [1.0, 2, 3, 2, 1], "long": [1.0, 2, 3, 2] * 6})
    stable = charts.summary().set_index("id")["stable"]
    assert stable["short"] is pd.NA
    assert bool(stable["long"]) is True
    assert perf.control_chart([1.0, 2, 3, 2, 1]).stable is None


def test_the_summary_names_the_rules_that_fired():
    spike = [9, 11, 10, 12, 10, 9, 10, 11, 10, 18]
    table = perf.control_charts({"calm": [5, 6, 5, 7, 6, 5, 6, 7, 5, 6], "spike": spike}).summary()
    assert table.set_index("id")["signals_by_rule"].to_dict() == {"spike": "beyond_limits 1", "calm": ""}
    frame = perf.control_charts({"a": [10.0] * 5 + [12.0, 9, 11] * 4 + [30.0] * 3}, rules="nelson")
    told = dict(part.split(" ") for part in frame.summary()["signals_by_rule"][0].split("; "))
    counts = frame.to_frame().set_index("rule")["n_signals"]
    assert {k: int(v) for k, v in told.items()} == counts[counts > 0].to_dict()
