"""The figure of several groups: their distributions, and all pairs with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison, SideTable
from perfanalytics.comparisons.words import number, p_text
from perfanalytics.figures import style
from perfanalytics.figures.forest import ratio_axis
from perfanalytics.figures.log_axis import value_ticks
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.figures.traces import box

#: At most this many raw points a group are drawn, evenly over the group; boxes use all.
DRAWN = 600
#: At most this many pairs are drawn, the clearest first.
PAIRS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInfo:
    """One group: points, their places across, quartiles and whiskers, center."""

    name: str
    y: NDArray[np.float64]
    x: NDArray[np.float64]
    box: tuple[float, float, float, float, float]
    center: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What is drawn: groups, pairs, how many points and pairs are not drawn, kind of axis."""

    groups: tuple[GroupInfo, ...]
    pairs: tuple[Effect, ...]
    hidden_points: int
    hidden_pairs: int
    log: bool
    percent: bool


def info(result: Comparison) -> Info:
    """The numbers of the figure."""
    log = result.method.parameters.get("scale") == "log"
    pairs = [e for e in result.effects if e.contrast and not np.isnan(e.p_adjusted)]
    order = sorted(range(len(pairs)), key=lambda i: pairs[i].p_adjusted)[:PAIRS]
    groups = tuple(_group(g, k, result.tail, log) for k, g in enumerate(result.groups))
    return Info(
        groups=groups,
        pairs=tuple(pairs[i] for i in sorted(order)),
        hidden_points=sum(g.n - len(g.y) for g in groups),
        hidden_pairs=len(pairs) - len(order),
        log=log,
        percent=any(e.quantity == "difference_of_proportions" for e in pairs),
    )


def _group(side: SideTable, place: int, tail: float, log: bool) -> GroupInfo:
    placed = side.values[side.values > 0] if log else side.values
    keep = placed
    if len(placed) > DRAWN:
        keep = placed[np.unique(np.linspace(0, len(placed) - 1, DRAWN).round().astype(int))]
    quartiles = np.quantile(placed, [min(tail, 1 - tail), 0.25, 0.5, 0.75, max(tail, 1 - tail)])
    # evenly spread across the column, the same every time
    spread = np.asarray((np.arange(len(keep)) * 0.6180339887498949) % 1.0, dtype=np.float64)
    return GroupInfo(
        name=side.name,
        y=keep,
        x=np.asarray(place + 0.44 * (spread - 0.5), dtype=np.float64),
        box=(
            float(quartiles[0]),
            float(quartiles[1]),
            float(quartiles[2]),
            float(quartiles[3]),
            float(quartiles[4]),
        ),
        center=float(np.exp(np.log(placed).mean())) if log else side.mean,
        n=side.n,
    )


def draw(result: Comparison) -> dict[str, Any]:
    """The figure of a comparison of groups as a plain plotly dict."""
    what = info(result)
    longest = max((len(e.contrast) for e in what.pairs), default=0)
    # the names of the pairs stand between the two panels
    split = max(0.25, 0.56 - 0.0075 * longest) if what.pairs else 1.0
    counted = what.percent
    data = _share_traces(result) if counted else _value_traces(what)
    axes: dict[str, Any] = {
        "xaxis": style.axis(
            " x ".join(result.method.parameters.get("by", [])),
            domain=[0.0, split],
            anchor="y",
            range=[-0.6, len(what.groups) - 0.4],
            tickvals=list(range(len(what.groups))),
            ticktext=[f"{g.name}<br>n = {g.n:,}" if not counted else g.name for g in what.groups],
            showgrid=False,
        ),
        "yaxis": style.axis(
            result.measure.label,
            domain=[0.0, 1.0],
            anchor="x",
            **(_log_axis(what) if what.log else {"tickformat": ".0%"} if counted else {}),
        ),
    }
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    if what.pairs:
        ratio = what.pairs[0].form == "ratio"
        data += _pair_traces(what, result.confidence)
        notes += _pair_notes(what, result.confidence)
        unit = "points" if counted else what.pairs[0].unit
        title = "ratio of the two groups" if ratio else "difference" + (f" ({unit})" if unit else "")
        axes["xaxis2"] = style.axis(title, domain=[0.62, 0.84], anchor="y2", nticks=4)
        if ratio:
            ends = [v for e in what.pairs for v in (e.low, e.estimate, e.high) if np.isfinite(v)]
            axes["xaxis2"] |= {"type": "log"} | ratio_axis(ends)
        axes["yaxis2"] = style.axis(
            "",
            domain=[0.0, 0.94],
            anchor="x2",
            range=[len(what.pairs) - 0.4, -0.6],
            tickvals=list(range(len(what.pairs))),
            ticktext=[e.contrast for e in what.pairs],
            showgrid=False,
        )
        shapes.append(vertical(what.pairs[0].null, xref="x2", yref="y2 domain", color=style.INK, dash="dash"))
    left = [f"{what.hidden_points:,} points not drawn"] if what.hidden_points else []
    left += [f"{what.hidden_pairs} less clear pairs not drawn"] if what.hidden_pairs else []
    if left:
        notes.append(_text("; ".join(left), x=1.0, y=-0.14, anchor="right", size=11, color=style.GREY))
    by = " x ".join(result.method.parameters.get("by", []))
    layout = style.layout(
        f"{result.measure.name} by {by}",
        height=max(440, 150 + 24 * len(what.pairs)),
        shapes=shapes,
        annotations=notes,
    )
    layout |= axes
    layout["margin"] = {"l": 70, "r": 20, "t": 70, "b": 80}
    return {"data": data, "layout": layout}


def _log_axis(what: Info) -> dict[str, Any]:
    """A log axis with ticks at 1, 2 and 5."""
    values = np.concatenate([g.y for g in what.groups])
    ticks = value_ticks(float(values.min()), float(values.max()))
    apart = float(np.diff(ticks).min())
    return {"type": "log", "tickvals": ticks, "ticktext": [number(t, spread=apart) for t in ticks]}


def _value_traces(what: Info) -> list[dict[str, Any]]:
    """Raw points, a box and the center of each group."""
    traces: list[dict[str, Any]] = []
    for place, g in enumerate(what.groups):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": g.x,
                "y": g.y,
                "marker": {
                    "color": style.GREY,
                    "size": 5,
                    "opacity": 0.6 if len(g.y) < 100 else 0.3,
                    "symbol": "circle",
                },
                "hovertemplate": "%{y:.4g}<extra>" + g.name + "</extra>",
            }
        )
        traces.append(box(place, g.box))
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(range(len(what.groups))),
            "y": [g.center for g in what.groups],
            "marker": {
                "color": style.BLUE,
                "size": 12,
                "symbol": "diamond",
                "line": {"color": style.PAPER, "width": 1.5},
            },
            "hovertemplate": ("geometric mean" if what.log else "mean") + " %{y:.4g}<extra></extra>",
        }
    )
    return traces


def _share_traces(result: Comparison) -> list[dict[str, Any]]:
    """The share of each group with Wilson's interval."""
    from perfanalytics.comparisons.tables import wilson

    ends = [
        wilson(float((g.values * g.weights).sum()), float(g.weights.sum()), result.confidence)
        for g in result.groups
    ]
    means = [g.mean for g in result.groups]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": list(range(len(means))),
            "y": means,
            "marker": {"color": style.BLUE, "size": 12, "symbol": "diamond"},
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [e[1] - m for e, m in zip(ends, means, strict=True)],
                "arrayminus": [m - e[0] for e, m in zip(ends, means, strict=True)],
                "color": style.INK,
                "thickness": 1.5,
                "width": 6,
            },
            "hovertemplate": "%{y:.1%}<extra></extra>",
        }
    ]


def _pair_traces(what: Info, confidence: float) -> list[dict[str, Any]]:
    traces = []
    factor = 100.0 if what.percent else 1.0
    for place, e in enumerate(what.pairs):
        if not np.isfinite(e.estimate):
            continue
        differs = e.p_adjusted <= (1 - confidence) * (1 + 1e-9)
        color = style.BLUE if differs else style.GREY
        ends = [factor * (v if np.isfinite(v) else e.estimate) for v in (e.low, e.high)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [ends[0], factor * e.estimate, ends[1]],
                "y": [place] * 3,
                "xaxis": "x2",
                "yaxis": "y2",
                "line": {"color": color, "width": 3 if differs else 1.5},
                "marker": {
                    "color": color,
                    "symbol": ["line-ns", "square" if differs else "circle-open", "line-ns"],
                    "size": [9, 10, 9],
                    "line": {"color": color, "width": 2},
                },
                "hovertemplate": f"{e.contrast}: %{{x:.4g}}<extra></extra>",
            }
        )
    return traces


def _pair_notes(what: Info, confidence: float) -> list[dict[str, Any]]:
    factor = 100.0 if what.percent else 1.0
    notes = [_text("pairs: estimate, adjusted p", x=0.62, y=1.0, anchor="left", size=11, color=style.GREY)]
    for place, e in enumerate(what.pairs):
        differs = e.p_adjusted <= (1 - confidence) * (1 + 1e-9)
        text = f"{number(factor * e.estimate)}, {p_text(e.p_adjusted)}"
        notes.append(
            {
                "xref": "paper",
                "yref": "y2",
                "x": 0.85,
                "y": place,
                "xanchor": "left",
                "yanchor": "middle",
                "text": f"<b>{text}</b>" if differs else text,
                "showarrow": False,
                "font": {"size": 11, "color": style.INK},
            }
        )
    return notes


def _text(text: str, *, x: float, y: float, anchor: str, size: int, color: str) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": anchor,
        "yanchor": "bottom" if y >= 0 else "top",
        "text": text,
        "showarrow": False,
        "font": {"size": size, "color": color},
    }
