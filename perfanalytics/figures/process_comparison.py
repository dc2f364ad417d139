"""The figure of alternative processes: the range of each, and its probability of meeting the objective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.simulation.alternatives_result import ProcessComparison


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessComparisonInfo:
    """What is drawn: one row per alternative; ``points`` are P5, P25, P50, P75, P95, shape (a, 5)."""

    names: tuple[str, ...]
    points: NDArray[np.float64]
    target: float
    said: tuple[str, ...]
    best: int


def info(result: ProcessComparison) -> ProcessComparisonInfo:
    """The arrays of the figure."""
    at = [int(np.argmin(np.abs(result.levels - p))) for p in (0.05, 0.25, 0.5, 0.75, 0.95)]
    names = tuple(str(n) for n in result.names.tolist())
    said = tuple(f"mean {number(m)}" for m in result.mean.tolist())
    target = math.nan
    if result.objective is not None:
        target = float(result.objective.target)
        sign = "≤" if result.objective.direction == "at_most" else "≥"
        said = tuple(f"{percent(p, fine=True)} {sign} {number(target)}" for p in result.probability.tolist())
    return ProcessComparisonInfo(
        names=names,
        points=result.quantiles[:, at],
        target=target,
        said=said,
        best=names.index(result.best) if result.best in names else -1,
    )


def draw(result: ProcessComparison) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = len(record.names)
    data: list[dict[str, Any]] = []
    for k in range(rows):
        color = style.BLUE if k == record.best else style.GREY
        p5, p25, p50, p75, p95 = record.points[k].tolist()
        spans = ((p5, p95, 3, 0.55), (p25, p75, 13, 0.45))
        for low, high, width, opacity in spans:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [low, high],
                    "y": [k, k],
                    "opacity": opacity,
                    "line": {"color": color, "width": width},
                    "hovertemplate": "%{x:.4g}<extra></extra>",
                }
            )
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [p50],
                "y": [k],
                "marker": {
                    "color": style.PAPER,
                    "size": 9,
                    "symbol": "diamond" if k == record.best else "circle",
                    "line": {"color": color, "width": 2.5},
                },
                "hovertemplate": "median %{x:.4g}<extra></extra>",
            }
        )
    labels = [
        {
            "xref": "paper",
            "yref": "y",
            "x": 1.01,
            "y": k,
            "xanchor": "left",
            "text": f"<b>{text}</b>" if k == record.best else text,
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
        for k, text in enumerate(record.said)
    ]
    labels.append(
        {
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": 1.01,
            "xanchor": "left",
            "yanchor": "bottom",
            "text": "median, middle half, and 5% to 95% of items" + ("; ◆ best" if record.best >= 0 else ""),
            "showarrow": False,
            "font": {"size": 11, "color": style.GREY},
        }
    )
    low, high = float(record.points.min()), float(record.points.max())
    shapes = []
    if not math.isnan(record.target) and low - (high - low) < record.target < 2 * high - low:
        low, high = min(low, record.target), max(high, record.target)
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": record.target,
                "x1": record.target,
                "y0": 0,
                "y1": 1,
                "line": {"color": style.ORANGE, "width": 2, "dash": "dash"},
            }
        )
    pad = 0.05 * (high - low) or 0.5
    layout = style.layout(
        f"Alternatives for {result.measure.name}",
        height=190 + 48 * rows,
        margin={"l": 30, "r": 130, "t": 70, "b": 60},
        shapes=shapes,
        annotations=labels,
        xaxis=style.axis(result.measure.label, range=[low - pad, high + pad]),
        yaxis=style.axis(
            "",
            range=[rows - 0.4, -0.6],
            tickvals=list(range(rows)),
            ticktext=[f"<b>{n} ◆</b>" if k == record.best else n for k, n in enumerate(record.names)],
            showgrid=False,
        ),
    )
    return {"data": data, "layout": layout}
