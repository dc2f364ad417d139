"""The signed-rank test of differences, and the median of their pairwise means with its interval."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import NAN, Contrast, midranks
from perfanalytics.core.columns import Floats

#: Below this many differences, and without ties and zeros, the exact distribution is used (as R does).
EXACT_BELOW = 50
#: Up to this many differences all their pairwise means are formed.
FORMED = 1500


@lru_cache(maxsize=64)
def signed_rank_distribution(n: int) -> Floats:
    """P(V = 0), ..., P(V = n (n + 1) / 2): the sum of the ranks that get a plus sign.

    Examples
    --------
    >>> (8 * signed_rank_distribution(3)).tolist()
    [1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    """
    p = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(p) + rank)
        longer[: len(p)] += 0.5 * p
        longer[rank:] += 0.5 * p
        p = longer
    p.flags.writeable = False
    return p


def walsh_order_statistics(values: Floats, ranks: list[int]) -> list[float]:
    """The ``ranks``-th smallest (from 1) of all n (n + 1) / 2 means of two values, each with itself too.

    Examples
    --------
    >>> walsh_order_statistics(np.array([1.0, 2.0, 6.0]), [1, 3, 6])
    [1.0, 2.0, 6.0]
    """
    n = len(values)
    total = n * (n + 1) // 2
    ranks = [min(max(r, 1), total) for r in ranks]
    if n <= FORMED:
        i, j = np.triu_indices(n)
        means = 0.5 * (values[i] + values[j])
        means.partition(sorted({r - 1 for r in ranks}))
        return [float(means[r - 1]) for r in ranks]
    ordered = np.sort(values)
    return [_select(ordered, r) for r in ranks]


def _select(ordered: Floats, rank: int) -> float:
    """Bisection on the value: counting the means up to it takes O(n log n) and no memory."""

    def up_to(bound: float) -> int:
        both = int(np.searchsorted(ordered, 2 * bound - ordered, side="right").sum())
        return (both + int(np.searchsorted(ordered, bound, side="right"))) // 2

    low, high = float(ordered[0]), float(ordered[-1])
    if up_to(low) >= rank:
        return low
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if up_to(middle) >= rank:
            high = middle
        else:
            low = middle
    return high


def signed_rank(differences: Floats, confidence: float, *, zeros: str) -> Contrast:
    """Wilcoxon's signed-rank test that differences lie symmetrically around 0.

    Parameters
    ----------
    differences : float array, shape (n,)
    confidence : float
    zeros : {"wilcoxon", "pratt"}
        Differences of 0 are left out before ranks are given ("wilcoxon"), or after ("pratt").

    Returns
    -------
    Contrast
        Estimate: the median of all pairwise means (Hodges-Lehmann), zeros included; its interval consists of
        order statistics of these means. Exact below 50 differences without ties and zeros; else normal, with
        R's continuity correction for "wilcoxon" and without one for "pratt" (as coin).

    References
    ----------
    Hollander, Wolfe and Chicken (2014), Nonparametric Statistical Methods, 3.1 to 3.3; Pratt (1959), JASA
    54; R ``wilcox.test``, ``coin::wilcoxsign_test``.

    Examples
    --------
    >>> found = signed_rank(np.array([1.0, 2, 3, 4, -0.5, 6]), 0.9, zeros="wilcoxon")
    >>> found.statistic, found.p_value, found.estimate, found.how
    (20.0, 0.0625, 2.5, 'exact')
    """
    n = len(differences)
    total = n * (n + 1) // 2
    kept = differences[differences != 0]
    if not len(kept):
        return Contrast(0.0, NAN, NAN, 0.0, NAN, NAN, how="all differences are 0")
    ranks, ties = midranks(np.abs(kept if zeros == "wilcoxon" else differences))
    used = kept if zeros == "wilcoxon" else differences
    v = float(ranks[used > 0].sum())
    alpha = 1 - confidence
    if len(kept) == n and n < EXACT_BELOW and ties.max() == 1:
        cumulative = np.cumsum(signed_rank_distribution(n))
        upper = 1.0 - cumulative[int(v) - 1] if v > 0 else 1.0
        p = min(1.0, 2 * min(float(cumulative[int(v)]), float(upper)))
        k = int(np.searchsorted(cumulative, alpha / 2 * (1 - 1e-12)))
        how = "exact" if k else "exact; too few differences for an interval of this confidence"
    else:
        weighed = ranks[used != 0]
        sd = float(np.sqrt((weighed**2).sum())) / 2
        z = v - float(weighed.sum()) / 2
        correction = 0.5 if zeros == "wilcoxon" else 0.0
        p = min(1.0, float(2 * special.ndtr(-max(0.0, abs(z) - correction) / sd)))
        whole = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        k = max(0, int(np.floor(total / 2 - float(special.ndtri(0.5 + confidence / 2)) * whole)))
        how = f"normal, ties corrected, zeros as {zeros.capitalize()}"
    middle = (total + 1) // 2
    a, b, low, high = walsh_order_statistics(differences, [middle, total // 2 + 1, k, total + 1 - k])
    if k == 0:
        low = high = NAN
    return Contrast(0.5 * (a + b), low, high, v, float("inf"), p, how=how)
