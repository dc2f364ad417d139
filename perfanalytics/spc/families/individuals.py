"""Individuals and moving ranges (I-MR, XmR): one value a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import breaks_of, has_range, moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import c4, d2, d3, d4_median
from perfanalytics.spc.family import ChartFamily, one_column
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points

#: Points of a moving range, unless another span is asked for.
SPAN = 2


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return Points(offsets=batch.offsets, value=one_column(batch, "individuals"))


def estimate(block: Block, estimator: str, span: int = SPAN) -> dict[str, Floats]:
    """Center (mean) and sigma of each segment, from moving ranges of ``span`` points where it uses such."""
    seg, n = block.segments, block.n_kept()
    x = block.kept(block.points.value)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(x) / n
        if estimator == "standard_deviation":
            d = block.kept(block.points.value - seg.expand(center))
            sigma = np.sqrt(seg.sums(d * d) / (n - 1)) / c4(n)
        elif span == SPAN:
            if estimator == "moving_range":
                sigma = seg.sums(block.kept_ranges()) / block.kept_pairs() / d2(2)
            else:
                sigma = seg.medians(block.kept_ranges(), block.keep_link) / d4_median()
        else:
            ranges = moving_ranges(block.points.value, block.keep_link, span)
            some = has_range(block.keep_link, span)
            if estimator == "moving_range":
                sigma = seg.sums(ranges) / seg.counts(some) / d2(span)
            else:
                sigma = seg.medians(ranges, some) / d4_median(span)
    sigma[n < 2] = np.nan
    return {"center": center, "sigma": sigma}


def range_lines(value: Floats, block: Block, sigma: Floats, span: int = SPAN) -> Lines:
    """The panel of moving ranges of ``value``, for one sigma a segment."""
    seg = block.segments
    if span == SPAN:
        ranges = block.ranges().copy() if value is block.points.value else moving_ranges(value, block.link)
        ranges[breaks_of(block.link)] = np.nan
    else:
        ranges = moving_ranges(value, block.link, span)
        ranges[~has_range(block.link, span)] = np.nan
    return Lines(value=ranges, center=seg.expand(d2(span) * sigma), sigma=seg.expand(d3(span) * sigma))


def _span(block: Block) -> int:
    return int(block.asked.options.get("span", SPAN))


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    return estimate(block, estimator, _span(block))


def lines(block: Block, parameters: Mapping[str, Floats], span: int = SPAN) -> tuple[Lines, ...]:
    """The panel of the values and that of their moving ranges."""
    seg = block.segments
    center, sigma = parameters["center"], parameters["sigma"]
    return (
        Lines(value=block.points.value, center=seg.expand(center), sigma=seg.expand(sigma)),
        range_lines(block.points.value, block, sigma, span),
    )


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    return lines(block, parameters, _span(block))


#: How sigma of single values is estimated from moving ranges of two; shared with the charts built on it.
ESTIMATORS = {
    "moving_range": "mean; sigma = mean moving range of two / d2, d2 = 2/sqrt(pi), no screening",
    "median_moving_range": "mean; sigma = median moving range of two / d4, d4 = sqrt(2) z(0.75)",
    "standard_deviation": "mean; sigma = standard deviation / c4(n)",
}

INDIVIDUALS = ChartFamily(
    name="individuals",
    title="Individuals and moving range",
    transformable=True,
    panels=(
        Panel(name="individuals", independent=True, constant=True, level=True),
        Panel(name="moving range", independent=False, spread=True, floor=0.0, constant=True),
    ),
    parameters=("center", "sigma"),
    estimators=ESTIMATORS
    | {
        "moving_range": "mean; sigma = mean moving range of span points / d2(span), d2(2) = 2/sqrt(pi), no "
        "screening",
        "median_moving_range": "mean; sigma = median moving range of span points / d4(span), d4(2) = "
        "sqrt(2) z(0.75)",
    },
    modes={
        "moving_range": "moving_range",
        "median_moving_range": "median_moving_range",
        "standard_deviation": "standard_deviation",
    },
    points=_points,
    estimate=_estimate,
    lines=_lines,
    options={"span": Option(default=SPAN, text="points of a moving range", low=2, high=100, whole=True)},
    span_option="span",
    references=("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 6.4",),
)
