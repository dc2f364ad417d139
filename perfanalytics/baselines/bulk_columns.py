"""The columns of many baselines: numbers, charts, objectives and doubts of every series."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines import bulk_numbers
from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.bulk_numbers import QUANTITIES, Many, Sizes, Table, describe_many, scales_of
from perfanalytics.baselines.bulk_result import PER_SERIES
from perfanalytics.baselines.doubts import doubts, misfit_doubts, stability_doubts
from perfanalytics.baselines.extract import extract_doubts, opening_times
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.objectives import SHARE_MEETING, assess_items, assess_statistic
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.rows import Row
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure, Scale
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat
from perfanalytics.core.segments import blocks
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.charts import control_charts

#: Points of a block: what is worked on at a time.
BLOCK = 1 << 17


def columns_of(
    batch: SeriesBatch, options: Options, objective: Objective | None
) -> tuple[dict[str, Any], list[str]]:
    """The columns of :class:`Baselines` and the names of the quantities."""
    single = (
        batch.sizes is not None
        or batch.measure.scale in ("ordinal", "proportion")
        or (batch.censored is not None and bool(batch.censored.any()))
    )
    _need_values(batch)
    if single:
        return _one_by_one(batch, options, objective)
    excluded, _ = batch.excluded()
    values = np.where(excluded, np.nan, batch.values)
    logged, _ = scales_of(values, batch.offsets, batch.measure)
    made = _in_blocks(values, batch.offsets, batch.measure, options, logged)
    return _with_charts(batch, values, made, options, objective)


def _in_blocks(
    values: Floats, offsets: NDArray[np.int64], measure: Measure, options: Options, logged: NDArray[np.bool_]
) -> Many:
    """The quantities of all series, computed in blocks of whole series whose arrays stay in cache."""
    parts = []
    for first, last in blocks(offsets, BLOCK):
        a, b = int(offsets[first]), int(offsets[last])
        own = offsets[first : last + 1] - a
        parts.append(describe_many(values[a:b], own, measure, options, logged[first:last]))

    def joined(name: str, of: Callable[[Many], Any]) -> Any:
        return np.concatenate([getattr(of(p), name) for p in parts])

    return Many(
        Table(*(joined(f.name, lambda p: p.table) for f in fields(Table))),
        logged,
        Sizes(*(joined(f.name, lambda p: p.size) for f in fields(Sizes))),
        np.concatenate([p.points_to_halve for p in parts]),
    )


def _need_values(batch: SeriesBatch) -> None:
    excluded, _ = batch.excluded()
    used = (~np.isnan(batch.values) & ~excluded).astype(np.int64)
    n = np.diff(np.concatenate([[0], np.cumsum(used)])[batch.offsets])
    if not len(batch):
        raise InputError("there is no series: nothing to describe")
    if (n == 0).any():
        which = batch.ids[int(np.flatnonzero(n == 0)[0])]
        raise InputError(
            f"series {which!r} has no value left to describe: all points are missing or excluded"
        )


def _with_charts(
    batch: SeriesBatch, values: Floats, made: Many, options: Options, objective: Objective | None
) -> tuple[dict[str, Any], list[str]]:
    m, measure = len(batch), batch.measure
    charts = _charts(batch, made.logged)
    table, quantities = made.table, list(QUANTITIES)
    size, offsets = made.size, batch.offsets
    codes: list[str] = []
    standing: NDArray[Any] = np.full(m, None, dtype=object)
    share = Table.empty(m, 1)
    weighted = batch.weights is not None
    timed = opening_times(batch[0]) is not None
    by_name = {q: k for k, q in enumerate(quantities)}
    for i in range(m):
        a, b = int(offsets[i]), int(offsets[i + 1])
        part = values[a:b]
        seen = part[~np.isnan(part)]
        one = size.one(i)
        blocked = measure.scale in LOG_SCALES and not made.logged[i]
        found = doubts(seen, one, options.dependence, measure, blocked=blocked, asked=options.asked)
        if not blocked:
            found += misfit_doubts(seen, logged=bool(made.logged[i]))
        stable = bool(charts["stable"][i]) if charts["judged"][i] else None
        found += stability_doubts(stable, int(charts["signals"][i]), "")
        if timed:
            found += extract_doubts(batch[i], ~np.isnan(part))
        if weighted:
            found.append(Caveat("weights-ignored", "weights", {}))
        codes.append("; ".join(dict.fromkeys(c.code for c in found)))
        if objective is not None:
            if objective.statistic == "item":
                # under dependence by the autocorrelation of the values as they are, as in one baseline
                raw = bulk_numbers.sizes_of(part, np.array([0, b - a]), one_n(seen), options.dependence).one(
                    0
                )
                told = assess_items(part, raw, objective, options, measure.unit)
                assert told.row is not None
                share.estimate[i, 0], share.low[i, 0], share.high[i, 0] = (
                    told.row.estimate,
                    told.row.low,
                    told.row.high,
                )
            else:
                name = "p50" if objective.statistic == "median" else objective.statistic
                if name not in by_name:
                    raise UnknownNameError("statistic of the objective", objective.statistic, quantities)
                k = by_name[name]
                row = Row(name, table.estimate[i, k], table.low[i, k], table.high[i, k], options.confidence)
                told = assess_statistic(row, objective)
            standing[i] = told.standing
    if objective is not None and objective.statistic == "item":
        quantities.append(SHARE_MEETING)
        for part_name in ("estimate", "low", "high", "achieved"):
            both = np.hstack([getattr(table, part_name), getattr(share, part_name)])
            setattr(table, part_name, both)
    columns = {
        "n": size.n,
        "n_missing": _counted(np.isnan(batch.values), batch.offsets),
        # a gap that is excluded is a gap
        "n_excluded": _counted(np.isnan(values) & ~np.isnan(batch.values), batch.offsets),
        "n_censored": np.zeros(m, dtype=np.int64),
        "first": _ends_of(batch, values)[0],
        "last": _ends_of(batch, values)[1],
        "scale": np.where(made.logged, "log", "raw").astype(object),
        "lag1": size.r1,
        "n_effective": size.n_mean,
        "estimate": table.estimate,
        "low": table.low,
        "high": table.high,
        "achieved": table.achieved,
        **{
            k: charts[k] for k in ("judged", "stable", "signals", "center_line", "lower_limit", "upper_limit")
        },
        "standing": standing,
        "points_to_halve": made.points_to_halve,
        "caveats_of_series": np.array(codes, dtype=object),
    }
    return columns, quantities


def _counted(flags: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the points of each series."""
    return np.diff(np.concatenate([[0], np.cumsum(flags.astype(np.int64))])[offsets])


def one_n(seen: Floats) -> NDArray[np.int64]:
    """The number of values as an array of one."""
    return np.array([len(seen)], dtype=np.int64)


def _charts(batch: SeriesBatch, logged: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Stability and natural process limits by the individuals chart, of logarithms where ``logged``."""
    m = len(batch)
    out: dict[str, NDArray[Any]] = {
        "judged": np.zeros(m, dtype=bool),
        "stable": np.zeros(m, dtype=bool),
        "signals": np.zeros(m, dtype=np.int64),
        **{k: np.full(m, np.nan) for k in ("center_line", "lower_limit", "upper_limit")},
    }
    for logs in (False, True):
        which = np.flatnonzero(logged == logs)
        if not len(which):
            continue
        made = control_charts(_part(batch, which, logs=logs))
        limits = {"center_line": made.center, "lower_limit": made.lower, "upper_limit": made.upper}
        for name, values in limits.items():
            out[name][which] = _back(values, name, logs, batch.measure)
        out["judged"][which], out["stable"][which] = made.judged, made.stable
        out["signals"][which] = made.n_signals
    return out


def _back(values: Floats, name: str, logs: bool, measure: Measure) -> Floats:
    if logs:
        return np.array([math.exp(v) for v in values.tolist()], dtype=float)
    if measure.scale in ("duration", "positive", "count") and name == "lower_limit":
        return np.where(np.isnan(values), values, np.fmax(values, 0.0))
    return values


def _part(batch: SeriesBatch, which: NDArray[np.int64], *, logs: bool) -> SeriesBatch:
    """Some series of a batch, as logarithms where asked for."""
    if len(which) == len(batch) and not logs:
        return batch
    points = np.concatenate([np.arange(batch.offsets[i], batch.offsets[i + 1]) for i in which.tolist()])
    ids = [batch.ids[i] for i in which.tolist()]
    measure = batch.measure
    values = batch.values[points]
    if logs:
        values = np.log(values)
        scale: Scale | None = None if measure.scale is None else "real"  # bare numbers stay bare numbers
        measure = replace(measure, name=f"log {measure.name}", scale=scale, unit="")
    kept = [e for e in batch.exclusions if e.series is None or e.series in set(ids)]
    return SeriesBatch(
        values,
        np.concatenate([[0], np.cumsum(batch.lengths[which])]),
        measure=measure,
        ids=ids,
        when=None if batch.when is None else batch.when[points],
        labels=None if batch.labels is None else batch.labels[points],
        items=None if batch.items is None else batch.items[points],
        events=batch.events,
        exclusions=kept,
        expected_every=batch.expected_every,
        clock=batch.clock if batch.when is not None else None,
    )


def _ends_of(batch: SeriesBatch, values: Floats) -> tuple[NDArray[Any], NDArray[Any]]:
    m = len(batch)
    first = np.full(m, "NaT", dtype="datetime64[us]")
    last = first.copy()
    if batch.when is not None:
        seen = ~np.isnan(values)
        for i in range(m):
            found = np.flatnonzero(seen[batch.offsets[i] : batch.offsets[i + 1]])
            first[i] = batch.when[batch.offsets[i] + found[0]]
            last[i] = batch.when[batch.offsets[i] + found[-1]]
    return first, last


def _one_by_one(
    batch: SeriesBatch, options: Options, objective: Objective | None
) -> tuple[dict[str, Any], list[str]]:
    made: list[Baseline] = [
        baseline(
            batch[i],
            coverage=options.coverage,
            confidence=options.confidence,
            dependence=options.dependence if options.asked else None,
            objective=objective,
            m=options.m,
        )
        for i in range(len(batch))
    ]
    # NATURAL limits stand in columns of their own
    quantities = list(
        dict.fromkeys(q for b in made for q in b.quantity.tolist() if q != "natural process limits")
    )
    shape = (len(made), len(quantities))
    parts = {p: np.full(shape, np.nan) for p in ("estimate", "low", "high", "achieved")}
    place = {q: k for k, q in enumerate(quantities)}
    for i, b in enumerate(made):
        for j, q in enumerate(b.quantity.tolist()):
            if q in place:
                for p, column in parts.items():
                    column[i, place[q]] = getattr(b, p)[j]
    whole = {
        name: np.array([getattr(b, name) for b in made], dtype=np.int64)
        for name in ("n", "n_missing", "n_excluded", "n_censored", "signals", "points_to_halve")
    }
    real = {
        name: np.array([getattr(b, name) for b in made], dtype=float)
        for name in ("lag1", "n_effective", "center_line", "lower_limit", "upper_limit")
    }
    none = np.datetime64("NaT", "us")
    columns: dict[str, Any] = {
        **whole,
        **real,
        **parts,
        "first": np.array([none if b.first is None else b.first for b in made], dtype="datetime64[us]"),
        "last": np.array([none if b.last is None else b.last for b in made], dtype="datetime64[us]"),
        "scale": np.array([b.scale for b in made], dtype=object),
        "judged": np.array([b.stable is not None for b in made], dtype=bool),
        "stable": np.array([bool(b.stable) for b in made], dtype=bool),
        "standing": np.array([b.standing for b in made], dtype=object),
        "caveats_of_series": np.array(["; ".join(b.caveat_codes) for b in made], dtype=object),
    }
    return {k: columns[k] for k in PER_SERIES}, quantities
