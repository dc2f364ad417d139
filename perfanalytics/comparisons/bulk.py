"""The level change in bulk: ``perf.method("level_change", at="2024-03-01")`` over thousands of series."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.arguments import check_confidence
from perfanalytics.comparisons.levels import level_changes
from perfanalytics.comparisons.sides import values_and_weights
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.periods import check_every, period_number
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch

COLUMNS = {
    "periods_before": "integer",
    "periods_after": "integer",
    "estimate": "float",
    "low": "float",
    "high": "float",
    "df": "float",
    "p_value": "float",
    "rho": "float",
    "noise_share": "float",
    "effective_before": "float",
    "effective_after": "float",
    "scale": "text",
}


def bulk_method(
    *,
    at: str | dt.date,
    every: str | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
) -> BulkMethod:
    """The primary of ``ar1_level_change`` for every series of a batch, at one date of change.

    Parameters
    ----------
    at : date or ISO text
        The change: points before it belong to the side before.
    every : {"hour", "day", "week", "month", "quarter", "year"}, optional
        The period items are brought to; the declared rhythm of the batch when left out; each value its own
        period without one.
    scale : {"raw", "log"}, optional
        As the measure declares when left out. On the log scale estimate, low and high are ratios of
        geometric means, else differences. NaN for series with values that are not positive, with fewer than
        8 periods on a side, or without variation on a side.
    confidence : float

    Raises
    ------
    InputError
        When the scale is neither declared nor given, or the batch has no times.
    """
    if scale is not None and scale not in ("raw", "log"):
        raise UnknownNameError("scale", str(scale), ("raw", "log"))
    if every is not None:
        check_every(every)
    check_confidence(confidence)
    date = at if isinstance(at, str) else at.isoformat()
    instant(date)
    parameters = {"at": date, "every": every, "scale": scale, "confidence": confidence}

    def apply(batch: SeriesBatch) -> dict[str, NDArray[np.generic]]:
        return _apply(batch, date, every or batch.expected_every, scale, confidence)

    return BulkMethod(method=Method("level_change", parameters), columns=COLUMNS, apply=apply)


def _apply(
    batch: SeriesBatch, at: str, every: str | None, scale: str | None, confidence: float
) -> dict[str, NDArray[np.generic]]:
    chosen = scale or _declared(batch)
    if batch.when is None:
        raise InputError("the date of a change needs series with times")
    m = len(batch)
    values, weights, _ = values_and_weights(batch)
    excluded, _ = batch.excluded()
    use = ~np.isnan(values) & ~excluded & (weights > 0)
    series = np.repeat(np.arange(m), batch.lengths)
    if chosen == "log":
        impossible = np.bincount(series, weights=use & ~(values > 0), minlength=m) > 0
        use &= ~impossible[series]
    forward = np.log(np.where(use, values, 1.0)) if chosen == "log" else values
    if every is None:
        period = np.arange(len(forward), dtype=np.int64)
    else:
        period = np.asarray(period_number(batch.when, every), dtype=np.int64)
    y, weight, owner, number, is_after = _by_period(
        forward[use], weights[use], series[use], period[use], batch.when[use] >= instant(at, batch.clock)
    )
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=m))])
    n_before = np.bincount(owner, weights=~is_after, minlength=m).astype(np.int64)
    found = level_changes(
        y, offsets, n_before, weights=weight, periods=number, confidence=confidence, noise=True
    )
    back = np.exp if chosen == "log" else np.asarray
    return {
        "periods_before": n_before,
        "periods_after": np.diff(offsets) - n_before,
        "estimate": back(found.estimate),
        "low": back(found.low),
        "high": back(found.high),
        "df": found.df,
        "p_value": found.p_value,
        "rho": found.rho,
        "noise_share": found.noise,
        "effective_before": found.effective_before,
        "effective_after": found.effective_after,
        "scale": np.full(m, chosen, dtype=object),
    }


def _declared(batch: SeriesBatch) -> str:
    declared = batch.measure.scale
    if declared is None:
        raise InputError(
            "in bulk the scale must be declared by the measure or given: scale='log' for positive skewed "
            "values such as durations, else scale='raw'"
        )
    return "log" if declared in LOG_SCALES else "raw"


def _by_period(
    y: Floats,
    weight: Floats,
    series: NDArray[np.int64],
    period: NDArray[np.int64],
    is_after: NDArray[np.bool_],
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Weighted means a series, side and period. A period cut by the change belongs to both sides."""
    if not len(y):
        return y, weight, series, period, is_after
    new = np.ones(len(y), dtype=bool)
    new[1:] = (np.diff(series) != 0) | (np.diff(period) != 0) | (np.diff(is_after.astype(np.int8)) != 0)
    starts = np.flatnonzero(new)
    total = np.add.reduceat(weight, starts)
    # the second half of a cut period moves the side after by one period, so that periods still rise
    number = period[starts] + 0
    cut = np.zeros(len(starts), dtype=bool)
    cut[1:] = (np.diff(series[starts]) == 0) & (np.diff(period[starts]) == 0)
    owner = series[starts]
    shift = np.bincount(owner, weights=cut, minlength=int(owner.max()) + 1).astype(np.int64)
    number = number + np.where(is_after[starts], shift[owner], 0)
    return np.add.reduceat(weight * y, starts) / total, total, owner, number, is_after[starts]
