"""Rank tests of several groups: Kruskal and Wallis, Friedman, Dunn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import midranks
from perfanalytics.comparisons.variance import NAN, FTest
from perfanalytics.core.columns import Floats


def kruskal(groups: Sequence[Floats]) -> FTest:
    """Kruskal and Wallis's test, corrected for ties; the statistic is chi-square in large samples.

    References
    ----------
    Kruskal and Wallis (1952), JASA 47; R ``kruskal.test``.

    Examples
    --------
    >>> round(kruskal([np.array([1.0, 2, 3]), np.array([4.0, 5, 6])]).statistic, 6)
    3.857143
    """
    ranks, ties = midranks(np.concatenate(groups))
    n, k = len(ranks), len(groups)
    parts = np.split(ranks, np.cumsum([len(g) for g in groups])[:-1])
    free = 1 - float((ties.astype(float) ** 3 - ties).sum()) / (float(n) ** 3 - n)
    if free <= 0:
        return FTest(NAN, float(k - 1), NAN, NAN)
    between = sum(len(p) * (float(p.mean()) - (n + 1) / 2) ** 2 for p in parts)
    h = 12 / (n * (n + 1)) * between / free
    return FTest(h, float(k - 1), NAN, float(special.chdtrc(k - 1, h)))


def dunn(groups: Sequence[Floats]) -> list[tuple[int, int, float, float, float]]:
    """Differences of mean ranks of all pairs with their standard errors and z: (i, j, difference, se, z).

    References
    ----------
    Dunn (1964), Technometrics 6, 241-252, with the correction for ties; R ``dunn.test``.
    """
    ranks, ties = midranks(np.concatenate(groups))
    n = len(ranks)
    means = [float(p.mean()) for p in np.split(ranks, np.cumsum([len(g) for g in groups])[:-1])]
    variance = n * (n + 1) / 12 - float((ties.astype(float) ** 3 - ties).sum()) / (12 * (n - 1))
    out = []
    for i in range(len(groups)):
        for j in range(i + 1, len(groups)):
            se = float(np.sqrt(max(0.0, variance) * (1 / len(groups[i]) + 1 / len(groups[j]))))
            d = means[j] - means[i]
            out.append((i, j, d, se, d / se if se > 0 else NAN))
    return out


def friedman(table: Floats) -> FTest:
    """Friedman's test of the columns of a table (blocks, groups), corrected for ties.

    References
    ----------
    Friedman (1937), JASA 32; Hollander, Wolfe and Chicken (2014), 7.1; R ``friedman.test``.
    """
    b, k = table.shape
    ranks = np.empty_like(table)
    tied = 0.0
    for row in range(b):
        ranks[row], sizes = midranks(table[row])
        tied += float((sizes.astype(float) ** 3 - sizes).sum())
    sums = ranks.sum(axis=0)
    bottom = b * k * (k + 1) - tied / (k - 1)
    if bottom <= 0:
        return FTest(NAN, float(k - 1), NAN, NAN)
    x = 12 * float(((sums - b * (k + 1) / 2) ** 2).sum()) / bottom
    return FTest(x, float(k - 1), NAN, float(special.chdtrc(k - 1, x)))
