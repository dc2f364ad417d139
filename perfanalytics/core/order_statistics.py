"""Exact, distribution-free intervals from order statistics.

If ``U = F(X)`` is uniform, the r-th smallest of n independent values has ``U_(r) ~ Beta(r, n - r + 1)``
whatever the distribution of X. Everything here follows from that, in closed form. For values that depend
on each other the same laws are used with an effective sample size; that is an approximation and is
labelled so by those who use it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Ranks:
    """A pair of ranks (1-based) and the probability they really have.

    ``low`` 0 stands for minus infinity, ``high`` n + 1 for plus infinity: at this sample size the asked
    confidence cannot be had on that side.
    """

    low: int
    high: int
    achieved: float

    def bounds(self, ordered: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
        """The two order statistics of the sorted values; infinite where there is no rank."""
        n = len(ordered)
        low = float(ordered[self.low - 1]) if self.low >= 1 else -math.inf
        high = float(ordered[self.high - 1]) if self.high <= n else math.inf
        return low, high


def quantile_ranks(n: int, p: float, *, confidence: float = 0.95, n_effective: float | None = None) -> Ranks:
    """Ranks of the order statistics that hold the p-quantile with at least this confidence.

    Parameters
    ----------
    n : int
        Sample size.
    p : float
        Which quantile, in (0, 1).
    confidence : float
        In (0, 1).
    n_effective : float, optional
        Effective sample size under dependence (default: ``n``, exact).

    Returns
    -------
    Ranks
        Equal tails: each side errs with at most half of ``1 - confidence``. Where one side has no rank
        for that (extreme quantiles of small samples) the outermost value is taken there and the other
        side gets what is left; if even that is not enough, that side stays infinite. The choice depends
        on n, p and the confidence only, never on the values.

    Notes
    -----
    ``P(X_(r) <= q_p <= X_(s)) = P(r <= B <= s - 1)`` with ``B ~ Binomial(n, p)``, at least so for
    discrete distributions. With an effective size n' the law of ``U_(r)`` is replaced by
    ``Beta(r k, (n + 1 - r) k)``, ``k = (n' + 1) / (n + 1)``: same mean, variance of n' values.

    References
    ----------
    David and Nagaraja (2003), Order Statistics, section 7.1; Hahn and Meeker (1991), Statistical
    Intervals, section 5.2.

    Examples
    --------
    >>> quantile_ranks(10, 0.5)
    Ranks(low=2, high=9, achieved=0.978515625)
    >>> quantile_ranks(30, 0.9).high     # the largest value
    30
    """
    _check_size(n)
    _check_open("p", p)
    _check_open("confidence", confidence)
    k = 1.0 if n_effective is None else (min(max(n_effective, 1.0), float(n)) + 1) / (n + 1)
    ranks = np.arange(1, n + 1, dtype=float)
    # above[r-1] = P(X_(r) > q_p): the lower end misses; 1 - above of the upper rank: the upper end misses
    above = special.betaincc(ranks * k, (n + 1 - ranks) * k, p)
    below = special.betainc(ranks * k, (n + 1 - ranks) * k, p)
    alpha = 1 - confidence
    half = alpha / 2 * (1 + 1e-12)
    low = int(np.sum(above <= half))
    high = n + 1 - int(np.sum(below <= half))
    if low == 0 and above[0] < alpha:
        low = 1
        high = n + 1 - int(np.sum(below <= alpha - above[0]))
    elif high == n + 1 and below[-1] < alpha:
        high = n
        low = int(np.sum(above <= alpha - below[-1]))
    miss = (above[low - 1] if low else 0.0) + (below[high - 1] if high <= n else 0.0)
    return Ranks(low, high, float(1 - miss))


def tolerance_ranks(
    n: int, *, coverage: float = 0.95, confidence: float = 0.95, n_effective: float | None = None
) -> Ranks:
    """Ranks between which at least ``coverage`` of all values lie, with at least this confidence.

    The middle ranks that do it, or smallest and largest with the confidence they really have where the
    sample is too small (below 93 for 95/95).

    Examples
    --------
    >>> ranks = tolerance_ranks(93)
    >>> ranks.low, ranks.high, round(ranks.achieved, 5)
    (1, 93, 0.95002)
    >>> round(tolerance_ranks(30).achieved, 2)      # smallest to largest of 30 values as a 95/95 interval
    0.45

    References
    ----------
    Wilks (1941), Annals of Mathematical Statistics 12; Hahn and Meeker (1991), section 5.3.
    """
    _check_size(n)
    _check_open("coverage", coverage)
    _check_open("confidence", confidence)
    k = 1.0 if n_effective is None else (min(max(n_effective, 1.0), float(n)) + 1) / (n + 1)
    spans = np.arange(1, n, dtype=float)  # s - r
    if not len(spans):
        return Ranks(1, 1, 0.0)
    held = special.betaincc(spans * k, (n + 1 - spans) * k, coverage)
    enough = np.flatnonzero(held >= confidence)
    span = int(enough[0]) + 1 if len(enough) else n - 1
    low = (n + 1 - span) // 2
    low = max(1, min(low, n - span))
    return Ranks(low, low + span, float(held[span - 1]))


def prediction_ranks(n: int, *, coverage: float = 0.95) -> Ranks:
    """Ranks between which the next value lies with at least this probability: ``(s - r) / (n + 1)``.

    Below 39 values no finite 95% interval exists: smallest and largest then hold less, as ``achieved`` says.

    Examples
    --------
    >>> prediction_ranks(39)
    Ranks(low=1, high=39, achieved=0.95)
    """
    _check_size(n)
    _check_open("coverage", coverage)
    span = min(math.ceil(coverage * (n + 1) - 1e-9), max(n - 1, 0))
    low = max(1, min((n + 1 - span) // 2, n - span))
    return Ranks(low, low + span, span / (n + 1))


def tolerance_size(*, coverage: float = 0.95, confidence: float = 0.95, sides: int = 2) -> int:
    """How many independent values make smallest to largest (or one of them) a tolerance interval.

    Parameters
    ----------
    coverage, confidence : float
        In (0, 1).
    sides : {1, 2}

    Examples
    --------
    >>> tolerance_size(), tolerance_size(sides=1)
    (93, 59)
    """
    _check_open("coverage", coverage)
    _check_open("confidence", confidence)
    if sides not in (1, 2):
        raise InputError(f"sides is 1 or 2, got {sides}")
    one = math.ceil(math.log1p(-confidence) / math.log(coverage) - 1e-12)
    if sides == 1:
        return one
    n = max(one, 2)
    while special.betaincc(n - 1, 2, coverage) < confidence:
        n += 1
    return n


def _check_size(n: int) -> None:
    if n < 1:
        raise InputError(f"order statistics need at least one value, got n = {n}")


def _check_open(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {value}")
