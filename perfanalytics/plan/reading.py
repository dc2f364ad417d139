"""A plan file -> checked tables. A mistake is told with file, table, key, expectation and a hint."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from perfanalytics.core.errors import PlanError, nearest
from perfanalytics.plan import practice_records
from perfanalytics.plan.analyses import kind_of
from perfanalytics.plan.mistakes import undeclared
from perfanalytics.plan.pages import service_report_names
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.tables import OfMeasure


def read_plan(path: str | Path) -> Plan:
    """Read and check a measurement plan.

    Parameters
    ----------
    path : path of a TOML file

    Raises
    ------
    PlanError
        For a missing file, TOML that does not parse, unknown keys, wrong values, duplicate names, or
        names that refer to nothing; every mistake is listed, one a line.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise PlanError(f"no plan at {path}; 'perfanalytics init' writes one to start from") from error
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{path.name}: not valid TOML: {error}") from error
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        raise PlanError("\n".join(f"{path.name}: {line}" for line in _lines(error, raw))) from error
    mistakes = list(_references(plan))
    if mistakes:
        raise PlanError("\n".join(f"{path.name}: {line}" for line in mistakes))
    return plan


def _lines(error: ValidationError, raw: dict[str, Any]) -> Iterator[str]:
    for problem in _without_alternatives(error.errors()):
        where = _where(problem["loc"], raw)
        key = str(problem["loc"][-1])
        if problem["type"] == "extra_forbidden":
            known = _keys_at(problem["loc"][:-1])
            hint = nearest(key, known)
            said = f"did you mean '{hint}'?" if hint else f"known keys: {', '.join(sorted(known))}"
            yield f"{where}: key '{key}' is not known; {said}"
        elif problem["type"] == "missing":
            yield f"{where}: key '{key}' is missing"
        elif problem["type"] == "literal_error":
            expected = str(problem.get("ctx", {}).get("expected", ""))
            hint = nearest(str(problem["input"]), expected.replace("'", "").replace(" or ", ", ").split(", "))
            text = f"{where}: key '{key}' is {problem['input']!r}; expected {expected}"
            yield text + (f"; did you mean '{hint}'?" if hint else "")
        elif problem["type"] == "mistakes":
            # those of a key with tables in it, each with its place
            inside = "" if key == "steps" else f": {key}"
            yield from (f"{where}{inside}: {said}" for said in problem["ctx"]["said"].splitlines())
        else:
            message = problem["msg"].removeprefix("Value error, ")
            named = (
                f": key '{key}'" if isinstance(problem["loc"][-1], str) and len(problem["loc"]) > 2 else ""
            )
            yield f"{where}{named}: {message} (got {_short(problem['input'])})"


def _without_alternatives(problems: Iterable[Any]) -> Iterator[Any]:
    """Problems of a key that may be several things (date or datetime) told once, under the key's own name."""
    told: set[tuple[int | str, ...]] = set()
    for problem in problems:
        loc = problem["loc"]
        if loc and loc[-1] in ALTERNATIVES:
            loc = loc[:-1]
            if loc in told:
                continue
            told.add(loc)
            expected = (
                "a date like 2024-03-31 (without quotes)" if _is_date(problem) else "another kind of value"
            )
            yield {
                "type": "alternative",
                "loc": loc,
                "msg": f"expected {expected}",
                "input": problem["input"],
            }
        else:
            yield problem


#: How pydantic names the alternatives of a key at the end of a place.
ALTERNATIVES = (
    "date",
    "datetime",
    "str",
    "int",
    "float",
    "bool",
    "list[str]",
    "dict[str,float]",
    "constrained-str",
)


def _is_date(problem: Any) -> bool:
    return problem["loc"][-1] in ("date", "datetime")


def _where(loc: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """``[[measure]] 2 'made_sla'`` for the place in the file."""
    if not loc:
        return "the plan"
    table = str(loc[0])
    if len(loc) > 1 and isinstance(loc[1], int):
        entry = raw[table][loc[1]] if isinstance(raw.get(table), list) else {}
        name = entry.get("name") if isinstance(entry, dict) else None
        inner = "".join(f".{p}" for p in loc[2:-1] if isinstance(p, str) and p in entry)
        return f"[[{table}]] {loc[1] + 1}" + (f" '{name}'" if name else "") + inner
    return f"[{table}]" if table in Plan.model_fields else "the plan"


def _keys_at(loc: tuple[int | str, ...]) -> set[str]:
    """The keys allowed at a place, found by walking the table classes."""
    model: type[BaseModel] = Plan
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        if field is None:
            break
        inner = [
            a for a in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(a, type)
        ]
        found = [a for a in inner if issubclass(a, BaseModel)]
        if not found:
            break
        model = found[0]
    return set(model.model_fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _references(plan: Plan) -> Iterator[str]:
    """Names that occur twice or refer to nothing."""
    declared = ("process", "calendar", "source", "measure", "objective", "change", "event")
    for table in (*declared, "composed_process", "service_report", *practice_records.RECORDS):
        for name in _twice(f"{r.name} {getattr(r, 'version', '')}".strip() for r in getattr(plan, table)):
            yield f"[[{table}]]: the name '{name}' is used twice"
    for name in _twice(a.name for a in plan.analyses()):
        yield f"two analyses are called '{name}': each needs a name of its own"

    sources, calendars = {s.name for s in plan.source}, {c.name for c in plan.calendar}
    processes = {p.name for p in plan.process}
    known = {
        "measure": {m.name for m in plan.measure},
        "objective": {o.name for o in plan.objective},
        "process": processes | {f"{p.name} {p.version}" for p in plan.process},
        "calendar": calendars,
        "happening": {c.name for c in plan.change} | {e.name for e in plan.event},
        "causal_analysis": {c.name for c in plan.causal_analysis},
        "proposal": {p.name for p in plan.proposal},
        "success_criterion": {c.name for c in plan.success_criterion},
        "pilot": {p.name for p in plan.pilot},
    }
    for s in plan.source:
        for d in s.duration:
            where = f"[[source]] '{s.name}'"
            yield from undeclared(where, f"duration '{d.name}': calendar", d.calendar, calendars)
    for m in plan.measure:
        yield from undeclared(f"[[measure]] '{m.name}'", "source", m.source, sources)
        yield from undeclared(f"[[measure]] '{m.name}'", "subprocess", m.subprocess, processes)
    for p in plan.process:
        yield from undeclared(f"[[process]] '{p.name}'", "parent", p.parent, processes)
    for o in plan.objective:
        yield from undeclared(f"[[objective]] '{o.name}'", "measure", o.measure, known["measure"])
    for c in plan.change:
        yield from undeclared(f"[[change]] '{c.name}'", "process", c.process, processes)
    for e in plan.exclusion:
        yield from undeclared(f"[[exclusion]] '{e.reason}'", "measure", e.measure, known["measure"])
    yield from practice_records.references(plan, known)
    yield from service_report_names.references(plan)
    for analysis in plan.analyses():
        kind = kind_of(analysis)
        where = f"[[{kind.key}]] '{analysis.name}'"
        if isinstance(analysis, OfMeasure):
            yield from undeclared(where, "measure", analysis.measure, known["measure"])
        yield from undeclared(where, "objective", analysis.objective, known["objective"])
        for refers in kind.references(analysis):
            yield from undeclared(where, refers.key, refers.name, known[refers.to])


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, n in Counter(names).items() if n > 1]
