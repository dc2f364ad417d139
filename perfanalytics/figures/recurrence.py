"""The figure of a recurrence: episodes along time, before a day and since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.reference_lines import vertical
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.recurrence import Recurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceInfo:
    """What is drawn: a bar a side from its first to its last day, a mark an episode."""

    title: str
    labels: tuple[str, str]
    start: tuple[str, str]
    end: tuple[str, str]
    at: str
    what: str
    when: NDArray[np.datetime64]
    extreme: Floats
    row: NDArray[np.int64]
    unit: str


def info(result: Recurrence) -> RecurrenceInfo:
    """The arrays of the figure."""
    days = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}.get(result.period, 1)
    at = np.datetime64(result.at)
    first = at - np.timedelta64(result.periods_before * days, "D")
    last = at + np.timedelta64(result.periods_after * days, "D")
    n1, n2 = result.episodes_before, result.episodes_after
    p = result.period
    return RecurrenceInfo(
        title=f"Special causes of {result.measure.label} before and since {result.at}",
        labels=(
            f"before: {n1} in {result.periods_before} {p}s",
            f"since: {n2} in {result.periods_after} {p}s",
        ),
        start=(str(first), str(at)),
        end=(str(at), str(last)),
        at=str(at),
        what=result.what,
        when=result.first,
        extreme=result.extreme,
        row=np.where(result.side == "before", 0, 1),
        unit=result.measure.unit,
    )


def draw(result: Recurrence) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    color, symbol = style.DIRECTION["concern"]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [record.start[k], record.end[k]],
            "y": [k, k],
            "line": {"color": style.LIGHT, "width": 16},
            "hoverinfo": "skip",
        }
        for k in (0, 1)
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": record.when,
            "y": record.row,
            "marker": {"color": color, "symbol": symbol, "size": 13},
            "customdata": record.extreme,
            "hovertemplate": f"%{{x}}: %{{customdata:.4g}} {record.unit}<extra></extra>",
        }
    )
    notes = []
    if record.what:
        notes.append(
            {
                "x": record.at,
                "y": 1,
                "yref": "y domain",
                "yanchor": "bottom",
                "text": wrapped(record.what, 40),
                "showarrow": False,
                "font": {"size": 12, "color": style.INK},
            }
        )
    layout = style.layout(
        record.title,
        height=260,
        shapes=[vertical(record.at, color=style.INK, width=1.5, dash="dash")],
        annotations=notes,
        margin={"l": 70, "r": 40, "t": 80, "b": 50},
    ) | {
        "xaxis": style.axis("", type="date"),
        "yaxis": style.axis(
            "", range=[1.6, -0.6], tickvals=[0, 1], ticktext=list(record.labels), showgrid=False
        ),
    }
    return {"data": data, "layout": layout}
