"""The verdict of a comparison: its outcome and one or two sentences a meeting can read out."""

from __future__ import annotations

import math

from perfanalytics.comparisons.effect_words import (
    change_words,
    direction_words,
    given_words,
    margin_words,
    range_words,
)
from perfanalytics.comparisons.importance import bounds, importance_of
from perfanalytics.comparisons.method import Answer, Effect, Options
from perfanalytics.comparisons.methods.means import NAIVE
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import number, p_text, percent, with_unit


def outcome_of(answer: Answer, options: Options) -> str:
    """detected, equivalent, undecided or not_attributable."""
    primary = answer.effects[0]
    if not answer.tested:
        return "undecided"
    if answer.equivalence is not None and options.margin is not None:
        low, high = bounds(primary, options.margin)
        if low < answer.equivalence[0] and answer.equivalence[1] < high and not answer.doubts:
            return "equivalent"
    if not significant(primary, options.confidence):
        return "undecided"
    return "not_attributable" if answer.doubts else "detected"


def significant(primary: Effect, confidence: float) -> bool:
    """Whether the test of the primary finds a difference: its p-value decides, not its interval.

    Both are the same thing for t tests. Mann-Whitney with ties and the score test of two proportions come
    with intervals that are made separately and can disagree with the test near the border.
    """
    return bool(primary.p_value <= (1.0 - confidence) * (1.0 + 1e-9))


def decided_by(answer: Answer, options: Options) -> str:
    """The rule behind the outcome, for ``.method``."""
    if not answer.tested:
        return "no test"
    if answer.outcome:
        return f"{answer.effects[0].method}, against the margin where one was declared"
    rule = f"p-value of the primary ({answer.effects[0].method}), at most {1 - options.confidence:.6g}"
    if options.margin is not None:
        rule += f"; equivalence by the {percent(2 * options.confidence - 1)} interval within the margin"
    return rule


def verdict_of(outcome: str, sides: Sides, options: Options, answer: Answer) -> str:
    """One or two sentences."""
    primary = answer.effects[0]
    if not answer.tested:
        return _untested(sides, primary, answer)
    if "given_value" in answer.parameters:
        return _against_value(outcome, sides, options, answer)
    level = f"{percent(options.confidence)} interval"
    share = sides.measure.scale == "proportion" or primary.quantity == "difference_of_proportions"
    change = change_words(primary, sides.measure.unit, share)
    interval = f"({level} {range_words(primary, sides.measure.unit, share)})"
    found = significant(primary, options.confidence)
    if outcome == "detected":
        first = f"Change detected: {change} {interval}{direction_words(primary, sides.measure.better)}."
    elif outcome == "equivalent":
        assert options.margin is not None
        declared = f", declared on {options.declared_on.isoformat()}" if options.declared_on else ""
        also = ", although a difference was detected" if found else ""
        first = (
            f"Equivalent: {change} {interval}; the effect lies within the margin of "
            f"{margin_words(primary, options.margin, sides.measure.unit, share)}{declared}{also}."
        )
    elif outcome == "not_attributable":
        first = (
            f"A difference, but not attributable to the change: {change} {interval}; "
            f"{' and '.join(answer.doubts)}, so an interrupted time series is the next step."
        )
    elif primary.estimate == primary.null:
        first = f"Undecided: {change}, but the data allow for a change within the {interval[1:-1]}."
    elif primary.excludes_null:
        first = f"Undecided: {change} {interval}, but the test is not sure of it."
    else:
        first = f"Undecided: {change}, but the data are compatible with no change {interval}."
    told = not math.isnan(primary.low) and not math.isnan(primary.p_value)
    if outcome != "equivalent" and found != primary.excludes_null and told:
        includes = "leaves no change out" if primary.excludes_null else "still includes no change"
        first += f" The test decides; the interval, made by another formula, {includes}."
    important = importance_sentence(outcome, primary, options, sides.measure.unit, share)
    return " ".join((first, *important, _second(sides, answer), *answer.notes))


def importance_sentence(
    outcome: str, primary: Effect, options: Options, unit: str, share: bool
) -> tuple[str, ...]:
    """The effect against the smallest effect of interest, where one was declared."""
    importance = importance_of(primary, options.margin)
    if not importance or outcome == "equivalent":
        return ()
    assert options.margin is not None
    declared = f", declared on {options.declared_on.isoformat()}" if options.declared_on else ""
    smallest = f"({margin_words(primary, options.margin, unit, share)}{declared})"
    if importance == "important":
        return (f"It is at least as large as the smallest effect of interest {smallest}.",)
    if importance == "unimportant":
        return (f"It is smaller than the smallest effect of interest {smallest}.",)
    if outcome == "undecided":
        return (f"An effect as large as the smallest of interest {smallest} is not ruled out.",)
    return (f"Whether it is as large as the smallest effect of interest {smallest} is open.",)


def _against_value(outcome: str, sides: Sides, options: Options, answer: Answer) -> str:
    """One side against a given value: nothing changed, something differs."""
    primary, unit = answer.effects[0], sides.measure.unit
    # the analysis scale may have its own unit: the given value has that of the measure
    told = given_words(primary, unit, float(answer.parameters["given_value"]))
    interval = f"({percent(options.confidence)} interval {range_words(primary, unit)})"
    if outcome == "detected":
        first = f"Difference detected: {told} {interval}."
    elif outcome == "equivalent":
        assert options.margin is not None
        margin = margin_words(primary, options.margin, unit)
        first = f"Equivalent: {told} {interval}, within the margin of {margin}."
    else:
        first = f"Undecided: {told}, but the data are compatible with no difference {interval}."
    return " ".join((first, _second(sides, answer), *answer.notes))


def _untested(sides: Sides, primary: Effect, answer: Answer) -> str:
    n1, n2 = sides.before.periods, sides.after.periods
    if primary.quantity != "predicted_mean_after":
        return f"Undecided: the values allow no test ({n1} before, {n2} after)."
    reason = str(answer.parameters.get("no_test", ""))
    said = "".join(f" {note}" for note in answer.notes)
    unit = sides.measure.unit
    after = with_unit(number(primary.after), unit)
    if math.isnan(primary.low):
        return f"Undecided: no test ({reason}; {n1} before, {n2} after). The mean after is {after}.{said}"
    if primary.low == primary.high:
        before = number(primary.before)
        return f"Undecided: no test ({reason}). The mean was {before} before and is {after} after.{said}"
    inside = primary.low <= primary.after <= primary.high
    return (
        f"Undecided: no test ({reason}; {n1} before, {n2} after). The mean after, {after}, lies "
        f"{'inside' if inside else 'outside'} the range {number(primary.low)} to "
        f"{with_unit(number(primary.high), unit)} predicted from the before period.{said}"
    )


def _second(sides: Sides, answer: Answer) -> str:
    """What stands behind the first sentence: periods and what they are worth, or the sizes."""
    periods = answer.parameters.get("periods", {})
    n1 = periods.get("before", sides.before.periods)
    n2 = periods.get("after", sides.after.periods)
    if "rho" in answer.parameters:
        if answer.parameters["rho"] <= 0:
            return f"The {n1} and {n2} periods show no positive autocorrelation (lag-1 {_lag1(answer):.2f})."
        worth = " and ".join(f"{w:.0f}" for w in answer.effective)
        naive = next((e for e in answer.effects if e.method == NAIVE), None)
        said = "" if naive is None else f"; Welch's test would have said {p_text(naive.p_value)}"
        return (
            f"The {n1} and {n2} periods are worth about {worth} independent ones "
            f"(lag-1 correlation {_lag1(answer):.2f}){said}."
        )
    counted = answer.parameters.get("sizes")
    p = answer.effects[0].p_value
    if isinstance(counted, dict):
        tested = "all alike, so that there is no score test" if math.isnan(p) else p_text(p)
        return f"{number(counted['before'], 9)} items before, {number(counted['after'], 9)} after ({tested})."
    asked = answer.parameters
    if "pairs" in asked:
        return f"{asked['pairs']} pairs ({p_text(p)})."
    if "given_value" in asked:
        return f"{len(sides.after.values)} values, taken as independent ({p_text(p)})."
    if "events" in asked:
        events, exposure = asked["events"], asked["exposure"]
        return (
            f"{number(events['before'], 9)} events in {number(exposure['before'])} before, "
            f"{number(events['after'], 9)} in {number(exposure['after'])} after ({p_text(p)})."
        )
    before, after = answer.effective
    if math.isnan(p):
        return f"{before:.0f} and {after:.0f} independent values' worth."
    if answer.block > 1 or "lag1" in answer.parameters:
        return f"{n1} periods before, {n2} after ({p_text(p)})."
    return f"{before:.0f} values before, {after:.0f} after, taken as independent ({p_text(p)})."


def _lag1(answer: Answer) -> float:
    return float(answer.parameters["rho"]) * (1 - float(answer.parameters["noise_share"]))
