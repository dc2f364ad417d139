"""Mixed models with a random intercept: teams, services or sites, drawn from a population of such."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
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
from perfanalytics.models.checking import (
    collinearity_check,
    extrapolation_check,
    independence_checks,
    normality_check,
    variance_check,
)
from perfanalytics.models.diagnostics import breusch_pagan, common_doubts, variance_inflation
from perfanalytics.models.least_squares import least_squares
from perfanalytics.models.preparing import Asked, Prepared, prepare
from perfanalytics.models.regression import item_words
from perfanalytics.models.result import Model
from perfanalytics.models.tabulating import Check, joint_test

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Below this many groups their spread is hardly known.
FEW_GROUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """A fit by restricted maximum likelihood; ``ratio`` is tau^2 / sigma^2."""

    b: Floats
    inverse: Floats
    sigma2: float
    ratio: float
    criterion: float


def restricted(x: Floats, y: Floats, group: Ints, ratio: float) -> Restricted:
    """The fit for a known ratio of variances: rows less a share of the mean of their group, then QR.

    ``criterion`` is -2 log restricted likelihood (without constants).

    References
    ----------
    Patterson and Thompson (1971), Biometrika 58; Fuller and Battese (1973), JASA 68 (the transformation).
    """
    n, p = x.shape
    sizes = np.bincount(group).astype(np.float64)
    share = (1 - 1 / np.sqrt(1 + sizes * ratio))[group]
    scale = np.sqrt(np.sum(x**2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    a, z = x / scale, y
    means = group_means(a, group)
    a = a - share[:, None] * means[group]
    z = z - share * group_means(z[:, None], group)[group, 0]
    q, r = np.linalg.qr(a)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() <= 1e-12 * diagonal.max():
        inverse = np.linalg.pinv(r)
    else:
        inverse = np.linalg.solve(r, np.eye(p))
    b = inverse @ (q.T @ z)
    rss = float(np.sum((z - a @ b) ** 2))
    root = inverse / scale[:, None]
    criterion = (n - p) * math.log(rss / (n - p)) + float(np.sum(np.log1p(sizes * ratio)))
    criterion += 2 * float(np.sum(np.log(np.maximum(diagonal, 1e-300))))
    return Restricted(
        b=b / scale, inverse=root @ root.T, sigma2=rss / (n - p), ratio=ratio, criterion=criterion
    )


def best_ratio(x: Floats, y: Floats, group: Ints) -> Restricted:
    """The fit at the largest restricted likelihood; a ratio of 0 where no spread of groups shows."""
    from scipy.optimize import minimize_scalar

    def criterion(t: float) -> float:
        return restricted(x, y, group, math.exp(t)).criterion

    grid = np.linspace(-12.0, 8.0, 21)
    values = [criterion(t) for t in grid]
    k = int(np.argmin(values))
    ends = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, 20)])
    found = minimize_scalar(criterion, bounds=ends, method="bounded", options={"xatol": 1e-9})
    best, none = restricted(x, y, group, math.exp(float(found.x))), restricted(x, y, group, 0.0)
    return none if none.criterion <= best.criterion + 1e-9 else best


def group_means(x: Floats, group: Ints) -> Floats:
    """Mean of each column in each group, shape (groups, columns)."""
    sizes = np.maximum(np.bincount(group), 1)
    return np.column_stack([np.bincount(group, column) / sizes for column in x.T])


def variances_of_components(x: Floats, y: Floats, group: Ints, fit: Restricted) -> tuple[float, float, float]:
    """Var(sigma^2), Var(tau^2) and their covariance, from the curvature of the restricted likelihood."""
    n, p = x.shape
    tau2 = fit.ratio * fit.sigma2
    groups = int(group.max()) + 1
    within = 2 * fit.sigma2**2 / max(n - p - groups + 1, 1)
    if tau2 == 0:
        return within, 2 * (fit.sigma2 * groups / n) ** 2 / max(groups - 1, 1), 0.0

    def value(s: float, t: float) -> float:
        """-2 log restricted likelihood at the logarithms of both variances."""
        sigma2 = math.exp(s)
        other = restricted(x, y, group, math.exp(t - s))
        total = (n - p) * (s - math.log(other.sigma2) + other.sigma2 / sigma2 - 1)
        return float(other.criterion + total)

    s, t, h = math.log(fit.sigma2), math.log(tau2), 1e-3
    mid = value(s, t)
    ss = (value(s + h, t) - 2 * mid + value(s - h, t)) / h**2
    tt = (value(s, t + h) - 2 * mid + value(s, t - h)) / h**2
    st = value(s + h, t + h) - value(s + h, t - h) - value(s - h, t + h) + value(s - h, t - h)
    information = np.array([[ss, st / (4 * h**2)], [st / (4 * h**2), tt]]) / 2
    if np.linalg.eigvalsh(information).min() <= 0:
        return within, 2 * tau2**2 / max(groups - 1, 1), 0.0
    logs = np.linalg.inv(information)
    return (
        float(logs[0, 0] * fit.sigma2**2),
        float(logs[1, 1] * tau2**2),
        float(logs[0, 1] * fit.sigma2 * tau2),
    )


def fit_mixed(frame: pd.DataFrame, asked: Asked) -> Model:
    """A random intercept for each group, by restricted maximum likelihood.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    ready = prepare(frame, asked)
    x, y, group = ready.made.matrix, ready.y, ready.group
    n, p = x.shape
    groups = len(ready.group_levels)
    if groups < 3 or groups > n - p:
        raise InputError(
            f"groups={asked.columns['groups']!r} has {count(groups, 'group')} in {n} rows: a spread of "
            "groups needs at least 3, with several rows each; put few groups into the formula instead"
        )
    plain = least_squares(x, y, list(ready.made.names))
    fit = best_ratio(x, y, group)
    tau2 = fit.ratio * fit.sigma2
    sigma = math.sqrt(fit.sigma2)
    var_sigma2, var_tau2, cov = variances_of_components(x, y, group, fit)
    sizes = np.bincount(group).astype(np.float64)
    rows, response = group_means(x, group), group_means(y[:, None], group)[:, 0]
    shrink = sizes * fit.ratio / (1 + sizes * fit.ratio)
    effects = shrink * (response - rows @ fit.b)
    marginal = x @ fit.b
    residuals = y - marginal - effects[group]
    between = float(np.var(marginal))
    whole = between + tau2 + fit.sigma2
    covariance = fit.sigma2 * fit.inverse
    df = 2 * fit.sigma2**2 / var_sigma2
    intercept = np.array([f == "Intercept" for f in ready.made.factor_of])
    f, f_df, f_p = math.nan, 0.0, math.nan
    if (~intercept).any():
        f, f_df, f_p = joint_test(fit.b, covariance, ~intercept, float(n - p - groups + 1))
    center = float(y.mean())
    about_mean = float(np.sum((y - center) ** 2))
    unseen = _cross_validate(ready, about_mean, asked)
    made = Fitted(
        link="identity",
        coefficients=fit.b,
        unscaled=plain.unscaled,
        covariance=covariance,
        sigma=sigma,
        df=df,
        df_test=float(n - p - groups + 1),
        smearing=float(np.mean(np.exp(residuals))) if ready.logged else 1.0,
        parameters={
            "group_sd": math.sqrt(tau2),
            "group_df": float(np.clip(2 * tau2**2 / var_tau2, 1.0, 1e6)) if tau2 > 0 else math.inf,
            "intraclass": tau2 / (tau2 + fit.sigma2),
            "r2_conditional": (between + tau2) / whole,
            "var_sigma2": var_sigma2,
            "var_tau2": var_tau2,
            "cov_sigma2_tau2": cov,
        },
        arrays={"group_sizes": sizes, "group_rows": rows, "group_response": response},
        r2=between / whole,
        r2_adjusted=math.nan,
        f_statistic=f,
        f_df=f_df,
        f_p_value=f_p,
        fitted=np.exp(y - residuals) if ready.logged else y - residuals,
        leverage=plain.leverage,
        residuals=residuals / sigma,
        condition=plain.condition,
        reach=float(plain.leverage.max()),
    )
    found = _check(ready, asked, made, residuals, rows, f_p, unseen.r2)
    what = "variation on the log scale" if ready.logged else "variation"
    start = opening(asked, ready, made, made.r2, math.nan, exact=False, what=what)
    unit = "" if ready.logged else asked.measure.unit
    spread = (
        f"a factor of {number(math.exp(math.sqrt(tau2)))}" if ready.logged else number(math.sqrt(tau2), unit)
    )
    name = asked.columns["groups"]
    words = (
        f" {count(groups, 'group')} of {name} differ by {spread} (standard deviation), "
        f"{percent(made.parameters['intraclass'])} of what the factors leave over; with the level of "
        f"its group {percent(max(unseen.r2, 0.0))} of the variation is told out of sample."
    )
    return build(
        asked,
        ready,
        made,
        unseen,
        found,
        verdict=start
        + words
        + item_words(asked, ready, sigma, df)[:-1]
        + " in a known group."
        + closing(asked),
        method={
            "back_transform": "median exp(x b); mean by smearing (Duan 1983)" if ready.logged else "none",
            "computation": "restricted maximum likelihood, Fuller-Battese transformation, QR",
            "covariance": "sigma^2 (X'V^-1 X)^-1 at the estimated ratio of variances",
            "df": "tests: n - p - (groups - 1); items: Satterthwaite",
            "r2_measured_from": "fixed terms over all variances (Nakagawa and Schielzeth 2013); "
            "r2_cv of rows in known groups",
        },
        references=(
            "Patterson and Thompson (1971), Biometrika 58, 545-554",
            "Robinson (1991), Statistical Science 6 (prediction of group effects)",
            "Nakagawa and Schielzeth (2013), Methods in Ecology and Evolution 4",
        ),
    )


def _cross_validate(ready: Prepared, about_mean: float, asked: Asked) -> OutOfSample:
    """Rows left out are predicted with the level of their group where the others know it."""
    x, y, group = ready.made.matrix, ready.y, ready.group
    folds, fold = folds_of(len(y), asked)
    told = np.empty(len(y))
    for k in range(folds):
        out = fold == k
        levels, own = np.unique(group[~out], return_inverse=True)
        fit = best_ratio(x[~out], y[~out], own)
        sizes = np.bincount(own)
        effect = group_means((y[~out] - x[~out] @ fit.b)[:, None], own)[:, 0]
        effect *= sizes * fit.ratio / (1 + sizes * fit.ratio)
        known = dict(zip(levels.tolist(), effect.tolist(), strict=True))
        told[out] = x[out] @ fit.b + [known.get(g, 0.0) for g in group[out].tolist()]
    lost = float(np.sum((y - told) ** 2))
    back = np.exp(np.minimum(told, 700.0)) if ready.logged else told
    return OutOfSample(
        rmse=math.sqrt(lost / len(y)),
        r2=1 - lost / about_mean,
        relative=relative_error(back, ready.observed),
        folds=folds,
    )


def _check(
    ready: Prepared, asked: Asked, fit: Fitted, residuals: Floats, rows: Floats, f_p: float, r2_cv: float
) -> Found:
    """Checks of a mixed model: also of its groups."""
    x = ready.made.matrix
    groups = len(ready.group_levels)
    statistic, bp = breusch_pagan(ready.made, residuals)
    timed, lag1 = independence_checks(x, residuals, ready.order, asked.errors)
    vif = variance_inflation(ready.made)
    effects = (fit.arrays["group_response"] - rows @ fit.coefficients) / np.sqrt(
        fit.parameters["group_sd"] ** 2 + fit.sigma**2 / fit.arrays["group_sizes"]
    )
    outlying = int(np.argmax(np.abs(effects)))
    far = float(np.abs(effects[outlying]))
    p_far = float(min(1.0, groups * 2 * special.ndtr(-far)))
    name = ready.group_levels[outlying]
    text = (
        f"{name} lies {far:.1f} standard deviations from the other groups: it may not be one of them."
        if p_far < 0.01
        else "No group lies farther from the others than the farthest of so many may."
    )
    fixed = np.array([np.allclose(x[:, k], rows[ready.group, k]) for k in range(x.shape[1])])
    caveats = list(
        common_doubts(
            ready,
            condition=fit.condition,
            vif=vif,
            cook=np.zeros(1),
            timed=timed,
            lag1=lag1,
            f_p_value=f_p,
            r2_cv=r2_cv,
        )
    )
    if groups < FEW_GROUPS:
        doubt = (
            f"{groups} groups only: how much groups differ is hardly known, and with it the range of an item "
            "of a new group."
        )
        caveats.append(Caveat("few-groups", doubt, {"groups": groups}))
    between = [ready.made.names[k] for k in np.flatnonzero(fixed) if ready.made.names[k] != "Intercept"]
    if between and groups < 30:
        doubt = (
            f"{', '.join(between)}: the same within each group, so it rests on {groups} groups, not on "
            f"{len(residuals)} rows; its interval is somewhat too narrow."
        )
        caveats.append(Caveat("between-groups", doubt, {"terms": ", ".join(between), "groups": groups}))
    checks = (
        variance_check(statistic, bp, x @ fit.coefficients, residuals, ready.logged),
        normality_check(residuals, "the normal law"),
        Check("groups", far, p_far, "look" if p_far < 0.01 else "fine", text),
        *timed,
        collinearity_check(vif),
        extrapolation_check(fit.leverage, x.shape[1]),
    )
    return Found(
        checks=checks,
        caveats=tuple(caveats),
        breusch_pagan_p=bp,
        lag1=lag1,
        largest_vif=max(vif.values()) if vif else math.nan,
    )
