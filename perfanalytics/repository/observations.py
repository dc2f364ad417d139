"""The observations of a selection in order of series and time: one SELECT with bound parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.repository.dimension import Groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Selection, measure_record
from perfanalytics.repository.source import UNIT_SECONDS


@dataclass(frozen=True, slots=True)
class Query:
    """A query and its parameters."""

    sql: str
    parameters: tuple[Any, ...]


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


def observations(engine: Engine, selection: Selection, groups: Groups) -> Query:
    """The observations that were known at ``as_of``, without order: g, t, v, s, c, item, row_id, load_id.

    v is NULL for a gap; an open item has the time since it began and c true. ``own`` says whether t is the
    observation's own time (an open item may have none yet: it then stands at ``as_of``).
    """
    unit = UNIT_SECONDS.get(measure_record(engine, selection.measure).unit, 1.0)
    has = uses(engine, selection.measure)
    timed = has.start
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
            f"CASE WHEN {is_open} THEN epoch_us(p.a) / 1e6 / {unit!r} - epoch_us(o.started) / 1e6 / {unit!r} "
            "ELSE o.value END"
        )
    visible = f"({is_open} OR coalesce({known} <= p.a, false))" if timed else f"{known} <= p.a"
    declared = " OR (o.censored AND o.value IS NOT NULL)" if has.censored else ""
    sql = f"""SELECT d.g, {axis} AS t, o.size AS s, o.item, o.row_id, o.load_id, o.started, {own} AS own,
            {value} AS v, {is_open}{declared} AS c, o.series_id
        FROM observation o JOIN ({groups.sql}) d USING (series_id), (SELECT ?::TIMESTAMP AS a) p
        WHERE {visible} AND {{stored}}"""
    stored = "o.retired_load_id IS NULL"
    parameters: list[Any] = [*groups.parameters, selection.as_of]
    if selection.load_id is not None:
        stored = "o.load_id <= ? AND (o.retired_load_id IS NULL OR o.retired_load_id > ?)"
        parameters += [selection.load_id, selection.load_id]
    sql = f"SELECT * FROM ({sql.format(stored=stored)}) WHERE t IS NOT NULL"
    for condition, bound in (("t >= ?::TIMESTAMP", selection.since), ("t < ?::TIMESTAMP", selection.until)):
        if bound is not None:
            sql += f" AND {condition}"
            parameters.append(bound)
    if selection.every is not None:
        # an open item without a time of its own belongs to no period
        sql += " AND own"
    return Query(sql, tuple(parameters))


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
    query: Query, found: Extent, *, items: bool, low: int | None = None, high: int | None = None
) -> Query:
    """The columns a series is made of, by group and time; ties in the order of the source.

    Sizes (s) and censoring (c) are among them when there are any.

    ``low`` and ``high`` limit it to the groups ``low <= g < high``.
    """
    columns = ["g", "t", "v"]
    columns += ["s"] * found.has_sizes + ["c"] * found.has_censored + ["item"] * items
    part, parameters = "", query.parameters
    if low is not None and high is not None:
        part, parameters = "WHERE g >= ? AND g < ?", (*parameters, low, high)
    return Query(f"SELECT {', '.join(columns)} FROM ({query.sql}) {part} ORDER BY g, t, row_id", parameters)


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
    outside = 0
    if selection.every is not None:
        everything = query.sql.removesuffix(" AND own")
        outside = engine.rows(f"SELECT count(*) FROM ({everything} AND NOT own)", query.parameters)[0][0]
    return Extent(
        counts=counts,
        first=found["first"].min() if len(found["g"]) else None,
        last=found["last"].max() if len(found["g"]) else None,
        load_ids=loads,
        has_items=bool(found["items"].sum()),
        has_sizes=bool(found["sizes"].sum()),
        has_censored=bool(found["censored"].sum()),
        without_period=int(outside),
    )
