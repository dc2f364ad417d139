"""The figure of a check sheet: counts in their cells, shaded by how far they are from expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.check_sheet import CheckSheet

#: Cells up to which each count is written.
WRITTEN = 700


def draw(result: CheckSheet) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    r, c = result.counts.shape
    z = np.nan_to_num(result.residual)
    heat = {
        "type": "heatmap",
        "x": np.arange(c),
        "y": np.arange(r),
        "z": z,
        "zmin": -5,
        "zmax": 5,
        "colorscale": [[0, style.SKY], [0.5, "#FAFAFA"], [1, "#E8A06A"]],
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "customdata": result.expected,
        "hovertemplate": "expected %{customdata:.3g}, residual %{z:.2f}<extra></extra>",
    }
    notes = [
        {"x": j, "y": i, "showarrow": False, "font": {"size": 12}}
        | {"text": f"<b>{result.counts[i, j]} ◂</b>" if result.stands_out[i, j] else str(result.counts[i, j])}
        for i in range(r)
        for j in range(c)
        if r * c <= WRITTEN or result.stands_out[i, j]
    ]
    key = (
        "orange: more than expected, blue: fewer; bold with ◂: stands out (adjusted for the number of cells)"
    )
    notes.append(
        {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom"}
        | {"yshift": -26, "text": key, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
    )
    layout = style.layout(
        f"{result.rows} by {result.columns}",
        height=190 + 34 * max(r, 2),
        annotations=notes,
        margin={"l": 60, "r": 20, "t": 110, "b": 45},
        xaxis=style.axis("", side="top", showgrid=False, tickvals=np.arange(c))
        | {"ticktext": [wrapped(str(v), 14, lines=2) for v in result.column], "nticks": 20},
        yaxis=style.axis("", showgrid=False, range=[r - 0.5, -0.5], tickvals=np.arange(r))
        | {"ticktext": [wrapped(str(v), 28, lines=2) for v in result.row]},
    )
    return {"data": [heat], "layout": layout}
