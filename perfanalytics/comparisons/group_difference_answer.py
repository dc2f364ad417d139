"""What the difference of two groups says: rows, checks, course."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import Contrast, ljung_box, t_quantile
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.group_difference import fit_difference, level_columns, level_contrast
from perfanalytics.comparisons.levels import FEWEST, effective_periods, whitened
from perfanalytics.comparisons.method import Answer, Effect, Options
from perfanalytics.comparisons.methods.series import FEW
from perfanalytics.comparisons.regression import Regression
from perfanalytics.comparisons.rows import whiteness_row
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.segmented import row, times_of
from perfanalytics.comparisons.series_checks import CHECK_LEVEL, PeriodSeries, period_series, slope_before
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat

TITLE = "REML level change of the difference, AR(1) errors"


def answer_of(
    fitted: Regression,
    data: PeriodSeries,
    terms: Floats,
    sides: Sides,
    scale: AnalysisScale,
    options: Options,
) -> Answer:
    """The rows and what speaks against them."""
    fit = fitted.fit
    rho, v = float(fit.rho[0]), float(fit.noise[0])
    found = fitted.contrast(level_contrast(terms), options.confidence)
    inner = fitted.contrast(level_contrast(terms), 2 * options.confidence - 1)
    levels = [scale.back(float(b)) for b in fitted.beta[:2]]
    n1, n2 = int((~data.after).sum()), int(data.after.sum())
    residuals = whitened(fitted.criterion.design, fit)
    white = ljung_box(residuals, fitted=1 if v == 0 else 2)
    slope = replace(
        slope_before(data, terms if terms.shape[1] else None),
        quantity="slope_before",
        method="REML slope of the difference before the change (parallel trends; 95% interval)",
    )
    rows = [
        row(
            "difference_in_differences",
            found,
            scale,
            role="primary",
            unit=sides.measure.unit,
            method=TITLE,
            before=levels[0],
            after=levels[1],
        ),
        slope,
        *_placebo(data, terms, scale, options.confidence, sides.measure.unit),
        whiteness_row(white),
    ]
    doubts, caveats = [], list(scale.caveats)
    if slope.p_value < CHECK_LEVEL:
        doubts.append("the groups were already drifting apart before the change")
        text = (
            "The difference between the groups already drifts before the change "
            f"(slope {p_text(slope.p_value)}): their trends are not parallel."
        )
        caveats.append(
            Caveat("trends-not-parallel", text, {"slope": slope.estimate, "p_value": slope.p_value})
        )
    if white.p_value < CHECK_LEVEL / 2:
        doubts.append("the model does not describe how neighbouring values depend on each other")
        text = f"The whitened residuals are still correlated (Ljung-Box {p_text(white.p_value)})."
        evidence = {"statistic": white.statistic, "p_value": white.p_value}
        caveats.append(Caveat("not-white", text, evidence))
    if min(n1, n2) < FEW:
        text = (
            f"Only {n1} common periods before and {n2} after: below {FEW} a side the correlation is hardly "
            "known."
        )
        caveats.append(Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": FEW}))
    worth = [float(effective_periods(n, fit.rho[:1], fit.noise[:1])[0]) for n in (n1, n2)]
    return Answer(
        effects=tuple(rows),
        doubts=tuple(doubts),
        equivalence=(scale.back(inner.low), scale.back(inner.high)),
        effective=(worth[0], worth[1]),
        scale=scale.name,
        notes=(
            f"{n1} common periods before and {n2} after ({p_text(found.p_value)}).",
            *scale.notes,
        ),
        caveats=tuple(caveats),
        parameters={
            "scale": scale.name,
            "model": "AR(1)" if v == 0 else "AR(1) plus independent noise",
            "periods": {"before": n1, "after": n2},
            "rho": rho,
            "noise_share": v,
            "log_ratio_of_sds": float(fit.log_spread[0]),
            "sigma_before": float(fit.sigma[0]),
            "degrees_of_freedom": "Satterthwaite",
            "checks": {"parallel_trends_level": CHECK_LEVEL, "whiteness_level": CHECK_LEVEL / 2},
        },
    )


def _placebo(
    data: PeriodSeries, terms: Floats, scale: AnalysisScale, confidence: float, unit: str
) -> tuple[Effect, ...]:
    """The same comparison with a change in the middle of the before period, where there was none."""
    before = np.flatnonzero(~data.after)
    n = len(before)
    if n < 2 * FEWEST:
        return ()
    y, gap, weights = data.values[:, before], data.gap[before], data.weights[before]
    part = replace(
        data,
        values=y,
        weights=weights,
        after=np.arange(n) >= n // 2,
        gap=gap,
        position=data.position,
    )
    if min(float(np.ptp(y[0, : n // 2])), float(np.ptp(y[0, n // 2 :]))) <= 1e-12 * float(np.abs(y).max()):
        return ()
    seasonal = terms[before]
    x = np.column_stack([level_columns(part), seasonal])
    if n < x.shape[1] + FEWEST or np.linalg.matrix_rank(x) < x.shape[1]:
        return ()
    found: Contrast = fit_difference(part, seasonal).contrast(level_contrast(seasonal), confidence)
    return (
        row(
            "placebo_change",
            found,
            scale,
            role="companion",
            unit=unit,
            method="the same with a change in the middle of the before period",
        ),
    )


def course_of(
    fitted: Regression,
    data: PeriodSeries,
    reference: Floats,
    keep: NDArray[np.bool_],
    sides: Sides,
    scale: AnalysisScale,
    confidence: float,
    terms: Floats,
) -> Course:
    """Both groups, and the course that was to be expected."""
    own = period_series(sides, scale)
    n = len(own.after)
    wide = np.zeros((n, terms.shape[1]))
    wide[keep] = terms
    x = np.column_stack([~own.after, own.after, wide]).astype(float)
    without = np.column_stack([np.ones(n), np.zeros(n), wide])
    df = fitted.contrast(level_contrast(terms), confidence).df
    half = t_quantile(df, confidence) * fitted.standard_errors(without)
    expected = reference + without @ fitted.beta
    blank = np.where(own.after, 0.0, np.nan)
    change = int(np.argmax(own.after))
    return Course(
        when=times_of(sides),
        observed=scale.levels(own.values[0]),
        fitted=scale.levels(reference + x @ fitted.beta),
        expected=scale.levels(expected) + blank,
        low=scale.levels(expected - half) + blank,
        high=scale.levels(expected + half) + blank,
        reference=scale.levels(reference),
        change=change,
        earliest=change,
        latest=change,
    )
