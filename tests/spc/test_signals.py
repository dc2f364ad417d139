"""Every rule on tiny sequences with the expected points written out, and against a plain loop."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.spc.rules import NELSON, ON_LINE, WESTERN_ELECTRIC, Rule
from perfanalytics.spc.signals import bits_type, find_signals

NAN = float("nan")
BY_NAME = {r.name: r for r in (*NELSON.rules, *WESTERN_ELECTRIC.rules)}


def fired(rule, z, breaks=(), limit=3.0):
    """0-based points at which the rule fires; missing points are NaN, ``breaks`` follow a missing period."""
    z = np.array(z, dtype=float)
    use = ~np.isnan(z)
    link = use.copy()
    link[1:] &= use[:-1]
    link[:1] = False
    link[list(breaks)] = False
    rule = BY_NAME[rule] if isinstance(rule, str) else rule
    return np.flatnonzero(find_signals([rule], z, link, limit=limit)).tolist()


def both_sides(rule, z, expected, **more):
    assert fired(rule, z, **more) == expected
    assert fired(rule, [-v for v in z], **more) == expected


def test_beyond_the_limits_and_on_them():
    both_sides("beyond_limits", [0, 3.1, 3.0, 2.9, 3.0000001], [1, 4])
    both_sides("beyond_limits", [2.6, 2.4], [0], limit=2.5)


def test_two_of_three():
    # the completing point and each that continues it; the marked point is itself beyond the zone
    both_sides("two_of_three_beyond_2_sigma", [2.1, 0, 2.2, 0, 2.3, 0, 0, 2.1], [2, 4])
    # it can fire on the first two points, and a point beyond the limits counts
    both_sides("two_of_three_beyond_2_sigma", [2.1, 3.5, 0, 0], [1])
    # not on both sides of the center line, not with a point on the line
    both_sides("two_of_three_beyond_2_sigma", [2.1, -2.2, 0, 2.0, 2.1], [])
    # a window of three is not full: the pair is three apart
    both_sides("two_of_three_beyond_2_sigma", [2.1, 0, 0, 2.1], [])
    # two pairs on different sides, interleaved
    both_sides("two_of_three_beyond_2_sigma", [2.1, -2.1, 2.1, -2.1], [2, 3])


def test_four_of_five():
    both_sides("four_of_five_beyond_1_sigma", [1.1, 1.1, 0, 1.1, 1.1, 1.2], [4, 5])
    both_sides("four_of_five_beyond_1_sigma", [1.1, 1.1, 1.1, 1.1], [3])
    both_sides("four_of_five_beyond_1_sigma", [1.1, 1.1, -1.1, 1.1, 0, 1.1], [])
    # the fifth point is inside the zone: it is not marked although the window holds four
    both_sides("four_of_five_beyond_1_sigma", [1.1, 1.1, 1.1, 1.1, 0.2], [3])


def test_runs_on_one_side_end_on_the_center_line():
    both_sides("eight_on_one_side", [0.1] * 9, [7, 8])
    both_sides("eight_on_one_side", [0.1] * 7 + [0.0] + [0.1] * 7, [])
    both_sides("nine_on_one_side", [0.1] * 8 + [-0.1] + [0.1] * 9, [17])


def test_a_skipped_tie_carries_the_run_on():
    rule = Rule("eight_ties_skipped", count=8, tie="skipped")
    both_sides(rule, [0.1] * 7 + [0.0] + [0.1] * 2, [8, 9])


def test_trends():
    both_sides("six_trend", [0, 1, 2, 3, 4, 5, 6], [5, 6])
    # five rising points and then one lower are none (the sign of the first value does not matter)
    both_sides("six_trend", [-5, -4, -3, -2, -1, -1.5], [])
    both_sides("six_trend", [5, -5, -4, -3, -2, -1, 0], [6])
    # a tie ends a trend
    both_sides("six_trend", [0, 1, 2, 2, 3, 4, 5], [])
    rule = Rule("six_trend_ties_skipped", count=6, pattern="trend", tie="skipped")
    both_sides(rule, [0, 1, 2, 2, 3, 4, 5], [6])
    both_sides(Rule("seven_trend", count=7, pattern="trend"), [0, 1, 2, 3, 4, 5, 6], [6])


def test_fourteen_alternating():
    z = [1.0, -1.0] * 7
    both_sides("fourteen_alternating", z, [13])
    both_sides("fourteen_alternating", [*z, 0.5], [13, 14])
    both_sides("fourteen_alternating", z[:13], [])
    # alternating about any level, not about the center line
    both_sides("fourteen_alternating", [5 + v for v in z], [13])
    both_sides("fourteen_alternating", [*z[:7], z[6], *z[7:]], [])


def test_fifteen_within():
    both_sides("fifteen_within_1_sigma", [0.9, -0.9] * 8, [14, 15])
    both_sides("fifteen_within_1_sigma", [0.5] * 7 + [1.1] + [0.5] * 7, [])
    # on the line is within
    both_sides("fifteen_within_1_sigma", [1.0] * 15, [14])


def test_eight_beyond_on_either_side_or_on_both():
    both_sides("eight_beyond_1_sigma", [1.1] * 8, [7])
    both_sides("eight_beyond_1_sigma", [1.1, -1.1] * 4, [7])
    both_sides("eight_beyond_1_sigma", [1.1] * 4 + [1.0] + [1.1] * 4, [])
    both = Rule("eight_both", count=8, zone=1.0, side="both")
    both_sides(both, [1.1] * 8, [])
    both_sides(both, [1.1] * 7 + [-1.1], [7])
    both_sides(both, [-1.1] + [1.1] * 8, [7])


def test_missing_points_break_patterns_unless_skipped():
    both_sides("eight_on_one_side", [0.1] * 4 + [NAN] + [0.1] * 7, [])
    both_sides("two_of_three_beyond_2_sigma", [2.1, NAN, 2.1], [])
    both_sides("six_trend", [0, 1, 2, NAN, 3, 4, 5], [])
    skipped = Rule("eight_gaps_skipped", count=8, gap="skipped")
    both_sides(skipped, [0.1] * 4 + [NAN] + [0.1] * 5, [8, 9])
    trend = Rule("six_trend_gaps_skipped", count=6, pattern="trend", gap="skipped")
    both_sides(trend, [0, 1, 2, NAN, 3, 4, 5], [6])


def test_a_missing_period_breaks_patterns():
    both_sides("eight_on_one_side", [0.1] * 10, [], breaks=[5])
    both_sides("two_of_three_beyond_2_sigma", [2.1, 2.1], [], breaks=[1])
    both_sides("six_trend", [0, 1, 2, 3, 4, 5, 6], [6], breaks=[1])


def test_every_member_can_be_marked():
    run = Rule("run_members", count=8, mark="members")
    both_sides(run, [0, *[0.1] * 8, 0], list(range(1, 9)))
    pair = Rule("pair_members", count=2, out_of=3, zone=2.0, mark="members")
    both_sides(pair, [2.1, 0, 2.2, 0], [0, 2])
    trend = Rule("trend_members", count=6, pattern="trend", mark="members")
    both_sides(trend, [9, 0, 1, 2, 3, 4, 5, -9], [1, 2, 3, 4, 5, 6])


def test_every_rule_that_fires_is_kept():
    z = np.array([0.0, 2.5, 3.5])
    bits = find_signals(WESTERN_ELECTRIC.rules, z, np.array([False, True, True]), limit=3.0)
    assert bits.tolist() == [0, 0, 0b11]


def test_many_rules_need_a_wider_integer():
    rules = [Rule(f"r{k}", count=k + 1) for k in range(20)]
    assert bits_type(20) is np.uint32
    z = np.full(20, 0.1)
    bits = find_signals(rules, z, np.arange(20) > 0, limit=3.0)
    assert bits[19] == 2**20 - 1


def slow(rule, z, link, limit):
    """The rules as their definition reads, point by point."""
    n, out = len(z), []
    zone = limit if rule.zone is None else rule.zone
    for i in range(n):
        window = [i]
        while len(window) < rule.window and link[window[-1]]:
            window.append(window[-1] - 1)
        window = window[::-1]
        v = [z[j] for j in window]
        full = len(window) == rule.window and not np.isnan(v).any()
        steps = np.diff(v)
        if rule.pattern == "trend":
            hit = full and bool((steps > ON_LINE).all() or (steps < -ON_LINE).all())
        elif rule.pattern == "alternating":
            hit = full and all(
                (a > ON_LINE and b < -ON_LINE) or (a < -ON_LINE and b > ON_LINE)
                for a, b in itertools.pairwise(steps)
            )
        elif rule.pattern == "within":
            hit = full and all(abs(x) <= zone + ON_LINE for x in v)
        else:
            up = [x > zone + ON_LINE for x in v]
            down = [x < -zone - ON_LINE for x in v]
            either = [a or b for a, b in zip(up, down, strict=True)]
            if rule.side == "same":
                hit = (up[-1] and sum(up) >= rule.count) or (down[-1] and sum(down) >= rule.count)
            else:
                hit = either[-1] and sum(either) >= rule.count
                if rule.side == "both":
                    hit = hit and any(up) and any(down)
        out.append(bool(hit))
    return np.flatnonzero(out).tolist()


points = st.lists(
    st.tuples(st.sampled_from([-3.2, -2.1, -1.2, -0.4, 0.0, 0.4, 1.0, 1.2, 2.1, 3.2, NAN]), st.booleans()),
    max_size=60,
)
OWN = (
    Rule("three_of_six_both", count=3, out_of=6, zone=1.0, side="both"),
    Rule("four_alternating", count=4, pattern="alternating"),
    Rule("three_trend", count=3, pattern="trend"),
    Rule("three_within", count=3, pattern="within", zone=1.0),
    Rule("three_on_one_side", count=3),
)


@pytest.mark.parametrize("rule", [*BY_NAME.values(), *OWN], ids=lambda r: r.name)
@given(points=points)
@settings(max_examples=60, deadline=None)
def test_against_the_definition(rule, points):
    z = np.array([v for v, _ in points], dtype=float)
    use = ~np.isnan(z)
    link = np.array([b for _, b in points], dtype=bool) & use
    link[1:] &= use[:-1]
    link[:1] = False
    found = np.flatnonzero(find_signals([rule], z, link, limit=3.0)).tolist()
    assert found == slow(rule, z, link, 3.0)
