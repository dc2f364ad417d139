"""One look for every figure: colours that survive grey print and colour blindness, fonts, axes.

Colour never carries a meaning alone: signals differ by shape, excluded points by a hollow cross,
limits by the dash of their line.
"""

from __future__ import annotations

from typing import Any

# Okabe and Ito (2008), Color Universal Design: distinguishable for all common colour visions.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
INK = "#222222"
GREY = "#6B6B6B"
LIGHT = "#D9D9D9"
PAPER = "#FFFFFF"

#: direction of a point -> (colour, marker symbol)
DIRECTION = {
    "improvement": (BLUE, "triangle-up"),
    "concern": (ORANGE, "diamond"),
    "neutral": (PURPLE, "square"),
}

FONT = {"family": "Inter, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif", "size": 13, "color": INK}


def layout(title: str, *, height: int = 420, **more: Any) -> dict[str, Any]:
    """The common layout of a figure."""
    base: dict[str, Any] = {
        "title": {"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 15}},
        "font": FONT,
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "height": height,
        "margin": {"l": 70, "r": 90, "t": 60, "b": 60},
        "hovermode": "closest",
        "showlegend": False,
    }
    return base | more


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with its unit in the title, light grid, no zero line."""
    base: dict[str, Any] = {
        "title": {"text": title, "standoff": 8},
        "gridcolor": "#EEEEEE",
        "zeroline": False,
        "linecolor": LIGHT,
        "ticks": "outside",
        "tickcolor": LIGHT,
        "automargin": True,
    }
    return base | more
