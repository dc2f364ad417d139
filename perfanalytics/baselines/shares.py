"""The baseline of shares and rates: pooled over all periods, with the spread between periods."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.doubts import dependence_doubts, few_points
from perfanalytics.baselines.intervals import clopper_pearson, effective, poisson_interval
from perfanalytics.baselines.numbers import Options, percentile_rows
from perfanalytics.baselines.rows import Description, Row
from perfanalytics.baselines.tolerance import (
    binomial_prediction,
    binomial_tolerance,
    poisson_prediction,
    poisson_tolerance,
)
from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.periods import period_number
from perfanalytics.core.result import Caveat

#: From this ratio of the variance between periods to the binomial (Poisson) one, a caveat is given.
OVERDISPERSED = 1.5
#: Items coded 0 and 1 are clustered by week, or by day, where there are at least this many of them.
FEWEST_CLUSTERS = 8
#: The exact prediction interval of shares is computed up to this many items (its work grows with them).
MOST_ITEMS = 20_000


@dataclass(frozen=True, slots=True)
class Clusters:
    """How much more the share of items varies because the items of one day or week are alike.

    ``every`` is the period, ``k`` how many have items, ``inflation`` the variance of the pooled share over
    the binomial one (the design effect).
    """

    every: str
    k: int
    inflation: float


def clusters_of(items: NDArray[np.float64], when: NDArray[np.datetime64]) -> Clusters | None:
    """The clusters of items coded 0 and 1, by ISO week, else by day; None with fewer than 8 of either.

    The variance of the share as a ratio of cluster totals, ``k / (k - 1) sum (x_c - p n_c)^2 / N^2``, over
    the binomial ``p (1 - p) / N``. Neighbouring weeks are taken as independent: where they drift, even this
    is too small, and a chart by week is the answer.

    References
    ----------
    Cochran (1977), Sampling Techniques, section 9A.2 (ratio to size). Kish (1965), Survey Sampling, 5.4.

    Examples
    --------
    Weeks in which all items do the same tell as much as one item each:

    >>> when = np.repeat(np.datetime64("2024-01-01") + 7 * np.arange(10), 20)
    >>> found = clusters_of(np.repeat([0.0, 1, 1, 0, 1, 0, 0, 1, 0, 1], 20), when)
    >>> found.every, found.k, round(found.inflation, 1)
    ('week', 10, 22.2)
    """
    p = float(items.mean())
    if not 0 < p < 1:
        return None
    for every in ("week", "day"):
        present, number = np.unique(period_number(when, every), return_inverse=True)
        k = len(present)
        if k < FEWEST_CLUSTERS:
            continue
        rest = np.bincount(number, weights=items - p)
        inflation = k / (k - 1) * float(rest @ rest) / (len(items) * p * (1 - p))
        return Clusters(every, k, inflation)
    return None


def _exact_rows(
    total: float, whole: float, size: float, inflation: float, options: Options, *, rate: bool, unit: str
) -> list[Row]:
    """Exact prediction and tolerance intervals for the next period of typical size.

    The prediction interval holds for independent items of one share (rate) only: it is withheld where the
    periods vary more than that, or follow each other. The tolerance interval takes the effective number.
    """
    coverage, confidence = options.coverage, options.confidence
    center, approximate = total / whole, inflation > 1
    new = size if rate else round(size)
    name = "Poisson" if rate else "binomial"
    held = f"{name} quantiles at the ends of the exact interval, holds {percent(coverage)} of periods"
    if approximate:
        held += ", effective number of items (approximation)"
    rows = []
    plain = total == round(total) and whole == round(whole)
    if approximate:
        rows.append(
            Row("next period, exact", np.nan, method=f"withheld: more variation than {name}", unit=unit)
        )
    elif not (rate or (plain and whole <= MOST_ITEMS and new <= MOST_ITEMS / 10)):
        why = "not computed: more than 20,000 items, see next period"
        rows.append(Row("next period, exact", np.nan, method=why, unit=unit))
    else:
        if rate:
            low, high = poisson_prediction(total, whole, new=new, coverage=coverage)
        else:
            low, high = binomial_prediction(int(total), int(whole), new=int(new), coverage=coverage)
        how = f"prediction, exact conditional {name}, size {new:g}"
        rows.append(Row("next period, exact", center, low / new, high / new, coverage, method=how, unit=unit))
    if rate:
        low, high = poisson_tolerance(
            total / inflation, whole / inflation, new=new, coverage=coverage, confidence=confidence
        )
    else:
        low, high = binomial_tolerance(
            total / inflation, whole / inflation, new=int(new), coverage=coverage, confidence=confidence
        )
    ends = low / new, high / new
    rows.append(Row("tolerance interval", center, *ends, confidence, method=held, unit=unit))
    return rows


def describe(
    counts: NDArray[np.float64],
    sizes: NDArray[np.float64],
    options: Options,
    *,
    rate: bool,
    unit: str,
    when: NDArray[np.datetime64] | None = None,
) -> Description:
    """The quantities of shares (or of rates: counts per unit of size).

    Parameters
    ----------
    counts, sizes : float arrays, shape (n,)
        In order of time; NaN where a point is missing or not used.
    options : Options
    rate : bool
        Counts per unit of exposure, which may exceed 1: Poisson instead of binomial.
    unit : str
    when : datetime64 array, shape (n,), optional
        Times of items coded 0 and 1: those of one week (or day) may be alike.

    Notes
    -----
    With ``dependence="ar1"`` the pooled share's interval is the exact binomial one for the effective
    number of items: all items divided by the dispersion between periods (Pearson's chi-square over its
    degrees of freedom, where above 1) and by ``(1 + r) / (1 - r)`` of the standardized shares. Items coded
    0 and 1 are divided by the inflation of :func:`clusters_of` where that is larger. Both are
    approximations, and labelled so.
    """
    known = ~np.isnan(counts) & ~np.isnan(sizes)
    x, n = counts[known], sizes[known]
    total, whole = math.fsum(x.tolist()), math.fsum(n.tolist())
    pooled = total / whole
    k, items = len(x), bool((n == 1).all()) and not rate
    variance = n * pooled * (1.0 if rate else 1 - pooled)
    dispersion = 1.0
    if k > 1 and (variance > 0).all() and not items:
        dispersion = float(np.sum((x - n * pooled) ** 2 / variance)) / (k - 1)
    z = np.full(len(counts), np.nan)
    if (variance > 0).all():
        z[known] = (x - n * pooled) / np.sqrt(variance)
    size = effective(z, options.dependence)
    inflation = 1.0
    if options.dependence == "ar1":
        inflation = max(1.0, dispersion) * (1 + size.r) / (1 - size.r)
    clusters = clusters_of(x, when[known]) if items and when is not None else None
    by_cluster = ""
    if clusters is not None and options.dependence == "ar1" and clusters.inflation > inflation:
        inflation, by_cluster = clusters.inflation, f", {clusters.every}s as clusters"
    confidence = options.confidence
    exact = "Garwood, exact Poisson" if rate else "Clopper-Pearson, exact binomial"
    method = (
        exact if inflation == 1 else f"{exact} for the effective number of items{by_cluster} (approximation)"
    )
    interval = poisson_interval if rate else clopper_pearson
    low, high = interval(total / inflation, whole / inflation, confidence=confidence)
    name = "rate" if rate else "share"
    rows = [Row(name, pooled, low, high, confidence, method=method, unit=unit)]
    if not items:
        rows.append(
            Row("dispersion", dispersion, method="Pearson chi-square / (k - 1)", unit="ratio of variances")
        )
        rows += percentile_rows(x / n, size, confidence, unit, floor=0.0, ceiling=math.inf if rate else 1.0)
        typical = float(np.median(n))
        df = max(size.df, 1.0)
        spread = float(np.median(variance / n)) * max(1.0, dispersion)
        half = float(special.stdtrit(df, (1 + options.coverage) / 2))
        half *= math.sqrt(spread * (1 / typical + inflation / max(1.0, dispersion) / whole))
        rows.append(
            Row(
                "next period",
                pooled,
                max(0.0, pooled - half),
                pooled + half if rate else min(1.0, pooled + half),
                options.coverage,
                method=f"normal approximation, size {typical:g}, dispersion {max(1.0, dispersion):.2f}",
                unit=unit,
            )
        )
        rows += _exact_rows(total, whole, typical, inflation, options, rate=rate, unit=unit)
    caveats = list(few_points(k)) if not items else list(few_points(int(whole)))
    if dispersion > OVERDISPERSED and k >= 8:
        allowed = "The interval allows for it." if options.dependence == "ar1" else "The interval ignores it."
        caveats.append(
            Caveat(
                "overdispersed",
                f"The {name}s of the periods vary {math.sqrt(dispersion):.1f} times as much as chance alone "
                f"makes them ({count(k, 'period')}). {allowed}",
                {"dispersion": dispersion, "periods": k},
            )
        )
    if clusters is not None and clusters.inflation > OVERDISPERSED:
        does = "allows for it roughly" if options.dependence == "ar1" else "ignores it"
        text = (
            f"Items of one {clusters.every} are alike: the shares of the {count(clusters.k, clusters.every)} "
            f"vary {math.sqrt(clusters.inflation):.1f} times as much as chance alone makes them. The "
            f"interval {does}; the shares by {clusters.every} on a control chart are the better answer."
        )
        caveats.append(
            Caveat(
                "clustered",
                text,
                {
                    "every": clusters.every,
                    "clusters": clusters.k,
                    "inflation": clusters.inflation,
                },
            )
        )
    else:
        caveats += dependence_doubts(size, options.dependence, asked=options.asked)
    return Description(
        rows=tuple(rows),
        caveats=tuple(caveats),
        scale="rate" if rate else "share",
        scale_reason="counts with sizes",
        r1=size.r1,
        r=size.r,
        n_effective=whole / inflation,
        more_points=3 * k,  # the width falls with the square root of the number
        references=(
            "Clopper and Pearson (1934), Biometrika 26",
            "Garwood (1936), Biometrika 28",
            "McCullagh and Nelder (1989), Generalized Linear Models, section 4.5 (dispersion)",
            "Cochran (1977), Sampling Techniques, section 9A.2 (items in clusters)",
        ),
    )
