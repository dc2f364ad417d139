"""The figure of what drives a model: tornado on the left, shares of variance on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.figures import style, tornado
from perfanalytics.models.sensitivity import Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityInfo:
    """What is drawn, one row per factor, the strongest first."""

    factor: tuple[str, ...]
    controllable: tuple[bool, ...]
    ends: tuple[tuple[str, str], ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    center: float
    first: NDArray[np.float64]
    total: NDArray[np.float64]
    total_low: NDArray[np.float64]
    total_high: NDArray[np.float64]


def info(result: Sensitivity) -> SensitivityInfo:
    """The arrays of the figure."""
    return SensitivityInfo(
        factor=tuple(str(f) for f in result.factor.tolist()),
        controllable=tuple(result.controllable.tolist()),
        ends=tuple(zip(result.low_at.tolist(), result.high_at.tolist(), strict=True)),
        low=result.low,
        high=result.high,
        center=result.center,
        first=result.first,
        total=result.total,
        total_low=result.total_low,
        total_high=result.total_high,
    )


def draw(result: Sensitivity) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = len(record.factor)
    data = tornado.bars(record.low, record.high, record.center, record.controllable)
    for values, name, symbol, color in (
        (record.first, "alone", "circle-open", style.INK),
        (record.total, "with interactions", "diamond", style.BLUE),
    ):
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers",
            "x": values,
            "y": list(range(rows)),
            "marker": {"symbol": symbol, "size": 10, "color": color, "line": {"width": 2, "color": color}},
            "xaxis": "x2",
            "yaxis": "y2",
            "hovertemplate": name + " %{x:.1%}<extra></extra>",
        }
        if name != "alone":
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": record.total_high - record.total,
                "arrayminus": record.total - record.total_low,
                "color": style.GREY,
            }
        data.append(trace)
    low = float(min(record.low.min(), record.high.min()))
    high = float(max(record.low.max(), record.high.max()))
    pad = 0.16 * (high - low) or 0.5
    names = [f"<b>{f} ◆</b>" if c else f for f, c in zip(record.factor, record.controllable, strict=True)]
    notes = [
        (0.0, "others at typical values; pale: input at its first value"),
        (0.66, "○ alone, ◆ with interactions"),
    ]
    text = [
        {"xref": "paper", "yref": "paper", "x": x, "y": 1.01, "xanchor": "left", "yanchor": "bottom"}
        | {"text": t, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
        for x, t in notes
    ]
    axis_y = {"range": [rows - 0.4, -0.6], "tickvals": list(range(rows)), "showgrid": False}
    layout = style.layout(
        f"What drives {result.measure.name} (all factors: {percent(result.of_items)} of the variation of "
        f"items)",
        height=210 + 44 * rows,
        margin={"l": 30, "r": 30, "t": 75, "b": 60},
        barmode="overlay",
        annotations=[*tornado.ends(record.low, record.high, record.ends, "x", "y"), *text],
        xaxis=style.axis(
            f"expected {result.measure.label}", domain=[0, 0.6], anchor="y", range=[low - pad, high + pad]
        ),
        yaxis=style.axis("", anchor="x", ticktext=names, **axis_y),
        xaxis2=style.axis(
            "share of variance", domain=[0.66, 1], anchor="y2", tickformat=".0%", range=[-0.03, 1.03]
        ),
        yaxis2=style.axis("", anchor="x2", showticklabels=False, **axis_y),
    )
    return {"data": data, "layout": layout}
