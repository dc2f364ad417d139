"""Tolerance factors by integration, tolerance intervals of counts, exact prediction intervals of counts.

A tolerance interval holds a stated share of all items with a stated confidence. Factors of the normal
distribution take a number of values for the mean and degrees of freedom for the spread, which need not be
whole: so they serve for an effective sample size as they do for the tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.order_statistics import tolerance_size

Side = Literal["both", "lower", "upper"]
#: How the normal two-sided factor is made.
TOLERANCES = ("howe", "exact")

__all__ = [
    "binomial_prediction",
    "binomial_tolerance",
    "exact_factor",
    "one_sided_factor",
    "poisson_prediction",
    "poisson_tolerance",
    "tolerance_size",
]


@lru_cache(maxsize=4096)
def exact_factor(n: float, df: float, *, coverage: float, confidence: float) -> float:
    """Exact two-sided tolerance factor k of a normal population: mean +- k s.

    Solves ``E[P(chi2_df >= df r(Z)^2 / k^2)] = confidence``, Z normal with variance ``1 / n``, where ``r(z)``
    makes ``Phi(z + r) - Phi(z - r) = coverage``.

    Parameters
    ----------
    n : float
        Number of values behind the mean (effective number under dependence).
    df : float
        Degrees of freedom of s; ``n - 1`` for one sample.
    coverage, confidence : float
        In (0, 1).

    References
    ----------
    Odeh and Owen (1980), Tables for Normal Tolerance Limits, table 3; Krishnamoorthy and Mathew (2009),
    Statistical Tolerance Regions, eq. 2.3.4; ISO 16269-6 (2014), annex.

    Examples
    --------
    >>> round(exact_factor(10, 9, coverage=0.95, confidence=0.95), 3)
    3.393
    """
    _levels(coverage, confidence)
    if not (n > 0 and df > 0):
        return math.nan
    # the integrand is smooth and dies beyond 8.5 standard errors: the trapezoid rule is as exact as double
    z = np.linspace(0.0, 8.5, 171)
    weight = np.exp(-0.5 * z * z)
    weight[0] /= 2
    weight /= weight.sum()
    square = df * _half_width(z / math.sqrt(n), coverage) ** 2

    def held(log_k: float) -> float:
        return float(weight @ special.chdtrc(df, square * math.exp(-2 * log_k)))

    return math.exp(_root(held, confidence, 0.0))


def _half_width(z: Floats, coverage: float) -> Floats:
    """r with ``Phi(z + r) - Phi(z - r) = coverage``, by Newton from above."""
    r = np.abs(z) + special.ndtri((1 + coverage) / 2)
    for _ in range(100):
        inside = special.ndtr(z + r) - special.ndtr(z - r)
        slope = (np.exp(-0.5 * (z + r) ** 2) + np.exp(-0.5 * (z - r) ** 2)) / math.sqrt(2 * math.pi)
        step = np.clip((inside - coverage) / np.maximum(slope, 1e-300), -0.5, 0.5)
        r = r - step
        if float(np.abs(step).max()) < 1e-14 * float(r.max()):
            break
    return np.asarray(r)


@lru_cache(maxsize=4096)
def one_sided_factor(n: float, df: float, *, coverage: float, confidence: float) -> float:
    """Exact one-sided tolerance factor k of a normal population: mean + k s (or mean - k s).

    ``k = t'(confidence; df, z sqrt(n)) / sqrt(n)`` with the noncentral t; found from ``E[Phi(sqrt(n) (k U -
    z))] = confidence``, U the chi over the root of its degrees of freedom, because library routines of the
    noncentral t fail for large noncentralities.

    Parameters
    ----------
    n, df, coverage, confidence
        As for :func:`exact_factor`.

    References
    ----------
    Odeh and Owen (1980), table 1; Krishnamoorthy and Mathew (2009), eq. 2.2.3.

    Examples
    --------
    >>> round(one_sided_factor(10, 9, coverage=0.95, confidence=0.95), 3)
    2.911
    """
    _levels(coverage, confidence)
    if not (n > 0 and df > 0):
        return math.nan
    z, root = float(special.ndtri(coverage)), math.sqrt(n)
    u, weight = _chi_grid(df)

    def held(k: float) -> float:
        return float(weight @ special.ndtr(root * (k * u - z)))

    return _root(held, confidence, z)


def _chi_grid(df: float) -> tuple[Floats, Floats]:
    """Points and weights of ``U = chi / sqrt(df)`` on a grid of its logarithm."""
    spread = 1 / math.sqrt(2 * df)
    low = min(-10 * spread, math.log(1e-18) / df)
    v = np.linspace(low, 10 * spread / (1 + spread), 801)
    log_density = df * v - 0.5 * df * np.exp(2 * v)
    weight = np.exp(log_density - log_density.max())
    return np.exp(v), np.asarray(weight / weight.sum())


def _root(rising: Callable[[float], float], level: float, start: float) -> float:
    """Where a rising function meets the level: bracket, then bisection to the last digits."""
    low = high = start
    step = 1.0
    while rising(low) > level and step < 1e6:
        low, step = low - step, 2 * step
    step = 1.0
    while rising(high) < level and step < 1e6:
        high, step = high + step, 2 * step
    for _ in range(100):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if rising(middle) < level else (low, middle)
    return (low + high) / 2


def poisson_tolerance(
    count: float,
    exposure: float,
    *,
    new: float = 1.0,
    coverage: float = 0.95,
    confidence: float = 0.95,
    side: Side = "both",
) -> tuple[float, float]:
    """Tolerance interval for counts in ``new`` units of exposure, from ``count`` in ``exposure`` units.

    The quantiles of the Poisson distributions at the ends of the exact interval of the rate; an end that was
    not asked for is 0 or infinite. Holds at least its levels.

    References
    ----------
    Hahn and Chandra (1981), Journal of Quality Technology 13, 100-110. Zacks (1970), Uniformly most accurate
    upper tolerance limits, Annals of Mathematical Statistics 41.

    Examples
    --------
    >>> poisson_tolerance(45, 5, coverage=0.9, confidence=0.95)
    (3.0, 18.0)
    """
    alpha, tail = _tails(coverage, confidence, side)
    low, high = 0.0, math.inf
    if side != "upper" and count > 0:
        low = _poisson_quantile(tail, float(special.gammaincinv(count, alpha)) * new / exposure)
    if side != "lower":
        high = _poisson_quantile(1 - tail, float(special.gammaincinv(count + 1, 1 - alpha)) * new / exposure)
    return low, high


def binomial_tolerance(
    count: float,
    n: float,
    *,
    new: int,
    coverage: float = 0.95,
    confidence: float = 0.95,
    side: Side = "both",
) -> tuple[float, float]:
    """Tolerance interval for the count among ``new`` items, from ``count`` among ``n``.

    The quantiles of the binomial distributions at the ends of the exact interval of the share.

    References
    ----------
    Hahn and Chandra (1981), Journal of Quality Technology 13, 100-110.

    Examples
    --------
    >>> binomial_tolerance(230, 1000, new=50, coverage=0.9, confidence=0.95)
    (6.0, 18.0)
    """
    alpha, tail = _tails(coverage, confidence, side)
    low, high = 0.0, float(new)
    if side != "upper" and count > 0:
        low = _binomial_quantile(tail, new, float(special.betaincinv(count, n - count + 1, alpha)))
    if side != "lower" and count < n:
        high = _binomial_quantile(1 - tail, new, float(special.betaincinv(count + 1, n - count, 1 - alpha)))
    return low, high


def poisson_prediction(
    count: float, exposure: float, *, new: float = 1.0, coverage: float = 0.95, side: Side = "both"
) -> tuple[float, float]:
    """Exact prediction interval for the count in ``new`` further units of exposure.

    The counts y that the conditional test (``count`` of ``count + y``, binomial with share ``exposure /
    (exposure + new)``) does not reject; the next count lies inside at least as often as ``coverage`` says,
    whatever the rate.

    References
    ----------
    Nelson (1982), Applied Life Data Analysis, section 6.3; Hahn and Meeker (1991), section 7.6.

    Examples
    --------
    >>> poisson_prediction(24, 5, new=1)
    (1.0, 10.0)
    """
    share = exposure / (exposure + new)
    alpha = _one_tail(coverage, side)

    def too_many(y: float) -> bool:
        """Whether so many would be a surprise: the first count is then too small a part of both."""
        return float(special.betainc(y, count + 1, 1 - share)) <= alpha if y > 0 else False

    def too_few(y: float) -> bool:
        return float(special.betainc(count, y + 1, share)) <= alpha if count > 0 else False

    low, high = 0.0, math.inf
    if side != "lower":
        high = _last_allowed(too_many, count * new / exposure)
    if side != "upper":
        low = _first_allowed(too_few)
    return low, high


def binomial_prediction(
    count: int, n: int, *, new: int, coverage: float = 0.95, side: Side = "both"
) -> tuple[float, float]:
    """Exact prediction interval for the count among ``new`` further items.

    The counts that Fisher's conditional test (hypergeometric) does not reject: the next count lies inside at
    least as often as ``coverage`` says, whatever the share.

    References
    ----------
    Thatcher (1964), JRSS B 26, 176-192; Hahn and Meeker (1991), section 6.6.

    Examples
    --------
    >>> binomial_prediction(20, 400, new=100)
    (1.0, 11.0)
    """
    for name, value in (("count", count), ("n", n), ("new", new)):
        if value != int(value) or value < 0:
            raise InputError(f"{name} is a whole number of items, got {value}")
    alpha = _one_tail(coverage, side)
    y = np.arange(new + 1)
    # P(X = x | X + Y = t) for the possible x, as rows of the hypergeometric law; its tail sums at x = count
    at_most, at_least = np.empty(new + 1), np.empty(new + 1)
    x = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    for k in y.tolist():
        other = count + k - x
        ok = (other >= 0) & (other <= new)
        log_p = (
            ways[ok]
            + special.gammaln(new + 1)
            - special.gammaln(other[ok] + 1)
            - special.gammaln(new - other[ok] + 1)
        )
        p = np.exp(log_p - log_p.max())
        p /= p.sum()
        at_most[k], at_least[k] = p[x[ok] <= count].sum(), p[x[ok] >= count].sum()
    keep = np.ones(new + 1, dtype=bool)
    if side != "lower":
        keep &= at_most > alpha
    if side != "upper":
        keep &= at_least > alpha
    kept = y[keep]
    return float(kept.min()), float(kept.max())


def _poisson_quantile(p: float, mean: float) -> float:
    if mean <= 0:
        return 0.0
    guess = max(0.0, math.floor(mean + float(special.ndtri(p)) * math.sqrt(mean)) - 3.0)
    while guess > 0 and float(special.pdtr(guess, mean)) >= p:
        guess = max(0.0, guess - max(1.0, math.floor(math.sqrt(mean))))
    while float(special.pdtr(guess, mean)) < p * (1 - 1e-14):
        guess += 1
    return guess


def _binomial_quantile(p: float, n: int, share: float) -> float:
    values = np.arange(n + 1)
    reached = special.bdtr(values, n, share) >= p * (1 - 1e-14)
    return float(values[int(np.argmax(reached))]) if reached.any() else float(n)


def _last_allowed(surprising: Callable[[float], bool], start: float) -> float:
    high = max(1.0, float(math.ceil(start)))
    while not surprising(high):
        high *= 2
    low = 0.0
    while high - low > 1:
        middle = float(math.floor((low + high) / 2))
        low, high = (low, middle) if surprising(middle) else (middle, high)
    return low


def _first_allowed(surprising: Callable[[float], bool]) -> float:
    if not surprising(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while surprising(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = float(math.floor((low + high) / 2))
        low, high = (middle, high) if surprising(middle) else (low, middle)
    return high


def _tails(coverage: float, confidence: float, side: str) -> tuple[float, float]:
    _levels(coverage, confidence)
    if side not in ("both", "lower", "upper"):
        raise UnknownNameError("side", str(side), ("both", "lower", "upper"))
    if side == "both":
        return (1 - confidence) / 2, (1 - coverage) / 2
    return 1 - confidence, 1 - coverage


def _one_tail(coverage: float, side: str) -> float:
    return _tails(coverage, 0.5, side)[1]


def _levels(coverage: float, confidence: float) -> None:
    for name, level in (("coverage", coverage), ("confidence", confidence)):
        if not 0 < level < 1:
            raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {level}")
