"""capabilities(batch, lower=, upper=) -> Capabilities: the indices of many series in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.baselines.capability_bulk_result import Capabilities
from perfanalytics.baselines.capability_columns import (
    codes_of,
    effective_sizes,
    logged,
    observed_defects,
    samples_of,
)
from perfanalytics.baselines.capability_normal import QUANTITIES, Normal, table
from perfanalytics.baselines.capability_sample import INDIVIDUALS, SAID, SUBGROUPS
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.ratios import as_values, unequal_sizes
from perfanalytics.baselines.value_kinds import counted_kind
from perfanalytics.baselines.wording import count
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_batch
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.result import Caveat, Method
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.charts import control_charts

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
    given = data = as_batch(batch)
    m = len(data)
    sizes = None
    if m and counted_kind(data[0]) == "ratios":
        data, sizes = as_values(data), data.sizes
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
        charted = logged(data)
    charts = control_charts(charted, chart=chart, estimate=estimator)
    flat, owner, within, df_within, raw_flat = samples_of(charted, raw, chart, chosen, charts.sigma)
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
    size = effective_sizes(flat, offsets, n, dependence)

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
    observed = observed_defects(raw_flat, used, owner, offsets, n, low, high, size, dependence, confidence)
    found["ppm_observed"] = observed
    unequal = np.zeros(m, dtype=bool)
    if sizes is not None:
        known = np.where(np.isnan(data.values), np.nan, sizes)
        pairs = zip(data.offsets[:-1].tolist(), data.offsets[1:].tolist(), strict=True)
        unequal = np.array([unequal_sizes(known[a:b]) for a, b in pairs], dtype=bool)
    codes = codes_of(n, sd, charts.judged, charts.stable, size, unequal)
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
        provenance=given.provenance(),
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
