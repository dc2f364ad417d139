"""Events, changes and exclusions that travel with a series: those whose measure and attributes match."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from perfanalytics.core.columns import instant
from perfanalytics.core.measure import Measure
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.repository import records_store
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Selection


def events(engine: Engine, measure: Measure, selection: Selection) -> list[Event | Change]:
    """Events and changes of the measure, in order of time.

    A record that names attribute values belongs to a series that is limited to these values by ``where``;
    one that names a process belongs to the measures of that process and of the processes under it.
    """
    found: list[Event | Change] = [
        e
        for e in records_store.records(engine, "event")
        if e.measure in (None, measure.name) and _within(e.where, selection)
    ]
    parents = {p.name: p.parent for p in records_store.records(engine, "process")}
    over = _chain(measure.subprocess, parents)
    found += [
        c
        for c in records_store.records(engine, "change")
        if (c.process is None or c.process in over) and _within(c.where, selection)
    ]
    return sorted(found, key=lambda e: str(_naive(e.when)))


def exclusions(
    engine: Engine,
    measure: Measure,
    selection: Selection,
    ids: tuple[str, ...],
    *,
    has_items: bool,
    clock: str,
) -> tuple[list[Exclusion], int]:
    """Exclusions of the measure, and how many cannot be applied to this selection.

    A single observation cannot be excluded from a value per period; an exclusion by time is moved to the
    start of its period.
    """
    found = [
        e
        for e in records_store.records(engine, "exclusion")
        if e.measure in (None, measure.name) and (e.series is None or e.series in ids)
    ]
    out, left = [], 0
    for e in found:
        if e.when is None and (selection.every is not None or e.item is None or not has_items):
            left += 1
        else:
            e = _whole_days(e)
            if e.when is not None and selection.every is not None:
                e = replace(e, when=_period(e.when, selection, clock))
            out.append(e)
    return out, left


def _whole_days(e: Exclusion) -> Exclusion:
    """A date means the whole day, not its first instant."""
    if e.when is None:
        return e
    until = e.when if e.until is None else e.until
    if _is_day(until):
        until = dt.datetime.combine(until, dt.time.max)
    elif e.until is None:
        return e
    return replace(e, until=until)


def _is_day(when: dt.date) -> bool:
    return not isinstance(when, dt.datetime)


def _within(where: Mapping[str, str], selection: Selection) -> bool:
    """Whether the series is limited to the attribute values of a record."""
    for name, value in where.items():
        chosen = selection.where.get(name)
        if chosen is None or {str(v).lower() for v in chosen} != {str(value).lower()}:
            return False
    return True


def _chain(process: str | None, parents: Mapping[str, str | None]) -> set[str]:
    """A process and all above it."""
    out: set[str] = set()
    while process is not None and process not in out:
        out.add(process)
        process = parents.get(process)
    return out


def _period(when: Any, selection: Selection, clock: str) -> dt.datetime:
    at = np.array([instant(when, clock)])
    week = selection.week_start or "monday"
    every = str(selection.every)
    start = period_start(period_number(at, every, week_start=week), every, week_start=week)
    moved: dt.datetime = start[0].astype(object)
    return moved


def _naive(when: dt.date | dt.datetime) -> np.datetime64:
    return instant(when, "UTC")
