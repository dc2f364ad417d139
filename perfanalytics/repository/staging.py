"""From text to types: the table ``typed`` beside ``raw``, and the rows that do not fit.

Nothing is guessed: a field is of its declared type or its row is rejected with the reason.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.repository.engine import Sandbox
from perfanalytics.repository.reading import Raw, Reject
from perfanalytics.repository.source import Source, literal, quoted

_OFFSET = r"\s?([Zz]|[+-]\d{2}(:?\d{2})?)"
_ISO_DATE = r"^\d{4}-\d{1,2}-\d{1,2}$"
_ISO_TIME = r"^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?$"
_ISO_ZONED = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?" + _OFFSET + "$"
_WHAT = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "time": "a date and time",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """One column of ``typed``: its SQL, and (reason, SQL condition) pairs under which a row does not fit."""

    name: str
    sql: str
    kind: str
    faults: tuple[tuple[str, str], ...] = ()


def stage(source: Source, raw: Raw, sandbox: Sandbox) -> str:
    """Make the table ``typed`` and put the rows that do not fit to the rejects of ``raw``.

    Returns
    -------
    str
        The clock of the time columns: "UTC" or "local".

    Raises
    ------
    UnknownNameError
        For a declared column that the file does not have.
    InputError
        For times of which some have a zone and others not.
    """
    for column in [*source.columns, *source.formats]:
        if column not in raw.names:
            raise UnknownNameError(f"column of source {source.name!r}", column, raw.names)
    kinds = {name: kind for name, kind, *_ in sandbox.rows("DESCRIBE raw")}
    iso = {n: _iso_forms(n, sandbox) for n in raw.names if _is_iso_time(n, kinds[n], source)}
    zoned = {n for n in raw.names if _has_zone(n, kinds[n], source)}
    zoned |= {n for n, (with_zone, without) in iso.items() if with_zone > without}
    wall = {
        n
        for n in raw.names
        if n not in zoned
        and (source.columns.get(n) == "time" or kinds[n].startswith("TIMESTAMP"))
        # a column in which no time stands says nothing
        and iso.get(n) != (0, 0)
    }
    if zoned and wall and source.time_zone is None:
        raise InputError(
            f"source {source.name!r}: {sorted(zoned)[0]!r} has a zone, {sorted(wall)[0]!r} has none: "
            "give time_zone=, the zone of the wall times"
        )
    if source.time_zone is not None:
        known = {z for (z,) in sandbox.rows("SELECT name FROM pg_timezone_names()")}
        if source.time_zone not in known:
            few = difflib.get_close_matches(source.time_zone, sorted(known), n=5, cutoff=0.5)
            raise UnknownNameError("time zone", source.time_zone, few or ("Europe/Berlin", "UTC"))
    columns = [_typed(n, kinds[n], source, zoned) for n in raw.names]
    faults = [(c, reason, condition) for c in columns for reason, condition in c.faults]
    cases = " ".join(f"WHEN {condition} THEN {i}" for i, (_, _, condition) in enumerate(faults, 1))
    bad = f"CASE {cases} ELSE 0 END" if cases else "0"
    select = ", ".join(f"{c.sql} AS {quoted(c.name)}" for c in columns)
    sandbox.execute(f"CREATE TABLE typed AS SELECT {select}, _row, ({bad})::INTEGER AS _bad FROM raw")
    found = sandbox.rows("SELECT _row, _bad FROM typed WHERE _bad > 0 ORDER BY _row")
    if found:
        lines = raw.lines(row for row, _ in found)
        texts = _fields(sandbox, [(row, faults[k - 1][0].name) for row, k in found])
        for row, k in found:
            column, reason, _ = faults[k - 1]
            field = texts[row]
            line, text = lines[row]
            raw.rejects.append(Reject(line, column.name, f"{field!r} {reason}", text or field))
        sandbox.execute("DELETE FROM typed WHERE _bad > 0")
    sandbox.execute("DROP TABLE raw")
    return "UTC" if source.time_zone is not None or zoned else "local"


def _fields(sandbox: Sandbox, wanted: list[tuple[int, str]]) -> dict[int, str]:
    """The raw fields of rows, one column each."""
    out: dict[int, str] = {}
    for column in {c for _, c in wanted}:
        rows = [row for row, c in wanted if c == column]
        out |= dict(
            sandbox.rows(
                f"SELECT _row, {quoted(column)}::VARCHAR FROM raw WHERE _row IN (SELECT unnest(?))", [rows]
            )
        )
    return out


def _has_zone(name: str, kind: str, source: Source) -> bool:
    formats = source.formats.get(name, ())
    with_zone = [f for f in formats if "%z" in f or "%Z" in f]
    if with_zone and len(with_zone) != len(formats):
        raise InputError(f"column {name!r}: some formats have a zone (%z), others not: give all or none one")
    return bool(with_zone) or kind == "TIMESTAMP WITH TIME ZONE"


def _is_iso_time(name: str, kind: str, source: Source) -> bool:
    return kind == "VARCHAR" and source.columns.get(name) == "time" and not source.formats.get(name)


def _iso_forms(name: str, sandbox: Sandbox) -> tuple[int, int]:
    """How many fields of a column are ISO times with an offset (or Z), and how many without."""
    bare = f"trim({quoted(name)})"
    with_zone, without = sandbox.rows(
        f"SELECT count(*) FILTER (regexp_matches({bare}, {literal(_ISO_ZONED)})), "
        f"count(*) FILTER (regexp_matches({bare}, {literal(_ISO_TIME)})) FROM raw"
    )[0]
    return int(with_zone), int(without)


def _typed(name: str, kind: str, source: Source, zoned: set[str]) -> Typed:
    column = quoted(name)
    wanted = source.columns.get(name)
    if kind != "VARCHAR":
        return _converted(name, kind, wanted, source)
    missing = ", ".join(literal(m) for m in source.missing)
    text = f"CASE WHEN {column} IN ({missing}) THEN NULL ELSE {column} END" if missing else column
    if wanted in (None, "text"):
        return Typed(name, text, "text")
    bare = f"trim({text})"
    formats = source.formats.get(name, ())
    reason = f"is not {_WHAT[str(wanted)]}"
    if wanted == "integer":
        # a cast alone would round 1.5 and take 1e3
        sql = f"CASE WHEN regexp_full_match({bare}, '[+-]?[0-9]+') THEN try_cast({bare} AS BIGINT) END"
    elif wanted == "number":
        mark = "." if source.decimal == "." else ","
        number = bare if mark == "." else f"replace({bare}, ',', '.')"
        form = rf"[+-]?([0-9]+\{mark}?[0-9]*|\{mark}[0-9]+)([eE][+-]?[0-9]+)?"
        sql = f"CASE WHEN regexp_full_match({bare}, {literal(form)}) THEN try_cast({number} AS DOUBLE) END"
        if mark == ",":
            reason += " with a decimal comma"
    elif wanted == "boolean":
        yes, no = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
        sql = f"CASE WHEN lower({bare}) IN {yes} THEN true WHEN lower({bare}) IN {no} THEN false END"
    elif formats:
        listed = ", ".join(literal(f) for f in formats)
        given = f"regexp_replace({bare}, 'Z$', '+00:00')" if name in zoned else bare
        parsed = f"try_strptime({given}, [{listed}])"
        sql = f"({parsed} AT TIME ZONE 'UTC')" if name in zoned else parsed
        reason += " in the form " + " or ".join(formats)
    else:
        return _iso(name, text, bare, str(wanted), source, zoned)
    faults = [(reason, f"({text}) IS NOT NULL AND ({sql}) IS NULL")]
    if wanted == "date":
        return Typed(name, f"CAST({sql} AS DATE)", "date", tuple(faults))
    if wanted == "time" and source.time_zone is not None and name not in zoned:
        sql, more = _in_utc(sql, source.time_zone)
        faults += more
    return Typed(name, sql, str(wanted), tuple(faults))


def _iso(name: str, text: str, bare: str, wanted: str, source: Source, zoned: set[str]) -> Typed:
    """A date or time without a declared format: ISO 8601, all with an offset (then in UTC) or all without."""
    if wanted == "date":
        sql = f"CASE WHEN regexp_matches({bare}, {literal(_ISO_DATE)}) THEN try_cast({bare} AS DATE) END"
        reason = f"is not {_WHAT[wanted]} in ISO form (2024-03-31): declare formats="
        return Typed(name, sql, wanted, ((reason, f"({text}) IS NOT NULL AND ({sql}) IS NULL"),))
    if name in zoned:
        # DuckDB wants the offset next to the time, a capital Z and a colon in the offset
        given = f"regexp_replace(upper({bare}), '\\s([Z+-])', '\\1')"
        given = f"regexp_replace({given}, '([+-]\\d{{2}})(\\d{{2}})$', '\\1:\\2')"
        form, other = _ISO_ZONED, _ISO_TIME
        sql = f"(try_cast({given} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        rarer = "has no offset from UTC, most of the column has one (2024-03-31T09:30+02:00)"
    else:
        form, other = _ISO_TIME, _ISO_ZONED
        sql = f"try_cast({bare} AS TIMESTAMP)"
        rarer = "has an offset from UTC, the column is otherwise without"
    sql = f"CASE WHEN regexp_matches({bare}, {literal(form)}) THEN {sql} END"
    bad = f"({text}) IS NOT NULL AND ({sql}) IS NULL"
    faults = [
        (rarer, f"{bad} AND regexp_matches({bare}, {literal(other)})"),
        (f"is not {_WHAT[wanted]} in ISO form (2024-03-31 09:30): declare formats=", bad),
    ]
    if source.time_zone is not None and name not in zoned:
        sql, more = _in_utc(sql, source.time_zone)
        faults += more
    return Typed(name, sql, wanted, tuple(faults))


def _converted(name: str, kind: str, wanted: str | None, source: Source) -> Typed:
    """A column of a frame or Parquet file: of its own type, or cast to the declared one."""
    column = quoted(name)
    own = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
    if kind == "TIMESTAMP WITH TIME ZONE":
        return Typed(name, f"({column} AT TIME ZONE 'UTC')::TIMESTAMP", "time")
    if kind.startswith("TIMESTAMP"):
        sql = f"{column}::TIMESTAMP"
        faults: list[tuple[str, str]] = []
        if wanted == "date":
            return Typed(name, f"{column}::DATE", "date")
        if source.time_zone is not None:
            sql, faults = _in_utc(sql, source.time_zone)
        return Typed(name, sql, "time", tuple(faults))
    if kind in ("FLOAT", "DOUBLE"):
        # a NaN of a frame is a missing value
        value = f"CASE WHEN isnan({column}) THEN NULL ELSE {column}::DOUBLE END"
        if wanted == "integer":
            off = f"({value}) IS NOT NULL AND ({value}) <> floor({value})"
            return Typed(name, f"try_cast({value} AS BIGINT)", "integer", (("is not a whole number", off),))
        if wanted in (None, "number"):
            return Typed(name, value, "number")
        column = f"({value})"
    if wanted is None:
        return Typed(name, column, "own")
    if wanted == "text":
        return Typed(name, f"{column}::VARCHAR", "text")
    sql = f"try_cast({column} AS {own[wanted]})"
    return Typed(name, sql, wanted, ((f"is not {_WHAT[wanted]}", f"{column} IS NOT NULL AND {sql} IS NULL"),))


def _in_utc(wall: str, zone: str) -> tuple[str, list[tuple[str, str]]]:
    """Wall time -> UTC, with the times that do not exist or exist twice as faults."""
    z = literal(zone)
    instant = f"timezone({z}, ({wall})::TIMESTAMP)"
    lost = f"timezone({z}, {instant}) <> ({wall})"
    twice = " OR ".join(
        f"timezone({z}, {instant} {sign} INTERVAL {minutes} MINUTE) = ({wall})"
        for sign in "+-"
        for minutes in (30, 60)
    )
    return f"({instant} AT TIME ZONE 'UTC')", [
        (f"does not exist in {zone} (the clock was put forward)", f"({wall}) IS NOT NULL AND {lost}"),
        (f"exists twice in {zone} (the clock was put back)", f"({wall}) IS NOT NULL AND ({twice})"),
    ]
