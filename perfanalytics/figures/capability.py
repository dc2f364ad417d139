"""The six panels of a capability study.

Left: the chart behind the stability verdict, its spread panel, the last values (or subgroups). Right: the
histogram with limits and fitted curves, the probability plot, the indices with their intervals.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.wording import number
from perfanalytics.figures import style
from perfanalytics.figures.capability_info import CapabilityInfo, info
from perfanalytics.figures.distribution import histogram_trace, points_trace, probability_axis
from perfanalytics.figures.reference_lines import vertical

_TOPS = ((0.715, 1.0), (0.385, 0.615), (0.0, 0.265))
_LEFT, _RIGHT = [0.0, 0.45], [0.55, 1.0]
_NAMES = {"z_bench_within": "Z within", "z_bench_overall": "Z overall", "defective": "defective"}


def draw(result: Capability) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    label = result.measure.label
    if result.analysis == "attribute":
        label = "defects per unit" if result.values_are == "rates" else "share defective"
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    transformed = (
        "" if result.analysis != "transform" else {"log": " (log)"}.get(result.distribution, " (transformed)")
    )
    for k in range(2):
        axes = ("x" if k == 0 else "x2", "y" if k == 0 else "y2")
        title = (result.panels[k] if k < len(result.panels) else "") + transformed
        if k < len(result.panels):
            data += _panel(result, k, *axes)
            annotations.append(_title(title.capitalize(), _LEFT, _TOPS[k][1]))
        elif k == 0:
            annotations.append(_title("No chart: items are not charted one by one", _LEFT, _TOPS[0][1]))
        else:
            data.append(_cumulative(result, *axes))
            annotations.append(_title(f"{label.capitalize()}, all points so far", _LEFT, _TOPS[1][1]))
        layout[f"xaxis{k + 1 if k else ''}"] = style.axis("", domain=_LEFT, anchor=axes[1], nticks=8)
        layout[f"yaxis{k + 1 if k else ''}"] = style.axis("", domain=_TOPS[k], anchor=axes[0], nticks=5)
    grouped = "subgroups" if result.subgroups else "values" if result.analysis != "attribute" else "points"
    many = len(np.unique(record.last_x))
    data.append(_dots(record, "x3", "y3"))
    annotations.append(_title(f"Last {many} {grouped}", _LEFT, _TOPS[2][1]))
    layout["xaxis3"] = style.axis("point", domain=_LEFT, anchor="y3", nticks=8)
    layout["yaxis3"] = style.axis(label, domain=_TOPS[2], anchor="x3", nticks=5)
    data.append(histogram_trace(record.edges, record.height, "x4", "y4"))
    data += _curves(record)
    both = np.isfinite(record.within).any()
    drawn = ("Distribution and limits" if record.limits else "Distribution") + (
        " (solid: overall, dashed: within)" if both else ""
    )
    annotations.append(_title(drawn, _RIGHT, _TOPS[0][1]))
    low, high = float(record.curve_x[0]), float(record.curve_x[-1])
    layout["xaxis4"] = style.axis(label, domain=_RIGHT, anchor="y4", range=[low, high], nticks=8)
    layout["yaxis4"] = style.axis("", domain=_TOPS[0], anchor="x4", showticklabels=False, rangemode="tozero")
    for name, value in record.limits:
        shapes.append(_limit(name, value, "x4", "y4 domain"))
        annotations.append(_limit_label(name, value, (high - low) / 10))
    data.append(points_trace(record.values, record.score, "x5", "y5"))
    data.append(_trace(record.curve_x, record.line, "x5", "y5", (style.BLUE, "solid", 1.8), "overall"))
    annotations.append(_title("Probability plot", _RIGHT, _TOPS[1][1]))
    layout["xaxis5"] = style.axis("", domain=_RIGHT, anchor="y5", nticks=8)
    span = float(record.values.max() - record.values.min()) or 1.0
    ends = float(record.values.min()) - 0.05 * span, float(record.values.max()) + 0.05 * span
    layout["xaxis5"]["range"] = list(ends)
    layout["yaxis5"] = probability_axis(record.score, anchor="x5", domain=_TOPS[1]) | {
        "title": {"text": "percent", "standoff": 4}
    }
    data += _intervals(record)
    confidence = float(result.confidence[np.isfinite(result.confidence)][0])
    annotations.append(_title(f"Indices with {100 * confidence:g}% intervals", _RIGHT, _TOPS[2][1]))
    annotations += _index_labels(record)
    layout["xaxis6"] = style.axis("", domain=[_RIGHT[0], 0.86], anchor="y6", nticks=6)
    ends = _reach(record)
    if ends[0] < ends[1]:
        layout["xaxis6"]["range"] = list(ends)
    layout["yaxis6"] = style.axis(
        "",
        domain=_TOPS[2],
        anchor="x6",
        range=[len(record.index) - 0.4, -0.6],
        tickvals=list(range(len(record.index))),
        ticktext=[_said(n) for n in record.index],
    )
    if any(not n.startswith("z_") for n in record.index):
        shapes.append(_limit("one", 1.0, "x6", "y6 domain"))
    return {
        "data": data,
        "layout": style.layout(
            f"Capability of {result.measure.name}: {_stable(result)}",
            height=860,
            margin={"l": 75, "r": 40, "t": 80, "b": 60},
            shapes=shapes,
            annotations=[a for a in annotations if a["text"]],
            **layout,
        ),
    }


def _stable(result: Capability) -> str:
    if result.stable is None:
        return "stability not judged"
    return "stable" if result.stable else "NOT stable, so nothing is predicted"


def _said(name: str) -> str:
    return _NAMES.get(name, name.capitalize())


def _panel(result: Capability, k: int, x: str, y: str) -> list[dict[str, Any]]:
    value, signal = result.chart_value[k], result.chart_signal[k]
    at = np.arange(1, len(value) + 1)
    out = [
        _trace(at, line, x, y, (style.GREY, dash, 1.3), "")
        for line, dash in (
            (result.chart_lower[k], "dash"),
            (result.chart_upper[k], "dash"),
            (result.chart_center[k], "solid"),
        )
    ]  # fmt: skip
    used = ~result.chart_excluded
    many = len(value) > 200
    main = _trace(at, np.where(used, value, np.nan), x, y, (style.INK, "solid", 0.9), "point")
    out.append(
        main | {"mode": "lines" if many else "lines+markers", "marker": {"color": style.INK, "size": 4}}
    )
    out[-1] |= {"hoverinfo": "x+y"}
    for mask, color, symbol, word in (
        (signal & used, style.PURPLE, "square", "signal"),
        (~used, style.GREY, "x-open", "excluded"),
    ):
        if mask.any():
            out.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": at[mask],
                    "y": value[mask],
                    "xaxis": x,
                    "yaxis": y,
                    "marker": {"color": color, "symbol": symbol, "size": 8},
                    "hovertemplate": f"%{{x}}: %{{y:.4g}}<extra>{word}</extra>",
                    "showlegend": False,
                }
            )
    return out


def _trace(
    x: NDArray[Any], y: NDArray[np.float64], xaxis: str, yaxis: str, look: tuple[str, str, float], name: str
) -> dict[str, Any]:
    color, dash, width = look
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "xaxis": xaxis,
        "yaxis": yaxis,
        "line": {"color": color, "dash": dash, "width": width},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _cumulative(result: Capability, x: str, y: str) -> dict[str, Any]:
    """The mean of all points so far: it settles where the process is stable and the data suffice."""
    so_far = np.cumsum(result.values) / np.arange(1, len(result.values) + 1)
    return _trace(result.subgroup + 1, so_far, x, y, (style.INK, "solid", 1.4), "so far")


def _reach(record: CapabilityInfo) -> tuple[float, float]:
    """Range of the panel of indices, with room at both ends and 1 in it where indices are drawn."""
    seen = np.concatenate([record.estimate, record.low, record.high])
    seen = seen[np.isfinite(seen)]
    if not len(seen):
        return 0.0, 0.0
    low, high = float(seen.min()), float(seen.max())
    if any(not n.startswith("z_") for n in record.index):
        low, high = min(low, 1.0), max(high, 1.0)
    pad = 0.06 * (high - low) or 0.5
    return low - pad, high + pad


def _dots(record: CapabilityInfo, x: str, y: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": record.last_x,
        "y": record.last,
        "xaxis": x,
        "yaxis": y,
        "marker": {"color": style.BLUE, "size": 5, "opacity": 0.8},
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
        "showlegend": False,
    }


def _curves(record: CapabilityInfo) -> list[dict[str, Any]]:
    return [
        _trace(record.curve_x, y, "x4", "y4", look, name)
        for y, look, name in (
            (record.overall, (style.BLUE, "solid", 2.0), "overall"),
            (record.within, (style.ORANGE, "dash", 1.6), "within"),
        )
        if np.isfinite(y).any()
    ]


def _intervals(record: CapabilityInfo) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for k, (low, high) in enumerate(zip(record.low, record.high, strict=True)):
        if math.isfinite(low) and math.isfinite(high):
            ends = np.array([low, high])
            line = _trace(ends, np.array([k, k], dtype=float), "x6", "y6", (style.BLUE, "solid", 3.0), "")
            out.append(line)
    if len(record.index):
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": record.estimate,
                "y": np.arange(len(record.index)),
                "xaxis": "x6",
                "yaxis": "y6",
                "marker": {"color": style.INK, "symbol": "diamond", "size": 9},
                "hovertemplate": "%{x:.3f}<extra></extra>",
                "showlegend": False,
            }
        )
    return out


def _index_labels(record: CapabilityInfo) -> list[dict[str, Any]]:
    """The numbers beside the intervals, as a small table."""
    out = []
    for k, (value, low, high) in enumerate(zip(record.estimate, record.low, record.high, strict=True)):
        text = f"{value:.2f}"
        if math.isfinite(low) and math.isfinite(high):
            text += f" ({low:.2f}, {high:.2f})"
        out.append(_text(text, 0.87, k, yref="y6", xanchor="left", yanchor="middle", size=11))
    return out


def _limit(name: str, value: float, xref: str, yref: str) -> dict[str, Any]:
    color, dash, width = {
        "target": (style.GREEN, "dot", 1.5),
        "one": (style.GREY, "dot", 1.2),
    }.get(name, (style.ORANGE, "dashdot", 2.0))
    return vertical(value, xref=xref, yref=yref, color=color, width=width, dash=dash)


def _limit_label(name: str, value: float, spread: float) -> dict[str, Any]:
    return _text(
        f"{name} {number(value, spread=spread)}", value, _TOPS[0][1], xref="x4", yanchor="bottom", size=11
    )


def _title(text: str, domain: list[float], top: float) -> dict[str, Any]:
    made = _text(f"<b>{text}</b>" if text else "", domain[0], top, xanchor="left", yanchor="bottom", size=12)
    return made | {"yshift": 14 if domain is _RIGHT and top == _TOPS[0][1] else 2}


def _text(
    text: str,
    x: float,
    y: float,
    *,
    xref: str = "paper",
    yref: str = "paper",
    xanchor: str = "center",
    yanchor: str = "middle",
    size: int = 11,
) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": xref,
        "yref": yref,
        "xanchor": xanchor,
        "yanchor": yanchor,
        "showarrow": False,
        "font": {"size": size, "color": style.INK},
    }
