"""Outages as intervals: merged where they overlap, without planned ones, measured in agreed service time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.calendars import Calendar, working_hours
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

Times = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Intervals in order of their start, as microseconds since 1970."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]


def union(spans: Spans) -> Spans:
    """Overlapping and touching intervals as one.

    Examples
    --------
    >>> u = union(Spans(np.array([1, 2, 9]), np.array([5, 3, 10])))
    >>> u.start.tolist(), u.end.tolist()
    ([1, 9], [5, 10])
    """
    if not len(spans.start):
        return spans
    order = np.argsort(spans.start, kind="stable")
    start, end = spans.start[order], np.maximum.accumulate(spans.end[order])
    fresh = np.append(True, start[1:] > end[:-1])
    last = np.append(np.flatnonzero(fresh)[1:] - 1, len(start) - 1)
    return Spans(start[fresh], end[last])


def without(spans: Spans, taken: Spans) -> tuple[Spans, NDArray[np.int64]]:
    """What is left of each interval (both already merged), and which one each piece comes from."""
    start, end, origin = [], [], []
    k = 0
    for i, (a, b) in enumerate(zip(spans.start.tolist(), spans.end.tolist(), strict=True)):
        while k < len(taken.end) and taken.end[k] <= a:
            k += 1
        at, j = a, k
        while j < len(taken.start) and taken.start[j] < b:
            if taken.start[j] > at:
                start.append(at)
                end.append(int(taken.start[j]))
                origin.append(i)
            at = max(at, int(taken.end[j]))
            j += 1
        if at < b:
            start.append(at)
            end.append(b)
            origin.append(i)
    as_array = [np.array(x, dtype=np.int64) for x in (start, end, origin)]
    return Spans(as_array[0], as_array[1]), as_array[2]


def hours(spans: Spans, calendar: Calendar | None) -> Floats:
    """Length of each interval in hours, of the calendar where there is one."""
    if calendar is None:
        return np.asarray((spans.end - spans.start) / 3.6e9)
    a, b = spans.start.astype("datetime64[us]"), spans.end.astype("datetime64[us]")
    return working_hours(a, b, calendar)


def instants(name: str, times: ArrayLike, *, missing: bool = False) -> NDArray[np.int64]:
    """Times as microseconds; NaT only where it may stand.

    Raises
    ------
    InputError
    """
    array = np.asarray(times)
    if array.dtype.kind != "M":
        if array.size and array.dtype.kind in "iufb":
            raise InputError(f"{name} must be instants (datetime64), got numbers")
        if array.dtype.kind == "O" and any(getattr(v, "tzinfo", None) for v in array.ravel().tolist()):
            raise InputError(f"{name} have a time zone: give wall time of one zone, without it")
        try:
            array = array.astype("datetime64[us]")
        except (TypeError, ValueError) as error:
            raise InputError(f"{name} must be instants (datetime64): {error}") from error
    if array.ndim > 1:
        raise InputError(f"{name} must have shape (n,), got {array.shape}")
    if not missing and np.isnat(array).any():
        raise InputError(f"{name} has missing times (NaT)")
    return np.atleast_1d(array.astype("datetime64[us]").astype(np.int64))
