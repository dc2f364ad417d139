"""The figure of defect containment: the matrix, and the removal efficiency of each phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.models.reliability.containment import Containment


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainmentInfo:
    """What is drawn: the matrix (NaN below the diagonal), and efficiencies with their intervals."""

    title: str
    phases: NDArray[Any]
    matrix: Floats
    ready: NDArray[Any]
    efficiency: Floats
    low: Floats
    high: Floats


def info(result: Containment) -> ContainmentInfo:
    """The arrays of the figure; the last phase, 100% by construction, has no efficiency."""
    k = len(result.phases)
    matrix = result.matrix.astype(float)
    matrix[np.tril_indices(k, -1)] = np.nan
    return ContainmentInfo(
        title=f"{percent(result.removal, fine=True)} of {result.total:,} defects found before "
        f"{result.phases[-1]}",
        phases=result.phases,
        matrix=matrix,
        ready=result.phases[:-1],
        efficiency=result.efficiency[:-1],
        low=result.efficiency_low[:-1],
        high=result.efficiency_high[:-1],
    )


def draw(result: Containment) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    k = len(record.phases)
    top = float(np.nanmax(record.matrix))
    notes = [
        {
            "x": record.phases[j],
            "y": record.phases[i],
            "text": f"{record.matrix[i, j]:,.0f}",
            "showarrow": False,
            "font": {"color": style.PAPER if record.matrix[i, j] > 0.55 * top else style.INK},
        }
        for i in range(k)
        for j in range(i, k)
    ]
    heat = {
        "type": "heatmap",
        "x": record.phases,
        "y": record.phases,
        "z": record.matrix,
        "colorscale": [[0, "#F2F7FB"], [1, style.BLUE]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "injected in %{y}, found in %{x}: %{z:,.0f}<extra></extra>",
    }
    known = np.isfinite(record.efficiency)
    bars = {
        "type": "scatter",
        "mode": "markers",
        "x": record.efficiency[known],
        "y": record.ready[known],
        "xaxis": "x2",
        "yaxis": "y2",
        "error_x": {
            "type": "data",
            "array": (record.high - record.efficiency)[known],
            "arrayminus": (record.efficiency - record.low)[known],
            "color": style.INK,
        },
        "marker": {"color": style.BLUE, "size": 10},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }
    layout = style.layout(record.title, height=max(380, 150 + 45 * k), annotations=notes) | {
        "margin": {"l": 100, "r": 40, "t": 60, "b": 70},
        "xaxis": style.axis("found in", domain=[0.0, 0.5], type="category", showgrid=False),
        "yaxis": style.axis("injected in", type="category", autorange="reversed", showgrid=False),
        "xaxis2": style.axis(
            "removal efficiency", domain=[0.56, 1.0], anchor="y2", range=[0, 1.03], tickformat=".0%"
        ),
        # the same rows as the matrix, named there
        "yaxis2": style.axis(
            "",
            anchor="x2",
            type="category",
            range=[k - 0.5, -0.5],
            showticklabels=False,
            tickvals=record.phases,
        ),
    }
    return {"data": [heat, bars], "layout": layout}
