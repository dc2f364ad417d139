"""Which stored series a selection means, and what its groups are called: SQL over the dimension table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import Selection, Value, attribute_types, measure_row

_SQL_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Groups:
    """SQL that gives ``series_id`` and ``g`` (the number of the group, from 0), and the ids of the groups."""

    sql: str
    parameters: tuple[Any, ...]
    ids: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]


def groups(engine: Engine, selection: Selection) -> Groups:
    """The groups of a selection, in the order of their attribute values.

    Raises
    ------
    UnknownNameError
        For a value that the attribute never has.
    InputError
        For a value that does not fit the type of the attribute.
    """
    measure_id, _ = measure_row(engine, selection.measure)
    attributes = attribute_types(engine, measure_id)
    conditions: list[str] = ["measure_id = ?"]
    parameters: list[Any] = [measure_id]
    for name, values in selection.where.items():
        place, kind = attributes[name]
        texts = [_stored(name, kind, v) for v in values]
        # compared by value: "1.50" and 1.5 are one number
        column = f"attribute_values[{place}]::{_SQL_TYPES.get(kind, 'VARCHAR')}"
        given = f"SELECT unnest(?::VARCHAR[])::{_SQL_TYPES.get(kind, 'VARCHAR')}"
        _check_exist(engine, measure_id, selection.measure, name, column, given, texts)
        told = [t for t in texts if t is not None]
        parts = [f"{column} IN ({given})"] if told else []
        parts += [f"{column} IS NULL"] if None in texts else []
        conditions.append(f"({' OR '.join(parts)})")
        if told:
            parameters.append(told)
    where = " AND ".join(conditions)
    if not selection.by:
        return Groups(f"SELECT series_id, 0 AS g FROM series WHERE {where}", tuple(parameters), ("",), ((),))
    columns = [f"attribute_values[{attributes[name][0]}]" for name in selection.by]
    typed = [
        f"{column}::{_SQL_TYPES.get(attributes[name][1], 'VARCHAR')}"
        for column, name in zip(columns, selection.by, strict=True)
    ]
    raw = ", ".join(f"{c} AS a{i}" for i, c in enumerate(columns))
    sorts = ", ".join(f"{t} AS o{i}" for i, t in enumerate(typed))
    names = ", ".join(f"a{i}" for i in range(len(columns)))
    order = ", ".join(f"o{i} NULLS LAST, a{i}" for i in range(len(columns)))
    places = ", ".join(f"o{i}" for i in range(len(columns)))
    inline = ", ".join(f"{t} NULLS LAST, {c}" for t, c in zip(typed, columns, strict=True))
    found = engine.rows(
        f"SELECT {names} FROM (SELECT {raw}, {sorts} FROM series WHERE {where}) "
        f"GROUP BY {names}, {places} ORDER BY {order}",
        parameters,
    )
    ids = tuple(
        ", ".join(f"{n}={'(missing)' if v is None else v}" for n, v in zip(selection.by, row, strict=True))
        for row in found
    )
    return Groups(
        f"SELECT series_id, (dense_rank() OVER (ORDER BY {inline}) - 1)::INTEGER AS g "
        f"FROM series WHERE {where}",
        tuple(parameters),
        ids,
        tuple(tuple(row) for row in found),
    )


def attribute_columns(engine: Engine, selection: Selection) -> tuple[dict[str, str], dict[str, str]]:
    """The attributes that a selection wants beside its values: name to alias, and alias to SQL."""
    measure_id, _ = measure_row(engine, selection.measure)
    attributes = attribute_types(engine, measure_id)
    wanted = dict.fromkeys(n for n in (*selection.covariates, *selection.subgroups) if n in attributes)
    aliases = {name: f"attribute_{attributes[name][0]}" for name in wanted}
    columns = {}
    for name, alias in aliases.items():
        place, kind = attributes[name]
        columns[alias] = f"attribute_values[{place}]::{_SQL_TYPES.get(kind, 'VARCHAR')}"
    return aliases, columns


def _check_exist(
    engine: Engine, measure_id: int, measure: str, name: str, column: str, given: str, texts: list[str | None]
) -> None:
    """An attribute value that never occurs is a slip of the pen, and said so."""
    known = f"SELECT DISTINCT {column} FROM series WHERE measure_id = ?"
    absent = engine.rows(
        f"SELECT t::VARCHAR FROM ({given} AS t) "
        f"WHERE t NOT IN (SELECT * FROM ({known}) AS k(v) WHERE v IS NOT NULL)",
        [[t for t in texts if t is not None], measure_id],
    )
    missing = None in texts and not engine.rows(
        f"SELECT 1 FROM ({known}) AS k(v) WHERE v IS NULL", [measure_id]
    )
    if absent or missing:
        shown = [str(v) for (v,) in engine.rows(known, [measure_id]) if v is not None]
        raise UnknownNameError(f"value of {name!r} of {measure}", absent[0][0] if absent else "None", shown)


def _stored(name: str, kind: str, value: Value) -> str | None:
    """The text under which the value is stored: 3, 3.0 and "3" are one for an integer attribute."""
    if value is None:
        return None
    try:
        match kind:
            case "integer":
                number = float(value) if not isinstance(value, str) else float(int(value))  # type: ignore[arg-type]
                if number != int(number):
                    raise ValueError
                return str(int(value))  # type: ignore[arg-type]
            case "number":
                return repr(float(value))  # type: ignore[arg-type]
            case "boolean":
                told = str(value).strip().lower()
                if told not in ("true", "false", "1", "0"):
                    raise ValueError
                return "true" if told in ("true", "1") else "false"
            case "date":
                day = dt.date.fromisoformat(value) if isinstance(value, str) else value
                if isinstance(day, dt.datetime):
                    day = day.date()
                return day.isoformat()  # type: ignore[union-attr]
            case "time":
                return str(np.datetime64(value, "us")).replace("T", " ")  # type: ignore[call-overload]
            case _:
                if isinstance(value, bool):
                    return str(value).lower()
                return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"attribute {name!r} is of type {kind}: {value!r} does not fit") from error
