"""Calendar periods: hour, day, week, month, quarter, year, as whole numbers and back.

A period is numbered from 1970 on, so that neighbours differ by one and a missing period shows as a
jump. Weeks start on Monday (ISO 8601) unless another day is given.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from perfanalytics.core.errors import UnknownNameError

Every = Literal["hour", "day", "week", "month", "quarter", "year"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def check_every(every: str) -> Every:
    """``every`` if it names a period.

    Raises
    ------
    UnknownNameError
    """
    if every not in get_args(Every):
        raise UnknownNameError("period (every=)", str(every), get_args(Every))
    return every  # type: ignore[return-value]


def period_number(
    when: np.ndarray[Any, Any], every: str, *, week_start: str = "monday"
) -> np.ndarray[Any, Any]:
    """Number of the period each time falls into.

    Parameters
    ----------
    when : array of datetime64, shape (n,)
    every : {"hour", "day", "week", "month", "quarter", "year"}
    week_start : str
        Day on which a week starts.

    Returns
    -------
    int64 array of shape (n,); consecutive periods have consecutive numbers.

    Examples
    --------
    >>> t = np.array(["2024-01-07", "2024-01-08"], dtype="datetime64[us]")   # a Sunday and a Monday
    >>> np.diff(period_number(t, "week")).tolist()
    [1]
    """
    every = check_every(every)
    if every == "week":
        days = when.astype("datetime64[D]").astype(np.int64)
        return np.asarray((days - _first_week_day(week_start)) // 7)
    if every == "quarter":
        return np.asarray(when.astype("datetime64[M]").astype(np.int64) // 3)
    unit = {"hour": "h", "day": "D", "month": "M", "year": "Y"}[every]
    return np.asarray(when.astype(f"datetime64[{unit}]").astype(np.int64))


def period_start(
    number: np.ndarray[Any, Any], every: str, *, week_start: str = "monday"
) -> np.ndarray[Any, Any]:
    """First instant (datetime64[us]) of the numbered periods: the inverse of :func:`period_number`.

    Examples
    --------
    >>> t = np.array(["2024-05-17T10:00"], dtype="datetime64[us]")
    >>> str(period_start(period_number(t, "quarter"), "quarter")[0])
    '2024-04-01T00:00:00.000000'
    """
    every = check_every(every)
    number = np.asarray(number, dtype=np.int64)
    if every == "week":
        return (number * 7 + _first_week_day(week_start)).astype("datetime64[D]").astype("datetime64[us]")
    if every == "quarter":
        return (number * 3).astype("datetime64[M]").astype("datetime64[us]")
    unit = {"hour": "h", "day": "D", "month": "M", "year": "Y"}[every]
    return number.astype(f"datetime64[{unit}]").astype("datetime64[us]")


def _first_week_day(week_start: str) -> int:
    """Day number (since 1970-01-01, a Thursday) of the first such weekday on or after 1970-01-05."""
    name = week_start.lower()
    if name not in WEEKDAYS:
        raise UnknownNameError("day of the week", week_start, WEEKDAYS)
    return 4 + WEEKDAYS.index(name)
