"""Two factors, or groups within blocks: least squares with sums to zero, tests of type 2 and 3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.comparisons.variance import NAN, ROUNDING, FTest
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Fit:
    """A least-squares fit: residual sum of squares, rank, coefficients, inverse of X'X."""

    rss: float
    rank: int
    coefficients: Floats
    inverse: Floats


def effect_columns(codes: NDArray[np.int64], levels: int) -> Floats:
    """Sum-to-zero columns of a factor, shape (n, levels - 1): the last level is minus all others."""
    table = np.vstack([np.eye(levels - 1), -np.ones((1, levels - 1))])
    return np.asarray(table[codes])


def least_squares(x: Floats, y: Floats) -> Fit:
    """Least squares by the singular values."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    rank = int((s > s[0] * max(x.shape) * np.finfo(float).eps).sum())
    u, s, vt = u[:, :rank], s[:rank], vt[:rank]
    beta = vt.T @ ((u.T @ y) / s)
    residual = y - x @ beta
    return Fit(float(residual @ residual), rank, beta, (vt.T / s**2) @ vt)


@dataclass(frozen=True, slots=True)
class TwoFactors:
    """Tests of both factors and of their interaction, and the contrasts of the first factor's levels.

    Parameters
    ----------
    first, second : FTest
    interaction : FTest or None
    residual_variance, residual_df : float
    means : float array, shape (levels of the first factor,)
        Marginal means: averages over the levels of the second with equal weight. NaN where cells are empty.
    covariance : float array
        Of these means.
    """

    first: FTest
    second: FTest
    interaction: FTest | None
    residual_variance: float
    residual_df: float
    means: Floats
    covariance: Floats


def two_factors(
    y: Floats,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    *,
    levels: tuple[int, int],
    interaction: bool,
    kind: int,
) -> TwoFactors:
    """Analysis of variance by two factors.

    Parameters
    ----------
    y : float array, shape (n,)
    a, b : int arrays, shape (n,)
        Level of each value, from 0.
    levels : (int, int)
    interaction : bool
    kind : {2, 3}
        Type 2: each factor given the other, the interaction given both. Type 3: each given all others,
        with sums to zero; needs every cell filled.

    Raises
    ------
    InputError
        For type 3 with empty cells, and when nothing is left to estimate the error from.

    References
    ----------
    Fox (2016), Applied Regression Analysis, 8.2; Langsrud (2003), Statistics and Computing 13; R
    ``car::Anova(type = 2 or 3)`` with ``contr.sum``.
    """
    n = len(y)
    y = y - y[0]
    y = y - y.mean()
    one = np.ones((n, 1))
    x_a, x_b = effect_columns(a, levels[0]), effect_columns(b, levels[1])
    x_ab = (x_a[:, :, None] * x_b[:, None, :]).reshape(n, -1) if interaction else np.empty((n, 0))
    main = np.hstack([one, x_a, x_b])
    x = np.hstack([main, x_ab])
    full = least_squares(x, y)
    df = n - full.rank
    if df < 1:
        raise InputError(
            "no values are left to estimate the error from: with one value a cell give "
            "options={'interaction': False}"
        )
    complete = full.rank == x.shape[1]
    if kind == 3 and not complete:
        raise InputError("type 3 needs values in every cell of the two factors; type 2 does not")
    variance = full.rss / df
    if full.rss <= n * ROUNDING * max(1e-300, float(np.abs(y).max()) ** 2):
        variance = 0.0

    def test(small: Floats, large: Floats) -> FTest:
        less, more = least_squares(small, y), least_squares(large, y)
        between, df1 = less.rss - more.rss, more.rank - less.rank
        if df1 < 1 or variance <= 0:
            return FTest(NAN, float(df1), float(df), NAN, between, full.rss)
        f = max(0.0, between) / df1 / variance
        return FTest(f, float(df1), float(df), float(special.fdtrc(df1, df, f)), between, full.rss)

    if kind == 2:
        first = test(np.hstack([one, x_b]), main)
        second = test(np.hstack([one, x_a]), main)
    else:
        first = test(np.hstack([one, x_b, x_ab]), x)
        second = test(np.hstack([one, x_a, x_ab]), x)
    means, covariance = _marginal(full, levels[0], variance) if complete else (np.full(levels[0], NAN), None)
    return TwoFactors(
        first,
        second,
        test(main, x) if interaction else None,
        variance,
        float(df),
        means,
        covariance if covariance is not None else np.full((levels[0], levels[0]), NAN),
    )


def _marginal(full: Fit, levels: int, variance: float) -> tuple[Floats, Floats]:
    """Marginal means of the first factor, less a constant, and their covariance."""
    pick = np.zeros((levels, len(full.coefficients)))
    pick[:, 0] = 1.0
    pick[:, 1:levels] = np.vstack([np.eye(levels - 1), -np.ones((1, levels - 1))])
    return pick @ full.coefficients, variance * pick @ full.inverse @ pick.T
