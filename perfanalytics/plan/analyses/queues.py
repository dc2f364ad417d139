"""Queues and capacity: formulas, staffing and capacity questions, replays and forecasts.

``[[queue]]``, ``[[staffing]]``, ``[[capacity]]``, ``[[queue_replay]]``, ``[[queue_forecast]]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, InstanceOf, model_validator

from perfanalytics.models.queues.capacity import capacity
from perfanalytics.models.queues.queue import queue
from perfanalytics.models.queues.staffing import staffing
from perfanalytics.plan.analyses.arrivals import ArrivalsPart, BacklogPart, Observed, observed_arrivals
from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.analyses.process_building import check_source
from perfanalytics.plan.analyses.process_parts import Source, SourcePart, numbers_or
from perfanalytics.plan.analyses.times import mean_and_cv
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Analysis
from perfanalytics.reports.report import ReportItem

CHAPTER = "Queues and capacity"
Unit = Literal["seconds", "minutes", "hours", "days"]
Share = Field(None, gt=0, lt=1)
Arrivals = Annotated[float | tuple[float, ...] | InstanceOf[ArrivalsPart], numbers_or(ArrivalsPart)]


class QueueTable(Analysis):
    """``[[queue]]``: waits, service level and utilization in the steady state."""

    arrivals: Arrivals
    service: Source
    servers: int = Field(1, ge=1)
    per: float = Field(1.0, gt=0)
    capacity: int | None = None
    patience: float | None = Field(None, gt=0)
    arrival_cv: float = Field(1.0, ge=0)
    service_cv: float | None = Field(None, ge=0)
    discipline: Literal["fifo", "priority", "preemptive"] = "fifo"
    classes: list[str] | None = None
    within: float | None = Field(None, ge=0)
    service_level: float | None = Share
    unit: Unit = "hours"

    def looks_into(self) -> tuple[str, ...]:
        """The measures of arrivals and service."""
        return measures_of(self.arrivals, self.service)


class StaffingTable(Analysis):
    """``[[staffing]]``: the fewest people that reach a service level, interval by interval."""

    arrivals: Arrivals
    service: Source
    per: float | None = Field(None, gt=0)
    service_level: float = Field(0.8, gt=0, lt=1)
    within: float | None = Field(None, ge=0)
    system: Literal["waiting", "loss"] = "waiting"
    max_occupancy: float | None = Field(None, gt=0, le=1)
    max_mean_wait: float | None = Field(None, gt=0)
    shrinkage: float = Field(0.0, ge=0, lt=1)
    patience: float | None = Field(None, gt=0)
    max_abandoned: float | None = Field(None, gt=0, lt=1)
    arrival_cv: float = Field(1.0, ge=0)
    service_cv: float | None = Field(None, ge=0)
    labels: list[str] | None = None
    unit: Unit = "hours"

    @model_validator(mode="after")
    def _whole(self) -> StaffingTable:
        if self.within is None and self.system == "waiting":
            raise ValueError("within is missing: the time in which the work shall begin (0: at once)")
        if isinstance(self.arrivals, ArrivalsPart) and (self.per is not None or self.labels is not None):
            raise ValueError("arrivals of a measure are counted per hour: leave per and labels out")
        return self

    def looks_into(self) -> tuple[str, ...]:
        """The measures of arrivals and service."""
        return measures_of(self.arrivals, self.service)


class CapacityTable(Analysis):
    """``[[capacity]]``: when does a forecast of the demand exceed what the team can carry?"""

    demand: list[float] = Field(min_length=1)
    low: list[float] | None = None
    high: list[float] | None = None
    periods: list[str] | None = None
    service: Source
    servers: int = Field(ge=1)
    per: float = Field(1.0, gt=0)
    within: float | None = Field(None, ge=0)
    service_level: float | None = Share
    max_utilization: float | None = Field(None, gt=0, le=1)
    arrival_cv: float = Field(1.0, ge=0)
    service_cv: float | None = Field(None, ge=0)
    unit: Unit = "hours"

    @model_validator(mode="after")
    def _same_length(self) -> CapacityTable:
        for key in ("low", "high", "periods"):
            given = getattr(self, key)
            if given is not None and len(given) != len(self.demand):
                raise ValueError(f"{key} has {len(given)} entries, demand {len(self.demand)}")
        return self

    def looks_into(self) -> tuple[str, ...]:
        """The measure of the service."""
        return measures_of(None, self.service)


def measures_of(given: object, service: SourcePart | None, *more: str) -> tuple[str, ...]:
    """The measures behind arrivals (or a backlog) and service, each once."""
    found = [*more]
    if isinstance(given, ArrivalsPart | BacklogPart):
        found.append(given.measure)
    if service is not None and service.measure is not None:
        found.append(service.measure)
    return tuple(dict.fromkeys(found))


def _queue(table: QueueTable, context: Context) -> list[ReportItem]:
    service, cv = mean_and_cv(table.service, table.service_cv, table.unit, context)
    arrivals, classes, seen = table.arrivals, table.classes, None
    if isinstance(arrivals, ArrivalsPart):
        seen = observed_arrivals(arrivals, context, unit=table.unit)
        rates = tuple(float(r * table.per) for r in seen.rates)
        arrivals = rates if seen.labels else rates[0]
        classes = list(seen.labels) or None
    several = isinstance(arrivals, tuple)
    result = queue(
        arrivals=arrivals,
        service=[service] * len(arrivals) if isinstance(arrivals, tuple) else service,
        servers=table.servers,
        per=table.per,
        capacity=table.capacity,
        patience=table.patience,
        arrival_cv=table.arrival_cv,
        service_cv=[cv] * len(arrivals) if isinstance(arrivals, tuple) else cv,
        discipline=table.discipline,
        classes=classes if several else None,
        within=table.within,
        target=table.service_level,
        unit=table.unit,
    )
    return [_with(item(table, result, context), seen)]


def _staffing(table: StaffingTable, context: Context) -> list[ReportItem]:
    service, cv = mean_and_cv(table.service, table.service_cv, table.unit, context)
    arrivals, labels, per, seen = table.arrivals, table.labels, table.per or 1.0, None
    if isinstance(arrivals, ArrivalsPart):
        seen = observed_arrivals(arrivals, context, unit=table.unit)
        per = seen.hour
        arrivals = tuple(float(r * per) for r in seen.rates)
        labels = list(seen.labels) or None
    result = staffing(
        arrivals=arrivals,
        service=service,
        per=per,
        target=table.service_level,
        within=table.within,
        system=table.system,
        max_occupancy=table.max_occupancy,
        max_mean_wait=table.max_mean_wait,
        patience=table.patience,
        max_abandoned=table.max_abandoned,
        shrinkage=table.shrinkage,
        arrival_cv=table.arrival_cv,
        service_cv=cv,
        labels=labels,
        unit=table.unit,
    )
    return [_with(item(table, result, context), seen)]


def _with(made: ReportItem, seen: Observed | None) -> ReportItem:
    """The arrivals as they were counted stand before the tables of the result."""
    return made if seen is None else replace(made, extra=(("Arrivals as observed", seen.table()),))


def _capacity(table: CapacityTable, context: Context) -> list[ReportItem]:
    service, cv = mean_and_cv(table.service, table.service_cv, table.unit, context)
    result = capacity(
        table.demand,
        service=service,
        servers=table.servers,
        per=table.per,
        within=table.within,
        target=table.service_level,
        max_utilization=table.max_utilization,
        low=table.low,
        high=table.high,
        periods=table.periods,
        arrival_cv=table.arrival_cv,
        service_cv=cv,
        unit=table.unit,
    )
    return [item(table, result, context)]


def references_of(table: Analysis) -> Iterator[Reference]:
    """Measures and calendars in the inline tables."""
    for name in table.looks_into():
        if name != getattr(table, "measure", None):
            yield Reference("measure", name, "measure")
    given = getattr(table, "arrivals", None)
    if isinstance(given, ArrivalsPart):
        yield Reference("arrivals: calendar", given.calendar, "calendar")
    servers = getattr(table, "servers", None)
    for shift in servers if isinstance(servers, list) else ():
        yield Reference("servers: calendar", shift.calendar, "calendar")


def check_queue(where: str, table: Any, declared: Declared) -> Iterator[str]:
    """Names in the inline tables, and combinations that cannot work."""
    if table.service is not None:
        yield from check_source(f"{where}: service", table.service, declared)
        if table.service.model is not None:
            yield f"{where}: service is about many items, a model predicts one: give measure or distribution"
    waiting = getattr(table, "system", "waiting") == "waiting"
    if table.service_level is not None and table.within is None and waiting:
        yield f"{where}: service_level = {table.service_level:g} needs within = the time to begin"
    for key in ("arrivals", "backlog"):
        given = getattr(table, key, None)
        if isinstance(given, ArrivalsPart | BacklogPart):
            known = declared.attributes.get(given.measure, frozenset())
            for name in given.where:
                yield from unknown(where, f"{key}: where: attribute of {given.measure}", name, known)


def _check_staffing(where: str, table: StaffingTable, declared: Declared) -> Iterator[str]:
    yield from check_queue(where, table, declared)
    given = table.arrivals
    if isinstance(given, ArrivalsPart) and given.by not in (None, "hour", "weekday"):
        yield from unknown(where, "arrivals: by", str(given.by), ("hour", "weekday"))
    if isinstance(given, tuple) and table.labels is not None and len(given) != len(table.labels):
        yield f"{where}: labels has {len(table.labels)} entries, arrivals {len(given)}"


def _check_queue(where: str, table: QueueTable, declared: Declared) -> Iterator[str]:
    yield from check_queue(where, table, declared)
    given = table.arrivals
    if isinstance(given, ArrivalsPart) and given.by is not None:
        known = declared.attributes.get(given.measure, frozenset())
        yield from unknown(where, f"arrivals: by: attribute of {given.measure}", given.by, known)
    several = isinstance(given, tuple) or (isinstance(given, ArrivalsPart) and given.by is not None)
    if several != (table.discipline != "fifo"):
        said = "needs arrivals of each class" if not several else "is for one class"
        yield f"{where}: discipline = '{table.discipline}' {said} (arrivals = [...], the most urgent first)"


QUEUE = Kind(
    table=QueueTable,
    chapter=CHAPTER,
    many="queues",
    analyze=_queue,
    check=_check_queue,
    references=references_of,
)
STAFFING = Kind(
    table=StaffingTable,
    chapter=CHAPTER,
    many="staffing questions",
    analyze=_staffing,
    check=_check_staffing,
    references=references_of,
)
CAPACITY = Kind(
    table=CapacityTable,
    chapter=CHAPTER,
    many="capacity questions",
    analyze=_capacity,
    check=check_queue,
    references=references_of,
)
