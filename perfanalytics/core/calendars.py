"""Working calendars: how much working time lies between two instants.

The working time since the beginning of the calendar is a rising function ``W(t)``, linear between the
opening and closing instants; the working time from ``a`` to ``b`` is ``W(b) - W(a)``. It is counted in
whole microseconds and evaluated for all rows at once.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.periods import WEEKDAYS

Instants = NDArray[np.int64]  # microseconds since 1970
Stops = tuple[ArrayLike, ArrayLike, ArrayLike]

_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
_HOUR = 3_600_000_000
_BASE = dt.datetime(1970, 1, 1)
_EPOCH = _BASE.toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)
_NAT = np.iinfo(np.int64).min
_LONGEST = 400 * 366  # days; longer spans are mistakes (a year 9999 for "never"), not data


@dataclass(frozen=True, slots=True)
class Calendar:
    """When work is done: hours of each weekday, holidays, time zone.

    Parameters
    ----------
    name : str
        What the calendar is called in the plan ("office hours").
    hours : mapping of weekday to (start, end) or to several such pairs
        Weekdays by their English names; times as "HH:MM" (or ``datetime.time``), "24:00" is the end of
        the day. Days that are not named have no working hours. A shift across midnight is two pairs:
        up to "24:00", and from "00:00" on the next day.
    holidays : sequence of date
        Days without working hours (dates or ISO texts).
    zone : str, optional
        Name of the zone the hours are meant in ("Europe/Berlin"). The times given to
        :func:`working_hours` are then UTC and summer time is followed. Without a zone, hours and times
        are on the same local clock.

    Raises
    ------
    InputError
        Without a name or hours; for times that cannot be read, end before start, overlapping hours.
    UnknownNameError
        For a weekday or a zone that does not exist.

    Examples
    --------
    >>> office = Calendar("office", hours={"monday": ("08:00", "18:00"),
    ...                                    "friday": [("08:00", "12:00"), ("13:00", "15:00")]},
    ...                   holidays=["2024-12-23"])
    >>> office.hours["friday"]
    (('08:00', '12:00'), ('13:00', '15:00'))
    >>> office.holidays
    (datetime.date(2024, 12, 23),)
    """

    kind: ClassVar[str] = "calendar"

    name: str
    _: KW_ONLY
    hours: Mapping[str, Any]
    holidays: Sequence[dt.date] = field(default=())
    zone: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError("a calendar needs a name (a non-empty string)")
        hours = {str(day).lower(): _pairs(str(day), windows) for day, windows in self.hours.items()}
        for day in hours:
            if day not in WEEKDAYS:
                raise UnknownNameError("day of the week", day, WEEKDAYS)
        if not any(hours.values()):
            raise InputError(f"calendar {self.name!r} has no working hours: name at least one weekday")
        object.__setattr__(self, "hours", {day: hours[day] for day in WEEKDAYS if day in hours})
        object.__setattr__(self, "holidays", tuple(sorted({_date(h) for h in self.holidays})))
        if self.zone is not None:
            _zone(self.zone)


def working_hours(
    start: ArrayLike, end: ArrayLike, calendar: Calendar, *, stopped: Stops | None = None
) -> Floats:
    """Working hours between ``start`` and ``end``, row by row.

    Parameters
    ----------
    start, end : array_like of datetime64, shape (n,)
        UTC when the calendar has a zone, otherwise local wall time. pandas columns with a zone are
        converted to UTC and need a calendar with a zone.
    calendar : Calendar
    stopped : (rows, since, until), optional
        Intervals during which the clock of a row stood still: row index (k,), from (k,), to (k,).
        ``until`` may be NaT: stopped to the end of the row. Their working time within the row is
        subtracted; where stops overlap, once.

    Returns
    -------
    float array, shape (n,)
        Hours. NaN where ``start`` or ``end`` is NaT. **Negative where ``end`` lies before ``start``**:
        minus the working time between the two, so that the mistake can be seen and counted; stops are
        not subtracted there.

    Raises
    ------
    InputError
        For arrays of different lengths, stops that end before they begin or name a row that does not
        exist, or times that span more than 400 years.

    Examples
    --------
    Friday 16:00 to Monday 10:00, with hours from 8 to 18 on working days:

    >>> days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    >>> office = Calendar("office", hours={day: ("08:00", "18:00") for day in days})
    >>> opened = np.array(["2024-05-17T16:00"], dtype="datetime64[us]")
    >>> closed = np.array(["2024-05-20T10:00"], dtype="datetime64[us]")
    >>> working_hours(opened, closed, office).tolist()
    [4.0]

    The customer was waited for from Monday 8:30 to 9:00:

    >>> since, until = np.array([["2024-05-20T08:30"], ["2024-05-20T09:00"]], dtype="datetime64[us]")
    >>> working_hours(opened, closed, office, stopped=([0], since, until)).tolist()
    [3.5]
    """
    a, b = _instants("start", start, calendar), _instants("end", end, calendar)
    if a.shape != b.shape:
        raise InputError(f"start and end must have the same length, got {a.shape} and {b.shape}")
    known = (a != _NAT) & (b != _NAT)
    out = np.full(len(a), np.nan)
    if stopped is not None:
        rows, since, until = _stops(stopped, len(a), calendar)
    if not known.any():
        return out
    low = int(min(a[known].min(), b[known].min()))
    high = int(max(a[known].max(), b[known].max()))
    opens, closes = _open_hours(calendar, low, high)
    worked = np.zeros(len(a), dtype=np.int64)
    worked[known] = _worked(b[known], opens, closes) - _worked(a[known], opens, closes)
    if stopped is not None:
        # Only stops of rows that run forward count, and only their part inside the row.
        use = known[rows] & (b[rows] > a[rows])
        rows, since, until = rows[use], since[use], until[use]
        since = np.maximum(since, a[rows])
        until = np.where(until == _NAT, b[rows], np.minimum(until, b[rows]))
        rows, since, until = _without_overlap(rows, since, until)
        lost = _worked(until, opens, closes) - _worked(since, opens, closes)
        np.subtract.at(worked, rows, lost)
    out[known] = worked[known] / _HOUR
    return out


def open_hours(
    calendar: Calendar, since: np.datetime64, until: np.datetime64
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Opening and closing instants between two times, in order; on the clock of :func:`working_hours`.

    Parameters
    ----------
    calendar : Calendar
    since, until : datetime64
        UTC when the calendar has a zone, otherwise local wall time.

    Returns
    -------
    opens, closes : datetime64 arrays, shape (k,)
        Cut at ``since`` and ``until``.

    Examples
    --------
    >>> office = Calendar("office", hours={"monday": ("08:00", "12:00")})
    >>> since, until = np.datetime64("2024-05-20T09:00"), np.datetime64("2024-05-27T00:00")
    >>> opens, closes = open_hours(office, since, until)
    >>> opens.astype("datetime64[m]").tolist(), closes.astype("datetime64[h]").astype(str).tolist()
    ([datetime.datetime(2024, 5, 20, 9, 0)], ['2024-05-20T12'])
    """
    low, high = (int(t.astype("datetime64[us]").astype(np.int64)) for t in (since, until))
    opens, closes = _open_hours(calendar, low, high)
    opens, closes = np.clip(opens, low, high), np.clip(closes, low, high)
    inside = closes > opens
    return opens[inside].astype("datetime64[us]"), closes[inside].astype("datetime64[us]")


def _worked(t: Instants, opens: Instants, closes: Instants) -> Instants:
    """W(t): working microseconds before each instant."""
    if not len(opens):
        return np.zeros(len(t), dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(closes - opens)])
    k = np.searchsorted(opens, t, side="right") - 1
    inside = np.minimum(t, closes[k]) - opens[k]
    return np.where(k < 0, 0, before[k] + inside)


def _open_hours(calendar: Calendar, low: int, high: int) -> tuple[Instants, Instants]:
    """Opening and closing instants that touch [low, high], in order."""
    first, last = low // _DAY - 2, high // _DAY + 2  # two days more: zones are up to 14 hours away
    if last - first > _LONGEST:
        raise InputError(
            f"the times span {(last - first) // 365} years: check for stand-in dates such as the year 9999"
        )
    days = np.arange(first, last + 1)
    holidays = np.array([h.toordinal() for h in calendar.holidays], dtype=np.int64) - _EPOCH
    weekday = np.where(np.isin(days, holidays), -1, (days + 3) % 7)  # 1970-01-01 was a Thursday
    parts = [
        (days[weekday == WEEKDAYS.index(day)] * _DAY, _minutes(start) * _MINUTE, _minutes(end) * _MINUTE)
        for day, windows in calendar.hours.items()
        for start, end in windows
    ]
    opens = np.concatenate([midnight + start for midnight, start, _ in parts])
    closes = np.concatenate([midnight + end for midnight, _, end in parts])
    order = np.argsort(opens, kind="stable")
    opens, closes = opens[order], closes[order]
    if calendar.zone is not None:
        opens, closes = _to_utc(opens, calendar.zone), _to_utc(closes, calendar.zone)
    return opens, closes


def _to_utc(local: Instants, zone: str) -> Instants:
    """Local wall time -> UTC.

    A time in the lost hour of spring is the instant of the change; one that exists twice in autumn is
    its first. So the result never runs backwards.
    """
    info = _zone(zone)
    out = np.empty(len(local), dtype=np.int64)
    for k, t in enumerate(local.tolist()):
        wall = _BASE + dt.timedelta(microseconds=t)
        offset = info.utcoffset(wall)
        after = info.utcoffset(wall.replace(fold=1))
        assert offset is not None
        assert after is not None
        if after > offset:  # the lost hour: both readings lie on either side of the change
            out[k] = _change(info, t - after // _MICROSECOND, t - offset // _MICROSECOND)
        else:
            out[k] = t - offset // _MICROSECOND
    return out


def _change(zone: dt.tzinfo, low: int, high: int) -> int:
    """First instant in (low, high] with the offset of ``high``."""
    utc = _BASE.replace(tzinfo=dt.UTC)

    def offset(t: int) -> dt.timedelta | None:
        return (utc + dt.timedelta(microseconds=t)).astimezone(zone).utcoffset()

    new = offset(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset(middle) == new else (middle, high)
    return high


def _without_overlap(
    rows: NDArray[np.int64], since: Instants, until: Instants
) -> tuple[NDArray[np.int64], Instants, Instants]:
    """The same stops, each cut where an earlier one of its row already covers it."""
    order = np.lexsort((since, rows))
    rows, since, until = rows[order], since[order], until[order]
    if len(rows):
        # Running maximum of `until` within the row: rank times so that the row can lead the key.
        ranked, rank = np.unique(until, return_inverse=True)
        reached = np.maximum.accumulate(rows * len(ranked) + rank)
        covered = ranked[reached[:-1] % len(ranked)]
        same = rows[1:] == rows[:-1]
        since[1:] = np.where(same, np.maximum(since[1:], covered), since[1:])
    return rows, since, np.maximum(since, until)


def _stops(stopped: Stops, n: int, calendar: Calendar) -> tuple[NDArray[np.int64], Instants, Instants]:
    if not isinstance(stopped, tuple) or len(stopped) != 3:
        raise InputError("stopped is (rows, since, until): three arrays of one length")
    rows = np.asarray(stopped[0])
    if rows.size and rows.dtype.kind not in "iu":
        raise InputError("the rows of stopped are whole numbers: positions in start and end")
    rows = rows.astype(np.int64).ravel()
    since, until = _instants("since", stopped[1], calendar), _instants("until", stopped[2], calendar)
    if not len(rows) == len(since) == len(until):
        raise InputError(
            "rows, since and until of stopped must have one length, "
            f"got {len(rows)}, {len(since)}, {len(until)}"
        )
    if len(rows) and (rows.min() < 0 or rows.max() >= n):
        raise InputError(f"stopped names a row outside 0 to {n - 1}")
    if (since == _NAT).any():
        raise InputError(f"stop {int(np.argmax(since == _NAT))} has no beginning")
    backwards = (until != _NAT) & (until < since)
    if backwards.any():
        raise InputError(f"stop {int(np.argmax(backwards))} ends before it begins")
    return rows, since, until


def _instants(name: str, times: ArrayLike, calendar: Calendar) -> Instants:
    if getattr(getattr(times, "dtype", None), "tz", None) is not None:
        if calendar.zone is None:
            raise InputError(f"{name} carries a zone, calendar {calendar.name!r} does not: give it zone=")
        column = cast("Any", times)
        times = (
            (column.dt if hasattr(column, "dt") else column)
            .tz_convert("UTC")
            .to_numpy(dtype="datetime64[us]")
        )
    try:
        array = np.asarray(times, dtype="datetime64[us]")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be times (datetime64): {error}") from error
    if array.ndim != 1:
        raise InputError(f"{name} must have shape (n,), got {array.shape}")
    return array.astype(np.int64)


def _pairs(day: str, windows: object) -> tuple[tuple[str, str], ...]:
    """One pair or several, as sorted texts."""
    try:
        listed = list(cast("Sequence[Any]", windows))
        if len(listed) == 2 and all(isinstance(w, str | dt.time) for w in listed):
            listed = [listed]
        pairs = sorted((_text(day, start), _text(day, end)) for start, end in listed)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"hours of {day} are a pair (start, end) or several, such as ('08:00', '18:00'); got {windows!r}"
        ) from error
    for start, end in pairs:
        if _minutes(end) <= _minutes(start):
            raise InputError(
                f"hours of {day} end before they start ({start} to {end}): a shift across midnight is two "
                "pairs, up to 24:00 and from 00:00 on the next day"
            )
    for (_, end), (start, _) in itertools.pairwise(pairs):
        if _minutes(start) < _minutes(end):
            raise InputError(f"hours of {day} overlap: one ends at {end}, the next starts at {start}")
    return tuple(pairs)


def _text(day: str, time: object) -> str:
    if isinstance(time, dt.time):
        return time.strftime("%H:%M")
    parts = time.split(":") if isinstance(time, str) else []
    if len(parts) != 2 or not all(p.isdigit() and p.isascii() and len(p) <= 2 for p in parts):
        raise InputError(f"hours of {day}: not a time of day as HH:MM: {time!r}")
    hour, minute = int(parts[0]), int(parts[1])
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise InputError(f"hours of {day}: not a time of day between 00:00 and 24:00: {time!r}")
    return f"{hour:02d}:{minute:02d}"


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _date(day: object) -> dt.date:
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    try:
        return dt.date.fromisoformat(str(day))
    except ValueError as error:
        raise InputError(f"not a date in ISO form (2024-12-25): {day!r}") from error


def _zone(name: str) -> dt.tzinfo:
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownNameError("time zone", name, zoneinfo.available_timezones()) from error
