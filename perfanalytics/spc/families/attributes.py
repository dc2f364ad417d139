"""Attribute charts: binomial (p, np), Poisson (c, u), and Laney's p' and u' where counts vary otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import d2
from perfanalytics.spc.family import Block, ChartFamily, Lines, Panel, Points, one_column


def _shares(batch: SeriesBatch) -> Points:
    one_column(batch, "p")
    counts, sizes, how = counts_and_sizes(batch)
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
    )


def _numbers(batch: SeriesBatch) -> Points:
    points = _shares(batch)
    return replace(points, value=points.columns["counts"])


def _rates(batch: SeriesBatch) -> Points:
    one_column(batch, "u")
    if batch.sizes is None:
        raise InputError("a u chart needs the units behind each count: give sizes= (or take chart='c')")
    counts, sizes, how = counts_and_sizes(batch, limit_one=False)
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
    )


def _counts(batch: SeriesBatch) -> Points:
    values = one_column(batch, "c")
    seen = values[~np.isnan(values)]
    if (seen < 0).any() or (seen != np.floor(seen)).any():
        raise InputError("a c chart takes whole counts that are not negative")
    if batch.sizes is not None and len(seen) and np.ptp(batch.sizes[~np.isnan(values)]) > 0:
        raise InputError("the sizes differ: a u chart takes counts of unequal areas of opportunity")
    return Points(offsets=batch.offsets, value=values, columns={"counts": values})


def _mean_rate(block: Block, estimator: str) -> dict[str, Floats]:
    """Mean share or rate of each segment, weighted by size: all counts over all sizes (or points)."""
    seg, size = block.segments, block.points.size
    total = block.n_kept() if size is None else seg.sums(block.kept(size))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"center": seg.sums(block.kept(block.points.columns["counts"])) / total}


def _binomial(block: Block, center: Floats) -> tuple[Floats, Floats]:
    """Center line and binomial sigma of each point."""
    p = block.segments.expand(center)
    assert block.points.size is not None
    with np.errstate(invalid="ignore"):
        return p, np.sqrt(p * (1.0 - p) / block.points.size)


def _poisson(block: Block, center: Floats) -> tuple[Floats, Floats]:
    """Center line and Poisson sigma of each point: sqrt(u / size)."""
    u = block.segments.expand(center)
    with np.errstate(invalid="ignore"):
        return u, np.sqrt(u if block.points.size is None else u / block.points.size)


def _mean_size(block: Block) -> Floats:
    if block.points.size is None:
        return np.ones(len(block.segments))
    return block.segments.sums(block.kept(block.points.size)) / np.maximum(block.n_kept(), 1)


def _rarer(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    p = parameters["center"]
    return np.asarray(_mean_size(block) * np.minimum(p, 1.0 - p))


def _expected(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    return np.asarray(_mean_size(block) * parameters["center"])


def _p_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
    return (Lines(value=block.points.value, center=center, sigma=sigma),)


def _np_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
    size = block.points.size
    assert size is not None
    return (Lines(value=block.points.value, center=center * size, sigma=sigma * size, most=size),)


def _u_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _poisson(block, parameters["center"])
    return (Lines(value=block.points.value, center=center, sigma=sigma),)


def relative_spread(block: Block, center: Floats, sigma: Floats) -> Floats:
    """Laney's sigma_z of each segment: mean moving range of z / d2, z with the sigma of the model.

    1 where the points vary as the model says, more where they are overdispersed; NaN where unknown.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (block.points.value - center) / sigma
        np.copyto(z, 0.0, where=np.isnan(z) & (sigma == 0))
        ranges = moving_ranges(z, block.keep_link)
        return block.segments.sums(ranges) / block.kept_pairs() / d2(2)


Model = Callable[[Block, Floats], tuple[Floats, Floats]]


def _laney_estimate(model: Model) -> Callable[[Block, str], dict[str, Floats]]:
    def estimate(block: Block, estimator: str) -> dict[str, Floats]:
        found = _mean_rate(block, estimator)
        return found | {"sigma_z": relative_spread(block, *model(block, found["center"]))}

    return estimate


def _laney_lines(model: Model) -> Callable[[Block, Mapping[str, Floats]], tuple[Lines, ...]]:
    def lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
        center, sigma = model(block, parameters["center"])
        sigma = sigma * block.segments.expand(parameters["sigma_z"])
        return (Lines(value=block.points.value, center=center, sigma=sigma),)

    return lines


_SHARE = Panel(name="share", independent=True, floor=0.0, ceiling=1.0)
_BINOMIAL = "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.2"
_POISSON = "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.3"
_LANEY = "Laney (2002), Improved control charts for attributes, Quality Engineering 14, 531-537"
_SIGMA_Z = "sigma_z = mean moving range of z / d2"

P = ChartFamily(
    name="p",
    title="Share (p chart)",
    panels=(_SHARE,),
    parameters=("center",),
    estimators={
        "weighted_mean": "all counts / all sizes; sigma of a point = sqrt(p (1 - p) / size), "
        "limits within 0 and 1"
    },
    modes={"weighted_mean": "model"},
    points=_shares,
    estimate=_mean_rate,
    lines=_p_lines,
    expected=_rarer,
    model_sigma=True,
    references=(_BINOMIAL,),
)

NP = ChartFamily(
    name="np",
    title="Number (np chart)",
    panels=(Panel(name="number", independent=True, floor=0.0),),
    parameters=("center",),
    estimators={
        "weighted_mean": "p = all counts / all sizes; center of a point = size p, "
        "sigma = sqrt(size p (1 - p)), limits within 0 and size"
    },
    modes={"weighted_mean": "model"},
    points=_numbers,
    estimate=_mean_rate,
    lines=_np_lines,
    expected=_rarer,
    model_sigma=True,
    references=(_BINOMIAL,),
)

LANEY_P = ChartFamily(
    name="laney_p",
    title="Share with between-period variation (Laney p')",
    panels=(_SHARE,),
    parameters=("center", "sigma_z"),
    estimators={
        "moving_range": "all counts / all sizes; sigma of a point = sqrt(p (1 - p) / size) sigma_z, "
        f"{_SIGMA_Z}, limits within 0 and 1"
    },
    modes={"moving_range": "laney"},
    points=_shares,
    estimate=_laney_estimate(_binomial),
    lines=_laney_lines(_binomial),
    references=(_LANEY,),
)

C = ChartFamily(
    name="c",
    title="Count (c chart)",
    panels=(Panel(name="count", independent=True, floor=0.0, constant=True),),
    parameters=("center",),
    estimators={"mean": "mean count; sigma = sqrt(mean), lower limit not below 0"},
    modes={"mean": "model"},
    points=_counts,
    estimate=_mean_rate,
    lines=_u_lines,
    expected=_expected,
    model_sigma=True,
    references=(_POISSON,),
)

U = ChartFamily(
    name="u",
    title="Rate (u chart)",
    panels=(Panel(name="rate", independent=True, floor=0.0),),
    parameters=("center",),
    estimators={
        "weighted_mean": "all counts / all sizes; sigma of a point = sqrt(u / size), lower limit not below 0"
    },
    modes={"weighted_mean": "model"},
    points=_rates,
    estimate=_mean_rate,
    lines=_u_lines,
    expected=_expected,
    model_sigma=True,
    references=(_POISSON,),
)

LANEY_U = ChartFamily(
    name="laney_u",
    title="Rate with between-period variation (Laney u')",
    panels=(Panel(name="rate", independent=True, floor=0.0),),
    parameters=("center", "sigma_z"),
    estimators={
        "moving_range": f"all counts / all sizes; sigma of a point = sqrt(u / size) sigma_z, {_SIGMA_Z}, "
        "lower limit not below 0"
    },
    modes={"moving_range": "laney"},
    points=_rates,
    estimate=_laney_estimate(_poisson),
    lines=_laney_lines(_poisson),
    references=(_LANEY,),
)
