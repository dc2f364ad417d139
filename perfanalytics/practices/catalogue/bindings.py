"""Which base measures there are in somebody's data, and where: from a file, or as the catalogue proposes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.practices.catalogue.entry import CatalogueEntry, RecordKind
from perfanalytics.practices.catalogue.reading import entries

_KEYS = ("name", "source", "item", "times", "attributes", "base")
_PLAIN = re.compile(r"\w+")
_PARTS = re.compile(r"'[^']*'|[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Counted:
    """How a base measure is counted on the rows of a source: SQL for one row, and which rows."""

    value: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where records of a kind are found: SQL expressions over the columns of a source.

    Parameters
    ----------
    record : str
        The kind of record.
    source : mapping
        The ``[[source]]`` table of a plan.
    item : str
        Column that names the item; "" for none.
    times, attributes : mapping of name to expression
    base : mapping of name to Counted
        The base measures there are.
    """

    record: str
    source: Mapping[str, Any]
    item: str
    times: Mapping[str, str]
    attributes: Mapping[str, str]
    base: Mapping[str, Counted]

    def missing(self, entry: CatalogueEntry) -> tuple[str, ...]:
        """What the entry needs and these records do not have, in words."""
        lacking = [f"base measure '{b.name}' ({b.definition})" for b in entry.base if b.name not in self.base]
        times = dict.fromkeys(t for t in (entry.when, entry.start, entry.known) if t)
        lacking += [f"time '{t}' ({entry.record.column(t).definition})" for t in times if t not in self.times]
        return tuple(lacking)


def proposed(kind: RecordKind, wanted: Iterable[CatalogueEntry]) -> Binding:
    """The records as the catalogue proposes them, with the columns that the entries need."""
    base = {b.name: b for e in wanted for b in e.base if b.record.name == kind.name}
    of_kind = [e for e in wanted if e.record.name == kind.name]
    needed = {*kind.key, *kind.attributes, *(c for b in base.values() for c in b.columns)}
    needed |= {t for e in of_kind for t in (e.when, e.start, e.known) if t}
    columns = [c for c in kind.columns if c.name in needed]
    return Binding(
        record=kind.name,
        source={
            "name": kind.name,
            "file": f"{kind.name}.csv",
            "missing": ["", "NA", "?"],
            "key": kind.key[0] if len(kind.key) == 1 else list(kind.key),
            "columns": {c.name: c.type for c in columns},
        },
        item=kind.key[0] if len(kind.key) == 1 else "",
        times={t: t for t in kind.times},
        attributes={a: a for a in kind.attributes},
        base={name: Counted(b.value, b.where) for name, b in base.items()},
    )


def read_bindings(path: str | Path) -> dict[str, Binding]:
    """A file that says where base measures are found: kind of record -> binding.

    Parameters
    ----------
    path : path of a TOML file
        ``[[source]]`` tables as in a plan, and for each kind of record a ``[[records]]`` table with ``name``,
        ``source``, ``item``, ``times``, ``attributes`` and ``base``.

    Raises
    ------
    PlanError
        For a file that is missing or no TOML, or without what it must have.
    UnknownNameError
        For a kind of record, base measure, time, attribute or source that does not exist.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{path.name}: not valid TOML: {error}") from error
    sources = {s.get("name", ""): s for s in raw.get("source", [])}
    found: dict[str, Binding] = {}
    for table in raw.get("records", []):
        binding = _binding(table, sources, path.name)
        if binding.record in found:
            raise PlanError(f"{path.name}: [[records]] '{binding.record}' stands there twice")
        found[binding.record] = binding
    return found


def _binding(table: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], file: str) -> Binding:
    kinds = {e.record.name: e.record for e in entries()}
    for key in table:
        if key not in _KEYS:
            raise UnknownNameError(f"key of [[records]] in {file}", key, _KEYS)
    for key in ("name", "source"):
        if key not in table:
            raise PlanError(f"{file}: a [[records]] table has no '{key}'")
    name = table["name"]
    if name not in kinds:
        raise UnknownNameError(f"kind of record in {file}", name, kinds)
    if table["source"] not in sources:
        raise UnknownNameError(f"source of records '{name}' in {file}", table["source"], sources)
    bases = {b.name for e in entries() for b in e.base if b.record.name == name}
    parts: dict[str, dict[str, Any]] = {}
    for key, what, known in (
        ("times", "time", kinds[name].times),
        ("attributes", "attribute", kinds[name].attributes),
        ("base", "base measure", bases),
    ):
        parts[key] = dict(table.get(key, {}))
        for given in parts[key]:
            if given not in known:
                raise UnknownNameError(f"{what} of records '{name}' in {file}", given, known)
    return Binding(
        record=name,
        source=sources[table["source"]],
        item=table.get("item", ""),
        times=parts["times"],
        attributes=parts["attributes"],
        base={k: _counted(k, v, file) for k, v in parts["base"].items()},
    )


def _counted(name: str, given: object, file: str) -> Counted:
    """An expression, or ``{ value = ..., where = ... }``."""
    if isinstance(given, str):
        return Counted(given)
    if isinstance(given, Mapping) and "value" in given and set(given) <= {"value", "where"}:
        return Counted(str(given["value"]), str(given.get("where", "")))
    raise PlanError(
        f"{file}: base measure '{name}' is {given!r}; expected an expression in quotes, or "
        '{ value = "...", where = "..." }'
    )


def measure_table(entry: CatalogueEntry, binding: Binding) -> dict[str, Any]:
    """The ``[[measure]]`` table of an entry over these records.

    Raises
    ------
    InputError
        When base measures or times are missing.
    """
    lacking = binding.missing(entry)
    if lacking:
        raise InputError(f"{entry.name}: missing in records '{binding.record}': {'; '.join(lacking)}")
    counted = {b.name: binding.base[b.name] for b in entry.base}
    size = _expression(entry.denominator, counted)
    conditions = dict.fromkeys(c.where for c in counted.values() if c.where)
    where = " and ".join(conditions if len(conditions) < 2 else (f"({c})" for c in conditions))
    same = all(k == v for k, v in binding.attributes.items())
    table: dict[str, Any] = {
        "name": entry.name,
        "source": binding.source["name"],
        "definition": entry.definition,
        "unit": entry.unit,
        "better": entry.better,
        "scale": entry.scale,
        "value": _expression(entry.numerator, counted),
        # an observation without a size counts as one
        "size": "" if size == "1" else size,
        "when": binding.times[entry.when],
        "start": binding.times[entry.start] if entry.start else "",
        "known": binding.times[entry.known] if entry.known else "",
        "item": binding.item,
        "attributes": list(binding.attributes) if same else dict(binding.attributes),
        "valid": None if entry.valid is None else [_open(v) for v in entry.valid],
        "where": where,
    }
    return {k: v for k, v in table.items() if v not in ("", None)}


def _open(bound: float) -> float:
    """How a plan writes a bound; nan leaves an end open."""
    return float("nan") if bound == float("inf") else bound


def _expression(formula: str, counted: Mapping[str, Counted]) -> str:
    """A formula in base measures -> SQL over the columns of the source."""
    alone = formula.strip() in counted

    def put(match: re.Match[str]) -> str:
        name = match.group(0)
        if name not in counted:
            return name
        value = counted[name].value
        return value if alone or _PLAIN.fullmatch(value) else f"({value})"

    return _PARTS.sub(put, formula)
