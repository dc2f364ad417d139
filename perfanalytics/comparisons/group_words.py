"""The verdict of a comparison of groups: whether they differ, which from which, and by how much."""

from __future__ import annotations

import math

from perfanalytics.comparisons.grouped import Grouped
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.words import number, p_text, with_unit

#: primary quantity -> what the groups differ in
WHAT = {
    "equal_means": "their means",
    "equal_geometric_means": "their geometric means",
    "equal_distributions": "their values",
    "equal_spread": "their spread",
    "equal_proportions": "their shares",
}
#: Up to this many pairs are told one by one.
TOLD = 4


def group_verdict(
    data: Grouped,
    effects: tuple[Effect, ...],
    *,
    outcome: str,
    title: str,
    statistic: str,
    confidence: float,
    notes: tuple[str, ...],
) -> str:
    """Two or three sentences."""
    primary = effects[0]
    level = 1 - confidence
    pairs = [e for e in effects if e.role == "secondary" and not math.isnan(e.p_adjusted)]
    told = [e for e in pairs if e.p_adjusted <= level * (1 + 1e-9)]
    tested = f"{title}, {statistic}, {p_text(primary.p_value)}"
    if math.isnan(primary.p_value):
        first = f"Undecided: the values of the {data.k} groups allow no test ({title})."
        return " ".join((first, *notes))
    if len(data.factors) == 2:
        first = _two_factors(data, effects, level, title)
    elif outcome == "detected":
        what = WHAT.get(primary.quantity, "their values")
        first = f"The {data.k} groups of {data.factors[0]} differ in {what} ({tested})."
    else:
        what = WHAT.get(primary.quantity, "their values")
        first = (
            f"Undecided: no difference between the {data.k} groups of {data.factors[0]} in {what} is shown "
            f"({tested})."
        )
    second = ""
    if pairs:
        second = _pairs(data, pairs, told, outcome)
    return " ".join(s for s in (first, second, *notes) if s)


def _two_factors(data: Grouped, effects: tuple[Effect, ...], level: float, title: str) -> str:
    tests = [e for e in effects if e.form == "test"]
    found = [e for e in tests if e.p_value <= level * (1 + 1e-9)]
    said = "; ".join(f"{e.contrast} {p_text(e.p_value)}" for e in tests)
    unit = data.measure.name
    if not found:
        both = f"neither {data.factors[0]} nor {data.factors[1]}"
        return f"Undecided: {both} is shown to matter for {unit} ({title}: {said})."
    names = [e.contrast for e in found]
    listed = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    verb = "makes" if len(names) == 1 else "make"
    joint = any(" x " in n for n in names)
    more = f" What {data.factors[0]} does depends on {data.factors[1]}." if joint else ""
    return f"{listed} {verb} a difference for {unit} ({title}: {said}).{more}"


def _pairs(data: Grouped, pairs: list[Effect], told: list[Effect], outcome: str) -> str:
    if not told:
        if outcome == "detected":
            return f"No single pair of the {len(pairs)} can be told apart."
        return ""
    lead = "" if outcome == "detected" else "Yet of single pairs: "
    ordered = sorted(told, key=lambda e: -_weight(e))
    sentences = [_pair(e, data) for e in ordered[:TOLD]]
    text = lead + "; ".join(sentences)
    if len(told) > TOLD:
        text += f"; {len(told) - TOLD} more of the {len(pairs)} pairs differ"
    rest = len(pairs) - len(told)
    if rest == 0 and len(pairs) > 1:
        return _sentence(text) + " Every group differs from every other."
    if rest == 1:
        other = next(e for e in pairs if e not in told)
        a, b = names_of(other)
        return _sentence(text) + f" {b} and {a} cannot be told apart."
    if rest:
        return _sentence(text) + f" The other {rest} pairs cannot be told apart."
    return _sentence(text)


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:] if text.startswith("the spread") else text) + "."


def _weight(e: Effect) -> float:
    """How clear a difference is."""
    return abs(math.log(e.estimate)) if e.form == "ratio" and e.estimate > 0 else abs(e.estimate)


def names_of(e: Effect) -> tuple[str, str]:
    """The two groups of a contrast, second first as it is written."""
    sign = " / " if e.form == "ratio" else " - "
    second, _, first = e.contrast.partition(sign)
    return second, first


def _pair(e: Effect, data: Grouped) -> str:
    second, first = names_of(e)
    if e.form == "ratio":
        times = number(e.estimate, 2, spread=abs(e.estimate - 1) / 10)
        ends = f"{number(e.low, 2)} to {number(e.high, 2)}"
        spread = "the spread of " if e.quantity != "ratio_of_geometric_means" else ""
        return f"{spread}{second} is {times} times that of {first} ({ends})"
    higher = e.estimate > 0
    size = abs(e.estimate)
    low, high = (e.low, e.high) if higher else (-e.high, -e.low)
    verb = "above" if higher else "below"
    if e.quantity == "difference_of_proportions":
        return (
            f"{second} is {number(100 * size)} points {verb} {first} "
            f"({number(100 * low)} to {number(100 * high)})"
        )
    unit = "ranks" if e.quantity == "difference_of_mean_ranks" else data.measure.unit
    told = with_unit(number(size), unit)
    if math.isnan(e.low):
        return f"{second} is {told} {verb} {first}"
    return f"{second} is {told} {verb} {first} ({number(low)} to {number(high)})"
