"""The noncentral t distribution, by quadrature: library routines give NaN or lose digits far out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats


@lru_cache(maxsize=1)
def legendre() -> tuple[Floats, Floats]:
    """400 Gauss-Legendre points on (-1, 1) and their weights."""
    node, weight = np.polynomial.legendre.leggauss(400)
    return node, weight


@lru_cache(maxsize=256)
def _scale_law(df: float) -> tuple[Floats, Floats]:
    """Nodes u = sqrt(chi2 / df) and weights of its distribution, on 400 Gauss-Legendre points."""
    node, weight = legendre()
    middle = math.sqrt(max(df - 0.5, 0.0) / df) if df > 1 else 0.6
    width = 9.5 / math.sqrt(2 * df)
    low, high = max(0.0, middle - width), middle + width + 1.5 / df
    u = 0.5 * (high + low) + 0.5 * (high - low) * node
    constant = (df / 2) * math.log(df / 2) - float(special.gammaln(df / 2)) + math.log(2.0)
    log_density = constant + (df - 1) * np.log(u) - df * u * u / 2
    return u, 0.5 * (high - low) * weight * np.exp(log_density)


def nct_cdf(t: float, df: float, nc: float) -> float:
    """P(T <= t) for Student's t with ``df`` degrees of freedom and noncentrality ``nc``.

    ``E Phi(t U - nc)``, U = sqrt(chi2_df / df), integrated over U; absolute error about 1e-13 for df of at
    least 2, whatever the noncentrality.

    References
    ----------
    Johnson, Kotz and Balakrishnan (1995), Continuous Univariate Distributions 2, eq. 31.11.

    Examples
    --------
    >>> round(nct_cdf(2.0, 10, 1.0), 10)
    0.8076115625
    """
    if math.isinf(df):
        return float(special.ndtr(t - nc))
    u, weight = _scale_law(float(df))
    below = float(np.dot(weight, special.ndtr(t * u - nc)))
    return min(1.0, max(0.0, below))


def noncentrality_interval(t: float, df: float, confidence: float) -> tuple[float, float]:
    """The noncentralities for which the t seen lies at the two tails.

    References
    ----------
    Steiger and Fouladi (1997), Noncentrality interval estimation, 229-232.
    """
    tail = (1 - confidence) / 2
    reach = 8.0 + 3.0 * abs(t) / math.sqrt(2 * df)
    low = bisect(lambda nc: nct_cdf(t, df, nc) - (1 - tail), t - reach - 2, t + reach)
    high = bisect(lambda nc: nct_cdf(t, df, nc) - tail, t - reach, t + reach + 2)
    return low, high


def bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is zero between two bounds, to the last digits.

    Illinois' rule of false position, which needs no derivative and keeps the bracket.
    """
    a, b = low, high
    fa, fb = f(a), f(b)
    for _ in range(200):
        if fa == 0 or fb == 0 or abs(b - a) <= 1e-13 * max(1.0, abs(a), abs(b)):
            break
        c = (a * fb - b * fa) / (fb - fa)
        if not min(a, b) < c < max(a, b):
            c = 0.5 * (a + b)
        fc = f(c)
        if (fc > 0) == (fb > 0):
            fa *= 0.5
        else:
            a, fa = b, fb
        b, fb = c, fc
        if fb == 0:
            break
    return b if abs(fb) <= abs(fa) else a
