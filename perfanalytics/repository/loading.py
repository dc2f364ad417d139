"""Loading a source: read, stage, observe, then merge into the repository in one transaction.

Loading the same content again changes nothing. What changed is retired and inserted anew, so that the
old values stay in the history. A load that does not come to its end leaves the repository as it was.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics._version import __version__
from perfanalytics.core.errors import LoadError
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.repository import merging
from perfanalytics.repository.engine import Engine, Sandbox
from perfanalytics.repository.event_log import reduce_rows
from perfanalytics.repository.load_report import LoadReport
from perfanalytics.repository.observing import Observed, observe
from perfanalytics.repository.reading import Raw, Reject, read
from perfanalytics.repository.source import Source, quoted
from perfanalytics.repository.staging import stage


def load(engine: Engine, source: Source, *, by: str = "") -> LoadReport:
    """Load a source. See :meth:`perfanalytics.Repository.load`."""
    if engine.read_only:
        raise LoadError(f"{engine.path} is open read-only: nothing can be loaded")
    sandbox = engine.sandbox()
    try:
        raw = read(source, sandbox)
        sandbox.lock()  # from here on expressions of the source run
        clock = stage(source, raw, sandbox)
        reduce_rows(source, raw, sandbox, clock)
        observed = observe(tuple(source.measures), raw, sandbox)
        # found in several passes over the file: told in the order of its lines
        raw.rejects.sort(key=lambda r: (r.line is None, r.line or 0))
        _check_rejected(source, raw)
        _hash_rows(source, sandbox)
        if raw.content_hash is None:
            raw.content_hash = _content_hash(sandbox)
        last = _last_event(source, observed, sandbox)
        with engine.transaction():
            merged = merging.merge(engine, sandbox, source, observed, clock)
            _record(engine, source, raw, merged, last_event=last, by=by)
        return _report(source, raw, observed, merged, clock)
    finally:
        sandbox.close()


def _check_rejected(source: Source, raw: Raw) -> None:
    bad = {(r.line, r.original) for r in raw.rejects}
    if raw.read and len(bad) / raw.read > source.max_rejected:
        reasons = Counter(_general(r.reason) for r in raw.rejects).most_common(3)
        first = raw.rejects[0]
        told = "; ".join(f"{n:,} x {reason}" for reason, n in reasons)
        raise LoadError(
            f"source {source.name!r}: {len(bad):,} of {raw.read:,} rows ({len(bad) / raw.read:.1%}) are "
            f"rejected, more than the {source.max_rejected:.1%} allowed: nothing was kept. {told}. "
            f"The first is line {first.line}: {first.original[:200]!r}"
        )


def _general(reason: str) -> str:
    """A reason without the field it quotes, so that rejections can be counted by reason."""
    if reason.startswith(("'", '"')):
        return reason[reason.rindex(reason[0], 0, max(reason.rfind("' "), reason.rfind('" ')) + 1) + 2 :]
    if reason.startswith("the value "):
        return "the value " + reason.split(" ", 3)[3]
    return reason.split(" of line ")[0]


def _hash_rows(source: Source, sandbox: Sandbox) -> None:
    """Identity and content of every staged row, as MD5 halves (the engine's own hash may change one day)."""
    names = [n for n, *_ in sandbox.rows("DESCRIBE staged") if n != "_row"]
    key = [source.event_log.key] if source.event_log else list(source.key)

    def text(columns: list[str]) -> str:
        # chr(30) and chr(31) keep NULL apart from empty and neighbours apart from each other
        return (
            "concat_ws(chr(31), "
            + ", ".join(f"coalesce({quoted(c)}::VARCHAR, chr(30))" for c in columns)
            + ")"
        )

    content = f"md5_number({text(names)})"
    sandbox.execute(
        f"CREATE TABLE hashed AS SELECT _row, {content} AS c, "
        f"{f'md5_number({text(key)})' if key else content} AS k FROM staged"
    )
    if not key:
        # the second of identical rows, the third ... are records of their own
        sandbox.execute(
            """CREATE OR REPLACE TABLE hashed AS SELECT _row, c,
            CASE WHEN n = 1 THEN k ELSE md5_number(k::VARCHAR || chr(29) || n) END AS k
            FROM (SELECT _row, c, k, row_number() OVER (PARTITION BY k ORDER BY _row) AS n FROM hashed)"""
        )
    halves = ", ".join(
        f"({column} >> 64)::UBIGINT AS {name}_high, ({column} & 18446744073709551615)::UBIGINT AS {name}_low"
        for column, name in (("k", "key"), ("c", "content"))
    )
    sandbox.execute(f"CREATE OR REPLACE TABLE hashed AS SELECT _row, {halves} FROM hashed")
    sandbox.execute("DROP TABLE staged")


def _content_hash(sandbox: Sandbox) -> str:
    """The content of a frame, whatever the order of its rows."""
    high, low, n = sandbox.rows(
        "SELECT sum(key_high::HUGEINT) % 18446744073709551616::HUGEINT, "
        "sum(content_low::HUGEINT) % 18446744073709551616::HUGEINT, count(*) FROM hashed"
    )[0]
    return f"{int(high or 0):016x}{int(low or 0):016x}-{n}"


def _last_event(source: Source, observed: list[Observed], sandbox: Sandbox) -> dt.datetime | None:
    """The latest time the data speak of."""
    parts = [f"SELECT greatest(max(_when), max(_start), max(_known)) AS t FROM {o.table}" for o in observed]
    if source.event_log is not None and source.event_log.time is not None:
        parts.append(f"SELECT max({quoted(source.event_log.time)})::TIMESTAMP AS t FROM typed")
    if not parts:
        return None
    last: dt.datetime | None = sandbox.rows(f"SELECT max(t) FROM ({' UNION ALL '.join(parts)})")[0][0]
    return last


def _record(
    engine: Engine,
    source: Source,
    raw: Raw,
    merged: merging.Merged,
    *,
    last_event: dt.datetime | None,
    by: str,
) -> None:
    engine.execute(
        "INSERT INTO load VALUES "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now() AT TIME ZONE 'UTC', ?, ?, ?)",
        [
            merged.load_id,
            merged.source_id,
            raw.file,
            raw.content_hash,
            source.mode,
            raw.read,
            merged.rows,
            merged.accepted,
            merged.updated,
            merged.unchanged,
            merged.retired,
            _rows_rejected(raw.rejects),
            _values_rejected(raw.rejects),
            merged.changed,
            last_event,
            by or _user(),
            __version__,
            json.dumps(source.definition()),
        ],
    )
    if raw.rejects:
        engine.put("_rejected", _columns_of(raw.rejects))
        engine.execute(
            "INSERT INTO rejected SELECT ?, CASE WHEN line < 0 THEN NULL ELSE line END, "
            "nullif(measure, ''), nullif(\"column\", ''), reason, original FROM _rejected",
            [merged.load_id],
        )


def _columns_of(rejects: list[Reject]) -> dict[str, Any]:
    return {
        "line": np.array([-1 if r.line is None else r.line for r in rejects], dtype=np.int64),
        "measure": np.array([r.measure or "" for r in rejects], dtype=object),
        "column": np.array([r.column or "" for r in rejects], dtype=object),
        "reason": np.array([r.reason for r in rejects], dtype=object),
        "original": np.array([r.original for r in rejects], dtype=object),
    }


def _rows_rejected(rejects: list[Reject]) -> int:
    return sum(r.measure is None for r in rejects)


def _values_rejected(rejects: list[Reject]) -> int:
    return sum(r.measure is not None for r in rejects)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


@dataclass(frozen=True, slots=True)
class _Reason:
    reason: str
    column: str
    measure: str


def _report(
    source: Source, raw: Raw, observed: list[Observed], merged: merging.Merged, clock: str
) -> LoadReport:
    counts = Counter(_Reason(_general(r.reason), r.column or "", r.measure or "") for r in raw.rejects)
    first: dict[_Reason, Reject] = {}
    for r in raw.rejects:
        first.setdefault(_Reason(_general(r.reason), r.column or "", r.measure or ""), r)
    ranked = counts.most_common()

    def texts(values: list[str]) -> Any:
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out

    def whole(values: list[int]) -> Any:
        return np.array(values, dtype=np.int64)

    names = [o.measure.measure.name for o in observed]
    rejected, values = _rows_rejected(raw.rejects), _values_rejected(raw.rejects)
    return LoadReport(
        verdict=_verdict(source, raw, observed, merged),
        caveats=(*_caveats(raw, observed, rejected, values), *merged.doubts),
        method=Method("load", {"source": source.definition(), "clock": clock}),
        provenance=Provenance(
            source.name,
            data_hash=str(raw.content_hash),
            n=raw.read,
            load_ids=(merged.load_id,),
            clock=clock,
        ),
        load_id=merged.load_id,
        source=source.name,
        file=raw.file or "",
        read=raw.read,
        rejected=rejected,
        rows=merged.rows,
        accepted=merged.accepted,
        updated=merged.updated,
        unchanged=merged.unchanged,
        retired=merged.retired,
        rejected_values=values,
        measures=texts(names),
        observations=whole([o.observations for o in observed]),
        added=whole([merged.added[n] for n in names]),
        corrected=whole([merged.corrected[n] for n in names]),
        withdrawn=whole([merged.withdrawn[n] for n in names]),
        open_items=whole([o.open_items for o in observed]),
        gaps=whole([o.gaps for o in observed]),
        missing=whole([o.missing for o in observed]),
        values_rejected=whole([o.rejected for o in observed]),
        reasons=texts([k.reason for k, _ in ranked]),
        reason_columns=texts([k.column for k, _ in ranked]),
        reason_measures=texts([k.measure for k, _ in ranked]),
        reason_counts=whole([n for _, n in ranked]),
        reason_lines=whole([-1 if (line := first[k].line) is None else line for k, _ in ranked]),
        reason_examples=texts([first[k].original for k, _ in ranked]),
    )


def _verdict(source: Source, raw: Raw, observed: list[Observed], merged: merging.Merged) -> str:
    what = f"{raw.file or 'The frame'}: {raw.read:,} rows read"
    if source.event_log is not None:
        what += f", {merged.rows:,} items"
    if not merged.changed and not merged.accepted and not merged.updated:
        did = "nothing new"
    else:
        parts = [(merged.accepted, "new"), (merged.updated, "changed"), (merged.unchanged, "unchanged")]
        did = ", ".join(f"{n:,} {word}" for n, word in [*parts, (merged.retired, "gone")] if n) or "none kept"
    rejected, values = _rows_rejected(raw.rejects), _values_rejected(raw.rejects)
    bad = f"{rejected:,} rejected ({rejected / raw.read:.2%})" if rejected else "none rejected"
    text = f"{what}; {did}; {bad}."
    if values:
        text += f" {values:,} single values were rejected as not possible."
    still_open = [f"{o.open_items:,} of {o.measure.measure.name}" for o in observed if o.open_items]
    if still_open:
        text += f" Items still open: {', '.join(still_open)}."
    for doubt in merged.doubts:
        text += f" {doubt.text}"
    return text


def _caveats(raw: Raw, observed: list[Observed], rejected: int, values: int) -> tuple[Caveat, ...]:
    out = []
    if rejected:
        first = next(r for r in raw.rejects if r.measure is None)
        out.append(
            Caveat(
                "rows-rejected",
                f"{rejected:,} of {raw.read:,} rows were rejected; the first: {first.reason} "
                f"(line {first.line}).",
                {"rejected": rejected, "read": raw.read},
            )
        )
    if values:
        out.append(
            Caveat(
                "values-rejected", f"{values:,} values were not possible and left out.", {"rejected": values}
            )
        )
    out += [
        Caveat(
            "values-missing",
            f"{o.missing:,} rows have neither value nor time for {o.measure.measure.name}: they are no "
            "observations of it.",
            {"missing": o.missing, "observations": o.observations},
        )
        for o in observed
        if o.missing
    ]
    return tuple(out)
