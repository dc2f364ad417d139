"""The columns of many capability studies: samples, within-subgroup sigma, effective sizes, defects, codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.capability_doubts import FEW
from perfanalytics.baselines.capability_indices import MEDIAN_MOVING_RANGE_DF, MOVING_RANGE_DF, range_df
from perfanalytics.baselines.capability_sample import INDIVIDUALS
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import c4, d2, d3
from perfanalytics.spc.families.subgroups import by_size, cut, subgroup_points


def logged(data: SeriesBatch) -> SeriesBatch:
    """The batch in logarithms; values that have none become gaps."""
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


def samples_of(
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
    within, df = within_sigmas(sigma, size, points.columns["deviation"], points.columns["range"], series, m)
    return flat, np.repeat(series, lengths), within, df, raw_flat


def within_sigmas(
    sigma: str, size: Floats, deviation: Floats, spread: Floats, series: NDArray[np.int64], m: int
) -> tuple[Floats, Floats]:
    """Sigma within subgroups and its degrees of freedom, of each series."""
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


def effective_sizes(
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


def observed_defects(
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
    """Values seen outside the limits, per million, of each series."""
    m = len(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        outside = used & ((raw < lower[owner]) | (raw > upper[owner]))
        counts = np.bincount(owner, weights=outside, minlength=m)
        own = effective_sizes(np.where(used, outside.astype(float), np.nan), offsets, n, dependence)
        rest = np.where(np.isnan(own["r1"]), size["n_mean"], own["n_mean"]) / n
        alpha = 1 - confidence
        x, whole = counts * rest, n * rest
        low = np.where(counts > 0, special.betaincinv(x, whole - x + 1, alpha / 2), 0.0)
        high = np.where(counts < n, special.betaincinv(x + 1, whole - x, 1 - alpha / 2), 1.0)
        share = counts / n
    none = n == 0
    return tuple(1e6 * np.where(none, np.nan, part) for part in (share, low, high))  # type: ignore[return-value]


def codes_of(
    n: NDArray[np.int64],
    sd: Floats,
    judged: NDArray[np.bool_],
    stable: NDArray[np.bool_],
    size: dict[str, Floats],
    unequal: NDArray[np.bool_],
) -> NDArray[Any]:
    """Codes of the caveats of each series."""
    alike = (size["r1"] > 2 / np.sqrt(np.maximum(n, 1))) & (n >= 8)
    marks = {
        "too-few-points": n < FEW,
        "zero-variance": sd == 0,
        "not-stable": judged & ~stable,
        "stability-unknown": ~judged,
        "autocorrelated": alike & (size["r"] > 0),
        "dependence-ignored": alike & (size["r"] == 0),
        "unequal-sizes": unequal,
    }
    out = np.empty(len(n), dtype=object)
    out[:] = [
        "; ".join(code for code, flags in zip(marks, row, strict=True) if flags)
        for row in zip(*(flags.tolist() for flags in marks.values()), strict=True)
    ]
    return out
