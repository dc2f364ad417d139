"""Two proportions: Newcombe's score interval, with Fisher's exact test beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.classical import Contrast
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.rows import contrast_row
from perfanalytics.comparisons.sides import Side, Sides
from perfanalytics.comparisons.tables import Hypergeometric, score_interval, smallest_expected, wilson
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

SCORE_REFERENCE = "Miettinen and Nurminen (1985), Statistics in Medicine 4"
#: Standard deviation of the standardized shares (1 when binomial) above which periods differ too much.
OVERDISPERSED = 1.1


class TwoProportions(ComparisonMethod):
    """Difference of two proportions: score test, Newcombe's hybrid score interval."""

    name = "two_proportions"
    title = "score test, Newcombe interval"
    reads = "shares"

    options = {  # noqa: RUF012 (read only, shared by all)
        "interval": Choice("newcombe", "interval of the difference", ("newcombe", "score"))
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        x1, n1 = counts_of(sides.before, "before")
        x2, n2 = counts_of(sides.after, "after")
        found = score_contrast(x1, n1, x2, n2, options.confidence)
        inner = score_contrast(x1, n1, x2, n2, 2 * options.confidence - 1)
        title, reference = self.title, "Newcombe (1998), Statistics in Medicine 17, 873-890, method 10"
        ends, inner_ends = (found.low, found.high), (inner.low, inner.high)
        if options.chosen.get("interval") == "score":
            title, reference = "score test, score interval", SCORE_REFERENCE
            ends = score_interval(x1, n1, x2, n2, options.confidence)
            inner_ends = score_interval(x1, n1, x2, n2, 2 * options.confidence - 1)
        primary = contrast_row(
            "difference_of_proportions",
            replace(found, low=ends[0], high=ends[1]),
            role="primary",
            before=x1 / n1,
            after=x2 / n2,
            unit=sides.measure.unit,
            method=title,
        )
        return Answer(
            effects=(primary, risk_ratio(x1, n1, x2, n2, options.confidence), fisher(x1, n1, x2, n2)),
            equivalence=inner_ends,
            effective=(n1, n2),
            center_se=found.se,
            center_df=float("inf"),
            caveats=(*dependence_caveat(sides), *binomial_caveats(sides, (x1, n1, x2, n2))),
            parameters=counts_parameters(sides, x1, n1, x2, n2),
            references=(reference,),
        )


TWO_PROPORTIONS = TwoProportions()


def binomial_caveats(
    sides: Sides, table: tuple[float, float, float, float], *, small: bool = True
) -> tuple[Caveat, ...]:
    """Small expected counts (of approximate methods), and shares that vary more than binomial ones."""
    caveats = []
    expected = smallest_expected(*table)
    if small and expected < 5:
        caveats.append(
            Caveat(
                "small-counts",
                f"The smallest expected count is {expected:.1f}, below 5: prefer Fisher's exact p-value.",
                {"smallest_expected": expected},
            )
        )
    sigma = dispersion(sides)
    if sigma > OVERDISPERSED:
        caveats.append(
            Caveat(
                "overdispersed",
                f"The shares of single periods vary {sigma:.2f} times as much as binomial shares would: "
                "the interval is too narrow. method='ar1_level_change' compares them as a series.",
                {"sigma_z": sigma},
            )
        )
    return tuple(caveats)


def counts_parameters(sides: Sides, x1: float, n1: float, x2: float, n2: float) -> dict[str, Any]:
    """What a method of two proportions records."""
    return {
        "counts": {"before": x1, "after": x2},
        "sizes": {"before": n1, "after": n2},
        "sigma_z": dispersion(sides),
        "overdispersed_above": OVERDISPERSED,
    }


def counts_of(side: Side, name: str) -> tuple[float, float]:
    """Successes and total of one side."""
    if not side.counted:
        raise InputError(
            "two_proportions needs counts or shares with their denominators (sizes=), or items coded 0 and "
            f"1, of a measure with scale='proportion' (or undeclared): the side {name!r} is none of these"
        )
    total = float(side.weights.sum())
    return float(np.round((side.values * side.weights).sum(), 9)), total


def score_contrast(x1: float, n1: float, x2: float, n2: float, confidence: float) -> Contrast:
    """Difference after - before: Newcombe's hybrid score interval, score test without continuity correction.

    Where all items of both sides do the same there is no score test (0/0); the interval exists.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; R ``prop.test(correct = FALSE)``.
    """
    p1, p2 = x1 / n1, x2 / n2
    l1, u1 = wilson(x1, n1, confidence)
    l2, u2 = wilson(x2, n2, confidence)
    d = p2 - p1
    low = d - float(np.hypot(p2 - l2, u1 - p1))
    high = d + float(np.hypot(u2 - p2, p1 - l1))
    pooled = (x1 + x2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    se = float(np.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2))
    if variance <= 0:
        return Contrast(d, low, high, NAN, NAN, NAN, se)
    z = d / float(np.sqrt(variance))
    return Contrast(d, low, high, z, float("inf"), float(2 * special.ndtr(-abs(z))), se)


def risk_ratio(x1: float, n1: float, x2: float, n2: float, confidence: float) -> Effect:
    """Ratio of proportions with the interval of Katz and others on the log scale."""
    low = high = estimate = NAN
    if x1 > 0:
        estimate = (x2 / n2) / (x1 / n1)
    if x1 > 0 and x2 > 0:
        half = float(special.ndtri(0.5 + confidence / 2) * np.sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2))
        low, high = estimate * float(np.exp(-half)), estimate * float(np.exp(half))
    return Effect(
        "ratio_of_proportions",
        role="secondary",
        before=x1 / n1,
        after=x2 / n2,
        estimate=estimate,
        low=low,
        high=high,
        form="ratio",
        method="log interval (Katz and others 1978)",
    )


def fisher(x1: float, n1: float, x2: float, n2: float) -> Effect:
    """Fisher's exact test: two-sided p-value as the sum of all tables that are no more likely.

    References
    ----------
    R ``fisher.test``; the odds ratio is the sample odds ratio, not R's conditional one.
    """
    top, bottom = x2 * (n1 - x1), x1 * (n2 - x2)
    return Effect(
        "odds_ratio",
        role="companion",
        before=x1 / n1,
        after=x2 / n2,
        estimate=top / bottom if bottom > 0 else NAN,
        p_value=Hypergeometric(x1, n1, x2, n2).p_value(),
        form="ratio",
        method="Fisher's exact test",
    )


def dispersion(sides: Sides) -> float:
    """How many times as much the shares of the periods vary within their side as binomial shares would.

    The square root of Pearson's chi-square over its degrees of freedom, both sides pooled around their own
    share; NaN where there are no several periods. Unlike Laney's sigma_z it is not taken from moving ranges,
    so that slow drift counts too.
    """
    chi, df = 0.0, 0
    for side in (sides.before, sides.after):
        if side.periods < 2:
            continue
        share, n, _ = side.by_period(side.values)
        p = side.mean
        if 0 < p < 1:
            chi += float((n * (share - p) ** 2).sum() / (p * (1 - p)))
            df += len(share) - 1
    return float(np.sqrt(chi / df)) if df else NAN
