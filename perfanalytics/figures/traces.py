"""Traces that several figures draw: a box from its five numbers, the values in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perfanalytics.figures import style

#: Up to so many points are marked one by one on the line through them.
MARKED = 300


def box(place: float, numbers: Sequence[float], **axes: str) -> dict[str, Any]:
    """A box of five numbers (low, q1, median, q3, high) at a place on the x axis; ``axes`` as of a trace."""
    low, q1, median, q3, high = numbers
    return {
        "type": "box",
        "x": [place],
        "lowerfence": [low],
        "q1": [q1],
        "median": [median],
        "q3": [q3],
        "upperfence": [high],
        "width": 0.62,
        "line": {"color": style.INK, "width": 1.5},
        "fillcolor": "rgba(0,0,0,0)",
        "hoverinfo": "y",
    } | axes


def in_time(x: Any, y: Any) -> dict[str, Any]:
    """The values in order of time, joined where there is no gap."""
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) <= MARKED else "lines",
        "x": x,
        "y": y,
        "line": {"color": style.INK, "width": 0.9},
        "marker": {"color": style.INK, "size": 4.5},
        "connectgaps": False,
        "showlegend": False,
        "hovertemplate": "%{x}<br>%{y:.6~g}<extra></extra>",
    }
