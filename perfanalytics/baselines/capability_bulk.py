"""capabilities(batch, lower=, upper=) -> Capabilities: the indices of many series in one call."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from perfanalytics.baselines.capability_bulk_result import Capabilities
from perfanalytics.baselines.capability_doubts import FEW
from perfanalytics.baselines.capability_indices import MEDIAN_MOVING_RANGE_DF, MOVING_RANGE_DF, range_df
from perfanalytics.baselines.capability_normal import QUANTITIES, Normal, table
from perfanalytics.baselines.capability_sample import INDIVIDUALS, SAID, SUBGROUPS
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.wording import count
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.charts import control_charts
from perfanalytics.spc.constants import c4, d2, d3
from perfanalytics.spc.families.subgroups import by_size, cut, subgroup_points

_ALL = (*QUANTITIES, "ppm_observed")


def capabilities(
    batch: object,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    target: ArrayLike | None = None,
    confidence: float = 0.95,
    sigma: str | None = None,
    transform: str | None = None,
    dependence: Dependence | None = None,
) -> Capabilities:
    """Capability of many series of measured values, one row each, in one vectorised call.

    Parameters
    ----------
    batch : SeriesBatch, mapping of id to series, sequence of Series
    lower, upper, target : float or array of shape (m,), optional
        For all series, or one for each (NaN: none). One limit at least.
    confidence, sigma, dependence
        As in :func:`perfanalytics.capability`, for every series.
    transform : {"none", "log"}, optional
        Default: "log" for durations and positive measures, "none" for the others. Other transforms and
        distributions are for single series.

    Returns
    -------
    Capabilities

    Raises
    ------
    InputError
        As in :func:`perfanalytics.capability`; for counts and shares, and series with stages.
    UnknownNameError

    Notes
    -----
    Indices agree with those of the single study to about 1e-12. A series with fewer than two values, or with
    values that have no logarithm, has NaN.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> a, b = [9, 11, 10, 12, 10, 9, 10, 11, 10, 8], [9, 11, 10, 12, 10, 9, 10, 11, 10, 14]
    >>> made = perf.capabilities({"a": a, "b": b}, lower=5, upper=15)
    >>> made.column("ppk").round(2).tolist()
    [1.44, 0.97]
    """
    data = as_batch(batch)
    m = len(data)
    chosen, log, dependence = _choices(data, sigma, transform, dependence, confidence)
    sides = {
        name: _per_series(name, value, m)
        for name, value in (("lower", lower), ("upper", upper), ("target", target))
    }
    low, high = sides["lower"], sides["upper"]
    if np.isnan(low).all() and np.isnan(high).all():
        raise InputError("capability needs a limit: give lower= or upper=")
    wrong = np.flatnonzero(low >= high)
    if len(wrong):
        raise InputError(f"series {data.ids[int(wrong[0])]!r}: the lower limit lies below the upper one")
    aim = np.where(np.isnan(sides["target"]), (low + high) / 2, sides["target"])
    if ((aim < low) | (aim > high)).any():
        raise InputError("a target lies outside its limits")
    chart, estimator = (SUBGROUPS if chosen in SUBGROUPS else INDIVIDUALS)[chosen]
    charted, raw = data, data
    if log:
        charted = _logged(data)
    charts = control_charts(charted, chart=chart, estimate=estimator)
    flat, owner, within, df_within, raw_flat = _samples(charted, raw, chart, chosen, charts.sigma)
    used = ~np.isnan(flat)
    n = np.bincount(owner[used], minlength=m)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=m))])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.bincount(owner[used], weights=flat[used], minlength=m) / n
        deviation = np.where(used, flat - mean[owner], 0.0)
        left = np.bincount(owner, weights=deviation, minlength=m)
        square = np.bincount(owner, weights=deviation**2, minlength=m) - left**2 / n
        sd = np.sqrt(np.maximum(square, 0.0) / (n - 1))
    sd[n < 2] = np.nan
    size = _effective(flat, offsets, n, dependence)

    def moved(limit: Floats) -> Floats:
        if not log:
            return limit
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(limit > 0, np.log(limit), np.nan)

    found = table(
        Normal(
            mean=mean,
            sd_within=within,
            df_within=df_within,
            sd_overall=sd,
            df_overall=size["df"],
            n=n.astype(np.float64),
            n_effective=size["n_mean"],
            variance_factor=size["factor"],
            lower=moved(low),
            upper=moved(high),
            target=moved(aim),
        ),
        confidence=confidence,
    )
    observed = _observed(raw_flat, used, owner, offsets, n, low, high, size, dependence, confidence)
    found["ppm_observed"] = observed
    codes = _codes(n, sd, charts.judged, charts.stable, size)
    estimate, lows, highs = (np.array([found[q][k] for q in _ALL]) for k in range(3))
    ppk = found["ppk"][0]
    unstable = int(np.sum(charts.judged & ~charts.stable))
    return Capabilities(
        verdict=_verdict(ppk, found["ppk"][1], unstable, int(charts.judged.sum())),
        caveats=_counted(codes),
        method=Method(
            "capabilities",
            {
                "sigma_within": SAID[chosen],
                "sigma_overall": "standard deviation, n - 1",
                "method": "transform" if log else "sigma",
                "transform": "log" if log else None,
                "confidence": confidence,
                "dependence": dependence,
                "target": "given" if target is not None else "the middle of the limits",
                "stability": dict(charts.method.parameters),
            },
            ("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., chapter 8",),
        ),
        provenance=data.provenance(),
        measure=data.measure,
        ids=data.ids,
        scale="log" if log else "raw",
        sigma=chosen,
        confidence=confidence,
        lower=read_only(low),
        upper=read_only(high),
        target=read_only(aim),
        n=read_only(n.astype(np.int64)),
        signals=read_only(charts.n_signals),
        mean=read_only(mean),
        sd_within=read_only(within),
        df_within=read_only(df_within),
        sd_overall=read_only(sd),
        df_overall=read_only(size["df"]),
        n_effective=read_only(size["n_mean"]),
        quantity=read_only(np.array(_ALL, dtype=object)),
        estimate=read_only(estimate),
        low=read_only(lows),
        high=read_only(highs),
        judged=read_only(charts.judged),
        stable=read_only(charts.stable),
        caveats_of_series=read_only(codes),
    )


def _choices(
    data: SeriesBatch,
    sigma: str | None,
    transform: str | None,
    dependence: Dependence | None,
    confidence: float,
) -> tuple[str, bool, Dependence]:
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if data.measure.scale in ("proportion", "ordinal") or data.sizes is not None:
        raise InputError(
            "in bulk capability is for measured values; use perf.capability for counts and shares"
        )
    if data.censored is not None and data.censored.any():
        raise InputError("some items are still open (censored): their shares outside are not known yet")
    # the first of each is the default
    known = SUBGROUPS if data.values.ndim == 2 or data.subgroups is not None else INDIVIDUALS
    if sigma is not None and sigma not in known:
        raise UnknownNameError("sigma", str(sigma), known)
    if transform is not None and transform not in ("none", "log"):
        raise UnknownNameError("transform in bulk", str(transform), ("none", "log"))
    if dependence not in (None, "ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    log = transform == "log" or (transform is None and data.measure.scale in LOG_SCALES)
    default: Dependence = "ar1" if data.when is not None else "independent"
    return (
        sigma or next(iter(("pooled",) if known is SUBGROUPS else ("moving_range",))),
        log,
        dependence or default,
    )


def _per_series(name: str, value: ArrayLike | None, m: int) -> Floats:
    if value is None:
        return np.full(m, np.nan)
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (m,)) or np.isinf(array).any():
        raise InputError(f"{name} is one number, or one for each of the {m} series, got shape {array.shape}")
    return np.array(np.broadcast_to(array, (m,)))


def _logged(data: SeriesBatch) -> SeriesBatch:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(data.values > 0, np.log(data.values), np.nan)
    series = np.repeat(np.arange(len(data)), data.lengths)
    flat = (data.values <= 0) if data.values.ndim == 1 else (data.values <= 0).any(axis=1)
    impossible = np.bincount(series, weights=flat, minlength=len(data)) > 0
    logs[impossible[series]] = np.nan
    return SeriesBatch(
        logs,
        data.offsets,
        measure=data.measure if data.measure.scale is None else replace(data.measure, scale="real", unit=""),
        ids=data.ids,
        when=data.when,
        subgroups=data.subgroups,
        labels=data.labels,
        items=data.items,
        covariates=data.covariates,
        exclusions=data.exclusions,
        expected_every=data.expected_every,
        clock=data.clock if data.when is not None else None,
    )


def _samples(
    charted: SeriesBatch, raw: SeriesBatch, chart: str, sigma: str, chart_sigma: Floats
) -> tuple[Floats, NDArray[np.int64], Floats, Floats, Floats]:
    """Flat values (NaN where not used), their series, sigma within and its degrees of freedom, raw values."""
    m = len(charted)
    if sigma in INDIVIDUALS:
        excluded, _ = charted.excluded()
        flat = np.where(excluded, np.nan, charted.values)
        owner = np.repeat(np.arange(m, dtype=np.int64), charted.lengths)
        use = ~np.isnan(flat)
        if sigma == "standard_deviation":
            free = np.bincount(owner, weights=use, minlength=m).astype(np.float64) - 1
            return flat, owner, chart_sigma, free, raw.values
        link = use.copy()
        link[1:] &= use[:-1] & (owner[1:] == owner[:-1])
        link[:1] = False
        if charted.breaks is not None:
            link &= ~charted.breaks
        pairs = np.bincount(owner, weights=link, minlength=m)
        factor = MOVING_RANGE_DF if sigma == "moving_range" else MEDIAN_MOVING_RANGE_DF
        return flat, owner, chart_sigma, np.asarray(pairs * factor, dtype=np.float64), raw.values
    points = subgroup_points(charted, chart)
    flat, first, _, source = cut(charted, chart)
    raw_flat = cut(raw, chart)[0]
    gone, _ = source.excluded()
    lengths = np.diff(np.append(first, len(flat)))
    flat = np.where(np.repeat(gone, lengths), np.nan, flat)
    series = np.repeat(np.arange(m, dtype=np.int64), np.diff(points.offsets))
    assert points.size is not None
    size = np.where(gone, np.nan, points.size)
    within, df = _within(sigma, size, points.columns["deviation"], points.columns["range"], series, m)
    return flat, np.repeat(series, lengths), within, df, raw_flat


def _within(
    sigma: str, size: Floats, deviation: Floats, spread: Floats, series: NDArray[np.int64], m: int
) -> tuple[Floats, Floats]:
    use = size >= 2

    def total(x: Floats) -> Floats:
        return np.asarray(np.bincount(series[use], weights=x[use], minlength=m), dtype=np.float64)

    with np.errstate(invalid="ignore", divide="ignore"):
        if sigma == "pooled":
            df = total(size - 1)
            return np.sqrt(total((size - 1) * deviation**2) / df) / c4(df + 1), df
        known = np.where(use, size, 2.0)
        if sigma == "mean_range":
            mean, sd, seen = by_size(d2, known), by_size(d3, known), spread
        else:
            mean, seen = c4(known), deviation
            sd = np.sqrt(1 - mean**2)
        weight = (mean / sd) ** 2
        found = total(weight * seen / mean) / total(weight)
    df = np.array([range_df(size[use & (series == i)], deviations=sigma != "mean_range") for i in range(m)])
    return found, df


def _effective(
    flat: Floats, offsets: NDArray[np.int64], n: NDArray[np.int64], dependence: Dependence
) -> dict[str, Floats]:
    """The formulas of :func:`perfanalytics.baselines.intervals.effective`, for every series."""
    many = n.astype(np.float64)
    r1 = lag1_autocorrelation(flat, offsets)
    r = corrected_lag1(r1, many) if dependence == "ar1" else np.zeros(len(many))
    n_mean = many * (1 - r) / (1 + r)
    df = many * (1 - r * r) / (1 + r * r) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where((many > 1) & (n_mean > 1), (1 - 1 / many) / (1 - 1 / n_mean), np.nan)
    return {"r1": r1, "r": r, "n_mean": n_mean, "df": df, "factor": factor}


def _observed(
    raw: Floats,
    used: NDArray[np.bool_],
    owner: NDArray[np.int64],
    offsets: NDArray[np.int64],
    n: NDArray[np.int64],
    lower: Floats,
    upper: Floats,
    size: dict[str, Floats],
    dependence: Dependence,
    confidence: float,
) -> tuple[Floats, Floats, Floats]:
    m = len(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        outside = used & ((raw < lower[owner]) | (raw > upper[owner]))
        counts = np.bincount(owner, weights=outside, minlength=m)
        own = _effective(np.where(used, outside.astype(float), np.nan), offsets, n, dependence)
        rest = np.where(np.isnan(own["r1"]), size["n_mean"], own["n_mean"]) / n
        alpha = 1 - confidence
        x, whole = counts * rest, n * rest
        low = np.where(counts > 0, special.betaincinv(x, whole - x + 1, alpha / 2), 0.0)
        high = np.where(counts < n, special.betaincinv(x + 1, whole - x, 1 - alpha / 2), 1.0)
        share = counts / n
    none = n == 0
    return tuple(1e6 * np.where(none, np.nan, part) for part in (share, low, high))  # type: ignore[return-value]


def _codes(
    n: NDArray[np.int64],
    sd: Floats,
    judged: NDArray[np.bool_],
    stable: NDArray[np.bool_],
    size: dict[str, Floats],
) -> NDArray[Any]:
    alike = (size["r1"] > 2 / np.sqrt(np.maximum(n, 1))) & (n >= 8)
    marks = {
        "too-few-points": n < FEW,
        "zero-variance": sd == 0,
        "not-stable": judged & ~stable,
        "stability-unknown": ~judged,
        "autocorrelated": alike & (size["r"] > 0),
        "dependence-ignored": alike & (size["r"] == 0),
    }
    out = np.empty(len(n), dtype=object)
    out[:] = [
        "; ".join(code for code, flags in zip(marks, row, strict=True) if flags)
        for row in zip(*(flags.tolist() for flags in marks.values()), strict=True)
    ]
    return out


def _counted(codes: NDArray[Any]) -> tuple[Caveat, ...]:
    many: dict[str, int] = {}
    for text in codes.tolist():
        for code in filter(None, text.split("; ")):
            many[code] = many.get(code, 0) + 1
    of = len(codes)
    return tuple(
        Caveat(code, f"{k} of {of} series: {code.replace('-', ' ')}.", {"series": k, "of": of})
        for code, k in many.items()
    )


def _verdict(ppk: Floats, low: Floats, unstable: int, judged: int) -> str:
    known = ppk[~np.isnan(ppk)]
    text = f"Capability of {count(len(ppk), 'series').replace('seriess', 'series')}"
    if not len(known):
        return f"{text}: no index could be given."
    above = int(np.sum(low >= 1))
    text += f": Ppk from {known.min():.2f} to {known.max():.2f}, median {float(np.median(known)):.2f}; "
    text += f"{above} {'is' if above == 1 else 'are'} above 1 with confidence."
    if unstable:
        text += (
            f" {unstable} of {judged} {'is' if unstable == 1 else 'are'} not stable: capability of an "
            "unstable process predicts nothing."
        )
    return text


_FLOATS = (
    "lower", "upper", "mean", "sd_within", "sd_overall", "cp", "cpk", "cpk_low", "cpk_high", "pp", "ppk",
    "ppk_low", "ppk_high", "cpm", "ppm_observed", "ppm_overall", "z_bench_overall",
)  # fmt: skip
_RUN = {"n": "integer", **dict.fromkeys(_FLOATS, "float")}
_RUN |= {"judged": "boolean", "stable": "boolean", "signals": "integer", "caveats": "text"}


def bulk_method(
    *,
    lower: float | None = None,
    upper: float | None = None,
    target: float | None = None,
    confidence: float = 0.95,
    sigma: str | None = None,
    transform: str | None = None,
    dependence: str | None = None,
) -> BulkMethod:
    """Capability of every series of a batch, for ``repo.map``; parameters as :func:`capabilities`.

    Raises
    ------
    InputError
        Without a limit.
    """
    if lower is None and upper is None:
        raise InputError("capability needs a limit: give lower= or upper=")
    for name, value in (("lower", lower), ("upper", upper), ("target", target)):
        if value is not None and not math.isfinite(value):
            raise InputError(f"{name} is a number in the unit of the measure, got {value}")
    if dependence not in (None, "ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))
    parameters = {
        "lower": lower, "upper": upper, "target": target, "confidence": confidence, "sigma": sigma,
        "transform": transform, "dependence": dependence,
    }  # fmt: skip

    def apply(batch: SeriesBatch) -> dict[str, NDArray[Any]]:
        made = capabilities(
            batch,
            lower=lower,
            upper=upper,
            target=target,
            confidence=confidence,
            sigma=sigma,
            transform=transform,
            dependence=dependence,  # type: ignore[arg-type]
        )
        columns = made.columns()
        return {name: columns[name] for name in _RUN}

    return BulkMethod(method=Method("capability", parameters), columns=_RUN, apply=apply)
