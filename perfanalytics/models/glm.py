"""Generalized linear models: gamma, binomial, Poisson and negative binomial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import number, percent
from perfanalytics.models.building import (
    Fitted,
    OutOfSample,
    build,
    closing,
    folds_of,
    opening,
    relative_error,
)
from perfanalytics.models.covariances import hc3, newey_west
from perfanalytics.models.glm_checks import check_law
from perfanalytics.models.laws import LAWS
from perfanalytics.models.least_squares import least_squares
from perfanalytics.models.preparing import Asked, Prepared, prepare
from perfanalytics.models.result import Model
from perfanalytics.models.reweighting import Problem, Reweighted, gamma_shape, reweight, with_size

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

REFERENCES = (
    "McCullagh and Nelder (1989), Generalized Linear Models",
    "Dunn and Smyth (1996), JCGS 5, 236-244 (quantile residuals)",
    "Lawless (1987), Canadian Journal of Statistics 15 (negative binomial)",
)


def fit_law(frame: pd.DataFrame, asked: Asked) -> Model:
    """A gamma, binomial, Poisson or negative binomial model.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    ready = prepare(frame, asked)
    n, p = ready.made.matrix.shape
    problem = Problem(
        law=LAWS[asked.family],
        x=ready.made.matrix,
        y=ready.y,
        m=ready.sizes,
        prior=ready.weights,
        offset=ready.offset,
    )
    # refuses terms that are combinations of others; its leverage tells unusual combinations
    plain = least_squares(problem.x, np.zeros(n), list(ready.made.names))
    solved, parameters = solve(problem)
    k, df = parameters.get("size", math.nan), float(n - p)
    pearson = float(
        problem.prior @ ((problem.y - solved.mu) ** 2 / problem.law.variance(solved.mu, k, problem.m))
    )
    dispersion = pearson / df
    estimated = asked.family == "gamma"
    phi = dispersion if estimated else 1.0
    null, _ = _null(problem, k)
    parameters |= {
        "dispersion": dispersion,
        "deviance": solved.deviance,
        "null_deviance": null,
        "divided": float(ready.divided),
    }
    covariance, how = _covariance(problem, solved, phi, ready, asked)
    df_model = float(p - int(ready.made.has_intercept))
    f = (null - solved.deviance) / df_model / phi if df_model else math.nan
    f_p = math.nan
    if df_model:
        f_p = float(
            special.fdtrc(df_model, df, max(f, 0.0))
            if estimated
            else special.chdtrc(df_model, max(f, 0.0) * df_model)
        )
    unseen = _cross_validate(problem, ready, k, null, asked)
    unit = ready.sizes if ready.divided else np.ones(n)
    r2 = 1 - solved.deviance / null if null > 0 else math.nan
    fit = Fitted(
        link=problem.law.link,
        coefficients=solved.b,
        unscaled=plain.unscaled,
        covariance=covariance,
        sigma=math.sqrt(phi),
        df=df,
        df_test=df if estimated else math.inf,
        parameters=parameters,
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (n - 1) / df,
        f_statistic=f,
        f_df=df_model,
        f_p_value=f_p,
        fitted=solved.mu / unit,
        leverage=solved.leverage,
        residuals=quantile_residuals(problem, solved.mu, parameters.get("shape", math.nan), asked.seed),
        condition=plain.condition,
        reach=float(plain.leverage.max()),
    )
    found = check_law(ready, asked, problem, solved, fit, k=k, r2_cv=unseen.r2)
    start = opening(asked, ready, fit, r2, unseen.r2, exact=False, what="variation (deviance)")
    words = _item_words(asked, problem, solved, fit)
    return build(
        asked,
        ready,
        fit,
        unseen,
        found,
        verdict=start + words + closing(asked),
        method={
            "link": problem.law.link,
            "back_transform": "mean by the inverse link",
            "r2_measured_from": "deviance of the mean (of the exposure or sizes where given)",
            "computation": "Fisher scoring, QR on scaled columns, step halving",
            "covariance": how,
            "dispersion": "Pearson / (n - p)" if estimated else "1",
            "item": "law of the family, parameters by Gauss-Hermite quadrature (15 x 7 nodes)",
            "shape": "maximum likelihood" + (", times (n - p) / n" if estimated else ""),
            "residuals": f"quantile residuals, jittered with seed {asked.seed}",
        },
        references=REFERENCES,
    )


def solve(problem: Problem) -> tuple[Reweighted, dict[str, float]]:
    """The fit, and what the law has besides its mean."""
    n, p = problem.x.shape
    if problem.law.name == "negative_binomial":
        solved, size, log_sd = with_size(problem)
        return solved, {"size": size, "alpha": 1 / size, "shape": size, "shape_log_sd": log_sd}
    solved = reweight(problem)
    if problem.law.name == "gamma":
        shape, log_sd = gamma_shape(problem, solved.mu)
        # the estimate is too large by about n / (n - p), as that of a variance without its degrees of freedom
        return solved, {"shape_ml": shape, "shape": shape * (n - p) / n, "shape_log_sd": log_sd}
    return solved, {}


def quantile_residuals(problem: Problem, mu: Floats, k: float, seed: int) -> Floats:
    """Normal scores of the items under the fitted law; steps of whole numbers are filled at random."""
    law, y = problem.law, problem.y
    shape: Floats | float = k * problem.prior if law.name == "gamma" else k
    upper = law.cdf(y, mu, shape, problem.m)
    if law.whole:
        lower = law.cdf(y - 1, mu, shape, problem.m)
        upper = lower + (upper - lower) * np.random.default_rng(seed).uniform(size=len(y))
    return np.asarray(special.ndtri(np.clip(upper, 1e-15, 1 - 1e-15)))


def _null(problem: Problem, k: float) -> tuple[float, Floats]:
    """Deviance of the mean alone (with offset and sizes), and its means."""
    ones = problem.with_terms(np.ones((len(problem.y), 1)))
    fit = reweight(ones, k)
    return fit.deviance, fit.mu


def _covariance(
    problem: Problem, solved: Reweighted, phi: float, ready: Prepared, asked: Asked
) -> tuple[Floats, str]:
    if asked.errors == "classical":
        return phi * solved.inverse, "classical: dispersion (X'WX)^-1"
    scores = problem.x * (solved.w * solved.working)[:, None]
    if asked.errors == "robust":
        return hc3(scores, solved.inverse, solved.leverage), "HC3 on working residuals"
    assert ready.order is not None
    covariance, lags = newey_west(scores, solved.inverse, ready.order)
    return covariance, f"Newey-West, Bartlett, {lags} lags = floor(4 (n / 100)^(2/9)), times n / (n - p)"


def _cross_validate(problem: Problem, ready: Prepared, k: float, null: float, asked: Asked) -> OutOfSample:
    """Deviance out of sample against that of the mean; each fold is fitted anew (the size is kept)."""
    n = len(problem.y)
    folds, fold = folds_of(n, asked)
    mu = np.empty(n)
    for j in range(folds):
        out = fold == j
        b = reweight(problem.rows(~out), k).b
        mu[out] = problem.law.mean(problem.x[out] @ b + problem.offset[out], problem.m[out])
    unit = ready.sizes if ready.divided else np.ones(n)
    lost = problem.deviance(mu, k)
    error = (problem.y - mu) / unit
    return OutOfSample(
        rmse=math.sqrt(float(np.average(error**2, weights=problem.prior))),
        r2=1 - lost / null if null > 0 else math.nan,
        relative=relative_error(mu / unit, problem.y / unit),
        folds=folds,
    )


def _item_words(asked: Asked, problem: Problem, solved: Reweighted, fit: Fitted) -> str:
    """What is known of one new item, in words."""
    level = percent(asked.confidence)
    if asked.family == "binomial":
        area = ranking(problem.y, problem.m - problem.y, solved.eta)
        return (
            " Of an item with the event and one without it, the model gives the first the higher probability "
            f"in {percent(area)} of cases."
        )
    law, shape = problem.law, fit.parameters.get("shape", math.nan)
    shares = (1 - asked.confidence) / 2, (1 + asked.confidence) / 2
    if asked.family == "gamma":
        low, high = (float(special.gammaincinv(shape, s)) / shape for s in shares)
        return (
            f" A new item lies between {number(low)} and {number(high)} times its expected value ({level})."
        )
    mu = np.array([float(np.average(solved.mu, weights=problem.prior))])
    grid = np.arange(0.0, 10 * float(mu[0]) + 200)
    cdf = law.cdf(grid, mu, shape)
    low, high = (float(grid[np.searchsorted(cdf, s)]) for s in shares)
    return (
        f" Where {number(float(mu[0]), asked.measure.unit)} are expected, a new item has {number(low)} to "
        f"{number(high)} ({level})."
    )


def ranking(events: Floats, others: Floats, score: Floats) -> float:
    """Share of pairs of an event and a non-event that the score puts in the right order (ties half).

    Examples
    --------
    >>> ranking(np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.5, 2.0]))
    0.5
    """
    levels, place = np.unique(score, return_inverse=True)
    e, o = np.bincount(place, events, len(levels)), np.bincount(place, others, len(levels))
    if e.sum() == 0 or o.sum() == 0:
        return math.nan
    below = np.cumsum(o) - o
    return float(e @ (below + o / 2) / (e.sum() * o.sum()))
