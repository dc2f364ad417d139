"""Levels of a work group, shrunken towards the organization's: conjugate pairs, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.models.own_items import OwnItems
from perfanalytics.models.predictive import t_quantile

Floats = NDArray[np.float64]

#: At most so many items are left out in turn.
MOST_LEFT_OUT = 500

#: Family -> the conjugate pair behind its calibration.
PAIRS = {
    "gaussian": "normal-normal",
    "binomial": "beta-binomial",
    "poisson": "gamma-Poisson",
    "negative_binomial": "gamma-Poisson, counts divided by their dispersion",
    "gamma": "gamma with inverse gamma",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Shift on the scale of the linear predictor: by the group's own items, shrunken, ends of its interval
    and its variance; weight of the group; surprise; spread of its own items, and after shrinkage."""

    local: float
    shift: float
    low: float
    high: float
    variance: float
    weight: float
    surprise: float
    sigma_local: float = math.nan
    sigma: float = math.nan


def level_of(model: Any, own: OwnItems, prior_n: float, confidence: float = 0.95) -> Level:
    """The level of a group.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 2.4 to 2.6.
    """
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    if model.family == "gaussian":
        return _normal(model, own, prior_n, tails)
    if model.family == "binomial":
        return _beta(own, prior_n, tails)
    return (
        _gamma(model, own, prior_n, tails) if model.family == "gamma" else _counts(model, own, prior_n, tails)
    )


def _normal(model: Any, own: OwnItems, prior_n: float, tails: tuple[float, float]) -> Level:
    n, w = len(own.y), own.weights
    items = float(w.sum())
    residual = (np.log(own.y) if model.logged else own.y) - own.eta
    weight = items / (items + prior_n)
    local = float(w @ residual) / items
    within = float(w @ (residual - local) ** 2)
    sigma2 = (prior_n * model.sigma**2 + within) / (prior_n + n - 1) if prior_n + n > 1 else model.sigma**2
    sd = model.sigma * math.sqrt(1 / prior_n + 1 / items)
    variance = sigma2 / (items + prior_n)
    half = float(t_quantile(max(prior_n + n - 1, 1.0), tails[1])) * math.sqrt(variance)
    return Level(
        local=local,
        shift=weight * local,
        low=weight * local - half,
        high=weight * local + half,
        variance=variance,
        weight=weight,
        surprise=local / sd,
        sigma_local=math.sqrt(within / (n - 1)) if n > 1 else math.nan,
        sigma=math.sqrt(sigma2),
    )


def _beta(own: OwnItems, prior_n: float, tails: tuple[float, float]) -> Level:
    sizes = own.sizes * own.weights
    p, trials, hits = special.expit(own.eta), float(sizes.sum()), float(own.y @ sizes)
    prior = float(p @ sizes) / trials
    # half a success where the group has none or only successes, for its own level only
    bare = (hits + 0.5) / (trials + 1) if hits in (0.0, trials) else hits / trials
    share = (prior_n * prior + hits) / (prior_n + trials)
    shift = _logit_shift(own.eta, sizes, share)
    a, b = prior_n * prior + hits, prior_n * (1 - prior) + trials - hits
    low, high = (_logit_shift(own.eta, sizes, float(special.betaincinv(a, b, t))) for t in tails)
    now = special.expit(own.eta + shift)
    slope = float((now * (1 - now)) @ sizes) / trials
    sd = math.sqrt(prior * (1 - prior) * (1 / (prior_n + 1) + 1 / trials))
    return Level(
        local=_logit_shift(own.eta, sizes, bare),
        shift=shift,
        low=low,
        high=high,
        variance=share * (1 - share) / (prior_n + trials + 1) / slope**2,
        weight=trials / (trials + prior_n),
        surprise=(hits / trials - prior) / sd,
    )


def _gamma(model: Any, own: OwnItems, prior_n: float, tails: tuple[float, float]) -> Level:
    items, shape = float(own.weights.sum()), model.parameters["shape"]
    ratio = float(own.weights @ (own.y / np.exp(own.eta))) / items
    weight = items / (items + prior_n)
    sd = math.sqrt((1 / prior_n + 1 / items) / shape)
    a, b = shape * (prior_n + items) + 1, shape * (prior_n + items * ratio)
    low, high = (math.log(b / float(special.gammaincinv(a, 1 - t))) for t in tails)
    return Level(
        local=math.log(ratio),
        shift=math.log(1 + weight * (ratio - 1)),
        low=low,
        high=high,
        variance=1 / (shape * (items + prior_n)),
        weight=weight,
        surprise=(ratio - 1) / sd,
    )


def _counts(model: Any, own: OwnItems, prior_n: float, tails: tuple[float, float]) -> Level:
    """The information of a group is its predicted count over the dispersion."""
    mu, w = np.exp(own.eta), own.weights
    spread = 1.0
    if model.family == "negative_binomial":
        spread = float(w @ (mu + mu**2 / model.parameters["shape"])) / float(w @ mu)
    information, hits = float(w @ mu) / spread, float(w @ own.y) / spread
    prior = prior_n * float(np.average(mu, weights=w)) / spread
    now = (prior + hits) / (prior + information)
    low, high = (math.log(float(special.gammaincinv(prior + hits, t)) / (prior + information)) for t in tails)
    return Level(
        local=math.log(max(hits, 0.5 / spread) / information),
        shift=math.log(now),
        low=low,
        high=high,
        variance=1 / (prior + hits),
        weight=information / (information + prior),
        surprise=(hits / information - 1) / math.sqrt(1 / prior + 1 / information),
    )


def _logit_shift(eta: Floats, sizes: Floats, share: float) -> float:
    """Shift on the log odds that gives the items this mean share, by bisection."""
    low, high = -40.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2
        reached = float(special.expit(eta + middle) @ sizes) / float(sizes.sum())
        low, high = (middle, high) if reached < share else (low, middle)
    return (low + high) / 2


def errors_of(model: Any, own: OwnItems, prior_n: float) -> tuple[float, float]:
    """Mean absolute error of typical values, before and (leaving each item out in turn) after."""
    n = len(own.y)

    def typical(at: Floats) -> Floats:
        if model.link == "logit":
            return np.asarray(special.expit(at))
        return np.asarray(np.exp(at) if model.logged or model.link == "log" else at)

    # both errors on the same items, or their difference would be that of the items
    chosen = np.arange(n) if n <= MOST_LEFT_OUT else np.linspace(0, n - 1, MOST_LEFT_OUT).astype(int)
    before = float(np.mean(np.abs(typical(own.eta) - own.y)[chosen]))
    if n < 2:
        return before, math.nan
    after = []
    for k in chosen.tolist():
        shift = level_of(model, own.rows(np.arange(n) != k), prior_n).shift
        after.append(abs(float(typical(own.eta[k : k + 1] + shift)[0]) - own.y[k]))
    return before, float(np.mean(after))
