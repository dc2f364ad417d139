"""The figure of a review: the probability of meeting each objective, now and then, against the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import percent
from perfanalytics.figures import style
from perfanalytics.practices.qwm.work_review_result import WorkReview

#: State -> (colour, marker); the marker alone tells it too.
STATES = {
    "met": (style.BLUE, "star"),
    "on course": (style.BLUE, "circle"),
    "at risk": (style.ORANGE, "diamond"),
    "missed": (style.ORANGE, "x"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReviewInfo:
    """What is drawn: objectives from the top, their probability now and at the last review (NaN: none)."""

    objective: tuple[str, ...]
    state: tuple[str, ...]
    now: NDArray[np.float64]
    then: NDArray[np.float64]
    least: float | None


def info(result: WorkReview) -> WorkReviewInfo:
    """The arrays of the figure."""
    here = result.table == "Predictions"
    names = tuple(dict.fromkeys(result.subject[here].tolist()))

    def of(table: NDArray[np.bool_], subject: str, quantity: str) -> int | None:
        found = np.flatnonzero(table & (result.subject == subject) & (result.quantity == quantity))
        return int(found[0]) if len(found) else None

    before = (result.table == "Changes") | (result.table == "Unchanged")
    now, then, states = [], [], []
    for name in names:
        k, j, s = (
            of(here, name, "probability"),
            of(before, f"{name}: probability", "then"),
            of(here, name, "state"),
        )
        now.append(np.nan if k is None else result.number[k])
        then.append(np.nan if j is None else result.number[j])
        states.append("" if s is None else str(result.text[s]))
    return WorkReviewInfo(
        objective=names,
        state=tuple(states),
        now=np.array(now, dtype=float),
        then=np.array(then, dtype=float),
        least=result.work.least_probability,
    )


def draw(result: WorkReview) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    rows = list(range(len(record.objective)))
    looks = [STATES.get(s, (style.GREY, "square")) for s in record.state]
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": [record.then[k], record.now[k]], "y": [k, k]}
        | {"line": {"color": style.LIGHT, "width": 3}, "hoverinfo": "skip"}
        for k in rows
        if not np.isnan(record.then[k]) and not np.isnan(record.now[k])
    ]
    data.append(
        {"type": "scatter", "mode": "markers", "x": record.then, "y": rows, "cliponaxis": False}
        | {"marker": {"size": 12, "color": style.PAPER, "line": {"color": style.INK, "width": 1.5}}}
        | {"hovertemplate": "last review: %{x:.0%}<extra></extra>"}
    )
    data.append(
        {"type": "scatter", "mode": "markers", "x": record.now, "y": rows, "cliponaxis": False}
        | {"marker": {"size": 14, "color": [c for c, _ in looks], "symbol": [m for _, m in looks]}}
        | {"hovertemplate": "%{x:.1%}<extra></extra>"}
    )
    notes = [
        {
            "xref": "paper",
            "yref": "y",
            "x": 1.02,
            "y": k,
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
        }
        | {"text": _beside(record.state[k], float(record.now[k])), "font": {"size": 12, "color": style.INK}}
        for k in rows
    ]
    shapes = []
    if record.least is not None:
        shapes.append(
            {"type": "line", "xref": "x", "yref": "paper", "x0": record.least, "x1": record.least}
            | {"y0": 0, "y1": 1, "line": {"color": style.INK, "width": 1.5, "dash": "dash"}}
        )
        notes.append(
            {
                "xref": "x",
                "yref": "paper",
                "x": record.least,
                "y": 1.0,
                "yanchor": "bottom",
                "showarrow": False,
            }
            | {"text": f"at least {percent(record.least)}", "font": {"size": 12, "color": style.INK}}
        )
    earlier = not bool(np.isnan(record.then).all())
    layout = style.layout(
        "Probability of meeting each objective" + (" (hollow: last review)" if earlier else ""),
        height=170 + 46 * max(len(rows), 1),
        margin={"l": 60, "r": 150, "t": 75, "b": 60},
        shapes=shapes,
        annotations=notes,
        xaxis=style.axis("probability", range=[-0.02, 1.02], tickformat=".0%"),
        yaxis=style.axis("", range=[len(rows) - 0.4, -0.6], showgrid=False)
        | {"tickvals": rows, "ticktext": list(record.objective)},
    )
    return {"data": data, "layout": layout}


def _beside(state: str, probability: float) -> str:
    return (
        state
        if state in ("met", "missed", "not predicted") or np.isnan(probability)
        else (f"{percent(probability)}, {state}" if state in STATES else percent(probability))
    )
