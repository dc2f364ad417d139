"""difference_in_differences: the change of a series beyond that of a group that was not changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.arguments import check_confidence, check_margin, check_tail
from perfanalytics.comparisons.classical import Contrast, ljung_box, t_quantile
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.levels import FEWEST, effective_periods, regression_design, whitened
from perfanalytics.comparisons.method import Answer, Effect, Options
from perfanalytics.comparisons.methods.series import FEW
from perfanalytics.comparisons.regression import Regression, fit_regression
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.rows import whiteness_row
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.seasons import season_caveat, season_columns
from perfanalytics.comparisons.segmented import (
    At,
    cut_series,
    refuse_flat,
    row,
    sentence,
    time_axis,
    times_of,
)
from perfanalytics.comparisons.series_checks import CHECK_LEVEL, PeriodSeries, period_series, slope_before
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.comparisons.verdict import outcome_of
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import Series

TITLE = "REML level change of the difference, AR(1) errors"


def difference_in_differences(
    series: object,
    comparison_group: object,
    *,
    at: At,
    season: str | None = None,
    measure: Measure | None = None,
    every: str | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
    tail: float = 0.9,
    margin: float | None = None,
    question: str = "",
    declared_on: dt.date | None = None,
) -> Comparison:
    """The change of a series less the change of a comparison group over the same periods.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        The process that was changed, in order of time, through the change.
    comparison_group : Series, list, array or pandas Series, or a sequence of Series
        The same measure where nothing was changed; of several, the mean of each period on the analysis
        scale over those that have it.
    at : date, ISO text, Change, Event or int
        When the change took effect.
    season : {"hour", "weekday", "month", "quarter", "year"}, optional
        Takes a season out of the difference (one that both share is gone already).
    measure, every, scale, confidence, tail, margin, question, declared_on : optional
        As in :func:`perfanalytics.compare`.

    Returns
    -------
    Comparison
        The primary is the change of the difference (of ratios on the log scale); ``slope_before`` is the
        check of parallel trends, ``placebo_change`` the same comparison with a change in the middle of the
        before period, where there was none. ``.course`` has both groups and the expected course.

    Raises
    ------
    InputError, UnknownNameError
        For groups of different measures or clocks, a change outside the series, fewer than 8 common periods
        on a side, a difference that does not vary.

    Notes
    -----
    The difference of the two groups in each period they share is one series; its level change is fitted by
    REML with AR(1) errors as in ``ar1_level_change``. What moves both groups alike drops out, also where it
    is autocorrelated. The assumption is that without the change the difference would have stayed as it was;
    a slope of the difference before the change (p below 5%) speaks against it, and the outcome is then "not
    attributable". That the check finds nothing is no proof.

    References
    ----------
    Angrist and Pischke (2009), Mostly Harmless Econometrics, 5.2; Bertrand, Duflo and Mullainathan (2004),
    Quarterly J. of Economics 119, 249-275 (why serial correlation must not be ignored).

    Examples
    --------
    >>> shared = 5 * np.sin(np.arange(80) / 9)
    >>> noise = np.random.default_rng(2).standard_normal((2, 80))
    >>> other = 20 + shared + noise[0]
    >>> treated = 25 + shared + noise[1] - 3.0 * (np.arange(80) >= 40)
    >>> c = difference_in_differences(treated, other, at=40, scale="raw")
    >>> c.outcome, round(c.primary.estimate, 1)
    ('detected', -3.1)
    """
    check_confidence(confidence)
    check_tail(tail)
    check_margin(margin)
    treated = cut_series(series, at, measure=measure, every=every)
    found_scale = analysis_scale(treated.sides, scale)
    if found_scale.name == "rank":
        raise InputError("differences in differences need levels: an ordinal measure has none")
    others = _group(comparison_group, measure)
    rhythm = treated.sides.every.split(" ", 1)[0] if treated.sides.before.when is not None else None
    controls = []
    for o in others:
        try:
            controls.append(
                cut_series(o, at, measure=measure, every=every or (rhythm if rhythm != "each" else None))
            )
        except InputError as error:
            raise InputError(f"the comparison group: {error}") from error
    for other in controls:
        a, b = treated.sides.measure, other.sides.measure
        if a.is_named and b.is_named and (a.name, a.unit) != (b.name, b.unit):
            raise InputError(f"different measures: {a.label!r} and {b.label!r} in the comparison group")
        if treated.series.clock != other.series.clock:
            raise InputError(
                f"the series is in {treated.series.clock} time, the comparison group in {other.series.clock}"
            )
    sides = found_scale.used(treated.sides)
    data, reference, keep = _difference(sides, [c.sides for c in controls], found_scale)
    n1, n2 = int((~data.after).sum()), int(data.after.sum())
    if min(n1, n2) < FEWEST:
        raise InputError(
            f"the groups share {n1} periods before and {n2} after: at least {FEWEST} on each side are needed"
        )
    when = times_of(sides)
    terms = np.zeros((n1 + n2, 0))
    if season is not None:
        if when is None:
            raise InputError("season= needs times: give both groups when=")
        terms = season_columns(when[keep], season)
    options = Options(confidence=confidence, tail=tail, margin=margin, declared_on=declared_on, season=season)
    refuse_flat(data.values[0], _levels(data), data.after, "the difference of the groups does not vary")
    fitted = _fit(data, terms)
    seasonal = (
        season_caveat(sides, data.values[0], _levels(data), gap=data.gap, weights=data.weights, keep=keep)
        if season is None
        else ()
    )
    answer = _answer(fitted, data, terms, sides, found_scale, options)
    if margin is not None:
        bounds(answer.effects[0], margin)
    outcome = outcome_of(answer, options)
    many = "the comparison group" if len(others) == 1 else f"the {len(others)} comparison groups"
    return Comparison(
        verdict=sentence(outcome, sides, options, answer, f"against {many}, the level"),
        caveats=(*treated.sides.caveats, *seasonal, *answer.caveats),
        method=Method(
            "difference_in_differences",
            {
                "at": treated.said,
                "every": treated.sides.every,
                "comparison_groups": len(others),
                "confidence": confidence,
                "margin": margin,
                "season": season,
                "scale_chosen": found_scale.chosen,
                **answer.parameters,
            },
            ("Angrist and Pischke (2009), Mostly Harmless Econometrics, 5.2",),
        ),
        provenance=provenance_of(
            [treated.series, *(c.series for c in controls)],
            sides.measure,
            ["series", *(f"comparison {k + 1}" for k in range(len(controls)))],
        ),
        measure=sides.measure,
        outcome=outcome,
        effects=answer.effects,
        before=side_table("before", treated.sides, answer, options, SideChart()),
        after=side_table("after", treated.sides, answer, options, SideChart()),
        confidence=confidence,
        tail=tail,
        margin=margin,
        question=question,
        declared_on=declared_on,
        course=_course(fitted, data, reference, keep, sides, found_scale, confidence, terms),
    )


def _group(group: object, measure: Measure | None) -> list[Series]:
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


def _difference(
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


def _levels(data: PeriodSeries) -> Floats:
    """A level a side."""
    return np.column_stack([~data.after, data.after]).astype(float)


def _fit(data: PeriodSeries, terms: Floats) -> Regression:
    x = np.column_stack([_levels(data), terms])
    if np.linalg.matrix_rank(x) < x.shape[1] or len(x) < x.shape[1] + FEWEST:
        raise InputError(
            "the season cannot be told apart from the change, or there are too few periods for it"
        )
    design = regression_design(
        data.values, x[None], after=data.after[None], gap=data.gap[None], weights=data.weights[None]
    )
    return fit_regression(design, _contrast(terms))


def _contrast(terms: Floats) -> Floats:
    return np.asarray(np.r_[-1.0, 1.0, np.zeros(terms.shape[1])])


def _answer(
    fitted: Regression,
    data: PeriodSeries,
    terms: Floats,
    sides: Sides,
    scale: AnalysisScale,
    options: Options,
) -> Answer:
    fit = fitted.fit
    rho, v = float(fit.rho[0]), float(fit.noise[0])
    found = fitted.contrast(_contrast(terms), options.confidence)
    inner = fitted.contrast(_contrast(terms), 2 * options.confidence - 1)
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
    x = np.column_stack([_levels(part), seasonal])
    if n < x.shape[1] + FEWEST or np.linalg.matrix_rank(x) < x.shape[1]:
        return ()
    found: Contrast = _fit(part, seasonal).contrast(_contrast(seasonal), confidence)
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


def _course(
    fitted: Regression,
    data: PeriodSeries,
    reference: Floats,
    keep: NDArray[np.bool_],
    sides: Sides,
    scale: AnalysisScale,
    confidence: float,
    terms: Floats,
) -> Course:
    own = period_series(sides, scale)
    n = len(own.after)
    wide = np.zeros((n, terms.shape[1]))
    wide[keep] = terms
    x = np.column_stack([~own.after, own.after, wide]).astype(float)
    without = np.column_stack([np.ones(n), np.zeros(n), wide])
    df = fitted.contrast(_contrast(terms), confidence).df
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
