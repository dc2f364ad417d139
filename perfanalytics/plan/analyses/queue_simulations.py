"""Queues customer by customer: ``[[queue_replay]]`` and ``[[queue_forecast]]``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, InstanceOf

from perfanalytics.core.errors import InputError
from perfanalytics.models.queues.forecast import forecast_queue
from perfanalytics.models.queues.simulation import simulate_queue
from perfanalytics.plan.analyses.arrivals import BacklogPart
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.analyses.process_parts import Source, numbers_or, tables_or_number
from perfanalytics.plan.analyses.queues import CHAPTER, Share, Unit, check_queue, measures_of, references_of
from perfanalytics.plan.analyses.times import sample
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Analysis, Name, OfMeasure, Table
from perfanalytics.reports.report import ReportItem


class ShiftTable(Table):
    """``{ calendar = "office hours", servers = 7 }``: so many while the calendar is open."""

    calendar: Name
    servers: int = Field(ge=1)


class QueueReplayTable(OfMeasure):
    """``[[queue_replay]]``: the arrivals as they were, with other people at work."""

    service: Source | None = None
    servers: Annotated[int | list[InstanceOf[ShiftTable]], tables_or_number(ShiftTable)]
    shift_end: Literal["finish", "pause"] = "finish"
    priority: str | None = None
    classes: list[str | int] | None = None
    preemptive: bool = False
    within: float | None = Field(None, ge=0)
    service_level: float | None = Share
    of: Literal["wait", "time"] = "wait"
    warmup: int = Field(0, ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    unit: Unit = "hours"
    seed: int = Field(1, ge=0)

    def looks_into(self) -> tuple[str, ...]:
        """The measures of arrivals and service."""
        return measures_of(None, self.service, self.measure)


class QueueForecastTable(Analysis):
    """``[[queue_forecast]]``: from today's backlog, will the objective be met?"""

    arrivals: list[float] = Field(min_length=1)
    per: float = Field(gt=0)
    service: Source
    servers: int = Field(ge=1)
    backlog: Annotated[tuple[float, ...] | InstanceOf[BacklogPart], numbers_or(BacklogPart)] = ()
    forecast_cv: float = Field(0.0, ge=0)
    within: float | None = Field(None, ge=0)
    service_level: float | None = Share
    of: Literal["wait", "time"] = "wait"
    runs: int = Field(200, ge=20)
    confidence: float = Field(0.95, gt=0, lt=1)
    unit: Unit = "hours"
    seed: int = Field(1, ge=0)

    def looks_into(self) -> tuple[str, ...]:
        """The measures of service and backlog."""
        return measures_of(self.backlog, self.service)


def _replay(table: QueueReplayTable, context: Context) -> list[ReportItem]:
    frame = context.repo.frame(table.measure, **selection(table, context))
    closed = ~frame[f"{table.measure}_censored"].to_numpy(dtype=bool)
    own = frame[table.measure].to_numpy(dtype=float)
    if table.service is None and not (closed & np.isfinite(own)).all():
        raise InputError(
            f"{int((~closed).sum()):,} observations of {table.measure} are still open: their service times "
            "are not known; give service = {...}, or until = a date before them"
        )
    servers: Any = table.servers
    if not isinstance(servers, int):
        servers = [(context.calendars[shift.calendar], shift.servers) for shift in servers]
    priority: Any = None
    if table.priority is not None:
        priority = frame[table.priority].to_numpy()
        if frame[table.priority].isna().any():
            raise InputError(f"priority: some observations have no {table.priority}")
    result = simulate_queue(
        frame["when"].to_numpy(),
        own if table.service is None else sample(table.service, table.unit, context),
        servers=servers,
        priority=priority,
        classes=_as_column(table.classes, priority),
        preemptive=table.preemptive,
        shift_end=table.shift_end,
        warmup=table.warmup,
        within=table.within,
        target=table.service_level,
        of=table.of,
        confidence=table.confidence,
        unit=table.unit,
        rng=None if table.service is None else np.random.default_rng(table.seed),
    )
    return [item(table, result, context)]


def _as_column(classes: Sequence[str | int] | None, priority: Any) -> list[Any] | None:
    """Names of classes, sorted where none are given and the attribute is a text."""
    if priority is None:
        return None
    if classes is not None:
        return list(classes)
    return None if priority.dtype.kind in "iuf" else sorted({str(v) for v in priority.tolist()})


def _forecast(table: QueueForecastTable, context: Context) -> list[ReportItem]:
    backlog = table.backlog
    if isinstance(backlog, BacklogPart):
        series = context.repo.series(backlog.measure, where=backlog.where or None)
        if series.censored is None or not series.censored.any():
            raise InputError(f"no observation of {backlog.measure} is still open: there is no backlog")
        backlog = tuple(float(age) for age in series.values[series.censored])
    result = forecast_queue(
        table.arrivals,
        sample(table.service, table.unit, context),
        servers=table.servers,
        per=table.per,
        rng=np.random.default_rng(table.seed),
        backlog=[-age for age in backlog],
        forecast_cv=table.forecast_cv,
        within=table.within,
        target=table.service_level,
        of=table.of,
        runs=table.runs,
        confidence=table.confidence,
        unit=table.unit,
    )
    return [item(table, result, context)]


def _check_replay(where: str, table: QueueReplayTable, declared: Declared) -> Iterator[str]:
    yield from check_queue(where, table, declared)
    known = declared.attributes.get(table.measure, frozenset())
    if table.priority is not None:
        yield from unknown(where, f"priority: attribute of {table.measure}", table.priority, known)
    if table.priority is None and (table.classes is not None or table.preemptive):
        yield f"{where}: classes and preemptive belong to priority = ATTRIBUTE"
    if isinstance(table.servers, int) and table.servers < 1:
        yield f"{where}: servers = {table.servers}: at least 1"


QUEUE_REPLAY = Kind(
    table=QueueReplayTable,
    chapter=CHAPTER,
    many="replays of queues",
    analyze=_replay,
    check=_check_replay,
    references=references_of,
)
QUEUE_FORECAST = Kind(
    table=QueueForecastTable,
    chapter=CHAPTER,
    many="forecasts of queues",
    analyze=_forecast,
    check=check_queue,
    references=references_of,
)
