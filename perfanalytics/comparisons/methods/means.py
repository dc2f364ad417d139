"""Means of independent items: Welch's test on the declared scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.comparisons.classical import Contrast, brown_forsythe, mann_whitney, welch
from perfanalytics.comparisons.independence import dependence_caveat
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Effect, Options, Role
from perfanalytics.comparisons.rows import center_row, check_row, contrast_row
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: The companion that is quoted as the naive test.
NAIVE = "Welch's t test of all items"


class Welch(ComparisonMethod):
    """Welch's t test: unequal variances, independent items."""

    name = "welch"
    title = "Welch's t test"
    assumes_order = False

    def __call__(self, sides: Sides, options: Options) -> Answer:
        scale = analysis_scale(sides, options.scale)
        if scale.name == "rank":
            raise InputError("welch compares means: for an ordinal measure use method='mann_whitney'")
        used = scale.used(sides)
        found = welch_contrast(sides, scale, options.confidence)
        primary = center_effect(found, sides, scale, role="primary", method=self.title)
        inner = welch_contrast(sides, scale, 2 * options.confidence - 1)
        return mean_answer(
            found,
            inner,
            scale,
            effects=(
                primary,
                *independent_companions(
                    sides, scale, options.confidence, without=self.name, shift_role="secondary"
                ),
            ),
            effective=(float(len(used.before.values)), float(len(used.after.values))),
            caveats=dependence_caveat(sides),
            parameters={"df": found.df},
            references=("Welch (1947), Biometrika 34",),
        )


WELCH = Welch()


def mean_answer(
    found: Contrast,
    inner: Contrast,
    scale: AnalysisScale,
    *,
    effects: tuple[Effect, ...],
    effective: tuple[float, float],
    parameters: Mapping[str, Any],
    references: tuple[str, ...],
    caveats: tuple[Caveat, ...] = (),
    center: Contrast | None = None,
    block: int = 1,
    paired: bool = False,
    omit: tuple[str, ...] = (),
) -> Answer:
    """The answer of a method that compares means on the analysis scale.

    ``inner`` is the contrast at the confidence of two one-sided tests; ``center`` the one on which resampled
    intervals are calibrated, where that is not ``found``.
    """
    center = found if center is None else center
    return Answer(
        effects=effects,
        tested=not np.isnan(found.p_value),
        equivalence=(scale.back(inner.low), scale.back(inner.high)),
        effective=effective,
        block=block,
        center_se=center.se,
        center_df=center.df,
        scale=scale.name,
        notes=scale.notes,
        caveats=(*scale.caveats, *caveats),
        parameters={"scale": scale.name, "scale_chosen": scale.chosen, **parameters},
        references=references,
        paired=paired,
        omit=omit,
    )


def welch_contrast(sides: Sides, scale: AnalysisScale, confidence: float) -> Contrast:
    """Welch's test of all items (that have a place) on the analysis scale."""
    used = scale.used(sides)
    return welch(scale.forward(used.before.values), scale.forward(used.after.values), confidence)


def center_effect(
    found: Contrast,
    sides: Sides,
    scale: AnalysisScale,
    *,
    role: Role,
    method: str,
) -> Effect:
    """A difference of means on the analysis scale as a row in the terms of the measure."""
    used = scale.used(sides)
    means = np.array([scale.forward(side.values).mean() for side in (used.before, used.after)])
    return center_row(found, scale, means, role=role, unit=sides.measure.unit, method=method)


def independent_companions(
    sides: Sides,
    scale: AnalysisScale,
    confidence: float,
    *,
    without: str = "",
    shift_role: Role = "companion",
) -> tuple[Effect, ...]:
    """Welch, Mann-Whitney and Brown-Forsythe, all taking items as independent.

    For values in order of time they are what other tools would have said.
    """
    rows = []
    if without != "welch":
        found = welch_contrast(sides, scale, confidence)
        rows.append(center_effect(found, sides, scale, role="companion", method=NAIVE))
    if without != "mann_whitney":
        rows.append(shift_effect(sides, confidence, role=shift_role))
    used = scale.used(sides)
    spread = brown_forsythe(scale.forward(used.before.values), scale.forward(used.after.values))
    rows.append(check_row("equal_spread", spread, "Brown-Forsythe test of all items"))
    return tuple(rows)


def shift_effect(sides: Sides, confidence: float, *, role: Role) -> Effect:
    """The Hodges-Lehmann shift with its Mann-Whitney test, items taken as independent.

    Of one value a side there is nothing to test: the shift is a description then.
    """
    found = mann_whitney(sides.before.values, sides.after.values, confidence)
    if max(len(sides.before.values), len(sides.after.values)) < 2:
        found = Contrast(found.estimate, NAN, NAN, NAN, NAN, NAN, how="no test of one value a side")
    return shift_row(found, sides, role=role, method=f"Mann-Whitney test of all items ({found.how})")


def shift_row(found: Contrast, sides: Sides, *, role: Role, method: str) -> Effect:
    """A Hodges-Lehmann shift in the unit of the measure, beside the medians of the sides."""
    return contrast_row(
        "hodges_lehmann_shift",
        found,
        role=role,
        method=method,
        unit=sides.measure.unit,
        before=float(np.median(sides.before.values)),
        after=float(np.median(sides.after.values)),
    )
