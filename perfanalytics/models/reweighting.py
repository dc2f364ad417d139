"""Maximum likelihood of gamma, binomial, Poisson and negative binomial laws by reweighted least squares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.linalg import solve_triangular

from perfanalytics.models.laws import Law

Floats = NDArray[np.float64]

#: Iterations, and the relative change of the deviance that ends them.
ITERATIONS, TOLERANCE = 100, 1e-13
#: A negative binomial size beyond which the law is Poisson's for all that can be told.
POISSON_FROM = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweighted:
    """A fit of a generalized linear model.

    Parameters
    ----------
    b : float array, shape (p,)
    eta, mu : float arrays, shape (n,)
        Linear predictor (offset in it) and mean.
    w : float array, shape (n,)
        Working weights; ``working`` the working residuals.
    inverse : float array, shape (p, p)
        (X'WX)^-1.
    leverage : float array, shape (n,)
    deviance : float
        Weighted with the prior weights.
    converged : bool
    """

    b: Floats
    eta: Floats
    mu: Floats
    w: Floats
    working: Floats
    inverse: Floats
    leverage: Floats
    deviance: float
    converged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Rows of a generalized linear model; ``prior`` are the prior weights, ``m`` the trials."""

    law: Law
    x: Floats
    y: Floats
    m: Floats
    prior: Floats
    offset: Floats

    def rows(self, own: NDArray[np.bool_]) -> Problem:
        """Some of the rows."""
        parts = {name: getattr(self, name)[own] for name in ("x", "y", "m", "prior", "offset")}
        return Problem(law=self.law, **parts)

    def with_terms(self, x: Floats) -> Problem:
        """The same rows with other terms."""
        return Problem(law=self.law, x=x, y=self.y, m=self.m, prior=self.prior, offset=self.offset)

    def deviance(self, mu: Floats, k: float) -> float:
        """Of all rows."""
        return float(self.prior @ self.law.deviances(self.y, mu, k, self.m))


def reweight(problem: Problem, k: float = math.nan, start: Floats | None = None) -> Reweighted:
    """Fisher scoring with step halving; QR on scaled columns in each step.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, section 2.5.
    """
    law, x, y, m = problem.law, problem.x, problem.y, problem.m
    scale = np.sqrt(np.sum(x**2, axis=0))
    a = x / np.where(scale > 0, scale, 1.0)
    b = np.zeros(x.shape[1]) if start is None else start * scale
    eta = law.predictor(_first(law, y, m), m) if start is None else a @ b + problem.offset
    mu = law.mean(eta, m)
    deviance, converged = problem.deviance(mu, k), False
    for step in range(ITERATIONS):
        slope = np.maximum(law.slope(mu, m), 1e-300)
        w = problem.prior * slope**2 / np.maximum(law.variance(mu, k, m), 1e-300)
        z = eta - problem.offset + (y - mu) / slope
        root = np.sqrt(w)
        q, r = np.linalg.qr(a * root[:, None])
        wanted = _solve(r, q.T @ (root * z))
        moved, before = wanted, deviance
        for _ in range(30):
            eta = a @ moved + problem.offset
            mu = law.mean(eta, m)
            deviance = problem.deviance(mu, k)
            if math.isfinite(deviance) and (step == 0 or deviance <= before * (1 + 1e-8) + 1e-8):
                break
            moved = (moved + b) / 2
        b = moved
        if abs(deviance - before) <= TOLERANCE * (abs(deviance) + 0.1):
            converged = True
            break
    slope = np.maximum(law.slope(mu, m), 1e-300)
    w = problem.prior * slope**2 / np.maximum(law.variance(mu, k, m), 1e-300)
    q, r = np.linalg.qr(a * np.sqrt(w)[:, None])
    inverse = _solve(r, np.eye(len(b))) / np.where(scale > 0, scale, 1.0)[:, None]
    return Reweighted(
        b=b / np.where(scale > 0, scale, 1.0),
        eta=eta,
        mu=mu,
        w=w,
        working=(y - mu) / slope,
        inverse=inverse @ inverse.T,
        leverage=np.minimum(np.sum(q * q, axis=1), 1.0),
        deviance=deviance,
        converged=converged,
    )


def with_size(problem: Problem, start: float | None = None) -> tuple[Reweighted, float, float]:
    """A negative binomial fit, its size by maximum likelihood, and the standard error of log(size).

    The size is infinite (Poisson) where the counts vary no more than Poisson's law lets them; the error is
    then 0.

    References
    ----------
    Lawless (1987), Canadian Journal of Statistics 15; Venables and Ripley (2002), section 7.4.
    """
    k = POISSON_FROM if start is None else start
    fit = reweight(problem, k)
    if start is None:
        # moments give the start: sum (y - mu)^2 / mu^2 - 1/mu estimates 1 / size
        spread = float(np.average((problem.y - fit.mu) ** 2 / fit.mu**2 - 1 / fit.mu, weights=problem.prior))
        k = 1 / spread if spread > 1e-6 else 1e4
    last = math.inf
    for _ in range(60):
        fit = reweight(problem, k, fit.b)
        k = _size(problem, fit.mu, k)
        if abs(math.log(k / last)) < 1e-10 if math.isfinite(last) else False:
            break
        last = k
    fit = reweight(problem, k, fit.b)
    if k >= POISSON_FROM:
        return fit, POISSON_FROM, 0.0
    information = -_curvature(problem, fit.mu, k)
    return fit, k, 1 / (k * math.sqrt(information)) if information > 0 else 0.0


def _size(problem: Problem, mu: Floats, k: float) -> float:
    """Newton's method for log(size), halved where it overshoots."""
    y, w = problem.y, problem.prior

    def score(k: float) -> float:
        inside = special.digamma(k + y) - special.digamma(k) + np.log(k / (mu + k)) + 1 - (y + k) / (mu + k)
        return float(w @ inside)

    low, high = math.log(1e-6), math.log(POISSON_FROM)
    if score(POISSON_FROM) > 0:
        return POISSON_FROM
    t = min(max(math.log(k), low), high)
    for _ in range(200):
        value = score(math.exp(t))
        if value > 0:
            low = t
        else:
            high = t
        slope = _curvature(problem, mu, math.exp(t)) * math.exp(t)
        step = t - value / slope if slope < 0 else math.nan
        fresh = step if low < step < high else (low + high) / 2
        if abs(fresh - t) < 1e-14:
            break
        t = fresh
    return math.exp(t)


def _curvature(problem: Problem, mu: Floats, k: float) -> float:
    """Second derivative of the log likelihood by the size."""
    y, w = problem.y, problem.prior
    inside = special.polygamma(1, k + y) - special.polygamma(1, k) + 1 / k
    return float(w @ (inside - 2 / (mu + k) + (y + k) / (mu + k) ** 2))


def gamma_shape(problem: Problem, mu: Floats) -> tuple[float, float]:
    """Shape of gamma items by maximum likelihood, and the standard error of its logarithm.

    References
    ----------
    McCullagh and Nelder (1989), section 8.3.6.
    """
    w = problem.prior
    ratio = problem.y / mu
    known = np.log(ratio) - ratio + 1

    def score(k: float) -> float:
        return float(w @ (known + np.log(w * k) - special.digamma(w * k)))

    low, high = math.log(1e-8), math.log(1e12)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if score(math.exp(middle)) > 0 else (low, middle)
        if high - low < 1e-13:
            break
    k = math.exp((low + high) / 2)
    information = float(np.sum(w**2 * special.polygamma(1, w * k) - w / k))
    return k, 1 / (k * math.sqrt(information)) if information > 0 else 0.0


def _first(law: Law, y: Floats, m: Floats) -> Floats:
    """Means to begin with, inside the range of the law."""
    if law.name == "binomial":
        return np.asarray(m * (y + 0.5) / (m + 1))
    if law.name == "gamma":
        return y
    return np.asarray(np.where(y > 0, y, 1 / 6))


def _solve(r: Floats, b: Floats) -> Floats:
    """R^-1 b; of a triangle that lost its rank (weights of 0) the smallest solution."""
    diagonal = np.abs(np.diag(r))
    if diagonal.min() > 1e-14 * diagonal.max():
        return np.asarray(solve_triangular(r, b))
    return np.asarray(np.linalg.lstsq(r, b, rcond=1e-13)[0])
