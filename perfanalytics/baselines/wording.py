"""Numbers as a meeting reads them out: three digits, percentages as percentages."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.comparisons.words import number as rounded
from perfanalytics.comparisons.words import powers_of_ten

#: Units that are written in the singular after 1.
PLURALS = (
    *("seconds", "minutes", "hours", "days", "weeks", "months", "years", "working days", "working hours"),
    *("person-hours", "person-days", "person-months", "points", "calls", "failures", "defects"),
)


def number(value: float, unit: str = "", *, spread: float = math.nan) -> str:
    """A number with at most three significant digits (all digits before the point are kept).

    More digits where differences of the size of ``spread`` shall show; a power of ten from 1e9 on and below
    1e-6, unless the spread asks for more than six digits.

    Examples
    --------
    >>> number(12.3456, "hours"), number(123456.7), number(0.000123), number(5.0)
    ('12.3 hours', '123,457', '0.000123', '5')
    >>> number(123456.7, spread=0.5), number(1.5e12)
    ('123,456.7', '1.5e12')
    >>> number(1.0, "hours"), number(1.02, "hours")
    ('1 hour', '1.02 hours')
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else ("no upper end" if value > 0 else "no lower end")
    if value == 0:
        text = "0"
    else:
        before = 1 + math.floor(math.log10(abs(value)))
        text = rounded(value, 3 if powers_of_ten(value, 3) else max(3, before), spread=spread)
    if text == "1" and unit in PLURALS:
        unit = unit[:-1]
    return f"{text} {unit}" if unit not in ("", "1") else text


def percent(share: float, *, fine: bool = False) -> str:
    """A share as a percentage: one decimal near the ends (everywhere when ``fine``), none in the middle.

    Examples
    --------
    >>> percent(0.8321), percent(0.985), percent(0.0213), percent(1.0)
    ('83%', '98.5%', '2.1%', '100%')
    >>> percent(0.7713, fine=True)
    '77.1%'
    """
    if math.isnan(share):
        return "unknown"
    value = 100 * share
    if value in (0.0, 100.0):
        return f"{value:.0f}%"
    if 0 < value < 0.1 or 99.9 < value < 100:
        return "less than 0.1%" if value < 50 else "more than 99.9%"
    return f"{value:.0f}%" if 10 <= value <= 90 and not fine else f"{value:.1f}%".replace(".0%", "%")


def span(low: float, high: float, unit: str = "") -> str:
    """A range in words, also where one end is open.

    Examples
    --------
    >>> span(1, 2.5, "hours"), span(float("-inf"), 3, "days")
    ('1 to 2.5 hours', 'at most 3 days')
    """
    if not math.isfinite(low) and not math.isfinite(high):
        return "without finite ends"
    if not math.isfinite(low):
        return f"at most {number(high, unit)}"
    if not math.isfinite(high):
        return f"at least {number(low, unit)}"
    spread = (high - low) / 10
    return f"{number(low, spread=spread)} to {number(high, unit, spread=spread)}"


def adequacy_text(
    center: float, low: float, high: float, unit: str, more: int, *, periods: bool = False
) -> str:
    """How wide the interval of a center is, and what would halve it.

    Examples
    --------
    >>> adequacy_text(10.0, 9.0, 11.0, "hours", 90)
    'The center is known to within 1 hour (10% of it); 90 more points would halve that.'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "How well the center is known cannot be said."
    half = (high - low) / 2
    relative = f" ({percent(half / abs(center))} of it)" if center else ""
    text = f"The center is known to within {number(half, unit)}{relative}"
    if more < 0:
        return f"{text}."
    if half == 0:
        return f"{text}: the values do not vary."
    return f"{text}; {count(more, 'more period' if periods else 'more point')} would halve that."


def day(time: np.datetime64) -> str:
    """The date of a time."""
    return str(time.astype("datetime64[D]"))


def count(n: int, thing: str) -> str:
    """A number of things, in the singular where there is one.

    Examples
    --------
    >>> count(1, "point"), count(1200, "point")
    ('1 point', '1,200 points')
    """
    return f"{n:,} {thing}" + ("" if n == 1 else "s")


def share_interval(share: float, low: float, high: float, confidence: float) -> tuple[str, str]:
    """A share and its interval, with a decimal where the interval is narrow.

    Examples
    --------
    >>> share_interval(0.7713, 0.7653, 0.7771, 0.95)
    ('77.1%', '(95% interval 76.5% to 77.7%)')
    """
    fine = high - low < 0.03
    ends = f"{percent(low, fine=fine)} to {percent(high, fine=fine)}"
    return percent(share, fine=fine), f"({percent(confidence)} interval {ends})"
