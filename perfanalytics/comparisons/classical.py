"""The classical two-sample tests, as functions of arrays; distributions from scipy.special only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats

NAN = float("nan")
#: Below this many values a side, and without ties, the exact Mann-Whitney distribution is used (as R does).
EXACT_BELOW = 50


@dataclass(frozen=True, slots=True)
class Contrast:
    """Estimate with its interval, statistic, degrees of freedom, p-value."""

    estimate: float
    low: float
    high: float
    statistic: float
    df: float
    p_value: float
    se: float = NAN
    how: str = ""


def t_quantile(df: float, confidence: float) -> float:
    """Two-sided quantile of Student's t, of the normal where df is infinite."""
    upper = 0.5 + confidence / 2
    return float(special.ndtri(upper)) if np.isinf(df) else float(special.stdtrit(df, upper))


def t_p_value(statistic: float, df: float) -> float:
    """Two-sided p-value of Student's t."""
    if np.isnan(statistic) or np.isnan(df):
        return NAN
    return float(2 * (special.ndtr(-abs(statistic)) if np.isinf(df) else special.stdtr(df, -abs(statistic))))


def welch(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Welch's test of the difference of means, after minus before.

    References
    ----------
    Welch (1947), Biometrika 34; R ``t.test(after, before)``.
    """
    n1, n2 = len(before), len(after)
    estimate = float(after.mean() - before.mean())
    if n1 < 2 or n2 < 2:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    v1, v2 = before.var(ddof=1) / n1, after.var(ddof=1) / n2
    if v1 + v2 <= 1e-28 * max(abs(before.mean()), abs(after.mean())) ** 2:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN, 0.0)
    se = float(np.sqrt(v1 + v2))
    df = float((v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1)))
    half = t_quantile(df, confidence) * se
    t = estimate / se
    return Contrast(estimate, estimate - half, estimate + half, t, df, t_p_value(t, df), se)


def midranks(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Ranks from 1, ties averaged, and the size of each group of ties."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    return (upper - 0.5 * (counts - 1))[inverse], counts


@lru_cache(maxsize=64)
def mann_whitney_distribution(n1: int, n2: int) -> Floats:
    """P(U = 0), ..., P(U = n1 n2) when both sides come from one continuous distribution."""
    # Coefficients of the Gaussian binomial prod (1 - x^(n2+i)) / (1 - x^i), i = 1..n1: multiply, then divide.
    # Each depends on lower ones only, which are smaller up to the middle; symmetry gives the upper half.
    total = n1 * n2
    half = total // 2 + 1
    ways = np.zeros(half)
    ways[0] = 1.0
    small, large = min(n1, n2), max(n1, n2)
    for i in range(1, small + 1):
        if large + i < half:
            ways[large + i :] -= ways[: half - large - i].copy()
        rows = -(-half // i)
        padded = np.zeros(rows * i)
        padded[:half] = ways
        ways = padded.reshape(rows, i).cumsum(axis=0).ravel()[:half]
    full = np.empty(total + 1)
    full[:half] = ways
    full[total + 1 - half :] = ways[::-1]
    full /= full.sum()
    full.flags.writeable = False
    return full


def pairwise_order_statistics(before: Floats, after: Floats, ranks: list[int]) -> list[float]:
    """The ``ranks``-th smallest (from 1) of all n1 n2 differences after minus before.

    Small problems are partitioned directly; large ones by bisection on the value, counting the differences
    below it in O(n log n), without ever forming them.
    """
    total = len(before) * len(after)
    ranks = [min(max(r, 1), total) for r in ranks]
    if total <= 500_000:
        d = (after[:, None] - before[None, :]).ravel()
        d.partition(sorted({r - 1 for r in ranks}))
        return [float(d[r - 1]) for r in ranks]
    x, y = np.sort(before), np.sort(after)
    return [_select_difference(x, y, r) for r in ranks]


def _select_difference(x: Floats, y: Floats, rank: int) -> float:
    low, high = float(y[0] - x[-1]), float(y[-1] - x[0])
    # invariant: fewer than `rank` differences are <= low (or low is the minimum), at least `rank` are <= high
    if _count_up_to(x, y, low) >= rank:
        return low
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if _count_up_to(x, y, middle) >= rank:
            high = middle
        else:
            low = middle
    return high


def _count_up_to(x: Floats, y: Floats, bound: float) -> int:
    """How many differences y - x are <= bound."""
    return int((len(x) - np.searchsorted(x, y - bound, side="left")).sum())


def mann_whitney(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Mann-Whitney test and Hodges-Lehmann shift (median of all differences after - before) with interval.

    Exact where both sides have fewer than 50 values and there are no ties, otherwise normal with tie and
    continuity correction; the interval consists of order statistics of the differences.

    References
    ----------
    Hollander, Wolfe, Chicken (2014), Nonparametric Statistical Methods, 4.1 to 4.3; R ``wilcox.test``.
    """
    n1, n2 = len(before), len(after)
    ranks, ties = midranks(np.concatenate([before, after]))
    u = float(ranks[n1:].sum() - n2 * (n2 + 1) / 2)
    middle = n1 * n2 // 2
    n = n1 + n2
    if n1 < EXACT_BELOW and n2 < EXACT_BELOW and ties.max() == 1:
        cumulative = np.cumsum(mann_whitney_distribution(n1, n2))
        upper = 1.0 - cumulative[int(u) - 1] if u > 0 else 1.0
        p = min(1.0, 2 * min(float(cumulative[int(u)]), float(upper)))
        alpha = 1 - confidence
        # R: qwilcox(alpha / 2), at least 1
        k = int(np.searchsorted(cumulative, alpha / 2 * (1 - 1e-12)))
        how = "exact" if k else "exact; too few values for an interval of this confidence"
    else:
        correction = float((ties.astype(float) ** 3 - ties).sum()) / (n * (n - 1))
        sd = float(np.sqrt(max(0.0, n1 * n2 / 12 * (n + 1 - correction))))
        z = u - n1 * n2 / 2
        if sd == 0:
            return Contrast(float(after[0] - before[0]), NAN, NAN, u, NAN, NAN, how="all values are equal")
        p = float(2 * special.ndtr(-max(0.0, abs(z) - 0.5) / sd))
        half = float(special.ndtri(0.5 + confidence / 2)) * sd
        k = max(1, int(np.floor(n1 * n2 / 2 - half)))
        how = "normal, ties and continuity corrected"
    wanted = [middle if n1 * n2 % 2 == 0 else middle + 1, middle + 1, k, n1 * n2 + 1 - k]
    a, b, low, high = pairwise_order_statistics(before, after, wanted)
    if k == 0:
        low = high = NAN
    return Contrast(0.5 * (a + b), low, high, u, float("inf"), min(1.0, p), how=how)


def brown_forsythe(before: Floats, after: Floats) -> Contrast:
    """Brown-Forsythe test of equal spread: F of the absolute deviations from the medians.

    References
    ----------
    Brown and Forsythe (1974), JASA 69; R ``car::leveneTest(center = median)``.
    """
    n1, n2 = len(before), len(after)
    if n1 < 2 or n2 < 2:
        return Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    a, b = np.abs(before - np.median(before)), np.abs(after - np.median(after))
    within = a.var() * n1 + b.var() * n2
    mean = (a.sum() + b.sum()) / (n1 + n2)
    between = n1 * (a.mean() - mean) ** 2 + n2 * (b.mean() - mean) ** 2
    df = n1 + n2 - 2
    if within <= 0:
        return Contrast(NAN, NAN, NAN, NAN, float(df), NAN)
    f = float(between / (within / df))
    return Contrast(NAN, NAN, NAN, f, float(df), float(special.fdtrc(1, df, f)))


def ewc_welch(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Welch's test with long-run variances from equally weighted cosines (EWC).

    Each side's long-run variance is the mean square of its first ``nu`` cosine coefficients,
    ``nu = 0.4 n^(2/3)``, with nu degrees of freedom: a check for slow dependence that fits no model.

    References
    ----------
    Lazarus, Lewis, Stock and Watson (2018), J. Business and Economic Statistics 36, eq. 7 and 10.
    """
    estimate = float(after.mean() - before.mean())
    variances, terms = [], []
    for y in (before, after):
        n = len(y)
        nu = max(1, int(0.4 * n ** (2 / 3)))
        if n < 4:
            return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
        basis = np.cos(np.pi * np.outer(np.arange(1, nu + 1), np.arange(n) + 0.5) / n)
        variances.append(float(np.mean((np.sqrt(2 / n) * basis @ (y - y.mean())) ** 2)) / n)
        terms.append(nu)
    total = sum(variances)
    if total <= 0:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    df = total**2 / sum(v**2 / k for v, k in zip(variances, terms, strict=True))
    se = float(np.sqrt(total))
    half = t_quantile(df, confidence) * se
    t = estimate / se
    return Contrast(estimate, estimate - half, estimate + half, t, df, t_p_value(t, df), se)


def ljung_box(residuals: Floats, *, fitted: int) -> Contrast:
    """Ljung-Box test of whiteness over ``min(10, n // 5)`` lags, less the fitted correlation parameters.

    References
    ----------
    Ljung and Box (1978), Biometrika 65; R ``Box.test(type = "Ljung-Box", fitdf =)``.
    """
    n = len(residuals)
    lags = min(10, n // 5)
    if lags <= fitted:
        return Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    d = residuals - residuals.mean()
    bottom = float(d @ d)
    if bottom <= 0:
        return Contrast(NAN, NAN, NAN, NAN, NAN, NAN)
    r = np.array([d[k:] @ d[:-k] for k in range(1, lags + 1)]) / bottom
    q = float(n * (n + 2) * (r**2 / (n - np.arange(1, lags + 1))).sum())
    df = lags - fitted
    return Contrast(NAN, NAN, NAN, q, float(df), float(special.chdtrc(df, q)))
