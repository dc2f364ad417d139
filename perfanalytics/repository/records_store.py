"""What people declare, and the results that were saved: in versions, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from perfanalytics._version import __version__
from perfanalytics.core import codec
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.improvement_records import (
    CausalAnalysis,
    Cause,
    Deployment,
    FailureMode,
    Pilot,
    Proposal,
    SuccessCriterion,
)
from perfanalytics.core.measure import Measure
from perfanalytics.core.practice_records import Action, Decision, Review, Risk, Work
from perfanalytics.core.records import (
    BusinessObjective,
    Change,
    Event,
    Exclusion,
    Objective,
    PlannedAnalysis,
    Process,
)
from perfanalytics.core.result import Result
from perfanalytics.repository.engine import Engine

if TYPE_CHECKING:
    import pandas as pd

Record = (
    Measure
    | BusinessObjective
    | Objective
    | Process
    | PlannedAnalysis
    | Change
    | Event
    | Exclusion
    | Work
    | Risk
    | CausalAnalysis
    | Cause
    | FailureMode
    | Proposal
    | SuccessCriterion
    | Pilot
    | Deployment
    | Action
    | Review
    | Decision
)
_TYPES = get_args(Record)
KINDS = tuple(t.kind for t in _TYPES)


def declare(engine: Engine, records: Iterable[Record], *, plan: str | None = None) -> None:
    """Keep records. See :meth:`perfanalytics.Repository.declare`."""
    for record in records:
        if not isinstance(record, _TYPES):
            raise InputError(
                f"declare() takes records ({', '.join(t.__name__ for t in _TYPES)}), "
                f"got {type(record).__name__}"
            )
        if isinstance(record, Exclusion) and record.point is not None:
            raise InputError(
                "an exclusion kept in the repository cannot name its point by position, which depends on the "
                "selection: name it by when= or item="
            )
        content = json.dumps(codec.to_record(record), sort_keys=True)
        name = _name(record)
        last = _last(engine, record.kind, name)
        same = last is not None and last.content == content and not last.withdrawn
        # what another plan declared alike stays with it: else two plans would take it from each other
        if last is not None and same and (plan is None or last.plan is not None):
            continue
        version, before = (last.version + 1, last.plan) if last else (1, None)
        _insert(engine, record.kind, name, version, content, plan or before, withdrawn=False)


def withdraw(engine: Engine, kind: str, name: str) -> None:
    """A last version says that it holds no more. See :meth:`perfanalytics.Repository.withdraw`."""
    check_kind(kind)
    last = _last(engine, kind, name)
    if last is None or last.withdrawn:
        known = [_name(r) for r in records(engine, kind)]
        raise UnknownNameError(kind.replace("_", " "), name, known)
    _insert(engine, kind, name, last.version + 1, last.content, last.plan, withdrawn=True)


def declare_plan(engine: Engine, plan: str, kept: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """Keep the records of a plan, withdraw what it no longer names.

    See :meth:`perfanalytics.Repository.declare_plan`.
    """
    declare(engine, kept, plan=plan)
    named = {(r.kind, _name(r)) for r in kept}
    found = engine.rows(
        "SELECT kind, name FROM record GROUP BY kind, name "
        "HAVING arg_max(coalesce(plan, ''), version) = ? "
        "AND NOT arg_max(coalesce(withdrawn, false), version) ORDER BY min(record_id)",
        [plan],
    )
    gone = tuple((str(kind), str(name)) for kind, name in found if (kind, name) not in named)
    for kind, name in gone:
        withdraw(engine, kind, name)
    return gone


@dataclass(frozen=True, slots=True)
class _Last:
    """The last version of a record."""

    version: int
    content: str
    plan: str | None
    withdrawn: bool


def _last(engine: Engine, kind: str, name: str) -> _Last | None:
    found = engine.rows(
        "SELECT version, content, plan, coalesce(withdrawn, false) FROM record WHERE kind = ? AND name = ? "
        "ORDER BY version DESC LIMIT 1",
        [kind, name],
    )
    return _Last(*found[0]) if found else None


def _insert(
    engine: Engine, kind: str, name: str, version: int, content: str, plan: str | None, *, withdrawn: bool
) -> None:
    engine.execute(
        "INSERT INTO record SELECT (SELECT coalesce(max(record_id), 0) + 1 FROM record), ?, ?, ?, ?, "
        "now() AT TIME ZONE 'UTC', ?, ?",
        [kind, name, version, content, plan, withdrawn],
    )


def records(engine: Engine, kind: str) -> tuple[Any, ...]:
    """The records of a kind, each in its last version, in the order in which they were first declared.

    Those that were withdrawn are left out.
    """
    check_kind(kind)
    found = engine.rows(
        "SELECT arg_max(content, version) FROM record WHERE kind = ? GROUP BY name "
        "HAVING NOT arg_max(coalesce(withdrawn, false), version) ORDER BY min(record_id)",
        [kind],
    )
    return tuple(codec.from_record(json.loads(content)) for (content,) in found)


def earlier(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """Kind -> versions of records that were replaced by a later one, the oldest first."""
    found = engine.rows(
        "SELECT kind, content FROM record r WHERE version < (SELECT max(version) FROM record l "
        "WHERE l.kind = r.kind AND l.name = r.name) ORDER BY record_id"
    )
    out: dict[str, tuple[Any, ...]] = {}
    for kind, content in found:
        out[kind] = (*out.get(kind, ()), codec.from_record(json.loads(content)))
    return out


def withdrawn(engine: Engine) -> dict[str, tuple[str, ...]]:
    """Kind -> names of the records that were withdrawn and not declared again."""
    found = engine.rows(
        "SELECT kind, name FROM record GROUP BY kind, name "
        "HAVING arg_max(coalesce(withdrawn, false), version) ORDER BY min(record_id)"
    )
    out: dict[str, tuple[str, ...]] = {}
    for kind, name in found:
        out[kind] = (*out.get(kind, ()), name)
    return out


def check_kind(kind: str) -> None:
    """Raise for a kind that no record has."""
    if kind not in KINDS:
        raise UnknownNameError("kind of record", kind, KINDS)


def _name(record: Record) -> str:
    """What makes two records versions of the same: the name; of an exclusion the point it is about."""
    if not isinstance(record, Exclusion):
        return record.name
    parts = (record.measure, record.series, record.when, record.until, record.label, record.item)
    return json.dumps([None if p is None else str(p) for p in parts])


def save(engine: Engine, result: Result, *, name: str, by: str, note: str) -> int:
    """Keep a result under a name. See :meth:`perfanalytics.Repository.save`."""
    if not isinstance(result, Result):
        raise InputError(f"only results can be saved, got {type(result).__name__}")
    if not isinstance(name, str) or not name.strip():
        raise InputError("a saved result needs a name (a non-empty string)")
    content = json.dumps(result.to_record())
    with engine.transaction():
        (version,) = engine.rows("SELECT coalesce(max(version), 0) + 1 FROM result WHERE name = ?", [name])[0]
        engine.execute(
            "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, now() AT TIME ZONE 'UTC', ?, ?, ?)",
            [
                name,
                version,
                result.kind,
                result.provenance.measure,
                result.verdict,
                content,
                by,
                note,
                __version__,
            ],
        )
    return int(version)


def result(engine: Engine, name: str, *, version: int | None) -> Any:
    """A saved result. See :meth:`perfanalytics.Repository.result`."""
    found = engine.rows(
        "SELECT content FROM result WHERE name = ? AND (?::INTEGER IS NULL OR version = ?) "
        "ORDER BY version DESC LIMIT 1",
        [name, version, version],
    )
    if not found:
        names = [n for (n,) in engine.rows("SELECT DISTINCT name FROM result")]
        if name in names:
            versions = engine.rows("SELECT version FROM result WHERE name = ? ORDER BY version", [name])
            raise UnknownNameError(f"version of {name!r}", str(version), [str(v) for (v,) in versions])
        raise UnknownNameError("saved result", name, names)
    return codec.from_record(json.loads(found[0][0]), expect=Result)


def history(engine: Engine, name: str | None) -> pd.DataFrame:
    """Saved results and finished runs. See :meth:`perfanalytics.Repository.history`."""
    import pandas as pd

    sql = """SELECT name, version, kind, measure, verdict, saved_at, saved_by, note, package_version
        FROM result
        UNION ALL BY NAME
        SELECT key AS name, 1 AS version, 'run' AS kind, selection->>'measure' AS measure,
               (method->>'name') || ' of ' || series || ' series' AS verdict, finished_at AS saved_at,
               '' AS saved_by, '' AS note, package_version
        FROM (SELECT key, series, finished_at, package_version, selection::JSON AS selection,
              method::JSON AS method FROM run WHERE finished_at IS NOT NULL)"""
    found = engine.columns(
        f"SELECT * FROM ({sql}) WHERE ?::VARCHAR IS NULL OR name = ? ORDER BY saved_at, name, version",
        [name, name],
    )
    frame = pd.DataFrame(found)
    if name is not None and frame.empty:
        raise UnknownNameError(
            "saved result", name, [n for (n,) in engine.rows("SELECT DISTINCT name FROM result")]
        )
    return frame
