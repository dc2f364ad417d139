"""The figure of a portfolio: what is chosen and how sure that is; what other budgets would bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opm.portfolio_result import Portfolio

ROW = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioInfo:
    """What is drawn: k proposals, the chosen first and by value; the curve over b budgets."""

    label: tuple[str, ...]
    chosen: NDArray[np.bool_]
    share: Floats
    mean: Floats
    low: Floats
    high: Floats
    budgets: Floats
    best: Floats


def info(result: Portfolio) -> PortfolioInfo:
    """The arrays of the figure."""
    order = np.lexsort((-result.npv_mean, ~result.chosen))
    return PortfolioInfo(
        label=tuple(
            f"{wrapped(str(result.proposal[k]), 24, lines=2)}<br>costs {number(float(result.cost[k]))}"
            for k in order
        ),
        chosen=result.chosen[order],
        share=result.share_chosen[order],
        mean=result.npv_mean[order],
        low=result.npv_low[order],
        high=result.npv_high[order],
        budgets=result.budgets,
        best=result.best,
    )


def draw(result: Portfolio) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(result)
    k = len(told.label)
    rows = np.arange(k)
    data: list[dict[str, Any]] = []
    for name, use, color, symbol in (
        ("chosen", told.chosen, style.BLUE, "square"),
        ("not chosen", ~told.chosen, style.GREY, "circle-open"),
    ):
        data.append(
            {"type": "scatter", "mode": "markers", "x": told.mean[use], "y": rows[use], "name": name}
            | {"marker": {"size": 12, "symbol": symbol, "color": color, "line": {"width": 2, "color": color}}}
            | {
                "error_x": {"type": "data", "symmetric": False, "color": color, "thickness": 2, "width": 6}
                | {"array": (told.high - told.mean)[use], "arrayminus": (told.mean - told.low)[use]}
            }
            | {"hovertemplate": "%{x:,.4g}<extra></extra>"}
        )
    data.append(
        {"type": "scatter", "mode": "lines", "x": told.budgets, "y": told.best, "xaxis": "x2", "yaxis": "y2"}
        | {"line": {"color": style.INK, "width": 2, "shape": "hv"}, "showlegend": False}
        | {"hovertemplate": "%{x:,.4g}: %{y:,.4g}<extra></extra>"}
    )
    data.append(
        {"type": "scatter", "mode": "markers", "x": [result.budget], "y": [result.value_mean], "xaxis": "x2"}
        | {
            "yaxis": "y2",
            "showlegend": False,
            "marker": {"size": 12, "symbol": "square", "color": style.BLUE},
        }
    )
    low, high = float(min(0.0, told.low.min())), float(max(told.high.max(), 0.0))
    pad = 0.08 * (high - low) or 1.0
    notes = [
        {
            "xref": "x domain",
            "yref": "y",
            "x": 1.0,
            "y": i,
            "xanchor": "left",
            "xshift": 8,
            "showarrow": False,
        }
        | {"text": percent(s), "font": {"size": 12, "color": style.INK}}
        for i, s in enumerate(told.share.tolist())
    ]
    head = {"yref": "paper", "y": 1.0, "yanchor": "bottom", "showarrow": False}
    notes.append(
        head
        | {"xref": "x domain", "x": 1.0, "xanchor": "left", "xshift": 8, "align": "left"}
        | {"text": "best in", "font": {"size": 11, "color": style.GREY}}
    )
    notes.append(
        {"xref": "x2", "yref": "y2 domain", "x": result.budget, "y": 0.02, "yanchor": "bottom"}
        | {"text": f"budget<br>{number(result.budget)}", "showarrow": False, "xanchor": "left", "xshift": 5}
        | {"align": "left", "font": {"size": 11, "color": style.GREY}}
    )
    shapes = [
        {"type": "line", "xref": "x", "yref": "y domain", "x0": 0, "x1": 0, "y0": 0, "y1": 1}
        | {"line": {"color": style.INK, "width": 1, "dash": "dot"}},
        {"type": "line", "xref": "x2", "yref": "y2 domain", "x0": result.budget, "x1": result.budget}
        | {"y0": 0, "y1": 1, "line": {"color": style.GREY, "width": 1.2, "dash": "dash"}},
    ]
    layout = style.layout(
        "Portfolio of improvements",
        height=max(360, 200 + ROW * k),
        margin={"l": 190, "r": 30, "t": 110, "b": 60},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        shapes=shapes,
        annotations=notes,
        xaxis=style.axis(
            f"net present value ({result.unit})", domain=[0, 0.42], anchor="y", range=[low - pad, high + pad]
        ),
        yaxis=style.axis("", anchor="x", showgrid=False, range=[k - 0.4, -0.6])
        | {"tickvals": rows.tolist(), "ticktext": list(told.label), "ticks": "", "automargin": False},
        xaxis2=style.axis(f"budget ({result.unit})", domain=[0.76, 1], anchor="y2"),
        yaxis2=style.axis(f"best expected value ({result.unit})", anchor="x2", rangemode="tozero"),
    )
    return {"data": data, "layout": layout}
