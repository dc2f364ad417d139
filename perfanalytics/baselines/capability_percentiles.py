"""Capability of processes that are not normal, from percentiles (ISO 22514): fitted or empirical."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from perfanalytics.baselines.capability_sample import Sample
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.rows import Row
from perfanalytics.baselines.specification import Specification
from perfanalytics.core.columns import Floats
from perfanalytics.core.order_statistics import quantile_ranks

#: Shares below mean - 3 sigma, at the center and below mean + 3 sigma of a normal distribution.
LOW, MIDDLE, HIGH = float(special.ndtr(-3.0)), 0.5, float(special.ndtr(3.0))
_OVERALL_ONLY = "not computed: percentiles know the overall spread only"


def _indices(low: float, middle: float, high: float, asked: Specification) -> dict[str, float]:
    """``Pp = (U - L) / (X_high - X_low)``, ``Ppu = (U - X_50) / (X_high - X_50)``, and Ppl likewise."""
    below = (middle - asked.lower) / (middle - low) if middle > low else math.nan
    above = (asked.upper - middle) / (high - middle) if high > middle else math.nan
    whole = (asked.upper - asked.lower) / (high - low) if high > low else math.nan
    return {"pp": whole, "ppl": below, "ppu": above, "ppk": float(np.fmin(below, above))}


def rows(
    s: Sample,
    asked: Specification,
    fitted: Fitted | None,
    *,
    confidence: float,
) -> list[Row]:
    """The rows of the table.

    References
    ----------
    ISO 22514-2 (2017) and ISO 22514-4 (2016), general geometric method; Clements (1989),
    Quality Progress 22(9).
    """
    out = [Row(name, math.nan, method=_OVERALL_ONLY) for name in ("cp", "cpl", "cpu", "cpk")]
    out += _fitted(fitted, asked, confidence) if fitted is not None else _empirical(s, asked, confidence)
    out.append(Row("cpm", math.nan, method="not computed: Cpm needs a mean and a spread"))
    for suffix in ("", "_below", "_above"):
        out.append(Row(f"ppm_within{suffix}", math.nan, method=_OVERALL_ONLY, unit="ppm"))
    out.append(Row("z_bench_within", math.nan, method=_OVERALL_ONLY))
    lower = -math.inf if math.isnan(asked.lower) else asked.lower
    upper = math.inf if math.isnan(asked.upper) else asked.upper
    for suffix, a, b in (("", lower, upper), ("_below", lower, math.inf), ("_above", -math.inf, upper)):
        name = f"ppm_overall{suffix}"
        if fitted is None:
            out.append(Row(name, math.nan, method="not computed: see ppm_observed", unit="ppm"))
            continue
        share, interval = fitted.share_interval(lower=a, upper=b, confidence=confidence)
        tiny = (0.0 if a == -math.inf else float(fitted.cdf(a))) + (
            0.0 if b == math.inf else float(fitted.sf(b))
        )
        outside = tiny if share > 0.5 else 1 - share
        out.append(
            Row(
                name,
                1e6 * outside,
                1e6 * (1 - interval.high),
                1e6 * (1 - interval.low),
                confidence,
                method=f"{fitted.label}; {interval.method}",
                unit="ppm",
            )
        )
        if suffix == "":
            ends = [-float(special.ndtri(1 - e)) for e in (interval.low, interval.high)]
            z = -float(special.ndtri(outside)) if 0 < outside < 1 else math.nan
            how = f"{fitted.label}; {interval.method}"
            out.append(Row("z_bench_overall", z, ends[0], ends[1], confidence, method=how))
    if fitted is None:
        out.append(Row("z_bench_overall", math.nan, method="not computed: see ppm_observed"))
    return out


def _fitted(fitted: Fitted, asked: Specification, confidence: float) -> list[Row]:
    def at(estimate: Floats, p: float) -> float:
        if fitted.parameters[-1] == "threshold":
            return float(FAMILIES[fitted.family].quantile(np.asarray(p), estimate[:-1]) + estimate[-1])
        return float(FAMILIES[fitted.family].quantile(np.asarray(p), estimate) + fitted.threshold)

    def of(name: str) -> Callable[[Floats], float]:
        return lambda e: _indices(at(e, LOW), at(e, MIDDLE), at(e, HIGH), asked)[name]

    z = float(special.ndtri((1 + confidence) / 2))
    how = f"percentiles of the {fitted.label} distribution, delta method"
    out = []
    for name in ("pp", "ppl", "ppu", "ppk"):
        value = of(name)(fitted.estimate)
        if math.isnan(value):
            out.append(Row(name, value, method="none: no limit on this side"))
            continue
        half = z * fitted.standard_error_of(of(name))
        out.append(Row(name, value, value - half, value + half, confidence, method=how))
    return out


def _empirical(s: Sample, asked: Specification, confidence: float) -> list[Row]:
    """Percentiles of the values; an interval only where order statistics bound all three of them."""
    ordered = np.sort(s.values)
    low, middle, high = np.quantile(ordered, [LOW, MIDDLE, HIGH]).tolist()
    each = 1 - (1 - confidence) / 3
    effective = s.size.n_mean if s.size.r > 0 else None
    ends = [
        quantile_ranks(len(ordered), p, confidence=each, n_effective=effective).bounds(ordered)
        for p in (LOW, MIDDLE, HIGH)
    ]
    value = _indices(low, middle, high, asked)
    known = all(math.isfinite(a) and math.isfinite(b) for a, b in ends)
    how = "percentiles of the values"
    how += ", order statistics jointly (conservative)" if known else ": too few values for an interval"
    out = []
    for name in ("pp", "ppl", "ppu", "ppk"):
        if math.isnan(value[name]):
            out.append(Row(name, math.nan, method="none: no limit on this side"))
            continue
        low_end = high_end = math.nan
        if known:
            corners = [_indices(a, m, b, asked)[name] for a in ends[0] for m in ends[1] for b in ends[2]]
            low_end, high_end = float(np.nanmin(corners)), float(np.nanmax(corners))
        out.append(Row(name, value[name], low_end, high_end, confidence, method=how))
    return out
