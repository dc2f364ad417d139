"""The figure of staffing: servers needed in each interval, and the service level with and with one fewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.models.queues.staffing import Staffing, level

#: Servers shown on either side of the number needed, for one interval.
AROUND = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffingInfo:
    """What is drawn: one bar an interval, or for a single interval one a number of servers."""

    title: str
    single: bool
    x: NDArray[Any]
    servers: NDArray[np.int64]
    level: Floats
    one_fewer: Floats
    target: float
    needed: int
    load: Floats


def info(result: Staffing) -> StaffingInfo:
    """The arrays of the figure."""
    aim = (
        f"{percent(result.target)} served"
        if result.system == "loss"
        else f"{percent(result.target)} within {number(result.within, result.unit)}"
    )
    single = len(result.labels) == 1
    if single:
        need, load = int(result.servers[0]), float(result.load[0])
        servers = np.arange(max(1, need - AROUND), need + AROUND + 1)
        cv = result.method.parameters
        levels = [
            level(
                load,
                int(c),
                result.service,
                result.within,
                result.system,
                cv["arrival_cv"],
                cv["service_cv"],
                patience=result.patience if np.isfinite(result.patience) else None,
            )[0]
            for c in servers
        ]
        return StaffingInfo(
            title=f"Service level by the number of servers ({aim})",
            single=True,
            x=servers,
            servers=servers,
            level=np.array(levels),
            one_fewer=np.array([]),
            target=result.target,
            needed=need,
            load=result.load,
        )
    return StaffingInfo(
        title=f"Servers needed: {aim}",
        single=False,
        x=result.labels,
        servers=result.servers,
        level=result.service_level,
        one_fewer=result.one_fewer,
        target=result.target,
        needed=int(result.servers.max()),
        load=result.load,
    )


def draw(result: Staffing) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    target = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": record.target,
        "y1": record.target,
        "layer": "below",
        "line": {"color": style.GREY, "dash": "dash", "width": 1.5},
    }
    if record.single:
        enough = record.level >= record.target
        bars = {
            "type": "bar",
            "x": record.x,
            "y": record.level,
            "marker": {
                "color": [style.BLUE if e else style.LIGHT for e in enough.tolist()],
                "line": {"color": style.INK, "width": [2.0 if c == record.needed else 0.5 for c in record.x]},
            },
            "text": [percent(v, fine=True) for v in record.level.tolist()],
            "textposition": "outside",
            "cliponaxis": False,
        }
        layout = style.layout(record.title, shapes=[target | {"yref": "y"}]) | {
            "xaxis": style.axis("servers", dtick=1),
            "yaxis": style.axis("service level", range=[0, 1.08], tickformat=".0%"),
        }
        return {"data": [bars], "layout": layout}
    steps = {
        "type": "bar",
        "x": record.x,
        "y": record.servers,
        "name": "servers needed",
        "marker": {"color": style.BLUE},
        "hovertemplate": "%{x}: %{y} servers<extra></extra>",
    }
    load = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": record.x,
        "y": record.load,
        "name": "load (erlangs)",
        "line": {"color": style.ORANGE, "dash": "dash", "width": 2},
        "marker": {"symbol": "diamond", "size": 6},
    }
    with_them = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": record.x,
        "y": record.level,
        "yaxis": "y2",
        "name": "service level",
        "line": {"color": style.BLUE, "width": 2},
        "marker": {"symbol": "circle", "size": 6},
    }
    fewer = with_them | {
        "y": record.one_fewer,
        "name": "with one fewer",
        "line": {"color": style.GREY, "width": 1.5, "dash": "dot"},
        "marker": {"symbol": "circle-open", "size": 6},
    }
    layout = style.layout(record.title, height=520, showlegend=True, shapes=[target | {"yref": "y2"}]) | {
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom"},
        "xaxis": style.axis("interval", type="category", anchor="y2"),
        "yaxis": style.axis("servers, load", domain=[0.5, 1.0], rangemode="tozero"),
        "yaxis2": style.axis("service level", domain=[0.0, 0.42], range=[0, 1.05], tickformat=".0%"),
    }
    return {"data": [steps, load, with_them, fewer], "layout": layout}
