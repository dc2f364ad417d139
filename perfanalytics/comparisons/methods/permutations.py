"""Permutation tests of independent sides: difference of means, difference of medians."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.choices import Choice
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import (
    center_effect,
    independent_companions,
    mean_answer,
    welch_contrast,
)
from perfanalytics.comparisons.methods.t_tests import mean_scale
from perfanalytics.comparisons.permutation import (
    EXACT_UP_TO,
    median_interval,
    permutation_of_means,
    permutation_of_medians,
)
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides

#: Random arrangements where there are too many to use all.
ARRANGEMENTS = 9999
PERMUTATIONS = Choice(ARRANGEMENTS, "random arrangements, where there are too many to use all", low=99)
CONVENTION = "share of arrangements, the one seen included, at least as far from 0; two-sided by distance"


def _drawing(options: Options) -> tuple[int, np.random.Generator]:
    assert options.rng is not None
    return int(options.chosen["permutations"]), options.rng


class Permutation(ComparisonMethod):
    """Permutation test of the difference of means."""

    name = "permutation"
    title = "permutation test of the means"
    options = {"permutations": PERMUTATIONS}  # noqa: RUF012 (read only, shared by all)

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = mean_scale(sides, options, self.name)
        used = scale.used(sides)
        x, y = scale.forward(used.before.values), scale.forward(used.after.values)
        count, rng = _drawing(options)
        found = permutation_of_means(x, y, options.confidence, count=count, rng=rng)
        center = welch_contrast(sides, scale, options.confidence)
        inner = welch_contrast(sides, scale, 2 * options.confidence - 1)
        return mean_answer(
            found,
            inner,
            scale,
            center=center,
            effects=(
                center_effect(found, sides, scale, role="primary", method=f"{self.title} ({found.how})"),
                *independent_companions(sides, scale, options.confidence, shift_role="secondary"),
            ),
            effective=(float(len(x)), float(len(y))),
            caveats=dependence_caveat(sides),
            parameters={
                "arrangements": found.how,
                "all_up_to": EXACT_UP_TO,
                "p_value": CONVENTION,
                "interval": "shifts that the one-sided tests do not reject",
                "equivalence": "Welch's interval",
            },
            references=("Phipson and Smyth (2010), SAGMB 9, article 39", "Tritchler (1984), JASA 79"),
        )


class MedianPermutation(ComparisonMethod):
    """Permutation test of the difference of medians."""

    name = "median_permutation"
    title = "permutation test of the medians"
    options = {"permutations": PERMUTATIONS}  # noqa: RUF012 (read only, shared by all)

    def __call__(self, sides: Sides, options: Options) -> Answer:
        x, y = sides.before.values, sides.after.values
        count, rng = _drawing(options)
        found = permutation_of_medians(x, y, options.confidence, count=count, rng=rng)
        scale = AnalysisScale("raw", "the difference of medians is in the unit")
        center = welch_contrast(sides, scale, options.confidence)
        primary = Effect(
            "difference_of_medians",
            role="primary",
            before=float(np.median(x)),
            after=float(np.median(y)),
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            statistic=found.statistic,
            p_value=found.p_value,
            unit=sides.measure.unit,
            method=f"{self.title} ({found.how}), Price-Bonett interval",
        )
        return Answer(
            effects=(primary, *independent_companions(sides, scale, options.confidence)),
            tested=not np.isnan(found.p_value),
            equivalence=median_interval(x, y, 2 * options.confidence - 1),
            effective=(float(len(x)), float(len(y))),
            center_se=center.se,
            center_df=center.df,
            caveats=dependence_caveat(sides),
            parameters={
                "scale": "raw",
                "arrangements": found.how,
                "all_up_to": EXACT_UP_TO,
                "p_value": CONVENTION,
                "interval": "Price and Bonett",
            },
            references=(
                "Phipson and Smyth (2010), SAGMB 9, article 39",
                "Price and Bonett (2002), J. Statistical Computation and Simulation 72",
            ),
        )


PERMUTATION, MEDIAN_PERMUTATION = Permutation(), MedianPermutation()
