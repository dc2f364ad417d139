"""Individuals and moving ranges (I-MR, XmR): one value a point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import breaks_of
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import c4, d2, d3, d4_median
from perfanalytics.spc.family import Block, ChartFamily, Lines, Panel, Points, one_column


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return Points(offsets=batch.offsets, value=one_column(batch, "individuals"))


def estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Center (mean) and sigma of each segment."""
    seg, n = block.segments, block.n_kept()
    x = block.kept(block.points.value)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(x) / n
        if estimator == "moving_range":
            sigma = seg.sums(block.kept_ranges()) / block.kept_pairs() / d2(2)
        elif estimator == "median_moving_range":
            sigma = seg.medians(block.kept_ranges(), block.keep_link) / d4_median()
        else:
            d = block.kept(block.points.value - seg.expand(center))
            sigma = np.sqrt(seg.sums(d * d) / (n - 1)) / c4(n)
    sigma[n < 2] = np.nan
    return {"center": center, "sigma": sigma}


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg = block.segments
    center, sigma = parameters["center"], parameters["sigma"]
    ranges = block.ranges().copy()
    ranges[breaks_of(block.link)] = np.nan
    return (
        Lines(value=block.points.value, center=seg.expand(center), sigma=seg.expand(sigma)),
        Lines(value=ranges, center=seg.expand(d2(2) * sigma), sigma=seg.expand(d3(2) * sigma)),
    )


INDIVIDUALS = ChartFamily(
    name="individuals",
    title="Individuals and moving range",
    panels=(
        Panel(name="individuals", independent=True, constant=True),
        Panel(name="moving range", independent=False, spread=True, floor=0.0, constant=True),
    ),
    parameters=("center", "sigma"),
    estimators={
        "moving_range": "mean; sigma = mean moving range of two / d2, d2 = 2/sqrt(pi), no screening",
        "median_moving_range": "mean; sigma = median moving range of two / d4, d4 = sqrt(2) z(0.75)",
        "standard_deviation": "mean; sigma = standard deviation / c4(n)",
    },
    modes={
        "moving_range": "moving_range",
        "median_moving_range": "median_moving_range",
        "standard_deviation": "standard_deviation",
    },
    points=_points,
    estimate=estimate,
    lines=_lines,
    references=("Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 6.4",),
)
