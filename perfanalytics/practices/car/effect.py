"""evaluate_effect(before, after, ...) -> EffectEvaluation: did it work, and was it worth it?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.result import Baseline
from perfanalytics.comparisons.compare import compare
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError, PerfAnalyticsError
from perfanalytics.core.improvement_records import Cause, Proposal, SuccessCriterion
from perfanalytics.core.practice_records import Action
from perfanalytics.core.records import Change, Event, Exclusion, Objective, Process
from perfanalytics.core.result import Method
from perfanalytics.core.series import Series
from perfanalytics.practices.car.effect_benefit import Amount, realized
from perfanalytics.practices.car.effect_checks import Record, checks, within
from perfanalytics.practices.car.effect_criterion import Judged, judge
from perfanalytics.practices.car.effect_doubts import doubts
from perfanalytics.practices.car.effect_objective import on_objective
from perfanalytics.practices.car.effect_periods import staged_chart
from perfanalytics.practices.car.effect_result import EffectEvaluation, EffectSide
from perfanalytics.practices.car.effect_time import Needed, between, distance, needed, weeks_of
from perfanalytics.practices.car.effect_words import outcome_of, verdict_of
from perfanalytics.practices.on_record import day
from perfanalytics.spc.result import ControlChart


def evaluate_effect(
    before: object,
    after: object,
    *,
    objective: Objective | None = None,
    criterion: SuccessCriterion | None = None,
    proposal: Proposal | None = None,
    actions: Sequence[Action] = (),
    causes: Sequence[Cause] = (),
    change: Change | None = None,
    analysis: str = "",
    baselines: tuple[str, str] = ("", ""),
    versions: tuple[int, int] = (0, 0),
    process: Process | None = None,
    chart: ControlChart | None = None,
    every: str | None = None,
    method: str | None = None,
    value: Amount | None = None,
    volume: Amount | None = None,
    unit: str = "EUR",
    confidence: float = 0.95,
) -> EffectEvaluation:
    """Judge an improvement: effect, criterion, objective, costs and benefits, and what is still open.

    Parameters
    ----------
    before, after : Series, list, array, pandas Series or Baseline
        The two sides, each in order of time; of baselines the values behind them.
    objective : Objective, optional
        The objective it should help.
    criterion : SuccessCriterion, optional
        By what it is judged. Without one, a detected change for the better counts.
    proposal, actions, causes, change : records, optional
        What was proposed, done, found, and the change by which it was carried out.
    analysis : str
        The causal analysis it belongs to; default that of the proposal.
    baselines, versions : (before, after)
        Names and versions under which the baselines of the sides are saved.
    process : Process, optional
        For the baselines: the process that was in use.
    chart : ControlChart, optional
        The measure by period in stages; default weekly medians (shares) with a stage from the change on.
    every, method : str, optional
        As in :func:`perfanalytics.compare`.
    value : number, (low, likely, high) or Distribution, optional
        What one unit of the measure is worth for one item, in ``unit``.
    volume : the same, optional
        Items of a year; default at the pace after the change.
    unit : str
        Of money or effort.
    confidence : float

    Returns
    -------
    EffectEvaluation

    Raises
    ------
    InputError
        For sides of which one lies not before the other, records about another measure, a volume that must
        be declared.
    UnknownNameError
        For a statistic that the criterion or the objective names and the data do not give.

    Notes
    -----
    *Worked*: :func:`perfanalytics.compare` detects a change for the better that it can attribute, and the
    whole interval reaches what the criterion asks for. *Did not*: the change is for the worse, equivalent to
    none, or its whole interval lies short of the criterion. *Cannot tell*: everything between, with the
    number of weeks until it could be told with 80% power: of the effect asked for, or, where a change is
    detected, of the distance from what is seen to what is asked. Periods are counted with the correlation of
    neighbours that the comparison found. The benefit of a year is change x volume x value, each drawn from
    its distribution, independently.

    References
    ----------
    CMMI-SVC V1.3 (2010), CAR SP 2.2. COMPARE.md of this package for the comparison.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> rng = np.random.default_rng(3)
    >>> hours = perf.Measure("hours", definition="From opened to resolved", unit="hours", better="lower",
    ...                      scale="duration")
    >>> days = np.datetime64("2024-01-01") + np.arange(240)
    >>> times = perf.Series(rng.lognormal(3, 0.5, 240) * np.where(np.arange(240) < 160, 1.0, 0.6),
    ...                     measure=hours, when=days)
    >>> wanted = SuccessCriterion("15% less", proposal="Triage", measure="hours", statistic="geometric mean",
    ...                           least_ratio=0.85, declared_on=dt.date(2024, 5, 20))
    >>> made = evaluate_effect(times.take(0, 160), times.take(160), criterion=wanted)
    >>> made.outcome, made.standing
    ('worked', 'met')
    """
    one, two = (_series(s) for s in (before, after))
    measure = one.measure
    _check(measure.name, measure.is_named, objective, criterion)
    goal = objective
    made = compare(
        one,
        two,
        method=method,
        every=every,
        objective=goal,
        confidence=confidence,
        declared_on=criterion.declared_on if criterion is not None else None,
        question=proposal.outcome if proposal is not None else "",
    )
    described = tuple(
        _baseline(given, series, goal, process, confidence) for given, series in ((before, one), (after, two))
    )
    judged = None if criterion is None else judge(criterion, made, described[1])
    outcome, reason = outcome_of(made, judged)
    need = _needed(made, judged, outcome)
    when = change.when if change is not None else None
    drawn = chart or staged_chart(one, two, None if when is None else day(when))
    first, last = _first(one), _last(two)
    others: tuple[Event | Change, ...] = ()
    if first is not None and last is not None:
        others = within((*one.events, *_new(two, one)), first, last, but=change, measure=measure.name)
    own = tuple(actions)
    record = Record(
        proposal=proposal,
        actions=own,
        causes=tuple(causes),
        change=change,
        happenings=others,
        weeks_after=weeks_of(two.when),
    )
    costs = {a.name: float(a.cost) for a in own if a.cost is not None}
    worth = realized(
        made,
        two,
        value=value,
        volume=volume,
        costs=costs,
        expected=None if proposal is None else proposal.expected_benefit,
        unit=unit,
        confidence=confidence,
    )
    on = None if goal is None else on_objective(goal, made, (one, two), (described[0], described[1]))
    sides = tuple(
        _side(name, b, saved, version, drawn, k)
        for k, (name, b, saved, version) in enumerate(
            zip(("before", "after"), described, baselines, versions, strict=True)
        )
    )
    return EffectEvaluation(
        verdict=verdict_of(outcome, reason, made, judged, criterion, need),
        caveats=doubts(made, described, judged, criterion, record, on, worth, first_after=_first(two)),
        method=Method(
            "evaluate_effect",
            {
                "comparison": made.method.name,
                "worked": "a change for the better is detected and attributable; the whole interval reaches "
                "the criterion",
                "did_not": "for the worse, equivalent, or the whole interval short of the criterion",
                "power": 0.8,
                "confidence": confidence,
                "value": _told(value),
                "volume": "pace after the change" if volume is None else _told(volume),
                "benefit": "change x volume x value of a year, drawn independently",
                "every": every,
            },
            ("CMMI-SVC V1.3 (2010), CAR SP 2.2",),
        ),
        provenance=made.provenance,
        analysis=analysis or (proposal.analysis or "" if proposal is not None else ""),
        measure=measure,
        outcome=outcome,
        reason=reason,
        change=change,
        proposal=proposal,
        criterion=criterion,
        actions=own,
        asked="" if judged is None else judged.asked,
        standing=None if judged is None else judged.standing,
        judged=None if judged is None else judged.row,
        required=math.nan if judged is None else judged.required,
        comparison=made,
        without_events=_without(one, two, others, made, every=every, method=method),
        sides=(sides[0], sides[1]),
        chart=drawn,
        on_objective=on,
        benefit=worth,
        more_periods=need.periods,
        more_weeks=need.weeks,
        period=str(made.method.parameters.get("every") or "").split(" ", 1)[0],
        power_now=need.power_now,
        detectable=need.detectable,
        rho=need.rho,
        checks=() if outcome == "worked" else checks(record, made, judged, need),
    )


def _series(given: object) -> Series:
    return given.as_series() if isinstance(given, Baseline) else as_series(given)


def _check(
    name: str, is_named: bool, objective: Objective | None, criterion: SuccessCriterion | None
) -> None:
    for what, record in (("objective", objective), ("success criterion", criterion)):
        if record is not None and is_named and record.measure != name:
            raise InputError(f"the {what} {record.name!r} is about {record.measure!r}, the data are {name!r}")


def _baseline(
    given: object, series: Series, objective: Objective | None, process: Process | None, confidence: float
) -> Baseline:
    if isinstance(given, Baseline):
        return given
    return baseline(series, objective=objective, process=process, confidence=confidence)


def _needed(made: Comparison, judged: Judged | None, outcome: str) -> Needed:
    """Of the effect asked for; where a change is detected, of the distance to what is asked for."""
    if judged is None or judged.standing == "unknown":
        found = needed(made, made.primary, math.nan)
    elif judged.is_target and judged.standing == "met":
        # the target is reached; of the change itself nobody said how large it must be
        found = needed(made, made.primary, math.nan)
    elif judged.is_target or (made.outcome == "detected" and judged.standing == "open"):
        found = needed(made, judged.row, between(judged.row, judged.required))
    else:
        found = needed(made, judged.row, distance(judged.row, judged.required))
    if made.outcome == "not_attributable":
        return Needed(math.inf, math.inf, found.power_now, found.detectable, found.rho)
    if outcome != "cannot_tell":
        return Needed(0.0, 0.0, found.power_now, found.detectable, found.rho)
    return found


def _first(series: Series) -> dt.date | None:
    return None if series.when is None or not len(series) else _day(series.when[0])


def _last(series: Series) -> dt.date | None:
    return None if series.when is None or not len(series) else _day(series.when[-1])


def _day(time: np.datetime64) -> dt.date:
    found = time.astype("datetime64[D]").item()
    assert isinstance(found, dt.date)
    return found


def _new(two: Series, one: Series) -> tuple[Event | Change, ...]:
    known = {e.name for e in one.events}
    return tuple(e for e in two.events if e.name not in known)


def _side(
    name: str, made: Baseline, saved: str, version: int, chart: ControlChart | None, stage: int
) -> EffectSide:
    row = made.summary().iloc[0]
    center = sigma = math.nan
    if chart is not None:
        frame = chart.limits.to_frame()
        frame = frame[frame["panel"] == chart.panels[0]]
        own = frame.iloc[stage if stage == 0 else -1]
        center, sigma = float(own["center"]), float(own["sigma"])
    return EffectSide(
        name=name,
        baseline=saved,
        version=version,
        n=made.n,
        n_open=made.n_censored,
        first=None if made.first is None else _day(made.first),
        last=None if made.last is None else _day(made.last),
        center_is=_center(made),
        center=float(row["center"]),
        center_low=float(row["center_low"]),
        center_high=float(row["center_high"]),
        median=float(row["median"]),
        p90=float(row["p90"]),
        sd=float(row["sd"]),
        stable=made.stable,
        chart_center=center,
        chart_sigma=sigma,
    )


def _center(made: Baseline) -> str:
    """What the center of a baseline is, as its summary takes it."""
    if made.measure.scale == "ordinal":
        return "median"
    return {"shares": "share", "rates": "rate", "open items": "median"}.get(made.values_are, "mean")


def _without(
    one: Series,
    two: Series,
    others: Sequence[Event | Change],
    made: Comparison,
    *,
    every: str | None,
    method: str | None,
) -> Effect | None:
    """The primary effect without the points of recorded events; None where there are none in the data."""
    events = [e for e in others if isinstance(e, Event)]
    cut = [_marked(s, events) for s in (one, two)]
    if all(s is None for s in cut):
        return None
    try:
        again = compare(
            cut[0] or one, cut[1] or two, method=made.method.name, every=every, confidence=made.confidence
        )
    except PerfAnalyticsError:
        return None
    return again.primary if again.primary.quantity == made.primary.quantity else None


def _marked(series: Series, events: Sequence[Event]) -> Series | None:
    """The series with the points of events excluded; None where no event has a point."""
    if series.when is None:
        return None
    days = series.when.astype("datetime64[D]")
    kept = []
    for e in events:
        first, last = day(e.when), day(e.until or e.when)
        if ((days >= np.datetime64(first)) & (days <= np.datetime64(last))).any():
            end = dt.datetime.combine(last, dt.time(23, 59, 59, 999999))
            start = dt.datetime.combine(first, dt.time())
            kept.append(Exclusion(f"event {e.name}", when=start, until=end))
    if not kept:
        return None
    batch = series.as_batch()
    columns: Mapping[str, Any] = {
        n: getattr(batch, n) for n in ("when", "sizes", "weights", "censored", "subgroups", "labels", "items")
    }
    return Series(
        series.values,
        measure=series.measure,
        **columns,
        exclusions=(*series.exclusions, *kept),
        expected_every=series.expected_every,
        selection=series.selection,
        clock=series.clock,
    )


def _told(amount: Amount | None) -> object:
    return list(amount) if isinstance(amount, tuple) else repr(amount) if amount is not None else None
