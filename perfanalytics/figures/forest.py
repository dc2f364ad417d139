"""Forest plot: many comparisons with their intervals, over measures or strata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.comparisons.many_result import Comparisons
from perfanalytics.comparisons.words import number, p_text
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical

#: better -> (colour, marker symbol, word)
LOOK = {
    "improvement": (style.BLUE, "triangle-up", "improvement"),
    "deterioration": (style.ORANGE, "diamond", "deterioration"),
    "": (style.PURPLE, "square", "difference"),
}
SAME = (style.GREY, "circle-open", "no difference shown")
NULL = {"difference": 0.0, "ratio": 1.0, "probability": 0.5, "size": 0.0}
#: Height of a row in pixels.
ROW = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison as drawn; what cannot be drawn has estimate NaN."""

    name: str
    estimate: float
    low: float
    high: float
    p: float
    look: tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Comparisons that share an axis: one form and one unit."""

    title: str
    null: float
    log: bool
    rows: tuple[Row, ...]


def info(result: Comparisons) -> tuple[Panel, ...]:
    """The panels, each with its rows in the order given."""
    panels: dict[tuple[str, str], list[int]] = {}
    for i in range(len(result)):
        form = str(result.forms[i])
        share = form == "difference" and "proportions" in str(result.quantities[i])
        panels.setdefault((form, "points" if share else str(result.units[i])), []).append(i)
    return tuple(_panel(result, form, unit, rows) for (form, unit), rows in panels.items())


def _panel(result: Comparisons, form: str, unit: str, rows: list[int]) -> Panel:
    titles = {
        "ratio": "after / before (ratio)",
        "probability": "P(a value after is higher)",
        "test": "tests without an estimate",
    }
    plain = "after - before" + (f" ({unit})" if unit not in ("", "1") else "")
    factor = 100.0 if unit == "points" else 1.0
    return Panel(
        title=titles.get(form, plain),
        null=NULL.get(form, np.nan),
        log=form == "ratio",
        rows=tuple(
            Row(
                name=str(result.names[i]),
                estimate=factor * float(result.estimate[i]),
                low=factor * float(result.low[i]),
                high=factor * float(result.high[i]),
                p=float(result.p_adjusted[i]),
                look=LOOK[str(result.better[i])] if result.differs[i] else SAME,
            )
            for i in rows
        ),
    )


def draw(result: Comparisons) -> dict[str, Any]:
    """The figure of many comparisons as a plain plotly dict."""
    panels = info(result)
    lines = sum(len(p.rows) + 3.2 for p in panels)
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    longest = max(len(r.name) for p in panels for r in p.rows)
    top = 1.0
    for k, panel in enumerate(panels):
        n = "" if k == 0 else str(k + 1)
        height = (len(panel.rows) + 0.6) / lines
        bottom = max(0.0, top - height)
        axes[f"xaxis{n}"] = style.axis(panel.title, domain=[0.0, 0.68], anchor=f"y{n}", nticks=6)
        if panel.log:
            axes[f"xaxis{n}"] |= {"type": "log"} | ratio_axis(ends_of(panel.rows))
        else:
            axes[f"xaxis{n}"] |= _plain_axis(panel)
        axes[f"yaxis{n}"] = style.axis(
            "",
            domain=[bottom, top],
            anchor=f"x{n}",
            range=[len(panel.rows) - 0.4, -0.6],
            tickvals=list(range(len(panel.rows))),
            ticktext=[r.name for r in panel.rows],
            showgrid=False,
        )
        data += [_trace(row, place, n) for place, row in enumerate(panel.rows) if np.isfinite(row.estimate)]
        notes += [_note(row, place, n) for place, row in enumerate(panel.rows)]
        if np.isfinite(panel.null):
            shapes.append(
                vertical(panel.null, xref=f"x{n}", yref=f"y{n} domain", color=style.INK, dash="dash")
            )
        if k == 0:
            notes.append(_head(f"estimate ({100 * result.confidence:g}% interval), adjusted p", top))
        top = bottom - 2.6 / lines
    by = result.adjust.replace("_", "-").title()
    adjust = "p-values not adjusted" if result.adjust == "none" else f"p-values adjusted by {by}"
    title = f"{len(result)} comparisons before and after ({adjust})"
    layout = style.layout(title, height=int(130 + ROW * lines), shapes=shapes, annotations=notes) | axes
    layout["margin"] = {"l": min(90 + 5 * longest, 260), "r": 20, "t": 80, "b": 50}
    return {"data": data, "layout": layout}


def _trace(row: Row, place: int, n: str) -> dict[str, Any]:
    color, symbol, word = row.look
    ends = [v if np.isfinite(v) else row.estimate for v in (row.low, row.high)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [ends[0], row.estimate, ends[1]],
        "y": [place] * 3,
        "xaxis": f"x{n}",
        "yaxis": f"y{n}",
        "name": word,
        "line": {"color": color, "width": 2.5},
        "marker": {
            "color": color,
            "symbol": ["line-ns", symbol, "line-ns"],
            "size": [9, 11, 9],
            "line": {"color": color, "width": 2},
        },
        "hovertemplate": f"{row.name}: %{{x:.4g}} ({word})<extra></extra>",
    }


def _note(row: Row, place: int, n: str) -> dict[str, Any]:
    if not np.isfinite(row.estimate):
        text = p_text(row.p)
    elif np.isfinite(row.low) or np.isfinite(row.high):
        text = f"{number(row.estimate)} ({number(row.low)} to {number(row.high)}), {p_text(row.p)}"
    else:
        text = f"{number(row.estimate)}, {p_text(row.p)}"
    return {
        "xref": "paper",
        "yref": f"y{n}",
        "x": 0.70,
        "y": place,
        "xanchor": "left",
        "yanchor": "middle",
        "text": f"<b>{text}</b>" if row.look is not SAME else text,
        "showarrow": False,
        "font": {"size": 12, "color": style.INK},
    }


def _head(text: str, top: float) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0.70,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "text": text,
        "showarrow": False,
        "font": {"size": 11, "color": style.GREY},
    }


def ends_of(rows: tuple[Row, ...]) -> list[float]:
    """Every finite end and estimate."""
    return [v for r in rows for v in (r.low, r.estimate, r.high) if np.isfinite(v)]


def _plain_axis(panel: Panel) -> dict[str, Any]:
    """A range with a little room around all intervals and the value of no effect."""
    ends = [*ends_of(panel.rows), *([panel.null] if np.isfinite(panel.null) else [])]
    if not ends or max(ends) == min(ends):
        return {}
    room = 0.05 * (max(ends) - min(ends))
    return {"range": [min(ends) - room, max(ends) + room]}


def ratio_axis(given: list[float]) -> dict[str, Any]:
    """Readable ticks of a log axis over all values and 1."""
    ends = [v for v in given if v > 0] + [1.0]
    low, high = min(ends), max(ends)
    spread = high / low
    if spread > 30:
        ticks = [0.001, 0.01, 0.1, 1, 10, 100, 1000]
    elif spread > 6:
        ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    elif spread > 2:
        ticks = [0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 4, 5]
    else:
        ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2]
    pad = spread**0.06
    inside = [t for t in ticks if low / pad <= t <= high * pad]
    return {
        "tickvals": inside,
        "ticktext": [f"{t:g}" for t in inside],
        "range": [float(np.log10(low / pad)), float(np.log10(high * pad))],
    }
