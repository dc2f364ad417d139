"""The quantities of many series of measured values at once: the numbers of ``numbers.describe``, in arrays.

Sums are exact and sorts are one series at a time (short, in cache); everything that follows from sample size
and moments is computed for all series in one pass. Each number is that of the single baseline, to the last
bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.intervals import Effective
from perfanalytics.baselines.numbers import PERCENTILES, Options, decide_scale, moments
from perfanalytics.baselines.ranks import prediction_ranks_many, quantile_ranks_many, tolerance_ranks_many
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.measure import LOG_SCALES, Measure

#: The quantities of measured values in bulk, in the order of a single baseline.
QUANTITIES = (
    "mean",
    "geometric mean",
    "sd",
    "geometric sd",
    "iqr",
    "mad",
    *(f"p{p}" for p in PERCENTILES),
    "next item",
    "next item, distribution-free",
    "mean of the next m",
    "geometric mean of the next m",
    "tolerance interval",
    "tolerance interval, distribution-free",
)


@dataclass(slots=True)
class Table:
    """Estimate, low, high and achieved confidence of each quantity; shape (m, q), NaN where none."""

    estimate: Floats
    low: Floats
    high: Floats
    achieved: Floats

    @classmethod
    def empty(cls, m: int, q: int) -> Table:
        """All NaN."""
        return cls(*(np.full((m, q), np.nan) for _ in range(4)))


@dataclass(slots=True)
class Many:
    """What bulk baselines of measured values need for their result; arrays of shape (m,)."""

    table: Table
    logged: NDArray[np.bool_]
    size: Sizes
    points_to_halve: NDArray[np.int64]


@dataclass(slots=True)
class Sizes:
    """Effective sizes of m series, as :class:`Effective` holds them for one."""

    n: NDArray[np.int64]
    r1: Floats
    r: Floats
    n_mean: Floats
    df: Floats
    variance_factor: Floats

    def usable(self) -> NDArray[np.bool_]:
        """Whether an interval can be had at all."""
        return np.asarray((self.df > 0) & (self.n_mean > 1))

    def one(self, i: int) -> Effective:
        """The sizes of one series."""
        return Effective(
            int(self.n[i]),
            float(self.r1[i]),
            float(self.r[i]),
            float(self.n_mean[i]),
            float(self.df[i]),
            float(self.variance_factor[i]),
        )


def sizes_of(values: Floats, offsets: NDArray[np.int64], n: NDArray[np.int64], dependence: str) -> Sizes:
    """Effective sizes of each series (NaN is a gap)."""
    r1 = lag1_autocorrelation(values, offsets)
    r = corrected_lag1(r1, n.astype(float)) if dependence == "ar1" else np.zeros(len(n))
    n_mean = n * (1 - r) / (1 + r)
    df = n * (1 - r * r) / (1 + r * r) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where((n > 1) & (n_mean > 1), (1 - 1 / n) / (1 - 1 / n_mean), np.nan)
    return Sizes(n, r1, r, n_mean, df, factor)


def describe_many(
    values: Floats, offsets: NDArray[np.int64], measure: Measure, options: Options, logged: NDArray[np.bool_]
) -> Many:
    """The quantities of each series.

    Parameters
    ----------
    values : float array, shape (n,)
        In order of time, NaN where a point is missing or not used; at least one value a series.
    offsets : int array, shape (m + 1,)
    measure : Measure
        Not ordinal.
    logged : bool array, shape (m,)
        Which series are analyzed as logarithms (:func:`scales_of`).
    """
    m = len(offsets) - 1
    seen = ~np.isnan(values)
    n = np.diff(np.concatenate([[0], np.cumsum(seen)])[offsets]).astype(np.int64)
    flat, starts = values[seen], np.concatenate([[0], np.cumsum(n)]).astype(np.int64)
    owner = np.repeat(np.arange(m), n)
    mean, sd = _moments(flat, starts)
    size = sizes_of(values, offsets, n, options.dependence)
    mean_used, sd_used, size_used = mean.copy(), sd.copy(), size
    if logged.any():
        on_log = logged[owner]
        logs = np.where(on_log, np.log(np.where(on_log, flat, 1.0)), flat)
        mean_l, sd_l = _moments(logs, starts)
        mean_used, sd_used = np.where(logged, mean_l, mean), np.where(logged, sd_l, sd)
        whole = np.full(len(values), np.nan)
        whole[seen] = logs
        size_used = sizes_of(whole, offsets, n, options.dependence)
    blocked = ~logged if measure.scale in LOG_SCALES else np.zeros(m, dtype=bool)
    mean_used[blocked] = sd_used[blocked] = np.nan
    bounded = measure.scale in ("duration", "positive", "count", "proportion")
    floor = np.where(logged | bounded, 0.0, -np.inf)
    ceiling = 1.0 if measure.scale == "proportion" else np.inf
    out = Table.empty(m, len(QUANTITIES))
    place = {name: k for k, name in enumerate(QUANTITIES)}

    def put(name: str, estimate: Floats, low: Floats | None = None, high: Floats | None = None) -> None:
        k = place[name]
        out.estimate[:, k] = estimate
        if low is not None and high is not None:
            out.low[:, k], out.high[:, k] = low, high

    def clip(low: Floats, high: Floats) -> tuple[Floats, Floats]:
        # np.minimum and np.maximum keep NaN, as the single baseline does
        return np.minimum(np.maximum(floor, low), ceiling), np.maximum(np.minimum(ceiling, high), floor)

    def back(low: Floats, high: Floats) -> tuple[Floats, Floats]:
        raw_low, raw_high = clip(low, high)
        return np.where(logged, _exp(low, logged), raw_low), np.where(logged, _exp(high, logged), raw_high)

    t = _t(options.confidence, size.df)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = t * sd * np.sqrt(size.variance_factor / size.n_mean)
        put("mean", mean, *clip(*_ends(mean, half, size)))
        half = (
            _t(options.confidence, size_used.df)
            * sd_used
            * np.sqrt(size_used.variance_factor / size_used.n_mean)
        )
        low, high = back(*_ends(mean_used, half, size_used))
        centers = _exp(mean_used, logged)
        put("geometric mean", *(np.where(logged, x, np.nan) for x in (centers, low, high)))
        low, high = _sd_ends(sd, size, options.confidence)
        plain = ~logged & ~blocked & ~np.isnan(sd)
        put("sd", sd, np.where(plain, low, np.nan), np.where(plain, high, np.nan))
        low, high = _sd_ends(sd_used, size_used, options.confidence)
        put("geometric sd", *(_exp(np.where(logged, x, np.nan), logged) for x in (sd_used, low, high)))
    ordered = _sorted(flat, starts)
    median = _quantile(ordered, starts, n, 0.5)
    put("iqr", _quantile(ordered, starts, n, 0.75) - _quantile(ordered, starts, n, 0.25))
    away = _sorted(np.abs(flat - np.repeat(_median(ordered, starts, n), n)), starts)
    put("mad", _median(away, starts, n))
    effective_n = np.where(size.r > 0, size.n_mean, n.astype(float))
    for p in PERCENTILES:
        ranks = quantile_ranks_many(n, p / 100, confidence=options.confidence, n_effective=effective_n)
        low, high = _bounds(ordered, starts, n, ranks[0], ranks[1])
        put(
            f"p{p}", _quantile(ordered, starts, n, p / 100), np.maximum(low, floor), np.minimum(high, ceiling)
        )
        out.achieved[:, place[f"p{p}"]] = ranks[2]
    center = np.where(logged, centers, mean_used)
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, m_next in (("next item", 1), ("mean of the next m", options.m)):
            variance = _mean_factor(size_used.r, m_next) / m_next + 1 / size_used.n_mean
            half = (
                _t(options.coverage, size_used.df) * sd_used * np.sqrt(size_used.variance_factor * variance)
            )
            low, high = back(*_ends(mean_used, half, size_used))
            if m_next == 1 and name == "next item":
                put(name, center, low, high)
            else:
                put(name, *(np.where(logged, np.nan, x) for x in (center, low, high)))
                put(f"geometric {name}", *(np.where(logged, x, np.nan) for x in (center, low, high)))
        half = _howe(size_used, options) * sd_used * np.sqrt(size_used.variance_factor)
        put("tolerance interval", center, *back(mean_used - half, mean_used + half))
    free = (
        ("next item, distribution-free", prediction_ranks_many(n, coverage=options.coverage)),
        (
            "tolerance interval, distribution-free",
            tolerance_ranks_many(
                n,
                coverage=options.coverage,
                confidence=options.confidence,
                n_effective=np.where(size_used.r > 0, size_used.n_mean, n.astype(float)),
            ),
        ),
    )
    for name, ranks in free:
        put(name, median, *_bounds(ordered, starts, n, ranks[0], ranks[1]))
        out.achieved[:, place[name]] = ranks[2]
    return Many(out, logged, size_used, _points_to_halve(size_used, options.confidence))


def scales_of(
    values: Floats, offsets: NDArray[np.int64], measure: Measure
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which series are analyzed as logarithms, and which have any value; bool arrays, shape (m,)."""
    m = len(offsets) - 1
    logged, some = np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
    for i, (a, b) in enumerate(zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)):
        part = values[a:b]
        part = part[~np.isnan(part)]
        if len(part):
            some[i] = True
            logged[i] = decide_scale(part, measure)[0] == "log"
    return logged, some


def _moments(flat: Floats, starts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    found = [moments(flat[a:b]) for a, b in _spans(starts)]
    return np.array([f[0] for f in found], dtype=float), np.array([f[1] for f in found], dtype=float)


def _sorted(flat: Floats, starts: NDArray[np.int64]) -> Floats:
    out = flat.copy()
    for a, b in _spans(starts):
        out[a:b].sort()
    return out


def _spans(starts: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    edges = starts.tolist()
    return pairwise(edges)


def _quantile(ordered: Floats, starts: NDArray[np.int64], n: NDArray[np.int64], p: float) -> Floats:
    """Type 7 of each series, by the interpolation of ``np.quantile``."""
    at = (n - 1) * p
    low = np.floor(at)
    t = at - low
    first = starts[:-1] + low.astype(np.int64)
    a, b = ordered[first], ordered[np.minimum(first + 1, starts[1:] - 1)]
    return np.asarray(np.where(t >= 0.5, b - (b - a) * (1 - t), a + (b - a) * t))


def _median(ordered: Floats, starts: NDArray[np.int64], n: NDArray[np.int64]) -> Floats:
    low, high = ordered[starts[:-1] + (n - 1) // 2], ordered[starts[:-1] + n // 2]
    return np.asarray(np.where(n % 2 == 1, low, (low + high) / 2))


def _bounds(
    ordered: Floats,
    starts: NDArray[np.int64],
    n: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    first, last = starts[:-1], starts[1:] - 1
    below = ordered[np.maximum(first + low - 1, first)]
    above = ordered[np.minimum(first + high - 1, last)]
    return np.where(low >= 1, below, -np.inf), np.where(high <= n, above, np.inf)


def _ends(center: Floats, half: Floats, size: Sizes) -> tuple[Floats, Floats]:
    ok = size.usable()
    return np.where(ok, center - half, np.nan), np.where(ok, center + half, np.nan)


def _sd_ends(sd: Floats, size: Sizes, confidence: float) -> tuple[Floats, Floats]:
    alpha = 1 - confidence
    ok = size.usable()
    df = np.where(ok, size.df, 1.0)
    corrected = sd * np.sqrt(size.variance_factor)
    low = corrected * np.sqrt(df / special.chdtri(df, alpha / 2))
    high = corrected * np.sqrt(df / special.chdtri(df, 1 - alpha / 2))
    return np.where(ok, low, np.nan), np.where(ok, high, np.nan)


def _howe(size: Sizes, options: Options) -> Floats:
    ok = size.usable()
    df = np.where(ok, size.df, 1.0)
    z = float(special.ndtri((1 + options.coverage) / 2))
    factor = z * np.sqrt(df * (1 + 1 / size.n_mean) / special.chdtri(df, options.confidence))
    return np.where(ok, factor, np.nan)


def _mean_factor(r: Floats, m: int) -> Floats:
    if m == 1:
        return np.ones(len(r))
    lags = np.arange(1, m)
    return np.where(r == 0, 1.0, 1 + 2 * np.sum((1 - lags / m) * r[:, None] ** lags, axis=1))


def _points_to_halve(size: Sizes, confidence: float) -> NDArray[np.int64]:
    ok = size.usable()
    rest = (1 - size.r) / (1 + size.r)
    spread = (1 - size.r**2) / (1 + size.r**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = _t(confidence, size.df) / np.sqrt(size.n_mean) / 2
    low, high = size.n.copy(), 4 * size.n + 4
    while (ok & (high - low > 1)).any():
        middle = (low + high) // 2
        with np.errstate(invalid="ignore", divide="ignore"):
            enough = _t(confidence, middle * spread - 1) / np.sqrt(middle * rest) <= wanted
        going = high - low > 1
        low, high = np.where(going & ~enough, middle, low), np.where(going & enough, middle, high)
    return np.where(ok, high - size.n, -1)


def _t(confidence: float, df: Floats) -> Floats:
    return np.asarray(special.stdtrit(df, (1 + confidence) / 2))


def _exp(x: Floats, where: NDArray[np.bool_]) -> Floats:
    """``math.exp`` of some entries: NumPy's differs from it in the last bit."""
    convert: Callable[[float], float] = lambda v: math.inf if v > 709 else math.exp(v)  # noqa: E731
    out = np.full(len(x), np.nan)
    out[where] = [convert(v) for v in x[where].tolist()]
    return out
