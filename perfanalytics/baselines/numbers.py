"""The baseline of measured numbers: centre, spread, percentiles, prediction and tolerance intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.doubts import doubts, misfit_doubts
from perfanalytics.baselines.intervals import (
    Dependence,
    Effective,
    Ends,
    effective,
    mean_interval,
    points_to_halve,
    prediction_interval,
    sd_interval,
    tolerance_bounds,
    tolerance_interval,
)
from perfanalytics.baselines.rows import Description, Row
from perfanalytics.baselines.wording import percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.order_statistics import Ranks, prediction_ranks, quantile_ranks, tolerance_ranks

#: Why quantities that need distances are missing on an ordinal scale.
NO_DISTANCES = "not computed: an ordinal scale has no distances"
#: The percentiles of a baseline.
PERCENTILES = (5, 10, 25, 50, 75, 90, 95)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    coverage: float
    confidence: float
    dependence: Dependence
    m: int
    #: Whether the dependence was asked for (or is the default of the series).
    asked: bool = True
    #: Factor of the normal tolerance interval: "howe" or "exact" (which adds one-sided limits).
    tolerance: str = "howe"


def moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation (n - 1), each as exact as the numbers allow.

    Sums are exact (Shewchuk), deviations are taken from the rounded mean and corrected for its rounding.

    References
    ----------
    Chan, Golub and LeVeque (1983), American Statistician 37, eq. 1.7 (corrected two-pass).

    Examples
    --------
    >>> moments(np.array([1.0, 2.0, 4.0]))
    (2.3333333333333335, 1.5275252316519468)
    """
    n = len(values)
    mean = math.fsum(values.tolist()) / n
    if n == 1:
        return mean, math.nan
    d = values - mean
    square = math.fsum((d * d).tolist()) - math.fsum(d.tolist()) ** 2 / n
    return mean, math.sqrt(max(square, 0.0) / (n - 1))


def decide_scale(values: NDArray[np.float64], measure: Measure) -> tuple[str, str]:
    """ "log" or "raw", and why.

    Durations and positive measures are analysed as logarithms, the others as they are. Where the measure
    does not declare its scale, the values decide: all positive and skewness above 1 means log.

    Raises
    ------
    InputError
        For negative durations, or values of a positive measure that are not positive.
    """
    if measure.scale in LOG_SCALES:
        low = float(values.min())
        if low < 0 or (low == 0 and measure.scale == "positive"):
            what = "a duration cannot be negative" if low < 0 else "a positive measure cannot be 0"
            raise InputError(f"{measure.name} has the value {low:g}: {what} (scale {measure.scale!r})")
        if low == 0:
            return "raw", f"declared {measure.scale}, but values of 0 have no logarithm"
        return "log", f"declared {measure.scale}"
    if measure.scale is not None:
        return "raw", f"declared {measure.scale}"
    mean, sd = moments(values)
    if len(values) < 3 or not sd > 0:
        return "raw", "scale not declared; too little variation to see skewness"
    skewness = float(np.mean(((values - mean) / sd) ** 3))
    if skewness > 1 and float(values.min()) > 0:
        return "log", f"scale not declared; all values positive and skewness {skewness:.2f} above 1"
    return "raw", f"scale not declared; skewness {skewness:.2f}, smallest value {float(values.min()):g}"


def describe(in_time: NDArray[np.float64], measure: Measure, options: Options) -> Description:
    """The quantities of measured values.

    Parameters
    ----------
    in_time : float array, shape (n,)
        In order of time; NaN where a point is missing or not used.
    measure : Measure
    options : Options
    """
    values = in_time[~np.isnan(in_time)]
    scale, reason = decide_scale(values, measure)
    logged = scale == "log"
    blocked = measure.scale in LOG_SCALES and not logged  # zeros among durations
    ordinal = measure.scale == "ordinal"
    confidence, unit = options.confidence, measure.unit
    mean, sd = moments(values)
    size = effective(in_time, options.dependence)
    if logged:
        mean_used, sd_used = moments(np.log(values))
        size_used = effective(np.log(in_time), options.dependence)
    else:
        mean_used, sd_used, size_used = mean, sd, size
    if blocked or ordinal:
        mean_used = sd_used = math.nan
    bounded = logged or measure.scale in ("duration", "positive", "count", "proportion")
    floor, ceiling = 0.0 if bounded else -math.inf, 1.0 if measure.scale == "proportion" else math.inf

    def clip(ends: Ends) -> Ends:
        if math.isnan(ends[0]) or math.isnan(ends[1]):
            return math.nan, math.nan
        return min(max(floor, ends[0]), ceiling), max(min(ceiling, ends[1]), floor)

    def back(ends: Ends) -> Ends:
        return (_exp(ends[0]), _exp(ends[1])) if logged else clip(ends)

    family = "lognormal" if logged else "normal"
    t = "Student's t"
    if size_used.r > 0 or size.r > 0:
        family, t = f"{family}, effective sample size", f"{t}, effective sample size"
    if blocked:
        family = "not computed: values of 0"
    if ordinal:
        rows = [Row(name, math.nan, method=NO_DISTANCES, unit=unit) for name in ("mean", "sd", "iqr", "mad")]
    else:
        low, high = clip(mean_interval(mean, sd, size, confidence=confidence))
        rows = [Row("mean", mean, low, high, confidence, method=t, unit=unit)]
    if logged:
        low, high = back(mean_interval(mean_used, sd_used, size_used, confidence=confidence))
        rows.append(
            Row("geometric mean", _exp(mean_used), low, high, confidence, method=f"{t}, logs", unit=unit)
        )
    if ordinal:
        family = NO_DISTANCES
    elif logged or blocked or math.isnan(sd):
        rows.append(Row("sd", sd, method="n - 1; no interval off the normal scale", unit=unit))
    else:
        low, high = sd_interval(sd, size, confidence=confidence)
        rows.append(Row("sd", sd, low, high, confidence, method="n - 1; chi-square", unit=unit))
    if logged:
        low, high = sd_interval(sd_used, size_used, confidence=confidence)
        factor = Row("geometric sd", _exp(sd_used), _exp(low), _exp(high), confidence)
        rows.append(replace(factor, method="chi-square, logs", unit="factor"))
    if not ordinal:
        first, third = np.quantile(values, [0.25, 0.75])
        deviation = float(np.median(np.abs(values - np.median(values))))
        rows.append(Row("iqr", float(third - first), method="third less first quartile", unit=unit))
        rows.append(Row("mad", deviation, method="median distance from the median, not scaled", unit=unit))
    rows += percentile_rows(values, size, confidence, unit, floor=floor, ceiling=ceiling, observed=ordinal)
    rows += _ahead(values, mean_used, sd_used, size_used, options, unit, family=family, back=back)
    return Description(
        rows=tuple(rows),
        caveats=(
            *doubts(values, size_used, options.dependence, measure, blocked=blocked, asked=options.asked),
            *(() if blocked or ordinal else misfit_doubts(values, logged=logged)),
        ),
        scale=scale,
        scale_reason=reason,
        r1=size_used.r1,
        r=size_used.r,
        n_effective=size_used.n_mean,
        more_points=points_to_halve(size_used, confidence=confidence),
        references=(
            "Hahn and Meeker (1991), Statistical Intervals, chapters 4 and 5",
            "Howe (1969), JASA 64, 610-620",
            "David and Nagaraja (2003), Order Statistics, section 7.1",
        ),
    )


def percentile_rows(
    values: NDArray[np.float64],
    size: Effective,
    confidence: float,
    unit: str,
    *,
    floor: float = -math.inf,
    ceiling: float = math.inf,
    observed: bool = False,
) -> list[Row]:
    """Percentiles (linear between order statistics, type 7) with distribution-free intervals.

    With ``observed`` percentiles are values that occur (type 1), for scales with nothing between their
    steps. An end for which the sample is too small is infinite, or the bound of the scale (0 for a duration).
    """
    ordered = np.sort(values)
    dependent = size.r > 0
    method = "order statistics" + (", effective sample size (approximation)" if dependent else "")
    rows = []
    for percentile in PERCENTILES:
        p = percentile / 100
        ranks = quantile_ranks(
            len(ordered), p, confidence=confidence, n_effective=size.n_mean if dependent else None
        )
        low, high = ranks.bounds(ordered)
        low, high = max(low, floor), min(high, ceiling)
        estimate = float(np.quantile(ordered, p, method="inverted_cdf" if observed else "linear"))
        rows.append(Row(f"p{percentile}", estimate, low, high, confidence, ranks.achieved, method, unit))
    return rows


def _ahead(
    values: NDArray[np.float64],
    mean: float,
    sd: float,
    size: Effective,
    options: Options,
    unit: str,
    *,
    family: str,
    back: Callable[[Ends], Ends],
) -> list[Row]:
    """What comes next: prediction and tolerance intervals of the family, and distribution-free ones."""
    coverage, confidence, m = options.coverage, options.confidence, options.m
    dependent, logged = size.r > 0, family.startswith("lognormal")
    center = math.exp(mean) if logged else mean
    held = f"holds {percent(coverage)} of items"

    def parametric(quantity: str, ends: Ends, level: float, method: str) -> Row:
        if family == NO_DISTANCES:
            return Row(quantity, math.nan, method=NO_DISTANCES, unit=unit)
        low, high = back(ends)
        return Row(quantity, center, low, high, level, method=method, unit=unit)

    def free(quantity: str, ranks: Ranks, level: float, method: str) -> Row:
        low, high = ranks.bounds(ordered)
        return Row(quantity, median, low, high, level, ranks.achieved, method, unit)

    ordered = np.sort(values)
    median = float(np.quantile(values, 0.5, method="inverted_cdf" if family == NO_DISTANCES else "linear"))
    n_effective = size.n_mean if dependent else None
    approximate = ", effective sample size (approximation)" if dependent else ""
    mean_of_m = "geometric mean of the next m" if logged else "mean of the next m"
    one = prediction_interval(mean, sd, size, coverage=coverage)
    several = prediction_interval(mean, sd, size, coverage=coverage, m=m)
    tolerated = tolerance_interval(
        mean, sd, size, coverage=coverage, confidence=confidence, method=options.tolerance
    )
    exact = options.tolerance == "exact"
    factor = "exact factor" if exact else "Howe"
    bounds = []
    if exact:
        low, high = tolerance_bounds(mean, sd, size, coverage=coverage, confidence=confidence)
        bounds = [
            parametric(
                "tolerance limit, lower",
                (low, math.inf),
                confidence,
                f"one-sided, {factor}, {family}, {held}",
            ),
            parametric(
                "tolerance limit, upper",
                (-math.inf, high),
                confidence,
                f"one-sided, {factor}, {family}, {held}",
            ),
        ]
    next_ranks = prediction_ranks(len(ordered), coverage=coverage)
    held_ranks = tolerance_ranks(
        len(ordered), coverage=coverage, confidence=confidence, n_effective=n_effective
    )
    return [
        parametric("next item", one, coverage, f"prediction, {family}"),
        free("next item, distribution-free", next_ranks, coverage, "prediction, order statistics"),
        parametric(mean_of_m, several, coverage, f"prediction, {family}, m = {m}"),
        parametric("tolerance interval", tolerated, confidence, f"{factor}, {family}, {held}"),
        *bounds,
        free(
            "tolerance interval, distribution-free",
            held_ranks,
            confidence,
            f"order statistics{approximate}, {held}",
        ),
    ]


def _exp(x: float) -> float:
    return math.inf if x > 709 else math.exp(x)
