"""The repository as an archive for the practices, and its records and results as tables and JSON."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfanalytics.core import codec
from perfanalytics.core.archive import Archive, Saved
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Result
from perfanalytics.repository import records_store
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.selection import last_event

if TYPE_CHECKING:
    import pandas as pd


def archive(engine: Engine, *, on: dt.date | None = None) -> Archive:
    """Everything declared and saved. See :meth:`perfanalytics.Repository.archive`."""
    ends = [
        t
        for (i,) in engine.rows("SELECT measure_id FROM measure")
        if (t := last_event(engine, int(i))) is not None
    ]
    newest = {
        str(name): time
        for name, time in engine.rows(
            "SELECT m.name, max(o.time) FROM observation o JOIN series USING (series_id) "
            "JOIN measure m USING (measure_id) WHERE o.retired_load_id IS NULL AND o.time IS NOT NULL "
            "AND o.value IS NOT NULL GROUP BY m.name ORDER BY m.name"
        )
    }
    saved = engine.rows(
        "SELECT name, version, kind, measure, verdict, saved_at, saved_by, note FROM result "
        "ORDER BY saved_at, name, version"
    )
    last = max(ends).astype("datetime64[us]").item() if ends else None

    def read(name: str, version: int | None) -> Result:
        found = records_store.result(engine, name, version=version)
        assert isinstance(found, Result)
        return found

    return Archive(
        records={kind: records_store.records(engine, kind) for kind in records_store.KINDS},
        saved=tuple(
            Saved(
                name,
                int(version),
                result_kind=kind,
                measure=measure,
                verdict=verdict,
                saved_at=at,
                by=by,
                note=note,
            )
            for name, version, kind, measure, verdict, at, by, note in saved
        ),
        on=on or (last.date() if last is not None else dt.date.today()),
        newest=newest,
        earlier=records_store.earlier(engine),
        withdrawn=records_store.withdrawn(engine),
        read=read,
    )


def record_history(engine: Engine, kind: str, name: str | None = None) -> pd.DataFrame:
    """Every version of the records of a kind. See :meth:`perfanalytics.Repository.record_history`."""
    import pandas as pd

    records_store.check_kind(kind)
    found = engine.rows(
        "SELECT name, version, declared_at, plan, coalesce(withdrawn, false), content FROM record "
        "WHERE kind = ? "
        "AND (?::VARCHAR IS NULL OR name = ?) ORDER BY name, version",
        [kind, name, name],
    )
    rows = [
        {"name": n, "version": int(v), "declared_at": at, "plan": plan or "", "withdrawn": bool(gone)}
        | _plain(json.loads(content)["fields"])
        for n, v, at, plan, gone, content in found
    ]
    head = ["name", "version", "declared_at", "plan", "withdrawn"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=head)


def export(engine: Engine, folder: Path) -> tuple[Path, ...]:
    """Records and saved results as files. See :meth:`perfanalytics.Repository.export`."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty: export writes into a new or empty folder")
    (folder / "results").mkdir(parents=True, exist_ok=True)
    written = []
    for kind in records_store.KINDS:
        table = record_history(engine, kind)
        if len(table):
            written.append(folder / f"{kind}.csv")
            table.to_csv(written[-1], index=False)
    kept = engine.rows(
        "SELECT kind, name, version, declared_at, plan, coalesce(withdrawn, false), content FROM record "
        "ORDER BY record_id"
    )
    written.append(folder / "records.json")
    told = [
        {"kind": k, "name": n, "version": int(v), "declared_at": at.isoformat()}
        | {"plan": plan or "", "withdrawn": bool(gone), "record": json.loads(c)}
        for k, n, v, at, plan, gone, c in kept
    ]
    written[-1].write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    history = records_store.history(engine, None)
    written.append(folder / "results.csv")
    history.to_csv(written[-1], index=False)
    used: set[str] = set()
    for name, version, content in engine.rows(
        "SELECT name, version, content FROM result ORDER BY name, version"
    ):
        slug = _slug(name, int(version), used)
        record = json.loads(content)
        written.append(folder / "results" / f"{slug}.json")
        written[-1].write_text(
            json.dumps({"name": name, "version": int(version), "result": record}, indent=1) + "\n",
            encoding="utf-8",
        )
        result: Result = codec.from_record(record, expect=Result)
        written.append(folder / "results" / f"{slug}.csv")
        result.to_frame().to_csv(written[-1], index=False)
    return tuple(written)


def _slug(name: str, version: int, used: set[str]) -> str:
    """A file name for a version of a result; names that would be the same file are numbered."""
    base = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:80] or "result"
    slug, n = f"{base}-{version}", 1
    while slug in used:
        n += 1
        slug = f"{base}-{version}-{n}"
    used.add(slug)
    return slug


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a record as values of a table: dates as dates, mappings and lists as JSON text."""
    out = {}
    for name, value in fields.items():
        if name == "name":
            continue
        decoded = codec.decode(value)
        out[name] = json.dumps(codec.encode(decoded)) if isinstance(decoded, dict | tuple) else decoded
    return out
