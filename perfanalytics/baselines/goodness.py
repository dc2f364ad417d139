"""How well a fitted distribution fits: the Anderson-Darling statistic, right for estimated parameters."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.core.columns import Floats


def anderson_darling(u: Floats) -> Floats:
    """A squared of sorted probabilities under the fitted distribution, one a row.

    ``-n - 1/n sum (2i - 1) (log u_i + log(1 - u_(n+1-i)))``

    Parameters
    ----------
    u : float array, shape (..., n)
        ``F(x_(i))`` in rising order; kept away from 0 and 1 by 1e-300.

    References
    ----------
    Anderson and Darling (1954), JASA 49, 765-769.

    Examples
    --------
    >>> round(float(anderson_darling((np.arange(10) + 0.5) / 10)), 4)
    0.0766
    """
    n = u.shape[-1]
    weight = 2 * np.arange(1, n + 1) - 1
    low = np.log(np.clip(u, 1e-300, None))
    high = np.log(np.clip(1 - u[..., ::-1], 1e-300, None))
    return np.asarray(-n - ((low + high) * weight).sum(axis=-1) / n)


def p_normal(a: float, n: int) -> float:
    """p-value of A squared for a normal (lognormal) distribution with both parameters estimated.

    References
    ----------
    D'Agostino and Stephens (1986), Goodness-of-Fit Techniques, table 4.9.

    Examples
    --------
    >>> round(p_normal(0.752 / (1 + 0.75 / 100 + 2.25 / 100**2), 100), 3)
    0.05
    """
    a *= 1 + 0.75 / n + 2.25 / n**2
    if a < 0.2:
        return 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    if a < 0.34:
        return 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    if a < 0.6:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    return min(1.0, math.exp(1.2937 - 5.709 * a + 0.0186 * a * a)) if a < 13 else 0.0


def p_weibull(a: float, n: int) -> float:
    """p-value of A squared for a Weibull (extreme-value) distribution with both parameters estimated.

    ``1 / (1 + exp(-0.10 + 1.24 log A* + 4.48 A*))``, ``A* = (1 + 0.2 / sqrt(n)) A``: it meets the percentage
    points of Stephens to three digits.

    References
    ----------
    Stephens (1977), Biometrika 64, 583-588; MIL-HDBK-17-1F (2002), section 8.3.4.2.

    Examples
    --------
    >>> [round(p_weibull(a, 10**9), 3) for a in (0.474, 0.637, 0.757, 0.877, 1.038)]
    [0.25, 0.1, 0.05, 0.025, 0.01]
    """
    a *= 1 + 0.2 / math.sqrt(n)
    return 1 / (1 + math.exp(min(700.0, -0.10 + 1.24 * math.log(a) + 4.48 * a)))


def p_exponential(a: float, n: int) -> float:
    """p-value of A squared for an exponential distribution with its scale estimated.

    References
    ----------
    D'Agostino and Stephens (1986), Goodness-of-Fit Techniques, table 4.14.

    Examples
    --------
    >>> [round(p_exponential(a, 10**9), 3) for a in (0.736, 1.062, 1.321, 1.959)]
    [0.25, 0.101, 0.051, 0.01]
    """
    a *= 1 + 0.6 / n
    if a < 0.26:
        return 1 - math.exp(-12.2204 + 67.459 * a - 110.3 * a * a)
    if a < 0.51:
        return 1 - math.exp(-6.1327 + 20.218 * a - 18.663 * a * a)
    if a < 0.95:
        return math.exp(0.9209 - 3.353 * a + 0.3 * a * a)
    return math.exp(0.731 - 3.009 * a + 0.15 * a * a) if a < 10 else 0.0


#: Fewer values than this can speak against no distribution.
FEWEST_TESTED = 8
#: Family -> p-value of its A squared and where it comes from; the others are simulated.
P_VALUES = {
    "normal": (p_normal, "D'Agostino and Stephens (1986), table 4.9"),
    "lognormal": (p_normal, "D'Agostino and Stephens (1986), table 4.9"),
    "weibull": (p_weibull, "Stephens (1977), formula of MIL-HDBK-17"),
    "exponential": (p_exponential, "D'Agostino and Stephens (1986), table 4.14"),
}
