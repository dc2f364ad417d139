"""Bulk runs: a method over every series of a selection, streamed in blocks, resumable.

The observations come in one ordered stream for each range of series, are cut into blocks of whole series
(the incomplete last one carried over), and each block of results is committed by itself. A run that was
interrupted goes on where it stopped; it shows in the history only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics._version import __version__
from perfanalytics.core import codec
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.errors import InputError, RepositoryError
from perfanalytics.repository.assembling import Prepared, assemble, prepare
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.observations import ordered
from perfanalytics.repository.selection import Selection
from perfanalytics.repository.source import quoted

if TYPE_CHECKING:
    import pandas as pd

    from perfanalytics.core.series import SeriesBatch

#: Points of a block: its columns stay in the cache.
BLOCK = 1 << 17
#: Points of one ordered query: what is sorted at a time, so that memory does not grow with the repository.
RANGE = 1 << 22
_SQL_TYPES = {
    "float": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished bulk run.

    Parameters
    ----------
    key : str
        A hash of method, selection, last load and package version: the name of the run.
    method, selection : mapping
        What was done to what, as plain JSON values.
    series : int
        Number of series.
    """

    key: str
    method: Mapping[str, Any]
    selection: Mapping[str, Any]
    series: int
    _engine: Engine = field(repr=False, compare=False)
    _table: str = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per series: its id and the columns of the method.

        In the order of ``repo.batch(...).ids``: by the values of the attributes, numbers as numbers.
        """
        import pandas as pd

        found = self._engine.columns(f"SELECT * EXCLUDE (_g) FROM {self._table} ORDER BY _g")
        return pd.DataFrame(found)


def run(
    engine: Engine,
    selection: Selection,
    method: BulkMethod,
    *,
    progress: bool | Progress = True,
    block: int = BLOCK,
) -> Run:
    """Apply a method to every series of a selection. See :meth:`perfanalytics.Repository.map`."""
    if not isinstance(selection, Selection):
        raise InputError("map() takes a selection: repo.select(measure, by=...)")
    if not isinstance(method, BulkMethod):
        raise InputError("map() takes a bulk method: perf.method(name, ...)")
    if "id" in method.columns or any(c.startswith("_") for c in method.columns):
        raise InputError("a column of a bulk method cannot be called 'id' or begin with an underscore")
    record = {
        "method": {"name": method.method.name, "parameters": codec.encode(method.method.parameters)},
        "selection": selection.to_record(),
    }
    key = run_key(engine, selection, method)
    found = engine.rows("SELECT run_id, finished_at, series FROM run WHERE key = ?", [key])
    if found and found[0][1] is not None:
        return Run(key, record["method"], record["selection"], found[0][2], engine, _table(found[0][0]))
    if engine.read_only:
        raise RepositoryError(f"{engine.path} is open read-only: a run cannot be kept")
    prepared = prepare(engine, selection)
    present = np.flatnonzero(prepared.extent.counts)
    run_id = found[0][0] if found else _begin(engine, key, record, method, len(present))
    table = _table(run_id)
    done = engine.rows(f"SELECT coalesce(max(_g), -1) FROM {table}")[0][0]
    types = {"_g": "INTEGER", "id": "VARCHAR"} | {c: _SQL_TYPES[k] for c, k in method.columns.items()}
    told = _Told(progress, len(present), int((present <= done).sum()))
    try:
        for batch, numbers in _blocks(engine, prepared, present[present > done], block):
            columns = method(batch)
            rows = {"_g": numbers, "id": _texts(batch.ids)} | {c: _storable(columns[c]) for c in columns}
            with engine.transaction():
                engine.append(table, rows, types)
            told.more(len(batch))
    finally:
        told.close()
    with engine.transaction():
        engine.execute(
            "UPDATE run SET finished_at = now() AT TIME ZONE 'UTC', series = ? WHERE run_id = ?",
            [len(present), run_id],
        )
    return Run(key, record["method"], record["selection"], len(present), engine, table)


def run_key(engine: Engine, selection: Selection, method: BulkMethod) -> str:
    """The name of a run: what was done, to what, on which state of the data, by which version."""
    last = engine.rows(
        "SELECT coalesce(max(load_id), 0) FROM load JOIN measure_source USING (source_id) "
        "JOIN measure USING (measure_id) WHERE name = ? AND changed",
        [selection.measure],
    )[0][0]
    declared = engine.rows(
        "SELECT coalesce(max(record_id), 0) FROM record "
        "WHERE kind IN ('event', 'change', 'exclusion', 'process', 'measure')"
    )[0][0]
    text = json.dumps(
        [method.method.key, dict(method.columns), selection.to_record(), last, declared, __version__],
        sort_keys=True,
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def runs(engine: Engine, key: str) -> Run:
    """A finished run by its key."""
    found = engine.rows(
        "SELECT run_id, method, selection, series FROM run WHERE key = ? AND finished_at IS NOT NULL", [key]
    )
    if not found:
        raise RepositoryError(f"there is no finished run {key}")
    run_id, method, selection, series = found[0]
    return Run(key, json.loads(method), json.loads(selection), series, engine, _table(run_id))


def _begin(engine: Engine, key: str, record: dict[str, Any], method: BulkMethod, series: int) -> int:
    columns = "".join(f", {quoted(c)} {_SQL_TYPES[kind]}" for c, kind in method.columns.items())
    with engine.transaction():
        run_id = int(engine.rows("SELECT coalesce(max(run_id), 0) + 1 FROM run")[0][0])
        engine.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, now() AT TIME ZONE 'UTC', NULL, ?)",
            [
                run_id,
                key,
                json.dumps(record["method"]),
                json.dumps(record["selection"]),
                json.dumps(dict(method.columns)),
                series,
                __version__,
            ],
        )
        engine.execute(f"CREATE TABLE {_table(run_id)} (_g INTEGER, id VARCHAR{columns})")
    return run_id


def _table(run_id: int) -> str:
    return f"runs.run_{int(run_id)}"


def _blocks(
    engine: Engine, prepared: Prepared, present: NDArray[np.int64], block: int
) -> Iterator[tuple[SeriesBatch, NDArray[np.int64]]]:
    """Batches of whole series of about ``block`` points, with the numbers of their groups."""
    items = (
        prepared.extent.has_items
        and prepared.span is None
        and any(e.item is not None for e in prepared.exclusions)
    )
    for low, high in _ranges(present, prepared.extent.counts):
        query = ordered(
            prepared.query,
            prepared.extent,
            items=items,
            zone=prepared.selection.period_zone,
            attributes=prepared.attributes,
            period_zone=prepared.wall_zone,
            low=low,
            high=high,
        )
        left: dict[str, NDArray[Any]] | None = None
        for piece in engine.stream(query.sql, query.parameters, points=block):
            columns = piece if left is None else {c: np.concatenate([left[c], piece[c]]) for c in piece}
            g = columns["g"]
            # the last series of the piece may go on in the next
            cut = int(np.searchsorted(g, g[-1]))
            if cut < max(block // 2, 1):
                left = columns
                continue
            yield _batch(prepared, {c: v[:cut] for c, v in columns.items()})
            left = {c: v[cut:] for c, v in columns.items()}
        if left is not None and len(left["g"]):
            yield _batch(prepared, left)


def _batch(prepared: Prepared, columns: dict[str, NDArray[Any]]) -> tuple[SeriesBatch, NDArray[np.int64]]:
    g = columns["g"]
    numbers = g[np.concatenate([[True], g[1:] != g[:-1]])].astype(np.int64)
    return assemble(prepared, columns, numbers), numbers


def _ranges(present: NDArray[np.int64], counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of groups, each of about RANGE points."""
    if not len(present):
        return []
    which = np.cumsum(counts[present]) // RANGE
    starts = np.flatnonzero(np.concatenate([[True], which[1:] != which[:-1]]))
    low = present[starts]
    return [(int(a), int(b)) for a, b in zip(low, [*low[1:].tolist(), int(present[-1]) + 1], strict=True)]


def _texts(values: tuple[str, ...]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _storable(column: NDArray[Any]) -> NDArray[Any]:
    return column.astype(object) if column.dtype.kind in "UT" else np.ascontiguousarray(column)


class _Told:
    """Progress: on the terminal, to a function, or not at all."""

    def __init__(self, progress: bool | Progress, total: int, done: int) -> None:
        self._total, self._done = total, done
        self._function = progress if callable(progress) else None
        self._bar: Any = None
        if progress is True:
            import sys

            if sys.stderr.isatty():
                from rich.console import Console
                from rich.progress import Progress as Bar

                self._bar = Bar(console=Console(stderr=True))
                self._bar.start()
                self._task = self._bar.add_task("series", total=total, completed=done)

    def more(self, n: int) -> None:
        self._done += n
        if self._function is not None:
            self._function(self._done, self._total)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
