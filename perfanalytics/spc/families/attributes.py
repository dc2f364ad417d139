"""Attribute charts: binomial (p, np), Poisson (c, u), and Laney's p' and u' where counts vary otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import d2
from perfanalytics.spc.family import ChartFamily, one_column
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.scores import Law, quantile, scores_within


def _shares(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    one_column(batch, "p")
    counts, sizes, how = counts_and_sizes(batch)
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
    )


def _numbers(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    points = _shares(batch, options)
    return replace(points, value=points.columns["counts"])


def _rates(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    one_column(batch, "u")
    if batch.sizes is None:
        raise InputError("a u chart needs the units behind each count: give sizes= (or take chart='c')")
    counts, sizes, how = counts_and_sizes(batch, limit_one=False)
    if (counts < 0).any():
        raise InputError(
            f"point {int(np.flatnonzero(counts < 0)[0])} is negative, and a u chart takes counts: "
            "chart='i_prime' charts ratios of any sign"
        )
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
    )


def _counts(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
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


def _binomial_law(block: Block, parameters: Mapping[str, Floats], *, scaled: bool = True) -> Law:
    p, size = block.segments.expand(parameters["center"]), block.points.size
    assert size is not None
    return Law(
        kind="binomial",
        count=block.points.columns["counts"],
        a=size,
        b=p,
        scale=size if scaled else None,
        same=_one_size(block, size),
    )


def _numbers_law(block: Block, parameters: Mapping[str, Floats]) -> Law:
    return _binomial_law(block, parameters, scaled=False)


def _poisson_law(block: Block, parameters: Mapping[str, Floats]) -> Law:
    u, size = block.segments.expand(parameters["center"]), block.points.size
    return Law(
        kind="poisson",
        count=block.points.columns["counts"],
        a=u if size is None else u * size,
        scale=size,
        same=size is None or _one_size(block, size),
    )


def _one_size(block: Block, size: Floats) -> bool:
    """Whether each segment has one size only."""
    seen = ~np.isnan(size)
    low = block.segments.minima(np.where(seen, size, np.inf))
    high = block.segments.maxima(np.where(seen, size, -np.inf))
    return bool((high <= low).all())


def _mean_size(block: Block) -> Floats:
    if block.points.size is None:
        return np.ones(len(block.segments))
    return block.segments.sums(block.kept(block.points.size)) / np.maximum(block.n_kept(), 1)


def _rarer(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    p = parameters["center"]
    return np.asarray(_mean_size(block) * np.minimum(p, 1.0 - p))


def _expected(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    return np.asarray(_mean_size(block) * parameters["center"])


def tail_limits(law: Law, sigmas: float) -> tuple[Floats, Floats]:
    """Probability limits: quantiles at Phi(-k) and Phi(k), back on the scale of the plotted points.

    A point beyond one has at most that probability on its side.
    """
    tail = float(special.ndtr(-sigmas))
    lower, upper = quantile(law, tail), quantile(law, 1.0 - tail)
    if law.scale is not None:
        lower, upper = lower / law.scale, upper / law.scale
    return lower - law.shift, upper - law.shift


def limited(block: Block, law: Law, center: Floats, sigma: Floats, most: Floats | None = None) -> Lines:
    lower = upper = z = None
    if block.asked.limits == "probability":
        lower, upper = tail_limits(law, block.asked.sigmas)
        z = scores_within(law, block.segments, block.points.value, center, (lower, upper), block.asked.sigmas)
    return Lines(
        value=block.points.value, center=center, sigma=sigma, lower=lower, upper=upper, most=most, z=z
    )


def _p_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
    return (limited(block, _binomial_law(block, parameters), center, sigma),)


def _np_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
    size = block.points.size
    assert size is not None
    return (limited(block, _numbers_law(block, parameters), center * size, sigma * size, size),)


def _u_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _poisson(block, parameters["center"])
    return (limited(block, _poisson_law(block, parameters), center, sigma),)


def relative_spread(block: Block, center: Floats, sigma: Floats) -> Floats:
    """Laney's sigma_z of each segment: mean moving range of z / d2, z with the sigma of the model.

    1 where the points vary as the model says, more where they are overdispersed; NaN where unknown.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (block.points.value - center) / sigma
        np.copyto(z, 0.0, where=np.isnan(z) & (sigma == 0))
        ranges = moving_ranges(z, block.keep_link)
        return block.segments.sums(ranges) / block.kept_pairs() / d2(2)


#: How the limits of a chart with a discrete law can be made.
KINDS = {
    "sigma": "center -+ k sigma",
    "probability": "quantiles of the law at Phi(-k) and Phi(k): a stable point lies beyond a limit with at "
    "most that probability on its side",
}

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
    law=_binomial_law,
    limit_kinds=KINDS,
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
    law=_numbers_law,
    limit_kinds=KINDS,
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
    law=_poisson_law,
    limit_kinds=KINDS,
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
    law=_poisson_law,
    limit_kinds=KINDS,
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
