"""The figure of an evaluated effect: change and criterion, objective, benefit; then chart and comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.kinds import load
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.effect_result import EffectEvaluation

#: Pixels of a panel and around all of them.
PANEL, GAP, TOP, BOTTOM = 96, 88, 78, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One line of the figure: values with their intervals on an axis of their own, and marked values.

    ``points`` are (label, value, low, high, filled); ``lines`` (value, text, color name).
    """

    axis: str
    kind: str
    points: tuple[tuple[str, float, float, float, bool], ...]
    lines: tuple[tuple[float, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectInfo:
    """What is drawn."""

    title: str
    panels: tuple[Panel, ...]


def info(result: EffectEvaluation) -> EffectInfo:
    """The panels of the figure: those that the evaluation has."""
    panels = [_change(result)]
    goal, worth = result.on_objective, result.benefit
    if goal is not None and not math.isnan(goal.before) and not math.isnan(goal.after):
        after = (goal.before + goal.low, goal.before + goal.high)
        required = () if math.isnan(goal.required) else ((goal.required, "asked for", "goal"),)
        panels.append(
            Panel(
                axis=f"{goal.name}: {'share' if goal.unit == 'share' else goal.statistic}",
                kind="percent" if goal.unit == "share" else "number",
                points=(
                    ("before", goal.before, math.nan, math.nan, False),
                    ("after (interval of the difference)", goal.after, *after, True),
                ),
                lines=required,
            )
        )
    if worth is not None:
        lines = [(0.0, "", "none")]
        if not math.isnan(worth.cost):
            lines.append((worth.cost, "cost of the actions", "cost"))
        if not math.isnan(worth.expected):
            lines.append((worth.expected, "expected", "goal"))
        panels.append(
            Panel(
                axis=f"benefit of a year, {worth.unit}",
                kind="money",
                points=(("realized", worth.benefit, worth.low, worth.high, True),),
                lines=tuple(lines),
            )
        )
    heads = {"worked": "It worked", "did_not": "It did not work", "cannot_tell": "It cannot be told yet"}
    name = result.proposal.name if result.proposal else result.measure.label
    return EffectInfo(title=f"{heads[result.outcome]}: {name}", panels=tuple(panels))


def _change(result: EffectEvaluation) -> Panel:
    row = result.judged if result.judged is not None else result.comparison.primary
    share = result.measure.scale == "proportion" or "shares" in row.quantity
    points = [("", row.estimate, row.low, row.high, True)]
    other = result.without_events
    if other is not None and other.quantity == row.quantity:
        points = [("all data", *points[0][1:])]
        points.append(("without recorded events", other.estimate, other.low, other.high, False))
    lines = []
    if row.form != "test" and not math.isnan(row.null):
        lines.append((row.null, "no change", "none"))
    if not math.isnan(result.required):
        lines.append((result.required, "asked for", "goal"))
    kind = {"ratio": "times"}.get(row.form, "percent" if share else "number")
    unit = "times the value before" if row.form == "ratio" else "" if share else result.measure.unit
    if share and row.form == "difference":
        # differences of shares are points: 2 percent more could be read as a ratio
        kind, unit = "number", "percentage points"
        points = [(t, 100 * v, 100 * low, 100 * high, filled) for t, v, low, high, filled in points]
        lines = [(100 * value, text, look) for value, text, look in lines]
    name = row.quantity.replace("_", " ")
    return Panel(
        axis=f"{result.measure.name}: {name}" + (f", {unit}" if unit else ""),
        kind=kind,
        points=tuple(points),
        lines=tuple(lines),
    )


_COLORS = {"none": (style.GREY, "dot"), "goal": (style.GREEN, "dash"), "cost": (style.ORANGE, "dashdot")}


def draw(result: EffectEvaluation) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    k = len(record.panels)
    plot = k * PANEL + (k - 1) * GAP
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for i, panel in enumerate(record.panels):
        tag = "" if i == 0 else str(i + 1)
        top = 1 - i * (PANEL + GAP) / plot
        many = len(panel.points)
        tall = {"tickformat": ".0%"} if panel.kind == "percent" else {}
        axes[f"xaxis{tag}"] = style.axis(
            panel.axis, anchor=f"y{tag}", range=_range(panel), separatethousands=True, **tall
        )
        axes[f"yaxis{tag}"] = style.axis(
            "",
            anchor=f"x{tag}",
            domain=[max(0.0, top - PANEL / plot), top],
            range=[many - 0.4, -0.6],
            tickvals=list(range(many)),
            ticktext=[wrapped(p[0], 22) for p in panel.points],
            showgrid=False,
        )
        for j, (label, value, low, high, filled) in enumerate(panel.points):
            data.append(_point(j, label, value, low, high, filled, tag, panel.kind))
        for value, text, look in panel.lines:
            color, dash = _COLORS[look]
            shapes.append(
                vertical(value, xref=f"x{tag}", yref=f"y{tag} domain", color=color, width=1.6, dash=dash)
            )
            if text:
                notes.append(_note(value, f"{text} {_said(value, panel.kind)}", tag, color))
    return {
        "data": data,
        "layout": style.layout(
            record.title,
            height=TOP + plot + BOTTOM,
            margin={"l": 150, "r": 40, "t": TOP, "b": BOTTOM},
            shapes=shapes,
            annotations=_apart(notes, record.panels),
            **axes,
        ),
    }


def further(result: EffectEvaluation) -> list[dict[str, Any]]:
    """The chart in two stages, and the comparison behind the verdict."""
    drawn = []
    if result.chart is not None:
        drawn.append(load("perfanalytics.figures.control_chart:draw")(result.chart))
    drawn.append(load("perfanalytics.figures.comparison:draw")(result.comparison))
    return drawn


def _said(value: float, kind: str) -> str:
    return percent(value) if kind == "percent" else number(value)


def _range(panel: Panel) -> list[float]:
    values = [v for p in panel.points for v in p[1:4] if math.isfinite(v)]
    values += [v for v, _, _ in panel.lines if math.isfinite(v)]
    room = 0.12 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 1.0
    return [min(values) - room, max(values) + room]


def _point(
    row: int, label: str, value: float, low: float, high: float, filled: bool, tag: str, kind: str
) -> dict[str, Any]:
    known = math.isfinite(low) and math.isfinite(high)
    error = {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) if known else 0.0],
        "arrayminus": [max(0.0, value - low) if known else 0.0],
        "color": style.BLUE,
        "thickness": 2,
        "width": 6,
    }
    ends = f" ({_said(low, kind)} to {_said(high, kind)})" if known else ""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value],
        "y": [row],
        "error_x": error,
        "marker": {"color": style.BLUE, "size": 11, "symbol": "circle" if filled else "circle-open"},
        "hovertemplate": f"{label or 'estimate'}: {_said(value, kind)}{ends}<extra></extra>",
        "xaxis": f"x{tag}",
        "yaxis": f"y{tag}",
    }


def _note(value: float, text: str, tag: str, color: str) -> dict[str, Any]:
    return {
        "x": value,
        "xref": f"x{tag}",
        "y": 1,
        "yref": f"y{tag} domain",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": color},
    }


def _apart(notes: list[dict[str, Any]], panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    """Labels of one panel that would lie on each other stand one above the other, or to their own side."""
    out = []
    for i, panel in enumerate(panels):
        tag = "" if i == 0 else str(i + 1)
        own = sorted((n for n in notes if n["xref"] == f"x{tag}"), key=lambda n: n["x"])
        low, high = _range(panel)
        for j, note in enumerate(own):
            near_left = j > 0 and (note["x"] - own[j - 1]["x"]) / (high - low) < 0.25
            near_right = j + 1 < len(own) and (own[j + 1]["x"] - note["x"]) / (high - low) < 0.25
            anchor = (
                "left"
                if near_left and not near_right
                else "right"
                if near_right and not near_left
                else "center"
            )
            if note["x"] < low + 0.1 * (high - low):
                anchor = "left"
            if note["x"] > high - 0.1 * (high - low):
                anchor = "right" if not near_left else "left"
            lift = 15 if near_left and near_right else 0
            out.append(note | {"xanchor": anchor, "yshift": lift})
    return out
