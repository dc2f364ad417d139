"""The figure of a calibration: the organization's level, the group's own, and what lies between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from perfanalytics.baselines.wording import percent
from perfanalytics.figures import style
from perfanalytics.models.calibration import Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationInfo:
    """Three levels with their names, and the interval of the calibrated one."""

    names: tuple[str, str, str]
    levels: tuple[float, float, float]
    low: float
    high: float


def info(result: Calibration) -> CalibrationInfo:
    """The numbers of the figure."""
    return CalibrationInfo(
        names=(
            f"organization ({percent(1 - result.weight)})",
            "calibrated",
            f"own data ({percent(result.weight)}, {result.n_local} items)",
        ),
        levels=(0.0 if result.effect == "difference" else 1.0, result.calibrated, result.local),
        low=result.low,
        high=result.high,
    )


def draw(result: Calibration) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    interval = {
        "type": "scatter",
        "mode": "lines",
        "x": [record.low, record.high],
        "y": [1, 1],
        "line": {"color": style.BLUE, "width": 5},
        "opacity": 0.5,
        "hovertemplate": "%{x:.4g}<extra></extra>",
    }
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": list(record.levels),
        "y": [0, 1, 2],
        "marker": {
            "color": [style.GREY, style.BLUE, style.INK],
            "symbol": ["square", "diamond", "circle-open"],
            "size": 13,
            "line": {"width": 2},
        },
        "hovertemplate": "%{x:.4g}<extra></extra>",
    }
    what = "odds" if result.family == "binomial" else result.measure.name
    unit = f" ({result.measure.unit})" if result.measure.unit not in ("", "1") else ""
    title = (
        f"difference in {what}{unit}" if result.effect == "difference" else f"ratio of {what} to the model"
    )
    seen = [v for v in (*record.levels, record.low, record.high) if math.isfinite(v)]
    pad = 0.06 * ((max(seen) - min(seen)) or 1.0)
    layout = style.layout(
        f"Calibration of {result.measure.name} to {result.group}",
        height=270,
        margin={"l": 30, "r": 40, "t": 60, "b": 60},
        xaxis=style.axis(title, range=[min(seen) - pad, max(seen) + pad]),
        yaxis=style.axis(
            "", range=[2.5, -0.5], tickvals=[0, 1, 2], ticktext=list(record.names), showgrid=False
        ),
    )
    return {"data": [interval, points], "layout": layout}
