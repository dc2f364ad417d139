"""The figure of a baseline: the values in time, how often they occur, and their percentiles.

All three panels share the axis of the values, and the natural process limits and the objective run through
all of them: so one sees at once how far the process reaches, and on which side of the objective.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.figures import style
from perfanalytics.figures.labels import spread_out

#: At most this many points are drawn in time, evenly chosen; the other panels use all.
DRAWN = 2000
_HEIGHT = 480
_MARGIN = {"l": 75, "r": 175, "t": 60, "b": 85}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A level that runs through all panels."""

    name: str
    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInfo:
    """What is drawn.

    ``x``, ``y``, ``open`` are the points in time; ``edges``, ``share_of`` the histogram (shares of all
    values); ``cumulative``, ``cumulative_at`` the distribution function; ``p``, ``p_value``, ``p_low``,
    ``p_high`` the percentiles with their intervals; ``fitted``, ``fitted_at`` the distribution function of
    the fitted family (empty without one); ``lines`` the levels.
    """

    x: NDArray[Any]
    y: NDArray[np.float64]
    open: NDArray[np.bool_]
    hidden: int
    edges: NDArray[np.float64]
    share_of: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    cumulative_at: NDArray[np.float64]
    p: NDArray[np.float64]
    p_value: NDArray[np.float64]
    p_low: NDArray[np.float64]
    p_high: NDArray[np.float64]
    fitted: NDArray[np.float64]
    fitted_at: NDArray[np.float64]
    lines: tuple[Line, ...]
    log: bool
    low: float
    high: float


def info(result: Baseline) -> BaselineInfo:
    """The arrays of the figure."""
    values = result.values
    n = len(values)
    lines = _lines(result)
    # a limit at 0 (rates) has no place on an axis of logarithms
    positive = bool((values > 0).all()) and all(line.value > 0 for line in lines)
    log = (result.scale == "log" or result.measure.scale in LOG_SCALES) and positive
    still_open = result.censored if result.censored is not None else np.zeros(n, dtype=bool)
    keep = np.unique(np.linspace(0, n - 1, min(n, DRAWN)).round().astype(int))
    x = result.when if result.when is not None else np.arange(1, n + 1)
    rows = [k for k, q in enumerate(result.quantity.tolist()) if q[:1] == "p" and q[1:].isdigit()]
    seen = [values.min(), values.max(), *(line.value for line in lines)]
    low, high = min(v for v in seen if not log or v > 0), max(seen)
    edges = _edges(values, log)
    counts = np.histogram(values[~still_open], edges)[0]
    cumulative_at, cumulative = _distribution(values, still_open)
    share = np.linspace(0.005, 0.995, 199)
    return BaselineInfo(
        x=x[keep],
        y=values[keep],
        open=still_open[keep],
        hidden=n - len(keep),
        edges=edges,
        share_of=counts / n,
        cumulative=cumulative,
        cumulative_at=cumulative_at,
        p=np.array([int(result.quantity[k][1:]) / 100 for k in rows]),
        p_value=result.estimate[rows],
        p_low=result.low[rows],
        p_high=result.high[rows],
        fitted=share if result.fitted is not None else np.empty(0),
        fitted_at=np.empty(0) if result.fitted is None else result.fitted.quantile(share),
        lines=lines,
        log=log,
        low=float(low),
        high=float(high),
    )


def draw(result: Baseline) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    share = result.values_are == "shares"
    low, high = _range(record)
    axis = {"range": [low, high]} | ({"type": "log"} if record.log else {})
    if record.log:
        axis |= _log_ticks(low, high)
    if share:
        axis["tickformat"] = ".0%"
    bare = axis | {"showticklabels": False, "matches": "y", "ticks": ""}
    label = result.measure.name if share else result.measure.label
    if result.values_are == "ratios":
        label = f"{result.measure.name} ({result.unit[0]})"
    layout = style.layout(f"Baseline of {result.measure.name}", height=_HEIGHT, margin=_MARGIN) | {
        "xaxis": style.axis(
            "" if result.when is not None else "position",
            domain=[0.0, 0.46],
            anchor="y",
            nticks=4,
            tickangle=0,  # on paper slanted dates would reach into the next panel
        ),
        "yaxis": style.axis(label, anchor="x", **axis),
        "xaxis2": style.axis("share", domain=[0.51, 0.64], anchor="y2", tickformat=".0%", nticks=3),
        "yaxis2": style.axis("", anchor="x2", **bare),
        "xaxis3": style.axis(
            "percentile",
            domain=[0.67, 1.0],
            anchor="y3",
            range=[0, 1],
            tickvals=[0.05, 0.25, 0.5, 0.75, 0.95],
            ticktext=["5", "25", "50", "75", "95"],
        ),
        "yaxis3": style.axis("", anchor="x3", **bare),
        "shapes": [_shape(line) for line in record.lines],
        "annotations": [*_labels(record, low, high), *_notes(record, result)],
    }
    return {"data": [*_in_time(record), _histogram(record), *_percentiles(record)], "layout": layout}


def _lines(result: Baseline) -> tuple[Line, ...]:
    # the unit of a ratio is too long for a label: it stands on the axis
    unit = "" if result.values_are == "ratios" else result.measure.unit
    show = percent if result.values_are == "shares" else (lambda v: number(v, unit))
    lines = [
        Line(name=name, value=value, label=f"{text} {show(value)}")
        for name, text, value in (
            ("upper", "upper limit", result.upper_limit),
            ("center", "center", result.center_line),
            ("lower", "lower limit", result.lower_limit),
        )
        if math.isfinite(value)
    ]
    goal = result.objective
    if goal is not None and goal.statistic in ("item", "mean", "median", "share", "rate"):
        side = "≤" if goal.direction == "at_most" else "≥"
        lines.append(Line(name="objective", value=goal.target, label=f"objective {side} {show(goal.target)}"))
    return tuple(lines)


def _edges(values: NDArray[np.float64], log: bool) -> NDArray[np.float64]:
    """Freedman-Diaconis bins, 5 to 40, on the scale of the axis."""
    scaled = np.log(values) if log else values
    low, high = float(scaled.min()), float(scaled.max())
    if low == high:
        half = 0.05 * abs(low) or 0.5
        edges = np.array([low - half, low + half])
    else:
        q1, q3 = np.quantile(scaled, [0.25, 0.75])
        width = 2 * (q3 - q1) / len(scaled) ** (1 / 3)
        bins = math.ceil((high - low) / width) if width > 0 else 10
        edges = np.linspace(low, high, min(max(bins, 5), 40) + 1)
    return np.asarray(np.exp(edges) if log else edges)


def _distribution(
    values: NDArray[np.float64], still_open: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps of the distribution function; Kaplan-Meier where items are open."""
    if still_open.any():
        km = kaplan_meier(values, still_open, confidence=0.95)
        return km.times, 1 - km.survival
    ordered, counts = np.unique(values, return_counts=True)
    if len(ordered) > DRAWN:
        keep = np.unique(np.linspace(0, len(ordered) - 1, DRAWN).round().astype(int))
        return ordered[keep], np.cumsum(counts)[keep] / len(values)
    return ordered, np.cumsum(counts) / len(values)


def _range(record: BaselineInfo) -> tuple[float, float]:
    """Range of the value axis, in its own units (powers of ten on a log axis)."""
    low, high = (math.log10(record.low), math.log10(record.high)) if record.log else (record.low, record.high)
    pad = 0.06 * (high - low) or 0.1 * abs(high) or 0.5
    return low - pad, high + pad


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    steps = (1.0, 2.0, 5.0) if high - low <= 3 else (1.0,)
    ticks = [s * 10.0**d for d in range(math.floor(low), math.ceil(high) + 1) for s in steps]
    ticks = [t for t in ticks if low <= math.log10(t) <= high]
    return {"tickvals": ticks, "ticktext": [number(t) for t in ticks]}


def _in_time(record: BaselineInfo) -> list[dict[str, Any]]:
    traces = []
    for name, mask, symbol in (
        ("done", ~record.open, "circle"),
        ("still open", record.open, "triangle-up-open"),
    ):
        if not mask.any():
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(record.y) <= 150 and not record.open.any() else "markers",
                "x": record.x[mask],
                "y": record.y[mask],
                "name": name,
                "line": {"color": style.LIGHT, "width": 1},
                "marker": {
                    "color": style.BLUE if name == "done" else style.ORANGE,
                    "symbol": symbol,
                    "size": 6 if len(record.y) <= 300 else 4,
                    "opacity": 0.85 if len(record.y) <= 300 else 0.5,
                },
                "hovertemplate": "%{x}: %{y:.4g}<extra>" + name + "</extra>",
            }
        )
    return traces


def _histogram(record: BaselineInfo) -> dict[str, Any]:
    """Bars as one filled outline, because the bars of a log axis have different widths."""
    edges = np.repeat(record.edges, 2)
    heights = np.concatenate([[0.0], np.repeat(record.share_of, 2), [0.0]])
    return {
        "type": "scatter",
        "mode": "lines",
        "x": heights,
        "y": edges,
        "xaxis": "x2",
        "yaxis": "y2",
        "fill": "toself",
        "fillcolor": style.LIGHT,
        "line": {"color": style.GREY, "width": 1},
        "hoverinfo": "skip",
    }


def _percentiles(record: BaselineInfo) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            # the smallest value that at least this share does not exceed: up first, then across
            "x": np.concatenate([[0.0], record.cumulative]),
            "y": np.concatenate([record.cumulative_at[:1], record.cumulative_at]),
            "xaxis": "x3",
            "yaxis": "y3",
            "line": {"color": style.GREY, "width": 1.5, "shape": "vh"},
            "hovertemplate": "%{x:.1%} are at most %{y:.4g}<extra></extra>",
        }
    ]
    if len(record.fitted):
        inside = (record.fitted_at >= record.low) & (record.fitted_at <= record.high)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "fitted",
                "x": record.fitted[inside],
                "y": record.fitted_at[inside],
                "xaxis": "x3",
                "yaxis": "y3",
                "line": {"color": style.ORANGE, "width": 1.5, "dash": "dot"},
                "hovertemplate": "fitted: %{x:.1%} are at most %{y:.4g}<extra></extra>",
            }
        )
    seen = np.isfinite(record.p_value)
    if seen.any():
        # an open end reaches the edge of the panel
        ceiling = 10 * record.high if record.log else 2 * abs(record.high) + 1 + record.high
        floor = record.low / 10 if record.log else record.low - abs(record.low) - 1
        up = np.where(np.isfinite(record.p_high), record.p_high, ceiling) - record.p_value
        down = record.p_value - np.where(np.isfinite(record.p_low), record.p_low, floor)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": record.p[seen],
                "y": record.p_value[seen],
                "xaxis": "x3",
                "yaxis": "y3",
                "marker": {"color": style.BLUE, "symbol": "diamond", "size": 8},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": up[seen],
                    "arrayminus": down[seen],
                    "color": style.BLUE,
                    "thickness": 1.5,
                    "width": 5,
                },
                "hovertemplate": "%{x:.0%} are at most %{y:.4g}<extra></extra>",
            }
        )
    return traces


_LOOK = {
    "upper": (style.GREY, "dash", 1.5),
    "lower": (style.GREY, "dash", 1.5),
    "center": (style.GREY, "solid", 1.0),
    "objective": (style.ORANGE, "dashdot", 2.0),
}


def _shape(line: Line) -> dict[str, Any]:
    color, dash, width = _LOOK[line.name]
    return {
        "type": "line",
        "xref": "paper",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": line.value,
        "y1": line.value,
        "layer": "above",
        "line": {"color": color, "dash": dash, "width": width},
    }


def _labels(record: BaselineInfo, low: float, high: float) -> list[dict[str, Any]]:
    """The names of the lines to the right of the panels, moved apart."""
    where = [math.log10(line.value) if record.log else line.value for line in record.lines]
    room = 17 * (high - low) / (_HEIGHT - _MARGIN["t"] - _MARGIN["b"])
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": 1.01,
            "y": (at - low) / (high - low),
            "xanchor": "left",
            "yanchor": "middle",
            "text": f"<b>{line.label}</b>" if line.name == "objective" else line.label,
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
        for line, at in zip(record.lines, spread_out(where, room), strict=True)
    ]


def _notes(record: BaselineInfo, result: Baseline) -> list[dict[str, Any]]:
    text = []
    if result.fitted is not None:
        text.append(f"dotted, right: fitted {result.fitted.label} distribution")
    if record.hidden:
        text.append(f"{len(record.y):,} of {len(record.y) + record.hidden:,} points drawn in time")
    if record.open.any():
        text.append("open triangles: items still open")
    if not text:
        return []
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": -0.16,
            "xanchor": "left",
            "yanchor": "top",
            "text": "; ".join(text),
            "showarrow": False,
            "font": {"size": 11, "color": style.GREY},
        }
    ]
