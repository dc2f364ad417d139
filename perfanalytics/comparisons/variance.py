"""One-way analysis of variance, pooled and Welch's, centered first so that digits are not lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats

NAN = float("nan")
#: A sum of squares smaller than this share of the squared level is rounding, not variation.
ROUNDING = 1e-28


@dataclass(frozen=True, slots=True)
class FTest:
    """An F (or chi-square) statistic with its degrees of freedom, p-value and sums of squares."""

    statistic: float
    df_between: float
    df_within: float
    p_value: float
    between: float = NAN
    within: float = NAN


def centered(groups: Sequence[Floats]) -> list[Floats]:
    """The groups without the mean of all values.

    Taking the first value away first is exact for values that agree in their leading digits, so that the
    mean of the rest has all of its own.
    """
    first = float(groups[0][0])
    shifted = [g - first for g in groups]
    mean = float(np.concatenate(shifted).mean())
    return [g - mean for g in shifted]


def squares(values: Floats) -> float:
    """Sum of squared deviations from the mean, with the correction for a rounded mean."""
    d = values - values.mean()
    return float(d @ d - d.sum() ** 2 / len(d))


def one_way(groups: Sequence[Floats]) -> FTest:
    """F test of equal means with one pooled variance.

    Parameters
    ----------
    groups : sequence of float arrays
        None of them empty.

    Returns
    -------
    FTest
        NaN where there is no variation within the groups, or only one value in each.

    References
    ----------
    Fisher (1925), Statistical Methods for Research Workers; R ``anova(lm(y ~ g))``.

    Examples
    --------
    >>> found = one_way([np.array([1.0, 2, 3]), np.array([2.0, 3, 4]), np.array([5.0, 6, 7])])
    >>> round(found.statistic, 6), found.df_between, found.df_within
    (13.0, 2.0, 6.0)
    """
    level = max(float(np.abs(g).max()) for g in groups)
    values = centered(groups)
    n, k = sum(len(g) for g in values), len(values)
    within = sum(squares(g) for g in values)
    mean = sum(float(g.sum()) for g in values) / n
    between = sum(len(g) * (float(g.mean()) - mean) ** 2 for g in values)
    df1, df2 = float(k - 1), float(n - k)
    if df2 <= 0 or within <= n * ROUNDING * level**2:
        return FTest(NAN, df1, df2, NAN, between, within)
    f = (between / df1) / (within / df2)
    return FTest(f, df1, df2, float(special.fdtrc(df1, df2, f)), between, within)


def welch_one_way(groups: Sequence[Floats]) -> FTest:
    """Welch's test of equal means: every group with its own variance.

    NaN where a group has fewer than two values or no variation.

    References
    ----------
    Welch (1951), Biometrika 38, 330-336; R ``oneway.test``.

    Examples
    --------
    >>> found = welch_one_way([np.array([1.0, 2, 3]), np.array([2.0, 3, 7]), np.array([5.0, 6, 9])])
    >>> round(found.statistic, 6), round(found.df_within, 6)
    (5.323845, 3.399141)
    """
    k = len(groups)
    level = max(float(np.abs(g).max()) for g in groups)
    values = centered(groups)
    n = np.array([len(g) for g in values], dtype=float)
    if (n < 2).any():
        return FTest(NAN, float(k - 1), NAN, NAN)
    variance = np.array([squares(g) / (len(g) - 1) for g in values])
    if (variance <= ROUNDING * level**2).any():
        return FTest(NAN, float(k - 1), NAN, NAN)
    w = n / variance
    mean = np.array([float(g.mean()) for g in values])
    center = float((w * mean).sum() / w.sum())
    spread = float((((1 - w / w.sum()) ** 2) / (n - 1)).sum()) / (k * k - 1)
    f = float((w * (mean - center) ** 2).sum()) / ((k - 1) * (1 + 2 * (k - 2) * spread))
    df = 1 / (3 * spread)
    return FTest(f, float(k - 1), df, float(special.fdtrc(k - 1, df, f)))
