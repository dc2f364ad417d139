"""One cell of the organization's scorecard: one objective in one unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.baseline import baseline
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series, SeriesBatch
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.scorecard import scorecard

WHOLE = "whole organization"
#: What an objective may speak of, besides percentiles ("p90").
STATISTICS = ("item", "share", "rate", "mean", "median")
#: Points at which the prediction of a period is integrated.
GRID = 20_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One objective in one unit; the fields are those of the columns of the scorecard."""

    objective: str
    serves: str
    unit: str
    measure_unit: str
    standing: str = "not judged"
    trend: str = ""
    stability: str = "not judged"
    why: str = ""
    target: float = math.nan
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    probability: float = math.nan
    newest: float = math.nan
    n: int = 0
    items: float = math.nan
    shortfall: float = math.nan
    missed: float = math.nan
    cost_now: float = math.nan
    expected_cost: float = math.nan
    open_left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Values of periods with their denominators; of shares the counts behind them are values x sizes."""

    when: NDArray[np.datetime64]
    values: Floats
    sizes: Floats
    open_left_out: int


def cell(
    objective: Objective,
    batch: SeriesBatch,
    name: str | None,
    *,
    label: str,
    every: str,
    confidence: float,
    price: float | None,
    fewest: int,
) -> Cell:
    """Judge one objective in one unit; None as name means all observations of the batch."""
    share_like = objective.statistic in ("item", "share", "rate")
    target = objective.target if objective.statistic != "item" else objective.share
    items_of = objective.statistic == "item"
    at_least = items_of or objective.direction == "at_least"
    start: dict[str, Any] = {
        "objective": objective.name,
        "serves": objective.serves or "",
        "unit": label,
        "measure_unit": "1" if objective.statistic in ("item", "share", "rate") else batch.measure.unit,
        "target": math.nan if target is None else float(target),
    }
    found = periods_of(objective, batch, name, every)
    start |= {"open_left_out": found.open_left_out, "n": len(found.values)}
    if target is None:
        return Cell(**start, why="no share of items is declared")
    if len(found.values) < fewest:
        return Cell(**start, why=f"only {len(found.values)} periods")
    values, sizes = found.values, found.sizes
    start |= {"newest": float(values[-1]), "items": float(sizes.mean())}
    measure = _measure(objective, batch.measure)
    series = Series(
        values,
        measure=measure,
        when=found.when,
        sizes=sizes if objective.statistic in ("item", "share") else None,
        expected_every=every,
        # shares of 0 and 1 only are not taken for counts
        selection={"every": every, "statistic": "share"} if objective.statistic in ("item", "share") else {},
        clock=batch.clock,
    )
    try:
        value, low, high = _level(series, sizes, objective, confidence)
    except InputError as error:
        return Cell(**start, why=str(error))
    chance, short = next_period(
        values, float(target), at_least=at_least, how=_transform(objective, batch.measure)
    )
    gap = float(target) - value if at_least else value - float(target)
    shortfall = max(0.0, gap)
    scale = float(sizes.mean()) if share_like else 1.0
    good = low >= target if at_least else high <= target
    bad = high < target if at_least else low > target
    stability, trend = _chart(series, objective)
    return Cell(
        **start,
        standing="met" if good else "missed" if bad else "undecided",
        trend=trend,
        stability=stability,
        value=value,
        low=low,
        high=high,
        probability=chance,
        shortfall=shortfall,
        missed=shortfall * scale if share_like else math.nan,
        cost_now=math.nan if price is None else price * shortfall * scale,
        expected_cost=math.nan if price is None else price * short * scale,
    )


def periods_of(objective: Objective, batch: SeriesBatch, name: str | None, every: str) -> Periods:
    """One value a period of what the objective speaks of; the periods in order of time.

    Raises
    ------
    InputError
        For a share of values that are not 0 and 1.
    """
    assert batch.when is not None
    excluded, _ = batch.excluded()
    use = ~np.isnan(batch.values) & ~excluded
    if name is not None:
        k = batch.ids.index(name)
        inside = np.zeros(len(use), dtype=bool)
        inside[int(batch.offsets[k]) : int(batch.offsets[k + 1])] = True
        use &= inside
    values, when = batch.values[use], batch.when[use]
    weights = np.ones(len(values)) if batch.sizes is None else batch.sizes[use]
    left = 0
    if objective.statistic == "item":
        met = values <= objective.target if objective.direction == "at_most" else values >= objective.target
        values = met.astype(float)
        if batch.censored is not None:
            still = batch.censored[use]
            # an open item is at least as old as its value: too old is missed, younger is not known yet
            unknown = still & (met if objective.direction == "at_most" else ~met)
            left = int(unknown.sum())
            values, when, weights = values[~unknown], when[~unknown], weights[~unknown]
        weights = np.ones(len(values))
    elif batch.censored is not None and batch.censored[use].any():
        closed = ~batch.censored[use]
        left = int((~closed).sum())
        values, when, weights = values[closed], when[closed], weights[closed]
    if objective.statistic == "share" and batch.sizes is None and not np.isin(values, (0.0, 1.0)).all():
        raise InputError(f"a share of {batch.measure.name!r} needs values 0 and 1, or denominators")
    number = period_number(when, every)
    order = np.argsort(number, kind="stable")
    number, values, weights = number[order], values[order], weights[order]
    each, starts = np.unique(number, return_index=True)
    parts = np.split(values, starts[1:]) if len(each) else []
    loads = np.split(weights, starts[1:]) if len(each) else []
    counts = batch.sizes is not None or objective.statistic in ("item", "share", "rate")
    total = np.array([float(w.sum()) for w in loads])
    if objective.statistic in ("item", "share", "rate"):
        # counts over denominators; items coded 0 and 1 have the denominator 1
        shares = batch.sizes is not None and _are_shares(batch)
        sums = [float((p * w if shares else p).sum()) for p, w in zip(parts, loads, strict=True)]
        with np.errstate(invalid="ignore", divide="ignore"):
            made = np.array(sums) / total
    else:
        made = np.array([_statistic(p, objective.statistic) for p in parts])
    good = np.isfinite(made) if counts else np.ones(len(made), dtype=bool)
    size = total if counts else np.array([float(len(p)) for p in parts])
    return Periods(
        when=period_start(each, every)[good], values=made[good], sizes=size[good], open_left_out=left
    )


def _are_shares(batch: SeriesBatch) -> bool:
    """Whether the values are shares already (of their sizes) and not counts."""
    return batch.measure.scale == "proportion" and float(np.nanmax(batch.values, initial=0.0)) <= 1.0


def _statistic(values: Floats, statistic: str) -> float:
    if statistic == "mean":
        return float(values.mean())
    return float(np.quantile(values, 0.5 if statistic == "median" else int(statistic[1:]) / 100))


def _measure(objective: Objective, measure: Measure) -> Measure:
    """The measure of the period values."""
    if objective.statistic != "item":
        return measure
    return Measure(
        f"share of {measure.name} within target",
        definition=f"Items of {measure.name} that meet {objective.name}, of all items",
        unit="1",
        better="higher",
        scale="proportion",
    )


def _transform(objective: Objective, measure: Measure) -> str:
    if objective.statistic in ("item", "share"):
        return "arcsine"
    return "log" if measure.scale in LOG_SCALES else "raw"


def _level(
    series: Series, sizes: Floats, objective: Objective, confidence: float
) -> tuple[float, float, float]:
    """The value over all periods, with its interval."""
    if objective.statistic in ("item", "share"):
        row = baseline(series, confidence=confidence)["share"]
        assert row.interval is not None
        return row.value, row.interval.low, row.interval.high
    y = series.values
    n = len(y)
    weights = sizes if objective.statistic == "rate" else np.ones(n)
    center = float(weights @ y / weights.sum())
    r = float(corrected_lag1(lag1_autocorrelation(y, np.array([0, n]))[0], n))
    effective = max(2.0, float(effective_size(n, r)))
    t = float(special.stdtrit(effective - 1, (1 + confidence) / 2))
    half = t * float(y.std(ddof=1)) / math.sqrt(effective)
    # what cannot be negative has no negative interval
    low = max(0.0, center - half) if (y >= 0).all() else center - half
    return center, low, center + half


def next_period(values: Floats, target: float, *, at_least: bool, how: str) -> tuple[float, float]:
    """The probability that the next period meets the target, and the shortfall expected of it.

    Parameters
    ----------
    values : float array, shape (n,)
    target : float
    at_least : bool
    how : {"arcsine", "log", "raw"}

    Examples
    --------
    >>> chance, short = next_period(np.array([9.0, 11, 10, 12, 8, 10]), 10.0, at_least=True, how="raw")
    >>> chance, round(short, 3)                    # half of E|t| with 5 df: 0.949, times 1.5275
    (0.5, 0.725)
    """
    log = how == "log" and bool((values > 0).all()) and target > 0
    if how == "arcsine":
        y, edge = np.arcsin(np.sqrt(values)), math.asin(math.sqrt(min(max(target, 0.0), 1.0)))
    else:
        y, edge = (np.log(values), math.log(target)) if log else (values, target)
    n = len(y)
    r = float(corrected_lag1(lag1_autocorrelation(y, np.array([0, n]))[0], n))
    effective = max(2.0, float(effective_size(n, r)))
    center = float(y.mean())
    spread = float(y.std(ddof=1)) * math.sqrt(1 + 1 / effective)
    if spread <= 1e-12 * max(1.0, abs(center)):
        met = center >= edge if at_least else center <= edge
        value = float(values[0])
        return float(met), 0.0 if met else abs(target - value)
    below = float(special.stdtr(n - 1, (edge - center) / spread))
    share = (np.arange(GRID) + 0.5) / GRID
    drawn = center + spread * special.stdtrit(n - 1, share)
    if how == "arcsine":
        drawn = np.sin(np.clip(drawn, 0.0, math.pi / 2)) ** 2
    elif log:
        drawn = np.exp(np.minimum(drawn, 700.0))
    gap = target - drawn if at_least else drawn - target
    return (1 - below if at_least else below), float(np.maximum(gap, 0.0).mean())


def _chart(series: Series, objective: Objective) -> tuple[str, str]:
    """Stability of the periods, and the trend at the newest one."""
    shares = objective.statistic in ("item", "share")
    try:
        chart = control_chart(series, chart="laney_p" if shares else "individuals")
    except InputError:
        return "not judged", ""
    trend = scorecard([chart]).variation[0]
    words = {True: "stable", False: "not stable", None: "not judged"}[chart.stable]
    return words, "" if trend == "no data" else trend
