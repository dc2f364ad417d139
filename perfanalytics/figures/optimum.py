"""The figure of an optimum: where each factor would be set, and what each goal gains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.models.optimum import Optimum


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumInfo:
    """What is drawn. Positions of settings lie between 0 and 1 in their range, NaN for categories; goals
    between the lowest and highest number of each goal."""

    factors: tuple[str, ...]
    said: tuple[str, ...]
    place: NDArray[np.float64]
    place_low: NDArray[np.float64]
    place_high: NDArray[np.float64]
    goals: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    today: NDArray[np.float64]
    outcome: NDArray[np.float64]
    outcome_low: NDArray[np.float64]
    outcome_high: NDArray[np.float64]


def info(result: Optimum) -> OptimumInfo:
    """The arrays of the figure."""
    f = len(result.factors)
    place = np.full((3, f), np.nan)
    said = []
    for k in range(f):
        low, high = float(result.feasible_low[k]), float(result.feasible_high[k])
        if math.isnan(low):
            said.append(f"{result.setting[k]} (best in {percent(float(result.share[k]))} of draws)")
            continue
        width = (high - low) or 1.0
        place[:, k] = [(float(v[k]) - low) / width for v in (result.setting, result.low, result.high)]
        said.append(f"{result.setting[k]} of {low:g} to {high:g}")
    seen = np.array([result.today, result.outcome, result.outcome_low, result.outcome_high])
    least, width_of = seen.min(axis=0), np.ptp(seen, axis=0)
    scaled = (seen - least) / np.where(width_of == 0, 1.0, width_of)
    told = tuple(
        (percent(a), percent(b)) if g.startswith("probability") else (number(a), number(b, str(u)))
        for a, b, g, u in zip(
            result.today.tolist(),
            result.outcome.tolist(),
            result.goals.tolist(),
            result.unit.tolist(),
            strict=True,
        )
    )
    return OptimumInfo(
        factors=tuple(str(v) for v in result.factors.tolist()),
        said=tuple(said),
        place=place[0],
        place_low=place[1],
        place_high=place[2],
        goals=tuple(str(v) for v in result.goals.tolist()),
        told=told,
        today=scaled[0],
        outcome=scaled[1],
        outcome_low=scaled[2],
        outcome_high=scaled[3],
    )


def draw(result: Optimum) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows, goals = len(record.factors), len(record.goals)
    data: list[dict[str, Any]] = []
    for k in range(rows):
        if math.isnan(float(record.place[k])):
            continue
        data.append(_line([0, 1], k, style.LIGHT, 2, ""))
        data.append(
            _line([record.place_low[k], record.place_high[k]], k, style.BLUE, 7, "") | {"opacity": 0.4}
        )
        data.append(_point(float(record.place[k]), k, style.BLUE, "diamond", ""))
    for k in range(goals):
        data.append(
            _line([record.outcome_low[k], record.outcome_high[k]], k, style.BLUE, 7, "2") | {"opacity": 0.4}
        )
        data.append(_point(float(record.today[k]), k, style.GREY, "circle-open", "2"))
        data.append(_point(float(record.outcome[k]), k, style.BLUE, "diamond", "2"))
    factor_text = [f"<b>{f}</b><br>{s}" for f, s in zip(record.factors, record.said, strict=True)]
    goal_text = [f"<b>{g}</b><br>{a} → {b}" for g, (a, b) in zip(record.goals, record.told, strict=True)]
    hidden = {"showticklabels": False, "range": [-0.1, 1.1], "showgrid": False, "ticks": ""}
    notes = [
        (0.0, "settings in their feasible range"),
        (0.62, "goals: ○ today, ◆ best setting, each on its own scale"),
    ]
    layout = style.layout(
        f"Best setting found (desirability {number(result.whole_today)} → {number(result.whole)})",
        height=190 + 60 * max(rows, goals),
        margin={"l": 30, "r": 30, "t": 75, "b": 30},
        annotations=[
            {"xref": "paper", "yref": "paper", "x": x, "y": 1.01, "xanchor": "left", "yanchor": "bottom"}
            | {"text": t, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
            for x, t in notes
        ],
        xaxis=style.axis("", domain=[0, 0.38], anchor="y", **hidden),
        yaxis=style.axis("", anchor="x", showgrid=False, range=[rows - 0.4, -0.6])
        | {"tickvals": list(range(rows)), "ticktext": factor_text},
        xaxis2=style.axis("", domain=[0.62, 1], anchor="y2", **hidden),
        yaxis2=style.axis("", anchor="x2", showgrid=False, range=[goals - 0.4, -0.6])
        | {"tickvals": list(range(goals)), "ticktext": goal_text},
    )
    return {"data": data, "layout": layout}


def _line(x: list[Any], y: int, color: str, width: float, axis: str) -> dict[str, Any]:
    base = {"type": "scatter", "mode": "lines", "x": x, "y": [y, y], "hoverinfo": "skip"}
    return base | {"line": {"color": color, "width": width}, "xaxis": f"x{axis}", "yaxis": f"y{axis}"}


def _point(x: float, y: int, color: str, symbol: str, axis: str) -> dict[str, Any]:
    marker = {"color": color, "symbol": symbol, "size": 12, "line": {"width": 2, "color": color}}
    base = {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": marker, "hoverinfo": "skip"}
    return base | {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
