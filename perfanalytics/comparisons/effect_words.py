"""An effect in words: what changed, by how much, between which ends."""

from __future__ import annotations

import math

from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.words import number, percent, with_unit

#: Quantities of spread start with this; no direction of a measure says which spread is better.
SPREADS = ("ratio_of_sds", "ratio_of_log", "ratio_of_mean_absolute")
#: quantity -> what it is called in a sentence
NAMES = {
    "difference_of_means": "mean",
    "ratio_of_geometric_means": "typical value (geometric mean)",
    "ratio_of_odds": "odds",
    "hodges_lehmann_shift": "typical value",
    "difference_of_medians": "median",
    "difference_of_proportions": "share",
    "difference_of_rates": "rate",
    "ratio_of_rates": "rate",
    "odds_ratio": "odds",
    "ratio_of_sds": "spread (standard deviation)",
    "ratio_of_log_sds": "relative spread (standard deviation of the logarithms)",
    "ratio_of_mean_absolute_deviations": "spread (mean absolute deviation)",
    "ratio_of_log_mean_absolute_deviations": "relative spread (mean absolute deviation of the logarithms)",
    "probability_of_superiority": "probability that a value after is higher than one before",
}


def change_words(e: Effect, unit: str, share: bool = False) -> str:
    """What happened, with its size."""
    plain = e.quantity.removeprefix("difference_of_").replace("_", " ")
    name = NAMES.get(e.quantity, plain.upper() if plain[1:].isdigit() else plain)
    spread = abs(e.estimate) / 10
    if e.form == "probability":
        return f"the {name} is {percent(e.estimate)}"
    if share and e.quantity in ("difference_of_proportions", "difference_of_means"):
        verb = "stayed at" if e.estimate == 0 else "fell from" if e.estimate < 0 else "rose from"
        to = "" if e.estimate == 0 else f" to {_share(e.after, e.estimate)}"
        return f"the share {verb} {_share(e.before, e.estimate)}{to}"
    verb = "is unchanged" if e.estimate == e.null else "fell" if e.estimate < e.null else "rose"
    if e.estimate == e.null:
        return f"the {name} {verb}"
    if math.isinf(e.estimate) or (e.form == "ratio" and e.estimate == 0):
        return f"the {name} {verb} {'from' if math.isinf(e.estimate) else 'to'} 0"
    former = "their former" if name == "odds" else "its former"
    if e.form == "ratio":
        times = number(e.estimate, 2, spread=abs(e.estimate - 1) / 10)
        if e.estimate >= 3:
            return f"the {name} {verb} to {times} times {former} value"
        return f"the {name} {verb} by {percent(abs(e.estimate - 1))} to {times} times {former} value"
    levels = ""
    if not math.isnan(e.before) and e.quantity == "difference_of_means":
        # as many digits as it takes to see the difference between the two
        levels = f" from {number(e.before, spread=spread)} to {number(e.after, spread=spread)}"
    return f"the {name} {verb} by {with_unit(number(abs(e.estimate)), unit)}{levels}"


def range_words(e: Effect, unit: str, share: bool = False) -> str:
    """The two ends of the interval."""
    width = e.high - e.low
    if e.form == "ratio" and math.isinf(e.high):
        return f"{number(e.low, 2)} times and more"
    if e.form == "ratio":
        return f"{number(e.low, 2, spread=width / 10)} to {number(e.high, 2, spread=width / 10)} times"
    if e.form == "probability":
        return f"{percent(e.low)} to {percent(e.high)}"
    if share and e.form == "difference":
        places = _places(100 * width)
        return f"{100 * e.low:+.{places}f} to {100 * e.high:+.{places}f} points"
    return f"{_signed(e.low, width)} to {with_unit(_signed(e.high, width), unit)}"


def given_words(e: Effect, unit: str, value: float) -> str:
    """How a side stands to a given value."""
    name = NAMES.get(e.quantity, e.quantity.replace("_", " "))
    given = with_unit(number(value), unit)
    if e.estimate == e.null:
        return f"the {name} is the given {given}"
    if e.form == "ratio":
        times = number(e.estimate, 2, spread=abs(e.estimate - 1) / 10)
        return f"the {name} is {times} times the given {given}"
    size = with_unit(number(abs(e.estimate)), unit)
    return f"the {name} lies {size} {'below' if e.estimate < e.null else 'above'} the given {given}"


def _signed(x: float, width: float) -> str:
    said = number(x, spread=width / 10)
    return f"+{said}" if x > 0 else said


def _share(p: float, difference: float) -> str:
    return f"{100 * p:.{_places(100 * difference)}f}%"


def _places(points: float) -> int:
    """Decimals of a percentage, so that a difference of this many points shows; one at least."""
    if not (math.isfinite(points) and points != 0):
        return 1
    return min(max(1, -math.floor(math.log10(abs(points)))), 8)


def margin_words(e: Effect, margin: float, unit: str, share: bool = False) -> str:
    """The margin as it is said."""
    if e.form == "ratio":
        return f"{number(1 / margin)} to {number(margin)} times"
    if e.form == "probability":
        return f"{percent(0.5 - margin)} to {percent(0.5 + margin)}"
    if share and e.form == "difference":
        return f"plus or minus {number(100 * margin)} points"
    return f"plus or minus {with_unit(number(margin), unit)}"


def direction_words(e: Effect, better: str) -> str:
    """Whether that is better or worse."""
    if better not in ("lower", "higher") or e.quantity.startswith(SPREADS):
        return ""
    fell = e.estimate < e.null
    return ", an improvement" if fell == (better == "lower") else ", a deterioration"
