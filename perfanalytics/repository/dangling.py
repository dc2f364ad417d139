"""Records that refer to nothing: a plan declares before it loads, so that this is seen only afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, nearest
from perfanalytics.core.records import Exclusion
from perfanalytics.repository import records_store
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.happenings import day_bounds
from perfanalytics.repository.zones import measure_zone

_REFERRING = ("objective", "event", "exclusion")


def references(engine: Engine) -> list[dict[str, Any]]:
    """One row of ``repo.checks()`` for each record that refers to nothing."""
    loaded = {
        str(name): (int(number), str(clock))
        for number, name, clock in engine.rows("SELECT measure_id, name, clock FROM measure")
    }
    out = []
    for kind in _REFERRING:
        for record in records_store.records(engine, kind):
            if record.measure is not None and record.measure not in loaded:
                meaning = _hint("names a measure that was not loaded", record.measure, loaded)
                out.append(_row(record.measure, f"{kind} of no measure", meaning, record))
    attributes: dict[str, set[str]] = {name: set() for name in loaded}
    for name, attribute in engine.rows(
        "SELECT m.name, a.name FROM attribute a JOIN measure m USING (measure_id)"
    ):
        attributes[str(name)].add(str(attribute))
    everywhere = set().union(*attributes.values())
    for kind in ("event", "change"):
        for record in records_store.records(engine, kind):
            of = getattr(record, "measure", None)
            known = everywhere if of is None else attributes.get(of, everywhere)
            for name in record.where:
                if name not in known:
                    meaning = _hint(f"where names {name!r}, which is no attribute", name, known)
                    out.append(_row(of or "", f"{kind} of no attribute", meaning, record))
    for record in records_store.records(engine, "exclusion"):
        about = [m for m in loaded if record.measure in (None, m)]
        if about and not any(_meets(engine, record, *loaded[m], m) for m in about):
            meaning = "meets no observation"
            if record.label is not None:
                meaning += ": series of the repository have no labels, name it by when= or item="
            out.append(_row(record.measure or "", "exclusion of nothing", meaning, record))
    return out


def _meets(engine: Engine, record: Exclusion, measure_id: int, clock: str, measure: str) -> bool:
    """Whether an observation of the measure is named, by its time or its start."""
    current = (
        "SELECT 1 FROM observation WHERE retired_load_id IS NULL AND series_id IN "
        "(SELECT series_id FROM series WHERE measure_id = ?)"
    )
    if record.item is not None:
        return bool(engine.rows(f"{current} AND item = ? LIMIT 1", [measure_id, record.item]))
    if record.when is None:
        return False
    zone = measure_zone(engine, measure, measure_id, clock, None)
    try:
        low, high = (str(instant(t, clock)) for t in day_bounds(record, zone))
    except InputError:  # a time with an offset for a measure in local wall time
        return False
    between = "BETWEEN ?::TIMESTAMP AND ?::TIMESTAMP"
    found = engine.rows(
        f"{current} AND (time {between} OR started {between} OR known {between}) LIMIT 1",
        [measure_id, low, high, low, high, low, high],
    )
    return bool(found)


def _hint(meaning: str, name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return meaning + (f": did you mean {near!r}?" if near else "")


def _row(measure: str, check: str, meaning: str, record: Any) -> dict[str, Any]:
    return {
        "measure": measure,
        "check": check,
        "meaning": meaning,
        "found": 1,
        "observations": 0,
        "share": 0.0,
        "example": record.reason if isinstance(record, Exclusion) else record.name,
    }
