"""Rows of alternatives: each the middle half and the 5% to 95% span of items, on one axis of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical

#: The percentiles of a row.
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def places(levels: NDArray[np.float64]) -> list[int]:
    """Where the percentiles of a row stand among the levels of a result."""
    return [int(np.argmin(np.abs(levels - p))) for p in LEVELS]


def spans(
    row: int, points: NDArray[np.float64], color: str, *, opacity: tuple[float, float], dash: str = "solid"
) -> list[dict[str, Any]]:
    """The thin line from P5 to P95 (of this dash) and the thick one of the middle half."""
    p5, p25, _, p75, p95 = points.tolist()
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [low, high],
            "y": [row, row],
            "opacity": shade,
            "line": {"color": color, "width": width, "dash": how},
            "hovertemplate": "%{x:.4g}<extra></extra>",
        }
        for (low, high), width, shade, how in (
            ((p5, p95), 3, opacity[0], dash),
            ((p25, p75), 13, opacity[1], "solid"),
        )
    ]


def notes(said: Sequence[str], best: int, key: str) -> list[dict[str, Any]]:
    """What is said at the end of each row, the best in bold, and the key above them."""
    at_rows = [
        _note(1.01, k, f"<b>{text}</b>" if k == best else text, "y", 12, style.INK)
        for k, text in enumerate(said)
    ]
    return [*at_rows, _note(0, 1.01, key, "paper", 11, style.GREY) | {"yanchor": "bottom"}]


def _note(x: float, y: float, text: str, yref: str, size: int, color: str) -> dict[str, Any]:
    where = {"xref": "paper", "yref": yref, "x": x, "y": y, "xanchor": "left", "showarrow": False}
    return where | {"text": text, "font": {"size": size, "color": color}}


def bounded(
    points: NDArray[np.float64], bounds: Sequence[float]
) -> tuple[list[dict[str, Any]], tuple[float, float]]:
    """The lines of the bounds that lie near enough to be shown, and the range of the axis with them."""
    low, high = float(points.min()), float(points.max())
    shapes = []
    for bound in bounds:
        if low - (high - low) < bound < 2 * high - low:
            low, high = min(low, bound), max(high, bound)
            shapes.append(vertical(bound, yref="paper", color=style.ORANGE, width=2, dash="dash"))
    pad = 0.05 * (high - low) or 0.5
    return shapes, (low - pad, high + pad)


def row_axis(names: Sequence[str], best: int) -> dict[str, Any]:
    """The axis of the rows, from the top, the best marked."""
    return style.axis(
        "",
        range=[len(names) - 0.4, -0.6],
        tickvals=list(range(len(names))),
        ticktext=[f"<b>{n} ◆</b>" if k == best else n for k, n in enumerate(names)],
        showgrid=False,
    )
