"""The figure of defects by cause and phase: a heat map, and the share found late beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.cause_phase import DefectsByCauseAndPhase


def draw(result: DefectsByCauseAndPhase) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    k, m = result.counts.shape
    top = float(result.counts.max())
    heat = {
        "type": "heatmap",
        "x": np.arange(m),
        "y": np.arange(k),
        "z": result.counts,
        "colorscale": [[0, "#F6F9FC"], [1, style.BLUE]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{z}<extra></extra>",
    }
    notes: list[dict[str, Any]] = [
        {"x": j, "y": i, "text": str(result.counts[i, j]), "showarrow": False}
        | {"font": {"size": 12, "color": style.PAPER if result.counts[i, j] > 0.55 * top else style.INK}}
        for i in range(k)
        for j in range(m)
    ]
    data: list[dict[str, Any]] = [heat]
    beside = bool(result.late_is)
    layout = style.layout(
        "Defects by cause and the phase they were found in",
        height=190 + 34 * max(k, 3),
        margin={"l": 60, "r": 25, "t": 105, "b": 60},
        xaxis=style.axis(
            "", side="top", showgrid=False, tickvals=np.arange(m), domain=[0, 0.62 if beside else 1]
        )
        | {"ticktext": [wrapped(str(p), 12, lines=2) for p in result.phase]},
        yaxis=style.axis("", showgrid=False, range=[max(k, 3) - 0.5, -0.5], tickvals=np.arange(k))
        | {
            "ticktext": [
                f"{wrapped(str(c), 26, lines=2)} ({t})"
                for c, t in zip(result.cause, result.total, strict=True)
            ]
        },
    )
    if beside:
        told = result.late_p <= 1 - result.confidence
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": 100 * result.late,
                "y": np.arange(k),
                "xaxis": "x2",
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": 100 * (result.late_high - result.late),
                    "arrayminus": 100 * (result.late - result.late_low),
                    "color": style.INK,
                    "thickness": 1.3,
                },
                "marker": {
                    "size": 10,
                    "symbol": ["diamond" if t else "circle-open" for t in told],
                    "color": [style.ORANGE if t else style.GREY for t in told],
                },
                "hovertemplate": "%{x:.0f}%<extra></extra>",
                "cliponaxis": False,
            }
        )
        what = "escaped" if result.late_is == "escaped" else f"found in {result.phase[-1]}"
        layout["xaxis2"] = style.axis(f"{what} (%)", range=[-3, 103], domain=[0.68, 1.0], anchor="y")
        notes.append(
            {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom"}
            | {
                "text": "◆ differs from the other causes",
                "showarrow": False,
                "font": {"size": 11, "color": style.GREY},
            }
        )
    layout["annotations"] = notes
    return {"data": data, "layout": layout}
