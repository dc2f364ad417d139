"""The figure of a Pareto: bars with intervals, largest on top, and the cumulative share beside them.

Bars lie: twenty long names stay readable. The cumulative share has an axis of its own on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.pareto_result import Pareto

#: Characters of a name; pixels of a bar.
WIDTH, BAR = 32, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoInfo:
    """What is drawn: names as on the axis, amounts with intervals, cumulative shares in percent."""

    names: tuple[str, ...]
    amount: Floats
    low: Floats
    high: Floats
    share: tuple[str, ...]
    cumulative: Floats
    is_other: tuple[bool, ...]
    title: str
    axis: str


def info(result: Pareto) -> ParetoInfo:
    """The arrays of the figure."""
    k = len(result.category)
    names = [str(c) for c in result.category.tolist()]
    if result.together:
        names[-1] = f"{names[-1]} ({result.together} categories)"
    unit = result.unit or "amount"
    return ParetoInfo(
        names=tuple(wrapped(n, WIDTH, lines=2) for n in names),
        amount=result.amount,
        low=result.amount_low,
        high=result.amount_high,
        share=tuple(percent(float(s)) for s in result.share),
        cumulative=100 * result.cumulative,
        is_other=tuple(bool(result.together) and i == k - 1 for i in range(k)),
        title=f"{result.cost or unit} by {result.by}",
        axis=f"{result.cost} ({result.unit})" if result.cost and result.unit else result.cost or unit,
    )


def draw(result: Pareto) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    k = len(record.names)
    place = np.arange(k)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": record.amount,
        "y": place,
        "width": 0.62,
        "marker": {
            "color": [style.LIGHT if other else style.SKY for other in record.is_other],
            "line": {"color": style.INK, "width": 0.6},
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": record.high - record.amount,
            "arrayminus": record.amount - record.low,
            "color": style.INK,
            "thickness": 1.4,
            "width": 5,
        },
        "customdata": list(zip(record.names, record.share, strict=True)),
        "hovertemplate": "%{customdata[0]}: %{x:,.4g} (%{customdata[1]})<extra></extra>",
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": record.cumulative,
        "y": place,
        "xaxis": "x2",
        "line": {"color": style.ORANGE, "width": 1.5},
        "marker": {"color": style.ORANGE, "symbol": "diamond", "size": 7},
        "hovertemplate": "cumulative %{x:.1f}%<extra></extra>",
        "cliponaxis": False,
    }
    rows = max(k, 3)
    long = any("<br>" in name for name in record.names)
    top = float(np.nanmax(record.high))
    notes = [
        {"xref": "paper", "yref": "y", "x": 1.01, "y": i, "xanchor": "left", "showarrow": False}
        | {"text": f"{number(float(record.amount[i]))} ({record.share[i]})", "font": {"size": 12}}
        for i in range(k)
    ]
    layout = style.layout(
        record.title,
        height=150 + BAR * rows,
        margin={"l": 40, "r": 120, "t": 105, "b": 55},
        annotations=notes,
        bargap=0.3,
        xaxis=style.axis(record.axis, range=[0, 1.04 * top if top > 0 else 1]),
        xaxis2={
            **style.axis("cumulative share (diamonds)", range=[0, 104], showgrid=False),
            "overlaying": "x",
            "side": "top",
            "tickvals": [0, 20, 40, 60, 80, 100],
            "ticktext": ["0%", "20%", "40%", "60%", "80%", "100%"],
            "tickfont": {"color": style.ORANGE},
        },
        yaxis=style.axis("", range=[rows - 0.5, -0.5], showgrid=False)
        | {
            "tickvals": place,
            "ticktext": list(record.names),
            "ticks": "",
            "tickfont": {"size": 11 if long else 13},
        },
    )
    # the axis on top must not meet the title
    layout["title"] |= {"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}}
    return {"data": [bars, line], "layout": layout}
