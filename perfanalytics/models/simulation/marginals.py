"""Sources made ready for millions of draws: from a standard normal score to a value, in place.

Lognormal and normal values come straight from the score. Other continuous ones come from a table of quantiles
at equally spaced scores, read linearly; the error is measured between the entries and stated. Observed and
discrete values are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from perfanalytics.baselines.fitted import Fitted
from perfanalytics.core.columns import Floats
from perfanalytics.models.simulation.sources import ModelItem, Sample, Source

#: Scores beyond this are taken as this: it happens once in 10^15 draws.
REACH = 8.0
#: Intervals of a table; 4,097 numbers stay in the first-level cache.
INTERVALS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """Normal or lognormal: ``shift + center + spread z``, or its exponential."""

    exact: ClassVar[bool] = True

    center: float
    spread: float
    logged: bool
    shift: float = 0.0
    error: float = 0.0

    def values(self, noise: Floats, factor: Floats | None, loading: float) -> Floats:
        """Values at ``loading * factor + sqrt(1 - loading^2) * noise``; ``noise`` is overwritten."""
        own = self.spread
        if factor is not None and loading:
            own *= math.sqrt(1 - loading * loading)
            noise *= own
            noise += factor * (self.spread * loading)
        elif own != 1.0:
            noise *= own
        noise += self.center
        if self.logged:
            np.exp(noise, out=noise)
            if self.shift:
                noise += self.shift
        return noise

    def quantile_at(self, z: Floats) -> Floats:
        """The value at a normal score."""
        return self.values(np.array(z, dtype=float), None, 0.0)

    def score_of(self, x: Floats) -> Floats:
        """The largest score whose value does not exceed ``x``."""
        if self.logged:
            above = np.asarray(x) - self.shift
            with np.errstate(divide="ignore"):
                logs = np.log(np.maximum(above, 0.0))
            return np.asarray((logs - self.center) / self.spread)
        return np.asarray((np.asarray(x) - self.center) / self.spread)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Single values: ``at[i]`` up to the score ``ends[i]``. Exact."""

    exact: ClassVar[bool] = True

    at: Floats
    ends: Floats
    alike: bool
    error: float = 0.0

    def values(self, noise: Floats, factor: Floats | None, loading: float) -> Floats:
        """Values at the scores; ``noise`` is overwritten."""
        if len(self.at) == 1:
            noise[:] = self.at[0]
            return noise
        z = _scores(noise, factor, loading)
        if not self.alike:
            return self.at[np.searchsorted(self.ends, z, side="right")]
        special.ndtr(z, out=z)
        z *= len(self.at)
        which = z.astype(np.intp)
        np.minimum(which, len(self.at) - 1, out=which)
        return self.at[which]

    def quantile_at(self, z: Floats) -> Floats:
        """The value at a normal score."""
        return np.array(self.values(np.array(z, dtype=float), None, 0.0))

    def score_of(self, x: Floats) -> Floats:
        """The largest score whose value does not exceed ``x``."""
        edges = np.concatenate([[-np.inf], self.ends, [np.inf]])
        return np.asarray(edges[np.searchsorted(self.at, x, side="right")])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Quantiles at equally spaced scores from -8 to 8, read linearly.

    ``error`` is the largest error between the entries, in standard deviations (of the value where that is
    larger).
    """

    exact: ClassVar[bool] = False

    at: Floats
    slope: Floats
    error: float

    def values(self, noise: Floats, factor: Floats | None, loading: float) -> Floats:
        """Values at the scores; ``noise`` is overwritten."""
        z = _scores(noise, factor, loading)
        z += REACH
        z *= INTERVALS / (2 * REACH)
        np.clip(z, 0.0, INTERVALS - 1e-9, out=z)
        which = z.astype(np.intp)
        z -= which
        z *= self.slope.take(which)
        z += self.at.take(which)
        return z

    def quantile_at(self, z: Floats) -> Floats:
        """The value at a normal score."""
        return self.values(np.array(z, dtype=float), None, 0.0)

    def score_of(self, x: Floats) -> Floats:
        """The largest score whose value does not exceed ``x``."""
        grid = np.linspace(-REACH, REACH, INTERVALS + 1)
        rising, first = np.unique(self.at, return_index=True)
        score = np.interp(x, rising, grid[first], left=-np.inf, right=np.inf)
        return np.asarray(np.where(np.asarray(x) >= rising[-1], np.inf, score))


Marginal = Straight | Steps | Table


def _scores(noise: Floats, factor: Floats | None, loading: float) -> Floats:
    if factor is not None and loading:
        noise *= math.sqrt(1 - loading * loading)
        noise += factor * loading
    return noise


def marginal_of(source: Source) -> Marginal:
    """The source ready to draw from.

    Examples
    --------
    >>> from perfanalytics.models.simulation.distribution import Distribution
    >>> made = marginal_of(Distribution.gamma(mean=4.0, sd=2.0))
    >>> made.error < 1e-5
    True
    """
    if isinstance(source, Sample):
        n = len(source.values)
        return Steps(source.values, np.asarray(special.ndtri(np.arange(1, n) / n)), True)
    if isinstance(source, ModelItem):
        if source.spread == 0:
            at = math.exp(source.center) if source.logged else source.center
            return Steps(np.array([at]), np.empty(0), False)
        return Straight(source.center, source.spread, source.logged)
    if isinstance(source, Fitted):
        return _fitted(source)
    if source.family == "normal":
        return Straight(source.numbers[0], source.numbers[1], False)
    if source.family == "lognormal":
        return Straight(*source.log_parameters, True)
    if source.family == "constant":
        return Steps(np.array(source.numbers), np.empty(0), False)
    if source.family == "discrete":
        kept = np.array(source.numbers) > 0
        shares = np.array(source.numbers)[kept]
        return Steps(np.array(source.values)[kept], special.ndtri(np.cumsum(shares)[:-1]), False)
    grid = _fine_grid()
    return _table(source.quantile_at(grid), math.sqrt(source.variance))


def _fine_grid() -> Floats:
    """The scores of a table, with one more between each two to measure its error at."""
    return np.linspace(-REACH, REACH, 2 * INTERVALS + 1)


def _table(fine: Floats, sd: float) -> Table:
    at = np.ascontiguousarray(fine[::2])
    between = (at[1:] + at[:-1]) / 2
    scale = np.maximum(sd, np.abs(fine[1::2]))
    return Table(at, np.diff(at), float(np.max(np.abs(between - fine[1::2]) / scale)))


def _fitted(source: Fitted) -> Marginal:
    shift = source.threshold
    estimate = source.estimate
    if source.parameters[-1] == "threshold":
        shift, estimate = float(estimate[-1]), estimate[:-1]
    if source.family == "normal":
        return Straight(float(estimate[0]), float(estimate[1]), False)
    if source.family == "lognormal":
        return Straight(float(estimate[0]), float(estimate[1]), True, shift)
    grid = _fine_grid()
    # quantile() takes shares, which cannot tell 1 - 1e-16 from 1: the score is kept where it can
    fine = source.quantile(np.clip(special.ndtr(grid), 1e-300, 1 - 1e-16))
    weight = np.exp(-0.5 * grid * grid)
    weight /= weight.sum()
    mean = float(weight @ fine)
    return _table(np.maximum.accumulate(fine), math.sqrt(float(weight @ (fine - mean) ** 2)))
