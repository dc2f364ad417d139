"""Columns of a table that an analyst hands over: texts, numbers, times, each with a clear error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core import codec
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure

#: What a row without a value is called.
MISSING = "(missing)"


def column(frame: object, name: str) -> Any:
    """One column of a pandas DataFrame or of a mapping of name to column; zones become UTC.

    Raises
    ------
    InputError
        When it is no table.
    UnknownNameError
        When it has no such column.
    """
    columns = getattr(frame, "columns", None)
    known = [str(c) for c in columns] if columns is not None else None
    if known is None and isinstance(frame, Mapping):
        known = [str(c) for c in frame]
    if known is None:
        raise InputError(
            "a table with named columns is needed (pandas DataFrame, or a mapping of name to list), got "
            f"{type(frame).__name__}"
        )
    if name not in known:
        raise UnknownNameError("column", name, known)
    found = frame[name]  # type: ignore[index]
    zone = getattr(getattr(found, "dtype", None), "tz", None)
    return found.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else found


def texts(values: Any) -> NDArray[Any]:
    """Names of categories as an object array; what is missing is ``(missing)``, whole numbers have no ``.0``.

    Examples
    --------
    >>> texts(["a", None, 3.0]).tolist()
    ['a', '(missing)', '3']
    """
    given = np.asarray(values, dtype=object)
    if given.ndim != 1:
        raise InputError(f"categories are one column, got the shape {given.shape}")
    out = np.empty(len(given), dtype=object)
    out[:] = [_text(v) for v in given.tolist()]
    return out


def _text(value: object) -> str:
    if value is None or value != value or str(value) in ("<NA>", "NaT", ""):
        return MISSING
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def numbers(values: Any, name: str) -> Floats:
    """A column as numbers, NaN where it is empty."""
    try:
        if hasattr(values, "to_numpy"):
            y = values.to_numpy(dtype=float, na_value=np.nan)
        else:
            y = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"the column {name!r} must hold numbers: {error}") from error
    if np.isinf(y).any():
        raise InputError(f"infinite value in {name!r}: use NaN for a missing one")
    return np.array(y, dtype=float)


def moments(values: Any, name: str) -> NDArray[np.datetime64]:
    """A column as times (microseconds), NaT where it is empty."""
    try:
        found = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
        return np.asarray(found, dtype="datetime64[us]")
    except (TypeError, ValueError) as error:
        raise InputError(f"the column {name!r} must hold times: {error}") from error


def order_of(frame: object, name: str, labels: NDArray[Any]) -> list[str]:
    """The levels of a column: categories in their own order; numbers by size; else by name; missing last."""
    present = set(labels.tolist())
    declared = getattr(getattr(column(frame, name), "cat", None), "categories", None)
    if declared is not None:
        ordered = [t for t in (_text(c) for c in declared) if t in present]
    else:
        rest = present - {MISSING}
        try:
            ordered = sorted(rest, key=float)
        except ValueError:
            ordered = sorted(rest)
    return ordered + ([MISSING] if MISSING in present and MISSING not in ordered else [])


def measure_in(frame: object, value: str, measure: Measure | None) -> Measure:
    """What a column means: as given, as the repository says, else only its name."""
    if measure is not None:
        return measure
    records = getattr(frame, "attrs", {}).get("measures", {})
    if value in records:
        found = codec.from_record(records[value], expect=Measure)
        assert isinstance(found, Measure)
        return found
    return Measure(value, definition="", unit="", better="unknown", scale=None)


def clock_in(frame: object) -> str:
    """Whether times of a frame are in UTC or local wall time."""
    return str(getattr(frame, "attrs", {}).get("clock") or "local")


def hash_of(*columns: NDArray[Any] | None) -> str:
    """A hash of columns, for the provenance of a result."""
    digest = hashlib.blake2b(digest_size=16)
    for found in columns:
        if found is None:
            digest.update(b"-")
        elif found.dtype == object:
            digest.update("\x1f".join(map(str, found.tolist())).encode())
        else:
            digest.update(np.ascontiguousarray(found).view(np.uint8).tobytes())
    return digest.hexdigest()
