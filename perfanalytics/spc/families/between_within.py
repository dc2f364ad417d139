"""Between and within subgroups (I-MR-R/S): means as individuals, their ranges, the spread within."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perfanalytics.core.columns import Floats
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.individuals import ESTIMATORS, lines
from perfanalytics.spc.families.individuals import estimate as individuals
from perfanalytics.spc.families.subgroups import sigma_within, spread_lines, subgroup_points
from perfanalytics.spc.family import ChartFamily
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return subgroup_points(batch, "imr_rs")


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    within = "mean_range" if block.asked.options["within"] == "range" else "weighted_standard_deviation"
    return individuals(block, estimator) | {"sigma_within": sigma_within(block, within)}


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    within = block.segments.expand(parameters["sigma_within"])
    statistic = str(block.asked.options["within"])
    return (*lines(block, parameters), spread_lines(block, within, statistic))


_MEAN = "plain mean of the subgroup means; {}; sigma within from ranges (or standard deviations) of subgroups"

IMR_RS = ChartFamily(
    name="imr_rs",
    title="Between and within subgroups (I-MR-R/S)",
    transformable=True,
    panels=(
        Panel(name="subgroup mean", independent=True, constant=True, level=True),
        Panel(name="moving range of means", independent=False, spread=True, floor=0.0, constant=True),
        Panel(name="spread within", independent=True, spread=True, floor=0.0),
    ),
    parameters=("center", "sigma", "sigma_within"),
    grouped=True,
    estimators={name: _MEAN.format(text) for name, text in ESTIMATORS.items()},
    modes=dict.fromkeys(ESTIMATORS, "family"),
    points=_points,
    estimate=_estimate,
    lines=_lines,
    options={
        "within": Option(default="range", text="statistic of the third panel", choices=("range", "deviation"))
    },
    references=("Wheeler (1995), Advanced Topics in Statistical Process Control, section 3.5",),
)

__all__ = ["IMR_RS"]
