"""interrupted: level and slope before and after a change, and what would have been without it."""

from __future__ import annotations

import datetime as dt

import numpy as np

from perfanalytics.comparisons.arguments import check_confidence, check_margin, check_tail
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.interrupted_answer import answer_of
from perfanalytics.comparisons.interrupted_fit import fit_segmented, kept_gap, segmented
from perfanalytics.comparisons.levels import FEWEST
from perfanalytics.comparisons.method import Options
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.scales import analysis_scale
from perfanalytics.comparisons.seasons import season_caveat, season_terms
from perfanalytics.comparisons.segmented import At, cut_series, sentence, time_axis
from perfanalytics.comparisons.series_checks import period_series
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.comparisons.verdict import outcome_of
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Method

#: What the verdict can speak of.
PRIMARY = ("level_change", "slope_change", "average_effect")
_SAID = {
    "level_change": "the level at the change",
    "slope_change": "the slope",
    "average_effect": "the average over the after period, against what was to be expected,",
}


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
    model = segmented(data, terms, ramp, keep)
    fitted, residuals = fit_segmented(data, model, keep, primary)
    seasonal = (
        season_caveat(
            sides,
            data.values[0, keep],
            model.x[keep],
            gap=kept_gap(data, model, keep),
            weights=data.weights[keep],
            keep=keep,
        )
        if season is None
        else ()
    )
    options = Options(
        confidence=confidence, tail=tail, margin=margin, declared_on=declared_on, scale=scale, season=season
    )
    answer, course = answer_of(fitted, residuals, data, model, keep, sides, found_scale, options, primary)
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
