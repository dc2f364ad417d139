"""Reference lines: a value across a whole panel, such as a target, a limit, or the moment of a change."""

from __future__ import annotations

from typing import Any


def vertical(
    x: Any,
    *,
    xref: str = "x",
    yref: str = "y domain",
    color: str,
    width: float = 1,
    dash: str = "solid",
    below: bool = False,
) -> dict[str, Any]:
    """A vertical line from bottom to top of what ``yref`` names; ``below`` draws it under the data."""
    return {
        "type": "line",
        "xref": xref,
        "yref": yref,
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"color": color, "width": width, "dash": dash},
    } | ({"layer": "below"} if below else {})


def horizontal(
    y: Any,
    *,
    xref: str = "x domain",
    yref: str = "y",
    color: str,
    width: float = 1,
    dash: str = "solid",
    below: bool = False,
) -> dict[str, Any]:
    """A horizontal line from left to right of what ``xref`` names; ``below`` draws it under the data."""
    return {
        "type": "line",
        "xref": xref,
        "yref": yref,
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": color, "width": width, "dash": dash},
    } | ({"layer": "below"} if below else {})
