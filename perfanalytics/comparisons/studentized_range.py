"""The studentized range: the distribution behind Tukey's and Games and Howell's comparisons."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special

from perfanalytics.comparisons.noncentral import bisect
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

# The integrand over z dies beyond +-8.5 and is smooth: the trapezoid rule converges faster than any power.
_Z = np.linspace(-8.5, 8.5, 171)
_PHI = np.exp(-0.5 * _Z**2) / math.sqrt(2 * math.pi) * (_Z[1] - _Z[0])
_BELOW = np.asarray(special.ndtr(_Z))


@lru_cache(maxsize=512)
def _scale(df: float) -> tuple[Floats, Floats]:
    """Nodes u = sqrt(chi2 / df) and the weights of its law, on 160 Gauss-Legendre points."""
    node, weight = np.polynomial.legendre.leggauss(160)
    middle = math.sqrt(max(df - 0.5, 0.0) / df) if df > 1 else 0.6
    width = 9.0 / math.sqrt(2 * df)
    low, high = max(0.0, middle - width), middle + width + 1.5 / df
    u = 0.5 * (high + low) + 0.5 * (high - low) * node
    constant = (df / 2) * math.log(df / 2) - float(special.gammaln(df / 2)) + math.log(2.0)
    return u, 0.5 * (high - low) * weight * np.exp(constant + (df - 1) * np.log(u) - df * u * u / 2)


def range_cdf(w: Floats, k: int) -> Floats:
    """P(range of k standard normal values <= w), shape of ``w``."""
    inside = np.maximum(_BELOW - special.ndtr(_Z - w[:, None]), 0.0)
    return np.asarray(np.minimum(k * (inside ** (k - 1) @ _PHI), 1.0))


def upper_tail(q: float, k: int, df: float) -> float:
    """P(Q > q) of the range of k means, studentized with ``df`` degrees of freedom.

    Absolute error about 1e-10 for df of at least 2.

    Raises
    ------
    InputError
        For fewer than two groups.

    References
    ----------
    Copenhaver and Holland (1988), J. Statistical Computation and Simulation 30; R ``ptukey``.

    Examples
    --------
    >>> round(upper_tail(3.5, 3, 20), 10)
    0.0558918491
    """
    if k < 2:
        raise InputError(f"a range needs at least two groups, got {k}")
    if math.isnan(q) or math.isnan(df):
        return math.nan
    if q <= 0:
        return 1.0
    if math.isinf(df):
        return float(1.0 - range_cdf(np.array([q]), k)[0])
    u, weight = _scale(float(df))
    return min(1.0, max(0.0, float(weight @ (1.0 - range_cdf(q * u, k)))))


@lru_cache(maxsize=4096)
def quantile(confidence: float, k: int, df: float) -> float:
    """The q that Q stays below with this confidence.

    References
    ----------
    R ``qtukey``.

    Examples
    --------
    >>> round(quantile(0.95, 3, 20), 6)
    3.577935
    """
    if math.isnan(df):
        return math.nan
    high = 4.0
    while upper_tail(high, k, df) > 1 - confidence and high < 1e6:
        high *= 2
    return bisect(lambda q: upper_tail(q, k, df) - (1 - confidence), 1e-6, high)
