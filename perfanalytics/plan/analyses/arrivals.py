"""Observations of a measure -> arrivals for a queue: how many in each hour that somebody is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.calendars import Calendar, open_hours
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import WEEKDAYS
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.tables import Name, Table, When, Where

if TYPE_CHECKING:
    import pandas as pd

#: One hour in the unit of the queue.
HOUR = {"seconds": 3600.0, "minutes": 60.0, "hours": 1.0, "days": 1 / 24}
_US = np.timedelta64(1, "us")


class ArrivalsPart(Table):
    """``{ measure = "calls", calendar = "office hours", by = "hour" }``: arrivals as they were observed."""

    measure: Name
    where: Where = {}
    since: When | None = None
    until: When | None = None
    calendar: Name | None = None
    by: str | None = None


class BacklogPart(Table):
    """``{ measure = "resolution_hours" }``: the items that are still open, with their age so far."""

    measure: Name
    where: Where = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Arrivals per unit of open time, in one number or for each label.

    Parameters
    ----------
    rates : float array, shape (k,)
        Per unit of time.
    labels : tuple of str, length k
        Hours, weekdays or values of an attribute; empty for one number.
    counts : int array, shape (k,)
    hours : float array, shape (k,)
        Open hours behind each.
    moved : int
        Arrivals while nobody was there, counted at the next opening.
    hour : float
        One hour in the unit of the queue.
    since, until : datetime64
    """

    rates: Floats
    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    hours: Floats
    moved: int
    hour: float
    since: np.datetime64
    until: np.datetime64

    def table(self) -> pd.DataFrame:
        """One row per label: arrivals, open_hours, per_hour, from, until, waited_for_opening (of all)."""
        import pandas as pd

        return pd.DataFrame(
            {
                "interval": list(self.labels) or ["all"],
                "arrivals": self.counts,
                "open_hours": self.hours,
                "per_hour": self.rates * self.hour,
                "from": str(self.since.astype("datetime64[D]")),
                "until": str(self.until.astype("datetime64[D]")),
                "waited_for_opening": self.moved,
            }
        )


def observed_arrivals(part: ArrivalsPart, context: Context, *, unit: str) -> Observed:
    """Arrivals of a measure per unit of open time.

    The days counted are whole ones, from ``since`` (or the first observation) to ``until`` (or the last).
    Who came while nobody was there is counted at the next opening.

    Raises
    ------
    InputError
        Without observations, or where nobody was there in all that time.
    """
    since = part.since or context.since
    frame = context.repo.frame(part.measure, where=part.where or None, since=since, until=part.until)
    if not len(frame):
        raise InputError(f"there are no observations of {part.measure} to count arrivals from")
    when = np.sort(frame["when"].to_numpy().astype("datetime64[us]"))
    clock = str(frame.attrs.get("clock", "local"))
    first = when[0].astype("datetime64[D]") if since is None else instant(since, clock)
    last = when[-1].astype("datetime64[D]") + 1 if part.until is None else instant(part.until, clock)
    first, last = first.astype("datetime64[us]"), last.astype("datetime64[us]")
    calendar = None if part.calendar is None else context.calendars[part.calendar]
    opens, closes = _open(calendar, first, last)
    if not len(opens):
        raise InputError(f"the calendar '{part.calendar}' is never open from {first} to {last}")
    at, moved = _at_openings(when, opens, closes)
    hour = HOUR[unit]
    if part.by in ("hour", "weekday"):
        labels, counts, hours = _profile(at, opens, closes, part.by)
    elif part.by is not None:
        values = frame[part.by].to_numpy()
        kinds, counts = np.unique(values[~frame[part.by].isna().to_numpy()], return_counts=True)
        labels = tuple(str(v) for v in kinds.tolist())
        hours = np.full(len(labels), _hours(opens, closes).sum())
    else:
        labels, counts = (), np.array([len(at)])
        hours = np.array([_hours(opens, closes).sum()])
    return Observed(
        rates=counts / hours / hour,
        labels=labels,
        counts=counts,
        hours=hours,
        moved=moved,
        hour=hour,
        since=first,
        until=last,
    )


def _open(
    calendar: Calendar | None, first: np.datetime64, last: np.datetime64
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Spans in which somebody is there: those of the calendar, or around the clock."""
    if calendar is not None:
        return open_hours(calendar, first, last)
    return np.array([first]), np.array([last])


def _hours(opens: NDArray[np.datetime64], closes: NDArray[np.datetime64]) -> Floats:
    return np.asarray((closes - opens) / _US / 3.6e9)


def _at_openings(
    when: NDArray[np.datetime64], opens: NDArray[np.datetime64], closes: NDArray[np.datetime64]
) -> tuple[NDArray[np.datetime64], int]:
    """Arrivals at the time somebody is there; those after the last closing count within the last span."""
    k = np.searchsorted(closes, when, side="right")
    late = k == len(closes)
    k = np.minimum(k, len(closes) - 1)
    at = np.where(late, closes[-1] - _US, np.maximum(when, opens[k]))
    return at, int(np.count_nonzero(at != when))


def _profile(
    at: NDArray[np.datetime64], opens: NDArray[np.datetime64], closes: NDArray[np.datetime64], by: str
) -> tuple[tuple[str, ...], NDArray[np.int64], Floats]:
    """Arrivals and open hours of each hour of the day, or each weekday, in which somebody is there."""
    size = 24 if by == "hour" else 7
    counts = np.bincount(_bins(at, by), minlength=size)
    hours = np.zeros(size)
    # cut the spans at full hours: each piece lies within one hour of one day
    for a, b in zip(opens.tolist(), closes.tolist(), strict=True):
        start, end = np.datetime64(a, "us"), np.datetime64(b, "us")
        full = np.arange(
            start.astype("datetime64[h]") + 1, end.astype("datetime64[us]"), dtype="datetime64[h]"
        )
        edges = np.concatenate([[start], full.astype("datetime64[us]"), [end]])
        np.add.at(hours, _bins(edges[:-1], by), _hours(edges[:-1], edges[1:]))
    there = np.flatnonzero(hours > 0)
    names = [f"{h:02d}:00" for h in range(24)] if by == "hour" else [d.capitalize() for d in WEEKDAYS]
    return tuple(names[k] for k in there), counts[there], hours[there]


def _bins(times: NDArray[np.datetime64], by: str) -> NDArray[np.int64]:
    if by == "hour":
        return np.asarray((times - times.astype("datetime64[D]")) // np.timedelta64(1, "h")).astype(np.int64)
    return np.asarray((times.astype("datetime64[D]").astype(np.int64) + 3) % 7)
