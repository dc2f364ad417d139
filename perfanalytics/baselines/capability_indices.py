"""Capability indices of a normal process and their intervals, for one series or many at once.

Everything here takes numbers or arrays of the same shape; a limit that does not exist is NaN.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.spc.constants import c4, d2, d3

#: Degrees of freedom of sigma from n - 1 moving ranges of two, over n - 1 (AIAG, Montgomery, Minitab).
MOVING_RANGE_DF = 0.62
#: The same for the median moving range. Its asymptotic variance is ``(1/4 + 2 cov) / f(m)^2`` with m = 0.9539
#: the median of |d|, f its density there, and cov the covariance of "below the median" of neighbouring ranges
#: (normal differences with correlation -1/2); 1 / (2 var / m^2) = 0.301.
MEDIAN_MOVING_RANGE_DF = 0.30


def mean_and_spread(
    mean: Floats, sd: Floats, lower: Floats, upper: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Potential, lower, upper and smaller index (Cp, Cpl, Cpu, Cpk or Pp, Ppl, Ppu, Ppk).

    Examples
    --------
    >>> one = np.float64
    >>> [round(float(i), 3) for i in mean_and_spread(one(10), one(1), one(6), one(16))]
    [1.667, 1.333, 2.0, 1.333]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        potential = (upper - lower) / (6 * sd)
        low, high = (mean - lower) / (3 * sd), (upper - mean) / (3 * sd)
    return potential, low, high, np.asarray(np.fmin(low, high))


def potential_interval(index: Floats, df: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Chi-square interval of Cp or Pp: ``Cp sqrt(chi2(alpha / 2; df) / df)`` and so on.

    References
    ----------
    Kane (1986), Journal of Quality Technology 18, 41-52; Montgomery (2013), eq. 8.19.

    Examples
    --------
    Montgomery's example 8.4: Cp 2.29, n = 20

    >>> low, high = potential_interval(np.float64(2.29), np.float64(19), confidence=0.95)
    >>> round(float(low), 2), round(float(high), 2)
    (1.57, 3.01)
    """
    alpha = 1 - confidence
    with np.errstate(invalid="ignore", divide="ignore"):
        low = index * np.sqrt(special.chdtri(df, 1 - alpha / 2) / df)
        high = index * np.sqrt(special.chdtri(df, alpha / 2) / df)
    usable = np.asarray(df) > 0
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def bissell_interval(index: Floats, df: Floats, n: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Interval of Cpk (Cpl, Cpu): ``Cpk +- z sqrt(1 / (9 n) + Cpk^2 / (2 df))``.

    References
    ----------
    Bissell (1990), How reliable is your capability index?, Applied Statistics 39, 331-340; Montgomery (2013),
    eq. 8.21.

    Examples
    --------
    Montgomery's example 8.5: Cpk 1.33, n = 20

    >>> low, high = bissell_interval(np.float64(1.33), np.float64(19), np.float64(20), confidence=0.95)
    >>> round(float(low), 2), round(float(high), 2)
    (0.88, 1.78)
    """
    z = float(special.ndtri((1 + confidence) / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        half = z * np.sqrt(1 / (9 * n) + index**2 / (2 * df))
    half = np.where((np.asarray(df) > 0) & (np.asarray(n) > 0), half, np.nan)
    return index - half, index + half


def cpm(
    mean: Floats, sd: Floats, df: Floats, lower: Floats, upper: Floats, target: Floats, *, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Cpm with its interval.

    ``min(U - T, T - L) / (3 tau)``, ``tau^2 = sum (x - T)^2 / n``, is ``(U - L) / (6 tau)`` where the target
    lies in the middle. Interval: chi-square with ``n (1 + x^2)^2 / (1 + 2 x^2)`` degrees of freedom,
    ``x = (mean - T) / s``, n = df + 1.

    References
    ----------
    Chan, Cheng and Spiring (1988), Journal of Quality Technology 20, 162-175; Boyles (1991), Journal of
    Quality Technology 23, 17-26 (divisor n, interval).

    Examples
    --------
    >>> one = np.float64
    >>> found = cpm(one(10), one(1), one(49), one(6), one(16), one(11), confidence=0.95)
    >>> [round(float(i), 3) for i in found]
    [1.184, 0.984, 1.385]
    """
    n = df + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = np.sqrt(sd**2 * df / n + (mean - target) ** 2)
        index = np.fmin(upper - target, target - lower) / (3 * tau)
        x = (mean - target) / sd
        free = n * (1 + x**2) ** 2 / (1 + 2 * x**2)
    low, high = potential_interval(index, free, confidence=confidence)
    return np.asarray(index), low, high


def expected_outside(
    mean: Floats, sd: Floats, df: Floats, n: Floats, lower: Floats, upper: Floats, *, confidence: float
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Shares below, above and outside and Z.bench of a normal process: estimate, low, high of each.

    One side: ``Z = (U - mean) / sd`` with ``Z +- z sqrt(1 / n + Z^2 / (2 df))``, which is Bissell's interval;
    both: ``Z.bench = -Phi^-1(share outside)`` with its standard error by the delta method.

    Examples
    --------
    >>> one = np.float64
    >>> found = expected_outside(one(10), one(1), one(49), one(50), one(np.nan), one(12), confidence=0.95)
    >>> [round(float(x), 4) for x in found["outside"]], [round(float(x), 3) for x in found["z_bench"]]
    ([0.0228, 0.0065, 0.0647], [2.0, 1.517, 2.483])
    """
    z = float(special.ndtri((1 + confidence) / 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z_low, z_high = (mean - lower) / sd, (upper - mean) / sd
        shares, ends = {}, {}
        for name, at in (("below", z_low), ("above", z_high)):
            spread = np.sqrt(1 / n + at**2 / (2 * df))
            ends[name] = (special.ndtr(-at - z * spread), special.ndtr(-at + z * spread))
            shares[name] = np.where(np.isnan(at), 0.0, special.ndtr(-at))
        p = shares["below"] + shares["above"]
        bench = -special.ndtri(p)

        def density(at: Floats) -> Floats:
            return np.where(np.isnan(at), 0.0, np.exp(-0.5 * at**2))

        by_mean = density(z_high) - density(z_low)
        by_sd = density(z_high) * np.nan_to_num(z_high) + density(z_low) * np.nan_to_num(z_low)
        spread = np.sqrt(by_mean**2 / n + by_sd**2 / (2 * df)) / np.exp(-0.5 * bench**2)
        usable = (np.asarray(df) > 0) & (p > 0) & (p < 1)
        spread = np.where(usable, spread, np.nan)
        low, high = bench - z * spread, bench + z * spread
    out = {name: (shares[name], *ends[name]) for name in ("below", "above")}
    return out | {
        "outside": (p, np.asarray(special.ndtr(-high)), np.asarray(special.ndtr(-low))),
        "z_bench": (np.asarray(bench), low, high),
    }


@lru_cache(maxsize=1024)
def chi_df(relative_variance: float) -> float:
    """Degrees of freedom of the chi distribution with this relative variance (Patnaik's approximation).

    Solves ``1 / c4(nu + 1)^2 - 1 = relative variance``.

    References
    ----------
    Patnaik (1950), Biometrika 37, 78-87; David (1951), Biometrika 38, 393-409 (mean range).

    Examples
    --------
    Twenty ranges of five values tell as much as 73 degrees of freedom (tables: 72.7)

    >>> round(chi_df((d3(5) / d2(5)) ** 2 / 20), 1)
    72.7
    """
    low, high = 1e-3, 1 / relative_variance + 10
    for _ in range(200):
        middle = (low + high) / 2
        c = math.exp(math.lgamma((middle + 1) / 2) - math.lgamma(middle / 2)) * math.sqrt(2 / middle)
        low, high = (middle, high) if 1 / c**2 - 1 > relative_variance else (low, middle)
    return (low + high) / 2


def range_df(sizes: Floats, *, deviations: bool = False) -> float:
    """Degrees of freedom of the weighted mean of range / d2 (of s / c4 with ``deviations``) of subgroups."""
    total = 0.0
    for n, k in zip(*np.unique(sizes[sizes >= 2], return_counts=True), strict=True):
        mean = float(c4(n)) if deviations else d2(int(n))
        square = 1 - mean**2 if deviations else d3(int(n)) ** 2
        total += int(k) * mean**2 / square
    return chi_df(1 / total) if total > 0 else math.nan
