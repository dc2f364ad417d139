"""Variance components of unbalanced studies by restricted maximum likelihood.

The likelihood is that of the cell means (one cell is one operator and part) and of the spread within cells,
which is all the data say: so the matrices are as large as there are cells, not measurements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.measurement_systems.components import (
    GRR,
    INTERACTION,
    OPERATOR,
    PART,
    REPEATABILITY,
    REPRODUCIBILITY,
    TOTAL,
    Components,
    add_up,
)
from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData
from perfanalytics.core.errors import InputError

Floats = NDArray[np.float64]

#: More cells than this are refused: the matrices would not fit.
MANY_CELLS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Estimates, their covariance (0 for those held at 0) and the restricted log likelihood."""

    names: tuple[str, ...]
    variance: Floats
    covariance: Floats
    log_likelihood: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    means: Floats
    sizes: Floats
    within: float
    df_within: float
    random: dict[str, Floats]  # incidence of levels, shape (cells, levels)


def from_reml(
    data: GaugeData, *, interaction: str, pool_alpha: float, confidence: float
) -> tuple[Components, str, float]:
    """Components, what was done with the interaction, and its p-value.

    The interaction is tested by the likelihood ratio; its variance is 0 or more, so the reference is half a
    chi-square with one degree of freedom. Intervals are Satterthwaite's: chi-square with the degrees of
    freedom ``2 v^2 / Var(v)``, Var from the expected information; that of the ratio of part to gauge
    is normal on the log scale.

    References
    ----------
    Patterson and Thompson (1971), Biometrika 58. Self and Liang (1987), JASA 82. Searle, Casella and
    McCulloch (1992), Variance Components, chapter 6.
    """
    names = [PART, OPERATOR] if len(data.operators) > 1 else [PART]
    done, p_value = ("not in a nested study" if data.nested else "one operator: none"), math.nan
    small = fit(data, names)
    if len(names) == 2 and not data.nested:
        done = "not in the model"
        if interaction != "none":
            if len(data.values) == len(np.unique(data.cell)):
                raise InputError(
                    "no part was measured twice by the same operator: the interaction cannot be told from "
                    "the repeatability; say interaction='none'"
                )
            large = fit(data, [*names, INTERACTION])
            ratio = max(0.0, 2 * (large.log_likelihood - small.log_likelihood))
            p_value = 0.5 * float(special.chdtrc(1, ratio)) if ratio > 1e-10 else 1.0
            done = "pooled"
            if interaction == "keep" or p_value <= pool_alpha:
                small, done = large, "kept"
    return _components(small, confidence), done, p_value


def fit(data: GaugeData, names: list[str]) -> Fit:
    """Estimates of the named components and of the repeatability.

    Raises
    ------
    InputError
        With too many cells, or when the search does not come to an end.
    """
    cells = _cells(data, names)
    names = [*names, REPEATABILITY]
    spread = float(np.var(data.values, ddof=1)) or 1.0
    # where no repeat differs the likelihood has no end: a floor, reported as 0
    floor = 1e-10 * spread
    theta = np.full(len(names), spread / len(names))
    like, score, information = _likelihood(theta, cells)
    enough = 1e-11 * len(data.values)
    for _ in range(500):
        free = (theta > 0) | (score > 0)
        free[-1] = theta[-1] > floor or score[-1] > 0
        # distance from the maximum in standard errors
        if np.max(np.abs(score[free]) / np.sqrt(np.diag(information)[free]), initial=0.0) < enough:
            break
        step = np.zeros(len(theta))
        step[free] = _solved(information[np.ix_(free, free)], score[free])
        size = 1.0
        while size > 1e-10:
            new = np.maximum(theta + size * step, 0.0)
            new[-1] = max(new[-1], theta[-1] / 20, floor)
            found = _likelihood(new, cells)
            if found[0] >= like - 1e-12 * abs(like):
                break
            size /= 2
        still = size <= 1e-10 or np.max(np.abs(new - theta)) <= 1e-14 * spread
        if still:
            break
        theta, (like, score, information) = new, found
    else:
        raise InputError(
            "the restricted likelihood has no clear maximum: are there too few parts or operators?"
        )
    free = theta > 0
    free[-1] = theta[-1] > floor
    covariance = np.zeros_like(information)
    covariance[np.ix_(free, free)] = _solved(information[np.ix_(free, free)], np.eye(int(free.sum())))
    return Fit(
        names=tuple(names), variance=np.where(free, theta, 0.0), covariance=covariance, log_likelihood=like
    )


def _solved(information: Floats, right: Floats) -> Floats:
    """Solution with the unknowns in units of their standard errors: components differ by powers of ten."""
    unit = 1 / np.sqrt(np.diag(information))
    scaled = information * np.outer(unit, unit)
    found = np.linalg.lstsq(scaled, (unit * right.T).T, rcond=None)[0]
    return np.asarray((unit * found.T).T)


def _cells(data: GaugeData, names: list[str]) -> _Cells:
    keys, where, sizes = np.unique(data.cell, return_inverse=True, return_counts=True)
    if len(keys) > MANY_CELLS:
        raise InputError(
            f"{len(keys)} combinations of part and operator are too many for REML ({MANY_CELLS})"
        )
    means = np.bincount(where, data.values) / sizes
    within = float(np.sum((data.values - means[where]) ** 2))
    levels = {
        PART: keys % len(data.parts),
        OPERATOR: keys // len(data.parts),
        INTERACTION: np.arange(len(keys)),
    }
    random = {n: (levels[n][:, None] == np.unique(levels[n])).astype(np.float64) for n in names}
    df = float(len(data.values) - len(keys))
    return _Cells(means=means, sizes=sizes.astype(float), within=within, df_within=df, random=random)


def _likelihood(theta: Floats, cells: _Cells) -> tuple[float, Floats, Floats]:
    """Restricted log likelihood (up to a constant), its gradient and the expected information."""
    roots = [*cells.random.values(), np.diag(1 / np.sqrt(cells.sizes))]
    v = np.zeros((len(cells.means), len(cells.means)))
    for t, u in zip(theta, roots, strict=True):
        v += t * (np.diag(np.sum(u**2, axis=1)) if _one_each(u) else u @ u.T)
    error = theta[-1]
    try:
        root = np.linalg.cholesky(v)
    except np.linalg.LinAlgError:
        return -math.inf, np.zeros(len(theta)), np.eye(len(theta))
    inverse = np.linalg.inv(v)
    ones = inverse.sum(axis=0)
    precision = float(ones.sum())
    p = inverse - np.outer(ones, ones) / precision
    centered = p @ cells.means
    like = -np.sum(np.log(np.diag(root))) - 0.5 * math.log(precision) - 0.5 * float(cells.means @ centered)
    like -= 0.5 * (cells.df_within * math.log(error) + cells.within / error)
    # tr(P Z) and tr(P Z P Z') need only U'P U of the factors Z = U U'
    left = [p * np.diag(u)[:, None] if _one_each(u) else u.T @ p for u in roots]
    inner = [[m * np.diag(u) if _one_each(u) else m @ u for u in roots] for m in left]
    score = np.array(
        [-0.5 * (np.trace(inner[k][k]) - float(np.sum((u.T @ centered) ** 2))) for k, u in enumerate(roots)]
    )
    information = 0.5 * np.array([[float(np.sum(m**2)) for m in row] for row in inner])
    score[-1] -= 0.5 * (cells.df_within / error - cells.within / error**2)
    information[-1, -1] += 0.5 * cells.df_within / error**2
    return float(like), score, information


def _one_each(u: Floats) -> bool:
    """Whether a factor has a level of its own for each cell: then its matrix is diagonal."""
    return u.shape[0] == u.shape[1] and np.count_nonzero(u) == len(u) and bool(np.diag(u).all())


def _components(found: Fit, confidence: float) -> Components:
    at = {n: np.array([float(n == m) for m in found.names]) for n in found.names}
    estimate = {n: float(v) for n, v in zip(found.names, found.variance, strict=True)}
    variance = add_up(estimate)
    zero = np.zeros(len(found.names))
    reproducibility = at.get(OPERATOR, zero) + at.get(INTERACTION, zero)
    gauge = at[REPEATABILITY] + reproducibility
    sums = {GRR: gauge, TOTAL: gauge + at[PART]}
    if OPERATOR in at:
        sums[REPRODUCIBILITY] = reproducibility
    interval = {}
    alpha = (1 - confidence) / 2
    for name, c in (at | sums).items():
        value, var = float(c @ found.variance), float(c @ found.covariance @ c)
        if value <= 0 or var <= 0:
            interval[name] = (0.0, math.nan)
            continue
        df = 2 * value**2 / var
        interval[name] = (
            value * df / float(special.chdtri(df, alpha)),
            value * df / float(special.chdtri(df, 1 - alpha)),
        )
    ratio = (math.nan, math.nan)
    part, whole = variance[PART], variance[GRR]
    if part > 0 and whole > 0:
        g = at[PART] / part - gauge / whole
        half = -float(special.ndtri(alpha)) * math.sqrt(float(g @ found.covariance @ g))
        ratio = (part / whole * math.exp(-half), part / whole * math.exp(half))
    return Components(
        variance=variance,
        raw=estimate,
        interval=interval,
        part_to_gauge=ratio,
        intervals_by="Satterthwaite, from the REML information",
    )
