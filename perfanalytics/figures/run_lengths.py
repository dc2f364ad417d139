"""The figure of run lengths: points until the signal against the shift, on a logarithmic scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.spc.run_length import RunLengths


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLengthInfo:
    """What is drawn: the mean run length and the range that holds 90% of them, in order of the shift."""

    title: str
    shift: Floats
    arl: Floats
    p05: Floats
    p95: Floats
    error: Floats


def info(result: RunLengths) -> RunLengthInfo:
    """What is drawn where; a run length is at least one point."""
    order = np.argsort(result.shift, kind="stable")
    return RunLengthInfo(
        title=f"Points until the first signal: {result.of}",
        shift=result.shift[order],
        arl=result.arl[order],
        p05=np.maximum(result.p05[order], 1.0),
        p95=np.maximum(result.p95[order], 1.0),
        error=result.standard_error[order],
    )


def draw(result: RunLengths) -> dict[str, Any]:
    """The figure of run lengths as a plain plotly dict."""
    record = info(result)
    few = len(record.shift) <= 30
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": "90% of run lengths",
        "x": np.concatenate([record.shift, record.shift[::-1]]),
        "y": np.concatenate([record.p95, record.p05[::-1]]),
        "fill": "toself",
        "fillcolor": "rgba(86,180,233,0.25)",
        "line": {"color": style.SKY, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": "average run length",
        "x": record.shift,
        "y": record.arl,
        "line": {"color": style.INK, "width": 1.8},
        "marker": {"color": style.INK, "size": 6},
        "error_y": {"type": "data", "array": 1.96 * record.error, "visible": bool(record.error.any())},
        "hovertemplate": "shift %{x:.3g} sigma: %{y:,.1f} points<extra></extra>",
    }
    layout = style.layout(
        record.title,
        xaxis=style.axis("shift of the mean (sigma)"),
        yaxis=style.axis("points until the signal", type="log", dtick=1, minor={"ticks": "outside"}),
        showlegend=True,
        legend={"x": 0.99, "xanchor": "right", "y": 0.99, "yanchor": "top"},
        margin={"l": 70, "r": 30, "t": 60, "b": 60},
    )
    return {"data": [band, line], "layout": layout}
