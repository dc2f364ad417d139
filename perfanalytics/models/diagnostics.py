"""Checks of a linear regression, as a table and as caveats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.result import Caveat
from perfanalytics.models.building import Found
from perfanalytics.models.checking import (
    LEVEL,
    collinearity_check,
    extrapolation_check,
    in_time,
    independence_checks,
    influence_check,
    influence_of,
    influence_rows,
    linearity_check,
    normality_check,
    variance_check,
)
from perfanalytics.models.formula import Design
from perfanalytics.models.least_squares import LeastSquares
from perfanalytics.models.preparing import Asked, Prepared
from perfanalytics.models.tabulating import Check

Floats = NDArray[np.float64]


def breusch_pagan(design: Design, residuals: Floats) -> tuple[float, float]:
    """Studentized Breusch-Pagan test: statistic and p-value.

    References
    ----------
    Breusch and Pagan (1979), Econometrica 47; Koenker (1981), Journal of Econometrics 17 (studentized).
    """
    squared = residuals**2
    centered = squared - squared.mean()
    total = float(centered @ centered)
    if total == 0:
        return math.nan, math.nan
    q = np.linalg.qr(_scaled(design.matrix))[0]
    fitted = q @ (q.T @ squared)
    rest = squared - fitted
    statistic = len(squared) * (1 - float(rest @ rest) / total)
    df = design.matrix.shape[1] - int(design.has_intercept)
    return statistic, float(special.chdtrc(df, statistic)) if df else math.nan


def reset(q: Floats, response: Floats, fitted: Floats) -> tuple[float, float, float]:
    """RESET: F and p-value of the square and cube of the fit, and the share of the rest they explain.

    ``q`` is an orthonormal basis of the model, ``response`` and ``fitted`` on the scale of the fit.

    References
    ----------
    Ramsey (1969), Journal of the Royal Statistical Society B 31.
    """
    n, p = q.shape
    if n <= p + 2 or np.ptp(fitted) < 1e-9 * (np.abs(fitted).max() + 1e-300):
        return math.nan, math.nan, math.nan
    scaled = (fitted - fitted.mean()) / fitted.std()
    added = np.column_stack([scaled**2, scaled**3])
    added = added - q @ (q.T @ added)
    added = added - q @ (q.T @ added)
    left, sizes, _ = np.linalg.svd(added, full_matrices=False)
    own = left[:, sizes > 1e-8 * math.sqrt(n)]
    residuals = response - q @ (q.T @ response)
    rss, k = float(residuals @ residuals), own.shape[1]
    if k == 0 or rss == 0:
        return math.nan, math.nan, math.nan
    gain = float(np.sum((own.T @ residuals) ** 2))
    f = gain / k / ((rss - gain) / (n - p - k))
    return f, float(special.fdtrc(k, n - p - k, f)), gain / rss


def variance_inflation(design: Design, weights: Floats | None = None) -> dict[str, float]:
    """Variance inflation factor of each term; generalized for factors, to the power 1/df.

    With working weights: that of a generalized linear model, from the covariance of its coefficients.

    References
    ----------
    Fox and Monette (1992), JASA 87, eq. 11 (generalized variance inflation).
    """
    keep = [k for k, factor in enumerate(design.factor_of) if factor != "Intercept"]
    if len(keep) < 2 or not design.has_intercept:
        return {}
    x = design.matrix[:, keep]
    w = np.ones(len(x)) if weights is None else weights
    centered = (x - np.average(x, axis=0, weights=w)) * np.sqrt(w)[:, None]
    norms = np.sqrt(np.sum(centered**2, axis=0))
    if (norms == 0).any():
        return {}
    correlation = (centered / norms).T @ (centered / norms)
    out = {}
    factors = [design.factor_of[k] for k in keep]
    for factor in dict.fromkeys(factors):
        own = np.array([f == factor for f in factors])
        if own.all():
            return {}
        signs = [
            np.linalg.slogdet(m)[1]
            for m in (correlation[np.ix_(own, own)], correlation[np.ix_(~own, ~own)], correlation)
        ]
        out[factor] = float(np.exp(min((signs[0] + signs[1] - signs[2]) / int(own.sum()), 700.0)))
    return out


def cook_distance(fit: LeastSquares) -> Floats:
    """Cook's distance of each row.

    References
    ----------
    Cook (1977), Technometrics 19.
    """
    n, p = len(fit.residuals), len(fit.coefficients)
    variance = fit.rss / (n - p)
    if variance == 0:
        return np.zeros(n)
    rest = np.maximum(1 - fit.leverage, 1e-12)
    return np.asarray(fit.residuals**2 / (p * variance) * fit.leverage / rest**2)


def check_least_squares(
    ready: Prepared,
    asked: Asked,
    x: Floats,
    fit: LeastSquares,
    *,
    f_p_value: float,
    r2_cv: float,
    spread: float,
) -> Found:
    """All checks of a linear regression; ``x`` are its rows times the roots of their weights."""
    n, p = x.shape
    # what is left is rounding: of the response (its level), or next to nothing of its variation
    level = float(np.sum((x @ fit.coefficients) ** 2))
    exact = fit.rss <= 1e-26 * level or fit.rss <= 1e-20 * spread
    vif = variance_inflation(ready.made, ready.weights)
    largest = max(vif.values()) if vif else math.nan
    if exact:
        text = (
            "The model reproduces every value, so nothing is left from which errors, tests and intervals "
            "could be judged: the response was probably computed from the factors."
        )
        doubt = Caveat("perfect-fit", text, {"rss": fit.rss})
        more = common_doubts(
            ready,
            condition=fit.condition,
            vif=vif,
            cook=np.zeros(n),
            timed=[],
            lag1=math.nan,
            f_p_value=f_p_value,
            r2_cv=r2_cv,
        )
        left = Check("left over", 0.0, math.nan, "serious", text)
        return Found(
            checks=(left,), caveats=(doubt, *more), largest_vif=largest, largest_cook=0.0, exact=True
        )
    residuals = fit.residuals
    # residuals of weighted rows have one variance when the weights are right: all checks look at these
    fitted = ready.made.matrix @ fit.coefficients
    weighted = Design(x, ready.made.names, ready.made.factor_of, ready.made.has_intercept)
    statistic, bp = breusch_pagan(weighted, residuals)
    f, p_reset, gained = reset(fit.q, residuals + x @ fit.coefficients, x @ fit.coefficients)
    coded = bool((steps_are_coded(ready.made.matrix)).all())
    timed, lag1 = independence_checks(x, residuals, ready.order, asked.errors)
    moved = influence_of(x, residuals, fit.leverage, fit.unscaled, fit.rss / (n - p))
    checks = (
        linearity_check(*((math.nan,) * 3 if coded else (f, p_reset, gained)), "RESET, square and cube"),
        variance_check(statistic, bp, fitted, residuals, ready.logged),
        normality_check(residuals, "the normal law"),
        *timed,
        influence_check(moved, ready.labels, ready.made.names),
        collinearity_check(vif),
        extrapolation_check(fit.leverage, p),
    )
    caveats = []
    if bp < LEVEL:
        remedy = "" if ready.logged else " A logarithmic response often helps."
        text = (
            f"The residuals vary more for some rows than for others (Breusch-Pagan p = {bp:.2g}): "
            f"intervals are too wide there and too narrow here.{remedy}"
        )
        caveats.append(Caveat("nonconstant-variance", text, {"statistic": statistic, "p_value": bp}))
    if checks[0].verdict == "serious":
        evidence = {"statistic": f, "p_value": p_reset, "gained": gained}
        caveats.append(Caveat("not-linear", checks[0].meaning, evidence))
    skewness = _skewness(residuals)
    if abs(skewness) > 1 and n >= 20:
        text = f"The residuals are skewed ({skewness:.1f}): intervals for new items are off on both sides."
        caveats.append(Caveat("skewed-residuals", text, {"skewness": skewness}))
    caveats += common_doubts(
        ready,
        condition=fit.condition,
        vif=vif,
        cook=moved.cook,
        timed=timed,
        lag1=lag1,
        f_p_value=f_p_value,
        r2_cv=r2_cv,
    )
    return Found(
        checks=checks,
        caveats=tuple(caveats),
        breusch_pagan_p=bp,
        lag1=lag1,
        largest_vif=largest,
        largest_cook=float(moved.cook.max()),
        influence=influence_rows(moved),
    )


def common_doubts(
    ready: Prepared,
    *,
    condition: float,
    vif: dict[str, float],
    cook: Floats,
    timed: list[Check],
    lag1: float,
    f_p_value: float,
    r2_cv: float,
    rows_wanted: tuple[float, str] | None = None,
) -> list[Caveat]:
    """Doubts of every family: too few rows, time, collinearity, near-singular terms, influence, noise."""
    n, p = ready.made.matrix.shape
    have, what = rows_wanted if rows_wanted is not None else (float(n), "rows")
    out = []
    if have < 10 * p:
        text = (
            f"{have:.0f} {what} for {count(p, 'coefficient')}, fewer than 10 each: the model may fit chance."
        )
        out.append(Caveat("few-rows", text, {"n": have, "coefficients": p}))
    dependent = in_time(timed)
    if dependent is not None:
        out.append(Caveat("autocorrelated-residuals", dependent.meaning, {"lag1": lag1, "n": n}))
    worst = max(vif, key=lambda k: vif[k]) if vif else ""
    if vif and vif[worst] > 10:
        text = (
            f"{worst} says nearly the same as the other terms (variance inflation {number(vif[worst])}): "
            "their separate effects cannot be told apart, predictions inside the data are not harmed."
        )
        out.append(Caveat("collinear", text, {"term": worst, "vif": vif[worst]}))
    if condition > 1e7:
        text = (
            f"The terms are close to dependent (condition number {condition:.1g}): of 16 digits "
            f"about {math.log10(condition):.0f} are lost."
        )
        out.append(Caveat("near-singular", text, {"condition": condition}))
    far = np.flatnonzero(cook > 1)
    if len(far):
        rows = ready.labels
        shown = ", ".join(rows[k] for k in far[:5].tolist()) + (" ..." if len(far) > 5 else "")
        text = (
            f"{count(len(far), 'row')} would change the model much if left out (Cook's distance above "
            f"1): {shown}."
        )
        out.append(Caveat("influential-rows", text, {"rows": len(far), "largest": float(cook.max())}))
    if not math.isnan(r2_cv) and (r2_cv <= 0 or f_p_value > 0.05):
        text = (
            f"Out of sample the model explains {percent(max(r2_cv, 0.0))} of the variation"
            + (f", and all terms together have p = {f_p_value:.2f}" if f_p_value > 0.05 else "")
            + ": it is no better than the mean."
        )
        out.append(Caveat("fits-noise", text, {"r2_cross_validated": r2_cv, "p_value": f_p_value}))
    return out


def steps_are_coded(x: Floats) -> NDArray[np.bool_]:
    """Columns of zeros and ones: nothing in them can bend."""
    return np.asarray(((x == 0) | (x == 1)).all(axis=0))


def _scaled(x: Floats) -> Floats:
    norms = np.sqrt(np.sum(x**2, axis=0))
    return np.asarray(x / np.where(norms > 0, norms, 1.0))


def _skewness(e: Floats) -> float:
    centered = e - e.mean()
    sd = float(np.sqrt(np.mean(centered**2)))
    return float(np.mean((centered / sd) ** 3)) if sd > 0 else 0.0
