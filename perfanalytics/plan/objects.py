"""Tables of a plan -> the package's own objects."""

from __future__ import annotations

from pathlib import Path

from perfanalytics.core.calendars import Calendar
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Exclusion, Objective, PlannedAnalysis, Process
from perfanalytics.plan.analyses import kind_of
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.practice_records import PracticeRecord, practice_records
from perfanalytics.plan.tables import CalendarTable, MeasureTable, SourceTable
from perfanalytics.repository.source import EventLog, Source, SourceMeasure, WorkingDuration

Record = Process | Objective | PlannedAnalysis | Change | Event | Exclusion | PracticeRecord


def records(plan: Plan) -> list[Record]:
    """Processes, objectives, changes, events, exclusions and the records of the practices, as declared.

    And what the plan asks for, so that it is known of every saved result what it serves.
    """
    out: list[Record] = [Process(**t.model_dump()) for t in plan.process]
    out += [Objective(**t.model_dump()) for t in plan.objective]
    out += [Change(**t.model_dump()) for t in plan.change]
    out += [Event(**t.model_dump()) for t in plan.event]
    out += [Exclusion(**t.model_dump()) for t in plan.exclusion]
    return out + _planned(plan) + practice_records(plan)


def _planned(plan: Plan) -> list[Record]:
    """Each analysis of the plan, with what it is about and what it serves."""
    return [
        PlannedAnalysis(
            t.name,
            what=kind_of(t).key,
            measure=getattr(t, "measure", None),
            objective=t.objective,
            question=t.question,
            measures=tuple(r.name for r in kind_of(t).references(t) if r.to == "measure" and r.name),
        )
        for t in plan.analyses()
    ]


def objectives(plan: Plan) -> dict[str, Objective]:
    """Objectives by name."""
    return {t.name: Objective(**t.model_dump()) for t in plan.objective}


def processes(plan: Plan) -> dict[str, Process]:
    """Processes by name (of several versions the one declared last), and by name and version."""
    made = [Process(**t.model_dump()) for t in plan.process]
    return {p.name: p for p in made} | {f"{p.name} {p.version}": p for p in made}


def measures(plan: Plan) -> dict[str, Measure]:
    """Measures by name."""
    return {t.name: measure(t) for t in plan.measure}


def measure(table: MeasureTable) -> Measure:
    """The measure of a ``[[measure]]`` table."""
    return Measure(
        table.name,
        definition=table.definition,
        unit=table.unit,
        better=table.better,
        scale=table.scale,
        subprocess=table.subprocess,
    )


def sources(plan: Plan, folder: Path) -> list[Source]:
    """The sources with their measures; file names are relative to ``folder``."""
    calendars = {t.name: calendar(t) for t in plan.calendar}
    return [_source(t, plan, folder, calendars) for t in plan.source]


def calendar(table: CalendarTable) -> Calendar:
    """The calendar of a ``[[calendar]]`` table: "08:00-12:00" texts become pairs."""
    hours = {
        day: [tuple(span.split("-")) for span in ([spans] if isinstance(spans, str) else spans)]
        for day, spans in table.hours.items()
    }
    return Calendar(table.name, hours=hours, holidays=tuple(table.holidays))


def _source(table: SourceTable, plan: Plan, folder: Path, calendars: dict[str, Calendar]) -> Source:
    log = table.event_log
    return Source(
        table.name,
        file=folder / table.file,
        format=table.format,
        delimiter=table.delimiter,
        quote=table.quote,
        encoding=table.encoding,
        decimal=table.decimal,
        missing=tuple(table.missing),
        columns=dict(table.columns),
        formats={k: v if isinstance(v, str) else tuple(v) for k, v in table.formats.items()},
        time_zone=table.time_zone,
        key=(table.key,) if isinstance(table.key, str) else tuple(table.key),
        mode=table.mode,
        max_rejected=table.max_rejected,
        event_log=None
        if log is None
        else EventLog(
            log.key, order=tuple(log.order), keep=log.keep, time=log.time, reached=dict(log.reached)
        ),
        durations=tuple(
            WorkingDuration(
                d.name,
                start=d.start,
                end=d.end,
                calendar=calendars[d.calendar],
                stopped=tuple(d.stopped),
                state=d.state,
            )
            for d in table.duration
        ),
        measures=tuple(_source_measure(m) for m in plan.measure if m.source == table.name),
    )


def _source_measure(table: MeasureTable) -> SourceMeasure:
    attributes = table.attributes
    return SourceMeasure(
        measure(table),
        value=table.value,
        when=table.when,
        item=table.item,
        size=table.size,
        censored=table.censored,
        start=table.start,
        known=table.known,
        attributes=attributes if isinstance(attributes, dict) else tuple(attributes),
        valid=None if table.valid is None else (table.valid[0], table.valid[1]),
        where=table.where,
    )
