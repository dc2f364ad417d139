"""Data-integrity checks on what is in the repository: a first set, close to the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfanalytics.repository import dangling
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.part import EVERYTHING
from perfanalytics.repository.selection import measure_record

if TYPE_CHECKING:
    import pandas as pd

_DONE = "retired_load_id IS NULL AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?)"

#: Name, what it means, query for (number, example) over the current observations of a measure.
_CHECKS = (
    (
        "missing value",
        "observations without a value and without an open item",
        "value IS NULL AND started IS NULL",
    ),
    ("open item", "items that began and have no value yet", "value IS NULL AND started IS NOT NULL"),
    (
        "ends before it starts",
        "the time of the observation lies before the start of the item",
        "time < started",
    ),
    ("known before it happened", "known before the time of the observation", "known < time"),
    ("known before it starts", "known before the start of the item", "known < started"),
    ("no denominator", "a denominator of zero", "size = 0"),
    (
        "future time",
        "a time after the moment of loading",
        "time > (SELECT max(loaded_at) + INTERVAL 1 DAY FROM load)",
    ),
)


def checks(engine: Engine) -> pd.DataFrame:
    """See :meth:`perfanalytics.Repository.checks`."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for measure_id, name in engine.rows("SELECT measure_id, name FROM measure ORDER BY measure_id"):
        rows += measure_checks(engine, measure_id, name)
    rows += dangling.references(engine)
    columns = ["measure", "check", "meaning", "found", "observations", "share", "example"]
    return pd.DataFrame(rows, columns=columns)


def measure_checks(
    engine: Engine, measure_id: int, name: str, *, source: str = EVERYTHING
) -> list[dict[str, Any]]:
    """The rows of one measure; ``source`` stands for a part of its observations."""
    rows: list[dict[str, Any]] = []
    measure = measure_record(engine, name)
    total = engine.rows(f"SELECT count(*) FROM {source} WHERE {_DONE}", [measure_id])[0][0]
    listed = list(_CHECKS)
    if measure.scale in ("duration", "positive", "count"):
        what = "a duration below zero" if measure.scale == "duration" else "a value below zero"
        listed.append(("negative value", what, "value < 0"))
    if measure.scale == "duration":
        listed.append(("zero duration", "took no time at all", "value = 0"))
    for check, what, condition in listed:
        n, item = engine.rows(
            f"SELECT count(*), min(item) FROM {source} WHERE {_DONE} AND {condition}", [measure_id]
        )[0]
        rows.append(_row(name, check, what, n, total, item))
    same = "item, time, value, series_id"
    n, item = engine.rows(
        f"SELECT coalesce(sum(n - 1), 0), min(item) FROM (SELECT {same}, count(*) AS n FROM {source} "
        f"WHERE {_DONE} GROUP BY {same} HAVING count(*) > 1)",
        [measure_id],
    )[0]
    rows.append(_row(name, "exact duplicate", "same item, time, value and attributes", n, total, item))
    n, item = engine.rows(
        f"SELECT coalesce(sum(n - 1), 0), min(item) FROM (SELECT item, count(*) AS n FROM {source} "
        f"WHERE {_DONE} AND item IS NOT NULL GROUP BY item HAVING count(*) > 1)",
        [measure_id],
    )[0]
    rows.append(_row(name, "repeated item", "further observations of the same item", n, total, item))
    n = engine.rows(
        "SELECT count(*) FROM rejected WHERE measure = ? AND load_id IN "
        "(SELECT max(load_id) FROM load JOIN measure_source USING (source_id) WHERE measure_id = ? "
        "GROUP BY source_id)",
        [name, measure_id],
    )[0][0]
    what = "values rejected by the last loads as not possible"
    if source != EVERYTHING:
        what += ", whatever part of the measure they belong to"  # a rejected row was not read further
    rows.append(_row(name, "out of range", what, n, total, None))
    return rows


def _row(measure: str, check: str, what: str, n: Any, total: int, item: str | None) -> dict[str, Any]:
    return {
        "measure": measure,
        "check": check,
        "meaning": what,
        "found": int(n),
        "observations": int(total),
        "share": int(n) / total if total else 0.0,
        "example": item,
    }
