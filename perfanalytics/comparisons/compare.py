"""compare: did the change work, by how much, and how sure are we?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from perfanalytics.comparisons.arguments import check_confidence, check_margin, check_tail
from perfanalytics.comparisons.choices import check_choices, named
from perfanalytics.comparisons.group_methods import GROUP_METHODS, SHORT_NAMES
from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.method import Effect, Options
from perfanalytics.comparisons.methods import METHODS
from perfanalytics.comparisons.methods.proportions import OVERDISPERSED, dispersion
from perfanalytics.comparisons.pairs import prepared_sides
from perfanalytics.comparisons.resampling import DEFAULT_SEED, RESAMPLES, common_effects
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.sides import Sides, day
from perfanalytics.comparisons.stability import side_charts, stability_caveats
from perfanalytics.comparisons.verdict import decided_by, outcome_of, verdict_of
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method

#: Names that are no method of two sides -> the function they are.
ELSEWHERE = {
    "interrupted_time_series": "perf.interrupted(series, at=...)",
    "interrupted": "perf.interrupted(series, at=...)",
    "difference_in_differences": "perf.difference_in_differences(series, comparison_group, at=...)",
    "change_point": "perf.change_point(series)",
    **dict.fromkeys(
        (*GROUP_METHODS, *SHORT_NAMES),
        "perf.compare_groups(frame, value=..., by=..., method=...)",
    ),
}
#: Methods with seasonal terms.
SEASONAL = ("ar1_level_change", "ar1_ranks")


def compare(
    before: object,
    after: object,
    *,
    method: str | None = None,
    measure: Measure | None = None,
    order: str | None = None,
    every: str | None = None,
    scale: str | None = None,
    season: str | None = None,
    confidence: float = 0.95,
    tail: float = 0.9,
    margin: float | None = None,
    objective: Objective | None = None,
    question: str = "",
    declared_on: dt.date | None = None,
    options: Mapping[str, object] | None = None,
    rng: np.random.Generator | int | None = None,
) -> Comparison:
    """Compare a measure before and after a change: center, typical value and tail, each with its interval.

    Parameters
    ----------
    before, after : Series, list, array or pandas Series; before also a number
        The two sides, each in order of time. When the change lies inside one series, cut it:
        ``perf.compare(series.between(None, day), series.between(day, None))``, or by position with
        ``series.take(0, n)`` and ``series.take(n)``. Gaps (NaN) and excluded points are left out. A single
        number instead of the side before is a given value (a promise, a standard): methods "one_sample_t"
        and "wilcoxon" hold the side after against it.
    method : str, optional
        A name of ``METHODS`` ("ar1_level_change", "welch", "mann_whitney", "two_proportions", ...; all of
        them, with their options, stand in the documentation page "comparison methods"). Methods of pairs
        match items (``items=`` of both series), else positions. Left out, it
        follows from the declared scale and the order alone (see Notes) and is named in ``.method``.
    measure : Measure, optional
        For bare numbers: what they mean.
    order : {"time", "none"}, optional
        "none": the items of a side are independent and their order means nothing. Left out, values are taken
        as in order of time, as a control chart takes them, also those of a list without times.
    every : {"hour", "day", "week", "month", "quarter", "year"}, optional
        The period to which items are brought before a series is compared. Left out: the declared rhythm of
        the series; a day where several values fall on one day; else each value is its own period.
    scale : {"raw", "log", "logit", "rank"}, optional
        The analysis scale. Left out: as the measure declares (log for durations and other positive measures,
        ranks for ordinal ones, else raw); where nothing is declared, decided from the before period alone.
        A few values that have no logarithm (at most 5% of a side, 20 others left) are left out of it and
        counted; with more of them the raw scale is taken; the verdict says either.
    season : {"hour", "weekday", "month", "quarter", "year"}, optional
        Takes the season out before the levels are compared ("ar1_level_change" only): a level for each hour
        of the day, day of the week, month or quarter of the year; "year" is a smooth wave of two harmonics.
        Left out, no season is taken out, and one that is found in the residuals earns the caveat "seasonal".
    confidence : float
        Level of the intervals, above 0.5 and below 1.
    tail : float
        The percentile reported as the tail, as a fraction.
    margin : float, optional
        Smallest effect of interest: in the unit of the measure, or for a ratio a factor above 1. The verdict
        says whether the effect is at least as large, surely smaller, or whether that is open
        (:attr:`Comparison.importance`).
    objective : Objective, optional
        Adds the share of values that meet it.
    question, declared_on : str, date, optional
        What was asked, and when question, method and margin were declared.
    options : mapping, optional
        Choices of the method, such as ``{"interval": "score"}`` of "two_proportions".
    rng : Generator or int, optional
        For the resampled intervals of the secondary rows; the seed 20260101 when left out.

    Returns
    -------
    Comparison
        ``to_frame()`` has one row an effect; the first is the primary, which the verdict speaks of.

    Raises
    ------
    InputError
        For sides that are empty, swapped in time, of different measures, units or clocks, denominators of a
        measure that is no proportion, a method of one series or of groups, and arguments that do not fit.
    UnknownNameError
        For a method, scale, order or period that does not exist.

    Notes
    -----
    The default method: values in order of time are compared by ``ar1_level_change``; with ``order="none"``
    by ``welch``, or by ``mann_whitney`` on an ordinal scale. Measures of scale "proportion" whose
    denominators are known are compared by ``two_proportions``, unless they are a series of at least 8 periods
    a side whose shares vary more than 1.1 times as much as binomial shares: such a series is compared by
    ``ar1_level_change`` with the denominators as weights, and carries the caveat "overdispersed".

    The verdict is *detected*, *equivalent* (within the margin, two one-sided tests), *undecided*, or *not
    attributable*: a difference, but a drift before the change or errors that the model does not describe
    (joint level 5%). Whether there is a difference is decided by the p-value of the primary row, at most 1
    less the confidence (``.method.parameters["decided_by"]``). For Mann-Whitney and two proportions the
    interval is made separately and can disagree with the test near the border; the verdict then says so.

    Examples
    --------
    >>> before = [31, 28, 35, 30, 33, 29, 36, 32, 27, 34] * 3
    >>> after = [25, 22, 29, 24, 27, 23, 30, 26, 21, 28] * 3
    >>> c = compare(before, after, order="none")
    >>> c.outcome, c.method.name, round(c.primary.estimate, 6)
    ('detected', 'welch', -6.0)
    """
    _check_arguments(confidence, tail, margin, rng)
    if method is not None and method not in METHODS:
        if method in ELSEWHERE:
            raise InputError(f"{method!r} is no method of two sides: it is {ELSEWHERE[method]}")
        raise UnknownNameError("method", str(method), METHODS)
    sides, one, two = prepared_sides(
        before, after, METHODS.get(method or ""), order=order, every=every, measure=measure
    )
    _check_objective(objective, sides.measure)
    chosen, why, noted = (method, "asked for", ()) if method is not None else _default_method(sides, scale)
    generator = np.random.default_rng(DEFAULT_SEED if rng is None else rng)
    settings = Options(
        confidence=confidence,
        tail=tail,
        margin=margin,
        objective=objective,
        declared_on=declared_on,
        scale=scale,
        season=season,
        chosen=check_choices(chosen, METHODS[chosen].options, options),
        rng=generator,
    )
    if season is not None and chosen not in SEASONAL:
        raise InputError(f"season= works with method {' or '.join(SEASONAL)}; {chosen} has no seasonal terms")
    answer = METHODS[chosen](sides, settings)
    if margin is not None and answer.effects[0].form != "test":
        bounds(answer.effects[0], margin)
    secondary, widen = common_effects(sides, settings, answer, generator)
    charts = side_charts(sides, AnalysisScale(answer.scale, ""), answer.residuals)
    outcome = answer.outcome or outcome_of(answer, settings)
    effects = _in_order((*answer.effects, *secondary))
    return Comparison(
        verdict=answer.verdict or verdict_of(outcome, sides, settings, answer),
        caveats=(
            *sides.caveats,
            *noted,
            *answer.caveats,
            *stability_caveats(charts, whitened=answer.residuals is not None),
            *_spread_caveat(effects),
            *_declaration_caveat(sides, objective, declared_on),
        ),
        method=Method(
            chosen,
            {
                "chosen": why,
                "order": sides.order,
                "every": sides.every,
                "spacing": "missing periods keep their distance" if sides.ordered else "none",
                "confidence": confidence,
                "tail": tail,
                "margin": margin,
                "resamples": RESAMPLES if answer.tested else 0,
                "seed": _seed(rng),
                "block_length": answer.block,
                "widened_by": widen,
                "decided_by": decided_by(answer, settings),
                "quantiles": "linear interpolation (type 7)",
                "secondary_rows": "not adjusted for their number: the primary was fixed beforehand",
                "stability": (
                    "individuals chart of the whitened residuals of each side"
                    if answer.residuals is not None
                    else "individuals chart of the periods of each side"
                )
                if sides.ordered
                else "not judged: no order",
                **({"options": named(settings.chosen)} if settings.chosen else {}),
                **answer.parameters,
            },
            answer.references,
        ),
        provenance=provenance_of((one, two), sides.measure),
        measure=sides.measure,
        outcome=outcome,
        effects=effects,
        before=side_table("before", sides, answer, settings, charts[0]),
        after=side_table("after", sides, answer, settings, charts[1]),
        confidence=confidence,
        tail=tail,
        margin=margin,
        objective=objective,
        question=question,
        declared_on=declared_on,
    )


def _check_arguments(confidence: float, tail: float, margin: float | None, rng: object) -> None:
    check_confidence(confidence)
    check_tail(tail)
    check_margin(margin)
    if not (rng is None or isinstance(rng, np.random.Generator | int | np.integer)):
        raise InputError(f"rng is a numpy Generator or a whole number as seed, got {type(rng).__name__}")


def _check_objective(objective: Objective | None, measure: Measure) -> None:
    if objective is not None and measure.is_named and objective.measure != measure.name:
        raise InputError(
            f"the objective {objective.name!r} is about {objective.measure!r}, the data are {measure.name!r}"
        )


def _default_method(sides: Sides, scale: str | None) -> tuple[str, str, tuple[Caveat, ...]]:
    """The method when none was asked for, why, and a caveat where the data had a say."""
    declared = sides.measure.scale
    if declared == "proportion" and sides.before.counted and sides.after.counted:
        if not sides.ordered or sides.fewest_periods < 8:
            return "two_proportions", "default for proportions", ()
        sigma = dispersion(sides)
        if not sigma > OVERDISPERSED:
            why = f"default for proportions; sigma_z of the periods {sigma:.2f}, not above {OVERDISPERSED}"
            return "two_proportions", why, ()
        why = f"default for a series of proportions with sigma_z {sigma:.2f}, above {OVERDISPERSED}"
        text = (
            f"The shares of single periods vary {sigma:.2f} times as much as binomial shares would: they "
            "were compared as a series weighted by its denominators, not as two large proportions."
        )
        return "ar1_level_change", why, (Caveat("overdispersed", text, {"sigma_z": sigma}),)
    if sides.ordered:
        return "ar1_level_change", "default for values in order of time", ()
    if declared == "ordinal" or scale == "rank":
        return "mann_whitney", "default for independent items on an ordinal scale", ()
    return "welch", "default for independent items", ()


def _in_order(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Primary, then secondary rows in their usual order, then companions."""
    usual = (
        "difference_of_means",
        "ratio_of_means",
        "ratio_of_proportions",
        "difference_of_medians",
        "hodges_lehmann_shift",
        "difference_of_p",
        "ratio_of_sds",
        "difference_of_shares_meeting_objective",
        "hedges_g",
        "cliffs_delta",
        "probability_of_superiority",
        "cohens_h",
    )

    def place(e: Effect) -> tuple[int, int, int]:
        role = ("primary", "secondary", "companion").index(e.role)
        known = [k for k, name in enumerate(usual) if e.quantity.startswith(name)]
        decile = e.quantity.removeprefix("difference_of_p")
        at = int(decile) if decile.isdigit() and role == 1 else 0
        return role, (known[0] if known and role == 1 else len(usual)), at

    return tuple(sorted(effects, key=place))


def _spread_caveat(effects: tuple[Effect, ...]) -> tuple[Caveat, ...]:
    spread = next((e for e in effects if e.quantity == "ratio_of_sds"), None)
    if spread is None or not spread.excludes_null:
        return ()
    text = (
        f"The spread differs: the standard deviation after is {spread.estimate:.2f} times the one before "
        f"(interval {spread.low:.2f} to {spread.high:.2f}); a comparison of centers is only part of the "
        "answer."
    )
    return (
        Caveat("unequal-spread", text, {"ratio": spread.estimate, "low": spread.low, "high": spread.high}),
    )


def _declaration_caveat(
    sides: Sides, objective: Objective | None, declared_on: dt.date | None
) -> tuple[Caveat, ...]:
    """A threshold declared when the data were already there."""
    if sides.after.when is None:
        return ()
    last = np.datetime64(sides.after.when[-1], "D")
    dates = {"question, method and margin": declared_on}
    if objective is not None:
        dates["objective"] = objective.declared_on
    found = []
    for what, date in dates.items():
        if date is not None and np.datetime64(date) > last:
            text = f"The {what} was declared on {date.isoformat()}, after the last value ({day(last)})."
            found.append(Caveat("declared-after-data", text, {"declared_on": date.isoformat()}))
    return tuple(found)


def _seed(rng: np.random.Generator | int | None) -> int | str:
    if isinstance(rng, np.random.Generator):
        return "a generator was given"
    return DEFAULT_SEED if rng is None else int(rng)
