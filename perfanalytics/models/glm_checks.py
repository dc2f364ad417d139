"""Checks of generalized linear models: separation, overdispersion, the link, time, influence."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.result import Caveat
from perfanalytics.models.building import Fitted, Found
from perfanalytics.models.checking import (
    collinearity_check,
    dispersion_check,
    extrapolation_check,
    independence_checks,
    influence_check,
    influence_of,
    influence_rows,
    linearity_check,
    normality_check,
)
from perfanalytics.models.diagnostics import common_doubts, variance_inflation
from perfanalytics.models.preparing import Asked, Prepared
from perfanalytics.models.reweighting import POISSON_FROM, Problem, Reweighted, reweight
from perfanalytics.models.tabulating import Check

Floats = NDArray[np.float64]


def check_law(
    ready: Prepared,
    asked: Asked,
    problem: Problem,
    solved: Reweighted,
    fit: Fitted,
    *,
    k: float,
    r2_cv: float,
) -> Found:
    """All checks of a generalized linear model."""
    caveats: list[Caveat] = []
    checks: list[Check] = []
    split = separated_terms(problem, solved, ready.made.names)
    checks.append(_separation_check(problem, split))
    if split:
        caveats.append(Caveat("separated", checks[-1].meaning, {"terms": ", ".join(split)}))
    elif not solved.converged:
        text = "The fit did not settle in 100 steps: coefficients and errors are not to be relied on."
        caveats.append(Caveat("not-converged", text, {"deviance": solved.deviance}))
    statistic, p_value, gained = link_test(problem, solved, k, fit.sigma)
    checks.append(linearity_check(statistic, p_value, gained, "link test of Pregibon"))
    root = np.sqrt(solved.w)
    x = problem.x * root[:, None]
    if asked.family in ("poisson", "negative_binomial") or np.any(problem.m > 1):
        pearson = fit.parameters["dispersion"] * fit.df
        checks.append(dispersion_check(pearson, fit.df, asked.family))
        if checks[-1].verdict != "fine" and fit.parameters["dispersion"] > 1:
            evidence = {"dispersion": fit.parameters["dispersion"], "p_value": checks[-1].p_value}
            caveats.append(Caveat("overdispersed", checks[-1].meaning, evidence))
    if k >= POISSON_FROM:
        text = "The counts vary no more than Poisson's law lets them: family='poisson' will do."
        caveats.append(Caveat("no-overdispersion", text, {"size": k}))
    if asked.family != "binomial" or np.any(problem.m > 1):
        checks.append(normality_check(fit.residuals, "the law of the family"))
    timed, lag1 = independence_checks(x, fit.residuals, ready.order, asked.errors)
    checks += timed
    moved = influence_of(x, root * solved.working, solved.leverage, solved.inverse, fit.sigma**2)
    checks.append(influence_check(moved, ready.labels, ready.made.names))
    vif = variance_inflation(ready.made, solved.w)
    checks += [collinearity_check(vif), extrapolation_check(solved.leverage, problem.x.shape[1])]
    caveats += common_doubts(
        ready,
        condition=fit.condition,
        vif=vif,
        cook=moved.cook,
        timed=timed,
        lag1=lag1,
        f_p_value=fit.f_p_value,
        r2_cv=r2_cv,
        rows_wanted=_events(problem),
    )
    rows = influence_rows(moved)
    return Found(
        checks=tuple(checks),
        caveats=tuple(caveats),
        lag1=lag1,
        largest_vif=max(vif.values()) if vif else math.nan,
        largest_cook=float(moved.cook.max()),
        influence=rows,
    )


def link_test(problem: Problem, solved: Reweighted, k: float, sigma: float) -> tuple[float, float, float]:
    """Whether the square of the linear predictor adds something: chi-squared (F of gamma), p, share gained.

    References
    ----------
    Pregibon (1980), Applied Statistics 29, 15-24.
    """
    n, p = problem.x.shape
    core = solved.eta - problem.offset
    if np.ptp(core) < 1e-9 or n <= p + 1:
        return math.nan, math.nan, math.nan
    centered = (core - core.mean()) / core.std()
    x = np.column_stack([problem.x, centered**2])
    if np.linalg.matrix_rank(x / np.sqrt(np.sum(x**2, axis=0)), tol=1e-9) <= p:
        return math.nan, math.nan, math.nan
    wider = reweight(problem.with_terms(x), k, np.append(solved.b, 0.0))
    gain = max(solved.deviance - wider.deviance, 0.0)
    share = gain / solved.deviance if solved.deviance > 0 else math.nan
    if problem.law.name == "gamma":
        statistic = gain / sigma**2
        return statistic, float(special.fdtrc(1, n - p - 1, statistic)), share
    return gain, float(special.chdtrc(1, gain)), share


def separated_terms(problem: Problem, solved: Reweighted, names: tuple[str, ...]) -> list[str]:
    """Terms that tell some events apart without error, so that their estimates run away.

    Looked for where fitted means touch their bound: by linear programming, a direction in which no
    observation speaks against going on forever.

    References
    ----------
    Konis (2007), Linear programming algorithms for detecting separated data, section 4.
    """
    law, y, m = problem.law, problem.y, problem.m
    if law.name == "gamma":
        return []
    share = solved.mu / m if law.name == "binomial" else solved.mu
    near = (share < 1e-5) | ((share > 1 - 1e-5) if law.name == "binomial" else False)
    if not near.any():
        return []
    from scipy.optimize import linprog

    scale = np.sqrt(np.sum(problem.x**2, axis=0))
    a = problem.x / np.where(scale > 0, scale, 1.0)
    if law.name == "binomial":
        none, every = y <= 0, y >= m
        bound = np.vstack([a[none], -a[every]])
        fixed = a[~none & ~every]
    else:
        bound, fixed = a[y <= 0], a[y > 0]
    found = linprog(
        bound.sum(axis=0),
        A_ub=bound,
        b_ub=np.zeros(len(bound)),
        A_eq=fixed if len(fixed) else None,
        b_eq=np.zeros(len(fixed)) if len(fixed) else None,
        bounds=(-1, 1),
    )
    if found.x is None or float(found.fun or 0.0) > -1e-7:
        return []
    return [name for name, size in zip(names, found.x.tolist(), strict=True) if abs(size) > 1e-6]


def _separation_check(problem: Problem, split: list[str]) -> Check:
    if not split:
        return Check("separation", 0.0, math.nan, "fine", "No term tells the outcomes apart without error.")
    shown = ", ".join(t for t in split[:5] if t != "Intercept") or "the terms"
    text = (
        f"{shown}: for some values every outcome was the same, so the estimate runs away and its standard "
        "error means nothing. Merge such levels, or leave the term out."
    )
    return Check("separation", float(len(split)), math.nan, "serious", text)


def _events(problem: Problem) -> tuple[float, str]:
    """What has to be plenty for each coefficient: rows, or events where these are scarcer."""
    if problem.law.name == "binomial":
        events = float(problem.y.sum())
        return min(events, float(problem.m.sum()) - events), "outcomes of the rarer kind"
    if problem.law.whole:
        return min(float(problem.y.sum()), float(len(problem.y))), "rows (or events where fewer)"
    return float(len(problem.y)), "rows"
