"""From observations to one value a period: pure functions of columns in order of series and time.

Sums are made in the order of the data, so that the same data give the same number to the last bit.
Percentiles are those of Hyndman and Fan (1996), type 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.repository.subgrouping import most_frequent

#: Statistics for which an empty period is a true 0 and no gap.
ZERO_WHEN_EMPTY = ("count", "sum")


@dataclass(frozen=True, slots=True)
class Periods:
    """One row per series and period; empty periods included."""

    offsets: NDArray[np.int64]
    when: NDArray[Any]
    values: Floats
    sizes: Floats | None
    weights: Floats
    censored: NDArray[np.int64]
    incomplete: NDArray[np.bool_]
    attributes: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """What time the data cover: periods that reach beyond it are incomplete."""

    every: str
    week_start: str
    since: np.datetime64 | None
    until: np.datetime64 | None
    first: np.datetime64
    last: np.datetime64
    whole: bool

    def number(self, when: NDArray[Any]) -> NDArray[Any]:
        return period_number(when, self.every, week_start=self.week_start)

    def start(self, number: NDArray[Any]) -> NDArray[Any]:
        return period_start(number, self.every, week_start=self.week_start)


def aggregate(
    offsets: NDArray[np.int64],
    when: NDArray[Any],
    values: Floats,
    sizes: Floats | None,
    censored: NDArray[np.bool_],
    *,
    statistic: str,
    span: Span,
    minimum: int | None,
    attributes: Mapping[str, NDArray[Any]] | None = None,
) -> Periods:
    """One value for each series and period.

    Parameters
    ----------
    offsets : int array, shape (m + 1,)
        Series in the flat columns.
    when, values, sizes, censored : arrays of shape (n,)
        In order of series and time; NaN values are gaps and count for nothing.
    statistic : str
        "count", "sum", "mean", "median", "share", "rate", "minimum", "maximum" or "p1" to "p99".
    span : Span
        Each series runs from its first period (or ``since``) to the last of the span.
    minimum : int or None
        Periods with fewer observations are gaps.
    attributes : mapping of name to array of shape (n,), optional
        Of each the value that most observations of a period have is kept.
    """
    lengths = np.diff(offsets)
    series = np.repeat(np.arange(len(lengths)), lengths)
    number = span.number(when)
    used = ~np.isnan(values)
    if sizes is not None:
        used &= ~np.isnan(sizes)
    # where each series starts and how many periods it has
    last = int(span.number(np.array([span.last]))[0])
    start = np.full(len(lengths), last + 1)
    filled = lengths > 0
    if filled.any():
        # the smallest, not the first: where a clock is put back across midnight wall times step back
        start[filled] = np.minimum.reduceat(number, offsets[:-1][filled])
    if span.since is not None:
        start[:] = int(span.number(np.array([span.since]))[0])
    count = np.maximum(last + 1 - start, 0)
    out = np.concatenate([[0], np.cumsum(count)])
    cell = (out[:-1] - start)[series[used]] + number[used]
    shape = int(out[-1])
    n = np.bincount(cell, minlength=shape)
    total, denominator = _sums(cell, values[used], None if sizes is None else sizes[used], shape)
    result = np.full(shape, np.nan)
    some = n > 0
    if statistic == "count":
        result = n.astype(np.float64)
    elif statistic == "sum":
        result = total
    elif statistic == "mean":
        result[some] = total[some] / n[some]
    elif statistic in ("share", "rate"):
        base = n.astype(np.float64) if denominator is None else denominator
        positive = base > 0
        result[positive] = total[positive] / base[positive]
    else:
        result[some] = _ordered(statistic, cell, values[used], n)
    if minimum is not None:
        result[n < minimum] = np.nan
    if statistic in ("share", "rate"):
        given: Floats | None = n.astype(np.float64) if denominator is None else denominator
    elif statistic in ZERO_WHEN_EMPTY:
        given = denominator if statistic == "sum" else None
    else:
        given = n.astype(np.float64)
    numbers = np.arange(shape) - np.repeat(out[:-1] - start, count)
    begins = span.start(numbers)
    return Periods(
        offsets=out,
        when=begins,
        values=result,
        sizes=given,
        weights=n.astype(np.float64),
        censored=np.bincount(cell[censored[used]], minlength=shape),
        incomplete=_incomplete(numbers, begins, span),
        attributes={k: most_frequent(cell, v[used], shape) for k, v in (attributes or {}).items()},
    )


def _sums(
    cell: NDArray[Any], values: Floats, sizes: Floats | None, shape: int
) -> tuple[Floats, Floats | None]:
    # bincount adds in the order of the data
    total: Floats = np.bincount(cell, weights=values, minlength=shape).astype(np.float64)
    if sizes is None:
        return total, None
    return total, np.bincount(cell, weights=sizes, minlength=shape).astype(np.float64)


def _ordered(statistic: str, cell: NDArray[Any], values: Floats, n: NDArray[Any]) -> Floats:
    """Minimum, maximum, median or percentile of each cell that has values."""
    order = np.lexsort((values, cell))
    ranked = values[order]
    n = n[n > 0]
    first = np.concatenate([[0], np.cumsum(n)[:-1]]).astype(np.int64)
    q = {"minimum": 0.0, "maximum": 1.0, "median": 0.5}.get(statistic)
    q = float(statistic[1:]) / 100 if q is None else q
    place = (n - 1) * q
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, n - 1)
    low, high = ranked[first + below], ranked[first + above]
    out: Floats = low + (high - low) * (place - below)
    return out


def incomplete_periods(span: Span) -> list[tuple[np.datetime64, str]]:
    """First and last period of a span where the data cover only a part of them: (start, why)."""
    begin = span.first if span.since is None else span.since
    edges = np.unique(span.number(np.array([begin, span.last])))
    covered_from, covered_to = _covered(span)
    out = []
    for number, start in zip(edges, span.start(edges), strict=True):
        reasons = []
        if covered_from is not None and start < covered_from:
            told = "data begin on" if span.since is None else "asked for only from"
            reasons.append(f"{told} {_date(covered_from, span)}")
        if covered_to is not None and span.start(np.array([number + 1]))[0] > covered_to:
            by_data = span.until is None or span.last < span.until - np.timedelta64(1, "us")
            told = "data end on" if by_data else "asked for only until"
            reasons.append(f"{told} {_date(span.last if by_data else covered_to, span)}")
        if reasons:
            out.append((start, ", ".join(reasons)))
    return out


def _date(when: np.datetime64, span: Span) -> str:
    return str(when)[:16].replace("T", " ") if span.every == "hour" else str(when)[:10]


def _covered(span: Span) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """From when to when there are data, to the day (hours: exactly)."""
    if span.whole:
        return span.since, span.until
    day = span.every != "hour"
    first = span.first.astype("datetime64[D]").astype("datetime64[us]") if day else span.first
    last = span.last
    if day:
        last = (span.last.astype("datetime64[D]") + 1).astype("datetime64[us]")
    return (
        first if span.since is None else span.since,
        last if span.until is None else min(span.until, last),
    )


def _incomplete(numbers: NDArray[Any], begins: NDArray[Any], span: Span) -> NDArray[np.bool_]:
    """Periods of which the data cover only a part."""
    covered_from, covered_to = _covered(span)
    out = np.zeros(len(begins), dtype=bool)
    if covered_from is not None:
        out |= begins < covered_from
    if covered_to is not None:
        out |= span.start(numbers + 1) > covered_to
    return out
