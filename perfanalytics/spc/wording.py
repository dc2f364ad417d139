"""Numbers, days and points as a meeting reads them out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from perfanalytics.core.measure import Measure

#: English whatever the locale of the machine: a verdict is part of the result.
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def number(value: float, spread: float = math.nan, *, share: bool = False) -> str:
    """A number with as many decimals as its spread deserves: to two significant digits of the spread.

    Examples
    --------
    >>> number(34.0885, 0.507), number(0.2313, 0.06, share=True), number(12345.6, 900.0), number(3.2e-12)
    ('34.09', '23.1%', '12,350', '3.2e-12')
    """
    if not math.isfinite(value):
        return "unknown"
    if share:
        value, spread = 100 * value, 100 * spread
    if value != 0 and not 1e-6 <= abs(value) < 1e15:
        return f"{value:.3g}" + ("%" if share else "")
    scale = spread if math.isfinite(spread) and spread > 0 else abs(value) / 10
    decimals = 1 - math.floor(math.log10(scale)) if scale > 0 else 0
    decimals = max(min(decimals, 12), -3) if not share else max(min(decimals - 1, 6), 1)
    rounded = round(value, decimals)
    text = f"{rounded:,.{max(decimals, 0)}f}"
    return text + ("%" if share else "")


def p_text(p: float) -> str:
    """A p-value in words: "p = 0.04", "p < 0.001".

    Examples
    --------
    >>> p_text(0.0424), p_text(1e-9), p_text(0.4)
    ('p = 0.042', 'p < 0.001', 'p = 0.40')
    """
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def moment(when: np.datetime64, every: str | None = None) -> str:
    """A time as people write it: "24 March 2016", with the hour where it is not midnight.

    Examples
    --------
    >>> moment(np.datetime64("2016-03-24")), moment(np.datetime64("2016-03-01"), "month")
    ('24 March 2016', 'March 2016')
    """
    t: Any = when.astype("datetime64[us]").item()
    month = MONTHS[t.month - 1]
    if every == "year":
        return str(t.year)
    if every == "month":
        return f"{month} {t.year}"
    day = f"{t.day} {month} {t.year}"
    if every in ("day", "week", "quarter") or (t.hour, t.minute, t.second) == (0, 0, 0):
        return day
    return f"{day} {t.hour:02d}:{t.minute:02d}"


def points_word(n: int, every: str | None) -> str:
    """ "points", or the periods of the series: "weeks".

    Examples
    --------
    >>> points_word(1, "week"), points_word(3, None)
    ('week', 'points')
    """
    return (every or "point") + ("" if n == 1 else "s")


def nth(point: int) -> str:
    """The point at a 0-based position, as people count: "the 4th point".

    Examples
    --------
    >>> nth(0), nth(1), nth(11), nth(22)
    ('the 1st point', 'the 2nd point', 'the 12th point', 'the 23rd point')
    """
    k = point + 1
    ending = "th" if k % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"the {k:,}{ending} point"


def unit_of(measure: Measure) -> str:
    """The unit with a space before it, or nothing."""
    return "" if measure.unit in ("", "1", "%") else f" {measure.unit}"
