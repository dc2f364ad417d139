"""The figure of what changed: the series with its levels, shifts with their intervals, records as marks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.figures.traces import in_time
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.what_changed import WhatChanged

#: Width of a letter as a share of the figure, and pixels of a row of names above it.
LETTER, ROW = 0.0092, 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedInfo:
    """What is drawn.

    ``levels`` are (first x, last x, level), ``bands`` (from, to, at, what); ``marks`` (from, to or NaT, name,
    has a trace, row of its name above the figure, share of the width where the name stands).
    """

    x: NDArray[np.datetime64]
    y: Floats
    levels: tuple[tuple[Any, Any, float], ...]
    bands: tuple[tuple[Any, Any, Any, str], ...]
    single: NDArray[np.int64]
    marks: tuple[tuple[Any, Any, str, bool, int, float], ...]
    rows: int


def info(result: WhatChanged) -> ChangedInfo:
    """What is drawn where; names of records that stand close together get rows of their own."""
    n = len(result.value)
    steps = sorted({int(p) for p, w in zip(result.point, result.what, strict=True) if w == "level"})
    levels = [
        (result.when[a], result.when[b - 1], float(result.level[a]))
        for a, b in pairwise([0, *steps, n])
        if not np.isnan(result.level[a])
    ]
    bands = [
        (result.when[max(int(low) - 1, 0)], result.when[int(high)], result.when[int(at)], str(what))
        for low, high, at, what in zip(result.low, result.high, result.point, result.what, strict=True)
        if what != "point"
    ]
    whole = (result.when[-1] - result.when[0]) / np.timedelta64(1, "us") or 1.0
    free: list[float] = []
    marks = []
    for i in range(len(result.record)):
        if result.trace[i] == "outside the data":
            continue
        at = float((result.record_when[i] - result.when[0]) / np.timedelta64(1, "us") / whole)
        name = str(result.record[i])
        name = name if len(name) <= 34 else name[:33] + "…"
        wide = LETTER * (len(name) + 2)
        left = min(max(at, 0.0), max(1.0 - wide, 0.0))
        row = next((k for k, end in enumerate(free) if end <= left), len(free))
        free[row : row + 1] = [left + wide]
        shown = wrapped(name, 60, lines=1)
        traced = result.trace[i] not in ("none", "too near an end")
        marks.append((result.record_when[i], result.record_until[i], shown, traced, row, left))
    return ChangedInfo(
        x=result.when,
        y=np.where(result.kept, result.value, np.nan),
        levels=tuple(levels),
        bands=tuple(bands),
        single=result.point[result.what == "point"],
        marks=tuple(marks),
        rows=len(free),
    )


def draw(result: WhatChanged) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = [in_time(record.x, record.y)]
    for a, b, level in record.levels:
        data.append(
            {"type": "scatter", "mode": "lines", "x": np.array([a, b]), "y": [level, level]}
            | {"line": {"color": style.BLUE, "width": 3}, "hoverinfo": "skip"}
        )
    if len(record.single):
        data.append(
            {"type": "scatter", "mode": "markers", "x": record.x[record.single], "y": record.y[record.single]}
            | {"marker": {"color": style.ORANGE, "symbol": "diamond", "size": 11}}
            | {"hovertemplate": "%{x}<br>%{y:.6~g}<extra>single point</extra>"}
        )
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for low, high, at, what in record.bands:
        shapes.append(
            {"type": "rect", "xref": "x", "yref": "y domain", "x0": low, "x1": high, "y0": 0, "y1": 1}
            | {"fillcolor": style.ORANGE, "opacity": 0.14, "line": {"width": 0}, "layer": "below"}
        )
        shapes.append(
            vertical(at, color=style.ORANGE, width=2, dash="solid" if what == "level" else "dash", below=True)
        )
    for start, end, name, traced, row, left in record.marks:
        color = style.INK if traced else style.GREY
        shapes.append(vertical(start, color=color, width=1.4, dash="dot"))
        if not np.isnat(end):
            shapes.append(
                {"type": "rect", "xref": "x", "yref": "y domain", "x0": start, "x1": end, "y0": 0, "y1": 1}
                | {"fillcolor": style.GREY, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
            )
        text = name if traced else f"<i>{name} (no trace)</i>"
        notes.append(
            {
                "xref": "x domain",
                "yref": "y domain",
                "x": left,
                "y": 1,
                "xanchor": "left",
                "yanchor": "bottom",
            }
            | {
                "yshift": 3 + ROW * row,
                "text": text,
                "showarrow": False,
                "font": {"size": 11, "color": color},
            }
        )
    key = (
        "blue: level; orange line and band: shift and its interval; diamond: single point; dotted: on record"
    )
    notes.append(
        {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "left", "yanchor": "top", "yshift": -34}
        | {"text": key, "showarrow": False, "font": {"size": 11, "color": style.GREY}}
    )
    name = result.measure.name + (f" [{result.id}]" if result.id else "")
    share = {"tickformat": ".0%"} if result.is_share else {}
    label = f"{result.measure.name} (share)" if result.is_share else result.measure.label
    layout = style.layout(
        f"{name}: what changed when?",
        height=430 + ROW * record.rows,
        shapes=shapes,
        annotations=notes,
        margin={"l": 70, "r": 30, "t": 62 + ROW * record.rows, "b": 80},
        xaxis=style.axis(""),
        yaxis=style.axis(label, **share, **({"type": "log"} if result.logs else {})),
    )
    return {"data": data, "layout": layout}
