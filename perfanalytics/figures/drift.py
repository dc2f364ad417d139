"""The figure of drift: both sides in time with the prediction interval, and what the tests say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.drift import Drift
from perfanalytics.baselines.wording import number
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import horizontal, vertical

#: At most this many points of a side are drawn.
DRAWN = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftInfo:
    """What is drawn: both sides in time, the interval, and the adjusted p-value of each aspect judged."""

    old_x: NDArray[Any]
    old_y: Floats
    new_x: NDArray[Any]
    new_y: Floats
    outside: NDArray[np.bool_]
    low: float
    high: float
    aspect: NDArray[Any]
    p: Floats
    level: float
    log: bool


def info(result: Drift) -> DriftInfo:
    """The arrays of the figure."""
    log = result.measure.scale in LOG_SCALES and bool(
        (result.old_values > 0).all() and (result.new_values > 0).all()
    )
    n = len(result.old_values)
    old_x = np.arange(1, n + 1) if result.old_when is None else result.old_when
    new_x = np.arange(n + 1, n + 1 + result.n_after) if result.new_when is None else result.new_when
    one, two = (
        np.unique(np.linspace(0, k - 1, min(k, DRAWN)).round().astype(int)) for k in (n, result.n_after)
    )
    outside = (result.new_values < result.interval_low) | (result.new_values > result.interval_high)
    judged = ~np.isnan(result.p_adjusted)
    return DriftInfo(
        old_x=old_x[one],
        old_y=result.old_values[one],
        new_x=new_x[two],
        new_y=result.new_values[two],
        outside=outside[two],
        low=result.interval_low,
        high=result.interval_high,
        aspect=result.aspect[judged][::-1],
        p=result.p_adjusted[judged][::-1],
        level=1 - result.confidence,
        log=log,
    )


def draw(result: Drift) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    share = result.measure.scale == "proportion"
    axis: dict[str, Any] = {"type": "log", **_ticks(record)} if record.log else {}
    if share:
        axis["tickformat"] = ".0%"
    fits = {True: "still fits", False: "no longer fits", None: "cannot be told yet"}[result.still_fits]
    smallest = max(float(record.p.min()) if len(record.p) else 0.1, 1e-6)
    low = float(np.floor(np.log10(min(smallest, record.level)))) - 0.2
    ticks = [t for t in (1e-6, 1e-4, 0.01, 1.0) if np.log10(t) >= low]
    layout = style.layout(f"{result.measure.name}: the baseline {fits}", height=430) | {
        "margin": {"l": 75, "r": 30, "t": 60, "b": 95},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        "xaxis": style.axis("" if result.old_when is not None else "position", domain=[0.0, 0.6], nticks=7),
        "yaxis": style.axis(result.measure.name if share else result.measure.label, **axis),
        "xaxis2": style.axis(
            "p-value (Holm)",
            domain=[0.8, 1.0],
            anchor="y2",
            type="log",
            range=[low, 0.1],
            tickvals=ticks,
            ticktext=[f"{t:g}" for t in ticks],
            tickangle=0,
        ),
        "yaxis2": style.axis("", anchor="x2", type="category"),
        "shapes": [*_interval(record), _level(record)],
    }
    return {"data": [*_sides(record), _aspects(record)], "layout": layout}


def _sides(record: DriftInfo) -> list[dict[str, Any]]:
    many = len(record.old_y) + len(record.new_y) > 300
    out = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "baseline",
            "x": record.old_x,
            "y": record.old_y,
            "marker": {"color": style.GREY, "symbol": "circle-open", "size": 4 if many else 6},
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "new, inside",
            "x": record.new_x[~record.outside],
            "y": record.new_y[~record.outside],
            "marker": {"color": style.BLUE, "symbol": "circle", "size": 4 if many else 6},
        },
    ]
    if record.outside.any():
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "new, outside the prediction interval",
                "x": record.new_x[record.outside],
                "y": record.new_y[record.outside],
                "marker": {"color": style.ORANGE, "symbol": "diamond", "size": 7 if many else 9},
            }
        )
    return out


def _aspects(record: DriftInfo) -> dict[str, Any]:
    moved = record.p <= record.level
    return {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": np.maximum(record.p, 1e-6),
        "y": [str(a).replace(" the objective", "<br>the objective") for a in record.aspect],
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {
            "color": [style.ORANGE if m else style.BLUE for m in moved.tolist()],
            "symbol": ["diamond" if m else "circle" for m in moved.tolist()],
            "size": 11,
        },
        "hovertemplate": "%{y}: p = %{x:.3g}<extra></extra>",
    }


def _interval(record: DriftInfo) -> list[dict[str, Any]]:
    return [
        horizontal(end, color=style.GREY, width=1.3, dash="dash", below=True)
        for end in (record.low, record.high)
        if np.isfinite(end)
    ]


def _level(record: DriftInfo) -> dict[str, Any]:
    return vertical(
        record.level, xref="x2", yref="y2 domain", color=style.ORANGE, width=1.5, dash="dash", below=True
    )


def _ticks(record: DriftInfo) -> dict[str, Any]:
    both = np.log10(np.concatenate([record.old_y, record.new_y]))
    low, high = float(both.min()), float(both.max())
    pad = 0.06 * (high - low) or 0.1
    low, high = low - pad, high + pad
    steps = (1.0, 2.0, 5.0) if high - low <= 3 else (1.0,)
    ticks = [s * 10.0**d for d in range(int(np.floor(low)), int(np.ceil(high)) + 1) for s in steps]
    ticks = [t for t in ticks if low <= np.log10(t) <= high]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [number(t) for t in ticks]}
