"""Level changes as designs for the REML engine, and the batched primary: thousands of series in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from perfanalytics.comparisons.criteria import Design
from perfanalytics.comparisons.reml import Fit, fit_reml
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError

#: After minus before.
LEVEL_CONTRAST = np.array([-1.0, 1.0])
#: Fewer periods than this on either side: no test.
FEWEST = 8


def level_design(
    values: Floats,
    *,
    after: NDArray[np.bool_],
    gap: Floats,
    weights: Floats | None = None,
    length: NDArray[np.int64] | None = None,
    seasonal: Floats | None = None,
) -> Design:
    """The design with one mean before and one after.

    Parameters
    ----------
    values : float array, shape (m, n)
        On the analysis scale, padded at the end with zeros.
    after : bool array, shape (m, n)
    gap : float array, shape (m, n)
        Periods since the previous value; infinite at the first value and where padded.
    weights : float array, shape (m, n), optional
        Variances are proportional to 1 / weight; scaled to mean 1 here.
    length : int array, shape (m,), optional
        Values of each series; n when left out.
    seasonal : float array, shape (n, q), optional
        Further regressors, the same for every series.
    """
    used = np.arange(values.shape[1]) < (values.shape[1] if length is None else length[:, None])
    regressors = np.stack([~after & used, after & used], axis=-1).astype(float)
    regressors = _with(regressors, seasonal)
    return regression_design(values, regressors, after=after, gap=gap, weights=weights, length=length)


def _with(regressors: Floats, seasonal: Floats | None) -> Floats:
    if seasonal is None or not seasonal.shape[1]:
        return regressors
    more = np.broadcast_to(seasonal, (len(regressors), *seasonal.shape))
    return np.concatenate([regressors, more], axis=-1)


def slope_design(
    values: Floats,
    *,
    time: Floats,
    gap: Floats,
    weights: Floats | None = None,
    seasonal: Floats | None = None,
) -> Design:
    """The design of a straight line over one side: level and slope a period; arrays of shape (m, n)."""
    centered = time - time.mean(axis=1, keepdims=True)
    regressors = _with(np.stack([np.ones_like(centered), centered], axis=-1), seasonal)
    after = np.zeros(values.shape, dtype=bool)
    return regression_design(values, regressors, after=after, gap=gap, weights=weights)


def regression_design(
    values: Floats,
    regressors: Floats,
    *,
    after: NDArray[np.bool_],
    gap: Floats,
    weights: Floats | None = None,
    length: NDArray[np.int64] | None = None,
) -> Design:
    """The design of any regressors (m, n, p); of the first two, one is 1 before and one is 1 after."""
    m, n = values.shape
    if length is None:
        length = np.full(m, n, dtype=np.int64)
    used = np.arange(n) < length[:, None]
    if weights is None:
        root, log_weight = used.astype(float), np.zeros(m)
    else:
        mean = np.where(used, weights, 0.0).sum(axis=1) / length
        scaled = np.where(used, weights / mean[:, None], 1.0)
        log_weight = np.log(scaled).sum(axis=1)
        root = np.sqrt(scaled) * used
    # The plain means are taken out first, so that sums of products lose no digits far from zero. Later
    # regressors (a centered time) are orthogonal to the level and need none.
    indicator = ((regressors == 0.0) | (regressors == 1.0)).all(axis=(0, 1))
    count = np.maximum(regressors.sum(axis=1), 1.0)
    offset = np.where(indicator, np.einsum("mnp,mn->mp", regressors, values) / count, 0.0)
    rest = values - np.einsum("mnp,mp->mn", regressors, offset)
    z = np.concatenate([rest[..., None], regressors], axis=-1) * root[..., None]
    return Design(z=z, after=after & used, gap=gap, length=length, log_weight=log_weight, offset=offset)


def whitened(design: Design, fit: Fit, row: int = 0) -> Floats:
    """Innovations of one fitted series in units of their standard deviation: white when the model holds."""
    n = int(design.length[row])
    z, gap = design.z[row, :n], design.gap[row, :n]
    scale = np.where(design.after[row, :n], np.exp(fit.log_spread[row]), 1.0) * fit.sigma[row]
    u = ((z[:, 0] - z[:, 1:] @ (fit.beta[row] - design.offset[row])) / scale).tolist()
    rho, v = float(fit.rho[row]), float(fit.noise[row])
    out = np.empty(n)
    # Kalman filter for an AR(1) state of variance 1 - v seen with noise of variance v
    mean, variance = 0.0, 1.0 - v
    for t in range(n):
        if t:
            phi = 0.0 if np.isinf(gap[t]) else rho ** gap[t]
            mean, variance = phi * mean, phi * phi * variance + (1.0 - v) * (1.0 - phi * phi)
        total = variance + v
        error = u[t] - mean
        out[t] = error / total**0.5
        gain = variance / total
        mean += gain * error
        variance *= 1.0 - gain
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChanges:
    """The primary estimate of m series at once; every array has shape (m,).

    On the log scale ``estimate``, ``low`` and ``high`` are the log of the ratio of geometric means.
    ``effective_before`` and ``effective_after`` are effective sample sizes. NaN where a side has fewer than
    8 values or no variation.
    """

    estimate: Floats
    low: Floats
    high: Floats
    se: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    rho: Floats
    noise: Floats
    log_spread: Floats
    effective_before: Floats
    effective_after: Floats


def level_changes(
    values: ArrayLike,
    offsets: ArrayLike,
    n_before: ArrayLike,
    *,
    scale: str = "raw",
    weights: ArrayLike | None = None,
    periods: ArrayLike | None = None,
    confidence: float = 0.95,
    noise: bool = True,
) -> LevelChanges:
    """The primary of ``ar1_level_change`` for many series in one call.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        All series one after the other, each in order of time, one value a period. NaN is a gap: the
        correlation across it is rho squared, not rho.
    offsets : array_like of int, shape (m + 1,)
        Series ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    n_before : array_like of int, shape (m,) or a number
        Points of each series before the change, gaps included.
    scale : {"raw", "log"}
    weights : array_like of float, shape (n,), optional
        The number of items behind each value.
    periods : array_like of int, shape (n,), optional
        Number of the period of each value, rising within a series; 1 apart when left out.
    confidence : float
    noise : bool
        Whether the noise term is tried (the default of :func:`perfanalytics.compare`).

    Raises
    ------
    InputError
        For values that are not positive on the log scale, a change outside the series, periods that do not
        rise.

    Examples
    --------
    >>> y = np.sin(np.arange(80) * 2.3) + np.repeat([0.0, 1.0], 40)
    >>> found = level_changes(y, [0, 80], 40)
    >>> bool(found.low[0] > 0.8), bool(found.high[0] < 1.2)
    (True, True)
    """
    flat = np.asarray(values, dtype=float)
    off = np.asarray(offsets, dtype=np.int64)
    if off.ndim != 1 or len(off) < 1 or off[0] != 0 or off[-1] != len(flat) or (np.diff(off) < 0).any():
        raise InputError(f"offsets must rise from 0 to the number of values ({len(flat)})")
    m, lengths = len(off) - 1, np.diff(off)
    before = np.broadcast_to(np.asarray(n_before, dtype=np.int64), (m,))
    if ((before < 0) | (before > lengths)).any():
        i = int(np.flatnonzero((before < 0) | (before > lengths))[0])
        raise InputError(f"series {i} has {lengths[i]} values: the change cannot lie after point {before[i]}")
    if scale not in ("raw", "log"):
        raise UnknownNameError("scale", scale, ("raw", "log"))
    seen = ~np.isnan(flat)
    if scale == "log":
        if (flat[seen] <= 0).any():
            raise InputError("on the log scale all values must be positive")
        flat = np.log(flat)
    weight = None if weights is None else np.asarray(weights, dtype=float)
    if weight is not None:
        if weight.shape != flat.shape or (weight < 0).any():
            raise InputError("weights must be not negative, one for each value")
        seen = seen & (weight > 0)
    series = np.repeat(np.arange(m), lengths)
    position = np.arange(len(flat)) - off[series]
    is_after = position >= before[series]
    if periods is not None:
        position = np.asarray(periods, dtype=np.int64)
        if position.shape != flat.shape or (np.diff(position)[np.diff(series) == 0] <= 0).any():
            raise InputError("periods must be whole numbers that rise within each series, one for each value")
    sizes = [np.bincount(series[seen & side], minlength=m) for side in (~is_after, is_after)]
    varies = [_varies(flat, series, seen & side, m) for side in (~is_after, is_after)]
    usable = (sizes[0] >= FEWEST) & (sizes[1] >= FEWEST) & varies[0] & varies[1]
    names = LevelChanges.__slots__
    out = {name: np.full(m, np.nan) for name in names}
    rows = np.flatnonzero(usable)
    if len(rows):
        keep = seen & usable[series]
        fit = fit_reml(_padded(flat, keep, series, position, is_after, weight), LEVEL_CONTRAST, noise=noise)
        half = special.stdtrit(fit.df, 0.5 + confidence / 2) * fit.se
        found = {
            "estimate": fit.estimate,
            "low": fit.estimate - half,
            "high": fit.estimate + half,
            "se": fit.se,
            "df": fit.df,
            "statistic": fit.estimate / fit.se,
            "p_value": 2.0 * special.stdtr(fit.df, -np.abs(fit.estimate / fit.se)),
            "rho": fit.rho,
            "noise": fit.noise,
            "log_spread": fit.log_spread,
            "effective_before": effective_periods(sizes[0][rows].astype(float), fit.rho, fit.noise),
            "effective_after": effective_periods(sizes[1][rows].astype(float), fit.rho, fit.noise),
        }
        for name in names:
            out[name][rows] = found[name]
    return LevelChanges(**out)


def effective_periods(n: Floats | float, rho: Floats, noise: Floats) -> Floats:
    """Independent values that tell as much about a mean as n periods with this correlation.

    ``n / (1 + 2 sum_k (1 - k/n) (1 - v) rho^k)``: for long series without noise ``n (1 - rho) / (1 + rho)``,
    but never below 1 for positive rho; that formula falls to 0 where the memory is longer than the series.

    Examples
    --------
    >>> [round(float(effective_periods(n, np.array(0.4), np.array(0.0))), 2) for n in (10, 100)]
    [4.74, 43.27]
    """
    n = np.asarray(n, dtype=float)
    inner = rho / (1.0 - rho) - rho * (1.0 - rho**n) / (n * (1.0 - rho) ** 2)
    return np.asarray(n / (1.0 + 2.0 * (1.0 - noise) * inner))


def _varies(flat: Floats, series: NDArray[np.int64], use: NDArray[np.bool_], m: int) -> NDArray[np.bool_]:
    low, high = np.full(m, np.inf), np.full(m, -np.inf)
    np.minimum.at(low, series[use], flat[use])
    np.maximum.at(high, series[use], flat[use])
    # a spread of a few units in the last place is rounding, not variation
    return np.asarray(high - low > 1e-13 * np.maximum(np.abs(high), np.abs(low)))


def _padded(
    flat: Floats,
    keep: NDArray[np.bool_],
    series: NDArray[np.int64],
    position: NDArray[np.int64],
    is_after: NDArray[np.bool_],
    weight: Floats | None,
) -> Design:
    """The kept values as a rectangle, gaps closed but remembered as distances."""
    _, row = np.unique(series[keep], return_inverse=True)
    length = np.bincount(row)
    starts = np.concatenate([[0], np.cumsum(length)[:-1]])
    column = np.arange(len(row)) - starts[row]
    shape = (len(length), int(length.max()))
    y, w = np.zeros(shape), np.ones(shape)
    after, gap = np.zeros(shape, dtype=bool), np.full(shape, np.inf)
    y[row, column] = flat[keep]
    after[row, column] = is_after[keep]
    step = np.diff(position[keep], prepend=0).astype(float)
    step[starts] = np.inf
    gap[row, column] = step
    if weight is not None:
        w[row, column] = weight[keep]
    return level_design(y, after=after, gap=gap, weights=None if weight is None else w, length=length)
