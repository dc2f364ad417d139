"""From the columns of a selection to a SeriesBatch, the same way for one series and for a block of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.core.series import SeriesBatch
from perfanalytics.repository import happenings
from perfanalytics.repository.aggregation import Span, aggregate
from perfanalytics.repository.dimension import Groups, groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.observations import Extent, Query, extent, observations, ordered
from perfanalytics.repository.selection import Selection, measure_record, measure_row


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


def prepare(engine: Engine, selection: Selection) -> Prepared:
    """Resolve a selection against the repository."""
    measure = measure_record(engine, selection.measure)
    _, clock = measure_row(engine, selection.measure)
    of = groups(engine, selection)
    query = observations(engine, selection, of)
    found = extent(engine, selection, of, query)
    events = happenings.events(engine, measure, selection)
    exclusions, left = happenings.exclusions(
        engine, measure, selection, of.ids, has_items=found.has_items, clock=clock
    )
    out = Prepared(
        selection,
        measure,
        clock,
        of,
        query,
        found,
        _span(engine, selection, found, query),
        events,
        exclusions,
    )
    out.stated = _stated(out, left)
    return out


def fetch(engine: Engine, prepared: Prepared) -> SeriesBatch:
    """The whole selection as one batch; groups without observations are left out."""
    query = ordered(prepared.query, prepared.extent, items=_with_items(prepared))
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
    )
    covariates: dict[str, NDArray[Any]] = {"incomplete": periods.incomplete}
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
    as_of = np.datetime64(selection.as_of or "1970-01-01", "us")
    first = found.first if found.first is not None else as_of
    since = None if selection.since is None else np.datetime64(selection.since, "us")
    until = None if selection.until is None else np.datetime64(selection.until, "us")
    week = selection.week_start or "monday"
    # records that all stand on the first instant of a period describe whole periods
    unit = {"hour": "hour", "day": "day", "month": "month", "quarter": "quarter", "year": "year"}.get(
        selection.every
    )
    whole = False
    if unit is not None and found.first is not None:
        whole = not engine.rows(
            f"SELECT 1 FROM ({query.sql}) WHERE t <> date_trunc('{unit}', t) LIMIT 1", query.parameters
        )
    last = max(as_of, found.last) if found.last is not None and selection.until is None else as_of
    if until is not None:
        last = min(as_of, until - np.timedelta64(1, "us"))
    if whole and found.last is not None and until is None:
        last = found.last
    if since is not None:
        last = max(last, since)
    return Span(selection.every, week, since, until, first, last, whole)


def _stated(prepared: Prepared, exclusions_left: int) -> dict[str, Any]:
    """What a reader of the numbers must know, beyond what was asked for."""
    out: dict[str, Any] = {"clock": prepared.clock}
    if prepared.span is not None:
        out["empty_periods"] = "0" if prepared.selection.statistic in ("count", "sum") else "gaps (no value)"
        out["incomplete_periods"] = "flagged in covariate 'incomplete'"
        if prepared.extent.without_period:
            out["open_items_without_period"] = prepared.extent.without_period
        if prepared.extent.has_censored and prepared.selection.statistic != "count":
            out["caution"] = (
                "some values are lower bounds (items still open, see covariate 'open_items'): "
                f"the {prepared.selection.statistic} of their periods is too low"
            )
    if prepared.extent.without_time:
        out["observations_without_start"] = prepared.extent.without_time
    if exclusions_left:
        out["exclusions_not_applicable"] = exclusions_left
    return out
