"""The observations of a selection in order of series and time: one SELECT with bound parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.repository import definitions
from perfanalytics.repository.dimension import Groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Selection, measure_record, measure_row
from perfanalytics.repository.source import UNIT_SECONDS, literal


@dataclass(frozen=True, slots=True)
class Query:
    """A query and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def where(self, condition: str, *bound: Any) -> Query:
        """The rows of the query that meet a condition."""
        return Query(f"SELECT * FROM ({self.sql}) WHERE {condition}", (*self.parameters, *bound))


@dataclass(frozen=True, slots=True)
class Extent:
    """What a selection holds, before it is fetched."""

    counts: NDArray[np.int64]
    first: np.datetime64 | None
    last: np.datetime64 | None
    load_ids: tuple[int, ...]
    has_items: bool
    has_sizes: bool
    has_censored: bool
    without_period: int
    without_time: int
    definitions: str | None = None
    opened: str | None = None


def known_then(engine: Engine, selection: Selection, groups: Groups) -> Query:
    """The observations that were known at ``as_of``, without order: g, t, v, s, c, item, row_id, load_id.

    v is NULL for a gap; an open item has the time since it began and c true. ``own`` says whether t is the
    observation's own time (an open item may have none yet: it then stands at ``as_of``).

    Raises
    ------
    InputError
        When ``time="start"`` is asked of a measure without start.
    """
    unit = UNIT_SECONDS.get(measure_record(engine, selection.measure).unit, 1.0)
    has = uses(engine, selection.measure)
    timed = has.start
    if selection.time == "start" and not timed:
        raise InputError(
            f"{selection.measure} was loaded without start=: it is not known when its items began"
        )
    known = "coalesce(o.known, o.time)" if has.known else "o.time"
    # conditions that cannot matter are left out of the query: they cost as much as the sort
    is_open = (
        f"(o.started IS NOT NULL AND o.started <= p.a AND (o.value IS NULL OR {known} > p.a))"
        if timed
        else "false"
    )
    at_axis = f"CASE WHEN {is_open} AND NOT coalesce(o.time <= p.a, false) THEN p.a ELSE o.time END"
    axis = {
        "when": at_axis if timed else "o.time",
        "start": "o.started",
        "known": f"CASE WHEN {is_open} THEN p.a ELSE {known} END" if timed else known,
    }[selection.time]
    own = {
        "when": f"(NOT {is_open} OR coalesce(o.time <= p.a, false))" if timed else "true",
        "start": "true",
        "known": f"NOT {is_open}" if timed else "true",
    }[selection.time]
    value = "o.value"
    if timed:
        value = (
            f"CASE WHEN {is_open} THEN (epoch_us(p.a) - epoch_us(o.started)) / {unit * 1e6!r} "
            "ELSE o.value END"
        )
    visible = f"({is_open} OR coalesce({known} <= p.a, false))" if timed else f"{known} <= p.a"
    declared = " OR (o.censored AND o.value IS NOT NULL)" if has.censored else ""
    parts = [
        Query(
            f"SELECT d.g, {axis} AS t, o.size AS s, o.item, o.row_id, o.load_id, o.started, {own} AS own, "
            f"{value} AS v, {is_open}{declared} AS c, o.series_id, o.definition_id FROM observation o JOIN ("
        ),
        Query(groups.sql, groups.parameters),
        Query(f") d USING (series_id) WHERE {visible}"),
        Query(" AND o.retired_load_id IS NULL"),
    ]
    if selection.load_id is not None:
        stored = " AND o.load_id <= ? AND (o.retired_load_id IS NULL OR o.retired_load_id > ?)"
        parts[-1] = Query(stored, (selection.load_id, selection.load_id))
    # p.a is as_of, bound wherever it stands: joined as a table it would keep rows from being skipped
    sql, parameters = "", []
    for part in parts:
        sql += part.sql.replace("p.a", "?::TIMESTAMP")
        parameters += [selection.as_of] * part.sql.count("p.a") + list(part.parameters)
    return Query(sql, tuple(parameters))


def in_time(query: Query, selection: Selection) -> Query:
    """Those between ``since`` and ``until``."""
    query = query.where("t IS NOT NULL")
    if selection.since is not None:
        query = query.where("t >= ?::TIMESTAMP", selection.since)
    if selection.until is not None:
        query = query.where("t < ?::TIMESTAMP", selection.until)
    return query


def observations(engine: Engine, selection: Selection, groups: Groups) -> Query:
    """The observations of a selection, without order. Columns as :func:`known_then`."""
    query = in_time(known_then(engine, selection, groups), selection)
    # an open item without a time of its own belongs to no period
    return query.where("own") if selection.every is not None else query


@dataclass(frozen=True, slots=True)
class Uses:
    """Which columns the observations of a measure use: a start, a time known, censoring, sizes, items."""

    start: bool
    known: bool
    censored: bool
    sizes: bool
    items: bool


def uses(engine: Engine, measure: str) -> Uses:
    """What the loads of a measure brought."""
    return Uses(
        *engine.rows(
            "SELECT has_start, has_known, has_censored, has_sizes, has_items FROM measure WHERE name = ?",
            [measure],
        )[0]
    )


def ordered(
    query: Query,
    found: Extent,
    *,
    items: bool,
    zone: str | None = None,
    low: int | None = None,
    high: int | None = None,
    attributes: Mapping[str, str] | None = None,
    period_zone: str | None = None,
) -> Query:
    """The columns a series is made of, by group and time; ties in the order of the source.

    Sizes (s) and censoring (c) are among them when there are any; t is the wall time of ``zone`` when given.

    ``low`` and ``high`` limit it to the groups ``low <= g < high``. ``attributes`` (alias to SQL) come beside
    them, and ``wall``, the wall time of ``period_zone``, when given.
    """
    columns = ["g", wall_time("t", zone) + " AS t", "v"]
    columns += ["s"] * found.has_sizes + ["c"] * found.has_censored + ["item"] * items
    columns += [f"{sql} AS {alias}" for alias, sql in (attributes or {}).items()]
    if period_zone is not None:
        columns.append(wall_time("t", period_zone) + " AS wall")
    dimension = "JOIN series USING (series_id)" if attributes else ""
    part, parameters = "", query.parameters
    if low is not None and high is not None:
        part, parameters = "WHERE g >= ? AND g < ?", (*parameters, low, high)
    return Query(
        f"SELECT {', '.join(columns)} FROM ({query.sql}) q {dimension} {part} ORDER BY q.g, q.t, q.row_id",
        parameters,
    )


def wall_time(time: str, zone: str | None) -> str:
    """SQL for a time in UTC on the wall clock of a zone (which was checked); the time itself without one."""
    return time if zone is None else f"timezone({literal(zone)}, timezone('UTC', {time}))"


def extent(engine: Engine, selection: Selection, groups: Groups, query: Query) -> Extent:
    """Numbers of observations a group, first and last time, loads, and which columns there are."""
    has = uses(engine, selection.measure)
    censored = "count(*) FILTER (c)" if has.start or has.censored else "0"
    found = engine.columns(
        f"""SELECT g, count(*) AS n, min(t) AS first, max(t) AS last, {censored} AS censored,
            {"count(item)" if has.items else "0"} AS items, {"count(s)" if has.sizes else "0"} AS sizes,
            min(load_id) AS load_low, max(load_id) AS load_high
            FROM ({query.sql}) GROUP BY g""",
        query.parameters,
    )
    counts = np.zeros(len(groups.ids), dtype=np.int64)
    counts[found["g"].astype(np.int64)] = found["n"]
    loads: tuple[int, ...] = tuple(
        sorted({int(i) for i in (*found["load_low"].tolist(), *found["load_high"].tolist())})
    )
    if len(loads) > 2 or (found["load_low"] < found["load_high"]).any():
        listed = engine.rows(f"SELECT DISTINCT load_id FROM ({query.sql}) ORDER BY load_id", query.parameters)
        loads = tuple(int(i) for (i,) in listed)
    everything = known_then(engine, selection, groups)
    without_time = without_period = 0
    if selection.time == "start":
        without_time = _count(engine, everything.where("t IS NULL"))
    if selection.every is not None and has.start:
        without_period = _count(engine, in_time(everything, selection).where("NOT own"))
    measure_id, _ = measure_row(engine, selection.measure)
    defined = None
    if definitions.several(engine, measure_id):
        numbers = engine.rows(
            f"SELECT definition_id, count(*) FROM ({query.sql}) WHERE definition_id IS NOT NULL "
            "GROUP BY definition_id",
            query.parameters,
        )
        defined = definitions.told(engine, {int(d): int(n) for d, n in numbers})
    opened = None
    if has.start and selection.every is None and selection.time == "when":
        opened = _opened(engine, query, UNIT_SECONDS.get(measure_record(engine, selection.measure).unit))
    return Extent(
        counts=counts,
        opened=opened,
        first=found["first"].min() if len(found["g"]) else None,
        last=found["last"].max() if len(found["g"]) else None,
        load_ids=loads,
        has_items=bool(found["items"].sum()),
        has_sizes=bool(found["sizes"].sum()),
        has_censored=bool(found["censored"].sum()),
        without_period=without_period,
        without_time=without_time,
        definitions=defined,
    )


def _opened(engine: Engine, query: Query, unit: float | None) -> str | None:
    """Whether the times of a selection are those at which the items began, or ended ("when - value")."""
    if unit is None:
        return None
    begun, ended = engine.rows(
        f"""SELECT bool_and(t = started),
            bool_and(abs(epoch_us(t) / 1e6 - v * {unit!r} - epoch_us(started) / 1e6) < 60)
            FROM ({query.sql}) WHERE v IS NOT NULL AND t IS NOT NULL AND NOT c""",
        query.parameters,
    )[0]
    return "when" if begun else "when - value" if ended else None


def _count(engine: Engine, query: Query) -> int:
    return int(engine.rows(f"SELECT count(*) FROM ({query.sql})", query.parameters)[0][0])
