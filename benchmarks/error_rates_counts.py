"""False alarms of the default comparison where its theory ends: dependent shares and counts, missing periods.

Run from the root of the repository::

    python benchmarks/error_rates_counts.py --simulations 400

Weekly shares and counts whose level wanders as an AR(1) series on the logit or log scale, binomial or Poisson
around it, with denominators that vary; and AR(1) series of which a part of the periods is missing. Without an
effect; the default of ``perf.compare`` beside one big binomial (or Poisson) test and Welch, in the same run.
"""

from __future__ import annotations

import argparse

import numpy as np
from error_rates import ALPHA, ar1, head, row

import perfanalytics as perf

SHARE = perf.Measure("share", definition="simulated", unit="1", better="higher", scale="proportion")
COUNT = perf.Measure("count", definition="simulated", unit="events", better="lower", scale="count")
VALUE = perf.Measure("value", definition="simulated", unit="h", better="lower", scale="real")


def sides(
    values: np.ndarray, when: np.ndarray, n: int, measure: perf.Measure, every: str, sizes: np.ndarray | None
) -> tuple[perf.Series, perf.Series]:
    """The two halves as series; ``n`` is the first position after the change."""

    def side(part: slice) -> perf.Series:
        return perf.Series(
            values[part],
            measure=measure,
            when=when[part],
            sizes=None if sizes is None else sizes[part],
            expected_every=every,
        )

    return side(slice(None, n)), side(slice(n, None))


def alarms(pairs: list[tuple[perf.Series, perf.Series]], methods: tuple[str | None, ...]) -> list[float]:
    """Percent of comparisons whose primary says p < 0.05, for each method (None: the default)."""
    found = np.zeros(len(methods))
    for before, after in pairs:
        for k, method in enumerate(methods):
            found[k] += perf.compare(before, after, method=method, rng=1).primary.p_value < ALPHA
    return (100 * found / len(pairs)).tolist()


def shares(m: int, rng: np.random.Generator) -> None:
    """Weekly shares around 85%, denominators 40 to 160, the level wanders by 0 to 0.5 logits."""
    print("\n**Dependent shares: false alarms in percent**\n")
    head("weeks a side", "SD of the level (logits)", "rho", "default", "two_proportions", "welch")
    for n in (25, 50):
        when = np.datetime64("2022-01-03") + 7 * np.arange(2 * n)
        for sd, rho in ((0.0, 0.0), (0.2, 0.0), (0.2, 0.6), (0.5, 0.3), (0.5, 0.6)):
            pairs = []
            for level in ar1(rng, m, 2 * n, rho):
                size = rng.integers(40, 161, 2 * n)
                p = 1 / (1 + np.exp(-(np.log(0.85 / 0.15) + sd * level)))
                pairs.append(sides(rng.binomial(size, p), when, n, SHARE, "week", size))
            row(n, sd, f"{rho:.1f}", *alarms(pairs, (None, "two_proportions", "welch")))


def counts(m: int, rng: np.random.Generator) -> None:
    """Weekly counts around 3 and 20, the level with a standard deviation of 0 to 0.4 on the log scale."""
    print("\n**Dependent counts: false alarms in percent**\n")
    head("weeks a side", "mean", "SD of the level (log)", "rho", "default", "poisson_rates", "welch")
    for n in (25, 50):
        when = np.datetime64("2022-01-03") + 7 * np.arange(2 * n)
        for mean in (3.0, 20.0):
            for sd, rho in ((0.0, 0.0), (0.4, 0.0), (0.4, 0.6)):
                levels = ar1(rng, m, 2 * n, rho)
                drawn = rng.poisson(mean * np.exp(sd * levels - sd * sd / 2)).astype(float)
                pairs = [sides(x, when, n, COUNT, "week", None) for x in drawn]
                row(n, mean, sd, f"{rho:.1f}", *alarms(pairs, (None, "poisson_rates", "welch")))


def gaps(m: int, rng: np.random.Generator) -> None:
    """AR(1) by days, of which 30 or 60% are missing at random."""
    print("\n**Missing periods: false alarms in percent**\n")
    head("days a side", "missing", "rho", "default", "welch", "mann_whitney")
    n = 80
    day = np.datetime64("2024-01-01") + np.arange(2 * n)
    for missing in (0.3, 0.6):
        for rho in (0.0, 0.4, 0.8):
            pairs = []
            for y in ar1(rng, m, 2 * n, rho):
                keep = rng.random(2 * n) >= missing
                pairs.append(sides(y[keep], day[keep], int(keep[:n].sum()), VALUE, "day", None))
            row(n, f"{missing:.0%}", f"{rho:.1f}", *alarms(pairs, (None, "welch", "mann_whitney")))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=400, help="studies a cell (400)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    for table in (shares, counts, gaps):
        table(asked.simulations, rng)
    m = asked.simulations
    print(f"\nStandard error at 5%: {100 * np.sqrt(0.05 * 0.95 / m):.1f} points ({m} studies a cell).")


if __name__ == "__main__":
    main()
