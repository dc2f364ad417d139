"""phase_one: the limits of a baseline, and which points to look into first. It proposes and never excludes.

The textbook way: chart the first data, look for the cause of each point beyond the limits, leave out those
whose cause was found and removed, compute the limits anew, and look again. What a computer can do of it is
the arithmetic of every round; finding causes is the work of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Method
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import family_of
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.phase_one_result import ExclusionDraft, PhaseOne
from perfanalytics.spc.phase_one_words import MOST, caveats_of_rounds, with_verdict
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.stages import Stages
from perfanalytics.spc.transforms import Transform


def phase_one(
    series: object,
    *,
    chart: str = "individuals",
    rules: RuleSet | str | Sequence[Rule] = WESTERN_ELECTRIC,
    estimate: str | None = None,
    sigmas: float | None = None,
    options: Mapping[str, Any] | None = None,
    limits: str | None = None,
    stages: Stages = (),
    transform: str | Mapping[str, Any] | Transform | None = None,
) -> PhaseOne:
    """Phase I analysis: which points to look into before limits are agreed, and what the limits would be.

    Round after round the points beyond the limits are proposed and left out on trial, until none is left.
    Nothing is excluded by it: a point is excluded only with a cause that somebody found.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        As for :func:`perfanalytics.control_chart`, with exclusions people already recorded. Events that came
        with the series are named beside the points they are near (from the point before to the point after).
    chart, rules, sigmas, options, limits, transform
        As for :func:`perfanalytics.control_chart`. Only points beyond the limits are proposed; run rules tell
        of shifts, which are no matter of single points.
    estimate : str, optional
        Name of an estimator of the chart type.
    stages : optional
        As for :func:`perfanalytics.control_chart`: each stage has limits of its own, and a point is proposed
        where it lies beyond those of its stage. The verdict tells the limits before and after of the last
        stage in which a point is proposed, the rounds those at the newest point.

    Returns
    -------
    PhaseOne
        ``.drafts`` become exclusions by ``draft.because(cause, who=, decided_on=)``.

    Raises
    ------
    InputError
        For charts whose points depend on each other (ewma, cusum, moving_average), for the run chart, and for
        limits that come from elsewhere.
    UnknownNameError

    Notes
    -----
    Points beyond the limits of panels of moving ranges are not proposed by themselves: which of the two
    neighbours is meant is not known. More than a tenth of the points (and more than one) is the caveat
    ``many-proposed``: then the process is not stable, and no trimming makes it so.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., sections 6.2.1 and 7.2.1.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> found = perf.phase_one([9, 11, 10, 12, 10, 9, 10, 11, 10, 18])
    >>> found.verdict
    '1 of 10 points is proposed for investigation: the 10th point. Without it the limits would be 6.6 to \
13.9 instead of 5.4 to 16.6. It needs a cause, a person and a date before it is excluded.'
    >>> import datetime as dt
    >>> found.drafts[0].because("wrong unit typed in", who="A. Meier", decided_on=dt.date(2024, 5, 2)).point
    9
    """
    data = as_series(series)
    family = _suitable(chart, estimate)

    def charted(trial: Mapping[int, str]) -> ControlChart:
        return control_chart(
            data,
            chart=chart,
            rules=rules,
            estimate=estimate,
            exclude=trial,
            sigmas=sigmas,
            options=options,
            limits=limits,
            stages=stages,
            transform=transform,
        )

    first = charted({})
    charts = [first]
    trial: dict[int, str] = {}
    rounds: dict[int, tuple[int, ControlChart]] = {}
    usable = first.n_used
    while True:
        beyond = _beyond(charts[-1], family)
        fresh = np.flatnonzero(beyond.any(axis=0)).tolist()
        if not fresh or len(trial) + len(fresh) > MOST * usable:
            break
        for k in fresh:
            trial[k] = "on trial"
            rounds[k] = (len(charts), charts[-1])
        charts.append(charted(trial))
    points = list(rounds)
    alone = [charted({k: "on trial"}) for k in points]
    last = charts[-1]
    names = [
        ", ".join(p for p, b in zip(first.panels, _beyond(rounds[k][1], family)[:, k], strict=True) if b)
        for k in points
    ]
    no_limits = not np.isfinite(first.upper[0]).any()
    found = PhaseOne(
        verdict="",
        caveats=caveats_of_rounds(first, last, len(points), _beyond(last, family), no_limits),
        method=Method(
            "phase_one",
            dict(first.method.parameters)
            | {
                "proposes": "points beyond the limits, round after round, until none is left or half are out",
                "leaves_to_people": "every exclusion: cause, person, date",
            },
            first.method.references,
        ),
        provenance=first.provenance,
        chart=first.chart,
        title=first.title,
        id=first.id,
        measure=first.measure,
        value=first.value[0],
        center=first.center[0],
        lower=first.lower[0],
        upper=first.upper[0],
        new_center=last.center[0],
        new_lower=last.lower[0],
        new_upper=last.upper[0],
        when=first.when,
        every=first.every,
        is_share=first.is_share,
        excluded=first.excluded,
        point=np.array(points, dtype=np.int64),
        round=np.array([rounds[k][0] for k in points], dtype=np.int64),
        labels=tuple("" if first.labels is None else str(first.labels[k] or "") for k in points),
        panels=tuple(names),
        events=tuple(_near(first, k) for k in points),
        alone_center=np.array([c.center[0, k] for c, k in zip(alone, points, strict=True)]),
        alone_lower=np.array([c.lower[0, k] for c, k in zip(alone, points, strict=True)]),
        alone_upper=np.array([c.upper[0, k] for c, k in zip(alone, points, strict=True)]),
        alone_signals=np.array([c.n_signals for c in alone], dtype=np.int64),
        round_excluded=np.array([int(np.count_nonzero(c.excluded)) for c in charts]),
        round_signals=np.array([c.n_signals for c in charts]),
        round_beyond=np.array([int(np.count_nonzero(_beyond(c, family).any(axis=0))) for c in charts]),
        round_center=np.array([_newest(c, c.center) for c in charts]),
        round_lower=np.array([_newest(c, c.lower) for c in charts]),
        round_upper=np.array([_newest(c, c.upper) for c in charts]),
        further_signals=last.n_signals - int(np.count_nonzero(_beyond(last, family).any(axis=0))),
        drafts=tuple(_draft(first, k) for k in points),
    )
    return with_verdict(found, first, last)


def _suitable(chart: str, estimate: object) -> ChartFamily:
    family = family_of(chart)
    if family.own is not None and not family.panels[0].name.lower().startswith("t2"):
        raise InputError(
            f"a {family.name} chart has no limits that points could lie beyond: take 'individuals'"
        )
    if family.own is None and family.deviations is not None:
        raise InputError(
            f"a {family.name} chart carries each point on into the next, so that leaving one out moves the "
            "others: look into single points with a Shewhart chart ('individuals', 'xbar_s', 'p' ...)"
        )
    if not (estimate is None or isinstance(estimate, str)):
        raise InputError(
            "phase I estimates the limits from these very points: estimate= is an estimator's name"
        )
    return family


def _beyond(chart: ControlChart, family: ChartFamily) -> NDArray[np.bool_]:
    """Used points beyond a limit, shape (P, n), in the panels that speak of single points."""
    bits = sum(1 << bit for bit, rule in enumerate(chart.rules.rules) if rule.is_limit)
    out = (chart.fired & np.asarray(bits, dtype=chart.fired.dtype)) != 0
    if not bits:
        with np.errstate(invalid="ignore"):
            out = ((chart.value > chart.upper) | (chart.value < chart.lower)) & ~chart.excluded
    for k, panel in enumerate(family.panels):
        if k and not (panel.independent or panel.main):
            out[k] = False
    return np.asarray(out, dtype=bool)


def _newest(chart: ControlChart, line: Floats) -> float:
    seen = np.flatnonzero(~np.isnan(chart.value[0]) & ~np.isnan(line[0]))
    return float(line[0, seen[-1]]) if len(seen) else float("nan")


def _draft(chart: ControlChart, k: int) -> ExclusionDraft:
    when = None
    if chart.when is not None and np.count_nonzero(chart.when == chart.when[k]) == 1:
        when = chart.when[k].astype("datetime64[us]").astype(object)
    label = "" if chart.labels is None else str(chart.labels[k] or "")
    return ExclusionDraft(point=k, when=when, label=label, value=float(chart.value[0, k]))


def _near(chart: ControlChart, k: int) -> str:
    """Events and changes between the neighbours of a point: candidates for its cause."""
    when = chart.when
    if when is None or not chart.events or len(when) < 2:
        return ""
    step = np.median(np.diff(when).astype(np.int64)).astype("timedelta64[us]")
    begin = when[k - 1] if k else when[k] - step
    end = when[k + 1] if k + 1 < len(when) else when[k] + step
    names = []
    for event in chart.events:
        at, until = instant(event.when, "UTC"), getattr(event, "until", None)
        over = at if until is None else instant(until, "UTC")
        if at < end and over > begin:
            names.append(event.name)
    return "; ".join(names)
