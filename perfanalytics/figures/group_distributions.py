"""The figure of distributions by group: a row a group, its histogram over common bins, its box below it."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.log_axis import value_ticks
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.group_distributions import GroupDistributions

#: Pixels of a row.
ROW = 74
HOVER = "%{customdata[0]:.3g} to %{customdata[1]:.3g}: %{customdata[2]}<extra></extra>"


def draw(result: GroupDistributions) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    k = len(result.group)

    def place(values: Any) -> Any:
        return np.log10(values) if result.log else np.asarray(values, dtype=float)

    edges = place(result.edges)
    share = result.counts / result.n[:, None]
    top = float(share.max()) or 1.0
    data: list[dict[str, Any]] = []
    for i in range(k):
        base = float(i)
        # rows count downwards: bars rise to smaller values
        data.append(
            {
                "type": "bar",
                "x": (edges[:-1] + edges[1:]) / 2,
                "y": -0.62 * share[i] / top,
                "base": base + 0.12,
                "width": np.diff(edges),
                "marker": {"color": style.SKY, "line": {"color": style.PAPER, "width": 0.6}},
                "customdata": np.column_stack([result.edges[:-1], result.edges[1:], result.counts[i]]),
                "hovertemplate": HOVER,
            }
        )
        y = base + 0.24
        ends = [(result.p5, result.p95, 1.5, style.INK), (result.p25, result.p75, 9, style.GREY)]
        for low, high, width, color in ends:
            data.append(
                {"type": "scatter", "mode": "lines", "x": place([low[i], high[i]]), "y": [y, y]}
                | {"line": {"color": color, "width": width}, "hoverinfo": "skip"}
            )
        if np.isfinite(result.median_low[i]):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": place([result.median_low[i], result.median_high[i]]),
                }
                | {"y": [y, y], "line": {"color": style.ORANGE, "width": 4}, "hoverinfo": "skip"}
            )
        data.append(
            {"type": "scatter", "mode": "markers", "x": [float(place(result.median[i]))], "y": [y]}
            | {
                "marker": {
                    "symbol": "diamond",
                    "size": 9,
                    "color": style.INK,
                    "line": {"color": style.PAPER, "width": 1},
                }
            }
            | {
                "customdata": [float(result.median[i])],
                "hovertemplate": "median %{customdata:.4g}<extra></extra>",
            }
        )
    axis = style.axis(result.measure.label)
    if result.log:
        ticks = value_ticks(float(result.least.min()), float(result.largest.max()))
        axis |= {"tickvals": np.log10(ticks), "ticktext": [f"{t:g}" for t in ticks]}
    names = [
        f"{wrapped(str(g), 24, lines=2)}<br>n = {c:,}" for g, c in zip(result.group, result.n, strict=True)
    ]
    note = "thin line: 5% to 95%; thick grey: middle half; orange: median with its interval"
    layout = style.layout(
        f"{result.measure.name} by {result.by}",
        height=140 + ROW * max(k, 2),
        margin={"l": 40, "r": 20, "t": 55, "b": 80},
        barmode="overlay",
        xaxis=axis,
        yaxis=style.axis("", range=[max(k, 2) - 0.5, -0.65], showgrid=False)
        | {"tickvals": list(range(k)), "ticktext": names, "ticks": ""},
        annotations=[
            {
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 0,
                "xanchor": "left",
                "yanchor": "top",
                "yshift": -48,
            }
            | {"text": note, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
        ],
    )
    return {"data": data, "layout": layout}
