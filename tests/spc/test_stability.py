"""Stability: the rules signal as often as published, .stable is wrong as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.segments import Segments
from perfanalytics.spc import stability
from perfanalytics.spc.rules import LIMITS_ONLY, NELSON, WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.signals import find_signals
from perfanalytics.spc.stability import FEWEST, LENGTHS, MODES, Reference, p_values, reference_for, simulate


def run_lengths(rules, series, points, seed):
    """First signalling point (1-based) of many series with known limits; the length where there is none."""
    z = np.random.default_rng(seed).standard_normal(series * points)
    link = np.ones(series * points, dtype=bool)
    link[::points] = False
    fired = (find_signals(rules, z, link, limit=3.0) != 0).reshape(series, points)
    return np.where(fired.any(axis=1), fired.argmax(axis=1) + 1, points)


@pytest.mark.parametrize(
    ("rules", "published"),
    [
        # Champ and Woodall (1987), Technometrics 29, 393-399, table 1: exact in-control run lengths
        (WESTERN_ELECTRIC.rules, 91.75),
        (WESTERN_ELECTRIC.rules[:2], 225.44),
        ((WESTERN_ELECTRIC.rules[0], WESTERN_ELECTRIC.rules[2]), 166.05),
        ((WESTERN_ELECTRIC.rules[0], WESTERN_ELECTRIC.rules[3]), 152.73),
    ],
)
def test_average_run_lengths(rules, published):
    found = run_lengths(rules, 1500, 1500, seed=11)
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - published) < 3 * error
    assert error < 0.03 * published


@pytest.mark.slow
@pytest.mark.parametrize("rules", [WESTERN_ELECTRIC.rules])
def test_average_run_length_long(rules):
    found = run_lengths(rules, 20_000, 1500, seed=12)
    assert abs(found.mean() - 91.75) < 3 * found.std(ddof=1) / np.sqrt(len(found))


@pytest.mark.parametrize(
    ("n", "rules", "share"),
    [
        # simulated beforehand by other code, sigma from the moving range (individuals panel only)
        (25, NELSON, 0.19),
        (25, WESTERN_ELECTRIC, 0.15),
        (25, LIMITS_ONLY, 0.06),
        (100, NELSON, 0.72),
        (100, WESTERN_ELECTRIC, 0.61),
        (100, LIMITS_ONLY, 0.23),
    ],
)
def test_share_of_stable_charts_with_any_signal(n, rules, share):
    counts, _ = simulate("laney", n, (rules,), 3.0, 3000, np.random.default_rng(5))
    assert (counts[0] > 0).mean() == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rules", [WESTERN_ELECTRIC, NELSON], ids=lambda r: r.name)
def test_false_alarms_of_the_whole_chart(mode, rules):
    """At most 5% of stable charts are called not stable, also between the lengths of the table."""
    rng = np.random.default_rng(31)
    for n in (20, 60, 370):
        runs = 2500 if n < 100 else 1000
        counts, farthest = simulate(mode, n, (rules,), 3.0, runs, rng)
        sizes = np.full(runs, n)
        p, expected = p_values(reference_for(mode, rules, 3.0, sizes), sizes, counts[0], farthest)
        share = (p <= 0.05).mean()
        assert share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
        assert share > 0.01
        assert expected[0] == pytest.approx(counts[0].mean(), rel=0.2, abs=0.05)


def test_longer_than_the_table():
    rng = np.random.default_rng(32)
    counts, farthest = simulate("moving_range", 6000, (WESTERN_ELECTRIC,), 3.0, 250, rng)
    sizes = np.full(250, 6000)
    p, expected = p_values(
        reference_for("moving_range", WESTERN_ELECTRIC, 3.0, sizes), sizes, counts[0], farthest
    )
    assert (p <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 250)
    assert expected[0] == pytest.approx(counts[0].mean(), rel=0.03)


def test_the_table_is_what_its_script_makes():
    """The first lengths of one mode, simulated again with the seed of the table."""
    table = reference_for("moving_range", NELSON, 3.0, np.array([20]))
    found = stability.make_reference(
        "moving_range", tuple(stability.RULE_SETS.values()), 3.0, LENGTHS[:2], 10_000_000, 20_000
    )[list(stability.RULE_SETS).index("nelson")]
    np.testing.assert_array_equal(found.counts, table.counts[:2])
    np.testing.assert_allclose(found.farthest, table.farthest[:2], atol=5e-4)
    assert table.made_by.startswith("table")


def test_a_farther_point_and_more_signals_are_rarer():
    table = reference_for("moving_range", WESTERN_ELECTRIC, 3.0, np.array([50]))
    n = np.full(40, 50)
    p, _ = p_values(table, n, np.arange(40), np.full(40, 2.0))
    assert (np.diff(p) <= 0).all()
    assert p[0] == 1.0
    assert p[-1] < 1e-6
    p, _ = p_values(table, n, np.zeros(40, dtype=int), np.linspace(2, 12, 40))
    assert (np.diff(p) <= 0).all()
    assert p[-1] < 1e-6


def test_too_short_or_without_limits_is_not_judged():
    table = reference_for("moving_range", WESTERN_ELECTRIC, 3.0, np.array([50]))
    p, _ = p_values(table, np.array([FEWEST - 1, 50]), np.array([3, 3]), np.array([4.0, np.nan]))
    assert np.isnan(p).all()
    assert perf.control_chart([1.0, 5, 2, 8, 3, 2, 60]).stable is None


def test_own_rules_are_simulated_when_needed():
    rules = RuleSet("own", (Rule("six_on_one_side", count=6),))
    sizes = np.full(2000, 40)
    table = reference_for("moving_range", rules, 3.0, sizes)
    assert isinstance(table, Reference)
    assert table.made_by.startswith("simulated")
    counts, farthest = simulate("moving_range", 40, (rules,), 3.0, 2000, np.random.default_rng(33))
    p, _ = p_values(table, sizes, counts[0], farthest)
    assert 0.01 < (p <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    chart = perf.control_chart(np.random.default_rng(1).standard_normal(30), rules=rules)
    assert "simulated when needed" in chart.method.parameters["stability_reference"]


def test_no_signal_at_all_is_not_asked_for():
    rng = np.random.default_rng(34)
    charts = perf.control_charts({str(k): rng.standard_normal(100) for k in range(200)})
    assert (charts.n_signals > 0).mean() > 0.5
    assert charts.stable.mean() > 0.92


def test_a_shift_a_giant_and_a_wider_spread_are_found():
    rng = np.random.default_rng(35)
    x = rng.standard_normal(60)
    shifted = x + np.where(np.arange(60) >= 30, 2.0, 0.0)
    giant = np.where(np.arange(60) == 30, 8.0, x)
    assert perf.control_chart(x).stable is True
    assert perf.control_chart(shifted).stable is False
    assert perf.control_chart(giant).stable is False


def test_several_stages_pay_for_several_looks():
    rng = np.random.default_rng(36)
    values = {str(k): rng.standard_normal(80) for k in range(300)}
    charts = perf.control_charts(values, stages=[20, 40, 60])
    assert (charts.stages == 4).all()
    assert (~charts.stable).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_known_limits_have_their_own_reference():
    chart = perf.control_chart(
        np.random.default_rng(1).standard_normal(30), estimate={"center": 0, "sigma": 1}
    )
    assert chart.method.parameters["stability_reference"].startswith("known_two_panels")
    share = perf.control_chart(perf.Series([3] * 12, sizes=20), chart="p")
    assert share.method.parameters["stability_reference"].startswith("model")


def test_simulated_points_go_through_segments_of_their_own():
    counts, farthest = simulate("known", 30, (LIMITS_ONLY,), 3.0, 50, np.random.default_rng(7))
    z = np.random.default_rng(7).standard_normal(50 * 30)
    assert counts[0].tolist() == Segments(np.arange(50) * 30, 1500).counts(np.abs(z) > 3).tolist()
    np.testing.assert_array_equal(farthest, np.abs(z).reshape(50, 30).max(axis=1))
