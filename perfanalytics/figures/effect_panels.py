"""The panels of effects in the figure of a comparison: estimates with their intervals, a panel a form."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.words import number
from perfanalytics.figures import style
from perfanalytics.figures.comparison_info import Info, Row
from perfanalytics.figures.reference_lines import vertical


def effect_panels(
    result: Comparison, what: Info
) -> list[tuple[str, tuple[Row, ...], str, float, list[float]]]:
    """Form, rows, axis title, value of no effect and vertical extent of each effects panel, from the top."""
    panels = [
        ("difference", what.differences, _difference_title(result), 0.0),
        ("ratio", what.ratios, "after / before (ratio)", 1.0),
        ("probability", what.probabilities, "P(a value after is higher)", 0.5),
    ]
    shown = sorted((p for p in panels if p[1]), key=lambda p: p[0] != result.primary.form)
    gap = 0.17
    free = 1.0 - gap * (len(shown) - 1)
    lines = sum(len(p[1]) + 0.4 for p in shown)
    top = 1.0
    out = []
    for form, rows, title, null in shown:
        bottom = max(0.0, top - free * (len(rows) + 0.4) / lines)
        out.append((form, rows, title, null, [bottom, top]))
        top = bottom - gap
    return out


def _difference_title(result: Comparison) -> str:
    unit = result.measure.unit
    if result.measure.scale == "proportion":
        return "after - before (points)"
    return "after - before" if unit in ("", "1") else f"after - before ({unit})"


def effect_traces(rows: tuple[Row, ...], x: str, y: str) -> list[dict[str, Any]]:
    """Estimates and intervals, the primary one standing out."""
    traces = []
    for place, row in enumerate(rows):
        bounded = np.isfinite(row.low) and np.isfinite(row.high)
        if not np.isfinite(row.estimate):
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.low, row.estimate, row.high] if bounded else [row.estimate],
                "y": [place] * (3 if bounded else 1),
                "xaxis": x,
                "yaxis": y,
                "line": {
                    "color": style.BLUE if row.primary else style.GREY,
                    "width": 4 if row.primary else 2,
                },
                "marker": {
                    "color": style.BLUE if row.primary else style.GREY,
                    "symbol": (
                        ["line-ns", "square", "line-ns"] if row.primary else ["line-ns", "circle", "line-ns"]
                    )
                    if bounded
                    else ["circle"],
                    "size": [10, 11 if row.primary else 8, 10] if bounded else [8],
                    "line": {"color": style.BLUE if row.primary else style.GREY, "width": 2},
                },
                "hovertemplate": f"{row.label}: %{{x:.4g}}<extra></extra>",
            }
        )
    return traces


def effect_notes(rows: tuple[Row, ...], x: str, y: str) -> list[dict[str, Any]]:
    """The numbers above each row."""
    notes = []
    for place, row in enumerate(rows):
        if not np.isfinite(row.estimate):
            text = "not defined"
        elif np.isfinite(row.low) and np.isfinite(row.high):
            text = f"{number(row.estimate)} ({number(row.low)} to {number(row.high)})"
        elif np.isnan(row.low) or np.isnan(row.high):
            text = number(row.estimate)
        else:
            text = f"{number(row.estimate)} (interval without end)"
        notes.append(
            {
                "xref": f"{x} domain",
                "yref": y,
                "x": 0.5,
                "y": place - 0.42,
                "xanchor": "center",
                "yanchor": "middle",
                "text": text,
                "showarrow": False,
                "font": {"size": 11, "color": style.INK},
                # the line of no effect does not cross the numbers
                "bgcolor": "rgba(255,255,255,0.85)",
                "borderpad": 1,
            }
        )
    return notes


def null_shapes(x: str, y: str, null: float, margin: tuple[float, float] | None) -> list[dict[str, Any]]:
    """The line of no effect and, behind it, the margin."""
    shapes: list[dict[str, Any]] = [vertical(null, xref=x, yref=f"{y} domain", color=style.INK, dash="dash")]
    if margin is not None:
        shapes.insert(
            0,
            {
                "type": "rect",
                "xref": x,
                "yref": f"{y} domain",
                "x0": margin[0],
                "x1": margin[1],
                "y0": 0,
                "y1": 1,
                "fillcolor": style.LIGHT,
                "opacity": 0.6,
                "line": {"width": 0},
                "layer": "below",
            },
        )
    return shapes


def ratio_ticks(rows: tuple[Row, ...], margin: tuple[float, float] | None) -> dict[str, Any]:
    """Readable ticks for a log axis of ratios."""
    ends = [v for r in rows for v in (r.low, r.estimate, r.high) if np.isfinite(v) and v > 0]
    ends += [*(margin or ()), 1.0]
    low, high = min(ends), max(ends)
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    candidates = [float(f"{s}e{d}") for d in range(first, last + 1) for s in (1, 2, 5)]
    if high / low > 100:  # powers of ten, 1 among them, at most six
        step = -(-(last - first) // 5)
        candidates = [float(f"1e{d}") for d in range(first, last + 1) if d % step == 0]
    if high / low < 8:
        candidates = [0.125, 0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 8]
    if high / low < 1.9:
        candidates = [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7, 1.9]
    if high / low < 1.15:
        candidates = [0.9, 0.95, 1, 1.05, 1.1]
    pad = (high / low) ** 0.08
    ticks = [c for c in candidates if low / pad <= c <= high * pad]
    return {
        "tickvals": ticks,
        "ticktext": [number(t) for t in ticks],
        "range": [float(np.log10(low / pad)), float(np.log10(high * pad))],
    }
