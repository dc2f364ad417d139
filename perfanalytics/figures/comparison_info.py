"""What the figure of a comparison shows, as a record of arrays; drawing is in :mod:`.comparison`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.importance import bounds
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison, SideTable
from perfanalytics.core.periods import period_number

#: Rhythms into which items can be gathered.
PERIODS = ("hour", "day", "week", "month", "quarter", "year")
#: At most this many raw points a side are drawn (spread evenly over the side); boxes use all.
DRAWN = 1500
#: quantity -> short name in the effects panel
SHORT = {
    "difference_of_means": "mean",
    "ratio_of_means": "mean",
    "ratio_of_geometric_means": "geo. mean",
    "ratio_of_odds": "odds",
    "difference_of_medians": "median",
    "hodges_lehmann_shift": "shift (H-L)",
    "difference_of_proportions": "share",
    "ratio_of_proportions": "share",
    "difference_of_rates": "rate",
    "ratio_of_rates": "rate",
    "odds_ratio": "odds",
    "conditional_odds_ratio": "odds of change",
    "ratio_of_sds": "spread (SD)",
    "ratio_of_log_sds": "rel. spread (SD)",
    "ratio_of_mean_absolute_deviations": "spread (MAD)",
    "ratio_of_log_mean_absolute_deviations": "rel. spread (MAD)",
    "probability_of_superiority": "P(after higher)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideInfo:
    """One side as drawn: points (x, y), its jittered positions, its box (low whisker, quartiles, high).

    ``hidden`` points are not drawn because there are many, ``unplaced`` have no place on a log axis. Where
    items were gathered into periods, ``at`` and ``centers`` are those of the periods: the limits are about
    them.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[np.float64]
    jitter: NDArray[np.float64]
    box: tuple[float, float, float, float, float]
    level: float
    span: tuple[Any, Any]
    limits: tuple[float, float]
    hidden: int
    unplaced: int
    at: NDArray[Any]
    centers: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One effect as drawn."""

    label: str
    estimate: float
    low: float
    high: float
    primary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What is drawn: both sides, where the change lies, the rows of the effects, the margin."""

    sides: tuple[SideInfo, SideInfo]
    change: Any
    log: bool
    timed: bool
    differences: tuple[Row, ...]
    ratios: tuple[Row, ...]
    probabilities: tuple[Row, ...]
    margin: tuple[float, float] | None
    margin_in: str
    predicted: tuple[float, float] | None
    deciles: tuple[tuple[float, float, float], ...]


def info(result: Comparison) -> Info:
    """The numbers of the figure."""
    primary = result.primary
    before, after = two_sides(result)
    timed = before.when is not None and after.when is not None
    start = 0 if timed else len(before.values)
    tested = primary.form != "test"
    levels = _levels(result)
    log = result.method.parameters.get("scale") == "log"
    every = str(result.method.parameters.get("every", "")).split(" ", 1)[0]
    sides = (
        _side(before, levels[0], result.tail, 0, 0, log, every),
        _side(after, levels[1], result.tail, 1, start, log, every),
    )
    rows = [
        e
        for e in result.effects
        if e.role == "primary"
        or (e.role == "secondary" and e.quantity in _drawn(result) and e.form != "probability")
    ]
    margin = bounds(primary, result.margin) if result.margin is not None and tested else None
    if margin is not None and primary.form == "difference" and result.measure.scale == "proportion":
        margin = (100 * margin[0], 100 * margin[1])
    return Info(
        sides=sides,
        change=_change(result, timed),
        log=log,
        timed=timed,
        differences=tuple(_row(e, result) for e in rows if e.form == "difference"),
        ratios=tuple(_row(e, result) for e in rows if e.form == "ratio"),
        probabilities=tuple(_row(e, result) for e in rows if e.form == "probability"),
        margin=margin,
        margin_in=primary.form,
        deciles=_deciles(result),
        predicted=None if tested or np.isnan(primary.low) else (primary.low, primary.high),
    )


def _deciles(result: Comparison) -> tuple[tuple[float, float, float], ...]:
    """Shift, low, high at each decile; shares in points; nothing where one is missing."""
    factor = 100.0 if result.measure.scale == "proportion" else 1.0
    found = {e.quantity: e for e in reversed(result.effects) if e.role != "companion"}
    names = ["difference_of_medians" if k == 5 else f"difference_of_p{10 * k}" for k in range(1, 10)]
    if not all(name in found for name in names):
        return ()
    rows = [found[name] for name in names]
    return tuple((factor * e.estimate, factor * e.low, factor * e.high) for e in rows)


def two_sides(result: Comparison) -> tuple[SideTable, SideTable]:
    """Before and after of a comparison of two sides."""
    assert result.before is not None
    assert result.after is not None
    return result.before, result.after


def _drawn(result: Comparison) -> dict[str, str]:
    names = dict(SHORT)
    names[f"difference_of_p{100 * result.tail:g}"] = f"P{100 * result.tail:g}"
    return names


def _row(e: Effect, result: Comparison) -> Row:
    # differences of shares are read in percentage points
    factor = 100.0 if e.form == "difference" and result.measure.scale == "proportion" else 1.0
    return Row(
        label=_drawn(result).get(e.quantity, e.quantity.replace("_", " ")),
        estimate=factor * e.estimate,
        low=factor * e.low,
        high=factor * e.high,
        primary=e.role == "primary",
    )


def _levels(result: Comparison) -> tuple[float, float]:
    """The center of each side: fitted where the method gives one in the unit of the measure."""
    p = result.primary
    if p.quantity in ("difference_of_means", "ratio_of_geometric_means", "difference_of_proportions"):
        return p.before, p.after
    if p.quantity == "predicted_mean_after":
        return p.before, p.after
    before, after = two_sides(result)
    return before.median, after.median


def _side(
    side: SideTable, level: float, tail: float, place: int, start: int, log: bool, every: str
) -> SideInfo:
    n = len(side.values)
    placed = np.flatnonzero(side.values > 0) if log else np.arange(n)
    keep = placed
    if len(placed) > DRAWN:
        keep = placed[np.unique(np.linspace(0, len(placed) - 1, DRAWN).round().astype(int))]
    x = side.when if side.when is not None else np.arange(start + 1, start + n + 1)
    quartiles = np.quantile(side.values, [min(tail, 1 - tail), 0.25, 0.5, 0.75, max(tail, 1 - tail)])
    if log:  # a whisker that ends at 0 or below goes down to the smallest value that can be drawn
        quartiles = np.maximum(quartiles, side.values[placed].min())
    # van der Corput's sequence: evenly spread, the same every time
    jitter = place + 0.30 * (_van_der_corput(len(keep)) - 0.5)
    at, centers = _periods(side, placed, every, log)
    return SideInfo(
        name=side.name,
        x=x[keep],
        y=side.values[keep],
        jitter=jitter,
        box=(
            float(quartiles[0]),
            float(quartiles[1]),
            float(quartiles[2]),
            float(quartiles[3]),
            float(quartiles[4]),
        ),
        level=level,
        span=(x[0], x[-1]),
        limits=(side.lower_limit, side.upper_limit),
        hidden=len(placed) - len(keep),
        unplaced=n - len(placed),
        at=at,
        centers=centers,
    )


def _periods(
    side: SideTable, placed: NDArray[np.int64], every: str, log: bool
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Middle and center of each period, where it holds several items; else empty."""
    if side.when is None or every not in PERIODS or side.periods >= len(placed):
        return np.empty(0, dtype="datetime64[us]"), np.empty(0)
    when = side.when[placed]
    _, period = np.unique(period_number(when, every), return_inverse=True)
    values, weights = side.values[placed], side.weights[placed]
    if log:
        values = np.log(values)
    weight = np.bincount(period, weights)
    centers = np.bincount(period, weights * values) / np.where(weight > 0, weight, np.nan)
    ticks = when.astype("datetime64[us]").astype(np.int64)
    first = ticks.min()
    middle = first + (np.bincount(period, ticks - first) / np.bincount(period)).astype(np.int64)
    return middle.astype("datetime64[us]"), np.exp(centers) if log else centers


def _van_der_corput(n: int) -> NDArray[np.float64]:
    k = np.arange(n)
    out = np.zeros(n)
    for bit in range(16):
        out += ((k >> bit) & 1) * 2.0 ** -(bit + 1)
    return out


def _change(result: Comparison, timed: bool) -> Any:
    before, after = two_sides(result)
    if not timed:
        return len(before.values) + 0.5
    assert before.when is not None
    assert after.when is not None
    last, first = before.when[-1], after.when[0]
    return None if first < last else last + (first - last) // 2
