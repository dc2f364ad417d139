"""Autocorrelation of series and what it leaves of the sample size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Segments


def lag1_autocorrelation(
    values: Floats, offsets: NDArray[np.int64], use: NDArray[np.bool_] | None = None
) -> Floats:
    """Lag-1 autocorrelation of each series of a batch; NaN where it is not defined.

    Parameters
    ----------
    values : float array, shape (n,)
        NaN is a gap; pairs across a gap do not count.
    offsets : int array, shape (m + 1,)
    use : bool array, shape (n,), optional
        False leaves a point out (excluded points).

    Returns
    -------
    float array, shape (m,)
        ``sum (y_t - ybar)(y_{t-1} - ybar) / sum (y_t - ybar)^2``;
        NaN for fewer than 3 points or no variation.

    References
    ----------
    Box, Jenkins, Reinsel (2008), Time Series Analysis, eq. 2.1.11.

    Examples
    --------
    >>> y = np.array([1.0, 2, 3, 4, 5])
    >>> lag1_autocorrelation(y, np.array([0, 5])).tolist()
    [0.4]
    """
    ok = ~np.isnan(values) if use is None else use & ~np.isnan(values)
    m, lengths = len(offsets) - 1, np.diff(offsets)
    series = np.repeat(np.arange(m), lengths)
    count = np.bincount(series, weights=ok, minlength=m)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(series, weights=np.where(ok, values, 0.0), minlength=m) / count
        d = np.where(ok, values - np.repeat(mean, lengths), 0.0)
        product = d[1:] * d[:-1]
        product[series[1:] != series[:-1]] = 0.0
        top = np.bincount(series[1:], weights=product, minlength=m)
        bottom = np.bincount(series, weights=d * d, minlength=m)
        r = top / bottom
        scale = np.bincount(series, weights=np.where(ok, values * values, 0.0), minlength=m)
    r[(count < 3) | (bottom <= 1e-28 * scale)] = np.nan
    return r


def effective_size(n: Floats | float, r: Floats | float) -> Floats:
    """Number of independent values that tell as much about the mean as n values with lag-1 correlation r.

    ``n (1 - r) / (1 + r)``, for an AR(1) series (Bayley and Hammersley 1946); r is limited to (-0.99, 0.99).

    Examples
    --------
    >>> float(effective_size(100, 0.5))
    33.333333333333336
    """
    r = np.clip(r, -0.99, 0.99)
    return np.asarray(np.asarray(n, dtype=float) * (1 - r) / (1 + r))


def corrected_lag1(r1: Floats | float, n: Floats | float) -> Floats:
    """Lag-1 correlation corrected for its downward bias: ``(r1 + 1/n) / (1 - 4/n)``, within [0, 0.95].

    Below about 5 points nothing can be said; the correction is then 0. The cap keeps variance factors
    finite; results that meet it carry a caveat.

    References
    ----------
    Kendall (1954), Biometrika 41; Marriott and Pope (1954), for a series with estimated mean.
    """
    n = np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (np.asarray(r1, dtype=float) + 1 / n) / (1 - 4 / n)
    return np.where((n > 5) & np.isfinite(r), np.clip(r, 0.0, 0.95), 0.0)


#: Partial autocorrelations are kept this far from 1: a fitted model is stationary.
_STATIONARY = 1e-6


def burg(
    deviation: Floats, since: NDArray[np.uint8], segments: Segments, order: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Partial autocorrelations of each segment at lags 1 to ``order``, by Burg's method.

    Forward and backward prediction errors of every unbroken stretch of a segment are taken together, so that
    gaps cost only the points beside them and every fitted model is stationary.

    Parameters
    ----------
    deviation : float array, shape (n,)
        Values less their mean, 0 where a point is not used.
    since : int array, shape (n,)
        Points behind each one in its stretch (:func:`perfanalytics.core.segments.since_break`), counted at
        least up to ``order``.
    segments : Segments
        m segments.
    order : int

    Returns
    -------
    partial : float array, shape (m, order)
        NaN from the lag on at which a segment has no pair; 0 without variation.
    pairs : int array, shape (m, order)
        Pairs at each lag.

    References
    ----------
    Burg (1975), Maximum Entropy Spectral Analysis, thesis, Stanford; de Waele and Broersen (2000), IEEE
    Transactions on Signal Processing 48, 2876-2880 (several stretches).

    Examples
    --------
    >>> y = np.array([1.0, -1.0, 1.0, -0.5, 0.5, -1.0])
    >>> k, pairs = burg(y, np.arange(6).astype(np.uint8), Segments(np.array([0]), 6), 2)
    >>> k.round(4).tolist(), pairs.tolist()
    ([[-0.9286, 0.0329]], [[5, 4]])
    """
    m = len(segments)
    partial, pairs = np.full((m, order), np.nan), np.zeros((m, order), dtype=np.int64)
    forward, backward = deviation, deviation
    for lag in range(1, order + 1):
        ok = since >= lag
        before = np.append(0.0, backward[:-1])
        top = segments.sums(np.where(ok, forward * before, 0.0))
        bottom = segments.sums(np.where(ok, forward * forward + before * before, 0.0))
        pairs[:, lag - 1] = segments.counts(ok)
        with np.errstate(invalid="ignore", divide="ignore"):
            k = np.where(bottom > 0, 2.0 * top / bottom, 0.0)
        k = np.clip(k, -1.0 + _STATIONARY, 1.0 - _STATIONARY)
        partial[:, lag - 1] = np.where(pairs[:, lag - 1] > 0, k, np.nan)
        each = segments.expand(k)
        forward, backward = forward - each * before, before - each * forward
    return partial, pairs


def predictors(partial: Floats) -> Floats:
    """Coefficients of the best predictors from 1, 2, ... values, by the recursion of Levinson and Durbin.

    Parameters
    ----------
    partial : float array, shape (m, p)
        Partial autocorrelations.

    Returns
    -------
    float array, shape (m, p, p)
        ``[:, a - 1, j - 1]``: what the value ``j`` steps back counts where ``a`` are known; 0 for ``j > a``.

    References
    ----------
    Durbin (1960), Revue de l'Institut International de Statistique 28, 233-244; Brockwell and Davis (1991),
    Time Series: Theory and Methods, proposition 5.2.1.

    Examples
    --------
    >>> predictors(np.array([[0.5, 0.2]])).round(3).tolist()
    [[[0.5, 0.0], [0.4, 0.2]]]
    """
    m, p = partial.shape
    out = np.zeros((m, p, p))
    for a in range(p):
        k = partial[:, a : a + 1]
        if a:
            shorter = out[:, a - 1, :a]
            out[:, a, :a] = shorter - k * shorter[:, ::-1]
        out[:, a, a] = partial[:, a]
    return out


def partial_autocorrelations(coefficients: Floats) -> Floats:
    """Partial autocorrelations of AR models, shape (m, p), from their coefficients, shape (m, p).

    All of them lie within -1 and 1 exactly where the model is stationary.

    References
    ----------
    Barndorff-Nielsen and Schou (1973), Journal of Multivariate Analysis 3, 408-419.

    Examples
    --------
    >>> partial_autocorrelations(np.array([[0.4, 0.2]])).round(3).tolist()
    [[0.5, 0.2]]
    """
    left = coefficients.copy()
    out = np.zeros_like(left)
    for a in range(left.shape[1] - 1, -1, -1):
        k = left[:, a]
        out[:, a] = k
        if a:
            with np.errstate(invalid="ignore", divide="ignore"):
                left = (left[:, :a] + k[:, None] * left[:, :a][:, ::-1]) / (1.0 - k * k)[:, None]
    return out


def portmanteau(
    deviation: Floats, since: NDArray[np.uint8], segments: Segments, n: NDArray[np.int64], lags: int
) -> Floats:
    """Ljung and Box's Q of each segment over lags 1 to ``lags``, shape (m,); pairs across gaps do not count.

    References
    ----------
    Ljung and Box (1978), Biometrika 65, 297-303.
    """
    squares = segments.sums(deviation * deviation)
    total = np.zeros(len(segments))
    with np.errstate(invalid="ignore", divide="ignore"):
        for lag in range(1, lags + 1):
            product = np.zeros_like(deviation)
            product[lag:] = deviation[lag:] * deviation[:-lag]
            product[since < lag] = 0.0
            r = segments.sums(product) / squares
            total += r * r / (n - lag)
        return np.asarray(np.where(squares > 0, n * (n + 2.0) * total, np.nan))
