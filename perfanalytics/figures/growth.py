"""The figure of reliability growth: failures seen, the models, the next period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.models.reliability.growth import Growth

#: Look of the first, second and third model: color, dash, width.
LOOKS = ((style.BLUE, "solid", 2.4), (style.ORANGE, "dash", 2.0), (style.GREEN, "dot", 2.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthInfo:
    """What is drawn: cumulative failures, the expectation of at most three models, the range ahead."""

    title: str
    unit: str
    at: Floats
    seen: Floats
    t: Floats
    names: tuple[str, ...]
    expected: tuple[Floats, ...]
    end: float
    ahead_at: float
    ahead: Floats


def info(result: Growth) -> GrowthInfo:
    """The arrays of the figure. The models are the three with the lowest AICc."""
    if result.times is not None:
        at, seen = result.times, np.arange(1.0, result.n + 1)
    else:
        assert result.ends is not None
        assert result.counts is not None
        at, seen = result.ends, np.cumsum(result.counts)
    to = result.end + result.next_period
    t = np.linspace(0.0, to, 300)
    shown = [f for f in result.fits if f.converged][:3]
    best = result.best
    ahead = np.array([np.nan] * 3)
    # where failures become rarer a constant rate predicts nothing
    if best and not (result.trend == "growth" and best.model == "poisson"):
        ahead = result.n + np.array([best.ahead_low, best.ahead, best.ahead_high])
    words = {
        "growth": "failures become rarer",
        "none": "no growth shown",
        "deterioration": "failures become more frequent",
    }
    doubt = "; the model does not fit" if "does-not-fit" in result.caveat_codes else ""
    return GrowthInfo(
        title=f"{result.n} failures: {words[result.trend]}{doubt}",
        unit=result.unit,
        at=at,
        seen=seen,
        t=t,
        names=tuple(f.label for f in shown),
        expected=tuple(f.expected(t) for f in shown),
        end=result.end,
        ahead_at=to,
        ahead=ahead,
    )


def _corner(record: GrowthInfo) -> dict[str, Any]:
    """The place of the legend: below a curve that flattens, above one that becomes steeper."""
    if float(np.interp(record.end / 2, record.at, record.seen, left=0.0)) < 0.4 * float(record.seen[-1]):
        return {"x": 0.01, "xanchor": "left", "y": 0.99, "yanchor": "top"}
    return {"x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom"}


def draw(result: Growth) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(record.at) <= 60 else "lines",
            "name": "seen",
            "x": np.append(0.0, record.at),
            "y": np.append(0.0, record.seen),
            "line": {
                "color": style.INK,
                "width": 1.3,
                "shape": "hv" if result.times is not None else "linear",
            },
            "marker": {"color": style.INK, "size": 4},
        }
    ]
    for (color, dash, width), name, y in zip(LOOKS, record.names, record.expected, strict=False):
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": record.t,
                "y": y,
                "line": {"color": color, "dash": dash, "width": width},
            }
        )
    if np.isfinite(record.ahead).all():
        low, middle, high = record.ahead.tolist()
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "next period",
                "x": [record.ahead_at],
                "y": [middle],
                "error_y": {"type": "data", "array": [high - middle], "arrayminus": [middle - low]},
                "marker": {"color": style.BLUE, "symbol": "square", "size": 8},
            }
        )
    end = vertical(record.end, color=style.GREY, width=1.3, dash="dash", below=True)
    layout = style.layout(record.title, shapes=[end], showlegend=True) | {
        "xaxis": style.axis(f"time ({record.unit})"),
        "yaxis": style.axis("failures in all", rangemode="tozero"),
        "legend": _corner(record),
    }
    return {"data": data, "layout": layout}
