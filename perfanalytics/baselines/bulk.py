"""baselines_of(batch) -> Baselines: one row for each of many series, the numbers of the single baseline."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines import bulk_numbers
from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.bulk_numbers import QUANTITIES, Many, Sizes, Table, describe_many, scales_of
from perfanalytics.baselines.bulk_result import PER_SERIES, Baselines
from perfanalytics.baselines.doubts import doubts, misfit_doubts, stability_doubts
from perfanalytics.baselines.extract import extract_doubts, opening_times
from perfanalytics.baselines.grouping import batch_from_frame, is_frame
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.objectives import SHARE_MEETING, assess_items, assess_statistic
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.rows import Row
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure, Scale
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.segments import blocks
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.charts import control_charts

#: Points of a block: what is worked on at a time.
BLOCK = 1 << 17
#: What a run over the repository keeps of each baseline: column -> quantity and part.
_RUN_QUANTITIES = ("mean", "geometric mean", "sd", "p10", "p50", "p90", "next item", "share", "rate")
_TYPES = {"n": "integer", "n_missing": "integer", "n_excluded": "integer", "n_censored": "integer"}
_TYPES |= {"scale": "text", "lag1": "float", "n_effective": "float", "judged": "boolean", "stable": "boolean"}
_TYPES |= {"signals": "integer", "lower_limit": "float", "center_line": "float", "upper_limit": "float"}
_TYPES |= {"standing": "text", "points_to_halve": "integer", "caveats": "text"}


def baselines_of(
    data: object,
    *,
    value: str | None = None,
    by: str | Sequence[str] = (),
    measure: Measure | None = None,
    coverage: float = 0.95,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    objective: Objective | None = None,
    m: int = 10,
) -> Baselines:
    """Baselines of many series, one row each.

    Parameters
    ----------
    data : SeriesBatch, mapping of id to series, sequence of Series, or pandas DataFrame
        A frame has one row per observation (``repo.frame``): with ``value`` and ``by``.
    value : str, optional
        Column of a frame that holds the values; ``when``, ``<value>_size`` and ``<value>_censored`` are taken
        where the frame has them.
    by : str or sequence of str
        Columns of a frame whose combinations are the series. A missing value is a series of its own.
    measure : Measure, optional
        What the values of a frame are; frames of the repository know it.
    coverage, confidence, dependence, objective, m
        As in :func:`perfanalytics.baseline`, for every series.

    Returns
    -------
    Baselines

    Raises
    ------
    InputError, UnknownNameError
        As in :func:`perfanalytics.baseline`; for a series without any value; for ``value`` or ``by`` without
        a frame, and columns that it does not have.

    Notes
    -----
    The numbers are those of the single baseline of each series, to the last bit. Fitted distributions and the
    values themselves are not kept: make ``perf.baseline(batch[i])`` of the series that matter. Shares, rates,
    ordinal values and series with items still open are made one by one.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> fast, slow = [5.1, 4.9, 5.6, 5.0, 4.7, 5.3], [9.1, 8.7, 9.9, 9.3, 9.0, 8.8]
    >>> made = perf.baselines_of({"fast": fast, "slow": slow})
    >>> made.verdict
    '2 baselines, of 6 points each: means from 5.1 to 9.13. Stability could not be judged for 2.'
    >>> made.summary()[["id", "n", "median"]].values.tolist()
    [['fast', 6, 5.05], ['slow', 6, 9.05]]
    """
    if is_frame(data):
        if value is None or not by:
            raise InputError(
                "a frame needs value= (the column of the values) and by= (what makes the series)"
            )
        batch = batch_from_frame(data, value=value, by=by, measure=measure).batch
    elif value is not None or by or measure is not None:
        raise InputError(
            "value=, by= and measure= speak of a frame; a batch knows its series and its measure"
        )
    else:
        batch = as_batch(data)
    options, because = _options(batch, coverage, confidence, dependence, m)
    if batch.values.ndim != 1:
        raise InputError(f"a baseline describes one column of values, got shape {batch.values.shape}")
    columns, quantities = _columns(batch, options, objective)
    codes = columns["caveats_of_series"]
    counted = Counter(c for text in codes.tolist() for c in text.split("; ") if c)
    total = len(batch)
    return Baselines(
        verdict=_verdict(batch, columns, quantities),
        caveats=tuple(
            Caveat(c, f"{k} of {total} series: {c.replace('-', ' ')}.", {"series": k, "of": total})
            for c, k in counted.items()
        ),
        method=Method(
            "baselines",
            {
                "coverage": coverage,
                "confidence": confidence,
                "dependence": options.dependence,
                "dependence_because": because,
                "m": m,
                "objective": None if objective is None else objective.name,
                "percentiles": "type 7 of Hyndman and Fan 1996; Kaplan-Meier where items are open",
            },
            ("Hahn and Meeker (1991), Statistical Intervals, chapters 4 and 5",),
        ),
        provenance=batch.provenance(),
        measure=batch.measure,
        ids=batch.ids,
        dependence=options.dependence,
        objective=objective,
        quantity=read_only(np.array(quantities, dtype=object)),
        **columns,
    )


def bulk_method(
    *,
    coverage: float = 0.95,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    m: int = 10,
) -> BulkMethod:
    """The baselines of every series of a selection, for ``repo.map``.

    Parameters
    ----------
    coverage, confidence, dependence, m
        As in :func:`perfanalytics.baseline`.
    """
    names = {q: q.replace(" ", "_") for q in _RUN_QUANTITIES}
    types = dict(_TYPES) | {
        f"{name}{part}": "float" for name in names.values() for part in ("", "_low", "_high")
    }

    def apply(batch: SeriesBatch) -> dict[str, NDArray[Any]]:
        options, _ = _options(batch, coverage, confidence, dependence, m)
        columns, quantities = _columns(batch, options, None)
        place = {q: k for k, q in enumerate(quantities)}
        out: dict[str, NDArray[Any]] = {
            k: columns["caveats_of_series" if k == "caveats" else k] for k in _TYPES
        }
        none = np.full(len(batch), np.nan)
        for quantity, name in names.items():
            for part, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
                known = quantity in place
                out[name + suffix] = columns[part][:, place[quantity]] if known else none
        return out

    parameters = {"coverage": coverage, "confidence": confidence, "dependence": dependence, "m": m}
    return BulkMethod(method=Method("baselines", parameters), columns=types, apply=apply)


def _options(
    batch: SeriesBatch, coverage: float, confidence: float, dependence: Dependence | None, m: int
) -> tuple[Options, str]:
    for name, level in (("coverage", coverage), ("confidence", confidence)):
        if not 0 < level < 1:
            raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {level}")
    if m < 1:
        raise InputError(f"m, the number of items averaged, is at least 1, got {m}")
    if dependence not in (None, "ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    timed = batch.when is not None
    because = (
        "asked for" if dependence is not None else "default for series " + ("with" if timed else "without")
    )
    because += "" if dependence is not None else " times"
    chosen: Dependence = dependence or ("ar1" if timed else "independent")
    return Options(coverage, confidence, chosen, m, asked=dependence is not None), because


def _columns(
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
        "n_missing": charts["n_missing"],
        "n_excluded": charts["n_excluded"],
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


def one_n(seen: Floats) -> NDArray[np.int64]:
    """The number of values as an array of one."""
    return np.array([len(seen)], dtype=np.int64)


def _charts(batch: SeriesBatch, logged: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Stability and natural process limits by the individuals chart, of logarithms where ``logged``."""
    m = len(batch)
    out: dict[str, NDArray[Any]] = {
        "judged": np.zeros(m, dtype=bool),
        "stable": np.zeros(m, dtype=bool),
        **{k: np.zeros(m, dtype=np.int64) for k in ("signals", "n_missing", "n_excluded")},
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
        out["n_missing"][which], out["n_excluded"][which] = made.n_missing, made.n_excluded
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


def _verdict(batch: SeriesBatch, columns: Mapping[str, Any], quantities: Sequence[str]) -> str:
    from perfanalytics.baselines.wording import count, number

    m, n = len(batch), columns["n"]
    points = f"of {n.min():,} points each" if n.min() == n.max() else f"of {n.min():,} to {n.max():,} points"
    center = next((q for q in ("mean", "share", "rate", "p50") if q in quantities), quantities[0])
    at = columns["estimate"][:, quantities.index(center)]
    text = f"{count(m, 'baseline')}, {points}"
    if np.isfinite(at).any():
        low, high = float(np.nanmin(at)), float(np.nanmax(at))
        what = {"mean": "means", "share": "shares", "rate": "rates", "p50": "medians"}.get(center, center)
        unit = batch.measure.unit
        text += f": {what} from {number(low)} to {number(high, unit, spread=(high - low) / 10)}"
    bad = int(np.sum(columns["judged"] & ~columns["stable"]))
    unknown = int(np.sum(~columns["judged"]))
    text += "."
    if bad:
        text += f" {bad} {'was' if bad == 1 else 'were'} not stable."
    if unknown:
        text += f" Stability could not be judged for {unknown}."
    return text
