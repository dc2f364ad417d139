"""The figure of fitted distributions: histogram with densities, and a probability plot.

The probability plot has normal scores up the side for every family: a normal distribution is a straight line
there, the others are curves, and the values lie on the line of the family that fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.censoring import kaplan_meier
from perfanalytics.baselines.distribution_result import DistributionFit
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.figures import style

#: At most this many families are drawn, and this many points.
DRAWN, POINTS = 3, 1000
#: Look of the first, second and third family: color, dash, width.
LOOKS = ((style.BLUE, "solid", 2.2), (style.ORANGE, "dash", 1.8), (style.INK, "dot", 1.8))
#: Percentages on the side of a probability plot.
TICKS = (0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One family: density at ``x`` and normal score at ``x``."""

    name: str
    x: NDArray[np.float64]
    density: NDArray[np.float64]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionInfo:
    """What is drawn: bars (density), points with their normal scores, curves."""

    edges: NDArray[np.float64]
    height: NDArray[np.float64]
    values: NDArray[np.float64]
    score: NDArray[np.float64]
    curves: tuple[Curve, ...]


def bars(values: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges and densities of a histogram (Freedman-Diaconis, 5 to 40 bars); ``n`` values in all."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        half = 0.05 * abs(low) or 0.5
        edges = np.array([low - half, low + half])
    else:
        q1, q3 = np.quantile(values, [0.25, 0.75])
        width = 2 * (q3 - q1) / len(values) ** (1 / 3)
        many = math.ceil((high - low) / width) if width > 0 else 10
        edges = np.linspace(low, high, min(max(many, 5), 40) + 1)
    counts = np.histogram(values, edges)[0]
    return edges, counts / (n * np.diff(edges))


def scores(
    values: NDArray[np.float64], censored: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and the normal scores of their plotting positions (Hazen, ``(i - 1/2) / n``; Kaplan-Meier)."""
    if censored is not None:
        km = kaplan_meier(values, censored, confidence=0.95)
        before = np.concatenate([[1.0], km.survival[:-1]])
        return km.times, np.asarray(special.ndtri(1 - (km.survival + before) / 2))
    ordered = np.sort(values)
    n = len(ordered)
    keep = np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
    return ordered[keep], np.asarray(special.ndtri((keep + 0.5) / n))


def curve(fitted: Fitted, low: float, high: float) -> Curve:
    """A family between two values."""
    x = np.linspace(low, high, 300)
    with np.errstate(divide="ignore"):
        upper = fitted.sf(x)
        score = np.where(upper < 0.5, -special.ndtri(upper), special.ndtri(fitted.cdf(x)))
    score = np.where(np.abs(score) < 6, score, np.nan)
    return Curve(name=fitted.label, x=x, density=fitted.pdf(x), score=score)


def info(result: DistributionFit) -> DistributionInfo:
    """The arrays of the figure."""
    done = result.values if result.censored is None else result.values[~result.censored]
    edges, height = bars(done, result.n)
    values, score = scores(result.values, result.censored)
    low, high = float(result.values.min()), float(result.values.max())
    pad = 0.04 * (high - low) or 0.5
    low = max(low - pad, 0.0) if low >= 0 else low - pad
    good = [f for f in result.fits if f.converged][:DRAWN]
    return DistributionInfo(
        edges=edges,
        height=height,
        values=values,
        score=score,
        curves=tuple(curve(f, low, high + pad) for f in good),
    )


def draw(result: DistributionFit) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    label = result.measure.label
    tops = [float(record.height.max()), *(_inner_top(c, record.edges) for c in record.curves)]
    data: list[dict[str, Any]] = [histogram_trace(record.edges, record.height, "x", "y")]
    data.append(points_trace(record.values, record.score, "x2", "y2"))
    for c, look in zip(record.curves, LOOKS, strict=False):
        data += curve_traces(c, look, ("x", "y"), ("x2", "y2"), shown=True)
    layout = style.layout(
        f"Fitted distributions of {result.measure.name}",
        height=460,
        margin={"l": 75, "r": 30, "t": 60, "b": 95},
        xaxis=style.axis(label, domain=[0.0, 0.45], anchor="y"),
        yaxis=style.axis(
            "share of values per unit", anchor="x", range=[0, 1.08 * max(tops)], rangemode="tozero"
        ),
        xaxis2=style.axis(label, domain=[0.57, 1.0], anchor="y2"),
        yaxis2=probability_axis(record.score, anchor="x2"),
        showlegend=bool(record.curves),
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
    )
    return {"data": data, "layout": layout}


def _inner_top(c: Curve, edges: NDArray[np.float64]) -> float:
    """Highest density: the peak, or where it rises to the border, perhaps without end, a value near it."""
    inside = c.density[(c.x >= edges[0]) & (c.x <= edges[-1]) & np.isfinite(c.density)]
    if not len(inside):
        return 0.0
    peak = 0 < int(np.argmax(inside)) < len(inside) - 1
    return float(inside.max() if peak else np.quantile(inside, 0.97))


def probability_axis(score: NDArray[np.float64], *, anchor: str, **more: Any) -> dict[str, Any]:
    """An axis of normal scores that is read in percent."""
    reach = max(2.0, float(np.abs(score[np.isfinite(score)]).max(initial=0.0)) + 0.35)
    ticks = [t for t in TICKS if abs(float(special.ndtri(t / 100))) <= reach]
    return style.axis(
        "share at most, percent",
        anchor=anchor,
        range=[-reach, reach],
        tickvals=[float(special.ndtri(t / 100)) for t in ticks],
        ticktext=[f"{t:g}" for t in ticks],
        **more,
    )


def histogram_trace(
    edges: NDArray[np.float64], height: NDArray[np.float64], x: str, y: str
) -> dict[str, Any]:
    """Bars as one filled outline."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.repeat(edges, 2),
        "y": np.concatenate([[0.0], np.repeat(height, 2), [0.0]]),
        "xaxis": x,
        "yaxis": y,
        "fill": "toself",
        "fillcolor": style.LIGHT,
        "line": {"color": style.GREY, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def points_trace(values: NDArray[np.float64], score: NDArray[np.float64], x: str, y: str) -> dict[str, Any]:
    """The values of a probability plot."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": score,
        "xaxis": x,
        "yaxis": y,
        "customdata": 100 * special.ndtr(score),
        "hovertemplate": "%{x:.4g}: %{customdata:.1f}% are at most that<extra></extra>",
        "marker": {"color": style.GREY, "size": 5 if len(values) <= 300 else 4, "opacity": 0.75},
        "showlegend": False,
    }


def curve_traces(
    c: Curve,
    look: tuple[str, str, float],
    density: tuple[str, str],
    probability: tuple[str, str],
    *,
    shown: bool,
) -> list[dict[str, Any]]:
    """A family in the histogram and in the probability plot."""
    color, dash, width = look
    line = {"color": color, "dash": dash, "width": width}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": c.name,
            "legendgroup": c.name,
            "x": c.x,
            "y": np.where(np.isfinite(y), y, np.nan),
            "xaxis": axes[0],
            "yaxis": axes[1],
            "line": line,
            "hoverinfo": "skip",
            "showlegend": shown and first,
        }
        for y, axes, first in ((c.density, density, True), (c.score, probability, False))
    ]
