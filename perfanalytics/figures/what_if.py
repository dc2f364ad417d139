"""The figure of a what-if: one item in each scenario, and its probability of meeting the objective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.what_if import WhatIf, best_scenario


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
    at = [int(np.argmin(np.abs(result.levels - p))) for p in (0.05, 0.25, 0.5, 0.75, 0.95)]
    if math.isnan(float(result.probability[0])):
        said = tuple(f"mean {number(m)}" for m in result.mean.tolist())
    else:
        said = tuple(f"P = {percent(p)}" for p in result.probability.tolist())
    best = best_scenario(result)
    return WhatIfInfo(
        names=tuple(str(n) for n in result.scenarios.tolist()),
        points=result.quantiles[:, at],
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
        p5, p25, p50, p75, p95 = record.points[k].tolist()
        dash = "dot" if record.doubted[k] else "solid"
        for low, high, width, opacity in ((p5, p95, 3, 0.6), (p25, p75, 13, 0.4)):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [low, high],
                    "y": [k, k],
                    "opacity": opacity,
                    "line": {"color": color, "width": width, "dash": dash if width == 3 else "solid"},
                    "hovertemplate": "%{x:.4g}<extra></extra>",
                }
            )
        for x, symbol, name in ((p50, "line-ns-open", "median"), (float(record.mean[k]), "circle", "mean")):
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
    note = "one item: 5% to 95%, middle half, | median, ● mean"
    note += "; dotted: outside the data or not feasible" if any(record.doubted) else ""
    labels = [
        _label(1.01, k, f"<b>{t}</b>" if k == record.best else t, "y", 12) for k, t in enumerate(record.said)
    ]
    labels.append(_label(0, 1.01, note, "paper", 11) | {"yanchor": "bottom"})
    low, high = float(record.points.min()), float(record.points.max())
    shapes = []
    for bound in record.bounds:
        if low - (high - low) < bound < 2 * high - low:
            low, high = min(low, bound), max(high, bound)
            line = {"color": style.ORANGE, "width": 2, "dash": "dash"}
            shapes.append(
                {"type": "line", "xref": "x", "yref": "paper", "x0": bound, "x1": bound, "y0": 0, "y1": 1}
                | {"line": line}
            )
    pad = 0.05 * (high - low) or 0.5
    layout = style.layout(
        f"What if: {result.measure.name}",
        height=190 + 46 * rows,
        margin={"l": 30, "r": 110, "t": 75, "b": 60},
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


def _label(x: float, y: float, text: str, yref: str, size: int) -> dict[str, Any]:
    where = {"xref": "paper", "yref": yref, "x": x, "y": y, "xanchor": "left", "showarrow": False}
    return where | {"text": text, "font": {"size": size, "color": style.INK if size > 11 else style.GREY}}
