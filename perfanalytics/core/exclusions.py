"""Which points an exclusion record names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Exclusion


def named_points(
    record: Exclusion,
    *,
    n: int,
    when: NDArray[Any] | None,
    clock: str,
    labels: NDArray[Any] | None,
    items: NDArray[Any] | None,
    lenient: bool = False,
) -> list[int]:
    """Positions (0-based) of the points the record names in a series of ``n`` points.

    ``lenient`` lets a position beyond the end pass: a record about every series of a batch need not
    fit the short ones.

    Raises
    ------
    InputError
        When the record names a point that does not exist, or by a column the series does not have.
    """
    if record.point is not None:
        if not -n <= record.point < n:
            if lenient:
                return []
            raise InputError(f"exclusion of point {record.point}: the series has {n} points (0 to {n - 1})")
        return [range(n)[record.point]]
    if record.when is not None:
        if when is None:
            raise InputError(
                "an exclusion names a time, but the series has none: name it by point= or label="
            )
        start = instant(record.when, clock)
        if record.until is not None:
            found = (when >= start) & (when <= instant(record.until, clock))
        else:
            found = when == start
        return [int(k) for k in np.flatnonzero(found)]
    column, wanted = (labels, record.label) if record.label is not None else (items, record.item)
    if column is None:
        raise InputError("an exclusion names a label or an item, but the series has none")
    return [int(k) for k in np.flatnonzero(column == wanted)]
