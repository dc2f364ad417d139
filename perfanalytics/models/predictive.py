"""Predictive laws: what a new item may be, with the uncertainty of the parameters in it.

One class a shape of law: :class:`NormalPredictive` (gaussian and mixed models, on the raw or log scale),
:class:`LawPredictive` around a :class:`perfanalytics.models.laws.Law` (gamma, binomial, Poisson, negative
binomial) and, without a law, :class:`perfanalytics.models.quantile_predictive.QuantilePredictive`. Each gives
the distribution function and quantiles of a new item in closed form or by quadrature over the parameters (no
random numbers), and draws of new items for simulations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.models.laws import Law

Floats = NDArray[np.float64]

#: Nodes of the quadrature over the linear predictor and over the shape.
NODES_PREDICTOR, NODES_SHAPE = 15, 7


class Predictive(Protocol):
    """What is known of new items, one of each row; arrays of shape (m,), NaN where nothing is known."""

    def typical(self) -> Floats:
        """The median (the mean for whole numbers)."""
        ...

    def mean(self) -> Floats:
        """The expected value."""
        ...

    def mean_interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Confidence interval of the expected value."""
        ...

    def cdf(self, bound: float) -> Floats:
        """P(item <= bound)."""
        ...

    def below(self, bound: float) -> Floats:
        """P(item < bound)."""
        ...

    def quantile(self, share: float) -> Floats:
        """The value that a share of new items does not exceed."""
        ...

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        """New items, shape (draws, m): one draw of the parameters for each row of the result."""
        ...


def t_quantile(df: Floats | float, share: float) -> Floats:
    """Quantile of Student's t; the normal one for infinite degrees of freedom."""
    df = np.asarray(df, dtype=np.float64)
    return np.asarray(
        np.where(np.isinf(df), special.ndtri(share), special.stdtrit(np.where(np.isinf(df), 1e8, df), share))
    )


def t_cdf(df: Floats | float, t: Floats) -> Floats:
    """Distribution function of Student's t, also for infinite degrees of freedom and arguments."""
    df = np.asarray(df, dtype=np.float64)
    finite = np.clip(t, -1e300, 1e300)
    return np.asarray(
        np.where(np.isinf(df), special.ndtr(t), special.stdtr(np.where(np.isinf(df), 1e8, df), finite))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One source of variation of an item: its standard deviation and the degrees of freedom it rests on."""

    sd: Floats
    df: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalPredictive:
    """Normal around a center, on the raw or the log scale.

    ``center`` and ``center_sd`` describe the expected value, ``rows`` and ``covariance`` (a root of it) how
    the centers of several rows move together; ``extra_sd`` is the own uncertainty of a group effect, alike
    for rows of the same ``group``; ``group_sd`` the spread of a group never seen; ``item`` the residuals.
    """

    center: Floats
    center_sd: Floats
    rows: Floats
    root: Floats
    group: NDArray[np.int64]
    extra_sd: Floats
    group_spread: Spread
    item: Spread
    df: Floats
    df_mean: float
    logged: bool
    smearing: float

    @property
    def item_sd(self) -> Floats:
        """Standard deviation of the error of predicting one item."""
        with np.errstate(invalid="ignore"):
            return np.sqrt(self.center_sd**2 + self.extra_sd**2 + self.group_spread.sd**2 + self.item.sd**2)

    @property
    def to_mean(self) -> Floats | float:
        """What turns the median into the mean: smearing, and on the log scale the spread of groups.

        ``smearing`` knows the residuals of known groups only; the level of a group is lognormal besides.
        """
        if not self.logged:
            return self.smearing
        return np.asarray(self.smearing * np.exp((self.extra_sd**2 + self.group_spread.sd**2) / 2))

    def typical(self) -> Floats:
        return self._back(self.center)

    def mean(self) -> Floats:
        return np.asarray(self._back(self.center) * self.to_mean)

    def mean_interval(self, confidence: float) -> tuple[Floats, Floats]:
        half = t_quantile(self.df_mean, (1 + confidence) / 2) * np.sqrt(self.center_sd**2 + self.extra_sd**2)
        low, high = (self._back(self.center + s * half) * self.to_mean for s in (-1, 1))
        return np.asarray(low), np.asarray(high)

    def cdf(self, bound: float) -> Floats:
        if self.logged:
            bound = math.log(bound) if bound > 0 else -math.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            return t_cdf(self.df, (bound - self.center) / self.item_sd)

    def below(self, bound: float) -> Floats:
        return self.cdf(bound)

    def quantile(self, share: float) -> Floats:
        return self._back(self.center + t_quantile(self.df, share) * self.item_sd)

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        m = len(self.center)
        # the residual spread and the coefficients of one draw belong together, as in the law of t
        item = _scale(self.item.df, draws, rng)
        group = _scale(self.group_spread.df, draws, rng)
        steps = rng.standard_normal((draws, self.root.shape[1]))
        out = self.center + item * (steps @ (self.rows @ self.root).T)
        if np.any(self.extra_sd > 0) or np.any(self.group_spread.sd > 0):
            # rows of one known group share its effect; every other row is an item of a group of its own
            own = np.where(self.group >= 0, self.group, self.group.max(initial=-1) + 1 + np.arange(m))
            levels, place = np.unique(own, return_inverse=True)
            shared = rng.standard_normal((draws, len(levels)))[:, place]
            out += shared * np.where(self.group >= 0, self.extra_sd, group * self.group_spread.sd)
        out += item * self.item.sd * rng.standard_normal((draws, m))
        return self._back(out)

    def _back(self, x: Floats) -> Floats:
        if not self.logged:
            return np.asarray(x)
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(x))


def _scale(df: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of (true / estimated) standard deviation, shape (draws, 1): chi-squared, 1 without doubt."""
    if not math.isfinite(df):
        return np.ones((draws, 1))
    return np.asarray(np.sqrt(df / rng.chisquare(df, (draws, 1))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LawPredictive:
    """A law around a mean whose linear predictor (normal) and shape (lognormal) are known within errors.

    The distribution of an item is the mixture over both, by Gauss-Hermite quadrature: 15 x 7 nodes.
    ``divided`` says that the response is a share of ``sizes``, not a count.
    """

    law: Law
    eta: Floats
    eta_sd: Floats
    rows: Floats
    root: Floats
    sizes: Floats
    weights: Floats
    shape: float
    shape_log_sd: float
    divided: bool
    df_mean: float

    @property
    def _unit(self) -> Floats:
        return self.sizes if self.divided else np.ones(len(self.eta))

    def typical(self) -> Floats:
        return self.quantile(0.5) if self.law.name == "gamma" else self.mean()

    def mean(self) -> Floats:
        return self._known(self.law.mean(self.eta, self.sizes) / self._unit)

    def mean_interval(self, confidence: float) -> tuple[Floats, Floats]:
        half = t_quantile(self.df_mean, (1 + confidence) / 2) * self.eta_sd
        low, high = (self.law.mean(self.eta + s * half, self.sizes) / self._unit for s in (-1, 1))
        return self._known(low), self._known(high)

    def cdf(self, bound: float) -> Floats:
        return self._known(self._mixed_cdf(bound * self._unit * (1 + 1e-12)))

    def below(self, bound: float) -> Floats:
        if not self.law.whole:
            return self.cdf(bound)
        return self._known(self._mixed_cdf(np.ceil(bound * self._unit * (1 - 1e-12)) - 1.0))

    def quantile(self, share: float) -> Floats:
        """The smallest whole number with at least the share; of gamma items the value with just the share."""
        found = self._whole_quantile(share) if self.law.whole else self._gamma_quantile(share)
        return self._known(found / self._unit)

    def _whole_quantile(self, share: float) -> Floats:
        """Bisection between whole numbers."""
        center = np.nan_to_num(self.law.mean(self.eta, self.sizes), nan=1.0)
        low, high = np.full(len(center), -1.0), np.ceil(np.maximum(center, 1.0))
        if self.law.name == "binomial":
            high = np.nan_to_num(self.sizes, nan=1.0)
        else:
            for _ in range(60):
                short = self._mixed_cdf(high) < share
                if not short.any():
                    break
                low, high = np.where(short, high, low), np.where(short, high * 4, high)
        while np.any(high - low > 1):
            middle = np.floor((low + high) / 2)
            enough = self._mixed_cdf(middle) >= share
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high

    def _gamma_quantile(self, share: float) -> Floats:
        """Regula falsi (Illinois) on normal scores against log values, which is nearly a straight line."""
        wanted = float(special.ndtri(share))
        center = np.log(np.nan_to_num(self.law.mean(self.eta), nan=1.0))

        def gap(t: Floats) -> Floats:
            return np.asarray(special.ndtri(np.clip(self._mixed_cdf(np.exp(t)), 1e-300, 1 - 1e-16)) - wanted)

        guess = np.log(np.maximum(special.gammaincinv(self.shape, share) / self.shape, 1e-100))
        low, high = center + guess - 0.5, center + guess + 0.5
        below, above = gap(low), gap(high)
        for _ in range(40):
            short, long = below > 0, above < 0
            if not (short | long).any():
                break
            low, high = np.where(short, low - 2, low), np.where(long, high + 2, high)
            below, above = gap(low), gap(high)
        t = low
        for _ in range(40):
            t = (low * above - high * below) / (above - below)
            value = gap(t)
            if np.all(np.abs(value) < 1e-10):
                break
            same = np.sign(value) == np.sign(below)
            # the end that stays is halved, so that both ends move
            low, below, above = (
                np.where(same, t, low),
                np.where(same, value, below / 2),
                np.where(same, above / 2, above),
            )
            high, above = np.where(same, high, t), np.where(same, above, value)
        return np.asarray(np.exp(t))

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        steps = rng.standard_normal((draws, self.root.shape[1]))
        eta = self.eta + steps @ (self.rows @ self.root).T
        shape: Floats | float = self.shape
        if self.shape_log_sd > 0:
            shape = self.shape * np.exp(self.shape_log_sd * rng.standard_normal((draws, 1)))
        mu = self.law.mean(eta, self.sizes)
        return np.asarray(self.law.draw(rng, mu, self._weighted(shape), self.sizes) / self._unit)

    def _mixed_cdf(self, y: Floats) -> Floats:
        nodes, weights = _hermite(NODES_PREDICTOR)
        inner, inner_weights = _hermite(NODES_SHAPE) if self.shape_log_sd > 0 else (np.zeros(1), np.ones(1))
        out = np.zeros(len(self.eta))
        for a, wa in zip(nodes, weights, strict=True):
            mu = self.law.mean(self.eta + a * self.eta_sd, self.sizes)
            for b, wb in zip(inner, inner_weights, strict=True):
                shape = self.shape * math.exp(b * self.shape_log_sd)
                out += wa * wb * self.law.cdf(y, mu, self._weighted(shape), self.sizes)
        return out

    def _weighted(self, shape: Floats | float) -> Floats | float:
        """Of a gamma law a weight divides the dispersion."""
        return shape * self.weights if self.law.name == "gamma" else shape

    def _known(self, values: Floats) -> Floats:
        return np.asarray(np.where(np.isnan(self.eta), np.nan, values))


def _hermite(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights for the expectation over a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()
