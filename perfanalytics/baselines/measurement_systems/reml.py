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
MANY_CELLS = 4000


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
    random: dict[str, Floats]


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
    theta = np.full(len(names), spread / len(names))
    like, score, information = _likelihood(theta, cells)
    for _ in range(500):
        free = (theta > 0) | (score > 0)
        free[-1] = True
        if np.max(np.abs((score * np.maximum(theta, 1e-8 * spread))[free])) < 1e-10:
            break
        step = np.zeros(len(theta))
        step[free] = np.linalg.lstsq(information[np.ix_(free, free)], score[free], rcond=None)[0]
        size = 1.0
        while size > 1e-10:
            new = np.maximum(theta + size * step, 0.0)
            new[-1] = max(new[-1], theta[-1] / 20)
            found = _likelihood(new, cells)
            if found[0] >= like - 1e-12 * abs(like):
                break
            size /= 2
        if size <= 1e-10 or np.max(np.abs(new - theta)) <= 1e-15 * spread:
            break
        theta, (like, score, information) = new, found
    else:
        raise InputError(
            "the restricted likelihood has no clear maximum: are there too few parts or operators?"
        )
    free = theta > 0
    covariance = np.zeros_like(information)
    covariance[np.ix_(free, free)] = np.linalg.pinv(information[np.ix_(free, free)])
    return Fit(names=tuple(names), variance=theta, covariance=covariance, log_likelihood=like)


def _cells(data: GaugeData, names: list[str]) -> _Cells:
    keys, where, sizes = np.unique(data.cell, return_inverse=True, return_counts=True)
    if len(keys) > MANY_CELLS:
        raise InputError(
            f"{len(keys)} combinations of part and operator are too many for REML ({MANY_CELLS})"
        )
    means = np.bincount(where, data.values) / sizes
    within = float(np.sum((data.values - means[where]) ** 2))
    levels = {PART: keys % len(data.parts), OPERATOR: keys // len(data.parts), INTERACTION: keys}
    random = {n: (levels[n][:, None] == levels[n]).astype(np.float64) for n in names}
    df = float(len(data.values) - len(keys))
    return _Cells(means=means, sizes=sizes.astype(float), within=within, df_within=df, random=random)


def _likelihood(theta: Floats, cells: _Cells) -> tuple[float, Floats, Floats]:
    """Restricted log likelihood (up to a constant), its gradient and the expected information."""
    parts = [*cells.random.values(), np.diag(1 / cells.sizes)]
    v = sum((t * z for t, z in zip(theta, parts, strict=True)), np.zeros_like(parts[0]))
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
    products = [p @ z for z in parts]
    score = np.array(
        [-0.5 * (np.trace(m) - centered @ z @ centered) for m, z in zip(products, parts, strict=True)]
    )
    information = 0.5 * np.array([[float(np.sum(a * b.T)) for b in products] for a in products])
    score[-1] -= 0.5 * (cells.df_within / error - cells.within / error**2)
    information[-1, -1] += 0.5 * cells.df_within / error**2
    return float(like), score, information


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
