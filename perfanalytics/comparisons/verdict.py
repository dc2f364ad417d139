"""The verdict of a comparison: its outcome and one or two sentences a meeting can read out."""

from __future__ import annotations

import math

from perfanalytics.comparisons.method import Answer, Effect, Options
from perfanalytics.comparisons.methods.means import NAIVE
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import number, p_text, percent, with_unit
from perfanalytics.core.errors import InputError

#: quantity -> what it is called in a sentence
NAMES = {
    "difference_of_means": "mean",
    "ratio_of_geometric_means": "typical value (geometric mean)",
    "ratio_of_odds": "odds",
    "hodges_lehmann_shift": "typical value",
    "difference_of_proportions": "share",
    "probability_of_superiority": "probability that a value after is higher than one before",
}


def outcome_of(answer: Answer, options: Options) -> str:
    """detected, equivalent, undecided or not_attributable."""
    primary = answer.effects[0]
    if not answer.tested:
        return "undecided"
    if answer.equivalence is not None and options.margin is not None:
        low, high = bounds(primary, options.margin)
        if low < answer.equivalence[0] and answer.equivalence[1] < high and not answer.doubts:
            return "equivalent"
    if not primary.excludes_null:
        return "undecided"
    return "not_attributable" if answer.doubts else "detected"


def bounds(primary: Effect, margin: float) -> tuple[float, float]:
    """The margin as a range around no effect.

    Raises
    ------
    InputError
        When the margin does not fit the form of the primary effect.
    """
    if primary.form == "ratio":
        if not margin > 1:
            raise InputError(
                f"the primary effect is a ratio ({primary.quantity}): the margin is a factor above 1, "
                f"1.1 for 'within 10%'; got {margin:g}"
            )
        return 1 / margin, margin
    if not margin > 0:
        raise InputError(f"the margin must be positive, in the unit of the measure; got {margin:g}")
    if primary.form == "probability":
        if margin >= 0.5:
            raise InputError(f"the primary effect is a probability: the margin is below 0.5, got {margin:g}")
        return 0.5 - margin, 0.5 + margin
    return -margin, margin


def verdict_of(outcome: str, sides: Sides, options: Options, answer: Answer) -> str:
    """One or two sentences."""
    primary = answer.effects[0]
    if not answer.tested:
        return _untested(sides, primary, answer)
    level = f"{percent(options.confidence)} interval"
    share = sides.measure.scale == "proportion"
    change = _change(primary, sides.measure.unit, share)
    interval = f"({level} {_range(primary, sides.measure.unit, share)})"
    if outcome == "detected":
        first = f"Change detected: {change} {interval}{_direction(primary, sides.measure.better)}."
    elif outcome == "equivalent":
        assert options.margin is not None
        declared = f", declared on {options.declared_on.isoformat()}" if options.declared_on else ""
        also = ", although a difference was detected" if primary.excludes_null else ""
        first = (
            f"Equivalent: {change} {interval}; the effect lies within the margin of "
            f"{_margin(primary, options.margin, sides.measure.unit)}{declared}{also}."
        )
    elif outcome == "not_attributable":
        first = (
            f"A difference, but not attributable to the change: {change} {interval}; "
            f"{' and '.join(answer.doubts)}, so an interrupted time series is the next step."
        )
    else:
        first = f"Undecided: {change}, but the data are compatible with no change {interval}."
    return f"{first} {_second(sides, answer)}"


def _untested(sides: Sides, primary: Effect, answer: Answer) -> str:
    n1, n2 = sides.before.periods, sides.after.periods
    if primary.quantity != "predicted_mean_after":
        return f"Undecided: the values allow no test ({n1} before, {n2} after)."
    reason = str(answer.parameters.get("no_test", ""))
    unit = sides.measure.unit
    after = with_unit(number(primary.after), unit)
    if math.isnan(primary.low):
        return f"Undecided: no test ({reason}; {n1} before, {n2} after). The mean after is {after}."
    if primary.low == primary.high:
        before = number(primary.before)
        return f"Undecided: no test ({reason}). The mean was {before} before and is {after} after."
    inside = primary.low <= primary.after <= primary.high
    return (
        f"Undecided: no test ({reason}; {n1} before, {n2} after). The mean after, {after}, lies "
        f"{'inside' if inside else 'outside'} the range {number(primary.low)} to "
        f"{with_unit(number(primary.high), unit)} predicted from the before period."
    )


def _change(e: Effect, unit: str, share: bool) -> str:
    name = NAMES.get(e.quantity, e.quantity.replace("_", " "))
    if e.form == "probability":
        return f"the {name} is {percent(e.estimate)}"
    if share and e.quantity in ("difference_of_proportions", "difference_of_means"):
        verb = "stayed at" if e.estimate == 0 else "fell from" if e.estimate < 0 else "rose from"
        to = "" if e.estimate == 0 else f" to {_share(e.after)}"
        return f"the share {verb} {_share(e.before)}{to}"
    verb = "is unchanged" if e.estimate == e.null else "fell" if e.estimate < e.null else "rose"
    if e.estimate == e.null:
        return f"the {name} {verb}"
    if e.form == "ratio":
        return (
            f"the {name} {verb} by {percent(abs(e.estimate - 1))} to {e.estimate:.2f} times its former value"
        )
    levels = ""
    if not math.isnan(e.before) and e.quantity == "difference_of_means":
        levels = f" from {number(e.before)} to {number(e.after)}"
    return f"the {name} {verb} by {with_unit(number(abs(e.estimate)), unit)}{levels}"


def _range(e: Effect, unit: str, share: bool) -> str:
    if e.form == "ratio":
        return f"{e.low:.2f} to {e.high:.2f} times"
    if e.form == "probability":
        return f"{percent(e.low)} to {percent(e.high)}"
    if share and e.form == "difference":
        return f"{100 * e.low:+.1f} to {100 * e.high:+.1f} points"
    return f"{_signed(e.low)} to {with_unit(_signed(e.high), unit)}"


def _signed(x: float) -> str:
    return f"+{number(x)}" if x > 0 else number(x)


def _share(p: float) -> str:
    return f"{100 * p:.1f}%"


def _margin(e: Effect, margin: float, unit: str) -> str:
    if e.form == "ratio":
        return f"{1 / margin:.2f} to {margin:.2f} times"
    if e.form == "probability":
        return f"{percent(0.5 - margin)} to {percent(0.5 + margin)}"
    return f"plus or minus {with_unit(number(margin), unit)}"


def _direction(e: Effect, better: str) -> str:
    if better not in ("lower", "higher"):
        return ""
    fell = e.estimate < e.null
    return ", an improvement" if fell == (better == "lower") else ", a deterioration"


def _second(sides: Sides, answer: Answer) -> str:
    """What stands behind the first sentence: periods and what they are worth, or the sizes."""
    n1, n2 = sides.before.periods, sides.after.periods
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
    if isinstance(counted, dict):
        return (
            f"{number(counted['before'], 9)} items before, {number(counted['after'], 9)} after "
            f"({p_text(answer.effects[0].p_value)})."
        )
    return (
        f"{len(sides.before.values)} values before, {len(sides.after.values)} after, taken as independent "
        f"({p_text(answer.effects[0].p_value)})."
    )


def _lag1(answer: Answer) -> float:
    return float(answer.parameters["rho"]) * (1 - float(answer.parameters["noise_share"]))
