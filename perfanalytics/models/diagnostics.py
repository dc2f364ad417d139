"""Checks of a regression, as caveats: variance, time, collinearity, influence, size, noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.core.result import Caveat
from perfanalytics.models.building import Found
from perfanalytics.models.formula import Design
from perfanalytics.models.least_squares import LeastSquares
from perfanalytics.models.preparing import Asked, Prepared

Floats = NDArray[np.float64]

#: A check that finds less than this p-value raises a doubt.
LEVEL = 0.01


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


def variance_inflation(design: Design) -> dict[str, float]:
    """Variance inflation factor of each term; generalized for factors, to the power 1/df.

    References
    ----------
    Fox and Monette (1992), JASA 87, eq. 11 (generalized variance inflation).
    """
    keep = [k for k, factor in enumerate(design.factor_of) if factor != "Intercept"]
    if len(keep) < 2 or not design.has_intercept:
        return {}
    x = design.matrix[:, keep]
    centered = x - x.mean(axis=0)
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
    residuals: Floats,
) -> Found:
    """All checks of a linear regression."""
    design, order, rows, logged = ready.made, ready.order, ready.labels, ready.logged
    n, p = design.matrix.shape
    # what is left is rounding: of the response (its level), or next to nothing of its variation
    level = float(np.sum((design.matrix @ fit.coefficients) ** 2))
    exact = fit.rss <= 1e-26 * level or fit.rss <= 1e-20 * spread
    caveats: list[Caveat] = []
    if exact:
        caveats.append(
            Caveat(
                "perfect-fit",
                "The model reproduces every value, so nothing is left from which errors, tests and intervals "
                "could be judged: the response was probably computed from the factors.",
                {"rss": fit.rss},
            )
        )
    if n < 10 * p:
        caveats.append(
            Caveat(
                "few-rows",
                f"{n} rows for {count(p, 'coefficient')}, fewer than 10 each: the model may fit chance.",
                {"n": n, "coefficients": p},
            )
        )
    statistic, bp = breusch_pagan(design, fit.residuals) if not exact else (math.nan, math.nan)
    if bp < LEVEL:
        remedy = "" if logged else " A logarithmic response often helps."
        caveats.append(
            Caveat(
                "nonconstant-variance",
                f"The residuals vary more for some rows than for others (Breusch-Pagan p = {bp:.2g}): "
                f"intervals are too wide there and too narrow here.{remedy}",
                {"statistic": statistic, "p_value": bp},
            )
        )
    skewness = _skewness(fit.residuals) if not exact else 0.0
    if abs(skewness) > 1 and n >= 20:
        caveats.append(
            Caveat(
                "skewed-residuals",
                f"The residuals are skewed ({skewness:.1f}): intervals for new items are off on both sides.",
                {"skewness": skewness},
            )
        )
    lag1 = math.nan
    if order is not None and not exact:
        lag1 = float(lag1_autocorrelation(fit.residuals[order], np.array([0, n]))[0])
        if lag1 > 2 / math.sqrt(n):
            caveats.append(
                Caveat(
                    "autocorrelated-residuals",
                    f"Residuals of neighbours in time are alike (lag-1 correlation {lag1:.2f}): standard "
                    "errors are too small, and something that changes with time is missing.",
                    {"lag1": lag1, "n": n},
                )
            )
    vif = variance_inflation(design)
    worst = max(vif, key=lambda k: vif[k]) if vif else ""
    if vif and vif[worst] > 10:
        caveats.append(
            Caveat(
                "collinear",
                f"{worst} says nearly the same as the other terms (variance inflation {number(vif[worst])}): "
                "their separate effects cannot be told apart, predictions inside the data are not harmed.",
                {"term": worst, "vif": vif[worst]},
            )
        )
    if fit.condition > 1e7:
        caveats.append(
            Caveat(
                "near-singular",
                f"The terms are close to dependent (condition number {fit.condition:.1g}): of 16 digits "
                f"about {math.log10(fit.condition):.0f} are lost.",
                {"condition": fit.condition},
            )
        )
    cook = cook_distance(fit) if not exact else np.zeros(n)
    far = np.flatnonzero(cook > 1)
    if len(far):
        listed = ", ".join(rows[k] for k in far[:5].tolist()) + (" ..." if len(far) > 5 else "")
        caveats.append(
            Caveat(
                "influential-rows",
                f"{count(len(far), 'row')} would change the model much if left out (Cook's distance above "
                f"1): {listed}.",
                {"rows": len(far), "largest": float(cook.max())},
            )
        )
    if not math.isnan(r2_cv) and (r2_cv <= 0 or f_p_value > 0.05):
        caveats.append(
            Caveat(
                "fits-noise",
                f"Out of sample the model explains {percent(max(r2_cv, 0.0))} of the variation"
                + (f", and all terms together have p = {f_p_value:.2f}" if f_p_value > 0.05 else "")
                + ": it is no better than the mean.",
                {"r2_cross_validated": r2_cv, "p_value": f_p_value},
            )
        )
    return Found(
        caveats=tuple(caveats),
        breusch_pagan_p=bp,
        lag1=lag1,
        largest_vif=vif[worst] if vif else math.nan,
        largest_cook=float(cook.max()),
        exact=exact,
    )


def _scaled(x: Floats) -> Floats:
    norms = np.sqrt(np.sum(x**2, axis=0))
    return x / np.where(norms > 0, norms, 1.0)


def _skewness(e: Floats) -> float:
    centered = e - e.mean()
    sd = float(np.sqrt(np.mean(centered**2)))
    return float(np.mean((centered / sd) ** 3)) if sd > 0 else 0.0
