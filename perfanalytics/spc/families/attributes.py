"""Attribute charts: proportions with binomial limits (p), and Laney's p' for overdispersed ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.segments import moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import d2
from perfanalytics.spc.family import Block, ChartFamily, Lines, Panel, Points, one_column


def _points(batch: SeriesBatch) -> Points:
    one_column(batch, "p")
    counts, sizes, how = counts_and_sizes(batch)
    return Points(
        offsets=batch.offsets,
        value=counts / sizes,
        size=sizes,
        columns={"counts": counts},
        how={"values_read_as": how},
    )


def _mean_share(block: Block, estimator: str) -> dict[str, Floats]:
    """Mean share of each segment, weighted by size: all counts over all sizes."""
    assert block.points.size is not None
    seg = block.segments
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "center": seg.sums(block.kept(block.points.columns["counts"]))
            / seg.sums(block.kept(block.points.size))
        }


def _binomial(block: Block, center: Floats) -> tuple[Floats, Floats]:
    """Center line and binomial sigma of each point."""
    assert block.points.size is not None
    p = block.segments.expand(center)
    with np.errstate(invalid="ignore"):
        return p, np.sqrt(p * (1.0 - p) / block.points.size)


def _p_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
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


def _laney_estimate(block: Block, estimator: str) -> dict[str, Floats]:
    found = _mean_share(block, estimator)
    return found | {"sigma_z": relative_spread(block, *_binomial(block, found["center"]))}


def _laney_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    center, sigma = _binomial(block, parameters["center"])
    sigma = sigma * block.segments.expand(parameters["sigma_z"])
    return (Lines(value=block.points.value, center=center, sigma=sigma),)


_SHARE = Panel(name="share", independent=True, floor=0.0, ceiling=1.0)

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
    points=_points,
    estimate=_mean_share,
    lines=_p_lines,
    model_sigma=True,
    references=("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.2",),
)

LANEY_P = ChartFamily(
    name="laney_p",
    title="Share with between-period variation (Laney p')",
    panels=(_SHARE,),
    parameters=("center", "sigma_z"),
    estimators={
        "moving_range": "all counts / all sizes; sigma of a point = sqrt(p (1 - p) / size) sigma_z, "
        "sigma_z = mean moving range of z / d2, limits within 0 and 1"
    },
    modes={"moving_range": "laney"},
    points=_points,
    estimate=_laney_estimate,
    lines=_laney_lines,
    references=("Laney (2002), Improved control charts for attributes, Quality Engineering 14, 531-537",),
)
