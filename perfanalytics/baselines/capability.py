"""capability(series, lower=, upper=) -> Capability: what a process does against what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from perfanalytics.baselines import capability_counts, capability_percentiles
from perfanalytics.baselines.capability_doubts import capability_doubts
from perfanalytics.baselines.capability_normal import Normal, table
from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.capability_sample import SAID, Sample, choose_sigma, is_grouped, sample
from perfanalytics.baselines.capability_words import against_minimum, verdict_of
from perfanalytics.baselines.families import FAMILIES, JOHNSON_SB, JOHNSON_SU, NORMAL, families_of
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.intervals import Dependence, Effective, clopper_pearson, effective
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.rows import Row, columns
from perfanalytics.baselines.specification import Specification, specification
from perfanalytics.baselines.stability import Exclusions, Stages
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Method
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import Series
from perfanalytics.spc.transforms import forward as power_forward
from perfanalytics.spc.transforms import powers

METHODS = ("sigma", "percentile", "transform")
TRANSFORMS = ("log", "box_cox", "johnson")


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of the analysis: how values become those that are analysed, and with which parameters."""

    method: str
    distribution: str
    forward: Callable[[Floats], Floats] | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    because: str = ""


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
        shares with their sizes; items coded 0 and 1 of a proportion.
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
    kind = capability_counts.kind_of(series)
    if kind != "numbers":
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
    method, distribution, transform, because = _choices(series, method, distribution, transform)
    plain = sample(series, sigma=sigma, dependence=dependence, stages=stages, exclude=exclude)
    scale = _scale(plain, method, distribution, transform, because, series)
    used = plain
    if scale.forward is not None:
        used = sample(
            series, sigma=sigma, dependence=dependence, stages=stages, exclude=exclude, forward=scale.forward
        )
    chart = used.chart
    if method == "percentile":
        used = plain
    own = _on_scale(asked_for, scale)
    fitted = _fitted(used, method, distribution)
    if method == "percentile":
        rows = capability_percentiles.rows(plain, asked_for, fitted, confidence=confidence)
    else:
        rows = _normal_rows(used, own, confidence=confidence)
    rows += _observed(plain, used.size, asked_for, dependence, confidence=confidence)
    standing, sentence = against_minimum(rows, minimum, objective)
    made = Capability(
        verdict="",
        caveats=capability_doubts(
            series, used, chart, fitted, scale.distribution, options, within=method != "percentile"
        ),
        method=Method(
            "capability",
            {
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
        provenance=series.provenance(),
        measure=series.measure,
        values_are="numbers",
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


def _choices(
    series: Series, method: str | None, distribution: str | None, transform: str | None
) -> tuple[str, str, str | None, str]:
    """Method, distribution, transform and why, checked against each other."""
    if method is not None and method not in METHODS:
        raise UnknownNameError("method", str(method), METHODS)
    if transform is not None and transform not in TRANSFORMS:
        raise UnknownNameError("transform", str(transform), TRANSFORMS)
    known = (*FAMILIES, "empirical")
    if distribution is not None and distribution not in known:
        raise UnknownNameError("distribution", str(distribution), known)
    because = "asked for"
    if method is None:
        if transform is not None:
            method, because = "transform", "a transform was named"
        elif distribution not in (None, "normal"):
            method, because = "percentile", "a distribution was named"
        elif distribution is None and series.measure.scale in LOG_SCALES:
            method, transform = "transform", "log"
            because = f"declared {series.measure.scale}"
        else:
            method = "sigma"
            because = "asked for" if distribution else "default of the declared scale"
    if method == "transform":
        if transform is None:
            raise InputError("method 'transform' needs transform= 'log', 'box_cox' or 'johnson'")
        if distribution not in (None, "normal"):
            raise InputError("after a transform the values are taken as normal: leave distribution= out")
    elif transform is not None:
        raise InputError(f"transform= goes with method 'transform', not with {method!r}")
    if method == "sigma" and distribution not in (None, "normal"):
        raise InputError(
            f"method 'sigma' takes values as normal; for {distribution!r} use method 'percentile', or "
            "a transform"
        )
    return method, distribution or "normal", transform, because


def _scale(
    plain: Sample, method: str, distribution: str, transform: str | None, because: str, series: Series
) -> Scale:
    """The transformation, estimated from the values used."""
    smallest = float(plain.values.min())
    if transform in ("log", "box_cox") and smallest <= 0:
        raise InputError(
            f"the smallest value is {smallest:g}: {'logarithms' if transform == 'log' else 'Box-Cox powers'} "
            "need positive values; use transform='johnson', a distribution, or method='sigma'"
        )
    if transform == "log":
        return Scale(method, "log", _log, {}, because)
    if transform == "box_cox":
        lam = powers(
            "box_cox",
            plain.values,
            np.ones(len(plain.values), dtype=bool),
            Segments(np.array([0]), len(plain.values)),
            0.0,
        )[0]

        def power(x: Floats) -> Floats:
            return power_forward("box_cox", x, np.asarray(lam), 0.0)

        return Scale(method, "box_cox", power, {"lambda": float(lam)}, because)
    if transform == "johnson":
        fits = [fit_family(f, plain.values) for f in (JOHNSON_SU, JOHNSON_SB)]
        good = sorted((f for f in fits if f.converged), key=lambda f: f.aicc)
        if not good:
            raise InputError(
                "Johnson's transform could not be fitted ("
                + "; ".join(f"{f.label}: {f.why}" for f in fits)
                + "): use another transform or a distribution"
            )
        best = good[0]
        parameters = {"su": float(best.family == "johnson_su")}
        parameters |= dict(zip(best.parameters, best.estimate.tolist(), strict=True))
        return Scale(method, "johnson", lambda x: _johnson_score(best, x), parameters, because)
    if method == "percentile" and series.measure.scale in LOG_SCALES and smallest > 0:
        # only the chart behind the stability verdict is one of logarithms, as for a baseline
        return Scale(method, distribution, _log, {}, because)
    return Scale(method, distribution, None, {}, because)


def _log(x: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, np.log(x), np.nan)


def _johnson_score(fitted: Fitted, x: Floats) -> Floats:
    gamma, delta, xi, lam = fitted.estimate.tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (x - xi) / lam
        if fitted.family == "johnson_su":
            return np.asarray(gamma + delta * np.arcsinh(u))
        return np.asarray(gamma + delta * (np.log(u) - np.log1p(-u)))


def _on_scale(asked: Specification, scale: Scale) -> Specification:
    """The limits on the scale of the analysis; one that no value can pass is none."""
    if scale.method != "transform" or scale.forward is None:
        return asked

    def one(value: float) -> float:
        moved = float(scale.forward(np.asarray(value))) if scale.forward is not None else value
        return moved if math.isfinite(moved) else math.nan

    return Specification(one(asked.lower), one(asked.upper), one(asked.target), asked.because)


def _fitted(used: Sample, method: str, distribution: str) -> Fitted | None:
    inflation = used.size.n / used.size.n_mean if used.size.n_mean > 0 else 1.0
    if method != "percentile":
        return fit_family(NORMAL, used.values, inflation=inflation)
    if distribution == "empirical":
        return None
    (family,) = families_of(distribution)
    made = fit_family(family, used.values, inflation=inflation, draws=199)
    if not made.converged:
        raise InputError(f"the {made.label} distribution could not be fitted: {made.why}")
    return made


def _normal_rows(s: Sample, asked: Specification, *, confidence: float) -> list[Row]:
    def one(value: float) -> Floats:
        return np.array([value], dtype=np.float64)

    found = table(
        Normal(
            mean=one(s.mean),
            sd_within=one(s.sd_within),
            df_within=one(s.df_within),
            sd_overall=one(s.sd_overall),
            df_overall=one(s.size.df),
            n=one(s.size.n),
            n_effective=one(s.size.n_mean),
            variance_factor=one(s.size.variance_factor),
            lower=one(asked.lower),
            upper=one(asked.upper),
            target=one(asked.target),
        ),
        confidence=confidence,
    )
    return [
        Row(
            name,
            float(value[0]),
            float(low[0]),
            float(high[0]),
            confidence,
            method=_how(name, asked),
            unit="ppm" if name.startswith("ppm") else "",
        )
        for name, (value, low, high) in found.items()
    ]


def _how(name: str, asked: Specification) -> str:
    """How the interval was made, or why there is no index."""
    no_lower, no_upper = math.isnan(asked.lower), math.isnan(asked.upper)
    if name in ("cp", "pp"):
        return "none: one limit only" if no_lower or no_upper else "chi-square"
    if name == "cpm":
        return "none: no target" if math.isnan(asked.target) else "Boyles (1991)"
    if (name in ("cpl", "ppl") and no_lower) or (name in ("cpu", "ppu") and no_upper):
        return "none: no limit on this side"
    if name in ("cpl", "cpu", "cpk", "ppl", "ppu", "ppk"):
        return "Bissell (1990)"
    if no_lower or no_upper:
        return "normal; Z +- z sqrt(1/n + Z^2/(2 df))"
    return "normal; delta method on Z.bench"


def _observed(
    s: Sample, size: Effective, asked: Specification, dependence: Dependence, *, confidence: float
) -> list[Row]:
    """Shares of the values seen outside: exact binomial (effective number of items under dependence)."""
    rows = []
    seen = ~np.isnan(s.in_time)
    with np.errstate(invalid="ignore"):
        below = np.zeros(len(seen), dtype=bool) if math.isnan(asked.lower) else s.in_time < asked.lower
        above = np.zeros(len(seen), dtype=bool) if math.isnan(asked.upper) else s.in_time > asked.upper
    n = int(seen.sum())
    for suffix, flags in (("", below | above), ("_below", below), ("_above", above)):
        own = effective(np.where(seen, flags.astype(float), np.nan), dependence)
        rest = (own if not math.isnan(own.r1) else size).n_mean / n
        count = float(flags[seen].sum())
        low, high = clopper_pearson(count * rest, n * rest, confidence=confidence)
        how = "Clopper-Pearson, exact binomial"
        how += " for the effective number of items (approximation)" if rest < 1 else ""
        ends = (1e6 * low, 1e6 * high)
        name = f"ppm_observed{suffix}"
        rows.append(Row(name, 1e6 * count / n, *ends, confidence, method=how, unit="ppm"))
    return rows


__all__ = ["METHODS", "TRANSFORMS", "capability", "is_grouped"]
