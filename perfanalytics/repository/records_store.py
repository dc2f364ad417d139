"""What people declare, and the results that were saved: in versions, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterable
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


def declare(engine: Engine, records: Iterable[Record]) -> None:
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
        last = engine.rows(
            "SELECT version, content FROM record WHERE kind = ? AND name = ? ORDER BY version DESC LIMIT 1",
            [record.kind, name],
        )
        if last and last[0][1] == content:
            continue
        engine.execute(
            "INSERT INTO record SELECT (SELECT coalesce(max(record_id), 0) + 1 FROM record), ?, ?, ?, ?, "
            "now() AT TIME ZONE 'UTC'",
            [record.kind, name, last[0][0] + 1 if last else 1, content],
        )


def records(engine: Engine, kind: str) -> tuple[Any, ...]:
    """The records of a kind, each in its last version, in the order in which they were first declared."""
    check_kind(kind)
    found = engine.rows(
        "SELECT arg_max(content, version) FROM record WHERE kind = ? GROUP BY name ORDER BY min(record_id)",
        [kind],
    )
    return tuple(codec.from_record(json.loads(content)) for (content,) in found)


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
