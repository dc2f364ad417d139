"""The figure of a comparison: both sides in time, their distributions, the effects with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.words import number
from perfanalytics.figures import groups, interrupted, style
from perfanalytics.figures.comparison_info import Info, SideInfo, info
from perfanalytics.figures.effect_panels import (
    effect_notes,
    effect_panels,
    effect_traces,
    null_shapes,
    ratio_ticks,
)
from perfanalytics.figures.log_axis import value_ticks
from perfanalytics.figures.reference_lines import horizontal, vertical
from perfanalytics.figures.traces import box

#: side -> colour, marker symbol, dash of its center line
LOOK = {
    "before": (style.GREY, "circle-open", "dash"),
    "after": (style.BLUE, "diamond", "solid"),
}


def draw(result: Comparison) -> dict[str, Any]:
    """The figure of a comparison as a plain plotly dict."""
    if result.groups:
        return groups.draw(result)
    if result.course is not None:
        return interrupted.draw(result)
    what = info(result)
    unit = result.measure.label
    data = [*_time_traces(what), *_limit_traces(what), *_distribution_traces(what)]
    # with deciles the sides stand in the upper part, the shift at each decile below
    base = 0.42 if what.deciles else 0.0
    shapes: list[dict[str, Any]] = _time_shapes(what)
    notes: list[dict[str, Any]] = _time_notes(what, result.measure.scale == "proportion")
    axes: dict[str, Any] = {
        "xaxis": style.axis("" if what.timed else "position", domain=[0.0, 0.46], anchor="y"),
        "yaxis": style.axis(unit, domain=[base, 1.0], anchor="x", **_value_axis(result, what)),
        "xaxis2": style.axis(
            f"box: quartiles; whiskers: P{100 - 100 * result.tail:g}, P{100 * result.tail:g}"
            if result.tail > 0.5
            else "box: quartiles",
            domain=[0.51, 0.66],
            anchor="y2",
            range=[-0.6, 1.6],
            tickvals=[0, 1],
            ticktext=["before", "after"],
            showgrid=False,
        ),
        "yaxis2": style.axis(
            "",
            domain=[base, 1.0],
            anchor="x2",
            matches="y",
            **(_value_axis(result, what) | {"showticklabels": False}),
        ),
    }
    axes["xaxis2"]["title"]["font"] = {"size": 11}
    panels = effect_panels(result, what)
    for k, (form, rows, title, null, domain) in enumerate(panels):
        x, y = f"x{3 + k}", f"y{3 + k}"
        if what.margin is not None and what.margin_in == form:
            title = title.replace(" (ratio)", "") + "; grey: margin"
        data += effect_traces(rows, x, y)
        notes += effect_notes(rows, x, y)
        axes[f"xaxis{3 + k}"] = style.axis(title, domain=[0.80, 1.0], anchor=y, nticks=5)
        if form == "ratio":
            axes[f"xaxis{3 + k}"]["type"] = "log"
            axes[f"xaxis{3 + k}"] |= ratio_ticks(rows, what.margin if what.margin_in == form else None)
        axes[f"yaxis{3 + k}"] = style.axis(
            "",
            domain=domain,
            anchor=x,
            range=[len(rows) - 0.4, -0.8],
            tickvals=list(range(len(rows))),
            ticktext=[f"<b>{r.label}</b>" if r.primary else r.label for r in rows],
            showgrid=False,
        )
        shapes += null_shapes(x, y, null, what.margin if what.margin_in == form else None)
    if what.deciles:
        data += _decile_traces(what)
        axes["xaxis9"] = style.axis(
            "decile",
            domain=[0.0, 0.66],
            anchor="y9",
            tickvals=list(range(1, 10)),
            ticktext=[f"P{10 * k}" for k in range(1, 10)],
            showgrid=False,
        )
        axes["yaxis9"] = style.axis(_decile_title(result), domain=[0.0, 0.25], anchor="x9", nticks=5)
        axes["yaxis9"]["title"]["font"] = {"size": 12}
        shapes.append(horizontal(0.0, xref="x9 domain", yref="y9", color=style.INK, dash="dash"))
    title = f"{result.measure.name}: before and after"
    layout = (
        style.layout(
            title,
            height=(500 if len(panels) < 3 else 600) + (180 if what.deciles else 0),
            shapes=shapes,
            annotations=notes,
        )
        | axes
    )
    layout["margin"] = {"l": 70, "r": 30, "t": 70, "b": 70}
    return {"data": data, "layout": layout}


def _value_axis(result: Comparison, what: Info) -> dict[str, Any]:
    """A log axis with ticks at 1, 2 and 5, in even steps where it is short; shares in percent."""
    if not what.log:
        return {"tickformat": ".0%"} if result.measure.scale == "proportion" else {}
    values = np.concatenate([s.y for s in what.sides])
    ticks = value_ticks(float(values.min()), float(values.max()))
    apart = float(np.diff(ticks).min())
    return {"type": "log", "tickvals": ticks, "ticktext": [number(t, spread=apart) for t in ticks]}


def _time_traces(what: Info) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for side in what.sides:
        color, symbol, dash = LOOK[side.name]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": side.x,
                "y": side.y,
                "name": side.name,
                "marker": {
                    "color": color,
                    "symbol": symbol,
                    "size": 6 if not len(side.centers) else 4,
                    "opacity": _opacity(side),
                },
                "hovertemplate": "%{x}: %{y:.4g}<extra>" + side.name + "</extra>",
            }
        )
        if len(side.centers):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": side.at,
                    "y": side.centers,
                    "line": {"color": color, "width": 1.2},
                    "marker": {"color": color, "symbol": symbol.removesuffix("-open"), "size": 6},
                    "hovertemplate": "%{x}: center of the period %{y:.4g}<extra>" + side.name + "</extra>",
                }
            )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": list(side.span),
                "y": [side.level, side.level],
                "line": {"color": style.INK, "width": 2.5, "dash": dash},
                "hovertemplate": f"center {side.name}: %{{y:.4g}}<extra></extra>",
            }
        )
    return traces


def _limit_traces(what: Info) -> list[dict[str, Any]]:
    """Natural process limits of each side, as on a chart with two stages."""
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(side.span),
            "y": [limit, limit],
            "line": {"color": style.GREY, "width": 1, "dash": "dashdot"},
            "hovertemplate": f"natural process limit {side.name}: %{{y:.4g}}<extra></extra>",
        }
        for side in what.sides
        for limit in side.limits
        if np.isfinite(limit) and not (what.log and limit <= 0)
    ]


def _decile_traces(what: Info) -> list[dict[str, Any]]:
    """The shift at each decile with its interval."""
    shift = np.array([d[0] for d in what.deciles])
    ends = np.array([d[1:] for d in what.deciles])
    bars = {} if np.isnan(ends).any() else {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": ends[:, 1] - shift,
            "arrayminus": shift - ends[:, 0],
            "color": style.BLUE,
            "thickness": 2,
            "width": 5,
        }
    }  # fmt: skip
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": np.arange(1, 10),
            "y": shift,
            "xaxis": "x9",
            "yaxis": "y9",
            "marker": {"color": style.BLUE, "symbol": "square", "size": 8},
            "hovertemplate": "decile %{x}: %{y:.4g}<extra></extra>",
            **bars,
        }
    ]


def _decile_title(result: Comparison) -> str:
    unit = result.measure.unit
    if result.measure.scale == "proportion":
        return "shift (points)"
    return "shift" if unit in ("", "1") else f"shift ({unit})"


def _opacity(side: SideInfo) -> float:
    return 0.8 if len(side.y) <= 200 else 0.45 if len(side.y) <= 600 else 0.25


def _time_shapes(what: Info) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    if what.change is not None:
        shapes.append(vertical(what.change, color=style.INK, dash="dot"))
    if what.predicted is not None:
        low, high = what.predicted
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y",
                "x0": what.sides[1].span[0],
                "x1": what.sides[1].span[1],
                "y0": low,
                "y1": high,
                "fillcolor": style.SKY,
                "opacity": 0.3,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    return shapes


def _time_notes(what: Info, percent: bool) -> list[dict[str, Any]]:
    notes = []
    if what.change is not None:
        for side, anchor in zip(what.sides, ("right", "left"), strict=True):
            level = f"{100 * side.level:.1f}%" if percent else number(side.level)
            text = f"{'← ' if anchor == 'right' else ''}{side.name}: center {level}"
            notes.append(
                {
                    "xref": "x",
                    "yref": "y domain",
                    "x": what.change,
                    "y": 1.0,
                    "yanchor": "bottom",
                    "xanchor": anchor,
                    "xshift": -6 if anchor == "right" else 6,
                    "text": text + (" →" if anchor == "left" else ""),
                    "showarrow": False,
                    "font": {"size": 12, "color": style.INK},
                }
            )
    hidden, unplaced = sum(s.hidden for s in what.sides), sum(s.unplaced for s in what.sides)
    if hidden or unplaced:
        shown = sum(len(s.y) for s in what.sides)
        text = f"{shown:,} of {shown + hidden + unplaced:,} points drawn"
        if unplaced:
            text += f" ({unplaced:,} at 0 or below: not on a log axis)"
        notes.append(
            {
                "xref": "paper",
                "yref": "paper",
                "x": 0.0,
                "y": -0.13,
                "xanchor": "left",
                "yanchor": "top",
                "text": text,
                "showarrow": False,
                "font": {"size": 11, "color": style.GREY},
            }
        )
    return notes


def _distribution_traces(what: Info) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for place, side in enumerate(what.sides):
        color, symbol, _ = LOOK[side.name]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": side.jitter,
                "y": side.y,
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"color": color, "symbol": symbol, "size": 5, "opacity": _opacity(side) * 0.8},
                "hovertemplate": "%{y:.4g}<extra>" + side.name + "</extra>",
            }
        )
        traces.append(box(place, side.box, xaxis="x2", yaxis="y2"))
    return traces
