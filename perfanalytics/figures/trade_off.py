"""The figure of a trade-off: period by period, one measure against the other, with the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.figures import style
from perfanalytics.practices.qwm.work_review_tradeoff import TradeOff


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOffInfo:
    """What is drawn: one point a period; targets where they are in the unit drawn, else NaN."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_title: str
    y_title: str
    x_target: float
    y_target: float


def info(result: TradeOff) -> TradeOffInfo:
    """The arrays of the figure."""
    return TradeOffInfo(
        x=result.value,
        y=result.other_value,
        x_title=_title(result.measure, result.objective, ("to the left", "to the right")),
        y_title=_title(result.other, result.other_objective, ("down", "up")),
        x_target=_target(result.objective),
        y_target=_target(result.other_objective),
    )


def _title(measure: Measure, objective: Objective, ways: tuple[str, str]) -> str:
    return f"{measure.label}; {ways[objective.direction == 'at_least']} is better"


def _target(objective: Objective) -> float:
    """The target of an objective about single items is about another number than that of a period."""
    return np.nan if objective.statistic == "item" else objective.target


def draw(result: TradeOff) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data = [
        {"type": "scatter", "mode": "markers", "x": record.x, "y": record.y}
        | {"marker": {"size": 8, "color": style.BLUE, "line": {"color": style.PAPER, "width": 1}}}
        | {"customdata": result.when.astype("datetime64[D]").astype(str).tolist()}
        | {"hovertemplate": "%{customdata}: %{x:.4g}, %{y:.4g}<extra></extra>"}
    ]
    line = {"type": "line", "line": {"color": style.ORANGE, "width": 1.5, "dash": "dash"}}
    shapes = []
    if not np.isnan(record.x_target):
        shapes.append(
            line
            | {"xref": "x", "yref": "paper", "x0": record.x_target, "x1": record.x_target, "y0": 0, "y1": 1}
        )
    if not np.isnan(record.y_target):
        shapes.append(
            line
            | {"xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": record.y_target, "y1": record.y_target}
        )
    title = f"Rank correlation of how well they do: {number(result.correlation)} (dashed: targets)"
    layout = style.layout(
        title if shapes else title.removesuffix(" (dashed: targets)"),
        height=430,
        shapes=shapes,
        xaxis=style.axis(record.x_title),
        yaxis=style.axis(record.y_title),
    )
    return {"data": data, "layout": layout}
