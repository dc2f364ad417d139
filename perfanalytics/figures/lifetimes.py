"""The figure of lifetimes: the Kaplan-Meier curve with its interval, and the fitted law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.models.reliability.lifetimes import Lifetimes


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimesInfo:
    """What is drawn: the steps of Kaplan-Meier, their interval, the fitted curve, units still alive."""

    title: str
    axis: str
    t: Floats
    survival: Floats
    low: Floats
    high: Floats
    x: Floats
    fitted: Floats
    label: str
    alive: Floats
    alive_at: Floats


def info(result: Lifetimes) -> LifetimesInfo:
    """The arrays of the figure."""
    last = float(max(result.km_times.max(), result.censored_at.max() if len(result.censored_at) else 0.0))
    alive = result.censored_at
    before = np.searchsorted(result.km_times, alive, side="right")
    x = np.linspace(1e-9, 1.1 * last, 300)
    survival = np.append(1.0, result.km_survival)
    doubt = ": the fitted law is off" if "distribution-does-not-fit" in result.caveat_codes else ""
    return LifetimesInfo(
        title=f"{result.n_failed} of {result.n} units failed{doubt}",
        axis=f"age ({result.measure.unit})" if result.measure.unit else "age",
        t=np.append(np.append(0.0, result.km_times), last),
        survival=np.append(survival, survival[-1]),
        low=result.km_low,
        high=result.km_high,
        x=x,
        fitted=result.fit.sf(x),
        label=f"{result.fit.label} law",
        alive=alive,
        alive_at=survival[before],
    )


def _corner(record: LifetimesInfo) -> dict[str, Any]:
    """The place of the legend: above a curve that has fallen by the middle, else below it."""
    middle = np.searchsorted(record.t, record.x[-1] / 2, side="right") - 1
    if float(record.survival[middle]) < 0.6:
        return {"x": 0.99, "xanchor": "right", "y": 0.99, "yanchor": "top"}
    return {"x": 0.01, "xanchor": "left", "y": 0.02, "yanchor": "bottom"}


def draw(result: Lifetimes) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    known = np.isfinite(record.low)
    times = result.km_times[known]
    steps = {"shape": "hv", "color": style.GREY, "width": 1, "dash": "dot"}
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{100 * result.confidence:g}% interval",
            "showlegend": first,
            "x": times,
            "y": y[known],
            "line": steps,
            "hoverinfo": "skip",
        }
        for first, y in ((True, record.low), (False, record.high))
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Kaplan-Meier",
            "x": record.t,
            "y": record.survival,
            "line": {"shape": "hv", "color": style.INK, "width": 1.8},
            "hovertemplate": "%{x:.4g}: %{y:.1%}<extra></extra>",
        }
    )
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": record.label,
            "x": record.x,
            "y": record.fitted,
            "line": {"color": style.BLUE, "width": 2.3, "dash": "dash"},
        }
    )
    if len(record.alive):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "still alive",
                "x": record.alive,
                "y": record.alive_at,
                "marker": {"color": style.INK, "symbol": "cross-thin-open", "size": 9},
            }
        )
    layout = style.layout(record.title, showlegend=True) | {
        "xaxis": style.axis(record.axis, rangemode="tozero"),
        "yaxis": style.axis("share still working", range=[0, 1.02], tickformat=".0%"),
        "legend": _corner(record),
    }
    return {"data": data, "layout": layout}
