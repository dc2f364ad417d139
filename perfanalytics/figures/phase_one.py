"""The figure of a phase I analysis: the points, the limits with all of them, and without those proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.traces import in_time
from perfanalytics.spc.phase_one_result import PhaseOne
from perfanalytics.spc.wording import moment, number, unit_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOneInfo:
    """What is drawn: the old and the new lines, and the proposed points with their rounds and words."""

    title: str
    x: NDArray[Any]
    y: Floats
    old: tuple[Floats, ...]
    new: tuple[Floats, ...]
    point: NDArray[np.int64]
    round: NDArray[np.int64]
    words: tuple[str, ...]
    excluded: NDArray[np.int64]
    levels: tuple[tuple[str, float, str], ...]


def info(result: PhaseOne) -> PhaseOneInfo:
    """What is drawn where."""
    n = len(result.value)
    x: NDArray[Any] = np.arange(n, dtype=np.float64) if result.when is None else result.when
    reach = np.abs(result.upper - result.center)
    spread = float(np.nanmedian(reach)) / 3 if np.isfinite(reach).any() else float("nan")

    def said(value: float) -> str:
        return number(value, spread, share=result.is_share)

    words = []
    for k, (p, where) in enumerate(zip(result.point.tolist(), result.panels, strict=True)):
        name = f"point {p}" if result.when is None else moment(result.when[p], result.every)
        events = f"<br>near it: {result.events[k]}" if result.events[k] else ""
        words.append(
            f"{name}: {said(float(result.value[p]))}{unit_of(result.measure)}<br>"
            f"round {int(result.round[k])}, beyond the limits of: {where}{events}"
        )
    levels = []
    pairs = (
        ("upper limit", result.upper, result.new_upper),
        ("center", result.center, result.new_center),
        ("lower limit", result.lower, result.new_lower),
    )
    for name, old, new in pairs:
        seen = np.flatnonzero(np.isfinite(old) & np.isfinite(new))
        if len(seen):
            a, b = float(old[seen[-1]]), float(new[seen[-1]])
            told = said(b) if said(a) == said(b) else f"{said(b)} (was {said(a)})"
            levels.append((name, b, told))
    name = result.measure.name + (f" [{result.id}]" if result.id else "")
    return PhaseOneInfo(
        title=f"{name}: phase I, {len(result.point)} point{'s'[: len(result.point) != 1]} to look into",
        x=x,
        y=np.where(result.excluded, np.nan, result.value),
        old=(result.center, result.lower, result.upper),
        new=(result.new_center, result.new_lower, result.new_upper),
        point=result.point,
        round=result.round,
        words=tuple(words),
        excluded=np.flatnonzero(result.excluded & ~np.isnan(result.value)),
        levels=tuple(levels),
    )


def draw(result: PhaseOne) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    proposed = bool(len(record.point))
    data: list[dict[str, Any]] = []
    for lines, name, color, dash in (
        (record.old, "with all points", style.GREY, "dot"),
        (record.new, "without the proposed points", style.BLUE, "dash"),
    ):
        if lines is record.new and not proposed:
            continue
        for k, y in enumerate(lines):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"limits {name}",
                    "legendgroup": name,
                    "showlegend": k == 0,
                    "x": record.x,
                    "y": y,
                    "line": {
                        "color": color,
                        "width": 1.4,
                        "dash": "solid" if k == 0 else dash,
                        "shape": "hvh",
                    },
                    "hoverinfo": "skip",
                }
            )
    data.append(in_time(record.x, record.y))
    for where, name, symbol, color, words in (
        (record.point, "to look into (number: round)", "diamond", style.ORANGE, record.words),
        (record.excluded, "excluded before", "x-open", style.GREY, None),
    ):
        if len(where):
            rounds = [str(r) for r in record.round.tolist()] if words is not None else None
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers+text" if rounds else "markers",
                    "name": name,
                    "x": record.x[where],
                    "y": result.value[where],
                    "text": rounds,
                    # away from the line that leads to the point
                    "textposition": [
                        "bottom center" if y < c else "top center"
                        for y, c in zip(result.value[where], result.center[where], strict=True)
                    ],
                    "textfont": {"size": 11},
                    "customdata": list(words or [""] * len(where)),
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "marker": {"color": color, "symbol": symbol, "size": 10},
                }
            )
    share = {"tickformat": ".0%"} if result.is_share else {}
    label = f"{result.measure.name} (share)" if result.is_share else result.measure.label
    layout = style.layout(
        record.title,
        xaxis=style.axis("" if result.when is not None else "point (0 is the first)"),
        yaxis=style.axis(label, **share),
        annotations=[
            {
                "xref": "paper",
                "yref": "y",
                "x": 1.0,
                "y": value,
                "xanchor": "left",
                "yanchor": "middle",
                "xshift": 6,
                "showarrow": False,
                "text": f"{name} {text}",
                "font": {"size": 11, "color": style.INK},
            }
            for name, value, text in record.levels
        ],
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
        margin={"l": 70, "r": 190, "t": 60, "b": 78},
    )
    return {"data": data, "layout": layout}
