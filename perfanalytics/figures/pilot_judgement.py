"""The figure of a judged pilot: the periods, and the improvement against the criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.practices.opm.improvement_terms import requirement_of
from perfanalytics.practices.opm.pilot_judgement_result import PilotJudgement

SYMBOL = {"met": "✓ criterion met", "not met": "✗ criterion not met", "cannot tell": "? cannot tell"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotJudgementInfo:
    """What is drawn: the periods of the pilot's units, those of the comparison group, the improvement."""

    when: NDArray[Any]
    values: Floats
    reference: Floats
    during: NDArray[np.bool_]
    estimate: float
    low: float
    high: float
    required: float
    nothing: float | None


def info(judged: PilotJudgement) -> PilotJudgementInfo:
    """The arrays of the figure; the improvement in percent where it is a ratio."""
    c = judged.comparison
    if c.course is not None:
        values, reference = c.course.observed, c.course.reference
        times = c.course.when
        during = np.arange(len(values)) >= c.course.change
    else:
        assert c.before is not None
        assert c.after is not None
        values = np.concatenate([c.before.values, c.after.values])
        reference = np.full(len(values), np.nan)
        parts = [c.before.when, c.after.when]
        times = None if any(p is None for p in parts) else np.concatenate([p for p in parts if p is not None])
        during = np.arange(len(values)) >= len(c.before.values)
    ends = [judged.estimate, judged.low, judged.high, judged.required]
    if judged.form == "ratio":
        ends = [100 * (v - 1) for v in ends]
    elif judged.measure.unit in ("", "1"):
        ends = [100 * v for v in ends]
    estimate, low, high, required = ends
    return PilotJudgementInfo(
        when=np.arange(len(values)) if times is None else times,
        values=values,
        reference=reference,
        during=during,
        estimate=estimate,
        low=min(low, high),
        high=max(low, high),
        required=required,
        nothing=None if judged.form == "level" else 0.0,
    )


def draw(judged: PilotJudgement) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(judged)
    data: list[dict[str, Any]] = []
    if np.isfinite(told.reference).any():
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": told.when,
                "y": told.reference,
                "name": "comparison group",
            }
            | {"line": {"color": style.GREY, "width": 1.3, "dash": "dot"}}
        )
    for name, use, color, symbol in (
        ("before", ~told.during, style.INK, "circle-open"),
        ("pilot", told.during, style.BLUE, "circle"),
    ):
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": told.when[use],
                "y": told.values[use],
                "name": name,
            }
            | {"line": {"color": color, "width": 1}, "marker": {"size": 7, "symbol": symbol, "color": color}}
            | {"hovertemplate": "%{y:.4g}<extra></extra>"}
        )
    right = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    data.append(
        {"type": "scatter", "mode": "markers", "x": [0], "y": [told.estimate]}
        | {"error_y": _error(told), "marker": {"size": 13, "symbol": "diamond", "color": style.BLUE}}
        | {"hovertemplate": "%{y:.3g}<extra></extra>"}
        | right
    )
    ends = [told.low, told.high, told.required, *([] if told.nothing is None else [told.nothing])]
    pad = 0.12 * (max(ends) - min(ends)) or 1.0
    marks = [("criterion", told.required, style.ORANGE, "dash")]
    if told.nothing is not None:
        marks.append(("no change", told.nothing, style.GREY, "dot"))
    shapes = [
        {"type": "line", "xref": "x2 domain", "yref": "y2", "x0": 0, "x1": 1, "y0": y, "y1": y}
        | {"line": {"color": color, "width": 1.6, "dash": dash}}
        for _, y, color, dash in marks
    ]
    notes: list[dict[str, Any]] = [
        {
            "xref": "x2 domain",
            "yref": "y2",
            "x": 1,
            "y": y,
            "text": text,
            "showarrow": False,
            "xanchor": "right",
        }
        | {"yanchor": "bottom", "font": {"size": 11, "color": color}}
        for text, y, color, _ in marks
    ]
    notes.append(
        {"xref": "x2 domain", "yref": "paper", "x": 0.5, "y": 1.02, "xanchor": "center", "yanchor": "bottom"}
        | {"showarrow": False, "font": {"size": 12}}
        | {"text": f"<b>{SYMBOL[judged.standing]}</b><br>reached with {percent(judged.probability)}"}
    )
    layout = style.layout(
        f"Pilot: {judged.pilot.name}",
        height=430,
        margin={"l": 70, "r": 30, "t": 100, "b": 60},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        shapes=shapes,
        annotations=notes,
        xaxis=style.axis("", domain=[0, 0.62], anchor="y"),
        yaxis=style.axis(_axis(judged), anchor="x", rangemode="tozero"),
        xaxis2=style.axis(
            "", domain=[0.76, 1], anchor="y2", range=[-1, 1], showticklabels=False, showgrid=False
        ),
        yaxis2=style.axis(_right(judged), anchor="x2", range=[min(ends) - pad, max(ends) + pad]),
    )
    return {"data": data, "layout": layout}


def _error(told: PilotJudgementInfo) -> dict[str, Any]:
    return {"type": "data", "symmetric": False, "thickness": 2.5, "width": 8, "color": style.BLUE} | {
        "array": [told.high - told.estimate], "arrayminus": [told.estimate - told.low]
    }  # fmt: skip


def _axis(judged: PilotJudgement) -> str:
    return f"{judged.criterion.statistic} of {judged.measure.label}"


def _right(judged: PilotJudgement) -> str:
    asked = requirement_of(judged.criterion, judged.measure)
    share = judged.measure.unit in ("", "1")
    if asked.form == "ratio":
        return "change (%)"
    if asked.form == "change":
        return f"improvement ({'percentage points' if share else judged.measure.unit})"
    return f"level ({'%' if share else judged.measure.unit})"
