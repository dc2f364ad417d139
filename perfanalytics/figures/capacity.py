"""The figure of a capacity threshold: the demand forecast, its interval, and what the team can carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import horizontal
from perfanalytics.models.queues.capacity import Capacity


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityInfo:
    """What is drawn: demand with its interval, the threshold, the periods that exceed it."""

    title: str
    unit: str
    x: NDArray[Any]
    demand: Floats
    low: Floats
    high: Floats
    threshold: float
    exceeds: NDArray[np.bool_]


def info(result: Capacity) -> CapacityInfo:
    """The arrays of the figure."""
    return CapacityInfo(
        title=f"Demand against what {result.servers} server{'s' if result.servers > 1 else ''} can carry",
        unit=f"arrivals in {number(result.per, result.unit)}",
        x=result.periods,
        demand=result.demand,
        low=result.low,
        high=result.high,
        threshold=result.threshold,
        exceeds=result.demand > result.threshold,
    )


def draw(result: Capacity) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = []
    if np.isfinite(record.high).any():
        low = np.where(np.isfinite(record.low), record.low, record.demand)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([record.x, record.x[::-1]]),
                "y": np.concatenate([record.high, low[::-1]]),
                "fill": "toself",
                "fillcolor": "rgba(86,180,233,0.25)",
                "line": {"color": style.SKY, "width": 1, "dash": "dot"},
                "hoverinfo": "skip",
            }
        )
    marks = [style.DIRECTION["concern"] if e else (style.BLUE, "circle") for e in record.exceeds.tolist()]
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": record.x,
            "y": record.demand,
            "line": {"color": style.BLUE, "width": 2},
            "marker": {"color": [c for c, _ in marks], "symbol": [s for _, s in marks], "size": 9},
            "hovertemplate": "%{x}: %{y:,.4g}<extra></extra>",
        }
    )
    line = horizontal(record.threshold, color=style.INK, width=1.8, dash="dash")
    note = {
        "xref": "x domain",
        "x": 0.01,
        "xanchor": "left",
        "y": record.threshold,
        "yanchor": "bottom",
        "text": f"capacity {number(record.threshold)}",
        "showarrow": False,
    }
    layout = style.layout(record.title, shapes=[line], annotations=[note]) | {
        "xaxis": style.axis("period", type="category"),
        "yaxis": style.axis(record.unit, rangemode="tozero"),
    }
    return {"data": data, "layout": layout}
