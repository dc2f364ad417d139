"""The figure of a simulated queue: the backlog in time, and how likely a wait longer than t is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.figures.queue import objective
from perfanalytics.models.queues.simulation_result import SHARES, QueueSimulation


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationInfo:
    """What is drawn: the path of the backlog with its band, and the tail of the waits."""

    title: str
    unit: str
    at: NDArray[Any]
    waiting: Floats
    low: Floats
    high: Floats
    band: bool
    times: Floats
    longer: Floats
    within: float
    target: float
    level: float


def info(result: QueueSimulation) -> SimulationInfo:
    """The arrays of the figure; an objective about waits is marked on the tail."""
    finite = np.isfinite(result.quantiles)
    on_waits = result.of == "wait"
    title = f"Queue with {result.servers}"
    times, longer = result.quantiles[finite], 1 - SHARES[finite]
    if not finite.all():
        # those who wait for ever: the tail goes on at their share
        title += f", {int(result.unserved[0]):,} of {result.n:,} never served"
        end = 1.25 * float(times[-1]) if len(times) and times[-1] > 0 else 1.0
        if on_waits and np.isfinite(result.within):
            end = max(end, 1.3 * result.within)
        share = float(result.unserved[0]) / result.n
        times, longer = np.append(times, [times[-1:].sum(), end]), np.append(longer, [share, share])
    return SimulationInfo(
        title=title,
        unit=result.unit,
        at=result.path_at,
        waiting=result.waiting,
        low=result.waiting_low,
        high=result.waiting_high,
        band=result.how == "forecast",
        times=times,
        longer=longer,
        within=result.within if on_waits else np.nan,
        target=result.target,
        level=float(result.service_level[0]),
    )


def draw(result: QueueSimulation) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    data: list[dict[str, Any]] = []
    if record.band:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.concatenate([record.at, record.at[::-1]]),
                "y": np.concatenate([record.high, record.low[::-1]]),
                "fill": "toself",
                "fillcolor": "rgba(86,180,233,0.25)",
                "line": {"color": style.SKY, "width": 1, "dash": "dot"},
                "hoverinfo": "skip",
            }
        )
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": record.at,
            "y": record.waiting,
            "line": {"color": style.BLUE, "width": 1.8, "shape": "linear" if record.band else "hv"},
            "hovertemplate": "%{x}: %{y:.0f} waiting<extra></extra>",
        }
    )
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": record.times,
            "y": record.longer,
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": style.BLUE, "width": 2.2},
            "hovertemplate": "longer than %{x:.3g}: %{y:.1%}<extra></extra>",
        }
    )
    shapes, notes = objective(record.within, record.target, record.level, record.unit)
    for part in (*shapes, *notes):
        for key in ("xref", "yref"):
            part[key] = {"x": "x2", "y": "y2", "x domain": "x2 domain", "y domain": "y2 domain"}[
                part.get(key, key[0])
            ]
    instants = np.asarray(record.at).dtype.kind == "M"
    waiting = "waiting" + (" (median, 90% of runs)" if record.band else "")
    layout = style.layout(record.title, height=430, shapes=shapes, annotations=notes) | {
        "margin": {"l": 70, "r": 40, "t": 60, "b": 60},
        "xaxis": style.axis("" if instants else f"time ({record.unit})", domain=[0.0, 0.52], nticks=6),
        "yaxis": style.axis(waiting, rangemode="tozero"),
        "xaxis2": style.axis(
            f"wait t ({record.unit})", domain=[0.64, 1.0], anchor="y2", rangemode="tozero", nticks=5
        ),
        "yaxis2": style.axis("probability of a longer wait", anchor="x2", range=[0, 1.02], tickformat=".0%"),
    }
    return {"data": data, "layout": layout}
