"""Linear regression by formula, on the raw or the log scale of the response."""

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
from perfanalytics.models.diagnostics import check_least_squares
from perfanalytics.models.least_squares import LeastSquares, least_squares
from perfanalytics.models.preparing import Asked, Prepared, prepare
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


def fit_gaussian(frame: pd.DataFrame, asked: Asked) -> Model:
    """Least squares; the logarithm of the response where its measure is a duration or positive.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    ready = prepare(frame, asked)
    n, p = ready.made.matrix.shape
    root = np.sqrt(ready.weights)
    z = ready.y - ready.offset
    x = ready.made.matrix * root[:, None] if "weights" in asked.columns else ready.made.matrix
    solved = least_squares(x, root * z, list(ready.made.names))
    df = float(n - p)
    sigma = math.sqrt(solved.rss / df)
    # R2 is measured from 0 without an intercept, as everywhere; what is said and cross-validated is measured
    # from the mean always, so that models with and without one can be compared.
    center = float(np.average(z, weights=ready.weights))
    about_mean = float(np.sum(ready.weights * (z - center) ** 2))
    total = about_mean if ready.made.has_intercept else float(np.sum(ready.weights * z**2))
    r2 = 1 - solved.rss / total
    df_model = float(p - int(ready.made.has_intercept))
    f = (total - solved.rss) / df_model / (solved.rss / df) if df_model and solved.rss > 0 else math.nan
    f_p = float(special.fdtrc(df_model, df, f)) if not math.isnan(f) else math.nan
    unseen = _cross_validate(solved, root, ready, about_mean, asked)
    covariance, how = _covariance(x, solved, sigma, ready, asked)
    # residuals of rows of weight 1, and the response with them
    residuals = solved.residuals / root
    back = np.exp(ready.y - residuals) if ready.logged else ready.y - residuals
    fit = Fitted(
        link="identity",
        coefficients=solved.coefficients,
        unscaled=solved.unscaled,
        covariance=covariance,
        sigma=sigma,
        df=df,
        df_test=df,
        smearing=float(np.average(np.exp(residuals), weights=ready.weights)) if ready.logged else 1.0,
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (n - int(ready.made.has_intercept)) / df,
        f_statistic=f,
        f_df=df_model,
        f_p_value=f_p,
        fitted=back,
        leverage=solved.leverage,
        residuals=solved.residuals / sigma if sigma > 0 else np.zeros(n),
        condition=solved.condition,
        reach=float((solved.leverage / ready.weights).max()),
    )
    found = check_least_squares(ready, asked, x, solved, f_p_value=f_p, r2_cv=unseen.r2, spread=about_mean)
    start = opening(
        asked,
        ready,
        fit,
        1 - solved.rss / about_mean,
        unseen.r2,
        exact=found.exact,
        what="variation on the log scale" if ready.logged else "variation",
    )
    return build(
        asked,
        ready,
        fit,
        unseen,
        found,
        verdict=start + ("" if found.exact else item_words(asked, ready, sigma, df)) + closing(asked),
        method={
            "back_transform": "median exp(x b); mean by smearing (Duan 1983)" if ready.logged else "none",
            "r2_measured_from": "mean"
            if ready.made.has_intercept
            else "0 (no intercept); verdict and r2_cv from the mean",
            "computation": "QR on scaled columns with iterative refinement",
            "covariance": how,
        },
        references=(
            "Bjorck (1967), BIT 7, 257-278",
            "Duan (1983), JASA 78, 605-610",
            "Koenker (1981), Journal of Econometrics 17",
            "Fox and Monette (1992), JASA 87",
        ),
    )


def item_words(asked: Asked, ready: Prepared, sd: float, df: float) -> str:
    """How well a new item is predicted, in words."""
    half = float(special.stdtrit(df, (1 + asked.confidence) / 2)) * sd
    level = percent(asked.confidence)
    weight = " of weight 1" if "weights" in asked.columns else ""
    if ready.logged:
        factor = number(math.exp(min(half, 700.0)))
        return f" A new item{weight} is predicted within a factor of {factor} either way ({level})."
    size = number(half, asked.measure.unit)
    return f" A new item{weight} is predicted within {size} either way ({level})."


def _covariance(
    x: Floats, solved: LeastSquares, sigma: float, ready: Prepared, asked: Asked
) -> tuple[Floats, str]:
    if asked.errors == "classical":
        return sigma**2 * solved.unscaled, "classical: sigma^2 (X'X)^-1"
    scores = x * solved.residuals[:, None]
    if asked.errors == "robust":
        return hc3(scores, solved.unscaled, solved.leverage), "HC3 (MacKinnon and White 1985)"
    assert ready.order is not None
    covariance, lags = newey_west(scores, solved.unscaled, ready.order)
    return covariance, f"Newey-West, Bartlett, {lags} lags = floor(4 (n / 100)^(2/9)), times n / (n - p)"


def _cross_validate(
    solved: LeastSquares, root: Floats, ready: Prepared, about_mean: float, asked: Asked
) -> OutOfSample:
    """k-fold errors; the folds are drawn with the stated seed; R2 is measured from the mean.

    In the orthonormal basis Q the rows of a fold are taken out by ``Q'Q = I - Qk'Qk``: each fold is an
    exact refit at the price of a small system. A level that occurs in one fold only gets no effect there.
    """
    y = root * (ready.y - ready.offset)
    folds, fold = folds_of(len(y), asked)
    q, whole = solved.q, solved.q.T @ y
    predicted = np.empty(len(y))
    for k in range(folds):
        out = fold == k
        gram = np.eye(q.shape[1]) - q[out].T @ q[out]
        b = np.linalg.lstsq(gram, whole - q[out].T @ y[out], rcond=1e-10)[0]
        predicted[out] = q[out] @ b
    squares = float(np.sum((y - predicted) ** 2))
    told = predicted / root + ready.offset
    back = np.exp(np.minimum(told, 700.0)) if ready.logged else told
    return OutOfSample(
        rmse=math.sqrt(squares / float(np.sum(root**2))),
        r2=1 - squares / about_mean,
        relative=relative_error(back, ready.observed),
        folds=folds,
    )
