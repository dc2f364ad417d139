"""Periods of service reports: the last complete one, the one before, the same a year before."""

from __future__ import annotations

import datetime as dt

import numpy as np

from perfanalytics.core.periods import period_number, period_start


def last_complete(period: str, on: dt.date) -> tuple[dt.date, dt.date]:
    """The last week, month, quarter or year that was over at the end of a day: first day, day after the last.

    Examples
    --------
    >>> last_complete("quarter", dt.date(2024, 12, 30))[0], last_complete("quarter", dt.date(2024, 12, 31))[0]
    (datetime.date(2024, 7, 1), datetime.date(2024, 10, 1))
    """
    number = period_number(np.array([on + dt.timedelta(days=1)], dtype="datetime64[us]"), period)
    first, end = period_start(np.r_[number - 1, number], period).astype("datetime64[D]").tolist()
    return first, end


def before(since: dt.date, until: dt.date) -> tuple[dt.date, dt.date]:
    """The period before: as many calendar months where it is made of whole ones, else as many days.

    Examples
    --------
    >>> before(dt.date(2024, 10, 1), dt.date(2025, 1, 1))
    (datetime.date(2024, 7, 1), datetime.date(2024, 10, 1))
    >>> before(dt.date(2024, 1, 8), dt.date(2024, 1, 15))
    (datetime.date(2024, 1, 1), datetime.date(2024, 1, 8))
    """
    if since.day == 1 and until.day == 1:
        months = 12 * (until.year - since.year) + until.month - since.month
        year, month = divmod(12 * since.year + since.month - 1 - months, 12)
        return dt.date(year, month + 1, 1), since
    return since - (until - since), since


def a_year_before(since: dt.date, until: dt.date) -> tuple[dt.date, dt.date]:
    """The same days a year before; 29 February is 1 March there.

    Examples
    --------
    >>> a_year_before(dt.date(2024, 2, 29), dt.date(2024, 4, 1))
    (datetime.date(2023, 3, 1), datetime.date(2023, 4, 1))
    """
    return _year(since), _year(until)


def _year(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return dt.date(day.year - 1, 3, 1)
