"""The figure of a control chart: points, limits as steps, zones, signals, exclusions, events.

In two steps: :func:`perfanalytics.figures.control_chart_info.info` gives a record of arrays (what is drawn
where), :func:`draw` dresses it for plotly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.figures import funnel, style
from perfanalytics.figures.control_chart_info import LETTER, WIDTH, ChartInfo, PanelInfo, Steps, info, told
from perfanalytics.figures.labels import spread_out
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.wording import moment, number

__all__ = ["draw", "spread_out"]

#: Width of a letter of an axis title in pixels.
_TITLE_LETTER = 8.0
#: Vertical room of each panel, by their number.
_DOMAINS = {
    1: ((0.0, 1.0),),
    2: ((0.36, 1.0), (0.0, 0.26)),
    3: ((0.52, 1.0), (0.26, 0.44), (0.0, 0.18)),
}


#: Chart types with a picture of their own.
OWN: dict[str, Callable[[ControlChart], dict[str, Any]]] = {"funnel": funnel.draw}


def draw(chart: ControlChart) -> dict[str, Any]:
    """The figure of a control chart as a plain plotly dict."""
    if chart.chart in OWN:
        return OWN[chart.chart](chart)
    record = info(chart)
    two = len(record.panels) > 1
    joined = any(panel.joined for panel in record.panels)
    # the two sides of one statistic meet at their common zero
    sides = [_reach(panel) for panel in record.panels[:2]] if joined else []
    domains = _joined(sides, len(record.panels)) if joined else _DOMAINS[len(record.panels)]
    rows = 1 + max((row for _, _, row in (*record.labels, *record.stages)), default=-1)
    top = 52 + 17 * rows
    bottom = 78
    height = (420, 560, 720)[min(len(record.panels), 3) - 1] + 17 * rows
    data: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    keyed: set[str] = set()
    layout_axes: dict[str, Any] = {}
    for k, (panel, domain) in enumerate(zip(record.panels, domains, strict=True)):
        axis = {"yaxis": f"y{k + 1 if k else ''}", "xaxis": "x"}
        data += _lines(panel, axis, chart.carried_stage, keyed)
        data += _points(chart, record, panel, k, axis, keyed)
        pixels = (height - top - bottom) * (domain[1] - domain[0])
        layout_axes[f"yaxis{k + 1 if k else ''}"] = style.axis(
            _wrapped(panel.axis, pixels),
            domain=domain,
            **({"range": [0.0, sides[0]] if k == 0 else [-sides[k], 0.0]} if joined and k < 2 else {}),
            **({"tickformat": ".0%" if _coarse(panel) else ".1%"} if record.share else {}),
        )
        annotations += _level_labels(chart, panel, k, pixels)
    shapes += [_vertical(border, "solid", style.GREY, 1.0) for border in record.borders]
    for at, text, row in record.labels:
        shapes.append(_vertical(at, "dot", style.INK, 1.2))
        if row >= 0:
            annotations.append(_event_label(at, text, row, record.x, style.INK))
    annotations += [
        _event_label(at, text, row, record.x, style.GREY) for at, text, row in record.stages if row >= 0
    ]
    if record.labels:
        data.append(_event_hovers(record))
    layout_axes["xaxis"] = style.axis(record.x_title, anchor=f"y{len(record.panels) if two else ''}")
    layout = style.layout(
        record.title,
        height=height,
        margin={"l": 70, "r": 118, "t": top, "b": bottom},
        shapes=shapes,
        annotations=annotations,
        showlegend=bool(keyed),
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.11 if two else -0.16,
            "yanchor": "top",
        },
        **layout_axes,
    )
    # at the top, so that rows of event labels do not run into it
    layout["title"] |= {"y": 1.0, "yref": "container", "yanchor": "top", "pad": {"t": 16}}
    return {"data": data, "layout": layout}


def _joined(sides: list[float], panels: int) -> tuple[tuple[float, float], ...]:
    """Room of the two sides of one statistic, and of the panels below them."""
    rest = tuple(reversed(_DOMAINS[2][1:])) if panels == 3 else ()
    low = _DOMAINS[2][0][0] if rest else 0.0
    border = low + (1.0 - low) * sides[1] / sum(sides)
    return ((border, 1.0), (low, border), *rest)


def _reach(panel: PanelInfo) -> float:
    """How far a panel that starts from 0 goes."""
    seen = np.abs(np.concatenate([panel.path_y, panel.upper.y, panel.lower.y]))
    top = float(np.nanmax(seen)) if np.isfinite(seen).any() else 0.0
    return 1.1 * top if top > 0 else 1.0


def _wrapped(text: str, pixels: float) -> str:
    """An axis title in lines that fit beside its panel.

    Examples
    --------
    >>> _wrapped("standard deviation (hours)", 110)
    'standard<br>deviation<br>(hours)'
    """
    lines: list[str] = []
    for word in text.split():
        if lines and (len(lines[-1]) + 1 + len(word)) * _TITLE_LETTER <= pixels:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(lines)


def _coarse(panel: PanelInfo) -> bool:
    values = panel.path_y[np.isfinite(panel.path_y)]
    return not len(values) or bool(values.max() - values.min() > 0.05)


def _lines(
    panel: PanelInfo, axis: dict[str, str], carried_stage: int | None, keyed: set[str]
) -> list[dict[str, Any]]:
    def line(steps: Steps, color: str, width: float, dash: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "x": steps.x,
            "y": steps.y,
            "line": {"color": color, "width": width, "dash": dash},
            "hoverinfo": "skip",
            "showlegend": False,
            **axis,
        }

    out = [line(zone, style.LIGHT, 0.8, "solid") for zone in panel.zones]
    # limits that vary with the size step too often for long dashes
    dash = "dot" if len(panel.upper.y) + len(panel.lower.y) > 60 else "dash"
    out += [line(limit, style.GREY, 1.4, dash) for limit in (panel.lower, panel.upper)]
    out.append(line(panel.center, style.GREY, 1.4, "solid"))
    # the limits of before are thinner and another dash, so that they are told apart in grey too
    out += [line(old, style.PURPLE, 1.2, "longdashdot") for old in panel.carried]
    if panel.carried and "carried" not in keyed:
        whose = "the first stage" if carried_stage == 0 else f"stage {carried_stage}"
        out[-1] |= {"name": f"limits of {whose}, carried on", "showlegend": True}
        keyed.add("carried")
    return out


def _points(
    chart: ControlChart, record: ChartInfo, panel: PanelInfo, k: int, axis: dict[str, str], keyed: set[str]
) -> list[dict[str, Any]]:
    many = len(record.x) > 300
    value_format = ".1%" if record.share else ".6~g"
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines" if many else "lines+markers",
            "x": panel.path_x,
            "y": panel.path_y,
            "line": {"color": style.INK, "width": 0.9},
            "marker": {"color": style.INK, "size": 4.5},
            "hovertemplate": f"%{{x}}<br>%{{y:{value_format}}}<extra></extra>",
            "connectgaps": False,
            "showlegend": False,
            **axis,
        }
    ]
    for word, where in panel.signals.items():
        color, symbol = style.DIRECTION[word]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": {"neutral": "signal"}.get(word, f"signal: {word}"),
                "legendgroup": word,
                "showlegend": word not in keyed,
                "x": record.x[where],
                "y": record.value[k, where],
                "text": [panel.texts[int(i)] for i in where],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": color,
                    "symbol": symbol,
                    "size": 10,
                    "line": {"color": style.PAPER, "width": 1},
                },
                **axis,
            }
        )
        keyed.add(word)
    hidden = [i for i in sorted(record.excluded) if np.isfinite(record.value[k, i])]
    if hidden:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "excluded",
                "legendgroup": "excluded",
                "showlegend": "excluded" not in keyed,
                "x": record.x[hidden],
                "y": record.value[k, hidden],
                "text": [
                    f"{told(chart, i)}: {number(float(record.value[k, i]), share=record.share)}<br>"
                    f"{record.excluded[i]}"
                    for i in hidden
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": style.GREY, "symbol": "x-open", "size": 10},
                **axis,
            }
        )
        keyed.add("excluded")
    return data


def _level_labels(chart: ControlChart, panel: PanelInfo, k: int, pixels: float) -> list[dict[str, Any]]:
    drawn = np.concatenate([panel.path_y, panel.upper.y, panel.lower.y, chart.value[k]])
    drawn = drawn[np.isfinite(drawn)]
    if not len(panel.levels) or not len(drawn):
        return []
    room = 15.0 / pixels * max(float(drawn.max() - drawn.min()) * 1.1, 1e-300)
    # the common zero of two sides of one statistic is said once
    levels = [level for level in panel.levels if not (panel.joined and level[0] == "center")]
    places = spread_out([value for _, value, _ in levels], room)
    return [
        {
            "xref": "paper",
            "yref": f"y{k + 1 if k else ''}",
            "x": 1.0,
            "y": place,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 6,
            "showarrow": False,
            "text": f"{name} {text}",
            "font": {"size": 11, "color": style.INK if name == "center" else style.GREY},
        }
        for (name, _, text), place in zip(levels, places, strict=True)
    ]


def _vertical(x: Any, dash: str, color: str, width: float) -> dict[str, Any]:
    return vertical(x, yref="paper", color=color, width=width, dash=dash, below=True)


def _event_label(at: Any, text: str, row: int, x: NDArray[Any], color: str) -> dict[str, Any]:
    span = float((x[-1] - x[0]).astype(np.float64)) or 1.0
    start = max(WIDTH * float((at - x[0]).astype(np.float64)) / span, 0.0)
    late = start + LETTER * len(text) + 14 > WIDTH
    return {
        "xref": "x",
        "yref": "paper",
        "x": at,
        "y": 1,
        "yshift": 9 + 17 * row,
        "xanchor": "right" if late else "left",
        "yanchor": "middle",
        "showarrow": False,
        "text": text,
        "font": {"size": 11, "color": color},
    }


def _event_hovers(record: ChartInfo) -> dict[str, Any]:
    """Invisible marks at the top of the event lines, so that every event tells its name."""
    top = record.panels[0]
    drawn = np.concatenate([top.path_y, top.upper.y])
    drawn = drawn[np.isfinite(drawn)]
    height = float(drawn.max()) if len(drawn) else 0.0
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.array([at for at, _, _ in record.labels]),
        "y": np.full(len(record.labels), height),
        "text": [f"{text} ({moment(at)})" for at, text, _ in record.labels],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 12},
        "showlegend": False,
        "xaxis": "x",
        "yaxis": "y",
    }
