"""Many comparisons at once: adjustment, verdict, strata of a batch, bulk over a repository."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.core.kinds import BULK_METHODS

HOURS = perf.Measure("hours", definition="elapsed", unit="h", better="lower", scale="duration")
SHARE = perf.Measure("sla", definition="met", unit="1", better="higher", scale="proportion")


def side(rng, factor=1.0, n=40):
    return perf.Series(factor * np.exp(rng.normal(2, 0.5, n)), measure=HOURS)


def strata(factors=(0.5, 1.0, 1.0, 1.6), seed=1):
    rng = np.random.default_rng(seed)
    return {f"s{k}": (side(rng), side(rng, f)) for k, f in enumerate(factors)}


def test_p_values_are_those_of_the_single_comparisons_adjusted():
    many = perf.compare_many(strata(), order="none")
    single = [perf.compare(*sides, order="none") for sides in strata().values()]
    assert many.p_value.tolist() == [c.primary.p_value for c in single]
    assert many.p_adjusted.tolist() == adjusted_p_values(many.p_value).tolist()
    assert many.low.tolist() == [c.primary.low for c in single]
    assert many.differs.tolist() == [True, False, False, True]
    assert many.better.tolist() == ["improvement", "", "", "deterioration"]
    assert many.method.parameters["intervals"] == "each for itself, not adjusted"
    assert "2 of 4 comparisons show a difference after Holm's adjustment" in many.verdict
    assert "improvement" in many.verdict
    assert len(many) == 4


def test_columns_and_saving():
    many = perf.compare_many(strata(), order="none", adjust="benjamini_hochberg")
    frame = many.to_frame()
    assert {"quantity", "estimate", "low", "high", "statistic", "df", "p_value", "role"} <= set(frame.columns)
    assert frame["name"].tolist() == ["s0", "s1", "s2", "s3"]
    assert len(many.summary()) == 4
    assert perf.Result.from_record(json.loads(json.dumps(many.to_record()))) == many
    assert "false discovery rate" in many.verdict


def test_measures_are_named_by_themselves_and_strata_need_names():
    rng = np.random.default_rng(2)
    a = perf.compare(side(rng), side(rng, 0.5), order="none")
    n = np.full(20, 50)
    b = perf.compare(*(perf.Series(rng.binomial(50, p, 20), sizes=n, measure=SHARE) for p in (0.7, 0.85)))
    many = perf.adjust([a, b])
    assert many.names.tolist() == ["hours", "sla"]
    assert "points" in many.verdict
    with pytest.raises(perf.InputError, match="name them"):
        perf.adjust([a, a])


def test_what_allows_no_test_does_not_count():
    rng = np.random.default_rng(3)
    good = perf.compare(side(rng), side(rng, 0.5), order="none")
    none = perf.compare([2.0] * 9, [2.0] * 9, order="none")
    many = perf.adjust({"a": good, "b": none, "c": good})
    assert math.isnan(many.p_adjusted[1])
    assert many.p_adjusted[0] == pytest.approx(2 * good.primary.p_value)
    assert many.method.parameters["tests"] == 2
    assert "untested" in many.caveat_codes
    assert perf.adjust({"b": none}).verdict == "None of the 1 comparisons allowed a test."


def test_no_difference():
    many = perf.compare_many(strata((1.0, 1.0, 1.0)), order="none")
    assert many.verdict == "No difference is shown in any of 3 comparisons after Holm's adjustment."


def test_equivalence_is_no_difference():
    rng = np.random.default_rng(4)
    same = perf.compare(side(rng, n=200), side(rng, n=200), method="tost", order="none", margin=1.3)
    assert same.outcome == "equivalent"
    assert not perf.adjust({"x": same}).differs.any()


def batch(m=4, n=80):
    rng = np.random.default_rng(5)
    when = np.datetime64("2024-01-01") + np.arange(n)
    series = {
        f"team={k}": perf.Series(
            np.exp(rng.normal(2, 0.3, n)) * np.where(np.arange(n) >= n // 2, 0.5 if k == 0 else 1.0, 1.0),
            measure=HOURS,
            when=when,
        )
        for k in range(m)
    }
    return perf.SeriesBatch.from_series(series)


def test_a_batch_is_cut_at_the_change():
    many = perf.compare_many(batch(), at="2024-02-10", order="none")
    assert many.names.tolist() == [f"team={k}" for k in range(4)]
    assert many.differs.tolist() == [True, False, False, False]
    with pytest.raises(perf.InputError, match="at='2024-03-01'"):
        perf.compare_many(batch())
    with pytest.raises(perf.InputError, match="no series has values on both sides"):
        perf.compare_many(batch(), at="2030-01-01")


def test_strata_without_a_side_are_named():
    b = batch(2)
    short = perf.Series(b[1].values[:20], measure=HOURS, when=b[1].when[:20])
    both = perf.SeriesBatch.from_series({"long": b[0], "short": short})
    many = perf.compare_many(both, at="2024-02-10", order="none")
    assert many.names.tolist() == ["long"]
    assert "short" in next(c for c in many.caveats if c.code == "empty-sides").text


def test_misuse():
    with pytest.raises(perf.InputError, match="no comparison to adjust"):
        perf.adjust({})
    with pytest.raises(perf.InputError, match="is no comparison"):
        perf.adjust({"a": 3})
    with pytest.raises(perf.InputError, match="its two sides"):
        perf.compare_many({"a": [1.0, 2, 3]})
    with pytest.raises(perf.UnknownNameError, match="holm"):
        perf.compare_many(strata(), adjust="hollm", order="none")
    c, d = (perf.compare([1.0, 2, 4], [2.0, 3, 7], order="none", confidence=k) for k in (0.9, 0.95))
    with pytest.raises(perf.InputError, match="one confidence"):
        perf.adjust({"a": c, "b": d})


def test_in_bulk_as_one_by_one():
    assert "compare" in BULK_METHODS
    b = batch()
    columns = perf.method("compare", at="2024-02-10", method="welch", order="none")(b)
    for i, series in enumerate(b):
        c = perf.compare(
            series.between(None, "2024-02-10"), series.between("2024-02-10"), method="welch", order="none"
        )
        assert columns["p_value"][i] == c.primary.p_value
        assert columns["estimate"][i] == c.primary.estimate
        assert columns["outcome"][i] == c.outcome
        assert columns["n_before"][i] == 40
    with pytest.raises(perf.InputError, match="neither"):
        perf.method("compare", at="2024-02-10", method="paired_t")
    with pytest.raises(perf.UnknownNameError, match="welch"):
        perf.method("compare", at="2024-02-10", method="welsh")
    empty = perf.method("compare", at="2030-01-01")(b)
    assert empty["caveats"].tolist() == ["empty-side"] * 4


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)))
def test_the_order_of_the_strata_changes_no_number(order):
    made = {n: perf.compare(*s, order="none", method="student") for n, s in strata().items()}
    names = list(made)
    one, two = perf.adjust(made), perf.adjust({names[k]: made[names[k]] for k in order})
    assert two.p_adjusted.tolist() == one.p_adjusted[list(order)].tolist()
