"""Maximum likelihood: closed forms, Newton's method for rows of samples, observed information.

Rows are samples of the same size, shape (r, n), fitted in one call: the parametric bootstrap and the profile
over a threshold need many. What has no closed form is maximised by Newton's method with step control, on
coordinates without bounds, with derivatives by central differences of fourth order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.families import Family
from perfanalytics.core.columns import Floats

#: Log-likelihoods of rows of coordinates: (r, p) -> (r,)
LogLikelihood = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where a likelihood is greatest: coordinates, value, matrix of second derivatives, and whether it is."""

    at: Floats
    value: float
    hessian: Floats
    converged: bool
    why: str


def rows(family: Family, x: Floats) -> Floats | None:
    """Maximum likelihood parameters of complete samples, one a row; None where the family has no such form.

    Parameters
    ----------
    family : Family
    x : float array, shape (r, n)
        Values above the threshold.

    Returns
    -------
    float array, shape (r, p), or None

    References
    ----------
    Minka (2002), Estimating a gamma distribution (generalized Newton step). Lawless (2003), Statistical
    Models and Methods for Lifetime Data, section 5.2 (Weibull).
    """
    mean = x.mean(axis=1)
    if family.name == "normal":
        return np.column_stack([mean, x.std(axis=1)])
    if family.name == "exponential":
        return np.asarray(mean[:, None])
    if family.name == "lognormal":
        y = np.log(x)
        return np.column_stack([y.mean(axis=1), y.std(axis=1)])
    if family.name == "weibull":
        return _weibull(np.log(x), np.ones(x.shape[1], dtype=bool))
    if family.name == "gamma":
        s = np.log(mean) - np.log(x).mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
            for _ in range(30):
                step = (np.log(k) - special.digamma(k) - s) / (k * k * (1 / k - special.polygamma(1, k)))
                new = 1 / (1 / k + step)
                done = np.abs(new - k) <= 1e-14 * k
                k = new
                if done.all():
                    break
        return np.column_stack([k, mean / k])
    return None


def _weibull(y: Floats, event: NDArray[np.bool_]) -> Floats:
    """Shape and scale from logarithms, shape (r, n); ``event`` (n,) is False where only a bound is known.

    Newton on the logarithm of the shape of ``sum y e^(ky) / sum e^(ky) - 1/k = mean of y over events``.
    """
    top = y.max(axis=1, keepdims=True)
    d = y - top  # at most 0: no power overflows
    wanted = d[:, event].mean(axis=1)
    spread = np.maximum(y.std(axis=1), 1e-300)
    u = np.log(math.pi / math.sqrt(6) / spread)
    for _ in range(60):
        k = np.exp(u)
        w = np.exp(k[:, None] * d)
        total = w.sum(axis=1)
        first = (w * d).sum(axis=1) / total
        second = (w * d * d).sum(axis=1) / total - first**2
        gap = first - 1 / k - wanted
        step = np.clip(gap / (k * second + 1 / k), -1.0, 1.0)
        u = u - step
        if (np.abs(step) <= 1e-14).all():
            break
    k = np.exp(u)
    scale = np.exp(top[:, 0] + np.log(np.exp(k[:, None] * d).sum(axis=1) / event.sum()) / k)
    return np.column_stack([k, scale])


def censored_start(family: Family, x: Floats, event: NDArray[np.bool_]) -> tuple[Floats, bool]:
    """Parameters for values of which some are only lower bounds, and whether they are the maximum already."""
    if family.name == "exponential":
        return np.array([x.sum() / event.sum()]), True
    if family.name == "weibull":
        return _weibull(np.log(x)[None, :], event)[0], True
    found = rows(family, x[None, :])
    assert found is not None
    start = found[0]
    start[family.logs] = np.maximum(start[family.logs], 1e-8)
    return start, False


def derivatives(f: LogLikelihood, at: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Gradient (p,) and matrix of second derivatives (p, p), by central differences of fourth order."""
    p = len(at)
    moves = [np.zeros(p)]
    for i in range(p):
        moves += [np.eye(p)[i] * step[i] * k for k in (-2, -1, 1, 2)]
    pairs = [(i, j) for i in range(p) for j in range(i)]
    for i, j in pairs:
        for k in (1, 2):
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moves.append(k * (a * np.eye(p)[i] * step[i] + b * np.eye(p)[j] * step[j]))
    value = f(at + np.array(moves))
    gradient, hessian = np.empty(p), np.empty((p, p))
    value = np.where(np.isfinite(value), value, np.nan)  # a step over a border: no derivative there
    for i in range(p):
        a, b, c, d = value[1 + 4 * i : 5 + 4 * i]
        gradient[i] = (a - 8 * b + 8 * c - d) / (12 * step[i])
        hessian[i, i] = (-a + 16 * b - 30 * value[0] + 16 * c - d) / (12 * step[i] ** 2)
    for m, (i, j) in enumerate(pairs):
        near, far = (value[1 + 4 * p + 8 * m + 4 * k : 5 + 4 * p + 8 * m + 4 * k] for k in (0, 1))
        one, two = (
            (v[0] - v[1] - v[2] + v[3]) / (4 * k * k * step[i] * step[j]) for k, v in ((1, near), (2, far))
        )
        hessian[i, j] = hessian[j, i] = (4 * one - two) / 3
    return gradient, hessian


def maximize(f: LogLikelihood, start: Floats, *, scale: Floats, iterations: int = 80) -> Maximum:
    """Newton's method with step control (Levenberg) from a start.

    Parameters
    ----------
    f : callable
    start : float array, shape (p,)
    scale : float array, shape (p,)
        How far each coordinate reasonably moves; steps are limited to it.
    """
    at, best = start.astype(float), float(f(start[None, :])[0])
    damping = 0.0
    step = 1e-3 * scale
    gradient, hessian = derivatives(f, at, step)
    for _ in range(iterations):
        if not np.isfinite(hessian).all():
            return Maximum(at, best, hessian, False, "the likelihood is not finite near the start")
        scaled = -hessian * np.outer(scale, scale)
        values, vectors = np.linalg.eigh(scaled)
        pull = vectors.T @ (gradient * scale)
        bent = np.maximum(np.abs(values), 1e-8 * max(1.0, float(np.abs(values).max())))
        move = vectors @ (pull / (bent + damping))
        length = float(np.abs(move).max())
        if length > 1:
            move /= length
        new = at + move * scale
        value = float(f(new[None, :])[0])
        if np.isfinite(value) and value >= best - 1e-9 * max(1.0, abs(best)) * 1e-3:
            at, best, damping = new, max(value, best), damping / 10
            gradient, hessian = derivatives(f, at, step)
            if length < 1e-9:
                break
        else:
            damping = max(10 * damping, 1e-3 * float(bent.max()))
            if damping > 1e12 * float(bent.max()):
                break
    scaled = -hessian * np.outer(scale, scale)
    values = np.linalg.eigvalsh(scaled)
    flat = float(np.abs(gradient * scale).max())
    if values.min() <= 1e-6 * max(values.max(), 1e-300):
        return Maximum(at, best, hessian, False, "the likelihood has no peak: it stays flat in one direction")
    if flat**2 > 1e-6 * float(values.min()):
        return Maximum(at, best, hessian, False, "no maximum was found")
    return Maximum(at, best, hessian, True, "")


def observed_information(f: LogLikelihood, at: Floats) -> Floats:
    """Minus the matrix of second derivatives at a maximum, with steps of a hundredth standard error."""
    step = 1e-4 * np.maximum(np.abs(at), 1.0)
    for _ in range(2):
        _, hessian = derivatives(f, at, step)
        curvature = -np.diag(hessian)
        if not (curvature > 0).all():
            return -hessian
        step = 0.01 / np.sqrt(curvature)
    return -derivatives(f, at, step)[1]
