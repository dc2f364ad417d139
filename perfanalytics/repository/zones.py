"""Zones: wall times of a place and UTC, for the bounds of a selection and the periods it is cut into."""

from __future__ import annotations

import datetime as dt
import difflib
from functools import lru_cache

import numpy as np

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import When
from perfanalytics.repository.engine import Engine


def measure_zone(engine: Engine, measure: str, measure_id: int, clock: str, asked: str | None) -> str | None:
    """The zone in which a measure is selected: as asked, else the one of its sources, else UTC.

    None for a measure in local wall time, of which no zone is known.

    Raises
    ------
    InputError
        When a zone is asked of a measure in local wall time.
    UnknownNameError
        For a zone that does not exist.
    """
    if clock != "UTC":
        if asked is not None:
            raise InputError(
                f"the times of {measure} are local wall times of no declared zone: zone={asked!r} cannot be "
                "applied. Declare time_zone= in the source"
            )
        return None
    if asked is not None:
        _zone(asked)
        return asked
    found = {
        z
        for (z,) in engine.rows("SELECT DISTINCT zone FROM measure_source WHERE measure_id = ?", [measure_id])
    }
    only = found.pop() if len(found) == 1 else None
    return "UTC" if only is None else str(only)


def bound(when: When | str, clock: str, zone: str | None) -> np.datetime64:
    """A time that a person gave, on the clock of the measure: without an offset it is one of the zone."""
    at = instant(when, clock)
    return at if zone is None or _has_offset(when) else to_utc(at, zone)


def to_utc(wall: np.datetime64, zone: str) -> np.datetime64:
    """Wall time -> UTC. Of a time that exists twice the first is meant; a skipped one counts on.

    Examples
    --------
    >>> str(to_utc(np.datetime64("2024-07-02T00:30"), "Europe/Berlin"))
    '2024-07-01T22:30:00.000000'
    """
    when: dt.datetime = wall.astype("datetime64[us]").astype(object)
    utc = when.replace(tzinfo=_zone(zone)).astimezone(dt.UTC)
    return np.datetime64(utc.replace(tzinfo=None), "us")


def to_wall(utc: np.datetime64, zone: str) -> np.datetime64:
    """UTC -> wall time.

    Examples
    --------
    >>> str(to_wall(np.datetime64("2024-01-01T23:00"), "Europe/Berlin"))
    '2024-01-02T00:00:00.000000'
    """
    when: dt.datetime = utc.astype("datetime64[us]").astype(object)
    wall = when.replace(tzinfo=dt.UTC).astimezone(_zone(zone))
    return np.datetime64(wall.replace(tzinfo=None), "us")


def _has_offset(when: object) -> bool:
    if isinstance(when, str):
        when = dt.datetime.fromisoformat(when)
    return getattr(when, "tzinfo", None) is not None


@lru_cache(maxsize=64)
def _zone(name: str) -> dt.tzinfo:
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = sorted(zoneinfo.available_timezones())
        few = difflib.get_close_matches(str(name), known, n=5, cutoff=0.5)
        raise UnknownNameError("time zone", str(name), few or ("Europe/Berlin", "UTC")) from error
