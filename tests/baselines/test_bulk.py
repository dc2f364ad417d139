"""Baselines in bulk are the single baselines, to the last bit."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.baselines.bulk import baselines_of
from perfanalytics.baselines.bulk_result import Baselines
from perfanalytics.baselines.ranks import prediction_ranks_many, quantile_ranks_many, tolerance_ranks_many
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.order_statistics import prediction_ranks, quantile_ranks, tolerance_ranks
from perfanalytics.core.series import SeriesBatch

FIELDS = ("n", "n_missing", "n_excluded", "n_censored", "scale", "lag1", "n_effective", "signals")
FIELDS += ("points_to_halve", "lower_limit", "center_line", "upper_limit", "standing")


def measure(scale: str | None) -> perf.Measure:
    return perf.Measure("hours", definition="d", unit="hours", better="lower", scale=scale)  # type: ignore[arg-type]


def same(a: object, b: object) -> bool:
    nan = (
        isinstance(a, float | np.floating)
        and isinstance(b, float | np.floating)
        and math.isnan(a)
        and math.isnan(b)
    )
    return nan or bool(a == b)


def check(made: Baselines, batch: SeriesBatch, **options: object) -> None:
    for i in range(len(batch)):
        one = perf.baseline(batch[i], **options)  # type: ignore[arg-type]
        place = {q: k for k, q in enumerate(one.quantity.tolist())}
        for j, quantity in enumerate(made.quantity.tolist()):
            for part in ("estimate", "low", "high", "achieved"):
                wanted = getattr(one, part)[place[quantity]] if quantity in place else math.nan
                assert same(getattr(made, part)[i, j], wanted), (i, quantity, part)
        for name in FIELDS:
            assert same(getattr(made, name)[i], getattr(one, name)), (i, name)
        stable = bool(made.stable[i]) if made.judged[i] else None
        assert stable == one.stable
        assert made.caveats_of_series[i] == "; ".join(one.caveat_codes)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["duration", "real", "count", "positive", None]),
    st.booleans(),
    st.sampled_from([None, "independent", "ar1"]),
)
def test_equal_to_one_by_one(seed: int, scale: str | None, timed: bool, dependence: str | None) -> None:
    rng = np.random.default_rng(seed)
    lengths = [1, 2, 5, *rng.integers(6, 90, 3).tolist()]
    values = rng.lognormal(1, 0.9, sum(lengths))
    if scale == "count":
        values = np.floor(values)
    elif scale == "real":
        values -= 3
    values[rng.random(len(values)) < 0.03] = np.nan
    starts = np.cumsum([0, *lengths])
    values[starts[:-1]] = 1.5 if scale != "count" else 2.0
    when = np.concatenate([np.datetime64("2024-01-01") + np.arange(k) for k in lengths])
    batch = SeriesBatch(
        values,
        starts,
        measure=measure(scale),
        ids=[f"s{i}" for i in range(len(lengths))],
        when=when if timed else None,
        exclusions=[perf.Exclusion("power cut", point=1, series="s4")],
    )
    goal = perf.Objective("fast", measure="hours", target=4, direction="at_most", share=0.7)
    options = {"dependence": dependence, "objective": goal, "m": 5, "coverage": 0.9}
    check(baselines_of(batch, **options), batch, **options)  # type: ignore[arg-type]


def test_a_gap_that_is_excluded_is_a_gap() -> None:
    one = perf.Series(
        [1.0, math.nan, 3, 4, 5, 6], measure=measure("real"), exclusions=[perf.Exclusion("x", point=1)]
    )
    batch = SeriesBatch.from_series({"a": one})
    made = baselines_of(batch)
    check(made, batch)
    assert (made.n_missing[0], made.n_excluded[0]) == (1, 0)


def test_zeros_among_durations_and_equal_values() -> None:
    batch = SeriesBatch.from_series(
        {
            "zero": perf.Series([0.0, 2, 3, 4, 5], measure=measure("duration")),
            "equal": perf.Series([2.0] * 9, measure=measure("duration")),
        }
    )
    made = baselines_of(batch)
    check(made, batch)
    assert "zero-on-log-scale" in made.caveats_of_series[0]
    assert "zero-variance" in made.caveats_of_series[1]


def test_shares_and_open_items_are_made_one_by_one() -> None:
    sla = perf.Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
    shares = SeriesBatch.from_series(
        {
            k: perf.Series([40, 44, 38, 41], sizes=[50, n, 50, 50], measure=sla)
            for k, n in (("a", 50), ("b", 60))
        }
    )
    check(baselines_of(shares), shares)
    opened = perf.Series([1.0, 2, 3, 4], censored=[0, 0, 0, 1], measure=measure("duration"))
    batch = SeriesBatch.from_series({"a": opened, "b": opened})
    made = baselines_of(batch)
    assert made.n_censored.tolist() == [1, 1]
    assert made.summary()["center"].tolist() == [2.5, 2.5]  # the median: no mean of open items


def test_ranks_for_many_sizes_are_those_for_one() -> None:
    rng = np.random.default_rng(1)
    n = np.concatenate([np.arange(1, 40), rng.integers(40, 3000, 20)])
    effective = np.where(rng.random(len(n)) < 0.5, n, n * rng.random(len(n))).astype(float)
    for p in (0.05, 0.5, 0.9):
        many = quantile_ranks_many(n, p, confidence=0.95, n_effective=effective)
        for i, (size, e) in enumerate(zip(n.tolist(), effective.tolist(), strict=True)):
            one = quantile_ranks(size, p, n_effective=None if e == size else e)
            assert (one.low, one.high, one.achieved) == tuple(column[i] for column in many)
    many = tolerance_ranks_many(n, coverage=0.95, confidence=0.95, n_effective=effective)
    ahead = prediction_ranks_many(n, coverage=0.95)
    for i, (size, e) in enumerate(zip(n.tolist(), effective.tolist(), strict=True)):
        one = tolerance_ranks(size, n_effective=None if e == size else e)
        assert (one.low, one.high, one.achieved) == tuple(column[i] for column in many)
        one = prediction_ranks(size)
        assert (one.low, one.high, one.achieved) == tuple(column[i] for column in ahead)


def test_saved_and_read_back_to_the_last_bit() -> None:
    made = baselines_of({"a": [1.0, 2, 3, 9], "b": [4.0, 5, 6]})
    assert Baselines.from_record(json.loads(json.dumps(made.to_record()))) == made
    assert made.column("median").tolist() == [2.5, 5.0]
    assert len(made.to_frame()) == 2 * len(made.quantity)
    with pytest.raises(ValueError, match="read-only"):
        made.estimate[0, 0] = 1.0


def test_a_frame_and_a_run_over_the_repository_give_the_same() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "t": np.datetime64("2024-01-01") + np.arange(120),
            "hours": rng.lognormal(1, 0.5, 120),
            "team": np.tile(["A", "B", "C"], 40),
        }
    )
    with perf.Repository.open(":memory:") as repo:
        source = perf.SourceMeasure(measure("duration"), value="hours", when="t", attributes=("team",))
        repo.load(perf.Source("s", frame=frame, measures=[source]))
        made = baselines_of(repo.frame("hours"), value="hours", by="team")
        batch = repo.batch("hours", by="team")
        assert made.ids == batch.ids
        np.testing.assert_array_equal(made.estimate, baselines_of(batch).estimate)
        run = repo.map(repo.select("hours", by="team"), perf.method("baselines"), progress=False)
        table = run.to_frame()
        assert table["p50"].tolist() == made.column("p50").tolist()
        assert table["mean_low"].tolist() == made.column("mean", "low").tolist()


def test_misuse() -> None:
    with pytest.raises(InputError, match=r"value= \(the column"):
        baselines_of(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(InputError, match="speak of a frame"):
        baselines_of({"a": [1.0, 2]}, by="team")
    with pytest.raises(InputError, match="series 'b' has no value left"):
        baselines_of({"a": [1.0, 2], "b": [math.nan]})
    with pytest.raises(UnknownNameError, match="dependence"):
        baselines_of({"a": [1.0, 2]}, dependence="some")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="coverage"):
        baselines_of({"a": [1.0, 2]}, coverage=95)
    with pytest.raises(UnknownNameError, match="quantity"):
        baselines_of({"a": [1.0, 2]}).column("mode")
