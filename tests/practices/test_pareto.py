"""Pareto: counts and costs by category, intervals, the first against the second."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.pareto import info
from perfanalytics.practices.car.pareto_numbers import goodman


def again(result: perf.Result) -> None:
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result


def weeks(counts: dict[str, list[int]]) -> pd.DataFrame:
    """Items of each category in each week from 1 January 2024 on."""
    rows = [
        (name, np.datetime64("2024-01-01") + 7 * week + i % 7)
        for name, each in counts.items()
        for week, n in enumerate(each)
        for i in range(n)
    ]
    return pd.DataFrame(rows, columns=["group", "when"])


def test_goodman_against_r():
    # tests/reference/car.R
    low, high = goodman(np.array([56.0, 72, 73, 59, 62, 87, 58]), confidence=0.95)
    assert low[:2] == pytest.approx([0.0851672391387, 0.1145329189049], abs=1e-10)
    assert high[:2] == pytest.approx([0.166261408130, 0.204372582695], abs=1e-10)


def test_first_against_second_is_the_exact_binomial():
    made = perf.pareto({"Network": 60, "Mail": 30, "Printer": 10})
    # R: binom.test(60, 90)
    assert made.p_first == pytest.approx(0.00206026568096, rel=1e-10)
    assert (made.ratio, made.ratio_low, made.ratio_high) == pytest.approx(
        (2.0, 1.26989314083, 3.21172461900), rel=1e-9
    )
    assert made.first_is_larger
    assert "It is really larger than the second, Mail (30%, p = 0.002)" in made.verdict
    assert not perf.pareto({"a": 35, "b": 25}).first_is_larger
    assert perf.pareto({"a": 35, "b": 25}).p_first == pytest.approx(0.245060833023, rel=1e-10)
    again(made)


def test_equal_counts_have_p_one_and_a_lone_category_none():
    assert perf.pareto({"a": 10, "b": 10}).p_first == 1.0
    alone = perf.pareto(["a"] * 40)
    assert math.isnan(alone.p_first)
    assert "one-category" in alone.caveat_codes
    assert not alone.first_is_larger
    zero = perf.pareto({"a": 10, "b": 0})
    assert zero.ratio == math.inf
    assert zero.ratio_high == math.inf
    again(zero)


def test_equal_categories_have_no_first():
    made = perf.pareto({"a": 20, "b": 20, "c": 20})
    assert made.verdict == "All 3 categories are equal: 33% each of 60 items; none is first."
    two = perf.pareto({"a": 20, "b": 20, "c": 5})
    assert "The second, b, is as large (44%)." in two.verdict
    assert "of category" not in two.verdict


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60), min_size=2))
def test_order_shares_and_intervals(counts):
    made = perf.pareto(counts)
    assert made.total == sum(counts.values()) == made.n
    assert (np.diff(made.amount) <= 0).all()
    assert made.cumulative[-1] == pytest.approx(1.0)
    assert ((made.share_low <= made.share) & (made.share <= made.share_high)).all()
    listed = [name for name, n in counts.items() for _ in range(n)]
    assert perf.pareto(listed).to_frame().equals(made.to_frame())


def test_small_categories_are_put_together_and_never_ranked():
    counts = {f"c{i:02}": 30 - i for i in range(12)} | {"small": 1}
    made = perf.pareto(counts, most=4)
    assert made.category.tolist() == ["c00", "c01", "c02", "other"]
    assert made.together == 10
    assert made.amount.sum() == sum(counts.values())
    assert made.vital == perf.pareto(counts).vital > 4
    assert info(made).names[-1] == "other (10 categories)"
    # the test is of the single categories, not of the sum of the small ones
    assert made.p_first == perf.pareto(counts).p_first


def test_weeks_that_differ_widen_the_intervals():
    rng = np.random.default_rng(5)
    steady = weeks({"a": [10] * 30, "b": [8] * 30})
    bursts = weeks({"a": (60 * (rng.random(30) < 1 / 6)).astype(int).tolist(), "b": [8] * 30})
    calm = perf.pareto(steady, by="group", when="when", draws=499)
    made = perf.pareto(bursts, by="group", when="when", draws=999)
    assert calm.dispersion < 0.2
    assert "mixture-varies" not in calm.caveat_codes
    assert made.dispersion > 5
    assert "mixture-varies" in made.caveat_codes
    without = perf.pareto(bursts, by="group")
    wide, narrow = (float(m.share_high[0] - m.share_low[0]) for m in (made, without))
    assert wide > 3 * narrow
    # counted item by item the first is surely larger; week by week it is not
    assert calm.first_is_larger
    assert without.first_is_larger
    assert not made.first_is_larger
    again(made)


def test_bootstrap_of_periods_agrees_with_the_closed_form():
    rng = np.random.default_rng(11)
    frame = weeks({"a": rng.poisson(12, 60).tolist(), "b": rng.poisson(9, 60).tolist()})
    made = perf.pareto(frame, by="group", when="when", draws=3999)
    week = (frame["when"].to_numpy("M8[D]") - np.datetime64("2024-01-01")).astype(int) // 7
    table = np.array([np.bincount(week[frame["group"] == g], minlength=60) for g in "ab"])
    n = table.sum()
    p = table[0].sum() / n
    # ratio estimator of clusters (Cochran 1977, section 3.12)
    se = math.sqrt(60 / 59 * ((table[0] - p * table.sum(axis=0)) ** 2).sum()) / n
    assert made.share[0] == pytest.approx(p)
    assert float(made.share_high[0] - made.share_low[0]) == pytest.approx(2 * 1.96 * se, rel=0.06)


def test_costs_are_added_up():
    frame = pd.DataFrame({"kind": ["a", "a", "b", None], "hours": [1.0, 2.0, 10.0, 1.0]})
    made = perf.pareto(frame, by="kind", cost="hours", unit="hours", draws=199)
    assert made.category.tolist() == ["b", "a", "(missing)"]
    assert made.amount.tolist() == [10.0, 3.0, 1.0]
    assert made.items.tolist() == [1, 2, 1]
    assert {"missing-category", "too-few-items", "heavy-costs"} <= set(made.caveat_codes)
    assert math.isnan(made.dispersion)


def test_rows_without_time_or_cost_are_told():
    frame = pd.DataFrame(
        {
            "kind": list("aabb") * 20,
            "cost": [1.0, np.nan, 2.0, 3.0] * 20,
            "when": pd.to_datetime(["2024-01-01", "2024-01-01", None, "2024-02-05"] * 20),
        }
    )
    made = perf.pareto(frame, by="kind", cost="cost", when="when", draws=199)
    assert made.caveats[0].evidence == {"no_cost": 20, "no_time": 20}
    assert made.n == 40
    assert made.periods == 6
    assert "too-few-periods" in made.caveat_codes


def test_the_same_seed_gives_the_same_result():
    frame = weeks({"a": [3, 5, 2, 8] * 6, "b": [2, 2, 4, 1] * 6})
    one, two = (perf.pareto(frame, by="group", when="when", draws=299) for _ in range(2))
    assert one == two
    assert perf.pareto(frame, by="group", when="when", draws=299, seed=2) != one


@pytest.mark.parametrize(
    ("data", "more", "said"),
    [
        ({"a": 1.5}, {}, "whole numbers"),
        ({"a": 0}, {}, "one of them more"),
        ([], {}, "no category"),
        ("abc", {}, "needs by="),
        (7, {}, "takes a table"),
        (["a"], {"cost": "x"}, "give by="),
        ({"k": ["a"], "c": [-1.0]}, {"by": "k", "cost": "c"}, "negative"),
        ({"k": ["a"], "c": [0.0]}, {"by": "k", "cost": "c"}, "nothing to share out"),
        ({"k": ["a"], "c": ["x"]}, {"by": "k", "cost": "c"}, "must hold numbers"),
        ({"a": 3}, {"most": 1}, "most="),
        ({"a": 3}, {"draws": 10}, "draws="),
        ({"a": 3}, {"confidence": 95}, "confidence"),
        ({"a": 3}, {"vital_share": 0}, "vital_share"),
    ],
)
def test_misuse_is_told(data, more, said):
    with pytest.raises(InputError, match=said):
        perf.pareto(data, **more)


def test_unknown_columns_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'group'"):
        perf.pareto({"group": ["a"]}, by="grup")


def test_figure_has_a_bar_a_category_and_the_cumulative_line():
    figure = perf.plot(perf.pareto({"a": 5, "b <c>": 9}))
    assert list(figure.data[0].x) == [9, 5]
    assert list(figure.data[1].x) == pytest.approx([100 * 9 / 14, 100])
    assert figure.layout.yaxis.ticktext == ("b &lt;c&gt;", "a")
