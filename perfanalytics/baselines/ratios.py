"""The baseline of ratios of measured quantities: minutes per agreed minute, money per incident, of any sign.

No law of counts holds for them: how much a ratio varies is seen from one period to the next, and every number
below scales exactly with the unit of the numerator and does not depend on that of the denominator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.doubts import dependence_doubts, few_points, misfit_doubts
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
from perfanalytics.baselines.numbers import Options, percentile_rows
from perfanalytics.baselines.rows import Description, Row
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import totals_and_sizes
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.order_statistics import Ranks, prediction_ranks, tolerance_ranks
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series, SeriesBatch

#: Periods differ in size where the largest is more than this many times the smallest.
UNEQUAL = 2.0
#: From this ratio of the variance that single residuals show to the one of 1 / size on, a caveat is given.
NOT_BY_SIZE = 1.5


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled ratio of k periods, and the spread between them.

    Parameters
    ----------
    center : float
        All totals over all sizes.
    sd : float
        Of the ratio of a period of typical size.
    typical : float
        The median size.
    whole : float
        All sizes.
    z : float array, shape (n,)
        Deviations as those of periods of typical size: of equal variance where that of a ratio is
        1 / size; NaN where a period is missing.
    seen : Effective
        Effective sizes of the k periods.
    size : Effective
        The same, with ``n_mean`` in periods of typical size: for the interval formulas.
    linearized : float
        Variance of the center from ``sum (x - R n)^2`` over the one used: about 1 where the variance of a
        ratio is 1 / size.
    """

    center: float
    sd: float
    typical: float
    whole: float
    z: Floats
    seen: Effective
    size: Effective
    linearized: float


def pool(totals: Floats, sizes: Floats, dependence: Dependence) -> Pooled:
    """The pooled ratio with the spread between periods.

    ``R = sum x / sum n``, ``s^2 = sum n_i (r_i - R)^2 / (k - 1)``, the variance of the ratio of a period of
    size n is ``s^2 / n`` and that of R ``s^2 / N``; under dependence with the effective sizes of the
    deviations times the root of their size.

    Parameters
    ----------
    totals, sizes : float arrays, shape (n,)
        In order of time; NaN where a period is missing or not used.
    dependence : {"ar1", "independent"}

    References
    ----------
    Cochran (1977), Sampling Techniques, sections 6.4 and 6.11 (ratio estimator; variance by 1 / size is
    weighted least squares, R ``lm(r ~ 1, weights = n)``).

    Examples
    --------
    >>> found = pool(np.array([90.0, 30.0, 60.0]), np.array([60.0, 30.0, 60.0]), "independent")
    >>> found.center, round(found.sd, 4)
    (1.2, 0.2739)
    """
    known = ~np.isnan(totals) & ~np.isnan(sizes)
    x, n = totals[known], sizes[known]
    whole, typical, k = math.fsum(n.tolist()), float(np.median(n)), len(n)
    center = math.fsum(x.tolist()) / whole
    rest = x - center * n
    z = np.full(len(totals), np.nan)
    z[known] = rest / np.sqrt(n * typical)
    variance = math.fsum((z[known] ** 2).tolist()) / (k - 1) if k > 1 else math.nan
    seen = effective(z, dependence)
    size = replace(seen, n_mean=whole / typical * seen.n_mean / k)
    linearized = math.nan
    if k > 1 and variance > 0:
        linearized = k * float(rest @ rest) / (k - 1) / whole / (variance * typical)
    return Pooled(center, math.sqrt(variance), typical, whole, z, seen, size, linearized)


def as_values(batch: SeriesBatch) -> SeriesBatch:
    """The ratio of each period as one value, without sizes."""
    totals, sizes, _ = totals_and_sizes(batch)
    return SeriesBatch(
        totals / sizes,
        batch.offsets,
        measure=batch.measure,
        ids=batch.ids,
        when=batch.when,
        labels=batch.labels,
        items=batch.items,
        subgroups=batch.subgroups,
        covariates=batch.covariates,
        events=batch.events,
        exclusions=batch.exclusions,
        expected_every=batch.expected_every,
        selection=batch.selection,
        load_ids=batch.load_ids,
        clock=batch.clock if batch.when is not None else None,
    )


def unequal_sizes(sizes: Floats) -> bool:
    """Whether the periods differ so much in size that their ratios cannot be taken as alike."""
    seen = sizes[~np.isnan(sizes)]
    return bool(len(seen)) and float(seen.max()) > UNEQUAL * float(seen.min())


def size_doubts(sizes: Floats) -> list[Caveat]:
    """A caveat for indices that take the ratios of periods of unequal size as alike."""
    if not unequal_sizes(sizes):
        return []
    low, high = float(np.nanmin(sizes)), float(np.nanmax(sizes))
    text = (
        f"The sizes of the periods go from {number(low)} to {number(high)}; here the ratio of each counts "
        "the same, and those of small periods vary more. perf.baseline weighs them by their sizes."
    )
    return [Caveat("unequal-sizes", text, {"smallest": low, "largest": high})]


def unit_of(series: Series) -> str:
    """The unit of the ratio: the repository has told it already, bare totals have that of the total."""
    unit = series.measure.unit
    if unit and series.selection.get("statistic") in ("share", "rate"):
        return unit
    return f"{unit} per unit of size".strip()


def describe(
    totals: Floats, sizes: Floats, measure: Measure, options: Options, *, unit: str, how: str
) -> Description:
    """The quantities of ratios of measured quantities.

    Parameters
    ----------
    totals, sizes : float arrays, shape (n,)
        In order of time; NaN where a period is missing or not used.
    measure : Measure
        Durations and positive measures have ends of intervals of 0 at least.
    options : Options
    unit : str
        Of the ratio.
    how : str
        How the values were read: "totals" or "ratios".
    """
    bounded = measure.scale in LOG_SCALES
    found = pool(totals, sizes, options.dependence)
    size, sd, center = found.size, found.sd, found.center
    coverage, confidence = options.coverage, options.confidence
    ratios = totals / sizes
    ratios = ratios[~np.isnan(ratios)]
    floor = 0.0 if bounded else -math.inf
    t = "Student's t" + (", effective number of periods" if size.r > 0 else "")
    at = f"a period of size {found.typical:.6g}"

    def row(quantity: str, ends: Ends, level: float, method: str) -> Row:
        low, high = (math.nan if math.isnan(e) else max(e, floor) for e in ends)
        return Row(quantity, center, low, high, level, method=method, unit=unit)

    def free(quantity: str, ranks: Ranks, level: float, method: str) -> Row:
        low, high = ranks.bounds(np.sort(ratios))
        median = float(np.median(ratios))
        return Row(quantity, median, max(low, floor), high, level, ranks.achieved, method, unit)

    sd_ends = sd_interval(sd, found.seen, confidence=confidence)
    held = f"holds {percent(coverage)} of periods"
    factor = "exact factor" if options.tolerance == "exact" else "Howe"
    approximate = ", effective sample size (approximation)" if size.r > 0 else ""
    tolerated = tolerance_interval(
        center, sd, size, coverage=coverage, confidence=confidence, method=options.tolerance
    )
    rows = [
        row(
            "rate",
            mean_interval(center, sd, size, confidence=confidence),
            confidence,
            f"{t}, spread between periods",
        ),
        Row("sd", sd, *sd_ends, confidence, method=f"of {at}; chi-square", unit=unit),
        *percentile_rows(ratios, found.seen, confidence, unit, floor=floor),
        row(
            "next period",
            prediction_interval(center, sd, size, coverage=coverage),
            coverage,
            f"prediction, {t}, {at}",
        ),
        free(
            "next period, distribution-free",
            prediction_ranks(len(ratios), coverage=coverage),
            coverage,
            "prediction, order statistics of the ratios",
        ),
        row("tolerance interval", tolerated, confidence, f"{factor}, normal, {held}, {at}"),
    ]
    if options.tolerance == "exact":
        low, high = tolerance_bounds(center, sd, size, coverage=coverage, confidence=confidence)
        sided = f"one-sided, {factor}, normal, {held}, {at}"
        rows.append(row("tolerance limit, lower", (low, math.inf), confidence, sided))
        rows.append(row("tolerance limit, upper", (-math.inf, high), confidence, sided))
    ranks = tolerance_ranks(
        len(ratios),
        coverage=coverage,
        confidence=confidence,
        n_effective=found.seen.n_mean if size.r > 0 else None,
    )
    rows.append(
        free(
            "tolerance interval, distribution-free",
            ranks,
            confidence,
            f"order statistics of the ratios{approximate}, {held}",
        )
    )
    return Description(
        rows=tuple(rows),
        caveats=tuple(_doubts(found, ratios, options)),
        scale="ratio",
        scale_reason=f"{how} of a measured quantity with sizes (declared {measure.scale})",
        r1=found.seen.r1,
        r=found.seen.r,
        n_effective=found.seen.n_mean,
        more_points=points_to_halve(found.seen, confidence=confidence),
        references=(
            "Cochran (1977), Sampling Techniques, sections 6.4 and 6.11 (ratio estimator)",
            "Hahn and Meeker (1991), Statistical Intervals, chapter 4",
            "Taylor (2017), Statistical Procedures for the Medical Device Industry, STAT-08",
        ),
    )


def _doubts(found: Pooled, ratios: Floats, options: Options) -> list[Caveat]:
    k = len(ratios)
    out = few_points(k)
    if k > 1 and float(ratios.min()) == float(ratios.max()):
        text = (
            f"The ratios of all {k} periods are {ratios[0]:g}: the intervals have no width, which says more "
            "about how the values are recorded than about the process."
        )
        out.append(Caveat("zero-variance", text, {"value": float(ratios[0])}))
    if k >= 8 and found.linearized > NOT_BY_SIZE:
        text = (
            f"Large periods vary more than periods of their size should ({count(k, 'period')}): the interval "
            f"of the pooled ratio may be {math.sqrt(found.linearized):.1f} times too narrow."
        )
        out.append(Caveat("spread-not-by-size", text, {"ratio": found.linearized, "periods": k}))
    out += dependence_doubts(found.seen, options.dependence, asked=options.asked)
    deviations: NDArray[np.float64] = found.z[~np.isnan(found.z)]
    return out + misfit_doubts(deviations, logged=False)
