"""Typical values of independent items: Mann-Whitney with the Hodges-Lehmann shift."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.classical import mann_whitney
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Options
from perfanalytics.comparisons.methods.means import independent_companions, shift_effect, welch_contrast
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.result import Caveat


class MannWhitney(ComparisonMethod):
    """The Mann-Whitney test; its estimate is the Hodges-Lehmann shift, in the unit of the measure."""

    name = "mann_whitney"
    title = "Mann-Whitney test, Hodges-Lehmann shift"
    assumes_order = False

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = AnalysisScale("raw", "ranks do not depend on the scale; the shift is in the unit")
        primary = shift_effect(sides, options.confidence, role="primary")
        inner = mann_whitney(sides.before.values, sides.after.values, 2 * options.confidence - 1)
        center = welch_contrast(sides, scale, options.confidence)
        _, counts = np.unique(sides.values, return_counts=True)
        caveats = list(dependence_caveat(sides))
        if counts.max() > 1:
            tied = int(counts[counts > 1].sum())
            caveats.append(
                Caveat(
                    "ties",
                    f"{tied} of {len(sides.values)} values are tied: the p-value is corrected for ties, and "
                    "the shift can only be as fine as the values.",
                    {"tied": tied, "n": len(sides.values)},
                )
            )
        return Answer(
            effects=(primary, *independent_companions(sides, scale, options.confidence, without=self.name)),
            tested=not np.isnan(primary.p_value),
            equivalence=(inner.low, inner.high),
            effective=(float(len(sides.before.values)), float(len(sides.after.values))),
            center_se=center.se,
            center_df=center.df,
            caveats=tuple(caveats),
            parameters={"scale": "rank", "distribution": primary.method},
            references=("Hollander, Wolfe, Chicken (2014), Nonparametric Statistical Methods, ch. 4",),
        )


MANN_WHITNEY = MannWhitney()
