"""Intervals for sums and differences of mean squares, and for their ratios: modified large sample.

A variance component is a linear combination of independent mean squares. Its interval is as wide as the exact
chi-square interval of each term would ask for when the others were known, with the cross terms that make it
exact for two mean squares. A sum with positive signs only is Graybill and Wang's.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ends = tuple[float, float]


def mls_interval(coefficients: Floats, squares: Floats, df: Floats, *, confidence: float) -> Ends:
    """Interval of ``sum(coefficients * E(squares))``, cut at nothing: it may begin below 0.

    Parameters
    ----------
    coefficients, squares, df : float arrays, shape (q,)
        Of the mean squares; a coefficient of 0 takes no part.
    confidence : float

    References
    ----------
    Graybill and Wang (1980), JASA 75. Ting, Burdick, Graybill, Jeyaratnam and Lu (1990), J. Statistical
    Computation and Simulation 35. Burdick and Graybill (1992), Confidence Intervals on Variance Components,
    section 3.3. Burdick, Borror and Montgomery (2003), J. Quality Technology 35.

    Examples
    --------
    >>> low, high = mls_interval(np.array([1.0]), np.array([4.0]), np.array([10.0]), confidence=0.95)
    >>> round(low, 4), round(high, 4)  # chi-square: exact
    (1.9528, 12.3192)
    """
    used = coefficients != 0
    c, s, n = coefficients[used], squares[used], df[used]
    terms = c * s
    alpha = (1 - confidence) / 2
    center = float(terms.sum())
    below = math.sqrt(max(0.0, _spread(terms, n, alpha)))
    above = math.sqrt(max(0.0, _spread(-terms, n, alpha)))
    return center - below, center + above


def _spread(terms: Floats, n: Floats, alpha: float) -> float:
    """Squared distance of the lower end; that of the upper end with all signs turned."""
    shrink = 1 - n / special.chdtri(n, alpha)  # G: how far below the estimate the mean square may lie
    stretch = n / special.chdtri(n, 1 - alpha) - 1  # H: how far above
    plus, minus = np.flatnonzero(terms > 0), np.flatnonzero(terms < 0)
    total = float(np.sum((shrink * terms)[plus] ** 2) + np.sum((stretch * terms)[minus] ** 2))
    if not len(minus):
        return total
    for q in plus:
        for r in minus:
            f = float(special.fdtri(n[q], n[r], 1 - alpha))
            cross = ((f - 1) ** 2 - shrink[q] ** 2 * f**2 - stretch[r] ** 2) / f
            total += cross * terms[q] * -terms[r]
    for i, q in enumerate(plus):
        for t in plus[i + 1 :]:
            both = n[q] + n[t]
            joint = (1 - both / float(special.chdtri(both, alpha))) ** 2 * both**2 / (n[q] * n[t])
            cross = joint - shrink[q] ** 2 * n[q] / n[t] - shrink[t] ** 2 * n[t] / n[q]
            total += cross / (len(plus) - 1) * terms[q] * terms[t]
    return total


def mls_ratio(top: Floats, bottom: Floats, squares: Floats, df: Floats, *, confidence: float) -> Ends:
    """Interval of ``sum(top * E) / sum(bottom * E)``, a ratio of at least 0.

    Those ratios for which the interval of ``top - ratio * bottom`` holds 0.

    Examples
    --------
    >>> low, high = mls_ratio(np.array([1.0, 0]), np.array([0, 1.0]), np.array([8.0, 2.0]),
    ...                       np.array([9.0, 20.0]), confidence=0.95)
    >>> round(low, 4), round(high, 3)  # F(9, 20): exact
    (1.4102, 14.668)
    """

    def ends(ratio: float) -> Ends:
        return mls_interval(top - ratio * bottom, squares, df, confidence=confidence)

    # a component of 0 leaves no room for a ratio: the difference is negative whatever the ratio
    low = _root(lambda r: ends(r)[0])
    high = _root(lambda r: ends(r)[1])
    return low, high


def _root(f: object) -> float:
    """Where a falling function of a ratio crosses 0; 0 when it starts below, infinite when it never does."""
    assert callable(f)
    if f(0.0) <= 0:
        return 0.0
    high = 1.0
    while f(high) > 0:
        high *= 4
        if high > 1e18:
            return math.inf
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if f(middle) > 0 else (low, middle)
    return (low + high) / 2
