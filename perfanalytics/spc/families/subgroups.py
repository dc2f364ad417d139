"""Charts of rational subgroups: mean and range, mean and standard deviation, median and range."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.records import Exclusion
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import SeriesBatch, resolve_exclusions
from perfanalytics.spc.constants import c4, d2, d3, median_spread
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points

#: Montgomery's s-bar: estimated as it stands, and divided by c4 of the size of each point.
_TEXTBOOK = "mean_standard_deviation"


def subgroup_points(batch: SeriesBatch, chart: str) -> Points:
    """Mean, median, range and standard deviation of each subgroup.

    Subgroups are the rows of values of shape (n, k), or stretches of equal entries of ``subgroups``. A
    missing value, and a value that is excluded by a record of the series, leaves its subgroup smaller; a
    subgroup without any value is a gap.

    Raises
    ------
    InputError
        Without subgroups, or where the name of one comes back after others.
    """
    values, first, offsets, source = cut(batch, chart)
    n = np.diff(np.append(first, len(values)))
    if not len(first):
        blank = np.empty(0)
        names = ("mean", "median", "range", "deviation")
        return Points(
            offsets=offsets, value=blank, size=blank, columns=dict.fromkeys(names, blank), batch=source
        )
    seen = ~np.isnan(values)
    seg = Segments(first, len(values))
    size = seg.counts(seen).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = seg.sums(np.where(seen, values, 0.0)) / size
        d = np.where(seen, values - np.repeat(mean, n), 0.0)
        deviation = np.sqrt(seg.sums(d * d) / (size - 1.0))
        spread = seg.maxima(np.where(seen, values, -np.inf)) - seg.minima(np.where(seen, values, np.inf))
    few = size < 2
    deviation[few], spread[few] = np.nan, np.nan
    columns = {"mean": mean, "range": spread, "deviation": deviation}
    if chart == "median":
        columns["median"] = seg.medians(values, seen)
    return Points(
        offsets=offsets,
        value=columns["median"] if chart == "median" else mean,
        size=np.where(size > 0, size, np.nan),
        columns=columns,
        breaks=None if batch.breaks is None else _broken(batch, first),
        batch=source,
        how={
            "subgroups": "rows of the values" if batch.values.ndim == 2 else "stretches of equal subgroups="
        },
    )


def _broken(batch: SeriesBatch, first: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    breaks = batch.breaks
    return breaks if breaks is None or batch.values.ndim == 2 else breaks[first]


def cut(batch: SeriesBatch, chart: str) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64], SeriesBatch]:
    """Flat values, where each subgroup begins, subgroups of each series, and the subgroups as series."""
    if batch.values.ndim == 2:
        n, k = batch.values.shape
        if k < 2:
            raise InputError(f"the {chart} chart needs at least two values a subgroup, these have {k} column")
        return batch.values.ravel(), np.arange(n) * k, batch.offsets, batch
    if batch.subgroups is None:
        raise InputError(
            f"the {chart} chart takes subgroups: values of shape (n, k), or one value a row with subgroups="
        )
    name, n = batch.subgroups, len(batch.values)
    start = np.zeros(n, dtype=bool)
    start[batch.offsets[:-1][batch.lengths > 0]] = True
    start[1:] |= name[1:] != name[:-1]
    first = np.flatnonzero(start)
    offsets = np.searchsorted(first, batch.offsets).astype(np.int64)
    _check_together(name[first], offsets)
    mask, by_point = resolve_exclusions(batch, batch.exclusions) if batch.exclusions else (None, {})
    values, gone = batch.values, []
    if mask is not None and mask.any():
        values = np.where(mask, np.nan, values)
        lengths = np.diff(np.append(first, n))
        for g in np.flatnonzero(np.add.reduceat(~mask, first, dtype=np.int64) == 0).tolist():
            # nothing of the subgroup is left: it is excluded, and stays visible with its values
            values[first[g] : first[g] + lengths[g]] = batch.values[first[g] : first[g] + lengths[g]]
            i = int(np.searchsorted(offsets, g, side="right") - 1)
            record = by_point[int(first[g])]
            gone.append(
                Exclusion(
                    record.reason,
                    point=g - int(offsets[i]),
                    series=batch.ids[i],
                    who=record.who,
                    decided_on=record.decided_on,
                )
            )
    source = SeriesBatch(
        np.zeros(len(first)),
        offsets,
        measure=batch.measure,
        ids=batch.ids,
        when=None if batch.when is None else batch.when[first],
        # in bulk nobody reads them
        labels=[str(x) for x in name[first].tolist()] if len(batch) == 1 else None,
        covariates=_of_subgroups(batch, first),
        exclusions=gone,
        clock=batch.clock if batch.when is not None else None,
    )
    return values, first, offsets, source


def _of_subgroups(batch: SeriesBatch, first: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Covariates of subgroups: those that are the same for all values of each."""
    lengths = np.diff(np.append(first, len(batch.values)))
    return {
        name: column[first]
        for name, column in batch.covariates.items()
        if (np.repeat(column[first], lengths) == column).all()
    }


def _check_together(names: NDArray[Any], offsets: NDArray[np.int64]) -> None:
    """No name of a subgroup comes back in its series."""
    if names.dtype.kind in "iufM":
        rises = np.ones(len(names), dtype=bool)
        rises[1:] = names[1:] > names[:-1]
        rises[offsets[:-1][np.diff(offsets) > 0]] = True
        if rises.all():
            return
    for a, b in itertools.pairwise(offsets.tolist()):
        here = names[a:b].tolist()
        if len(set(here)) < len(here):
            again = next(str(x) for j, x in enumerate(here) if x in here[:j])
            raise InputError(
                f"subgroup {again!r} comes back after others: the values of a subgroup stand together"
            )


def by_size(of: Callable[[int], float], size: Floats) -> Floats:
    """A constant of the subgroup size, for each point; NaN below two values.

    Examples
    --------
    >>> by_size(d2, np.array([2.0, 5.0, 1.0])).round(3).tolist()
    [1.128, 2.326, nan]
    """
    different, which = np.unique(size, return_inverse=True)
    return np.array([of(int(n)) if n >= 2 else np.nan for n in different.tolist()])[which]


def sigma_within(block: Block, estimator: str) -> Floats:
    """Sigma of single values, from the spread within subgroups, of each segment."""
    seg, columns, size = block.segments, block.points.columns, block.points.size
    assert size is not None
    within = columns["range" if estimator.endswith("range") else "deviation"]
    use = ~np.isnan(within) if block.keep is None else block.keep & ~np.isnan(within)

    def total(x: Floats) -> Floats:
        return seg.sums(np.where(use, x, 0.0))

    with np.errstate(invalid="ignore", divide="ignore"):
        if estimator in (_TEXTBOOK, "pooled_standard_deviation"):
            free = total(size - 1.0)
            sigma = np.sqrt(total((size - 1.0) * within * within) / free)
            if estimator != _TEXTBOOK:
                return np.asarray(sigma / c4(free + 1.0))
            # a single value makes sizes unequal, too: s-bar of equal sizes would be too small for it
            some = size > 0 if block.keep is None else block.keep & (size > 0)
            low, high = seg.minima(np.where(some, size, np.inf)), seg.maxima(np.where(some, size, -np.inf))
            return np.asarray(np.where(low == high, total(within) / total(np.ones(len(size))), sigma))
        if estimator.endswith("range"):
            mean, sd = by_size(d2, size), by_size(d3, size)
        else:
            mean = c4(size)
            sd = np.sqrt(1.0 - mean * mean)
        # the best linear estimate: weights 1 / variance of each unbiased estimate; equal sizes: the mean
        weight = np.ones(len(size)) if estimator.startswith("unweighted") else (mean / sd) ** 2
        return np.asarray(total(weight * within / mean) / total(weight))


def estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Center (mean of all values) and sigma within subgroups."""
    seg, size = block.segments, block.points.size
    assert size is not None
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(block.kept(block.points.columns["mean"] * size)) / seg.sums(block.kept(size))
    return {"center": center, "sigma": sigma_within(block, estimator)}


def _median_estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Center (mean of the medians) and sigma within subgroups."""
    seg = block.segments
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(block.kept(block.points.value)) / block.n_kept()
    return {"center": center, "sigma": sigma_within(block, estimator)}


def spread_lines(block: Block, sigma: Floats, statistic: str) -> Lines:
    """The panel of ranges or standard deviations for a sigma of single values (one a point)."""
    size = block.points.size
    assert size is not None
    if statistic == "range":
        mean, sd = by_size(d2, size), by_size(d3, size)
    else:
        mean = c4(size)
        sd = np.sqrt(1.0 - mean * mean)
    return Lines(value=block.points.columns[statistic], center=mean * sigma, sigma=sd * sigma)


def _lines(
    block: Block, parameters: Mapping[str, Floats], *, statistic: str, median: bool = False
) -> tuple[Lines, ...]:
    seg, size = block.segments, block.points.size
    assert size is not None
    center, sigma = seg.expand(parameters["center"]), seg.expand(parameters["sigma"])
    if block.asked.estimator == _TEXTBOOK:
        # s-bar was estimated: c4 of the size of each point; a single value has none, and takes s-bar as it is
        sigma = sigma / np.where(size == 1, 1.0, c4(size))
    with np.errstate(invalid="ignore"):
        spread = sigma * by_size(median_spread, size) if median else sigma / np.sqrt(size)
    if median:
        spread = np.where(size == 1, sigma, spread)
    return (
        Lines(value=block.points.value, center=center, sigma=spread),
        spread_lines(block, sigma, statistic),
    )


_UNEQUAL = "unequal sizes: each subgroup weighted by the precision of its estimate"
_POOLED = "pooled standard deviation within subgroups / c4(degrees of freedom + 1)"
_RANGES = {
    "mean_range": f"mean of all values; sigma = mean range / d2(n); {_UNEQUAL}",
    "unweighted_mean_range": "mean of all values; sigma = plain mean of range / d2(n)",
    "pooled_standard_deviation": f"mean of all values; sigma = {_POOLED}",
}
#: For charts of subgroups whose sigma is one number, whatever the size of a point.
WITHIN = _RANGES | {
    "weighted_standard_deviation": f"mean of all values; sigma = mean of s / c4(n); {_UNEQUAL}",
    "unweighted_standard_deviation": "mean of all values; sigma = plain mean of s / c4(n)",
}
_DEVIATIONS = {
    _TEXTBOOK: "mean of all values; s-bar = mean standard deviation, for unequal sizes "
    "sqrt(sum (n - 1) s^2 / sum (n - 1)); sigma of a point = s-bar / c4 of its size",
    **{name: WITHIN[name] for name in ("weighted_standard_deviation", "unweighted_standard_deviation")},
    "pooled_standard_deviation": f"mean of all values; sigma = {_POOLED}",
}
_BOOK = "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section"
_BURR = "Burr (1969), Control charts for measurements with varying sample sizes, JQT 1, 163-167"
_R_PANEL = Panel(name="range", independent=True, spread=True, floor=0.0)


def _points(batch: SeriesBatch, options: Mapping[str, Any], *, chart: str) -> Points:
    return subgroup_points(batch, chart)


XBAR_R = ChartFamily(
    name="xbar_r",
    title="Mean and range of subgroups (X-bar R)",
    transformable=True,
    panels=(Panel(name="mean", independent=True, level=True), _R_PANEL),
    parameters=("center", "sigma"),
    grouped=True,
    estimators=_RANGES,
    modes=dict.fromkeys(_RANGES, "family"),
    points=partial(_points, chart="xbar_r"),
    estimate=estimate,
    lines=partial(_lines, statistic="range"),
    references=(f"{_BOOK} 6.2", _BURR),
)

XBAR_S = ChartFamily(
    name="xbar_s",
    title="Mean and standard deviation of subgroups (X-bar S)",
    transformable=True,
    panels=(
        Panel(name="mean", independent=True, level=True),
        Panel(name="standard deviation", independent=True, spread=True, floor=0.0),
    ),
    parameters=("center", "sigma"),
    grouped=True,
    estimators=_DEVIATIONS,
    modes=dict.fromkeys(_DEVIATIONS, "family"),
    points=partial(_points, chart="xbar_s"),
    estimate=estimate,
    lines=partial(_lines, statistic="deviation"),
    references=(f"{_BOOK} 6.3", _BURR),
)

_MEDIANS = {
    "mean_range": f"mean of the medians; sigma = mean range / d2(n); {_UNEQUAL}",
    "unweighted_mean_range": "mean of the medians; sigma = plain mean of range / d2(n)",
    "pooled_standard_deviation": f"mean of the medians; sigma = {_POOLED}",
}

MEDIAN = ChartFamily(
    name="median",
    title="Median and range of subgroups",
    transformable=True,
    panels=(Panel(name="median", independent=True, level=True), _R_PANEL),
    parameters=("center", "sigma"),
    grouped=True,
    estimators=_MEDIANS,
    modes=dict.fromkeys(_MEDIANS, "family"),
    points=partial(_points, chart="median"),
    estimate=_median_estimate,
    lines=partial(_lines, statistic="range", median=True),
    references=(
        "Clifford (1959), Control charts without calculations, Industrial Quality Control 15(11), 40-44",
    ),
)

__all__ = ["MEDIAN", "WITHIN", "XBAR_R", "XBAR_S", "by_size", "estimate", "spread_lines", "subgroup_points"]
