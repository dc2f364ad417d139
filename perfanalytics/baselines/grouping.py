"""A frame with one row per observation, cut into the series of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core import codec
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.series import SeriesBatch

if TYPE_CHECKING:
    import pandas as pd

#: What a row without the attribute is called.
MISSING = "(missing)"


@dataclass(frozen=True, slots=True)
class Grouped:
    """The batch of the groups, and what was left out.

    ``rows`` (n,) are the positions in the frame of the points of the batch; ``without_time`` rows had no
    time.
    """

    batch: SeriesBatch
    rows: NDArray[np.int64]
    without_time: int


def is_frame(data: object) -> TypeGuard[pd.DataFrame]:
    """Whether it is a pandas DataFrame, without importing pandas."""
    return type(data).__name__ == "DataFrame" and hasattr(data, "columns") and hasattr(data, "attrs")


def measure_of(frame: pd.DataFrame, value: str, measure: Measure | None) -> Measure:
    """What a column means: as given, as the repository says, else only its name."""
    if measure is not None:
        return measure
    record = frame.attrs.get("measures", {}).get(value)
    if record is not None:
        known = codec.from_record(record, expect=Measure)
        assert isinstance(known, Measure)
        return known
    return Measure(value, definition="", unit="", better="unknown", scale=None)


def column(frame: pd.DataFrame, name: str, what: str) -> pd.Series:
    """A column of a frame.

    Raises
    ------
    UnknownNameError
    """
    if name not in frame.columns:
        raise UnknownNameError(f"column of the frame ({what})", str(name), [str(c) for c in frame.columns])
    found: pd.Series = frame[name]
    return found


def codes_of(frame: pd.DataFrame, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """Level of each row (0 ... k - 1) and the names of the levels, sorted as what they are; missing last."""
    import pandas as pd

    values = column(frame, name, "by=")
    codes, levels = pd.factorize(values, sort=True)
    names = [_text(v) for v in levels]
    out = np.asarray(codes, dtype=np.int64)
    if (out < 0).any():
        out = np.where(out < 0, len(names), out)
        names.append(MISSING)
    return out, names


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def batch_from_frame(
    frame: pd.DataFrame, *, value: str, by: str | Sequence[str], measure: Measure | None = None
) -> Grouped:
    """The series of the groups, each in order of time (``when``; without it in the order of the rows).

    Raises
    ------
    UnknownNameError
        For a column that does not exist.
    InputError
        For values that are no numbers.
    """
    names = [by] if isinstance(by, str) else list(by)
    values = numbers_of(frame, value)
    parts = [codes_of(frame, name) for name in names]
    together = np.stack([codes for codes, _ in parts], axis=1)
    levels, code = np.unique(together, axis=0, return_inverse=True)
    code = code.ravel()
    ids = [
        ", ".join(
            f"{name}={labels[level]}" for name, (_, labels), level in zip(names, parts, row, strict=True)
        )
        for row in levels.tolist()
    ]
    when = times_of(frame)
    known = np.ones(len(frame), dtype=bool) if when is None else ~np.isnat(when)
    rows = np.flatnonzero(known)
    order = np.lexsort((code[rows],) if when is None else (when[rows], code[rows]))
    rows = rows[order]
    counts = np.bincount(code[rows], minlength=len(ids))
    present = np.flatnonzero(counts)
    taken = measure_of(frame, value, measure)
    size, opened = f"{value}_size", f"{value}_censored"
    sizes = frame[size].to_numpy(dtype=float)[rows] if size in frame.columns else None
    if sizes is not None and np.isnan(sizes).all():
        sizes = None
    censored = frame[opened].to_numpy(dtype=bool)[rows] if opened in frame.columns else None
    batch = SeriesBatch(
        values[rows],
        np.concatenate([[0], np.cumsum(counts[present])]),
        measure=taken,
        ids=[ids[i] for i in present.tolist()],
        when=None if when is None else when[rows],
        sizes=sizes,
        censored=censored if censored is not None and censored.any() else None,
        items=frame["item"].to_numpy(dtype=object)[rows] if "item" in frame.columns else None,
        selection={"measure": taken.name, "by": names},
        clock=frame.attrs.get("clock") if when is not None else None,
    )
    return Grouped(batch, rows, int(len(frame) - known.sum()))


def numbers_of(frame: pd.DataFrame, value: str) -> NDArray[np.float64]:
    """The values as numbers, NaN where missing."""
    found = column(frame, value, "value=")
    try:
        return found.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {value!r} holds no numbers: {error}") from error


def times_of(frame: pd.DataFrame) -> NDArray[np.datetime64] | None:
    """The column ``when`` as times; None where the frame has none."""
    if "when" not in frame.columns or not str(frame["when"].dtype).startswith("datetime64"):
        return None
    when = frame["when"]
    if getattr(when.dtype, "tz", None) is not None:
        when = when.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(when.to_numpy(dtype="datetime64[us]"))
