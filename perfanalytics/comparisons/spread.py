"""Tests of equal spread for two and more groups, and ratios of spread with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import midranks
from perfanalytics.comparisons.variance import NAN, FTest, one_way
from perfanalytics.core.columns import Floats

#: Square roots of machine precision: deviations this far below the level are rounding.
ROUNDING = 1e-13


def deviations(groups: Sequence[Floats], center: str) -> list[Floats]:
    """Absolute deviations of each group from its "median" or "mean"; rounding is taken for no deviation."""
    out = []
    for g in groups:
        d = np.abs(g - (np.median(g) if center == "median" else g.mean()))
        out.append(np.where(d <= ROUNDING * np.abs(g).max(initial=0.0), 0.0, d))
    return out


def levene(groups: Sequence[Floats], *, center: str) -> FTest:
    """F test of the absolute deviations: Levene's from the "mean", Brown and Forsythe's from the "median".

    References
    ----------
    Levene (1960); Brown and Forsythe (1974), JASA 69; R ``car::leveneTest``.

    Examples
    --------
    >>> found = levene([np.array([1.0, 2, 4, 9]), np.array([2.0, 3, 4, 4])], center="median")
    >>> round(found.statistic, 6)
    2.070423
    """
    return one_way(deviations(groups, center))


def bartlett(groups: Sequence[Floats]) -> FTest:
    """Bartlett's test of equal variances of normal values; NaN where a group does not vary.

    References
    ----------
    Bartlett (1937), Proc. Royal Society A 160; R ``bartlett.test``.
    """
    k = len(groups)
    df = np.array([len(g) - 1 for g in groups], dtype=float)
    nothing = FTest(NAN, float(k - 1), NAN, NAN)
    if (df < 1).any() or any(not d.any() for d in deviations(groups, "mean")):
        return nothing
    variance = np.array([float(g.var(ddof=1)) for g in groups])
    total = float(df.sum())
    pooled = float((df * variance).sum() / total)
    top = total * np.log(pooled) - float((df * np.log(variance)).sum())
    x = float(top / (1 + (float((1 / df).sum()) - 1 / total) / (3 * (k - 1))))
    return FTest(x, float(k - 1), NAN, float(special.chdtrc(k - 1, max(x, 0.0))))


def fligner(groups: Sequence[Floats]) -> FTest:
    """Fligner and Killeen's test of equal spread by normal scores of the deviations from the medians.

    References
    ----------
    Fligner and Killeen (1976), JASA 71; Conover, Johnson and Johnson (1981), Technometrics 23; R
    ``fligner.test``.
    """
    k = len(groups)
    centered = [g - np.median(g) for g in groups]
    d = np.abs(np.concatenate(centered))
    n = len(d)
    ranks, _ = midranks(d)
    score = np.asarray(special.ndtri((1 + ranks / (n + 1)) / 2))
    ends = np.cumsum([len(g) for g in groups])[:-1]
    parts = np.split(score, ends)
    variance = float(score.var(ddof=1))
    if variance <= 0:
        return FTest(NAN, float(k - 1), NAN, NAN)
    mean = float(score.mean())
    x = sum(len(p) * (float(p.mean()) - mean) ** 2 for p in parts) / variance
    return FTest(x, float(k - 1), NAN, float(special.chdtrc(k - 1, x)))


def ratio_of_sds(before: Floats, after: Floats, confidence: float) -> tuple[float, float, float]:
    """Standard deviation after over before, with the interval of the F distribution (normal values).

    References
    ----------
    R ``var.test``, square roots taken.
    """
    n1, n2 = len(before), len(after)
    if min(n1, n2) < 2 or any(not d.any() for d in deviations((before, after), "mean")):
        return NAN, NAN, NAN
    f = float(after.var(ddof=1) / before.var(ddof=1))
    tail = (1 - confidence) / 2
    low = f / float(special.fdtri(n2 - 1, n1 - 1, 1 - tail))
    high = f / float(special.fdtri(n2 - 1, n1 - 1, tail))
    return float(np.sqrt(f)), float(np.sqrt(low)), float(np.sqrt(high))


def variance_ratio_p(before: Floats, after: Floats) -> tuple[float, float]:
    """F of the variances, after over before, and twice the smaller tail."""
    f = float(after.var(ddof=1) / before.var(ddof=1))
    df = (len(after) - 1, len(before) - 1)
    return f, min(1.0, 2 * min(float(special.fdtrc(*df, f)), float(special.fdtr(*df, f))))


def ratio_of_deviations(
    before: Floats, after: Floats, confidence: float, *, center: str
) -> tuple[float, float, float]:
    """Mean absolute deviation after over before, each with the factor n / (n - 1), and its log interval.

    Around the median the interval of Bonett and Seier; around the mean the same delta method with the
    term for a center that is estimated: the influence of a value is ``|y - m| + (2 F(m) - 1) (y - m)``.

    References
    ----------
    Bonett and Seier (2003), The American Statistician 57, 233-236, eq. 5.

    Examples
    --------
    >>> x, y = np.array([1.0, 2, 4, 9, 5]), np.array([2.0, 3, 4, 4, 3.5])
    >>> [round(v, 6) for v in ratio_of_deviations(x, y, 0.95, center="median")]
    [0.272727, 0.077324, 0.961933]
    """
    logs, variances = [], []
    for y in (before, after):
        n = len(y)
        m = float(np.median(y) if center == "median" else y.mean())
        d = np.abs(y - m)
        tau = float(d.mean())
        if n < 2 or not deviations((y,), center)[0].any():
            return NAN, NAN, NAN
        if center == "median":
            spread = float(y.var(ddof=1)) + (float(y.mean()) - m) ** 2 - tau**2
        else:
            side = float(np.mean(y < m) + 0.5 * np.mean(y == m))
            spread = float((d + (2 * side - 1) * (y - m)).var(ddof=1))
        logs.append(np.log(tau * n / (n - 1)))
        variances.append(spread / (n * tau**2))
    middle = float(logs[1] - logs[0])
    half = float(special.ndtri(0.5 + confidence / 2) * np.sqrt(sum(variances)))
    return float(np.exp(middle)), float(np.exp(middle - half)), float(np.exp(middle + half))
