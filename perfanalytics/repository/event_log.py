"""From many rows an item to one: the table ``staged``, in SQL over the typed rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.calendars import Calendar, working_hours
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.repository.engine import Sandbox
from perfanalytics.repository.expressions import Expressions
from perfanalytics.repository.reading import Raw, Reject
from perfanalytics.repository.source import EventLog, Source, WorkingDuration, quoted


def reduce_rows(source: Source, raw: Raw, sandbox: Sandbox, clock: str) -> None:
    """Make ``staged``: the typed rows, one per item of an event log, one per key, with working durations.

    Rows without a key and rows that repeat a key are put to the rejects.

    Raises
    ------
    UnknownNameError
        For a column the source does not have.
    """
    log = source.event_log
    for column in (log.key, *log.order, *([log.time] if log.time else [])) if log else source.key:
        _known(column, raw.names, source)
    _reject_without_key(source, raw, sandbox)
    if log is None:
        if source.key:
            _reject_repeated(source, raw, sandbox)
        sandbox.execute("ALTER TABLE typed DROP COLUMN _bad")
        sandbox.execute("ALTER TABLE typed RENAME TO staged")
    else:
        _reduce(log, raw, sandbox)
    for duration in source.durations:
        _add_duration(duration, source, raw, sandbox, clock)


def _reject_without_key(source: Source, raw: Raw, sandbox: Sandbox) -> None:
    key = (source.event_log.key,) if source.event_log else source.key
    for column in key:
        rows = [r for (r,) in sandbox.rows(f"SELECT _row FROM typed WHERE {quoted(column)} IS NULL")]
        lines = raw.lines(rows)
        raw.rejects += [Reject(lines[r][0], column, "the key is missing", lines[r][1]) for r in rows]
        sandbox.execute(f"DELETE FROM typed WHERE {quoted(column)} IS NULL")


def _reject_repeated(source: Source, raw: Raw, sandbox: Sandbox) -> None:
    key = ", ".join(quoted(c) for c in source.key)
    found = sandbox.rows(
        f"SELECT _row, first FROM (SELECT _row, min(_row) OVER (PARTITION BY {key}) AS first FROM typed) "
        "WHERE _row > first ORDER BY _row"
    )
    lines = raw.lines({n for pair in found for n in pair})
    label = ", ".join(source.key)
    for row, first in found:
        reason = f"repeats the key of line {lines[first][0]}"
        raw.rejects.append(Reject(lines[row][0], label, reason, lines[row][1]))
    if found:
        sandbox.execute("DELETE FROM typed WHERE _row IN (SELECT unnest(?))", [[r for r, _ in found]])


def _reduce(log: EventLog, raw: Raw, sandbox: Sandbox) -> None:
    key = quoted(log.key)
    order = [quoted(c) for c in log.order]
    checks = Expressions(sandbox, raw.names)

    def pick(last: bool, condition: str = "true") -> str:
        """The number of the first or last row of each item that meets a condition."""
        way = "DESC NULLS LAST" if last else "ASC NULLS LAST"
        by = ", ".join(f"{c} {way}" for c in (*order, "_row"))
        return (
            f"SELECT _row FROM (SELECT _row, row_number() OVER (PARTITION BY {key} ORDER BY {by}) AS _n "
            f"FROM typed WHERE {condition}) WHERE _n = 1"
        )

    kept = log.keep != "first"
    parts, joins = ["t.* EXCLUDE (_bad)"], []
    if log.keep == "both":
        first = ", ".join(f"{quoted(c)} AS {quoted('first_' + c)}" for c in raw.names if c != log.key)
        joins.append(
            f"JOIN (SELECT {key}, {first} FROM typed WHERE _row IN ({pick(False)})) f ON f.{key} = t.{key}"
        )
        parts.append(f"f.* EXCLUDE ({key})")
    for i, (name, condition) in enumerate(log.reached.items()):
        condition = checks.check(condition, where=f"event log, reached {name}")
        chosen = pick(False, f"coalesce(({condition}\n)::BOOLEAN, false)")
        joins.append(
            f"LEFT JOIN (SELECT {key}, {quoted(str(log.time))} AS _t FROM typed WHERE _row IN ({chosen})) "
            f"r{i} ON r{i}.{key} = t.{key}"
        )
        parts.append(f"r{i}._t AS {quoted(name)}")
    sandbox.execute(
        f"CREATE TABLE staged AS SELECT {', '.join(parts)} FROM "
        f"(SELECT * FROM typed WHERE _row IN ({pick(kept)})) t {' '.join(joins)} ORDER BY t._row"
    )


def _add_duration(duration: WorkingDuration, source: Source, raw: Raw, sandbox: Sandbox, clock: str) -> None:
    names = [n for n, *_ in sandbox.rows("DESCRIBE staged") if n != "_row"]
    for column in (duration.start, duration.end):
        _known(column, names, source)
    if duration.name in names:
        raise InputError(f"duration {duration.name!r}: the source has a column of that name")
    calendar = _on_clock(duration.calendar, source, clock)
    rows = sandbox.columns(
        f"SELECT _row, {quoted(duration.start)}::TIMESTAMP AS a, {quoted(duration.end)}::TIMESTAMP AS b "
        "FROM staged ORDER BY _row"
    )
    stopped = _stops(duration, source, raw, sandbox) if duration.stopped else None
    hours = working_hours(rows["a"], rows["b"], calendar, stopped=stopped)
    sandbox.put("_hours", {"_row": rows["_row"], "_hours": hours})
    sandbox.execute(
        "CREATE OR REPLACE TABLE staged AS SELECT s.*, "
        f"CASE WHEN isnan(h._hours) THEN NULL ELSE h._hours END AS {quoted(duration.name)} "
        "FROM staged s JOIN _hours h USING (_row) ORDER BY _row"
    )


def _stops(
    duration: WorkingDuration, source: Source, raw: Raw, sandbox: Sandbox
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """From each row that says a stopping state to the next row of the item, by position in ``staged``."""
    log = source.event_log
    assert log is not None
    assert log.time is not None
    _known(duration.state, raw.names, source)
    key, order = quoted(log.key), ", ".join(quoted(c) for c in (*log.order, "_row"))
    states = {s for (s,) in sandbox.rows(f"SELECT DISTINCT {quoted(duration.state)}::VARCHAR FROM typed")}
    for state in duration.stopped:
        if state not in states:
            raise UnknownNameError(f"state that stops {duration.name!r}", state, {s for s in states if s})
    found = sandbox.columns(
        f"""WITH place AS (SELECT {key} AS k, row_number() OVER (ORDER BY _row) - 1 AS p FROM staged),
            steps AS (SELECT {key} AS k, {quoted(duration.state)}::VARCHAR AS state,
                             {quoted(log.time)}::TIMESTAMP AS since,
                             lead({quoted(log.time)}::TIMESTAMP)
                                 OVER (PARTITION BY {key} ORDER BY {order}) AS until
                      FROM typed)
            SELECT p, since, until FROM steps JOIN place USING (k)
            WHERE state IN (SELECT unnest(?)) AND since IS NOT NULL AND (until IS NULL OR until >= since)
            ORDER BY p, since""",
        [list(duration.stopped)],
    )
    return found["p"].astype(np.int64), found["since"], found["until"]


def _on_clock(calendar: Calendar, source: Source, clock: str) -> Calendar:
    """The calendar, its hours on the clock of the source unless it names its own zone."""
    from dataclasses import replace

    if calendar.zone is not None and clock != "UTC":
        raise InputError(
            f"calendar {calendar.name!r} has a zone, the times of source {source.name!r} have none: "
            "give time_zone="
        )
    return replace(calendar, zone=source.time_zone) if calendar.zone is None and clock == "UTC" else calendar


def _known(column: str, names: list[str], source: Source) -> None:
    if column not in names:
        raise UnknownNameError(f"column of source {source.name!r}", column, names)
