"""interrupted: level and slope before and after a change, and what would have been without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.arguments import check_confidence, check_margin, check_tail
from perfanalytics.comparisons.classical import Contrast, ljung_box, t_p_value, t_quantile
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.levels import FEWEST, effective_periods, regression_design, whitened
from perfanalytics.comparisons.method import NAN, Answer, Effect, Options
from perfanalytics.comparisons.methods.series import FEW
from perfanalytics.comparisons.regression import Regression, fit_regression
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.rows import contrast_row, whiteness_row
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.seasons import season_caveat, season_terms
from perfanalytics.comparisons.segmented import (
    At,
    cut_series,
    period_word,
    refuse_flat,
    row,
    sentence,
    time_axis,
    times_of,
)
from perfanalytics.comparisons.series_checks import CHECK_LEVEL, PeriodSeries, period_series
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.comparisons.verdict import outcome_of
from perfanalytics.comparisons.words import number, with_unit
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method

#: What the verdict can speak of.
PRIMARY = ("level_change", "slope_change", "average_effect")
TITLE = "REML segmented regression, AR(1) errors"
_SAID = {
    "level_change": "the level at the change",
    "slope_change": "the slope",
    "average_effect": "the average over the after period, against what was to be expected,",
}


@dataclass(frozen=True, slots=True)
class _Model:
    """Regressors of the periods with and without the change, and the contrasts asked for."""

    x: Floats
    without: Floats
    contrasts: dict[str, Floats]
    t: Floats


def interrupted(
    series: object,
    *,
    at: At,
    season: str | None = None,
    measure: Measure | None = None,
    every: str | None = None,
    scale: str | None = None,
    primary: str = "level_change",
    transition: int = 0,
    ramp: int = 1,
    confidence: float = 0.95,
    tail: float = 0.9,
    margin: float | None = None,
    question: str = "",
    declared_on: dt.date | None = None,
) -> Comparison:
    """Interrupted time series: change of level and slope, counterfactual, average and cumulative effect.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        In order of time, through the change. Gaps and excluded points are left out.
    at : date, ISO text, Change, Event or int
        When the change took effect; a number is the 0-based position of the first value after it.
    season : {"hour", "weekday", "month", "quarter", "year"}, optional
        Takes the season out; see :func:`perfanalytics.compare`.
    measure, every, scale : optional
        As in :func:`perfanalytics.compare`; the scale "rank" is not possible.
    primary : {"level_change", "slope_change", "average_effect"}
        What the verdict speaks of, fixed before looking: the step at the change; the change of the slope;
        the mean over the after period of the difference to what was to be expected without the change.
    transition : int
        Periods from the change on that are left out, of the average and cumulative effect too, while the
        change was being introduced.
    ramp : int
        Periods over which the change of level comes in, linearly; 1: at once.
    confidence : float
    tail : float
        Percentile in the description of the sides.
    margin : float, optional
        Smallest effect of interest, for the primary: in its unit, or for ratios a factor above 1.
    question, declared_on : str, date, optional

    Returns
    -------
    Comparison
        ``to_frame()`` has level_change, slope_change, average_effect, effect_at_end, cumulative_effect,
        slope_before and slope_after; ``.course`` the series with its counterfactual.

    Raises
    ------
    InputError, UnknownNameError
        For a change outside the series, fewer than 8 periods a side or no variation around the lines,
        options that do not fit.

    Notes
    -----
    ``y_t = level + slope t + [t after] (step + change of slope (t - t0)) + season + e_t``, by REML with AR(1)
    errors (plus independent noise where that lowers -2 REML by more than 2), a standard deviation of its own
    a side, Satterthwaite degrees of freedom for each row. The expected course carries the level, slope and
    season from before the change on; its interval is that of the expected value (degrees of freedom of the
    average effect), not of single periods. On the log scale rows are ratios, slopes factors a period;
    cumulative_effect is in the unit of the measure, summed over the periods (of geometric means), its
    interval by the delta method. An extrapolated slope is an assumption: the further from the change, the
    more it carries.

    References
    ----------
    Wagner, Soumerai, Zhang and Ross-Degnan (2002), J. Clinical Pharmacy and Therapeutics 27, 299-309.
    Bernal, Cummins and Gasparrini (2017), Int. J. Epidemiology 46, 348-355.

    Examples
    --------
    >>> t, noise = np.arange(60), np.random.default_rng(1).standard_normal(60)
    >>> y = 20 + 0.05 * t + noise - 4.0 * (t >= 30)
    >>> c = interrupted(y, at=30, scale="raw")
    >>> c.outcome, round(c.primary.estimate, 1)
    ('detected', -3.3)
    """
    _check(primary, transition, ramp, confidence, tail, margin)
    cut = cut_series(series, at, measure=measure, every=every)
    found_scale = analysis_scale(cut.sides, scale)
    if found_scale.name == "rank":
        raise InputError("an interrupted series needs levels: for an ordinal measure use perf.compare")
    sides = found_scale.used(cut.sides)
    if sides.fewest_periods - transition < FEWEST:
        raise InputError(
            f"{sides.before.periods} periods before and {sides.after.periods} after (of which "
            f"{transition} are left out): level and slope need at least {FEWEST} on each side; "
            "perf.compare describes fewer"
        )
    data = period_series(sides, found_scale)
    terms = np.zeros((len(data.after), 0)) if season is None else season_terms(sides, season)
    keep = ~(data.after & (time_axis(data) < transition))
    model = _model(data, terms, ramp, keep)
    fitted, residuals = _fit(data, model, keep, primary)
    seasonal = (
        season_caveat(
            sides,
            data.values[0, keep],
            model.x[keep],
            gap=_gap(data, model, keep),
            weights=data.weights[keep],
            keep=keep,
        )
        if season is None
        else ()
    )
    options = Options(
        confidence=confidence, tail=tail, margin=margin, declared_on=declared_on, scale=scale, season=season
    )
    answer, course = _answer(fitted, residuals, data, model, keep, sides, found_scale, options, primary)
    if margin is not None:
        bounds(answer.effects[0], margin)
    outcome = outcome_of(answer, options)
    return Comparison(
        verdict=sentence(outcome, sides, options, answer, _SAID[primary]),
        caveats=(*sides.caveats, *seasonal, *answer.caveats),
        method=Method(
            "interrupted_time_series",
            {
                "at": cut.said,
                "every": sides.every,
                "confidence": confidence,
                "margin": margin,
                "primary": primary,
                "season": season,
                "transition": transition,
                "ramp": ramp,
                "scale_chosen": found_scale.chosen,
                "secondary_rows": "not adjusted for their number: the primary was fixed beforehand",
                **answer.parameters,
            },
            (
                "Wagner and others (2002), J. Clinical Pharmacy and Therapeutics 27, 299-309",
                "Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, ch. 5",
            ),
        ),
        provenance=provenance_of([cut.series], sides.measure, ["series"]),
        measure=sides.measure,
        outcome=outcome,
        effects=answer.effects,
        before=side_table("before", cut.sides, answer, options, SideChart()),
        after=side_table("after", cut.sides, answer, options, SideChart()),
        confidence=confidence,
        tail=tail,
        margin=margin,
        question=question,
        declared_on=declared_on,
        course=course,
    )


def _check(
    primary: str, transition: int, ramp: int, confidence: float, tail: float, margin: float | None
) -> None:
    if primary not in PRIMARY:
        raise UnknownNameError("primary", str(primary), PRIMARY)
    for name, value, least in (("transition", transition, 0), ("ramp", ramp, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{name}= is a whole number of periods, at least {least}, got {value!r}")
    check_confidence(confidence)
    check_tail(tail)
    check_margin(margin)


def _model(data: PeriodSeries, terms: Floats, ramp: int, keep: NDArray[np.bool_]) -> _Model:
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
    return _Model(x, without, contrasts, t)


def _fit(data: PeriodSeries, model: _Model, keep: np.ndarray, primary: str) -> tuple[Regression, Floats]:
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
        gap=_gap(data, model, keep)[None],
        weights=data.weights[None, keep],
    )
    fitted = fit_regression(design, model.contrasts[primary])
    return fitted, whitened(design, fitted.fit)


def _gap(data: PeriodSeries, model: _Model, keep: NDArray[np.bool_]) -> Floats:
    """Distances of the periods that are kept."""
    gap = np.diff(model.t[keep], prepend=np.nan)
    gap[0] = np.inf
    if np.isinf(data.gap[np.argmax(data.after)]):
        gap[int(np.argmax(data.after[keep]))] = np.inf
    return np.asarray(gap)


def _answer(
    fitted: Regression,
    residuals: Floats,
    data: PeriodSeries,
    model: _Model,
    keep: np.ndarray,
    sides: Sides,
    scale: AnalysisScale,
    options: Options,
    primary: str,
) -> tuple[Answer, Course]:
    confidence = options.confidence
    unit, word = sides.measure.unit, period_word(sides)
    fit = fitted.fit
    rho, v = float(fit.rho[0]), float(fit.noise[0])
    rows: list[Effect] = []
    for name, weights in model.contrasts.items():
        slope = name.startswith("slope")
        role = (
            "primary"
            if name == primary
            else "companion"
            if name in ("slope_before", "slope_after")
            else "secondary"
        )
        rows.append(
            row(
                name,
                fitted.contrast(weights, confidence),
                scale,
                role=role,  # type: ignore[arg-type]
                unit=f"{unit} a {word}".strip() if slope else unit,
                method=TITLE,
            )
        )
    course, total = _course(fitted, data, model, keep, sides, scale, confidence)
    white = ljung_box(residuals, fitted=1 if v == 0 else 2)
    naive = _least_squares(data, model, keep, primary, confidence)
    rows += [
        contrast_row(
            "cumulative_effect",
            total,
            role="secondary",
            unit=unit,
            method=f"{TITLE}; sum over the {word}s after the change"
            + ("" if scale.name == "raw" else ", delta method"),
        ),
        row(
            primary,
            naive,
            scale,
            role="companion",
            unit=f"{unit} a {word}".strip() if primary.startswith("slope") else unit,
            method="least squares, periods independent",
        ),
        whiteness_row(white),
    ]
    rows.sort(key=lambda e: ("primary", "secondary", "companion").index(e.role))
    inner = fitted.contrast(model.contrasts[primary], 2 * confidence - 1)
    n1, n2 = sides.before.periods, int((keep & data.after).sum())
    worth = [float(effective_periods(n, fit.rho[:1], fit.noise[:1])[0]) for n in (n1, n2)]
    doubts, caveats = _doubts(white, n1, n2)
    if fit.at_bound[0]:
        text = (
            f"The correlation lies at the bound of the search (rho {rho:.3f}): slopes and intervals are "
            "doubtful."
        )
        caveats.append(Caveat("parameter-at-bound", text, {"rho": rho, "noise_share": v}))
    return (
        Answer(
            effects=tuple(rows),
            doubts=doubts,
            equivalence=(scale.back(inner.low), scale.back(inner.high)),
            effective=(worth[0], worth[1]),
            scale=scale.name,
            notes=(*_notes(rows, total, sides, word, n2), *scale.notes),
            caveats=(*scale.caveats, *caveats),
            parameters={
                "scale": scale.name,
                "model": "AR(1)" if v == 0 else "AR(1) plus independent noise",
                "periods": {"before": n1, "after": n2},
                "rho": rho,
                "noise_share": v,
                "noise_gain": float(fit.gain[0]),
                "log_ratio_of_sds": float(fit.log_spread[0]),
                "sigma_before": float(fit.sigma[0]),
                "minus_2_reml": float(fit.deviance[0]),
                "degrees_of_freedom": "Satterthwaite, for each row",
            },
        ),
        course,
    )


def _course(
    fitted: Regression,
    data: PeriodSeries,
    model: _Model,
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


def _least_squares(
    data: PeriodSeries, model: _Model, keep: np.ndarray, primary: str, confidence: float
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


def _doubts(white: Contrast, n1: int, n2: int) -> tuple[tuple[str, ...], list[Caveat]]:
    doubts: tuple[str, ...] = ()
    caveats = []
    if white.p_value < CHECK_LEVEL:
        doubts = ("the model does not describe how neighbouring values depend on each other",)
        text = (
            f"The whitened residuals are still correlated (Ljung-Box p = {white.p_value:.2g}): a season "
            "that is left in, a bend, or further changes are the usual reasons."
        )
        evidence = {"statistic": white.statistic, "p_value": white.p_value}
        caveats.append(Caveat("not-white", text, evidence))
    if min(n1, n2) < FEW:
        text = (
            f"Only {n1} periods before and {n2} after: below {FEW} a side slope and correlation are hardly "
            "known."
        )
        caveats.append(Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": FEW}))
    return doubts, caveats


def _notes(rows: Sequence[Effect], total: Contrast, sides: Sides, word: str, n: int) -> tuple[str, ...]:
    """What the meeting asks next: how much in all, over the time since."""
    average = next(e for e in rows if e.quantity == "average_effect")
    unit = sides.measure.unit
    share = sides.measure.scale == "proportion"
    parts = []
    if average.role != "primary":
        if average.form == "ratio":
            said = f"{number(average.estimate)} times ({number(average.low)} to {number(average.high)})"
            parts.append(
                f"Over the {n} {word}s after it, the level was {said} what was to be expected without it."
            )
        else:
            factor, name = (100.0, "points") if share else (1.0, unit)
            low, high = number(factor * average.low), number(factor * average.high)
            size = with_unit(number(abs(factor * average.estimate)), name)
            side = "below" if average.estimate < 0 else "above"
            parts.append(
                f"Over the {n} {word}s after it, the level was on average {size} {side} what was to be "
                f"expected without it (difference {low} to {high})."
            )
    if not share:
        low, high = number(total.low), number(total.high)
        said = with_unit(number(total.estimate), unit)
        parts.append(f"Summed over these {word}s that is {said} ({low} to {high}).")
    return tuple(parts)
