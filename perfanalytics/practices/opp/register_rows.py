"""The rows of a register: what is on record of one version of a saved result."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from perfanalytics.core.archive import Archive, Saved
from perfanalytics.practices.on_record import SORTS, Found, Reader, day, decision_about, review_of

#: What a register is of -> the kinds of saved results in it.
KINDS_OF: dict[str, tuple[str, ...]] = {
    "baseline": ("baseline", "baselines"),
    "model": tuple(kind for kind, sort in SORTS.items() if sort == "model"),
    "limits": ("limits",),
}


def head_of(reader: Reader, saved: Saved) -> str:
    """Name of the analysis a saved result belongs to: its strata are superseded with it."""
    planned = reader.analysis(saved.name)
    return saved.name if planned is None else planned.name


def row_of(
    reader: Reader, saved: Saved, newest: bool, newer: str, stale_after: int, review_every: int
) -> dict[str, Any]:
    """One version of a saved result: what is on record of it."""
    one = reader.found(saved)
    archive = reader.archive
    process, process_from = reader.process(one)
    stale = reader.stale(one, after=stale_after).reasons if newest and not newer else ()
    first, last, agreed = one.first, one.last, reader.agreement(saved.name) if newest else ""
    if saved.result_kind == "limits":
        first, last, agreed = *_limits_period(one), _limits_agreement(one)
    return {
        "name": saved.name,
        "version": saved.version,
        "newest": newest,
        "sort": saved.result_kind,
        "measure": saved.measure,
        "process": process.name if process else "",
        "process_version": process.version if process else "",
        "process_from": process_from,
        "first": first,
        "last": last,
        "age": np.nan if last is None else (archive.on - last).days,
        "n": -1 if one.n is None else one.n,
        "stability": "" if saved.result_kind not in KINDS_OF["baseline"] else one.stability,
        "objective": reader.serves(one) or "",
        "standing": one.standing or "",
        "stale": "; ".join(stale),
        "superseded_by": newer if newest else "",
        "saved_by": saved.by,
        "saved_on": day(saved.saved_at),
        "note": saved.note,
        "agreed": agreed,
        "next_review": _next_review(archive, saved.name, last, review_every)
        if newest and not newer
        else None,
        "verdict": saved.verdict,
    }


def _next_review(archive: Archive, name: str, last: dt.date | None, every: int) -> dt.date | None:
    decision = decision_about(archive, (name,))
    looked = [
        d for d in (review_of(archive, name), decision.decided_on if decision else None) if d is not None
    ]
    since = max(looked) if looked else last
    return None if since is None else since + dt.timedelta(days=every)


def _limits_period(one: Found) -> tuple[dt.date | None, dt.date | None]:
    limits: Any = one.result
    ends = [np.datetime64("NaT") if t is None else t for t in (limits.data_from, limits.data_until)]
    first, last = (None if np.isnat(t) else t.astype("datetime64[D]").item() for t in ends)
    return first, last


def _limits_agreement(one: Found) -> str:
    limits: Any = one.result
    if not limits.agreed_by:
        return ""
    until = f", valid until {limits.valid_until}" if limits.valid_until else ""
    return f"{limits.agreed_by}, {limits.agreed_on}{until}"
