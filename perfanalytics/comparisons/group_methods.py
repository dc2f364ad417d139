"""The tests of several groups: ``GROUP_METHODS`` maps the name for ``method=`` to the test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.classical import NAN
from perfanalytics.comparisons.factor_tests import blocked, two_way
from perfanalytics.comparisons.group_tests import Found, center_of, chi_words, f_words
from perfanalytics.comparisons.grouped import Grouped
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.posthoc import (
    Pair,
    dunn_pairs,
    games_howell,
    model_pairs,
    proportion_pairs,
    rank_pairs,
    signed_pairs,
    spread_pairs,
    welch_pairs,
)
from perfanalytics.comparisons.rank_groups import friedman, kruskal
from perfanalytics.comparisons.shares_of_variation import cohens_w, kendalls_w, size_of_f, size_of_h
from perfanalytics.comparisons.spread import bartlett, fligner, levene
from perfanalytics.comparisons.variance import FTest, one_way, welch_one_way
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMethod:
    """A test of several groups.

    Parameters
    ----------
    name, title : str
    post_hoc : tuple of str
        The procedures for pairs; the first is the default.
    run : callable
        ``run(data, confidence, chosen) -> Found``.
    needs_block : bool or None
        True: blocks must be given; False: they must not; None: either.
    two_factors : bool
    ranks : bool
        True where the values are taken as they are, whatever the scale.
    options : mapping of name to Choice
    """

    name: str
    title: str
    post_hoc: tuple[str, ...]
    run: Callable[[Grouped, float, Mapping[str, Any]], Found]
    needs_block: bool | None = False
    two_factors: bool = False
    ranks: bool = False
    counted: bool = False
    options: Mapping[str, Choice] = field(default_factory=dict)


def _primary(quantity: str, found: FTest, method: str, *, chi: bool = False) -> Effect:
    return Effect(
        quantity,
        role="primary",
        statistic=found.statistic,
        df=found.df_between if chi else found.df_within,
        p_value=found.p_value,
        form="test",
        method=method,
    )


def _too_small(groups: list[Floats], data: Grouped) -> tuple[Caveat, ...]:
    """Groups without a variance of their own."""
    small = [name for name, g in zip(data.names[0], groups, strict=True) if len(g) < 2 or np.ptp(g) == 0]
    if not small:
        return ()
    text = f"Groups with fewer than two different values have no variance of their own: {', '.join(small)}."
    return (Caveat("zero-variance", text, {"groups": ", ".join(small)}),)


def _anova(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    if data.block is not None:
        return blocked(data, confidence)
    groups = data.split(data.forward())
    found = one_way(groups)
    null, quantity = center_of(data)
    means = np.array([float(g.mean()) for g in groups])
    n = np.array([len(g) for g in groups], dtype=float)

    def pairs(procedure: str, level: float) -> list[Pair]:
        if procedure in ("tukey_hsd", "pairwise_t"):
            if math.isnan(found.statistic):
                return welch_pairs(groups, level)
            covariance = np.diag(found.within / found.df_within / n)
            return model_pairs(means, covariance, found.df_within, level, tukey=procedure == "tukey_hsd")
        return _mean_pairs(groups, procedure, level)

    ratio = found.between / (found.between + found.within) if found.between + found.within > 0 else NAN
    return Found(
        effects=(
            _primary(null, found, "analysis of variance, one pooled variance"),
            *size_of_f(
                found.statistic,
                found.df_between,
                found.df_within,
                confidence,
                name="eta_squared",
                ratio=ratio,
            ),
        ),
        statistic=f_words(found),
        pairs=pairs,
        quantity=quantity,
        caveats=_too_small(groups, data),
        parameters={
            "df_between": found.df_between,
            "df_within": found.df_within,
            "sum_of_squares_between": found.between,
            "sum_of_squares_within": found.within,
        },
        references=("Fisher (1925), Statistical Methods for Research Workers",),
    )


def _welch(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    groups = data.split(data.forward())
    found, pooled = welch_one_way(groups), one_way(groups)
    null, quantity = center_of(data)
    total = pooled.between + pooled.within
    sizes = size_of_f(
        found.statistic,
        found.df_between,
        found.df_within,
        confidence,
        name="eta_squared",
        ratio=pooled.between / total if total > 0 else NAN,
    )
    # the noncentral interval belongs to the pooled F: eta squared stays a description here
    described = Effect(
        "eta_squared",
        role="secondary",
        estimate=sizes[0].estimate,
        form="size",
        method="share of the sum of squares, no interval",
    )
    return Found(
        effects=(_primary(null, found, "Welch's analysis of variance"), described, sizes[1]),
        statistic=f_words(found),
        pairs=lambda procedure, level: _mean_pairs(groups, procedure, level),
        quantity=quantity,
        caveats=_too_small(groups, data),
        parameters={"df_between": found.df_between, "df_within": found.df_within},
        references=("Welch (1951), Biometrika 38, 330-336",),
    )


def _mean_pairs(groups: list[Floats], procedure: str, level: float) -> list[Pair]:
    if procedure == "games_howell":
        return games_howell(groups, level)
    return rank_pairs(groups, level) if procedure == "pairwise_wilcoxon" else welch_pairs(groups, level)


def _kruskal(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    groups = data.split(data.values)
    found = kruskal(groups)
    n = len(data.values)
    return Found(
        effects=(
            _primary("equal_distributions", found, "Kruskal-Wallis test, ties corrected", chi=True),
            *size_of_h(found.statistic, data.k, n),
        ),
        statistic=chi_words(found),
        pairs=lambda procedure, level: (dunn_pairs if procedure == "dunn" else rank_pairs)(groups, level),
        quantity="difference_of_mean_ranks",
        caveats=_few(groups, data),
        parameters={"df_between": found.df_between, "ties": "corrected"},
        references=("Kruskal and Wallis (1952), JASA 47",),
    )


def _few(groups: list[Floats], data: Grouped) -> tuple[Caveat, ...]:
    small = [name for name, g in zip(data.names[0], groups, strict=True) if len(g) < 5]
    if not small:
        return ()
    text = f"Fewer than 5 values in {', '.join(small)}: the chi-square approximation is rough."
    return (Caveat("too-few-points", text, {"groups": ", ".join(small), "needed": 5}),)


def complete_blocks(data: Grouped) -> tuple[Floats, tuple[Caveat, ...]]:
    """The values as a table (blocks, groups); blocks without a value of every group are left out.

    Raises
    ------
    InputError
        When a block has several values of one group, or no block is complete.
    """
    assert data.block is not None
    blocks = int(data.block.max()) + 1
    seen = np.zeros((blocks, data.k), dtype=np.int64)
    np.add.at(seen, (data.block, data.codes[0]), 1)
    if (seen > 1).any():
        raise InputError(
            "Friedman's test takes one value of each group in each block; there are several: take their mean "
            "or median first, or use method='anova' with block="
        )
    table = np.full((blocks, data.k), np.nan)
    table[data.block, data.codes[0]] = data.values
    whole = (seen == 1).all(axis=1)
    if whole.sum() < 2:
        raise InputError("fewer than two blocks have a value of every group: nothing can be compared")
    if whole.all():
        return table, ()
    lost = int((~whole).sum())
    text = f"{lost} of {blocks} blocks lack a value of some group and are left out."
    return table[whole], (Caveat("unmatched", text, {"blocks": blocks, "left_out": lost}),)


def _friedman(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    table, caveats = complete_blocks(data)
    found = friedman(table)
    return Found(
        effects=(
            _primary("equal_distributions", found, "Friedman test, ties corrected", chi=True),
            *kendalls_w(found.statistic, data.k, len(table)),
        ),
        statistic=chi_words(found),
        pairs=lambda procedure, level: signed_pairs(table, level),
        quantity="hodges_lehmann_shift",
        caveats=caveats,
        parameters={"df_between": found.df_between, "blocks": len(table)},
        references=("Friedman (1937), JASA 32",),
    )


def _spread(name: str) -> Callable[[Grouped, float, Mapping[str, Any]], Found]:
    titles = {
        "brown_forsythe": ("Brown-Forsythe test", "Brown and Forsythe (1974), JASA 69"),
        "levene": ("Levene's test", "Levene (1960)"),
        "bartlett": ("Bartlett's test", "Bartlett (1937), Proc. Royal Society A 160"),
        "fligner": ("Fligner-Killeen test", "Fligner and Killeen (1976), JASA 71"),
    }

    def run(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
        groups = data.split(data.forward())
        by_f = name in ("levene", "brown_forsythe")
        if by_f:
            found = levene(groups, center="mean" if name == "levene" else "median")
        else:
            found = bartlett(groups) if name == "bartlett" else fligner(groups)
        logs = "log_" if data.scale == "log" else ""
        return Found(
            effects=(_primary("equal_spread", found, titles[name][0], chi=not by_f),),
            statistic=f_words(found) if by_f else chi_words(found),
            pairs=lambda procedure, level: spread_pairs(groups, level, test=name),
            quantity=f"ratio_of_{logs}{'sds' if name == 'bartlett' else 'mean_absolute_deviations'}",
            caveats=_too_small(groups, data),
            parameters={"df_between": found.df_between, "df_within": found.df_within},
            references=(titles[name][1],),
        )

    return run


def _chi_square(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    if not data.is_counted():
        raise InputError(
            "chi_square compares proportions: give counts with sizes= (a column of denominators), or items "
            "coded 0 and 1"
        )
    x, n = data.counts()
    pooled = float(x.sum() / n.sum())
    df = float(data.k - 1)
    expected = float(n.min()) * min(pooled, 1 - pooled)
    if 0 < pooled < 1:
        statistic = float((((x - n * pooled) ** 2) / (n * pooled * (1 - pooled))).sum())
        found = FTest(statistic, df, NAN, float(_chi_tail(df, statistic)))
    else:
        found = FTest(NAN, df, NAN, NAN)
    caveats: tuple[Caveat, ...] = ()
    if expected < 5:
        text = (
            f"The smallest expected count is {expected:.1f}, below 5: the chi-square approximation is rough."
        )
        caveats = (Caveat("small-counts", text, {"smallest_expected": expected}),)
    return Found(
        effects=(
            _primary("equal_proportions", found, "chi-square test of proportions", chi=True),
            *cohens_w(found.statistic, df, float(n.sum()), confidence),
        ),
        statistic=chi_words(found),
        pairs=lambda procedure, level: proportion_pairs(x, n, level),
        quantity="difference_of_proportions",
        caveats=caveats,
        parameters={
            "df_between": df,
            "counts": dict(zip(data.names[0], x.tolist(), strict=True)),
            "sizes": dict(zip(data.names[0], n.tolist(), strict=True)),
        },
        references=("Pearson (1900), Philosophical Magazine 50; R prop.test, chisq.test",),
    )


def _chi_tail(df: float, x: float) -> float:
    from scipy import special

    return float(special.chdtrc(df, x))


MEANS = ("tukey_hsd", "games_howell", "pairwise_t", "pairwise_welch", "pairwise_wilcoxon", "none")
GROUP_METHODS: dict[str, GroupMethod] = {
    m.name: m
    for m in (
        GroupMethod(name="anova", title="analysis of variance", post_hoc=MEANS, run=_anova, needs_block=None),
        GroupMethod(
            name="welch_anova",
            title="Welch's analysis of variance",
            post_hoc=("games_howell", "pairwise_welch", "pairwise_wilcoxon", "none"),
            run=_welch,
        ),
        GroupMethod(
            name="kruskal",
            title="Kruskal-Wallis test",
            post_hoc=("dunn", "pairwise_wilcoxon", "none"),
            run=_kruskal,
            ranks=True,
        ),
        GroupMethod(
            name="friedman",
            title="Friedman test",
            post_hoc=("pairwise_wilcoxon", "none"),
            run=_friedman,
            needs_block=True,
            ranks=True,
        ),
        GroupMethod(
            name="two_way",
            title="two-way analysis of variance",
            post_hoc=("tukey_hsd", "pairwise_t", "none"),
            run=two_way,
            two_factors=True,
            options={
                "type": Choice("2", "type of the sums of squares", ("2", "3")),
                "interaction": Choice(True, "whether the factors may act together"),
            },
        ),
        *(
            GroupMethod(name=name, title=title, post_hoc=("pairwise", "none"), run=_spread(name))
            for name, title in (
                ("brown_forsythe", "Brown-Forsythe test"),
                ("levene", "Levene's test"),
                ("bartlett", "Bartlett's test"),
                ("fligner", "Fligner-Killeen test"),
            )
        ),
        GroupMethod(
            name="chi_square",
            title="chi-square test",
            post_hoc=("pairwise", "none"),
            run=_chi_square,
            ranks=True,
            counted=True,
        ),
    )
}
#: With blocks the residual variance of the model is the only one there is.
BLOCKED_POST_HOC = ("tukey_hsd", "pairwise_t", "none")
#: Names of procedures that also stand for a method: name -> (method, procedure).
SHORT_NAMES = {
    "tukey_hsd": ("anova", "tukey_hsd"),
    "games_howell": ("welch_anova", "games_howell"),
    "dunn": ("kruskal", "dunn"),
    "pairwise": ("welch_anova", "pairwise_welch"),
}
