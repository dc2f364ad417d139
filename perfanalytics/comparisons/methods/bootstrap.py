"""The bootstrap of any statistic: BCa of independent items, blocks of periods in order of time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import MappingProxyType

import numpy as np
from scipy import special

from perfanalytics.comparisons.choices import Choice, StatisticChoice
from perfanalytics.comparisons.independence import dependence_caveat, lag1_of_sides
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import independent_companions, welch_contrast
from perfanalytics.comparisons.methods.series import block_length
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Side, Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: Fewer periods or items than this on a side are not resampled.
FEWEST = 8
#: Share of 95% intervals that held the truth (mean of AR(1) series, 30 to 100 periods a side), by
#: ``benchmarks/error_rates.py``: correlation of neighbours -> percent.
BLOCK_COVERAGE = {0.0: 94, 0.2: 90, 0.4: 89, 0.6: 88}


def _percentile(k: int, x: Floats) -> Floats:
    return np.asarray(np.quantile(x, k / 100, axis=1))


#: Named statistics: name -> function of rows (b, n).
STATISTICS: MappingProxyType[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "mean": lambda x: x.mean(axis=1),
        "median": lambda x: np.median(x, axis=1),
        "sd": lambda x: x.std(axis=1, ddof=1),
        "iqr": lambda x: np.subtract(*np.quantile(x, [0.75, 0.25], axis=1)),
        "coefficient_of_variation": lambda x: x.std(axis=1, ddof=1) / x.mean(axis=1),
        "trimmed_mean": lambda x: _trimmed(x, 0.1),
        "minimum": lambda x: x.min(axis=1),
        "maximum": lambda x: x.max(axis=1),
        **{f"p{k}": partial(_percentile, k) for k in range(1, 100)},
    }
)


def _trimmed(x: Floats, share: float) -> Floats:
    k = int(share * x.shape[1])
    return np.asarray(np.sort(x, axis=1)[:, k : x.shape[1] - k].mean(axis=1))


class Bootstrap(ComparisonMethod):
    """Difference of any statistic, after minus before, with a bootstrap interval and its p-value."""

    name = "bootstrap"
    title = "bootstrap"
    options = MappingProxyType(
        {
            "statistic": StatisticChoice("mean", "the statistic", tuple(STATISTICS)),
            "resamples": Choice(2000, "resamples", low=199),
        }
    )

    def __call__(self, sides: Sides, options: Options) -> Answer:
        statistic = options.chosen["statistic"]
        name = statistic if isinstance(statistic, str) else statistic.__name__
        draws = int(options.chosen["resamples"])
        assert options.rng is not None
        fewest = (
            sides.fewest_periods if sides.ordered else min(len(sides.before.values), len(sides.after.values))
        )
        if fewest < FEWEST:
            raise InputError(f"the bootstrap needs at least {FEWEST} values on each side, got {fewest}")
        of = _of(statistic)
        before, after = (float(of(s.values[None])[0]) for s in (sides.before, sides.after))
        if not (math.isfinite(before) and math.isfinite(after)):
            raise InputError(f"the statistic {name!r} of the values is not a finite number")
        rho, block = 0.0, 1
        if sides.ordered:
            n = np.array([sides.before.periods, sides.after.periods], dtype=float)
            r = corrected_lag1(np.nan_to_num(np.array(lag1_of_sides(sides))), n)
            rho = float(np.average(r, weights=n))
            block = block_length(rho, int(n.max()))
        drawn = [_draw(s, of, draws, block, options.rng) for s in (sides.before, sides.after)]
        spread = drawn[1] - drawn[0]
        estimate = after - before
        a = 0.0 if sides.ordered else _acceleration(sides, of)
        z0 = _bias(spread, estimate) if not sides.ordered else 0.0
        low, high = _ends(spread, z0, a, options.confidence)
        inner = _ends(spread, z0, a, 2 * options.confidence - 1)
        p = _p_value(spread, z0, a)
        how = "BCa" if not sides.ordered else f"percentiles, circular blocks of {block} periods"
        primary = Effect(
            f"difference_of_{name}",
            role="primary",
            before=before,
            after=after,
            estimate=estimate,
            low=low,
            high=high,
            statistic=NAN,
            df=NAN,
            p_value=p,
            unit="" if name == "coefficient_of_variation" else sides.measure.unit,
            method=f"bootstrap of the {name} ({how}, {draws} resamples)",
        )
        raw = AnalysisScale("raw", "the bootstrap works on the values as they are")
        center = welch_contrast(sides, raw, options.confidence)
        return Answer(
            effects=(primary, *independent_companions(sides, raw, options.confidence)),
            equivalence=inner,
            effective=(float(len(sides.before.values)), float(len(sides.after.values))),
            block=block,
            center_se=center.se,
            center_df=center.df,
            caveats=(*(_coverage(rho) if sides.ordered else dependence_caveat(sides)),),
            parameters={
                "scale": "raw",
                "statistic": name,
                "bootstrap_resamples": draws,
                "interval": how,
                "acceleration": a,
                "bias_correction": z0,
                "lag1": rho,
            },
            references=(
                "Efron (1987), JASA 82, 171-185 (BCa)",
                "Politis and Romano (1992), in Exploring the Limits of Bootstrap, 263-270 (circular blocks)",
            ),
        )


BOOTSTRAP = Bootstrap()


def _of(statistic: str | Callable[[Floats], float]) -> Callable[[Floats], Floats]:
    """The statistic as a function of rows."""
    if isinstance(statistic, str):
        return STATISTICS[statistic]

    def rows(x: Floats) -> Floats:
        return np.array([float(statistic(row)) for row in x])

    return rows


def _draw(
    side: Side, of: Callable[[Floats], Floats], draws: int, block: int, rng: np.random.Generator
) -> Floats:
    """The statistic of each resample of whole periods with all their items; items have equal weight."""
    starts = side.starts()
    sizes = np.diff(starts, append=len(side.values))
    n = len(starts)
    first = rng.integers(0, n, size=(draws, -(-n // block)))
    chosen = ((first[:, :, None] + np.arange(block)) % n).reshape(draws, -1)[:, :n]
    if (sizes == 1).all():
        return of(side.values[chosen])
    parts = np.split(side.values, starts[1:])
    return np.array([float(of(np.concatenate([parts[k] for k in row])[None])[0]) for row in chosen])


def _bias(spread: Floats, estimate: float) -> float:
    share: float = (np.count_nonzero(spread < estimate) + 0.5 * np.count_nonzero(spread == estimate)) / len(
        spread
    )
    share = min(max(float(share), 1 / (len(spread) + 1)), 1 - 1 / (len(spread) + 1))
    return float(special.ndtri(share))


def _acceleration(sides: Sides, of: Callable[[Floats], Floats]) -> float:
    """From the jackknife over both sides (several samples: Efron and Tibshirani 1993, eq. 15.36)."""
    top = bottom = 0.0
    for sign, side in ((-1.0, sides.before), (1.0, sides.after)):
        x = side.values
        n = len(x)
        if n > 2000:  # the acceleration falls with the root of n: nothing is left of it here
            return 0.0
        without = of(np.stack([np.delete(x, k) for k in range(n)]))
        influence = sign * (n - 1) * (without.mean() - without) / n
        top += float((influence**3).sum())
        bottom += float((influence**2).sum())
    return top / (6 * bottom**1.5) if bottom > 0 else 0.0


def _ends(spread: Floats, z0: float, a: float, confidence: float) -> tuple[float, float]:
    z = special.ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    level = special.ndtr(z0 + (z0 + z) / (1 - a * (z0 + z)))
    low, high = np.quantile(spread, level)
    return float(low), float(high)


def _p_value(spread: Floats, z0: float, a: float) -> float:
    """Twice the smallest tail for which the interval ends at no difference."""
    n = len(spread)
    share: float = (np.count_nonzero(spread < 0) + 0.5 * np.count_nonzero(spread == 0)) / n
    share = min(max(share, 0.5 / (n + 1)), 1 - 0.5 / (n + 1))
    w = float(special.ndtri(share)) - z0
    z = w / (1 + a * w) - z0
    return float(min(1.0, 2 * min(special.ndtr(z), special.ndtr(-z))))


def _coverage(rho: float) -> tuple[Caveat, ...]:
    near = min(BLOCK_COVERAGE, key=lambda r: abs(r - rho))
    held = BLOCK_COVERAGE[near]
    text = (
        f"Intervals from resampled blocks are too narrow: with a correlation of about {near:g} between "
        f"neighbours, 95% intervals of a mean held the truth in about {held}% of simulated studies."
    )
    return (Caveat("block-bootstrap", text, {"lag1": rho, "coverage": held / 100}),)
