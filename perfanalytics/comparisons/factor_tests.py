"""Tests of two factors, and of groups within blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from perfanalytics.comparisons.classical import NAN
from perfanalytics.comparisons.factors import TwoFactors, two_factors
from perfanalytics.comparisons.group_tests import Found, center_of, f_words
from perfanalytics.comparisons.grouped import Grouped
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.posthoc import Pair, model_pairs
from perfanalytics.comparisons.shares_of_variation import size_of_f
from perfanalytics.core.result import Caveat


def _model(data: Grouped, *, interaction: bool, kind: int) -> TwoFactors:
    second = data.codes[1] if data.block is None else data.block
    return two_factors(
        data.forward(),
        data.codes[0],
        second,
        levels=(data.k, int(second.max()) + 1),
        interaction=interaction,
        kind=kind,
    )


def _terms(
    data: Grouped, fit: TwoFactors, labels: tuple[str, str], confidence: float, *, kind: int
) -> tuple[Effect, ...]:
    """Test and partial effect sizes of every term."""
    terms = [(labels[0], fit.first), (labels[1], fit.second)]
    if fit.interaction is not None:
        terms.append((" x ".join(labels), fit.interaction))
    tests: list[Effect] = []
    sizes: list[Effect] = []
    for name, found in terms:
        tests.append(
            Effect(
                f"effect_of_{name}",
                role="primary" if not tests else "secondary",
                statistic=found.statistic,
                df=found.df_within,
                p_value=found.p_value,
                form="test",
                method=f"type {kind} test, {found.df_between:.0f} and {found.df_within:.0f} df",
                contrast=name,
            )
        )
        total = found.between + found.within
        rows = size_of_f(
            found.statistic,
            found.df_between,
            found.df_within,
            confidence,
            name="partial_eta_squared",
            ratio=found.between / total if total > 0 else NAN,
        )
        sizes += [replace(row, contrast=name) for row in rows]
    return (*tests, *sizes)


def _fit_pairs(data: Grouped, fit: TwoFactors) -> Callable[[str, float], list[Pair]]:
    shift = float(data.forward()[0])
    rest = data.forward() - shift
    level = shift + float(rest.mean())

    def pairs(procedure: str, confidence: float) -> list[Pair]:
        if np.isnan(fit.means).any() or fit.residual_variance <= 0:
            return []
        return model_pairs(
            fit.means + level, fit.covariance, fit.residual_df, confidence, tukey=procedure == "tukey_hsd"
        )

    return pairs


def blocked(data: Grouped, confidence: float) -> Found:
    """Groups within blocks: additive model, the blocks taken out."""
    fit = _model(data, interaction=False, kind=2)
    effects = list(_terms(data, fit, (data.factors[0], "block"), confidence, kind=2))
    null, quantity = center_of(data)
    first = effects[0]
    effects[0] = Effect(
        null,
        role="primary",
        statistic=first.statistic,
        df=first.df,
        p_value=first.p_value,
        form="test",
        method="analysis of variance, blocks taken out",
    )
    return Found(
        effects=tuple(effects),
        statistic=f_words(fit.first),
        pairs=_fit_pairs(data, fit),
        quantity=quantity,
        parameters={
            "df_between": fit.first.df_between,
            "df_within": fit.residual_df,
            "residual_variance": fit.residual_variance,
            "blocks": int(data.block.max()) + 1 if data.block is not None else 0,
        },
        references=("Fisher (1935), The Design of Experiments; R anova(lm(y ~ block + g))",),
    )


def two_way(data: Grouped, confidence: float, chosen: Mapping[str, Any]) -> Found:
    kind = int(chosen["type"])
    fit = _model(data, interaction=bool(chosen["interaction"]), kind=kind)
    _, quantity = center_of(data)
    labels = (data.factors[0], data.factors[1])
    caveats: list[Caveat] = []
    if np.isnan(fit.means).any():
        text = (
            f"Some combinations of {labels[0]} and {labels[1]} have no values: the interaction is tested on "
            "those that have, and levels are not compared."
        )
        caveats.append(Caveat("empty-cells", text, {}))
    if fit.interaction is not None and fit.interaction.p_value <= 1 - confidence:
        text = (
            f"{labels[0]} and {labels[1]} act together (interaction p = {fit.interaction.p_value:.2g}): what "
            f"{labels[0]} does depends on {labels[1]}, and averages over it tell only part."
        )
        caveats.append(Caveat("interaction", text, {"p_value": fit.interaction.p_value}))
    return Found(
        effects=_terms(data, fit, labels, confidence, kind=kind),
        statistic=f_words(fit.first),
        pairs=_fit_pairs(data, fit),
        quantity=quantity,
        caveats=tuple(caveats),
        parameters={
            "type": kind,
            "coding": "sums to zero",
            "df_between": fit.first.df_between,
            "df_within": fit.residual_df,
            "residual_variance": fit.residual_variance,
            "pairs_of": f"marginal means of {labels[0]}, levels of {labels[1]} weighing alike",
        },
        references=("Fox (2016), Applied Regression Analysis, 8.2; R car::Anova",),
    )
