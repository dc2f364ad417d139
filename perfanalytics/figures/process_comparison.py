"""The figure of alternative processes: the range of each, and its probability of meeting the objective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.figures.spread_rows import bounded, notes, places, row_axis, spans
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
    names = tuple(str(n) for n in result.names.tolist())
    said = tuple(f"mean {number(m)}" for m in result.mean.tolist())
    target = math.nan
    if result.objective is not None:
        target = float(result.objective.target)
        sign = "≤" if result.objective.direction == "at_most" else "≥"
        said = tuple(f"{percent(p, fine=True)} {sign} {number(target)}" for p in result.probability.tolist())
    return ProcessComparisonInfo(
        names=names,
        points=result.quantiles[:, places(result.levels)],
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
        data += spans(k, record.points[k], color, opacity=(0.55, 0.45))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [float(record.points[k, 2])],
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
    key = "median, middle half, and 5% to 95% of items" + ("; ◆ best" if record.best >= 0 else "")
    shapes, ends = bounded(record.points, () if math.isnan(record.target) else (record.target,))
    layout = style.layout(
        f"Alternatives for {result.measure.name}",
        height=190 + 48 * rows,
        margin={"l": 30, "r": 130, "t": 70, "b": 60},
        shapes=shapes,
        annotations=notes(record.said, record.best, key),
        xaxis=style.axis(result.measure.label, range=list(ends)),
        yaxis=row_axis(record.names, record.best),
    )
    return {"data": data, "layout": layout}
