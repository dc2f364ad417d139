"""The figure of an FMEA: severity against occurrence, each field with the modes in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.fmea import PRIORITIES, Fmea, action_priority

#: Grounds of the fields by their priority at detection 10 and signs of the modes.
GROUNDS = {"high": 0.0, "medium": 0.5, "low": 1.0}
COLORS = [[0.0, "#E9BFA2"], [0.5, "#F6E8DC"], [1.0, "#F4F4F4"]]
SIGNS = {"high": ("▲", style.ORANGE), "medium": ("●", style.INK), "low": ("○", style.GREY)}
#: Modes named beside the matrix.
NAMED = 16


def fields(result: Fmea) -> dict[tuple[int, int], list[int]]:
    """The modes (positions) of each field (occurrence, severity)."""
    out: dict[tuple[int, int], list[int]] = {}
    for k in range(len(result.name)):
        out.setdefault((int(result.occurrence[k]), int(result.severity[k])), []).append(k)
    return out


def draw(result: Fmea) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    ratings = np.arange(1, 11)
    ground = np.array([[GROUNDS[action_priority(int(s), int(o), 10)] for o in ratings] for s in ratings])
    heat = {
        "type": "heatmap",
        "x": ratings,
        "y": ratings,
        "z": ground,
        "colorscale": COLORS,
        "zmin": 0,
        "zmax": 1,
    }
    heat |= {"showscale": False, "xgap": 2, "ygap": 2, "hoverinfo": "skip"}
    notes: list[dict[str, Any]] = []
    for (o, s), modes in fields(result).items():
        shown = [str(k + 1) for k in modes[:4]] + (["…"] if len(modes) > 4 else [])
        lines = [" ".join(shown[i : i + 2]) for i in range(0, len(shown), 2)]
        notes.append(
            {"x": o, "y": s, "text": f"<b>{'<br>'.join(lines)}</b>", "showarrow": False, "font": {"size": 12}}
        )
    for i in range(min(len(result.name), NAMED)):
        priority = str(result.priority[i])
        sign, color = SIGNS[priority]
        name = wrapped(str(result.name[i]), 38, lines=1)
        text = f"<b>{i + 1}</b> <span style='color:{color}'>{sign}</span> {name} "
        text += (
            f"<span style='color:{style.GREY}'>D {int(result.detection[i])}, RPN {int(result.rpn[i])}</span>"
        )
        notes.append(
            {"xref": "paper", "yref": "paper", "x": 0.53, "y": 1 - i * 22 / 430, "xanchor": "left"}
            | {"yanchor": "top", "text": text, "showarrow": False, "align": "left", "font": {"size": 12}}
        )
    if len(result.name) > NAMED:
        notes.append(
            {"xref": "paper", "yref": "paper", "x": 0.53, "y": 1 - NAMED * 22 / 430, "xanchor": "left"}
            | {
                "yanchor": "top",
                "text": f"and {len(result.name) - NAMED} more in the table",
                "showarrow": False,
            }
        )
    key = (
        "; ".join(f"{SIGNS[p][0]} {p}" for p in PRIORITIES)
        + ": action priority. Ground: were it never detected"
    )
    notes.append(
        {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "yshift": -48, "xanchor": "left", "yanchor": "top"}
        | {"text": key, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
    )
    scale = {"tickvals": ratings, "showgrid": False, "range": [0.45, 10.55]}
    layout = style.layout(
        "Failure modes: severity and occurrence",
        height=570,
        annotations=notes,
        margin={"l": 60, "r": 10, "t": 55, "b": 85},
        xaxis=style.axis("occurrence (10: very often)", domain=[0.0, 0.5]) | scale,
        yaxis=style.axis("severity (10: disaster)") | scale,
    )
    return {"data": [heat], "layout": layout}
