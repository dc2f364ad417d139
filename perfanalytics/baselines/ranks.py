"""Ranks of order statistics for many sample sizes at once: the laws of ``core.order_statistics``, in arrays.

The choice of ranks depends on sample size, effective size, share and confidence only, so that thousands of
series take a few passes of bisection over arrays instead of a search each. The ranks are the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats

Whole = NDArray[np.int64]
Found = tuple[Whole, Whole, Floats]


def quantile_ranks_many(n: Whole, p: float, *, confidence: float, n_effective: Floats) -> Found:
    """Low rank, high rank and achieved confidence of ``quantile_ranks`` for each size.

    Parameters
    ----------
    n : int array, shape (m,)
        At least 1 each.
    p, confidence : float
        In (0, 1).
    n_effective : float array, shape (m,)
        Equal to ``n`` where the values are independent.

    Examples
    --------
    >>> low, high, achieved = quantile_ranks_many(
    ...     np.array([10, 30]), 0.5, confidence=0.95, n_effective=np.array([10.0, 30.0]))
    >>> low.tolist(), high.tolist(), achieved.round(4).tolist()
    ([2, 10], [9, 21], [0.9785, 0.9572])
    """
    k = _stretch(n, n_effective)

    def above(r: Whole) -> Floats:
        r1 = np.maximum(r, 1)
        return np.where(r > 0, special.betaincc(r1 * k, (n + 1 - r1) * k, p), 0.0)

    def below(r: Whole) -> Floats:
        r1 = np.minimum(r, n)
        return np.where(r <= n, special.betainc(r1 * k, (n + 1 - r1) * k, p), 0.0)

    alpha = 1 - confidence
    half = alpha / 2 * (1 + 1e-12)
    zero = np.zeros_like(n)
    low = _last(zero, n, lambda r: above(r) <= half)
    high = n + 1 - _last(zero, n, lambda d: below(n + 1 - d) <= half)
    first, final = above(zero + 1), below(n)
    open_low = (low == 0) & (first < alpha)
    open_high = ~open_low & (high == n + 1) & (final < alpha)
    if open_low.any():
        rest = alpha - first
        other = n + 1 - _last(zero, n, lambda d: below(n + 1 - d) <= rest)
        low, high = np.where(open_low, 1, low), np.where(open_low, other, high)
    if open_high.any():
        left = alpha - final
        other = _last(zero, n, lambda r: above(r) <= left)
        low, high = np.where(open_high, other, low), np.where(open_high, n, high)
    return low, high, 1 - above(low) - below(high)


def tolerance_ranks_many(n: Whole, *, coverage: float, confidence: float, n_effective: Floats) -> Found:
    """Low rank, high rank and achieved confidence of ``tolerance_ranks`` for each size."""
    k = _stretch(n, n_effective)

    def held(span: Whole) -> Floats:
        s = np.maximum(span, 1)
        return np.asarray(special.betaincc(s * k, (n + 1 - s) * k, coverage))

    most = np.maximum(n - 1, 0)
    span = np.minimum(
        _last(np.zeros_like(n), most, lambda s: (s == 0) | (held(s) < confidence)) + 1, np.maximum(most, 1)
    )
    low = np.maximum(1, np.minimum((n + 1 - span) // 2, n - span))
    alone = n == 1
    return low, np.where(alone, 1, low + span), np.where(alone, 0.0, held(span))


def prediction_ranks_many(n: Whole, *, coverage: float) -> Found:
    """Low rank, high rank and coverage of ``prediction_ranks`` for each size."""
    span = np.minimum(np.ceil(coverage * (n + 1) - 1e-9).astype(np.int64), np.maximum(n - 1, 0))
    low = np.maximum(1, np.minimum((n + 1 - span) // 2, n - span))
    return low, low + span, span / (n + 1)


def _stretch(n: Whole, n_effective: Floats) -> Floats:
    effective = np.minimum(np.maximum(n_effective, 1.0), n.astype(float))
    return np.asarray((effective + 1) / (n + 1))


def _last(low: Whole, high: Whole, holds: Callable[[Whole], NDArray[np.bool_]]) -> Whole:
    """For each entry the largest of low ... high for which the condition holds; it holds at ``low``."""
    low, high = low.copy(), high.copy()
    while (low < high).any():
        middle = (low + high + 1) // 2
        ok = holds(middle) | (low >= high)
        low = np.where(ok & (low < high), middle, low)
        high = np.where(ok, high, middle - 1)
    return low
