"""Bars of a tornado: what moves a result between two values of each input. Shared by several figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.figures import style


def bars(
    low: NDArray[np.float64], high: NDArray[np.float64], center: float, controllable: Sequence[bool]
) -> list[dict[str, Any]]:
    """Two half bars a row, pale where the input is low, dark where it is high; row k at y = k."""
    out = []
    for name, values, opacity in (("low", low, 0.45), ("high", high, 0.95)):
        out.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(values))),
                "x": (values - center).tolist(),
                "base": center,
                "width": 0.6,
                "marker": {
                    "color": [style.BLUE if c else style.GREY for c in controllable],
                    "opacity": opacity,
                    "line": {"color": style.INK, "width": 0.5},
                },
                "hovertemplate": f"input {name}: %{{x:.4g}}<extra></extra>",
            }
        )
    return out


def ends(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    texts: Sequence[tuple[str, str]],
    xref: str,
    yref: str,
) -> list[dict[str, Any]]:
    """The input values beside the ends of each bar."""
    out = []
    for k, pair in enumerate(texts):
        for value, other, text in ((low[k], high[k], pair[0]), (high[k], low[k], pair[1])):
            left = value < other
            out.append(
                {
                    "xref": xref,
                    "yref": yref,
                    "x": float(value),
                    "y": k,
                    "xanchor": "right" if left else "left",
                    "xshift": -4 if left else 4,
                    "text": text if len(text) <= 12 else text[:11] + "…",
                    "showarrow": False,
                    "font": {"size": 11, "color": style.INK},
                }
            )
    return out
