"""False alarms and power of the default comparison beside Welch and Mann-Whitney, in the same run.

Run from the root of the repository::

    python benchmarks/error_rates.py --simulations 2000

Prints Markdown tables: percent of simulated studies in which each test says p < 0.05, with the standard
error; power for the shift that an oracle who knows the correlation would find in 80% of the studies; how
often sound studies fail the checks of attributability; and how often the resampled intervals of the
secondary rows hold the truth.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy import special

import perfanalytics as perf
from perfanalytics.comparisons.classical import ewc_welch, ljung_box
from perfanalytics.comparisons.levels import (
    LEVEL_CONTRAST,
    level_changes,
    level_design,
    regression_design,
    slope_design,
    whitened,
)
from perfanalytics.comparisons.methods.bayes import level_posterior
from perfanalytics.comparisons.methods.long_run import effective_n_welch, newey_west
from perfanalytics.comparisons.reml import fit_reml
from perfanalytics.comparisons.seasons import LEVEL, season_columns, season_test

ALPHA = 0.05
RHOS = (0.0, 0.2, 0.4, 0.6)
SIZES = (30, 50, 100)


def ar1(rng: np.random.Generator, m: int, n: int, rho: float) -> np.ndarray:
    """m stationary AR(1) series of unit variance."""
    e = rng.standard_normal((m, n))
    y = e.copy()
    for t in range(1, n):
        y[:, t] = rho * y[:, t - 1] + np.sqrt(1 - rho**2) * e[:, t]
    return y


def ar2(rng: np.random.Generator, m: int, n: int, a: float, b: float) -> np.ndarray:
    """m AR(2) series of unit variance."""
    burn = 200
    e = rng.standard_normal((m, n + burn))
    y = np.zeros_like(e)
    for t in range(2, n + burn):
        y[:, t] = a * y[:, t - 1] + b * y[:, t - 2] + e[:, t]
    variance = (1 - b) / ((1 + b) * ((1 - b) ** 2 - a**2))
    return y[:, burn:] / np.sqrt(variance)


def oracle_shift(n1: int, n2: int, rho: float) -> float:
    """The difference an oracle who knows rho (unit variance) detects with 80% power."""
    n = n1 + n2
    k = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    x = np.stack([np.ones(n), np.arange(n) >= n1], axis=1).astype(float)
    inverse = np.linalg.inv(np.where(k == 0, 1.0, rho ** k.astype(float)))
    variance = np.linalg.inv(x.T @ inverse @ x)[1, 1]
    return float((special.ndtri(1 - ALPHA / 2) + special.ndtri(0.8)) * np.sqrt(variance))


@dataclass(frozen=True)
class Rates:
    """Percent of series in which each test rejects."""

    default: float
    default_without_noise: float
    welch: float
    mann_whitney: float


def rates(y: np.ndarray, n1: int, *, scale: str = "raw") -> Rates:
    """y (m, n) as the user sees it; the default works on ``scale``, the others on the values as they are."""
    m, n = y.shape
    offsets = np.arange(m + 1) * n
    both = [
        level_changes(y.ravel(), offsets, n1, scale=scale, noise=noise).p_value for noise in (True, False)
    ]
    return Rates(*(100 * float((p < ALPHA).mean()) for p in (*both, welch_p(y, n1), mann_whitney_p(y, n1))))


def welch_p(y: np.ndarray, n1: int) -> np.ndarray:
    a, b = y[:, :n1], y[:, n1:]
    v1, v2 = a.var(1, ddof=1) / a.shape[1], b.var(1, ddof=1) / b.shape[1]
    df = (v1 + v2) ** 2 / (v1**2 / (a.shape[1] - 1) + v2**2 / (b.shape[1] - 1))
    return 2 * special.stdtr(df, -np.abs(b.mean(1) - a.mean(1)) / np.sqrt(v1 + v2))


def mann_whitney_p(y: np.ndarray, n1: int) -> np.ndarray:
    n, n2 = y.shape[1], y.shape[1] - n1
    ranks = y.argsort(axis=1).argsort(axis=1) + 1
    u = ranks[:, n1:].sum(axis=1) - n2 * (n2 + 1) / 2
    z = (np.abs(u - n1 * n2 / 2) - 0.5) / np.sqrt(n1 * n2 * (n + 1) / 12)
    return 2 * special.ndtr(-z)


def not_attributable(y: np.ndarray, n1: int) -> float:
    """Percent of studies that fail the checks (slope before, whiteness; joint level 5%, Holm)."""
    m, n = y.shape
    gap = np.ones((m, n))
    gap[:, 0] = np.inf
    after = np.broadcast_to(np.arange(n) >= n1, (m, n))
    design = level_design(y, after=after, gap=gap)
    fit = fit_reml(design, LEVEL_CONTRAST)
    white = np.array(
        [ljung_box(whitened(design, fit, i), fitted=1 + (fit.noise[i] > 0)).p_value for i in range(m)]
    )
    time_before = np.broadcast_to(np.arange(n1, dtype=float), (m, n1))
    slope = fit_reml(slope_design(y[:, :n1], time=time_before, gap=gap[:, :n1]), np.array([0.0, 1.0]))
    slope_p = 2 * special.stdtr(slope.df, -np.abs(slope.estimate / slope.se))
    return 100 * float((np.minimum(white, slope_p) < ALPHA / 2).mean())


def interrupted_p(y: np.ndarray, n1: int, contrast: tuple[float, ...]) -> np.ndarray:
    """p-value of a contrast of the segmented regression (levels before and after, slope, its change)."""
    m, n = y.shape
    t = np.arange(n) - n1
    after = t >= 0
    x = np.column_stack([~after, after, t, np.where(after, t, 0)]).astype(float)
    gap = np.ones((m, n))
    gap[:, 0] = np.inf
    design = regression_design(
        y, np.broadcast_to(x, (m, n, 4)), after=np.broadcast_to(after, (m, n)), gap=gap
    )
    fit = fit_reml(design, np.array(contrast))
    return 2 * special.stdtr(fit.df, -np.abs(fit.estimate / fit.se))


def seasonal_p(y: np.ndarray, when: np.ndarray, after: np.ndarray, season: str | None) -> np.ndarray:
    """p-value of the level change with seasonal terms; periods are months."""
    m, n = y.shape
    gap = np.ones((m, n))
    gap[:, 1:] = np.diff(when.astype(int))
    gap[:, 0] = np.inf
    terms = np.zeros((n, 0)) if season is None else season_columns(when, season)
    design = level_design(y, after=np.broadcast_to(after, (m, n)), gap=gap, seasonal=terms)
    fit = fit_reml(design, np.r_[LEVEL_CONTRAST, np.zeros(terms.shape[1])])
    return 2 * special.stdtr(fit.df, -np.abs(fit.estimate / fit.se))


def season_found(y: np.ndarray, when: np.ndarray, after: np.ndarray, seasons: tuple[str, ...]) -> float:
    """Percent of series in which the search behind the caveat ``seasonal`` finds one of the seasons."""
    base = np.column_stack([~after, after]).astype(float)
    gap = np.r_[np.inf, np.ones(y.shape[1] - 1)]
    columns = [season_columns(when, s) for s in seasons]
    least = [[season_test(row, base, c, gap=gap).p_value for c in columns] for row in y]
    return 100 * float((np.nanmin(least, axis=1) <= LEVEL / len(seasons)).mean())


def season_search(m: int, rng: np.random.Generator) -> None:
    """How often the season that was left in is found, and one that is not there."""
    print(
        "\n**The search for a season that was left in: found, and found where there is none, in percent**\n"
    )
    head(
        "periods",
        "before",
        "after",
        "rho",
        "season of 1.5 SD (months), 1 SD (days)",
        "none",
        "none, SD after x 2",
    )
    for unit, cells in (("months", ((12, 12), (24, 12), (36, 24))), ("days", ((14, 14), (30, 30), (60, 60)))):
        for n1, n2 in cells:
            k = np.arange(n1 + n2)
            when = (
                np.datetime64("2020-01", "M") + k if unit == "months" else np.datetime64("2020-01-06") + k
            ).astype("datetime64[D]")
            seasons = ("month", "year") if unit == "months" else ("weekday",)
            wave = (
                1.5 * np.cos(2 * np.pi * k / 12)
                if unit == "months"
                else 1.0 * np.sqrt(2) * np.sin(2 * np.pi * k / 7)
            )
            for rho in (0.0, 0.3, 0.6):
                y = ar1(rng, m, n1 + n2, rho)
                cells_of = (y + wave, y, y * np.where(k >= n1, 2.0, 1.0))
                row(unit, n1, n2, f"{rho:.1f}", *(season_found(z, when, k >= n1, seasons) for z in cells_of))


def more_tables(m: int, few: int, rng: np.random.Generator) -> None:
    """Interrupted series, seasons, the other series methods, block bootstrap, Bayes."""
    print("\n**Interrupted time series: false alarms and power of the level change, in percent**\n")
    head("law", "n a side", "rho", "level change", "slope change", "power of the level change")
    contrasts = ((-1.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    for law in ("normal", "lognormal, raw scale"):
        for n in (30, 50, 100):
            for rho in RHOS:
                y = ar1(rng, m, 2 * n, rho)
                y = y if law == "normal" else np.exp(y)
                moved = y + oracle_shift(n, n, rho) * y.std() * (np.arange(2 * n) >= n)
                null = [100 * float((interrupted_p(y, n, c) < ALPHA).mean()) for c in contrasts]
                power = 100 * float((interrupted_p(moved, n, contrasts[0]) < ALPHA).mean())
                row(law, n, f"{rho:.1f}", *null, power)

    print("\n**Months with a yearly wave of 1.5 SD: false alarms of the level change, in percent**\n")
    head("months before", "after", "rho", "no season term", "month", "year (wave)")
    for n1, n2 in ((12, 12), (24, 12), (36, 24)):
        when = np.datetime64("2020-01", "M") + np.arange(n1 + n2)
        wave = 1.5 * np.cos(2 * np.pi * np.arange(n1 + n2) / 12)
        for rho in (0.0, 0.3, 0.6):
            y = ar1(rng, m, n1 + n2, rho) + wave
            after = np.arange(n1 + n2) >= n1
            cells = [
                100 * float((seasonal_p(y, when, after, s) < ALPHA).mean()) for s in (None, "month", "year")
            ]
            row(n1, n2, f"{rho:.1f}", *cells)

    season_search(few, rng)

    print(
        "\n**Other methods on normal AR(1): false alarms in percent (bootstrap and bayes: 100 - coverage)**\n"
    )
    head("n a side", "rho", "ewc_welch", "effective_n_welch", "newey_west", "bootstrap (blocks)", "bayes")
    for n in (30, 100):
        after = np.arange(2 * n) >= n
        gap = np.r_[np.inf, np.ones(2 * n - 1)]
        for rho in RHOS:
            y = ar1(rng, few, 2 * n, rho)
            named = [
                100 * float(np.mean([f(s[:n], s[n:], 0.95).p_value < ALPHA for s in y]))
                for f in (ewc_welch, effective_n_welch, newey_west)
            ]
            boot, bayes = [], []
            for s in y:
                e = perf.compare(
                    s[:n], s[n:], scale="raw", method="bootstrap", options={"resamples": 499}
                ).primary
                boot.append(e.low <= 0 <= e.high)
                p = level_posterior(s, after, gap, None, correlated=True)
                bayes.append(p.quantile(0.025) <= 0 <= p.quantile(0.975))
            row(n, f"{rho:.1f}", *named, 100 * (1 - float(np.mean(boot))), 100 * (1 - float(np.mean(bayes))))


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells) + " |")


def head(*cells: str) -> None:
    row(*cells)
    print("|" + " --- |" * len(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=500, help="series a cell (500)")
    parser.add_argument("--coverage", type=int, default=200, help="full comparisons a cell (200)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    m, rng, start = args.simulations, np.random.default_rng(args.seed), time.perf_counter()
    print(f"{m} series a cell; standard error at 5%: {100 * np.sqrt(0.05 * 0.95 / m):.2f} points, at 75%: ")
    print(f"{100 * np.sqrt(0.75 * 0.25 / m):.2f} points.\n")

    print("**False alarms and power on AR(1), in percent (power: shift an oracle finds in 80%)**\n")
    head("data", "n a side", "rho", "default", "Welch", "Mann-Whitney", "power", "(Welch)", "(Mann-Whitney)")
    for law, scale in (("normal", "raw"), ("lognormal", "log")):
        for n in SIZES:
            for rho in RHOS:
                y = ar1(rng, m, 2 * n, rho)
                moved = y + oracle_shift(n, n, rho) * (np.arange(2 * n) >= n)
                null, power = (rates(x if scale == "raw" else np.exp(x), n, scale=scale) for x in (y, moved))
                row(law, n, f"{rho:.1f}", null.default, null.welch, null.mann_whitney,
                    power.default, power.welch, power.mann_whitney)  # fmt: skip

    print("\n**Harder cases without an effect, in percent**\n")
    head("data", "n before", "n after", "default", "without noise term", "Welch", "Mann-Whitney")
    hard = []
    for n in SIZES:
        drift = 0.5**0.5 * ar1(rng, m, 2 * n, 0.95) + 0.5**0.5 * rng.standard_normal((m, 2 * n))
        hard.append((f"half drift (rho 0.95), half noise, n = {n}", n, n, drift))
    hard += [("AR(2), 0.4 and 0.3", n, n, ar2(rng, m, 2 * n, 0.4, 0.3)) for n in (50, 100)]
    for rho in (0.0, 0.4):
        for ratio in (0.5, 2.0):
            y = ar1(rng, m, 120, rho)
            y[:, 100:] *= ratio
            hard.append((f"AR(1) rho {rho}, SD after x {ratio}", 100, 20, y))
    for size in (0.5, 1.0):
        y = ar1(rng, m, 100, 0.2) + size * np.linspace(-0.5, 0.5, 100)
        hard.append((f"drift under way, {size} SD over the study", 50, 50, y))
    for name, n1, n2, y in hard:
        r = rates(y, n1)
        row(name, n1, n2, r.default, r.default_without_noise, r.welch, r.mann_whitney)

    print("\n**Studies that fail a check (drift before, whiteness; joint level 5%), in percent**\n")
    head("data", "n a side", "fail a check")
    for rho in RHOS:
        for n in (30, 100):
            row(f"sound: AR(1), rho {rho}", n, not_attributable(ar1(rng, m, 2 * n, rho), n))
    for size in (1.0, 2.0, 4.0):
        y = ar1(rng, m, 100, 0.2) + size * np.linspace(-0.5, 0.5, 100)
        row(f"drift under way, {size:g} SD over the study, rho 0.2", 50, not_attributable(y, 50))
    season = 0.7 * np.sin(2 * np.pi * np.arange(140) / 7 + rng.uniform(0, 7, (m, 1)))
    row("weekly season of 0.7 SD", 70, not_attributable(season + ar1(rng, m, 140, 0.2), 70))

    print("\n**Share of 95% intervals of the secondary rows that hold the truth (no effect), in percent**\n")
    quantities = (
        "difference_of_means",
        "difference_of_medians",
        "hodges_lehmann_shift",
        "difference_of_p90",
        "ratio_of_sds",
    )
    head("data", "n a side", *quantities)
    measure = perf.Measure("hours", definition="simulated", unit="hours", better="lower", scale="duration")
    for n in (30, 100):
        for rho in (0.0, 0.4, 0.6):
            held = np.zeros(len(quantities))
            for y in np.exp(0.7 * ar1(rng, args.coverage, 2 * n, rho)):
                c = perf.compare(perf.Series(y[:n], measure=measure), perf.Series(y[n:], measure=measure))
                for k, quantity in enumerate(quantities):
                    e = c.effect(quantity)
                    held[k] += e.low <= e.null <= e.high
            row(f"lognormal (0.7), rho {rho}", n, *(100 * held / args.coverage).tolist())
    more_tables(m, args.coverage, rng)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
