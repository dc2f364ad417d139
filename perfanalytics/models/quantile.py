"""Quantile regression: what a share of items does not exceed, without a law for the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat
from perfanalytics.models.building import (
    Fitted,
    Found,
    OutOfSample,
    build,
    closing,
    folds_of,
    opening,
    relative_error,
)
from perfanalytics.models.check_loss import check_loss, quantile_fit
from perfanalytics.models.checking import collinearity_check, extrapolation_check, independence_checks
from perfanalytics.models.diagnostics import common_doubts, variance_inflation
from perfanalytics.models.least_squares import least_squares
from perfanalytics.models.preparing import Asked, Prepared, prepare
from perfanalytics.models.quantile_predictive import QuantilePredictive
from perfanalytics.models.result import Model
from perfanalytics.models.tabulating import Check, joint_test

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Shares whose quantiles together describe the distribution of an item.
SHARES = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975)


def bandwidth(share: float, n: int) -> float:
    """Hall and Sheather's bandwidth for the density at a quantile, halved until both ends are shares.

    References
    ----------
    Hall and Sheather (1988), JRSS B 50; Koenker (2005), section 4.10.1.
    """
    z = float(special.ndtri(share))
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    h: float = (
        n ** (-1 / 3)
        * float(special.ndtri(0.975)) ** (2 / 3)
        * (1.5 * density**2 / (2 * z**2 + 1)) ** (1 / 3)
    )
    while share - h < 0 or share + h > 1:
        h /= 2
    return h


def joint_covariance(x: Floats, y: Floats, shares: Floats) -> Floats:
    """Covariance of the coefficients at several shares, without the assumption of equal spread.

    References
    ----------
    Hendricks and Koenker (1992), JASA 87; Koenker (2005), eq. 3.7.
    """
    n, p = x.shape
    inverses = []
    for share in shares.tolist():
        h = bandwidth(share, n)
        above, below = _grid(x, y, np.array([share + h, share - h]))
        rise = x @ (above - below)
        density = np.where(rise > 0, 2 * h / np.maximum(rise - np.finfo(float).eps ** (2 / 3), 1e-300), 0.0)
        density = np.minimum(density, 1e8 / (np.ptp(y) or 1.0))
        inverses.append(np.linalg.pinv((x * density[:, None]).T @ x, hermitian=True))
    out = np.empty((len(shares) * p, len(shares) * p))
    inner = x.T @ x
    for i, s in enumerate(shares.tolist()):
        for j, t in enumerate(shares.tolist()):
            block = (min(s, t) - s * t) * inverses[i] @ inner @ inverses[j]
            out[i * p : (i + 1) * p, j * p : (j + 1) * p] = block
    return out


def fit_quantiles(frame: pd.DataFrame, asked: Asked) -> Model:
    """Quantiles asked for, and enough others to describe a new item.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    ready = prepare(frame, asked)
    x, y, weights = ready.made.matrix, ready.y, ready.weights
    n, p = x.shape
    plain = least_squares(x, y, list(ready.made.names))
    wanted = [s for s in asked.quantiles if n * min(s, 1 - s) < p]
    if wanted:
        raise InputError(
            f"quantile {wanted[0]:g} leaves fewer than {p} of {n} rows beyond it for {p} coefficients: ask "
            "for one nearer the middle"
        )
    rows, scaled = x * weights[:, None], y * weights
    b = np.array([quantile_fit(rows, scaled, s) for s in asked.quantiles])
    shares = np.array([s for s in SHARES if n * min(s, 1 - s) >= max(2 * p, 5)])
    if len(shares) < 3:
        shares = np.array([0.25, 0.5, 0.75])
    grid = _grid(rows, scaled, shares)
    joint = joint_covariance(rows, scaled, np.array(asked.quantiles))
    median = joint_covariance(rows, scaled, np.array([0.5]))
    flat = quantile_fit(weights[:, None], scaled, asked.quantiles[0])
    whole = Whole(grid, b[0], flat)
    unseen, calibration, below = _cross_validate(ready, shares, asked, whole)
    residuals = np.clip(_law(shares, x @ grid.T, np.zeros(2), ready.logged).scores(y), -8, 8)
    share = asked.quantiles[0]
    loss = check_loss(y - x @ b[0], share, weights)
    none = check_loss(y - flat[0], share, weights)
    covariance = joint[:p, :p]
    intercept = np.array([f == "Intercept" for f in ready.made.factor_of])
    f, f_df, f_p = math.nan, 0.0, math.nan
    if (~intercept).any():
        f, f_df, f_p = joint_test(b[0], covariance, ~intercept, float(n - p))
    middle = x @ grid[int(np.argmin(np.abs(shares - 0.5)))]
    fit = Fitted(
        link="identity",
        coefficients=b[0],
        unscaled=plain.unscaled,
        covariance=covariance,
        sigma=loss / n,
        df=float(n - p),
        df_test=float(n - p),
        arrays={
            "quantiles": np.array(asked.quantiles),
            "quantile_asked": b,
            "quantile_covariance": joint,
            "quantile_shares": shares,
            "quantile_coefficients": grid,
            "median_covariance": median,
            "calibration": calibration,
        },
        r2=1 - loss / none,
        r2_adjusted=math.nan,
        f_statistic=f,
        f_df=f_df,
        f_p_value=f_p,
        fitted=np.exp(middle) if ready.logged else middle,
        leverage=plain.leverage,
        residuals=residuals,
        condition=plain.condition,
        reach=float(plain.leverage.max()),
    )
    found = _check(ready, asked, fit, below, f_p, unseen.r2)
    start = opening(asked, ready, fit, fit.r2, unseen.r2, exact=False, what=f"P{100 * share:g} (check loss)")
    return build(
        asked,
        ready,
        fit,
        unseen,
        found,
        verdict=start + closing(asked),
        method={
            "quantiles": list(asked.quantiles),
            "grid": shares.tolist(),
            "back_transform": "quantiles exp(x b)" if ready.logged else "none",
            "computation": "Frisch-Newton interior point, rows far away summed, then the exact corner",
            "covariance": "Hendricks and Koenker's sandwich, Hall-Sheather bandwidth",
            "item": f"quantiles calibrated on items left out ({unseen.folds} folds, seed {asked.seed})",
            "r2_measured_from": "check loss of the quantile of all (Koenker and Machado 1999)",
        },
        references=(
            "Koenker (2005), Quantile Regression",
            "Koenker and Machado (1999), JASA 94",
            "Chernozhukov, Wuthrich and Zhu (2021), PNAS 118 (calibration)",
        ),
    )


def _law(shares: Floats, values: Floats, calibration: Floats, logged: bool) -> QuantilePredictive:
    return QuantilePredictive(
        shares=shares,
        values=values,
        median_sd=np.zeros(len(values)),
        calibration=calibration,
        df=math.inf,
        logged=logged,
    )


@dataclass(frozen=True, slots=True)
class Whole:
    """Coefficients of all rows, near which those of each fold lie: of the shares (shares, p), of the quantile
    asked for (p,) and of the quantile without any term (1,)."""

    grid: Floats
    asked: Floats
    flat: Floats


def _grid(x: Floats, y: Floats, shares: Floats, near: Floats | None = None) -> Floats:
    """Coefficients at several shares, shape (shares, p); each begins near its own or the one before."""
    found: list[Floats] = []
    for k, share in enumerate(shares.tolist()):
        guess = near[k] if near is not None else found[-1] if found else None
        found.append(quantile_fit(x, y, share, guess))
    return np.array(found)


def _cross_validate(
    ready: Prepared, shares: Floats, asked: Asked, whole: Whole
) -> tuple[OutOfSample, Floats, float]:
    """Loss out of sample, the sorted normal scores of items left out, and the share below the quantile."""
    x, y, weights = ready.made.matrix, ready.y, ready.weights
    folds, fold = folds_of(len(y), asked)
    share = asked.quantiles[0]
    scores, told, typical = np.empty(len(y)), np.empty(len(y)), np.empty(len(y))
    none = 0.0
    for k in range(folds):
        out = fold == k
        rows, scaled = x[~out] * weights[~out, None], (y * weights)[~out]
        grid = _grid(rows, scaled, shares, whole.grid)
        scores[out] = _law(shares, x[out] @ grid.T, np.zeros(2), ready.logged).scores(y[out])
        told[out] = x[out] @ quantile_fit(rows, scaled, share, whole.asked)
        typical[out] = x[out] @ grid[int(np.argmin(np.abs(shares - 0.5)))]
        flat = quantile_fit(weights[~out, None], scaled, share, whole.flat)[0]
        none += check_loss(y[out] - flat, share, weights[out])
    loss = check_loss(y - told, share, weights)
    unseen = OutOfSample(
        rmse=float(np.sqrt(np.average((y - typical) ** 2, weights=weights))),
        r2=1 - loss / none,
        relative=relative_error(np.exp(typical) if ready.logged else typical, ready.observed),
        folds=folds,
    )
    return unseen, np.sort(np.clip(scores, -8, 8)), float(np.mean(y <= told))


def _check(ready: Prepared, asked: Asked, fit: Fitted, below: float, f_p: float, r2_cv: float) -> Found:
    """Checks: does the quantile hold its share of items left out, time, collinearity."""
    x, n = ready.made.matrix, len(ready.y)
    share = asked.quantiles[0]
    off = (below - share) / math.sqrt(share * (1 - share) / n)
    p_value = float(2 * special.ndtr(-abs(off)))
    text = f"Of items left out {percent(below)} lie below the quantile; it shall be {percent(share)}."
    verdict = "fine" if p_value >= 0.01 else "serious" if abs(below - share) > 0.05 else "look"
    timed, lag1 = independence_checks(x, fit.residuals, ready.order, asked.errors)
    vif = variance_inflation(ready.made)
    caveats: list[Caveat] = common_doubts(
        ready,
        condition=fit.condition,
        vif=vif,
        cook=np.zeros(1),
        timed=timed,
        lag1=lag1,
        f_p_value=f_p,
        r2_cv=r2_cv,
        rows_wanted=(n * min(share, 1 - share), f"rows beyond P{100 * share:g}"),
    )
    checks = (
        Check("share below the quantile", off, p_value, verdict, text),
        *timed,
        collinearity_check(vif),
        extrapolation_check(fit.leverage, x.shape[1]),
    )
    return Found(
        checks=checks,
        caveats=tuple(caveats),
        lag1=lag1,
        largest_vif=max(vif.values()) if vif else math.nan,
    )
