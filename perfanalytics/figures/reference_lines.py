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
    ends = {"x0": x, "x1": x, "y0": 0, "y1": 1}
    return _line(xref, yref, ends, color, width, dash, below)


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
    ends = {"x0": 0, "x1": 1, "y0": y, "y1": y}
    return _line(xref, yref, ends, color, width, dash, below)


def _line(
    xref: str, yref: str, ends: dict[str, Any], color: str, width: float, dash: str, below: bool
) -> dict[str, Any]:
    look = {"color": color, "width": width, "dash": dash}
    shape = {"type": "line", "xref": xref, "yref": yref, **ends, "line": look}
    return shape | ({"layer": "below"} if below else {})
