"""Two proportions against Newcombe's table and R."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.comparisons.methods.proportions import fisher, score_contrast, wilson

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "comparisons_classical.json").read_text())[
    "proportions"
]
SHARE = perf.Measure("sla", definition="met its target", unit="1", better="higher", scale="proportion")

#: Newcombe (1998), Statistics in Medicine 17, 873-890, Table II, method 10 (a/m - b/n, 95%).
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]


@pytest.mark.parametrize(("one", "two", "low", "high"), NEWCOMBE)
def test_newcombe_table_ii(one, two, low, high):
    found = score_contrast(*two, *one, 0.95)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


@pytest.mark.parametrize("case", REFERENCE)
def test_p_values_are_those_of_r(case):
    (x1, n1), (x2, n2) = case["before"], case["after"]
    assert score_contrast(x1, n1, x2, n2, 0.95).p_value == pytest.approx(case["p"], rel=1e-9)
    assert fisher(x1, n1, x2, n2).p_value == pytest.approx(case["fisher"], rel=1e-8)


def test_wilson_published():
    """Newcombe (1998), Statistics in Medicine 17, 857-872, Table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for x, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)):
        assert wilson(x, n, 0.95) == pytest.approx((low, high), abs=6e-5)
    assert wilson(0, 20, 0.95) == pytest.approx((0.0, 0.1611), abs=6e-5)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_interval_contains_the_estimate_and_swaps(x1, extra1, x2, extra2):
    n1, n2 = x1 + extra1, x2 + extra2
    found = score_contrast(x1, n1, x2, n2, 0.95)
    assert -1 - 1e-12 <= found.low <= found.estimate <= found.high <= 1 + 1e-12
    swapped = score_contrast(x2, n2, x1, n1, 0.95)
    assert swapped.low == pytest.approx(-found.high, abs=1e-12)


def test_the_ways_to_write_the_same_counts_down():
    totals = perf.compare(
        perf.Series([48], sizes=[80], measure=SHARE), perf.Series([56], sizes=[70], measure=SHARE)
    )
    items = perf.compare(
        perf.Series([1] * 48 + [0] * 32, measure=SHARE),
        perf.Series([1] * 56 + [0] * 14, measure=SHARE),
        order="none",
    )
    shares = perf.compare(
        perf.Series([0.5, 0.7], sizes=[40, 40], measure=SHARE),
        perf.Series([0.8, 0.8], sizes=[35, 35], measure=SHARE),
    )
    for c in (totals, items, shares):
        assert c.method.name == "two_proportions"
        assert c.primary.estimate == pytest.approx(0.2)
        assert (c.primary.low, c.primary.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)
        assert c.outcome == "detected"
    assert "rose from 60.0% to 80.0%" in totals.verdict
    assert "+5.2 to +33.4 points" in totals.verdict
    assert totals.verdict.endswith("80 items before, 70 after (p = 0.008).")


def test_clean_binomial_series_is_two_proportions_and_overdispersed_is_a_series():
    rng = np.random.default_rng(0)
    n = rng.integers(40, 60, 60)
    clean = rng.binomial(n, 0.8)
    rough = rng.binomial(n, np.clip(0.8 + 0.12 * rng.standard_normal(60), 0, 1))

    def sides(x):
        return [perf.Series(x[s], sizes=n[s], measure=SHARE) for s in (slice(0, 30), slice(30, 60))]

    one = perf.compare(*sides(clean))
    assert one.method.name == "two_proportions"
    assert one.method.parameters["sigma_z"] < 1.1
    two = perf.compare(*sides(rough))
    assert two.method.name == "ar1_level_change"
    assert two.method.parameters["weights"] == "values behind each period"
    assert "overdispersed" in two.caveat_codes
    assert "the share" in two.verdict
    assert " points)" in two.verdict
    # asked for by name, the method stays what it is and says its doubt
    three = perf.compare(*sides(rough), method="two_proportions")
    assert three.method.name == "two_proportions"
    assert "overdispersed" in three.caveat_codes


def test_small_counts_carry_a_caveat_and_fishers_p():
    c = perf.compare(perf.Series([2], sizes=[7], measure=SHARE), perf.Series([6], sizes=[7], measure=SHARE))
    assert "small-counts" in c.caveat_codes
    assert c.effect("odds_ratio").p_value == pytest.approx(0.1026, abs=1e-4)
    assert c.effect("odds_ratio").role == "companion"


def test_shares_without_denominators_are_refused():
    values = [0.5, 0.7, 0.6]
    with pytest.raises(perf.InputError, match="denominators"):
        perf.compare(values, values, method="two_proportions")


def test_sizes_are_used_when_the_method_is_asked_for_by_name():
    c = perf.compare(perf.Series([1], sizes=[50]), perf.Series([0], sizes=[60]), method="two_proportions")
    assert c.method.parameters["sizes"] == {"before": 50.0, "after": 60.0}
    assert c.primary.estimate == pytest.approx(-1 / 50)
    assert "the share fell from 2.0% to 0.0%" in c.verdict
    shares = [perf.Series(v, sizes=[50] * 2) for v in ([0.1, 0.2], [0.2, 0.4])]
    c = perf.compare(*shares, method="two_proportions")
    assert c.method.parameters["counts"] == {"before": 15.0, "after": 30.0}


def test_two_sides_without_events_have_an_interval_and_can_be_equivalent():
    """Newcombe's method 10 for 0/50 and 0/50: Wilson's upper end of 0/50 either way."""
    none = perf.Series([0], sizes=[50], measure=SHARE)
    c = perf.compare(none, none)
    assert (c.primary.low, c.primary.high) == pytest.approx((-0.0713476, 0.0713476), abs=1e-7)
    assert c.outcome == "undecided"
    assert "all alike, so that there is no score test" in c.verdict
    c = perf.compare(none, none, margin=0.1)
    assert c.outcome == "equivalent"
    assert "within the margin of plus or minus 10 points" in c.verdict


def test_one_total_a_side_has_no_rows_that_only_repeat_the_share():
    c = perf.compare(perf.Series([2], sizes=[7], measure=SHARE), perf.Series([6], sizes=[7], measure=SHARE))
    quantities = [e.quantity for e in c.effects]
    assert quantities == ["difference_of_proportions", "ratio_of_proportions", "cohens_h", "odds_ratio"]
    weekly = [perf.Series(x, sizes=[9] * 10, measure=SHARE) for x in ([4, 5] * 5, [6, 5] * 5)]
    assert "hodges_lehmann_shift" in [e.quantity for e in perf.compare(*weekly).effects]


@pytest.mark.parametrize(
    ("before", "after", "p", "outcome", "says"),
    [
        # tests/reference/decisions.R: prop.test(correct = FALSE)
        ((0, 20), (7, 40), 0.04653107705, "detected", "still includes no change"),
        ((9, 20), (35, 50), 0.05051442283, "undecided", "leaves no change out"),
    ],
)
def test_the_score_test_decides_and_the_verdict_says_what_the_interval_does(before, after, p, outcome, says):
    c = perf.compare(*(perf.Series([x], sizes=[n], measure=SHARE) for x, n in (before, after)))
    assert c.primary.p_value == pytest.approx(p, rel=1e-9)
    assert c.outcome == outcome
    assert f"The test decides; the interval, made by another formula, {says}." in c.verdict
    assert "compatible with no change" not in c.verdict
    rule = c.method.parameters["decided_by"]
    assert rule == "p-value of the primary (score test, Newcombe interval), at most 0.05"
