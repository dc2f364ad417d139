"""The figure of a queue: how likely a wait longer than t is, with the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.models.queues.queue import Queue, tail

#: Dashes of the classes, the most urgent first.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
COLORS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.SKY)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueInfo:
    """What is drawn: P(wait > t) of each class, and the objective."""

    title: str
    unit: str
    times: Floats
    names: tuple[str, ...]
    longer: tuple[Floats, ...]
    within: float
    target: float
    level: float
    impatient: bool


def info(result: Queue) -> QueueInfo:
    """The arrays of the figure; nothing is drawn of a queue without a steady state."""
    finite = result.class_wait[np.isfinite(result.class_wait)]
    end = max(float(finite.max()) if len(finite) else 1.0, 1e-9) * 5
    if np.isfinite(result.mean_wait):
        end = max(result.wait_percentile(0.99), result.mean_wait)
        # where nobody waits: the scale of a service
        end = end if end > 1e-9 else float(result.class_service.max())
    if not np.isnan(result.within):
        end = max(end, 1.3 * result.within)
    times = np.linspace(0.0, end, 300)
    names, longer = [], []
    # impatient customers of all classes wait alike
    if len(result.classes) == 1 or np.isfinite(result.patience):
        names, longer = ["all"], [result.longer_than(times)]
    else:
        for name, p, wait in zip(result.classes, result.class_p_wait, result.class_wait, strict=True):
            names.append(str(name))
            longer.append(tail(float(p), float(wait), times))
    title = f"{result.model}: utilization {percent(result.utilization)}, "
    if result.capacity == result.servers:
        title += f"{percent(result.p_blocked)} turned away, nobody waits"
    elif np.isfinite(result.mean_wait):
        title += f"mean wait {number(result.mean_wait, result.unit)}"
        if np.isfinite(result.patience):
            title += f", {percent(result.p_abandon)} give up"
    else:
        title = f"{result.model}: overloaded, the queue grows without end"
    return QueueInfo(
        title=title,
        unit=result.unit,
        times=times,
        names=tuple(names),
        longer=tuple(longer),
        within=result.within,
        target=result.target,
        level=result.service_level,
        impatient=bool(np.isfinite(result.patience)),
    )


def draw(result: Queue) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": record.times,
            "y": y,
            "line": {"color": COLORS[k % 5], "dash": DASHES[(k + k // 5) % 5], "width": 2.3},
            "hovertemplate": "longer than %{x:.3g}: %{y:.1%}<extra></extra>",
        }
        for k, (name, y) in enumerate(zip(record.names, record.longer, strict=True))
    ]
    shapes, notes = objective(record.within, record.target, record.level, record.unit)
    for note in notes if record.impatient else []:
        # the rest to 100% waits longer or has given up
        note["text"] = note["text"].replace(" within ", " begin within ", 1)
    layout = style.layout(
        record.title, shapes=shapes, annotations=notes, showlegend=len(record.names) > 1
    ) | {
        "xaxis": style.axis(f"wait t ({record.unit})", rangemode="tozero"),
        "yaxis": style.axis("probability of a wait longer than t", range=[0, 1.02], tickformat=".0%"),
        "legend": {"x": 0.99, "xanchor": "right", "y": 0.99},
    }
    return {"data": data, "layout": layout}


def objective(
    within: float, target: float, level: float, unit: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A line at the time of the objective with what is reached, and one at the share that may wait longer."""
    if np.isnan(within):
        return [], []
    shapes = [_line(x0=within, x1=within, y0=0, y1=1, yref="y domain")]
    text = f"{percent(level, fine=True)} within {number(within, unit)}"
    if not np.isnan(target):
        shapes.append(_line(x0=0, x1=1, y0=1 - target, y1=1 - target, xref="x domain"))
        text += f"<br>objective {percent(target)}"
    note = {
        "x": within,
        "y": 0.98,
        "yref": "y domain",
        "xanchor": "left",
        "yanchor": "top",
        "xshift": 6,
        "align": "left",
        "text": text,
        "showarrow": False,
        "bgcolor": "rgba(255,255,255,0.85)",
    }
    return shapes, [note]


def _line(**where: Any) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "y",
        "layer": "below",
        "line": {"color": style.GREY, "dash": "dash", "width": 1.5},
    } | where
