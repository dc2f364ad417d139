"""The figure of the organization's capability: objectives by units, with symbols that say the standing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opm.organization_cells import WHOLE
from perfanalytics.practices.opm.organization_result import OrganizationCapability

#: standing -> (symbol, value of the shade); colours are told apart in grey by their lightness.
STANDING = {"met": ("✓", 3.0), "undecided": ("~", 2.0), "missed": ("✗", 1.0), "not judged": ("–", 0.0)}
SHADES = [(0.0, "#F4F4F4"), (1 / 3, "#EDB18A"), (2 / 3, "#F2F2F2"), (1.0, "#CFE5F2")]
TREND = {"improvement": "▲", "concern": "◆", "neutral": "■", "common cause": "", "": ""}
ROW, HEAD, FOOT = 62, 120, 62
#: At most this many units, those that are most at risk.
UNITS = 14


@dataclass(frozen=True, slots=True)
class Info:
    """o rows (objectives) by u columns (units): shades, texts, hovers."""

    rows: list[str]
    columns: list[str]
    shade: Floats
    text: list[list[str]]
    hover: list[list[str]]
    left_out: int


def info(card: OrganizationCapability) -> Info:
    """What is drawn: objectives under each other, the whole organization first."""
    objectives = list(dict.fromkeys(card.objective.tolist()))
    units = list(dict.fromkeys(card.unit.tolist()))
    at = {(o, u): k for k, (o, u) in enumerate(zip(card.objective.tolist(), card.unit.tolist(), strict=True))}
    if len(units) > UNITS:
        risk = {u: min(_chance(card, at.get((o, u))) for o in objectives) for u in units}
        kept = sorted((u for u in units if u != WHOLE), key=lambda u: risk[u])[: UNITS - 1]
        shown = [u for u in units if u == WHOLE or u in kept]
    else:
        shown = units
    shade = np.full((len(objectives), len(shown)), math.nan)
    text = [["" for _ in shown] for _ in objectives]
    hover = [["" for _ in shown] for _ in objectives]
    for i, o in enumerate(objectives):
        for j, u in enumerate(shown):
            k = at.get((o, u))
            if k is None:
                continue
            symbol, shade[i, j] = STANDING[str(card.standing[k])]
            text[i][j] = _text(card, k, symbol)
            hover[i][j] = f"{o}, {u}: {card.standing[k]}; {card.stability[k]}; {card.why[k] or card.trend[k]}"
    rows = []
    for o in objectives:
        k = int(np.flatnonzero(card.objective == o)[0])
        target = _value(float(card.target[k]), str(card.measure_unit[k]))
        rows.append(f"<b>{wrapped(o, 24, lines=2)}</b><br>target {target}")
    return Info(rows, [wrapped(u, 13, lines=2) for u in shown], shade, text, hover, len(units) - len(shown))


def _chance(card: OrganizationCapability, k: int | None) -> float:
    return 2.0 if k is None or math.isnan(card.probability[k]) else float(card.probability[k])


def _value(value: float, unit: str) -> str:
    if math.isnan(value):
        return "–"
    return percent(value) if unit in ("", "1") else number(value, unit)


def _text(card: OrganizationCapability, k: int, symbol: str) -> str:
    """Symbol and value; the chance of the next period; trend and stability."""
    if str(card.standing[k]) == "not judged":
        return f"{symbol}<br><span style='font-size:10px'>not judged</span>"
    unit = str(card.measure_unit[k])
    signs = TREND[str(card.trend[k])] + ("!" if card.stability[k] == "not stable" else "")
    value = percent(float(card.value[k])) if unit in ("", "1") else number(float(card.value[k]))
    chance = percent(float(card.probability[k])).replace("more than ", ">").replace("less than ", "<")
    head = f"<b>{symbol} {value}</b> {signs}".rstrip()
    return f"{head}<br><span style='font-size:11px'>next: {chance}</span>"


def draw(card: OrganizationCapability) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(card)
    o, u = told.shade.shape
    heat = {
        "type": "heatmap",
        "z": told.shade,
        "x": list(range(u)),
        "y": list(range(o)),
        "customdata": told.hover,
        "hovertemplate": "%{customdata}<extra></extra>",
        "colorscale": [list(s) for s in SHADES],
        "zmin": 0,
        "zmax": 3,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
    }
    notes = [
        {"x": j, "y": i, "text": told.text[i][j], "showarrow": False}
        | {"font": {"size": 12 if u <= 5 else 11, "color": style.INK}}
        for i in range(o)
        for j in range(u)
    ]
    key = (
        "✓ met   ~ undecided   ✗ missed   – not judged      ▲ improving   ◆ of concern   ! not stable"
        f"<br>next: probability that the next {card.every} meets the objective"
    )
    if told.left_out:
        key += f"; {told.left_out} more units, less at risk, in the table"
    paper = {"xref": "paper", "yref": "paper", "showarrow": False, "align": "left"}
    notes.append(
        paper
        | {"x": 0, "y": 0, "yshift": -12, "xanchor": "left", "yanchor": "top", "text": key}
        | {"font": {"size": 11, "color": style.GREY}}
    )
    blank = {"showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    layout = style.layout(
        "Capability against the objectives",
        height=HEAD + FOOT + ROW * o,
        margin={"l": 185, "r": 20, "t": HEAD, "b": FOOT},
        annotations=notes,
        xaxis=blank | {"side": "top", "tickvals": list(range(u)), "ticktext": told.columns},
        yaxis=blank
        | {
            "range": [o - 0.5, -0.5],
            "tickvals": list(range(o)),
            "ticktext": told.rows,
            "tickfont": {"size": 12},
        },
    )
    return {"data": [heat], "layout": layout}
