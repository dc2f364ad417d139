"""Exact, distribution-free intervals from order statistics.

If ``U = F(X)`` is uniform, the r-th smallest of n independent values has ``U_(r) ~ Beta(r, n - r + 1)``
whatever the distribution of X. Everything here follows from that, in closed form. For values that depend
on each other the same laws are used with an effective sample size; that is an approximation and is
labelled so by those who use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
    k = _stretch(n, n_effective)

    def above(r: int) -> float:
        """P(X_(r) > q_p): so often the lower end errs. Rises with r."""
        return float(special.betaincc(r * k, (n + 1 - r) * k, p)) if r else 0.0

    def below(r: int) -> float:
        """P(X_(r) < q_p): so often the upper end errs. Falls with r."""
        return float(special.betainc(r * k, (n + 1 - r) * k, p)) if r <= n else 0.0

    alpha = 1 - confidence
    half = alpha / 2 * (1 + 1e-12)
    low = _last(0, n, lambda r: above(r) <= half)
    high = n + 1 - _last(0, n, lambda d: below(n + 1 - d) <= half)
    if low == 0 and above(1) < alpha:
        low, rest = 1, alpha - above(1)
        high = n + 1 - _last(0, n, lambda d: below(n + 1 - d) <= rest)
    elif high == n + 1 and below(n) < alpha:
        high, rest = n, alpha - below(n)
        low = _last(0, n, lambda r: above(r) <= rest)
    return Ranks(low, high, 1 - above(low) - below(high))


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
    if n == 1:
        return Ranks(1, 1, 0.0)
    k = _stretch(n, n_effective)

    def held(span: int) -> float:
        """P(U_(s) - U_(r) >= coverage), s - r = span. Rises with the span."""
        return float(special.betaincc(span * k, (n + 1 - span) * k, coverage))

    span = min(_last(0, n - 1, lambda m: m == 0 or held(m) < confidence) + 1, n - 1)
    low = max(1, min((n + 1 - span) // 2, n - span))
    return Ranks(low, low + span, held(span))


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


def _stretch(n: int, n_effective: float | None) -> float:
    """What the parameters of the beta law are multiplied with under dependence."""
    return 1.0 if n_effective is None else (min(max(n_effective, 1.0), float(n)) + 1) / (n + 1)


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Largest of low ... high for which the condition holds; it holds at ``low`` and stops once."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _check_size(n: int) -> None:
    if n < 1:
        raise InputError(f"order statistics need at least one value, got n = {n}")


def _check_open(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {value}")
