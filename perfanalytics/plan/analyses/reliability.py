"""Reliability and defects: ``[[availability]]``, ``[[lifetimes]]``, ``[[growth]]``, ``[[containment]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError
from perfanalytics.models.reliability.availability import availability
from perfanalytics.models.reliability.containment import containment
from perfanalytics.models.reliability.growth import ALL, reliability_growth
from perfanalytics.models.reliability.lifetimes import lifetimes
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Analysis, Name, OfObservations, Table, When, Where
from perfanalytics.reports.report import ReportItem

CHAPTER = "Reliability and defects"
Unit = Literal["seconds", "minutes", "hours", "days"]
#: Units of times that are instants, in microseconds.
MICROSECONDS = {"seconds": 1e6, "minutes": 6e7, "hours": 3.6e9, "days": 8.64e10, "weeks": 6.048e11}


class WindowTable(Table):
    """``{ since = 2024-03-03T00:00:00, until = 2024-03-03T06:00:00 }``: a planned outage."""

    since: When
    until: When


class AvailabilityTable(OfObservations):
    """``[[availability]]``: outages (begin and length) in agreed service time; MTBF, MTTR, the target."""

    since: When
    until: When
    items: str | None = None
    n_items: int | None = Field(None, ge=1)
    calendar: Name | None = None
    planned: list[WindowTable] = []
    target: float | None = Field(None, gt=0, lt=1)
    repair: Literal["bootstrap", "lognormal", "exponential"] = "bootstrap"
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _units(self) -> AvailabilityTable:
        if (self.items is None) != (self.n_items is None):
            raise ValueError("items = ATTRIBUTE and n_items = how many there are belong together")
        return self


class LifetimesTable(OfObservations):
    """``[[lifetimes]]``: a law of lifetimes, units still alive included."""

    family: Literal["weibull", "lognormal", "exponential"] = "weibull"


class GrowthTable(Analysis):
    """``[[growth]]``: do failures become rarer, how many faults are left?

    Failures are the observations of a measure, or a small table of the plan.
    """

    measure: Name | None = None
    where: Where = {}
    since: When | None = None
    until: When | None = None
    every: Literal["day", "week", "month", "quarter", "year"] | None = None
    times: list[float] | None = None
    intervals: list[float] | None = None
    counts: list[int] | None = None
    end: float | None = Field(None, gt=0)
    unit: str | None = None
    models: list[str] = list(ALL)
    next_period: float | None = Field(None, gt=0)
    confidence: float = Field(0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_origin(self) -> GrowthTable:
        ways = ("measure", "times", "intervals", "counts")
        given = [key for key in ways if getattr(self, key) is not None]
        if len(given) != 1:
            said = " and ".join(given) if given else "none"
            raise ValueError(f"failures come from one of {', '.join(ways)}; given: {said}")
        if self.measure is None:
            for key in ("where", "since", "until", "every"):
                if getattr(self, key):
                    raise ValueError(f"{key} belongs to measure = ...")
        elif self.end is not None:
            raise ValueError("end is for times and intervals: the observations of a measure end with until")
        if self.counts is not None and self.end is not None:
            raise ValueError("counts end with their last period: leave end out")
        return self

    def looks_into(self) -> tuple[str, ...]:
        """The measure, where there is one."""
        return () if self.measure is None else (self.measure,)


class ContainmentTable(Analysis):
    """``[[containment]]``: how many defects each phase removes; a matrix, or observations of defects."""

    phases: list[Name] = Field(min_length=2)
    counts: list[list[int]] | list[list[list[int]]] | None = None
    sizes: list[float] | None = None
    measure: Name | None = None
    where: Where = {}
    since: When | None = None
    until: When | None = None
    injected: str | None = None
    found: str | None = None
    release: str | None = None
    confidence: float = Field(0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_origin(self) -> ContainmentTable:
        observed = (self.measure, self.injected, self.found)
        if (self.counts is not None) == any(key is not None for key in observed):
            raise ValueError(
                "give either counts = [[...], ...] or measure with injected = ATTRIBUTE and found = ATTRIBUTE"
            )
        if self.counts is None and any(key is None for key in observed):
            raise ValueError("measure, injected = ATTRIBUTE and found = ATTRIBUTE belong together")
        return self

    def looks_into(self) -> tuple[str, ...]:
        """The measure, where there is one."""
        return () if self.measure is None else (self.measure,)


def _availability(table: AvailabilityTable, context: Context) -> list[ReportItem]:
    unit = context.measure(table.measure).unit
    if unit not in MICROSECONDS:
        raise InputError(
            f"an outage begins at the time of the observation and lasts its value: the unit of "
            f"{table.measure} must be one of {', '.join(MICROSECONDS)}, it is {unit!r}"
        )
    # outages that began before the period may reach into it: the function cuts them
    frame = context.repo.frame(table.measure, where=table.where or None, until=table.until)
    clock = str(frame.attrs.get("clock", "local"))
    starts = frame["when"].to_numpy().astype("datetime64[us]")
    lasted = np.round(frame[table.measure].to_numpy(dtype=float) * MICROSECONDS[unit])
    open_ = frame[f"{table.measure}_censored"].to_numpy(dtype=bool) | np.isnan(lasted)
    ends = starts + np.where(open_, 0, lasted).astype("timedelta64[us]")
    ends[open_] = np.datetime64("NaT")
    windows = [(instant(w.since, clock), instant(w.until, clock)) for w in table.planned]
    result = availability(
        starts,
        ends,
        since=instant(table.since, clock),
        until=instant(table.until, clock),
        items=None if table.items is None else frame[table.items].astype(str).to_numpy(dtype=object),
        n_items=table.n_items,
        calendar=None if table.calendar is None else context.calendars[table.calendar],
        planned=None
        if not windows
        else (np.array([a for a, _ in windows]), np.array([b for _, b in windows])),
        target=table.target if table.target is not None else _target(table, context),
        repair=table.repair,
        confidence=table.confidence,
        seed=table.seed,
    )
    return [item(table, result, context)]


def _target(table: AvailabilityTable, context: Context) -> float | None:
    """The target of the objective it serves, where that is a share."""
    goal = context.objective(table)
    if goal is None or goal.direction != "at_least" or not 0 < goal.target < 1:
        return None
    return goal.target


def _lifetimes(table: LifetimesTable, context: Context) -> list[ReportItem]:
    series = context.repo.series(table.measure, **selection(table, context))
    return [item(table, lifetimes(series, family=table.family, confidence=table.confidence), context)]


def _growth(table: GrowthTable, context: Context) -> list[ReportItem]:
    failures, of, end, unit = _failures(table, context)
    result = reliability_growth(
        failures,
        of=of,
        end=end,
        models=table.models,
        next_period=table.next_period,
        confidence=table.confidence,
        unit=unit,
    )
    return [item(table, result, context)]


def _failures(table: GrowthTable, context: Context) -> tuple[Any, str, float | None, str]:
    """Failures, what they are, the end of the observation, the unit of time."""
    for of in ("times", "intervals", "counts"):
        given = getattr(table, of)
        if given is not None:
            return given, of, table.end, table.unit or ("periods" if of == "counts" else "hours")
    assert table.measure is not None
    since = table.since or context.since
    chosen: dict[str, Any] = {"where": table.where or None, "since": since, "until": table.until}
    if table.every is not None:
        # a count is added up; of every other measure the observations are counted
        counted = context.measure(table.measure).scale == "count"
        series = context.repo.series(
            table.measure, every=table.every, statistic="sum" if counted else "count", **chosen
        )
        return np.nan_to_num(series.values).astype(int), "counts", None, f"{table.every}s"
    unit = table.unit or "days"
    series = context.repo.series(table.measure, **chosen)
    if series.when is None or not len(series.when):
        raise InputError(f"there are no observations of {table.measure}: no failures to look at")
    if since is None:
        raise InputError("times of failures are counted from a beginning: give since = DATE")
    begin = instant(since, series.clock)
    one = np.timedelta64(int(MICROSECONDS[unit]), "us")
    end = None if table.until is None else float((instant(table.until, series.clock) - begin) / one)
    return (series.when - begin) / one, "times", end, unit


def _containment(table: ContainmentTable, context: Context) -> list[ReportItem]:
    counts: Any = table.counts if table.counts is not None else _matrix(table, context)
    result = containment(counts, phases=table.phases, sizes=table.sizes, confidence=table.confidence)
    return [item(table, result, context)]


def _matrix(table: ContainmentTable, context: Context) -> Any:
    """Defects by phase of injection and of detection, for each release in the order of its name."""
    assert table.measure is not None
    frame = context.repo.frame(
        table.measure,
        where=table.where or None,
        since=table.since or context.since,
        until=table.until,
    )
    place = {phase: k for k, phase in enumerate(table.phases)}
    columns = []
    for key in (table.injected, table.found):
        said = frame[str(key)].astype(str).tolist()
        strange = sorted(set(said) - set(place))
        if strange:
            raise InputError(f"{key} has values that are no phases: {', '.join(strange[:5])}")
        columns.append(np.array([place[v] for v in said], dtype=np.int64))
    release = np.zeros(len(frame), dtype=np.int64)
    if table.release is not None:
        release = np.unique(frame[table.release].astype(str).to_numpy(dtype=str), return_inverse=True)[1]
    k = len(table.phases)
    counts = np.zeros((int(release.max(initial=0)) + 1, k, k), dtype=np.int64)
    np.add.at(counts, (release, columns[0], columns[1]), 1)
    return counts if table.release is not None else counts[0]


def _check_availability(where: str, table: AvailabilityTable, declared: Declared) -> Iterator[str]:
    known = declared.attributes.get(table.measure, frozenset())
    if table.items is not None:
        yield from unknown(where, f"items: attribute of {table.measure}", table.items, known)
    for window in table.planned:
        if str(window.since) >= str(window.until):
            yield f"{where}: planned: since = {window.since} is not before until = {window.until}"


def _calendar(table: AvailabilityTable) -> Iterator[Reference]:
    yield Reference("calendar", table.calendar, "calendar")


def _of_measure(table: GrowthTable | ContainmentTable) -> Iterator[Reference]:
    yield Reference("measure", table.measure, "measure")


def _check_growth(where: str, table: GrowthTable, declared: Declared) -> Iterator[str]:
    for name in table.models:
        yield from unknown(where, "models", name, ALL)
    if table.measure is None:
        return
    yield from _attributes(where, table.measure, table.where, declared)
    if table.every is None and table.since is None:
        yield f"{where}: times of failures count from a beginning: give since = DATE (or every = 'week')"
    if table.every is not None and table.unit is not None:
        yield f"{where}: with every = '{table.every}' time is counted in {table.every}s: leave unit out"
    if table.every is None and table.unit is not None:
        yield from unknown(where, "unit", table.unit, MICROSECONDS)


def _check_containment(where: str, table: ContainmentTable, declared: Declared) -> Iterator[str]:
    k = len(table.phases)
    if table.counts is not None:
        matrices: Any = table.counts if isinstance(table.counts[0][0], list) else [table.counts]
        if any(len(m) != k or any(len(row) != k for row in m) for m in matrices):
            yield f"{where}: counts needs {k} rows and {k} columns, one for each of the phases"
        if table.sizes is not None and len(table.sizes) != len(matrices):
            yield f"{where}: sizes has {len(table.sizes)} entries, counts {len(matrices)} releases"
    if table.measure is not None:
        yield from _attributes(where, table.measure, table.where, declared)
        known = declared.attributes.get(table.measure, frozenset())
        for key in ("injected", "found", "release"):
            name = getattr(table, key)
            if name is not None:
                yield from unknown(where, f"{key}: attribute of {table.measure}", name, known)


def _attributes(where: str, measure: str, chosen: Where, declared: Declared) -> Iterator[str]:
    for name in chosen:
        known = declared.attributes.get(measure, frozenset())
        yield from unknown(where, f"where: attribute of {measure}", name, known)


AVAILABILITY = Kind(
    table=AvailabilityTable,
    chapter=CHAPTER,
    many="availabilities",
    analyze=_availability,
    check=_check_availability,
    references=_calendar,
)
LIFETIMES = Kind(table=LifetimesTable, chapter=CHAPTER, many="laws of lifetimes", analyze=_lifetimes)
GROWTH = Kind(
    table=GrowthTable,
    chapter=CHAPTER,
    many="reliability growths",
    analyze=_growth,
    check=_check_growth,
    references=_of_measure,
)
CONTAINMENT = Kind(
    table=ContainmentTable,
    chapter=CHAPTER,
    many="containment matrices",
    analyze=_containment,
    check=_check_containment,
    references=_of_measure,
)
