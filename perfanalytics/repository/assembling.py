"""From the columns of a selection to a SeriesBatch, the same way for one series and for a block of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.core.series import SeriesBatch
from perfanalytics.repository import definitions, happenings, zones
from perfanalytics.repository.aggregation import ZERO_WHEN_EMPTY, Span, aggregate, incomplete_periods
from perfanalytics.repository.dimension import Groups, attribute_columns, groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.observations import Extent, Query, extent, observations, ordered, wall_time
from perfanalytics.repository.selection import PERIODS, Selection, measure_record, measure_row
from perfanalytics.repository.subgrouping import subgroups_of


@dataclass(slots=True)
class Prepared:
    """A selection, resolved: everything that is needed to fetch and assemble parts of it."""

    selection: Selection
    measure: Measure
    clock: str
    groups: Groups
    query: Query
    extent: Extent
    span: Span | None
    events: list[Event | Change] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    stated: dict[str, Any] = field(default_factory=dict)
    #: attributes that come beside the values: name -> alias, and alias -> SQL
    aliases: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def wall_zone(self) -> str | None:
        """The zone in which subgroups by period are cut, where it is not the clock of the times."""
        period = next((n for n in self.selection.subgroups if n in PERIODS), None)
        return (
            None if period in (None, "hour") or self.selection.zone in (None, "UTC") else self.selection.zone
        )


def prepare(engine: Engine, selection: Selection) -> Prepared:
    """Resolve a selection against the repository."""
    measure = measure_record(engine, selection.measure)
    measure_id, clock = measure_row(engine, selection.measure)
    of = groups(engine, selection)
    query = observations(engine, selection, of)
    found = extent(engine, selection, of, query)
    events = happenings.events(engine, measure, selection)
    excluded = happenings.exclusions(
        engine, measure, selection, of.ids, has_items=found.has_items, clock=clock
    )
    left_out, everything = [], found
    for e, condition, bound in excluded.observations:
        named = query.where(condition, *bound)
        (n,) = engine.rows(f"SELECT count(*) FROM ({named.sql})", named.parameters)[0]
        left_out.append(_told(e, int(n)))
    for _, condition, bound in excluded.observations:
        query = query.where(f"NOT coalesce({condition}, false)", *bound)
    if left_out:
        # what is excluded was observed: it does not shorten the time that the data cover
        found = replace(extent(engine, selection, of, query), first=everything.first, last=everything.last)
    out = Prepared(
        selection,
        _measure_of(engine, measure, measure_id, selection),
        "local" if selection.period_zone is not None else clock,
        of,
        query,
        found,
        _span(engine, selection, everything, query),
        events,
        excluded.points,
    )
    out.aliases, out.attributes = attribute_columns(engine, selection)
    out.stated = _stated(out, excluded.left, left_out)
    if out.span is not None:
        cut_off = incomplete_periods(out.span)
        out.stated["incomplete_periods"] = _told_incomplete(cut_off, selection)
        if selection.statistic in ZERO_WHEN_EMPTY:
            # first what people said: their reason stands where both apply
            out.exclusions += _exclusions_of(cut_off, out)
    return out


def _told(e: Exclusion, observations: int) -> dict[str, Any]:
    named = {"item": e.item, "when": e.when, "until": e.until, "series": e.series}
    return (
        {"reason": e.reason, "who": e.who}
        | {k: str(v) for k, v in named.items() if v is not None}
        | {"observations": observations}
    )


def _measure_of(engine: Engine, measure: Measure, measure_id: int, selection: Selection) -> Measure:
    """What the values of the series are: a number of items is not in hours, and more of them is not better.

    The name stays, so that objectives and events of the measure are found.
    """
    if selection.statistic == "count":
        return replace(
            measure,
            definition=f"Number of observations of {measure.name} ({measure.definition})",
            unit="items",
            better="unknown",
            scale="count",
        )
    if selection.statistic == "rate" and measure.scale != "proportion":
        (sizes,) = engine.rows("SELECT has_sizes FROM measure WHERE measure_id = ?", [measure_id])[0]
        per = (definitions.denominator(engine, measure_id) or "unit of size") if sizes else "observation"
        return replace(measure, unit=f"{measure.unit} per {per}".strip())
    return measure


def fetch(engine: Engine, prepared: Prepared) -> SeriesBatch:
    """The whole selection as one batch; groups without observations are left out."""
    query = ordered(
        prepared.query,
        prepared.extent,
        items=_with_items(prepared),
        zone=prepared.selection.period_zone,
        attributes=prepared.attributes,
        period_zone=prepared.wall_zone,
    )
    columns = engine.columns(query.sql, query.parameters)
    present = np.flatnonzero(prepared.extent.counts) if prepared.selection.by else np.array([0])
    return assemble(prepared, columns, present)


def assemble(prepared: Prepared, columns: Mapping[str, NDArray[Any]], present: NDArray[Any]) -> SeriesBatch:
    """A batch of the groups ``present`` (numbers, rising) from their columns in order."""
    selection, found = prepared.selection, prepared.extent
    g = columns["g"].astype(np.int64)
    offsets = np.searchsorted(g, np.append(present, present[-1] + 1 if len(present) else 0)).astype(np.int64)
    values = columns["v"].astype(np.float64, copy=False)
    when = columns["t"].astype("datetime64[us]", copy=False)
    sizes = columns["s"].astype(np.float64) if found.has_sizes else None
    censored = columns["c"].astype(bool) if found.has_censored else None
    common: dict[str, Any] = {
        "measure": prepared.measure,
        "ids": [prepared.groups.ids[i] for i in present],
        "events": prepared.events,
        "exclusions": prepared.exclusions,
        "selection": selection.to_record() | prepared.stated,
        "load_ids": found.load_ids,
        "clock": prepared.clock,
    }
    if prepared.span is None:
        if sizes is not None and prepared.measure.scale == "proportion":
            values = np.where(sizes > 0, values / np.where(sizes > 0, sizes, 1.0), np.nan)
        return SeriesBatch(
            values,
            offsets,
            when=when,
            sizes=sizes,
            censored=censored,
            items=columns.get("item"),
            subgroups=subgroups_of(selection, columns, prepared.aliases),
            covariates={name: columns[prepared.aliases[name]] for name in selection.covariates},
            **common,
        )
    assert selection.statistic is not None
    periods = aggregate(
        offsets,
        when,
        values,
        sizes,
        np.zeros(len(g), dtype=bool) if censored is None else censored,
        statistic=selection.statistic,
        span=prepared.span,
        minimum=selection.minimum,
        attributes={name: columns[prepared.aliases[name]] for name in selection.covariates},
    )
    covariates: dict[str, NDArray[Any]] = {"incomplete": periods.incomplete, **periods.attributes}
    if found.has_censored:
        covariates["open_items"] = periods.censored
    return SeriesBatch(
        periods.values,
        periods.offsets,
        when=periods.when,
        sizes=periods.sizes,
        weights=periods.weights,
        covariates=covariates,
        # weeks that start on another day are not what `expected_every` counts
        expected_every=selection.every if selection.week_start in (None, "monday") else None,
        **common,
    )


def _with_items(prepared: Prepared) -> bool:
    return prepared.extent.has_items and prepared.span is None


def _span(engine: Engine, selection: Selection, found: Extent, query: Query) -> Span | None:
    if selection.every is None:
        return None
    zone = selection.period_zone

    def on_axis(when: str | np.datetime64 | None) -> np.datetime64 | None:
        if when is None:
            return None
        at = np.datetime64(when, "us") if isinstance(when, str) else when
        return at if zone is None else zones.to_wall(at, zone)

    as_of = on_axis(selection.as_of)
    if as_of is None:
        as_of = np.datetime64("1970-01-01", "us")
    found_first, found_last = on_axis(found.first), on_axis(found.last)
    first = found_first if found_first is not None else as_of
    since, until = on_axis(selection.since), on_axis(selection.until)
    week = selection.week_start or "monday"
    # records that all stand on the first instant of a period describe whole periods
    unit = {"hour": "hour", "day": "day", "month": "month", "quarter": "quarter", "year": "year"}.get(
        selection.every
    )
    whole = False
    if unit is not None and found_first is not None:
        t = wall_time("t", zone)
        whole = not engine.rows(
            f"SELECT 1 FROM ({query.sql}) WHERE {t} <> date_trunc('{unit}', {t}) LIMIT 1", query.parameters
        )
    last = max(as_of, found_last) if found_last is not None and until is None else as_of
    if until is not None:
        last = min(as_of, until - np.timedelta64(1, "us"))
    if whole and found_last is not None and until is None:
        last = found_last
    if since is not None:
        last = max(last, since)
    return Span(selection.every, week, since, until, first, last, whole)


def _stated(prepared: Prepared, exclusions_left: int, left_out: list[dict[str, Any]]) -> dict[str, Any]:
    """What a reader of the numbers must know, beyond what was asked for."""
    out: dict[str, Any] = {"clock": prepared.clock}
    if prepared.extent.definitions is not None:
        out["definitions"] = prepared.extent.definitions
    if prepared.span is not None:
        out["empty_periods"] = "0" if prepared.selection.statistic in ("count", "sum") else "gaps (no value)"
        if prepared.selection.covariates:
            out["covariates_of_periods"] = "the value of most observations; of as many, the one seen last"
        if left_out:
            out["excluded_observations"] = left_out
        if prepared.extent.without_period:
            out["open_items_without_period"] = prepared.extent.without_period
        if prepared.extent.has_censored and prepared.selection.statistic != "count":
            out["caution"] = (
                "some values are lower bounds (items still open, see covariate 'open_items'): "
                f"the {prepared.selection.statistic} of their periods is too low"
            )
    elif prepared.extent.opened is not None:
        out["opened"] = prepared.extent.opened
    if prepared.extent.without_time:
        out["observations_without_start"] = prepared.extent.without_time
    if exclusions_left:
        out["exclusions_not_applicable"] = exclusions_left
    return out


def _told_incomplete(cut_off: list[tuple[np.datetime64, str]], selection: Selection) -> str:
    if not cut_off:
        return "none"
    marks = 16 if selection.every == "hour" else 10
    told = "; ".join(f"{str(start)[:marks].replace('T', ' ')} ({why})" for start, why in cut_off)
    out = "excluded, and " if selection.statistic in ZERO_WHEN_EMPTY else ""
    return f"{out}flagged in covariate 'incomplete': {told}"


def _exclusions_of(cut_off: list[tuple[np.datetime64, str]], prepared: Prepared) -> list[Exclusion]:
    """The number or sum of the items of a part of a period is none of a period: visible, not for limits."""
    selection = prepared.selection
    assert prepared.span is not None
    known = prepared.span.last if selection.as_of is None else np.datetime64(selection.as_of, "us")
    if selection.as_of is not None and selection.period_zone is not None:
        known = zones.to_wall(known, selection.period_zone)
    return [
        Exclusion(
            f"incomplete period: {why}",
            when=start.astype("datetime64[us]").astype(object),
            who="perfanalytics",
            decided_on=known.astype("datetime64[D]").astype(object),
            measure=prepared.measure.name,
        )
        for start, why in cut_off
    ]
