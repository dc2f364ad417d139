"""Which groups differ from which: all pairs, each with its interval and its adjusted p-value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from perfanalytics.comparisons.classical import NAN, Contrast, mann_whitney, t_p_value, t_quantile, welch
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.methods.proportions import score_contrast
from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.comparisons.rank_groups import dunn
from perfanalytics.comparisons.signed_rank import signed_rank
from perfanalytics.comparisons.spread import (
    bartlett,
    fligner,
    levene,
    ratio_of_deviations,
    ratio_of_sds,
)
from perfanalytics.comparisons.studentized_range import quantile, upper_tail
from perfanalytics.core.columns import Floats

#: Procedure -> what is done, for ``.method`` and the documentation.
POST_HOC = {
    "tukey_hsd": "Tukey's honest significant difference (Tukey-Kramer), one pooled variance",
    "games_howell": "Games and Howell: studentized range, a variance a group",
    "dunn": "Dunn's test of mean ranks",
    "pairwise_t": "t tests with the variance pooled over all groups",
    "pairwise_welch": "Welch's t tests of pairs of groups",
    "pairwise_wilcoxon": "Mann-Whitney tests of pairs of groups (signed-rank tests within blocks)",
    "pairwise": "the same test for each pair of groups",
    "none": "no comparison of pairs",
}
#: Procedures whose p-values are simultaneous by themselves.
SIMULTANEOUS = ("tukey_hsd", "games_howell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One pair of groups on the analysis scale: levels, contrast second less first, adjusted p-value."""

    first: int
    second: int
    levels: tuple[float, float]
    found: Contrast
    adjusted: float = NAN
    form: str = "difference"


def model_pairs(
    means: Floats, covariance: Floats, df: float, confidence: float, *, tukey: bool
) -> list[Pair]:
    """All differences of estimated means with a common residual variance.

    References
    ----------
    Tukey (1953); Kramer (1956), Biometrics 12; R ``TukeyHSD``, ``pairwise.t.test``.
    """
    k = len(means)
    factor = quantile(confidence, k, df) / math.sqrt(2) if tukey else t_quantile(df, confidence)
    out = []
    for i, j in combinations(range(k), 2):
        d = float(means[j] - means[i])
        se = math.sqrt(max(0.0, float(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])))
        t = d / se if se > 0 else NAN
        found = Contrast(d, d - factor * se, d + factor * se, t, df, t_p_value(t, df), se)
        adjusted = upper_tail(abs(t) * math.sqrt(2), k, df) if tukey else NAN
        out.append(
            Pair(first=i, second=j, levels=(float(means[i]), float(means[j])), found=found, adjusted=adjusted)
        )
    return out


def games_howell(groups: Sequence[Floats], confidence: float) -> list[Pair]:
    """All differences of means, each with its own standard error and degrees of freedom.

    References
    ----------
    Games and Howell (1976), J. Educational Statistics 1, 113-125.
    """
    k = len(groups)
    out = []
    for i, j in combinations(range(k), 2):
        found = welch(groups[i], groups[j], confidence)
        adjusted = low = high = NAN
        if not np.isnan(found.p_value):
            adjusted = upper_tail(abs(found.statistic) * math.sqrt(2), k, found.df)
            half = quantile(confidence, k, found.df) / math.sqrt(2) * found.se
            low, high = found.estimate - half, found.estimate + half
        out.append(
            Pair(
                first=i,
                second=j,
                levels=(float(groups[i].mean()), float(groups[j].mean())),
                found=Contrast(found.estimate, low, high, found.statistic, found.df, found.p_value, found.se),
                adjusted=adjusted,
            )
        )
    return out


def dunn_pairs(groups: Sequence[Floats], confidence: float) -> list[Pair]:
    """Differences of mean ranks with their normal test."""
    z = t_quantile(math.inf, confidence)
    return [
        Pair(
            first=i,
            second=j,
            levels=(NAN, NAN),
            found=Contrast(d, d - z * se, d + z * se, s, math.inf, t_p_value(s, math.inf), se),
        )
        for i, j, d, se, s in dunn(groups)
    ]


def welch_pairs(groups: Sequence[Floats], confidence: float) -> list[Pair]:
    """Welch's test of each pair."""
    return [
        Pair(
            first=i,
            second=j,
            levels=(float(groups[i].mean()), float(groups[j].mean())),
            found=welch(groups[i], groups[j], confidence),
        )
        for i, j in combinations(range(len(groups)), 2)
    ]


def rank_pairs(groups: Sequence[Floats], confidence: float) -> list[Pair]:
    """Mann-Whitney test of each pair, with the Hodges-Lehmann shift."""
    return [
        Pair(
            first=i,
            second=j,
            levels=(float(np.median(groups[i])), float(np.median(groups[j]))),
            found=mann_whitney(groups[i], groups[j], confidence),
        )
        for i, j in combinations(range(len(groups)), 2)
    ]


def signed_pairs(table: Floats, confidence: float) -> list[Pair]:
    """Signed-rank test of each pair of columns of a table (blocks, groups)."""
    return [
        Pair(
            first=i,
            second=j,
            levels=(float(np.median(table[:, i])), float(np.median(table[:, j]))),
            found=signed_rank(table[:, j] - table[:, i], confidence, zeros="wilcoxon"),
        )
        for i, j in combinations(range(table.shape[1]), 2)
    ]


def spread_pairs(groups: Sequence[Floats], confidence: float, *, test: str) -> list[Pair]:
    """Ratio of the spreads of each pair with the same test as that of all groups."""
    out = []
    for i, j in combinations(range(len(groups)), 2):
        x, y = groups[i], groups[j]
        if test == "bartlett":
            tested, ratio = bartlett((x, y)), ratio_of_sds(x, y, confidence)
        else:
            center = "mean" if test == "levene" else "median"
            tested = fligner((x, y)) if test == "fligner" else levene((x, y), center=center)
            ratio = ratio_of_deviations(x, y, confidence, center=center)
        df = tested.df_within if test in ("levene", "brown_forsythe") else tested.df_between
        found = Contrast(*ratio, tested.statistic, df, tested.p_value)
        out.append(Pair(first=i, second=j, levels=(NAN, NAN), found=found, form="ratio"))
    return out


def proportion_pairs(counts: Floats, sizes: Floats, confidence: float) -> list[Pair]:
    """Score test and Newcombe interval of each pair of proportions."""
    return [
        Pair(
            first=i,
            second=j,
            levels=(float(counts[i] / sizes[i]), float(counts[j] / sizes[j])),
            found=score_contrast(counts[i], sizes[i], counts[j], sizes[j], confidence),
        )
        for i, j in combinations(range(len(counts)), 2)
    ]


def pair_effects(
    pairs: Sequence[Pair],
    names: Sequence[str],
    *,
    quantity: str,
    unit: str,
    scale: str,
    adjust: str,
    how: str,
) -> tuple[Effect, ...]:
    """The pairs as rows in the terms of the measure; p-values adjusted where they are not yet.

    Differences of logarithms become ratios.
    """
    given = np.array([p.adjusted for p in pairs])
    if np.isnan(given).all():
        given = adjusted_p_values(np.array([p.found.p_value for p in pairs]), method=adjust)
    log = scale == "log"
    rows = []
    for pair, adjusted in zip(pairs, given.tolist(), strict=True):
        ends = (pair.found.estimate, pair.found.low, pair.found.high)
        estimate, low, high = (math.exp(v) if log and not math.isnan(v) else v for v in ends)
        before, after = (math.exp(v) if log else v for v in pair.levels)
        ratio = log or pair.form == "ratio"
        rows.append(
            Effect(
                quantity,
                role="secondary",
                before=before,
                after=after,
                estimate=estimate,
                low=low,
                high=high,
                statistic=pair.found.statistic,
                df=pair.found.df,
                p_value=pair.found.p_value,
                p_adjusted=adjusted,
                form="ratio" if ratio else "difference",
                unit="" if ratio else unit,
                method=how,
                contrast=f"{names[pair.second]} {'/' if ratio else '-'} {names[pair.first]}",
            )
        )
    return tuple(rows)
