"""Selection: which observations of a measure, how grouped, how aggregated: plain values that name a run."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, get_args

import numpy as np

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.periods import WEEKDAYS, Every, check_every
from perfanalytics.core.records import When
from perfanalytics.repository import records_store, zones
from perfanalytics.repository.engine import Engine

#: Values an attribute can be compared with.
Value = str | int | float | bool | dt.date | dt.datetime | None
Where = Mapping[str, Value | Sequence[Value]]

STATISTICS = ("count", "sum", "mean", "median", "share", "rate", "minimum", "maximum")
TIMES = ("when", "start", "known")
PERIODS: tuple[str, ...] = get_args(Every)
_PERCENTILE = re.compile(r"p([1-9][0-9]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Observations of a measure, as asked for. Made by :meth:`perfanalytics.Repository.select`.

    Everything is spelled out: what was left to a default is filled in.

    Parameters
    ----------
    measure : str
    by : tuple of str
        Attributes whose combinations are the series.
    where : mapping of attribute to tuple of values
    since, until : str or None
        ISO times, half-open; on the clock of the measure (UTC when its times are in UTC).
    time : {"when", "start", "known"}
        Which time of an observation counts.
    every, statistic, week_start : str or None
        Period and what is computed in it; None for the observations themselves.
    minimum : int or None
        Periods with fewer observations are gaps.
    as_of : str or None
        What was known then, ISO time; None when there are no observations.
    load_id : int or None
        As the repository stood after that load; None for the last.
    zone : str or None
        The zone in which bounds without an offset are read and periods are cut; None for a measure in local
        wall time.
    subgroups : tuple of str
        Attributes and periods whose combinations are the rational subgroups of single observations.
    covariates : tuple of str
        Attributes that come with the points as columns.
    """

    kind: ClassVar[str] = "selection"

    measure: str
    by: tuple[str, ...]
    where: Mapping[str, tuple[Value, ...]]
    since: str | None
    until: str | None
    time: str
    every: str | None
    statistic: str | None
    week_start: str | None
    minimum: int | None
    as_of: str | None
    load_id: int | None
    zone: str | None = None
    subgroups: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()

    @property
    def period_zone(self) -> str | None:
        """The zone on whose wall clock periods are cut; None when they are cut on the clock of the measure.

        Hours stay hours of UTC: on a wall clock one is missing in spring and one lasts two hours in autumn.
        """
        return None if self.zone in (None, "UTC") or self.every in (None, "hour") else self.zone

    def to_record(self) -> dict[str, Any]:
        """Plain JSON values; :meth:`from_record` gives the selection back."""
        record = asdict(self)
        record["by"] = list(self.by)
        record["where"] = {k: [_plain(v) for v in values] for k, values in self.where.items()}
        for name in ("subgroups", "covariates"):
            if record[name]:
                record[name] = list(record[name])
            else:  # a selection without them is named as before there were any
                del record[name]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Selection:
        """The selection that :meth:`to_record` was called on."""
        where = {k: tuple(v) for k, v in record["where"].items()}
        columns = {name: tuple(record.get(name, ())) for name in ("subgroups", "covariates")}
        return cls(**{**record, "by": tuple(record["by"]), "where": where, **columns})


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value


def select(
    engine: Engine,
    measure: str,
    *,
    by: str | Sequence[str] = (),
    where: Where | None = None,
    since: When | str | None = None,
    until: When | str | None = None,
    time: str | None = None,
    every: str | None = None,
    statistic: str | None = None,
    as_of: When | str | None = None,
    week_start: str = "monday",
    minimum: int | None = None,
    load_id: int | None = None,
    zone: str | None = None,
    subgroups: str | Sequence[str] = (),
    covariates: str | Sequence[str] = (),
) -> Selection:
    """The selection with its defaults filled in. See :meth:`perfanalytics.Repository.select`."""
    measure_id, clock = measure_row(engine, measure)
    zone = zones.measure_zone(engine, measure, measure_id, clock, zone)
    check_load(engine, load_id)
    attributes = attribute_types(engine, measure_id)
    by = (by,) if isinstance(by, str) else tuple(by)
    for name in (*by, *(where or {})):
        if name not in attributes:
            raise UnknownNameError(f"attribute of {measure}", name, attributes)
    if len(set(by)) != len(by):
        raise InputError(f"by= names an attribute twice: {by}")
    covariates = (covariates,) if isinstance(covariates, str) else tuple(covariates)
    for name in covariates:
        if name not in attributes:
            raise UnknownNameError(f"attribute of {measure} (covariates=)", name, attributes)
    subgroups = _subgroups(measure, subgroups, attributes, every)
    if time is not None and time not in TIMES:
        raise UnknownNameError("time of an observation (time=)", time, TIMES)
    if every is None:
        for given, value in (("statistic", statistic), ("minimum", minimum)):
            if value is not None:
                raise InputError(f"{given}= is about periods: say which with every=")
    else:
        check_every(every)
        statistic = _statistic(engine, measure, measure_id, statistic)
        if week_start.lower() not in WEEKDAYS:
            raise UnknownNameError("day of the week", week_start, WEEKDAYS)
        if minimum is not None and minimum < 1:
            raise InputError(f"minimum is a number of observations, at least 1; got {minimum}")
    last = last_event(engine, measure_id, load_id)
    known = last if as_of is None else _day_end(as_of, clock, zone)
    return Selection(
        measure=measure,
        by=by,
        where={name: _values(name, value) for name, value in (where or {}).items()},
        since=None if since is None else str(zones.bound(since, clock, zone)),
        until=None if until is None else str(zones.bound(until, clock, zone)),
        time=time or "when",
        every=every,
        statistic=statistic,
        week_start=week_start.lower() if every == "week" or "week" in subgroups else None,
        minimum=minimum,
        as_of=None if known is None else str(known),
        load_id=load_id,
        zone=zone,
        subgroups=subgroups,
        covariates=tuple(dict.fromkeys(covariates)),
    )


def _subgroups(
    measure: str, subgroups: str | Sequence[str], attributes: Mapping[str, Any], every: str | None
) -> tuple[str, ...]:
    """Attributes and periods, checked."""
    names = (subgroups,) if isinstance(subgroups, str) else tuple(subgroups)
    if names and every is not None:
        raise InputError(
            f"subgroups= are of single observations: with every={every!r} there is one value a period. Leave "
            "every= (and statistic=) out"
        )
    for name in names:
        if name in PERIODS and name in attributes:
            raise InputError(
                f"subgroups={name!r} is a period and an attribute of {measure}: load the attribute under "
                "another name"
            )
        if name not in PERIODS and name not in attributes:
            raise UnknownNameError(
                f"attribute of {measure} or period (subgroups=)", name, (*attributes, *PERIODS)
            )
    if sum(name in PERIODS for name in names) > 1:
        raise InputError(f"subgroups= takes one period at most, got {', '.join(names)}")
    return names


def check_load(engine: Engine, load_id: int | None) -> None:
    """A load that there is.

    Raises
    ------
    UnknownNameError
    """
    if load_id is None:
        return
    known = [int(i) for (i,) in engine.rows("SELECT load_id FROM load ORDER BY load_id")]
    if load_id not in known:
        raise UnknownNameError("load (load_id=)", str(load_id), map(str, known))


def measure_row(engine: Engine, name: str) -> tuple[int, str]:
    """Number and clock of a measure.

    Raises
    ------
    UnknownNameError
        When nothing was loaded for it.
    """
    found = engine.rows("SELECT measure_id, clock FROM measure WHERE name = ?", [name])
    if not found:
        raise UnknownNameError("measure", str(name), [n for (n,) in engine.rows("SELECT name FROM measure")])
    return int(found[0][0]), str(found[0][1])


def measure_record(engine: Engine, name: str) -> Measure:
    """The measure in its last version."""
    measure = next(m for m in records_store.records(engine, "measure") if m.name == name)
    assert isinstance(measure, Measure)
    return measure


def attribute_types(engine: Engine, measure_id: int) -> dict[str, tuple[int, str]]:
    """Attribute -> (place, type), in order of place."""
    found = engine.rows(
        "SELECT name, position, type FROM attribute WHERE measure_id = ? ORDER BY position", [measure_id]
    )
    return {name: (int(place), str(kind)) for name, place, kind in found}


def last_event(engine: Engine, measure_id: int, load_id: int | None = None) -> np.datetime64 | None:
    """The latest time that the sources of a measure speak of."""
    found = engine.rows(
        "SELECT max(last_event) FROM load JOIN measure_source USING (source_id) "
        "WHERE measure_id = ? AND (?::INTEGER IS NULL OR load_id <= ?)",
        [measure_id, load_id, load_id],
    )[0][0]
    return None if found is None else np.datetime64(found, "us")


def _statistic(engine: Engine, measure: str, measure_id: int, statistic: str | None) -> str:
    scale = measure_record(engine, measure).scale
    (sizes,) = engine.rows("SELECT has_sizes FROM measure WHERE measure_id = ?", [measure_id])[0]
    if statistic is None:
        if scale == "proportion":
            return "share"
        # the value is a numerator: alone it says nothing
        return "rate" if sizes and scale != "ordinal" else "sum" if scale == "count" else "mean"
    if statistic not in STATISTICS and not _PERCENTILE.fullmatch(statistic):
        meant = [statistic.lower()] if _PERCENTILE.fullmatch(statistic.lower()) else []
        raise UnknownNameError("statistic", statistic, (*STATISTICS, "p1 to p99", *meant))
    if statistic == "share" and scale != "proportion" and not sizes:
        found = engine.rows(
            "SELECT value FROM observation WHERE retired_load_id IS NULL AND value NOT IN (0, 1) "
            "AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?) LIMIT 1",
            [measure_id],
        )
        if found:
            raise InputError(
                f"statistic='share' divides a number of cases by the number of all: {measure} has no "
                f"denominator (size=) and values other than 0 and 1, for example {found[0][0]:g}. Ask for "
                "'mean', 'median' or a percentile"
            )
    return statistic


def _day_end(as_of: When | str, clock: str, zone: str | None) -> np.datetime64:
    """A date means the whole day: what was known at its end."""
    text = isinstance(as_of, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", as_of)
    day = isinstance(as_of, dt.date) and not isinstance(as_of, dt.datetime)
    if not (text or day):
        return zones.bound(as_of, clock, zone)
    end = instant(as_of, clock) + np.timedelta64(86_400_000_000 - 1, "us")
    return end if zone is None else zones.to_utc(end, zone)


def _values(name: str, value: Value | Sequence[Value]) -> tuple[Value, ...]:
    several = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str)
    values = tuple(value) if several else (value,)  # type: ignore[arg-type]
    if not values:
        raise InputError(f"where={{{name!r}: ...}}: an empty list of values matches nothing")
    out = tuple(v.item() if isinstance(v, np.generic) else v for v in values)
    for v in out:
        if v is not None and not isinstance(v, str | int | float | bool | dt.date):
            raise InputError(
                f"where={{{name!r}: ...}}: a value must be text, number, boolean or date, got {v!r}"
            )
    return out  # type: ignore[return-value]
