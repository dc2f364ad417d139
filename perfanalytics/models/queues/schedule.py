"""Clock and shifts of a simulated queue: times as numbers, and the number of servers in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.calendars import Calendar, open_hours
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.queues.recursion import Steps

#: Units of times that are instants, in microseconds.
MICROSECONDS = {"seconds": 1e6, "minutes": 6e7, "hours": 3.6e9, "days": 8.64e10}
#: How long shifts go on after the last arrival, so that the queue can empty.
DRAIN = np.timedelta64(370, "D")

Servers = int | Sequence[tuple[Any, int]]


@dataclass(frozen=True, slots=True)
class Clock:
    """Times as numbers of ``unit`` since ``origin`` (None where they are numbers already)."""

    unit: str
    origin: np.datetime64 | None

    def numbers(self, name: str, times: ArrayLike) -> Floats:
        """Times as numbers.

        Raises
        ------
        InputError
            For instants among numbers or the other way round, and missing times.
        """
        array = np.asarray(times)
        instants = array.dtype.kind == "M"
        if array.size and instants != (self.origin is not None):
            have = "numbers" if self.origin is None else "instants (datetime64)"
            raise InputError(f"{name} must be {have}, as the arrivals are")
        if self.origin is not None and array.size:
            if np.isnat(array).any():
                raise InputError(f"{name} has missing times (NaT)")
            since = (array.astype("datetime64[us]") - self.origin).astype(np.int64)
            return np.asarray(since / MICROSECONDS[self.unit])
        try:
            out = np.asarray(array, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(f"{name} must be times: numbers or datetime64") from error
        if not np.isfinite(out).all():
            raise InputError(f"{name} has missing or infinite times")
        return out

    def instant(self, number: float) -> np.datetime64:
        """The instant of a number."""
        assert self.origin is not None
        return self.origin + np.timedelta64(round(number * MICROSECONDS[self.unit]), "us")

    def times(self, numbers: Floats) -> NDArray[Any]:
        """Numbers as they are shown: instants where there are any."""
        if self.origin is None:
            return numbers
        micro = np.round(numbers * MICROSECONDS[self.unit]).astype("timedelta64[us]")
        return np.asarray(self.origin + micro)


def clock_of(times: ArrayLike, unit: str) -> Clock:
    """The clock that the first of some times belongs to."""
    array = np.asarray(times)
    if array.dtype.kind != "M":
        return Clock(unit, None)
    if unit not in MICROSECONDS:
        raise UnknownNameError("unit of time", unit, MICROSECONDS)
    known = array[~np.isnat(array)]
    if not known.size:
        raise InputError("every arrival time is missing")
    return Clock(unit, known.min().astype("datetime64[us]"))


def server_steps(servers: Servers, clock: Clock, since: float, until: float) -> Steps:
    """The number of servers in time, from the ways it can be written down.

    Parameters
    ----------
    servers : int, or sequence of (time, number), or sequence of (Calendar, number)
        A constant; the number from each time on; or so many servers while each calendar is open, added up.
    clock : Clock
    since, until : float
        Nobody works before ``since``; shifts are written out for some time after ``until``.

    Raises
    ------
    InputError
    """
    if not isinstance(servers, Sequence):
        if isinstance(servers, bool) or not isinstance(servers, int | np.integer) or servers < 1:
            raise InputError(f"servers= is a whole number of at least 1, or shifts, got {servers!r}")
        return Steps(np.array([since]), np.array([servers], dtype=np.int64))
    if not servers or any(not isinstance(p, Sequence) or len(p) != 2 for p in servers):
        raise InputError("shifts are pairs: [(time, number), ...] or [(Calendar, number), ...]")
    numbers = [_whole(p[1]) for p in servers]
    if isinstance(servers[0][0], Calendar):
        at, count = _calendars([p[0] for p in servers], numbers, clock, since, until)
    else:
        at = clock.numbers("times of servers=", np.array([p[0] for p in servers]))
        if (np.diff(at) <= 0).any():
            raise InputError("the times of servers= must rise")
        count = np.array(numbers, dtype=np.int64)
    # what is in force at the start, then what comes
    k = int(np.searchsorted(at, since, side="right")) - 1
    first = int(count[k]) if k >= 0 else 0
    at, count = np.append(since, at[k + 1 :]), np.append(first, count[k + 1 :])
    if not count.any():
        raise InputError("servers= has nobody at work after the start")
    return Steps(at, count)


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
        raise InputError(f"the number of servers of a shift is a whole number of at least 0, got {number!r}")
    return int(number)


def _calendars(
    calendars: list[Any], numbers: list[int], clock: Clock, since: float, until: float
) -> tuple[Floats, NDArray[np.int64]]:
    if clock.origin is None:
        raise InputError("shifts by calendar need arrivals that are instants (datetime64)")
    if any(not isinstance(c, Calendar) for c in calendars):
        raise InputError("servers= mixes calendars and times: use one or the other")
    edges, changes = [], []
    for calendar, number in zip(calendars, numbers, strict=True):
        opens, closes = open_hours(calendar, clock.instant(since), clock.instant(until) + DRAIN)
        edges += [clock.numbers("opens", opens), clock.numbers("closes", closes)]
        changes += [np.full(len(opens), number), np.full(len(closes), -number)]
    at, position = np.unique(np.concatenate(edges), return_inverse=True)
    count = np.cumsum(np.bincount(position, weights=np.concatenate(changes), minlength=len(at)))
    return at, np.round(count).astype(np.int64)


def describe(steps: Steps) -> str:
    """The servers in words."""
    low, high = int(steps.count.min()), int(steps.count.max())
    if low == high:
        return f"{high} server" + ("" if high == 1 else "s")
    return f"{low} to {high} servers in shifts"


def longest(values: Floats) -> float:
    """The largest finite value, 0 where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else math.nan
