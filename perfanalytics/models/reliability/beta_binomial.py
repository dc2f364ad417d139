"""Shares that differ between releases: the beta-binomial law, and the exact interval where they do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats

#: Releases below which a variation between them is not estimated.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Removal:
    """The law of a share: beta(alpha, beta) over releases.

    Parameters
    ----------
    found, present : int
    mean, error : float
        Mean share and its standard error over releases (NaN where releases do not vary).
    alpha, beta : float
        Of a new release.
    varies : bool
        Whether the releases vary more than binomial counts do (likelihood ratio, 5%).
    """

    found: int
    present: int
    mean: float
    error: float
    alpha: float
    beta: float
    varies: bool

    def interval(self, confidence: float) -> tuple[float, float, float]:
        """Share with its interval: exact, or over releases on the logit scale."""
        if not self.varies:
            return exact_interval(self.found, self.present, confidence)
        z = float(special.ndtri((1 + confidence) / 2))
        # the share itself is that of all items; the releases say how far it can be trusted
        share = self.found / self.present
        center = math.log(share / (1 - share))
        half = z * self.error / (self.mean * (1 - self.mean))
        return share, float(special.expit(center - half)), float(special.expit(center + half))

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Shares of n new releases."""
        return np.asarray(rng.beta(self.alpha, self.beta, n))


def exact_interval(k: int, n: int, confidence: float) -> tuple[float, float, float]:
    """Share with Clopper and Pearson's interval; NaN without any item.

    Examples
    --------
    >>> [round(x, 4) for x in exact_interval(40, 65, 0.95)]
    [0.6154, 0.4864, 0.7335]
    """
    if n == 0:
        return math.nan, math.nan, math.nan
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1 - tail))
    return k / n, low, high


def removal_of(found: NDArray[np.int64], present: NDArray[np.int64]) -> Removal:
    """The law of the share from releases: beta-binomial by maximum likelihood where they vary.

    References
    ----------
    Griffiths (1973), Biometrics 29.
    """
    some = present > 0
    x, n = found[some].astype(float), present[some].astype(float)
    total, whole = int(x.sum()), int(n.sum())
    jeffreys = Removal(
        total, whole, total / whole if whole else math.nan, math.nan, total + 0.5, whole - total + 0.5, False
    )
    if len(x) < FEWEST or total in (0, whole):
        return jeffreys

    def log_likelihood(logit: Floats, log_size: Floats) -> Floats:
        size = np.exp(log_size)[..., None]
        a = special.expit(logit)[..., None] * size
        b = size - a
        return np.asarray((special.betaln(x + a, n - x + b) - special.betaln(a, b)).sum(axis=-1))

    center = math.log(total / (whole - total))
    logits, sizes = np.meshgrid(center + np.linspace(-2, 2, 81), np.linspace(-1, 12, 131), indexing="ij")
    values = log_likelihood(logits, sizes)
    best = np.unravel_index(int(np.argmax(values)), values.shape)
    binomial = float((x * math.log(total / whole) + (n - x) * math.log1p(-total / whole)).sum())
    # the size of no variation lies at the border: half the chi-square probability
    if 2 * (float(values[best]) - binomial) < float(special.chdtri(1, 0.10)):
        return jeffreys
    from scipy import optimize

    def minus(v: Floats) -> float:
        return -float(log_likelihood(np.array(v[0]), np.array(v[1])))

    found_at = optimize.minimize(
        minus,
        np.array([float(logits[best]), float(sizes[best])]),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    )
    mean, size = float(special.expit(found_at.x[0])), math.exp(float(found_at.x[1]))
    h = 1e-3
    curve = [
        float(log_likelihood(np.array(found_at.x[0] + d), np.array(found_at.x[1]))) for d in (-h, 0.0, h)
    ]
    second = (curve[0] - 2 * curve[1] + curve[2]) / h**2
    error = mean * (1 - mean) / math.sqrt(-second) if second < 0 else math.nan
    return Removal(total, whole, mean, error, mean * size, (1 - mean) * size, True)
