"""Least squares with covariances that hold when the items of a period are alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """A regression: coefficients, their robust covariance, residuals; ``periods`` is 0 without periods."""

    beta: Floats
    covariance: Floats
    residual: Floats
    share: float
    periods: int
    df: float

    def test(self, at: NDArray[np.int64]) -> tuple[float, float, float, float]:
        """Wald's test that the coefficients at these places are all 0: F, its two df, p; NaN without rank.

        With periods it is scaled like Hotelling's T2, ``F = W (G - q) / (q (G - 1))`` with G - q degrees of
        freedom: as many periods, not items, say something about the covariance.
        """
        q = len(at)
        part, b = self.covariance[np.ix_(at, at)], self.beta[at]
        df2 = self.df if not self.periods else float(self.periods - q)
        if df2 < 1 or not np.isfinite(part).all() or np.linalg.matrix_rank(part, hermitian=True) < q:
            return math.nan, float(q), df2, math.nan
        wald = float(b @ np.linalg.solve(part, b))
        f = wald / q if not self.periods else wald * df2 / (q * (self.periods - 1.0))
        return f, float(q), df2, float(special.fdtrc(q, df2, f))

    def contrast(self, weights: Floats) -> tuple[float, float]:
        """A linear combination of the coefficients and its standard error."""
        return float(weights @ self.beta), math.sqrt(max(float(weights @ self.covariance @ weights), 0.0))


def fitted(y: Floats, x: Floats, period: NDArray[np.int64] | None) -> Fitted:
    """Least squares of y (n,) on x (n, p) with an intercept among its columns.

    Parameters
    ----------
    period : int array, shape (n,), optional
        Period of each item: covariances add up the scores of a period first (CR1). Without it each item
        stands for itself (HC1).

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22; Cameron and Miller (2015), Journal of Human Resources 50,
    equations 11 and 12 (CR1); White (1980), Econometrica 48; statsmodels ``cov_type="cluster"``, ``"HC1"``.

    Examples
    --------
    >>> x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])
    >>> f = fitted(np.array([1.0, 2, 3, 3, 4, 5]), x, None)
    >>> f.beta.round(6).tolist(), round(math.sqrt(f.covariance[1, 1]), 6)
    ([2.0, 2.0], 0.816497)
    """
    n, p = x.shape
    inverse = np.linalg.pinv(x.T @ x, hermitian=True)
    beta = inverse @ (x.T @ y)
    residual = y - x @ beta
    scores = x * residual[:, None]
    if period is None:
        groups, df, factor = 0, float(n - p), n / (n - p)
        meat = scores.T @ scores
    else:
        _, code = np.unique(period, return_inverse=True)
        groups = int(code.max()) + 1
        sums = np.zeros((groups, p))
        np.add.at(sums, code, scores)
        meat = sums.T @ sums
        df = float(groups - 1)
        factor = groups / (groups - 1) * (n - 1) / (n - p) if groups > 1 else math.nan
    total = float(((y - y.mean()) ** 2).sum())
    rss = float(residual @ residual)
    share = max(0.0, 1.0 - rss / (n - p) / (total / (n - 1))) if total > 0 else math.nan
    return Fitted(beta, factor * inverse @ meat @ inverse, residual, share, groups, df)
