"""What the intervals of baselines and capability hold on autocorrelated and skewed series.

Run from the root of the repository::

    python benchmarks/interval_coverage.py --simulations 1000

Prints a Markdown table: percent of simulated series in which an interval holds what it says (nominal 95),
with the effective sample size and, after the slash, the textbook version. Prediction intervals are judged by
their average probability content, tolerance intervals by how often their content reaches 95%.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from scipy import special

import perfanalytics as perf
from perfanalytics.baselines.capability_indices import bissell_interval
from perfanalytics.baselines.families import NORMAL
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.intervals import (
    effective,
    mean_interval,
    prediction_interval,
    tolerance_bounds,
    tolerance_interval,
)
from perfanalytics.core.order_statistics import quantile_ranks

RHOS = (0.0, 0.3, 0.6)
LEVELS = {"coverage": 0.95, "confidence": 0.95}
#: The upper limit of the capability study: three sigma above the mean, true Ppk 1.
LIMIT = 3.0


def ar1(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """A stationary AR(1) series of unit variance."""
    e = rng.standard_normal(n)
    y = e.copy()
    for t in range(1, n):
        y[t] = rho * y[t - 1] + math.sqrt(1 - rho**2) * e[t]
    return y


def content(low: float, high: float) -> float:
    """Probability of a standard normal value between two ends."""
    return float(special.ndtr(high) - special.ndtr(low))


def judged(y: np.ndarray, dependence: str) -> dict[str, float]:
    """For one series on the right scale: 1 where the interval holds (or its content)."""
    size = effective(y, dependence)
    mean, sd = float(y.mean()), float(y.std(ddof=1))
    low, high = mean_interval(mean, sd, size, confidence=0.95)
    out = {"mean": float(low <= 0 <= high)}
    out["prediction, next item"] = content(*prediction_interval(mean, sd, size, coverage=0.95))
    for method in ("howe", "exact"):
        ends = tolerance_interval(mean, sd, size, **LEVELS, method=method)
        out[f"tolerance 95/95, {method}"] = float(content(*ends) >= 0.95)
    out["tolerance 95/95, one-sided"] = float(
        special.ndtr(tolerance_bounds(mean, sd, size, **LEVELS)[1]) >= 0.95
    )
    n_effective = size.n_mean if size.r > 0 else None
    ends = quantile_ranks(len(y), 0.9, n_effective=n_effective).bounds(np.sort(y))
    out["P90, order statistics"] = float(ends[0] <= special.ndtri(0.9) <= ends[1])
    made = fit_family(NORMAL, y, inflation=size.n / size.n_mean)
    i = made.quantile_interval(0.9)
    out["P90, fitted family"] = float(i.contains(float(special.ndtri(0.9))))
    _, j = made.share_interval(upper=1.5)
    out["share meeting an objective, fitted"] = float(j.contains(float(special.ndtr(1.5))))
    corrected = np.array([(LIMIT - mean) / 3 / sd / math.sqrt(size.variance_factor)])
    low, high = bissell_interval(corrected, np.array([size.df]), np.array([size.n_mean]), confidence=0.95)
    out["Ppk"] = float(low[0] <= LIMIT / 3 <= high[0])
    return out


def skewed(y: np.ndarray) -> dict[str, float]:
    """Lognormal values (sigma 0.5) as they are, against the declared log scale, by the public functions."""
    x = np.exp(0.5 * y)
    hours = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    wrong = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="real")
    when = np.datetime64("2024-01-01") + np.arange(len(x))
    out = {}
    for name, measure in (("log scale", hours), ("taken as normal", wrong)):
        made = perf.baseline(perf.Series(x, measure=measure, when=when), tolerance="exact")
        i = made["tolerance interval"].interval
        assert i is not None
        low = math.log(i.low) / 0.5 if i.low > 0 else -math.inf
        out[f"tolerance 95/95, exact, {name}"] = float(content(low, math.log(i.high) / 0.5) >= 0.95)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--skewed", type=int, default=100, help="simulations of the skewed rows")
    asked = parser.parse_args()
    began, rng = time.perf_counter(), np.random.default_rng(20260101)
    cells: dict[tuple[str, float], tuple[float, float]] = {}
    bent: dict[tuple[str, float], float] = {}
    for rho in RHOS:
        series = [ar1(rng, asked.n, rho) for _ in range(asked.simulations)]
        allowed, plain = ([judged(y, d) for y in series] for d in ("ar1", "independent"))
        for name in allowed[0]:
            both = tuple(100 * float(np.mean([row[name] for row in rows])) for rows in (allowed, plain))
            cells[name, rho] = (both[0], both[1])
        more = [skewed(y) for y in series[: asked.skewed]]
        for name in more[0]:
            bent[name, rho] = 100 * float(np.mean([row[name] for row in more]))
    print(f"n = {asked.n}, {asked.simulations} series a cell, effective sample size / textbook\n")
    print("| interval | " + " | ".join(f"rho {r:g}" for r in RHOS) + " |\n|---|" + "---|" * len(RHOS))
    for name in dict.fromkeys(name for name, _ in cells):
        print(f"| {name} | " + " | ".join("{:.0f} / {:.0f}".format(*cells[name, r]) for r in RHOS) + " |")
    for name in dict.fromkeys(name for name, _ in bent):
        print(f"| lognormal: {name} | " + " | ".join(f"{bent[name, r]:.0f}" for r in RHOS) + " |")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
