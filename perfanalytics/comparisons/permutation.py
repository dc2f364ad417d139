"""Permutation tests of two sides: all arrangements where they are few, else a random sample of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import NAN, Contrast
from perfanalytics.core.columns import Floats

#: Up to this many arrangements all of them are used.
EXACT_UP_TO = 20_000
#: Most numbers held at once.
CHUNK = 2_000_000


def arrangements(
    n1: int, n2: int, count: int, rng: np.random.Generator
) -> tuple[Iterator[NDArray[np.bool_]], int, bool]:
    """Blocks (b, n1 + n2) that say which values stand on the side after; how many; whether these are all.

    All arrangements but the one seen where there are at most ``EXACT_UP_TO``; else ``count`` random ones.
    """
    n = n1 + n2
    every = math.comb(n, n2)
    rows = max(1, CHUNK // n)
    if every <= EXACT_UP_TO:

        def listed() -> Iterator[NDArray[np.bool_]]:
            chosen = np.array(list(combinations(range(n), n2)), dtype=np.int64)
            chosen = chosen[(chosen < n1).any(axis=1)]  # the one seen has no value from before
            for start in range(0, len(chosen), rows):
                part = chosen[start : start + rows]
                after = np.zeros((len(part), n), dtype=bool)
                np.put_along_axis(after, part, True, axis=1)
                yield after

        return listed(), every - 1, True

    def drawn() -> Iterator[NDArray[np.bool_]]:
        seen = np.arange(n) >= n1
        for start in range(0, count, rows):
            yield rng.permuted(np.broadcast_to(seen, (min(rows, count - start), n)), axis=1)

    return drawn(), count, False


def _described(exact: bool, total: int) -> str:
    if exact:
        return f"all {total + 1:,} arrangements"
    return f"{total:,} random arrangements, p = (1 + as extreme) / (1 + drawn)"


def permutation_of_means(
    before: Floats, after: Floats, confidence: float, *, count: int, rng: np.random.Generator
) -> Contrast:
    """Permutation test of the difference of means with the interval of shifts that it does not reject.

    The two-sided p-value is the share of arrangements, the one seen included, whose difference is at least
    as far from 0. Each end of the interval is where a one-sided test of the shifted values has (1 -
    confidence) / 2: shifting by d turns the difference of an arrangement with overlap a into D - d a, so
    that every arrangement has one d from which on it is as extreme as the data, and the ends are order
    statistics of these.

    References
    ----------
    Phipson and Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9, article 39;
    Tritchler (1984), JASA 79; R ``coin::oneway_test`` for the p-value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.array([1.0, 2, 3, 4]), np.array([5.0, 6, 7, 9])
    >>> found = permutation_of_means(x, y, 0.9, count=999, rng=rng)
    >>> found.estimate, round(found.p_value, 6), found.how
    (4.25, 0.028571, 'all 70 arrangements')
    """
    n1, n2 = len(before), len(after)
    seen = float(after.mean() - before.mean())
    pooled = np.concatenate([before - before.mean(), after - before.mean()])
    scale = float(np.abs(pooled).max())
    if scale <= 1e-14 * max(abs(float(before.mean())), abs(float(after.mean()))) or np.ptp(pooled) == 0:
        return Contrast(seen, NAN, NAN, NAN, NAN, NAN, how="all values are equal")
    blocks, total, exact = arrangements(n1, n2, count, rng)
    is_after = np.arange(n1 + n2) >= n1
    sum_all = float(pooled.sum())
    extreme, bounds = 0, []
    for block in blocks:
        inside = block @ pooled
        d = inside / n2 - (sum_all - inside) / n1
        extreme += int((np.abs(d) >= abs(seen) - 1e-12 * scale).sum())
        kept = block @ is_after.astype(float)
        overlap = kept / n2 - (n2 - kept) / n1
        moved = overlap < 1 - 1e-12  # an arrangement like the one seen moves with it: never less extreme
        bounds.append((seen - d[moved]) / (1 - overlap[moved]))
    edges = np.sort(np.concatenate(bounds))
    same = total - len(edges)
    # the smallest number of edges that brings a one-sided p-value above half of what is allowed
    k = math.floor((1 - confidence) / 2 * (total + 1) * (1 + 1e-12)) - same
    low = float(edges[k - 1]) if 1 <= k <= len(edges) else NAN
    high = float(edges[len(edges) - k]) if 1 <= k <= len(edges) else NAN
    how = _described(exact, total)
    if math.isnan(low):
        how += "; too few for an interval of this confidence"
    return Contrast(seen, low, high, seen, NAN, (1 + extreme) / (1 + total), how=how)


def permutation_of_medians(
    before: Floats, after: Floats, confidence: float, *, count: int, rng: np.random.Generator
) -> Contrast:
    """Permutation test of the difference of medians; interval of Price and Bonett.

    The test asks whether both sides come from one distribution, by the difference of their medians. The
    interval needs no such thing: the variance of each median comes from order statistics around it.

    References
    ----------
    Price and Bonett (2002), J. Statistical Computation and Simulation 72, 119-124.
    """
    n1, n2 = len(before), len(after)
    seen = float(np.median(after) - np.median(before))
    low, high = median_interval(before, after, confidence)
    pooled = np.concatenate([before, after])
    if np.ptp(pooled) == 0:
        return Contrast(seen, NAN, NAN, NAN, NAN, NAN, how="all values are equal")
    blocks, total, exact = arrangements(n1, n2, count, rng)
    scale = float(np.abs(pooled).max())
    extreme = 0
    for block in blocks:
        two = np.median(np.broadcast_to(pooled, block.shape)[block].reshape(len(block), n2), axis=1)
        one = np.median(np.broadcast_to(pooled, block.shape)[~block].reshape(len(block), n1), axis=1)
        extreme += int((np.abs(two - one) >= abs(seen) - 1e-12 * scale).sum())
    return Contrast(seen, low, high, seen, NAN, (1 + extreme) / (1 + total), how=_described(exact, total))


def median_interval(before: Floats, after: Floats, confidence: float) -> tuple[float, float]:
    """Price and Bonett's interval of the difference of medians; NaN where a side has fewer than 2 values."""
    from scipy import special

    variance = 0.0
    for y in (before, after):
        n = len(y)
        if n < 2:
            return NAN, NAN
        a = max(1, round(n / 2 - math.sqrt(n)))
        ordered = np.sort(y)
        # P(fewer than a of n values below the median): what the order statistics leave out on one side
        outside = float(special.bdtr(a - 1, n, 0.5))
        z = -float(special.ndtri(outside))
        variance += (float(ordered[n - a] - ordered[a - 1]) / (2 * z)) ** 2
    seen = float(np.median(after) - np.median(before))
    half = float(special.ndtri(0.5 + confidence / 2)) * math.sqrt(variance)
    return seen - half, seen + half
