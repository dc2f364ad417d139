"""Reading the measures off the staged rows: one table of observations in the sandbox for each measure."""

from __future__ import annotations

from dataclasses import dataclass, field

from perfanalytics.core.errors import InputError
from perfanalytics.repository.definitions import definition_of
from perfanalytics.repository.engine import Sandbox
from perfanalytics.repository.expressions import Expressions
from perfanalytics.repository.reading import Raw, Reject
from perfanalytics.repository.source import SourceMeasure, quoted

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")


@dataclass(slots=True)
class Observed:
    """What was read off the rows for one measure: the table, its attributes, and what became of the rows."""

    measure: SourceMeasure
    table: str
    attributes: dict[str, str] = field(default_factory=dict)
    definition: dict[str, str] = field(default_factory=dict)
    observations: int = 0
    open_items: int = 0
    gaps: int = 0
    missing: int = 0
    rejected: int = 0


def observe(measures: tuple[SourceMeasure, ...], raw: Raw, sandbox: Sandbox) -> list[Observed]:
    """One table ``observed_<i>`` a measure; values that are not possible go to the rejects of ``raw``.

    Raises
    ------
    InputError
        For an expression that is none, has the wrong type, or fails on the data.
    UnknownNameError
        For a column the source does not have.
    """
    columns = [n for n, *_ in sandbox.rows("DESCRIBE staged") if n != "_row"]
    checks = Expressions(sandbox, columns)
    return [_observe(m, f"observed_{i}", raw, sandbox, checks) for i, m in enumerate(measures)]


def _observe(m: SourceMeasure, table: str, raw: Raw, sandbox: Sandbox, checks: Expressions) -> Observed:
    name = m.measure.name
    sql = {
        which: checks.check(text, where=f"measure {name}, {which}") for which, text in m.expressions().items()
    }
    types = _types(name, sql, sandbox)
    out = Observed(
        m,
        table,
        {a: _attribute_type(types[f"attribute {a}"]) for a in m.attribute_expressions()},
        definition_of(m.measure, sql),
    )

    def part(name: str, cast: str) -> str:
        return f"({sql[name]}\n)::{cast}" if name in sql else f"NULL::{cast}"

    listed = ", ".join(_attribute_text(sql[f"attribute {a}"], kind) for a, kind in out.attributes.items())
    try:
        sandbox.execute(
            f"""CREATE TABLE {table} AS SELECT _row,
                {part("value", "DOUBLE")} AS _value, {part("when", "TIMESTAMP")} AS _when,
                {part("size", "DOUBLE")} AS _size,
                coalesce({part("censored", "BOOLEAN")}, false) AS _censored,
                {part("item", "VARCHAR")} AS _item, {part("start", "TIMESTAMP")} AS _start,
                {part("known", "TIMESTAMP")} AS _known, [{listed}]::VARCHAR[] AS _attributes
            FROM staged WHERE coalesce(({sql.get("where", "true")}\n)::BOOLEAN, false)"""
        )
    except Exception as error:
        raise InputError(f"measure {name}: {str(error).splitlines()[0]}") from error
    _reject_values(m, out, raw, sandbox)
    out.missing = _count(
        sandbox, f"{table} WHERE _value IS NULL AND _when IS NULL AND (_start IS NULL OR {m.start is None})"
    )
    sandbox.execute(f"DELETE FROM {table} WHERE _value IS NULL AND _when IS NULL AND _start IS NULL")
    out.observations = _count(sandbox, table)
    out.open_items = _count(sandbox, f"{table} WHERE _value IS NULL AND _start IS NOT NULL")
    out.gaps = _count(sandbox, f"{table} WHERE _value IS NULL AND _start IS NULL")
    return out


def _reject_values(m: SourceMeasure, out: Observed, raw: Raw, sandbox: Sandbox) -> None:
    faults = [
        ("is not a finite number", "NOT isfinite(_value)"),
        ("has no time", "_value IS NOT NULL AND _when IS NULL"),
    ]
    low, high = m.valid or (None, None)
    if low is not None:
        faults.append((f"is below the valid {low:g} {m.measure.unit}".rstrip(), f"_value < {float(low)!r}"))
    if high is not None:
        faults.append((f"is above the valid {high:g} {m.measure.unit}".rstrip(), f"_value > {float(high)!r}"))
    if m.size is not None:
        faults.append(("has no denominator", "_value IS NOT NULL AND _size IS NULL"))
        faults.append(("has a negative denominator", "_size < 0 OR NOT isfinite(_size)"))
        if m.measure.scale == "proportion":
            faults.append(("is more than its denominator", "_value > _size"))
    elif m.measure.scale == "proportion":
        faults.append(("is no share (0 to 1) and has no denominator", "_value < 0 OR _value > 1"))
    cases = " ".join(f"WHEN {condition} THEN {i}" for i, (_, condition) in enumerate(faults))
    found = sandbox.rows(
        f"SELECT * FROM (SELECT _row, _value, CASE {cases} END AS _fault FROM {out.table}) "
        "WHERE _fault IS NOT NULL ORDER BY _row"
    )
    lines = raw.lines(row for row, *_ in found)
    for row, value, fault in found:
        line, text = lines[row]
        reason = f"the value {value:g} {faults[fault][0]}"
        raw.rejects.append(Reject(line, None, reason, text or f"{value:g}", m.measure.name))
    out.rejected = len(found)
    if found:
        sandbox.execute(
            f"DELETE FROM {out.table} WHERE _row IN (SELECT unnest(?))", [[row for row, *_ in found]]
        )


def _types(name: str, expressions: dict[str, str], sandbox: Sandbox) -> dict[str, str]:
    select = ", ".join(f"({text}\n) AS {quoted(part)}" for part, text in expressions.items())
    try:
        types = {n: t for n, t, *_ in sandbox.rows(f"DESCRIBE SELECT {select} FROM staged")}
    except Exception as error:
        raise InputError(f"measure {name}: {str(error).splitlines()[0]}") from error
    for part, kind in types.items():
        bare = kind.split("(")[0]
        if part in ("value", "size"):
            good, what = bare in (*_NUMERIC, *_UNSIGNED, "DECIMAL"), "a number"
        elif part in ("when", "start", "known"):
            good, what = bare in ("DATE", "TIMESTAMP"), "a date or time"
        elif part in ("where", "censored"):
            good, what = bare == "BOOLEAN", "true or false"
        else:
            continue
        if not good and kind != '"NULL"':
            raise InputError(
                f"measure {name}: {part} must be {what}, {expressions[part]!r} is of type {kind}: "
                "declare the type of the columns with columns="
            )
    return types


def _attribute_type(kind: str) -> str:
    bare = kind.split("(")[0]
    if bare == "BOOLEAN":
        return "boolean"
    if bare in _NUMERIC + _UNSIGNED and bare not in ("FLOAT", "DOUBLE"):
        return "integer"
    if bare in ("FLOAT", "DOUBLE", "DECIMAL"):
        return "number"
    return {"DATE": "date", "TIMESTAMP": "time"}.get(bare, "text")


def _attribute_text(expression: str, kind: str) -> str:
    cast = {
        "integer": "BIGINT",
        "number": "DOUBLE",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "time": "TIMESTAMP",
    }
    typed = f"({expression}\n)"
    return f"{typed}::{cast[kind]}::VARCHAR" if kind in cast else f"{typed}::VARCHAR"


def _count(sandbox: Sandbox, rows: str) -> int:
    return int(sandbox.rows(f"SELECT count(*) FROM {rows}")[0][0])
