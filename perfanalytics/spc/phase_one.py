"""phase_one: the limits of a baseline, and which points to look into first. It proposes and never excludes.

The textbook way: chart the first data, look for the cause of each point beyond the limits, leave out those
whose cause was found and removed, compute the limits anew, and look again. What a computer can do of it is
the arithmetic of every round; finding causes is the work of people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Exclusion
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import family_of
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import WESTERN_ELECTRIC, Rule, RuleSet
from perfanalytics.spc.stages import Stages
from perfanalytics.spc.transforms import Transform
from perfanalytics.spc.verdict import stage_name
from perfanalytics.spc.wording import moment, nth, number, points_word, unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Above this share of proposed points it is not the points that are special.
MANY = 0.1
#: Rounds stop when so many of the points would be left out.
MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionDraft:
    """A point that may be excluded once somebody has found its cause; see :meth:`because`.

    Parameters
    ----------
    point : int
        0-based.
    when : datetime or None
    label : str
    value : float
    """

    kind: ClassVar[str] = "exclusion-draft"

    point: int
    when: dt.datetime | None
    label: str
    value: float

    def because(self, reason: str, *, who: str, decided_on: dt.date) -> Exclusion:
        """The exclusion, now that its cause is known.

        Parameters
        ----------
        reason : str
            The cause that was found (and removed).
        who : str
            Who decided it.
        decided_on : date

        Raises
        ------
        InputError
            Without a cause, a person and a date.
        """
        if not isinstance(who, str) or not who.strip() or not isinstance(decided_on, dt.date):
            raise InputError(
                "an exclusion needs who decided it and when: because('cause', who=, decided_on=)"
            )
        if self.when is not None:
            return Exclusion(reason, when=self.when, who=who, decided_on=decided_on)
        return Exclusion(reason, point=self.point, who=who, decided_on=decided_on)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PhaseOne(Result):
    """A phase I analysis: n points, k proposed in r rounds.

    Parameters
    ----------
    chart, title, id : str
    measure : Measure
    value, center, lower, upper, new_center, new_lower, new_upper : float arrays, shape (n,)
        Main panel; the limits with all points, and without those proposed.
    when : datetime64[us] array, shape (n,), or None
    every : str or None
    is_share : bool
    excluded : bool array, shape (n,)
        Left out from the beginning, by exclusions that people recorded.
    point : int array, shape (k,)
        The proposed points, in order of round and place.
    round : int array, shape (k,)
        In which round (from 1) each lies beyond the limits.
    labels, panels, events : tuples of str, length k
        Label of the point; panels in which it lies beyond a limit; what was recorded near it.
    alone_center, alone_lower, alone_upper : float arrays, shape (k,)
        At the point, were it alone left out (NaN: no limit).
    alone_signals : int array, shape (k,)
        Points that would signal then.
    round_excluded, round_signals, round_beyond : int arrays, shape (r + 1,)
        Before any round and after each: points left out, points that signal, points beyond the limits.
    round_center, round_lower, round_upper : float arrays, shape (r + 1,)
        At the newest used point.
    further_signals : int
        Points of the last round that signal by other rules than the limits.
    drafts : tuple of ExclusionDraft, length k
    """

    kind: ClassVar[str] = "phase_one"
    schema_version: ClassVar[int] = 1

    chart: str
    title: str
    id: str
    measure: Measure
    value: Floats
    center: Floats
    lower: Floats
    upper: Floats
    new_center: Floats
    new_lower: Floats
    new_upper: Floats
    when: NDArray[Any] | None
    every: str | None
    is_share: bool
    excluded: NDArray[np.bool_]
    point: NDArray[np.int64]
    round: NDArray[np.int64]
    labels: tuple[str, ...]
    panels: tuple[str, ...]
    events: tuple[str, ...]
    alone_center: Floats
    alone_lower: Floats
    alone_upper: Floats
    alone_signals: NDArray[np.int64]
    round_excluded: NDArray[np.int64]
    round_signals: NDArray[np.int64]
    round_beyond: NDArray[np.int64]
    round_center: Floats
    round_lower: Floats
    round_upper: Floats
    further_signals: int
    drafts: tuple[ExclusionDraft, ...]

    def __post_init__(self) -> None:
        for name in self.__slots__:
            column = getattr(self, name)
            if isinstance(column, np.ndarray):
                object.__setattr__(self, name, read_only(column))

    def summary(self) -> pd.DataFrame:
        """One row.

        Columns: id, measure, chart, n, proposed, share, rounds, center, lower, upper (with all points, at the
        newest), new_center, new_lower, new_upper (without those proposed), caveats, verdict.
        """
        import pandas as pd

        used = int(np.count_nonzero(~np.isnan(self.value) & ~self.excluded))
        return pd.DataFrame(
            {
                "id": [self.id],
                "measure": [self.measure.name],
                "chart": [self.chart],
                "n": [used],
                "proposed": [len(self.point)],
                "share": [len(self.point) / used if used else np.nan],
                "rounds": [len(self.round_center) - 1],
                "center": [self.round_center[0]],
                "lower": [self.round_lower[0]],
                "upper": [self.round_upper[0]],
                "new_center": [self.round_center[-1]],
                "new_lower": [self.round_lower[-1]],
                "new_upper": [self.round_upper[-1]],
                "caveats": ["; ".join(self.caveat_codes)],
                "verdict": [self.verdict],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per proposed point.

        Columns: round, point (0-based), when, label, value, panels, events, alone_center, alone_lower,
        alone_upper, alone_signals.
        """
        import pandas as pd

        at = self.point
        blank = np.full(len(at), "NaT", dtype="datetime64[us]")
        return pd.DataFrame(
            {
                "round": self.round,
                "point": at,
                "when": blank if self.when is None else self.when[at],
                "label": list(self.labels),
                "value": self.value[at],
                "panels": list(self.panels),
                "events": list(self.events),
                "alone_center": self.alone_center,
                "alone_lower": self.alone_lower,
                "alone_upper": self.alone_upper,
                "alone_signals": self.alone_signals,
            }
        )

    def rounds_frame(self) -> pd.DataFrame:
        """One row before any round and one after each.

        Columns: round, excluded, beyond, signals, center, lower, upper.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "round": np.arange(len(self.round_center)),
                "excluded": self.round_excluded,
                "beyond": self.round_beyond,
                "signals": self.round_signals,
                "center": self.round_center,
                "lower": self.round_lower,
                "upper": self.round_upper,
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables a report shows."""
        return ("Points to look into", self.to_frame()), ("Rounds", self.rounds_frame())


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
        caveats=_caveats(first, last, len(points), _beyond(last, family), no_limits),
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
    return _with_verdict(found, first, last)


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


def _caveats(
    first: ControlChart, last: ControlChart, proposed: int, beyond: NDArray[np.bool_], no_limits: bool
) -> tuple[Caveat, ...]:
    out = list(first.caveats)
    n = first.n_used
    left = int(np.count_nonzero(beyond.any(axis=0)))
    if left and not no_limits:
        out.append(
            Caveat(
                "not-settled",
                f"The rounds were stopped: without these points {left} more lie beyond the limits, and more "
                f"than {MOST:.0%} of the {n} points would be left out.",
                {"proposed": proposed, "beyond": left, "n": n},
            )
        )
    if (proposed > max(1.0, MANY * n)) or (left and not no_limits):
        out.append(
            Caveat(
                "many-proposed",
                f"{proposed} of {n} points are proposed ({proposed / n:.0%}): not single points are special "
                "then, the process is not stable. Leaving points out until a chart looks stable makes its "
                "limits too narrow, and later points signal falsely more often.",
                {"proposed": proposed, "n": n, "share": proposed / n},
            )
        )
    runs = last.n_signals - left
    if runs > 0:
        out.append(
            Caveat(
                "other-signals",
                f"{runs} point{'s' if runs > 1 else ''} still signal{'' if runs > 1 else 's'} by other rules "
                "than the limits: a shift or trend is a question of stages (suggest_stages), not of points.",
                {"points": runs},
            )
        )
    return tuple(out)


def _with_verdict(found: PhaseOne, first: ControlChart, last: ControlChart) -> PhaseOne:
    return replace(found, verdict=_verdict(found, first, last))


def _verdict(found: PhaseOne, first: ControlChart, last: ControlChart) -> str:
    n, k = first.n_used, len(found.point)
    word = points_word(n, first.every)
    if not np.isfinite(first.upper[0]).any():
        return f"No phase I analysis: {first.verdict[0].lower()}{first.verdict[1:]}"
    wide = first.spread(0)
    spread = float(np.nanmedian(wide)) if np.isfinite(wide).any() else float("nan")

    def span(low: float, high: float) -> str:
        low_text = number(low, spread, share=found.is_share)
        return f"{low_text} to {number(high, spread, share=found.is_share)}{unit_of(found.measure)}"

    at = _told_at(found, first)
    old = span(float(first.lower[0, at]), float(first.upper[0, at]))
    latest = first.upper[0][first.stage == first.stage[at]]
    varies = np.isfinite(latest).any() and np.ptp(latest[np.isfinite(latest)]) > 0
    where = " at its newest point" if varies else ""
    limits = f"the limits of {old}{' at the newest point' if varies else ''}"
    if len(first.limits.n) > 1:
        limits = f"the limits of its stage (of the last one {old}{where})"
        where = f" of the stage {stage_name(first, int(first.stage[at]))}{where}"
    elif varies:
        where = " at the newest point"
    if not k and "not-settled" in found.caveat_codes:
        many = int(found.round_beyond[0])
        return (
            f"{many} of {n} {word} lie beyond {limits}: the process is not stable, and it "
            "is not single points that need a cause."
        )
    if not k:
        return f"No point of {n} {word} lies beyond {limits}: nothing is proposed."
    names = [_named(first, int(p)) for p in found.point]
    listed = ", ".join(names[:6]) + (f" and {k - 6} more" if k > 6 else "")
    if 1 < k <= 6:
        listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    rounds = len(found.round_center) - 1
    in_rounds = f" in {rounds} rounds" if rounds > 1 else ""
    new = span(float(last.lower[0, at]), float(last.upper[0, at]))
    it, needs = ("it", "It needs") if k == 1 else ("them", "Each needs")
    return (
        f"{k} of {n} {word} {'is' if k == 1 else 'are'} proposed for investigation{in_rounds}: {listed}. "
        f"Without {it} the limits{where} would be {new} instead of {old}. "
        f"{needs} a cause, a person and a date before it is excluded."
    )


def _told_at(found: PhaseOne, first: ControlChart) -> int:
    """The newest point with limits of the last stage in which a point is proposed, or of the last one."""
    stages = first.stage[found.point] if len(found.point) else first.stage
    here = (first.stage == stages.max()) & ~np.isnan(first.value[0]) & ~np.isnan(first.center[0])
    seen = np.flatnonzero(here)
    return int(seen[-1]) if len(seen) else len(first.stage) - 1


def _named(chart: ControlChart, k: int) -> str:
    if chart.when is not None:
        return moment(chart.when[k], chart.every)
    if chart.labels is not None and chart.labels[k]:
        return str(chart.labels[k])
    return nth(k)
