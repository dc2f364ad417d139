"""The figure of a service report: each target on an axis of its own, reached now, before, and asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.service_reports.service_report_result import ServiceReport, said

#: Standing -> (color, marker): the marker alone tells it too.
STANDINGS = {
    "met": (style.BLUE, "circle"),
    "missed": (style.ORANGE, "x"),
    "no data": (style.GREY, "square-open"),
}
ROW, TOP, BOTTOM = 50, 46, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReportInfo:
    """What is drawn: targets from the top; reached, before and asked for (NaN: none)."""

    target: tuple[str, ...]
    standing: tuple[str, ...]
    unit: tuple[str, ...]
    side: tuple[str, ...]
    reached: NDArray[np.float64]
    before: NDArray[np.float64]
    required: NDArray[np.float64]


def info(result: ServiceReport) -> ServiceReportInfo:
    """The arrays of the figure."""
    standings = result.standings()
    here = result.table == "Targets"

    def of(name: str, quantity: str) -> int | None:
        found = np.flatnonzero(here & (result.subject == name) & (result.quantity == quantity))
        return int(found[0]) if len(found) else None

    def numbers(quantity: str) -> NDArray[np.float64]:
        at = [of(name, quantity) for name in standings]
        return np.array([math.nan if k is None else result.number[k] for k in at], dtype=float)

    units = [of(name, "reached") for name in standings]
    sides = [of(name, "side") for name in standings]
    return ServiceReportInfo(
        target=tuple(standings),
        standing=tuple(standings.values()),
        unit=tuple("" if k is None else str(result.unit[k]) for k in units),
        side=tuple("" if k is None else str(result.text[k]) for k in sides),
        reached=numbers("reached"),
        before=numbers("period before"),
        required=numbers("required"),
    )


def draw(result: ServiceReport) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    n = max(len(record.target), 1)
    height = TOP + BOTTOM + ROW * n
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for k, name in enumerate(record.target):
        tail = "" if k == 0 else str(k + 1)
        middle = 1 - (k + 0.5) / n
        low, high = _range(record, k)
        axes[f"xaxis{tail}"] = style.axis("", range=[low, high], nticks=5) | {
            "anchor": f"y{tail}", "showgrid": False, "tickfont": {"size": 11, "color": style.GREY},
            "tickformat": ".0%" if record.unit[k] == "share" else None,
        }  # fmt: skip
        axes[f"yaxis{tail}"] = {
            "domain": [max(middle - 0.3 / n, 0.0), min(middle + 0.22 / n, 1.0)], "range": [0, 1],
            "visible": False, "anchor": f"x{tail}", "fixedrange": True,
        }  # fmt: skip
        color, symbol = STANDINGS.get(record.standing[k], (style.GREY, "square"))
        ends = {"xaxis": f"x{tail}", "yaxis": f"y{tail}", "type": "scatter", "mode": "markers", "y": [0.5]}
        hollow = {"size": 12, "color": style.PAPER, "line": {"color": style.INK, "width": 1.5}}
        data.append(
            ends | {"x": [record.before[k]], "marker": hollow, "cliponaxis": False}
            | {"hovertemplate": f"the period before: {said(record.before[k], record.unit[k])}<extra></extra>"}
        )  # fmt: skip
        data.append(
            ends | {"x": [record.reached[k]], "cliponaxis": False}
            | {"marker": {"size": 14, "color": color, "symbol": symbol}}
            | {"hovertemplate": f"{said(record.reached[k], record.unit[k])}<extra></extra>"}
        )  # fmt: skip
        if not math.isnan(record.required[k]):
            shapes.append(
                {"type": "line", "xref": f"x{tail}", "yref": f"y{tail}", "y0": 0, "y1": 1}
                | {"x0": record.required[k], "x1": record.required[k]}
                | {"line": {"color": style.INK, "width": 1.5, "dash": "dash"}}
            )
            # the side that meets the target is shaded
            best = high if record.side[k] == "at_least" else low
            shapes.append(
                {"type": "rect", "xref": f"x{tail}", "yref": f"y{tail}", "y0": 0.1, "y1": 0.9}
                | {"x0": record.required[k], "x1": best, "fillcolor": "#EAF2F8", "line": {"width": 0}}
                | {"layer": "below"}
            )
        where = {"xref": "paper", "yref": f"y{tail}", "y": 0.5, "yanchor": "middle", "showarrow": False}
        notes.append(where | {"x": -0.015, "xanchor": "right", "align": "right", "text": wrapped(name, 28)})
        notes.append(
            where | {"x": 1.015, "xanchor": "left", "align": "left", "text": _beside(record, k)}
            | {"font": {"size": 12, "color": style.INK}}
        )  # fmt: skip
    title = (
        "Targets: reached (filled), the period before (hollow), asked for (dashed; shaded where it is met)"
    )
    layout = style.layout(
        title, height=height, margin={"l": 230, "r": 170, "t": TOP - 6, "b": BOTTOM}, shapes=shapes,
        annotations=notes, **axes,
    )  # fmt: skip
    layout["title"]["font"] = {"size": 14}
    return {"data": data, "layout": layout}


def _range(record: ServiceReportInfo, k: int) -> tuple[float, float]:
    """The span of an axis: all that is drawn with room beside it."""
    seen = [v for v in (record.reached[k], record.before[k], record.required[k]) if not math.isnan(v)]
    if not seen:
        return 0.0, 1.0
    low, high = min(seen), max(seen)
    room = 0.25 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - room, high + room
    if min(seen) >= 0:
        low = max(low, 0.0)
    if record.unit[k] == "share":
        high = min(high, 1.0)
    return low, high


def _beside(record: ServiceReportInfo, k: int) -> str:
    if math.isnan(record.reached[k]):
        return "no data"
    told = f"<b>{said(record.reached[k], record.unit[k])}</b>"
    return f"{told}, {record.standing[k]}" if record.standing[k] in STANDINGS else told
