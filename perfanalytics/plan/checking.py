"""What the tables of a plan cannot check by themselves: names of methods, attributes, formats, objects."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.plan import objects, practice_records
from perfanalytics.plan.analyses import kind_of
from perfanalytics.plan.analyses.kind import Declared
from perfanalytics.plan.analyses.simulations import check_composed_process
from perfanalytics.plan.mistakes import bad_statistic, bad_zone, tried, unknown
from perfanalytics.plan.pages import service_report_names
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.tables import OfMeasure, OfSeries
from perfanalytics.repository.selection import STATISTICS


def check_plan(plan: Plan) -> Iterator[str]:
    """The mistakes of a plan whose tables are right in themselves, one text each."""
    yield from _sources(plan)
    yield from _objectives(plan)
    analyses = plan.analyses()
    declared = Declared(
        attributes={m.name: frozenset(m.attributes) for m in plan.measure},
        analyses={table.name: table for table in analyses},
        objectives={o.name: o for o in plan.objective},
    )
    composed = {c.name: c.steps for c in plan.composed_process}
    for c in plan.composed_process:
        yield from check_composed_process(f"[[composed_process]] '{c.name}'", c, composed, declared)
    yield from practice_records.mistakes(plan)
    yield from service_report_names.mistakes(plan)
    for table in analyses:
        kind = kind_of(table)
        where = f"[[{kind.key}]] '{table.name}'"
        if isinstance(table, OfMeasure):
            yield from _selection(where, table, declared)
        yield from kind.check(where, table, declared)


def _selection(where: str, table: OfMeasure, declared: Declared) -> Iterator[str]:
    """What selects the data of an analysis."""
    if table.since is not None and table.until is not None and str(table.since) >= str(table.until):
        yield f"{where}: since = {table.since} is not before until = {table.until}: nothing is selected"
    for name in table.where:
        known = declared.attributes.get(table.measure, frozenset())
        yield from unknown(where, f"where: attribute of {table.measure}", name, known)
    if not isinstance(table, OfSeries):
        return
    yield from bad_zone(where, "zone", table.zone)
    if table.statistic is not None:
        yield from bad_statistic(where, table.statistic, STATISTICS)
        if table.every is None:
            yield f"{where}: statistic = '{table.statistic}' needs every = 'week' (or another period)"


def _sources(plan: Plan) -> Iterator[str]:
    for t in plan.calendar:
        yield from tried(f"[[calendar]] '{t.name}'", objects.calendar, t)
    for s in plan.source:
        where = f"[[source]] '{s.name}'"
        try:
            codecs.lookup(s.encoding)
        except LookupError:
            yield f"{where}: encoding = '{s.encoding}' is not known (utf-8, windows-1252, latin-1 ...)"
        yield from bad_zone(where, "time_zone", s.time_zone)
        if len(s.delimiter) != 1:
            yield f"{where}: delimiter = {s.delimiter!r} must be one character"
        for column, formats in s.formats.items():
            if s.columns.get(column) not in ("date", "time"):
                yield f"{where}: formats: column '{column}' is not declared a date or time in columns"
            for text in [formats] if isinstance(formats, str) else formats:
                if not re.search(r"%[dmYybBHMSjfpIz]", text):
                    yield f"{where}: formats: '{text}' is no date format; write it like %d/%m/%Y %H:%M"
    if plan.calendar or plan.source:
        try:
            objects.sources(plan, Path())
        except (PerfAnalyticsError, KeyError) as error:
            yield str(error)


def _objectives(plan: Plan) -> Iterator[str]:
    for o in plan.objective:
        yield from bad_statistic(f"[[objective]] '{o.name}'", o.statistic, ("item", *STATISTICS))
