"""capability(series, lower=, upper=) -> Capability: what a process does against what is asked of it."""

from __future__ import annotations

import math

import numpy as np

from perfanalytics.baselines import capability_counts, capability_percentiles
from perfanalytics.baselines.capability_doubts import capability_doubts
from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.capability_rows import fitted_of, normal_rows, observed_rows
from perfanalytics.baselines.capability_sample import SAID, choose_sigma, sample
from perfanalytics.baselines.capability_scale import choices_of, on_scale, scale_of
from perfanalytics.baselines.capability_words import against_minimum, verdict_of
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.ratios import as_values, size_doubts
from perfanalytics.baselines.rows import columns
from perfanalytics.baselines.specification import specification
from perfanalytics.baselines.stability import Exclusions, Stages
from perfanalytics.baselines.value_kinds import counted_kind
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Method


def capability(
    series: object,
    *,
    lower: float | None = None,
    upper: float | None = None,
    target: float | None = None,
    objective: Objective | None = None,
    confidence: float = 0.95,
    sigma: str | None = None,
    method: str | None = None,
    distribution: str | None = None,
    transform: str | None = None,
    minimum: float | None = None,
    dependence: Dependence | None = None,
    stages: Stages = (),
    exclude: Exclusions = (),
) -> Capability:
    """Capability of a process: indices, shares outside, each with its interval, and the stability verdict.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        Measured values in order of time, single or in subgroups (shape (n, k), or ``subgroups``); counts or
        shares with their sizes; items coded 0 and 1 of a proportion. Of totals of a measured quantity with
        their sizes (minutes, money) the ratio of each period is held against the limits.
    lower, upper : float, optional
        Specification limits in the unit of the measure; one at least (none for shares and rates).
    target : float, optional
        For Cpm; the middle of two limits where it is left out.
    objective : Objective, optional
        About items (its target becomes the limit on its side; with a share, the verdict says whether it is
        met); for shares and rates about the share or rate.
    confidence : float
        Of all intervals.
    sigma : str, optional
        Spread within: "moving_range" (default), "median_moving_range", "standard_deviation"; of subgroups
        "pooled" (default), "mean_range", "mean_standard_deviation".
    method : {"sigma", "percentile", "transform"}, optional
        "sigma": normal, within and overall. "percentile": from the percentiles 0.135, 50 and 99.865 of
        ``distribution`` (overall only). "transform": normal after ``transform``. Default: "transform" by
        logarithms for durations and positive measures, "sigma" for the others; "percentile" where another
        distribution is named.
    distribution : str, optional
        "normal"; for "percentile" also "lognormal", "weibull", "gamma", "exponential", "johnson_su",
        "johnson_sb" or "empirical".
    transform : {"log", "box_cox", "johnson"}, optional
    minimum : float, optional
        The index that is asked for (1.33): Ppk is judged against it by its interval.
    dependence : {"ar1", "independent"}, optional
        "ar1" (default with times): intervals use the effective sample size.
    stages, exclude
        As in ``control_chart``; the last stage is described.

    Returns
    -------
    Capability

    Raises
    ------
    InputError
        Without a limit, limits in the wrong order, open items, ordinal values, values that a transform or
        distribution cannot take.
    UnknownNameError
        For a sigma, method, distribution, transform or dependence that does not exist.

    Notes
    -----
    Cp and Cpk come from the spread within, Pp and Ppk from the overall standard deviation (divisor n - 1, not
    over c4). The degrees of freedom follow the sigma: 0.62 for each moving range (0.30 with their median),
    n - k for pooled subgroups, those of the range distribution for mean ranges. Tools differ in these; see
    the page on capability.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., chapter 8. ISO 22514-2 (2017).
    Bissell (1990), Applied Statistics 39. Boyles (1991), Journal of Quality Technology 23. Kotz and Johnson
    (1993), Process Capability Indices.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> c = perf.capability([9, 11, 10, 12, 10, 9, 10, 11, 10, 8, 10, 11], lower=5, upper=15)
    >>> round(c["cpk"].value, 2), round(c["ppk"].value, 2)
    (1.27, 1.51)
    >>> c.caveat_codes
    ('too-few-points',)
    """
    series = as_series(series)
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if minimum is not None and not minimum > 0:
        raise InputError(f"the index asked for (minimum=) is positive (1.33), got {minimum}")
    asked = dependence is not None
    if dependence is None:
        dependence = "ar1" if series.when is not None else "independent"
    elif dependence not in ("ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    if series.censored is not None and series.censored.any():
        raise InputError(
            "some items are still open (censored): their shares outside a limit are not known yet; "
            "perf.baseline(..., objective=) estimates them"
        )
    if series.measure.scale == "ordinal":
        raise InputError("an ordinal scale has no distances: capability indices mean nothing on it")
    options = Options(0.95, confidence, dependence, 1, asked=asked)
    kind, given_as, sizes = counted_kind(series), series, series.sizes
    if kind == "ratios":
        if objective is not None and objective.statistic in ("rate", "mean"):
            raise InputError(
                f"objective {objective.name!r} speaks of the pooled {objective.statistic}; capability holds "
                "the ratio of each period against limits: use perf.baseline(..., objective=), or lower= and "
                "upper="
            )
        series = as_values(series.as_batch())[0]
    elif kind != "numbers":
        given = {
            "lower": lower, "upper": upper, "target": target, "sigma": sigma, "method": method,
            "distribution": distribution, "transform": transform, "minimum": minimum,
        }  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise InputError(f"{name}= is for measured values; these are {kind}, counted")
        return capability_counts.describe(
            series, kind, options, objective=objective, stages=stages, exclude=exclude
        )
    asked_for = specification(lower, upper, target, objective, series.measure)
    sigma = choose_sigma(series, sigma)
    method, distribution, transform, because = choices_of(series, method, distribution, transform)
    plain = sample(series, sigma=sigma, dependence=dependence, stages=stages, exclude=exclude)
    scale = scale_of(plain, method, distribution, transform, because, series)
    used = plain
    if scale.forward is not None:
        used = sample(
            series, sigma=sigma, dependence=dependence, stages=stages, exclude=exclude, forward=scale.forward
        )
    chart = used.chart
    if method == "percentile":
        used = plain
    own = on_scale(asked_for, scale)
    fitted = fitted_of(used, method, distribution)
    if method == "percentile":
        rows = capability_percentiles.rows(plain, asked_for, fitted, confidence=confidence)
    else:
        rows = normal_rows(used, own, confidence=confidence)
    rows += observed_rows(plain, used.size, asked_for, dependence, confidence=confidence)
    standing, sentence = against_minimum(rows, minimum, objective)
    made = Capability(
        verdict="",
        caveats=(
            *capability_doubts(
                series, used, chart, fitted, scale.distribution, options, within=method != "percentile"
            ),
            *(() if kind == "numbers" or sizes is None else size_doubts(sizes[~np.isnan(series.values)])),
        ),
        method=Method(
            "capability",
            {
                **({} if kind == "numbers" else {"values": "the ratio of each period, counting the same"}),
                "lower": asked_for.lower,
                "upper": asked_for.upper,
                "target": asked_for.target,
                "target_because": asked_for.because,
                "method": method,
                "method_because": scale.because,
                "distribution": scale.distribution,
                "transform": transform,
                "transform_parameters": dict(scale.parameters),
                "sigma_within": SAID[sigma] if method != "percentile" else "not used",
                "sigma_overall": "standard deviation, n - 1",
                "df_within": used.df_within,
                "df_overall": used.size.df,
                "cpm": "min(U - T, T - L) / (3 tau), tau^2 = sum (x - T)^2 / n; interval of Boyles",
                "cpk": "Bissell's interval",
                "confidence": confidence,
                "minimum": minimum,
                "dependence": dependence,
                "lag1": used.size.r1,
                "n_effective": used.size.n_mean,
                "objective": None if objective is None else objective.name,
                "stability": dict(chart.method.parameters),
            },
            (
                "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., chapter 8",
                "Bissell (1990), Applied Statistics 39, 331-340",
                "Boyles (1991), Journal of Quality Technology 23, 17-26",
                "ISO 22514-2 (2017), Statistical methods in process management",
            ),
        ),
        provenance=given_as.provenance(),
        measure=series.measure,
        values_are=kind,
        n=len(used.values),
        subgroups=used.k,
        lower=asked_for.lower,
        upper=asked_for.upper,
        target=asked_for.target,
        objective=objective,
        distribution=scale.distribution,
        analysis=method,
        sigma=sigma if method != "percentile" else "",
        mean=used.mean,
        sd_within=used.sd_within,
        sd_overall=used.sd_overall,
        df_within=used.df_within,
        df_overall=used.size.df,
        n_effective=used.size.n_mean,
        lag1=used.size.r1,
        transform=dict(scale.parameters),
        fitted=fitted,
        values=read_only(plain.values),
        subgroup=read_only(plain.subgroup),
        **columns(rows),
        **capability_counts.chart_columns(chart),
        minimum=math.nan if minimum is None else float(minimum),
        standing=standing,
    )
    return capability_counts.with_verdict(made, verdict_of(made, sentence))
