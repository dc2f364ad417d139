"""Laws of a new item around its mean: gamma, binomial, Poisson and negative binomial.

Each law knows its link, its variance and deviance (for fitting), its distribution function and how to draw
from it (for predicting). ``k`` is what the law has besides its mean: the shape of a gamma law, the size
(1 / dispersion) of a negative binomial one; the others have none. ``m`` is the number of trials of a
binomial law; its ``y`` and ``mu`` are counts out of ``m``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

#: Shares are kept this far from 0 and 1 and means this far above 0, so that the arithmetic stays finite.
TINY = 1e-10


@dataclass(frozen=True, slots=True)
class Law:
    """A law by name: "gamma", "binomial", "poisson" or "negative_binomial"."""

    name: str

    @property
    def link(self) -> str:
        """ "logit" or "log"."""
        return "logit" if self.name == "binomial" else "log"

    @property
    def whole(self) -> bool:
        """Whether a new item is a whole number."""
        return self.name != "gamma"

    def mean(self, eta: Floats, m: Floats | float = 1.0) -> Floats:
        """The mean at a linear predictor."""
        if self.link == "logit":
            return np.asarray(m * np.clip(special.expit(eta), TINY, 1 - TINY))
        return np.asarray(np.exp(np.clip(eta, -500.0, 500.0)))

    def predictor(self, mu: Floats, m: Floats | float = 1.0) -> Floats:
        """The linear predictor of a mean."""
        return np.asarray(special.logit(mu / m) if self.link == "logit" else np.log(mu))

    def slope(self, mu: Floats, m: Floats | float = 1.0) -> Floats:
        """Derivative of the mean by the linear predictor."""
        return np.asarray(mu * (1 - mu / m) if self.link == "logit" else mu)

    def variance(self, mu: Floats, k: float = math.nan, m: Floats | float = 1.0) -> Floats:
        """Variance of an item, up to the dispersion of a gamma law."""
        if self.name == "gamma":
            return np.asarray(mu**2)
        if self.name == "binomial":
            return np.asarray(mu * (1 - mu / m))
        if self.name == "poisson":
            return np.asarray(mu)
        return np.asarray(mu + mu**2 / k)

    def deviances(self, y: Floats, mu: Floats, k: float = math.nan, m: Floats | float = 1.0) -> Floats:
        """Deviance of each item (McCullagh and Nelder 1989, section 2.3)."""
        if self.name == "gamma":
            return np.asarray(2 * ((y - mu) / mu - np.log(y / mu)))
        if self.name == "binomial":
            return np.asarray(2 * (special.xlogy(y, y / mu) + special.xlogy(m - y, (m - y) / (m - mu))))
        if self.name == "poisson":
            return np.asarray(2 * (special.xlogy(y, y / mu) - (y - mu)))
        return np.asarray(2 * (special.xlogy(y, y / mu) - (y + k) * np.log((y + k) / (mu + k))))

    def cdf(self, y: Floats, mu: Floats, k: Floats | float = math.nan, m: Floats | float = 1.0) -> Floats:
        """P(item <= y)."""
        y = np.asarray(y, dtype=np.float64)
        if self.name == "gamma":
            return np.asarray(np.where(y > 0, special.gammainc(k, np.maximum(y, 0) * k / mu), 0.0))
        low = np.maximum(np.floor(y), 0.0)
        if self.name == "poisson":
            inside = special.gammaincc(low + 1, mu)
        elif self.name == "negative_binomial":
            inside = special.betainc(k, low + 1, k / (k + mu))
        else:
            inside = np.where(
                low >= m, 1.0, special.betainc(np.maximum(m - low, TINY), low + 1, 1 - np.clip(mu / m, 0, 1))
            )
        return np.asarray(np.where(y < 0, 0.0, np.where(y == np.inf, 1.0, inside)))

    def draw(
        self,
        rng: np.random.Generator,
        mu: Floats,
        k: Floats | float = math.nan,
        m: Floats | float = 1.0,
    ) -> Floats:
        """One item for each mean; NaN where the mean is."""
        unknown = np.isnan(mu)
        mu = np.minimum(np.where(unknown, 1.0 if self.name != "binomial" else 0.5, mu), 1e15)
        if self.name == "gamma":
            out = rng.gamma(k, mu / k)
        elif self.name == "poisson":
            out = rng.poisson(mu).astype(np.float64)
        elif self.name == "negative_binomial":
            out = rng.poisson(np.minimum(rng.gamma(k, mu / k), 1e15)).astype(np.float64)
        else:
            trials = np.broadcast_to(np.nan_to_num(m, nan=1.0), mu.shape)
            out = rng.binomial(trials.astype(np.int64), np.clip(mu / trials, 0, 1)).astype(np.float64)
        return np.asarray(np.where(unknown, np.nan, out))


#: Families that are a law around a mean with a link.
LAWS = {name: Law(name) for name in ("gamma", "binomial", "poisson", "negative_binomial")}
