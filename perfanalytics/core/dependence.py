"""Autocorrelation of series and what it leaves of the sample size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats


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
