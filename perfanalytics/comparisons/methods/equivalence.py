"""Equivalence and non-inferiority: two one-sided tests within a declared margin."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.classical import Contrast, welch
from perfanalytics.comparisons.effect_words import change_words, margin_words, range_words
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import NAIVE, center_effect, shift_effect
from perfanalytics.comparisons.methods.t_tests import mean_scale, student
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import p_text, percent
from perfanalytics.core.errors import InputError


class Tost(ComparisonMethod):
    """Two one-sided t tests: is the effect within the margin (or, one-sided, not worse than it)?"""

    name = "tost"
    title = "two one-sided t tests"
    options = {  # noqa: RUF012 (read only, shared by all)
        "question": Choice("equivalence", "what is asked", ("equivalence", "non_inferiority")),
        "variances": Choice("welch", "a variance a side, or one pooled", ("welch", "pooled")),
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        if options.margin is None:
            raise InputError(
                "tost needs margin=: the largest effect that would still be as good as none, in the unit of "
                "the measure (a factor such as 1.1 where the effect is a ratio), declared before the data"
            )
        scale = mean_scale(sides, options, self.name)
        bound = _bound(options.margin, scale)
        question = str(options.chosen["question"])
        better = sides.measure.better
        if question == "non_inferiority" and better not in ("lower", "higher"):
            raise InputError(
                "non-inferiority needs to know which direction is better: the measure "
                f"{sides.measure.name!r} has better={better!r}; declare better='lower' or 'higher'"
            )
        used = scale.used(sides)
        x, y = scale.forward(used.before.values), scale.forward(used.after.values)
        test = welch if options.chosen["variances"] == "welch" else student
        level = 2 * options.confidence - 1
        inner = test(x, y, level)
        upper = _one_sided(inner, bound, below=True)
        lower = _one_sided(inner, -bound, below=False)
        if question == "equivalence":
            p, statistic = max((upper[0], upper[1]), (lower[0], lower[1]))
        else:
            p, statistic = upper if better == "lower" else lower
        tested = not math.isnan(p)
        shown = Contrast(inner.estimate, inner.low, inner.high, statistic, inner.df, p, inner.se)
        variances = "Welch" if options.chosen["variances"] == "welch" else "pooled variance"
        primary = center_effect(
            shown,
            sides,
            scale,
            role="primary",
            method=f"{self.title} ({variances}), {percent(level)} interval",
        )
        plain = center_effect(welch(x, y, options.confidence), sides, scale, role="companion", method=NAIVE)
        shift = shift_effect(sides, options.confidence, role="secondary")
        alpha = 1 - options.confidence
        outcome = "undecided"
        if tested and p <= alpha:
            outcome = "equivalent" if question == "equivalence" else "not_inferior"
        return Answer(
            effects=(primary, shift, plain),
            tested=tested,
            effective=(float(len(x)), float(len(y))),
            center_se=inner.se,
            center_df=inner.df,
            scale=scale.name,
            notes=scale.notes,
            caveats=(*scale.caveats, *dependence_caveat(sides)),
            parameters={
                "scale": scale.name,
                "scale_chosen": scale.chosen,
                "df": inner.df,
                "question": question,
                "p_above_lower_bound": lower[0],
                "p_below_upper_bound": upper[0],
                "interval": f"{percent(level)}, the level of two one-sided tests at {alpha:.6g}",
            },
            references=("Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, 657-680",),
            outcome=outcome,
            verdict=_verdict(outcome, primary, plain, sides, options, question, level) if tested else "",
        )


def _bound(margin: float, scale: AnalysisScale) -> float:
    """The margin on the analysis scale."""
    if scale.name in ("log", "logit"):
        if margin <= 1:
            raise InputError(
                f"the effect is a ratio here: the margin is a factor above 1 (1.1 for 10%), got {margin:g}"
            )
        return math.log(margin)
    return margin


def _one_sided(found: Contrast, bound: float, *, below: bool) -> tuple[float, float]:
    """p-value and t of "the effect lies below (above) the bound"."""
    if np.isnan(found.df):
        return math.nan, math.nan
    t = (found.estimate - bound) / found.se
    return float(special.stdtr(found.df, t if below else -t)), t


def _verdict(
    outcome: str,
    primary: Effect,
    plain: Effect,
    sides: Sides,
    options: Options,
    question: str,
    level: float,
) -> str:
    assert options.margin is not None
    unit = sides.measure.unit
    change = change_words(primary, unit)
    interval = f"{percent(level)} interval {range_words(primary, unit)}"
    margin = margin_words(primary, options.margin, unit)
    declared = f", declared on {options.declared_on.isoformat()}" if options.declared_on else ""
    if outcome == "equivalent":
        first = f"Equivalent: {change} ({interval}), within the margin of {margin}{declared}"
    elif outcome == "not_inferior":
        first = f"Not inferior: {change} ({interval}), no worse than the margin of {margin} allows{declared}"
    elif question == "equivalence":
        first = f"Undecided: {change} ({interval}); that is not within the margin of {margin}{declared}"
    else:
        first = (
            f"Undecided: {change} ({interval}); worse than the margin of {margin} is not ruled out{declared}"
        )
    second = f"The plain test of a difference has {p_text(plain.p_value)}."
    return f"{first} ({p_text(primary.p_value)}). {second}"


TOST = Tost()
