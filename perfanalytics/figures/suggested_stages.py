"""The figure of suggested stages: the series, the level of each stretch, and when it may have changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.figures.traces import in_time
from perfanalytics.spc.suggested_stages import SuggestedStages


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionInfo:
    """What is drawn: ``bands`` are (from, to, at, what), ``levels`` are (first x, last x, level)."""

    title: str
    x: NDArray[Any]
    y: Floats
    left_out: NDArray[np.int64]
    bands: tuple[tuple[Any, Any, Any, str], ...]
    levels: tuple[tuple[Any, Any, float], ...]


def info(result: SuggestedStages) -> SuggestionInfo:
    """What is drawn where; an interval reaches from before its first point to its last."""
    n = len(result.value)
    x: NDArray[Any] = np.arange(n, dtype=np.float64) if result.when is None else result.when
    bands = tuple(
        (x[max(int(low) - 1, 0)], x[int(high)], x[int(at)], str(what))
        for low, high, at, what in zip(result.low, result.high, result.point, result.what, strict=True)
    )
    borders = [0, *(int(p) for p, w in zip(result.point, result.what, strict=True) if w == "level"), n]
    levels = []
    for a, b in pairwise(borders):
        y = result.value[a:b][result.kept[a:b]]
        if len(y):
            levels.append((x[a], x[b - 1], float(np.exp(np.log(y).mean()) if result.logs else y.mean())))
    name = result.measure.name + (f" [{result.id}]" if result.id else "")
    return SuggestionInfo(
        title=f"{name}: when did it change?",
        x=x,
        y=np.where(result.kept, result.value, np.nan),
        left_out=np.flatnonzero(~result.kept & ~np.isnan(result.value)),
        bands=bands,
        levels=tuple(levels),
    )


def draw(result: SuggestedStages) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = [in_time(record.x, record.y)]
    if len(record.left_out):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "excluded",
                "x": record.x[record.left_out],
                "y": result.value[record.left_out],
                "marker": {"color": style.GREY, "symbol": "x-open", "size": 10},
            }
        )
    for k, (a, b, level) in enumerate(record.levels):
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "level of the stretch",
                "legendgroup": "level",
                "showlegend": k == 0,
                "x": np.array([a, b]),
                "y": [level, level],
                "line": {"color": style.BLUE, "width": 3},
                "hoverinfo": "skip",
            }
        )
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for k, (low, high, at, what) in enumerate(record.bands):
        dash = "solid" if what == "level" else "dash"
        shapes.append(
            {
                "type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1,
                "fillcolor": style.ORANGE, "opacity": 0.14, "line": {"width": 0}, "layer": "below",
            }
        )  # fmt: skip
        shapes.append(
            vertical(at, yref="paper", color=style.ORANGE, width=1.6, dash=dash, below=True)
        )  # fmt: skip
        annotations.append(
            {
                "xref": "x", "yref": "paper", "x": at, "y": 1, "yshift": 10 + 16 * (k % 2),
                "showarrow": False, "text": f"{what}?", "font": {"size": 11, "color": style.INK},
            }
        )  # fmt: skip
    share = {"tickformat": ".0%"} if result.is_share else {}
    label = f"{result.measure.name} (share)" if result.is_share else result.measure.label
    layout = style.layout(
        record.title,
        xaxis=style.axis("" if result.when is not None else "point (0 is the first)"),
        yaxis=style.axis(label, **share, **({"type": "log"} if result.logs else {})),
        shapes=shapes,
        annotations=annotations,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
        margin={"l": 70, "r": 30, "t": 88, "b": 70},
    )
    return {"data": data, "layout": layout}
