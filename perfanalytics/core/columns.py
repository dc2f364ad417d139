"""Checking the columns of a series: numbers, sizes, flags, texts and times, each with a clear error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError

Floats = NDArray[np.float64]


def instant(when: object, clock: str = "local") -> np.datetime64:
    """A date, datetime, datetime64 or ISO text as datetime64[us], in UTC when it carries a zone.

    Raises
    ------
    InputError
        When it is no time, or when a time with a zone meets a series in local wall time (or the reverse).
    """
    if isinstance(when, str):
        try:
            when = dt.datetime.fromisoformat(when)
        except ValueError as error:
            raise InputError(
                f"not a date or time in ISO form (2024-03-31 or 2024-03-31T09:30): {when!r}"
            ) from error
    if hasattr(when, "to_pydatetime"):
        when = when.to_pydatetime()
    if isinstance(when, dt.datetime) and when.tzinfo is not None:
        if clock == "local":
            raise InputError(
                f"{when.isoformat()} has a zone, the series is in local wall time: give both or none a zone"
            )
        when = when.astimezone(dt.UTC).replace(tzinfo=None)
    try:
        out = np.datetime64(when, "us")  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise InputError(f"not a date or time: {when!r}") from error
    if np.isnat(out):
        raise InputError("not a time: NaT")
    return cast("np.datetime64", out)


def check_values(values: ArrayLike) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"values must be numbers (NaN for a gap): {error}") from error
    if array.ndim not in (1, 2):
        raise InputError(f"values must have shape (n,) or (n, k), got {array.shape}")
    infinite = np.isinf(array)
    if infinite.any():
        raise InputError(f"infinite value at point {int(np.argwhere(infinite)[0][0])}: use NaN for a gap")
    return read_only(array)


def check_offsets(offsets: ArrayLike, n: int) -> NDArray[np.int64]:
    array = np.asarray(offsets, dtype=np.int64)
    if array.ndim != 1 or len(array) < 1 or array[0] != 0 or array[-1] != n or (np.diff(array) < 0).any():
        raise InputError(
            f"offsets must rise from 0 to the number of values ({n}), one more than there are series"
        )
    return read_only(array)


def check_column(name: str, array: NDArray[Any], n: int) -> NDArray[Any]:
    if array.shape != (n,):
        raise InputError(f"{name} must have one entry for each of the {n} values, got shape {array.shape}")
    return read_only(array)


def not_negative(name: str, column: ArrayLike | None, n: int) -> Floats | None:
    if column is None:
        return None
    array = np.broadcast_to(np.asarray(column, dtype=np.float64), (n,)) if np.ndim(column) == 0 else column
    array = check_column(name, np.asarray(array, dtype=np.float64), n)
    bad = (array < 0) | np.isinf(array)
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        raise InputError(f"{name} must be finite and not negative; point {k} has {array[k]}")
    return array


def flags(column: ArrayLike | None, n: int) -> NDArray[np.bool_] | None:
    return None if column is None else check_column("censored", np.asarray(column, dtype=bool), n)


def any_column(name: str, column: ArrayLike | None, n: int) -> NDArray[Any] | None:
    if column is None:
        return None
    array = np.asarray(column)
    return check_column(name, array.astype(object) if array.dtype.kind in "UTO" else array, n)


def texts(name: str, column: ArrayLike | None, n: int) -> NDArray[Any] | None:
    if column is None:
        return None
    array = np.asarray(column, dtype=object)
    if not (n and isinstance(column, np.ndarray) and not column.flags.writeable and column.dtype == object):
        array = np.array(
            [None if v is None or v != v else str(v) for v in array.ravel().tolist()], dtype=object
        )
    return check_column(name, array, n)


def times(when: ArrayLike | None, n: int, offsets: NDArray[np.int64]) -> tuple[NDArray[Any] | None, str]:
    if when is None:
        return None, "none"
    clock = "local"
    zone = getattr(when, "tz", None) or getattr(getattr(when, "dtype", None), "tz", None)
    if zone is not None:
        clock = "UTC"
        when = cast("Any", when).tz_convert("UTC").tz_localize(None)
    if isinstance(when, Sequence) and not isinstance(when, str | bytes):
        zoned = [getattr(w, "tzinfo", None) is not None for w in when]
        if any(zoned):
            if not all(zoned):
                raise InputError("some times have a zone, others not: give all or none a zone")
            clock = "UTC"
        when = np.array([instant(w, "UTC") for w in when], dtype="datetime64[us]")
    array = np.asarray(when)
    if array.dtype.kind != "M":
        try:
            array = np.array([instant(w, "UTC") for w in array.ravel()], dtype="datetime64[us]")
        except InputError as error:
            raise InputError(f"when must be dates or times: {error}") from error
    array = check_column("when", array.astype("datetime64[us]", copy=False), n)
    if np.isnat(array).any():
        raise InputError(f"point {int(np.flatnonzero(np.isnat(array))[0])} has no time")
    back = np.diff(array.astype(np.int64)) < 0
    inner = offsets[1:-1]
    back[inner[(inner > 0) & (inner < n)] - 1] = False
    if back.any():
        k = int(np.flatnonzero(back)[0]) + 1
        raise InputError(
            f"times go backwards at point {k} ({array[k - 1]} -> {array[k]}): sort by time first"
        )
    return array, clock


def bytes_of(column: NDArray[Any]) -> memoryview | _Texts:
    if column.dtype == object:
        return _Texts(column)
    return (
        memoryview(np.ascontiguousarray(column).view(np.uint8).reshape(len(column), -1).data)
        if len(column)
        else _Texts(column)
    )


class _Texts:
    """Slices of a text column as bytes, so that it hashes like the numeric ones."""

    def __init__(self, column: NDArray[Any]) -> None:
        self.column = column

    def __getitem__(self, where: slice) -> bytes:
        return "\x1f".join(map(str, self.column[where].tolist())).encode()
