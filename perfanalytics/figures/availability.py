"""The figure of availability: each month, and the outages by their length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import horizontal
from perfanalytics.models.reliability.availability import Availability

#: At most so many outages are drawn, the longest first.
DRAWN = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityInfo:
    """What is drawn: share up in each month with the target, outages with their length."""

    title: str
    months: NDArray[Any]
    share: Floats
    target: float
    mean: float
    start: NDArray[Any]
    down: Floats


def info(result: Availability) -> AvailabilityInfo:
    """The arrays of the figure."""
    keep = np.sort(np.argsort(-result.down, kind="stable")[:DRAWN])
    up = f"{100 * result.availability:.4f}".rstrip("0").rstrip(".")
    return AvailabilityInfo(
        title=f"Availability {up}%, {count(result.outages, 'outage')}",
        months=result.months.astype("datetime64[D]") + np.timedelta64(14, "D"),
        share=result.month_availability,
        target=result.target,
        mean=result.availability,
        start=result.start[keep],
        down=result.down[keep],
    )


def draw(result: Availability) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    good = np.ones(len(record.share), dtype=bool)
    if not np.isnan(record.target):
        good = ~(record.share < record.target)
    looks = [(style.BLUE, "circle") if g else style.DIRECTION["concern"] for g in good.tolist()]
    months = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": record.months,
        "y": record.share,
        "line": {"color": style.BLUE, "width": 1.8},
        "marker": {"color": [c for c, _ in looks], "symbol": [s for _, s in looks], "size": 9},
        "hovertemplate": "%{x|%B %Y}: %{y:.4%}<extra></extra>",
    }
    outages = {
        "type": "scatter",
        "mode": "markers",
        "x": record.start,
        "y": record.down,
        "yaxis": "y2",
        "marker": {"color": style.GREY, "symbol": "circle-open", "size": 5},
        "hovertemplate": "%{x}: %{y:.3g} hours<extra></extra>",
    }
    shapes = []
    lines = [(record.mean, style.GREY, "dot")]
    if not np.isnan(record.target):
        lines.append((record.target, style.INK, "dash"))
    for y, color, dash in lines:
        shapes.append(horizontal(y, color=color, width=1.5, dash=dash, below=True))
    notes = []
    if not np.isnan(record.target):
        notes.append(
            {
                "xref": "x domain",
                "x": 1,
                "xanchor": "left",
                "xshift": 6,
                "y": record.target,
                "text": "target",
                "showarrow": False,
            }
        )
    layout = style.layout(record.title, height=520, shapes=shapes, annotations=notes) | {
        "xaxis": style.axis("", anchor="y2"),
        "yaxis": style.axis("availability", domain=[0.52, 1.0], tickformat=".4~%", nticks=6),
        "yaxis2": style.axis("outage (hours)", domain=[0.0, 0.42], type="log", dtick=1),
    }
    if not len(record.down):
        # nothing to show below
        layout |= {"height": 360, "xaxis": style.axis(""), "yaxis": layout["yaxis"] | {"domain": [0.0, 1.0]}}
        del layout["yaxis2"]
        return {"data": [months], "layout": layout}
    return {"data": [months, outages], "layout": layout}
