"""Columns out of a frame: values as numbers, names as codes with their labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Provenance

Codes = NDArray[np.intp]


def column(frame: object, name: str, what: str) -> NDArray[Any]:
    """One column of a DataFrame or of a mapping of columns, shape (n,).

    Raises
    ------
    InputError
        When the frame has no columns.
    UnknownNameError
        When there is no column of this name.
    """
    names = list(frame) if isinstance(frame, Mapping) else list(getattr(frame, "columns", ()))
    if not names:
        raise InputError(
            f"a data frame with one row per measurement (or a mapping of columns) was expected, got "
            f"{type(frame).__name__}"
        )
    if name not in names:
        raise UnknownNameError(f"column ({what}=)", str(name), [str(n) for n in names])
    found: Any = frame
    return np.asarray(found[name])


def numbers(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    """The values as floats, missing ones NaN.

    Raises
    ------
    InputError
        For values that are no numbers, and for infinite ones.
    """
    try:
        out = np.array([np.nan if is_missing(v) else float(v) for v in values.ravel().tolist()])
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numbers: {error}") from error
    if np.isinf(out).any():
        raise InputError(f"{what} must be finite: row {int(np.flatnonzero(np.isinf(out))[0])} is infinite")
    return out.reshape(values.shape)


def is_missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas' NA refuses to be true or false
        return True


def labels_of(values: NDArray[Any], what: str) -> tuple[Codes, tuple[str, ...]]:
    """Codes 0, 1, ... and the label of each: numbers in their order, texts in order of first appearance.

    Raises
    ------
    InputError
        When a name is missing.

    Examples
    --------
    >>> codes, labels = labels_of(np.array([10, 2, 10]), "part")
    >>> codes.tolist(), labels
    ([1, 0, 1], ('2', '10'))
    """
    items = [plain(v) for v in values.tolist()]
    for k, v in enumerate(items):
        if is_missing(v):
            raise InputError(f"row {k} has no {what}: every row needs one")
    distinct: list[Any] = list(dict.fromkeys(items))
    if all(isinstance(v, int | float) for v in distinct):
        distinct.sort()
    where = {v: k for k, v in enumerate(distinct)}
    return np.array([where[v] for v in items], dtype=np.intp), tuple(label(v) for v in distinct)


def plain(value: object) -> Any:
    """A value of NumPy as one of Python, so that equal things are equal."""
    return value.item() if isinstance(value, np.generic) else value


def label(value: object) -> str:
    """The name as text; whole numbers without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def texts(values: Sequence[str]) -> NDArray[Any]:
    """A read-only text column of a result."""
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return read_only(out)


def check_level(confidence: float) -> None:
    """Raise unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")


def provenance(name: str, n: int, *columns: NDArray[Any] | Sequence[str]) -> Provenance:
    """Provenance of bare columns: a hash of all of them."""
    digest = hashlib.blake2b(digest_size=16)
    for c in columns:
        if isinstance(c, np.ndarray) and c.dtype != object:
            digest.update(np.ascontiguousarray(c).tobytes())
        else:
            digest.update("\x1f".join(map(str, c)).encode())
        digest.update(b"\x1e")
    return Provenance(name, data_hash=digest.hexdigest(), n=n)
