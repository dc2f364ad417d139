"""Numbers as a meeting reads them out."""

from __future__ import annotations

import math


def number(x: float, digits: int = 3, *, spread: float = math.nan) -> str:
    """``digits`` significant digits, thousands separated, minus sign kept with the number.

    Parameters
    ----------
    x : float
    digits : int
        Significant digits.
    spread : float
        Differences of this size shall show: as many more digits as that takes (at most 15 in all).

    Notes
    -----
    From 1e9 on and below 1e-6 with a power of ten, unless the spread asks for more than six digits.

    Examples
    --------
    >>> number(0.012345), number(1234567.0), number(-3.0), number(24.96)
    ('0.0123', '1,230,000', '-3', '25')
    >>> number(1234567.0, spread=2.5), number(2.5e12), number(3.14e-8)
    ('1,234,567', '2.5e12', '3.14e-8')
    """
    if math.isnan(x):
        return "not defined"
    if math.isinf(x):
        return "no limit"
    if x == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(x)))
    places = digits - 1 - magnitude
    if math.isfinite(spread) and spread > 0:
        places = min(max(places, -math.floor(math.log10(spread))), 14 - magnitude)
    significant = places + magnitude + 1
    if powers_of_ten(x, significant):
        mantissa, _, exponent = f"{x:.{max(significant, 1) - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    text = f"{round(x, places):,.{max(0, places)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def powers_of_ten(x: float, significant: int) -> bool:
    """Whether a number is written with a power of ten: very large or very small, and short enough.

    Examples
    --------
    >>> powers_of_ten(1e12, 3), powers_of_ten(1e12, 13), powers_of_ten(0.5, 3)
    (True, False, False)
    """
    size = abs(x)
    return bool(x) and (size < 1e-6 or size >= 1e15 or (size >= 1e9 and significant <= 6))


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
