"""baseline(series) -> Baseline: what a process does, how sure that is, and whether it holds still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines import numbers, ratios, shares
from perfanalytics.baselines.baseline_words import verdict_of
from perfanalytics.baselines.censoring import KaplanMeier, kaplan_meier
from perfanalytics.baselines.default_fit import fitted_of
from perfanalytics.baselines.distributions import misfit
from perfanalytics.baselines.doubts import ignored_weights, stability_doubts
from perfanalytics.baselines.extract import extract_doubts
from perfanalytics.baselines.intervals import Dependence, effective
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.objectives import (
    Assessment,
    assess_censored,
    assess_items,
    assess_statistic,
    check_objective,
    fitted_share,
)
from perfanalytics.baselines.open_items import describe_open, still_open_of
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.rows import Row, columns
from perfanalytics.baselines.stability import Estimate, Exclusions, Stability, Stages, judge
from perfanalytics.baselines.tolerance import TOLERANCES
from perfanalytics.baselines.value_kinds import default_chart, kind_of, percentile_method, scale_of
from perfanalytics.baselines.wording import day
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.counts import counts_and_sizes, totals_and_sizes
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective, Process
from perfanalytics.core.result import Caveat, Method


def baseline(
    series: object,
    *,
    coverage: float = 0.95,
    confidence: float = 0.95,
    dependence: Dependence | None = None,
    objective: Objective | None = None,
    process: Process | str | None = None,
    m: int = 10,
    distribution: str | None = None,
    tolerance: str = "howe",
    chart: str | None = None,
    estimate: Estimate = None,
    stages: Stages = (),
    exclude: Exclusions = (),
) -> Baseline:
    """Characterise a process: center, spread, percentiles, limits, what to expect next, stability.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        Measured values, counts or shares with their sizes, totals of a measured quantity with their sizes, or
        items coded 0 and 1. The control chart behind the stability verdict takes them in the order given.
    coverage : float
        Share of items that prediction and tolerance intervals shall hold, in (0, 1).
    confidence : float
        Confidence of all intervals, in (0, 1).
    dependence : {"ar1", "independent"}, optional
        How neighbouring values may depend on each other. Default: "ar1" (the effective sample size is
        used) for a series with times; "independent" without them, because then nobody knows that the order
        is that of time (a caveat says where neighbours are alike). Named, with the reason, in ``.method``.
    objective : Objective, optional
        About the same measure; ``statistic`` "item", "mean", "median", "p90" ..., or "share".
    process : Process or str, optional
        Process, with the version that was in use.
    m : int
        The prediction interval for a mean is for the mean of the next ``m``.
    distribution : str, optional
        The family fitted by maximum likelihood ("weibull", "gamma" ...; see ``fit_distribution``). Default:
        lognormal on the log scale, normal on the raw one; of items still open the lognormal for durations and
        positive measures, none for others.
    tolerance : {"howe", "exact"}
        Factor of the normal tolerance interval; "exact" also gives the one-sided limits.
    chart : str, optional
        Control chart of the stability verdict and the natural process limits. Default: "individuals" (of
        the logarithms where the scale is "log"), "laney_p" for shares, "laney_u" for rates and "i_prime"
        for ratios of measured quantities with sizes; items coded 0 and 1 are not charted. Of open items and
        ordinal values no limits are given.
    estimate, stages, exclude :
        As in ``control_chart``. With stages the baseline describes the last one.

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        Without any value, for values with several columns, negative durations, levels outside (0, 1).
    UnknownNameError
        For an unknown dependence, chart, or statistic of the objective.

    Notes
    -----
    Durations and positive measures are analysed as logarithms and given back in their unit; where the
    scale of the measure is not declared, skewness above 1 and only positive values decide for logarithms,
    and ``.method`` says so. Intervals of percentiles are distribution-free. No point is dropped because of
    its value.

    References
    ----------
    Hahn and Meeker (1991), Statistical Intervals. CMMI-SVC V1.3 (2010), OPP SP 1.4.

    Examples
    --------
    >>> b = baseline([5.1, 4.9, 5.6, 5.0, 4.7, 5.3, 5.2, 4.8, 5.0, 5.4])
    >>> b["mean"].value, b.caveat_codes
    (5.1, ('too-few-points',))
    >>> b.to_frame().loc[0, ["quantity", "low", "high"]].tolist()[0]
    'mean'
    """
    series = as_series(series)
    if series.values.ndim != 1:
        raise InputError(f"a baseline describes one column of values, got shape {series.values.shape}")
    for name, level in (("coverage", coverage), ("confidence", confidence)):
        if not 0 < level < 1:
            raise InputError(f"{name} lies between 0 and 1 (0.95 for 95%), got {level}")
    if m < 1:
        raise InputError(f"m, the number of items averaged, is at least 1, got {m}")
    because = "asked for"
    if dependence is None:
        dependence = "ar1" if series.when is not None else "independent"
        because = "default for a series with times"
        if series.when is None:
            because = "default without times: the order of the values need not be that of time"
    elif dependence not in ("ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    if isinstance(process, str):
        process = Process(process)
    if tolerance not in TOLERANCES:
        raise UnknownNameError("tolerance", str(tolerance), TOLERANCES)
    options = Options(coverage, confidence, dependence, m, asked=because == "asked for", tolerance=tolerance)

    kind = kind_of(series)
    counts = sizes = None
    read = ""
    if kind == "ratios":
        counts, sizes, read = totals_and_sizes(series.as_batch())
    elif kind in ("shares", "rates"):
        counts, sizes, _ = counts_and_sizes(series.as_batch(), limit_one=kind == "shares")
    scale = "raw" if counts is not None else scale_of(series)
    judged = judge(
        series,
        chart=chart or default_chart(kind, series),
        logged=scale == "log",
        rates=None if counts is None or sizes is None or kind == "shares" else counts / sizes,
        measured=kind == "ratios",
        estimate=estimate,
        stages=stages,
        exclude=exclude,
    )
    used = judged.used
    if not used.any():
        raise InputError("no value is left to describe: all points are missing or excluded")

    def kept(column: NDArray[np.float64]) -> NDArray[np.float64]:
        """The column from the last stage on, NaN where a point is not used."""
        return np.where(used, column, np.nan)[judged.start :]

    in_time, km = kept(series.values), None
    still_open = still_open_of(series, used) if kind == "open items" else None
    if kind == "ratios" and counts is not None and sizes is not None:
        in_time = kept(counts / sizes)
        unit = ratios.unit_of(series)
        found = ratios.describe(kept(counts), kept(sizes), series.measure, options, unit=unit, how=read)
    elif counts is not None and sizes is not None:
        unit = series.measure.unit or ("share" if kind == "shares" else "per unit of size")
        in_time = kept(counts / sizes)
        found = shares.describe(
            kept(counts),
            kept(sizes),
            options,
            rate=kind == "rates",
            unit=unit,
            when=None if series.when is None else series.when[judged.start :],
        )
    elif still_open is not None:
        km = kaplan_meier(series.values[used], still_open, confidence=confidence)
        found = describe_open(in_time, still_open, km, series.measure, options)
    else:
        found = numbers.describe(in_time, series.measure, options)

    fitted = fitted_of(series, kind, found.scale, in_time, still_open, distribution, dependence)
    rows, assessed = list(found.rows), Assessment(None, None, "")
    if objective is not None:
        assessed = _assess(objective, series.measure, rows, in_time, km, options)
    ahead = next((k for k, r in enumerate(rows) if "next" in r.quantity), len(rows))
    withheld = None
    if still_open is not None:
        withheld = "withheld: some values are only the age so far"
    elif series.measure.scale == "ordinal":
        withheld = numbers.NO_DISTANCES
    if withheld is not None:
        judged = replace(judged, center=np.nan, lower=np.nan, upper=np.nan, how=withheld)
    rows.insert(ahead, _natural_limits(judged, rows[0].unit))
    if assessed.row is not None:
        rows.append(assessed.row)
        if fitted is not None and objective is not None:
            rows.append(fitted_share(fitted, objective, options))

    when = None if series.when is None else series.when[used]
    n_excluded = int(np.sum(judged.excluded[judged.start :] & ~np.isnan(series.values[judged.start :])))
    caveats = [*found.caveats, *stability_doubts(judged.stable, judged.signals, judged.verdict)]
    if distribution is not None and fitted is not None:
        caveats = [c for c in caveats if c.code != "distribution-does-not-fit"] + misfit(fitted)
    if kind in ("numbers", "open items"):
        caveats += extract_doubts(series, used)
    if series.weights is not None and kind not in ("shares", "rates", "ratios"):  # these weigh by their sizes
        caveats.append(ignored_weights())
    if objective is not None and when is not None:
        caveats += _declared_late(objective, when[-1])
    return Baseline(
        verdict=verdict_of(
            series, kind, rows, judged, assessed.sentence, when, int(used.sum()), found.more_points
        ),
        caveats=tuple(caveats),
        method=Method(
            "baseline",
            {
                "coverage": coverage,
                "confidence": confidence,
                "dependence": dependence,
                "dependence_because": because,
                "m": m,
                "tolerance": tolerance,
                "distribution": None if fitted is None else fitted.family,
                "distribution_because": "asked for" if distribution else "default of the scale",
                "values": kind,
                "scale": found.scale,
                "scale_because": found.scale_reason,
                "lag1": found.r1,
                "lag1_used": found.r,
                "n_effective": found.n_effective,
                "percentiles": "Kaplan-Meier" if km is not None else percentile_method(series.measure),
                "natural_process_limits": judged.how,
                "stability": dict(judged.parameters),
                "objective": None if objective is None else objective.name,
            },
            found.references,
        ),
        provenance=series.provenance(),
        measure=series.measure,
        process=process,
        n=int(used.sum()),
        n_missing=len(in_time) - int(used.sum()) - n_excluded,
        n_excluded=n_excluded,
        n_censored=0 if still_open is None else int(still_open.sum()),
        first=None if when is None else when[0],
        last=None if when is None else when[-1],
        values=read_only(in_time[used[judged.start :]]),
        when=None if when is None else read_only(when),
        sizes=None if sizes is None else read_only(sizes[used]),
        censored=None if still_open is None else read_only(still_open),
        values_are=kind,
        scale=found.scale,
        dependence=dependence,
        lag1=found.r1,
        n_effective=found.n_effective,
        **columns(rows),
        stable=judged.stable,
        stability=judged.verdict,
        signals=judged.signals,
        center_line=judged.center,
        lower_limit=judged.lower,
        upper_limit=judged.upper,
        objective=objective,
        standing=assessed.standing,
        points_to_halve=found.more_points,
        fitted=fitted,
    )


def _natural_limits(judged: Stability, unit: str) -> Row:
    row = Row("natural process limits", judged.center, judged.lower, judged.upper)
    return replace(row, method=judged.how, unit=unit)


def _assess(
    objective: Objective,
    measure: Measure,
    rows: Sequence[Row],
    in_time: NDArray[np.float64],
    km: KaplanMeier | None,
    options: Options,
) -> Assessment:
    check_objective(objective, measure, rows)
    if objective.statistic != "item":
        name = "p50" if objective.statistic == "median" else objective.statistic
        return assess_statistic(next(r for r in rows if r.quantity == name), objective)
    if km is not None:
        return assess_censored(km, objective, options, measure.unit)
    size = effective(in_time, options.dependence)
    return assess_items(in_time, size, objective, options, measure.unit)


def _declared_late(objective: Objective, last: np.datetime64) -> list[Caveat]:
    if objective.declared_on is None or np.datetime64(objective.declared_on) <= last:
        return []
    text = (
        f"Objective {objective.name!r} was declared on {objective.declared_on}, after the last of these data "
        f"({day(last)}): a target chosen after seeing the result is worth little."
    )
    return [Caveat("objective-declared-later", text, {"declared_on": str(objective.declared_on)})]
