"""Exact means and variances of composed processes, against which every simulation is checked.

Given the common factor, all draws are independent: moments are composed at each value of the factor, and then
averaged over it. Parallel steps go through the distribution function of their order statistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.models.simulation.engine import Plan
from perfanalytics.models.simulation.marginals import INTERVALS, REACH, Marginal, Steps, Straight
from perfanalytics.models.simulation.parts import Batch, Branch, Parallel, Part, Rework, Sequence, Step

#: Scores a step of the grid under parallel steps, and the most single values that are still gone through.
SCORES, MOST_VALUES = 1201, 3000


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance; NaN where there is no closed form."""

    mean: float
    variance: float


def exact_moments(plan: Plan) -> Moments:
    """Mean and variance of the total, NaN where no closed form is known.

    Examples
    --------
    >>> from perfanalytics.models.simulation.correlation import read_correlation
    >>> from perfanalytics.models.simulation.engine import prepare
    >>> from perfanalytics.models.simulation.parts import rework, step
    >>> loop = rework(step("test", Distribution.exponential(mean=2.0)), probability=0.5)
    >>> exact_moments(prepare(loop, read_correlation(None, ("test",))))     # exponential with mean 4
    Moments(mean=4.0, variance=16.0)
    """
    if plan.has_factor:
        # the trapezoidal rule is exact to rounding for what the factor is smoothed by
        factor = np.linspace(-12.0, 12.0, 97)
        weight = np.exp(-0.5 * factor * factor)
        weight /= weight.sum()
    else:
        factor, weight = np.zeros(1), np.ones(1)
    mean, variance = _Composer(plan, factor).of(plan.process)
    center = float(weight @ mean)
    total = float(weight @ variance + weight @ (mean - center) ** 2)
    return Moments(center, total if plan.root is None else math.nan)


def expected_visits(part: Part) -> dict[str, float]:
    """How often each step is done on average."""
    if isinstance(part, Step):
        return {part.name: 1.0}
    if isinstance(part, Branch):
        weights = part.probabilities
    elif isinstance(part, Rework):
        weights = (_passes(part)[0],)
    elif isinstance(part, Batch):
        weights = (float(part.size),)
    else:
        weights = (1.0,) * len(part.children)
    out: dict[str, float] = {}
    for child, weight in zip(part.children, weights, strict=True):
        out |= {name: weight * n for name, n in expected_visits(child).items()}
    return out


def step_mean(plan: Plan, step: Step) -> float:
    """Exact mean of one draw of a step."""
    marginal = plan.marginals[plan.index[step.name]]
    return float(_of_step(step, marginal, 0.0, np.zeros(1))[0][0])


def _passes(part: Rework) -> tuple[float, float]:
    """Mean and variance of the number of passes."""
    p = part.probability
    if part.at_most is None:
        return 1 / (1 - p), p / (1 - p) ** 2
    # P(more than j passes) = p^j, up to the limit
    survive = p ** np.arange(1, part.at_most + 1)
    mean = 1 + float(survive.sum())
    square = 1 + float(((2 * np.arange(1, part.at_most + 1) + 1) * survive).sum())
    return mean, square - mean * mean


class _Composer:
    """Moments at each value of the common factor."""

    def __init__(self, plan: Plan, factor: Floats) -> None:
        self.plan, self.factor = plan, factor
        self.unknown = np.full(len(factor), math.nan)

    def of(self, part: Part) -> tuple[Floats, Floats]:
        if isinstance(part, Step):
            k = self.plan.index[part.name]
            return _of_step(part, self.plan.marginals[k], self.plan.loadings[k], self.factor)
        if isinstance(part, Parallel):
            return self._order(part.parts, part.wait_for)
        if isinstance(part, Batch) and part.together:
            return self._order((part.part,) * part.size, part.size)
        each = [self.of(child) for child in part.children]
        if isinstance(part, Sequence):
            return sum((m for m, _ in each), np.zeros(1)), sum((v for _, v in each), np.zeros(1))
        if isinstance(part, Branch):
            pairs = list(zip(part.probabilities, each, strict=True))
            mean = sum((p * m for p, (m, _) in pairs), np.zeros(1))
            return mean, sum((p * (v + (m - mean) ** 2) for p, (m, v) in pairs), np.zeros(1))
        (mean, variance) = each[0]
        if isinstance(part, Rework):
            passes, spread = _passes(part)
            return passes * mean, passes * variance + spread * mean * mean
        assert isinstance(part, Batch)
        return part.size * mean, part.size * variance

    def _order(self, parts: tuple[Part, ...], k: int) -> tuple[Floats, Floats]:
        """The k-th smallest of independent steps (given the factor)."""
        steps = [p for p in parts if isinstance(p, Step)]
        if len(steps) < len(parts) or self.plan.root is not None:
            return self.unknown, self.unknown
        marginals = [self.plan.marginals[self.plan.index[s.name]] for s in steps]
        if any(isinstance(m, Steps) and len(m.at) > MOST_VALUES for m in marginals):
            return self.unknown, self.unknown
        x = np.unique(np.concatenate([_values_of(m) for m in set(marginals)]))[:, None]
        # chance[j]: so many are done by x
        chance = [np.ones((len(x), len(self.factor)))]
        for step, marginal in zip(steps, marginals, strict=True):
            done = _cdf(marginal, self.plan.loadings[self.plan.index[step.name]], x, self.factor)
            kept = [c * (1 - done) for c in chance] + [np.zeros_like(done)]
            chance = [kept[0]] + [kept[j] + chance[j - 1] * done for j in range(1, len(kept))]
        waiting = sum(chance[:k], np.zeros(1))
        low = float(x[0, 0])
        mean = low + np.trapezoid(waiting, x, axis=0)
        square = low * low + np.trapezoid(2 * x * waiting, x, axis=0)
        return mean, square - mean * mean


def _values_of(marginal: Marginal) -> Floats:
    """Where the distribution function is looked at: closely, and on both sides of every jump."""
    if isinstance(marginal, Steps):
        return np.concatenate([marginal.at, np.nextafter(marginal.at, -np.inf)])
    return marginal.quantile_at(np.linspace(-8.5, 8.5, SCORES))


def _cdf(marginal: Marginal, loading: float, x: Floats, factor: Floats) -> Floats:
    score = marginal.score_of(x)
    own = math.sqrt(1 - loading * loading)
    return np.asarray(special.ndtr((score - loading * factor) / own))


def _of_step(step: Step, marginal: Marginal, loading: float, factor: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of one draw at each value of the factor."""
    own = math.sqrt(1 - loading * loading)
    if isinstance(marginal, Straight):
        center = marginal.center + marginal.spread * loading * factor
        square = (marginal.spread * own) ** 2
        if not marginal.logged:
            return center, np.full(len(factor), square)
        mean = np.exp(center + square / 2)
        return mean + marginal.shift, mean * mean * math.expm1(square)
    if not loading and isinstance(step.source, Distribution):
        return np.full(len(factor), step.source.mean), np.full(len(factor), step.source.variance)
    if isinstance(marginal, Steps):
        at, edges = marginal.at, np.concatenate([[-np.inf], marginal.ends, [np.inf]])
    else:
        grid = np.linspace(-REACH, REACH, INTERVALS + 1)
        at, edges = marginal.quantile_at((grid[1:] + grid[:-1]) / 2), grid
    mean, variance = np.empty(len(factor)), np.empty(len(factor))
    for k, f in enumerate(factor.tolist()):
        share = np.diff(special.ndtr((edges - loading * f) / own))
        mean[k] = share @ at
        variance[k] = share @ (at - mean[k]) ** 2
    return mean, variance
