"""Effect sizes without a unit: Hedges' g, Cliff's delta, the probability of superiority."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import midranks, t_quantile
from perfanalytics.comparisons.method import NAN, Effect
from perfanalytics.comparisons.noncentral import noncentrality_interval
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats

#: How the scale is told in the method of Hedges' g.
_ON = {"raw": "", "log": " of the logarithms", "logit": " of the log odds", "rank": ""}


def small_sample_factor(df: float) -> float:
    """Hedges' exact correction J = gamma(df/2) / (sqrt(df/2) gamma((df - 1)/2)).

    References
    ----------
    Hedges (1981), J. Educational Statistics 6, eq. 6e.

    Examples
    --------
    >>> round(small_sample_factor(18), 6)
    0.957646
    """
    return math.exp(float(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) - 0.5 * math.log(df / 2))


def hedges_g(before: Floats, after: Floats, confidence: float) -> tuple[float, float, float]:
    """Hedges' g of independent values with the interval from the noncentral t; NaN where undefined.

    References
    ----------
    Hedges (1981); Steiger and Fouladi (1997), in What if there were no significance tests?, 229-232.
    """
    n1, n2 = len(before), len(after)
    df = n1 + n2 - 2
    if min(n1, n2) < 2 or df < 2:
        return NAN, NAN, NAN
    pooled = math.sqrt(((n1 - 1) * before.var(ddof=1) + (n2 - 1) * after.var(ddof=1)) / df)
    if pooled <= 1e-14 * max(abs(float(before.mean())), abs(float(after.mean()))):
        return NAN, NAN, NAN
    d = float(after.mean() - before.mean()) / pooled
    root = math.sqrt(n1 * n2 / (n1 + n2))
    j = small_sample_factor(df)
    low, high = noncentrality_interval(d * root, df, confidence)
    return j * d, j * low / root, j * high / root


def superiority(before: Floats, after: Floats, confidence: float) -> tuple[float, float, float]:
    """P(after > before) + P(equal) / 2 of independent values, with the Brunner-Munzel interval on logits.

    The logit keeps the ends between 0 and 1. Where the sides do not overlap there is no variance; the open
    end is then the exact bound from min(n1, n2) separate pairs that all agree.

    References
    ----------
    Brunner and Munzel (2000), Biometrical Journal 42, 17-25; Newcombe (2006), Statistics
    in Medicine 25, 559-573.
    """
    n1, n2 = len(before), len(after)
    p, variance, df = placements(before, after)
    if math.isnan(variance):
        return p, NAN, NAN
    if variance <= 0 or not 0 < p < 1:
        if 0 < p < 1:
            return p, NAN, NAN
        edge = ((1 - confidence) / 2) ** (1 / min(n1, n2))
        return (p, edge, 1.0) if p == 1.0 else (p, 0.0, 1 - edge)
    half = t_quantile(df, confidence) * math.sqrt(variance) / (p * (1 - p))
    middle = math.log(p / (1 - p))
    return p, 1 / (1 + math.exp(-(middle - half))), 1 / (1 + math.exp(-(middle + half)))


def placements(before: Floats, after: Floats) -> tuple[float, float, float]:
    """Probability of superiority, its variance and degrees of freedom by Brunner and Munzel."""
    n1, n2 = len(before), len(after)
    ranks, _ = midranks(np.concatenate([before, after]))
    own1, _ = midranks(before)
    own2, _ = midranks(after)
    x, y = ranks[:n1] - own1, ranks[n1:] - own2  # how many of the other side lie below each value
    p = float(y.mean()) / n1
    if min(n1, n2) < 2:
        return p, NAN, NAN
    v1, v2 = float(x.var(ddof=1)) / (n1 * n2**2), float(y.var(ddof=1)) / (n2 * n1**2)
    total = v1 + v2
    if total <= 0:
        return p, 0.0, NAN
    return p, total, total**2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))


def effect_size_rows(
    sides: Sides,
    scale: AnalysisScale,
    confidence: float,
    *,
    g: tuple[float, float, float] | None,
    rank_half: float | None,
    tested: bool,
) -> tuple[Effect, ...]:
    """The three rows of every comparison.

    Parameters
    ----------
    g : (estimate, low, high), optional
        Hedges' g from resampled blocks; from the noncentral t of independent items when left out.
    rank_half : float, optional
        Half the width of the interval of the probability of superiority by the rank fit of the series.
    tested : bool
        False: the sides allow no intervals.
    """
    one, two = sides.before.values, sides.after.values
    if scale.name == "log":
        sides = sides.where(sides.before.values > 0, sides.after.values > 0)
    x, y = scale.forward(sides.before.values), scale.forward(sides.after.values)
    how = "noncentral t, items independent"
    if g is None:
        g = hedges_g(x, y, confidence)
    else:
        how = "blocks of periods resampled"
    p, low, high = superiority(one, two, confidence)
    spread = "Brunner-Munzel on logits, items independent"
    if rank_half is not None:
        low, high = max(0.0, p - rank_half), min(1.0, p + rank_half)
        spread = "standard error from the rank fit of the series"
    if not tested:
        g, low, high = (g[0], NAN, NAN), NAN, NAN
        how = spread = "descriptive"
    return (
        Effect(
            "hedges_g",
            role="secondary",
            estimate=g[0],
            low=g[1],
            high=g[2],
            unit="SD",
            method=f"difference of means in pooled SDs{_ON[scale.name]}, bias corrected; {how}",
        ),
        Effect(
            "cliffs_delta",
            role="secondary",
            estimate=2 * p - 1,
            low=2 * low - 1,
            high=2 * high - 1,
            method=f"P(after higher) - P(after lower); {spread}",
        ),
        Effect(
            "probability_of_superiority",
            role="secondary",
            estimate=p,
            low=low,
            high=high,
            form="probability",
            method=f"P(after higher) + P(equal) / 2; {spread}",
        ),
    )


def cohens_h(
    before: float, n_before: float, after: float, n_after: float, confidence: float, tested: bool
) -> Effect:
    """Cohen's h of two shares, the difference of their arcsines, with its normal interval.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 6.2.
    """
    h = 2 * math.asin(math.sqrt(min(max(after, 0.0), 1.0))) - 2 * math.asin(
        math.sqrt(min(max(before, 0.0), 1.0))
    )
    half = NAN
    if tested:
        half = float(special.ndtri(0.5 + confidence / 2)) * math.sqrt(1 / n_before + 1 / n_after)
    return Effect(
        "cohens_h",
        role="secondary",
        before=before,
        after=after,
        estimate=h,
        low=h - half,
        high=h + half,
        method="difference of arcsines, normal interval with effective sizes",
    )
