"""Numbers as a meeting reads them out."""

from __future__ import annotations

import math


def number(x: float, digits: int = 3) -> str:
    """``digits`` significant digits, no exponent, thousands separated, minus sign kept with the number.

    Examples
    --------
    >>> number(0.012345), number(1234567.0), number(-3.0), number(24.96)
    ('0.0123', '1,230,000', '-3', '25')
    """
    if math.isnan(x):
        return "not defined"
    if math.isinf(x):
        return "no limit"
    if x == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(x)))
    places = max(0, digits - 1 - magnitude)
    rounded = round(x, digits - 1 - magnitude)
    text = f"{rounded:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(x: float) -> str:
    """A share in percent.

    Examples
    --------
    >>> percent(0.2345), percent(0.004)
    ('23%', '0.4%')
    """
    return f"{100 * x:.0f}%" if abs(x) >= 0.095 or x == 0 else f"{number(100 * x, 2)}%"


def p_text(p: float) -> str:
    """A p-value as it is said: "p = 0.034", "p < 0.001".

    Examples
    --------
    >>> p_text(0.03412), p_text(1e-7)
    ('p = 0.034', 'p < 0.001')
    """
    if math.isnan(p):
        return "p not defined"
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def with_unit(text: str, unit: str) -> str:
    """The number with its unit, if it has one."""
    return text if unit in ("", "1") else f"{text} {unit}"
