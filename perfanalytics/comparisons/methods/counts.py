"""Two by two tables: Fisher's exact test, chi-square, McNemar's test of pairs."""

from __future__ import annotations

import math

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.classical import NAN
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options, Role
from perfanalytics.comparisons.methods.proportions import (
    binomial_caveats,
    counts_of,
    counts_parameters,
    fisher,
    risk_ratio,
    score_contrast,
)
from perfanalytics.comparisons.rows import contrast_row
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.tables import (
    MCNEMAR_P,
    Hypergeometric,
    chi_square,
    clopper_pearson,
    mcnemar,
    paired_difference,
)
from perfanalytics.core.errors import InputError


def difference_row(
    x1: float, n1: float, x2: float, n2: float, confidence: float, *, role: Role, unit: str
) -> Effect:
    """Difference of two proportions with Newcombe's interval and the score test."""
    found = score_contrast(x1, n1, x2, n2, confidence)
    return contrast_row(
        "difference_of_proportions",
        found,
        role=role,
        before=x1 / n1,
        after=x2 / n2,
        unit=unit,
        method="score test, Newcombe interval",
    )


class Fisher(ComparisonMethod):
    """Fisher's exact test with the conditional odds ratio and its exact interval."""

    name = "fisher"
    title = "Fisher's exact test, conditional odds ratio"
    reads = "shares"

    def __call__(self, sides: Sides, options: Options) -> Answer:
        (x1, n1), (x2, n2) = counts_of(sides.before, "before"), counts_of(sides.after, "after")
        for x in (x1, n1, x2, n2):
            if abs(x - round(x)) > 1e-6:
                raise InputError(f"Fisher's test counts whole items; {x:g} is not whole")
        law = Hypergeometric(round(x1), round(n1), round(x2), round(n2))
        low, high = law.interval(options.confidence)
        primary = Effect(
            "odds_ratio",
            role="primary",
            before=x1 / n1,
            after=x2 / n2,
            estimate=law.odds_ratio(),
            low=low,
            high=high,
            p_value=law.p_value(),
            form="ratio",
            method=self.title,
        )
        return Answer(
            effects=(
                primary,
                difference_row(x1, n1, x2, n2, options.confidence, role="secondary", unit=sides.measure.unit),
                risk_ratio(x1, n1, x2, n2, options.confidence),
            ),
            tested=not math.isnan(primary.estimate),
            equivalence=law.interval(2 * options.confidence - 1),
            effective=(n1, n2),
            caveats=(*dependence_caveat(sides), *binomial_caveats(sides, (x1, n1, x2, n2), small=False)),
            parameters={
                **counts_parameters(sides, x1, n1, x2, n2),
                "p_value": "sum of the tables no more likely than the one seen",
            },
            references=("Fisher (1935), J. Royal Statistical Society 98; R fisher.test",),
        )


class ChiSquare(ComparisonMethod):
    """Pearson's chi-square test of two proportions."""

    name = "chi_square"
    title = "chi-square test, Newcombe interval"
    reads = "shares"
    options = {  # noqa: RUF012 (read only, shared by all)
        "continuity": Choice(False, "Yates's continuity correction")
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        (x1, n1), (x2, n2) = counts_of(sides.before, "before"), counts_of(sides.after, "after")
        continuity = bool(options.chosen["continuity"])
        x, p = chi_square(x1, n1, x2, n2, continuity=continuity)
        found = score_contrast(x1, n1, x2, n2, options.confidence)
        inner = score_contrast(x1, n1, x2, n2, 2 * options.confidence - 1)
        primary = Effect(
            "difference_of_proportions",
            role="primary",
            before=x1 / n1,
            after=x2 / n2,
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            statistic=x,
            df=1.0,
            p_value=p,
            unit=sides.measure.unit,
            method=self.title + (" (Yates's correction)" if continuity else ""),
        )
        return Answer(
            effects=(primary, risk_ratio(x1, n1, x2, n2, options.confidence), fisher(x1, n1, x2, n2)),
            equivalence=(inner.low, inner.high),
            effective=(n1, n2),
            center_se=found.se,
            center_df=float("inf"),
            caveats=(*dependence_caveat(sides), *binomial_caveats(sides, (x1, n1, x2, n2))),
            parameters=counts_parameters(sides, x1, n1, x2, n2),
            references=("Pearson (1900), Philosophical Magazine 50; R chisq.test",),
        )


class McNemar(ComparisonMethod):
    """McNemar's test of pairs coded 0 and 1: those that changed one way against the other."""

    name = "mcnemar"
    title = "McNemar's test"
    reads = "shares"
    paired = True
    options = {  # noqa: RUF012 (read only, shared by all)
        "p_value": Choice("exact", "how the p-value is made", MCNEMAR_P)
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        x, y = sides.before.values, sides.after.values
        if not all(((v == 0) | (v == 1)).all() for v in (x, y)) or any(
            (s.weights != 1).any() for s in (sides.before, sides.after)
        ):
            raise InputError("mcnemar compares pairs of items coded 0 and 1, one value an item on each side")
        both, neither = float(((x == 1) & (y == 1)).sum()), float(((x == 0) & (y == 0)).sum())
        lost, won = float(((x == 1) & (y == 0)).sum()), float(((x == 0) & (y == 1)).sum())
        how = str(options.chosen["p_value"])
        statistic, p = mcnemar(lost, won, how=how)
        found = paired_difference(both, lost, won, neither, options.confidence)
        inner = paired_difference(both, lost, won, neither, 2 * options.confidence - 1)
        n = len(x)
        primary = Effect(
            "difference_of_proportions",
            role="primary",
            before=float(x.mean()),
            after=float(y.mean()),
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            statistic=statistic,
            df=NAN if how in ("exact", "mid_p") else 1.0,
            p_value=p,
            unit=sides.measure.unit,
            method=f"{self.title} ({how.replace('_', ' ')}), Newcombe interval of pairs",
        )
        return Answer(
            effects=(primary, _odds_of_change(lost, won, options.confidence)),
            tested=lost + won > 0,
            equivalence=(inner.low, inner.high),
            effective=(float(n), float(n)),
            parameters={
                "pairs": n,
                "table": {"both": both, "lost": lost, "won": won, "neither": neither},
            },
            references=(
                "McNemar (1947), Psychometrika 12",
                "Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10",
            ),
            paired=True,
            omit=(
                "difference_of_medians",
                "hodges_lehmann_shift",
                f"difference_of_p{100 * options.tail:g}",
                "ratio_of_sds",
                "cohens_h",
            ),
        )


def _odds_of_change(lost: float, won: float, confidence: float) -> Effect:
    """Pairs won over pairs lost, with the exact interval of their share."""
    low = high = estimate = NAN
    if lost + won > 0:
        a, b = clopper_pearson(won, lost + won, confidence)
        low, high = a / (1 - a), math.inf if b >= 1 else b / (1 - b)
        estimate = math.inf if lost == 0 else won / lost
    return Effect(
        "conditional_odds_ratio",
        role="secondary",
        before=lost,
        after=won,
        estimate=estimate,
        low=low,
        high=high,
        form="ratio",
        method="pairs won over pairs lost, Clopper-Pearson interval",
    )


FISHER, CHI_SQUARE, MCNEMAR = Fisher(), ChiSquare(), McNemar()
