"""Two Poisson rates: exact conditional test, ratio and difference with intervals."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import NAN
from perfanalytics.comparisons.tables import clopper_pearson, log_choose, wilson

#: How the ratio of two rates gets its interval (and its p-value).
RATE_INTERVALS = ("exact", "score", "log")


def binomial_p(x: float, n: float, p: float) -> float:
    """Exact two-sided binomial p-value: all counts no more likely than the one seen (within 1e-7, as R).

    References
    ----------
    R ``binom.test``.
    """
    k = np.arange(0.0, n + 1)
    log_p = log_choose(n, k) + k * math.log(p) + (n - k) * math.log1p(-p)
    here = float(log_p[round(x)])
    return min(1.0, float(np.exp(log_p[log_p <= here + math.log1p(1e-7)]).sum()))


def ratio_of_rates(
    x1: float, t1: float, x2: float, t2: float, confidence: float, *, how: str
) -> tuple[float, float, float, float, float]:
    """Ratio after over before, its interval, statistic and p-value.

    Given all events, those after are binomial with share ``r t2 / (t1 + r t2)``: an interval of that share
    becomes one of the ratio r.

    Parameters
    ----------
    x1, t1, x2, t2 : float
        Events and exposure before and after.
    how : {"exact", "score", "log"}
        Clopper-Pearson with the exact binomial test, Wilson with the score test, or the interval of the
        logarithm with Wald's test of it.

    References
    ----------
    Przyborowski and Wilenski (1940), Biometrika 31; Lehmann and Romano (2005), section 4.5; R
    ``poisson.test``.

    Examples
    --------
    >>> [round(v, 6) for v in ratio_of_rates(17, 1000.0, 11, 800.0, 0.95, how="exact")[:3]]
    [0.808824, 0.342444, 1.830576]
    """
    n = x1 + x2
    if n == 0:
        return NAN, 0.0 if how == "exact" else NAN, math.inf if how == "exact" else NAN, NAN, NAN
    estimate = (x2 / t2) / (x1 / t1) if x1 > 0 else math.inf
    p0 = t2 / (t1 + t2)
    if how == "log":
        if x1 == 0 or x2 == 0:
            return estimate, NAN, NAN, NAN, NAN
        se = math.sqrt(1 / x1 + 1 / x2)
        half = float(special.ndtri(0.5 + confidence / 2)) * se
        z = math.log(estimate) / se
        return (
            estimate,
            estimate * math.exp(-half),
            estimate * math.exp(half),
            z,
            float(2 * special.ndtr(-abs(z))),
        )
    if how == "exact":
        low, high = clopper_pearson(x2, n, confidence)
        statistic, p = x2, binomial_p(x2, n, p0)
    else:
        low, high = wilson(x2, n, confidence)
        statistic = (x2 - n * p0) / math.sqrt(n * p0 * (1 - p0))
        p = float(2 * special.ndtr(-abs(statistic)))

    def back(share: float) -> float:
        return math.inf if share >= 1 else share / (1 - share) * t1 / t2

    return estimate, back(low), back(high), statistic, p


def difference_of_rates(
    x1: float, t1: float, x2: float, t2: float, confidence: float
) -> tuple[float, float, float]:
    """Difference after minus before, its interval recovered from the score intervals of the two rates.

    References
    ----------
    Zou and Donner (2008), Statistics in Medicine 27, 1693-1702 (square and add); Rao's score interval of a
    Poisson mean: ``x + z^2 / 2 +- z sqrt(x + z^2 / 4)``.
    """
    z = float(special.ndtri(0.5 + confidence / 2))

    def score(x: float, t: float) -> tuple[float, float]:
        half = z * math.sqrt(x + z * z / 4)
        return max(0.0, x + z * z / 2 - half) / t, (x + z * z / 2 + half) / t

    (l1, u1), (l2, u2) = score(x1, t1), score(x2, t2)
    r1, r2 = x1 / t1, x2 / t2
    return r2 - r1, r2 - r1 - math.hypot(r2 - l2, u1 - r1), r2 - r1 + math.hypot(u2 - r2, r1 - l1)
