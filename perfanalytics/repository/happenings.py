"""Events, changes and exclusions that travel with a series: those whose measure and attributes match."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from perfanalytics.core.columns import instant
from perfanalytics.core.measure import Measure
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.core.records import Change, Event, Exclusion, When
from perfanalytics.repository import records_store, zones
from perfanalytics.repository.aggregation import ZERO_WHEN_EMPTY
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Selection

_TICK = np.timedelta64(1, "us")


def events(engine: Engine, measure: Measure, selection: Selection) -> list[Event | Change]:
    """Events and changes of the measure, in order of time, their times on the clock of the series.

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
    found = [_event_on_clock(e, selection) for e in found]
    return sorted(found, key=lambda e: str(instant(e.when, "UTC")))


@dataclass(slots=True)
class Excluded:
    """How the exclusions of a measure apply to a selection.

    Parameters
    ----------
    points : list of Exclusion
        They name points of the series, which stay visible.
    observations : list of (Exclusion, SQL condition, its parameters)
        They name observations that are left out before a period is computed.
    left : int
        How many apply to nothing in this selection.
    """

    points: list[Exclusion] = field(default_factory=list)
    observations: list[tuple[Exclusion, str, tuple[Any, ...]]] = field(default_factory=list)
    left: int = 0


def exclusions(
    engine: Engine,
    measure: Measure,
    selection: Selection,
    ids: tuple[str, ...],
    *,
    has_items: bool,
    clock: str,
) -> Excluded:
    """The exclusions of the measure for this selection.

    In a series of values per period, an item is left out before its period is computed, and so is a span of
    time that does not cover the period; the period stays. Whole periods are excluded as points. Counts and
    sums of a period without one of its days are no counts and sums of a period: there the period itself is
    the point that is excluded.
    """
    out = Excluded()
    for e in records_store.records(engine, "exclusion"):
        if e.measure not in (None, measure.name) or (e.series is not None and e.series not in ids):
            continue
        if e.item is not None and has_items:
            if selection.every is None:
                out.points.append(e)
            else:
                out.observations.append((e, *_of_series(e, ids, "item = ?", e.item)))
        elif e.when is None:
            out.left += 1
        elif selection.every is None:
            out.points.append(_whole_days(e, selection))
        else:
            _by_period(e, selection, ids, clock, out)
    return out


def _by_period(e: Exclusion, selection: Selection, ids: tuple[str, ...], clock: str, out: Excluded) -> None:
    """Whole periods as points, the observations of parts of periods."""
    every, week = str(selection.every), selection.week_start or "monday"

    def start(number: int) -> np.datetime64:
        begins: np.datetime64 = period_start(np.array([number]), every, week_start=week)[0]
        return begins

    whole = _whole_days(e, selection)
    axis = "local" if selection.period_zone is not None else clock
    first = instant(whole.when, axis)
    last = first if whole.until is None else instant(whole.until, axis)
    low, high = (int(n) for n in period_number(np.array([first, last]), every, week_start=week))
    names_point = whole.until is None and first == start(low)
    parts = []
    if not (names_point or selection.statistic in ZERO_WHEN_EMPTY):
        if low == high:
            if first > start(low) or last < start(low + 1) - _TICK:
                parts.append((first, last))
                low += 1
        else:
            if first > start(low):
                parts.append((first, start(low + 1) - _TICK))
                low += 1
            if last < start(high + 1) - _TICK:
                parts.append((start(high), last))
                high -= 1
    for a, b in parts:
        if selection.period_zone is not None:
            a, b = zones.to_utc(a, selection.period_zone), zones.to_utc(b, selection.period_zone)
        condition = "t BETWEEN ?::TIMESTAMP AND ?::TIMESTAMP"
        out.observations.append((e, *_of_series(e, ids, condition, str(a), str(b))))
    if low <= high:
        out.points.append(replace(whole, when=start(low).astype(object), until=start(high).astype(object)))


def _of_series(
    e: Exclusion, ids: tuple[str, ...], condition: str, *bound: Any
) -> tuple[str, tuple[Any, ...]]:
    if e.series is None:
        return condition, bound
    return f"({condition} AND g = ?)", (*bound, ids.index(e.series))


def _whole_days(e: Exclusion, selection: Selection) -> Exclusion:
    """On the clock of the series; a date means the whole day, not its first instant."""
    if e.when is None:
        return e
    if e.until is None and not _is_day(e.when):
        return replace(e, when=_on_clock(e.when, selection))
    first, last = _days(e)
    return replace(e, when=_on_clock(first, selection), until=_on_clock(last, selection))


def day_bounds(e: Exclusion, zone: str | None) -> tuple[When, When]:
    """First and last instant an exclusion names, on the clock of a measure with this zone."""
    first, last = _days(e)
    return _in_utc(first, zone), _in_utc(last, zone)


def _days(e: Exclusion) -> tuple[When, When]:
    assert e.when is not None
    last = e.when if e.until is None else e.until
    return e.when, dt.datetime.combine(last, dt.time.max) if _is_day(last) else last


def _event_on_clock(e: Event | Change, selection: Selection) -> Event | Change:
    """Dates stay dates: an event is told by its day."""
    if not _is_day(e.when):
        e = replace(e, when=_on_clock(e.when, selection))
    if isinstance(e, Event) and e.until is not None and not _is_day(e.until):
        e = replace(e, until=_on_clock(e.until, selection))
    return e


def _on_clock(when: When, selection: Selection) -> When:
    """A time that a person wrote down, on the clock of the series; without a zone it is one of the place."""
    if selection.period_zone is None:
        return _in_utc(when, selection.zone)
    zoned = isinstance(when, dt.datetime) and when.tzinfo is not None
    return _plain(zones.to_wall(instant(when, "UTC"), selection.period_zone)) if zoned else when


def _in_utc(when: When, zone: str | None) -> When:
    zoned = isinstance(when, dt.datetime) and when.tzinfo is not None
    return when if zoned or zone in (None, "UTC") else _plain(zones.to_utc(instant(when, "UTC"), str(zone)))


def _plain(when: np.datetime64) -> dt.datetime:
    out: dt.datetime = when.astype("datetime64[us]").astype(object)
    return out


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
