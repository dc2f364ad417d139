"""Covariances of coefficients that hold where the textbook one does not: HC3 and Newey-West."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hc3(scores: Floats, bread: Floats, leverage: Floats) -> Floats:
    """Heteroskedasticity-consistent covariance, each score divided by 1 - leverage.

    Parameters
    ----------
    scores : float array, shape (n, p)
        Row of X times its (working) residual and weight.
    bread : float array, shape (p, p)
        Inverse of the (weighted) X'X.
    leverage : float array, shape (n,)

    References
    ----------
    MacKinnon and White (1985), Journal of Econometrics 29; Long and Ervin (2000), American Statistician 54.
    """
    inflated = scores / np.maximum(1 - leverage, 1e-12)[:, None]
    half = inflated @ bread
    return np.asarray(half.T @ half)


def newey_west(scores: Floats, bread: Floats, order: NDArray[np.int64]) -> tuple[Floats, int]:
    """Autocorrelation-consistent covariance with Bartlett weights, and its number of lags.

    The lag is ``floor(4 (n / 100)^(2/9))``, a rule that does not look at the data; no prewhitening; times
    ``n / (n - p)``. Rows in their order in time.

    References
    ----------
    Newey and West (1987), Econometrica 55, eq. 5; (1994), Review of Economic Studies 61, table II B (lags).
    """
    n, p = scores.shape
    lags = math.floor(4 * (n / 100) ** (2 / 9))
    s = scores[order]
    meat = s.T @ s
    for lag in range(1, lags + 1):
        cross = s[lag:].T @ s[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    return np.asarray(bread @ meat @ bread * n / (n - p)), lags
