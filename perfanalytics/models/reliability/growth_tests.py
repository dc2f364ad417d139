"""Is there a trend? Laplace's test, the test of the Military Handbook, and exact intervals of the power
law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.models.reliability.growth_models import Observed


@dataclass(frozen=True, slots=True)
class Trend:
    """Statistic and two-sided p-value; NaN where the test does not apply."""

    statistic: float
    p_value: float


def laplace(data: Observed, *, failure_truncated: bool) -> Trend:
    """Laplace's test of a constant rate: negative where failures become rarer.

    References
    ----------
    Cox and Lewis (1966), The Statistical Analysis of Series of Events, section 3.3; with counts the score
    of a log-linear trend at the middles of the periods.

    Examples
    --------
    >>> t = laplace(Observed(3, 10.0, np.array([1.0, 2.0, 4.0])), failure_truncated=False)
    >>> round(t.statistic, 4)
    -1.6
    """
    if data.times is not None:
        used = data.times[:-1] if failure_truncated else data.times
        if len(used) < 2:
            return Trend(math.nan, math.nan)
        u = float((used.mean() - data.end / 2) / (data.end / math.sqrt(12 * len(used))))
    else:
        assert data.ends is not None
        assert data.counts is not None
        starts = np.append(0.0, data.ends[:-1])
        middle, share = (starts + data.ends) / 2, (data.ends - starts) / data.end
        expected = float((share * middle).sum())
        variance = float((share * (middle - expected) ** 2).sum())
        if data.n < 2 or variance == 0:
            return Trend(math.nan, math.nan)
        u = float((data.counts * (middle - expected)).sum() / math.sqrt(data.n * variance))
    return Trend(u, 2 * float(special.ndtr(-abs(u))))


def military_handbook(data: Observed, *, failure_truncated: bool) -> Trend:
    """2 sum log(T / t_i): chi-square with 2n degrees of freedom (2n - 2) where the rate is constant.

    References
    ----------
    MIL-HDBK-189 (1981); Rigdon and Basu (2000), Statistical Methods for the Reliability of Repairable
    Systems, section 4.4.
    """
    if data.times is None or (data.times <= 0).any():
        return Trend(math.nan, math.nan)
    used = data.times[:-1] if failure_truncated else data.times
    if len(used) < 1:
        return Trend(math.nan, math.nan)
    statistic = 2 * float(np.log(data.end / used).sum())
    below = float(special.chdtr(2 * len(used), statistic))
    return Trend(statistic, 2 * min(below, 1 - below))


@dataclass(frozen=True, slots=True)
class Crow:
    """The power law with its exact intervals.

    Parameters
    ----------
    shape, shape_unbiased, shape_low, shape_high : float
        Below 1 the failures become rarer. ``1 - shape_unbiased`` is the growth slope of Duane's plot.
    mtbf, mtbf_unbiased, mtbf_low, mtbf_high : float
        Mean time between failures at the end of the observation.
    """

    shape: float
    shape_unbiased: float
    shape_low: float
    shape_high: float
    mtbf: float
    mtbf_unbiased: float
    mtbf_low: float
    mtbf_high: float


def crow(data: Observed, *, failure_truncated: bool, confidence: float) -> Crow:
    """Estimates and exact intervals of the power law from failure times.

    References
    ----------
    Crow (1982), Proceedings of the Annual Reliability and Maintainability Symposium, 179-185; Rigdon and
    Basu (2000), sections 4.2 and 5.4; NIST/SEMATECH e-Handbook, section 8.4.5.
    """
    assert data.times is not None
    n, end = data.n, data.end
    logs = float(np.log(end / data.times).sum())
    tail = (1 - confidence) / 2
    freedom = 2 * (n - 1) if failure_truncated else 2 * n
    nothing = math.nan
    if logs <= 0 or n < 2:
        return Crow(*[nothing] * 8)
    shape = n / logs
    unbiased = shape * ((n - 2) / n if failure_truncated else (n - 1) / n)
    low, high = (
        float(special.chdtri(freedom, q)) / (2 * logs) if freedom else nothing for q in (1 - tail, tail)
    )
    mtbf = end / (n * shape)
    if failure_truncated:
        ends = [_product_quantile(p, n) / n**2 for p in (tail, 1 - tail)]
        # mtbf estimated over mtbf is a product of gamma variables over n squared
        bounds = mtbf / ends[1], mtbf / ends[0]
    else:
        most, least = _bessel_bounds(n, tail)
        bounds = end / (most / logs), end / (least / logs)
    return Crow(shape, unbiased, low, high, mtbf, end / (n * unbiased) if unbiased else math.inf, *bounds)


@lru_cache(maxsize=256)
def _product_quantile(p: float, n: int) -> float:
    """Quantile of the product of independent gamma variables of shapes n - 1 and n."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = special.gammaincinv(n, (nodes + 1) / 2)

    def below(q: float) -> float:
        return float((weights / 2 * special.gammainc(n - 1, q / x)).sum())

    low, high = 0.0, float(n * n)
    while below(high) < p:
        high *= 2
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if below(middle) < p else (low, middle)
    return 0.5 * (low + high)


def _bessel_bounds(n: int, tail: float) -> tuple[float, float]:
    """Upper and lower bound of x = theta V, given N = n: P(N = k) is proportional to x^k / (k! (k - 1)!)."""

    def tails(x: float) -> tuple[float, float]:
        top = int(n + 20 + 4 * math.sqrt(x) + x / max(n, 1))
        k = np.arange(1, max(top, int(3 * math.sqrt(x)) + 60))
        logs = k * math.log(x) - special.gammaln(k + 1) - special.gammaln(k)
        p = np.exp(logs - logs.max())
        p /= p.sum()
        return float(p[:n].sum()), float(p[n - 1 :].sum())

    def solve(which: int) -> float:
        low, high = 1e-9, 4.0 * n * n + 50
        for _ in range(200):
            middle = 0.5 * (low + high)
            value = tails(middle)[which]
            # P(N <= n) falls with x, P(N >= n) rises
            down = value > tail if which == 0 else value < tail
            low, high = (middle, high) if down else (low, middle)
            if high - low < 1e-12 * high:
                break
        return 0.5 * (low + high)

    return solve(0), solve(1)


def rate_interval(n: int, time: float, confidence: float, *, failure_truncated: bool) -> tuple[float, float]:
    """Exact interval of a constant rate from n failures in ``time``."""
    tail = (1 - confidence) / 2
    low = 0.0 if n == 0 else float(special.chdtri(2 * n, 1 - tail)) / (2 * time)
    more = 0 if failure_truncated else 2
    high = float(special.chdtri(2 * n + more, tail)) / (2 * time) if n or more else math.inf
    return low, high


def count_interval(mean: float, cv: float, confidence: float) -> tuple[float, float]:
    """Range of a count whose expectation is itself uncertain (gamma, with this coefficient of variation).

    Examples
    --------
    >>> count_interval(5.0, 0.0, 0.95)
    (1.0, 10.0)
    """
    if not (math.isfinite(mean) and math.isfinite(cv)):
        return math.nan, math.nan

    def below(k: float) -> float:
        if mean <= 0:
            return 1.0
        if cv < 1e-6:
            return float(special.pdtr(k, mean))
        size = cv**-2
        return float(special.betainc(size, k + 1, size / (size + mean)))

    def quantile(p: float) -> float:
        low, high = -1, 1
        while below(high) < p:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if below(middle) < p else (low, middle)
        return float(high)

    tail = (1 - confidence) / 2
    return (quantile(tail) if below(0) < tail else 0.0), quantile(1 - tail)


def information(f: object, u: Floats) -> Floats:
    """Minus the matrix of second derivatives of a log likelihood, by differences."""
    assert callable(f)
    p = len(u)
    h = np.full(p, 1e-4)
    for _ in range(2):
        curve = [_second(f, u, i, i, h) for i in range(p)]
        h = np.array([0.03 / math.sqrt(-c) if c < 0 else x for c, x in zip(curve, h, strict=True)])
        h = np.clip(h, 1e-6, 0.5)
    return -np.array([[_second(f, u, i, j, h) for j in range(p)] for i in range(p)])


def _second(f: object, u: Floats, i: int, j: int, h: Floats) -> float:
    assert callable(f)
    a, b = np.zeros(len(u)), np.zeros(len(u))
    a[i], b[j] = h[i], h[j]
    if i == j:
        return float((f(u + a) - 2 * f(u) + f(u - a)) / h[i] ** 2)
    return float((f(u + a + b) - f(u + a - b) - f(u - a + b) + f(u - a - b)) / (4 * h[i] * h[j]))
