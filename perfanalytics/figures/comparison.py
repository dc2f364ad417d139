"""The figure of a comparison: both sides in time, their distributions, the effects with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.words import number
from perfanalytics.figures import groups, interrupted, style
from perfanalytics.figures.comparison_info import Info, Row, SideInfo, info
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
    panels = _panels(result, what)
    for k, (form, rows, title, null, domain) in enumerate(panels):
        x, y = f"x{3 + k}", f"y{3 + k}"
        if what.margin is not None and what.margin_in == form:
            title = title.replace(" (ratio)", "") + "; grey: margin"
        data += _effect_traces(rows, x, y)
        notes += _effect_notes(rows, x, y)
        axes[f"xaxis{3 + k}"] = style.axis(title, domain=[0.80, 1.0], anchor=y, nticks=5)
        if form == "ratio":
            axes[f"xaxis{3 + k}"]["type"] = "log"
            axes[f"xaxis{3 + k}"] |= _ratio_ticks(rows, what.margin if what.margin_in == form else None)
        axes[f"yaxis{3 + k}"] = style.axis(
            "",
            domain=domain,
            anchor=x,
            range=[len(rows) - 0.4, -0.8],
            tickvals=list(range(len(rows))),
            ticktext=[f"<b>{r.label}</b>" if r.primary else r.label for r in rows],
            showgrid=False,
        )
        shapes += _null_shapes(x, y, null, what.margin if what.margin_in == form else None)
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


def _panels(result: Comparison, what: Info) -> list[tuple[str, tuple[Row, ...], str, float, list[float]]]:
    """Form, rows, axis title, value of no effect and vertical extent of each effects panel, from the top."""
    panels = [
        ("difference", what.differences, _difference_title(result), 0.0),
        ("ratio", what.ratios, "after / before (ratio)", 1.0),
        ("probability", what.probabilities, "P(a value after is higher)", 0.5),
    ]
    shown = sorted((p for p in panels if p[1]), key=lambda p: p[0] != result.primary.form)
    gap = 0.17
    free = 1.0 - gap * (len(shown) - 1)
    lines = sum(len(p[1]) + 0.4 for p in shown)
    top = 1.0
    out = []
    for form, rows, title, null in shown:
        bottom = max(0.0, top - free * (len(rows) + 0.4) / lines)
        out.append((form, rows, title, null, [bottom, top]))
        top = bottom - gap
    return out


def _value_axis(result: Comparison, what: Info) -> dict[str, Any]:
    """A log axis with ticks at 1, 2 and 5, in even steps where it is short; shares in percent."""
    if not what.log:
        return {"tickformat": ".0%"} if result.measure.scale == "proportion" else {}
    values = np.concatenate([s.y for s in what.sides])
    ticks = value_ticks(float(values.min()), float(values.max()))
    apart = float(np.diff(ticks).min())
    return {"type": "log", "tickvals": ticks, "ticktext": [number(t, spread=apart) for t in ticks]}


def _difference_title(result: Comparison) -> str:
    unit = result.measure.unit
    if result.measure.scale == "proportion":
        return "after - before (points)"
    return "after - before" if unit in ("", "1") else f"after - before ({unit})"


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


def _effect_traces(rows: tuple[Row, ...], x: str, y: str) -> list[dict[str, Any]]:
    traces = []
    for place, row in enumerate(rows):
        bounded = np.isfinite(row.low) and np.isfinite(row.high)
        if not np.isfinite(row.estimate):
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.low, row.estimate, row.high] if bounded else [row.estimate],
                "y": [place] * (3 if bounded else 1),
                "xaxis": x,
                "yaxis": y,
                "line": {
                    "color": style.BLUE if row.primary else style.GREY,
                    "width": 4 if row.primary else 2,
                },
                "marker": {
                    "color": style.BLUE if row.primary else style.GREY,
                    "symbol": (
                        ["line-ns", "square", "line-ns"] if row.primary else ["line-ns", "circle", "line-ns"]
                    )
                    if bounded
                    else ["circle"],
                    "size": [10, 11 if row.primary else 8, 10] if bounded else [8],
                    "line": {"color": style.BLUE if row.primary else style.GREY, "width": 2},
                },
                "hovertemplate": f"{row.label}: %{{x:.4g}}<extra></extra>",
            }
        )
    return traces


def _effect_notes(rows: tuple[Row, ...], x: str, y: str) -> list[dict[str, Any]]:
    notes = []
    for place, row in enumerate(rows):
        if not np.isfinite(row.estimate):
            text = "not defined"
        elif np.isfinite(row.low) and np.isfinite(row.high):
            text = f"{number(row.estimate)} ({number(row.low)} to {number(row.high)})"
        elif np.isnan(row.low) or np.isnan(row.high):
            text = number(row.estimate)
        else:
            text = f"{number(row.estimate)} (interval without end)"
        notes.append(
            {
                "xref": f"{x} domain",
                "yref": y,
                "x": 0.5,
                "y": place - 0.42,
                "xanchor": "center",
                "yanchor": "middle",
                "text": text,
                "showarrow": False,
                "font": {"size": 11, "color": style.INK},
                # the line of no effect does not cross the numbers
                "bgcolor": "rgba(255,255,255,0.85)",
                "borderpad": 1,
            }
        )
    return notes


def _null_shapes(x: str, y: str, null: float, margin: tuple[float, float] | None) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = [vertical(null, xref=x, yref=f"{y} domain", color=style.INK, dash="dash")]
    if margin is not None:
        shapes.insert(
            0,
            {
                "type": "rect",
                "xref": x,
                "yref": f"{y} domain",
                "x0": margin[0],
                "x1": margin[1],
                "y0": 0,
                "y1": 1,
                "fillcolor": style.LIGHT,
                "opacity": 0.6,
                "line": {"width": 0},
                "layer": "below",
            },
        )
    return shapes


def _ratio_ticks(rows: tuple[Row, ...], margin: tuple[float, float] | None) -> dict[str, Any]:
    """Readable ticks for a log axis of ratios."""
    ends = [v for r in rows for v in (r.low, r.estimate, r.high) if np.isfinite(v) and v > 0]
    ends += [*(margin or ()), 1.0]
    low, high = min(ends), max(ends)
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    candidates = [float(f"{s}e{d}") for d in range(first, last + 1) for s in (1, 2, 5)]
    if high / low > 100:  # powers of ten, 1 among them, at most six
        step = -(-(last - first) // 5)
        candidates = [float(f"1e{d}") for d in range(first, last + 1) if d % step == 0]
    if high / low < 8:
        candidates = [0.125, 0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 8]
    if high / low < 1.9:
        candidates = [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7, 1.9]
    if high / low < 1.15:
        candidates = [0.9, 0.95, 1, 1.05, 1.1]
    pad = (high / low) ** 0.08
    ticks = [c for c in candidates if low / pad <= c <= high * pad]
    return {
        "tickvals": ticks,
        "ticktext": [number(t) for t in ticks],
        "range": [float(np.log10(low / pad)), float(np.log10(high * pad))],
    }
