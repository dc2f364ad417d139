"""The constants of control charts, computed: c4, d2, d3, d4 and what follows from them.

They belong to samples from a normal distribution. Tables print them with three or four digits (d2 =
1.128, 2.66 = 3 / 1.128); here they are exact to about 12 digits.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

# The range distribution is smooth and dies beyond +-9: the trapezoid rule converges faster than any power.
_GRID = np.linspace(-9.0, 9.0, 721)
_STEP = float(_GRID[1] - _GRID[0])


def c4(n: Any) -> Floats:
    """Mean of the standard deviation (divisor n - 1) of n normal values, in sigma.

    ``sqrt(2 / (n - 1)) gamma(n / 2) / gamma((n - 1) / 2)``; array_like of n >= 2, NaN below.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., eq. 3.17 and appendix VI.

    Examples
    --------
    >>> round(float(c4(5)), 4)
    0.94
    """
    n = np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.sqrt(2.0 / (n - 1.0)) * np.exp(special.gammaln(n / 2.0) - special.gammaln((n - 1.0) / 2.0))
    return np.asarray(np.where(n >= 2, out, np.nan))


@lru_cache(maxsize=256)
def d2(n: int) -> float:
    """Mean range of n normal values, in sigma; exact 2 / sqrt(pi) for two.

    ``integral of 1 - Phi(x)^n - (1 - Phi(x))^n``.

    References
    ----------
    Tippett (1925), Biometrika 17; Montgomery (2013), appendix VI.

    Examples
    --------
    >>> round(d2(5), 4)
    2.3259
    """
    _check(n)
    if n == 2:
        return 2.0 / math.sqrt(math.pi)
    below = special.ndtr(_GRID)
    return float(np.sum(1.0 - below**n - special.ndtr(-_GRID) ** n) * _STEP)


@lru_cache(maxsize=256)
def d3(n: int) -> float:
    """Standard deviation of the range of n normal values, in sigma.

    From ``E W^2 = integral of 2 w (1 - F(w))`` with ``F(w) = n integral phi(x) (Phi(x + w) - Phi(x))^(n-1)``.

    References
    ----------
    Tippett (1925), Biometrika 17; Montgomery (2013), appendix VI.

    Examples
    --------
    >>> round(d3(5), 4)
    0.8641
    """
    _check(n)
    if n == 2:
        return math.sqrt(2.0 - 4.0 / math.pi)
    w, weight = np.polynomial.legendre.leggauss(80)
    w, weight = 9.0 * (w + 1.0), 9.0 * weight
    inside = special.ndtr(_GRID[:, None] + w) - special.ndtr(_GRID)[:, None]
    density = np.exp(-0.5 * _GRID**2) / math.sqrt(2.0 * math.pi)
    below = n * _STEP * (density @ inside ** (n - 1))
    return math.sqrt(float(np.sum(weight * 2.0 * w * (1.0 - below))) - d2(n) ** 2)


@lru_cache(maxsize=256)
def d4_median(n: int = 2) -> float:
    """Median of the range of n normal values, in sigma; ``sqrt(2) Phi^-1(3/4)`` for two.

    Where ``F(w) = n integral phi(x) (Phi(x + w) - Phi(x))^(n-1)`` is one half.

    References
    ----------
    Wheeler (1995), Advanced Topics in Statistical Process Control, the constant d4.

    Examples
    --------
    >>> round(d4_median(), 4), round(d4_median(3), 3)
    (0.9539, 1.588)
    """
    _check(n)
    if n == 2:
        return math.sqrt(2.0) * float(special.ndtri(0.75))
    density = np.exp(-0.5 * _GRID**2) / math.sqrt(2.0 * math.pi)
    low, high = 0.0, 12.0
    # bisection to the last bit: 60 halvings
    for _ in range(60):
        w = (low + high) / 2.0
        inside = special.ndtr(_GRID + w) - special.ndtr(_GRID)
        below = n * _STEP * float(density @ inside ** (n - 1))
        low, high = (w, high) if below < 0.5 else (low, w)
    return (low + high) / 2.0


@lru_cache(maxsize=256)
def median_spread(n: int) -> float:
    """Standard deviation of the median of n normal values, in sigma.

    For even n of the mean of the two middle values, from their joint density.

    References
    ----------
    David and Nagaraja (2003), Order Statistics, 3rd ed., section 2.2 (joint density of two order statistics).

    Examples
    --------
    >>> round(median_spread(5), 4), round(median_spread(4), 4)
    (0.5356, 0.5461)
    """
    _check(n)
    below, density = special.ndtr(_GRID), np.exp(-0.5 * _GRID**2) / math.sqrt(2.0 * math.pi)
    m = n // 2
    log_ways = math.lgamma(n + 1)
    if n % 2:
        weight = math.exp(log_ways - 2.0 * math.lgamma(m + 1))
        return math.sqrt(float(weight * np.sum(_GRID**2 * density * (below * (1.0 - below)) ** m) * _STEP))
    # the two middle values lie t on either side of their mean
    t, part = np.polynomial.legendre.leggauss(80)
    t, part = 4.5 * (t + 1.0), 4.5 * part
    low, high = _GRID[:, None] - t, _GRID[:, None] + t
    joint = (special.ndtr(low) * special.ndtr(-high)) ** (m - 1) * np.exp(-0.5 * (low**2 + high**2)) / np.pi
    weight = math.exp(log_ways - 2.0 * math.lgamma(m))
    return math.sqrt(float(weight * np.sum(_GRID**2 * (joint @ part)) * _STEP))


def _check(n: int) -> None:
    if n != int(n) or n < 2:
        raise InputError(f"a range needs at least 2 values, got n = {n}")
