"""The table of a simulation: mean, spread, percentiles and probability with their simulation errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.order_statistics import quantile_ranks
from perfanalytics.core.records import Objective
from perfanalytics.models.simulation.asked import PERCENTILES, meets
from perfanalytics.models.simulation.engine import Plan
from perfanalytics.models.simulation.moments import exact_moments, expected_visits, step_mean
from perfanalytics.models.simulation.result import exact_share
from perfanalytics.models.simulation.sensitivity import Drivers

#: Quantiles that are kept, equally spaced as normal scores.
KEPT = 1001
#: Bars of the histogram.
BARS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """Columns of the table, one entry a quantity."""

    names: tuple[str, ...]
    estimate: Floats
    low: Floats
    high: Floats
    how: tuple[str, ...]
    unit: tuple[str, ...]

    def value(self, name: str) -> float:
        """One estimate."""
        return float(self.estimate[self.names.index(name)])


def quantities(
    ordered: Floats,
    moments: tuple[float, float, float],
    objective: Objective | None,
    unit: str,
    confidence: float,
) -> Quantities:
    """The table of sorted totals; ``moments``: mean, standard deviation, standard error of the variance."""
    n = len(ordered)
    z = float(special.ndtri((1 + confidence) / 2))
    mean, sd, variance_error = moments
    sd_error = variance_error / (2 * sd) if sd > 0 else 0.0
    rows = [
        ("mean", mean, mean - z * sd / math.sqrt(n), mean + z * sd / math.sqrt(n), "normal", unit),
        ("sd", sd, max(sd - z * sd_error, 0.0), sd + z * sd_error, "normal, delta method", unit),
    ]
    for p in PERCENTILES:
        low, high = quantile_ranks(n, p / 100, confidence=confidence).bounds(ordered)
        rows.append((f"p{p}", _quantile(ordered, p / 100), low, high, "order statistics", unit))
    if objective is not None:
        share = meets(ordered, objective)
        rows.append(("probability", share, *exact_share(share * n, n, confidence), "exact binomial", ""))
    names, estimate, low_, high_, how, units = zip(*rows, strict=True)
    return Quantities(names, np.array(estimate), np.array(low_), np.array(high_), how, units)


def _quantile(ordered: Floats, p: float) -> float:
    """Linear between order statistics (type 7), of values that are sorted already."""
    place = p * (len(ordered) - 1)
    k = math.floor(place)
    more = float(ordered[min(k + 1, len(ordered) - 1)] - ordered[k])
    return float(ordered[k]) + (place - k) * more


def sample_moments(totals: Floats) -> tuple[float, float, float]:
    """Mean, standard deviation, and the standard error of the variance."""
    n = len(totals)
    mean = float(totals.mean())
    squares = totals - mean
    squares *= squares
    variance = float(squares.sum()) / (n - 1)
    fourth = float(squares @ squares) / n
    return mean, math.sqrt(variance), math.sqrt(max(fourth - variance * variance, 0.0) / n)


def kept(ordered: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Quantiles to keep (shares, values), and the histogram (edges, counts)."""
    n = len(ordered)
    reach = float(special.ndtri(1 - 0.5 / n))
    p = special.ndtr(np.linspace(-reach, reach, KEPT))
    place = np.unique(np.clip(np.round(p * n).astype(np.int64) - 1, 0, n - 1))
    place = np.unique(np.concatenate([[0], place, [n - 1]]))
    low, high = _quantile(ordered, 0.0005), _quantile(ordered, 0.999)
    if not high > low:
        low, high = float(ordered[0]), float(ordered[-1])
    if not high > low:
        half = 0.05 * abs(low) or 0.5
        low, high = low - half, high + half
    edges = np.linspace(low, high, BARS + 1)
    ends = np.searchsorted(ordered, edges)
    ends[-1] = np.searchsorted(ordered, high, side="right")
    # the share at most a kept value, also where it comes several times
    shares = np.searchsorted(ordered, ordered[place], side="right") / n
    return shares, ordered[place], edges, np.diff(ends).astype(float)


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """Closed forms and what the simulation gave."""

    names: tuple[str, ...]
    exact: Floats
    simulated: Floats
    error: Floats


def checks(plan: Plan, moments: tuple[float, float, float], n: int, drivers: Drivers | None) -> Checks:
    """Mean and variance of the total, and the mean of each step where drivers were computed.

    The standard error of the mean is that of the exact variance where it is known: a heavy tail hides in the
    sample variance.
    """
    mean, sd, variance_error = moments
    exact = exact_moments(plan)
    spread = exact.variance if math.isfinite(exact.variance) else sd * sd
    rows = [
        ("mean of the total", exact.mean, mean, math.sqrt(max(spread, 0.0) / n)),
        ("variance of the total", exact.variance, sd * sd, variance_error),
    ]
    if drivers is not None:
        visits = expected_visits(plan.process)
        for k, step in enumerate(plan.process.steps):
            totals = drivers.record.totals[k]
            error = float(totals.std(ddof=1)) / math.sqrt(len(totals))
            due = visits[step.name] * step_mean(plan, step)
            rows.append((f"mean of {step.name}", due, float(totals.mean()), error))
    names, due_, found, error_ = zip(*rows, strict=True)
    return Checks(names, np.array(due_), np.array(found), np.array(error_))
