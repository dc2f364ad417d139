"""What is on record beside the shifts of a series, and the trace that each record left."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.change_points import FEWEST
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.records import Change, Event
from perfanalytics.practices.car.change_findings import Searched

#: Points on each side of a record that an effect needs at least.
_LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Records in order of time (r), which shifts each may explain, and the record of each shift (c)."""

    name: NDArray[Any]
    sort: NDArray[Any]
    when: NDArray[np.datetime64]
    until: NDArray[np.datetime64]
    explains: tuple[tuple[int, ...], ...]
    recorded: NDArray[Any]
    inside: NDArray[np.bool_]
    days: Floats
    chance: float

    def columns(self) -> dict[str, Any]:
        """The columns of the result that are known so far."""
        return {
            "recorded": self.recorded,
            "inside": self.inside,
            "days": self.days,
            "record": self.name,
            "record_kind": self.sort,
            "record_when": self.when,
            "record_until": self.until,
        }


def records_beside(found: Searched, records: Sequence[Change | Event], clock: str) -> Beside:
    """Which records lie within the intervals of which shifts."""
    rows = sorted(((instant(r.when, clock), k) for k, r in enumerate(records)), key=lambda r: (r[0], r[1]))
    ordered = [records[k] for _, k in rows]
    when = np.array([t for t, _ in rows], dtype="datetime64[us]")
    until = np.array([_until(r, clock) for r in ordered], dtype="datetime64[us]")
    name = np.array([r.name for r in ordered], dtype=object)
    recorded = np.full(len(found.point), "", dtype=object)
    inside = np.zeros(len(found.point), dtype=bool)
    days = np.full(len(found.point), np.nan)
    explains: list[list[int]] = [[] for _ in ordered]
    last = np.where(np.isnat(until), when, until)
    for k in range(len(found.point)):
        if not len(when):
            continue
        start, end = found.span(k)
        at = found.when[found.point[k]]
        away = (when - at) / np.timedelta64(1, "D")
        # what began within the interval; a single point may also lie within what still lasted
        hit = (when > start) & (when <= end)
        if found.what[k] == "point":
            hit |= (when <= end) & (last > start)
        near = np.argsort(np.abs(away), kind="stable")
        within = [int(i) for i in near if hit[i]]
        inside[k] = bool(within)
        recorded[k] = "; ".join(name[i] for i in within) if within else name[near[0]]
        days[k] = away[within[0] if within else near[0]]
        for i in within:
            explains[i].append(k)
    return Beside(
        name=name,
        sort=np.array([r.kind for r in ordered], dtype=object),
        when=when,
        until=until,
        explains=tuple(tuple(e) for e in explains),
        recorded=recorded,
        inside=inside,
        days=days,
        chance=_chance(found, when),
    )


def _until(record: Change | Event, clock: str) -> np.datetime64:
    """The end of an event; a date lasts until it is over."""
    end = getattr(record, "until", None)
    if end is None:
        return np.datetime64("NaT", "us")
    last = instant(end, clock)
    whole_day = isinstance(end, dt.date) and not isinstance(end, dt.datetime)
    return last + np.timedelta64(24 * 3600 * 10**6 - 1, "us") if whole_day else last


def _chance(found: Searched, when: NDArray[np.datetime64]) -> float:
    """How many records would lie within an interval if they had nothing to do with the shifts."""
    whole = (found.ends[-1] - found.when[0]) / np.timedelta64(1, "us")
    own = int(((when >= found.when[0]) & (when <= found.ends[-1])).sum())
    if not own or whole <= 0:
        return 0.0
    covered, reached = 0.0, found.when[0]
    for start, end in sorted(found.span(k) for k in range(len(found.point))):
        start = max(start, reached)
        if end > start:
            covered += float((end - start) / np.timedelta64(1, "us"))
            reached = end
    return own * min(1.0, covered / float(whole))


def traces_of(found: Searched, beside: Beside, *, coverage: float) -> dict[str, Any]:
    """Of each record: the sorts of shifts it may explain, and its effect with an interval."""
    trace = np.full(len(beside.name), "none", dtype=object)
    effects = np.full((len(beside.name), 3), np.nan)
    for i in range(len(beside.name)):
        first, last = beside.when[i], beside.until[i]
        over = first if np.isnat(last) else last
        if over < found.when[0] or first > found.ends[-1]:
            trace[i] = "outside the data"
            continue
        at = int(np.searchsorted(found.ends, first))
        effects[i] = _effect(found, beside, i, at, coverage)
        sorts = dict.fromkeys(str(found.what[k]) for k in beside.explains[i])
        if sorts:
            trace[i] = ", ".join(sorts)
        elif np.isnat(last) and min(_used(found.x[:at]), _used(found.x[at:])) < FEWEST:
            trace[i] = "too near an end"
    return {
        "trace": trace,
        "effect": effects[:, 0],
        "effect_low": effects[:, 1],
        "effect_high": effects[:, 2],
    }


def _used(x: Floats) -> int:
    return int(np.count_nonzero(~np.isnan(x)))


def _effect(found: Searched, beside: Beside, i: int, at: int, coverage: float) -> tuple[float, float, float]:
    """Step at a record within the stretches it touches."""
    n = len(found.x)
    if np.isnat(beside.until[i]):
        # at its own date, which no search has chosen; a shift that it may explain does not end its stretch
        own = {int(found.point[k]) for k in beside.explains[i] if found.what[k] == "level"}
        edges = [0, *(b for b in found.borders if b not in own), n]
        a = max(e for e in edges if e <= min(at, n - 1))
        b = min(e for e in edges if e > min(at, n - 1))
        inside = np.arange(a, b) >= at
    else:
        a, b = found.stretch(min(at, n - 1))
        inside = (found.when[a:b] <= beside.until[i]) & (found.ends[a:b] >= beside.when[i])
    return _difference(found.x[a:b], inside, found.logs, coverage)


def _difference(
    x: Floats, after: NDArray[np.bool_], logs: bool, coverage: float
) -> tuple[float, float, float]:
    """Mean of the points after less that before, neighbours that are alike counted as fewer (AR(1))."""
    known = ~np.isnan(x)
    one, two = x[known & ~after], x[known & after]
    if len(one) < _LEAST or len(two) < 1:
        return math.nan, math.nan, math.nan
    difference = float(two.mean() - one.mean())
    rest = np.where(after, x - two.mean(), x - one.mean())
    n = float(known.sum())
    r = float(corrected_lag1(lag1_autocorrelation(rest, np.array([0, len(rest)]))[0], n))
    df = max(float(effective_size(n, r)) - 2.0, 1.0)
    # a single point has no spread of its own: that of the others is taken
    variance = float(np.nansum(rest**2)) / max(n - (2.0 if len(two) > 1 else 1.0), 1.0)
    per = (1 + r) / (1 - r)
    half = float(special.stdtrit(df, (1 + coverage) / 2)) * math.sqrt(
        variance * (per / len(one) + min(per, len(two)) / len(two))
    )
    ends = (difference, difference - half, difference + half)
    return (math.exp(ends[0]), math.exp(ends[1]), math.exp(ends[2])) if logs else ends
