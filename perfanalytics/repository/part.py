"""A part of the observations of a measure: SQL that stands for the table of observations."""

from __future__ import annotations

import numpy as np

from perfanalytics.core.records import When
from perfanalytics.repository.dimension import groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Where, select

#: All of them.
EVERYTHING = "observation"


def part_of(
    engine: Engine, name: str, *, where: Where | None, since: When | str | None, as_of: When | str | None
) -> tuple[str, dict[str, object]]:
    """SQL for the current observations of a part, and what was asked for in plain values.

    The series with these attributes, since a time, as known at a time: what became known later is not there;
    an item that was open then is, without a value.

    Raises
    ------
    UnknownNameError
        For an attribute, or a value of one, that the measure does not have.
    """
    if where is None and since is None and as_of is None:
        return EVERYTHING, {}
    chosen = select(engine, name, where=where, since=since, as_of=as_of)
    kept = ["retired_load_id IS NULL"]
    if chosen.where:
        found = groups(engine, chosen)
        series = [str(int(i)) for i, _ in engine.rows(found.sql, list(found.parameters))]
        kept.append(f"series_id IN ({', '.join(series) or 'NULL'})")
    if chosen.since is not None:
        kept.append(f"coalesce(time, started) >= {_moment(chosen.since)}")
    value, known, time = "value", "known", "time"
    if as_of is not None and chosen.as_of is not None:
        now = _moment(chosen.as_of)
        later = f"coalesce(coalesce(known, time) > {now}, false)"
        kept.append(f"(NOT {later} OR coalesce(started <= {now}, false))")
        kept.append(f"coalesce(started <= {now}, true)")
        value, known = (f"CASE WHEN {later} THEN NULL ELSE {column} END" for column in (value, known))
        time = f"CASE WHEN time > {now} THEN NULL ELSE time END"
    source = (
        f"(SELECT row_id, load_id, retired_load_id, series_id, {value} AS value, {time} AS time, started, "
        f"{known} AS known, size, item FROM {EVERYTHING} WHERE {' AND '.join(kept)})"
    )
    asked: dict[str, object] = {}
    if chosen.where:
        asked["where"] = dict(chosen.where)
    if chosen.since is not None:
        asked["since"] = chosen.since
    if as_of is not None and chosen.as_of is not None:
        asked["as_of"] = chosen.as_of
    return source, asked


def _moment(time: str) -> str:
    """A time of a selection as SQL; read and written anew, so that it is nothing but a time."""
    return f"TIMESTAMP '{str(np.datetime64(time, 'us')).replace('T', ' ')}'"
