"""The difference of a series and its comparison groups in each period they share, and its regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.levels import FEWEST, regression_design
from perfanalytics.comparisons.regression import Regression, fit_regression
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.segmented import time_axis
from perfanalytics.comparisons.series_checks import PeriodSeries, period_series
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.series import Series


def groups_of(group: object, measure: Measure | None) -> list[Series]:
    """One or several series."""
    if (
        isinstance(group, Sequence)
        and not isinstance(group, str)
        and group
        and all(isinstance(g, Series) for g in group)
    ):
        return list(group)
    return [as_series(group, measure=measure)]


def _by_position(sides: Sides, scale: AnalysisScale) -> tuple[dict[int, float], dict[int, float]]:
    """Value and weight of each period, by its number; a value each where there is no rhythm."""
    values, weights = {}, {}
    first = 0
    for k, side in enumerate((sides.before, sides.after)):
        y, w, number = side.by_period(scale.forward(side.values))
        timed = "each value" not in sides.every
        if k and not timed:
            first = int(sides.before.period[-1] + sides.boundary_gap) - int(number[0])
        for a, b, c in zip(number.tolist(), y.tolist(), w.tolist(), strict=True):
            # a period cut by the change belongs to both sides: kept apart
            key = 2 * (a + (0 if timed else first)) + k
            values[key], weights[key] = b, c
    return values, weights


def difference_series(
    sides: Sides, others: Sequence[Sides], scale: AnalysisScale
) -> tuple[PeriodSeries, Floats, NDArray[np.bool_]]:
    """The difference of each shared period; the comparison group; which periods of the series are shared."""
    own = period_series(sides, scale)
    values, _ = _by_position(sides, scale)
    keys = list(values)
    columns = []
    for other in others:
        used = other
        if scale.name == "log":
            used = other.where(other.before.values > 0, other.after.values > 0)
        theirs, _ = _by_position(used, scale)
        columns.append([theirs.get(k, np.nan) for k in keys])
    table = np.array(columns)
    count = (~np.isnan(table)).sum(axis=0)
    reference = np.where(count > 0, np.nansum(table, axis=0) / np.maximum(count, 1), np.nan)
    keep = ~np.isnan(reference)
    t = time_axis(own)[keep]
    gap = np.diff(t, prepend=np.nan)
    if keep.any():
        gap[0] = np.inf
    return (
        PeriodSeries(
            values=(own.values[:1] - reference)[:, keep],
            weights=own.weights[keep],
            after=own.after[keep],
            gap=gap,
            position=t[~own.after[keep]],
        ),
        reference,
        keep,
    )


def level_columns(data: PeriodSeries) -> Floats:
    """A level a side."""
    return np.column_stack([~data.after, data.after]).astype(float)


def fit_difference(data: PeriodSeries, terms: Floats) -> Regression:
    """The level change of the difference by REML, season terms beside it."""
    x = np.column_stack([level_columns(data), terms])
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) < x.shape[1] + FEWEST:
        raise InputError(
            "the season cannot be told apart from the change, or there are too few periods for it"
        )
    design = regression_design(
        data.values, x[None], after=data.after[None], gap=data.gap[None], weights=data.weights[None]
    )
    return fit_regression(design, level_contrast(terms))


def level_contrast(terms: Floats) -> Floats:
    """After less before, among the columns of the levels and the terms."""
    return np.asarray(np.r_[-1.0, 1.0, np.zeros(terms.shape[1])])
