"""Rules as data: what is allowed, what they say, which sets there are."""

from __future__ import annotations

import json

import pytest

from perfanalytics.core.codec import from_record, to_record
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.spc.rules import (
    AIAG,
    BEYOND_LIMITS,
    IHI,
    JURAN,
    LIMITS_ONLY,
    MONTGOMERY,
    NELSON,
    NHS_MDC,
    RULE_SETS,
    WESTERN_ELECTRIC,
    WHEELER,
    Rule,
    RuleSet,
    as_rule_set,
)


def test_nelsons_eight_tests():
    """Nelson (1984), figure 2, in his order."""
    assert [r.text for r in NELSON.rules] == [
        "1 point beyond the control limits",
        "9 points in a row on one side of the center line",
        "6 points in a row steadily rising or falling",
        "14 points in a row alternating up and down",
        "2 of 3 points beyond 2 sigma on one side",
        "4 of 5 points beyond 1 sigma on one side",
        "15 points in a row within 1 sigma of the center line",
        "8 points in a row beyond 1 sigma",
    ]


def test_western_electrics_four():
    assert [(r.count, r.window, r.zone) for r in WESTERN_ELECTRIC.rules] == [
        (1, 1, None),
        (2, 3, 2.0),
        (4, 5, 1.0),
        (8, 8, 0.0),
    ]


def of(rules, *, pattern="beyond", side="same"):
    return [(r.count, r.window, r.zone) for r in rules.rules if (r.pattern, r.side) == (pattern, side)]


@pytest.mark.parametrize(
    ("rules", "beyond", "trend"),
    [
        # AIAG (2005) table II.1; Montgomery (2013) table 5.1; Provost and Murray (2011) figure 4.5; Making
        # Data Count; Wheeler (2000); Juran's handbook (1999) section 45
        (AIAG, [(1, 1, None), (7, 7, 0.0), (2, 3, 2.0), (4, 5, 1.0)], [6]),
        (MONTGOMERY, [(1, 1, None), (2, 3, 2.0), (4, 5, 1.0), (8, 8, 0.0)], [6]),
        (IHI, [(1, 1, None), (8, 8, 0.0), (2, 3, 2.0)], [6]),
        (NHS_MDC, [(1, 1, None), (7, 7, 0.0), (2, 3, 2.0)], [7]),
        (WHEELER, [(1, 1, None), (3, 4, 1.5), (8, 8, 0.0)], []),
        (JURAN, [(1, 1, None), (2, 3, 2.0), (4, 5, 1.0), (9, 9, 0.0)], [6]),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_published_sets(rules, beyond, trend):
    assert of(rules) == beyond
    assert [r.count for r in rules.rules if r.pattern == "trend"] == trend
    assert RULE_SETS[rules.name] is rules
    assert rules.reference


def test_the_other_patterns_of_the_published_sets():
    assert of(AIAG, side="either") == of(NELSON, side="either") == [(8, 8, 1.0)]
    assert of(MONTGOMERY, side="both") == of(JURAN, side="both") == [(8, 8, 1.0)]
    fifteen = [(15, 15, 1.0)]
    assert all(of(s, pattern="within") == fifteen for s in (AIAG, MONTGOMERY, NELSON, IHI))
    assert all(
        [r.count for r in s.rules if r.pattern == "alternating"] == [14] for s in (AIAG, MONTGOMERY, NELSON)
    )
    assert {r.mark for r in NHS_MDC.rules[1:]} == {"members"}


def test_sets_are_saved_and_come_back():
    for rules in RULE_SETS.values():
        assert from_record(json.loads(json.dumps(to_record(rules)))) == rules


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"count": 0}, "1 <= count"),
        ({"count": 3, "out_of": 2}, "1 <= count <= out_of"),
        ({"count": 256}, "255"),
        ({"count": 6, "pattern": "trend", "out_of": 8}, "no out_of"),
        ({"count": 1, "pattern": "trend"}, "too few points"),
        ({"count": 2, "pattern": "alternating"}, "too few points"),
        ({"count": 2, "zone": -1.0}, "not negative"),
        ({"count": 15, "pattern": "within"}, "give zone"),
    ],
)
def test_a_rule_that_makes_no_sense(wrong, says):
    with pytest.raises(InputError, match=says):
        Rule("wrong", **wrong)


@pytest.mark.parametrize(
    "wrong", [{"pattern": "shift"}, {"side": "left"}, {"tie": "x"}, {"gap": "x"}, {"mark": "x"}]
)
def test_a_word_that_does_not_exist(wrong):
    with pytest.raises(UnknownNameError):
        Rule("wrong", count=2, **wrong)


def test_names_are_columns():
    with pytest.raises(InputError, match="named like a column"):
        Rule("two words", count=2)
    with pytest.raises(InputError, match="different names"):
        RuleSet("twice", (BEYOND_LIMITS, BEYOND_LIMITS))
    with pytest.raises(InputError, match="at most 32"):
        RuleSet("many", tuple(Rule(f"r{k}", count=2) for k in range(33)))
    with pytest.raises(InputError, match="holds Rule"):
        RuleSet("strings", ("nelson",))


def test_what_rules_may_be_given_as():
    assert as_rule_set("nelson") is NELSON
    assert as_rule_set(BEYOND_LIMITS).rules == LIMITS_ONLY.rules
    assert as_rule_set(to_record(NELSON)) == NELSON
    assert as_rule_set([to_record(BEYOND_LIMITS)]).rules == (BEYOND_LIMITS,)
    with pytest.raises(UnknownNameError, match="did you mean 'nelson'"):
        as_rule_set("nelsn")
    with pytest.raises(InputError, match="takes a RuleSet"):
        as_rule_set(3)
