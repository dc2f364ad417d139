"""Merging staged rows into the repository: anti-joins, retire and insert, never overwrite.

Runs inside the transaction of the load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perfanalytics.core.errors import LoadError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat
from perfanalytics.repository import definitions, records_store
from perfanalytics.repository.engine import Engine, Sandbox
from perfanalytics.repository.observing import Observed
from perfanalytics.repository.source import Source

#: What makes an observation the same as before.
_CONTENT = ("series_id", "time", "value", "size", "censored", "item", "started", "known")


@dataclass(slots=True)
class Merged:
    """What the merge did."""

    load_id: int
    source_id: int
    rows: int = 0
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    retired: int = 0
    changed: bool = False
    added: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[str, int] = field(default_factory=dict)
    doubts: list[Caveat] = field(default_factory=list)


def merge(engine: Engine, sandbox: Sandbox, source: Source, observed: list[Observed], clock: str) -> Merged:
    """Bring the rows and observations of the sandbox into the repository."""
    out = Merged(_one(engine, "SELECT coalesce(max(load_id), 0) + 1 FROM load"), _source_id(engine, source))
    _merge_rows(engine, sandbox, source, out)
    for o in observed:
        _merge_observations(engine, sandbox, source, o, clock, out)
    for table in ("_rows", "_gone", "_new", "_old", "_same", "_hashed", "_combinations"):
        engine.execute(f"DROP TABLE IF EXISTS {table}")
    return out


def _merge_rows(engine: Engine, sandbox: Sandbox, source: Source, out: Merged) -> None:
    engine.put("_hashed", sandbox.arrow("SELECT * FROM hashed ORDER BY _row"))
    top = _one(engine, "SELECT coalesce(max(row_id), 0) FROM source_row")
    # a key keeps its row_id for ever, also when the row was gone in between
    engine.execute(
        f"""CREATE OR REPLACE TEMP TABLE _rows AS
        SELECT h._row, h.key_high, h.key_low, h.content_high, h.content_low,
               coalesce(k.row_id, {top} + row_number()
                   OVER (PARTITION BY k.row_id IS NULL ORDER BY h._row)) AS row_id,
               CASE WHEN c.row_id IS NULL THEN 'new'
                    WHEN c.content_high = h.content_high AND c.content_low = h.content_low THEN 'same'
                    ELSE 'changed' END AS status
        FROM _hashed h
        LEFT JOIN (SELECT DISTINCT key_high, key_low, row_id FROM source_row WHERE source_id = ?) k
               ON k.key_high = h.key_high AND k.key_low = h.key_low
        LEFT JOIN (SELECT row_id, content_high, content_low FROM source_row
                   WHERE source_id = ? AND retired_load_id IS NULL) c ON c.row_id = k.row_id""",
        [out.source_id, out.source_id],
    )
    counts = dict(engine.rows("SELECT status, count(*) FROM _rows GROUP BY status"))
    out.accepted, out.updated = counts.get("new", 0), counts.get("changed", 0)
    out.unchanged = counts.get("same", 0)
    out.rows = out.accepted + out.updated + out.unchanged
    gone = (
        "SELECT row_id FROM source_row WHERE source_id = ? AND retired_load_id IS NULL "
        "AND row_id NOT IN (SELECT row_id FROM _rows)"
        if source.mode == "snapshot"
        else "SELECT 0::BIGINT AS row_id WHERE ? IS NULL"
    )
    engine.execute(f"CREATE OR REPLACE TEMP TABLE _gone AS {gone}", [out.source_id])
    out.retired = _one(engine, "SELECT count(*) FROM _gone")
    if out.updated or out.retired:
        engine.execute(
            "UPDATE source_row SET retired_load_id = ? "
            "WHERE source_id = ? AND retired_load_id IS NULL AND row_id IN "
            "(SELECT row_id FROM _gone UNION ALL SELECT row_id FROM _rows WHERE status = 'changed')",
            [out.load_id, out.source_id],
        )
    engine.execute(
        "INSERT INTO source_row SELECT ?, row_id, key_high, key_low, content_high, content_low, ?, NULL "
        "FROM _rows WHERE status <> 'same' ORDER BY row_id",
        [out.source_id, out.load_id],
    )


def _merge_observations(
    engine: Engine, sandbox: Sandbox, source: Source, o: Observed, clock: str, out: Merged
) -> None:
    name = o.measure.measure.name
    out.doubts += definitions.measure_doubts(_declared(engine, name), o.measure.measure)
    measure_id = _measure_id(engine, o, out.source_id, clock, source)
    defined = definitions.keep(engine, measure_id, out.source_id, out.load_id, o.definition)
    places = _attribute_places(engine, measure_id, o)
    own = list(o.attributes)
    by_place = {place: own.index(a) + 1 for a, place in places.items() if a in own}
    width = max(by_place, default=0)
    listed = ", ".join(
        f"_attributes[{by_place[p]}]" if p in by_place else "NULL" for p in range(1, width + 1)
    )
    # rows carry the number of their combination of attributes, not the texts
    sandbox.execute(
        "CREATE OR REPLACE TABLE _combinations AS SELECT row_number() OVER () AS _k, _attributes "
        f"FROM (SELECT DISTINCT _attributes FROM {o.table})"
    )
    engine.put(
        "_combinations",
        sandbox.arrow(f"SELECT _k, [{listed}]::VARCHAR[] AS attribute_values FROM _combinations"),
    )
    engine.put(
        "_observed",
        sandbox.arrow(
            "SELECT _row, _when, _value, _size, _censored, _item, _start, "
            "nullif(_known, _when) AS _known, _k "
            f"FROM {o.table} JOIN _combinations USING (_attributes)"
        ),
    )
    sandbox.execute(f"DROP TABLE {o.table}")
    top = _one(engine, "SELECT coalesce(max(series_id), 0) FROM series")
    engine.execute(
        f"""INSERT INTO series
        SELECT {top} + row_number() OVER (ORDER BY attribute_values), ?, attribute_values
        FROM (SELECT DISTINCT attribute_values FROM _combinations ANTI JOIN
              (SELECT attribute_values FROM series WHERE measure_id = ?) USING (attribute_values))""",
        [measure_id, measure_id],
    )
    engine.execute(
        """CREATE OR REPLACE TEMP TABLE _new AS
        SELECT s.series_id, o._when AS time, o._value AS value, o._size AS size, o._censored AS censored,
               o._item AS item, o._start AS started, o._known AS known, r.row_id
        FROM _observed o JOIN _rows r USING (_row)
        JOIN (SELECT _k, series_id FROM _combinations
              JOIN (SELECT series_id, attribute_values FROM series WHERE measure_id = ?)
              USING (attribute_values)) s USING (_k)""",
        [measure_id],
    )
    engine.execute("DROP TABLE _observed")
    # what the repository holds of these rows (in a snapshot also of those that are gone)
    engine.execute(
        """CREATE OR REPLACE TEMP TABLE _old AS SELECT * EXCLUDE (load_id, retired_load_id) FROM observation
        WHERE retired_load_id IS NULL
          AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?)
          AND row_id IN (SELECT row_id FROM _rows UNION ALL SELECT row_id FROM _gone)""",
        [measure_id],
    )
    same = " AND ".join(f"n.{c} IS NOT DISTINCT FROM o.{c}" for c in _CONTENT)
    # the same number under another definition is another observation
    same += f" AND coalesce(o.definition_id = {defined.definition_id}, true)"
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE _same AS "
        f"SELECT n.row_id FROM _new n JOIN _old o ON n.row_id = o.row_id AND {same}"
    )
    fresh = "FROM _new WHERE row_id NOT IN (SELECT row_id FROM _same)"
    stale = "FROM _old WHERE row_id NOT IN (SELECT row_id FROM _same)"
    inserted = _one(engine, f"SELECT count(*) {fresh}")
    retired = _one(engine, f"SELECT count(*) {stale}")
    corrected = _one(engine, f"SELECT count(*) {stale} AND row_id IN (SELECT row_id FROM _new)")
    replaced = _one(
        engine,
        f"SELECT count(*) {stale} AND row_id IN (SELECT row_id FROM _new) "
        f"AND definition_id <> {defined.definition_id}",
    )
    out.added[name], out.corrected[name] = inserted - corrected, corrected
    out.withdrawn[name] = retired - corrected
    out.changed |= bool(inserted or retired)
    if retired:
        engine.execute(
            f"""UPDATE observation SET retired_load_id = ? WHERE retired_load_id IS NULL
            AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?)
            AND row_id IN (SELECT row_id {stale})""",
            [out.load_id, measure_id],
        )
    if inserted:
        engine.execute(
            """UPDATE measure SET has_start = has_start OR u.a, has_known = has_known OR u.b,
                has_censored = has_censored OR u.c, has_sizes = has_sizes OR u.d, has_items = has_items OR u.e
            FROM (SELECT count(started) > 0 AS a, count(known) > 0 AS b, bool_or(censored) AS c,
                         count(size) > 0 AS d, count(item) > 0 AS e FROM _new) u
            WHERE measure_id = ?""",
            [measure_id],
        )
        columns = ", ".join(_CONTENT)
        engine.execute(
            f"INSERT INTO observation SELECT {columns}, row_id, ?, NULL, ? {fresh} "
            "ORDER BY series_id, time, row_id",
            [out.load_id, defined.definition_id],
        )
    if replaced or definitions.several(engine, measure_id):
        out.doubts += definitions.doubts(
            engine, o.measure.measure, measure_id, out.source_id, defined, replaced=replaced
        )


def _declared(engine: Engine, name: str) -> Measure | None:
    found = [m for m in records_store.records(engine, "measure") if m.name == name]
    return found[0] if found else None


def _source_id(engine: Engine, source: Source) -> int:
    found = engine.rows("SELECT source_id FROM source WHERE name = ?", [source.name])
    if found:
        return int(found[0][0])
    new = _one(engine, "SELECT coalesce(max(source_id), 0) + 1 FROM source")
    engine.execute("INSERT INTO source VALUES (?, ?)", [new, source.name])
    return new


def _measure_id(engine: Engine, o: Observed, source_id: int, clock: str, source: Source) -> int:
    measure = o.measure.measure
    records_store.declare(engine, (measure,))
    found = engine.rows("SELECT measure_id, clock FROM measure WHERE name = ?", [measure.name])
    if found:
        measure_id, before = found[0]
        if before != clock:
            raise LoadError(
                f"source {source.name!r}: times are {_clock(clock)}, "
                f"those of {measure.name} in the repository are {_clock(before)}: "
                "declare time_zone= the same way"
            )
    else:
        measure_id = _one(engine, "SELECT coalesce(max(measure_id), 0) + 1 FROM measure")
        engine.execute(
            "INSERT INTO measure VALUES (?, ?, ?, false, false, false, false, false)",
            [measure_id, measure.name, clock],
        )
    pair = [measure_id, source_id]
    if not engine.rows("SELECT 1 FROM measure_source WHERE measure_id = ? AND source_id = ?", pair):
        engine.execute("INSERT INTO measure_source VALUES (?, ?, NULL)", pair)
    engine.execute(
        "UPDATE measure_source SET zone = ? WHERE measure_id = ? AND source_id = ?", [source.time_zone, *pair]
    )
    return int(measure_id)


def _clock(clock: str) -> str:
    return "in UTC" if clock == "UTC" else "local wall times"


def _attribute_places(engine: Engine, measure_id: int, o: Observed) -> dict[str, int]:
    """Attribute -> its place in ``attribute_values``; new attributes get the next places."""
    known = {
        name: (place, kind)
        for name, place, kind in engine.rows(
            "SELECT name, position, type FROM attribute WHERE measure_id = ?", [measure_id]
        )
    }
    for name, kind in o.attributes.items():
        if name not in known:
            known[name] = (len(known) + 1, kind)
            engine.execute("INSERT INTO attribute VALUES (?, ?, ?, ?)", [measure_id, len(known), name, kind])
        elif known[name][1] != kind:
            raise LoadError(
                f"attribute {name!r} of {o.measure.measure.name} is {known[name][1]} in the repository and "
                f"{kind} in this source: give it the same type"
            )
    return {name: place for name, (place, _) in known.items()}


def _one(engine: Engine, sql: str, parameters: list[Any] | None = None) -> int:
    return int(engine.rows(sql, parameters or [])[0][0])
