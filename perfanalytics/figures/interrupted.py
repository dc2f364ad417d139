"""The figure of a series through a change: observed, fitted, and what was to be expected without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.words import number
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.log_axis import value_ticks
from perfanalytics.figures.reference_lines import vertical

_TITLES = {
    "interrupted_time_series": "with and without the change",
    "difference_in_differences": "against a comparison group",
    "change_point": "when did it change?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseInfo:
    """What is drawn: arrays of n periods; the change and its interval on the x axis."""

    title: str
    x: NDArray[Any]
    timed: bool
    observed: Floats
    after: NDArray[np.bool_]
    fitted: Floats
    expected: Floats
    low: Floats
    high: Floats
    reference: Floats
    change: Any
    span: tuple[Any, Any] | None
    log: bool
    share: bool


def info(result: Comparison) -> CourseInfo:
    """What is drawn where."""
    course = result.course
    assert course is not None
    n = len(course.observed)
    x: NDArray[Any] = np.arange(n) if course.when is None else course.when
    span = None
    if course.earliest != course.latest:
        span = (x[course.earliest], x[min(course.latest, n - 1)])
    positive = bool((course.observed > 0).all())
    return CourseInfo(
        title=f"{result.measure.name}: {_TITLES[result.method.name]}",
        x=x,
        timed=course.when is not None,
        observed=course.observed,
        after=np.arange(n) >= course.change,
        fitted=course.fitted,
        expected=course.expected,
        low=course.low,
        high=course.high,
        reference=course.reference,
        change=x[course.change],
        span=span,
        log=result.method.parameters.get("scale") == "log" and positive,
        share=result.measure.scale == "proportion",
    )


def draw(result: Comparison) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    what = info(result)
    change = result.method.name == "change_point"
    data: list[dict[str, Any]] = []
    if np.isfinite(what.low).any():
        inside = np.isfinite(what.low)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([what.x[inside], what.x[inside][::-1]]),
                "y": np.concatenate([what.high[inside], what.low[inside][::-1]]),
                "fill": "toself",
                "fillcolor": "rgba(107,107,107,0.20)",
                "line": {"width": 0},
                "hoverinfo": "skip",
                "name": f"{100 * result.confidence:g}% interval",
            }
        )
    if np.isfinite(what.reference).any():
        data.append(_line(what.x, what.reference, "comparison group", style.GREY, "dot", 1.5))
    for name, chosen, color, symbol in (
        ("observed before", ~what.after, style.GREY, "circle-open"),
        ("observed after", what.after, style.BLUE, "diamond"),
    ):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": what.x[chosen],
                "y": what.observed[chosen],
                "name": name,
                "marker": {"color": color, "symbol": symbol, "size": 6, "opacity": 0.8},
                "hovertemplate": "%{x}: %{y:.4g}<extra>" + name + "</extra>",
            }
        )
    label = "level before, continued" if change else "expected without the change"
    data.append(_line(what.x, what.expected, label, style.ORANGE, "dash", 2.5))
    data += [
        _line(what.x[chosen], what.fitted[chosen], "fitted", style.INK, "solid", 2.5)
        for chosen in (~what.after, what.after)
    ]
    data[-1]["showlegend"] = False
    shapes: list[dict[str, Any]] = [vertical(what.change, color=style.INK, dash="dot")]
    if what.span is not None:
        shapes.insert(
            0,
            {
                "type": "rect",
                "xref": "x",
                "yref": "y domain",
                "x0": what.span[0],
                "x1": what.span[1],
                "y0": 0,
                "y1": 1,
                "fillcolor": style.LIGHT,
                "opacity": 0.5,
                "line": {"width": 0},
                "layer": "below",
            },
        )
    said = "change" if what.span is None else f"change, {100 * result.confidence:g}% interval"
    notes = [
        {
            "xref": "x",
            "yref": "y domain",
            "x": what.change,
            "y": 1.0,
            "yanchor": "bottom",
            "text": said,
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
    ]
    layout = style.layout(what.title, height=460, shapes=shapes, annotations=notes)
    layout |= {
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.18, "x": 0.0},
        "xaxis": style.axis("" if what.timed else "period"),
        "yaxis": style.axis(result.measure.label, **(_log_axis(what) if what.log else {})),
    }
    if what.share:
        layout["yaxis"]["tickformat"] = ".0%"
    return {"data": data, "layout": layout}


def _log_axis(what: CourseInfo) -> dict[str, Any]:
    shown = np.concatenate([what.observed, what.expected[np.isfinite(what.expected)]])
    ticks = value_ticks(float(shown.min()), float(shown.max()))
    apart = float(np.diff(ticks).min())
    return {"type": "log", "tickvals": ticks, "ticktext": [number(t, spread=apart) for t in ticks]}


def _line(x: NDArray[Any], y: Floats, name: str, color: str, dash: str, width: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": color, "dash": dash, "width": width},
        "hovertemplate": f"{name} %{{x}}: %{{y:.4g}}<extra></extra>",
    }
