"""A million runs of a process of 12 steps against drawing its random numbers alone.

Twelve lognormal steps, two of them in parallel, one with rework (p = 0.18), all correlated through one common
factor; the exact mean is known in closed form. Then the same process with other marginals, which go through
tables of quantiles. CPU seconds, the best of several rounds, floor and simulation in turn.

python benchmarks/simulation.py [runs]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

import perfanalytics as perf
from perfanalytics.models.simulation.correlation import read_correlation, score_correlation
from perfanalytics.models.simulation.engine import BLOCK, generator_of, prepare, run_fast

D = perf.Distribution
RANK, P = 0.3, 0.18
MEDIANS = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 9.0, 16.0, 11.0, 7.0, 5.0)
SIGMAS = (0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.50, 0.40, 0.30)


def process(sources: list[object]) -> object:
    """Steps 5 and 6 in parallel, step 10 with rework, the others in sequence."""
    s = [perf.step(f"step {k + 1}", source) for k, source in enumerate(sources)]
    return perf.sequence(
        *s[:4], perf.parallel(s[4], s[5]), *s[6:9], perf.rework(s[9], probability=P), *s[10:]
    )


def exact_mean() -> float:
    """Of the lognormal process: Clark's formula for the pair, the geometric series for the rework."""
    means = [m * math.exp(s * s / 2) for m, s in zip(MEDIANS, SIGMAS, strict=True)]
    rho, a, b = score_correlation(RANK), SIGMAS[4], SIGMAS[5]
    gap = math.log(MEDIANS[4] / MEDIANS[5])
    theta = math.sqrt(a * a + b * b - 2 * rho * a * b)
    pair = means[4] * ndtr((gap + a * a - rho * a * b) / theta)
    pair += means[5] * ndtr((-gap + b * b - rho * a * b) / theta)
    return sum(means) - means[4] - means[5] + pair + means[9] * P / (1 - P)


def draw_only(runs: int) -> None:
    """The random numbers of the lognormal process: factor, 12 steps, decisions, passes again."""
    generator = generator_of(1)
    for start in range(0, runs, BLOCK):
        n = min(BLOCK, runs - start)
        for _ in range(13):
            generator.standard_normal(n)
        while n:
            generator.random(n)
            n = int(n * P)
            generator.standard_normal(n)


def seconds(call: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    values = np.random.default_rng(1).gamma(4, 2, 500)
    kinds = {
        "lognormal": [D.lognormal(median=m, sigma=s) for m, s in zip(MEDIANS, SIGMAS, strict=True)],
        "gamma (tables)": [D.gamma(mean=m, sd=m * s) for m, s in zip(MEDIANS, SIGMAS, strict=True)],
        "500 observed values": [values * m / 8 for m in MEDIANS],
    }
    made = {name: process(sources) for name, sources in kinds.items()}
    names = tuple(s.name for s in made["lognormal"].steps)
    plans = {name: prepare(p, read_correlation(RANK, names)) for name, p in made.items()}
    calls = {"random numbers alone": lambda: draw_only(runs)}
    calls |= {f"runs, {name}": lambda p=plan: run_fast(p, runs, 1) for name, plan in plans.items()}
    calls["perf.simulate, lognormal"] = lambda: perf.simulate(
        made["lognormal"], runs=runs, rng=1, correlation=RANK, sensitivity=0
    )
    calls["the same with drivers"] = lambda: perf.simulate(
        made["lognormal"], runs=runs, rng=1, correlation=RANK
    )
    best: dict[str, float] = {}
    for _ in range(7):
        for name, call in calls.items():
            best[name] = min(best.get(name, math.inf), seconds(call))
    floor = best["random numbers alone"]
    for name, spent in best.items():
        print(f"{name:28s} {spent:7.3f} s  {1e9 * spent / runs:6.0f} ns a run  {spent / floor:5.2f} x")
    for name, plan in plans.items():
        worst = max(m.error for m in plan.marginals)
        print(f"largest error of a quantile, {name}: {worst:.1e} sd")
    totals = run_fast(plans["lognormal"], runs, 1)
    error = totals.std() / math.sqrt(runs)
    exact = exact_mean()
    apart = abs(totals.mean() - exact) / error
    print(f"mean {totals.mean():.4f}, exact {exact:.4f}, {apart:.1f} standard errors")


if __name__ == "__main__":
    main()
