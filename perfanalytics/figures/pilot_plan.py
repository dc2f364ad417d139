"""The figure of a pilot plan: what is seen after how many periods."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.practices.opm.improvement_terms import asked_for
from perfanalytics.practices.opm.pilot_plan import PilotPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPlanInfo:
    """What is drawn: both powers and the smallest change that is seen, by length, in percent or the unit."""

    at: Floats
    power_detect: Floats
    power_met: Floats
    change: Floats
    unit: str
    asked: float


def info(plan: PilotPlan) -> PilotPlanInfo:
    """The arrays of the figure."""
    ratio = plan.scale == "log"
    share = plan.measure.unit in ("", "1")
    change = np.abs(1 - plan.detectable) * 100 if ratio else plan.detectable * (100 if share else 1)
    need = math.nan
    if plan.criterion.target is None:
        need = 100 * abs(1 - plan.required) if ratio else plan.required * (100 if share else 1)
    return PilotPlanInfo(
        at=plan.at,
        power_detect=plan.power_detect,
        power_met=plan.power_met,
        change=np.where(np.isfinite(change), change, math.nan),
        unit="%" if ratio else "percentage points" if share else plan.measure.unit,
        asked=need,
    )


def draw(plan: PilotPlan) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(plan)
    period = "periods" if plan.every == "value" else f"{plan.every}s"
    curves = [("a change of the criterion's size is seen", told.power_detect, style.BLUE, "solid")]
    if np.isfinite(told.power_met).any():
        curves.append(("what is expected is judged as met", told.power_met, style.ORANGE, "dash"))
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": told.at, "y": y, "name": name}
        | {
            "line": {"color": color, "width": 2.5, "dash": dash},
            "hovertemplate": "%{x}: %{y:.0%}<extra></extra>",
        }
        for name, y, color, dash in curves
    ]
    data.append(
        {"type": "scatter", "mode": "lines", "x": told.at, "y": told.change, "xaxis": "x2", "yaxis": "y2"}
        | {"line": {"color": style.INK, "width": 2.5}, "showlegend": False}
        | {"hovertemplate": "%{x}: %{y:.3g}<extra></extra>"}
    )
    top = float(told.at[-1])
    lines: list[dict[str, Any]] = [
        _line("x", "y", 0, top, plan.power, style.GREY, "dot"),
        _upright("x", plan.longest, style.GREY),
        _upright("x2", plan.longest, style.GREY),
    ]
    notes = [
        _note("x", "y domain", plan.longest, 0.02, f"{plan.longest} {period}<br>reasonable time", "right"),
        _note("x", "y", 0, plan.power, f"{percent(plan.power)} asked for", "left", lift=9),
    ]
    if math.isfinite(plan.periods) and plan.periods <= top:
        lines += [_upright("x", plan.periods, style.GREEN), _upright("x2", plan.periods, style.GREEN)]
        side = "left" if plan.periods <= plan.longest else "right"
        notes.append(
            _note("x", "y domain", plan.periods, 0.28, f"<b>{plan.periods:.0f} {period}</b><br>needed", side)
        )
    ceiling = float(np.nanmax(told.change)) if np.isfinite(told.change).any() else 1.0
    if math.isfinite(told.asked):
        ceiling = max(ceiling, told.asked)
        lines.append(_line("x2", "y2", 0, top, told.asked, style.PURPLE, "longdash"))
        notes.append(_note("x2", "y2", top, told.asked, "the criterion", "right", lift=9))
    layout = style.layout(
        f"Pilot: {asked_for(plan.criterion, plan.measure)}",
        height=430,
        margin={"l": 70, "r": 30, "t": 110, "b": 60},
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        shapes=lines,
        annotations=notes,
        xaxis=style.axis(f"{period} of the pilot", domain=[0, 0.46], anchor="y", range=[0, top * 1.02]),
        yaxis=style.axis("chance", range=[0, 1.03], tickformat=".0%", anchor="x"),
        xaxis2=style.axis(f"{period} of the pilot", domain=[0.58, 1], anchor="y2", range=[0, top * 1.02]),
        yaxis2=style.axis(f"smallest change seen ({told.unit})", anchor="x2", range=[0, 1.1 * ceiling]),
    )
    return {"data": data, "layout": layout}


def _line(x: str, y: str, x0: float, x1: float, at: float, color: str, dash: str) -> dict[str, Any]:
    return {"type": "line", "xref": x, "yref": y, "x0": x0, "x1": x1, "y0": at, "y1": at} | {
        "line": {"color": color, "width": 1.3, "dash": dash}
    }


def _upright(x: str, at: float, color: str) -> dict[str, Any]:
    return {"type": "line", "xref": x, "yref": x.replace("x", "y") + " domain", "x0": at, "x1": at} | {
        "y0": 0, "y1": 1, "line": {"color": color, "width": 1.3, "dash": "dash"}
    }  # fmt: skip


def _note(x: str, y: str, at: float, high: float, text: str, side: str, *, lift: int = 0) -> dict[str, Any]:
    return {
        "xref": x, "yref": y, "x": at, "y": high, "text": text, "showarrow": False, "xanchor": side,
        "yanchor": "bottom" if y.endswith("domain") else "middle", "yshift": lift, "align": side,
        "bgcolor": "rgba(255, 255, 255, 0.85)", "xshift": 4 if side == "left" else -4,
        "font": {"size": 11, "color": style.GREY},
    }  # fmt: skip
