"""The segmented regression of an interrupted series: level and slope with and without the change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import Contrast, t_p_value, t_quantile
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.levels import regression_design, whitened
from perfanalytics.comparisons.method import NAN
from perfanalytics.comparisons.regression import Regression, fit_regression
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.segmented import refuse_flat, time_axis, times_of
from perfanalytics.comparisons.series_checks import PeriodSeries
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

TITLE = "REML segmented regression, AR(1) errors"


@dataclass(frozen=True, slots=True)
class Segmented:
    """Regressors of the periods with and without the change, and the contrasts asked for."""

    x: Floats
    without: Floats
    contrasts: dict[str, Floats]
    t: Floats


def segmented(data: PeriodSeries, terms: Floats, ramp: int, keep: NDArray[np.bool_]) -> Segmented:
    """Columns: level, step, time, time since the change, season; the level split by side without a ramp."""
    t = time_axis(data)
    after = data.after.astype(float)
    since = np.where(data.after, t, 0.0)
    n, q = len(t), terms.shape[1]
    if ramp > 1:
        step = np.where(data.after, np.minimum(1.0, (t + 1) / ramp), 0.0)
        x = np.column_stack([np.ones(n), step, t, since, terms])
        level = np.array([0.0, 1.0, 0.0, 0.0])
    else:
        x = np.column_stack([1.0 - after, after, t, since, terms])
        level = np.array([-1.0, 1.0, 0.0, 0.0])
    without = np.column_stack([np.ones(n), np.zeros(n), t, np.zeros(n), terms])
    effect = (x - without)[data.after & keep]
    zero = np.zeros(q)
    contrasts = {
        "level_change": np.r_[level, zero],
        "slope_change": np.r_[0.0, 0.0, 0.0, 1.0, zero],
        "average_effect": effect.mean(axis=0),
        "effect_at_end": effect[-1],
        "slope_before": np.r_[0.0, 0.0, 1.0, 0.0, zero],
        "slope_after": np.r_[0.0, 0.0, 1.0, 1.0, zero],
    }
    return Segmented(x, without, contrasts, t)


def fit_segmented(
    data: PeriodSeries, model: Segmented, keep: np.ndarray, primary: str
) -> tuple[Regression, Floats]:
    """The fitted regression with its whitened residuals; terms that cannot be told apart are refused."""
    x = model.x[keep]
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError(
            "the terms cannot be told apart: too few different periods for level, slope and season"
        )
    refuse_flat(data.values[0, keep], x, data.after[keep], "the values do not vary")
    design = regression_design(
        data.values[:1, keep],
        x[None],
        after=data.after[None, keep],
        gap=kept_gap(data, model, keep)[None],
        weights=data.weights[None, keep],
    )
    fitted = fit_regression(design, model.contrasts[primary])
    return fitted, whitened(design, fitted.fit)


def kept_gap(data: PeriodSeries, model: Segmented, keep: NDArray[np.bool_]) -> Floats:
    """Distances of the periods that are kept."""
    gap = np.diff(model.t[keep], prepend=np.nan)
    gap[0] = np.inf
    if np.isinf(data.gap[np.argmax(data.after)]):
        gap[int(np.argmax(data.after[keep]))] = np.inf
    return np.asarray(gap)


def course_of(
    fitted: Regression,
    data: PeriodSeries,
    model: Segmented,
    keep: np.ndarray,
    sides: Sides,
    scale: AnalysisScale,
    confidence: float,
) -> tuple[Course, Contrast]:
    """The series with its counterfactual, and the cumulative effect in the unit of the measure."""
    after = data.after
    mean = fitted.contrast(model.contrasts["average_effect"], confidence)
    line = model.x @ fitted.beta
    expected = model.without @ fitted.beta
    half = t_quantile(mean.df, confidence) * fitted.standard_errors(model.without)
    low, high = scale.levels(expected - half), scale.levels(expected + half)
    one, two = scale.levels(line), scale.levels(expected)
    blank = np.where(after, 0.0, np.nan)
    course = Course(
        when=times_of(sides),
        observed=scale.levels(data.values[0]),
        fitted=np.where(keep, one, np.nan),
        expected=two + blank,
        low=low + blank,
        high=high + blank,
        reference=np.full(len(after), np.nan),
        change=int(np.argmax(after)),
        earliest=int(np.argmax(after)),
        latest=int(np.argmax(after)),
    )
    if scale.name == "raw":
        slope_one, slope_two = np.ones(len(one)), np.ones(len(one))
    elif scale.name == "log":
        slope_one, slope_two = one, two
    else:
        slope_one, slope_two = one * (1 - one), two * (1 - two)
    told = after & keep
    gradient = (slope_one[:, None] * model.x - slope_two[:, None] * model.without)[told].sum(axis=0)
    estimate = float((one - two)[told].sum())
    se = float(fitted.standard_errors(gradient[None])[0])
    reach = t_quantile(mean.df, confidence) * se
    t = estimate / se if se > 0 else NAN
    return course, Contrast(
        estimate, estimate - reach, estimate + reach, t, mean.df, t_p_value(t, mean.df), se
    )


def least_squares(
    data: PeriodSeries, model: Segmented, keep: np.ndarray, primary: str, confidence: float
) -> Contrast:
    """What ordinary least squares would have said."""
    x, y = model.x[keep], data.values[0, keep]
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    left = y - x @ beta
    df = len(y) - x.shape[1]
    c = model.contrasts[primary]
    variance = float(left @ left) / df * float(c @ np.linalg.inv(x.T @ x) @ c)
    estimate, se = float(c @ beta), float(np.sqrt(variance))
    if se <= 0:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    half = t_quantile(df, confidence) * se
    t = estimate / se
    return Contrast(estimate, estimate - half, estimate + half, t, float(df), t_p_value(t, df), se)
