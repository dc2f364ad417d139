"""The figure of a what-if: one item in each scenario, and its probability of meeting the objective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.figures.spread_rows import bounded, notes, places, row_axis, spans
from perfanalytics.models.what_if_result import WhatIf, best_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfInfo:
    """What is drawn: one row per scenario; ``points`` are P5, P25, P50, P75, P95, shape (s, 5)."""

    names: tuple[str, ...]
    points: NDArray[np.float64]
    mean: NDArray[np.float64]
    bounds: tuple[float, ...]
    said: tuple[str, ...]
    best: int
    doubted: tuple[bool, ...]


def info(result: WhatIf) -> WhatIfInfo:
    """The arrays of the figure."""
    if math.isnan(float(result.probability[0])):
        said = tuple(f"mean {number(m)}" for m in result.mean.tolist())
    else:
        said = tuple(f"P = {percent(p)}" for p in result.probability.tolist())
    best = best_scenario(result)
    return WhatIfInfo(
        names=tuple(str(n) for n in result.scenarios.tolist()),
        points=result.quantiles[:, places(result.levels)],
        mean=result.mean,
        bounds=tuple(v for v in (result.at_least, result.at_most) if not math.isnan(v)),
        said=said,
        best=-1 if best is None else best,
        doubted=tuple(((result.extrapolates > 0.01) | ~result.feasible).tolist()),
    )


def draw(result: WhatIf) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = len(record.names)
    data: list[dict[str, Any]] = []
    for k in range(rows):
        color = style.BLUE if k == record.best else style.GREY
        dash = "dot" if record.doubted[k] else "solid"
        data += spans(k, record.points[k], color, opacity=(0.6, 0.4), dash=dash)
        middle = float(record.points[k, 2])
        for x, symbol, name in (
            (middle, "line-ns-open", "median"),
            (float(record.mean[k]), "circle", "mean"),
        ):
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [x],
                    "y": [k],
                    "marker": {"color": color, "size": 14 if name == "median" else 8, "symbol": symbol}
                    | {"line": {"color": color, "width": 2.5}},
                    "hovertemplate": name + " %{x:.4g}<extra></extra>",
                }
            )
    key = "one item: 5% to 95%, middle half, | median, ● mean"
    key += "; dotted: outside the data or not feasible" if any(record.doubted) else ""
    shapes, ends = bounded(record.points, record.bounds)
    layout = style.layout(
        f"What if: {result.measure.name}",
        height=190 + 46 * rows,
        margin={"l": 30, "r": 110, "t": 75, "b": 60},
        shapes=shapes,
        annotations=notes(record.said, record.best, key),
        xaxis=style.axis(result.measure.label, range=list(ends)),
        yaxis=row_axis(record.names, record.best),
    )
    return {"data": data, "layout": layout}
