"""Two sides made ready for comparison: items, periods, order, and whether they can be compared at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes, totals_and_sizes
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import MEASURED_SCALES, Measure
from perfanalytics.core.periods import check_every, period_number
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series, SeriesBatch

ORDERS = ("time", "none")
#: Values larger (or all smaller) than this cannot be compared: their fourth powers leave double precision.
LARGEST, SMALLEST = 1e70, 1e-70
#: Statistics of a period whose variance does not fall with the number of items behind them.
UNWEIGHTED = frozenset({"count", "sum", "minimum", "maximum"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """The usable points of one side.

    ``values`` (n,) without gaps and excluded points; ``weights`` (n,) for means (sizes of shares, weights,
    else 1); ``counted`` whether the weights are denominators; ``period`` (n,) the whole number of the period
    or position of each point, never decreasing; ``when`` (n,) or None.
    """

    values: Floats
    weights: Floats
    counted: bool
    period: NDArray[np.int64]
    when: NDArray[np.datetime64] | None
    censored: int
    excluded: int

    @property
    def periods(self) -> int:
        """Number of different periods."""
        return int(len(self.values) and 1 + np.count_nonzero(np.diff(self.period)))

    @property
    def mean(self) -> float:
        """The weighted mean."""
        return float(np.average(self.values, weights=self.weights))

    def starts(self) -> NDArray[np.int64]:
        """Where each period starts among the points."""
        return np.flatnonzero(np.diff(self.period, prepend=self.period[:1] - 1))

    def where(self, keep: NDArray[np.bool_]) -> Side:
        """Some of the points."""
        return replace(
            self,
            values=self.values[keep],
            weights=self.weights[keep],
            period=self.period[keep],
            when=None if self.when is None else self.when[keep],
        )

    def by_period(self, values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Weighted mean a period of some values of the points, its weight, its number."""
        starts = self.starts()
        weight = np.add.reduceat(self.weights, starts)
        return np.add.reduceat(self.weights * values, starts) / weight, weight, self.period[starts]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Both sides, with how they were read."""

    before: Side
    after: Side
    measure: Measure
    ordered: bool
    order: str
    every: str
    overlapping: bool
    boundary_gap: float
    caveats: tuple[Caveat, ...]

    @property
    def values(self) -> Floats:
        """All values, before first."""
        return np.concatenate([self.before.values, self.after.values])

    @property
    def is_after(self) -> NDArray[np.bool_]:
        """Which of :attr:`values` lie after the change."""
        return np.arange(len(self.values)) >= len(self.before.values)

    def where(self, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Sides:
        """Some of the points of both sides; the distance between the sides grows with what is left out."""
        one, two = self.before.where(before), self.after.where(after)
        gap = self.boundary_gap
        if len(one.values) and len(two.values):
            gap += float(self.before.period[-1] - one.period[-1] + two.period[0] - self.after.period[0])
        return replace(self, before=one, after=two, boundary_gap=gap)

    @property
    def fewest_periods(self) -> int:
        """Periods of the shorter side."""
        return min(self.before.periods, self.after.periods)


def read_sides(
    before: object,
    after: object,
    *,
    order: str | None,
    every: str | None,
    measure: Measure | None = None,
    reading: str = "values",
) -> tuple[Sides, Series, Series]:
    """The two sides as they will be compared, and the series they came from.

    With ``reading="shares"`` counts (or shares) with sizes are proportions also where the measure does not
    say so; with ``"rates"`` counts with sizes are counts per exposure.

    Raises
    ------
    InputError
        When a side has no usable value, the sides differ in measure, unit or clock, the side after lies
        before the other, there are denominators of which nobody says what they are, or values that leave
        double precision when they are squared.
    UnknownNameError
        When ``order`` or ``every`` is not one of the allowed values.
    """
    one, two = as_series(before, measure=measure), as_series(after, measure=measure)
    _check_comparable(one, two)
    if order is not None and order not in ORDERS:
        raise UnknownNameError("order", str(order), ORDERS)
    if every is not None:
        check_every(every)
        if one.when is None:
            raise InputError("every= needs times: give both sides when=, or leave every= out")
    if order == "none" and every is not None:
        raise InputError("every= speaks of periods in time; with order='none' leave it out")
    ordered = order != "none"
    rhythm, how = _rhythm(one, two, every)
    sides = [_side(s, rhythm, reading) for s in (one, two)]
    for name, side in zip(("before", "after"), sides, strict=True):
        if not len(side.values):
            raise InputError(f"the side {name!r} has no usable value: nothing can be compared")
    _check_size(sides[0], sides[1])
    _check_not_swapped(sides[0], sides[1])
    overlapping = bool(one.when is not None and two.when is not None and _overlap(sides[0], sides[1]))
    caveats = _caveats(sides[0], sides[1], overlapping)
    if one.when is None:
        source = "as given, taken as order in time"
    else:
        source = "times"
    if rhythm is None:
        gap = float(len(one) - sides[0].period[-1] + sides[1].period[0])
    else:
        gap = float(max(1, sides[1].period[0] - sides[0].period[-1]))
    return (
        Sides(
            before=sides[0],
            after=sides[1],
            measure=one.measure if one.measure.is_named else two.measure,
            ordered=ordered,
            order=source if ordered else "none",
            every=how,
            overlapping=overlapping,
            boundary_gap=float("inf") if overlapping else gap,
            caveats=tuple(caveats),
        ),
        one,
        two,
    )


def _check_comparable(one: Series, two: Series) -> None:
    a, b = one.measure, two.measure
    if one.values.ndim != 1 or two.values.ndim != 1:
        raise InputError("two sides of single values are compared: values must have shape (n,)")
    if a.is_named and b.is_named:
        if a.name != b.name:
            raise InputError(f"different measures: {a.name!r} before, {b.name!r} after")
        if a.unit != b.unit:
            raise InputError(f"different units of {a.name!r}: {a.unit!r} before, {b.unit!r} after")
        if a.scale != b.scale:
            raise InputError(f"different scales of {a.name!r}: {a.scale!r} before, {b.scale!r} after")
    if (one.when is None) != (two.when is None):
        raise InputError("one side has times, the other has none: give both or neither")
    if one.when is not None and one.clock != two.clock:
        raise InputError(f"one side is in {one.clock} time, the other in {two.clock} time")
    for column in ("sizes", "weights"):
        if (getattr(one, column) is None) != (getattr(two, column) is None):
            raise InputError(f"one side has {column}, the other has none: give both or neither")


def _check_size(one: Side, two: Side) -> None:
    """Sums of squares and their squares must stay within double precision."""
    largest = max(float(np.abs(side.values).max()) for side in (one, two))
    if largest > LARGEST or 0 < largest < SMALLEST:
        raise InputError(
            f"the largest value is {largest:g}: its powers leave the range of double precision; "
            f"measure in a unit that is {'larger' if largest > 1 else 'smaller'}"
        )


def _check_not_swapped(one: Side, two: Side) -> None:
    if one.when is None or two.when is None or not two.when[-1] < one.when[0]:
        return
    raise InputError(
        f"the sides are swapped in time: all of 'after' ({day(two.when[0])} to {day(two.when[-1])}) lies "
        f"earlier than 'before' (from {day(one.when[0])} on). Give the earlier side first"
    )


def _rhythm(one: Series, two: Series, every: str | None) -> tuple[str | None, str]:
    """The period of both sides (None: the points as they stand) and a sentence about it."""
    if one.when is None or two.when is None:
        return None, "each value is a period"
    declared = one.expected_every or two.expected_every
    if every is not None:
        return every, f"{every} (asked for)"
    if declared is not None:
        return declared, f"{declared} (rhythm of the series)"
    for s in (one, two):
        assert s.when is not None
        usable = s.when[~np.isnan(s.values)]
        if (np.diff(period_number(usable, "day")) == 0).any():
            return "day", "day (default for items)"
    return None, "each value is a period"


def _side(series: Series, rhythm: str | None, reading: str) -> Side:
    excluded, _ = series.excluded()
    values, weights, counted = values_and_weights(series.as_batch(), reading=reading)
    use = ~np.isnan(values) & ~excluded & (weights > 0)
    if rhythm is None or series.when is None:
        period = np.arange(len(series), dtype=np.int64)
    else:
        period = np.asarray(period_number(series.when, rhythm), dtype=np.int64)
    return Side(
        values=values[use],
        weights=weights[use],
        counted=counted,
        period=period[use],
        when=None if series.when is None else series.when[use],
        censored=0 if series.censored is None else int(series.censored[use].sum()),
        excluded=int(excluded.sum()),
    )


def values_and_weights(batch: SeriesBatch, *, reading: str = "values") -> tuple[Floats, Floats, bool]:
    """Values with their weights in means, and whether the weights are denominators.

    Totals of a measured quantity (scale "real", "positive", "duration") with sizes become ratios weighted by
    their sizes: no law of counts is read into them, and nothing depends on the unit. Counts of a proportion
    become shares weighted by their sizes; a rate is weighted by its denominator, a mean or percentile of a
    period by its weight (the number of items behind it). Totals and extremes of periods are not weighted: the
    number of items is part of what they measure. With ``reading="shares"`` a measure of undeclared scale, or
    of counts, is read as a proportion; with ``"rates"`` as counts per size.

    Raises
    ------
    InputError
        For denominators of a measure that is neither a proportion nor a rate: nothing is left out silently;
        for methods of counts on a measured quantity.
    """
    values, measure = batch.values, batch.measure
    if measure.scale in MEASURED_SCALES and batch.sizes is not None:
        if reading != "values":
            raise InputError(
                f"{measure.name} is a measured quantity (scale {measure.scale!r}), no count: in another unit "
                "the same data would have another answer. Leave method= out, or take one for values "
                "('ar1_level_change', 'welch')"
            )
        if batch.selection.get("statistic") is None:
            totals, sizes, _ = totals_and_sizes(batch)
            return totals / sizes, np.nan_to_num(sizes), False
    statistic = batch.selection.get("statistic")
    seen = ~np.isnan(values)
    shares = measure.scale == "proportion" or (
        reading == "shares" and measure.scale in (None, "count") and statistic in (None, "share", "rate")
    )
    if shares and (batch.sizes is not None or np.isin(values[seen], (0.0, 1.0)).all()):
        counts, sizes, _ = counts_and_sizes(batch)
        shares = np.divide(counts, sizes, out=np.full(len(counts), np.nan), where=sizes > 0)
        return shares, np.nan_to_num(sizes), True
    if reading == "rates" and batch.sizes is not None and statistic is None:
        sizes = np.nan_to_num(batch.sizes)
        rates = np.divide(values, sizes, out=np.full(len(values), np.nan), where=sizes > 0)
        return rates, np.where(seen, sizes, 0.0), True
    weights = batch.sizes if statistic in ("share", "rate") else batch.weights
    if statistic is None and batch.sizes is not None:
        if measure.scale == "count":
            raise InputError(
                "counts with denominators (sizes=) are compared as rates: give values=counts / sizes and "
                "weights=sizes"
            )
        declared = "does not declare its scale" if measure.scale is None else f"has scale {measure.scale!r}"
        raise InputError(
            f"there are denominators (sizes=), but the measure {measure.name!r} {declared}, so that nobody "
            "knows what they mean. Shares: declare a perf.Measure(..., scale='proportion'). Rates (counts "
            "that may exceed their sizes): give values=counts / sizes and weights=sizes. Otherwise leave "
            "sizes= out"
        )
    if weights is None or statistic in UNWEIGHTED:
        return values, np.ones(len(values)), False
    return values, np.where(seen, weights, 0.0), False


def _overlap(one: Side, two: Side) -> bool:
    assert one.when is not None
    assert two.when is not None
    return bool(one.when[-1] > two.when[0])


def _caveats(one: Side, two: Side, overlapping: bool) -> list[Caveat]:
    found = []
    if overlapping:
        assert one.when is not None
        assert two.when is not None
        found.append(
            Caveat(
                "overlapping-periods",
                f"The side before ends on {day(one.when[-1])}, after the other starts ({day(two.when[0])}).",
                {"before_ends": str(one.when[-1]), "after_starts": str(two.when[0])},
            )
        )
    open_items = one.censored + two.censored
    if open_items:
        found.append(
            Caveat(
                "censored",
                f"{one.censored} items before and {two.censored} after are still open: their values are "
                "lower bounds, so that centers and tails are too low.",
                {"before": one.censored, "after": two.censored},
            )
        )
    if one.excluded or two.excluded:
        found.append(
            Caveat(
                "excluded-points",
                f"{one.excluded} points before and {two.excluded} after are left out, each with a recorded "
                "cause.",
                {"before": one.excluded, "after": two.excluded},
            )
        )
    for name, side in (("before", one), ("after", two)):
        if len(side.values) > 1 and np.ptp(side.values) == 0:
            found.append(
                Caveat(
                    "zero-variance",
                    f"All {len(side.values)} values {name} are equal ({side.values[0]:g}).",
                    {"side": name, "n": len(side.values), "value": float(side.values[0])},
                )
            )
    return found


def day(when: Any) -> str:
    """The date of a time, for a sentence."""
    return str(np.datetime64(when, "D"))
