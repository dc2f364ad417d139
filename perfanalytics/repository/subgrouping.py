"""Attributes beside the values: the subgroup of each observation, the most frequent value of a period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.periods import period_number, period_start

if TYPE_CHECKING:
    from perfanalytics.repository.selection import Selection


def subgroups_of(
    selection: Selection, columns: Mapping[str, NDArray[Any]], aliases: Mapping[str, str]
) -> NDArray[Any] | None:
    """The subgroup of each observation, shape (n,); None where none are asked for.

    Periods are cut on the wall clock of the selection and called by their start.
    """
    if not selection.subgroups:
        return None
    parts: list[NDArray[Any]] = []
    for name in selection.subgroups:
        if name in aliases:
            parts.append(columns[aliases[name]])
            continue
        when = columns.get("wall", columns["t"]).astype("datetime64[us]", copy=False)
        week = selection.week_start or "monday"
        start = period_start(period_number(when, name, week_start=week), name, week_start=week)
        parts.append(start.astype("datetime64[m]" if name == "hour" else "datetime64[D]"))
    if len(parts) == 1 and not missing(parts[0]).any():
        return parts[0]
    texts = [_texts(part) for part in parts]
    out = np.empty(len(texts[0]), dtype=object)
    out[:] = [", ".join(row) for row in zip(*texts, strict=True)]
    return out


def _texts(column: NDArray[Any]) -> list[str]:
    gone = missing(column)
    return ["(missing)" if g else str(v) for v, g in zip(column.tolist(), gone.tolist(), strict=True)]


def missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    """True where an attribute has no value."""
    if column.dtype == object:
        return np.array([v is None or v != v for v in column.tolist()], dtype=bool)
    return np.asarray(np.isnat(column) if column.dtype.kind == "M" else column != column, dtype=bool)


def most_frequent(cell: NDArray[Any], column: NDArray[Any], cells: int) -> NDArray[Any]:
    """The value that most observations of each cell have; of as many, the one seen last.

    Parameters
    ----------
    cell : int array, shape (n,)
        In order of time within a cell.
    column : array, shape (n,)
    cells : int

    Returns
    -------
    array, shape (cells,)
        Missing where no observation has a value: None for texts and truth values, NaN, NaT.

    Examples
    --------
    >>> column = np.array(["a", "b", "b", "a", "b"], dtype=object)
    >>> most_frequent(np.array([0, 0, 0, 2, 2]), column, 3).tolist()
    ['b', None, 'b']
    """
    kept = np.flatnonzero(~missing(column))
    values = column[kept]
    if values.dtype == object:
        levels, code = np.unique(
            np.array([str(v) for v in values.tolist()], dtype=object), return_inverse=True
        )
    else:
        levels, code = np.unique(values, return_inverse=True)
    many = max(len(levels), 1)
    pairs, which, count = np.unique(cell[kept] * many + code, return_inverse=True, return_counts=True)
    last = np.zeros(len(pairs), dtype=np.int64)
    np.maximum.at(last, which, kept)
    of = pairs // many
    order = np.lexsort((last, count, of))
    ends = order[np.append(of[order][1:] != of[order][:-1], True)] if len(order) else order
    found = levels[pairs[ends] % many]
    if len(ends) == cells and levels.dtype != object:
        return np.asarray(found)
    kind = levels.dtype.kind
    out: NDArray[Any]
    if kind == "M":
        out = np.full(cells, np.datetime64("NaT"), dtype=levels.dtype)
    elif kind in "iuf":
        out = np.full(cells, np.nan)
    else:
        out = np.full(cells, None, dtype=object)
    out[of[ends]] = found
    return out
