"""Rank tests beside Mann-Whitney: Brunner-Munzel of two sides, the signed-rank test of pairs."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.classical import NAN, Contrast, midranks, t_p_value, t_quantile
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Options
from perfanalytics.comparisons.methods.means import independent_companions
from perfanalytics.comparisons.methods.t_tests import (
    SPREAD_ROWS,
    differences_as_side,
    given_value,
    one_mean,
    quantile_rows,
    shift_from_value,
    shift_of_pairs,
)
from perfanalytics.comparisons.rows import contrast_row
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.signed_rank import signed_rank
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat

RAW = AnalysisScale("raw", "ranks do not depend on the scale")
#: Below this many values a side the t approximation of Brunner and Munzel is liberal.
FEW = 10


def brunner_munzel(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Probability that a value after is higher (ties count half), with Brunner and Munzel's t test of 1/2.

    Sides may have different spread and shape. Sides that do not overlap have no such test: their rank
    variances are 0.

    References
    ----------
    Brunner and Munzel (2000), Biometrical Journal 42, 17-25, eq. 4.5 to 4.8.
    """
    n1, n2 = len(before), len(after)
    ranks, _ = midranks(np.concatenate([before, after]))
    r1, r2 = ranks[:n1], ranks[n1:]
    own1, own2 = midranks(before)[0], midranks(after)[0]
    estimate = (float(r2.mean()) - (n2 + 1) / 2) / n1
    if min(n1, n2) < 2:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    v1, v2 = float((r1 - own1).var(ddof=1)), float((r2 - own2).var(ddof=1))
    if v1 + v2 <= 0:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN, 0.0)
    se = float(np.sqrt(v1 / (n1 * n2**2) + v2 / (n2 * n1**2)))
    df = (n1 * v1 + n2 * v2) ** 2 / ((n1 * v1) ** 2 / (n1 - 1) + (n2 * v2) ** 2 / (n2 - 1))
    t = (estimate - 0.5) / se
    half = t_quantile(df, confidence) * se
    return Contrast(
        estimate, max(0.0, estimate - half), min(1.0, estimate + half), t, df, t_p_value(t, df), se
    )


class BrunnerMunzel(ComparisonMethod):
    """Brunner and Munzel's test: the probability that a value after is higher."""

    name = "brunner_munzel"
    title = "Brunner-Munzel test"

    def __call__(self, sides: Sides, options: Options) -> Answer:
        x, y = sides.before.values, sides.after.values
        found = brunner_munzel(x, y, options.confidence)
        inner = brunner_munzel(x, y, 2 * options.confidence - 1)
        caveats = list(dependence_caveat(sides))
        if min(len(x), len(y)) < FEW:
            text = (
                f"Only {min(len(x), len(y))} values on a side: below {FEW} this test finds differences too "
                "often; method='mann_whitney' is exact there."
            )
            caveats.append(Caveat("too-few-points", text, {"n": min(len(x), len(y)), "needed": FEW}))
        primary = contrast_row(
            "probability_of_superiority",
            found,
            role="primary",
            form="probability",
            method=self.title,
        )
        return Answer(
            effects=(primary, *independent_companions(sides, RAW, options.confidence)),
            tested=not np.isnan(found.p_value),
            equivalence=(inner.low, inner.high),
            effective=(float(len(x)), float(len(y))),
            scale="rank",
            caveats=tuple(caveats),
            parameters={"scale": "rank", "df": found.df, "ties": "count half"},
            references=("Brunner and Munzel (2000), Biometrical Journal 42",),
        )


class SignedRank(ComparisonMethod):
    """Wilcoxon's signed-rank test of pairs, or of one side against a given value."""

    name = "wilcoxon"
    title = "signed-rank test, Hodges-Lehmann estimate"
    paired = True
    one_sample = True
    options = {  # noqa: RUF012 (read only, shared by all)
        "zeros": Choice(
            "wilcoxon", "differences of 0 left out before or after ranking", ("wilcoxon", "pratt")
        )
    }

    def __call__(self, sides: Sides, options: Options) -> Answer:
        zeros = str(options.chosen["zeros"])
        against = len(sides.before.values) == 1 and len(sides.after.values) != 1
        if against:
            value = given_value(sides)
            d = sides.after.values - value
            primary = shift_from_value(sides, value, options.confidence, zeros=zeros, role="primary")
        else:
            d = sides.after.values - sides.before.values
            primary = shift_of_pairs(sides, options.confidence, zeros=zeros, role="primary")
        inner = signed_rank(d, 2 * options.confidence - 1, zeros=zeros)
        center = one_mean(d, float(np.abs(sides.values).max()), options.confidence)
        caveats = list(dependence_caveat(sides if against else differences_as_side(sides, d)))
        none, sizes = int((d == 0).sum()), np.unique(np.abs(d[d != 0]), return_counts=True)[1]
        if none or sizes.max(initial=1) > 1:
            tied = int(sizes[sizes > 1].sum())
            how = "before ranking (Wilcoxon)" if zeros == "wilcoxon" else "after ranking (Pratt)"
            text = (
                f"{none} of {len(d)} differences are 0 and left out {how}, {tied} are tied: the p-value is "
                "the normal approximation, corrected for ties."
            )
            caveats.append(Caveat("ties", text, {"zeros": none, "tied": tied, "n": len(d)}))
        n = float(len(d))
        return Answer(
            effects=(primary,),
            tested=not np.isnan(primary.p_value),
            equivalence=(inner.low, inner.high),
            effective=(NAN if against else n, n),
            center_se=center.se,
            center_df=center.df,
            caveats=tuple(caveats),
            parameters={
                "scale": "rank",
                "distribution": primary.method,
                **({"given_value": float(sides.before.values[0])} if against else {"pairs": len(d)}),
            },
            references=(
                "Hollander, Wolfe, Chicken (2014), Nonparametric Statistical Methods, ch. 3",
                *(("Pratt (1959), JASA 54",) if zeros == "pratt" else ()),
            ),
            paired=not against,
            omit=(*SPREAD_ROWS, *quantile_rows(options)) if against else SPREAD_ROWS[1:],
        )


BRUNNER_MUNZEL, WILCOXON = BrunnerMunzel(), SignedRank()
