"""The predictive law of a quantile model: quantiles at several shares, calibrated on items left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.models.predictive import t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantilePredictive:
    """Quantiles of an item at several shares, read as a distribution.

    Between the shares the quantile is linear in the normal score, and so it goes on beyond the outermost
    ones. Quantiles that cross are put in order (Chernozhukov, Fernandez-Val and Galichon 2010).
    ``calibration`` holds the normal scores that items had in folds they were left out of: a share of new
    items is looked up among them (conformal prediction: Chernozhukov, Wuthrich and Zhu 2021).
    """

    shares: Floats
    values: Floats
    median_sd: Floats
    calibration: Floats
    df: float
    logged: bool

    def typical(self) -> Floats:
        return self._back(self._at(np.zeros(1))[:, 0])

    def mean(self) -> Floats:
        """Mean over the calibrated distribution."""
        scores = self._score((np.arange(200) + 0.5) / 200)
        return np.asarray(self._back(self._at(scores)).mean(axis=1))

    def mean_interval(self, confidence: float) -> tuple[Floats, Floats]:
        half = t_quantile(self.df, (1 + confidence) / 2) * self.median_sd
        center = self._at(np.zeros(1))[:, 0]
        ratio = self.mean() / self.typical() if self.logged else self.mean() - self.typical()
        low, high = self._back(center - half), self._back(center + half)
        return (low * ratio, high * ratio) if self.logged else (low + ratio, high + ratio)

    def cdf(self, bound: float) -> Floats:
        if self.logged:
            bound = math.log(bound) if bound > 0 else -math.inf
        if not math.isfinite(bound):
            return np.where(np.isnan(self.values[:, 0]), np.nan, float(bound > 0))
        score = self.scores(np.full(len(self.values), bound))
        n = len(self.calibration)
        ranks = np.interp(score, self.calibration, np.arange(1, n + 1) / (n + 1), left=0.0, right=1.0)
        below = score < self.calibration[0]
        above = score > self.calibration[-1]
        # beyond the farthest item that was left out: no more than its share, falling like the normal law
        tail = np.where(
            below,
            special.ndtr(score) / special.ndtr(self.calibration[0]) / (n + 1),
            1 - special.ndtr(-score) / special.ndtr(-self.calibration[-1]) / (n + 1),
        )
        return np.where(np.isnan(score), np.nan, np.where(below | above, tail, ranks))

    def below(self, bound: float) -> Floats:
        return self.cdf(bound)

    def quantile(self, share: float) -> Floats:
        return self._back(self._at(self._score(np.array([share])))[:, 0])

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        score = self._score(rng.uniform(size=(draws, len(self.values))))
        return self._back(_lines(score.T, special.ndtri(self.shares), np.sort(self.values, axis=1)).T)

    def scores(self, y: Floats) -> Floats:
        """The normal score of one value in each row."""
        z = special.ndtri(self.shares)
        ordered = np.sort(self.values, axis=1) + 1e-12 * np.arange(len(z)) * (np.abs(self.values).max() + 1)
        rows = np.arange(len(y))
        k = np.clip((ordered < y[:, None]).sum(axis=1) - 1, 0, len(z) - 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (y - ordered[rows, k]) / (ordered[rows, k + 1] - ordered[rows, k])
        return np.asarray(z[k] + share * (z[k + 1] - z[k]))

    def _score(self, share: Floats) -> Floats:
        """The normal score that a share of items left out stayed below."""
        n = len(self.calibration)
        ranks = np.arange(1, n + 1) / (n + 1)
        inside = np.interp(share, ranks, self.calibration)
        low = special.ndtri(np.clip(share * (n + 1), 1e-300, 1) * special.ndtr(self.calibration[0]))
        high = -special.ndtri(np.clip((1 - share) * (n + 1), 1e-300, 1) * special.ndtr(-self.calibration[-1]))
        return np.where(share < ranks[0], low, np.where(share > ranks[-1], high, inside))

    def _at(self, scores: Floats) -> Floats:
        ordered = np.sort(self.values, axis=1)
        each = np.broadcast_to(scores, (len(ordered), len(scores)))
        return _lines(each, special.ndtri(self.shares), ordered)

    def _back(self, x: Floats) -> Floats:
        if not self.logged:
            return np.asarray(x)
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(x))


def _lines(at: Floats, x: Floats, y: Floats) -> Floats:
    """Linear interpolation of each row, which goes on beyond both ends; shapes (m, s), (k,), (m, k)."""
    k = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    left, right = (np.take_along_axis(y, k + step, axis=1) for step in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(left + (at - x[k]) * (right - left) / (x[k + 1] - x[k]))
