"""difference_in_differences: the change of a series beyond that of a group that was not changed."""

from __future__ import annotations

import datetime as dt

import numpy as np

from perfanalytics.comparisons.arguments import check_confidence, check_margin, check_tail
from perfanalytics.comparisons.group_difference import (
    difference_series,
    fit_difference,
    groups_of,
    level_columns,
)
from perfanalytics.comparisons.group_difference_answer import answer_of, course_of
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.levels import FEWEST
from perfanalytics.comparisons.method import Options
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.scales import analysis_scale
from perfanalytics.comparisons.seasons import season_caveat, season_columns
from perfanalytics.comparisons.segmented import At, cut_series, refuse_flat, sentence, times_of
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.comparisons.verdict import outcome_of
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Method


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
    others = groups_of(comparison_group, measure)
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
    data, reference, keep = difference_series(sides, [c.sides for c in controls], found_scale)
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
    refuse_flat(data.values[0], level_columns(data), data.after, "the difference of the groups does not vary")
    fitted = fit_difference(data, terms)
    seasonal = (
        season_caveat(
            sides, data.values[0], level_columns(data), gap=data.gap, weights=data.weights, keep=keep
        )
        if season is None
        else ()
    )
    answer = answer_of(fitted, data, terms, sides, found_scale, options)
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
        course=course_of(fitted, data, reference, keep, sides, found_scale, confidence, terms),
    )
